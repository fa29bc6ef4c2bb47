// The link scanner of the threat table: a robot opens and submits whatever it finds in our mails and pages, as a stranger
// and with the person's cookies, and nothing comes of it. First of all, that the robot sees and does what it should.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { runAccounts } from '../../src/accounts.ts';
import { type Locale, locales } from '../../src/core/locale.ts';
import type { IdentityKey } from '../../src/testkit/identities.ts';
import { type Finding, findLinks } from '../../src/testkit/link-finder.ts';
import { assertNothingToOpen } from '../../src/testkit/nothing-to-open.ts';
import { type ScanReport, scan } from '../../src/testkit/scanner.ts';
import type { ReceivedMessage } from '../../src/testkit/sink.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { TestClock } from '../support/clock.ts';
import { codeIn, replyTo, startWorld, stored, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const operator = 'operator@school.example';
const minuteMs = 60_000;
const nobody: ReadonlyMap<string, string> = new Map();

/** The posts that sent a code, and the answers. */
function postsOf({ requests }: ScanReport, code: string): ScanReport['requests'] {
  const digits = code.replace(' ', '');
  return requests.filter(({ method, body }) => method === 'POST' && new URLSearchParams(body).get('code') === digits);
}

/** Every file of the data folder, byte for byte; not the audit, whose lines follow a moment later. */
async function contentsOf({ dataDir }: World): Promise<readonly string[]> {
  const all = await readdir(dataDir, { withFileTypes: true, recursive: true });
  const entries = all.filter(({ name }) => name !== 'audit.jsonl');
  const read = entries.map(async (entry) => {
    const bytes = entry.isFile() ? await readFile(join(entry.parentPath, entry.name), 'latin1') : '';
    return `${basename(entry.parentPath)}/${entry.name} ${bytes}`;
  });
  return (await Promise.all(read)).sort();
}

/** As an administrator does, by the service. */
async function inviteAll({ dataDir }: World, locale: Locale): Promise<void> {
  const settings = {
    web: { publicUrl: 'http://127.0.0.1:0' },
    smtp: { hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: ['127.0.0.1:9'] },
    relay: { url: 'smtp://127.0.0.1:9' },
    data: { dir: dataDir },
  };
  await writeFile(`${dataDir}.yaml`, JSON.stringify(settings));
  const args = ['invite', '--all', '--locale', locale, '--config', `${dataDir}.yaml`];
  const defaults = join(import.meta.dirname, '../../config/default.yaml');
  assert.equal((await runAccounts(args, defaults, {})).exitCode, 0);
}

describe('the robot', () => {
  const oldMail = [
    'From: Accounts <accounts@school.example>',
    'Subject: =?UTF-8?Q?Your_password_at_reset.school.example=2Fsubject?=',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Click https://accounts.school.example/old-re=',
    'set?token=3Dabc&next=3Dhttp%3A%2F%2Fx.example%2Fnext, or visit intranet.school.example/bare.',
    'The code is 4821 7730. Questions: help@school.example, sms:+43123, or /written/path',
  ].join('\r\n');
  const page = `<meta http-equiv="refresh" content="5; url=/refreshed"><a href='relative?a=1&amp;b=2'>x</a>
<a href="mailto:a@b.example?body=see%20http%3A%2F%2Fx.example%2Fin-mailto">x</a>
<form action="/find"><input name="q"></form>
<form method="post" action="/confirm" id="f"><input type="hidden" name="nonce" value="NONCE"><input name="code">
<input type="hidden" name="kept" value="v"><select name="when"><option value="now"></select>
<button name="do" value="yes"><button formaction="/elsewhere"></form>
<button form="f" name="do" value="outside">`;

  /** What the server was asked, one line each. */
  const asked: string[] = [];
  const cookiesSeen = new Map<string, string>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '', headers } = request;
    asked.push(`${method} ${url} ${await text(request)}`.trim());
    cookiesSeen.set(url, headers.cookie ?? '');
    const nonce = headers.cookie === undefined ? 'nonce-of-the-robot' : 'nonce-of-the-person';
    if (headers.cookie === undefined) response.setHeader('set-cookie', 'session=of-the-robot; Path=/');
    if (url.startsWith('/old-reset')) {
      response.setHeader('set-cookie', ['session=changed; Path=/', 'extra=1']);
      response.writeHead(302, { location: '/landed' });
    }
    response.end(url === '/landed' || url === '/' ? page.replace('NONCE', nonce) : '');
  }

  const server = createServer((request, response) => void answer(request, response));

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  function scanServer(cookies: ReadonlyMap<string, string>, requestsMax = 1000): Promise<ScanReport> {
    const address = server.address();
    const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    asked.length = 0;
    return scan({ origin, ownPage: '/', mails: [oldMail], pages: [], cookies, requestsMax });
  }

  it('opens every link of a mail and what that leads to, and submits every form with every button', async () => {
    const report = await scanServer(nobody);
    const opened = ['/old-reset?token=abc&next=http%3A%2F%2Fx.example%2Fnext', '/next', '/bare', '/subject', '/'];
    const landed = ['/written/path', '/landed', '/refreshed', '/relative?a=1&b=2', '/in-mailto', '/find', '/elsewhere'];
    for (const path of [...opened, ...landed]) {
      for (const method of ['HEAD', 'GET', 'OPTIONS']) assert.ok(asked.includes(`${method} ${path}`), path);
    }
    assert.ok(asked.includes('GET /find?q=48217730'), 'a form that is sent by GET');
    const own = 'nonce=nonce-of-the-robot';
    for (const posted of [
      'POST /find q=48217730',
      'POST /confirm code=48217730&kept=v&when=48217730',
      'POST /confirm code=48217730&kept=v&when=48217730&nonce=',
      `POST /confirm code=48217730&kept=v&when=48217730&nonce=${'A'.repeat(43)}`,
      `POST /confirm code=48217730&kept=v&when=48217730&${own}`,
      `POST /confirm code=48217730&kept=v&when=now&${own}`,
      `POST /confirm code=48217730&kept=v&when=48217730&do=yes&${own}`,
      `POST /confirm code=48217730&kept=v&when=48217730&do=outside&${own}`,
      `POST /elsewhere code=12345678&kept=v&when=12345678&do=yes&${own}`,
    ]) {
      assert.ok(asked.includes(posted), `${posted}\n${asked.join('\n')}`);
    }
    assert.equal(report.cutShort, false);
    assert.equal(asked.length, report.requests.length + 1, 'all it asked for is reported, but for the page of its own');
    assert.equal(new Set(asked.slice(1)).size, asked.length - 1, 'nothing is asked twice');
    assert.ok((report.counts['POST 200'] ?? 0) >= 60, JSON.stringify(report.counts));
  });

  it("sends the person's cookies, changes nothing about them, and never the person's nonce", async () => {
    const cookies = new Map([['session', 'of-the-person']]);
    await scanServer(cookies);
    assert.deepEqual([...cookies], [['session', 'of-the-person']]);
    const sent = cookiesSeen.get('/confirm')?.split('; ').toSorted();
    assert.deepEqual(sent, ['extra=1', 'session=of-the-person'], 'its own are kept beside them');
    assert.ok(asked.some((line) => line.startsWith('POST /confirm') && line.endsWith('nonce=nonce-of-the-robot')));
    assert.doesNotMatch(asked.join(), /nonce-of-the-person/);
  });

  it('knows a link in every shape', async () => {
    const kinds: readonly (readonly [string, Finding['kind'] | undefined])[] = [
      ['see HTTPS://a.example/x', 'url'],
      ['tel:+43123', 'url'],
      ['xmpp:somebody', 'url'],
      ['//a.example/x', 'url'],
      ['(www.a.example)', 'host'],
      ['bücher.example', 'host'],
      ['Satzende.Und weiter', 'host'],
      ['192.0.2.1:80/x', 'host'],
      ['localhost', 'host'],
      ['a.b@c.example', 'address'],
      ['go to /reset', 'path'],
      ['<a href=x>', 'attribute'],
      ['<form>', 'form'],
      ['4821 7730', undefined],
      ['Re: New password KQXF-WTMB', undefined],
      ['Friday 20 November at 10:04 GMT+5:30, e.g. text/plain; charset=utf-8', undefined],
    ];
    for (const [written, kind] of kinds) {
      assert.deepEqual(
        [...new Set(findLinks({ where: '', text: written }).map((each) => each.kind))],
        kind ? [kind] : [],
        written,
      );
    }
  });

  it('gives up where it is told to, and says so', async () => {
    const report = await scanServer(nobody, 3);
    assert.deepEqual([report.requests.length, report.cutShort], [3, true]);
  });
});

function wrongCode(code: string, step: number): string {
  return String((Number(code.replace(' ', '')) + step) % 100_000_000).padStart(8, '0');
}

interface Stage {
  readonly visitor: Visitor;
  readonly page: OpenPage;
  readonly mails: readonly ReceivedMessage[];
  /** Mails without a code of a page. */
  readonly notices?: readonly ReceivedMessage[];
  readonly pages: readonly { readonly path: string; readonly html: string }[];
  /** Somebody else, whose pages are scanned as well. */
  readonly other?: Visitor;
  readonly triesLeft?: number;
}

describe('a robot that opens and submits all it finds', () => {
  let world: World;
  const clock = new TestClock();

  before(async () => {
    world = await startWorld({ 'smtp.operator': operator, 'limits.typedPerNetworkPerHour': 100 }, clock);
  });
  after(() => world.close());

  const contents = () => contentsOf(world);

  /** Sends the mail and waits until the reply is out and noted: from then on nothing is written by itself. */
  async function getReply(page: OpenPage, who: IdentityKey = 'amy', mailbox = amy): Promise<ReceivedMessage> {
    const subject = `${page.label} http://evil.example/subject`;
    const sent = await world.kit.send(who, { to: page.address, subject, body: 'https://evil.example/body' });
    assert.equal(sent.code, 250, sent.text);
    const reply = await replyTo(world, mailbox, page.label);
    await settled();
    return reply;
  }

  async function settled(): Promise<void> {
    const end = Date.now() + 5000;
    while ((await stored(world, 'challenges')).includes('"queued"')) {
      assert.ok(Date.now() < end, 'the hand-over was not noted');
    }
  }

  /** The same for an address that is typed into the page. */
  async function getTypedMail(visitor: Visitor, page: OpenPage, mailbox = amy): Promise<ReceivedMessage> {
    const typed = await visitor.post('/reset/typed', { nonce: page.nonce, address: mailbox });
    assert.equal(typed.status, 303);
    clock.advance(5000);
    const mail = await replyTo(world, mailbox, page.label);
    await settled();
    return mail;
  }

  async function atStart(): Promise<Stage> {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    return { visitor, page, mails: [], pages: [{ path: '/reset', html: page.html }] };
  }

  async function atReply(): Promise<Stage & { readonly code: string }> {
    const { visitor, page } = await atStart();
    const reply = await getReply(page);
    const { html } = await visitor.open();
    return { visitor, page, mails: [reply], pages: [{ path: '/reset', html }], code: await codeIn(reply) };
  }

  const stages: Readonly<Record<string, () => Promise<Stage>>> = {
    'is fresh': atStart,
    async 'says that a mail was refused'() {
      const { visitor, page, mails } = await atStart();
      assert.equal((await world.kit.send('forger', { to: page.address, subject: page.label })).code, 550);
      const { html } = await visitor.open();
      assert.notEqual(html, page.html);
      return { visitor, page, mails, pages: [{ path: '/reset', html }] };
    },
    'says that the reply was handed over': atReply,
    async 'was given a wrong code'() {
      const stage = await atReply();
      const answer = await stage.visitor.enter(stage.page, wrongCode(stage.code, 1));
      assert.equal(answer.status, 422);
      return { ...stage, pages: [{ path: '/reset', html: await answer.text() }], triesLeft: 3 };
    },
    async 'is open while somebody else looks at accounts'() {
      const [stage, other] = [await atReply(), await atReply()];
      assert.equal((await other.visitor.enter(other.page, other.code)).status, 303);
      const accounts = await other.visitor.request('/reset/accounts');
      assert.equal(accounts.status, 200);
      const pages = [...stage.pages, { path: '/reset/accounts', html: await accounts.text() }];
      return { ...stage, pages, mails: [...stage.mails, ...other.mails], other: other.visitor };
    },
    async 'is open while somebody else has set a password'() {
      const [stage, other] = [await atReply(), await atReply()];
      const { visitor, page } = other;
      await visitor.enter(page, other.code);
      const accounts = await (await visitor.request('/reset/accounts')).text();
      const account = /name="account" value="([^"]+)"/.exec(accounts)?.[1] ?? '';
      await visitor.post('/reset/accounts', { nonce: page.nonce, account });
      const form = await (await visitor.request('/reset/password')).text();
      const password = 'blue kettle winter piano';
      const set = { nonce: page.nonce, account, password, repeated: password };
      assert.equal((await visitor.post('/reset/password', set)).status, 303);
      const notice = await world.kit.sink.waitFor(({ raw }) => raw.includes('auto-generated'), { timeoutMs: 5000 });
      while ((await stored(world, 'changes')).includes('"queued"')) await visitor.open();
      const pages = [
        ...stage.pages,
        { path: '/reset/accounts', html: accounts },
        { path: '/reset/password', html: form },
        { path: '/reset', html: (await visitor.open()).html },
      ];
      return { ...stage, pages, mails: [...stage.mails, ...other.mails], notices: [notice], other: visitor };
    },
    async 'came after pages that say what went wrong'() {
      const late = await atStart();
      clock.advance(61 * minuteMs);
      const stage = await atReply();
      const { visitor, page, code } = stage;
      const answers: readonly (readonly [number, string, Response])[] = [
        [403, '/reset', await visitor.post('/reset', { code })],
        [403, '/reset/accounts', await visitor.request('/reset/accounts')],
        [404, '/nope', await visitor.request('/nope')],
        [405, '/reset/new', await visitor.request('/reset/new')],
        [410, '/reset', await late.visitor.enter(late.page, '12345678')],
        [422, '/reset', await visitor.enter(page, 'abcdefgh')],
      ];
      const pages = answers.map(async ([status, path, answer]) => {
        assert.equal(answer.status, status, path);
        return { path, html: await answer.text() };
      });
      return { ...stage, pages: await Promise.all(pages), other: late.visitor };
    },
    async 'was mailed because its address was typed'() {
      const { visitor, page } = await atStart();
      const mail = await getTypedMail(visitor, page);
      const paths = ['/reset', '/reset/typed'];
      const pages = paths.map(async (path) => ({ path, html: await (await visitor.request(path)).text() }));
      return { visitor, page, mails: [mail], pages: await Promise.all(pages) };
    },
  };

  /** The robot over all there is, as a stranger and as everybody. Afterwards all files are as they were. */
  async function scanAll({ visitor, page, mails, notices = [], pages, other }: Stage): Promise<readonly ScanReport[]> {
    const unchanged = await contents();
    const reports: ScanReport[] = [];
    for (const cookies of [nobody, visitor.cookies, ...(other ? [other.cookies] : [])]) {
      const held = [...cookies];
      const raw = [...mails, ...notices].map((mail) => mail.raw);
      const report = await scan({ origin: world.webUrl, ownPage: '/reset', mails: raw, pages, cookies });
      const counts = JSON.stringify(report.counts);
      assert.equal(report.cutShort, false, counts);
      assert.doesNotMatch(counts, / 5\d\d"/);
      assert.equal(new Set(report.nonces).size, 4, 'it had a nonce of its own');
      assert.ok(!JSON.stringify([report.requests, report.nonces]).includes(page.nonce), 'and not the one of the page');
      assert.deepEqual([...cookies], held);
      assert.deepEqual(await contents(), unchanged, counts);
      reports.push(report);
    }
    return reports;
  }

  for (const [name, prepare] of Object.entries(stages)) {
    it(`cannot change a page that ${name}`, async () => {
      const stage = await prepare();
      const { visitor, page, mails, other, triesLeft = 4 } = stage;
      const look = async () => [
        (await visitor.open()).html,
        await (await other?.request('/reset/accounts'))?.text(),
        world.kit.sink.messages.length,
      ];
      const seen = await look();
      const codes = await Promise.all(mails.map(codeIn));
      const [stranger, ...withCookies] = await scanAll(stage);
      for (const code of [...codes, '12345678']) {
        const answers = (report: ScanReport | undefined) =>
          new Set(report && postsOf(report, code).map(({ status }) => status));
        // Its own cookie and its own nonce belong together: that form is read, and nobody has written for it.
        assert.deepEqual(answers(stranger), new Set([403, 422]));
        for (const report of withCookies) assert.deepEqual(answers(report), new Set([403]));
      }
      assert.deepEqual(await look(), seen, 'the pages are as they were, and no mail was caused');

      const code = codes[0] ?? (await codeIn(await getReply(page)));
      const wrong = await visitor.enter(page, wrongCode(code, 2));
      assert.equal(wrong.status, 422);
      assert.match(await wrong.text(), new RegExp(`\\b${triesLeft} more tries`), 'none was counted');
      assert.equal((await visitor.enter(page, code)).status, 303);
      assert.equal((await visitor.request('/reset/accounts')).status, 200);
    });
  }

  it('is kept out by the nonce alone: the form it posted in vain works with it', async () => {
    const stage = await atReply();
    const before = await contents();
    const posts = (await scanAll(stage)).slice(1).flatMap((report) => postsOf(report, stage.code));
    const post = posts.find(({ body }) => body.includes('nonce=A'));
    assert.equal(post?.status, 403);
    const form = { ...Object.fromEntries(new URLSearchParams(post.body)), nonce: stage.page.nonce };
    const answer = await stage.visitor.post(post.target, form);
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/reset/accounts']);
    const changed = (await contents()).filter((file) => !before.includes(file));
    assert.deepEqual(
      changed.map((file) => file.split(/[/ ]/)[0]),
      ['challenges'],
      'and the comparison of files would have seen it',
    );
    assert.ok(before.some((file) => file.startsWith('data/accounts.json {')));
  });

  it('finds in mail for the operator what a stranger wrote, no more, and opens it in vain', async () => {
    const stage = await atReply();
    const body = `${world.webUrl}/reset/accounts <form method=post action=/reset><input name=nonce><input name=code></form>`;
    const to = `postmaster@${stage.page.address.split('@')[1]}`;
    const sent = await world.kit.send('forger', { to, body: `${body} ${stage.code}` });
    assert.equal(sent.code, 250, sent.text);
    const mail = await world.kit.sink.waitFor(({ envelope }) => envelope.rcptTo.includes(operator), {
      timeoutMs: 5000,
    });
    const ours = mail.raw.subarray(0, -sent.raw.length).toString();
    assert.ok(mail.raw.toString().endsWith(sent.raw.toString()) && /^Received: [^\n]*\n$/.test(ours), ours);
    for (const report of await scanAll({ ...stage, mails: [mail], pages: [] })) {
      assert.ok(postsOf(report, stage.code).length >= 4);
      assert.ok(report.requests.some(({ method, target }) => method === 'GET' && target === '/reset/accounts'));
    }
    assert.equal((await stage.visitor.enter(stage.page, stage.code)).status, 303);
  });

  it('finds nothing to open in an invitation, in any language, and changes nothing with it', async () => {
    const before = world.kit.sink.messages.length;
    for (const locale of locales) await inviteAll(world, locale);
    const notices = world.kit.sink.messages.slice(before);
    assert.ok(notices.length >= locales.length);
    const stage = { ...(await atReply()), notices };
    await scanAll(stage);
    assert.equal((await stage.visitor.enter(stage.page, stage.code)).status, 303);
  });

  it('finds nothing to open in a reply or in the mail to a typed address, in any language', async () => {
    const people = [
      ['en', 'amy', amy],
      ['de', 'rory', 'rory.williams@school.example'],
      ['fr', 'smith', 'ms.smith@school.example'],
      ['es', 'jo', 'jo.grant@company.example'],
    ] as const;
    for (const [language, who, mailbox] of people) {
      const headers = { 'accept-language': language, 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Firefox/140.0' };
      await getReply(await new Visitor(world, headers).open(), who, mailbox);
      const visitor = new Visitor(world, headers);
      if (who !== 'rory') await getTypedMail(visitor, await visitor.open(), mailbox); // who has no account
    }
    const german = new Visitor(world, { 'accept-language': 'de' });
    await getTypedMail(german, await german.open());
    const replies = world.kit.sink.messages.filter(({ envelope }) => !envelope.rcptTo.includes(operator));
    assert.ok(replies.length >= 10, 'all that left in these tests');
    for (const reply of replies) await assertNothingToOpen(reply);
  });
});
