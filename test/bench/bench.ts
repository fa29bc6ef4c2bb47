// `npm run bench`: what the product costs, next to what it is built from, in one run and in turns, so that a machine that
// slows down slows both. Prints a table, and JSON for machines with `--json`. Everything stays on loopback and ends by itself.
//   mail   processor time per accepted message (policy, checks, durable record; no reply) / mailauth's `authenticate` alone
//   pages  GET /reset per second, in a process of its own / a bare Koa that answers the same bytes, in one of its own

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import autocannon from 'autocannon';
import { authenticate } from 'mailauth';
import { createDnsResolver } from '../../src/adapters/dns/node-resolver.ts';
import { createMailauthVerifier } from '../../src/adapters/mail-auth/mailauth-verifier.ts';
import { DurableFile } from '../../src/adapters/store/durable-file.ts';
import { openLowdbStore } from '../../src/adapters/store/lowdb-store.ts';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { deriveAddress, issueCookie, readCookie, writeAddress } from '../../src/app/challenge-tokens.ts';
import type { AppLimits } from '../../src/app/ports.ts';
import { createReceiveMail } from '../../src/app/receive-mail.ts';
import { readClientHint } from '../../src/core/client-hint.ts';
import { parseMailbox } from '../../src/core/mail-address.ts';
import type { OneTimeAddress } from '../../src/core/one-time-address.ts';
import { loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, kitZone } from '../../src/testkit/identities.ts';
import { writeMail } from '../../src/testkit/message.ts';

interface Row {
  readonly what: string;
  readonly ours: number;
  readonly peer: number;
  readonly unit: string;
  readonly ratio: number;
}

const domain = 'in.school.example';
const messages = 300;
const rounds = 5;
const pageSeconds = 3;

const limits: AppLimits = {
  challengeLifetimeMs: 3_600_000,
  codeLifetimeMs: 1_800_000,
  grantLifetimeMs: 600_000,
  wrongCodesMax: 5,
  wrongCodesPerMailboxPerDayMax: 20,
  sendersMax: 3,
  messagesMax: 5,
  dkimSignaturesMax: 10,
  repliesPerMailbox: { perMinuteMax: 1e6, perHourMax: 1e6, perDayMax: 1e6 },
};

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
  const ports = { secrets, store, verifier, clock: systemClock, replyQueued: () => {} };
  const mail = createReceiveMail(ports, { domain, from, checkTimeoutMs: 20_000, limits });
  const envelope = { remoteAddress: '127.0.0.1', helo: 'mail.school.example', mailFrom: amy.mailbox };

  const prepare = async (): Promise<{ raw: Buffer; recipient: OneTimeAddress }> => {
    const seed = readCookie(secrets, issueCookie(secrets, 'reset', 'en', Date.now()));
    if (seed === undefined) throw new Error('no cookie');
    const recipient = deriveAddress(secrets, seed, readClientHint(''), limits.challengeLifetimeMs);
    const to = `${writeAddress(secrets, recipient)}@${domain}`;
    return { raw: await writeMail(amy, keys, { to, subject: 'New password', body: 'Please.' }), recipient };
  };
  const prepared = await Promise.all(Array.from({ length: messages * rounds }, prepare));
  const options = {
    ip: envelope.remoteAddress,
    helo: envelope.helo,
    sender: envelope.mailFrom,
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
      await cpuMs(async () => {
        for (const { raw } of batch) {
          await authenticate(raw, {
            ...options,
            resolver: resolver.forMessage() as (n: string, t: string) => Promise<string[]>,
          });
        }
      }),
    );
    ours.push(
      await cpuMs(async () => {
        for (const { raw, recipient } of batch) {
          const { kind } = await mail.receive(raw, envelope, recipient);
          if (kind !== 'reply-queued') throw new Error(`a message of the benchmark got ${kind}`);
        }
      }),
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
  if (process.argv.includes('--json')) console.log(JSON.stringify(rows, undefined, 2));
  else {
    const cell = (value: number) => value.toFixed(value < 100 ? 2 : 0).padStart(9);
    console.log(`${'median of rounds in turns'.padEnd(44)}${'ours'.padStart(9)}${'peer'.padStart(9)}    ratio`);
    for (const { what, ours, peer, unit, ratio } of rows) {
      console.log(`${what.padEnd(44)}${cell(ours)}${cell(peer)}${cell(ratio)}  ${unit}`);
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
