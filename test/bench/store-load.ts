// What the store can take: durable puts by a hundred writers, and how long the event loop stands still, with little and
// with much that is live. In this process, for it is the loop of the writers that is looked at.

import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { prepareSegments, segmentFiles } from '../../src/adapters/store/segment-files.ts';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { freshChallenge, mailed } from '../contract/challenge-store.ts';
import { percentile } from './pace.ts';

export interface StoreRow {
  readonly live: number;
  readonly putsPerSecond: number;
  /** Until it is on disk. */
  readonly p99Ms: number;
  readonly stallMs: number;
  /** Processor time, all threads. */
  readonly cpuMsPerPut: number;
  /** To open all of it anew, and to drop all of it an hour later, with the longest stall of the latter. */
  readonly openMs: number;
  readonly sweepMs: number;
  readonly sweepStallMs: number;
}

const writers = 100;
const puts = 20_000;
const now = Date.UTC(2026, 0, 15, 9, 30);
const resolutionMs = 1;

/** Makes a store with so many challenges whose replies have gone out; they end within the hour. */
export async function fillStore(segments: string, live: number): Promise<void> {
  await prepareSegments(segments);
  const store = await openChallengeStore(segmentFiles(segments, `${segments}.json`));
  const at = Date.now();
  const put = (number: number) => {
    const record = mailed(freshChallenge(number, at + 3_600_000));
    const senders = record.senders.map((sender) => ({
      ...sender,
      reply: { ...sender.reply, state: 'handed-over' as const },
    }));
    return store.transact(record.id, at, () => ({ next: { ...record, senders }, result: undefined }));
  };
  for (let number = 1; number <= live; number += 500) {
    await Promise.all(Array.from({ length: Math.min(500, live - number + 1) }, (_, more) => put(number + more)));
  }
  await store.close();
}

/** Fills a store of its own, and measures it. */
export async function measureStore(folder: string, live: number): Promise<StoreRow> {
  const segments = join(folder, `store-${live}`);
  await prepareSegments(segments);
  const files = segmentFiles(segments, `${segments}.json`);
  const store = await openChallengeStore(files);
  let number = 0;
  const put = () => {
    number += 1;
    const record = mailed(freshChallenge(number));
    return store.transact(record.id, now, () => ({ next: record, result: undefined }));
  };
  while (number < live) await Promise.all(Array.from({ length: Math.min(500, live - number) }, put));
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  const stall = () => Math.max(0, delay.max / 1e6 - resolutionMs);
  const tookMs: number[] = [];
  const end = number + puts;
  delay.enable();
  const [cpu, startedAt] = [process.cpuUsage(), performance.now()];
  const writer = async () => {
    while (number < end) {
      const begunAt = performance.now();
      await put();
      tookMs.push(performance.now() - begunAt);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  const [seconds, { user, system }] = [(performance.now() - startedAt) / 1000, process.cpuUsage(cpu)];
  const stallMs = stall();
  const openedAt = performance.now();
  await (await openChallengeStore(files)).close();
  const openMs = performance.now() - openedAt;
  delay.reset();
  const sweptAt = performance.now();
  await store.sweep(now + 2 * 3_600_000);
  const sweepMs = performance.now() - sweptAt;
  const sweepStallMs = stall();
  await store.close();
  return {
    live,
    putsPerSecond: tookMs.length / seconds,
    p99Ms: percentile(tookMs, 0.99),
    stallMs,
    cpuMsPerPut: (user + system) / 1000 / tookMs.length,
    openMs,
    sweepMs,
    sweepStallMs,
  };
}
