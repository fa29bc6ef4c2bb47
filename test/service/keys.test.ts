// Keys are rotated while people are in the middle of it: a page of before works to its very end, by mail, code, password,
// second factor and undo; then its key is gone, and whoever stole it has nothing.

import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createAdminClient } from '../../src/adapters/admin/admin-socket.ts';
import type { Keyring } from '../../src/adapters/system/keyring.ts';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { readOperator } from '../../src/adapters/system/operator.ts';
import { deriveAddress, issueCookie, writeAddress } from '../../src/app/challenge-tokens.ts';
import { openKeys } from '../../src/compose.ts';
import { runKeys } from '../../src/keys.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { digitsAt, readKey } from '../support/authenticator.ts';
import { TestClock } from '../support/clock.ts';
import { keyFile, keysIn } from '../support/keyring.ts';
import { codeIn, noticeTo, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const good = 'blue kettle winter piano';
const minuteMs = 60_000;
const pageEndMs = 72 * minuteMs; // an hour, ten minutes of grant, a minute for what is under way

let world: World;
let clock: TestClock;

beforeEach(async () => {
  clock = new TestClock();
  world = await startWorld({}, clock);
});
afterEach(() => world.close());

const admin = () => createAdminClient(world.dataDir, readOperator());
const keyCount = async () => (await keysIn(world.dataDir)).keys.length;

async function rotate(): Promise<void> {
  assert.equal((await admin().rotate()).kind, 'rotated');
}

/** Lets time pass, and waits until only so many keys are left. */
async function passUntil(left: number, ms = pageEndMs): Promise<void> {
  clock.advance(ms);
  for (const end = Date.now() + 10_000; (await keyCount()) !== left; ) assert.ok(Date.now() < end, 'keys are left');
}

async function mail(page: OpenPage): Promise<string> {
  assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
  return codeIn(await replyTo(world, amy, page.label));
}

async function stored(): Promise<{ id: string; state: string; secondFactor: { sealedSecret: string } | null }> {
  const file = JSON.parse(await readFile(join(world.dataDir, 'accounts.json'), 'utf8'));
  return file.accounts.find(({ name }: { name: string }) => name === 'apond');
}

/** Fields of a form of this visitor. */
async function form(page: OpenPage, more: Record<string, string> = {}): Promise<Record<string, string>> {
  return { nonce: page.nonce, account: (await stored()).id, ...more };
}

const where = (answer: Response) => [answer.status, answer.headers.get('location')];
const password = { password: good, repeated: good };

/** A cookie and an address, made by somebody who has the keys. */
function minted(keyring: Keyring): { cookie: string; address: string } {
  const secrets = createSecrets(keyring);
  const { cookie, seed } = issueCookie(secrets, 'reset', clock.now());
  const shownAs = { locale: 'en', clientHint: { browser: 'other', system: 'other' } } as const;
  return {
    cookie,
    address: `${writeAddress(secrets, deriveAddress(secrets, seed, shownAs, 60 * minuteMs))}@in.school.example`,
  };
}

describe('a rotation', () => {
  it('in the middle of everything disturbs nobody, and what is kept outlives the keys it was made with', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    await rotate();
    const again = await visitor.open();
    assert.deepEqual([again.address, again.nonce], [page.address, page.nonce], 'the page stays as it is');
    const code = await mail(page);
    await rotate();
    assert.equal((await visitor.enter(page, '00000000')).status, 422);
    assert.equal((await visitor.enter(page, '00000000')).status, 422);
    assert.deepEqual(where(await visitor.enter(page, code)), [303, '/reset/accounts']);
    await visitor.post('/reset/accounts', await form(page));
    await rotate();
    assert.equal(await keyCount(), 4);
    assert.deepEqual(where(await visitor.post('/reset/password', await form(page, password))), [303, '/reset']);
    const notice = await noticeTo(world, amy);
    const html = await (await visitor.request('/reset/enrol')).text();
    const secret = readKey(/data-key="([A-Z2-7]{32})"/.exec(html)?.[1] ?? assert.fail());
    const enrolled = await visitor.post('/reset/enrol', await form(page, { code: digitsAt(secret, clock.now()) }));
    assert.equal(enrolled.status, 200);
    const sealed = (await stored()).secondFactor?.sealedSecret;

    await rotate().catch(() => {}); // refused: four are in use
    await passUntil(1);
    await rotate();
    await passUntil(1);
    assert.notEqual((await stored()).secondFactor?.sealedSecret, sealed, 'sealed anew');
    const later = new Visitor(world);
    const next = await later.open();
    await later.enter(next, await mail(next));
    await later.post('/reset/accounts', await form(next));
    assert.equal(where(await later.request('/reset/password'))[1], '/reset/second-factor');
    const factor = digitsAt(secret, clock.now());
    assert.deepEqual(where(await later.post('/reset/second-factor', await form(next, { factor }))), [
      303,
      '/reset/password',
    ]);
    assert.equal((await new Visitor(world).post('/undo', { code: notice.undoCode })).status, 200);
    assert.deepEqual([(await stored()).state, (await stored()).secondFactor], ['frozen', null]);
  });

  it('makes everything new with the new key at once, also after a restart', async () => {
    await rotate();
    const { keys } = await keysIn(world.dataDir);
    const [newest, oldest] = keys;
    await world.restart();
    const visitor = new Visitor(world);
    await visitor.open();
    const cookie = Buffer.from(visitor.cookies.get('rtv-challenge') ?? '', 'base64url');
    const madeWith = [newest, oldest].map((key) =>
      createSecrets({ keys: key === undefined ? [] : [key] }).mac('cookie', cookie.subarray(0, 24)),
    );
    assert.deepEqual(
      madeWith.map((mac) => Buffer.from(mac).subarray(0, 16).equals(cookie.subarray(24))),
      [true, false],
    );
  });

  it('leaves a stolen key worthless once its pages have ended', async () => {
    const stolen = await keysIn(world.dataDir);
    const secrets = [Buffer.from(stolen.keys[0]?.secret ?? []).toString('base64url')];
    await rotate();
    await passUntil(1);
    assert.ok(!secrets.some((secret) => secret === '') && !(await keyFile(world.dataDir)).includes(secrets[0] ?? '?'));
    const { cookie, address } = minted(stolen);
    assert.equal((await world.kit.send('amy', { to: address, subject: 'x' })).code, 550);
    const thief = new Visitor(world);
    thief.cookies.set('rtv-challenge', cookie);
    const page = await thief.open();
    assert.notEqual(page.address, address);
    assert.notEqual(thief.cookies.get('rtv-challenge'), cookie, 'they get a page like everybody');
    const known = minted(await keysIn(world.dataDir));
    assert.equal(
      (await world.kit.send('amy', { to: known.address, subject: 'x' })).code,
      250,
      'with the new key it would be',
    );
  });

  it('tells a page that has ended so, and gives a new one', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    await rotate();
    await passUntil(1);
    const posted = await visitor.enter(page, '12345678');
    assert.ok([200, 303, 400, 403, 409, 410, 422].includes(posted.status), String(posted.status));
    const renewed = await visitor.open();
    assert.notEqual(renewed.address, page.address);
  });

  it('does not happen on a disk that takes nothing: the command hears so, and all goes on', async () => {
    const before = await keyFile(world.dataDir);
    await mkdir(join(world.dataDir, 'keys.json.tmp')); // in the way of the file
    await assert.rejects(admin().rotate(), /The service refused: the keys could not be written/);
    await rmdir(join(world.dataDir, 'keys.json.tmp'));
    assert.equal(await keyFile(world.dataDir), before);
    await rotate();
    assert.equal(await keyCount(), 2);
  });
});

describe('the command', () => {
  const settingsOf = (overrides: Record<string, unknown> = {}) => {
    const config = join(import.meta.dirname, '../../config');
    const files = ['default.yaml', 'development.yaml'].map((name) => join(config, name));
    const loaded = loadSettings({ files, env: {}, overrides: { 'data.dir': world.dataDir, ...overrides } });
    return loaded.ok ? loaded.settings : assert.fail(JSON.stringify(loaded.mistakes));
  };
  const file = { 'keys.source': 'file' };

  it('asks the service while it runs, and works by itself while it does not', async () => {
    for (const count of [2, 3]) {
      const keys = await openKeys(settingsOf(file));
      assert.equal((await keys.rotate()).kind, 'rotated');
      await keys.close();
      assert.equal(await keyCount(), count);
      if (count === 2) await world.service.stop();
    }
    await world.restart();
    assert.equal(await keyCount(), 3);
    await assert.rejects(openKeys(settingsOf({ 'data.dir': join(world.dataDir, 'nowhere') })), /There is no folder/);
  });

  it('says in words, or as JSON, what it has done', async () => {
    const config = join(import.meta.dirname, '../../config');
    const env = { RTV_DATA_DIR: world.dataDir };
    const run = (...args: string[]) =>
      runKeys({
        args: [...args, '--config', join(config, 'development.yaml')],
        defaults: join(config, 'default.yaml'),
        env,
      });
    assert.deepEqual(await run('rotate'), {
      exitCode: 0,
      output: 'There is a new key. Keep a copy of keys.json.',
      complaint: '',
    });
    const { output } = await run('rotate', '--json');
    assert.deepEqual(JSON.parse(output), { kind: 'rotated', keyId: (await keysIn(world.dataDir)).keys[0]?.id });
    await run('rotate');
    const { exitCode, output: tooMany } = await run('rotate');
    assert.deepEqual([exitCode, /still needed/.test(tooMany), await keyCount()], [1, true, 4]);
    assert.equal((await run()).exitCode, 2);
    assert.match((await run('--help')).output, /keys rotate/);
  });

  it('has nothing to change where the keys are in the environment', async () => {
    await world.service.stop();
    const env = { RTV_KEYS_SECRET: Buffer.alloc(32, 1).toString('base64url') };
    const config = join(import.meta.dirname, '../../config');
    const files = ['default.yaml', 'development.yaml'].map((name) => join(config, name));
    const loaded = loadSettings({ files, env, overrides: { 'data.dir': world.dataDir, 'keys.source': 'env' } });
    const keys = await openKeys(loaded.ok ? loaded.settings : assert.fail());
    assert.deepEqual(await keys.rotate(), { kind: 'not-here' });
    await keys.close();
    await world.restart();
  });
});

it('a file of keys that others can read stops the start, with place and remedy, and nothing stays open', async () => {
  await world.service.stop();
  const path = join(world.dataDir, 'keys.json');
  await chmod(path, 0o640);
  await assert.rejects(world.restart(), ({ message }: Error) => message.includes(`Run: chmod 600 ${path}`));
  await chmod(path, 0o600);
  await world.restart();
});
