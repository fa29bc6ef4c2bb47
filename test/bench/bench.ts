// `npm run bench`: what the product costs, next to what it is built from, in one run and in turns, so that a machine that
// slows down slows both. Prints a table, and JSON for machines with `--json`. Everything stays on loopback and ends by itself.
//   mail   processor time per accepted message (policy, checks, durable record; no reply) / mailauth's `authenticate` alone
//   worst  stall of the event loop and memory of a service that gets the worst messages we know
//   pages  GET /reset per second, in a process of its own / a bare Koa that answers the same bytes, in one of its own

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import autocannon from 'autocannon';
import { authenticate, type DNSResolver } from 'mailauth';
import { createDnsResolver } from '../../src/adapters/dns/node-resolver.ts';
import { createMailauthVerifier } from '../../src/adapters/mail-auth/mailauth-verifier.ts';
import { createNodemailerSender } from '../../src/adapters/mail-out/nodemailer-sender.ts';
import { DurableFile } from '../../src/adapters/store/durable-file.ts';
import { openLowdbStore } from '../../src/adapters/store/lowdb-store.ts';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { createChallengeNews } from '../../src/app/challenge-news.ts';
import { deriveAddress, issueCookie, writeAddress } from '../../src/app/challenge-tokens.ts';
import { createReceiveMail } from '../../src/app/receive-mail.ts';
import { readClientHint } from '../../src/core/client-hint.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';
import type { OneTimeAddress } from '../../src/core/one-time-address.ts';
import { loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, kitZone } from '../../src/testkit/identities.ts';
import { writeMail } from '../../src/testkit/message.ts';
import { appLimits } from '../support/limits.ts';
import { measureWorst } from './worst.ts';

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
  const secrets = createSecrets(new Uint8Array(32));
  const path = join(folder, 'challenges.json');
  const store = await openLowdbStore(new DurableFile(path), path);
  const verifier = createMailauthVerifier('mx.in.school.example', resolver.forMessage);
  const sender = createNodemailerSender({
    relayUrl: 'smtp://127.0.0.1:9',
    hostname: 'mx.in.school.example',
    from,
    siteName: 'Example School',
    timeZone: 'UTC',
  });
  const news = createChallengeNews();
  const ports = { secrets, store, verifier, clock: systemClock, news, sender, replyQueued: () => {} };
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
  ): Promise<{ raw: Buffer; recipient: OneTimeAddress; mailFrom: Mailbox }> => {
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
  await store.close();
  await dns.close();
  const [a, b] = [median(ours) / messages, median(peer) / messages];
  return { what: 'mail: processor time per accepted message', ours: a, peer: b, unit: 'ms', ratio: a / b };
}

/** Starts a process and waits for the line that tells its address. */
async function startProcess(args: readonly string[], address: RegExp): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const found = address.exec(line)?.[1];
    if (found !== undefined) {
      child.stdout.resume();
      return [child, found];
    }
  }
  throw new Error(`${args[0]} ended before it served`);
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
  for (const child of [service, bare]) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  const [a, b] = [median(ours), median(peer)];
  return { what: 'pages: GET /reset', ours: a, peer: b, unit: 'requests/s', ratio: a / b };
}

const folder = await mkdtemp(join(tmpdir(), 'rtv-bench-'));
try {
  const rows = [await measureMail(folder), await measurePages(folder)];
  const worst = await measureWorst(folder);
  if (process.argv.includes('--json')) console.log(JSON.stringify({ rows, worst }, undefined, 2));
  else {
    const cell = (value: number) => value.toFixed(value < 100 ? 2 : 0).padStart(9);
    console.log(`${'median of rounds in turns'.padEnd(44)}${'ours'.padStart(9)}${'peer'.padStart(9)}    ratio`);
    for (const { what, ours, peer, unit, ratio } of rows) {
      console.log(`${what.padEnd(44)}${cell(ours)}${cell(peer)}${cell(ratio)}  ${unit}`);
    }
    console.log(`\n${'worst messages'.padEnd(44)} stall ms  peak MB  took ms  answer`);
    for (const { what, stallMs, peakMb, tookMs, answer } of worst) {
      const figures = [stallMs, peakMb, tookMs].map((figure) => String(figure).padStart(9)).join('');
      console.log(`${what.padEnd(44)}${figures}  ${answer}`);
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
