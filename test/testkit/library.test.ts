// The kit as a stranger uses it: through src/testkit.ts alone.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it, type TestContext, test } from 'node:test';
import { assertNothingToOpen, KitClock, startKit, type Testkit, type TestkitOptions } from '../../src/testkit.ts';

const amy = 'amy.pond@school.example';
const alice = { name: 'alice', mailboxes: ['alice@school.test'] };
const password = 'blue kettle winter piano';

async function start(t: TestContext, options?: TestkitOptions): Promise<Testkit> {
  const kit = await startKit(options);
  t.after(() => kit.close());
  return kit;
}

/** Opens a page, writes as somebody and reads the reply. */
async function getReply(kit: Testkit, who = 'amy') {
  const page = await kit.page.open();
  const sent = await kit.identity(who).send(page.mailto);
  assert.equal(sent.code, 250, sent.text);
  return { page, reply: await kit.sink.waitForReply({ label: page.label }) };
}

describe('a visit', () => {
  let kit: Testkit;
  before(async () => {
    kit = await startKit({ accounts: [alice], settings: { 'limits.repliesPerMailboxPerMinute': 60 } });
  });
  after(() => kit.close());

  it('leads to the accounts of the mailbox that wrote, and to a new password', async () => {
    const { page, reply } = await getReply(kit, 'alice@school.test');
    assert.match(page.mailto, /^mailto:[0-9a-z]{32}@in\.school\.example\?subject=/);
    assert.deepEqual([reply.label, reply.inReplyTo !== undefined], [page.label, true]);
    assert.ok(reply.text.includes(reply.code) && reply.raw.length > 0);
    assert.ok(reply.headers.some(({ name, value }) => name === 'auto-submitted' && value === 'auto-replied'));
    assert.equal((await page.waitFor('reply-handed-over')).label, page.label);
    assert.deepEqual(await page.enter(` Code: ${reply.code} `), {
      kind: 'verified',
      mailbox: 'alice@school.test',
      accounts: [{ name: 'alice', description: '' }],
    });
    await assert.rejects(page.setPassword('bob', password), /shows no account "bob", but: alice/);
    const short = await page.setPassword('alice', 'short');
    assert.ok(
      short.kind === 'refused' && short.status === 422 && short.message.includes('too short'),
      JSON.stringify(short),
    );
    assert.deepEqual(await page.setPassword('alice', password), { kind: 'password-set' });
    assert.equal((await page.look()).state, 'done');
    await assertNothingToOpen(reply);
    const toAlice = kit.sink.waitFor(({ raw }) => raw.includes('auto-generated'), { timeoutMs: 5000 });
    await assertNothingToOpen(await toAlice);
  });

  it('says what was refused, in the words of the page', async () => {
    const { page } = await getReply(kit, 'alice@school.test');
    const wrong = await page.enter('1234 5678');
    assert.ok(wrong.kind === 'refused' && wrong.status === 422 && /4 more tries/.test(wrong.message), wrong.message);
    assert.equal(wrong.accounts, undefined);
    const early = await page.setPassword('alice', password);
    assert.deepEqual([early.kind, early.kind === 'refused' && early.status], ['refused', 403]);
    // @ts-expect-error: what comes of `reply.cod`
    await assert.rejects(page.enter(undefined), /a code is a text/);
    await assert.rejects(
      page.waitFor('verified', { timeoutMs: 20 }),
      /did not come to "verified" within 20 ms; .*reply-handed-over/,
    );
  });

  it('shows why a mail was not believed', async () => {
    const page = await kit.page.open();
    const sent = await kit.identity('alice@school.test').send(page.address, { scenario: 'footer-added' });
    assert.deepEqual([sent.code, sent.from], [550, 'alice@school.test']);
    const { state, verdict } = await page.look();
    assert.equal(state, 'mail-refused');
    assert.ok(
      verdict.some((line) => line.startsWith('dkim=neutral') || line.startsWith('dkim=fail')),
      verdict.join(),
    );
  });

  it('of another errand has a page of its own', async () => {
    const page = await kit.page.open('confirm');
    await kit.identity('alice@school.test').send(page.mailto);
    const { code } = await kit.sink.waitForReply({ to: 'alice@SCHOOL.test', label: page.label });
    assert.deepEqual(await page.enter(code), { kind: 'verified', mailbox: 'alice@school.test', accounts: [] });
    assert.deepEqual(await page.confirm(), { kind: 'confirmed' });
  });

  it('is nobody else’s: two at once get their own replies', async () => {
    const visits = await Promise.all([getReply(kit, 'alice@school.test'), getReply(kit, 'bob@school.test')]);
    const entered = await Promise.all(visits.map(({ page, reply }) => page.enter(reply.code)));
    assert.deepEqual(
      entered.map(({ mailbox }) => mailbox),
      ['alice@school.test', 'bob@school.test'],
    );
  });
});

describe('the clock', () => {
  it('ends codes and pages', async (t) => {
    const kit = await start(t);
    const { page, reply } = await getReply(kit);
    kit.clock.advance({ minutes: 31 });
    const late = await page.enter(reply.code);
    assert.deepEqual([late.kind, late.kind === 'refused' && late.status], ['refused', 410]);
    kit.clock.advance({ minutes: 30 });
    const sent = await kit.identity('amy').send(page.address);
    assert.deepEqual([sent.code, sent.text.slice(0, 5)], [550, '5.1.1']);
    assert.equal((await page.look()).state, 'page-ended');
  });

  it('is how long one waits for another reply', async (t) => {
    const kit = await start(t);
    await getReply(kit);
    const page = await kit.page.open();
    assert.equal((await kit.identity('amy').send(page.mailto)).code, 451);
    kit.clock.advance({ seconds: 59 });
    assert.equal((await kit.identity('amy').send(page.mailto)).code, 451);
    kit.clock.advance({ seconds: 2 });
    assert.equal((await kit.identity('amy').send(page.mailto)).code, 250);
  });

  it('brings the next try of a reply that the relay put off', async (t) => {
    const kit = await start(t);
    kit.sink.faults = [{ at: 'rcpt', does: 'defer', times: 1 }];
    const page = await kit.page.open();
    await kit.identity('amy').send(page.mailto);
    await page.waitFor('reply-delayed');
    kit.clock.advance({ minutes: 1 });
    assert.equal((await kit.sink.waitForReply({ to: amy })).label, page.label);
  });

  it('goes by itself, or stands; starts at any time, and signatures are of that time', async (t) => {
    const startAt = Date.UTC(2031, 0, 1);
    const kit = await start(t, { clock: new KitClock({ startAt }) });
    const { reply } = await getReply(kit);
    assert.ok(kit.clock.now() > startAt);
    assert.match(reply.text, /\d\d:\d\d/);
    const standing = new KitClock({ startAt, goes: false });
    await getReply(await start(t, { clock: standing }));
    assert.equal(standing.now(), startAt);
  });

  it('runs what is due, in order, and says what it is put forward by', () => {
    const clock = new KitClock({ startAt: 1000, goes: false });
    const ran: [string, number][] = [];
    clock.after(500, () => ran.push(['second', clock.now()]));
    clock.after(200, () => clock.after(200, () => ran.push(['first', clock.now()])));
    clock.after(100, () => ran.push(['never', 0]))();
    clock.after(5000, () => ran.push(['late', 0]));
    clock.advance({ seconds: 1 });
    assert.deepEqual(ran, [
      ['first', 1400],
      ['second', 1500],
    ]);
    assert.deepEqual([clock.now(), clock.waiting], [2000, [4000]]);
    assert.throws(
      // @ts-expect-error: minute
      () => clock.advance({ minute: 1 }),
      /days, hours, minutes, seconds, milliseconds, and not by minute: 1/,
    );
    clock.advance({});
    // @ts-expect-error: nothing
    assert.throws(() => clock.advance(), TypeError);
    assert.throws(() => clock.advance(Number.NaN), TypeError);
    // @ts-expect-error: words
    assert.throws(() => clock.advance('5 minutes'), TypeError);
    // @ts-expect-error: a date
    assert.throws(() => new KitClock({ startAt: new Date() }), /Date\.UTC/);
  });

  it('waits for what is further away than a timer can be', async () => {
    const clock = new KitClock();
    const ran: string[] = [];
    const soon = new Promise<void>((resolve) => clock.after(5, resolve));
    clock.after(40 * 86_400_000, () => ran.push('far'));
    await soon;
    assert.deepEqual(ran, []);
    clock.advance({ days: 41 });
    assert.deepEqual(ran, ['far']);
  });
});

describe('a mistake', () => {
  it('in the options is told with the remedy, and leaves nothing behind', async () => {
    // @ts-expect-error: setting
    const misspelt: TestkitOptions = { setting: {} };
    await assert.rejects(startKit(misspelt), /no option setting; it has settings, accounts, service, clock, random/);
    await assert.rejects(
      startKit({ settings: { 'limits.codeLifetimeMinute': 5 } }),
      /Did you mean limits\.codeLifetimeMinutes/,
    );
    await assert.rejects(startKit({ service: false, accounts: [] }), /are for the service of the kit/);
    // @ts-expect-error: a URL
    await assert.rejects(startKit({ service: 'http://127.0.0.1:3000' }), /service is a function that starts one/);
    // @ts-expect-error: a date
    await assert.rejects(startKit({ clock: new Date() }), /new KitClock\(/);
    await assert.rejects(startKit({ accounts: [{ name: 'a', mailboxes: ['no address'] }] }), /accounts\.json/);
  });

  it('in who writes, to whom or how is told before anything is sent', async (t) => {
    const kit = await start(t);
    const someone = kit.identity('alice@school.test');
    assert.throws(
      () => kit.identity('alice'),
      /no such identity: "alice"\. Use amy, .*or a mailbox such as alice@school\.test/,
    );
    assert.throws(() => kit.identity('alice@gmail.com'), /as nobody at gmail\.com, which may be somebody's/);
    await assert.rejects(someone.send('the address'), /such as page\.mailto, and not to 'the address'/);
    await assert.rejects(
      // @ts-expect-error: no such scenario
      someone.send('a@b.example', { scenario: 'spf' }),
      /no such scenario: "spf"\. There are: dkim, /,
    );
    await assert.rejects(
      kit.identity('jo').send('a@b.example', { scenario: 'unsigned' }),
      /jo does not sign with DKIM/,
    );
    // @ts-expect-error: the page itself
    await assert.rejects(someone.send({ mailto: '' }), /such as page\.mailto, and not to/);
    await assert.rejects(someone.send('mailto:?subject=x'), /such as page\.mailto, and not to/);
    await assert.rejects(
      // @ts-expect-error: unknown errand
      kit.page.open('login'),
      /\/login was answered with 404, and shows no address; there are: reset, activate, confirm/,
    );
  });

  it('in what is waited for is told, and so is what came instead', async (t) => {
    const kit = await start(t);
    await assert.rejects(kit.sink.waitForReply({}), /say whose reply/);
    await assert.rejects(kit.sink.waitForReply({ to: 'amy' }), /say whose reply/);
    await assert.rejects(
      kit.sink.waitForReply({ to: amy, timeoutMs: 1 }),
      /no reply to amy\.pond@.* within 1 ms; nothing did/,
    );
    const { page } = await getReply(kit);
    await assert.rejects(
      kit.sink.waitForReply({ label: 'BCDF-GHJK', timeoutMs: 1 }),
      (error: Error) => error.message.includes('no reply for BCDF-GHJK') && error.message.includes(page.label),
    );
    const waiting = assert.rejects(kit.sink.waitForReply({ label: 'BCDF-GHJK' }), /before the sink closed; 1 other/);
    await kit.close();
    await waiting;
  });
});

describe('the end', () => {
  it('comes in the middle of a mail, and twice', async (t) => {
    const kit = await start(t);
    const page = await kit.page.open();
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    kit.zone['silent.test'] = {
      get fail() {
        resolve();
        return 'silent' as const;
      },
    };
    const broken = assert.rejects(
      kit.identity('alice@silent.test').send(page.mailto),
      /the kit was closed before the mail was answered/,
    );
    await asked;
    await Promise.all([kit.close(), kit.close()]);
    await broken;
    assert.equal(existsSync(kit.dataDir), false);
    await assert.rejects(kit.identity('amy').send(page.mailto), /the kit is closed/);
    await assert.rejects(kit.page.open(), /fetch failed/);
  });

  it('comes by itself with `await using`', async () => {
    let folder = '';
    {
      await using kit = await startKit();
      folder = kit.dataDir;
      assert.ok(existsSync(folder));
    }
    assert.equal(existsSync(folder), false);
  });

  it('of the service alone is an outage: what was taken before is answered after it', async (t) => {
    const kit = await start(t);
    kit.sink.faults = [{ at: 'rcpt', does: 'defer', times: 1 }];
    const page = await kit.page.open();
    await kit.identity('amy').send(page.mailto);
    await page.waitFor('reply-delayed');
    await kit.stop();
    await assert.rejects(kit.identity('rory').send(page.mailto), { code: 'ECONNREFUSED' });
    await kit.restart();
    assert.equal((await page.enter((await kit.sink.waitForReply({ to: amy })).code)).kind, 'verified');
  });
});

test('without a service there are sink, DNS and identities, and everything else says so', async (t) => {
  const kit = await start(t, { service: false });
  assert.throws(() => kit.url, /service: false/);
  await assert.rejects(kit.page.open(), /service: false/);
  await assert.rejects(kit.identity('amy').send('a@b.example'), /service: false/);
  await assert.rejects(kit.restart(), /no service anew but its own/);
});

test('what a mail could have opened is found wherever it is', async () => {
  const plain = 'From: a@b.example\r\nTo: c@d.example\r\nMessage-ID: <1@b.example>\r\nSubject: Re: x\r\n';
  await assertNothingToOpen(`${plain}Content-Type: text/plain; charset=utf-8\r\n\r\n4821 7730\r\n`);
  const bad: readonly [string, RegExp][] = [
    [`${plain}\r\nSee https://x.example/\r\n`, /url in body: https:\/\/x\.example/],
    [`${plain}\r\nSee reset.x.example there\r\n`, /host in body: reset\.x\.example/],
    [`${plain}Content-Transfer-Encoding: base64\r\n\r\naHR0cHM6Ly94LmV4YW1wbGUv\r\n`, /url in body/],
    [
      `${plain}Content-Type: text/html\r\n\r\n<b>4821 7730</b>\r\n`,
      /markup in body: <b>\nmarkup in body: <\/b>\nnot plain text: text\/html/,
    ],
    [`${plain}Content-Type: text/html\r\n\r\n<img src="cid:1">\r\n`, /attribute in body: cid:1/],
    [
      `${plain}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b--\r\n`,
      /not plain text: multipart/,
    ],
    [`${plain}References: <https://x.example/1>\r\n\r\nHello\r\n`, /url in references/],
    [`${plain}List-Unsubscribe: <https://x.example/leave>\r\n\r\nHello\r\n`, /url in list-unsubscribe/],
  ];
  for (const [mail, complaint] of bad) await assert.rejects(assertNothingToOpen(mail), complaint);
  // @ts-expect-error: a message that was never waited for
  await assert.rejects(assertNothingToOpen({}), TypeError);
});
