// The audit of the real service: one whole loop, undo and administrator included, gives exactly these lines, with mailboxes
// as the setting says; the digest is the one of the log. Nothing in it is secret.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { runAccounts } from '../../src/accounts.ts';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { mailboxDigest } from '../../src/app/challenge-tokens.ts';
import type { Purpose } from '../../src/core/purpose.ts';
import { findIdentity, type IdentityKey } from '../../src/testkit/identities.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { digitsAt, readKey } from '../support/authenticator.ts';
import { TestClock } from '../support/clock.ts';
import { keysIn } from '../support/keyring.ts';
import { codeIn, noticeTo, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const password = 'blue kettle winter piano';
const browser = { 'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Firefox/140.0' };
const clientHint = { browser: 'Firefox', system: 'Windows' };
const remoteAddress = '127.0.0.1';

type Line = Readonly<Record<string, unknown>>;

let world: World;
let clock: TestClock;
const secrets = new Set<string>();

async function start(overrides: Record<string, unknown> = {}): Promise<void> {
  clock = new TestClock();
  world = await startWorld(overrides, clock);
}
afterEach(() => world.close());

/** All lines so far; the service has to end for it, and is there again afterwards. */
async function audited(): Promise<Line[]> {
  await world.restart();
  const text = await readFile(join(world.dataDir, 'audit.jsonl'), 'utf8');
  for (const secret of secrets) assert.ok(secret.length > 7 && !text.includes(secret), 'a secret stands in the audit');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Mails as somebody and reads the code. */
async function mailed(
  visitor: Visitor,
  who: IdentityKey = 'amy',
  purpose: Purpose = 'reset',
): Promise<{ page: OpenPage; code: string }> {
  const page = await visitor.open(purpose);
  assert.equal((await world.kit.send(who, { to: page.address, subject: page.label })).code, 250);
  const code = await codeIn(await replyTo(world, findIdentity(who)?.mailbox ?? '', page.label));
  for (const secret of [code, code.replace(' ', ''), page.nonce, page.address.split('@')[0] ?? '']) secrets.add(secret);
  return { page, code };
}

async function accounts(...args: readonly string[]) {
  const config = join(world.dataDir, '..', 'settings.yaml');
  const settings = {
    web: { publicUrl: 'http://127.0.0.1:0' },
    smtp: { hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: ['127.0.0.1:9'] },
    relay: { url: 'smtp://127.0.0.1:9' },
    data: { dir: world.dataDir },
  };
  await writeFile(config, JSON.stringify(settings));
  const defaults = join(import.meta.dirname, '../../config/default.yaml');
  const { exitCode, output, complaint } = await runAccounts([...args, '--json', '--config', config], defaults, {});
  assert.deepEqual([exitCode, complaint], [0, '']);
  return JSON.parse(output);
}

async function digestOf(mailbox: string): Promise<string> {
  const found = world.kit.identities.find((each) => each.mailbox === mailbox) ?? assert.fail();
  return mailboxDigest(createSecrets(await keysIn(world.dataDir)), found.mailbox);
}

describe('one whole loop', () => {
  for (const mailboxes of ['clear', 'digest', 'off'] as const) {
    it(`gives exactly these lines (mailboxes: ${mailboxes})`, async () => {
      await start({ 'audit.mailboxes': mailboxes });
      const at = new Date(clock.now()).toISOString();
      const visitor = new Visitor(world, browser);
      const { page, code } = await mailed(visitor);
      assert.equal((await world.kit.send('forger', { to: page.address, subject: page.label })).code, 550);
      assert.equal((await visitor.enter(page, '00000000')).status, 422);
      assert.equal((await visitor.enter(page, code)).status, 303);
      assert.equal((await visitor.enter(page, code)).status, 303, 'a double click');
      const account = (await accounts('show', 'apond')).id;
      await visitor.post('/reset/accounts', { nonce: page.nonce, account });
      const form = { nonce: page.nonce, account, password, repeated: password };
      assert.equal((await visitor.post('/reset/password', form)).status, 303);
      const { undoCode } = await noticeTo(world, amy);
      for (const value of [...visitor.cookies.values(), undoCode, undoCode.replaceAll('-', ''), password]) {
        secrets.add(value);
      }
      assert.equal((await new Visitor(world).post('/undo', { code: undoCode })).status, 200);
      const again = new Visitor(world, browser);
      const second = await mailed(again);
      assert.equal((await again.enter(second.page, second.code)).status, 303);
      for (let click = 0; click < 3; click += 1) {
        const refused = await again.post('/reset/accounts', { nonce: second.page.nonce, account });
        assert.equal(refused.status, 403);
      }
      const digest = await digestOf(amy);
      const mailbox = { clear: { mailbox: amy }, digest: { mailboxDigest: digest }, off: {} }[mailboxes];
      const authentication = { by: 'signature', domain: 'school.example', selector: 'test-rsa' };
      const onPage = ({ label }: OpenPage) => ({ at, label, purpose: 'reset', ...mailbox, remoteAddress, clientHint });
      const byMail = ({ label }: OpenPage) => ({
        at,
        label,
        purpose: 'reset',
        authentication,
        smtpAddress: remoteAddress,
      });
      const about = { at, ...mailbox, account: { id: account, name: 'apond' } };
      const unknown = { remoteAddress, clientHint: { browser: 'other', system: 'other' } };
      assert.deepEqual(await audited(), [
        { event: 'opened-by-mail', ...byMail(page), ...mailbox },
        { event: 'verified', ...onPage(page) },
        { event: 'password-set', ...onPage(page), ...about },
        { event: 'change-undone', ...about, ...unknown },
        { event: 'account-frozen', ...about, ...unknown },
        { event: 'opened-by-mail', ...byMail(second.page), ...mailbox },
        { event: 'verified', ...onPage(second.page) },
        { event: 'account-refused', ...onPage(second.page), ...about, reason: 'account-frozen' },
      ]);
      assert.equal((await readFile(join(world.dataDir, 'audit.jsonl'), 'utf8')).includes(amy), mailboxes === 'clear');
    });
  }
});

describe('the audit', () => {
  it('says which domain SPF spoke for, and when a request was locked', async () => {
    await start();
    const visitor = new Visitor(world, browser);
    const { page, code } = await mailed(visitor, 'jo');
    const wrong = (step: number) => String((Number(code.replace(' ', '')) + step) % 1e8).padStart(8, '0');
    for (let step = 1; step <= 5; step += 1) await visitor.enter(page, wrong(step));
    assert.equal((await visitor.enter(page, code)).status, 403);
    const at = new Date(clock.now()).toISOString();
    const about = { at, label: page.label, purpose: 'reset' };
    const mailboxDigest = await digestOf('jo.grant@company.example');
    const authentication = { by: 'spf', domain: 'company.example' };
    assert.deepEqual(await audited(), [
      { event: 'opened-by-mail', ...about, mailboxDigest, authentication, smtpAddress: remoteAddress },
      { event: 'challenge-locked', ...about, remoteAddress, clientHint },
    ]);
  });

  it('says what an administrator did and who that was, beside the service and without it', async () => {
    await start();
    const ids: unknown[] = [];
    const other = 'amy@home.example';
    const work = async (name: string) => {
      const { added } = await accounts('add', name, '--mailbox', amy);
      ids.push(added[0].id);
      for (const command of ['lock', 'unlock', 'show']) await accounts(command, name.toUpperCase());
      for (const meant of [[], ['--even-if-frozen']]) await accounts('set-mailboxes', name, other, ...meant);
      await accounts('remove', name);
      const file = join(world.dataDir, '..', `${name}.csv`);
      await writeFile(file, `name,description,mailboxes\n${name}1,,${amy}\n${name}2,,${amy}\n`);
      await accounts('import', file);
    };
    await work('beside');
    await world.service.stop();
    await work('alone');
    const lines = await audited();
    const uid = process.getuid?.();
    const operator = lines.map((line) => Object(line.operator));
    assert.ok(operator.every((each) => each.uid === uid && typeof each.user === 'string' && 'sudoUser' in each));
    assert.deepEqual(
      operator.map(({ said }) => said),
      [...Array(7).fill(true), ...Array(7).fill(false)],
      'the service has it from hearsay',
    );
    const changes = 'account-added account-locked account-unlocked mailboxes-set mailboxes-forced account-removed';
    const expected = ['beside', 'alone'].flatMap((name, index) => [
      ...changes.split(' ').map((event) => [event, { id: ids[index], name }]),
      ['accounts-imported', 2],
    ]);
    assert.deepEqual(
      lines.map(({ event, account, count }) => [event, account ?? count]),
      expected,
    );
    assert.ok(!JSON.stringify(lines).includes('@'));
  });

  it('says when a second factor was enrolled, wrong, and dropped; a wrong one that is sent again once', async () => {
    await start();
    const nameOf = async (visitor: Visitor) => {
      const { page, code } = await mailed(visitor);
      await visitor.enter(page, code);
      const form = { nonce: page.nonce, account: (await accounts('show', 'apond')).id };
      await visitor.post('/reset/accounts', form);
      return { ...form, label: page.label };
    };
    const visitor = new Visitor(world, browser);
    const first = await nameOf(visitor);
    await visitor.post('/reset/password', { ...first, password, repeated: password });
    const key = /data-key="([A-Z2-7]{32})"/.exec(await (await visitor.request('/reset/enrol')).text())?.[1] ?? '';
    const enrolled = await visitor.post('/reset/enrol', { ...first, code: digitsAt(readKey(key), clock.now()) });
    assert.equal(enrolled.status, 200);
    secrets.add(key);
    const other = new Visitor(world, browser);
    const second = await nameOf(other);
    for (let click = 0; click < 3; click += 1) {
      const wrong = await other.post('/reset/second-factor', { ...second, factor: 'k7m2-9qxf-h3tw-zz8p' });
      assert.equal(wrong.status, 422);
    }
    await accounts('drop-second-factor', 'apond');
    const lines = await audited();
    const at = new Date(clock.now()).toISOString();
    const account = { id: first.account, name: 'apond' };
    const about = { at, purpose: 'reset', mailboxDigest: await digestOf(amy), account, remoteAddress, clientHint };
    const told = lines.filter(({ event }) => String(event).startsWith('second-factor'));
    assert.deepEqual(told.slice(0, -1), [
      { event: 'second-factor-enrolled', label: first.label, ...about },
      { event: 'second-factor-wrong', label: second.label, ...about },
    ]);
    assert.deepEqual([told.length, told.at(-1)?.event, told.at(-1)?.account], [3, 'second-factor-dropped', account]);
  });

  it('names a mailbox that was confirmed, and accounts whose owners were invited', async () => {
    await start();
    const visitor = new Visitor(world, browser);
    const { page, code } = await mailed(visitor, 'amy', 'confirm');
    assert.equal((await visitor.enter(page, code, 'confirm')).status, 303);
    for (const status of [303, 409]) {
      assert.equal((await visitor.post('/confirm/mailbox', { nonce: page.nonce })).status, status);
    }
    await accounts('invite', 'apond', 'jgrant');
    await assert.rejects(accounts('invite', 'nobody'));
    const [confirmed, ...invited] = (await audited()).slice(2);
    const at = new Date(clock.now()).toISOString();
    const { label } = page;
    const about = { at, label, purpose: 'confirm', mailboxDigest: await digestOf(amy), remoteAddress, clientHint };
    assert.deepEqual(confirmed, { event: 'mailbox-confirmed', ...about });
    assert.deepEqual(
      invited.map(({ event, account }) => [event, Object(account).name]),
      [
        ['account-invited', 'apond'],
        ['account-invited', 'jgrant'],
      ],
    );
  });

  it('does not name what was not done', async () => {
    await start();
    const { page, code } = await mailed(new Visitor(world));
    const thief = new Visitor(world);
    await thief.open();
    assert.equal((await thief.enter(page, code)).status, 403);
    assert.equal((await thief.post('/undo', { code: '0'.repeat(16) })).status, 422);
    await assert.rejects(accounts('lock', 'nobody'));
    await assert.rejects(accounts('add', 'APOND', '--mailbox', amy));
    assert.deepEqual(
      (await audited()).map(({ event }) => event),
      ['opened-by-mail'],
    );
  });
});
