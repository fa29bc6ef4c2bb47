// A few rounds of `npm run crash`: the service is killed at random moments under load, and keeps what it promised.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCrashRounds, troubles } from '../crash/rounds.ts';

for (const trouble of troubles) {
  test(`killed under load, every message that got 250 leads to one code that works (trouble: ${trouble})`, async () => {
    const { acceptedAtOnce, acceptedLater, redeemed } = await runCrashRounds(2, trouble, 20_260_115);
    assert.ok(redeemed > 0 && redeemed === acceptedAtOnce + acceptedLater);
  });
}
