// The files of the store: whole or noticed, private, and left alone by whoever only reads.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { prepareSegments, segmentFiles } from '../../src/adapters/store/segment-files.ts';
import { onSmallDisk } from '../support/disks.ts';

async function temporary(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'rtv-segments-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, 'challenges');
  return { root, folder, files: segmentFiles(folder, `${folder}.json`) };
}

const data = { version: 2, sweptAt: 0, records: { ab: { text: 'grün', list: [1, null] } } };

test('what was written is read again, by its number, and is for its owner alone', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  assert.equal(await files.file(1).read(), null);
  for (const number of [1, 2, 30]) {
    const file = files.file(number);
    await file.write({ ...data, number });
    await file.write('more');
    assert.deepEqual(await file.read(), [{ ...data, number }, 'more']);
  }
  for (const number of [1, 2, 30]) assert.deepEqual(await files.file(number).read(), [{ ...data, number }, 'more']);
  const numbers = (await files.list()).toSorted((one, other) => one - other);
  assert.deepEqual(numbers, [1, 2, 30]);
  assert.equal(((await stat(folder)).mode & 0o777).toString(8), '700');
  assert.equal(((await stat(join(folder, '1.json'))).mode & 0o777).toString(8), '600');
  await files.remove(2);
  await files.remove(2);
  assert.deepEqual((await readdir(folder)).toSorted(), ['1.json', '30.json']);
});

test('another one of the same number is never written over or added to', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  await files.file(1).write(data);
  await assert.rejects(files.file(1).write(data), { code: 'EEXIST' });
});

test('without a folder there is nothing, and reading makes none', async (t) => {
  const { root, files } = await temporary(t);
  assert.deepEqual(await files.list(), []);
  assert.equal(await files.file(0).read(), null);
  assert.deepEqual(await readdir(root), []);
});

test('the one file of before is number 0, plain JSON', async (t) => {
  const { folder, files } = await temporary(t);
  await writeFile(`${folder}.json`, '{"version":1,"records":{}}');
  assert.deepEqual(await files.list(), [0]);
  assert.deepEqual(await files.file(0).read(), [{ version: 1, records: {} }]);
  await files.remove(0);
  assert.deepEqual(await files.list(), []);
  assert.equal(await files.file(0).read(), null);
});

test('half a line at the end was told to nobody, and is not read; all before it is', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  const path = join(folder, '1.json');
  const file = files.file(1);
  await file.write(data);
  const { length } = await readFile(path);
  await file.write('last');
  const whole = await readFile(path);
  for (let end = length; end < whole.length; end += 1) {
    await writeFile(path, whole.subarray(0, end));
    assert.deepEqual(await files.file(1).read(), [data]);
  }
  for (let at = length; at < whole.length - 1; at += 1) {
    await writeFile(path, whole.with(at, 0));
    assert.deepEqual(await files.file(1).read(), [data], 'the disk got a part of it only');
  }
  await writeFile(path, '');
  assert.deepEqual(await files.file(1).read(), []);
});

test('any octet that is another or missing before the last line is noticed', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  const path = join(folder, '1.json');
  const file = files.file(1);
  await file.write(data);
  const { length } = await readFile(path);
  await file.write('more');
  await file.write('last');
  const whole = await readFile(path);
  const damaged = Array.from({ length }, (_, at) => [
    whole.with(at, whole.at(at) === 0x31 ? 0x32 : 0x31),
    Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]),
  ]);
  for (const bytes of damaged.flat()) {
    await writeFile(path, bytes);
    await assert.rejects(files.file(1).read(), SyntaxError);
  }
});

test('a segment of an earlier version is read, and any damage to it noticed', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  const path = join(folder, '1.json');
  const text = JSON.stringify(data);
  const whole = Buffer.from(`${crc32(text).toString(16).padStart(8, '0')}\n${text}`);
  await writeFile(path, whole);
  assert.deepEqual(await files.file(1).read(), [data]);
  for (let at = 9; at < whole.length; at += 1) {
    await writeFile(path, whole.subarray(0, at));
    await assert.rejects(files.file(1).read(), SyntaxError);
  }
});

test('a disk that takes half a line: it is gone again, and so is a file of nothing but that', async () => {
  const { href } = new URL('../../src/adapters/store/segment-files.ts', import.meta.url);
  const code = `
    import { mkdtemp, readdir, rm } from 'node:fs/promises';
    import { tmpdir } from 'node:os';
    import { join } from 'node:path';
    import { segmentFiles } from ${JSON.stringify(href)};
    process.on('SIGXFSZ', () => {});
    const folder = await mkdtemp(join(tmpdir(), 'rtv-segments-'));
    const files = segmentFiles(folder, join(folder, 'old'));
    const failed = async (file, data) => file.write(data).then(() => 'written', () => 'failed');
    const file = files.file(1);
    const told = [await failed(file, 'small'), await failed(file, 'x'.repeat(20_000)), await file.read()];
    told.push(await failed(files.file(2), 'x'.repeat(20_000)), await readdir(folder));
    await rm(folder, { recursive: true });
    console.log(JSON.stringify(told));
  `;
  assert.deepEqual(JSON.parse(await onSmallDisk(8, code)), ['written', 'failed', ['small'], 'failed', ['1.json']]);
});

test('what a crash left half written is removed by the owner; files of others are not segments', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  await files.file(1).write(data);
  for (const name of ['2.json.tmp', '1.json.tmp', '01.json', 'x.json', '1.json.bak', '-1.json', '1e3.json']) {
    await writeFile(join(folder, name), 'half');
  }
  await mkdir(join(folder, 'notes'));
  assert.deepEqual(await files.list(), [1]);
  await prepareSegments(folder);
  assert.deepEqual((await readdir(folder)).toSorted(), [
    '-1.json',
    '01.json',
    '1.json',
    '1.json.bak',
    '1e3.json',
    'notes',
    'x.json',
  ]);
});
