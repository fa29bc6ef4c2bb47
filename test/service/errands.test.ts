// The errands beside the reset, over HTTP and SMTP with the built-in directory on disk: the first password of an account
// that somebody else made, and a mailbox that is confirmed and nothing else. And that nothing of one errand opens
// anything of another.

import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { verifyPassword } from '../../src/adapters/accounts/password-hash.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import { type Purpose, purposes } from '../../src/core/purpose.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { digitsAt, readKey } from '../support/authenticator.ts';
import { TestClock } from '../support/clock.ts';
import {
  codeIn,
  stored as recordsOf,
  replyTo,
  startWorld,
  storedAccount,
  Visitor,
  type World,
} from '../support/world.ts';

const amy = 'amy.pond@school.example';
const good = 'blue kettle winter piano';

let world: World;
let clock: TestClock;

beforeEach(async () => {
  clock = new TestClock();
  world = await startWorld({}, clock);
});
afterEach(() => world.close());

const fileOf = (name: string) => readFile(join(world.dataDir, name), 'utf8');
const stored = (name: string) => storedAccount(world, name);

interface Visit {
  readonly purpose: Purpose;
  readonly visitor: Visitor;
  readonly page: OpenPage;
  readonly code: string;
  /** Of our reply. */
  readonly text: string;
}

/** A page whose mail was answered. */
async function answered(purpose: Purpose, identity: 'amy' | 'rory' | 'smith' = 'amy', visitor = new Visitor(world)) {
  const page = await visitor.open(purpose);
  const mailbox = world.kit.identities.find(({ key }) => key === identity)?.mailbox ?? '';
  assert.equal((await world.kit.send(identity, { to: page.address, subject: page.label })).code, 250);
  const reply = await replyTo(world, mailbox, page.label);
  const text = (await reply.view()).text.replace(/\s+/g, ' ');
  return { purpose, visitor, page, code: await codeIn(reply), text };
}

/** One whose code was typed. */
async function proved(...asked: Parameters<typeof answered>): Promise<Visit> {
  const visit = await answered(...asked);
  const answer = await visit.visitor.enter(visit.page, visit.code, visit.purpose);
  const next = visit.purpose === 'confirm' ? '/confirm/mailbox' : `/${visit.purpose}/accounts`;
  assert.deepEqual([answer.status, answer.headers.get('location')], [303, next]);
  return visit;
}

async function choose({ purpose, visitor, page }: Visit, name: string): Promise<Response> {
  return visitor.post(`/${purpose}/accounts`, { nonce: page.nonce, account: (await stored(name)).id });
}
async function set({ purpose, visitor, page }: Visit, name: string, password = good): Promise<Response> {
  const fields = { nonce: page.nonce, account: (await stored(name)).id, password, repeated: password };
  return visitor.post(`/${purpose}/password`, fields);
}
const confirm = ({ visitor, page }: Visit) => visitor.post('/confirm/mailbox', { nonce: page.nonce });
const textOf = async (answer: Response) => (await answer.text()).replaceAll('&#39;', "'");

/** The notices that went out so far; waits for as many as there must be. */
async function notices(count: number) {
  const isNotice = ({ raw }: { raw: Buffer }) => raw.includes('auto-generated');
  await world.kit.sink.waitFor(() => world.kit.sink.messages.filter(isNotice).length >= count, { timeoutMs: 5000 });
  return world.kit.sink.messages.filter(isNotice);
}

describe('to activate an account', () => {
  const words = texts.en.errands.activate;

  it('the mailbox is proved, the first password set and told by a mail, and the undo leaves no password', async () => {
    const visit = await proved('activate');
    assert.match(visit.page.html, /<h1>Activate your account<\/h1>/);
    assert.match(visit.text, /your code to set the first password of your account at Example School\./);
    const page = await textOf(await visit.visitor.request('/activate/accounts'));
    for (const text of [words.chooseAccount, 'apond', 'amy.chess', amy]) assert.ok(page.includes(text), text);
    assert.equal((await choose(visit, 'apond')).headers.get('location'), '/activate/password');
    assert.match(await textOf(await visit.visitor.request('/activate/password')), /Choose your password.*apond/s);
    assert.equal((await set(visit, 'apond', 'kettle')).status, 422, 'the same rules');
    assert.equal((await set(visit, 'apond')).headers.get('location'), '/activate');
    const after = await visit.visitor.open('activate');
    assert.ok(after.html.includes(words.done), 'and it says so, also after a reload');
    assert.ok(await verifyPassword(good, (await stored('apond')).password ?? ''));
    assert.equal((await stored('amy.chess')).password, null);
    assert.equal((await visit.visitor.request('/activate/accounts')).status, 409, 'one use');

    const [notice] = await notices(1);
    const { text, subject } = (await notice?.view()) ?? assert.fail();
    assert.equal(subject, 'Your account was activated');
    assert.match(text.replace(/\s+/g, ' '), /The first password was set for your account apond at Example School/);
    assert.doesNotMatch(text, /https?:|\/|\w\.\w|@|logged out/);
    const undoCode = /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/m.exec(text)?.[0] ?? '';
    assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
    const { password, state } = await stored('apond');
    assert.deepEqual([password, state], [null, 'frozen']);
    assert.match(await textOf(await choose(await proved('activate'), 'apond')), /A change of this account was undone/);
  });

  it('an account that has a password is named as active, with the way to a new one, and cannot be chosen', async () => {
    const first = await proved('activate');
    await choose(first, 'apond');
    await set(first, 'apond');
    const visit = await proved('activate');
    const page = await textOf(await visit.visitor.request('/activate/accounts'));
    assert.match(page, /name="account"[^<]*<strong[^>]*>amy\.chess/);
    assert.doesNotMatch(page, /name="account"[^<]*<strong[^>]*>apond/);
    assert.match(page, /<ul id="active"><li[^>]*><strong>apond<\/strong>.*href="\/reset">Set a new password/s);
    const forced = await choose(visit, 'apond');
    assert.equal(forced.status, 409);
    assert.match(await textOf(forced), /This account has a password already/);
    await choose(visit, 'amy.chess');
    await set(visit, 'amy.chess');
    const none = await textOf(await (await proved('activate')).visitor.request('/activate/accounts'));
    assert.doesNotMatch(none, /name="account"|id="no-account"/);
    assert.match(none, /apond.*amy\.chess/s);
  });

  it('an app may be enrolled right after it, is asked for by the next reset, and goes with the undo', async () => {
    const visit = await proved('activate');
    await choose(visit, 'apond');
    await set(visit, 'apond');
    assert.match((await visit.visitor.open('activate')).html, /<a class="button" href="\/activate\/enrol">/);
    assert.equal((await visit.visitor.request('/reset/enrol')).status, 403, 'there, and nowhere else');
    const key =
      /data-key="([A-Z2-7]{32})"/.exec(await textOf(await visit.visitor.request('/activate/enrol')))?.[1] ?? '';
    const digits = digitsAt(readKey(key), clock.now());
    const enrolled = await visit.visitor.post('/activate/enrol', { nonce: visit.page.nonce, code: digits });
    assert.equal(enrolled.status, 200);
    assert.match(await textOf(enrolled), /href="\/activate"/);
    const reset = await proved('reset');
    await choose(reset, 'apond');
    assert.equal((await reset.visitor.request('/reset/password')).headers.get('location'), '/reset/second-factor');
    const [notice] = await notices(1);
    const undoCode = /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/m.exec((await notice?.view())?.text ?? '')?.[0] ?? '';
    assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
    assert.doesNotMatch(await fileOf('accounts.json'), /sealedSecret/);
  });

  it('of two who chose one account the faster wins, and nobody sets a first password twice', async () => {
    const [one, other] = [await proved('activate'), await proved('activate')];
    for (const each of [one, other]) await choose(each, 'apond');
    const answers = await Promise.all([set(one, 'apond', `${good} 1`), set(other, 'apond', `${good} 2`)]);
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [303, 409]);
    const late = answers[0]?.status === 303 ? other : one;
    assert.equal((await set(late, 'apond', `${good} 3`)).status, 409, 'the version is another by now');
    assert.equal((await choose(late, 'apond')).status, 409);
    const password = (await stored('apond')).password ?? '';
    assert.ok(await verifyPassword(`${good} ${late === other ? 1 : 2}`, password));
    assert.equal((await notices(1)).length, 1);
  });

  it('a locked account is not, a mailbox without accounts hears so, and whoever comes by way of reset is helped', async () => {
    const nobody = await proved('activate', 'rory');
    const page = await textOf(await nobody.visitor.request('/activate/accounts'));
    assert.ok(page.includes(words.noAccount('rory.williams@school.example')));
    const visit = await proved('reset', 'smith');
    await choose(visit, 'ssmith');
    assert.equal((await set(visit, 'ssmith')).headers.get('location'), '/reset');
    await world.service.stop();
    await writeFile(
      join(world.dataDir, 'accounts.json'),
      (await fileOf('accounts.json')).replaceAll('"active"', '"locked"'),
    );
    await world.restart();
    const locked = await choose(await proved('activate'), 'apond');
    assert.equal(locked.status, 403);
    assert.match(await textOf(locked), /This account is locked/);
  });
});

describe('to confirm a mailbox', () => {
  const words = texts.en.errands.confirm;

  it('it is proved and one button pressed: noted for all its accounts, and nothing else is', async () => {
    const before = await stored('apond');
    const visit = await proved('confirm');
    assert.match(visit.page.html, /<h1>Confirm your email address<\/h1>/);
    assert.doesNotMatch(visit.page.html, /id="undo"|password/, 'it has to do with no password');
    assert.match(visit.text, /your code to confirm your address at Example School\./);
    const page = await textOf(await visit.visitor.request('/confirm/mailbox'));
    for (const text of [amy, words.confirm]) assert.ok(page.includes(text), text);
    assert.doesNotMatch(page, /apond|amy\.chess/, 'no accounts are shown');
    assert.deepEqual((await stored('apond')).confirmed, [], 'a GET changes nothing');
    assert.equal((await confirm(visit)).headers.get('location'), '/confirm');
    assert.ok((await visit.visitor.open('confirm')).html.includes(words.done));
    const confirmed = [{ mailbox: amy, at: clock.now() }];
    assert.deepEqual(await stored('apond'), { ...before, confirmed });
    assert.deepEqual((await stored('amy.chess')).confirmed, confirmed);
    assert.deepEqual((await stored('ssmith')).confirmed, []);
    const again = await confirm(visit);
    assert.equal(again.status, 409, 'one use');
    assert.equal(world.kit.sink.messages.filter(({ raw }) => raw.includes('auto-generated')).length, 0);
  });

  it('by one of many posts that race', async () => {
    const visit = await proved('confirm');
    const answers = await Promise.all(Array.from({ length: 6 }, () => confirm(visit)));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [303, 409, 409, 409, 409, 409]);
  });

  it('one that no account uses is told so, and the grant stays', async () => {
    const visit = await proved('confirm', 'rory');
    for (let twice = 0; twice < 2; twice++) {
      const answer = await confirm(visit);
      assert.equal(answer.status, 200);
      assert.ok((await textOf(answer)).includes(words.noAccount('rory.williams@school.example')));
    }
    assert.doesNotMatch((await visit.visitor.open('confirm')).html, /is confirmed/);
  });

  it('not from another site, without the nonce, or when the grant is over', async () => {
    const visit = await proved('confirm');
    const body = new URLSearchParams({ nonce: visit.page.nonce });
    const headers = { 'sec-fetch-site': 'cross-site' };
    assert.equal((await visit.visitor.request('/confirm/mailbox', { method: 'POST', body, headers })).status, 403);
    assert.equal((await visit.visitor.post('/confirm/mailbox', {})).status, 403);
    clock.advance(10 * 60_000);
    assert.equal((await confirm(visit)).status, 403);
    assert.deepEqual((await stored('apond')).confirmed, []);
  });

  for (const what of ['challenges', 'accounts.json']) {
    it(`not while the ${what} cannot be written, which is told, and the very same form works when they can`, async () => {
      const visit = await proved('confirm');
      // A folder that is not there, a name that is taken.
      const [path, away] = [join(world.dataDir, what), join(world.dataDir, `${what}.tmp`)];
      await (what === 'challenges' ? rename(path, away) : mkdir(away));
      const failed = await confirm(visit);
      assert.equal(failed.status, 503);
      assert.ok((await textOf(failed)).includes(texts.en.troubles.unavailable));
      assert.deepEqual((await stored('apond')).confirmed, []);
      await (what === 'challenges' ? rename(away, path) : rmdir(away));
      assert.equal((await confirm(visit)).status, 303);
    });
  }
});

describe('errands beside each other', () => {
  it('in one browser do not disturb each other', async () => {
    const visitor = new Visitor(world);
    const visits: Visit[] = [];
    for (const purpose of purposes) visits.push(await answered(purpose, 'amy', visitor));
    assert.equal(new Set(visits.flatMap(({ page }) => [page.address, page.nonce, page.label])).size, 9);
    for (const { purpose, page, code } of visits) {
      assert.equal((await visitor.enter(page, code, purpose)).status, 303, purpose);
    }
    for (const path of ['/reset/accounts', '/activate/accounts', '/confirm/mailbox']) {
      assert.equal((await visitor.request(path)).status, 200, path);
    }
    assert.equal(visitor.cookies.size, 6);
  });

  it('have no way round the mail but for a new password', async () => {
    for (const purpose of purposes) {
      const visitor = new Visitor(world);
      const { html, nonce } = await visitor.open(purpose);
      assert.equal(html.includes('href="/reset/typed"'), purpose === 'reset');
      const answer = await visitor.post(`/${purpose}/typed`, { nonce, address: amy });
      assert.equal(answer.status, purpose === 'reset' ? 303 : 404);
    }
  });

  it('lead back to their own pages: a message, another language, a new start', async () => {
    for (const purpose of purposes) {
      const visitor = new Visitor(world);
      const page = await visitor.open(purpose);
      assert.match(page.html, new RegExp(`<form method="post" action="/${purpose}/new"`));
      assert.match(page.html, new RegExp(`<input type="hidden" name="page" value="${purpose}">`));
      assert.match(page.html, new RegExp(`src="/${purpose}/mail\\.svg"`));
      assert.equal((await visitor.request(`/${purpose}/mail.svg`)).status, 200);
      const wrong = await visitor.post(`/${purpose}`, { code: '12345678' });
      assert.match(await wrong.text(), new RegExp(`<a class="button" href="/${purpose}">`));
      const restarted = await visitor.post(`/${purpose}/new`, {});
      assert.equal(restarted.headers.get('location'), `/${purpose}`);
      assert.notEqual((await visitor.open(purpose)).address, page.address);
      const german = await visitor.post('/language', { locale: 'de', page: purpose });
      assert.equal(german.headers.get('location'), `/${purpose}`);
      assert.ok((await visitor.open(purpose)).html.includes(texts.de.errands[purpose].heading));
    }
    const pages = ['activate/accounts', 'activate/second-factor', 'activate/enrol', 'confirm/mailbox', 'undo'];
    for (const page of [...pages, 'confirm/accounts', '../x']) {
      const { headers } = await new Visitor(world).post('/language', { page });
      assert.equal(headers.get('location'), pages.includes(page) ? `/${page}` : '/reset');
    }
  });
});

describe('a cookie, a grant, a nonce and a code of one errand', () => {
  const cookieName = (name: 'challenge' | 'grant', purpose: Purpose) =>
    purpose === 'reset' ? `rtv-${name}` : `rtv-${name}-${purpose}`;
  const cookieOf = ({ visitor, purpose }: Visit, name: 'challenge' | 'grant') =>
    visitor.cookies.get(cookieName(name, purpose)) ?? assert.fail();

  /** Every post and page of an errand, with whatever comes. */
  async function tryAll(purpose: Purpose, visitor: Visitor, nonce: string, code: string): Promise<string[]> {
    const account = (await stored('apond')).id;
    const fields = { nonce, code, account, password: good, repeated: good, factor: '123456', address: amy };
    const steps = purpose === 'confirm' ? ['mailbox'] : ['accounts', 'second-factor', 'password', 'enrol'];
    const said: string[] = [];
    if (purpose === 'reset') said.push(`typed ${(await visitor.post('/reset/typed', fields)).status}`);
    for (const path of ['', ...steps.map((step) => `/${step}`)]) {
      const { cookies } = visitor;
      const held = [...cookies];
      const answers = [await visitor.post(`/${purpose}${path}`, fields)];
      if (path !== '') answers.push(await visitor.request(`/${purpose}${path}`));
      for (const { status } of answers) said.push(`${path} ${status}`);
      cookies.clear();
      for (const [name, value] of held) cookies.set(name, value);
    }
    return said;
  }

  it('is worth nothing at the routes of any other, alone or mixed with what is right there', async () => {
    const open = Object.fromEntries(
      await Promise.all(
        purposes.map(async (each) => [each, { unused: await answered(each), used: await proved(each) }]),
      ),
    ) as Record<Purpose, { unused: Visit; used: Visit }>;
    for (const purpose of ['reset', 'activate'] as const) await choose(open[purpose].used, 'apond');
    const files = async () => [await fileOf('accounts.json'), await recordsOf(world, 'challenges')];
    while ((await recordsOf(world, 'challenges')).includes('"queued"')) await new Visitor(world).open();
    const before = await files();
    let tries = 0;
    for (const [own, other] of purposes.flatMap((one) =>
      purposes.filter((two) => two !== one).map((two) => [one, two] as const),
    )) {
      const [mine, theirs] = [open[own].used, open[other].used];
      for (const [challenge, nonce, code] of [
        [cookieOf(mine, 'challenge'), mine.page.nonce, open[own].unused.code],
        [cookieOf(mine, 'challenge'), theirs.page.nonce, open[other].unused.code],
        [cookieOf(theirs, 'challenge'), mine.page.nonce, open[other].unused.code],
        [cookieOf(open[own].unused, 'challenge'), open[own].unused.page.nonce, open[own].unused.code],
        [undefined, mine.page.nonce, open[own].unused.code],
        [cookieOf(theirs, 'challenge'), theirs.page.nonce, open[own].unused.code],
      ]) {
        const grant = cookieOf(mine, 'grant');
        const visitor = new Visitor(world);
        if (challenge !== undefined) visitor.cookies.set(cookieName('challenge', other), challenge);
        visitor.cookies.set(cookieName('grant', other), grant);
        const said = await tryAll(other, visitor, nonce ?? '', code ?? '');
        assert.ok(
          said.every((each) => / 40[39]$/.test(each)),
          `${own} at ${other}: ${said}`,
        );
        tries += said.length;
      }
      // The page itself: a new challenge, without a word about one that has ended.
      const visitor = new Visitor(world);
      visitor.cookies.set(cookieName('challenge', other), cookieOf(open[own].unused, 'challenge'));
      const progress = await (await visitor.request(`/${other}/progress`)).json();
      assert.equal(Object(progress).state, 'cookie-missing');
      assert.equal((await visitor.request(`/${other}/mail.svg`)).status, 404, 'no picture');
      const page = await visitor.open(other);
      assert.notEqual(page.label, open[own].unused.page.label);
      assert.doesNotMatch(page.html, /id="renewed"/);
    }
    assert.equal(tries, 6 * (2 * 3 + 2 * 9 + 2 * 10));
    assert.deepEqual(await files(), before, 'no file has changed');
    for (const { unused, used } of Object.values(open)) {
      assert.equal(
        (await unused.visitor.enter(unused.page, unused.code, unused.purpose)).status,
        303,
        'all still good',
      );
      const path = used.purpose === 'confirm' ? '/confirm/mailbox' : `/${used.purpose}/password`;
      assert.equal((await used.visitor.request(path)).status, 200);
    }
  });
});
