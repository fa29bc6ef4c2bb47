// Is the page there at once while mail pours in? GET /reset at a fixed rate, and 200 messages a second, each by SMTP from
// an author of its own, checked with real DNS, written down durably and answered through a relay. The service has a
// process to itself; the mail traffic has another one (mail-load.ts), and the visitors are in this one. What is live in
// the store grows to 3,000 challenges while this runs; an hour of such mail would make it 720,000.

import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { cpus, setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MailOrder, mailReady, mailReport } from './mail-load.ts';
import { percentile } from './pace.ts';
import { type PageFigures, visitPages } from './page-load.ts';
import { type Measured, type MonitoredService, startMonitored, stopProcess } from './processes.ts';

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

const domain = 'in.school.example';
const mailsPerSecond = 200;
const times = { rampSeconds: 4, warmUpSeconds: 7, seconds: 17 };

/**
 * Runs one load. The mail is always the same.
 * @param folder for the service's data
 * @param what   a name for the row
 */
export async function measurePagesUnderMail(folder: string, what: string, pagesPerSecond: number): Promise<LoadRow> {
  const secret = randomBytes(32).toString('base64url');
  const mail = await startMail({ ...times, perSecond: mailsPerSecond, domain, secret });
  try {
    const config = await writeConfig(await mkdtemp(join(folder, 'load-')), mail);
    const service = await startMonitored(config, { RTV_KEYS_SECRET: secret });
    try {
      mail.helper.send({ smtpPort: service.smtpPort });
      const [pages, report, watched] = await Promise.all([
        visitPages(`${service.webUrl}/reset`, { ...times, perSecond: pagesPerSecond }),
        nextWord(mail.helper),
        watch(service),
      ]);
      const { cpuShare, ...came } = mailReport.parse(report);
      const { from, measured, ours, all } = watched;
      const othersShare = Math.max(0, all - ours - cpuShare);
      return { what, pagesPerSecond, ...pages, ...summarise(came, from), ...measured, othersShare };
    } finally {
      await service.stop();
    }
  } finally {
    await stopProcess(mail.helper);
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

async function startMail(order: MailOrder) {
  const helper = fork('test/bench/mail-load.ts');
  // In earnest it is on other machines; here it must not take processor time from what is measured.
  if (helper.pid !== undefined) setPriority(helper.pid, 5);
  helper.send(order);
  return { helper, ...mailReady.parse(await nextWord(helper)) };
}

function nextWord(helper: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    helper.once('message', resolve);
    helper.once('exit', () => reject(new Error('the mail traffic ended early')));
  });
}

async function writeConfig(folder: string, { dnsPort, sinkPort }: { dnsPort: number; sinkPort: number }) {
  const config = join(folder, 'load.json');
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain, from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: [`127.0.0.1:${dnsPort}`] },
    relay: { url: `smtp://127.0.0.1:${sinkPort}` },
    data: { dir: join(folder, 'data') },
    keys: { source: 'env' },
  };
  await writeFile(config, JSON.stringify(settings));
  return config;
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
function summarise(
  { answers, repliesAt }: Pick<ReturnType<typeof mailReport.parse>, 'answers' | 'repliesAt'>,
  from: number,
) {
  const seconds = times.seconds - times.warmUpSeconds;
  const isMeasured = (at: number) => at >= from && at < from + seconds * 1000;
  const accepted = answers.filter(({ what }) => what.startsWith('250'));
  const inTime = accepted.filter(({ at }) => isMeasured(at));
  const mailsRefused: Record<string, number> = {};
  for (const { what } of answers) if (!what.startsWith('250')) mailsRefused[what] = (mailsRefused[what] ?? 0) + 1;
  const mailP99Ms = percentile(
    inTime.map(({ tookMs }) => tookMs),
    0.99,
  );
  return {
    mailsPerSecond,
    mailsAcceptedPerSecond: inTime.length / seconds,
    repliesPerSecond: repliesAt.filter(isMeasured).length / seconds,
    mailP99Ms,
    mailsSent: answers.length,
    mailsAccepted: accepted.length,
    replies: repliesAt.length,
    mailsRefused,
  };
}
