// The directory of an organisation that keeps its accounts itself: each method of the port is one signed call. What the
// organisation promises in turn is in config/directory.openapi.yaml; test/examples/directory-server.ts shows one that keeps it.

import type { Directory, Log, MailboxConfirmation, PasswordChange, SecondFactorAttempt } from '../../app/ports.ts';
import type { Mailbox } from '../../core/mail-address.ts';
import { isWebhookSecret } from '../../core/webhook-secret.ts';
import { createEventQueue } from './event-queue.ts';
import { endpoints } from './http-schemas.ts';
import { type CallOptions, createSignedCalls } from './signed-calls.ts';

export interface HttpDirectory extends Directory {
  readonly tell: NonNullable<Directory['tell']>;
  /** Events that wait are lost. */
  close(): void;
}

/** Makes the client. Asks nothing yet: a directory that is down now may be up when the first person comes. */
export function createHttpDirectory(options: CallOptions & { readonly log: Log }): HttpDirectory {
  const call = createSignedCalls(options);
  const events = createEventQueue((event) => call(endpoints.event, event), options);
  return {
    async accountsOf(mailbox: Mailbox) {
      const { accounts } = await call(endpoints.find, { mailbox });
      return accounts;
    },
    async setPassword(change: PasswordChange) {
      const { outcome } = await call(endpoints.setPassword, change);
      return outcome;
    },
    async revertPassword(accountId: string, changeId: string, at: number) {
      const { outcome } = await call(endpoints.revertPassword, { accountId, changeId, at });
      return outcome;
    },
    async verifySecondFactor(attempt: SecondFactorAttempt) {
      const answer = await call(endpoints.verifySecondFactor, attempt);
      return answer.outcome === 'too-many' ? { kind: answer.outcome, waitMs: answer.waitMs } : { kind: answer.outcome };
    },
    async confirmMailbox(confirmation: MailboxConfirmation) {
      const { outcome } = await call(endpoints.confirmMailbox, confirmation);
      return outcome;
    },
    tell: events.tell,
    close: events.stop,
  };
}

/**
 * The secret that signs the calls.
 * @param text as its file has it; @param path of that file
 * @throws Error, with the place and the remedy but never the secret, when it is none
 */
export function parseDirectorySecret(text: string, path: string): string {
  const secret = text.trim();
  if (!isWebhookSecret(secret)) {
    throw new Error(`${path} holds no secret. Write whsec_ and 24 to 64 bytes as base64 into it, and nothing else.`);
  }
  return secret;
}
