// Many kits at once in one process, and nothing of them afterwards.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { z } from 'zod';

const report = z.object({ ms: z.number(), mebibytes: z.number() });

test('fifty kits at once, each with its own service, and nothing left behind', { timeout: 120_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-kits-'));
  t.after(() => rm(folder, { recursive: true }));
  // It ends by itself, so no port, connection, timer or thread is left; the time limit is for what never would.
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'many-kits.ts'), '50'], {
    env: { ...process.env, TMPDIR: folder },
    timeout: 100_000,
  });
  const { ms, mebibytes } = report.parse(JSON.parse(stdout));
  t.diagnostic(`${ms} ms, ${mebibytes} MiB`);
  assert.deepEqual(await readdir(folder), []);
  assert.ok(mebibytes < 1500, 'a kit must not cost a thread of its own');
});
