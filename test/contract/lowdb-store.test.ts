// The embedded store under the contract: on its durable file, and on lowdb's own memory adapter.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Adapter } from 'lowdb';
import { DurableFile } from '../../src/adapters/store/durable-file.ts';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { CopyingMemory, FailingAdapter } from '../support/disks.ts';
import { describeChallengeStore, type StoreUnderTest } from './challenge-store.ts';

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
