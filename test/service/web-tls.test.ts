// Pages with a certificate of our own: what browsers get, what is too old or no TLS at all, and a certificate that is
// renewed while pages are open. The certificate files have their own tests with STARTTLS (adapters/smtp-tls).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { readPage } from '../../src/testkit/visitor.ts';
import { TestClock } from '../support/clock.ts';
import { makeCertificate, type TestCertificate, until } from '../support/smtp.ts';
import { startWorld, type World } from '../support/world.ts';

const first = makeCertificate('first.example', ['127.0.0.1']);
const second = makeCertificate('second.example', ['127.0.0.1']);

let folder: string;
let world: World;
let clock: TestClock;
let files: { cert: string; key: string };

async function put({ cert, key }: TestCertificate): Promise<void> {
  await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtv-web-tls-'));
  files = { cert: join(folder, 'fullchain.pem'), key: join(folder, 'privkey.pem') };
  await put(first);
  clock = new TestClock();
  world = await startWorld(
    {
      'web.publicUrl': 'https://127.0.0.1:0',
      'web.certificateFile': files.cert,
      'web.keyFile': files.key,
    },
    clock,
  );
});
after(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

/** The reset page over TLS, verified against a certificate. */
async function open({ cert }: TestCertificate, agent = new Agent()) {
  const sent = request({ host: '127.0.0.1', port: world.addresses.web.port, path: '/reset', ca: cert, agent }).end();
  const [answer] = await once(sent, 'response');
  return { answer, page: readPage(answer.statusCode, await text(answer)) };
}

describe('pages with TLS', () => {
  it('are served with HSTS and cookies that stay with the host', async () => {
    const { answer, page } = await open(first);
    assert.equal(page.status, 200);
    assert.notEqual(page.label, '');
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
    assert.match(answer.headers['set-cookie'][0], /^__Host-rtv-challenge=.*; secure; httponly$/);
  });

  it('speak nothing older than TLS 1.2, and no plain HTTP; neither ends the process', async () => {
    const { port } = world.addresses.web;
    const versions = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    const old = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...versions });
    const [{ message }] = await once(old, 'error');
    assert.match(message, /alert protocol version/);
    const plain = connect(port, '127.0.0.1');
    plain.end('GET /reset HTTP/1.1\r\nHost: reset.school.example\r\n\r\n');
    assert.doesNotMatch(await text(plain), /HTTP\/1\.1 2/);
    assert.equal((await open(first)).page.status, 200);
  });

  it('get the new certificate when its files change; a connection that is open goes on', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await open(first, agent);
    await put(second);
    await until(() => clock.waiting.includes(10_000));
    clock.advance(10_000);
    const renewed = () =>
      open(second).then(
        () => true,
        () => false,
      );
    for (let tries = 0; !(await renewed()); tries += 1) assert.ok(tries < 100, 'it was not renewed');
    assert.equal((await open(first, agent)).page.status, 200);
    agent.destroy();
  });

  it('do not start with files that do not fit', async () => {
    const overrides = { 'web.publicUrl': 'https://127.0.0.1:0', 'web.certificateFile': files.cert };
    await assert.rejects(startWorld({ ...overrides, 'web.keyFile': files.cert }), /are no certificate and its key/);
  });
});
