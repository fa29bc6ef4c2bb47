// Every queued reply goes into the outbox, and is tried while its code could still be used. It keeps its Message-ID and
// its code on every try. A permanent failure changes the page and sends nothing.
// For an address that was typed in, the directory is asked here and nowhere else: without an account the reply is settled
// unsent. The page is told nothing, and it happens seconds after the answer to the form, so that neither tells anything.

import { type Challenge, type Sender, senderOf, settleReply } from '../core/challenge.ts';
import type { Mailbox } from '../core/mail-address.ts';
import { requestLabel } from '../core/verification-code.ts';
import type { ChallengeNews } from './challenge-news.ts';
import { deriveCode, mailboxDigest } from './challenge-tokens.ts';
import { type Errand, logTry, type Outbox, type Tried } from './outbox.ts';
import type {
  AppLimits,
  ChallengeStore,
  Clock,
  Directory,
  Log,
  LogFields,
  MailSender,
  OutgoingReply,
  Secrets,
} from './ports.ts';

export interface SendReplies {
  /** Sends what a crash or a stop left behind. */
  start(): Promise<void>;
  /** A reply waits for this sender: hand it over now, or soon when the address was typed. */
  queued(id: string, mailbox: Mailbox, by?: Sender['by']): void;
}

/** One sender of a challenge. */
interface Recipient extends Pick<Sender, 'by' | 'mailbox'> {
  readonly id: string;
}

// Until a typed address is looked up: a time that nobody can foresee, long after the form was answered.
const typedPauseMs = { least: 1_000, most: 5_000 } as const;

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly sender: Pick<MailSender, 'send'>;
  readonly directory: Pick<Directory, 'accountsOf'>;
  readonly clock: Clock;
  readonly log: Log;
  /** For the open page. */
  readonly news: Pick<ChallengeNews, 'delayed'>;
  readonly outbox: Pick<Outbox, 'add'>;
  /** Where typed addresses wait for the directory: a slow one must hold up no other reply. */
  readonly lookUps: Pick<Outbox, 'add'>;
}

/** Makes the worker. */
export function createSendReplies(ports: Ports, limits: AppLimits): SendReplies {
  const { secrets, store, sender, directory, clock, log, news, outbox, lookUps } = ports;

  /** For the log: whose reply it is, as the events of the mail and of the page tell it. */
  const fieldsOf = ({ by, mailbox }: Recipient) => ({ by, mailbox: mailboxDigest(secrets, mailbox) });

  const errandFor = (to: Recipient) =>
    ({ key: `reply ${to.id} ${to.by} ${to.mailbox}`, event: 'reply', fields: fieldsOf(to) }) as const;

  const waitingFor = async (to: Recipient) =>
    composeReply(secrets, limits, await store.read(to.id, clock.now()), to, clock.now());

  async function settle(to: Recipient, replyId: string, state: 'failed' | 'handed-over'): Promise<Tried> {
    const now = clock.now();
    await store.transact(to.id, now, (current) => ({
      next: current && settleReply(current, { ...to, replyId, state }, now, limits),
      result: undefined,
    }));
    return 'done';
  }

  function sending(to: Recipient, fields: LogFields): Errand['attempt'] {
    // What a store that fails could not note down. It must not be sent a second time for that.
    let unnoted: (() => Promise<Tried>) | undefined;
    return async (tries) => {
      const noted = (await unnoted?.()) ?? 'over';
      unnoted = undefined;
      const reply = await waitingFor(to);
      if (reply === undefined) return noted;
      const startedAt = clock.now();
      const result = await sender.send(reply);
      logTry(log, 'reply', result, { ...fields, tries, durationMs: clock.now() - startedAt });
      if (result.kind === 'away') return 'away';
      if (result.kind === 'temporary') return 'again';
      unnoted = () => settle(to, reply.id, result.kind === 'permanent' ? 'failed' : 'handed-over');
      await unnoted();
      unnoted = undefined;
      return 'done';
    };
  }

  function send(to: Recipient): void {
    const { id, mailbox, by } = to;
    const delayed = by === 'mail' ? { delayed: (is: boolean) => news.delayed(id, mailbox, is) } : {};
    const errand = errandFor(to);
    outbox.add({ ...errand, attempt: sending(to, errand.fields), ...delayed });
  }

  /** Sends nothing to an address that was typed and that no account has. */
  async function lookUp(to: Recipient, tries: number): Promise<Tried> {
    const reply = await waitingFor(to);
    if (reply === undefined) return 'over';
    if ((await directory.accountsOf(to.mailbox)).length > 0) {
      send(to);
      return 'done';
    }
    log.info('reply', { outcome: 'no-account', ...fieldsOf(to), tries });
    return settle(to, reply.id, 'handed-over');
  }

  function queued(id: string, mailbox: Mailbox, by: Sender['by'] = 'mail'): void {
    const to = { id, mailbox, by };
    if (by === 'mail') {
      send(to);
      return;
    }
    const { least, most } = typedPauseMs;
    const pauseMs = least + (most - least) * ((secrets.randomBytes(1)[0] ?? 0) / 255);
    lookUps.add({ ...errandFor(to), attempt: (tries) => lookUp(to, tries) }, pauseMs);
  }

  return {
    queued,
    async start() {
      for (const { id, senders } of await store.withQueued(clock.now())) {
        const waiting = senders.filter(({ reply }) => reply.state === 'queued');
        for (const { mailbox, by } of waiting) queued(id, mailbox, by);
      }
    },
  };
}

/** The reply as it must go out now, or undefined when nobody needs it any more. */
function composeReply(
  secrets: Secrets,
  limits: AppLimits,
  challenge: Challenge | undefined,
  to: Recipient,
  now: number,
): OutgoingReply | undefined {
  const waiting = challenge && senderOf(challenge, to);
  if (challenge?.state.kind !== 'code-sent' || waiting?.reply.state !== 'queued') return undefined;
  const fromNow = Math.min(now + limits.codeLifetimeMs, challenge.expiresAt);
  const validUntil = waiting.by === 'typed' ? (waiting.codeExpiresAt ?? now) : fromNow;
  if (now >= validUntil) return undefined;
  return {
    by: waiting.by,
    to: waiting.mailbox,
    id: waiting.reply.id,
    inReplyTo: waiting.reply.inReplyTo,
    code: deriveCode(secrets, challenge, waiting),
    label: requestLabel(challenge.id),
    purpose: challenge.purpose,
    locale: challenge.locale,
    clientHint: challenge.clientHint,
    openedAt: challenge.expiresAt - limits.challengeLifetimeMs,
    validUntil,
  };
}
