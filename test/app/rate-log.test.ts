// Places under a limit: taken before the work, given back when nothing came of it, and not remembered without end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLog } from '../../src/app/rate-log.ts';
import { hourMs, minuteMs } from './support.ts';

const perMinute = (max: number) => ({ max, windowMs: minuteMs });
const now = Date.UTC(2026, 0, 15, 9, 30);

test('there are as many places as the limit says, then one has to wait for the oldest', () => {
  const log = createRateLog([perMinute(2)]);
  const cases: [number, number][] = [
    [0, 0],
    [10_000, 0],
    [20_000, 40_000],
    [59_999, 1],
    [60_000, 0],
    [60_000, 10_000],
    [70_000, 0],
  ];
  for (const [at, waitMs] of cases) assert.equal(log.take('amy', now + at).waitMs, waitMs, `${at}`);
});

test('all limits hold, and the longest wait counts', () => {
  const log = createRateLog([perMinute(1), { max: 3, windowMs: hourMs }]);
  const waits = [0, 30, 60, 120, 180, 3599, 3600].map((at) => log.take('amy', now + at * 1000).waitMs);
  assert.deepEqual(waits, [0, 30_000, 0, 0, 3_420_000, 1000, 0]);
});

test('every key has its own places', () => {
  const log = createRateLog([perMinute(1)]);
  for (const key of ['amy', 'rory', 'Amy', '', '__proto__']) assert.equal(log.take(key, now).waitMs, 0, key);
  for (const key of ['amy', '', '__proto__']) assert.equal(log.take(key, now).waitMs, minuteMs, key);
});

test('who waits takes no place, however often he asks', () => {
  const log = createRateLog([perMinute(1)]);
  log.take('amy', now);
  for (let second = 1; second < 60; second += 1) assert.ok(log.take('amy', now + second * 1000).waitMs > 0);
  assert.equal(log.take('amy', now + minuteMs).waitMs, 0);
});

test('a place that is given back is free again', () => {
  const log = createRateLog([perMinute(1)]);
  log.take('amy', now).giveBack();
  assert.equal(log.take('amy', now).waitMs, 0);
  assert.equal(log.take('amy', now).waitMs, minuteMs);
});

test('giving back what was not got frees nothing', () => {
  const log = createRateLog([perMinute(1)]);
  log.take('amy', now);
  log.take('amy', now).giveBack();
  log.take('rory', now).giveBack();
  assert.equal(log.take('amy', now).waitMs, minuteMs);
});

test('a place is given back alone: the others stay taken', () => {
  const log = createRateLog([perMinute(3)]);
  const [first, second] = [log.take('amy', now), log.take('amy', now + 1000), log.take('amy', now + 2000)];
  second?.giveBack();
  assert.equal(log.take('amy', now + 3000).waitMs, 0, 'the one that was given back');
  assert.equal(log.take('amy', now + 3000).waitMs, minuteMs - 3000, 'the oldest is still the first');
  first?.giveBack();
  assert.equal(log.take('amy', now + 3000).waitMs, 0);
  assert.equal(log.take('amy', now + 3000).waitMs, minuteMs - 1000, 'and then the third');
});

test('a place that is given back late changes nothing for those after it', () => {
  const log = createRateLog([perMinute(1)]);
  const old = log.take('amy', now);
  assert.equal(log.take('amy', now + minuteMs).waitMs, 0);
  old.giveBack();
  assert.equal(log.take('amy', now + minuteMs).waitMs, minuteMs);
});

test('in a race no more get a place than there are', () => {
  const log = createRateLog([perMinute(5), { max: 8, windowMs: hourMs }]);
  const places = Array.from({ length: 100 }, () => log.take('amy', now));
  assert.equal(places.filter(({ waitMs }) => waitMs === 0).length, 5);
  for (const place of places) place.giveBack();
  const again = Array.from({ length: 100 }, () => log.take('amy', now + 1));
  assert.equal(again.filter(({ waitMs }) => waitMs === 0).length, 5, 'all were given back, and no more');
});

test('fifty thousand keys are remembered, then the one seen longest ago is forgotten', () => {
  const log = createRateLog([perMinute(1)]);
  const fill = (from: number, to: number) => {
    for (let number = from; number < to; number += 1) log.take(`key ${number}`, now);
  };
  log.take('amy', now);
  log.take('rory', now);
  fill(0, 49_998);
  assert.equal(log.take('amy', now).waitMs, minuteMs, 'seen again: now rory is the oldest');
  fill(49_998, 49_999);
  assert.equal(log.take('amy', now).waitMs, minuteMs);
  assert.equal(log.take('rory', now).waitMs, 0, 'forgotten');
  assert.equal(log.take('key 1', now).waitMs, minuteMs);
});

test('a key without places takes no room', () => {
  const log = createRateLog([perMinute(1)]);
  log.take('amy', now);
  for (let number = 0; number < 60_000; number += 1) log.take(`key ${number}`, now).giveBack();
  assert.equal(log.take('amy', now).waitMs, minuteMs);
});
