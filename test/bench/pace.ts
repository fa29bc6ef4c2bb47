// Open loop: work begins when it is due, whatever became of the work before. A client that waits for its answers goes
// easy on a server that stalls, and then measures the stall once instead of for everybody whom it kept waiting.

/** How fast, how long, and how long until it is as fast as that: nobody meets all visitors in the first second. */
export interface Pace {
  readonly perSecond: number;
  readonly rampSeconds: number;
  /** Ramp included. */
  readonly seconds: number;
}

/** How many come in that time. */
export function countOf({ perSecond, rampSeconds, seconds }: Pace): number {
  return Math.floor(perSecond * (seconds - rampSeconds / 2));
}

/** When one of them is due, in seconds after the start. */
function dueSeconds({ perSecond, rampSeconds }: Pace, index: number): number {
  const inRamp = (perSecond * rampSeconds) / 2;
  return index < inRamp ? Math.sqrt((2 * rampSeconds * index) / perSecond) : index / perSecond + rampSeconds / 2;
}

/**
 * Begins work at equal distances, as far as timers of a millisecond allow.
 * @param begin gets the number of the work, from 0, and when it was due, in `performance.now()`
 * @returns when the last has begun
 */
export function keepPace(pace: Pace, begin: (index: number, dueAt: number) => void): Promise<void> {
  const startedAt = performance.now();
  const count = countOf(pace);
  let index = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      for (; index < count; index++) {
        const dueAt = startedAt + dueSeconds(pace, index) * 1000;
        if (dueAt > performance.now()) return;
        begin(index, dueAt);
      }
      clearInterval(timer);
      resolve();
    }, 1);
  });
}

/** @param share 0.99 for the 99th percentile, 1 for the largest */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
