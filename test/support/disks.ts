// Disks for the contract suites: one that can be full, and one in memory that keeps what is written and not the object.

import { type Adapter, Memory } from 'lowdb';

/** Any adapter, with a switch that makes writing fail before a byte is written. */
export class FailingAdapter implements Adapter<unknown> {
  failing = false;
  readonly #inner: Adapter<unknown>;

  constructor(inner: Adapter<unknown>) {
    this.#inner = inner;
  }

  read(): Promise<unknown> {
    return this.#inner.read();
  }

  write(data: unknown): Promise<void> {
    return this.failing
      ? Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
      : this.#inner.write(data);
  }
}

/** lowdb's memory adapter keeps the very object; here it keeps what is in it, as a disk does. */
export class CopyingMemory implements Adapter<unknown> {
  readonly #memory = new Memory<unknown>();

  async read(): Promise<unknown> {
    return structuredClone(await this.#memory.read());
  }

  write(data: unknown): Promise<void> {
    return this.#memory.write(structuredClone(data));
  }
}
