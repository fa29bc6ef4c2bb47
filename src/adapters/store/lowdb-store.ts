// The embedded store: live records in memory, small lowdb files behind them, one process. What changed is added to the
// current segment, which is sealed when it is full or a few minutes old; the next one begins. The last word about a
// record is right. So a write costs the same however much is stored, and nothing has to be compacted:
// segments are deleted from the oldest on, when nothing in them is of use any more.
// A change is made at once and in one synchronous step; it is told to nobody before it is on disk, and undone when it
// cannot be written. Changes that come while a write is under way share the next one.

import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { Low } from 'lowdb';
import { z } from 'zod';
import { type Decision, DependencyError, type Probed, type RecordStore } from '../../app/ports.ts';
import type { SegmentFiles } from './segment-files.ts';

/** What the store has to know of its records. */
export interface RecordKind<T> {
  /** What ids look like. */
  readonly id: RegExp;
  /** Reads a record, or says that it is damaged. */
  readonly record: z.ZodType<T>;
  /** From then on nobody needs the record. */
  readonly endOfUse: (record: T) => number;
  /** A mail of the record is still to be sent. */
  readonly isQueued: (record: T) => boolean;
  readonly idOf: (record: T) => string;
}

/** What is in a file. */
interface Segment {
  readonly number: number;
  readonly ids: Set<string>;
  /** Before that, nothing in it is past its use; milliseconds since the epoch. */
  readonly firstEnd: number;
  /** From then on, everything in it is. */
  readonly lastEnd: number;
}

/** The segment that is written, and will be again. */
interface CurrentSegment extends Segment {
  readonly low: Low<unknown>;
  /** When its first record was written, milliseconds since the epoch. */
  readonly beganAt: number;
  /** How many times it was written, and how many records in all. */
  readonly changes: number;
}

// A write costs the same for one change and for many: under load the next one waits for some more to come.
const gatherMs = 5;
const gatheredMax = 128;
const changesMax = 1024;
const ageMaxMs = 600_000;

/** One write. `sweptAt`: what older segments hold was dropped if it ended by then. */
const partSchema = z.union([
  z.strictObject({ version: z.literal(2), sweptAt: z.number(), records: z.record(z.string(), z.unknown()) }),
  // The one file of before, under the two names that it had for its records.
  z.strictObject({ version: z.literal(1), records: z.record(z.string(), z.unknown()) }),
  z.strictObject({ version: z.literal(1), challenges: z.record(z.string(), z.unknown()) }),
]);

/**
 * Opens the store.
 * @param files what they hold is checked before it is believed
 * @throws Error with the remedy when something is damaged
 */
export async function openLowdbStore<T>(files: SegmentFiles, kind: RecordKind<T>): Promise<RecordStore<T> & Probed> {
  const live = new Map<string, T>();
  const segments: Segment[] = []; // newest first
  const seen = new Set<string>();
  let sweptAt = 0;
  // From the newest to the oldest: what was read once is right, and what older ones say of it is not looked at.
  for (const number of [...(await files.list())].toSorted((one, other) => other - one)) {
    const read = await readSegment(files, number, kind, (id) => seen.has(id));
    if (read === undefined) continue;
    segments.push(segmentOf(number, read.records, kind));
    for (const [id, record] of read.records) {
      seen.add(id);
      // A sweep has dropped it: it does not come back when the clock is set back.
      if (sweptAt < kind.endOfUse(record)) live.set(id, record);
    }
    sweptAt = Math.max(sweptAt, read.sweptAt);
  }
  return new LowdbStore(files, live, segments.toReversed(), kind);
}

function segmentOf<T>(number: number, records: ReadonlyMap<string, T>, { endOfUse }: RecordKind<T>): Segment {
  const ends = [...records.values()].map(endOfUse);
  const firstEnd = ends.reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY);
  const lastEnd = ends.reduce((one, other) => Math.max(one, other), 0);
  return { number, ids: new Set(records.keys()), firstEnd, lastEnd };
}

/** @returns undefined when it has gone meanwhile: its owner may be at work */
async function readSegment<T>(
  files: SegmentFiles,
  number: number,
  { id, record, idOf }: RecordKind<T>,
  isKnown: (id: string) => boolean,
) {
  const damaged = () =>
    new Error(
      `${files.place} is damaged (segment ${number}). ` +
        'Put back a good copy, or move the folder away to start with an empty one: open pages must start again.',
    );
  const low = new Low<unknown>(files.file(number), null);
  await low.read().catch((error: unknown) => {
    // Neither the parser's words nor a schema's: they may quote what is in it.
    throw error instanceof SyntaxError ? damaged() : error;
  });
  if (low.data === null) return undefined;
  const { data: parts } = z.array(partSchema).safeParse(low.data);
  if (parts === undefined) throw damaged();
  const records = new Map<string, T>();
  for (const part of parts.toReversed()) {
    for (const [key, each] of Object.entries('records' in part ? part.records : part.challenges)) {
      if (isKnown(key) || records.has(key)) continue;
      const parsed = record.safeParse(each);
      if (!parsed.success || !id.test(key) || idOf(parsed.data) !== key) throw damaged();
      records.set(key, parsed.data);
    }
  }
  return { records, sweptAt: Math.max(0, ...parts.map((part) => (part.version === 2 ? part.sweptAt : 0))) };
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: DependencyError) => void;
}

class LowdbStore<T> implements RecordStore<T>, Probed {
  readonly #files: SegmentFiles;
  readonly #live: Map<string, T>;
  readonly #kind: RecordKind<T>;
  /** Those that will not be written again, by number, oldest first. */
  readonly #sealed: Map<number, Segment>;
  #current: CurrentSegment;
  /** The latest time that came with a change. */
  #now = 0;
  /** A sweep that is to be written down. */
  #sweepAt: number | undefined;
  /** Records changed since the last write began, as they were then. */
  #changed = new Map<string, T | undefined>();
  /** The same for the write that is under way. */
  #writing: Map<string, T | undefined> = new Map();
  #waiting: Waiter[] = [];
  #busy = false;
  #closed = false;

  constructor(files: SegmentFiles, live: Map<string, T>, segments: readonly Segment[], kind: RecordKind<T>) {
    this.#files = files;
    this.#live = live;
    this.#kind = kind;
    this.#sealed = new Map(segments.map((segment) => [segment.number, segment]));
    this.#current = this.#begin((segments.at(-1)?.number ?? 0) + 1);
  }

  async read(id: string, now: number): Promise<T | undefined> {
    return this.#look(id, now);
  }

  async transact<Result>(
    id: string,
    now: number,
    decide: (current: T | undefined) => Decision<T, Result>,
  ): Promise<Result> {
    this.#checkOpen();
    const current = this.#look(id, now);
    const { next, result } = decide(current);
    if (next !== undefined && next !== current) {
      if (!this.#changed.has(id)) this.#changed.set(id, this.#live.get(id));
      this.#live.set(id, next);
      this.#now = now;
    }
    // What was only read must be on disk as well before anybody acts on it.
    if (this.#isUnwritten(id)) await this.#flush();
    return result;
  }

  async withQueued(now: number): Promise<readonly T[]> {
    const { endOfUse, isQueued } = this.#kind;
    return [...this.#live.values()].filter((record) => now < endOfUse(record) && isQueued(record));
  }

  async sweep(now: number): Promise<void> {
    this.#checkOpen();
    const mayBeOver = [...this.#sealed.values(), this.#current].filter(({ firstEnd }) => firstEnd <= now);
    if (mayBeOver.some(({ ids }) => this.#overOf(ids, now).length > 0)) {
      this.#sweepAt = now;
      await this.#flush();
    }
    for (const { number, ids } of mayBeOver) {
      for (const id of this.#overOf(ids, now)) this.#live.delete(id);
      const sealed = this.#sealed.get(number);
      if (sealed !== undefined) this.#sealed.set(number, this.#afterSweep(sealed));
      await nextTurn(); // an hour of mail is too much for one
    }
    await this.#removeOver(now);
  }

  async probe(): Promise<void> {
    this.#checkOpen();
    await this.#flush(); // a write with nothing in it
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#busy || this.#changed.size > 0) await this.#flush();
  }

  /** What comes after the end, as a request that was cut off may, must not write into a folder that others have by then. */
  #checkOpen(): void {
    if (this.#closed) throw new DependencyError('store', 'the store is closed');
  }

  #look(id: string, now: number): T | undefined {
    const record = this.#live.get(id);
    return record !== undefined && now < this.#kind.endOfUse(record) ? record : undefined;
  }

  #isUnwritten(id: string): boolean {
    return this.#changed.has(id) || this.#writing.has(id);
  }

  /** Which of these to forget. Not what is still to be written: an older segment could know it as it was before. */
  #overOf(ids: Iterable<string>, now: number): string[] {
    const isOver = (id: string) => this.#live.has(id) && this.#look(id, now) === undefined;
    return [...ids].filter((id) => isOver(id) && !this.#isUnwritten(id));
  }

  /** The segment with the ends of what is left of it. Its file holds more: from `lastEnd` on, that is of no use either. */
  #afterSweep({ number, ids, lastEnd }: Segment): Segment {
    return { ...segmentOf(number, this.#liveOf(ids), this.#kind), lastEnd };
  }

  #liveOf(ids: Iterable<string>): Map<string, T> {
    const records = new Map<string, T>();
    for (const id of ids) {
      const record = this.#live.get(id);
      if (record !== undefined) records.set(id, record);
    }
    return records;
  }

  /** From the oldest on, and no further than the first that is of use: it may know older versions of what is later. */
  async #removeOver(now: number): Promise<void> {
    try {
      // What a failed write began and could not take back would be read again, and must not outlive what came later.
      for (const number of await this.#files.list()) {
        if (number < this.#current.number && !this.#sealed.has(number)) await this.#files.remove(number);
      }
      for (const { number, lastEnd } of this.#sealed.values()) {
        if (now < lastEnd) return;
        await this.#files.remove(number);
        this.#sealed.delete(number);
      }
    } catch (cause) {
      throw new DependencyError('store', 'a segment could not be deleted', { cause });
    }
  }

  #begin(number: number): CurrentSegment {
    const low = new Low<unknown>(this.#files.file(number), null);
    return { ...segmentOf(number, new Map(), this.#kind), low, beganAt: this.#now, changes: 0 };
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
      try {
        await this.#write([...this.#writing.keys()]);
        for (const { resolve } of served) resolve();
      } catch (cause) {
        this.#undo(served, cause);
      }
      this.#writing = new Map();
      if (this.#waiting.length > 0 && this.#waiting.length < gatheredMax) await pause(gatherMs);
    }
    this.#busy = false;
  }

  async #write(ids: readonly string[]): Promise<void> {
    const isFull = this.#current.changes >= changesMax || this.#now - this.#current.beganAt >= ageMaxMs;
    if (this.#current.changes > 0 && (isFull || this.#sweepAt !== undefined)) this.#seal();
    const { number, low, ids: known, changes, ...current } = this.#current;
    const records = this.#liveOf(ids);
    low.data = { version: 2, sweptAt: this.#sweepAt ?? 0, records: Object.fromEntries(records) };
    this.#sweepAt = undefined;
    const written = segmentOf(number, records, this.#kind);
    await low.write().catch((error: unknown) => {
      this.#seal(); // whatever stands at its end: nothing comes after it
      throw error;
    });
    const beganAt = known.size === 0 ? this.#now : current.beganAt;
    for (const id of written.ids) known.add(id);
    const firstEnd = Math.min(written.firstEnd, current.firstEnd);
    const lastEnd = Math.max(written.lastEnd, current.lastEnd);
    this.#current = { number, low, ids: known, firstEnd, lastEnd, beganAt, changes: changes + 1 + records.size };
  }

  #seal(): void {
    const { low: _, ...full } = this.#current;
    if (full.changes > 0) this.#sealed.set(full.number, full);
    this.#current = this.#begin(full.number + 1);
  }

  /** Takes back everything since the last good write: later changes were decided on records that never were. */
  #undo(served: readonly Waiter[], cause: unknown): void {
    for (const [id, record] of [...this.#changed, ...this.#writing]) {
      if (record === undefined) this.#live.delete(id);
      else this.#live.set(id, record);
    }
    this.#changed = new Map();
    this.#sweepAt = undefined;
    const lost = [...served, ...this.#waiting];
    this.#waiting = [];
    for (const { reject } of lost) reject(new DependencyError('store', 'the store could not be written', { cause }));
  }
}
