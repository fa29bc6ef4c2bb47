// The outbox: every queued reply is handed over at once, and after a temporary failure again with growing pauses
// while its code could still be used. The queue itself is in the store, so a crash loses nothing; a reply keeps
// its Message-ID and its code on every try. A permanent failure changes the page and sends nothing.
// For an address that was typed in, the directory is asked here and nowhere else: without an account the reply is settled
// unsent. The page is told nothing, and it happens seconds after the answer to the form, so that neither tells anything.

import { type Challenge, type Sender, senderOf, settleReply } from '../core/challenge.ts';
import type { Mailbox } from '../core/mail-address.ts';
import { requestLabel } from '../core/verification-code.ts';
import type { ChallengeNews } from './challenge-news.ts';
import { deriveCode } from './challenge-tokens.ts';
import type {
  AppLimits,
  ChallengeStore,
  Clock,
  Directory,
  Log,
  MailSender,
  OutgoingReply,
  Secrets,
  SendResult,
} from './ports.ts';

export interface SendReplies {
  /** Sends what a crash or a stop left behind. */
  start(): Promise<void>;
  /** A reply waits for this sender: hand it over now, or soon when the address was typed. */
  queued(id: string, mailbox: Mailbox, by?: Sender['by']): void;
  /** Ends the waiting and lets what is under way finish. What is left stays in the store. */
  stop(): Promise<void>;
}

/** One sender of a challenge. */
interface Recipient extends Pick<Sender, 'by' | 'mailbox'> {
  readonly id: string;
}

const pausesMs = [5_000, 15_000, 60_000, 300_000];
const jitter = 0.2;
// Until a typed address is looked up: a time that nobody can foresee, long after the form was answered.
const typedPauseMs = { least: 1_000, most: 5_000 } as const;

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly sender: MailSender;
  readonly directory: Pick<Directory, 'accountsOf'>;
  readonly clock: Clock;
  readonly log: Log;
  /** For the open page. */
  readonly news: Pick<ChallengeNews, 'delayed'>;
}

/** Makes the outbox worker. */
export function createSendReplies(ports: Ports, limits: AppLimits): SendReplies {
  const { secrets, store, sender, directory, clock, log, news } = ports;
  /** One entry per sender with something under way: a pause that can be ended, or a try; `again`: look once more after it. */
  const busy = new Map<string, { readonly pause: (() => void) | undefined; again: boolean }>();
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  const random = () => (secrets.randomBytes(1)[0] ?? 0) / 255;
  const pauseMs = (tries: number) => {
    const pause = pausesMs[Math.min(tries, pausesMs.length) - 1] ?? 0;
    return pause * (1 - jitter + 2 * jitter * random());
  };

  /** Sends a reply, unless it is for an address that was typed and that no account has. */
  async function send(reply: OutgoingReply): Promise<SendResult | { readonly kind: 'no-account' }> {
    const isWanted = reply.by === 'mail' || (await directory.accountsOf(reply.to)).length > 0;
    return isWanted ? sender.send(reply) : { kind: 'no-account' };
  }

  async function attempt(to: Recipient, tries: number): Promise<void> {
    const reply = composeReply(secrets, limits, await store.read(to.id, clock.now()), to, clock.now());
    if (reply === undefined || stopped) {
      if (tries > 1 && !stopped) log.warn('reply', { outcome: 'given-up', by: to.by, tries: tries - 1 }); // its time is over
      return forget(to);
    }
    const startedAt = clock.now();
    const result = await send(reply);
    const detail = 'detail' in result ? result.detail : undefined;
    const fields = { outcome: result.kind, by: to.by, detail, tries, durationMs: clock.now() - startedAt };
    if (result.kind !== 'temporary') {
      const now = clock.now();
      const state = result.kind === 'permanent' ? 'failed' : 'handed-over';
      await store.transact(to.id, now, (current) => ({
        next: current && settleReply(current, { ...to, replyId: reply.id, state }, now, limits),
        result: undefined,
      }));
      log[result.kind === 'permanent' ? 'warn' : 'info']('reply', fields);
      // A newer mail may have put a newer reply in this one's place meanwhile.
      return attempt(to, 1);
    }
    log.warn('reply', fields);
    wait(to, tries);
  }

  function wait(to: Recipient, tries: number): void {
    if (stopped) return;
    if (to.by === 'mail') news.delayed(to.id, to.mailbox, true);
    busy.set(key(to), { pause: clock.after(pauseMs(tries), () => run(to, tries + 1)), again: false });
  }

  function forget(to: Recipient): void {
    const again = busy.get(key(to))?.again === true;
    busy.delete(key(to));
    if (to.by === 'mail') news.delayed(to.id, to.mailbox, false);
    if (again) begin(to);
  }

  function run(to: Recipient, tries: number): void {
    busy.set(key(to), { pause: undefined, again: false });
    const work = attempt(to, tries).catch((error: unknown) => {
      // The directory could not be asked, or the store could not note the hand-over: then the next try repeats the same
      // reply under the same Message-ID.
      log.warn('reply', { outcome: 'temporary', by: to.by, tries }, error);
      wait(to, tries);
    });
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  function begin(to: Recipient): void {
    const current = busy.get(key(to));
    if (stopped) return;
    if (current !== undefined && current.pause === undefined) {
      current.again = true;
      return;
    }
    // A newer mail does not wait for the pause of an older one: the relay may be back.
    current?.pause?.();
    const { least, most } = typedPauseMs;
    if (to.by === 'mail') run(to, 1);
    else busy.set(key(to), { pause: clock.after(least + (most - least) * random(), () => run(to, 1)), again: false });
  }

  return {
    queued: (id, mailbox, by = 'mail') => begin({ id, mailbox, by }),
    async start() {
      for (const { id, senders } of await store.withQueued(clock.now())) {
        const waiting = senders.filter(({ reply }) => reply.state === 'queued');
        for (const { mailbox, by } of waiting) begin({ id, mailbox, by });
      }
    },
    async stop() {
      stopped = true;
      for (const { pause } of busy.values()) pause?.();
      await Promise.all(underWay);
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
    code: deriveCode(secrets, challenge.id, waiting),
    label: requestLabel(challenge.id),
    purpose: challenge.purpose,
    locale: challenge.locale,
    clientHint: challenge.clientHint,
    openedAt: challenge.expiresAt - limits.challengeLifetimeMs,
    validUntil,
  };
}

function key({ id, mailbox, by }: Recipient): string {
  return `${id}|${by}|${mailbox}`;
}
