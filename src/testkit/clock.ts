// A clock that a test can put forward: what is due in the time that is skipped runs, in order. Between two such moves it
// goes with the wall, or stands still.

import { inspect } from 'node:util';

/** How far to go. */
export type Duration = {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
  readonly milliseconds?: number;
};

const lengthsMs: Readonly<Record<keyof Duration, number>> = {
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1000,
  milliseconds: 1,
};
// A longer timer of Node's goes off at once.
const timerMsMax = 2 ** 31 - 1;

type Due = { readonly at: number; readonly task: () => void; timer?: NodeJS.Timeout };

/** What the service takes for the time. */
export class KitClock {
  #due: Due[] = [];
  #aheadMs: number;
  /** Undefined: it goes. */
  #standsAt: number | undefined;

  /** @param options.startAt milliseconds since the epoch. DKIM keys and signatures do not mind which. */
  constructor({ startAt = Date.now(), goes = true }: { readonly startAt?: number; readonly goes?: boolean } = {}) {
    if (!Number.isFinite(startAt))
      throw new TypeError('startAt is in milliseconds since the epoch: Date.UTC(2031, 0, 1)');
    this.#aheadMs = startAt - Date.now();
    this.#standsAt = goes ? undefined : startAt;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#standsAt ?? Date.now() + this.#aheadMs;
  }

  /** Runs `task` once after `ms` milliseconds; the result cancels it. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void {
    const due: Due = { at: this.now() + ms, task };
    this.#due.push(due);
    this.#arm(due);
    return () => this.#drop(due);
  }

  /** Times at which something is waiting to run, in milliseconds from now. */
  get waiting(): readonly number[] {
    return this.#due.map(({ at }) => at - this.now()).toSorted((one, other) => one - other);
  }

  /**
   * Puts it forward; what is due on the way has run when this returns, as far as it does not wait for anything else.
   * @param by `{ minutes: 11 }`, or milliseconds; less than nothing puts it back
   * @throws TypeError for anything else
   */
  advance(by: Duration | number): void {
    const end = this.now() + millisecondsOf(by);
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).toSorted((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#drop(next);
      this.#set(Math.max(this.now(), next.at));
      next.task();
    }
    this.#set(end);
    for (const due of this.#due) this.#arm(due);
  }

  #set(now: number): void {
    if (this.#standsAt === undefined) this.#aheadMs = now - Date.now();
    else this.#standsAt = now;
  }

  #drop(due: Due): void {
    clearTimeout(due.timer);
    this.#due = this.#due.filter((other) => other !== due);
  }

  #arm(due: Due): void {
    if (this.#standsAt !== undefined) return;
    clearTimeout(due.timer);
    due.timer = setTimeout(
      () => {
        if (this.now() < due.at) return this.#arm(due);
        this.#drop(due);
        due.task();
      },
      Math.min(due.at - this.now(), timerMsMax),
    ).unref();
  }
}

function millisecondsOf(by: Duration | number): number {
  const given: unknown = by;
  const parts: readonly [string, unknown][] =
    typeof given === 'object' && given !== null ? Object.entries(given) : [['milliseconds', given]];
  const known = (name: string): name is keyof Duration => Object.hasOwn(lengthsMs, name);
  const all = parts.map(([name, count]) => {
    if (!known(name) || typeof count !== 'number' || !Number.isFinite(count)) {
      throw new TypeError(
        `a clock is put forward by numbers of ${Object.keys(lengthsMs).join(', ')}, and not by ${name}: ${inspect(count)}`,
      );
    }
    return count * lengthsMs[name];
  });
  return all.reduce((one, other) => one + other, 0);
}
