// Whether the time of an answer tells which of two questions it was. The statistics, and why they are these:
//
// - Both kinds are asked in turns, in pairs whose order a seeded generator throws for: whatever else the machine does, and
//   whatever warms up or drifts, falls on both alike. The first pairs are not counted.
// - Times have a long tail on one side (other processes, garbage collection), so means and variances say little. What is
//   compared is ranks and medians, which a few slow answers do not move.
// - A is the probability that an answer of one kind takes longer than one of the other (Mann-Whitney's U / n^2; 0.5: nothing
//   to be seen). With 1,000 of each, chance alone has a standard deviation of sqrt(2001 / 12,000,000) = 0.013, so 0.1 is
//   more than seven of them: not once in 10^13 runs. Half a millisecond where an answer takes one gives A above 0.8.
// - Ranks alone would find a microsecond when the machine is quiet enough. Nobody sees that from outside, so the medians
//   must differ as well, by more than 5 % and more than 0.1 ms.
// - What is slow by accident is not slow each time: only who differs three times in a row differs.

import assert from 'node:assert/strict';

export type TimedRequest = (round: number) => Promise<unknown>;

interface Comparison {
  /** Milliseconds. */
  readonly medians: readonly [one: number, other: number];
  /** A, from 0 to 1. */
  readonly superiority: number;
}

const requestsEach = 1_000;
const warmUp = 100;
const superiorityMax = 0.1;
const triesMax = 3;

/**
 * Asserts that two kinds of request cannot be told apart by their time.
 * @param one asks and takes the whole answer; `round` counts from 0 without end and is the same for both of a pair
 */
export async function sameTiming(one: TimedRequest, other: TimedRequest): Promise<void> {
  const seen: string[] = [];
  let round = 0;
  while (seen.length < triesMax) {
    const measured = await measure(one, other, round);
    round += warmUp + requestsEach;
    if (!differs(measured)) return;
    const [first, second] = measured.medians.map((ms) => ms.toFixed(3));
    seen.push(`medians ${first} and ${second} ms, A = ${measured.superiority.toFixed(2)}`);
  }
  assert.fail(`the time tells which one it was: ${seen.join('; ')}`);
}

/** Asks 1,000 times each. @param from the first round */
export async function measure(one: TimedRequest, other: TimedRequest, from = 0): Promise<Comparison> {
  const times: [one: number[], other: number[]] = [[], []];
  const timed = async (which: 0 | 1, round: number) => {
    const startedAt = performance.now();
    await (which === 0 ? one : other)(round);
    const ms = performance.now() - startedAt;
    if (round >= from + warmUp) times[which].push(ms);
  };
  let state = 20_261_120;
  for (let round = from; round < from + warmUp + requestsEach; round += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // its high bits are good enough to throw a coin
    const first = state >>> 31 === 0 ? 0 : 1;
    await timed(first, round);
    await timed(first === 0 ? 1 : 0, round);
  }
  return compare(...times);
}

/** Compares two samples of times. */
export function compare(one: readonly number[], other: readonly number[]): Comparison {
  return { medians: [median(one), median(other)], superiority: superiorityOf(one, other) };
}

export function differs({ medians: [one, other], superiority }: Comparison): boolean {
  const visible = Math.max(0.1, 0.05 * Math.min(one, other));
  return Math.abs(one - other) > visible && Math.abs(superiority - 0.5) > superiorityMax;
}

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? 0;
}

/** How often, of all pairs, the first is the longer one; an equal pair counts half. */
function superiorityOf(one: readonly number[], other: readonly number[]): number {
  const sorted = other.toSorted((a, b) => a - b);
  const below = (time: number, orEqual: boolean) => {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const at = sorted[middle] ?? 0;
      if (at < time || (orEqual && at === time)) from = middle + 1;
      else to = middle;
    }
    return from;
  };
  const longer = one.reduce((sum, time) => sum + (below(time, false) + below(time, true)) / 2, 0);
  return longer / (one.length * other.length);
}
