// Where the master secret comes from: the same one every time, seen by nobody else, and never in a message.

import assert from 'node:assert/strict';
import { chmod, type FileHandle, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadMasterSecret } from '../../src/adapters/system/master-secret.ts';

async function temporary(t: TestContext): Promise<{ folder: string; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-keys-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return { folder, path: join(folder, 'keys.json') };
}

const fromFile = (folder: string) => loadMasterSecret({ source: 'file', secret: null, folder });
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
  const given = await loadMasterSecret({ source: 'env', secret: secret.toString('base64url'), folder });
  assert.equal(hex(given), hex(secret));
  const ephemeral = () => loadMasterSecret({ source: 'ephemeral', secret: null, folder });
  const [one, other] = [await ephemeral(), await ephemeral()];
  assert.equal(one.length, 32);
  assert.notEqual(hex(one), hex(other));
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
    loadMasterSecret({ source: 'file', secret: null, folder, uid: somebodyElse }),
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
  ['another version', (good) => good.replace('"version": 1', '"version": 2')],
  ['no key', () => '{"version":1,"keys":[]}'],
  ['two keys', (good) => JSON.stringify({ version: 1, keys: [1, 2].flatMap(() => JSON.parse(good).keys) })],
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

test('a folder that is not there is an error', async (t) => {
  const { folder } = await temporary(t);
  await assert.rejects(fromFile(join(folder, 'nowhere')), { code: 'ENOENT' });
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
