// The embedded store under the contract: on its durable files, and on segments in memory.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareSegments, type SegmentFiles, segmentFiles } from '../../src/adapters/store/segment-files.ts';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { failingSegments, memorySegments } from '../support/disks.ts';
import { describeChallengeStore, type StoreUnderTest } from './challenge-store.ts';

async function underTest(inner: SegmentFiles, cleanUp = async () => {}): Promise<StoreUnderTest> {
  const disk = failingSegments(inner);
  const store = await openChallengeStore(disk.files);
  return {
    store,
    reopen: () => openChallengeStore(inner),
    failWrites: (on) => {
      disk.failing = on;
    },
    async close() {
      await store.close();
      await cleanUp();
    },
  };
}

describeChallengeStore('lowdb in files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-store-'));
  const segments = join(folder, 'challenges');
  await prepareSegments(segments);
  return underTest(segmentFiles(segments, `${segments}.json`), () => rm(folder, { recursive: true }));
});

describeChallengeStore('lowdb in memory', () => underTest(memorySegments()));
