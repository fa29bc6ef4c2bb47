// The log of a process that ends: whole when somebody reads it, and no reason to stay when nobody does.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const log = JSON.stringify(new URL('../../src/adapters/system/json-log.ts', import.meta.url).href);
const script = `
import { createJsonLog } from ${log};
const log = createJsonLog('info');
process.stdin.once('data', () => {
  for (let count = 1; count <= 500; count += 1) log.info('counted', { count, filler: 'x'.repeat(100) });
  process.exit(0);
});
`;

function startProcess(code = script) {
  const args = ['--input-type=module', '--eval', code];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], timeout: 20_000 });
  return { child, ended: once(child, 'exit') };
}

test('what was logged just before the end is there', async () => {
  const { child, ended } = startProcess();
  child.stdin.write('now');
  const lines = (await text(child.stdout)).trimEnd().split('\n');
  assert.deepEqual([...(await ended), lines.length, JSON.parse(lines.at(-1) ?? '').count], [0, null, 500, 500]);
});

test('a process ends although nobody reads its log any more', async () => {
  const { child, ended } = startProcess();
  child.stdout.destroy();
  child.stdin.write('now');
  assert.deepEqual(await ended, [0, null]);
});

for (const reason of ['ENOSPC', 'EAGAIN']) {
  test(`a log that cannot be written (${reason}) stops nobody; what there is room for is written when it can be`, async () => {
    const code = `
      import fs from 'node:fs';
      import { createJsonLog } from ${log};
      const log = createJsonLog('info');
      const { writeSync } = fs;
      fs.writeSync = () => { throw Object.assign(new Error('not now'), { code: '${reason}' }); };
      for (let count = 1; count <= 20_000; count += 1) log.info('counted', { count, filler: 'x'.repeat(100) });
      fs.writeSync = writeSync;
      log.info('room-again');
    `;
    const { child, ended } = startProcess(code);
    const lines = (await text(child.stdout)).trimEnd().split('\n');
    assert.deepEqual(await ended, [0, null]);
    assert.equal(JSON.parse(lines.pop() ?? '').event, 'room-again');
    for (const [at, line] of lines.entries()) assert.equal(JSON.parse(line).count, at + 1);
    assert.ok(lines.length > 5_000 && lines.length < 20_000, `${lines.length} lines`);
  });
}
