// Sliding windows: how long somebody waits, at the edges of every window, and that forgetting changes no answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type RateLimit, rateWaitMs, recentTimes } from '../../src/core/rate-policy.ts';
import { deepFreeze, runs, table } from '../support/core-table.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = Date.UTC(2030, 0, 1, 10);
const perMinute: RateLimit = { max: 1, windowMs: minute };
const perHour: RateLimit = { max: 5, windowMs: hour };
const perDay: RateLimit = { max: 12, windowMs: 24 * hour };
const limits = deepFreeze([perMinute, perHour, perDay]);

/** Times so many milliseconds before now, oldest first. */
const ago = (...ms: readonly number[]) => ms.map((one) => now - one);

type Case = { readonly times: readonly number[]; readonly under?: readonly RateLimit[] };
const wait = ({ times, under = limits }: Case) => rateWaitMs(deepFreeze(times), under, now);

table('the wait', wait, [
  ['for the first one', { times: [] }, 0],
  ['right after one', { times: ago(0) }, minute],
  ['a millisecond after one', { times: ago(1) }, minute - 1],
  ['a millisecond before the window ends', { times: ago(minute - 1) }, 1],
  ['when the window ends', { times: ago(minute) }, 0],
  ['four in the hour', { times: ago(40 * minute, 30 * minute, 20 * minute, 10 * minute) }, 0],
  ['five in the hour', { times: ago(50 * minute, 40 * minute, 30 * minute, 20 * minute, 10 * minute) }, 10 * minute],
  [
    'five in the hour, the first a moment too old',
    { times: ago(hour, 40 * minute, 30 * minute, 20 * minute, 10 * minute) },
    0,
  ],
  ['the longest of several counts', { times: ago(59 * minute, 4000, 3000, 2000, 1000) }, minute],
  [
    'only the last ones of many count',
    { times: ago(...Array.from({ length: 30 }, (_, n) => (60 - n) * minute)), under: [perHour] },
    25 * minute,
  ],
  ['two allowed, one there', { times: ago(1), under: [{ max: 2, windowMs: minute }] }, 0],
  ['two allowed, two there', { times: ago(2, 1), under: [{ max: 2, windowMs: minute }] }, minute - 2],
  ['no limits', { times: ago(1, 0), under: [] }, 0],
  ['a clock that went back', { times: [now + hour] }, hour + minute],
]);

table('what is remembered', (times: readonly number[]) => recentTimes(deepFreeze(times), limits, now), [
  ['nothing', [], []],
  ['what is a day old is gone', ago(24 * hour), []],
  ['a millisecond less is there', ago(24 * hour - 1), ago(24 * hour - 1)],
  ['old ones go, young ones stay in order', ago(48 * hour, 25 * hour, hour, 0), ago(hour, 0)],
  ['what is said to happen later is forgotten: the clock was set back', [now + 1], []],
  ['what is there already is not', [...ago(1), now + hour], ago(1)],
]);

const someTimes = fc
  .array(fc.nat(30 * hour), { maxLength: 40 })
  .map((all) => all.toSorted((one, other) => other - one).map((ms) => now - ms));
const someLimits = fc.array(
  fc.record({ max: fc.integer({ min: 1, max: 6 }), windowMs: fc.integer({ min: 1, max: 24 * hour }) }),
  {
    minLength: 1,
    maxLength: 3,
  },
);

test('whoever waits as long as told may go on, and not a millisecond sooner', () => {
  const within = (times: readonly number[], { windowMs }: RateLimit, at: number) =>
    times.filter((time) => time > at - windowMs).length;
  fc.assert(
    fc.property(someTimes, someLimits, (times, under) => {
      const at = now + rateWaitMs(times, under, now);
      assert.ok(under.every((limit) => within(times, limit, at) < limit.max));
      if (at > now) assert.ok(under.some((limit) => within(times, limit, at - 1) >= limit.max));
    }),
    runs(500),
  );
});

test('forgetting what is old changes no answer', () => {
  fc.assert(
    fc.property(someTimes, someLimits, (times, under) => {
      assert.equal(rateWaitMs(recentTimes(times, under, now), under, now), rateWaitMs(times, under, now));
    }),
    runs(500),
  );
});
