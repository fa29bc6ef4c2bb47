// An address that is typed, over HTTP, SMTP and a directory: to the new password where an account has it, and nothing that
// tells the two apart where none has. Off, there is nothing at all.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { scan } from '../../src/testkit/scanner.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { TestClock } from '../support/clock.ts';
import { compare, differs } from '../support/same-timing.ts';
import { codeIn, replyTo, startWorld, stored, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const nobody = 'nobody.here@school.example';
const minuteMs = 60_000;
const oftenEnough = {
  'limits.typedPerAddressPerDay': 1000,
  'limits.typedPerNetworkPerHour': 100_000,
  'limits.typedPerNetworkPerDay': 100_000,
  'limits.typedPerDay': 1_000_000,
};

/** Everything of an answer that a browser could see, but for what differs from page to page. */
async function seen(answer: Response, { nonce, label, address }: OpenPage): Promise<string> {
  const own = { [nonce]: 'NONCE', [label]: 'LABEL', [address.split('@')[0] ?? '']: 'ADDRESS' };
  const headers = [...answer.headers].filter(([name]) => name !== 'date');
  let text = `${answer.status} ${JSON.stringify(headers)}\n${await answer.text()}`;
  for (const [value, name] of Object.entries(own)) text = text.replaceAll(value, name);
  return text.replaceAll(/[0-9a-z]{4}(?:-[0-9a-z]{4}){7}/g, 'GROUPS').replaceAll(/<time .*?<\/time>/g, 'TIME');
}

const wrongCode = (code: string, by: number) =>
  String((Number(code.replace(' ', '')) + by) % 100_000_000).padStart(8, '0');

describe('switched off, which is the default', () => {
  it('there is no page, no form, and nothing on the reset page', async () => {
    const world = await startWorld({ 'fallback.typedAddress': 'off' });
    try {
      const visitor = new Visitor(world);
      const { html, nonce } = await visitor.open();
      assert.doesNotMatch(html, /typed|cannot-send/);
      assert.equal((await visitor.request('/reset/typed')).status, 404);
      assert.equal((await visitor.post('/reset/typed', { nonce, address: amy })).status, 404);
    } finally {
      await world.close();
    }
  });
});

describe('a typed address', () => {
  let world: World;
  const clock = new TestClock();

  before(async () => {
    world = await startWorld({ ...oftenEnough, 'limits.repliesPerMailboxPerMinute': 1 }, clock);
  });
  after(() => world.close());

  /** The outbox looks typed addresses up in the next five seconds. */
  const lookUp = () => clock.advance(5000);

  it('with an account: the mail comes, its code leads to the accounts and a new password', async () => {
    const visitor = new Visitor(world, { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Firefox/140.0' });
    const page = await visitor.open();
    assert.match(page.html, /<a [^>]*href="\/reset\/typed"/);
    const form = await visitor.request('/reset/typed');
    assert.equal(form.status, 200);
    assert.match(await form.text(), new RegExp(`name="nonce" value="${page.nonce}"`));
    const answer = await visitor.post('/reset/typed', { nonce: page.nonce, address: amy });
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/reset']);
    const later = await visitor.open();
    assert.match(later.html, /If an account uses the address you typed/);
    assert.ok(!later.html.includes(amy));
    lookUp();
    const mail = await replyTo(world, amy, page.label);
    const { text } = await mail.view();
    assert.match(text.replace(/\s+/g, ' '), /Somebody typed your address in at Example School.*Firefox on Windows/);
    const entered = await visitor.enter(page, await codeIn(mail));
    assert.deepEqual([entered.status, entered.headers.get('location')], [303, '/reset/accounts']);
    const accounts = await (await visitor.request('/reset/accounts')).text();
    assert.match(accounts, /amy\.pond@school\.example/);
    const account = /name="account" value="([^"]+)"/.exec(accounts)?.[1] ?? '';
    await visitor.post('/reset/accounts', { nonce: page.nonce, account });
    const password = 'blue kettle winter piano';
    const set = await visitor.post('/reset/password', { nonce: page.nonce, account, password, repeated: password });
    assert.deepEqual([set.status, set.headers.get('location')], [303, '/reset']);
    assert.match((await visitor.open()).html, /Your new password is set/);
  });

  const mailsFor = ({ label }: OpenPage) => world.kit.sink.messages.filter(({ raw }) => raw.includes(label)).length;

  /** All that somebody sees who types an address, asks on, and guesses until the page is closed. */
  async function story(address: string): Promise<readonly string[]> {
    clock.advance(minuteMs);
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const events = await visitor.request('/reset/events');
    const shown: string[] = [];
    const look = async () => {
      for (const path of ['/reset', '/reset/progress', '/reset/typed']) {
        shown.push(await seen(await visitor.request(path), page));
      }
    };
    shown.push(await seen(await visitor.post('/reset/typed', { nonce: page.nonce, address }), page));
    await look();
    lookUp();
    // What is settled is settled on disk, with or without a mail.
    while ((await stored(world, 'challenges')).includes('"queued"')) await look().then(() => shown.splice(4));
    if (address === amy) await replyTo(world, amy, page.label);
    assert.equal(mailsFor(page), address === amy ? 1 : 0);
    await look();
    shown.push(await seen(await visitor.post('/reset/typed', { nonce: page.nonce, address }), page)); // a double click
    clock.advance(minuteMs);
    shown.push(await seen(await visitor.post('/reset/typed', { nonce: page.nonce, address }), page));
    shown.push(await seen(await visitor.post('/reset/typed', { nonce: page.nonce, address }), page));
    lookUp();
    const codes = address === amy ? [await codeIn(await replyTo(world, amy, page.label))] : ['1234 5678'];
    for (const by of [1, 2, 3, 4, 5]) {
      shown.push(await seen(await visitor.enter(page, wrongCode(codes[0] ?? '', by)), page));
      await look();
    }
    shown.push((await events.text()).replaceAll(page.label, 'LABEL').replaceAll(':\n\n', ''));
    return shown;
  }

  it('shows the same in every answer, page, header and event, with an account and without one', async () => {
    const [withAccount, without] = [await story(amy), await story(nobody)];
    assert.equal(withAccount.length, without.length);
    for (const [at, text] of withAccount.entries()) assert.equal(text, without[at]);
    assert.match(withAccount[0] ?? '', /^303/);
    assert.match(withAccount[1] ?? '', /If an account uses the address you typed/);
    assert.match(withAccount.at(-1) ?? '', /code-requested.*locked/s);
  });

  it('is the same for a robot, ourselves and what is no address: one refusal, at the field, nothing sent', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const before = await stored(world, 'challenges');
    const shown = new Set<string>();
    for (const address of ['x', 'a@b@c.example', 'Amy <a@b.example>', 'no-reply@school.example', page.address, '']) {
      const answer = await visitor.post('/reset/typed', { nonce: page.nonce, address });
      assert.equal(answer.status, 422);
      const html = await answer.text();
      assert.match(html, /aria-invalid="true"/);
      shown.add(html.replace(/ value="[^"]*" aria-invalid/, ' aria-invalid'));
    }
    assert.equal(shown.size, 1);
    const long = await visitor.post('/reset/typed', { nonce: page.nonce, address: 'x'.repeat(5000) });
    assert.equal(long.status, 413);
    lookUp();
    assert.deepEqual([await stored(world, 'challenges'), mailsFor(page)], [before, 0]);
  });

  it('belongs to its page: without nonce or cookie, from elsewhere, or as something else, nothing happens', async () => {
    const visitor = new Visitor(world);
    const { nonce } = await visitor.open();
    const other = await new Visitor(world).open();
    const before = await stored(world, 'challenges');
    const posts: readonly (readonly [number, Promise<Response>])[] = [
      [403, visitor.post('/reset/typed', { address: amy })],
      [403, visitor.post('/reset/typed', { nonce: other.nonce, address: amy })],
      [403, new Visitor(world).post('/reset/typed', { nonce, address: amy })],
      [405, visitor.request('/reset/typed', { method: 'PUT' })],
      [
        415,
        visitor.request('/reset/typed', {
          method: 'POST',
          body: JSON.stringify({ nonce, address: amy }),
          headers: { 'content-type': 'application/json' },
        }),
      ],
      [
        403,
        visitor.request('/reset/typed', {
          method: 'POST',
          body: new URLSearchParams({ nonce, address: amy }),
          headers: { 'sec-fetch-site': 'cross-site' },
        }),
      ],
      [200, visitor.request(`/reset/typed?nonce=${nonce}&address=${amy}`)],
    ];
    for (const [status, answer] of posts) assert.equal((await answer).status, status);
    assert.equal(await stored(world, 'challenges'), before);
  });

  it('and a mail of somebody else: the mail has the line, and each code proves its own mailbox', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    clock.advance(minuteMs);
    await visitor.post('/reset/typed', { nonce: page.nonce, address: amy });
    lookUp();
    const typed = await codeIn(await replyTo(world, amy, page.label));
    assert.equal((await world.kit.send('smith', { to: page.address, subject: page.label })).code, 250);
    const mailed = await codeIn(await replyTo(world, 'ms.smith@school.example', page.label));
    while (!(await visitor.open()).html.includes('We have sent our reply'));
    assert.notEqual(typed, mailed);
    assert.equal((await visitor.enter(page, typed)).status, 303);
    assert.match(await (await visitor.request('/reset/accounts')).text(), /amy\.pond@school\.example/);
  });

  it('cannot be asked for by a robot with the cookies of the person, whatever it fills in: that needs the nonce', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    clock.advance(minuteMs);
    const form = await (await visitor.request('/reset/typed')).text();
    const filled = form.replace('type="email"', `type="hidden" value="${amy}"`);
    const before = await stored(world, 'challenges');
    const options = { origin: world.webUrl, ownPage: '/reset', mails: [], cookies: visitor.cookies };
    const { requests } = await scan({ ...options, pages: [{ path: '/reset/typed', html: filled }] });
    const posts = requests.filter(({ method, body }) => method === 'POST' && body.includes(encodeURIComponent(amy)));
    assert.ok(posts.length >= 4);
    assert.deepEqual(new Set(posts.map(({ target, status }) => `${target} ${status}`)), new Set(['/reset/typed 403']));
    lookUp();
    assert.deepEqual([await stored(world, 'challenges'), mailsFor(page)], [before, 0]);
    const { body = '' } = posts.at(-1) ?? {};
    const own = { ...Object.fromEntries(new URLSearchParams(body)), nonce: page.nonce };
    assert.equal((await visitor.post('/reset/typed', own)).status, 303, 'with it, the very same form works');
  });

  it('survives a restart between the form and the mail', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    clock.advance(minuteMs);
    assert.equal((await visitor.post('/reset/typed', { nonce: page.nonce, address: amy })).status, 303);
    await world.restart();
    lookUp();
    const code = await codeIn(await replyTo(world, amy, page.label));
    assert.match((await visitor.open()).html, /If an account uses the address you typed/);
    assert.equal((await visitor.enter(page, code)).status, 303);
  });
});

describe('limits', () => {
  it('are told with an honest wait, and count the browser that a proxy of ours names, and nobody else', async () => {
    const world = await startWorld({
      'web.trustedProxies': ['127.0.0.1', '192.0.2.200'],
      'limits.typedPerNetworkPerHour': 1,
      'limits.repliesPerMailboxPerMinute': 1,
    });
    try {
      let number = 0;
      const type = async (forwarded: string, address = `pupil${++number}@school.example`) => {
        const visitor = new Visitor(world, { 'x-forwarded-for': forwarded });
        return visitor.post('/reset/typed', { nonce: (await visitor.open()).nonce, address });
      };
      assert.equal((await type('198.51.100.7', amy)).status, 303);
      const often = await type('198.51.100.8', amy);
      assert.deepEqual([often.status, Number(often.headers.get('retry-after')) > 50], [429, true]);
      assert.match(await often.text(), /This address was typed in often\. Please wait 1 minute/);
      const full = await type('198.51.100.7');
      assert.deepEqual([full.status, Number(full.headers.get('retry-after')) > 3500], [429, true]);
      assert.match(await full.text(), /Too many addresses.*Please wait 60 minutes/s);
      assert.equal(
        (await type('203.0.113.1, 198.51.100.7')).status,
        429,
        'what the browser says of itself does not count',
      );
      assert.equal((await type('198.51.100.7, 192.0.2.200')).status, 429, 'two proxies of ours in a row');
      assert.equal((await type('203.0.113.1, 192.0.2.200')).status, 303);
      assert.equal((await type('2001:db8::1')).status, 303);
      assert.equal((await type('2001:db8::2')).status, 429, 'a /64 is one network');
    } finally {
      await world.close();
    }
  });

  it('believe nobody about the network when no proxy is named', async () => {
    const world = await startWorld({ 'limits.typedPerNetworkPerHour': 1 });
    try {
      const statuses: number[] = [];
      for (const number of [1, 2]) {
        const visitor = new Visitor(world, { 'x-forwarded-for': `198.51.100.${number}` });
        const { nonce } = await visitor.open();
        statuses.push((await visitor.post('/reset/typed', { nonce, address: `pupil${number}@school.example` })).status);
      }
      assert.deepEqual(statuses, [303, 429]);
    } finally {
      await world.close();
    }
  });
});

// What is compared, and why: support/same-timing.ts. That it would be noticed: same-answer.test.ts.
describe('time', () => {
  const rounds = 1050;
  const warmUp = 100;
  const people = {
    account: [amy, 'ms.smith@school.example', 'jo.grant@company.example'],
    nobody: [nobody, 'ms.nobody@school.example', 'no.nobody@company.example'],
  } as const;
  type Kind = keyof typeof people;

  /** As many of each, in an order that nothing else follows, the same on every run. */
  function shuffled(): readonly Kind[] {
    const kinds: Kind[] = Array.from({ length: 2 * rounds }, (_, at) => (at % 2 === 0 ? 'account' : 'nobody'));
    let seed = 20_261_120;
    for (let last = kinds.length - 1; last > 0; last -= 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      const at = seed % (last + 1);
      [kinds[last], kinds[at]] = [kinds[at] ?? 'nobody', kinds[last] ?? 'nobody'];
    }
    return kinds;
  }

  it('does not tell whether an account has the address: the form, the page after it, a wrong code, 1,000 each', async () => {
    const clock = new TestClock();
    const world = await startWorld({ ...oftenEnough, 'limits.wrongCodesPerMailboxPerDay': 1000 }, clock);
    const took = new Map<string, number[]>();
    const measure = async (what: string, isWarm: boolean, status: number, ask: () => Promise<Response>) => {
      const startedAt = performance.now();
      const answer = await ask();
      await answer.text();
      assert.equal(answer.status, status);
      if (isWarm) took.set(what, [...(took.get(what) ?? []), performance.now() - startedAt]);
    };
    try {
      for (const [at, kind] of shuffled().entries()) {
        const visitor = new Visitor(world);
        const page = await visitor.open();
        const address = people[kind][at % 3] ?? '';
        const isWarm = at >= warmUp;
        const typed = { nonce: page.nonce, address };
        await measure(`the form ${kind}`, isWarm, 303, () => visitor.post('/reset/typed', typed));
        await measure(`the page ${kind}`, isWarm, 200, () => visitor.request('/reset'));
        await measure(`a wrong code ${kind}`, isWarm, 422, () => visitor.enter(page, '12345678'));
        clock.advance(2000); // so mails of others go out meanwhile, as they would
      }
      assert.ok(world.kit.sink.messages.length > 0.9 * rounds, 'and they did');
      for (const what of ['the form', 'the page', 'a wrong code']) {
        const [account = [], nobodys = []] = ['account', 'nobody'].map((kind) => took.get(`${what} ${kind}`));
        const compared = compare(account, nobodys);
        assert.ok(!differs(compared), `${what}: ${JSON.stringify(compared)}`);
      }
    } finally {
      await world.close();
    }
  });
});
