// A clock for tests. It moves only when it is told to, and nothing waits for the wall.

import type { Clock } from '../../src/app/ports.ts';

/** A clock that moves only when it is told to; what is due then runs, in order. */
export class TestClock implements Clock {
  #now: number;
  #due: { at: number; task: () => void }[] = [];

  /** @param now milliseconds since the epoch; the real time where DKIM signatures are made and checked */
  constructor(now = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#now + ms, task };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }

  /** Times at which something is waiting to run, from now. */
  get waiting(): readonly number[] {
    return this.#due.map(({ at }) => at - this.#now).toSorted((one, other) => one - other);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).toSorted((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
  }
}
