// The files of the store: whole or noticed, private, and left alone by whoever only reads.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { prepareSegments, segmentFiles } from '../../src/adapters/store/segment-files.ts';

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
  for (const number of [1, 2, 30]) await files.file(number).write({ ...data, number });
  for (const number of [1, 2, 30]) assert.deepEqual(await files.file(number).read(), { ...data, number });
  const numbers = (await files.list()).toSorted((one, other) => one - other);
  assert.deepEqual(numbers, [0, 1, 2, 30]);
  assert.equal(((await stat(folder)).mode & 0o777).toString(8), '700');
  assert.equal(((await stat(join(folder, '1.json'))).mode & 0o777).toString(8), '600');
  await files.remove(2);
  await files.remove(2);
  assert.deepEqual((await readdir(folder)).toSorted(), ['1.json', '30.json']);
});

test('without a folder there is nothing, and reading makes none', async (t) => {
  const { root, files } = await temporary(t);
  assert.deepEqual(await files.list(), [0]);
  assert.equal(await files.file(0).read(), null);
  assert.deepEqual(await readdir(root), []);
});

test('the one file of before is number 0, plain JSON', async (t) => {
  const { folder, files } = await temporary(t);
  await writeFile(`${folder}.json`, '{"version":1,"records":{}}');
  assert.deepEqual(await files.file(0).read(), { version: 1, records: {} });
  await files.remove(0);
  assert.equal(await files.file(0).read(), null);
});

test('any octet that is another, missing or added is noticed', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  const path = join(folder, '1.json');
  await files.file(1).write(data);
  const whole = await readFile(path);
  const damaged = [
    ...Array.from({ length: whole.length }, (_, at) => whole.with(at, whole.at(at) === 0x31 ? 0x32 : 0x31)),
    ...Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length)),
    Buffer.concat([whole, Buffer.from('\n')]),
    Buffer.concat([whole, whole]),
    Buffer.alloc(whole.length),
  ];
  for (const bytes of damaged) {
    await writeFile(path, bytes);
    await assert.rejects(files.file(1).read(), SyntaxError);
  }
  await writeFile(path, whole);
  assert.deepEqual(await files.file(1).read(), data);
  await truncate(path, 0);
  await assert.rejects(files.file(1).read(), SyntaxError);
});

test('what a crash left half written is removed by the owner; files of others are not segments', async (t) => {
  const { folder, files } = await temporary(t);
  await prepareSegments(folder);
  await files.file(1).write(data);
  for (const name of ['2.json.tmp', '1.json.tmp', '01.json', 'x.json', '1.json.bak', '-1.json', '1e3.json']) {
    await writeFile(join(folder, name), 'half');
  }
  await mkdir(join(folder, 'notes'));
  assert.deepEqual((await files.list()).toSorted(), [0, 1]);
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
