// The embedded store: live challenges in memory, one lowdb file behind them, one process. A change is made at once and
// in one synchronous step; it is told to nobody before it is on disk, and undone when it cannot be written.
// Changes that come while a write is under way share the next one, so a burst costs two writes and not a hundred.

import { type Adapter, Low } from 'lowdb';
import { type ChallengeStore, DependencyError } from '../../app/ports.ts';
import { type Challenge, endOfUse } from '../../core/challenge.ts';
import { type ChallengeFile, challengeFile } from './challenge-record.ts';

/**
 * Opens the store.
 * @param adapter reads and writes the file; what it reads is checked before it is believed
 * @param place   how an operator finds it, for messages
 * @throws Error with the remedy when the file is damaged
 */
export async function openLowdbStore(adapter: Adapter<unknown>, place: string): Promise<ChallengeStore> {
  const low = new Low<unknown>(adapter, null);
  const damaged = (cause: unknown) =>
    new Error(`${place} is damaged. Move it away to start with an empty one: open pages must start again.`, { cause });
  await low.read().catch((error: unknown) => {
    throw error instanceof SyntaxError ? damaged(error) : error;
  });
  const parsed = challengeFile.safeParse(low.data ?? { version: 1, challenges: {} });
  // The reason names fields of the file, and could quote what is in it: it is left out.
  if (!parsed.success) throw damaged(undefined);
  const file: ChallengeFile = parsed.data;
  low.data = file;
  return new LowdbStore(low, file.challenges);
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: DependencyError) => void;
}

class LowdbStore implements ChallengeStore {
  readonly #low: Low<unknown>;
  readonly #live: { [id: string]: Challenge };
  /** Records changed since the last write began, as they were then. */
  #changed = new Map<string, Challenge | undefined>();
  /** The same for the write that is under way. */
  #writing: Map<string, Challenge | undefined> = new Map();
  #waiting: Waiter[] = [];
  #busy = false;

  constructor(low: Low<unknown>, live: { [id: string]: Challenge }) {
    this.#low = low;
    this.#live = live;
  }

  async read(id: string, now: number): Promise<Challenge | undefined> {
    return this.#current(id, now);
  }

  async transact<Result>(
    id: string,
    now: number,
    decide: (current: Challenge | undefined) => { next: Challenge | undefined; result: Result },
  ): Promise<Result> {
    const current = this.#current(id, now);
    const { next, result } = decide(current);
    if (next !== undefined && next !== current) this.#put(id, next);
    // What was only read must be on disk as well before anybody acts on it.
    if (this.#changed.has(id) || this.#writing.has(id)) await this.#flush();
    return result;
  }

  async withQueuedReplies(now: number): Promise<readonly Challenge[]> {
    const waits = (challenge: Challenge) =>
      now < endOfUse(challenge) && challenge.senders.some(({ reply }) => reply.state === 'queued');
    return Object.values(this.#live).filter(waits);
  }

  async sweep(now: number): Promise<void> {
    const over = Object.values(this.#live).filter((challenge) => now >= endOfUse(challenge));
    for (const { id } of over) this.#put(id, undefined);
    if (over.length > 0) await this.#flush();
  }

  async close(): Promise<void> {
    if (this.#busy || this.#changed.size > 0) await this.#flush();
  }

  #current(id: string, now: number): Challenge | undefined {
    const challenge = this.#live[id];
    return challenge !== undefined && now < endOfUse(challenge) ? challenge : undefined;
  }

  #put(id: string, next: Challenge | undefined): void {
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
      try {
        await this.#low.write();
        for (const { resolve } of served) resolve();
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

  #restore(id: string, challenge: Challenge | undefined): void {
    if (challenge === undefined) delete this.#live[id];
    else this.#live[id] = challenge;
  }
}
