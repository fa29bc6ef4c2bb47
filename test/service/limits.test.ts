// Limits per network, over HTTP, through a proxy that is trusted: the answer names the wait and means it, a refused request
// costs nothing further, whoever is in another network notices nothing, and nobody speaks for another network.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { texts } from '../../src/adapters/web/texts.ts';
import { locales } from '../../src/core/locale.ts';
import { TestClock } from '../support/clock.ts';
import { quickEnough } from '../support/quick.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const school = '203.0.113.7';
const home = '198.51.100.9';
const second = 1000;
const dayMs = 24 * 3_600_000;

let world: World;
let clock: TestClock;

/** @param limits names without `limits.` */
async function start(limits: Record<string, number>, more: Record<string, unknown> = {}): Promise<void> {
  clock = new TestClock();
  clock.advance(20 * second - (clock.now() % 60_000)); // 40 s are left of the minute
  const named = Object.entries(limits).map(([name, value]) => [`limits.${name}`, value]);
  world = await startWorld({ 'web.trustedProxies': ['127.0.0.1'], ...Object.fromEntries(named), ...more }, clock);
}
afterEach(() => world.close());

/** A browser in a network, behind the proxy. */
function visitorFrom(network: string, headers: Readonly<Record<string, string>> = {}): Visitor {
  return new Visitor(world, { 'x-forwarded-for': network, ...headers });
}

async function statusOf(visitor: Visitor, path = '/reset'): Promise<number> {
  const answer = await visitor.request(path);
  await answer.arrayBuffer();
  return answer.status;
}

async function statuses(visitor: Visitor, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let times = 0; times < count; times += 1) all.push(await statusOf(visitor));
  return all;
}

/** Mails as Amy, and reads the code. */
async function mailed(visitor: Visitor) {
  const page = await visitor.open();
  assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
  return { page, code: await codeIn(await replyTo(world, 'amy.pond@school.example', page.label)) };
}

function wrong(code: string, step: number): string {
  return String((Number(code.replace(' ', '')) + step) % 100_000_000).padStart(8, '0');
}

describe('pages of one network', () => {
  it('are so many in a minute; then the answer says how long to wait, and it is exactly so long', async () => {
    await start({ pagesPerNetworkPerMinute: 3 });
    const visitor = visitorFrom(school);
    assert.deepEqual(await statuses(visitor, 3), [200, 200, 200]);
    for (const locale of locales) {
      const answer = await visitor.request('/reset', { headers: { 'accept-language': locale } });
      assert.equal(answer.status, 429);
      assert.equal(answer.headers.get('retry-after'), '40');
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/);
      assert.deepEqual(answer.headers.getSetCookie(), []);
      const html = await answer.text();
      const style = /href="(\/assets\/style[^"]+)"/.exec(html)?.[1] ?? '';
      assert.equal(
        await statusOf(visitorFrom(school), style),
        locales.indexOf(locale) < 3 ? 200 : 429,
        'its own count',
      );
      assert.ok(html.includes(`<html lang="${locale}"`) && html.includes(texts[locale].troubles['too-many-requests']));
    }
    assert.equal(await statusOf(visitor, '/reset/progress'), 429, 'everything counts');
    assert.equal(await statusOf(visitorFrom(home)), 200, 'another network');
    clock.advance(39 * second);
    const late = await visitor.request('/reset');
    assert.deepEqual([late.status, late.headers.get('retry-after')], [429, '1']);
    clock.advance(second);
    assert.deepEqual(await statuses(visitor, 4), [200, 200, 200, 429]);
  });

  it('are counted for the whole /64 of IPv6, and by themselves for each', async () => {
    await start({ pagesPerNetworkPerMinute: 1 });
    const all = ['2001:db8:1:2::1', '[2001:db8:1:2::2]:4711', '2001:db8:1:3::1'];
    const answers = await Promise.all(all.map((address) => statusOf(visitorFrom(address))));
    assert.deepEqual([answers.slice(0, 2).toSorted(), answers[2]], [[200, 429], 200]);
  });

  it('are not counted for anybody whom the browser names', async () => {
    await start({ pagesPerNetworkPerMinute: 1 });
    const made = (times: number) => visitorFrom(`192.0.2.${times}, ${school}`, { forwarded: `for=192.0.2.${times}` });
    const answers = [];
    for (let times = 0; times < 3; times += 1) answers.push(await statusOf(made(times)));
    assert.deepEqual(answers, [200, 429, 429]);
    assert.equal(await statusOf(visitorFrom('192.0.2.1')), 200, 'whom it named has lost nothing');
  });

  it('are the proxy’s where it is not trusted, or tells nonsense', async () => {
    await start({ pagesPerNetworkPerMinute: 2 });
    assert.deepEqual(await statuses(visitorFrom('unknown'), 2), [200, 200]);
    assert.equal(await statusOf(visitorFrom(`${school}, ${'x'.repeat(10_000)}`)), 429);
    await world.restart({ 'web.trustedProxies': ['192.0.2.1'] });
    assert.deepEqual(await statuses(visitorFrom(school), 2), [200, 200]);
    assert.equal(await statusOf(visitorFrom(home)), 429);
  });

  it('are forgotten by a restart', async () => {
    await start({ pagesPerNetworkPerMinute: 1 });
    assert.deepEqual(await statuses(visitorFrom(school), 2), [200, 429]);
    await world.restart();
    assert.equal(await statusOf(visitorFrom(school)), 200);
  });
});

describe('forms of one network', () => {
  it('are so many in a minute; the next is not read, and takes nobody’s try', async () => {
    await start({ formsPerNetworkPerMinute: 2 });
    const visitor = visitorFrom(school);
    const { page, code } = await mailed(visitor);
    assert.deepEqual(
      [(await visitor.enter(page, wrong(code, 1))).status, (await visitor.enter(page, wrong(code, 2))).status],
      [422, 422],
    );
    const refused = await visitor.enter(page, wrong(code, 3));
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '40']);
    assert.equal(refused.headers.get('connection'), 'close');
    assert.equal((await visitor.post('/undo', { code: 'x' })).status, 429, 'whatever the form is');
    assert.equal(await statusOf(visitor), 200, 'pages are counted by themselves');
    clock.advance(40 * second);
    const third = await (await visitor.enter(page, wrong(code, 4))).text();
    assert.ok(third.includes(texts.en.refusals['code-wrong']({ triesLeft: 2, wait: '' })), 'the third wrong code');
    assert.equal((await visitor.enter(page, code)).status, 303);
  });

  it('are answered before their body has come, and end their connection', async () => {
    await start({ formsPerNetworkPerMinute: 1 });
    await visitorFrom(school).post('/reset/new', {});
    const { port } = world.addresses.web;
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        const head = [
          'POST /reset HTTP/1.1',
          'Host: reset',
          `X-Forwarded-For: ${school}`,
          'Content-Length: 1000000000',
        ];
        socket.write(`${head.join('\r\n')}\r\n\r\nnonce=`);
      });
      let text = '';
      socket.setEncoding('latin1').on('data', (more) => {
        text += more;
      });
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    assert.match(answer, /^HTTP\/1\.1 429 /);
  });
});

describe('wrong codes of one network', () => {
  it('are so many in a day, whoever wrote and however many challenges there are', async () => {
    await start({ wrongCodesPerNetworkPerDay: 3 });
    const [one, other] = [visitorFrom(school), visitorFrom(school)];
    const first = await mailed(one);
    const next = await mailed(other);
    for (const step of [1, 1, 2]) assert.equal((await one.enter(first.page, wrong(first.code, step))).status, 422);
    clock.advance(60 * second);
    assert.equal((await other.enter(next.page, wrong(next.code, 1))).status, 422, 'the third: one was the same again');
    const refused = await other.enter(next.page, next.code);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, String((dayMs - 60 * second) / 1000)]);
    assert.ok((await refused.text()).includes('Too many wrong codes'));
    // The very same request from elsewhere.
    const elsewhere = visitorFrom(home);
    for (const [name, value] of other.cookies) elsewhere.cookies.set(name, value);
    assert.equal((await elsewhere.enter(next.page, next.code)).status, 303);
    clock.advance(dayMs - 60 * second - 1);
    const again = await mailed(one);
    const early = await one.enter(again.page, again.code);
    assert.deepEqual([early.status, early.headers.get('retry-after')], [429, '1']);
    clock.advance(1);
    assert.equal((await one.enter(again.page, again.code)).status, 303);
  });

  it('are not counted while nobody has written: nothing can be guessed', async () => {
    await start({ wrongCodesPerNetworkPerDay: 1 });
    const visitor = visitorFrom(school);
    const page = await visitor.open();
    for (let code = 10; code < 20; code += 1) assert.equal((await visitor.enter(page, `000000${code}`)).status, 422);
  });
});

describe('live lines of one network', () => {
  it('are so many at the same time; a page beyond asks by itself', async () => {
    await start({ streamsPerNetworkMax: 2 });
    const open = async (network: string) => {
      const visitor = visitorFrom(network);
      await visitor.open();
      return visitor.request('/reset/events');
    };
    const streams = [await open(school), await open(school)];
    assert.deepEqual([(await open(school)).status, (await open(home)).status], [204, 200]);
    await streams[0]?.body?.cancel();
    let next = await open(school);
    while (next.status === 204) next = await open(school);
    assert.equal((await open(school)).status, 204);
  });
});

describe('whoever asks', () => {
  it('is in the audit as the proxy told it', async () => {
    await start({});
    const visitor = visitorFrom(`192.0.2.1, [2001:DB8:0:0::7]:4711`);
    const { page, code } = await mailed(visitor);
    assert.equal((await visitor.enter(page, code)).status, 303);
    await world.restart();
    const lines = (await readFile(join(world.dataDir, 'audit.jsonl'), 'utf8')).split('\n').slice(0, -1);
    const verified = lines.map((line) => JSON.parse(line)).find(({ event }) => event === 'verified');
    assert.equal(verified.remoteAddress, '2001:db8::7');
  });

  it('is served at once while another network hammers', async () => {
    await start({ pagesPerNetworkPerMinute: 100 });
    const visitor = visitorFrom(home);
    await statuses(visitor, 5);
    let refused = 0;
    let ended = false;
    const hammer = () =>
      new Promise<void>((resolve, reject) => {
        const { host, port } = world.addresses.web;
        request({ host, port, path: '/reset', headers: { 'x-forwarded-for': school } }, (answer) => {
          refused += answer.statusCode === 429 ? 1 : 0;
          answer.resume().on('end', resolve);
        })
          .on('error', reject)
          .end();
      });
    const worker = async () => {
      while (!ended) await hammer();
    };
    const workers = Array.from({ length: 20 }, worker);
    while (refused < 20) await statusOf(visitor, '/favicon.ico');
    await quickEnough(100, 'a page beside twenty that hammer', async () => {
      const startedAt = performance.now();
      clock.advance(60 * second); // its own limit is not what is looked at
      assert.equal(await statusOf(visitor), 200);
      return performance.now() - startedAt;
    });
    ended = true;
    await Promise.all(workers);
    assert.ok(refused >= 20);
  });
});
