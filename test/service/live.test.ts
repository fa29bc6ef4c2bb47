// What an open page asks for by itself, over HTTP: the live line as events and by asking, the QR code, the language,
// the static pieces. None of it makes a challenge, and none of it holds the server open.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { TestClock } from '../support/clock.ts';
import { quickEnough } from '../support/quick.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
let world: World;
const clock = new TestClock();

before(async () => {
  world = await startWorld({}, clock);
});
after(() => world.close());

interface View {
  readonly state: string;
  readonly line: string;
  readonly over: boolean;
}

/** Reads the events of a visitor one by one; undefined at the end of the stream. */
async function follow(visitor: Visitor) {
  const answer = await visitor.request('/reset/events');
  const reader = (answer.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    answer,
    async next(): Promise<View | undefined> {
      for (;;) {
        const found = /^data: (.*)\n\n/m.exec(text);
        if (found !== null) {
          text = text.slice(found.index + found[0].length);
          return JSON.parse(found[1] ?? '');
        }
        const { done, value } = await reader.read();
        if (done) return undefined;
        text += value;
      }
    },
    end: () => reader.cancel(),
  };
}

async function ask(visitor: Visitor): Promise<View> {
  return JSON.parse(await (await visitor.request('/reset/progress')).text());
}

describe('the live line', () => {
  it('tells every step once, in order, and ends when the That was the right code', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const events = await follow(visitor);
    assert.equal(events.answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    assert.equal(events.answer.headers.get('cache-control'), 'no-store');
    assert.equal((await events.next())?.state, 'awaiting-mail');
    await world.kit.send('amy', { to: page.address, subject: page.label });
    const states = [];
    for (let view = await events.next(); view !== undefined; view = await events.next()) {
      assert.ok(!JSON.stringify(view).includes('@'), 'no mailbox before the That was the right code');
      states.push(view.state);
      if (view.state === 'reply-handed-over') {
        await visitor.enter(page, await codeIn(await replyTo(world, amy, page.label)));
      }
    }
    // A step that is over before it can be looked at is left out.
    assert.deepEqual(
      states.filter((state) => !['mail-arrived', 'reply-queued'].includes(state)),
      ['reply-handed-over', 'verified'],
    );
    assert.equal((await ask(visitor)).state, 'verified');
  });

  it('tells a refused mail with its reason, and forgets it with the next good one', async () => {
    const visitor = new Visitor(world, { 'accept-language': 'de' });
    const page = await visitor.open();
    const events = await follow(visitor);
    await events.next();
    await world.kit.send('forger', { to: page.address, subject: page.label });
    let view = await events.next();
    while (view?.state === 'mail-arrived') view = await events.next();
    assert.match(view?.line ?? '', /Wir konnten nicht bestätigen/);
    await world.kit.send('amy', { to: page.address, subject: page.label });
    // As soon as the next mail is seen, nothing is said about the one before: it would be read out.
    do {
      view = await events.next();
      assert.doesNotMatch(JSON.stringify(view), /nicht bestätigen/);
    } while (view !== undefined && view.state !== 'reply-handed-over');
    await events.end();
  });

  it('ends with the page', async () => {
    const visitor = new Visitor(world);
    await visitor.open();
    const events = await follow(visitor);
    await events.next();
    clock.advance(61 * 60_000);
    assert.deepEqual((await events.next())?.state, 'page-ended');
    assert.equal(await events.next(), undefined);
  });

  it('says so when there is no cookie or one that is not ours, and makes none', async () => {
    for (const [cookie, state] of [
      [undefined, 'cookie-missing'],
      ['x'.repeat(54), 'page-ended'],
    ] as const) {
      const visitor = new Visitor(world);
      if (cookie !== undefined) visitor.cookies.set('rtv-challenge', cookie);
      const events = await follow(visitor);
      assert.equal((await events.next())?.state, state);
      assert.equal(await events.next(), undefined, 'and that is all');
      assert.equal((await ask(visitor)).state, state);
      assert.deepEqual([...visitor.cookies.values()], cookie === undefined ? [] : [cookie]);
    }
  });

  it('is for one browser only', async () => {
    const [one, other] = [new Visitor(world), new Visitor(world)];
    const page = await one.open();
    await other.open();
    await world.kit.send('forger', { to: page.address, subject: page.label });
    assert.equal((await ask(one)).state, 'mail-refused');
    assert.equal((await ask(other)).state, 'awaiting-mail');
  });

  it('lets four tabs follow; a fifth is told to ask by itself, and a place is free again afterwards', async () => {
    const visitor = new Visitor(world);
    await visitor.open();
    const four = await Promise.all([1, 2, 3, 4].map(() => follow(visitor)));
    await Promise.all(four.map((events) => events.next()));
    assert.equal((await visitor.request('/reset/events')).status, 204);
    await four[0]?.end();
    for (;;) {
      const answer = await visitor.request('/reset/events');
      await answer.body?.cancel();
      if (answer.status === 200) break;
    }
    await Promise.all(four.slice(1).map((events) => events.end()));
  });

  it('neither a HEAD nor a client that goes away leaves anything open, and a stop waits for nobody', async () => {
    await quickEnough(2_000, 'the stop', async () => {
      const own = await startWorld();
      const visitor = new Visitor(own);
      await visitor.open();
      assert.equal((await visitor.request('/reset/events', { method: 'HEAD' })).status, 200);
      const gone = await follow(visitor);
      await gone.next();
      await gone.end();
      const others = await Promise.all(
        Array.from({ length: 100 }, async () => {
          const other = new Visitor(own);
          await other.open();
          return follow(other);
        }),
      );
      await Promise.all(others.map((events) => events.next()));
      const startedAt = performance.now();
      await own.service.stop();
      const tookMs = performance.now() - startedAt;
      for (const events of others) assert.equal(await events.next(), undefined);
      await own.close();
      return tookMs;
    });
  });
});

describe('a connection', () => {
  it('that asks again before it has read its answer is ended: answers must not pile up', async () => {
    const socket = connect(world.addresses.web.port, '127.0.0.1');
    socket.write('GET /reset HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500));
    const answers = (
      await socket
        .setEncoding('latin1')
        .toArray()
        .catch(() => [])
    ).join('');
    assert.ok(answers.split('<!doctype html>').length <= 3);
  });

  it('that sends on after its request was refused is ended, and hears why', async () => {
    const socket = connect(world.addresses.web.port, '127.0.0.1');
    socket.write('POST /reset HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\nx');
    const answer = (await socket.setEncoding('latin1').toArray()).join('');
    assert.match(answer, /^HTTP\/1\.1 415 .*^connection: close/ims);
  });
});

describe('the QR code', () => {
  it('is a picture of the page it stands on, and of no other', async () => {
    const [one, other] = [new Visitor(world), new Visitor(world)];
    await one.open();
    await other.open();
    const picture = async (visitor: Visitor) => (await visitor.request('/reset/mail.svg')).text();
    const [first, again, second] = [await picture(one), await picture(one), await picture(other)];
    assert.match(first, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
    assert.equal(first, again);
    assert.notEqual(first, second);
    const answer = await one.request('/reset/mail.svg');
    assert.equal(answer.headers.get('content-type'), 'image/svg+xml');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    assert.equal((await new Visitor(world).request('/reset/mail.svg')).status, 404);
  });
});

describe('the language', () => {
  it('is chosen by a form, kept in a cookie, and nothing but the four will do', async () => {
    const visitor = new Visitor(world, { 'accept-language': 'fr-CH, en;q=0.8' });
    assert.match((await visitor.open()).html, /<html lang="fr"/);
    const chosen = await visitor.post('/language', { locale: 'de', page: 'reset' });
    assert.deepEqual([chosen.status, chosen.headers.get('location')], [303, '/reset']);
    assert.match((await visitor.open()).html, /<html lang="de"/);
    for (const locale of ['', 'xx', 'en\r\nx: y', '__proto__', 'a'.repeat(3000)]) {
      assert.equal((await visitor.post('/language', { locale })).status, 303);
      assert.match((await visitor.open()).html, /<html lang="de"/);
    }
    visitor.cookies.set('rtv-locale', 'zz');
    assert.match((await visitor.open()).html, /<html lang="fr"/);
  });

  it('leads back to pages of ours only', async () => {
    const visitor = new Visitor(world);
    for (const page of ['reset/accounts', 'reset', 'https://evil.example', '//evil.example', 'toString', '']) {
      const location = (await visitor.post('/language', { locale: 'de', page })).headers.get('location');
      assert.equal(location, page === 'reset/accounts' ? '/reset/accounts' : '/reset', page);
    }
    const headers = { 'sec-fetch-site': 'cross-site', 'content-type': 'application/x-www-form-urlencoded' };
    const foreign = await visitor.request('/language', { method: 'POST', body: 'locale=fr', headers });
    assert.equal(foreign.status, 403);
  });
});

describe('static pieces', () => {
  it('are small, packed, kept for good, and named by what is in them; the page is never packed', async () => {
    const visitor = new Visitor(world);
    const { html } = await visitor.open();
    const paths = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
    assert.equal(paths.length, 2);
    for (const path of paths) {
      const answer = await visitor.request(path, { headers: { 'accept-encoding': 'gzip, br' } });
      assert.equal(answer.headers.get('content-encoding'), 'br');
      assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
      const digest = createHash('sha256')
        .update(Buffer.from(await answer.arrayBuffer()))
        .digest('hex');
      assert.ok(path.includes(digest.slice(0, 12)), 'fetch has unpacked it');
    }
    const page = await visitor.request('/reset', { headers: { 'accept-encoding': 'gzip, br' } });
    assert.equal(page.headers.get('content-encoding'), null);
  });
});
