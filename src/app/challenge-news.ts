// What happens to a challenge and is not on disk: a mail is being checked, one was refused, a reply is delayed. And
// whoever follows a challenge hears that there is something to look at. In memory and bounded: refused mail must cause
// no write, and a page that misses its news only says "waiting" for a while.

import type { Mailbox } from '../core/mail-address.ts';
import type { ChallengeStore, MailNotice } from './ports.ts';

/** What the open page of a challenge learns besides its record. */
export interface News {
  /** The latest mail for it was refused. */
  readonly notice: MailNotice | undefined;
  /** A mail for it is being checked at this moment. */
  readonly checking: boolean;
  /** Those whose reply was not taken yet and will be tried again. */
  readonly delayed: ReadonlySet<Mailbox>;
}

export interface ChallengeNews {
  get(id: string): News;
  /** @param notice undefined: the mail was accepted, and what was said before is over */
  put(id: string, notice: MailNotice | undefined): void;
  /** A mail is being checked, until the result is called. */
  checking(id: string): () => void;
  /** The reply to a mailbox was not taken and will be tried again, or that is over. */
  delayed(id: string, mailbox: Mailbox, is: boolean): void;
  /** Its record has changed. */
  changed(id: string): void;
  /** @returns ends it; undefined when as many follow it as may */
  follow(id: string, listener: () => void): (() => void) | undefined;
}

// A person has a few tabs open. Browsers open six connections to a site, so more would block the page itself.
const followersMax = 4;
const none: ReadonlySet<Mailbox> = new Set();

/** Makes an empty collection. @param noticesMax more than this, and the oldest are forgotten */
export function createChallengeNews(noticesMax = 10_000): ChallengeNews {
  const notices = new Map<string, MailNotice>();
  const checks = new Map<string, number>();
  const delays = new Map<string, Set<Mailbox>>();
  const followers = new Map<string, Set<() => void>>();

  const changed = (id: string) => {
    for (const listener of followers.get(id) ?? []) listener();
  };
  const count = (id: string, by: 1 | -1) => {
    const checking = (checks.get(id) ?? 0) + by;
    if (checking === 0) checks.delete(id);
    else checks.set(id, checking);
    changed(id);
  };

  return {
    get: (id) => ({ notice: notices.get(id), checking: checks.has(id), delayed: delays.get(id) ?? none }),
    put(id, notice) {
      notices.delete(id);
      if (notice !== undefined) notices.set(id, notice);
      const oldest = notices.size > noticesMax ? notices.keys().next().value : undefined;
      if (oldest !== undefined) notices.delete(oldest);
      changed(id);
    },
    checking(id) {
      count(id, 1);
      let ends = () => count(id, -1);
      return () => {
        ends();
        ends = () => {};
      };
    },
    delayed(id, mailbox, is) {
      const waiting = new Set(delays.get(id));
      if (is) waiting.add(mailbox);
      else waiting.delete(mailbox);
      if (waiting.size > 0) delays.set(id, waiting);
      else delays.delete(id);
      changed(id);
    },
    changed,
    follow(id, listener) {
      const all = followers.get(id) ?? new Set();
      if (all.size >= followersMax) return undefined;
      followers.set(id, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0 && followers.get(id) === all) followers.delete(id);
      };
    },
  };
}

/** A store that tells when a record was changed, once the change is on disk. */
export function announceChanges(store: ChallengeStore, changed: (id: string) => void): ChallengeStore {
  return {
    read: (id, now) => store.read(id, now),
    async transact(id, now, decide) {
      let writes = false;
      const result = await store.transact(id, now, (current) => {
        const decision = decide(current);
        writes = decision.next !== undefined && decision.next !== current;
        return decision;
      });
      if (writes) changed(id);
      return result;
    },
    withQueued: (now) => store.withQueued(now),
    sweep: (now) => store.sweep(now),
    close: () => store.close(),
  };
}
