// The second factor over HTTP and SMTP, with the built-in directory on disk: an app is enrolled after a reset, is asked
// for at the next one, and stands between a proved mailbox and a new password; who guesses, replays or races; its undo;
// and that the data folder tells nothing of it.

import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { verifyPassword } from '../../src/adapters/accounts/password-hash.ts';
import { createAdminClient } from '../../src/adapters/admin/admin-socket.ts';
import { readOperator } from '../../src/adapters/system/operator.ts';
import { digitsAt, readKey, wrongDigitsAt } from '../support/authenticator.ts';
import { TestClock } from '../support/clock.ts';
import { codeIn, replyTo, startWorld, storedAccount, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const good = 'blue kettle winter piano';
const minuteMs = 60_000;
const stepMs = 30_000;

let world: World;
let clock: TestClock;

beforeEach(async () => {
  clock = new TestClock();
  world = await startWorld({}, clock);
});
afterEach(() => world.close());

const stored = (name = 'apond') => storedAccount(world, name);

type Proved = Visitor & { nonce: string; account: string };

/** A visitor whose code was right, and who has chosen an account. */
async function chosen(name = 'apond'): Promise<Proved> {
  const visitor = Object.assign(new Visitor(world), { nonce: '', account: '' });
  const page = await visitor.open();
  assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
  const code = await codeIn(await replyTo(world, amy, page.label));
  assert.equal((await visitor.enter(page, code)).status, 303);
  visitor.nonce = page.nonce;
  visitor.account = (await stored(name)).id;
  assert.equal((await choose(visitor)).headers.get('location'), '/reset/password');
  return visitor;
}

const choose = (visitor: Proved) => visitor.post('/reset/accounts', { nonce: visitor.nonce, account: visitor.account });
const set = (visitor: Proved, password = good) =>
  visitor.post('/reset/password', {
    nonce: visitor.nonce,
    account: visitor.account,
    password,
    repeated: password,
  });
const pass = (visitor: Proved, factor: string) =>
  visitor.post('/reset/second-factor', { nonce: visitor.nonce, account: visitor.account, factor });
const enrol = (visitor: Proved, code: string) => visitor.post('/reset/enrol', { nonce: visitor.nonce, code });
const text = async (visitor: Visitor, path: string) => (await visitor.request(path)).text();
const where = async (visitor: Visitor, path: string) => (await visitor.request(path)).headers.get('location');
const keyOn = (page: string) => readKey(/data-key="([A-Z2-7]{32})"/.exec(page)?.[1] ?? assert.fail('no key'));
const codesOn = (page: string) => page.match(/(?<=<code dir="ltr">)(?:[0-9a-z]{4}-){3}[0-9a-z]{4}/g) ?? [];

interface Phone {
  readonly secret: Uint8Array;
  readonly codes: readonly string[];
}

/** Sets a password and enrols an app. @param visitor may do so */
async function enrolWith(visitor: Proved, password = good): Promise<Phone> {
  assert.equal((await set(visitor, password)).status, 303);
  const secret = keyOn(await text(visitor, '/reset/enrol'));
  const answer = await enrol(visitor, digitsAt(secret, clock.now()));
  assert.equal(answer.status, 200);
  const codes = codesOn(await answer.text());
  assert.equal(codes.length, 10);
  clock.advance(2 * stepMs); // the step that enrolled it is used up
  return { secret, codes };
}

const digitsOf = ({ secret }: Phone, stepsOff = 0) => digitsAt(secret, clock.now() + stepsOff * stepMs);

async function undoCode(count: number): Promise<string> {
  const isNotice = (raw: Buffer) => /^Auto-Submitted: auto-generated/m.test(raw.toString('latin1'));
  const message = await world.kit.sink.waitFor(
    (one) => isNotice(one.raw) && world.kit.sink.messages.filter(({ raw }) => isNotice(raw)).indexOf(one) === count,
    { timeoutMs: 5000 },
  );
  return /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/m.exec((await message.view()).text)?.[0] ?? assert.fail('no undo code');
}

describe('an app', () => {
  it('is offered after a reset, enrolled by its digits, and stores nothing before', async () => {
    const visitor = await chosen();
    assert.equal((await visitor.request('/reset/enrol')).status, 403, 'not before the password is set');
    await set(visitor);
    const done = await text(visitor, '/reset');
    assert.match(done, /new password is set.*<a class="button" href="\/reset\/enrol">/s);
    const before = await readFile(join(world.dataDir, 'accounts.json'), 'utf8');
    const page = await text(visitor, '/reset/enrol');
    assert.equal(await text(visitor, '/reset/enrol'), page, 'a reload shows the same');
    const picture = await visitor.request('/reset/enrol.svg');
    assert.match(picture.headers.get('content-type') ?? '', /svg/);
    assert.equal(picture.headers.get('cache-control'), 'no-store');
    const secret = keyOn(page);
    const wrong = await enrol(visitor, wrongDigitsAt(secret, clock.now()));
    assert.equal(wrong.status, 422);
    assert.match(await wrong.text(), /not the digits that the app should show/);
    assert.equal(await readFile(join(world.dataDir, 'accounts.json'), 'utf8'), before);
    const right = await enrol(visitor, digitsAt(secret, clock.now()));
    assert.equal(right.status, 200);
    const shown = await right.text();
    assert.equal(new Set(codesOn(shown)).size, 10);
    assert.match(shown, /<strong id="chosen" dir="auto">apond<\/strong>/);
    assert.doesNotMatch(shown, /<form/, 'no language switch leads away from what is shown once');
    assert.ok((await stored()).secondFactor);
    assert.equal((await stored('amy.chess')).secondFactor, null);
    assert.doesNotMatch(await text(visitor, '/reset'), /reset\/enrol/, 'not offered again');
  });

  it('shows its recovery codes once, but for a double click', async () => {
    const visitor = await chosen();
    await set(visitor);
    const secret = keyOn(await text(visitor, '/reset/enrol'));
    const digits = digitsAt(secret, clock.now());
    const [one, other] = await Promise.all([enrol(visitor, digits), enrol(visitor, digits)]);
    assert.deepEqual(codesOn(await one.text()), codesOn(await other.text()));
    assert.equal((await stored()).secondFactorTries.length, 0);
    clock.advance(16_000);
    const late = await enrol(visitor, digits);
    assert.equal(late.status, 403);
    assert.match(await late.text(), /can be set up once/);
    for (const path of ['/reset/enrol', '/reset/enrol.svg']) {
      assert.ok((await visitor.request(path)).status >= 400, path);
    }
  });

  it('is enrolled by nobody but the browser that set the password, and only for some minutes', async () => {
    const visitor = await chosen();
    await set(visitor);
    const secret = keyOn(await text(visitor, '/reset/enrol'));
    const digits = digitsAt(secret, clock.now());
    const thief = Object.assign(new Visitor(world), { nonce: visitor.nonce, account: '' });
    thief.cookies.set('rtv-challenge', visitor.cookies.get('rtv-challenge') ?? '');
    assert.equal((await thief.request('/reset/enrol')).status, 403, 'without the grant');
    assert.equal((await enrol(thief, digits)).status, 403);
    assert.equal((await thief.request('/reset/enrol.svg')).status, 404);
    const foreign = await visitor.request('/reset/enrol', {
      method: 'POST',
      body: new URLSearchParams({ nonce: visitor.nonce, code: digits }),
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    assert.equal(foreign.status, 403);
    assert.equal((await enrol(Object.assign(visitor, { nonce: 'A'.repeat(43) }), digits)).status, 403);
    clock.advance(10 * minuteMs);
    assert.equal((await visitor.request('/reset/enrol')).status, 403, 'too late');
    assert.equal((await stored()).secondFactor, null);
  });

  it('is not enrolled for an account whose password was changed, or undone, since', async () => {
    const visitor = await chosen();
    await set(visitor);
    const secret = keyOn(await text(visitor, '/reset/enrol'));
    assert.equal((await new Visitor(world).post('/undo', { code: await undoCode(0) })).status, 200);
    const answer = await enrol(visitor, digitsAt(secret, clock.now()));
    assert.equal(answer.status, 409);
    assert.equal((await stored()).secondFactor, null);
  });

  it('is not offered where its secret could not be read after a restart (keys: ephemeral)', async () => {
    await world.close();
    world = await startWorld({ 'keys.source': 'ephemeral' }, clock);
    const visitor = await chosen();
    await set(visitor);
    const page = await text(visitor, '/reset');
    assert.match(page, /new password is set/);
    assert.doesNotMatch(page, /reset\/enrol/);
    assert.equal((await visitor.request('/reset/enrol')).status, 403);
  });
});

describe('the second factor', () => {
  it('is asked for between account and password, which may be shorter then', async () => {
    const phone = await enrolWith(await chosen());
    const visitor = await chosen();
    assert.equal(await where(visitor, '/reset/password'), '/reset/second-factor');
    assert.match(await text(visitor, '/reset/second-factor'), /<strong id="chosen" dir="auto">apond<\/strong>/);
    const early = await set(visitor, 'a very good password');
    assert.equal(early.status, 403);
    assert.match(await early.text(), /have not been typed in yet/);
    const passed = await pass(visitor, digitsOf(phone));
    assert.deepEqual([passed.status, passed.headers.get('location')], [303, '/reset/password']);
    assert.match(await text(visitor, '/reset/password'), /At least 8 characters/);
    assert.equal(await where(visitor, '/reset/second-factor'), '/reset/password');
    await choose(visitor);
    assert.equal((await visitor.request('/reset/password')).status, 200, 'chosen again, it is not asked for again');
    assert.equal((await set(visitor, 'wp4kz7q')).status, 422, 'seven are too few');
    assert.equal((await set(visitor, 'wp4kz7qx')).status, 303);
    assert.ok(await verifyPassword('wp4kz7qx', (await stored()).password ?? ''));
    assert.match(await text(visitor, '/reset'), /got a new phone/, 'another app may take its place');
  });

  it('is not asked for where there is none, and the password must be long', async () => {
    await enrolWith(await chosen());
    const visitor = await chosen('amy.chess');
    assert.match(await text(visitor, '/reset/password'), /At least 15 characters/);
    assert.equal(await where(visitor, '/reset/second-factor'), '/reset/password');
    assert.equal((await pass(visitor, '123456')).status, 409);
    assert.equal((await set(visitor, 'wp4kz7qx')).status, 422);
  });

  it('that is wrong is counted and told, and burns neither code nor grant', async () => {
    const phone = await enrolWith(await chosen());
    const visitor = await chosen();
    for (const typed of ['', 'hello', wrongDigitsAt(phone.secret, clock.now()), '0000-0000-0000-0000']) {
      const answer = await pass(visitor, typed);
      assert.equal(answer.status, 422, typed);
      assert.match(await answer.text(), /This was not right.*name="factor"/s);
    }
    const again = wrongDigitsAt(phone.secret, clock.now());
    await Promise.all([pass(visitor, again), pass(visitor, again)]);
    assert.equal((await stored()).secondFactorTries.length, 2, 'what is no code does not count, nor a reload');
    assert.equal((await pass(visitor, digitsOf(phone))).status, 303);
    assert.equal((await set(visitor)).status, 303);
  });

  it('is not guessed: after 5 wrong ones there is a wait, on disk, for every browser', async () => {
    const phone = await enrolWith(await chosen());
    const guesser = await chosen();
    for (let number = 0; number < 5; number += 1) {
      assert.equal((await pass(guesser, wrongDigitsAt(phone.secret, clock.now(), number))).status, 422);
    }
    const full = await pass(guesser, digitsOf(phone));
    assert.equal(full.status, 429);
    assert.equal(full.headers.get('retry-after'), '900');
    assert.match(await full.text(), /wait 15 minutes/);
    await world.restart();
    const owner = await chosen();
    assert.equal((await pass(owner, digitsOf(phone))).status, 429);
    assert.equal((await set(owner)).status, 403);
    clock.advance(15 * minuteMs);
    const later = await chosen();
    assert.equal((await pass(later, digitsOf(phone))).status, 303);
  });

  it('may be one step off, and no step is accepted twice, in whatever browser', async () => {
    const phone = await enrolWith(await chosen());
    const [one, other] = [await chosen(), await chosen()];
    assert.equal((await pass(one, digitsOf(phone, -2))).status, 422);
    assert.equal((await pass(one, digitsOf(phone, -1))).status, 303);
    assert.equal((await pass(other, digitsOf(phone, -1))).status, 422, 'read over the shoulder');
    assert.equal((await pass(other, digitsOf(phone, 1))).status, 303);
    const third = await chosen();
    assert.equal((await pass(third, digitsOf(phone))).status, 422, 'it is before one that was used');
  });

  it('is used up once by browsers that race, and a double click is one attempt', async () => {
    const phone = await enrolWith(await chosen());
    const visitors = [await chosen(), await chosen(), await chosen()];
    const typed = digitsOf(phone);
    const answers = await Promise.all(visitors.map((visitor) => pass(visitor, typed)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [303, 422, 422]);
    const winner = visitors[answers.findIndex(({ status }) => status === 303)] ?? assert.fail();
    assert.equal((await pass(winner, typed)).status, 303);
    const [code = ''] = phone.codes;
    const clicker = await chosen();
    const twice = await Promise.all([pass(clicker, code), pass(clicker, code)]);
    assert.deepEqual(
      twice.map(({ status }) => status),
      [303, 303],
    );
  });

  it('may be a recovery code, once each, in any spelling', async () => {
    const { codes } = await enrolWith(await chosen());
    const [one = '', other = ''] = codes;
    const visitor = await chosen();
    assert.equal((await pass(visitor, ` ${one.toUpperCase().replaceAll('-', ' ')} `)).status, 303);
    const second = await chosen();
    assert.equal((await pass(second, one)).status, 422);
    assert.equal((await pass(second, other)).status, 303);
  });

  it('that was passed is worth nothing for another account, or for one that changed', async () => {
    const phone = await enrolWith(await chosen());
    const visitor = await chosen();
    await pass(visitor, digitsOf(phone));
    const other = await chosen();
    await pass(other, phone.codes[0] ?? '');
    assert.equal((await set(other)).status, 303);
    assert.equal((await set(visitor)).status, 409, 'the password was changed meanwhile');
    await choose(visitor);
    assert.equal(await where(visitor, '/reset/password'), '/reset/second-factor', 'and is asked for anew');
  });

  it('that was enrolled since an account was chosen is asked for', async () => {
    const slow = await chosen();
    const quick = await chosen();
    await set(quick);
    const late = await chosen(); // at the version that the enrolment leaves as it is
    const secret = keyOn(await text(quick, '/reset/enrol'));
    await enrol(quick, digitsAt(secret, clock.now()));
    for (const visitor of [slow, late]) assert.equal((await set(visitor)).status, 409);
    await choose(late);
    assert.equal(await where(late, '/reset/password'), '/reset/second-factor');
  });

  it('is put in the place of the one before by an app that is enrolled later', async () => {
    const old = await enrolWith(await chosen());
    const visitor = await chosen();
    await pass(visitor, old.codes[0] ?? '');
    const phone = await enrolWith(visitor, `${good} 2`);
    const later = await chosen();
    assert.equal((await pass(later, digitsOf(old))).status, 422);
    assert.equal((await pass(later, old.codes[1] ?? '')).status, 422);
    assert.equal((await pass(later, digitsOf(phone))).status, 303);
  });

  it('is taken away by an administrator, also from those who are being asked for it', async () => {
    const phone = await enrolWith(await chosen());
    const visitor = await chosen();
    const admin = createAdminClient(world.dataDir, readOperator());
    assert.deepEqual((await admin.find('apond'))?.secondFactor?.recoveryCodesLeft, 10);
    assert.equal(await admin.dropSecondFactor('apond'), 'done');
    assert.equal((await pass(visitor, digitsOf(phone))).status, 409);
    await choose(visitor);
    assert.equal((await set(visitor)).status, 303);
  });
});

describe('the undo', () => {
  it('takes back an app that a thief enrolled, and gives back the one that was there', async () => {
    const phone = await enrolWith(await chosen());
    clock.advance(72 * 60 * minuteMs); // it is the owner's own
    const thief = await chosen();
    await pass(thief, phone.codes[0] ?? ''); // who found the paper
    const stolen = await enrolWith(thief, 'the password of a thief');
    await undoCode(0);
    assert.equal((await new Visitor(world).post('/undo', { code: await undoCode(1) })).status, 200);
    await createAdminClient(world.dataDir, readOperator()).setState('apond', 'active');
    const owner = await chosen();
    assert.equal((await pass(owner, digitsOf(stolen))).status, 422);
    assert.equal((await pass(owner, phone.codes[0] ?? '')).status, 422, 'what was used stays used');
    assert.equal((await pass(owner, digitsOf(phone))).status, 303);
  });

  it('takes back an app where there was none', async () => {
    await enrolWith(await chosen());
    assert.equal((await new Visitor(world).post('/undo', { code: await undoCode(0) })).status, 200);
    assert.deepEqual([(await stored()).secondFactor, (await stored()).state], [null, 'frozen']);
  });
});

describe('faults', () => {
  const blocked = (file: string) => join(world.dataDir, `${file}.tmp`);

  it('a disk that does not write the accounts counts and enrols nothing, and the same form works later', async () => {
    const visitor = await chosen();
    await set(visitor);
    const secret = keyOn(await text(visitor, '/reset/enrol'));
    await mkdir(blocked('accounts.json'));
    assert.equal((await enrol(visitor, digitsAt(secret, clock.now()))).status, 503);
    await rmdir(blocked('accounts.json'));
    assert.equal((await stored()).secondFactor, null);
    const answer = await enrol(visitor, digitsAt(secret, clock.now()));
    assert.equal(answer.status, 200);
    clock.advance(2 * stepMs);
    const later = await chosen();
    const typed = digitsAt(secret, clock.now());
    await mkdir(blocked('accounts.json'));
    assert.equal((await pass(later, typed)).status, 503);
    await rmdir(blocked('accounts.json'));
    assert.equal((await pass(later, typed)).status, 303);
  });

  it('after a restart with another key the second factor is trouble, and never right', async () => {
    const phone = await enrolWith(await chosen());
    await world.restart({ 'keys.source': 'ephemeral' });
    const visitor = await chosen();
    for (const typed of [digitsOf(phone), phone.codes[0] ?? '']) {
      assert.equal((await pass(visitor, typed)).status, 503);
    }
    assert.equal((await set(visitor)).status, 403);
  });
});

it('the data folder holds neither the secret of an app nor a recovery code, in any spelling', async () => {
  const phone = await enrolWith(await chosen());
  const visitor = await chosen();
  await pass(visitor, phone.codes[0] ?? '');
  await pass(visitor, digitsOf(phone));
  const shown = await chosen();
  const used = phone.codes[1] ?? '';
  await pass(shown, used);
  await set(shown);
  const unused = keyOn(await text(shown, '/reset/enrol'));
  const spellings = [phone.secret, unused].flatMap((secret) => {
    const bytes = Buffer.from(secret);
    return ['hex', 'base64', 'base64url', 'latin1'].map((encoding) => bytes.toString(encoding as BufferEncoding));
  });
  const letters = /data-key="([A-Z2-7]{32})"/.exec(await text(shown, '/reset/enrol'))?.[1] ?? '';
  const codes = phone.codes.flatMap((code) => [code, code.replaceAll('-', '')]);
  const entries = await readdir(world.dataDir, { withFileTypes: true, recursive: true });
  // What is being written has another name for a moment.
  const whole = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'));
  const files = whole.map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((path) => readFile(path, 'latin1')));
  assert.ok(contents.some((content) => content.includes('"sealedSecret"')));
  for (const secret of [...spellings, letters, ...codes]) {
    assert.ok(secret.length >= 16);
    for (const content of contents) {
      assert.ok(
        !content.toLowerCase().includes(secret.toLowerCase().replace(/=+$/, '')),
        'a secret in the data folder',
      );
    }
  }
});
