// The outbox: every queued reply is handed over at once, and after a temporary failure again with growing pauses
// while its code could still be used. The queue itself is in the store, so a crash loses nothing; a reply keeps
// its Message-ID and its code on every try. A permanent failure changes the page and sends nothing.

import { type Challenge, settleReply } from '../core/challenge.ts';
import type { Mailbox } from '../core/mail-address.ts';
import { requestLabel } from '../core/verification-code.ts';
import type { ChallengeNews } from './challenge-news.ts';
import { deriveCode } from './challenge-tokens.ts';
import type { AppLimits, ChallengeStore, Clock, Log, MailSender, OutgoingReply, Secrets } from './ports.ts';

export interface SendReplies {
  /** Sends what a crash or a stop left behind. */
  start(): Promise<void>;
  /** A reply waits for this sender: hand it over now. */
  queued(id: string, mailbox: Mailbox): void;
  /** Ends the waiting and lets what is under way finish. What is left stays in the store. */
  stop(): Promise<void>;
}

const pausesMs = [5_000, 15_000, 60_000, 300_000];
const jitter = 0.2;

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly sender: MailSender;
  readonly clock: Clock;
  readonly log: Log;
  /** For the open page. */
  readonly news: Pick<ChallengeNews, 'delayed'>;
}

/** Makes the outbox worker. */
export function createSendReplies({ secrets, store, sender, clock, log, news }: Ports, limits: AppLimits): SendReplies {
  /** One entry per sender with something under way: a pause that can be ended, or a try; `again`: look once more after it. */
  const busy = new Map<string, { readonly pause: (() => void) | undefined; again: boolean }>();
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  function pauseMs(tries: number): number {
    const pause = pausesMs[Math.min(tries, pausesMs.length) - 1] ?? 0;
    const random = (secrets.randomBytes(1)[0] ?? 0) / 255;
    return pause * (1 - jitter + 2 * jitter * random);
  }

  async function attempt(id: string, mailbox: Mailbox, tries: number): Promise<void> {
    const reply = composeReply(secrets, limits, await store.read(id, clock.now()), mailbox, clock.now());
    if (reply === undefined || stopped) {
      if (tries > 1 && !stopped) log.warn('reply', { outcome: 'given-up', tries: tries - 1 }); // its time is over
      return forget(id, mailbox);
    }
    const startedAt = clock.now();
    const result = await sender.send(reply);
    const detail = result.kind === 'handed-over' ? undefined : result.detail;
    const fields = { outcome: result.kind, detail, tries, durationMs: clock.now() - startedAt };
    if (result.kind !== 'temporary') {
      const now = clock.now();
      const settled = {
        mailbox,
        replyId: reply.id,
        state: result.kind === 'permanent' ? 'failed' : 'handed-over',
      } as const;
      await store.transact(id, now, (current) => ({
        next: current && settleReply(current, settled, now, limits),
        result: undefined,
      }));
      log[result.kind === 'permanent' ? 'warn' : 'info']('reply', fields);
      // A newer mail may have put a newer reply in this one's place meanwhile.
      return attempt(id, mailbox, 1);
    }
    log.warn('reply', fields);
    wait(id, mailbox, tries);
  }

  function wait(id: string, mailbox: Mailbox, tries: number): void {
    if (stopped) return;
    news.delayed(id, mailbox, true);
    busy.set(key(id, mailbox), {
      pause: clock.after(pauseMs(tries), () => run(id, mailbox, tries + 1)),
      again: false,
    });
  }

  function forget(id: string, mailbox: Mailbox): void {
    const again = busy.get(key(id, mailbox))?.again === true;
    busy.delete(key(id, mailbox));
    news.delayed(id, mailbox, false);
    if (again) queued(id, mailbox);
  }

  function run(id: string, mailbox: Mailbox, tries: number): void {
    busy.set(key(id, mailbox), { pause: undefined, again: false });
    const work = attempt(id, mailbox, tries).catch((error: unknown) => {
      // The store could not note the hand-over: the next try repeats the same reply under the same Message-ID.
      log.warn('reply', { outcome: 'temporary', tries }, error);
      wait(id, mailbox, tries);
    });
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  function queued(id: string, mailbox: Mailbox): void {
    const current = busy.get(key(id, mailbox));
    if (stopped) return;
    if (current !== undefined && current.pause === undefined) {
      current.again = true;
      return;
    }
    // A newer mail does not wait for the pause of an older one: the relay may be back.
    current?.pause?.();
    run(id, mailbox, 1);
  }

  return {
    queued,
    async start() {
      for (const challenge of await store.withQueued(clock.now())) {
        const waiting = challenge.senders.filter(({ reply }) => reply.state === 'queued');
        for (const { mailbox } of waiting) queued(challenge.id, mailbox);
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
  mailbox: Mailbox,
  now: number,
): OutgoingReply | undefined {
  const waiting = challenge?.senders.find((other) => other.mailbox === mailbox && other.reply.state === 'queued');
  if (challenge?.state.kind !== 'code-sent' || waiting === undefined || now >= challenge.expiresAt) return undefined;
  return {
    to: mailbox,
    id: waiting.reply.id,
    inReplyTo: waiting.reply.inReplyTo,
    code: deriveCode(secrets, challenge.id, waiting),
    label: requestLabel(challenge.id),
    purpose: challenge.purpose,
    locale: challenge.locale,
    clientHint: challenge.clientHint,
    openedAt: challenge.expiresAt - limits.challengeLifetimeMs,
    validUntil: Math.min(now + limits.codeLifetimeMs, challenge.expiresAt),
  };
}

function key(id: string, mailbox: Mailbox): string {
  return `${id}|${mailbox}`;
}
