// The stranger's test is run as src/testkit/README.md shows it, against the sources instead of the package.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { quickEnough } from '../support/quick.ts';
import { readmePath } from '../support/scenario-table.ts';

const library = pathToFileURL(join(import.meta.dirname, '../../src/testkit.ts')).href;

/** Runs a test file by itself. @returns the milliseconds of its test, and of the whole process */
async function run(file: string): Promise<readonly [testMs: number, processMs: number]> {
  // Without what this run tells its own files: it would change what is printed.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const startedAt = performance.now();
  const { stdout } = await promisify(execFile)(process.execPath, ['--test-reporter=tap', file], { env });
  assert.match(stdout, /^# pass 1\n# fail 0$/m);
  return [Number(/duration_ms: ([\d.]+)/.exec(stdout)?.[1]), performance.now() - startedAt];
}

test('the ten lines of the README pass in less than two seconds, start and stop included', async (t) => {
  const [, lines = ''] = /```js\n(.*?)```/s.exec(readFileSync(readmePath, 'utf8')) ?? [];
  assert.equal(lines.trim().split('\n').length, 10);
  assert.ok(
    readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8').includes(lines),
    'the same in README.md',
  );
  const folder = await mkdtemp(join(tmpdir(), 'rtv-readme-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'stranger.test.mjs');
  await writeFile(file, lines.replace("'reply-to-verify/testkit'", JSON.stringify(library)));
  await quickEnough(2000, 'the test of the README', async () => {
    const [testMs, processMs] = await run(file);
    t.diagnostic(`${Math.round(testMs)} ms, in a process of ${Math.round(processMs)} ms`);
    return testMs;
  });
});
