// When records are swept. What a sweep drops is the store's business: contract/challenge-store.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { startSweeping } from '../../src/app/sweep-expired.ts';
import { TestClock } from '../support/clock.ts';

const log = { info() {}, warn() {}, error() {} };

test('at the start and once a minute, also after one that failed, until it is ended', async () => {
  const clock = new TestClock(0);
  const swept: number[] = [];
  const warned: unknown[] = [];
  const sweep = async (now: number) => {
    swept.push(now);
    if (swept.length === 2) throw new Error('full');
  };
  const end = startSweeping({ store: { sweep }, clock, log: { ...log, warn: (...said) => void warned.push(said[0]) } });
  for (const _ of [1, 2, 3]) {
    await nextTurn();
    clock.advance(60_000);
  }
  end();
  clock.advance(600_000);
  await nextTurn();
  assert.deepEqual(swept, [0, 60_000, 120_000, 180_000]);
  assert.deepEqual(warned, ['sweep']);
});

test('one that takes an hour is followed by one, with the time that it is by then; the end waits for none', async () => {
  const clock = new TestClock(0);
  const swept: number[] = [];
  let done = () => {};
  const sweep = (now: number) =>
    new Promise<void>((resolve) => {
      swept.push(now);
      done = resolve;
    });
  const end = startSweeping({ store: { sweep }, clock, log });
  clock.advance(3_600_000);
  done();
  await nextTurn();
  assert.deepEqual(swept, [0, 3_600_000]);
  clock.advance(60_000);
  end();
  done();
  await nextTurn();
  assert.deepEqual(swept, [0, 3_600_000]);
});
