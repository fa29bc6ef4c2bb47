// A clock for tests. It moves only when it is told to, and nothing waits for the wall.

import { KitClock } from '../../src/testkit/clock.ts';

/** A clock that moves only when it is told to; what is due then runs, in order. */
export class TestClock extends KitClock {
  /** @param now milliseconds since the epoch; the real time where DKIM signatures are made and checked */
  constructor(now = Date.now()) {
    super({ startAt: now, goes: false });
  }
}
