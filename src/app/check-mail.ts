// One message against all the rules: header, reply policy, recipient, mail authentication, sender policy, in the order of
// src/DESIGN.md "Which mail is believed". Decides and writes nothing, so that `explain` can say what would happen.

import { toHex } from '../core/bytes.ts';
import { type MessageHeader, readMessageHeader } from '../core/message-header.ts';
import { type OneTimeAddress, packAddress } from '../core/one-time-address.ts';
import { type MailRefusalReason, type Refused, refuse } from '../core/refusal.ts';
import { refuseUnanswerable } from '../core/reply-policy.ts';
import {
  decideSender,
  type SenderEvidence,
  type SenderPolicy,
  type SpfCanary,
  type TrustedSender,
} from '../core/sender-policy.ts';
import { requestLabel, subjectHoldsLabel } from '../core/verification-code.ts';
import { readAddress } from './challenge-tokens.ts';
import { type Clock, DependencyError, type Envelope, type MailVerifier, type Secrets } from './ports.ts';
import type { ReceiveMailOptions } from './receive-mail.ts';

/** What came of a message, with what it was decided on as far as it came. */
export interface CheckedMail {
  readonly decision: (TrustedSender & { readonly header: MessageHeader }) | Refused<MailRefusalReason>;
  readonly header?: MessageHeader;
  readonly evidence?: SenderEvidence;
  readonly canary?: SpfCanary;
}

interface Ports {
  readonly secrets: Secrets;
  readonly verifier: MailVerifier;
  readonly clock: Clock;
}

type Options = Pick<ReceiveMailOptions, 'domain' | 'from' | 'checkTimeoutMs' | 'limits' | 'policy'>;

/**
 * Checks a message.
 * @param message   attacker-chosen, bounded by the caller
 * @param recipient the one-time address it was sent to, MAC checked
 * @throws DependencyError when the checks take too long as a whole
 */
export async function checkMail(
  ports: Ports,
  options: Options,
  message: Uint8Array,
  envelope: Envelope,
  recipient: OneTimeAddress,
): Promise<CheckedMail> {
  const header = readMessageHeader(message, options.limits.dkimSignaturesMax);
  if (header.kind === 'refused') return { decision: header };
  const unanswerable =
    refuseUnanswerable(header, options.domain, options.from) ??
    refuseWrongRecipient(ports, options.domain, header, recipient);
  if (unanswerable !== undefined) return { decision: unanswerable, header };
  return within(
    ports.clock,
    options.checkTimeoutMs,
    believe(ports, options.policy, message, envelope, header, recipient),
  );
}

/** To must be the one-time address and nothing else: a signed To is what binds a mail to its challenge (RFC 6376 §8.6). */
function refuseWrongRecipient(
  { secrets, clock }: Ports,
  domain: string,
  header: MessageHeader,
  recipient: OneTimeAddress,
): Refused<MailRefusalReason> | undefined {
  const [localPart = '', toDomain] = header.recipient?.split('@') ?? [];
  const to = toDomain === domain ? readAddress(secrets, localPart, clock.now()) : undefined;
  const same = to !== undefined && toHex(packAddress(to)) === toHex(packAddress(recipient));
  return same ? undefined : refuse('wrong-recipient');
}

async function believe(
  { verifier, clock }: Ports,
  policy: SenderPolicy,
  message: Uint8Array,
  envelope: Envelope,
  header: MessageHeader,
  recipient: OneTimeAddress,
): Promise<CheckedMail> {
  const verification = await verifier.verify(message, envelope, header.author);
  const known = {
    author: header.author,
    mailFrom: envelope.mailFrom,
    subjectHoldsLabel: subjectHoldsLabel(header.subject, requestLabel(recipient.id)),
  };
  let evidence: SenderEvidence = { ...verification.evidence, ...known };
  let canary: SpfCanary | undefined;
  let decision = decideSender(evidence, clock.now(), canary, policy);
  if (decision.kind === 'needs-spf') {
    evidence = { ...(await verification.withSpf()), ...known };
    decision = decideSender(evidence, clock.now(), canary, policy);
  }
  if (decision.kind === 'needs-canary') {
    canary = await verification.canary();
    decision = decideSender(evidence, clock.now(), canary, policy);
  }
  const found = { header, evidence, ...(canary && { canary }) };
  if (decision.kind === 'trusted') return { decision: { ...decision, header }, ...found };
  if (decision.kind === 'refused') return { decision, ...found };
  throw new Error('it was asked, and is needed still');
}

/** Waits for a check at most so long: a slow name server must not hold a connection for ever. */
async function within<T>(clock: Clock, timeoutMs: number, work: Promise<T>): Promise<T> {
  let cancel = () => {};
  const timeout = new Promise<never>((_resolve, reject) => {
    const late = () => reject(new DependencyError('dns', 'the checks of a message took too long'));
    cancel = clock.after(timeoutMs, late);
  });
  return Promise.race([work, timeout]).finally(cancel);
}
