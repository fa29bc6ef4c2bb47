// `npm run bench`: what the product costs, next to what it is built from, in one run and in turns, so that a machine that
// slows down slows both. Prints a table; `--json FILE` writes it for machines. Everything stays on loopback and ends by itself.
//   mail        processor time per accepted message (policy, checks, durable record; no reply) / mailauth's `authenticate` alone
//   throughput  messages a second from connect to the reply at the relay / a plain pipeline of smtp-server, mailauth, nodemailer
//   store       durable puts a second and stalls of the event loop, with 1,000, 10,000 and 100,000 live records
//   pages       GET /reset per second, in a process of its own / a bare Koa that answers the same bytes, in one of its own;
//               then how long the page takes at half of that load, while 200 messages a second are verified
//   worst       stall of the event loop and memory of a service that gets the worst messages we know
//   hour        memory, open files and delay of the event loop, while 200,000 messages, pages and wrong codes pass; ten
//               minutes, so it runs only when it is named
// `--only NAME` runs one of them. NODE_OPTIONS='--cpu-prof --cpu-prof-dir=DIR' leaves profiles.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { authenticate, type DNSResolver } from 'mailauth';
import { createDnsResolver } from '../../src/adapters/dns/node-resolver.ts';
import { openVerifierThread } from '../../src/adapters/mail-auth/verifier-thread.ts';
import { createNodemailerSender } from '../../src/adapters/mail-out/nodemailer-sender.ts';
import { prepareSegments, segmentFiles } from '../../src/adapters/store/segment-files.ts';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { createChallengeNews } from '../../src/app/challenge-news.ts';
import { deriveAddress, issueCookie, writeAddress } from '../../src/app/challenge-tokens.ts';
import { createReceiveMail } from '../../src/app/receive-mail.ts';
import { readClientHint } from '../../src/core/client-hint.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';
import type { KeyedAddress } from '../../src/core/one-time-address.ts';
import { loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, kitZone } from '../../src/testkit/identities.ts';
import { writeMail } from '../../src/testkit/message.ts';
import { ringOf } from '../support/keyring.ts';
import { appLimits, oneNetwork } from '../support/limits.ts';
import { plainRelay } from '../support/relay.ts';
import { type HourRow, measureHour } from './hour.ts';
import { type LoadRow, measurePagesUnderMail } from './pages-under-mail.ts';
import { startProcess, stopProcess } from './processes.ts';
import { measureStore, type StoreRow } from './store-load.ts';
import { bestOf, measureThroughput, type ThroughputRow } from './throughput.ts';
import { measureWorst, type WorstRow } from './worst.ts';

interface Row {
  readonly what: string;
  readonly ours: number;
  readonly peer: number;
  readonly unit: string;
  readonly ratio: number;
}

const domain = 'in.school.example';
const messages = 300;
// Half of the connections that the listener lets in by default.
const messagesAtOnce = 50;
const rounds = 9;
const pageSeconds = 3;
// What is wanted: of bare Koa's requests, and of the 99th percentile while mail is verified.
const requiredShare = 0.15;
const pageMsMax = 20;

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Milliseconds of processor time, user and system, that a piece of work takes in this process. */
async function cpuMs(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Works on all items, so many at a time as a busy server has in hand. */
async function inFlight<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: messagesAtOnce }, worker));
}

async function measureMail(folder: string): Promise<Row> {
  const amy = findIdentity('amy');
  const from = parseMailbox('accounts@school.example');
  if (amy === undefined || from === undefined) throw new Error('the test identities have changed');
  const keys = await loadDkimKeys();
  const dns = await startDnsServer({ host: '127.0.0.1', port: 0, zone: kitZone(domain, keys) });
  const resolver = createDnsResolver({ servers: [dns], now: Date.now });
  const secrets = createSecrets(ringOf(new Uint8Array(32)));
  const segments = join(folder, 'challenges');
  await prepareSegments(segments);
  const store = await openChallengeStore(segmentFiles(segments, `${segments}.json`));
  const verifier = openVerifierThread(new URL('../../src/verify-mail.ts', import.meta.url), {
    hostname: 'mx.in.school.example',
    servers: [{ host: dns.host, port: dns.port }],
    now: Date.now,
  });
  const sender = createNodemailerSender({
    ...plainRelay,
    relayUrl: 'smtp://127.0.0.1:9',
    hostname: 'mx.in.school.example',
    from,
    siteName: 'Example School',
    timeZone: 'UTC',
  });
  const news = createChallengeNews();
  const ports = {
    secrets,
    store,
    verifier,
    clock: systemClock,
    news,
    sender,
    audit: { note() {} },
    replyQueued: () => {},
  };
  const mail = createReceiveMail(ports, {
    domain,
    from,
    operator: null,
    checkTimeoutMs: 20_000,
    policy: { spfWithoutDmarc: true },
    limits: appLimits,
  });
  const envelope = { remoteAddress: '127.0.0.1', helo: 'mail.school.example' };

  // Each from a mailbox of its own: one mailbox is answered a few times a day, and its log is short.
  const prepare = async (
    _: unknown,
    pupil: number,
  ): Promise<{ raw: Buffer; recipient: KeyedAddress; mailFrom: Mailbox }> => {
    const { seed } = issueCookie(secrets, 'reset', Date.now());
    const shownAs = { locale: 'en', clientHint: readClientHint('') } as const;
    const recipient = deriveAddress(secrets, seed, shownAs, appLimits.challengeLifetimeMs);
    const to = `${writeAddress(secrets, recipient)}@${domain}`;
    const mailFrom = parseMailbox(`pupil${pupil}@school.example`) ?? from;
    const raw = await writeMail({ ...amy, mailbox: mailFrom }, keys, { to, subject: 'New password', body: 'Please.' });
    return { raw, recipient, mailFrom };
  };
  const prepared = await Promise.all(Array.from({ length: messages * rounds }, prepare));
  const options = {
    ip: envelope.remoteAddress,
    helo: envelope.helo,
    mta: 'mx.in.school.example',
    strict: true,
    disableArc: true,
    disableBimi: true,
  };
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const batch = prepared.slice(round * messages, (round + 1) * messages);
    peer.push(
      await cpuMs(() =>
        inFlight(batch, async ({ raw, mailFrom }) => {
          await authenticate(raw, { ...options, sender: mailFrom, resolver: resolver.forMessage() as DNSResolver });
        }),
      ),
    );
    ours.push(
      await cpuMs(() =>
        inFlight(batch, async ({ raw, recipient, mailFrom }) => {
          const { kind } = await mail.receive(raw, { ...envelope, mailFrom }, { kind: 'one-time', address: recipient });
          if (kind !== 'reply-queued') throw new Error(`a message of the benchmark got ${kind}`);
        }),
      ),
    );
    // What is stored grows with every round and is no part of the comparison: start each with an empty store.
    await store.sweep(Number.MAX_SAFE_INTEGER);
  }
  verifier.close();
  await store.close();
  await dns.close();
  const [a, b] = [median(ours) / messages, median(peer) / messages];
  return { what: 'mail: processor time per accepted message', ours: a, peer: b, unit: 'ms', ratio: a / b };
}

async function requestsPerSecond(url: string): Promise<number> {
  const { requests, non2xx, errors } = await autocannon({ url, connections: 20, duration: pageSeconds });
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx + errors} bad answers`);
  return requests.average;
}

async function measurePages(folder: string): Promise<Row> {
  const config = join(folder, 'bench.json');
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain, from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: ['127.0.0.1:53'] },
    relay: { url: 'smtp://127.0.0.1:25' },
    data: { dir: join(folder, 'data') },
    limits: oneNetwork,
  };
  await writeFile(config, JSON.stringify(settings));
  // The log is part of the service, so it stays on, as in production.
  const [service, web] = await startProcess(['src/main.ts', 'serve', '--config', config], /"web":"([^"]+)"/);
  const page = join(folder, 'page.html');
  await writeFile(page, await (await fetch(`http://${web}/reset`)).text());
  const [bare, bareWeb] = await startProcess(['test/bench/bare-koa.ts', page], /listening on (\S+)/);
  const ours: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round < 3; round++) {
    peer.push(await requestsPerSecond(`http://${bareWeb}/`));
    ours.push(await requestsPerSecond(`http://${web}/reset`));
  }
  for (const child of [service, bare]) await stopProcess(child);
  const [a, b] = [median(ours), median(peer)];
  return { what: 'pages: GET /reset', ours: a, peer: b, unit: 'requests/s', ratio: a / b };
}

function printRows(rows: readonly Row[]): void {
  console.log(`${'median of rounds in turns'.padEnd(44)}${'ours'.padStart(9)}${'peer'.padStart(9)}    ratio`);
  for (const { what, ours, peer, unit, ratio } of rows) {
    console.log(`${what.padEnd(44)}${cell(ours)}${cell(peer)}${cell(ratio)}  ${unit}`);
  }
}

function printThroughput(runs: readonly ThroughputRow[]): void {
  const heads = ['replies/s', 'p50 ms', 'p99 ms', 'cpu ms', 'peak MB', 'traffic'];
  console.log(
    `\n${'mail, from connect to the reply at the relay'.padEnd(44)}${heads.map((head) => head.padStart(10)).join('')}`,
  );
  for (const run of runs) {
    const figures = [run.perSecond, run.p50Ms, run.p99Ms, run.cpuMsPerMessage, run.peakMb, run.trafficShare];
    console.log(`${run.what.padEnd(44)}${figures.map((figure) => ` ${cell(figure)}`).join('')}`);
    const refused = written(run.refused);
    if (refused !== '') console.log(`  not accepted: ${refused}`);
    if (run.notAnswered > 0) console.log(`  ${run.notAnswered} messages were accepted and not answered`);
    if (run.trafficShare > 0.95) console.log('  the mail traffic itself was at its limit');
  }
  const typical = (who: string) =>
    median(runs.filter(({ what }) => what.startsWith(`${who},`)).map(({ perSecond }) => perSecond));
  const share = (one: string, other: string) => cell(typical(one) / typical(other)).trim();
  const ratio = bestOf('reply-to-verify', runs) / bestOf('plain pipeline', runs);
  console.log(
    `  medians of rounds, each with the clients that suit it: ${cell(ratio).trim()} of the plain pipeline's;`,
  );
  console.log(
    `  with 100,000 live records ${share('with 100000 live records', 'with 1000 live records')} of that with 1,000`,
  );
}

function printStore(rows: readonly StoreRow[]): void {
  const heads = ['puts/s', 'p99 ms', 'stall ms', 'cpu ms', 'open ms', 'sweep ms', 'its stall'];
  console.log(`\n${'store, durable puts by 100 writers'.padEnd(44)}${heads.map((head) => head.padStart(10)).join('')}`);
  for (const row of rows) {
    const spent = [row.cpuMsPerPut, row.openMs, row.sweepMs, row.sweepStallMs];
    const figures = [row.putsPerSecond, row.p99Ms, row.stallMs, ...spent].map((figure) => ` ${cell(figure)}`);
    console.log(`${`with ${row.live} live records before`.padEnd(44)}${figures.join('')}`);
  }
}

function printLoads(loads: readonly LoadRow[]): void {
  const heads = ['asked/s', 'got/s', 'p50 ms', 'p99 ms', 'max ms', 'mails/s', 'replies/s', 'mail p99', 'loop', 'cpu'];
  console.log(`\n${'GET /reset while mail is verified'.padEnd(44)}${heads.map((head) => head.padStart(10)).join('')}`);
  for (const load of loads) {
    const pages = [load.pagesPerSecond, load.pagesDonePerSecond, load.p50Ms, load.p99Ms, load.maxMs];
    const mails = [load.mailsAcceptedPerSecond, load.repliesPerSecond, load.mailP99Ms];
    const figures = [...pages, ...mails, load.loopShare, load.cpuShare].map((figure) => ` ${cell(figure)}`);
    console.log(`${load.what.padEnd(44)}${figures.join('')}`);
    for (const complaint of complaintsOf(load)) console.log(`  ${complaint}`);
  }
  console.log("  loop, cpu: how much of one processor the service's event loop, and all of it, was busy");
}

/** Answers, and how often they came. */
function written(answers: Readonly<Record<string, number>>): string {
  return Object.entries(answers)
    .map(([what, times]) => `${times} x ${what}`)
    .join(', ');
}

/** Why the figures of a load are not what was to be measured, or not what is wanted. */
function complaintsOf(load: LoadRow): readonly string[] {
  const { p99Ms, pagesFailed, mailsPerSecond, mailsAcceptedPerSecond, mailsRefused, othersShare } = load;
  const others = written(mailsRefused);
  const few = mailsAcceptedPerSecond < 0.99 * mailsPerSecond;
  return [
    p99Ms < pageMsMax ? [] : `the 99th percentile should be below ${pageMsMax} ms`,
    pagesFailed === 0 ? [] : `${pagesFailed} pages did not come at all`,
    few ? `only ${mailsAcceptedPerSecond.toFixed(0)} of ${mailsPerSecond} messages a second were verified` : [],
    others === '' ? [] : `of ${load.mailsSent} messages, warming up included, not accepted: ${others}`,
    load.replies === load.mailsAccepted ? [] : `${load.replies} replies to ${load.mailsAccepted} messages`,
    othersShare < 0.1 ? [] : `noise: other programs kept ${othersShare.toFixed(1)} processors busy`,
  ].flat();
}

function printWorst(worst: readonly WorstRow[]): void {
  console.log(`\n${'worst messages'.padEnd(44)} stall ms  peak MB  took ms  answer`);
  for (const { what, stallMs, peakMb, tookMs, answer } of worst) {
    const figures = [stallMs, peakMb, tookMs].map((figure) => String(figure).padStart(9)).join('');
    console.log(`${what.padEnd(44)}${figures}  ${answer}`);
  }
}

function printHour(row: HourRow, part: number): void {
  const heads = ['messages', '250', 'replies', 'pages', 'per s', 'MB', 'files', 'delay p99'];
  if (part === 1)
    console.log(`\n${'an hour of mail in parts'.padEnd(44)}${heads.map((head) => head.padStart(10)).join('')}`);
  const { messages, accepted, replies, pages, perSecond, rssMb, openFiles, delayP99Ms } = row;
  const figures = [messages, accepted, replies, pages, perSecond, rssMb, openFiles, delayP99Ms];
  console.log(`${`part ${part}`.padEnd(44)}${figures.map((figure) => ` ${cell(figure)}`).join('')}`);
  console.log(`  not accepted: ${written(row.refused)}`);
}

function cell(value: number): string {
  return value.toFixed(value < 100 ? 2 : 0).padStart(9);
}

/** Half of what the service can serve, and half of what it has to serve. */
async function measureLoads(folder: string, { ours, peer }: Row): Promise<readonly LoadRow[]> {
  return [
    await measurePagesUnderMail(folder, 'half of what it can serve', ours / 2),
    await measurePagesUnderMail(folder, `half of ${requiredShare * 100} % of bare Koa`, (peer * requiredShare) / 2),
  ];
}

const { values } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });
const { json, only } = values;
const parts = ['mail', 'throughput', 'store', 'pages', 'worst', 'hour'];
if (only !== undefined && !parts.includes(only)) throw new Error(`--only ${parts.join(', ')}`);
const folder = await mkdtemp(join(tmpdir(), 'rtv-bench-'));
try {
  const isWanted = (part: string) => only === undefined || only === part;
  const mail = isWanted('mail') ? await measureMail(folder) : undefined;
  const throughput = isWanted('throughput') ? await measureThroughput(folder, 3) : [];
  const store: StoreRow[] = [];
  for (const live of isWanted('store') ? [1_000, 10_000, 100_000] : []) store.push(await measureStore(folder, live));
  const pages = isWanted('pages') ? await measurePages(folder) : undefined;
  const rows = [mail, pages].filter((row) => row !== undefined);
  const loads = pages === undefined ? [] : await measureLoads(folder, pages);
  const worst = isWanted('worst') ? await measureWorst(folder) : [];
  const hour: HourRow[] = [];
  if (only === 'hour') await measureHour(folder, (row) => printHour(row, hour.push(row)));
  if (rows.length > 0) printRows(rows);
  if (throughput.length > 0) printThroughput(throughput);
  if (store.length > 0) printStore(store);
  if (loads.length > 0) printLoads(loads);
  if (worst.length > 0) printWorst(worst);
  if (json !== undefined)
    await writeFile(json, JSON.stringify({ rows, throughput, store, loads, worst, hour }, undefined, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}
