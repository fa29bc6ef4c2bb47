// What all messages share: answers that are still fresh, questions under way, and how many may be under way at once.
// Keyed by name and type of the question alone, and only what was asked for is kept: nobody answers for another name.

import { type DnsAnswer, timedOut } from './dns-answer.ts';

/** A question, asked for any message. Never rejects. */
export type Ask = (name: string, type: string) => Promise<DnsAnswer>;

/** The same, or the answer at once when it is known. */
export type AskShared = (name: string, type: string) => DnsAnswer | Promise<DnsAnswer>;

export interface SharingLimits {
  readonly parallelMax: number;
  readonly queryTimeoutMs: number;
  /** Node does not tell the TTL of a TXT, so one life for all. A TTL of 0 lives as long: it is short. */
  readonly recordsKeptMs: number;
  /** Shorter: who has just published a missing record tries again soon. */
  readonly noKeptMs: number;
  readonly entriesMax: number;
  readonly keptOctetsMax: number;
}

interface Kept {
  readonly answer: DnsAnswer;
  readonly octets: number;
  readonly since: number;
  readonly until: number;
}

const entryOctets = 300; // of our own, about: key, entry, place in the map

/** Shares answers and questions. @param ask takes a question to the servers */
export function shareAnswers(ask: Ask, limits: SharingLimits, now: () => number): AskShared {
  const kept = keepAnswers(limits, now);
  const underWay = new Map<string, Promise<DnsAnswer>>();
  const inTurn = limitParallel(limits.parallelMax);
  return (name, type) => {
    const key = `${type} ${name}`;
    const known = kept.find(key);
    if (known !== undefined) return known;
    const same = underWay.get(key);
    if (same !== undefined) return same;
    const queuedAt = now();
    // After so long in the queue nobody waits any more: after a flood it must not keep the servers busy.
    const take = () => (now() - queuedAt > limits.queryTimeoutMs ? Promise.resolve(timedOut) : ask(name, type));
    const answer = inTurn(take).then((found) => {
      underWay.delete(key);
      kept.keep(key, found);
      return found;
    });
    underWay.set(key, answer);
    return answer;
  };
}

function keepAnswers(limits: SharingLimits, now: () => number) {
  const entries = new Map<string, Kept>(); // oldest first
  let octets = 0;

  function drop(key: string): void {
    octets -= entries.get(key)?.octets ?? 0;
    entries.delete(key);
  }

  return {
    find(key: string): DnsAnswer | undefined {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      const at = now();
      if (at >= entry.since && at < entry.until) return entry.answer; // a clock set back makes nothing live longer
      drop(key);
      return undefined;
    },
    keep(key: string, answer: DnsAnswer): void {
      drop(key);
      if (answer.kind === 'failed') return; // trouble is asked about again
      const since = now();
      const until = since + (answer.kind === 'none' ? limits.noKeptMs : limits.recordsKeptMs);
      const entry = { answer, since, until, octets: entryOctets + (answer.kind === 'none' ? 0 : answer.octets) };
      if (entry.octets > limits.keptOctetsMax) return;
      for (const oldest of entries.keys()) {
        if (entries.size < limits.entriesMax && octets + entry.octets <= limits.keptOctetsMax) break;
        drop(oldest);
      }
      entries.set(key, entry);
      octets += entry.octets;
    },
  };
}

/** Lets so many tasks run at once; the others wait, first come, first served. */
export function limitParallel(max: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running < max) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift(); // takes over the place
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
