// The files of config/ that an installation uses: a backup that is taken while mail comes in brings everything back; what
// the shell scripts, the units and the page about them name is there; and the example settings are right.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { formatMistakes, loadSettings } from '../../src/settings/load-settings.ts';
import { makeCertificate } from '../support/smtp.ts';
import { codeIn, noticeTo, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const config = join(import.meta.dirname, '../../config');
const run = promisify(execFile);
const amy = 'amy.pond@school.example';

/** A mail from Amy for a new page, and the code of its reply. */
async function ask(world: World): Promise<{ visitor: Visitor; nonce: string }> {
  const visitor = new Visitor(world);
  const page = await visitor.open();
  assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
  const code = await codeIn(await replyTo(world, amy, page.label));
  assert.equal((await visitor.enter(page, code)).status, 303);
  return { visitor, nonce: page.nonce };
}

async function accountsOf(folder: string): Promise<{ id: string; name: string; password: string | null }[]> {
  return JSON.parse(await readFile(join(folder, 'accounts.json'), 'utf8')).accounts;
}

async function resetPassword(world: World, password: string): Promise<string> {
  const { visitor, nonce } = await ask(world);
  const account = (await accountsOf(world.dataDir)).find(({ name }) => name === 'apond')?.id ?? '';
  await visitor.post('/reset/accounts', { nonce, account });
  const answer = await visitor.post('/reset/password', { nonce, account, password, repeated: password });
  assert.equal(answer.headers.get('location'), '/reset');
  return (await noticeTo(world, amy)).undoCode;
}

describe('backup', { timeout: 60_000 }, () => {
  it('is taken while mail comes in, and brings back accounts, changes, audit and key, but no used code', async () => {
    const world = await startWorld();
    try {
      const undoCode = await resetPassword(world, 'blue kettle winter piano');
      const before = await accountsOf(world.dataDir);
      const archive = join(world.dataDir, '../data.tar.gz');
      let isDone = false;
      const load = async () => {
        while (!isDone) await ask(world);
      };
      const busy = Promise.all([load(), load()]);
      for (let times = 0; times < 5; times += 1) await run(join(config, 'backup'), [world.dataDir, archive]);
      isDone = true;
      await busy;
      assert.equal(statSync(archive).mode & 0o777, 0o600);

      const restored = join(world.dataDir, '../restored');
      await mkdir(restored, { mode: 0o700 });
      await run('tar', ['-C', restored, '-xzpf', archive]);
      assert.deepEqual((await readdir(restored)).toSorted(), ['accounts.json', 'audit.jsonl', 'changes', 'keys.json']);
      assert.deepEqual(await accountsOf(restored), before);
      const lines = (await readFile(join(restored, 'audit.jsonl'), 'utf8')).trimEnd().split('\n');
      for (const line of lines) assert.equal(typeof JSON.parse(line).event, 'string');
      assert.ok(!(await readdir(join(world.dataDir, '..'))).includes('data.copy'), 'nothing is left');
      await world.restart({ 'data.dir': restored });
      assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
      assert.equal((await accountsOf(restored)).find(({ name }) => name === 'apond')?.password, null);
    } finally {
      await world.close();
    }
  });

  it('holds nothing that is written on in a file after it was copied', async () => {
    const root = await mkdtemp(join(tmpdir(), 'rtv-backup-'));
    try {
      const [data, bin, restored, archive] = ['data', 'bin', 'restored', 'a.tar.gz'].map((name) => join(root, name));
      assert.ok(data !== undefined && bin !== undefined && restored !== undefined && archive !== undefined);
      for (const folder of [join(data, 'changes'), bin, restored]) await mkdir(folder, { recursive: true });
      const writtenOn = [join(data, 'audit.jsonl'), join(data, 'changes', '2.json')];
      for (const file of [...writtenOn, join(data, 'changes', '1.json')]) await writeFile(file, 'before\n');
      // A tar that is late: the service has written meanwhile.
      const late = `#!/bin/sh\nfor file in ${writtenOn.join(' ')}; do echo after >> "$file"; done\nPATH=$OLD_PATH exec tar "$@"\n`;
      await writeFile(join(bin, 'tar'), late, { mode: 0o755 });
      const { PATH = '' } = process.env;
      const env = { ...process.env, OLD_PATH: PATH, PATH: `${bin}:${PATH}` };
      await run(join(config, 'backup'), [data, archive], { env });
      await run('tar', ['-C', restored, '-xzf', archive]);
      for (const name of ['audit.jsonl', 'changes/1.json', 'changes/2.json']) {
        assert.equal(await readFile(join(restored, name), 'utf8'), 'before\n', name);
      }
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it('says that there is nothing to copy, and leaves nothing behind', async () => {
    const world = await startWorld();
    const parent = join(world.dataDir, '..');
    await assert.rejects(
      run(join(config, 'backup'), [join(parent, 'none'), join(parent, 'a.tar.gz')]),
      /cannot be copied/,
    );
    assert.deepEqual(
      (await readdir(parent)).filter((name) => name !== 'data'),
      [],
    );
    await world.close();
  });
});

describe('config/', () => {
  const page = readFileSync(join(config, 'README.md'), 'utf8');

  it('has every file that its page names, and its page names every file', async () => {
    const table = page.slice(page.indexOf('| file |'), page.indexOf('## What you need'));
    const named = [...table.matchAll(/`([\w.-]+\/?)`/g)].map(([, name = '']) => name.replace(/\/$/, ''));
    const settings = ['default.yaml', 'development.yaml', 'directory.openapi.yaml'];
    const others = ['README.md', ...settings, 'lint.json', 'tsconfig.package.json', 'node'];
    const missing = (await readdir(config)).filter((name) => !named.includes(name) && !others.includes(name));
    assert.deepEqual(missing, []);
    for (const [, path = ''] of page.matchAll(/\/opt\/reply-to-verify\/config\/([\w./-]+)/g)) {
      assert.ok(existsSync(join(config, path)), path);
    }
  });

  it('has scripts that a shell can read', async () => {
    for (const name of ['backup', 'certbot-hook', 'reply-to-verify']) {
      await run('sh', ['-n', join(config, name)]);
      assert.equal(statSync(join(config, name)).mode & 0o111, 0o111, name);
    }
    const blocks = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block);
    assert.ok(blocks.length >= 10);
    for (const block of blocks) await run('sh', ['-n', '-c', block]);
  });

  it('hands over certificates so that only the group may read them', async () => {
    const world = await startWorld();
    const [from, to] = ['live', 'tls'].map((name) => join(world.dataDir, '..', name, 'mx.in.school.example'));
    assert.ok(from !== undefined && to !== undefined);
    await mkdir(from, { recursive: true });
    const { cert, key } = makeCertificate('mx.in.school.example');
    await Promise.all([writeFile(join(from, 'fullchain.pem'), cert), writeFile(join(from, 'privkey.pem'), key)]);
    const group = String(process.getgid?.());
    const script = (await readFile(join(config, 'certbot-hook'), 'utf8'))
      .replaceAll('/etc/reply-to-verify/tls', join(to, '..'))
      .replaceAll('-g reply-to-verify', `-g ${group}`);
    await run('sh', ['-c', script], { env: { ...process.env, RENEWED_LINEAGE: from } });
    assert.equal(await readFile(join(to, 'privkey.pem'), 'utf8'), key);
    assert.deepEqual((await readdir(to)).toSorted(), ['fullchain.pem', 'privkey.pem']);
    assert.equal(statSync(join(to, 'privkey.pem')).mode & 0o777, 0o640);
    await world.close();
  });

  it('has units whose sockets have the names that the settings ask for', () => {
    const service = readFileSync(join(config, 'systemd/reply-to-verify.service'), 'utf8');
    for (const [name, port] of [
      ['web', 443],
      ['smtp', 25],
    ]) {
      const unit = `reply-to-verify-${name}.socket`;
      const socket = readFileSync(join(config, 'systemd', unit), 'utf8');
      assert.match(socket, new RegExp(`^FileDescriptorName=${name}$`, 'm'));
      assert.deepEqual(socket.match(/^ListenStream=.*$/gm), [`ListenStream=[::]:${port}`]);
      assert.match(service, new RegExp(`^Sockets=.*\\b${unit}`, 'm'));
    }
  });

  it('has example settings that are right, and explained line by line', () => {
    const files = ['default.yaml', 'production.example.yaml'].map((name) => join(config, name));
    const loaded = loadSettings({ files, env: {} });
    assert.ok(loaded.ok, loaded.ok ? '' : formatMistakes(loaded.mistakes));
    const { web, smtp, data } = loaded.settings;
    assert.deepEqual([web.listen, smtp.listen, data.dir], ['systemd', 'systemd', '/var/lib/reply-to-verify']);
    const example = readFileSync(join(config, 'production.example.yaml'), 'utf8');
    const paragraphs = example.split('\n\n').filter((text) => /^ {2}(?:# )?[a-z]\w*: /im.test(text));
    for (const text of paragraphs) assert.match(text, /^ {2}# \S/m, 'every setting is explained');
  });
});
