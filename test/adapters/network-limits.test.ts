// How much a network may ask for: exactly so much, told how long to wait, by the clock of the service and in bounded memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createNetworkLimits } from '../../src/adapters/limits/network-limits.ts';
import { collectLog, minuteMs } from '../app/support.ts';
import { TestClock } from '../support/clock.ts';

const amy = '192.0.2.1';
const rory = '192.0.2.2';
const second = 1000;

/** Limits of three pages, two forms and one message; 20 seconds of the minute have gone. */
function start() {
  const clock = new TestClock(Date.UTC(2026, 0, 15, 9, 30, 20));
  const log = collectLog();
  const limits = createNetworkLimits({ clock, log }, { page: 3, piece: 1, form: 2, message: 1 });
  const pages = async (address: string, count: number) => {
    const waits: number[] = [];
    for (let page = 0; page < count; page += 1) waits.push(await limits.take('page', address));
    return waits;
  };
  return { clock, log, limits, pages };
}

test('as many as the limit says, then one has to wait for the next minute, and exactly so long', async () => {
  const { clock, pages } = start();
  assert.deepEqual(await pages(amy, 5), [0, 0, 0, 40 * second, 40 * second]);
  clock.advance(39 * second);
  assert.deepEqual(await pages(amy, 1), [second]);
  clock.advance(second - 1);
  assert.deepEqual(await pages(amy, 1), [1]);
  clock.advance(1);
  assert.deepEqual(await pages(amy, 4), [0, 0, 0, minuteMs], 'who was refused has lost nothing');
});

test('other networks are not affected, and a customer is one network', async () => {
  const { pages } = start();
  await pages(amy, 4);
  assert.deepEqual(await pages(`::ffff:${amy}`, 1), [40 * second]);
  assert.deepEqual(await pages(rory, 1), [0]);
  await pages('2001:db8:1:2::1', 3);
  assert.deepEqual(await pages('2001:db8:1:2:ffff::2', 1), [40 * second], 'the same /64');
  assert.deepEqual(await pages('2001:db8:1:3::1', 1), [0], 'another /64');
});

test('pages, forms, messages and pieces are counted by themselves', async () => {
  const { limits, pages } = start();
  await pages(amy, 4);
  const waits = [];
  for (const asked of ['form', 'form', 'form', 'message', 'message', 'piece'] as const) {
    waits.push(await limits.take(asked, amy));
  }
  assert.deepEqual(waits, [0, 0, 40 * second, 0, 40 * second, 0]);
});

test('of many at once no more than the limit pass', async () => {
  const { limits } = start();
  const waits = await Promise.all(Array.from({ length: 50 }, () => limits.take('page', amy)));
  assert.equal(waits.filter((waitMs) => waitMs === 0).length, 3);
});

test('a clock that is set back, or jumps, lets nobody wait for more than a minute', async () => {
  const { clock, pages } = start();
  await pages(amy, 4);
  clock.advance(-24 * 60 * minuteMs);
  assert.deepEqual(await pages(amy, 4), [0, 0, 0, 40 * second]);
  clock.advance(365 * 24 * 60 * minuteMs);
  assert.deepEqual(await pages(amy, 4), [0, 0, 0, 40 * second]);
});

test('the log has one event per network and minute, however often it asks', async () => {
  const { clock, log, pages } = start();
  const fields = (network: string) => ({ outcome: 'refused', asked: 'page', network });
  await pages(amy, 3);
  assert.equal(log.events.length, 0);
  await pages(amy, 50);
  await pages('2001:db8::1', 50);
  const before = [amy, '2001:db8:0:0::/64'];
  assert.deepEqual(
    log.events.map((each) => each.fields),
    before.map(fields),
  );
  clock.advance(minuteMs);
  await pages(amy, 50);
  assert.deepEqual(
    log.events.map((each) => each.fields),
    [...before, amy].map(fields),
  );
});

test('a flood of networks fills no memory, and leaves no timer', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed / 2 ** 20;
  };
  const { limits } = start();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = { megabytes: used(), timers: timers() };
  let most = 0;
  for (let network = 0; network < 150_000; network += 1) {
    await limits.take('page', `2001:db8:${(network >> 16).toString(16)}:${(network & 0xffff).toString(16)}::1`);
    if (network % 50_000 === 49_999) most = Math.max(most, used() - before.megabytes);
  }
  assert.ok(most < 40, `${most} MB`);
  assert.ok(timers() <= before.timers);
  assert.equal(await limits.take('page', amy), 0);
});
