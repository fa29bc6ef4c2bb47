// The whole service and its relay: away for an hour and back, the way to it, and our mail as other servers see it.

import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { authenticate } from 'mailauth';
import { keyRecords, loadDkimKeys, selectors } from '../../src/testkit/dkim-keys.ts';
import { type Sink, startSink } from '../../src/testkit/sink.ts';
import { TestClock } from '../support/clock.ts';
import { startRelay } from '../support/relay.ts';
import { makeCertificate } from '../support/smtp.ts';
import { codeIn, noticeTo, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const minuteMs = 60_000;
const amy = 'amy.pond@school.example';
const password = 'blue kettle winter piano';
const people = ['amy', 'rory', 'smith', 'jo'] as const;

let world: World;
afterEach(() => world.close());

/** A visitor whose mail was accepted. */
async function asked(who: (typeof people)[number] = 'amy') {
  const visitor = new Visitor(world);
  const page = await visitor.open();
  assert.equal((await world.kit.send(who, { to: page.address, subject: page.label })).code, 250);
  return { visitor, page };
}

async function resets({ visitor, page }: Awaited<ReturnType<typeof asked>>, code: string): Promise<void> {
  const { nonce } = page;
  assert.equal((await visitor.enter(page, code)).status, 303);
  const accounts = await (await visitor.request('/reset/accounts')).text();
  const account = /name="account" value="([^"]+)"/.exec(accounts)?.[1] ?? '';
  await visitor.post('/reset/accounts', { nonce, account });
  const answer = await visitor.post('/reset/password', { nonce, account, password, repeated: password });
  assert.equal(answer.headers.get('location'), '/reset');
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2000; tries += 1) {
    if (await condition()) return;
    await new Promise(setImmediate);
  }
  assert.fail('it never happened');
}

const inHeader = (name: string, raw: Buffer) =>
  new RegExp(`^${name}: (.*)$`, 'im').exec(raw.toString('latin1'))?.[1] ?? '';

describe('a relay that was away for an hour', () => {
  it('gets all that is still useful, once, and nothing else; each code is right', { timeout: 60_000 }, async (t) => {
    // An address of its own, so that nobody takes the port meanwhile.
    const where = { host: '127.0.21.7', port: 0 };
    let sink: Sink = await startSink(where);
    const { port } = sink;
    t.after(() => sink.close());
    const clock = new TestClock();
    world = await startWorld({ 'relay.url': `smtp://${where.host}:${port}` }, clock);
    const arrived = () => ({ kit: { ...world.kit, sink } });

    // A notice waits as well: of a password that is set just as the relay goes away.
    const setting = await asked('amy');
    const code = await codeIn(await replyTo(arrived(), amy, setting.page.label));
    await sink.close();
    await resets(setting, code);

    const early = await Promise.all(Array.from({ length: 6 }, (_, at) => asked(people[at % 4])));
    const late: Awaited<ReturnType<typeof asked>>[] = [];
    for (let minute = 0; minute < 60; minute += 5) {
      clock.advance(5 * minuteMs);
      // From the middle of the hour on there are pages that outlive it.
      if (minute >= 30) late.push(...(await Promise.all([asked('amy'), asked('rory'), asked('jo')])));
      await new Promise(setImmediate);
    }
    const [waiting] = late;
    assert.ok(waiting);
    await until(async () => /could not deliver our reply yet/.test((await waiting.visitor.open()).html));

    sink = await startSink({ ...where, port });
    const wanted = [...late.map(({ page }) => page.label), 'notice'].toSorted();
    const labelOf = (raw: Buffer) =>
      /auto-generated/.test(inHeader('Auto-Submitted', raw)) ? 'notice' : inHeader('Subject', raw).slice(-9);
    await until(async () => {
      clock.advance(6_000);
      await waiting.visitor.open();
      return sink.messages.length >= wanted.length;
    });
    // Whatever else would still be sent would be sent by now.
    for (let minute = 0; minute < 10; minute += 1) {
      clock.advance(minuteMs);
      await waiting.visitor.open();
    }
    assert.deepEqual(sink.messages.map(({ raw }) => labelOf(raw)).toSorted(), wanted);
    assert.equal(new Set(sink.messages.map(({ raw }) => inHeader('Message-ID', raw))).size, wanted.length);
    const texts = sink.messages.map(({ raw }) => raw.toString('latin1')).join('\n');
    for (const { page } of early) assert.ok(!texts.includes(page.label), 'its page has ended');
    await noticeTo(arrived(), amy);
    for (const { visitor, page } of late.slice(0, 3)) {
      const reply = sink.messages.find(({ raw }) => raw.includes(page.label)) ?? assert.fail();
      assert.equal((await visitor.enter(page, await codeIn(reply))).status, 303);
    }
  });
});

describe('our mail, as other servers see it', () => {
  it('is signed by both keys, aligned with its From: replies and notices alike', async () => {
    world = await startWorld();
    const keys = await loadDkimKeys();
    for (const [name, records] of Object.entries(keyRecords(keys, 'school.example'))) {
      world.kit.zone[`rtv-${name}`] = records;
    }
    const files = { rsa: join(world.dataDir, 'rsa.pem'), ed25519: join(world.dataDir, 'ed25519.pem') };
    for (const kind of ['rsa', 'ed25519'] as const) await writeFile(files[kind], keys[kind], { mode: 0o600 });
    await world.restart({
      'mail.dkimKeys': [`rtv-${selectors.rsa}=${files.rsa}`, `rtv-${selectors.ed25519}=${files.ed25519}`],
    });
    const one = await asked();
    const reply = await replyTo(world, amy, one.page.label);
    await resets(one, await codeIn(reply));
    await noticeTo(world, amy);
    assert.equal(world.kit.sink.messages.length, 2);
    const dns = new Resolver();
    dns.setServers([`127.0.0.1:${world.kit.dns.port}`]);
    const resolver = (name: string, type: string) => dns.resolve(name, type) as Promise<string[][]>;
    for (const { raw, envelope } of world.kit.sink.messages) {
      const { dkim, dmarc } = await authenticate(raw, {
        ...{ trustReceived: false, ip: '192.0.2.99', helo: 'relay.example', sender: envelope.mailFrom },
        ...{ mta: 'mx.example', resolver, disableArc: true, disableBimi: true },
      });
      const found = dkim.results.map(({ algo, status }) => `${algo} ${status.result} ${status.aligned}`);
      assert.deepEqual(found, ['rsa-sha256 pass school.example', 'ed25519-sha256 pass school.example']);
      assert.equal(dmarc ? dmarc.status.result : 'none', 'pass');
    }
  });

  it('is not sent unsigned: a key that cannot be used stops the start, with the place and the remedy', async () => {
    world = await startWorld();
    const file = join(world.dataDir, 'dkim.pem');
    const { rsa } = await loadDkimKeys();
    const dkimKeys = { 'mail.dkimKeys': [`rtv=${file}`] };
    await assert.rejects(world.restart(dkimKeys), /^Error: mail\.dkimKeys: .*dkim\.pem was not found\.$/);
    await writeFile(file, rsa, { mode: 0o640 });
    await chmod(file, 0o640);
    await assert.rejects(world.restart(dkimKeys), /can be read by others \(mode 640\)\. Run: chmod 600 /);
    await chmod(file, 0o600);
    await writeFile(file, rsa.slice(0, 200));
    await assert.rejects(world.restart(dkimKeys), /mail\.dkimKeys: .*dkim\.pem holds no private key/);
    await writeFile(file, rsa);
    await world.restart(dkimKeys);
  });
});

describe('a relay elsewhere', () => {
  it('that wants TLS and a password gets both, out of files; wrong files stop the start', async (t) => {
    const certificate = makeCertificate('localhost');
    const relay = await startRelay({ certificate, smtps: true, password: 'correct horse' });
    t.after(() => relay.close());
    world = await startWorld();
    const files = { ca: join(world.dataDir, 'ca.pem'), password: join(world.dataDir, 'password') };
    const there = {
      'relay.url': `smtps://service@localhost:${relay.port}`,
      'relay.caFile': files.ca,
      'relay.passwordFile': files.password,
    };
    await writeFile(files.password, 'correct horse\n', { mode: 0o600 });
    await assert.rejects(world.restart(there), /relay\.caFile: .*ca\.pem was not found\./);
    await writeFile(files.ca, certificate.key);
    await assert.rejects(world.restart(there), /relay\.caFile: .*ca\.pem holds no certificate/);
    await writeFile(files.ca, certificate.cert);
    await chmod(files.password, 0o644);
    await assert.rejects(world.restart(there), (error: Error) => {
      assert.match(error.message, /password can be read by others .*chmod 600/);
      assert.doesNotMatch(error.message, /correct/);
      return true;
    });
    await chmod(files.password, 0o600);
    await world.restart(there);
    const { visitor } = await asked();
    await until(async () => /sent our reply/.test((await visitor.open()).html));
    assert.deepEqual(relay.seen, ['encrypted service']);
  });
});
