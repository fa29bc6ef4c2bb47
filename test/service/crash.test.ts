// A few rounds of `npm run crash`: the service is killed at random moments under load, while its relay says "later", its disk
// does not write and its clock jumps, and keeps what it promised.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCrashRounds, troubles } from '../crash/rounds.ts';

test('killed under load and in trouble, every message that got 250 leads to one code that works', async () => {
  const { acceptedAtOnce, acceptedLater, redeemed } = await runCrashRounds(3, troubles, 20_260_115);
  assert.ok(redeemed > 0 && redeemed === acceptedAtOnce + acceptedLater);
});
