// From the right code to a new password, and back again by the undo code: over HTTP and SMTP, with the built-in
// directory on disk. Who may set it, what is refused, who wins a race, and that a fault leaves nothing half done.

import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { StoredAccount } from '../../src/adapters/accounts/account-record.ts';
import { verifyPassword } from '../../src/adapters/accounts/password-hash.ts';
import { segmentFiles } from '../../src/adapters/store/segment-files.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import { TestClock } from '../support/clock.ts';
import { codeIn, replyTo, startWorld, storedAccount, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const good = 'blue kettle winter piano';
const hourMs = 3_600_000;

let world: World;
let clock: TestClock;

beforeEach(async () => {
  clock = new TestClock();
  world = await startWorld({}, clock);
});
afterEach(() => world.close());

const stored = (name: string) => storedAccount(world, name);
/** Changes the accounts as an administrator does, while the service is down. */
async function edit(name: string, changes: Partial<StoredAccount>): Promise<void> {
  await world.service.stop();
  const path = join(world.dataDir, 'accounts.json');
  const file: { accounts: StoredAccount[] } = JSON.parse(await readFile(path, 'utf8'));
  const accounts = file.accounts.map((account) => (account.name === name ? { ...account, ...changes } : account));
  await writeFile(path, JSON.stringify({ ...file, accounts }));
  await world.restart();
}

/** A visitor whose code was right. */
async function proved(identity: 'amy' | 'smith' | 'jo' = 'amy'): Promise<Proved> {
  const visitor = Object.assign(new Visitor(world), { nonce: '', account: '' });
  const page = await visitor.open();
  const mailbox = world.kit.identities.find(({ key }) => key === identity)?.mailbox ?? '';
  assert.equal((await world.kit.send(identity, { to: page.address, subject: page.label })).code, 250);
  const code = await codeIn(await replyTo(world, mailbox, page.label));
  assert.equal((await visitor.enter(page, code)).status, 303);
  visitor.nonce = page.nonce;
  return visitor;
}

type Proved = Visitor & { nonce: string; account: string };

async function choose(visitor: Proved, name: string): Promise<Response> {
  visitor.account = (await stored(name)).id;
  return visitor.post('/reset/accounts', { nonce: visitor.nonce, account: visitor.account });
}
const set = (visitor: Proved, password: string, repeated = password) =>
  visitor.post('/reset/password', { nonce: visitor.nonce, account: visitor.account, password, repeated });

/** All the way; the answer to the last post. */
async function reset(password = good, name = 'apond'): Promise<Response> {
  const visitor = await proved();
  assert.equal((await choose(visitor, name)).headers.get('location'), '/reset/password');
  return set(visitor, password);
}

/** The next notice that comes, and the undo code in it. */
async function noticeAfter(count: number): Promise<{ text: string; undoCode: string }> {
  const isNotice = (raw: Buffer) => /^Auto-Submitted: auto-generated/m.test(raw.toString('latin1'));
  const message = await world.kit.sink.waitFor(
    (one) => isNotice(one.raw) && world.kit.sink.messages.filter(({ raw }) => isNotice(raw)).indexOf(one) === count,
    { timeoutMs: 5000 },
  );
  assert.deepEqual(message.envelope, { mailFrom: '', rcptTo: [amy] });
  const { text } = await message.view();
  const undoCode = /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/m.exec(text)?.[0] ?? assert.fail('no undo code');
  return { text, undoCode };
}

describe('a new password', () => {
  it('is set for the chosen account alone, ends its sessions, uses up the grant, and is told by a mail', async () => {
    const visitor = await proved();
    assert.equal((await visitor.request('/reset/password')).headers.get('location'), '/reset/accounts', 'choose first');
    await choose(visitor, 'apond');
    const page = await (await visitor.request('/reset/password')).text();
    assert.match(page, /<strong id="chosen" dir="auto">apond<\/strong>/);
    assert.match(page, /autocomplete="new-password"/);
    const answer = await set(visitor, good);
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/reset']);
    assert.match((await visitor.open()).html, /new password is set/);
    assert.equal((await visitor.request('/reset/accounts')).status, 409, 'one use');
    const again = await set(visitor, 'another kettle winter piano');
    assert.equal(again.status, 409);
    assert.match(await again.text(), /sent once already/, 'a second click hears no "start again"');
    const account = await stored('apond');
    assert.ok(await verifyPassword(good, account.password ?? ''));
    assert.equal(account.sessionsEndedAt, clock.now());
    assert.equal((await stored('amy.chess')).password, null);
    const { text } = await noticeAfter(0);
    assert.match(text, /your account apond at Example School/);
    assert.doesNotMatch(text, /https?:|\/|\w\.\w|@/, 'nothing that a machine could open');
  });

  it('may be any text of 15 to 256 characters, and comes out as it went in', async () => {
    for (const password of [
      'ｆｕｌｌ width kettle piano',
      '🐘🐁 éléphant et souris',
      `${'kettle piano '.repeat(19)}123456789`,
    ]) {
      assert.equal((await reset(password)).status, 303, password);
      assert.ok(await verifyPassword(password.normalize('NFKC'), (await stored('apond')).password ?? ''));
    }
  });

  it('is refused with the reason, and the form is there again', async () => {
    const visitor = await proved();
    await choose(visitor, 'apond');
    const { passwordRefusals } = texts.en;
    const tries: [string, string, keyof typeof passwordRefusals][] = [
      ['', '', 'password-missing'],
      [good, `${good}.`, 'passwords-differ'],
      ['short kettle', 'short kettle', 'password-too-short'],
      ['k'.repeat(300), 'k'.repeat(300), 'password-too-long'],
      ['passwordpassword', 'passwordpassword', 'password-common'],
      ['amy.pond apond 2026', 'amy.pond apond 2026', 'password-guessable'],
      ['tab\tkettle winter', 'tab\tkettle winter', 'password-unprintable'],
    ];
    for (const [password, repeated, reason] of tries) {
      const answer = await set(visitor, password, repeated);
      assert.equal(answer.status, 422, reason);
      const html = await answer.text();
      assert.ok(html.includes(passwordRefusals[reason].replaceAll("'", '&#39;')), reason);
      assert.ok(password === '' || !html.includes(password), 'it is not written back');
    }
    assert.equal((await stored('apond')).password, null);
    assert.equal((await set(visitor, good)).status, 303, 'nothing was used up');
  });

  it('needs the nonce, the cookie and the grant, and an account of this very mailbox', async () => {
    const visitor = await proved();
    const { id } = await stored('apond');
    const nonces = ['', 'A'.repeat(43), (await new Visitor(world).open()).nonce];
    for (const nonce of nonces) {
      assert.equal((await visitor.post('/reset/accounts', { nonce, account: id })).status, 403);
    }
    assert.equal((await visitor.post('/reset/accounts', { account: id })).status, 403);
    for (const account of [(await stored('ssmith')).id, '', '__proto__', 'x'.repeat(3000)]) {
      assert.equal((await visitor.post('/reset/accounts', { nonce: visitor.nonce, account })).status, 409);
    }
    await choose(visitor, 'apond');
    for (const nonce of nonces) {
      assert.equal((await visitor.post('/reset/password', { nonce, password: good, repeated: good })).status, 403);
    }
    const headers = { 'sec-fetch-site': 'cross-site' };
    const body = new URLSearchParams({ nonce: visitor.nonce, password: good, repeated: good });
    assert.equal((await visitor.request('/reset/password', { method: 'POST', body, headers })).status, 403);
    const stranger = Object.assign(new Visitor(world), { nonce: visitor.nonce, account: visitor.account });
    await stranger.open();
    assert.equal((await set(stranger, good)).status, 403);
    // The grant of somebody else, of another page of the same mailbox, a made-up one, and none.
    const [other, own] = [await proved('jo'), await proved()];
    const grant = visitor.cookies.get('rtv-grant') ?? '';
    for (const forged of [other.cookies.get('rtv-grant'), own.cookies.get('rtv-grant'), 'A'.repeat(43), undefined]) {
      if (forged === undefined) visitor.cookies.delete('rtv-grant');
      else visitor.cookies.set('rtv-grant', forged);
      assert.equal((await set(visitor, good)).status, 403);
      assert.equal((await visitor.request('/reset/accounts')).status, 403);
    }
    visitor.cookies.set('rtv-grant', grant);
    assert.equal((await visitor.request('/reset/accounts')).status, 200);
    assert.equal((await stored('apond')).password, null);
  });

  it('is set by one of two windows that race, and the other one is told', async () => {
    const visitor = await proved();
    await choose(visitor, 'apond');
    const passwords = Array.from({ length: 6 }, (_, window) => `${good} ${window}`);
    const answers = await Promise.all(passwords.map((password) => set(visitor, password)));
    const won = answers.findIndex(({ status }) => status === 303);
    assert.deepEqual(answers.map(({ status }) => status).filter((status) => status === 303).length, 1);
    assert.ok(answers.every(({ status }) => [303, 409].includes(status)));
    assert.ok(await verifyPassword(passwords[won] ?? '', (await stored('apond')).password ?? ''));
  });

  it('is set by one of two requests for one account, and the other chooses again', async () => {
    const [one, other] = [await proved(), await proved()];
    await choose(one, 'apond');
    await choose(other, 'apond');
    assert.equal((await set(one, good)).status, 303);
    const late = await set(other, `${good} 2`);
    assert.equal(late.status, 409);
    assert.match(await late.text(), /changed a moment ago/);
    await choose(other, 'apond');
    assert.equal((await set(other, `${good} 2`)).status, 303);
    assert.ok(await verifyPassword(`${good} 2`, (await stored('apond')).password ?? ''));
  });

  it('is not set for a locked account, and that is said', async () => {
    await edit('apond', { state: 'locked' });
    const visitor = await proved();
    const answer = await choose(visitor, 'apond');
    assert.equal(answer.status, 403);
    assert.match(await answer.text(), /account is locked/);
    assert.equal((await choose(visitor, 'amy.chess')).status, 303);
  });

  it('is for the account that the page named, whatever was chosen in another window', async () => {
    const visitor = await proved();
    await choose(visitor, 'apond');
    const page = { nonce: visitor.nonce, account: visitor.account, password: good, repeated: good };
    await choose(visitor, 'amy.chess');
    assert.equal((await visitor.post('/reset/password', page)).status, 409);
    assert.deepEqual([(await stored('apond')).password, (await stored('amy.chess')).password], [null, null]);
    assert.equal((await set(visitor, good)).status, 303, 'the other window goes on');
    assert.ok((await stored('amy.chess')).password);
  });

  it('is set also when the page of the code has ended meanwhile, and that is told', async () => {
    const visitor = Object.assign(new Visitor(world), { nonce: '', account: '' });
    const page = await visitor.open();
    visitor.nonce = page.nonce;
    clock.advance(57 * 60_000);
    await world.kit.send('amy', { to: page.address, subject: page.label });
    await visitor.enter(page, await codeIn(await replyTo(world, amy, page.label)));
    await choose(visitor, 'apond');
    clock.advance(5 * 60_000);
    assert.match((await visitor.open()).html, /That was the right code/, 'and no other tab takes the grant away');
    assert.equal((await set(visitor, good)).status, 303);
    assert.match((await visitor.open()).html, /new password is set/);
  });

  it('is not set when the grant is over', async () => {
    const visitor = await proved();
    await choose(visitor, 'apond');
    clock.advance(10 * 60_000);
    assert.equal((await set(visitor, good)).status, 403);
  });
});

describe('the undo', () => {
  it('brings the old password back, ends sessions, freezes the account; a second time and a guess are refused', async () => {
    await reset('the first kettle of all');
    const before = (await stored('apond')).password;
    clock.advance(72 * hourMs);
    await reset(good);
    await noticeAfter(0);
    const { undoCode } = await noticeAfter(1);
    clock.advance(hourMs);
    const stranger = new Visitor(world);
    assert.match(await (await stranger.request('/undo')).text(), /Undo a password change/);
    for (const guess of ['', '1234', '0'.repeat(16), `${undoCode.slice(0, -1)}${undoCode.endsWith('0') ? '1' : '0'}`]) {
      assert.equal((await stranger.post('/undo', { code: guess })).status, 422, guess);
    }
    assert.equal((await stored('apond')).password === before, false);
    const typed = ` ${undoCode.toUpperCase().replaceAll('-', ' ')} `;
    const undone = await stranger.post('/undo', { code: typed });
    assert.equal(undone.status, 200);
    assert.match(await undone.text(), /The change was undone/);
    const { password, state, sessionsEndedAt } = await stored('apond');
    assert.deepEqual([password, state, sessionsEndedAt], [before, 'frozen', clock.now()]);
    const twice = await stranger.post('/undo', { code: undoCode });
    assert.equal(twice.status, 409);
    assert.match(await twice.text(), /nothing left to undo/, 'a reload must not look like a failure');
    const visitor = await proved();
    assert.match(await (await choose(visitor, 'apond')).text(), /A change of this account was undone/);
  });

  it('brings back what was before all changes that can still be undone, whichever code is typed', async () => {
    await reset('the first kettle of all');
    await noticeAfter(0);
    const before = (await stored('apond')).password;
    clock.advance(72 * hourMs); // by now it is the owner's own
    await reset(good);
    await reset(`${good} 2`);
    await noticeAfter(1);
    const { undoCode } = await noticeAfter(2);
    assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
    assert.equal((await stored('apond')).password, before);
  });

  it('gives a thief nothing who waits until the first change is almost too old', async () => {
    await reset('the first kettle of all');
    const before = (await stored('apond')).password;
    clock.advance(72 * hourMs);
    await reset('the first one of a thief');
    clock.advance(71 * hourMs);
    await reset('the second one of a thief');
    await noticeAfter(1);
    const { undoCode } = await noticeAfter(2);
    clock.advance(2 * hourMs);
    assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
    assert.equal((await stored('apond')).password, before);
  });

  it('is too late after 72 hours', async () => {
    await reset(`${good} 2`);
    const { undoCode } = await noticeAfter(0);
    clock.advance(72 * hourMs);
    assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 422, 'too late');
    assert.ok(await verifyPassword(`${good} 2`, (await stored('apond')).password ?? ''));
  });

  it('is done once by two posts that race, and cannot come from another site', async () => {
    await reset(good);
    const { undoCode } = await noticeAfter(0);
    const foreign = await new Visitor(world).request('/undo', {
      method: 'POST',
      body: new URLSearchParams({ code: undoCode }),
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    assert.equal(foreign.status, 403);
    const posts = [1, 2, 3].map(() => new Visitor(world).post('/undo', { code: undoCode }));
    assert.deepEqual((await Promise.all(posts)).map(({ status }) => status).sort(), [200, 409, 409]);
  });
});

describe('faults', () => {
  // What makes the next write of one thing fail, and only that: a folder that is not there, a name that is taken.
  const blocked = (what: string) => join(world.dataDir, what === 'accounts' ? 'accounts.json.tmp' : `${what}-away`);
  async function block(what: string): Promise<void> {
    if (what !== 'accounts') return rename(join(world.dataDir, what), blocked(what));
    await mkdir(blocked(what));
  }
  async function unblock(what: string): Promise<void> {
    if (what !== 'accounts') return rename(blocked(what), join(world.dataDir, what));
    await rmdir(blocked(what));
  }

  for (const file of ['challenges', 'changes', 'accounts']) {
    it(`a disk that does not write the ${file} changes nothing, and the very same form works when it does again`, async () => {
      const visitor = await proved();
      await choose(visitor, 'apond');
      await block(file);
      const failed = await set(visitor, good);
      assert.equal(failed.status, 503);
      assert.equal((await stored('apond')).password, null);
      assert.doesNotMatch((await visitor.open()).html, /new password is set/);
      await unblock(file);
      assert.equal((await set(visitor, good)).status, 303);
      await noticeAfter(0);
      assert.equal(world.kit.sink.messages.filter(({ raw }) => raw.includes('auto-generated')).length, 1);
    });
  }

  it('an undo that cannot be noted is done and told all the same', async () => {
    await reset(good);
    const { undoCode } = await noticeAfter(0);
    await block('changes');
    assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
    assert.equal((await stored('apond')).state, 'frozen');
    await unblock('changes');
  });

  for (const keys of ['file', 'ephemeral']) {
    it(`a notice that could not be sent goes out after a restart, with a code that works (keys: ${keys})`, async () => {
      await world.close();
      world = await startWorld({ 'keys.source': keys }, clock);
      const visitor = await proved();
      await choose(visitor, 'apond');
      const { sink } = world.kit;
      sink.faults = [{ at: 'rcpt', does: 'defer' }];
      assert.equal((await set(visitor, good)).status, 303);
      while (sink.struck.length === 0 || !clock.waiting.some((ms) => ms >= 4_000 && ms <= 6_000)) await visitor.open();
      assert.equal(sink.messages.filter(({ raw }) => raw.includes('auto-generated')).length, 0);
      sink.faults = [];
      await world.restart();
      const { undoCode } = await noticeAfter(0);
      assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
    });
  }

  it('a crash between the directory and the notice is told by a notice: better one too many', async () => {
    await reset(good);
    const { undoCode } = await noticeAfter(0);
    await world.service.stop();
    const files = segmentFiles(join(world.dataDir, 'changes'), 'none');
    const last = JSON.stringify([await files.file(1).read()].flat().at(-1));
    await files.file(2).write(JSON.parse(last.replace('"done"', '"setting"').replace('"handed-over"', '"none"')));
    await world.restart();
    assert.equal((await noticeAfter(1)).undoCode, undoCode, 'the same code');
  });
});
