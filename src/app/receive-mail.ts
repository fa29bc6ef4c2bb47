// A message arrives: is the recipient one of ours, may it be answered, is its author believed, is there room for one
// more reply. Then record and outbox row are written in one step, and only then is it accepted (RFC 5321 §6.1).
// The decisions are in core/; the order is that of src/DESIGN.md "Which mail is believed".

import { asciiBytes, toHex } from '../core/bytes.ts';
import { acceptMail, awaitMail, type Challenge, type MailOutcome } from '../core/challenge.ts';
import { domainOf, type Mailbox } from '../core/mail-address.ts';
import { type MessageHeader, readMessageHeader } from '../core/message-header.ts';
import type { OneTimeAddress } from '../core/one-time-address.ts';
import { type MailRefusalReason, type Refused, refuse } from '../core/refusal.ts';
import { refuseUnanswerable } from '../core/reply-policy.ts';
import { decideSender, type TrustedSender } from '../core/sender-policy.ts';
import { requestLabel, subjectHoldsLabel } from '../core/verification-code.ts';
import { readAddress, writeAddress } from './challenge-tokens.ts';
import {
  type AppLimits,
  type ChallengeStore,
  type Clock,
  DependencyError,
  type Envelope,
  type MailVerifier,
  type ReceiveMail,
  type Secrets,
} from './ports.ts';
import { createRateLog, type Place } from './rate-log.ts';

export interface ReceiveMailPorts {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly verifier: MailVerifier;
  readonly clock: Clock;
  /** Told after the write that a reply waits in the outbox. */
  readonly replyQueued: (id: string, mailbox: Mailbox) => void;
}

export interface ReceiveMailOptions {
  /** Domain of the one-time addresses, lower case. */
  readonly domain: string;
  /** The address our replies come from. */
  readonly from: Mailbox;
  readonly checkTimeoutMs: number;
  readonly limits: AppLimits;
}

const minuteMs = 60_000;

/** Makes the use case. */
export function createReceiveMail(ports: ReceiveMailPorts, options: ReceiveMailOptions): ReceiveMail {
  const { perMinuteMax, perHourMax, perDayMax } = options.limits.repliesPerMailbox;
  const replies = createRateLog([
    { max: perMinuteMax, windowMs: minuteMs },
    { max: perHourMax, windowMs: 60 * minuteMs },
    { max: perDayMax, windowMs: 24 * 60 * minuteMs },
  ]);
  return {
    admitRecipient: (recipient) => admitRecipient(ports, options, recipient),
    async receive(message, envelope, recipient) {
      const header = readMessageHeader(message, options.limits.dkimSignaturesMax);
      if (header.kind === 'refused') return header;
      const authorDigest = toHex(ports.secrets.mac('log', asciiBytes(header.author)).subarray(0, 6));
      const author = { authorDomain: domainOf(header.author), authorDigest };
      const sender =
        refuseUnanswerable(header, options.domain, options.from) ??
        refuseWrongRecipient(ports, options, header, recipient) ??
        (await believe(ports, options, message, envelope, header, recipient));
      if (sender.kind === 'refused') return { ...sender, ...author };
      const place = replies.take(sender.mailbox, ports.clock.now());
      const outcome = await record(ports, options, message, header, recipient, place).catch((error: unknown) => {
        place.giveBack();
        throw error;
      });
      if (outcome.kind !== 'reply-queued') place.giveBack();
      if (outcome.kind === 'refused') return { ...outcome, ...author };
      if (outcome.kind === 'reply-queued') ports.replyQueued(recipient.id, sender.mailbox);
      return { kind: outcome.kind, by: sender.by, authorDigest };
    },
  };
}

async function admitRecipient(
  { secrets, store, clock }: ReceiveMailPorts,
  { domain }: ReceiveMailOptions,
  recipient: string,
): Promise<OneTimeAddress | Refused<MailRefusalReason>> {
  const now = clock.now();
  const at = recipient.lastIndexOf('@');
  if (recipient.slice(at + 1).toLowerCase() !== domain) return refuse('relay-denied');
  const address = readAddress(secrets, recipient.slice(0, Math.max(at, 0)), now);
  if (address === undefined) return refuse('address-unknown');
  if (now >= address.expiresAt) return refuse('address-expired');
  const state = (await store.read(address.id, now))?.state.kind;
  return state === 'locked' || state === 'verified' ? refuse('address-expired') : address;
}

/** To must be the one-time address and nothing else: a signed To is what binds a mail to its challenge (RFC 6376 §8.6). */
function refuseWrongRecipient(
  { secrets, clock }: ReceiveMailPorts,
  { domain }: ReceiveMailOptions,
  header: MessageHeader,
  recipient: OneTimeAddress,
): Refused<MailRefusalReason> | undefined {
  const [localPart = '', toDomain] = header.recipient?.split('@') ?? [];
  const to = toDomain === domain ? readAddress(secrets, localPart, clock.now()) : undefined;
  const same = to !== undefined && writeAddress(secrets, to) === writeAddress(secrets, recipient);
  return same ? undefined : refuse('wrong-recipient');
}

async function believe(
  { verifier, clock }: ReceiveMailPorts,
  { checkTimeoutMs }: ReceiveMailOptions,
  message: Uint8Array,
  envelope: Envelope,
  header: MessageHeader,
  recipient: OneTimeAddress,
): Promise<TrustedSender | Refused<MailRefusalReason>> {
  const check = async () => {
    const { evidence, canary } = await verifier.verify(message, envelope, header.author);
    const facts = {
      ...evidence,
      author: header.author,
      mailFrom: envelope.mailFrom,
      subjectHoldsLabel: subjectHoldsLabel(header.subject, requestLabel(recipient.id)),
    };
    const first = decideSender(facts, clock.now(), undefined);
    return first.kind === 'needs-canary' ? decideSender(facts, clock.now(), await canary()) : first;
  };
  const decision = await within(clock, checkTimeoutMs, check());
  if (decision.kind === 'needs-canary') throw new Error('the canary was asked, and is needed still');
  return decision;
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

function record(
  { secrets, store, clock }: ReceiveMailPorts,
  { limits }: ReceiveMailOptions,
  message: Uint8Array,
  header: MessageHeader,
  recipient: OneTimeAddress,
  place: Place,
): Promise<MailOutcome> {
  const now = clock.now();
  const identity = header.messageId === undefined ? message : asciiBytes(header.messageId);
  const event = {
    mailbox: header.author,
    messageDigest: toHex(secrets.hash(identity).subarray(0, 16)),
    inReplyTo: header.messageId ?? null,
    replyId: toHex(secrets.randomBytes(16)),
    salt: toHex(secrets.randomBytes(16)),
  };
  return store.transact(recipient.id, now, (current: Challenge | undefined) => {
    const { next, outcome } = acceptMail(current ?? awaitMail(recipient), event, now, limits);
    // Too many replies for this mailbox: nothing is written, and the sender's server comes again later.
    const result: MailOutcome =
      outcome.kind === 'reply-queued' && place.waitMs > 0 ? refuse('replies-exhausted') : outcome;
    return { next: result.kind === 'reply-queued' ? next : undefined, result };
  });
}
