// A thief's view: every byte of the data folder, and every byte that the process printed, after all that people and others
// do. No secret is in there, in no way of writing it. The process is a real one, its log as talkative as it can be.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { fromHex, textBytes } from '../../src/core/bytes.ts';
import { demoAccounts } from '../../src/testkit/demo-accounts.ts';
import type { IdentityKey } from '../../src/testkit/identities.ts';
import { type Kit, startKit } from '../../src/testkit/kit.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { digitsAt, readKey } from '../support/authenticator.ts';
import { keysIn } from '../support/keyring.ts';
import { codeIn, noticeTo, replyTo, stored, Visitor } from '../support/world.ts';

const project = join(import.meta.dirname, '../..');
const amy = 'amy.pond@school.example';
const free = { host: '127.0.0.1', port: 0 };
const passwords = ['blue kettle winter piano', 'éléphant 🐘 et souris grise'] as const;

/** Everything that must be nowhere, by name: as people write it, or as bytes. */
const secrets: [name: string, value: string | Uint8Array][] = [];

let root: string;
let dataDir: string;
let kit: Kit;
let printed = '';
let service: ReturnType<typeof spawn>;
const ports = { web: 0, smtp: 0 };
const world = {
  get kit() {
    return kit;
  },
  get webUrl() {
    return `http://127.0.0.1:${ports.web}`;
  },
};

async function startService(): Promise<void> {
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: [`127.0.0.1:${kit.dns.port}`] },
    relay: { url: `smtp://127.0.0.1:${kit.sink.port}` },
    data: { dir: dataDir },
    audit: { mailboxes: 'clear' },
    log: { level: 'debug' },
    limits: { repliesPerMailboxPerMinute: 60, repliesPerMailboxPerHour: 1000, repliesPerMailboxPerDay: 1000 },
  };
  const config = join(root, 'settings.yaml');
  await writeFile(config, JSON.stringify(settings));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RTV_')));
  service = spawn(process.execPath, ['src/main.ts', 'serve', '--config', config], { cwd: project, env });
  const from = printed.length;
  for (const stream of [service.stdout, service.stderr]) {
    stream?.setEncoding('latin1').on('data', (text: string) => {
      printed += text;
    });
  }
  const started = () => /"web":"127\.0\.0\.1:(\d+)","smtp":"127\.0\.0\.1:(\d+)".*"started"/.exec(printed.slice(from));
  for (let found = started(); ; found = started()) {
    if (found !== null) return void Object.assign(ports, { web: Number(found[1]), smtp: Number(found[2]) });
    assert.equal(service.exitCode, null, printed);
    await once(service.stdout ?? assert.fail(), 'data');
  }
}

async function stopService(): Promise<void> {
  service.kill('SIGTERM');
  await once(service, 'exit');
}

/** Mails, waits for the reply, and keeps what is secret about it. */
async function mailed(
  visitor: Visitor,
  who: IdentityKey = 'amy',
  mailbox = amy,
): Promise<{ page: OpenPage; code: string }> {
  const page = await visitor.open();
  const { code: answer } = await kit.send(who, { to: page.address, subject: page.label });
  assert.equal(answer, 250);
  const code = (await codeIn(await replyTo(world, mailbox, page.label))).replace(' ', '');
  keepPage(visitor, page);
  secrets.push(['code', code]);
  return { page, code };
}

function keepPage(visitor: Visitor, page: OpenPage): void {
  secrets.push(['one-time address', page.address.split('@')[0] ?? ''], ['nonce', Buffer.from(page.nonce, 'base64url')]);
  for (const [name, value] of visitor.cookies) secrets.push([`cookie ${name}`, Buffer.from(value, 'base64url')]);
}

async function idOf(name: string): Promise<string> {
  const { accounts } = JSON.parse(await readFile(join(dataDir, 'accounts.json'), 'utf8'));
  return accounts.find((account: { name: string }) => account.name === name).id;
}

/** From the mail to a new password, with a disk that fails once on the way. */
async function reset(password: string, name: string): Promise<{ visitor: Visitor; nonce: string }> {
  const visitor = new Visitor(world);
  const { page, code } = await mailed(visitor);
  for (const step of [1, 2]) {
    const wrong = String((Number(code) + step) % 1e8).padStart(8, '0');
    secrets.push(['wrong code', wrong]);
    assert.equal((await visitor.enter(page, wrong)).status, 422);
  }
  assert.equal((await visitor.enter(page, code)).status, 303);
  keepPage(visitor, page); // with the grant
  const account = await idOf(name);
  await visitor.post('/reset/accounts', { nonce: page.nonce, account });
  const form = { nonce: page.nonce, account, password, repeated: password };
  assert.equal((await visitor.post('/reset/password', { ...form, repeated: `${password}!` })).status, 422);
  const blocked = join(dataDir, 'accounts.json.tmp');
  await mkdir(blocked);
  assert.equal((await visitor.post('/reset/password', form)).status, 503);
  await rmdir(blocked);
  assert.equal((await visitor.post('/reset/password', form)).status, 303);
  secrets.push(['password', password]);
  return { visitor, nonce: page.nonce };
}

/** Enrols an app after a reset, and is asked for it at the next one. */
async function useSecondFactor({ visitor, nonce }: { visitor: Visitor; nonce: string }, name: string): Promise<void> {
  const key = /data-key="([A-Z2-7]{32})"/.exec(await (await visitor.request('/reset/enrol')).text())?.[1] ?? '';
  const code = digitsAt(readKey(key), Date.now());
  const codes = await (await visitor.post('/reset/enrol', { nonce, code })).text();
  const recovery = codes.match(/(?<=<code dir="ltr">)(?:[0-9a-z]{4}-){3}[0-9a-z]{4}/g) ?? [];
  assert.equal(recovery.length, 10);
  secrets.push(['app secret', readKey(key)], ['app key', key]);
  for (const each of recovery) secrets.push(['recovery code', each.replaceAll('-', '')]);
  const next = new Visitor(world);
  const mail = await mailed(next);
  await next.enter(mail.page, mail.code);
  const form = { nonce: mail.page.nonce, account: await idOf(name) };
  await next.post('/reset/accounts', form);
  const wrong = 'k7m2-9qxf-h3tw-zz8p';
  secrets.push(['wrong recovery code', wrong.replaceAll('-', '')]);
  assert.equal((await next.post('/reset/second-factor', { ...form, factor: wrong })).status, 422);
  assert.equal((await next.post('/reset/second-factor', { ...form, factor: recovery[0] ?? '' })).status, 303);
}

/** What was derived on the way: with a salt that is stored, or a name that is. */
async function keepDerived(): Promise<void> {
  const { mac } = createSecrets(await keysIn(dataDir));
  const records = async (name: 'challenges' | 'changes') => {
    const lines = (await stored({ dataDir }, name)).split('\n').filter((line) => line !== '');
    return lines.map((line): ReturnType<typeof JSON.parse> => JSON.parse(line));
  };
  const challenges = await records('challenges');
  assert.ok(challenges.length >= 4);
  for (const { id, senders } of challenges)
    for (const { salt, mailbox } of senders)
      secrets.push(['digest of a code', mac('code', textBytes(`${id}|${salt}|${mailbox}`))]);
  for (const { changeId } of await records('changes'))
    secrets.push(['digest of an undo code', mac('undo', fromHex(changeId))]);
}

/** Every way to write a secret that somebody might have thought of. */
function* spellings(value: string | Uint8Array): Generator<Buffer> {
  const texts = typeof value === 'string' ? [...grouped(value)] : [];
  const all = typeof value === 'string' ? texts.map((text) => Buffer.from(text)) : [Buffer.from(value)];
  for (const bytes of all) {
    yield bytes;
    yield Buffer.from(bytes.toString('hex'));
    yield Buffer.from(bytes.toString('hex').toUpperCase());
    yield Buffer.from(JSON.stringify(bytes.toString()).slice(1, -1));
    // Also in the middle of something longer: base64 looks different at each of three offsets.
    for (const offset of [0, 1, 2]) {
      const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
      const whole = shifted.length - (shifted.length % 3);
      for (const form of ['base64', 'base64url'] as const) {
        yield Buffer.from(
          shifted
            .subarray(0, whole)
            .toString(form)
            .slice(offset === 0 ? 0 : 4),
        );
      }
    }
  }
}

/** As it is, in groups of two to four with blanks, hyphens and dots, and all of that from the back. */
function* grouped(text: string): Generator<string> {
  for (const order of [text, [...text].reverse().join('')]) {
    for (const written of new Set([order, order.toUpperCase(), order.normalize('NFKC')])) {
      yield written;
      for (const size of [2, 3, 4]) {
        const groups = written.match(new RegExp(`.{1,${size}}`, 'gsu')) ?? [];
        for (const separator of [' ', '-', '.', '']) {
          yield groups.join(separator);
          yield groups.toReversed().join(separator);
        }
      }
    }
  }
}

/** All files, and what was printed. */
async function dump(): Promise<[name: string, bytes: Buffer][]> {
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  // The service may put another one in its place meanwhile.
  const bytes = (file: string) => readFile(file).catch(() => Buffer.alloc(0));
  const read = files.map(async (file): Promise<[string, Buffer]> => [file.slice(dataDir.length), await bytes(file)]);
  return [...(await Promise.all(read)), ['what was printed', Buffer.from(printed, 'latin1')]];
}

function holds(bytes: Buffer, written: Buffer): boolean {
  const isHex = (byte = 0) => /[0-9a-f]/.test(String.fromCharCode(byte));
  for (let at = bytes.indexOf(written); at >= 0; at = bytes.indexOf(written, at + 1)) {
    // Eight digits turn up in the middle of long hexadecimal names by chance, once in a thousand runs of this.
    const byChance = written.length < 12 && isHex(bytes[at - 1]) && isHex(bytes[at + written.length]);
    if (!byChance) return true;
  }
  return false;
}

function findIn(places: readonly (readonly [string, Buffer])[], all: typeof secrets): string[] {
  return all.flatMap(([name, value]) => {
    const written = [...spellings(value)].filter(({ length }) => length > 7);
    return places
      .filter(([, bytes]) => written.some((one) => holds(bytes, one)))
      .map(([place]) => `${name} in ${place}`);
  });
}

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'rtv-dump-'));
  dataDir = join(root, 'data');
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'accounts.json'), JSON.stringify({ version: 1, accounts: demoAccounts }));
  kit = await startKit({ dns: free, sink: free, mailbox: free, smtpPort: () => ports.smtp });
  await startService();
});
after(async () => {
  service.kill('SIGKILL');
  await kit.close();
  await rm(root, { recursive: true, force: true });
});

describe('what is kept and what is printed', () => {
  it('holds no secret, in no way of writing it, while the service runs and afterwards', async () => {
    const first = await reset(passwords[0], 'apond');
    await useSecondFactor(first, 'apond');
    const { undoCode } = await noticeTo(world, amy);
    secrets.push(['undo code', undoCode.replaceAll('-', '')]);
    await reset(passwords[1], 'amy.chess');
    const stranger = new Visitor(world);
    assert.equal((await stranger.post('/undo', { code: '0'.repeat(16) })).status, 422);
    assert.equal((await stranger.post('/undo', { code: undoCode })).status, 200);
    // Somebody without an account, one who is refused, one who guesses until the end.
    const rory = new Visitor(world);
    const { page, code } = await mailed(rory, 'rory', 'rory.williams@school.example');
    assert.equal((await rory.enter(page, code)).status, 303);
    const refused = new Visitor(world);
    const shown = await refused.open();
    assert.equal((await kit.send('forger', { to: shown.address, subject: shown.label })).code, 550);
    keepPage(refused, shown);
    const guesser = new Visitor(world);
    const target = await mailed(guesser);
    for (let step = 1; step <= 5; step += 1) {
      await guesser.enter(target.page, String((Number(target.code) + step) % 1e8).padStart(8, '0'));
    }
    assert.equal((await guesser.enter(target.page, target.code)).status, 403);
    await keepDerived();

    assert.deepEqual(findIn(await dump(), secrets), []);
    await stopService();
    const places = await dump();
    assert.deepEqual(findIn(places, secrets), []);
    await startService();
    await stopService();
    assert.deepEqual(findIn(await dump(), secrets), []);

    // It did happen, and it was looked at.
    const named = new Set(secrets.map(([name]) => name.replace(/^cookie .*/, 'cookie')));
    assert.ok(named.size >= 13 && secrets.length > 40, [...named].join(', '));
    assert.ok(secrets.some(([name]) => name === 'cookie rtv-grant'));
    const names = places.map(([name]) => name);
    for (const file of ['/accounts.json', '/challenges/1.json', '/changes/1.json', '/keys.json'])
      assert.ok(names.includes(file), file);
    const texts = Object.fromEntries(places.map(([name, bytes]) => [name, bytes.toString('latin1')]));
    assert.match(texts['/accounts.json'] ?? '', /\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.match(
      texts['/audit.jsonl'] ?? '',
      /password-set.*second-factor-enrolled.*second-factor-wrong.*change-undone/s,
    );
    assert.match(texts['what was printed'] ?? '', /"warn".*accounts could not be written/);
  });

  it('the master secret is in the file of the keys alone', async () => {
    const master = (await keysIn(dataDir)).keys[0]?.secret ?? assert.fail('no key');
    assert.deepEqual(findIn(await dump(), [['master secret', master]]), ['master secret in /keys.json']);
  });

  it('would be seen in any of these ways', () => {
    const code = '48217730';
    const bytes = Buffer.from('0123456789abcdef0123456789abcdef', 'hex');
    for (const [value, text] of [
      [code, 'x48217730x'],
      [code, '4821 7730'],
      [code, '482-177-30'],
      [code, '7730 4821'],
      [code, '03771284'],
      [code, Buffer.from(code).toString('hex')],
      [code, Buffer.from(`{"code":"${code}"}`).toString('base64')],
      [code, Buffer.from(`{"a":"${code}"}`).toString('base64url')],
      [code, Buffer.from(`{"${code}"}`).toString('base64')],
      ['k7m29qxfk7m29qxf', 'K7M2-9QXF-K7M2-9QXF'],
      ['éléphant', 'x éléphant'],
      [bytes, bytes.toString('hex')],
      [bytes, `aa${bytes.toString('base64url')}`],
      [bytes, Buffer.concat([Buffer.from('x'), bytes, Buffer.from('x')]).toString('base64')],
      [bytes, bytes.toString('latin1')],
    ] as const) {
      const place = Buffer.from(text, typeof value === 'string' ? 'utf8' : 'latin1');
      assert.deepEqual(findIn([['here', place]], [['it', value]]), ['it in here'], text);
    }
    assert.deepEqual(findIn([['here', Buffer.from('48217731')]], [['it', code]]), []);
  });
});
