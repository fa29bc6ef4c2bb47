// Whether two kinds of requests take the same time, told by their ranks: the chance that one of the first kind took longer
// than one of the second (Mann and Whitney). Half and half when time tells nothing; outliers of a busy machine count no more
// than others. With n of each kind that do not differ, the share scatters around 1/2 with a standard deviation of
// sqrt((2n + 1) / 12) / n: 0.013 for 1,000 each.

import assert from 'node:assert/strict';

/** The share of all pairs in which the first took longer; a tie counts half. */
export function shareLonger(first: readonly number[], second: readonly number[]): number {
  const all = [...first.map((ms) => ({ ms, own: 1 })), ...second.map((ms) => ({ ms, own: 0 }))];
  all.sort((one, other) => one.ms - other.ms);
  let ranks = 0;
  for (let begin = 0; begin < all.length; ) {
    let end = begin;
    while (end < all.length && all[end]?.ms === all[begin]?.ms) end += 1;
    const own = all.slice(begin, end).reduce((sum, each) => sum + each.own, 0);
    ranks += (own * (begin + 1 + end)) / 2; // those that are equal share the mean of their ranks
    begin = end;
  }
  return (ranks - (first.length * (first.length + 1)) / 2) / (first.length * second.length);
}

/** Asserts that time does not tell the two kinds apart: four standard deviations, one false alarm in 15,000 runs. */
export function sameTiming(what: string, first: readonly number[], second: readonly number[]): void {
  const n = Math.min(first.length, second.length);
  const bound = (4 * Math.sqrt((2 * n + 1) / 12)) / n;
  const share = shareLonger(first, second);
  const median = (all: readonly number[]) => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0;
  const medians = `medians ${median(first).toFixed(3)} and ${median(second).toFixed(3)} ms`;
  assert.ok(Math.abs(share - 0.5) < bound, `${what}: ${share.toFixed(4)} is not 0.5 ± ${bound.toFixed(4)}, ${medians}`);
}
