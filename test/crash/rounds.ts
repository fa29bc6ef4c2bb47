// Kills the service at random moments under load, starts it again on the same folder, and holds it to its promise:
// every message that got 250 leads to exactly one code that works, the same one when the message comes again.
// Senders are as mail servers are: what got no 250 is sent again, byte for byte. Everything is real but the trouble.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';
import { type DkimKeys, loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { findIdentity } from '../../src/testkit/identities.ts';
import { type Kit, startKit } from '../../src/testkit/kit.ts';
import { writeMail } from '../../src/testkit/message.ts';
import type { ReceivedMessage } from '../../src/testkit/sink.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';
import { oneNetwork } from '../support/limits.ts';
import { codeIn, Visitor } from '../support/world.ts';
import { randomNumbers } from './random-numbers.ts';

/** What else goes wrong: the relay says "later", the disk does not write, the clock jumps. */
export const troubles = ['relay', 'disk', 'clock'] as const;
export type Trouble = (typeof troubles)[number];

export interface CrashReport {
  readonly rounds: number;
  /** Messages that got 250 before the kill, and those that got it by coming again. */
  readonly acceptedAtOnce: number;
  readonly acceptedLater: number;
  /** Codes that were typed and led on. */
  readonly redeemed: number;
  /** Replies that went out a second time, under the same Message-ID: handed over, and killed before that was noted. */
  readonly repeated: number;
}

/** A page, and the mail that was written for it. */
interface Attempt {
  readonly visitor: Visitor;
  readonly nonce: string;
  readonly address: string;
  readonly label: string;
  readonly author: Mailbox;
  readonly raw: Buffer;
  accepted: boolean;
  /** Whether its code was typed before the kill, and whether the page said that it was right. */
  typed: 'no' | 'unanswered' | 'right';
}

interface Running {
  readonly child: ChildProcess;
  readonly smtpPort: number;
}

/** What all rounds share. */
interface Scene {
  readonly kit: Kit;
  readonly keys: DkimKeys;
  readonly replies: Replies;
  readonly random: () => number;
  /** Where the service is at the moment. */
  readonly site: { webUrl: string };
  readonly data: string;
  readonly troubles: readonly Trouble[];
}

type Replies = ReturnType<typeof collectReplies>;

const project = join(import.meta.dirname, '../..');
const free = { host: '127.0.0.1', port: 0 };
const senders = 8;
const replyTimeoutMs = 20_000;

/**
 * Runs so many rounds.
 * @throws AssertionError as soon as a promise is broken
 */
export async function runCrashRounds(rounds: number, troubles: readonly Trouble[], seed: number): Promise<CrashReport> {
  const root = await mkdtemp(join(tmpdir(), 'rtv-crash-'));
  const data = join(root, 'data');
  const keysFile = join(root, 'dkim-keys.json');
  const site = { webUrl: '' };
  const random = randomNumbers(seed);
  const kit = await startKit({ dns: free, sink: free, mailbox: free, smtpPort: () => free, keysFile, random });
  const replies = collectReplies(kit);
  const keys = await loadDkimKeys(keysFile);
  const scene: Scene = { kit, keys, replies, random, site, data, troubles };
  const report = { rounds, acceptedAtOnce: 0, acceptedLater: 0, redeemed: 0, repeated: 0 };
  let running: Running | undefined;
  let attempts: readonly Attempt[] = [];
  try {
    const config = await writeConfig(root, scene);
    for (let round = 0; round <= rounds; round += 1) {
      kit.sink.faults = [];
      running = await start(config, scene, seed + round);
      const again = running;
      const left = [...attempts];
      const worker = async () => {
        for (let each = left.pop(); each !== undefined; each = left.pop()) {
          if (each.accepted) report.acceptedAtOnce += 1;
          else report.acceptedLater += 1;
          await comesAgain(each, again, scene);
          await holds(each, scene);
          report.redeemed += 1;
        }
      };
      await Promise.all(Array.from({ length: senders }, worker));
      attempts = round < rounds ? await loadAndKill(running, scene) : [];
    }
    return { ...report, repeated: replies.repeated() };
  } finally {
    running?.child.kill('SIGKILL');
    await kit.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function writeConfig(root: string, { kit, data }: Scene): Promise<string> {
  const config = join(root, 'crash.json');
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: [`127.0.0.1:${kit.dns.port}`] },
    relay: { url: `smtp://127.0.0.1:${kit.sink.port}` },
    data: { dir: data },
    // The service may hear that a connection has ended when its sender has begun the next one.
    limits: { ...oneNetwork, smtpConnectionsPerAddressMax: 10 * senders },
  };
  await writeFile(config, JSON.stringify(settings));
  return config;
}

async function start(config: string, { troubles, site }: Scene, seed: number): Promise<Running> {
  const clock = troubles.includes('clock') ? ['--import', './test/crash/jumping-clock.ts'] : [];
  const env = { ...process.env, JUMPS: String(seed) };
  const args = [...clock, 'src/main.ts', 'serve', '--config', config];
  const child = spawn(process.execPath, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  for await (const line of lines) {
    const [, web, port] = /"web":"([^"]+)","smtp":"127\.0\.0\.1:(\d+)"/.exec(line) ?? [];
    if (web === undefined) continue;
    child.stdout.resume(); // nobody reads its log, but a full pipe would hold it up
    site.webUrl = `http://${web}`;
    return { child, smtpPort: Number(port) };
  }
  return assert.fail('the service did not start');
}

/** All replies by label, with the Message-ID and the code of each. */
function collectReplies(kit: Kit) {
  const byLabel = new Map<string, { readonly id: string; readonly code: Promise<string> }[]>();
  let repeated = 0;
  kit.sink.onMessage((message) => {
    const label = labelOf(message);
    const id = /^Message-ID: *(\S+)/im.exec(message.raw.toString('latin1'))?.[1] ?? '';
    const known = byLabel.get(label) ?? [];
    if (known.some((reply) => reply.id === id)) repeated += 1;
    byLabel.set(label, [...known, { id, code: codeIn(message) }]);
  });
  const of = (label: string) => byLabel.get(label) ?? [];
  return {
    of,
    /** All that came for a label, once there is one. */
    async some(label: string) {
      if (of(label).length === 0) {
        await kit.sink.waitFor((message) => labelOf(message) === label, { timeoutMs: replyTimeoutMs });
      }
      return of(label);
    },
    repeated: () => repeated,
  };
}

function labelOf({ raw }: ReceivedMessage): string {
  return /^Subject: .*?([A-Z]{4}-[A-Z]{4})/m.exec(raw.toString('latin1'))?.[1] ?? '';
}

/** Counts what happens: pages that open, answers to mails, replies. A moment is when so much of it has happened. */
function createMoments(random: () => number) {
  let due: { left: number; come(): void } | undefined;
  return {
    happened() {
      if (due === undefined) return;
      due.left -= 1;
      if (due.left <= 0) due.come();
    },
    /** @param most things that happen until then, and then some turns of the event loop, for it is not to be the thing itself */
    async next(most: number): Promise<void> {
      await new Promise<void>((come) => {
        due = { left: Math.ceil(random() * most), come };
      });
      for (let turns = Math.floor(random() * 200); turns > 0; turns -= 1) await nextTurn();
    },
  };
}

type Moments = ReturnType<typeof createMoments>;

/** People at work until the service is killed. @returns what they had begun by then */
async function loadAndKill({ child, smtpPort }: Running, scene: Scene): Promise<readonly Attempt[]> {
  const { kit, random, data, troubles } = scene;
  const attempts: Attempt[] = [];
  const gone = once(child, 'exit');
  if (troubles.includes('relay')) kit.sink.faults = [{ at: 'rcpt', does: 'defer', chance: 0.3 }];
  const moments = createMoments(random);
  const endReplies = kit.sink.onMessage(moments.happened);
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  const work = async () => {
    // What goes wrong here, by the kill or by other trouble, is looked at after the restart.
    while (!isOver()) await attempt(scene, smtpPort, attempts, moments).catch(moments.happened);
  };
  // The kill ends them in the middle of whatever they do.
  const workers = Array.from({ length: senders }, work);
  await moments.next(100);
  if (troubles.includes('disk')) {
    const away = join(data, 'away');
    await rename(join(data, 'challenges'), away);
    await moments.next(20);
    await rename(away, join(data, 'challenges'));
    await moments.next(20);
  }
  child.kill('SIGKILL');
  await gone;
  endReplies();
  await Promise.all(workers);
  return attempts;
}

/** One person: opens the page, sends the mail, and if it goes that far types the code. */
async function attempt(
  { keys, site, replies }: Scene,
  smtpPort: number,
  attempts: Attempt[],
  { happened }: Moments,
): Promise<void> {
  const visitor = new Visitor(site);
  const { nonce, address, label } = await visitor.open();
  happened();
  // Each writes from a mailbox of its own, which is answered once a minute.
  const amy = findIdentity('amy');
  const author = parseMailbox(`${label.toLowerCase()}@school.example`);
  assert.ok(amy && author);
  const raw = await writeMail({ ...amy, mailbox: author }, keys, { to: address, subject: label, body: 'Please.' });
  const begun: Attempt = { visitor, nonce, address, label, author, raw, accepted: false, typed: 'no' };
  attempts.push(begun);
  begun.accepted = (await send(begun, smtpPort)).startsWith('250 ');
  happened();
  const code = await replies.of(label)[0]?.code;
  if (code === undefined) return;
  begun.typed = 'unanswered';
  assert.equal((await visitor.enter({ nonce }, code)).status, 303);
  begun.typed = 'right';
}

async function send({ address, author, raw }: Attempt, smtpPort: number): Promise<string> {
  const envelope = { mailFrom: author, rcptTo: address, raw, helo: 'mail.school.example' };
  const { code, text } = await deliver({ host: '127.0.0.1', port: smtpPort, ...envelope });
  return `${code} ${text}`;
}

/** Its sender's server tries once more: what was accepted before is accepted again, and not answered again. */
async function comesAgain(attempt: Attempt, { smtpPort }: Running, { troubles }: Scene): Promise<void> {
  if (attempt.typed !== 'no') return; // the address is used up
  let answer = await send(attempt, smtpPort);
  // A clock that jumps over the time that checks may take makes it come once more.
  for (let tries = 1; troubles.includes('clock') && tries < 10 && answer.startsWith('451 4.4.3 '); tries += 1) {
    answer = await send(attempt, smtpPort);
  }
  assert.match(answer, /^250 /, 'a message that comes again after the restart');
}

/** One code came for it, under one Message-ID, and it works. */
async function holds({ label, visitor, nonce, typed }: Attempt, { replies, troubles }: Scene): Promise<void> {
  const came = await replies.some(label);
  const codes = new Set(await Promise.all(came.map(({ code }) => code)));
  const ids = new Set(came.map(({ id }) => id));
  assert.deepEqual([codes.size, ids.size], [1, 1], 'one code, one Message-ID');
  const [code = ''] = codes;
  if (typed === 'right') {
    assert.equal((await visitor.request('/reset/accounts')).status, 200, 'what the code earned is there');
    return;
  }
  // Whoever heard nothing types it again. That counts as the same only for some seconds, which a clock may jump over.
  const { status } = await visitor.enter({ nonce }, code);
  if (status !== 303) assert.deepEqual([troubles.includes('clock'), typed, status], [true, 'unanswered', 409]);
}
