// Remembers, in memory and bounded, when something happened for whom; core/rate-policy.ts says whether it was too often.
// A place is taken before the work and given back when nothing came of it, so that a race cannot pass the limit.

import { type RateLimit, rateWaitMs, recentTimes } from '../core/rate-policy.ts';

/** A place under a limit, or how long to wait for one. */
export interface Place {
  /** 0 when the place was taken, else milliseconds until there is one. */
  readonly waitMs: number;
  /** Undoes the taking; without effect when nothing was taken. */
  giveBack(): void;
}

/** Counts per key. */
export interface RateLog {
  take(key: string, now: number): Place;
  /** What `take` would say, without taking. */
  waitMs(key: string, now: number): number;
}

// Whoever was seen longest ago is forgotten first. A key costs an attacker an authenticated mail.
const keysMax = 50_000;

/** Makes an empty log for a set of limits that all hold. */
export function createRateLog(limits: readonly RateLimit[]): RateLog {
  // Changed in place: the log of a large domain is long, and a copy for each mail would cost more than the mail.
  const timesByKey = new Map<string, number[]>();
  const put = (key: string, times: number[]) => {
    timesByKey.delete(key);
    if (times.length > 0) timesByKey.set(key, times);
    const oldest = timesByKey.size > keysMax ? timesByKey.keys().next().value : undefined;
    if (oldest !== undefined) timesByKey.delete(oldest);
  };
  return {
    waitMs: (key, now) => rateWaitMs(recentTimes(timesByKey.get(key) ?? [], limits, now), limits, now),
    take(key, now) {
      const known = timesByKey.get(key) ?? [];
      const recent = recentTimes(known, limits, now);
      const times = recent === known ? known : [...recent];
      const waitMs = rateWaitMs(times, limits, now);
      if (waitMs === 0) times.push(now);
      put(key, times);
      return {
        waitMs,
        giveBack() {
          const current = timesByKey.get(key) ?? [];
          const at = waitMs > 0 ? -1 : current.lastIndexOf(now);
          if (at < 0) return;
          current.splice(at, 1);
          put(key, current);
        },
      };
    },
  };
}
