// The pages over HTTP: what a reload keeps, what bad input gets, and that showing a page costs nothing.

import assert from 'node:assert/strict';
import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readPage } from '../../src/testkit/visitor.ts';
import { TestClock } from '../support/clock.ts';
import { codeIn, replyTo, startWorld, stored, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const minuteMs = 60_000;

let world: World;
const clock = new TestClock();

before(async () => {
  world = await startWorld({}, clock);
});
after(() => world.close());

/** Name, size and time of every file in a data folder. */
async function snapshot(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}

describe('the reset page', () => {
  it('keeps its address on reload, and a second tab shows the same', async () => {
    const visitor = new Visitor(world);
    const [one, other] = [await visitor.open(), await visitor.open()];
    assert.deepEqual([one.address, one.nonce], [other.address, other.nonce]);
  });

  it('gets a new address by "start again"', async () => {
    const visitor = new Visitor(world);
    const one = await visitor.open();
    const answer = await visitor.post('/reset/new', {});
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/reset']);
    const other = await visitor.open();
    assert.notEqual(one.address, other.address);
    assert.notEqual(one.nonce, other.nonce);
  });

  it('takes the code of a mail that came while it was reloaded', async () => {
    const visitor = new Visitor(world);
    const { address, label } = await visitor.open();
    const [sent] = await Promise.all([world.kit.send('amy', { to: address, subject: label }), visitor.open()]);
    assert.equal(sent.code, 250);
    const code = await codeIn(await replyTo(world, amy, label));
    assert.equal((await visitor.enter(await visitor.open(), code)).status, 303);
  });

  it('renews itself when it is too old, and an old form says so', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    clock.advance(61 * minuteMs);
    const late = await visitor.enter(page, '12345678');
    assert.equal(late.status, 410);
    assert.match(await late.text(), /open too long/);
    assert.notEqual((await visitor.open()).address, page.address);
    const mail = await world.kit.send('amy', { to: page.address });
    assert.deepEqual([mail.code, mail.text.slice(0, 5)], [550, '5.1.1']);
  });

  it('tells how far it has come without naming the mailbox', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    assert.match(page.html, /waiting for your email/);
    await world.kit.send('amy', { to: page.address, subject: page.label });
    await replyTo(world, amy, page.label);
    const later = await visitor.open();
    assert.match(later.html, /(sent our reply|on its way)/);
    assert.ok(!later.html.includes(amy));
  });

  it('keeps the nonce out of URLs, and out of what anybody else sees', async () => {
    const { html, nonce } = await new Visitor(world).open();
    assert.equal(html.split(nonce).length, 2, 'once, in the hidden field');
    assert.ok(
      !/<script(?! type="module" src="\/assets\/[\w.-]+"><\/script>)|<style|\s(?:style|on\w+)=/.test(html),
      'nothing inline',
    );
  });
});

describe('showing a page', () => {
  // Why it cannot differ for a million: `open-challenge.ts` only derives from the cookie and calls nothing of the
  // store but `read`, which answers from memory (its contract test shows that it writes nothing).
  it('costs no storage however often it happens', async () => {
    const quiet = await startWorld();
    try {
      const before = await snapshot(quiet.dataDir);
      const statuses = new Set<number>();
      for (let round = 0; round < 40; round++) {
        const visits = Array.from({ length: 50 }, () => new Visitor(quiet).request('/reset'));
        for (const answer of await Promise.all(visits)) {
          statuses.add(answer.status);
          await answer.arrayBuffer();
        }
      }
      assert.deepEqual([...statuses], [200]);
      assert.deepEqual(await snapshot(quiet.dataDir), before);
    } finally {
      await quiet.close();
    }
  });
});

describe('refused mail', () => {
  it('is explained on its page, with the verdict in a fold, and written nowhere', async () => {
    const quiet = await startWorld();
    try {
      const visitor = new Visitor(quiet);
      const page = await visitor.open();
      const before = await snapshot(quiet.dataDir);
      for (const identity of ['forger', 'forger', 'amy'] as const) {
        const headers = identity === 'amy' ? { 'In-Reply-To': '<1@x.example>' } : {};
        assert.equal((await quiet.kit.send(identity, { to: page.address, subject: page.label, headers })).code, 550);
        const { html } = await visitor.open();
        if (identity === 'amy') assert.match(html, /Your email was a reply to another one/);
        else assert.match(html, /could not confirm that this email really came from.*<details.*dmarc=fail/s);
        assert.ok(!html.includes(amy), 'no page names a mailbox that was not proved');
      }
      assert.doesNotMatch((await new Visitor(quiet).open()).html, /could not confirm/, 'and on no other page');
      assert.deepEqual(await snapshot(quiet.dataDir), before);
      assert.equal((await quiet.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
      await replyTo(quiet, amy, page.label);
      assert.doesNotMatch((await visitor.open()).html, /Your email was a reply to another one/, 'it is over');
    } finally {
      await quiet.close();
    }
  });
});

describe('the grant', () => {
  it('ends after ten minutes', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    await world.kit.send('amy', { to: page.address, subject: page.label });
    await visitor.enter(page, await codeIn(await replyTo(world, amy, page.label)));
    assert.equal((await visitor.request('/reset/accounts')).status, 200);
    assert.match((await visitor.open()).html, /That was the right code/);
    clock.advance(10 * minuteMs);
    assert.equal((await visitor.request('/reset/accounts')).status, 403);
  });

  it('cannot be made up', async () => {
    const visitor = new Visitor(world);
    await visitor.open();
    for (const forged of ['', 'x', 'A'.repeat(43), 'é', 'A'.repeat(5000)]) {
      visitor.cookies.set('rtv-grant', encodeURIComponent(forged));
      assert.equal((await visitor.request('/reset/accounts')).status, 403);
    }
  });
});

describe('bad input gets a clear answer', () => {
  const form = 'application/x-www-form-urlencoded';
  const post = (body: string, headers: Record<string, string> = { 'content-type': form }, path = '/reset') =>
    new Visitor(world).request(path, { method: 'POST', body, headers });

  /** The status, after making sure that the page is one of ours and gives nothing away. */
  async function statusOf(answer: Response): Promise<number> {
    const html = await answer.text();
    assert.match(html, /<h1>/);
    assert.doesNotMatch(html, /Error|\bat .*:\d+|node_modules|undefined|\[object/);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    return answer.status;
  }

  it('without a cookie', async () => {
    assert.equal(await statusOf(await post('nonce=x&code=12345678')), 403);
  });

  it('with a broken or a forged cookie', async () => {
    const honest = new Visitor(world);
    const page = await honest.open();
    const cookie = honest.cookies.get('rtv-challenge') ?? '';
    const flipped = (cookie[9] === 'A' ? 'B' : 'A') + cookie.slice(10);
    for (const value of ['x', '"', '%00', 'A'.repeat(55), cookie.slice(0, 9) + flipped, `${cookie}A`, 'é'.repeat(9)]) {
      const visitor = new Visitor(world);
      visitor.cookies.set('rtv-challenge', encodeURIComponent(value));
      assert.equal(await statusOf(await visitor.enter(page, '12345678')), 400, value);
      assert.notEqual((await visitor.open()).address, page.address, 'the page makes a new one');
    }
  });

  it('with a malformed nonce, none, or two', async () => {
    const visitor = new Visitor(world);
    const { nonce } = await visitor.open();
    for (const bad of ['', 'x', nonce.slice(1), `${nonce}A`, nonce.toLowerCase(), '\0', 'é', 'A'.repeat(3000)]) {
      assert.equal(await statusOf(await visitor.enter({ nonce: bad }, '12345678')), 403, bad);
    }
    const twice = `nonce=${nonce}&nonce=${nonce}&code=12345678`;
    const answer = await visitor.request('/reset', { method: 'POST', body: twice, headers: { 'content-type': form } });
    assert.equal(await statusOf(answer), 403);
  });

  it('with a code of letters, of nothing, of too much', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    for (const code of ['', 'abcdefgh', '1234567', '123456789', '1234 5678 8765 4321', '\u0000', '9'.repeat(1000)]) {
      const answer = await visitor.enter(page, code);
      assert.equal(await statusOf(answer.clone()), 422, code);
      assert.equal(readPage(422, await answer.text()).nonce, page.nonce, 'the form is there again');
    }
    assert.equal(await statusOf(await visitor.enter(page, '12345678')), 422, 'no mail has come yet');
  });

  it('with a form of a megabyte, and of no form at all', async () => {
    assert.equal(await statusOf(await post(`code=${'1'.repeat(1_000_000)}`)), 413);
    assert.equal(await statusOf(await post('{"code":"1"}', { 'content-type': 'application/json' })), 415);
    assert.equal(await statusOf(await post('x', { 'content-type': 'text/plain' })), 415);
    assert.equal(await statusOf(await post('nonce[__proto__][x]=1&code=%ff%fe')), 403);
  });

  it('with an unknown path and a wrong method', async () => {
    const visitor = new Visitor(world);
    for (const path of ['/nope', '/reset/accounts/1', '/assets/../package.json', '/%2e%2e/x', '/%00', '/%']) {
      assert.equal(await statusOf(await visitor.request(path)), 404, path);
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const answer = await visitor.request('/reset', { method });
      assert.equal(await statusOf(answer), 405, method);
      assert.match(answer.headers.get('allow') ?? '', /GET/);
    }
    assert.equal(await statusOf(await visitor.request('/reset/new')), 405);
    assert.equal((await visitor.request('/reset', { method: 'HEAD' })).status, 200);
  });

  it('when it is no request that could be read', async () => {
    const send = async (text: string) => {
      const socket = connect(world.addresses.web.port, '127.0.0.1');
      socket.end(text);
      const answer = (await socket.setEncoding('utf8').toArray()).join('');
      const [head = '', html = ''] = answer.split('\r\n\r\n');
      assert.match(head, /^content-security-policy: default-src 'none'/im);
      assert.match(html, /<h1>That did not work<\/h1>.*<a class="button" href="\/reset">/s);
      assert.equal(Number(/^content-length: (\d+)/im.exec(head)?.[1]), Buffer.byteLength(html));
      return head.split('\r\n')[0];
    };
    const start = 'GET /reset HTTP/1.1\r\nHost: x\r\n';
    assert.equal(await send('hello\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
    assert.equal(
      await send(`${start}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`),
      'HTTP/1.1 400 Bad Request',
    );
    assert.equal(
      await send(`${start}Cookie: ${'x'.repeat(20_000)}\r\n\r\n`),
      'HTTP/1.1 431 Request Header Fields Too Large',
    );
  });

  it('from another site', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const foreign = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'http://127.0.0.1:1' },
    ];
    for (const headers of foreign) {
      for (const path of ['/reset', '/reset/new']) {
        const body = new URLSearchParams({ nonce: page.nonce, code: '12345678' });
        const answer = await visitor.request(path, { method: 'POST', body, headers });
        assert.equal(await statusOf(answer), 403, JSON.stringify(headers));
      }
    }
    assert.equal((await visitor.open()).address, page.address, 'nothing was started again');
    const own = new URLSearchParams({ nonce: page.nonce, code: '12345678' });
    const answer = await visitor.request('/reset', { method: 'POST', body: own, headers: { origin: world.webUrl } });
    assert.equal(answer.status, 422, 'our own origin may post');
  });
});

describe('hostile text', () => {
  it('is escaped wherever it comes from', async () => {
    const hostile = await startWorld({ 'mail.siteName': `A "B" & 'C'` });
    try {
      const { html } = await new Visitor(hostile).open();
      assert.match(html, /A &#34;B&#34; &#38; &#39;C&#39;/);
      assert.doesNotMatch(html, /"B"/);
    } finally {
      await hostile.close();
    }
  });
});

describe('what is kept', () => {
  it('holds no code, nonce or cookie, and nothing once it is over', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    await world.kit.send('amy', { to: page.address, subject: page.label });
    const code = await codeIn(await replyTo(world, amy, page.label));
    await visitor.enter(page, code);
    const kept = async () => stored(world, 'challenges');
    const text = await kept();
    assert.ok(text.includes(amy), 'the record is there');
    const secrets = [
      code,
      code.replace(' ', ''),
      page.nonce,
      page.address.split('@')[0] ?? '',
      ...visitor.cookies.values(),
    ];
    for (const secret of secrets) assert.ok(secret.length > 7 && !text.includes(secret));
    clock.advance(80 * minuteMs);
    await world.restart();
    assert.ok(!(await kept()).includes(amy));
  });
});
