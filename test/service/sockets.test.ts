// Sockets that systemd hands over: a process that may open no port of its own serves at those it was given, by their
// names; who connects before it is ready waits. And what it says when they are not there.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { inheritedSocket } from '../../src/adapters/system/inherited-sockets.ts';
import { SmtpClient } from '../support/smtp.ts';

const project = join(import.meta.dirname, '../..');
let folder: string;
let config: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtv-sockets-'));
  config = join(folder, 'settings.yaml');
  const settings = {
    web: { listen: 'systemd', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: 'systemd', hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: ['127.0.0.1:53'] },
    relay: { url: 'smtp://127.0.0.1:25' },
    data: { dir: join(folder, 'data') },
  };
  await writeFile(config, JSON.stringify(settings));
});
after(() => rm(folder, { recursive: true, force: true }));

/** A socket that listens in this process, as it does in systemd before the service is there. */
async function openSocket(): Promise<{ server: Server; fd: number; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { _handle: handle } = server as Server & { readonly _handle?: { readonly fd: number } };
  const address = server.address();
  assert.ok(handle !== undefined && typeof address === 'object' && address !== null);
  return { server, fd: handle.fd, port: address.port };
}

/** Starts the service as a unit does: descriptors from 3 on, and variables that say whose they are. */
function serve(fds: readonly number[], names: string, pid = '$$'): ChildProcess {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('RTV_'));
  const env = { ...Object.fromEntries(own), LISTEN_FDS: `${fds.length}`, LISTEN_FDNAMES: names };
  const command = `LISTEN_PID=${pid} exec "$0" src/main.ts serve --config "$1"`;
  return spawn('sh', ['-c', command, process.execPath, config], {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
  });
}

const all = (stream: Readable | null) => (stream === null ? '' : text(stream));

describe('sockets of systemd', { timeout: 30_000 }, () => {
  it('are served by their names, in any order, also for whoever came too early', async () => {
    const [smtp, web] = await Promise.all([openSocket(), openSocket()]);
    const child = serve([smtp.fd, web.fd], 'smtp:web');
    smtp.server.close();
    web.server.close();
    const [early, page] = await Promise.all([
      SmtpClient.connect({ port: smtp.port }),
      fetch(`http://127.0.0.1:${web.port}/reset`),
    ]);
    assert.match((await early.reply()).lines[0] ?? '', /^mx\.in\.school\.example /);
    await early.quit();
    assert.match(await page.text(), /Example School/);
    child.kill('SIGTERM');
    const [[code], log] = await Promise.all([once(child, 'exit'), all(child.stdout)]);
    assert.equal(code, 0);
    const started = `"web":"127.0.0.1:${web.port}","smtp":"127.0.0.1:${smtp.port}"`;
    assert.ok(log.includes(started), 'the log says where it listens');
  });

  it('stop the start with a remedy when they are meant for another process or not named', async () => {
    const { server, fd } = await openSocket();
    const complaint = async (names: string, pid?: string) => {
      const child = serve([fd], names, pid);
      const [[code], said] = await Promise.all([once(child, 'exit'), all(child.stderr)]);
      assert.equal(code, 1);
      return said;
    };
    assert.match(await complaint('smtp', '1'), /^smtp\.listen is systemd, but .* no sockets to this process/m);
    assert.match(await complaint('other'), /of the 1 sockets of systemd none has the name smtp/);
    server.close();
  });

  const env = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:smtp:smtp' };
  const refused: readonly [what: string, name: string, env: Record<string, string>, problem: RegExp][] = [
    ['no variables', 'web', {}, /handed no sockets to this process/],
    ['another process', 'web', { ...env, LISTEN_PID: '70' }, /handed no sockets to this process/],
    ['two of one name', 'smtp', env, /of the 3 sockets of systemd 2 has the name smtp/],
    ['more names than sockets', 'smtp', { ...env, LISTEN_FDS: '1' }, /of the 1 sockets of systemd none/],
    ['no number', 'web', { ...env, LISTEN_FDS: 'x' }, /of the 0 sockets of systemd none/],
    ['no names', 'web', { LISTEN_PID: '7', LISTEN_FDS: '1' }, /of the 1 sockets of systemd none/],
  ];
  for (const [what, name, given, problem] of refused) {
    it(`are not taken: ${what}`, () => assert.throws(() => inheritedSocket(name, given, 7), problem));
  }
  it('are counted from 3 on', () => {
    assert.deepEqual(inheritedSocket('web', env, 7), { fd: 3 });
    assert.deepEqual(inheritedSocket('web', { ...env, LISTEN_FDNAMES: 'smtp:x:web' }, 7), { fd: 5 });
  });
});
