// The embedded store: live records in memory, one lowdb file behind them, one process. A change is made at once and
// in one synchronous step; it is told to nobody before it is on disk, and undone when it cannot be written.
// Changes that come while a write is under way share the next one, so a burst costs two writes and not a hundred.

import { setTimeout as delay } from 'node:timers/promises';
import { type Adapter, Low } from 'lowdb';
import type { z } from 'zod';
import { type Decision, DependencyError, type RecordStore } from '../../app/ports.ts';

/** What the store has to know of its records. */
export interface RecordKind<T> {
  /** Reads the whole file, or says that it is damaged. */
  readonly file: z.ZodType<{ readonly version: 1; readonly records: { [id: string]: T } }>;
  /** From then on nobody needs the record. */
  readonly endOfUse: (record: T) => number;
  /** A mail of the record is still to be sent. */
  readonly isQueued: (record: T) => boolean;
  readonly idOf: (record: T) => string;
}

/**
 * Opens the store.
 * @param adapter reads and writes the file; what it reads is checked before it is believed
 * @param place   how an operator finds it, for messages
 * @throws Error with the remedy when the file is damaged
 */
export async function openLowdbStore<T>(
  adapter: Adapter<unknown>,
  place: string,
  kind: RecordKind<T>,
): Promise<RecordStore<T>> {
  const low = new Low<unknown>(adapter, null);
  const damaged = (cause: unknown) =>
    new Error(`${place} is damaged. Move it away to start with an empty one: open pages must start again.`, { cause });
  await low.read().catch((error: unknown) => {
    throw error instanceof SyntaxError ? damaged(error) : error;
  });
  const parsed = kind.file.safeParse(low.data ?? { version: 1, records: {} });
  // The reason names fields of the file, and could quote what is in it: it is left out.
  if (!parsed.success) throw damaged(undefined);
  low.data = parsed.data;
  return new LowdbStore(low, parsed.data.records, kind);
}

// A write that keeps the event loop for less than that is not noticed by anybody.
const noticeableMs = 1;
const restFactor = 10;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: DependencyError) => void;
}

class LowdbStore<T> implements RecordStore<T> {
  readonly #low: Low<unknown>;
  readonly #live: { [id: string]: T };
  readonly #kind: RecordKind<T>;
  /** Records changed since the last write began, as they were then. */
  #changed = new Map<string, T | undefined>();
  /** The same for the write that is under way. */
  #writing: Map<string, T | undefined> = new Map();
  #waiting: Waiter[] = [];
  #busy = false;

  constructor(low: Low<unknown>, live: { [id: string]: T }, kind: RecordKind<T>) {
    this.#low = low;
    this.#live = live;
    this.#kind = kind;
  }

  async read(id: string, now: number): Promise<T | undefined> {
    return this.#current(id, now);
  }

  async transact<Result>(
    id: string,
    now: number,
    decide: (current: T | undefined) => Decision<T, Result>,
  ): Promise<Result> {
    const current = this.#current(id, now);
    const { next, result } = decide(current);
    if (next !== undefined && next !== current) this.#put(id, next);
    // What was only read must be on disk as well before anybody acts on it.
    if (this.#changed.has(id) || this.#writing.has(id)) await this.#flush();
    return result;
  }

  async withQueued(now: number): Promise<readonly T[]> {
    const { endOfUse, isQueued } = this.#kind;
    return Object.values(this.#live).filter((record) => now < endOfUse(record) && isQueued(record));
  }

  async sweep(now: number): Promise<void> {
    const { endOfUse, idOf } = this.#kind;
    const over = Object.values(this.#live).filter((record) => now >= endOfUse(record));
    for (const record of over) this.#put(idOf(record), undefined);
    if (over.length > 0) await this.#flush();
  }

  async close(): Promise<void> {
    if (this.#busy || this.#changed.size > 0) await this.#flush();
  }

  #current(id: string, now: number): T | undefined {
    const record = this.#live[id];
    return record !== undefined && now < this.#kind.endOfUse(record) ? record : undefined;
  }

  #put(id: string, next: T | undefined): void {
    if (!this.#changed.has(id)) this.#changed.set(id, this.#live[id]);
    if (next === undefined) delete this.#live[id];
    else this.#live[id] = next;
  }

  /** Resolves when all changes made so far are on disk. Callers that come during a write share the next one. */
  #flush(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (this.#busy) return;
      this.#busy = true;
      // Not at once: what else is decided in this turn of the event loop shares the write.
      setImmediate(() => void this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const served = this.#waiting;
      this.#waiting = [];
      this.#writing = this.#changed;
      this.#changed = new Map();
      const startedAt = performance.now();
      const written = this.#low.write();
      // Putting the file into words stops everybody, the longer the more is in it: the next write waits, so that it never
      // takes more than a small share of the time. What comes meanwhile shares it.
      const busyMs = performance.now() - startedAt;
      try {
        await written;
        for (const { resolve } of served) resolve();
        if (busyMs > noticeableMs) await delay(busyMs * restFactor);
      } catch (cause) {
        this.#undo(served, cause);
      }
      this.#writing = new Map();
    }
    this.#busy = false;
  }

  /** Takes back everything since the last good write: later changes were decided on records that never were. */
  #undo(served: readonly Waiter[], cause: unknown): void {
    for (const [id, challenge] of [...this.#changed, ...this.#writing]) this.#restore(id, challenge);
    this.#changed = new Map();
    const lost = [...served, ...this.#waiting];
    this.#waiting = [];
    for (const { reject } of lost) reject(new DependencyError('store', 'the store could not be written', { cause }));
  }

  #restore(id: string, challenge: T | undefined): void {
    if (challenge === undefined) delete this.#live[id];
    else this.#live[id] = challenge;
  }
}
