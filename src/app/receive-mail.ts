// End of DATA: is the message believed (check-mail.ts), and is there room for one more reply? Then record and outbox row
// are written in one step, and only then is it accepted (RFC 5321 §6.1). The page of the challenge learns what came of it.

import { textBytes, toHex } from '../core/bytes.ts';
import { acceptMail, awaitMail, type Challenge, type MailOutcome } from '../core/challenge.ts';
import { domainOf, type Mailbox } from '../core/mail-address.ts';
import type { MessageHeader } from '../core/message-header.ts';
import type { KeyedAddress } from '../core/one-time-address.ts';
import { type MailRefusalReason, mailRefusals, refuse } from '../core/refusal.ts';
import { describeVerdict, type SenderPolicy, type TrustedSender } from '../core/sender-policy.ts';
import { requestLabel } from '../core/verification-code.ts';
import { createAdmitRecipient } from './admit-recipient.ts';
import type { ChallengeNews } from './challenge-news.ts';
import { budgetKey, mailboxDigest } from './challenge-tokens.ts';
import { type CheckedMail, checkMail } from './check-mail.ts';
import { createPassOnMail } from './pass-on-mail.ts';
import type {
  AppLimits,
  Audit,
  AuditEvent,
  ChallengeStore,
  Clock,
  Envelope,
  MailAccepted,
  MailRefused,
  MailSender,
  MailVerifier,
  ReceiveMail,
  Secrets,
} from './ports.ts';
import { createRateLog } from './rate-log.ts';

export interface ReceiveMailPorts {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly verifier: MailVerifier;
  readonly clock: Clock;
  readonly news: ChallengeNews;
  readonly sender: Pick<MailSender, 'passOn'>;
  readonly audit: Audit;
  /** Told after the write that a reply waits in the outbox. */
  readonly replyQueued: (id: string, mailbox: Mailbox) => void;
}

export interface ReceiveMailOptions {
  /** Domain of the one-time addresses, lower case. */
  readonly domain: string;
  /** The address our replies come from. */
  readonly from: Mailbox;
  /** Where mail for postmaster and abuse goes; null: it is refused. */
  readonly operator: Mailbox | null;
  readonly checkTimeoutMs: number;
  readonly policy: SenderPolicy;
  readonly limits: AppLimits;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Makes the use case. */
export function createReceiveMail(ports: ReceiveMailPorts, options: ReceiveMailOptions): ReceiveMail {
  const { limits } = options;
  const { clock, news } = ports;
  const messages = createRateLog([{ max: limits.messagesMax, windowMs: limits.challengeLifetimeMs }]);
  const judge = createJudge(ports, options);
  const passOn = createPassOnMail(ports);

  function notify(id: string, refused: MailRefused): MailRefused {
    const { sentence } = mailRefusals[refused.reason];
    const until = refused.waitMs === undefined ? 0 : clock.now() + refused.waitMs;
    if (sentence !== 'unchanged') news.put(id, { sentence, until, details: refused.details });
    return refused;
  }

  async function receive(message: Uint8Array, envelope: Envelope, address: KeyedAddress) {
    const place = messages.take(address.id, clock.now());
    const received = await judge(message, envelope, address).catch((error: unknown) => {
      place.giveBack();
      throw error;
    });
    // What the sender's server will send again, or has sent before, is not one message more.
    if (received.kind === 'already-answered' || (received.kind === 'refused' && isTemporary(received.reason))) {
      place.giveBack();
    }
    if (received.kind === 'refused') return notify(address.id, received);
    if (received.kind === 'reply-queued') news.put(address.id, undefined);
    return received;
  }

  return {
    admitRecipient: createAdmitRecipient({ ...ports, messages, notify }, options),
    refuseTooBig(recipient) {
      if (recipient.kind === 'operator') return refuse('message-too-big');
      messages.take(recipient.address.id, clock.now());
      return notify(recipient.address.id, refuse('message-too-big'));
    },
    async receive(message, envelope, recipient) {
      if (recipient.kind === 'operator') return passOn(message, recipient.mailbox);
      const checked = news.checking(recipient.address.id);
      return receive(message, envelope, recipient.address).finally(checked);
    },
  };
}

function isTemporary(reason: MailRefusalReason): boolean {
  return reason === 'check-unavailable' || reason === 'replies-exhausted';
}

/** A checked message: is there room for a reply, then write it down. */
function createJudge(ports: ReceiveMailPorts, options: ReceiveMailOptions) {
  const { clock, secrets, audit } = ports;
  const { repliesPerMailbox, repliesPerDomainPerHourMax } = options.limits;
  const mailboxes = createRateLog([
    { max: repliesPerMailbox.perMinuteMax, windowMs: minuteMs },
    { max: repliesPerMailbox.perHourMax, windowMs: hourMs },
    { max: repliesPerMailbox.perDayMax, windowMs: 24 * hourMs },
  ]);
  const domains = createRateLog([{ max: repliesPerDomainPerHourMax, windowMs: hourMs }]);

  async function accept(message: Uint8Array, header: MessageHeader, recipient: KeyedAddress) {
    const now = clock.now();
    const places = [mailboxes.take(budgetKey(secrets, header.author), now), domains.take(domainOf(header.author), now)];
    const giveBack = () => {
      for (const place of places) place.giveBack();
    };
    const waitMs = Math.max(...places.map((place) => place.waitMs));
    const outcome = await record(ports, options.limits, message, header, recipient, waitMs).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    if (outcome.kind === 'reply-queued') ports.replyQueued(recipient.id, header.author);
    else giveBack();
    return { outcome, waitMs };
  }

  return async (
    message: Uint8Array,
    envelope: Envelope,
    recipient: KeyedAddress,
  ): Promise<MailAccepted | MailRefused> => {
    const checked = await checkMail(ports, options, message, envelope, recipient);
    const about = () => describeMail(secrets, options.policy, checked, clock.now());
    if (checked.decision.kind === 'refused') return { ...checked.decision, ...about() };
    const { outcome, waitMs } = await accept(message, checked.decision.header, recipient);
    if (outcome.kind === 'refused') return { ...outcome, ...about(), waitMs };
    const { by, mailbox } = checked.decision;
    if (outcome.kind === 'reply-queued') audit.note(openedByMail(checked.decision, envelope, recipient, clock.now()));
    return { kind: outcome.kind, by, authorDigest: mailboxDigest(secrets, mailbox) };
  };
}

function openedByMail(
  sender: TrustedSender,
  { remoteAddress: smtpAddress }: Envelope,
  { id, purpose }: KeyedAddress,
  at: number,
): AuditEvent {
  const { mailbox, by, domain } = sender;
  const authentication = by === 'spf' ? { by, domain } : { by, domain, selector: sender.selector };
  return { event: 'opened-by-mail', at, label: requestLabel(id), purpose, mailbox, authentication, smtpAddress };
}

/** For the log and for the page: domain names, results, and the author as a digest. */
function describeMail(secrets: Secrets, policy: SenderPolicy, { header, evidence }: CheckedMail, now: number) {
  return {
    ...(header && { authorDomain: domainOf(header.author) }),
    ...(header && { authorDigest: mailboxDigest(secrets, header.author) }),
    ...(evidence && { details: describeVerdict(evidence, now, policy) }),
  };
}

function record(
  { secrets, store, clock }: ReceiveMailPorts,
  limits: AppLimits,
  message: Uint8Array,
  header: MessageHeader,
  recipient: KeyedAddress,
  waitMs: number,
): Promise<MailOutcome> {
  const now = clock.now();
  const identity = header.messageId === undefined ? message : textBytes(header.messageId);
  const event = {
    mailbox: header.author,
    messageDigest: toHex(secrets.hash(identity).subarray(0, 16)),
    inReplyTo: header.messageId ?? null,
    replyId: toHex(secrets.randomBytes(16)),
    salt: toHex(secrets.randomBytes(16)),
  };
  return store.transact(recipient.id, now, (current: Challenge | undefined) => {
    const { next, outcome } = acceptMail(current ?? awaitMail(recipient), event, now, limits);
    // Too many replies for this mailbox: nothing is written. The sender's server comes again, if that can still help.
    const tooOften = refuse(now + waitMs < recipient.expiresAt ? 'replies-exhausted' : 'replies-exhausted-for-long');
    const result: MailOutcome = outcome.kind === 'reply-queued' && waitMs > 0 ? tooOften : outcome;
    return { next: result.kind === 'reply-queued' ? next : undefined, result };
  });
}
