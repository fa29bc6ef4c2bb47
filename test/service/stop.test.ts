// The end of the service, with people in the middle of everything: it takes ten seconds at most, what got its 250 is kept,
// what got none is not there, and a second signal ends it at once.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SmtpClient } from '../support/smtp.ts';
import { codeIn, replyTo, startWorld, stored, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
let world: World;

beforeEach(async () => {
  world = await startWorld();
});
const ends: (() => void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await world.close();
});

/** A relay that takes connections and says nothing. */
async function silentRelay(): Promise<{ server: Server; port: number; connected: Promise<unknown> }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    ends.push(() => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  return { server, port, connected: once(server, 'connection') };
}

/** How long something took, milliseconds. */
async function timed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return performance.now() - startedAt;
}

describe('an end', { timeout: 60_000 }, () => {
  it('in the middle of DATA, of a form, of a live line and of a hand-over takes ten seconds at most and loses nothing', async () => {
    const relay = await silentRelay();
    await world.restart({ 'relay.url': `smtp://127.0.0.1:${relay.port}` });
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const live = await visitor.request('/reset/events');
    assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
    await relay.connected;
    const other = await new Visitor(world).open();
    const client = await SmtpClient.greeted(world.addresses.smtp);
    await client.statuses(['MAIL FROM:<amy.pond@school.example>', `RCPT TO:<${other.address}>`, 'DATA']);
    client.socket.write('From: amy.pond@school.example\r\n'); // and never the rest
    const { host, port } = world.addresses.web;
    const slow = connect(port, host);
    slow.on('error', () => {});
    ends.push(() => slow.destroy());
    slow.write(
      'POST /reset HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nno',
    );

    const stopping = world.service.stop();
    assert.equal(await reaches(`${host}:${world.addresses.smtp.port}`), false, 'no new connections');
    assert.ok((await timed(stopping)) < 10_000);
    await live.text(); // it has ended
    await client.closed();
    const kept = await stored(world, 'challenges');
    assert.ok(kept.includes('"state":"queued"') && kept.includes(amy));

    relay.server.close();
    await world.restart();
    assert.equal((await visitor.enter(page, await codeIn(await replyTo(world, amy, page.label)))).status, 303);
    assert.equal(world.kit.sink.messages.length, 1);
  });

  it('lets a message be finished that had begun, and its answer is the truth', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const client = await SmtpClient.greeted(world.addresses.smtp);
    await client.statuses(['MAIL FROM:<amy.pond@school.example>', `RCPT TO:<${page.address}>`, 'DATA']);
    client.socket.write('From: amy.pond@school.example\r\n');
    const stopping = world.service.stop();
    const answer = await client.say(`To: ${page.address}\r\nSubject: ${page.label}\r\n\r\nHello\r\n.`);
    assert.equal(answer.code, 550, 'it was looked at: nothing vouches for it'); // 451 would be no answer
    await client.say('QUIT');
    await stopping;
    await world.restart();
  });

  it('writes nothing any more, whoever still has something to write', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    await world.service.stop();
    const before = await stored(world, 'challenges');
    await assert.rejects(visitor.enter(page, '12345678'));
    assert.equal(await stored(world, 'challenges'), before);
    await world.restart();
  });
});

describe('a signal', { timeout: 60_000 }, () => {
  async function serve(relayPort: number): Promise<{ child: ChildProcess; web: string; smtp: string }> {
    const config = join(world.dataDir, '..', 'serve.json');
    await writeFile(
      config,
      JSON.stringify({
        web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
        smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
        mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
        dns: { servers: [`127.0.0.1:${world.kit.dns.port}`] },
        relay: { url: `smtp://127.0.0.1:${relayPort}` },
        data: { dir: join(world.dataDir, 'own') },
      }),
    );
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('RTV_'));
    const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', config], {
      cwd: join(import.meta.dirname, '../..'),
      env: Object.fromEntries(own),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    ends.push(() => child.kill('SIGKILL'));
    for await (const line of createInterface(child.stdout)) {
      const { event, web, smtp } = JSON.parse(line);
      if (event === 'started') {
        child.stdout.resume();
        return { child, web, smtp };
      }
    }
    throw new Error('it did not start');
  }

  /** Somebody who holds it open: a message that is never ended. */
  async function holdOpen({ web, smtp }: { web: string; smtp: string }): Promise<SmtpClient> {
    const [host = '', port] = smtp.split(':');
    const { address } = await new Visitor({ webUrl: `http://${web}` }).open();
    const client = await SmtpClient.greeted({ host, port: Number(port) });
    await client.statuses(['MAIL FROM:<amy.pond@school.example>', `RCPT TO:<${address}>`, 'DATA']);
    return client;
  }

  it('ends it with 0, also when somebody holds it open; a second one ends it at once, with 1', async () => {
    const relay = await silentRelay();
    for (const [signals, expected, longest] of [
      [1, 0, 10_000],
      [2, 1, 2_000],
    ] as const) {
      const started = await serve(relay.port);
      const client = await holdOpen(started);
      const exit = once(started.child, 'exit');
      started.child.kill('SIGTERM');
      if (signals === 2) {
        while (await reaches(started.smtp)); // the first one has arrived
        started.child.kill('SIGTERM');
      }
      const ms = await timed(exit);
      assert.deepEqual((await exit)[0], expected);
      assert.ok(ms < longest, `${ms} ms`);
      client.socket.destroy();
    }
    relay.server.close();
  });
});

async function reaches(address: string): Promise<boolean> {
  const [host = '', port] = address.split(':');
  const socket = connect(Number(port), host);
  const reached = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return reached;
}
