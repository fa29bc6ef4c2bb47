// Files with secrets in them: read only when nobody else can, and nothing of them is told.

import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSecretFile } from '../../src/adapters/system/secret-file.ts';

test('a secret is read from a file that nobody else can read', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-secret-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'secret');
  const read = () => readSecretFile('relay.passwordFile', path);
  await assert.rejects(read(), /^Error: relay\.passwordFile: .*secret was not found\.$/);
  await writeFile(path, ' hunter 2 \r\n\n', { mode: 0o600 });
  assert.equal(await read(), ' hunter 2 ', 'blanks belong to it, line ends do not');
  for (const mode of [0o640, 0o604, 0o660]) {
    await chmod(path, mode);
    await assert.rejects(read(), (error: Error) => {
      assert.match(error.message, /can be read by others \(mode 6\d\d\)\. Run: chmod 600 \//);
      assert.doesNotMatch(error.message, /hunter/);
      return true;
    });
  }
  await chmod(path, 0o600);
  await writeFile(path, '\n');
  await assert.rejects(read(), /relay\.passwordFile: .* is empty/);
  await rm(path);
  await mkdir(path, { mode: 0o700 });
  await assert.rejects(read(), /is a folder/);
});
