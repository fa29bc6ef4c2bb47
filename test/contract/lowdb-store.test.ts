// The embedded store under the contract: on its durable file, and on lowdb's own memory adapter.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Adapter, Memory } from 'lowdb';
import { DurableFile } from '../../src/adapters/store/durable-file.ts';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { describeChallengeStore, type StoreUnderTest } from './challenge-store.ts';

/** Any adapter, with a switch that makes writing fail before a byte is written. */
class FailingAdapter implements Adapter<unknown> {
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
class CopyingMemory implements Adapter<unknown> {
  readonly #memory = new Memory<unknown>();

  async read(): Promise<unknown> {
    return structuredClone(await this.#memory.read());
  }

  write(data: unknown): Promise<void> {
    return this.#memory.write(structuredClone(data));
  }
}

async function underTest(inner: Adapter<unknown>, cleanUp = async () => {}): Promise<StoreUnderTest> {
  const adapter = new FailingAdapter(inner);
  const store = await openChallengeStore(adapter, 'the store');
  return {
    store,
    reopen: () => openChallengeStore(inner, 'the store'),
    failWrites: (on) => {
      adapter.failing = on;
    },
    async close() {
      await store.close();
      await cleanUp();
    },
  };
}

describeChallengeStore('lowdb in a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-store-'));
  return underTest(new DurableFile(join(folder, 'challenges.json')), () => rm(folder, { recursive: true }));
});

describeChallengeStore('lowdb in memory', () => underTest(new CopyingMemory()));
