// The listener for whoever runs the service: what is counted, whether it is ready, and that none of it names a person.

import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { createPrometheusMetrics } from '../../src/adapters/metrics/prometheus.ts';
import { SmtpClient } from '../support/smtp.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
let world: World;

async function start(overrides: Record<string, unknown> = {}): Promise<void> {
  world = await startWorld({ 'admin.listen': '127.0.0.1:0', ...overrides });
}
afterEach(() => world.close());

async function get(path: string, init: RequestInit = {}): Promise<{ status: number; text: string; headers: Headers }> {
  const answer = await fetch(`http://127.0.0.1:${world.addresses.admin?.port}${path}`, init);
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

/** A number by its name and labels; they may stand in any order. */
async function number(name: string, labels: Record<string, string> = {}): Promise<number> {
  const { text } = await get('/metrics');
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const line = text.split('\n').find((each) => {
    const [, found, given = '', value] = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/.exec(each) ?? [];
    return found === name && value !== undefined && wanted.every((label) => given.split(',').includes(label));
  });
  return Number(line?.split(' ').at(-1) ?? 0);
}

/** Waits until a number is what it should be. */
async function counts(expected: number, name: string, labels?: Record<string, string>): Promise<void> {
  let found = Number.NaN;
  for (const end = Date.now() + 5000; found !== expected; ) {
    found = await number(name, labels);
    assert.ok(found === expected || Date.now() < end, `${name} ${JSON.stringify(labels)} is ${found}`);
  }
}

async function readiness(expected: number): Promise<string> {
  for (const end = Date.now() + 5000; ; ) {
    const { status, text } = await get('/readyz');
    if (status === expected) return text;
    assert.ok(Date.now() < end, text);
  }
}

describe('numbers', () => {
  it('tell what was answered and why, how long it took, and what is open', async () => {
    await start();
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const live = await visitor.request('/reset/events');
    await counts(1, 'rtv_live_lines');
    assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
    const code = await codeIn(await replyTo(world, amy, page.label));
    assert.equal((await visitor.enter(page, '00000000')).status, 422);
    assert.equal((await visitor.enter(page, code)).status, 303);
    assert.equal((await world.kit.send('forger', { to: page.address, subject: page.label })).code, 550);
    assert.equal((await fetch(`${world.webUrl}/${'x'.repeat(50)}`)).status, 404);
    await live.body?.cancel();

    await counts(1, 'rtv_mails_total', { outcome: 'reply-queued', at: 'data' });
    await counts(1, 'rtv_mails_total', { outcome: 'refused', reason: 'address-expired' });
    await counts(1, 'rtv_sent_total', { kind: 'reply', outcome: 'handed-over' });
    await counts(1, 'rtv_reply_seconds_count');
    await counts(1, 'rtv_http_requests_total', { route: '/reset', status: '422', reason: 'code-wrong' });
    await counts(1, 'rtv_http_requests_total', { route: 'none', status: '404' });
    await counts(1, 'rtv_mail_seconds_count');
    await counts(0, 'rtv_live_lines');
    await counts(0, 'rtv_replies_waiting');
    await counts(1, 'rtv_keys');
    assert.ok((await number('rtv_dns_seconds_count', { outcome: 'records' })) > 0);
    assert.ok((await number('nodejs_eventloop_lag_p99_seconds')) > 0);
    assert.ok((await number('process_resident_memory_bytes')) > 0);
    const { text } = await get('/metrics');
    for (const secret of [
      code,
      code.replace(' ', ''),
      page.nonce,
      page.address.split('@')[0],
      'amy',
      'school',
      'xxx',
    ]) {
      assert.ok(!text.includes(secret ?? '?'), 'something that is nobody else’s business');
    }
  });

  it('count connections, and a recipient whom no message followed', async () => {
    await start({ 'limits.smtpConnectionsPerAddressMax': 1 });
    const { address } = await new Visitor(world).open();
    const client = await SmtpClient.greeted(world.addresses.smtp);
    await counts(1, 'rtv_smtp_connections');
    const refused = await SmtpClient.connect(world.addresses.smtp);
    assert.equal((await refused.reply()).code, 421);
    await counts(1, 'rtv_smtp_connections_total', { outcome: 'refused', reason: 'too-many-connections' });
    await client.say('MAIL FROM:<amy.pond@school.example>');
    assert.equal((await client.say(`RCPT TO:<${address}>`)).code, 250);
    await client.say('QUIT');
    await counts(1, 'rtv_mails_total', { outcome: 'abandoned', at: 'rcpt' });
    await counts(0, 'rtv_smtp_connections');
  });

  it('of two services in a process are kept apart', async () => {
    await start();
    const [one, other] = [createPrometheusMetrics(), createPrometheusMetrics()];
    one.happened('keys', 'rotated');
    assert.match(await one.text(), /rtv_events_total\{event="keys",outcome="rotated"\} 1/);
    assert.doesNotMatch(await other.text(), /rotated/);
  });
});

describe('ready', () => {
  it('is what it is when all of it is open, and alive whatever happens; nothing else is served', async () => {
    await start();
    assert.deepEqual([(await get('/healthz')).text, (await get('/readyz')).text], ['alive\n', 'ready\n']);
    assert.equal((await get('/readyz')).headers.get('cache-control'), 'no-store');
    assert.equal((await get('/readyz', { method: 'POST' })).status, 405);
    for (const path of ['/', '/reset', '/constructor', '/readyz?x', '/metrics/']) {
      assert.equal((await get(path)).status, 404, path);
    }
    const { status, text } = await get('/healthz', { method: 'HEAD' });
    assert.deepEqual([status, text], [200, '']);
  });

  it('is not while the disk takes nothing, which is told by 451; it comes back by itself', async () => {
    await start();
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const folder = join(world.dataDir, 'challenges');
    await readiness(200);
    await rename(folder, `${folder}-away`);
    assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 451);
    assert.equal(await readiness(503), 'not ready: the store cannot be written\n');
    assert.equal((await get('/healthz')).status, 200);
    await rename(`${folder}-away`, folder);
    await readiness(200);
    assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
  });

  it('is not before the start has come to its end, nor once it is stopping', async () => {
    await start();
    const { port } = world.addresses.admin ?? { port: 0 };
    const open = await SmtpClient.greeted(world.addresses.smtp);
    const { address } = await new Visitor(world).open();
    await open.say('MAIL FROM:<amy.pond@school.example>'); // in the middle of something, so that the end takes its time
    assert.equal((await open.say(`RCPT TO:<${address}>`)).code, 250);
    const stopped = world.service.stop();
    assert.equal(await readiness(503), 'not ready: the service is stopping\n');
    open.socket.destroy();
    await stopped;
    await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  });
});

it('nothing listens unless it is asked for, and a port that is taken stops the start', async () => {
  await start({ 'admin.listen': null });
  assert.equal(world.addresses.admin, null);
  await assert.rejects(world.restart({ 'admin.listen': `127.0.0.1:${world.kit.sink.port}` }), { code: 'EADDRINUSE' });
  await world.restart();
});
