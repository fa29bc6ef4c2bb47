// Writes for many callers: one write at a time, and who comes while one is under way shares the next one with all others
// that do. When a write fails, everything since the last good one is taken back, for it was decided on what never was.
// What is written, and how it gets onto a disk, is left to the caller.

import { DependencyError } from '../../app/ports.ts';

/** Brings changes in memory onto disk. */
export class GroupWriter {
  readonly #write: () => Promise<void>;
  /** The write that is under way, and the one that comes after it. */
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** What takes back the changes of either, in the order in which they were made. */
  #writing: (() => void)[] = [];
  #changed: (() => void)[] = [];

  /** @param write writes all there is, as it is at the moment of the call */
  constructor(write: () => Promise<void>) {
    this.#write = write;
  }

  /**
   * A change was made in memory.
   * @param undo takes it back; called when later changes were taken back already
   * @returns resolves when the change is on disk
   * @throws DependencyError when it could not be written: it is taken back then
   */
  changed(undo: () => void): Promise<void> {
    this.#changed.push(undo);
    // Not at once: what else is changed in this turn of the event loop shares the write. After a write that fails comes
    // none, and whoever waits for it fails as well.
    this.#next ??= (this.#current ?? new Promise<void>((resolve) => setImmediate(resolve))).then(() =>
      this.#writeAll(),
    );
    return this.#next;
  }

  /** Resolves when everything changed so far is on disk. @throws DependencyError when it was taken back instead */
  settled(): Promise<void> {
    return this.#next ?? this.#current ?? Promise.resolve();
  }

  async #writeAll(): Promise<void> {
    this.#current = this.#next;
    this.#next = undefined;
    this.#writing = this.#changed;
    this.#changed = [];
    try {
      await this.#write();
    } catch (cause) {
      for (const undo of [...this.#writing, ...this.#changed].reverse()) undo();
      this.#changed = [];
      this.#next = undefined;
      throw new DependencyError('directory', 'the accounts could not be written', { cause });
    } finally {
      this.#writing = [];
      this.#current = undefined;
    }
  }
}
