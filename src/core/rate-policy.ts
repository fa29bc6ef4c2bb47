// How often is too often: a log of recent times and a list of limits in, yes or a wait out (DESIGN "Numbers").
// Sliding windows over plain numbers; who is counted, and where the log is kept, is the caller's business.

/** At most `max` times in any `windowMs`. */
export interface RateLimit {
  readonly max: number;
  readonly windowMs: number;
}

/**
 * Tells how long somebody has to wait.
 * @param times  when it happened before, milliseconds since the epoch, ascending
 * @param limits all of them hold
 * @param now    milliseconds since the epoch
 * @returns 0 when it may happen now, else milliseconds until it may
 */
export function rateWaitMs(times: readonly number[], limits: readonly RateLimit[], now: number): number {
  const waits = limits.map(({ max, windowMs }) => {
    const oldestThatCounts = times.at(-max);
    return oldestThatCounts === undefined ? 0 : oldestThatCounts + windowMs - now;
  });
  return Math.max(0, ...waits);
}

/** Forgets what no limit looks at any more; the same array when there is nothing to forget. */
export function recentTimes(times: readonly number[], limits: readonly RateLimit[], now: number): readonly number[] {
  const longest = Math.max(...limits.map(({ windowMs }) => windowMs));
  // A clock that was set back has left times to come: nobody waits for those.
  const counts = (time: number | undefined) => time === undefined || (time > now - longest && time <= now);
  return counts(times[0]) && counts(times.at(-1)) ? times : times.filter(counts);
}
