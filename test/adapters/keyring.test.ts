// Where the master keys come from: the same ones every time, seen by nobody else, and never in a message.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, type FileHandle, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DurableFile } from '../../src/adapters/store/durable-file.ts';
import { type KeyringOptions, openKeyring, writtenKeys } from '../../src/adapters/system/keyring.ts';

async function temporary(t: TestContext): Promise<{ folder: string; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { folder, path: join(folder, 'keys.json') };
}

const now = Date.UTC(2030, 0, 1);
const hour = 3_600_000;

/** As the service opens it. */
function openRing(options: KeyringOptions) {
  const file = new DurableFile(join(options.folder, 'keys.json'), { write: writtenKeys });
  return openKeyring(options, now, (content) => file.write(content));
}
const ringIn = (folder: string) => openRing({ source: 'file', secret: [], folder });
const fromFile = async (folder: string) => (await ringIn(folder)).keys[0]?.secret ?? assert.fail('no key');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const secretIn = (text: string): string => JSON.parse(text).keys[0].secret;

test('is made once, for its owner alone, and the same next time', async (t) => {
  const { folder, path } = await temporary(t);
  const secret = await fromFile(folder);
  assert.equal(secret.length, 32);
  assert.deepEqual(await readdir(folder), ['keys.json']);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(hex(await fromFile(folder)), hex(secret));
  const other = await temporary(t);
  assert.notEqual(hex(await fromFile(other.folder)), hex(secret));
});

test('comes from the environment, or lives as long as the process, and then no file is made', async (t) => {
  const { folder } = await temporary(t);
  const secret = Buffer.alloc(40, 7);
  const older = Buffer.alloc(32, 8);
  const options = { source: 'env', secret: [secret, older].map((each) => each.toString('base64url')), folder } as const;
  const [given, again] = [await openRing(options), await openRing(options)];
  assert.deepEqual(
    given.keys.map((key) => hex(key.secret)),
    [hex(secret), hex(older)],
  );
  assert.deepEqual(given.keys, again.keys, 'they have the same names everywhere');
  assert.equal(given.change, undefined, 'nobody here changes them');
  const ephemeral = () => openRing({ source: 'ephemeral', secret: [], folder });
  const [one, other] = [await ephemeral(), await ephemeral()];
  assert.equal(one.keys[0]?.secret.length, 32);
  assert.notEqual(one.keys[0]?.id, other.keys[0]?.id);
  await one.change?.add(now);
  assert.equal(one.keys.length, 2);
  assert.deepEqual(await readdir(folder), []);
});

for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601]) {
  test(`mode ${mode.toString(8)} is refused, with the remedy`, async (t) => {
    const { folder, path } = await temporary(t);
    await fromFile(folder);
    await chmod(path, mode);
    const secret = secretIn(await readFile(path, 'utf8'));
    await assert.rejects(fromFile(folder), ({ message }: Error) => {
      assert.ok(message.includes(`chmod 600 ${path}`) && message.includes(mode.toString(8)), message);
      assert.ok(!message.includes(secret));
      return true;
    });
  });
}

test('a file of somebody else is refused, for its owner can read it', async (t) => {
  const { folder } = await temporary(t);
  await fromFile(folder);
  const somebodyElse = 65_534;
  await assert.rejects(
    openRing({ source: 'file', secret: [], folder, uid: somebodyElse }),
    /keys\.json belongs to somebody else/,
  );
});

test('a file that may be read by its owner alone is taken in any such mode', async (t) => {
  const { folder, path } = await temporary(t);
  const secret = await fromFile(folder);
  await chmod(path, 0o400);
  assert.equal(hex(await fromFile(folder)), hex(secret));
});

const damages: [string, (good: string) => string][] = [
  ['nothing', () => ''],
  ['half of it', (good) => good.slice(0, good.length / 2)],
  ['the secret alone', secretIn],
  ['another version', (good) => good.replace('"version": 2', '"version": 3')],
  ['no key', () => '{"version":1,"keys":[]}'],
  [
    'two keys where there was one',
    (good) => JSON.stringify({ version: 1, keys: [1, 2].flatMap(() => JSON.parse(good).keys) }),
  ],
  ['the same key twice', (good) => JSON.stringify({ version: 2, keys: [1, 2].flatMap(() => JSON.parse(good).keys) })],
  ['a key that is too short', (good) => good.replace(secretIn(good), secretIn(good).slice(0, 40))],
  ['a key that is no base64url', (good) => good.replace(secretIn(good), `${secretIn(good).slice(0, 42)}=`)],
  ['a field more', (good) => good.replace('"id"', `"${secretIn(good)}": 1, "id"`)],
];
for (const [title, damage] of damages) {
  test(`a damaged file (${title}) is refused and left as it is, the key is not in the message`, async (t) => {
    const { folder, path } = await temporary(t);
    await fromFile(folder);
    const good = await readFile(path, 'utf8');
    const bad = damage(good);
    assert.notEqual(bad, good);
    await writeFile(path, bad);
    await assert.rejects(fromFile(folder), (error: Error) => {
      assert.ok(error.message.startsWith(`${path} is damaged. Put back a good copy`), error.message);
      assert.ok(!`${error.stack}${error.cause}`.includes(secretIn(good).slice(0, 8)));
      return true;
    });
    assert.equal(await readFile(path, 'utf8'), bad);
  });
}

test('those who start at once agree on one secret', async (t) => {
  for (let round = 0; round < 10; round += 1) {
    const { folder } = await temporary(t);
    const secrets = await Promise.all([1, 2, 3].map(() => fromFile(folder)));
    assert.equal(new Set(secrets.map(hex)).size, 1);
  }
});

/** What all file handles have in common, so that a test can look over their shoulder. */
async function handlePrototype(folder: string): Promise<FileHandle> {
  const handle = await open(folder, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle);
}

test('is on disk before it is used, and written no second time', async (t) => {
  const { folder } = await temporary(t);
  const sync = t.mock.method(await handlePrototype(folder), 'sync');
  await fromFile(folder);
  const synced = sync.mock.callCount();
  assert.ok(synced > 0);
  await fromFile(folder);
  assert.equal(sync.mock.callCount(), synced);
});

test('one who starts while another is still writing agrees with him', async (t) => {
  const { folder, path } = await temporary(t);
  const prototype = await handlePrototype(folder);
  const { writeFile: original } = prototype;
  let second: Promise<Uint8Array> | undefined;
  t.mock.method(prototype, 'writeFile', async function write(this: FileHandle, text: string) {
    if (second === undefined) {
      second = fromFile(folder);
      await Promise.allSettled([second]);
    }
    return original.call(this, text);
  });
  const first = await fromFile(folder);
  assert.equal(hex(await (second ?? fromFile(folder))), hex(first));
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ['keys.json'], 'and nothing is left beside the file');
});

test('a folder that is not there is an error', async (t) => {
  const { folder } = await temporary(t);
  await assert.rejects(fromFile(join(folder, 'nowhere')), { code: 'ENOENT' });
});

// ---- rotation ----

test('a file of the version before is read, and written as it is now when it changes', async (t) => {
  const { folder, path } = await temporary(t);
  const secret = Buffer.alloc(32, 7).toString('base64url');
  const old = { version: 1, keys: [{ id: '0a1b2c3d', createdAt: '2029-12-01T00:00:00.000Z', secret }] };
  await writeFile(path, JSON.stringify(old), { mode: 0o600 });
  const ring = await ringIn(folder);
  assert.deepEqual(
    ring.keys.map(({ id, createdAt }) => [id, createdAt]),
    [['0a1b2c3d', Date.UTC(2029, 11, 1)]],
  );
  assert.equal(await readFile(path, 'utf8'), JSON.stringify(old));
  await ring.change?.add(now);
  const { version, keys } = JSON.parse(await readFile(path, 'utf8'));
  assert.deepEqual([version, keys.length, keys[1]], [2, 2, old.keys[0]]);
});

test('a new key is the first, on disk with mode 0600, and the same for the next start; the newest is never dropped', async (t) => {
  const { folder, path } = await temporary(t);
  const ring = await ringIn(folder);
  await ring.change?.add(now + hour);
  const [newest, oldest] = ring.keys;
  assert.deepEqual(
    ring.keys.map(({ createdAt }) => createdAt),
    [now + hour, now],
  );
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.deepEqual((await ringIn(folder)).keys, ring.keys);
  await ring.change?.drop([oldest?.id ?? '', newest?.id ?? '']);
  assert.deepEqual(ring.keys, [newest]);
  assert.deepEqual((await ringIn(folder)).keys, [newest]);
  assert.ok(!(await readFile(path, 'utf8')).includes(Buffer.from(oldest?.secret ?? []).toString('base64url')));
});

test('a disk that takes nothing leaves file and keys as they were', async (t) => {
  const { folder, path } = await temporary(t);
  const ring = await ringIn(folder);
  const before = [ring.keys, await readFile(path, 'utf8')];
  const full = t.mock.method(await handlePrototype(folder), 'writeFile', () => Promise.reject(new Error('ENOSPC')));
  await assert.rejects(async () => ring.change?.add(now), {
    name: 'DependencyError',
    message: 'the keys could not be written',
  });
  full.mock.restore();
  assert.deepEqual([ring.keys, await readFile(path, 'utf8')], before);
  assert.deepEqual(await readdir(folder), ['keys.json']);
});

test('a process that is killed while it writes a key leaves a file that is whole', async (t) => {
  const { folder } = await temporary(t);
  await fromFile(folder);
  const source = (path: string) => JSON.stringify(new URL(`../../src/adapters/${path}`, import.meta.url).href);
  const code = `
    import { DurableFile } from ${source('store/durable-file.ts')};
    import { openKeyring, writtenKeys } from ${source('system/keyring.ts')};
    const folder = ${JSON.stringify(folder)};
    const file = new DurableFile(folder + '/keys.json', { write: writtenKeys });
    const options = { source: 'file', secret: [], folder };
    const ring = await openKeyring(options, Date.now(), (content) => file.write(content));
    console.log('begun');
    for (;;) {
      await ring.change.add(Date.now());
      await ring.change.drop(ring.keys.slice(2).map(({ id }) => id));
    }`;
  for (let round = 0; round < 8; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    for (let turn = 0; turn < round * 7; turn += 1) await stat(folder); // another moment each time
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { keys } = await ringIn(folder);
    // Killed right after the first one it made, it leaves one more than there were.
    assert.ok(keys.length >= 1 && keys.length <= Math.max(3, round + 2), `${keys.length} keys`);
  }
});
