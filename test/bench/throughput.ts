// How many messages a second, from connect to the reply handed over, and how long from the end of DATA until the reply is
// at the relay: the whole product, with its policy, its durable store and its audit, against a plain pipeline of the same
// libraries that keeps nothing. Each in turn has a processor to itself, where there are two; the mail traffic the other one.

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MailRun } from './mail-load.ts';
import { countRefused, type MailTraffic, mailDomain, startMail, writeConfig } from './mail-traffic.ts';
import { percentile } from './pace.ts';
import { type Measured, startMonitored, startService } from './processes.ts';
import { fillStore } from './store-load.ts';

/** One run. Rates and shares are of the measured time. */
export interface ThroughputRow {
  readonly what: string;
  /** Replies that came to the relay. */
  readonly perSecond: number;
  /** From the end of DATA until the reply is at the relay. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time, all threads. */
  readonly cpuMsPerMessage: number;
  readonly peakMb: number;
  /** Answers other than 250, with how often they came. */
  readonly refused: Readonly<Record<string, number>>;
  /** Accepted, and never answered. */
  readonly notAnswered: number;
  /** Of one processor, by the mail traffic: near 1, it was that what held things up. */
  readonly trafficShare: number;
}

interface Target {
  readonly smtpPort: number;
  measured(): Promise<Measured>;
  stop(): Promise<void>;
}

// Each waits a tenth of a second for its greeting. The first many suit the one that keeps nothing, the second the one whose
// mail waits for the disk as well; what counts is what each gets through at its best.
const clientCounts = [200, 250];
const clientsMax = 250;
const warmUpSeconds = 3;
const seconds = 11;
// As many as the fastest would get through; a run that is out of messages ends early.
const preparedPerSecond = 1_000;

// What an hour of 28 messages a second leaves behind, and next to nothing.
const liveRecords = [1_000, 100_000];

/** What each gets through at its best: the median of its rounds with the number of clients that suits it. */
export function bestOf(who: string, rows: readonly ThroughputRow[]): number {
  const medians = clientCounts.map((clients) => {
    const rounds = rows.filter(({ what }) => what.startsWith(`${who}, ${clients} clients,`));
    return percentile(
      rounds.map(({ perSecond }) => perSecond),
      0.5,
    );
  });
  return Math.max(...medians);
}

/** Runs both in turns, as fast as they can; then ours at half of that, and with little and much stored. @param rounds of each */
export async function measureThroughput(folder: string, rounds: number): Promise<readonly ThroughputRow[]> {
  const processor = availableParallelism() > 1 ? 0 : undefined;
  const secret = randomBytes(32).toString('base64url');
  const order = { perSecond: preparedPerSecond, rampSeconds: 0, seconds, domain: mailDomain, secret };
  const traffic = await startMail(order, processor === undefined ? undefined : 1);
  const ours = async (live = 0) => {
    const own = await mkdtemp(join(folder, 'mail-'));
    const config = await writeConfig(own, traffic, { smtpConnectionsMax: 2 * clientsMax });
    if (live > 0) {
      await mkdir(join(own, 'data'));
      await fillStore(join(own, 'data', 'challenges'), live);
    }
    return startService(config, { env: { RTV_KEYS_SECRET: secret }, processor });
  };
  const plain = async () => {
    const args = ['test/bench/plain-pipeline.ts', String(traffic.dnsPort), String(traffic.sinkPort)];
    const { told, ...started } = await startMonitored(args, /listening on 127\.0\.0\.1:(\d+)/, { processor });
    return { ...started, smtpPort: Number(told[1]) };
  };
  try {
    const rows: ThroughputRow[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const clients of clientCounts) {
        const as = `${clients} clients, round ${round}`;
        rows.push(await runOnce(`plain pipeline, ${as}`, await plain(), traffic, { clients }));
        rows.push(await runOnce(`reply-to-verify, ${as}`, await ours(), traffic, { clients }));
      }
    }
    const most = Math.max(...rows.filter(({ what }) => what.startsWith('reply')).map(({ perSecond }) => perSecond));
    const half = { pace: { perSecond: most / 2, rampSeconds: warmUpSeconds - 1, seconds } };
    rows.push(await runOnce('reply-to-verify at half of its most', await ours(), traffic, half));
    for (let round = 1; round <= rounds; round += 1) {
      for (const live of liveRecords) {
        const load = { clients: clientsMax };
        rows.push(await runOnce(`with ${live} live records, round ${round}`, await ours(live), traffic, load));
      }
    }
    return rows;
  } finally {
    await traffic.stop();
  }
}

async function runOnce(
  what: string,
  target: Target,
  traffic: MailTraffic,
  load: Pick<MailRun, 'clients' | 'pace'>,
): Promise<ThroughputRow> {
  try {
    const watching = sleep(warmUpSeconds * 1000).then(async () => {
      await target.measured();
      const from = Date.now();
      await sleep((seconds - warmUpSeconds) * 1000);
      return { from, to: Date.now(), measured: await target.measured() };
    });
    const report = await traffic.run({ smtpPort: target.smtpPort, ...load });
    const { from, to, measured } = await watching;
    const inTime = report.replies.filter(({ at }) => at >= from && at < to);
    const took = inTime.map(({ tookMs }) => tookMs);
    const accepted = report.answers.filter(({ what }) => what.startsWith('250')).length;
    const rate = inTime.length / ((to - from) / 1000);
    return {
      what,
      perSecond: rate,
      p50Ms: percentile(took, 0.5),
      p99Ms: percentile(took, 0.99),
      cpuMsPerMessage: (measured.cpuShare * 1000) / rate,
      peakMb: measured.peakMb,
      refused: countRefused(report),
      notAnswered: accepted - report.replies.length,
      trafficShare: report.cpuShare,
    };
  } finally {
    await target.stop();
  }
}
