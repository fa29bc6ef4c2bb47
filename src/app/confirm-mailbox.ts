// What a grant for `confirm` is for: the directory notes that the mailbox is its owner's, and nothing else happens. No
// account is shown or chosen, no password is set.

import { toBase64Url } from '../core/bytes.ts';
import { refuse } from '../core/refusal.ts';
import { mailboxDigest } from './challenge-tokens.ts';
import { createGrants, grantFacts } from './open-grant.ts';
import type { Audit, ChallengeStore, Clock, ConfirmMailbox, Directory, Secrets } from './ports.ts';

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly clock: Clock;
  readonly directory: Pick<Directory, 'confirmMailbox'>;
  readonly audit: Audit;
}

/** Makes the use case. */
export function createConfirmMailbox(ports: Ports): ConfirmMailbox {
  const { secrets, directory, audit } = ports;
  const grants = createGrants(ports);

  return {
    async show(request) {
      const opened = await grants.openGrant(request);
      if ('reason' in opened) return opened;
      return { kind: 'mailbox', mailbox: opened.grant.mailbox, nonce: toBase64Url(opened.seed.nonce) };
    },
    async confirm(request) {
      const opened = await grants.openForm(request);
      if ('reason' in opened) return opened;
      const { mailbox } = opened.grant;
      const spent = await grants.spend(opened, null);
      // A second click, or another window: the page says what came of the first.
      if ('reason' in spent) return refuse('grant-used');
      const { changeId, at } = spent;
      const outcome = await directory.confirmMailbox({ mailbox, changeId, at }).catch(async (error: unknown) => {
        await spent.giveBack();
        throw error;
      });
      if (outcome === 'no-account') {
        await spent.giveBack();
        return { kind: 'no-account', mailbox };
      }
      audit.note({ event: 'mailbox-confirmed', ...grantFacts(opened, request, at) });
      await spent.finish(null);
      return { kind: 'confirmed', mailboxDigest: mailboxDigest(secrets, mailbox) };
    },
  };
}
