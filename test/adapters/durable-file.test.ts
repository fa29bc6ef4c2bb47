// The file under the store: what is renamed was synced before, whoever reads sees the old or the new, nobody else reads.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DurableFile, removeLeftovers } from '../../src/adapters/store/durable-file.ts';

async function temporary(t: TestContext): Promise<{ folder: string; path: string; file: DurableFile }> {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-file-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'data.json');
  return { folder, path, file: new DurableFile(path) };
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test('gives back what was written, for its owner alone, and leaves nothing beside it', async (t) => {
  const { folder, path, file } = await temporary(t);
  assert.equal(await file.read(), null, 'nothing there yet');
  for (const data of [{ a: ['ü', 1, null] }, { b: 'x'.repeat(100_000) }, {}]) {
    await file.write(data);
    assert.deepEqual(await new DurableFile(path).read(), data);
    assert.deepEqual(await readdir(folder), ['data.json']);
    assert.equal(await modeOf(path), '600');
  }
});

test('is for its owner alone also where others could read before', async (t) => {
  const { path, file } = await temporary(t);
  await writeFile(path, '{}', { mode: 0o644 });
  await file.write({ one: 1 });
  assert.equal(await modeOf(path), '600');
});

test('is for its owner alone also when a crash of another program left a temporary file', async (t) => {
  const { path, file } = await temporary(t);
  await writeFile(`${path}.tmp`, 'half of someth', { mode: 0o644 });
  await file.write({ one: 1 });
  assert.deepEqual(await file.read(), { one: 1 });
  assert.equal(await modeOf(path), '600');
});

test('syncs the new content before the rename, and the folder after it', async (t) => {
  const { folder, path, file } = await temporary(t);
  await file.write('old');
  const handle = await open(folder, 'r');
  await handle.close();
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  const seen: [string, string][] = [];
  const { sync, datasync } = prototype;
  const look = () => {
    const read = (name: string) => {
      try {
        return readFileSync(name, 'utf8');
      } catch {
        return 'none';
      }
    };
    seen.push([read(path), read(`${path}.tmp`)]);
  };
  t.mock.method(prototype, 'datasync', function file(this: FileHandle) {
    look();
    return datasync.call(this);
  });
  t.mock.method(prototype, 'sync', function folder(this: FileHandle) {
    look();
    return sync.call(this);
  });
  await file.write('new');
  assert.deepEqual(seen, [
    ['"old"', '"new"'],
    ['"new"', 'none'],
  ]);
});

test('a reader sees the old or the new, never a half', async (t) => {
  const { path, file } = await temporary(t);
  const versions = ['a', 'b'].map((letter) => ({ text: letter.repeat(300_000) }));
  await file.write(versions[0]);
  let done = false;
  const writing = (async () => {
    for (let number = 0; number < 20; number += 1) await file.write(versions[number % 2]);
    done = true;
  })();
  const seen = new Set<string>();
  while (!done) {
    const text = await readFile(path, 'utf8');
    assert.ok(versions.some((version) => JSON.stringify(version) === text));
    seen.add(text.slice(0, 12));
  }
  await writing;
  assert.equal(seen.size, 2, 'both were seen');
});

test('a write that fails leaves the old content', async (t) => {
  const { path, file } = await temporary(t);
  await file.write('old');
  await mkdir(`${path}.tmp`);
  await assert.rejects(file.write('new'), { code: 'EISDIR' });
  assert.equal(await file.read(), 'old');
});

test('a rename that fails leaves nothing of the new content behind', async (t) => {
  const { folder, path, file } = await temporary(t);
  await mkdir(path);
  await assert.rejects(file.write('amy.pond@school.example'), { code: 'EISDIR' });
  assert.deepEqual(await readdir(folder), ['data.json']);
});

test('a folder that vanished is an error, and the write after its return is not', async (t) => {
  const { folder, file } = await temporary(t);
  await rm(folder, { recursive: true });
  await assert.rejects(file.write('new'), { code: 'ENOENT' });
  assert.equal(await file.read(), null);
  await mkdir(folder);
  await file.write('new');
  assert.equal(await file.read(), 'new');
});

test('what is no JSON is a SyntaxError, what cannot be read is not an empty file', async (t) => {
  const { path, file } = await temporary(t);
  await writeFile(path, '{"half":');
  await assert.rejects(file.read(), SyntaxError);
  await rm(path);
  await mkdir(path);
  await assert.rejects(file.read(), { code: 'EISDIR' });
});

test('what a crash left is removed by the owner of the folder, and by nobody who only reads', async (t) => {
  const { folder, path, file } = await temporary(t);
  await file.write('kept');
  await writeFile(`${path}.tmp`, 'half of someth');
  assert.equal(await file.read(), 'kept');
  assert.deepEqual(
    (await readdir(folder)).toSorted(),
    ['data.json', 'data.json.tmp'],
    'explain reads beside a service',
  );
  await removeLeftovers(folder);
  assert.deepEqual(await readdir(folder), ['data.json']);
});
