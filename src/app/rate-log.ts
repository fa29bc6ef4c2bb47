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
}

// Whoever was seen longest ago is forgotten first. A key costs an attacker an authenticated mail.
const keysMax = 50_000;

/** Makes an empty log for a set of limits that all hold. */
export function createRateLog(limits: readonly RateLimit[]): RateLog {
  const timesByKey = new Map<string, readonly number[]>();
  const put = (key: string, times: readonly number[]) => {
    timesByKey.delete(key);
    if (times.length > 0) timesByKey.set(key, times);
    const oldest = timesByKey.size > keysMax ? timesByKey.keys().next().value : undefined;
    if (oldest !== undefined) timesByKey.delete(oldest);
  };
  return {
    take(key, now) {
      const times = recentTimes(timesByKey.get(key) ?? [], limits, now);
      const waitMs = rateWaitMs(times, limits, now);
      put(key, waitMs === 0 ? [...times, now] : times);
      return {
        waitMs,
        giveBack() {
          if (waitMs > 0) return;
          const current = [...(timesByKey.get(key) ?? [])];
          const at = current.lastIndexOf(now);
          if (at >= 0) current.splice(at, 1);
          put(key, current);
        },
      };
    },
  };
}
