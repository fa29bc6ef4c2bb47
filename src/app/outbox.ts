// What waits to be handed to the relay, replies and notices alike: in turn and a few at once, and after a temporary failure
// again with growing pauses. While the relay is away one try at a time asks whether it is back, and nobody else tries. The
// queue itself is in the stores, so a crash loses nothing; here is only when to look at it.

import type { Clock, Log, LogFields, Secrets, SendResult } from './ports.ts';

/**
 * What came of a try. `over`: there was nothing to send any more; `again`: not taken; `away`: the relay takes nothing at
 * present, whatever it is.
 */
export type Tried = 'done' | 'over' | 'again' | 'away';

/** Something to hand over. */
export interface Errand {
  /** One of the same key is the same errand. */
  readonly key: string;
  /** For the log. */
  readonly event: 'reply' | 'notice';
  readonly fields?: LogFields;
  /** Looks at the store and hands over. What it throws is trouble of ours: another time. @param tries with this one */
  attempt(tries: number): Promise<Tried>;
  /** It was not taken, or cannot be tried, and has to wait; or that is over. */
  delayed?(is: boolean): void;
}

const pausesMs = [5_000, 15_000, 60_000, 300_000];
const jitter = 0.2;
const askAgainMs = 5_000;
// Many times the connections to the relay: those shall be busy while all others wait for the disk.
const atOnceMax = 60;

interface Entry {
  readonly errand: Errand;
  tries: number;
  state: 'in-line' | 'under-way' | 'pausing';
  /** While under way: look once more. */
  again: boolean;
  delayed: boolean;
  endPause: () => void;
}

const nothing = () => {};

type Ports = { readonly secrets: Pick<Secrets, 'randomBytes'>; readonly clock: Clock; readonly log: Log };

/** Nothing is in it at first. */
export class Outbox {
  readonly #ports: Ports;
  readonly #entries = new Map<string, Entry>();
  readonly #line = new Set<Entry>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #relay: ReturnType<typeof watchRelay>;
  #stopped = false;

  constructor(ports: Ports) {
    this.#ports = ports;
    this.#relay = watchRelay(ports.clock, () => this.#next());
  }

  /**
   * Runs the errand as soon as it is its turn, in place of any pause of its own: the relay may be back. One that is under
   * way is looked at once more when it ends.
   * @param inMs or after so long, in place of any other time that was named for it
   */
  add(errand: Errand, inMs?: number): void {
    if (this.#stopped) return;
    const fresh: Entry = { errand, tries: 0, state: 'pausing', again: false, delayed: false, endPause: nothing };
    const entry = this.#entries.get(errand.key) ?? fresh;
    this.#entries.set(errand.key, entry);
    if (entry.state === 'under-way') {
      entry.again = true;
      return;
    }
    entry.endPause();
    entry.tries = 0;
    if (inMs === undefined) this.#standInLine(entry);
    else this.#pause(entry, inMs);
  }

  /** How many are being handed over, or wait. */
  waiting(event: Errand['event']): number {
    return [...this.#entries.values()].filter(({ errand }) => errand.event === event).length;
  }

  /** Ends the waiting and lets what is under way finish. What is left stays in the stores. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#relay.stop();
    for (const { endPause } of this.#entries.values()) endPause();
    await Promise.all(this.#underWay);
  }

  #standInLine(entry: Entry): void {
    entry.state = 'in-line';
    this.#line.add(entry);
    this.#next();
    if (this.#relay.isAway() && this.#line.has(entry) && !entry.delayed) tellDelayed(entry, true);
  }

  #pause(entry: Entry, ms: number): void {
    this.#line.delete(entry);
    entry.state = 'pausing';
    entry.endPause = this.#ports.clock.after(ms, () => this.#standInLine(entry));
  }

  #next(): void {
    for (const entry of this.#line) {
      if (this.#stopped || this.#underWay.size >= this.#relay.places()) return;
      this.#line.delete(entry);
      this.#run(entry);
    }
  }

  #run(entry: Entry): void {
    Object.assign(entry, { state: 'under-way', again: false, tries: entry.tries + 1 } satisfies Partial<Entry>);
    const { errand, tries } = entry;
    const attempt = errand.attempt(tries).catch((error: unknown) => {
      this.#ports.log.warn(errand.event, { outcome: 'temporary', ...errand.fields, tries }, error);
      return 'trouble' as const;
    });
    const work = attempt.then((tried) => {
      this.#underWay.delete(work);
      if (!this.#stopped) this.#ended(entry, tried);
    });
    this.#underWay.add(work);
  }

  #ended(entry: Entry, tried: Tried | 'trouble'): void {
    if (tried === 'away' && this.#relay.failed()) this.#goneAway();
    if ((tried === 'done' || tried === 'again') && this.#relay.isAway()) this.#backAgain();
    if (tried === 'done' || tried === 'over') this.#end(entry, tried);
    else {
      tellDelayed(entry, true);
      this.#pause(entry, pauseMs(entry.tries, this.#ports.secrets));
    }
    this.#next();
  }

  #end(entry: Entry, tried: 'done' | 'over'): void {
    const { errand, again, delayed, tries } = entry;
    // Its time is over.
    if (tried === 'over' && delayed)
      this.#ports.log.warn(errand.event, { outcome: 'given-up', ...errand.fields, tries: tries - 1 });
    this.#entries.delete(errand.key);
    tellDelayed(entry, false);
    if (again) this.add(errand);
  }

  #goneAway(): void {
    this.#ports.log.warn('relay', { outcome: 'away', waiting: this.#entries.size });
    for (const entry of this.#line) tellDelayed(entry, true);
  }

  #backAgain(): void {
    this.#ports.log.info('relay', { outcome: 'back', waiting: this.#entries.size });
    if (!this.#relay.answered()) return;
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'pausing' || entry.tries === 0) continue;
      entry.endPause();
      entry.state = 'in-line';
      this.#line.add(entry);
    }
  }
}

function tellDelayed(entry: Entry, is: boolean): void {
  if (is || entry.delayed) entry.errand.delayed?.(is);
  entry.delayed = is;
}

function pauseMs(tries: number, secrets: Ports['secrets']): number {
  const random = (secrets.randomBytes(1)[0] ?? 0) / 255;
  return (pausesMs[Math.min(tries, pausesMs.length) - 1] ?? 0) * (1 - jitter + 2 * jitter * random);
}

/** Whether the relay takes anything, as far as the tries tell. @param ask called when somebody may ask it again */
function watchRelay(clock: Clock, ask: () => void) {
  /** Failures in a row, and whether nobody asks yet. By a timer and not by the time: a clock that is set back must not prolong it. */
  let away: { readonly failures: number; isPausing: boolean; endPause: () => void } | undefined;
  return {
    isAway: () => away !== undefined,
    /** How many may try at once. */
    places: () => (away === undefined ? atOnceMax : away.isPausing ? 0 : 1),
    /** @returns whether that is news. Tries that began before the first failure and end after it say nothing more */
    failed(): boolean {
      if (away?.isPausing) return false;
      const now = { failures: (away?.failures ?? 0) + 1, isPausing: true, endPause: nothing };
      now.endPause = clock.after(askAgainMs, () => {
        now.isPausing = false;
        ask();
      });
      away = now;
      return now.failures === 1;
    },
    /**
     * @returns whether those who pause should all try now. After a single failure they should not: it may have been the
     *          fault of that one mail, which must not stop all others as often as it likes
     */
    answered(): boolean {
      const failures = away?.failures ?? 0;
      away?.endPause();
      away = undefined;
      return failures > 1;
    },
    stop: () => away?.endPause(),
  };
}

/** Logs what the relay said to a try. */
export function logTry(log: Log, event: Errand['event'], result: SendResult, fields: LogFields): void {
  if (result.kind === 'handed-over') log.info(event, { outcome: result.kind, ...fields });
  else log.warn(event, { outcome: result.kind, detail: result.detail, ...fields });
}
