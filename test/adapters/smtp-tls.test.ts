// STARTTLS (RFC 3207): offered with a certificate of our own and never without; nothing said before it counts after it;
// the certificate is renewed while mail comes in.

import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { TestClock } from '../support/clock.ts';
import {
  makeCertificate,
  type SmtpClient,
  sendMail,
  startListener,
  type TestCertificate,
  type TestListener,
  until,
} from '../support/smtp.ts';

const first = makeCertificate('first.example');
const second = makeCertificate('second.example');

let folder: string;
let files: { certificate: string; key: string };
let server: TestListener;

async function put(part: 'certificate' | 'key', text: string): Promise<void> {
  // As an ACME client does it: a reader sees the old file or the new one.
  await writeFile(join(folder, 'new'), text);
  await rename(join(folder, 'new'), files[part]);
}

async function putBoth({ cert, key }: TestCertificate): Promise<void> {
  await put('certificate', cert);
  await put('key', key);
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtv-tls-'));
  files = { certificate: join(folder, 'fullchain.pem'), key: join(folder, 'privkey.pem') };
  await putBoth(first);
  server = await startListener({ certificate: files, connectionsPerAddressMax: 3 });
});
after(async () => {
  await server.listener.stop();
  await rm(folder, { recursive: true });
});

let lastAddress = 1;
function anyone(): Promise<SmtpClient> {
  lastAddress += 1;
  return server.greeted(`127.0.1.${lastAddress}`);
}

async function certificateNow(): Promise<string> {
  const client = await anyone();
  const { subject } = await client.startTls();
  await client.quit();
  return `${subject.CN}`;
}

describe('STARTTLS', () => {
  it('is offered once, encrypts, and a mail goes through', async () => {
    const client = await server.connect('127.0.0.2');
    await client.reply();
    const offered = async () => (await client.say('EHLO client.example')).lines.slice(1).toSorted();
    assert.deepEqual(await offered(), ['8BITMIME', 'PIPELINING', 'SIZE 65536', 'STARTTLS']);
    assert.equal((await client.say('STARTTLS now')).status, '501 5.5.4');
    assert.equal((await client.startTls()).subject.CN, 'first.example');
    assert.deepEqual(await offered(), ['8BITMIME', 'PIPELINING', 'SIZE 65536']);
    assert.equal((await client.say('STARTTLS')).status, '503 5.5.1');
    assert.equal((await client.say('MAIL FROM:<a@b.example> REQUIRETLS')).status, '555 5.5.4');
    assert.equal((await sendMail(client)).status, '250 2.0.0');
    await client.quit();
  });

  it('speaks nothing older than TLS 1.2', async () => {
    const client = await anyone();
    await client.say('STARTTLS');
    const old = connectTls({
      socket: client.socket,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    const said = await new Promise((resolve) => old.once('error', ({ message }) => resolve(message)));
    assert.match(`${said}`, /alert protocol version/);
  });

  it('forgets what was said before', async () => {
    const client = await anyone();
    assert.deepEqual(await client.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>']), ['250', '250']);
    await client.startTls();
    assert.deepEqual(await client.statuses(['RCPT TO:<c@d.example>', 'DATA', 'MAIL FROM:<a@b.example>']), [
      '503 5.5.1',
      '503 5.5.1',
      '503 5.5.1',
    ]);
    await client.quit();
  });

  for (const lines of [4, 400]) {
    it(`drops ${lines} commands slipped in behind it`, async () => {
      const seen = server.recipients.length;
      const client = await anyone();
      const evil = ['EHLO evil.example', 'MAIL FROM:<evil@b.example>', 'RCPT TO:<evil@in.school.example>', 'DATA'];
      const all = [...Array<string>(lines - evil.length).fill('RSET'), ...evil];
      client.write(`STARTTLS\r\n${all.join('\r\n')}\r\n`);
      assert.equal((await client.reply()).status, '220');
      await client.handshake();
      assert.equal((await client.say('EHLO client.example')).lines[0]?.includes('Nice to meet you'), true);
      assert.deepEqual(await client.statuses(['DATA', 'NOOP']), ['503 5.5.1', '250']);
      assert.equal(server.recipients.length, seen, 'no recipient was looked at');
      await client.quit();
    });
  }

  it('takes nobody a place for longer than the connection lasts, however it ends', async () => {
    const leave: ((client: SmtpClient) => Promise<void>)[] = [
      async (client) => {
        await client.startTls();
        await client.quit();
      },
      async (client) => {
        await client.startTls();
        client.reset();
      },
      async (client) => {
        await client.say('STARTTLS');
        client.reset();
      },
      async (client) => {
        await client.say('STARTTLS');
        client.write(Buffer.from('16030100f8010000f40303', 'hex'));
        client.reset();
      },
      async (client) => {
        await client.say('STARTTLS');
        client.write('EHLO this is no handshake\r\n');
        await client.closed();
      },
      async (client) => {
        client.write('STARTTLS\r\n');
        client.reset();
      },
    ];
    const check = async (end: (client: SmtpClient) => Promise<void>, at: number) => {
      const from = `127.0.2.${at + 1}`;
      const three = await Promise.all([1, 2, 3].map(() => server.greeted(from)));
      await Promise.all(three.map(end));
      // The server may be a moment behind: what matters is that there is room again.
      for (let tries = 0; ; tries++) {
        const next = await server.connect(from);
        const { status } = await next.reply();
        next.reset();
        if (status === '220') break;
        assert.ok(tries < 100, `${end} leaves a place taken`);
      }
    };
    await Promise.all(leave.map(check));
  });

  it('ends a connection that gets too old in the middle of it', async () => {
    const [waiting, talking] = await Promise.all([server.greeted('127.0.0.4'), server.greeted('127.0.0.4')]);
    await waiting.say('STARTTLS');
    await talking.startTls();
    server.clock.advance(179_999);
    assert.equal((await talking.say('NOOP')).status, '250');
    server.clock.advance(1);
    assert.deepEqual(await talking.rest(), ['421 4.4.2']);
    assert.deepEqual(await waiting.rest(), [], 'nothing is said in plain text');
  });

  it('ends a message that takes too long', async () => {
    const client = await server.greeted('127.0.0.5');
    await client.startTls();
    await client.statuses(['EHLO x', 'MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']);
    client.write('Subject: x\r\n');
    server.clock.advance(120_000);
    assert.deepEqual(await client.rest(), ['421 4.4.2']);
  });
});

describe('the certificate', () => {
  const renewed = () => server.events.filter((event) => event === 'certificate renewed').length;
  const refused = () => server.events.filter((event) => event === 'certificate not-usable').length;

  /** Lets the listener look at its files. */
  async function look(seen: () => number): Promise<void> {
    const before = seen();
    await until(() => server.clock.waiting.some((ms) => ms <= 10_000));
    server.clock.advance(10_000);
    await until(() => seen() > before);
    await until(() => server.clock.waiting.some((ms) => ms <= 10_000));
  }

  it('is renewed for new connections; those that are open go on', async () => {
    const open = await server.greeted('127.0.0.6');
    await open.startTls();
    await putBoth(second);
    assert.equal(await certificateNow(), 'first.example', 'nobody has looked yet');
    await look(renewed);
    assert.equal(await certificateNow(), 'second.example');
    server.clock.advance(10_000);
    await until(() => server.clock.waiting.some((ms) => ms <= 10_000));
    assert.equal(renewed(), 1, 'once');
    assert.equal(open.certificate.subject.CN, 'first.example');
    await open.say('EHLO client.example');
    assert.equal((await sendMail(open)).status, '250 2.0.0');
    await open.quit();
  });

  it('stays while the files are half written, unfitting or gone, and is renewed when they are whole', async () => {
    await put('certificate', first.cert.slice(0, 300));
    await look(refused);
    assert.equal(await certificateNow(), 'second.example');
    await put('certificate', first.cert);
    server.clock.advance(10_000);
    await until(() => server.clock.waiting.some((ms) => ms <= 10_000));
    assert.equal(await certificateNow(), 'second.example', 'a new certificate with the old key');
    await rm(files.key);
    server.clock.advance(10_000);
    await until(() => server.clock.waiting.some((ms) => ms <= 10_000));
    assert.equal(await certificateNow(), 'second.example');
    assert.equal(refused(), 1, 'told once');
    await put('key', first.key);
    await look(renewed);
    assert.equal(await certificateNow(), 'first.example');
  });

  it('that cannot be used is a reason not to start', async () => {
    await writeFile(join(folder, 'other.pem'), second.key);
    const unfitting = { certificate: files.certificate, key: join(folder, 'other.pem') };
    await assert.rejects(startListener({ certificate: unfitting }), /are no certificate and its key/);
    await assert.rejects(startListener({ certificate: { ...files, key: join(folder, 'none.pem') } }), /none\.pem/);
  });

  it('is watched no more when the port was taken', async () => {
    const taken = { host: '127.0.0.1', port: server.port };
    const clock = new TestClock();
    await assert.rejects(startListener({ certificate: files, listen: taken }, {}, clock), /EADDRINUSE/);
    assert.deepEqual(clock.waiting, []);
  });
});
