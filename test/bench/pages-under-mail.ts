// Is the page there at once while mail pours in? GET /reset at a fixed rate, and 200 messages a second, each by SMTP from
// an author of its own, checked with real DNS, written down durably and answered through a relay. The service has a
// process to itself; the mail traffic has another one (mail-load.ts), and the visitors are in this one. What is live in
// the store grows to 3,000 challenges while this runs; an hour of such mail would make it 720,000.

import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MailReport } from './mail-load.ts';
import { countRefused, mailDomain, startMail, writeConfig } from './mail-traffic.ts';
import { percentile } from './pace.ts';
import { type PageFigures, visitPages } from './page-load.ts';
import { type Measured, type MonitoredService, startService } from './processes.ts';

/** One load, and how pages and mail fared under it. Rates are of the measured time. */
export interface LoadRow extends PageFigures, Measured {
  readonly what: string;
  /** Asked of the service; what it did is in `pagesDonePerSecond`. */
  readonly pagesPerSecond: number;
  /** Asked of the service; accepted by it, and answered by mail. */
  readonly mailsPerSecond: number;
  readonly mailsAcceptedPerSecond: number;
  readonly repliesPerSecond: number;
  /** From the moment when it was due to its 250; smtp-server lets every client wait for 100 ms. */
  readonly mailP99Ms: number;
  /** All there were, warming up included. */
  readonly mailsSent: number;
  readonly mailsAccepted: number;
  readonly replies: number;
  /** Answers other than 250, with how often they came. */
  readonly mailsRefused: Readonly<Record<string, number>>;
  /** How many processors were busy with something that is not ours: then the figures are of no use. */
  readonly othersShare: number;
}

const mailsPerSecond = 200;
const times = { rampSeconds: 4, warmUpSeconds: 7, seconds: 17 };

/**
 * Runs one load. The mail is always the same.
 * @param folder for the service's data
 * @param what   a name for the row
 */
export async function measurePagesUnderMail(folder: string, what: string, pagesPerSecond: number): Promise<LoadRow> {
  const secret = randomBytes(32).toString('base64url');
  const mail = await startMail({ ...times, perSecond: mailsPerSecond, domain: mailDomain, secret });
  try {
    const config = await writeConfig(await mkdtemp(join(folder, 'load-')), mail);
    const service = await startService(config, { env: { RTV_KEYS_SECRET: secret } });
    try {
      const [pages, report, watched] = await Promise.all([
        visitPages(`${service.webUrl}/reset`, { ...times, perSecond: pagesPerSecond }),
        mail.run({ smtpPort: service.smtpPort }),
        watch(service),
      ]);
      const { cpuShare, ...came } = report;
      const { from, measured, ours, all } = watched;
      const othersShare = Math.max(0, all - ours - cpuShare);
      return { what, pagesPerSecond, ...pages, ...summarise(came, from), ...measured, othersShare };
    } finally {
      await service.stop();
    }
  } finally {
    await mail.stop();
  }
}

/** Looks at the service, at this process and at the whole machine while the measured time lasts. */
async function watch(service: MonitoredService) {
  await sleep(times.warmUpSeconds * 1000);
  await service.measured();
  const from = Date.now();
  const shares = watchMachine();
  await sleep((times.seconds - times.warmUpSeconds) * 1000);
  const { own, all } = shares();
  const measured = await service.measured();
  return { from, measured, ours: own + measured.cpuShare, all };
}

/** @returns what tells how many processors this process, and all there is on the machine, have used since */
function watchMachine(): () => { own: number; all: number } {
  // Not the busy times: those leave out soft interrupts, and what a host of virtual machines took for others.
  const idleMs = () => cpus().reduce((sum, { times }) => sum + times.idle, 0);
  const before = { at: performance.now(), own: process.cpuUsage(), idle: idleMs() };
  return () => {
    const tookMs = performance.now() - before.at;
    const { user, system } = process.cpuUsage(before.own);
    return { own: (user + system) / 1000 / tookMs, all: cpus().length - (idleMs() - before.idle) / tookMs };
  };
}

/** @param from when the measured time began, in milliseconds since the epoch */
function summarise({ answers, replies }: Pick<MailReport, 'answers' | 'replies'>, from: number) {
  const seconds = times.seconds - times.warmUpSeconds;
  const isMeasured = (at: number) => at >= from && at < from + seconds * 1000;
  const accepted = answers.filter(({ what }) => what.startsWith('250'));
  const inTime = accepted.filter(({ at }) => isMeasured(at));
  const mailP99Ms = percentile(
    inTime.map(({ tookMs }) => tookMs),
    0.99,
  );
  return {
    mailsPerSecond,
    mailsAcceptedPerSecond: inTime.length / seconds,
    repliesPerSecond: replies.filter(({ at }) => isMeasured(at)).length / seconds,
    mailP99Ms,
    mailsSent: answers.length,
    mailsAccepted: accepted.length,
    replies: replies.length,
    mailsRefused: countRefused({ answers }),
  };
}
