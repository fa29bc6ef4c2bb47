// One process at a time in a data folder: who gets it, who is refused, and what a dead owner leaves behind.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { link, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { claimDataFolder, FolderInUseError } from '../../src/adapters/store/data-folder.ts';

async function temporary(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'rtv-folder-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return join(root, 'data');
}

/** A process of its own that claims the folder and says what came of it; it lives until it is killed. */
async function claimElsewhere(t: TestContext, folder: string): Promise<{ said: string; kill(): Promise<unknown> }> {
  const module = join(import.meta.dirname, '../../src/adapters/store/data-folder.ts');
  const script = `
    const { claimDataFolder } = await import(${JSON.stringify(module)});
    await claimDataFolder(${JSON.stringify(folder)}).then(() => console.log('got it'), ({ code }) => console.log(code));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const kill = () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    return ended;
  };
  t.after(() => child.kill('SIGKILL'));
  const [said] = await once(createInterface(child.stdout), 'line');
  return { said: String(said), kill };
}

test('makes the folder for its owner alone, and gives it back', async (t) => {
  const folder = await temporary(t);
  const release = await claimDataFolder(folder);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(folder), ['lock'], 'nothing but the claim');
  await release();
  assert.deepEqual(await readdir(folder), []);
  await (await claimDataFolder(folder))();
});

test('a folder of a living process is refused, with its number and what to do', async (t) => {
  const folder = await temporary(t);
  const release = await claimDataFolder(folder);
  await assert.rejects(claimDataFolder(folder), (error) => {
    assert.ok(error instanceof FolderInUseError);
    assert.equal(error.code, 'DATA_FOLDER_IN_USE');
    assert.match(error.message, new RegExp(`in use by process ${process.pid}\\. .*data\\.dir`));
    return true;
  });
  assert.deepEqual(await readdir(folder), ['lock'], 'who is refused leaves nothing behind');
  assert.equal((await claimElsewhere(t, folder)).said, 'DATA_FOLDER_IN_USE');
  await release();
});

test('a folder of a killed process is taken over', async (t) => {
  const folder = await temporary(t);
  const other = await claimElsewhere(t, folder);
  assert.equal(other.said, 'got it');
  await assert.rejects(claimDataFolder(folder), FolderInUseError);
  await other.kill();
  await (await claimDataFolder(folder))();
});

test('of many who want a folder of a dead process at once, one gets it', async (t) => {
  const folder = await temporary(t);
  await (await claimElsewhere(t, folder)).kill();
  const claims = await Promise.allSettled(Array.from({ length: 8 }, () => claimDataFolder(folder)));
  const won = claims.filter((claim) => claim.status === 'fulfilled');
  assert.equal(won.length, 1);
  await won[0]?.value();
  assert.deepEqual(await readdir(folder), []);
});

test('a process that does not answer is there all the same', async (t) => {
  const folder = await temporary(t);
  await (await claimDataFolder(folder))();
  const silent = createServer(() => {}).listen(join(folder, 'silent'));
  await once(silent, 'listening');
  await link(join(folder, 'silent'), join(folder, 'lock'));
  await assert.rejects(claimDataFolder(folder), /in use by a process that does not answer/);
  silent.close();
});

test('a file that is no socket is nobody\u2019s claim', async (t) => {
  const folder = await temporary(t);
  await (await claimDataFolder(folder))();
  await writeFile(join(folder, 'lock'), '4711');
  await (await claimDataFolder(folder))();
});

test('a path too long for a socket is told so', async (t) => {
  await assert.rejects(claimDataFolder(join(await temporary(t), 'x'.repeat(100))), /too long a path for data\.dir/);
});
