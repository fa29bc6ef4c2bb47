// What is particular to the built-in directory: its file, old and damaged ones, when it writes, what stands in it, and
// what an administrator does. Its contract is in test/contract/.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Adapter } from 'lowdb';
import type { AccountFile, StoredAccount } from '../../src/adapters/accounts/account-record.ts';
import { type BuiltinDirectory, openBuiltinDirectory } from '../../src/adapters/accounts/builtin-directory.ts';
import { hashPassword, verifyPassword } from '../../src/adapters/accounts/password-hash.ts';
import { DurableFile } from '../../src/adapters/store/durable-file.ts';
import { DependencyError, type PasswordChange } from '../../src/app/ports.ts';
import type { Mailbox } from '../../src/core/mail-address.ts';
import { mailbox } from '../contract/directory.ts';
import { directoryOptions } from '../support/authenticator.ts';
import { quickEnough } from '../support/quick.ts';

const start = Date.UTC(2026, 0, 15, 9, 30);
const amy = mailbox('amy@school.example');
const options = { now: () => start, ...directoryOptions };
const account = (name: string, ...mailboxes: string[]) => ({ name, description: `about ${name}`, mailboxes });

/** A disk in memory that finishes a write when it is told to, or at once. */
class Disk implements Adapter<unknown> {
  text: string;
  writes = 0;
  /** What the write under way waits for, if anything. */
  gate: Promise<void> | undefined;
  failing = false;

  constructor(content: unknown = null) {
    this.text = JSON.stringify(content);
  }

  get file(): AccountFile {
    return JSON.parse(this.text);
  }

  async read(): Promise<unknown> {
    return JSON.parse(this.text);
  }

  async write(data: unknown): Promise<void> {
    const text = JSON.stringify(data);
    this.writes += 1;
    await this.gate;
    if (this.failing) throw new Error('no space left');
    this.text = text;
  }

  /** Resolves when the write with this number has begun. */
  async begun(number: number): Promise<void> {
    for (let turn = 0; this.writes < number; turn += 1) {
      assert.ok(turn < 1000, `write ${number} never began`);
      await new Promise(setImmediate);
    }
  }
}

async function inFolder(t: TestContext, content?: string | object): Promise<{ path: string; file: DurableFile }> {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-accounts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'accounts.json');
  const text = typeof content === 'object' ? JSON.stringify(content) : content;
  if (text !== undefined) await writeFile(path, text, { mode: 0o644 });
  return { path, file: new DurableFile(path) };
}

async function changeOf(directory: BuiltinDirectory, number = 1): Promise<PasswordChange> {
  const [found] = await directory.accountsOf(amy);
  assert.ok(found);
  return {
    accountId: found.id,
    securityVersion: found.securityVersion,
    mailbox: amy,
    password: `correct horse ${number}`,
    changeId: String(number).padStart(32, '0'),
    at: start,
    undoUntil: start + 1000,
    addressFrozenUntil: start + 5000,
  };
}

const version1 = (...accounts: object[]) => ({ version: 1, accounts });
const whole: StoredAccount = {
  ...account('apond'),
  mailboxes: [amy],
  confirmed: [{ mailbox: amy, at: start }],
  id: 'a'.repeat(32),
  state: 'active',
  securityVersion: 3,
  password: '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  previous: [{ changeId: 'c'.repeat(32), password: null, until: start + 1, secondFactor: 'same' }],
  passwordChangedAt: start,
  sessionsEndedAt: start,
  addressFrozenUntil: null,
  secondFactor: null,
  secondFactorTries: [],
};
const version3 = (...accounts: object[]) => ({ version: 3, accounts });

describe('a file of version 1', { concurrency: true }, () => {
  const old = version1(account('apond', 'amy@School.example'), account('chess', 'amy@school.example'), account('none'));

  test('is taken over: each account gets an id that stays, and nothing else is lost', async (t) => {
    const { path, file } = await inFolder(t, old);
    const directory = await openBuiltinDirectory(file, path, options);
    const told = await directory.accountsOf(amy);
    const kept: AccountFile = JSON.parse(await readFile(path, 'utf8'));
    assert.equal(kept.version, 3, 'on disk before anybody is told an id');
    const { id, ...rest } = kept.accounts[0] ?? whole;
    assert.match(id, /^[0-9a-f]{32}$/);
    assert.deepEqual(rest, {
      name: 'apond',
      description: 'about apond',
      mailboxes: ['amy@school.example'],
      confirmed: [],
      state: 'active',
      securityVersion: 1,
      password: null,
      previous: [],
      passwordChangedAt: null,
      sessionsEndedAt: null,
      addressFrozenUntil: null,
      secondFactor: null,
      secondFactorTries: [],
    });
    assert.equal(new Set(kept.accounts.map((each) => each.id)).size, 3);
    assert.deepEqual(
      kept.accounts.map(({ name }) => name),
      ['apond', 'chess', 'none'],
    );
    const again = await openBuiltinDirectory(new DurableFile(path), path, options);
    assert.deepEqual(await again.accountsOf(amy), told);
    assert.equal((await stat(path)).mode & 0o777, 0o600, 'for its owner alone from now on');
  });

  test('stops the start when it cannot be written back: ids that nobody keeps are none', async () => {
    const disk = new Disk(old);
    disk.failing = true;
    await assert.rejects(openBuiltinDirectory(disk, 'the accounts', options), DependencyError);
  });
});

describe('confirmed mailboxes', { concurrency: true }, () => {
  const [home, upper] = [mailbox('amy@home.example'), mailbox('Amy@school.example')];
  const confirm = (of: Mailbox, at: number) => ({ mailbox: of, changeId: 'c'.repeat(32), at });

  test('are kept with the time of the latest proof, on every account, in the spelling of the account', async () => {
    const accounts = [
      { ...whole, mailboxes: [upper, home], confirmed: [] },
      { ...whole, id: 'b'.repeat(32), name: 'chess', mailboxes: [amy], confirmed: [] },
    ];
    const disk = new Disk(version3(...accounts));
    const setting = { ...options, ignoreCaseDomains: ['School.example'] };
    const directory = await openBuiltinDirectory(disk, 'the accounts', setting);
    assert.equal(await directory.confirmMailbox(confirm(amy, start)), 'done');
    assert.equal(await directory.confirmMailbox(confirm(home, start + 1)), 'done');
    assert.equal(await directory.confirmMailbox(confirm(amy, start + 2)), 'done');
    const expected = [
      [
        { mailbox: home, at: start + 1 },
        { mailbox: upper, at: start + 2 },
      ],
      [{ mailbox: amy, at: start + 2 }],
    ];
    assert.deepEqual(
      disk.file.accounts.map(({ confirmed }) => confirmed),
      expected,
    );
    const told = await (await openBuiltinDirectory(disk, 'the accounts', setting)).list();
    assert.deepEqual(
      told.map(({ confirmed }) => confirmed),
      expected,
    );
  });

  test('are none in a file that was written before there were any', async () => {
    const { confirmed: _, ...before } = whole;
    const directory = await openBuiltinDirectory(new Disk(version3(before)), 'the accounts', options);
    assert.deepEqual((await directory.list())[0]?.confirmed, []);
  });

  test('stay what they are when a password is set', async () => {
    const disk = new Disk(version3(whole));
    const directory = await openBuiltinDirectory(disk, 'the accounts', options);
    assert.equal(await directory.setPassword(await changeOf(directory)), 'done');
    assert.deepEqual(disk.file.accounts[0]?.confirmed, whole.confirmed);
  });
});

describe('the file', { concurrency: true }, () => {
  test('is not made, and not written, before there is something to keep', async (t) => {
    const { path, file } = await inFolder(t);
    const directory = await openBuiltinDirectory(file, path, options);
    assert.deepEqual(await directory.accountsOf(amy), []);
    assert.deepEqual(await directory.list(), []);
    assert.deepEqual(await directory.add([]), []);
    await directory.close();
    await assert.rejects(stat(path), { code: 'ENOENT' });
    const disk = new Disk(version3(whole));
    const other = await openBuiltinDirectory(disk, 'the accounts', options);
    await other.accountsOf(amy);
    await other.setState('apond', 'active');
    await other.sweep();
    await other.close();
    assert.equal(disk.writes, 0);
  });

  test('is for its owner alone, and holds no password', async (t) => {
    const { path, file } = await inFolder(t, version3({ ...whole, previous: [] }));
    const directory = await openBuiltinDirectory(file, path, options);
    const change = await changeOf(directory);
    assert.equal(await directory.setPassword(change), 'done');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const text = await readFile(path, 'utf8');
    for (const word of ['correct', 'horse', Buffer.from(change.password).toString('base64').slice(0, 12)]) {
      assert.ok(!text.includes(word), word);
    }
    const [kept] = (JSON.parse(text) as AccountFile).accounts;
    assert.ok(kept?.password);
    assert.ok(await verifyPassword(change.password, kept.password));
    assert.deepEqual(kept.previous.at(-1), {
      changeId: change.changeId,
      password: whole.password,
      until: change.undoUntil,
      secondFactor: 'same',
    });
    assert.equal(kept.securityVersion, 4);
  });

  test('nothing is told before it is on disk, also not to those who only look', async () => {
    const disk = new Disk(version3(whole));
    const directory = await openBuiltinDirectory(disk, 'the accounts', options);
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.gate = promise;
    const told: string[] = [];
    const tell = (what: string) => () => void told.push(what);
    const all = [
      directory.setState('apond', 'locked').then(tell('state')),
      directory.accountsOf(amy).then(tell('accounts')),
      directory.find('apond').then(tell('find')),
      directory.list().then(tell('list')),
      directory.remove('nobody').then(tell('remove')),
      directory.add([account('APOND')]).then(tell('add')),
      directory.revertPassword(whole.id, 'd'.repeat(32), start).then(tell('revert')),
      directory.setPassword({ ...(await hurried()), accountId: 'nobody' }).then(tell('set')),
      directory.close().then(tell('close')),
    ];
    await disk.begun(1);
    for (const hash of ['takes as long', 'as theirs']) await hashPassword(hash);
    await new Promise(setImmediate);
    assert.deepEqual(told, []);
    resolve();
    await Promise.all(all);
    assert.equal(told.length, all.length);
    assert.equal(disk.writes, 1);
  });

  test('changes at once share a write, and so do those that come during one', async () => {
    const disk = new Disk();
    const directory = await openBuiltinDirectory(disk, 'the accounts', options);
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.gate = promise;
    const add = (number: number) => directory.add([account(`account ${number}`)]);
    const all = Array.from({ length: 40 }, (_, number) => add(number));
    await disk.begun(1);
    all.push(...Array.from({ length: 60 }, (_, number) => add(number + 40)));
    resolve();
    for (const mistakes of await Promise.all(all)) assert.deepEqual(mistakes, []);
    assert.equal(disk.writes, 2);
    assert.equal(disk.file.accounts.length, 100);
  });

  test('a failed write takes back what came meanwhile, and no more than was not on disk', async () => {
    const disk = new Disk(version3(whole));
    const directory = await openBuiltinDirectory(disk, 'the accounts', options);
    await directory.setState('apond', 'locked');
    const before = { file: disk.file, accounts: await directory.accountsOf(amy), list: await directory.list() };
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.gate = promise;
    disk.failing = true;
    const first = [directory.setState('apond', 'active'), directory.add([account('new', 'amy@school.example')])];
    await disk.begun(2);
    const later = [
      directory.remove('apond'),
      directory.add([account('apond', 'rory@school.example')]),
      directory.setState('new', 'frozen'),
      directory.accountsOf(amy),
    ];
    const outcomes = Promise.allSettled([...first, ...later]);
    resolve();
    for (const outcome of await outcomes) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof DependencyError);
    }
    disk.failing = false;
    assert.equal(disk.writes, 2, 'what was taken back is not written');
    assert.deepEqual(disk.file, before.file);
    assert.deepEqual(await directory.accountsOf(amy), before.accounts);
    assert.deepEqual(await directory.list(), before.list);
    assert.deepEqual(await directory.accountsOf(mailbox('rory@school.example')), []);
    assert.equal(await directory.setState('apond', 'active'), 'done');
    assert.equal(disk.file.accounts[0]?.state, 'active');
  });

  test('what the next start would refuse does not get in', async () => {
    const disk = new Disk(version3(whole));
    const directory = await openBuiltinDirectory(disk, 'the accounts', options);
    const change = await changeOf(directory);
    for (const wrong of [{ changeId: 'not hexadecimal' }, { at: 1.5 }, { undoUntil: Number.NaN }]) {
      await assert.rejects(directory.setPassword({ ...change, ...wrong }), ({ message }: Error) => {
        assert.doesNotMatch(message, /@|correct|horse|argon2id\$/);
        return true;
      });
    }
    assert.equal(disk.writes, 0);
    assert.equal(await directory.setPassword(change), 'done');
  });
});

/** A change that asks for nothing first. */
async function hurried(): Promise<PasswordChange> {
  return changeOf(await openBuiltinDirectory(new Disk(version3(whole)), 'another', options));
}

describe('the password of before', { concurrency: true }, () => {
  const until = start + 1;
  const another = { ...whole, id: 'b'.repeat(32), name: 'chess', mailboxes: [], previous: [] };

  test('is dropped at the start when its time is over, and not a moment before', async () => {
    for (const [now, kept] of [
      [until - 1, true],
      [until, false],
    ] as const) {
      const disk = new Disk(version3(whole, another));
      await openBuiltinDirectory(disk, 'the accounts', { ...options, now: () => now });
      assert.equal(disk.file.accounts[0]?.previous.length, kept ? 1 : 0);
      assert.equal(disk.writes, kept ? 0 : 1);
    }
  });

  for (const [title, act] of [
    ['with the next change of another account', (directory) => directory.setState('chess', 'locked')],
    ['with the next change of its own account', (directory) => directory.setState('apond', 'locked')],
    ['by sweep', (directory) => directory.sweep()],
  ] as const satisfies readonly [string, (directory: BuiltinDirectory) => Promise<unknown>][]) {
    test(`is dropped ${title}, in memory as well, and comes back when that cannot be written`, async () => {
      let now = start;
      const disk = new Disk(version3(whole, another));
      const directory = await openBuiltinDirectory(disk, 'the accounts', { ...options, now: () => now });
      now = until;
      disk.failing = true;
      await assert.rejects(act(directory), DependencyError);
      assert.equal((await directory.find('apond'))?.undoUntil, until);
      disk.failing = false;
      await act(directory);
      assert.deepEqual(disk.file.accounts[0]?.previous, []);
      assert.equal((await directory.find('apond'))?.undoUntil, null);
      // A clock that goes back must not bring back what was promised to be gone.
      assert.equal(await directory.revertPassword(whole.id, 'c'.repeat(32), start), 'too-late');
    });
  }
});

describe('a damaged file', { concurrency: true }, () => {
  const damages: readonly [string, string | object, RegExp][] = [
    ['half a file', JSON.stringify(version1(account('a', 'amy@school.example'))).slice(0, 60), /is not JSON/],
    ['an empty file', '', /is not JSON/],
    ['text', 'amy@school.example was here', /is not JSON/],
    ['a list', [], /the file: /],
    ['another version', { ...version1(), version: 4 }, /version: neither 1, 2 nor 3/],
    ['no version', { accounts: [] }, /version: neither 1, 2 nor 3/],
    ['no accounts', { version: 1 }, /accounts: /],
    ['an account without a name', version1(account('')), /accounts\.0\.name: /],
    ['a name that is too long', version1(account('x'.repeat(201))), /accounts\.0\.name: /],
    ['an account without mailboxes', version1({ name: 'a', description: '' }), /accounts\.0\.mailboxes: /],
    [
      'a field more',
      version1({ ...account('a'), password: 'hunter2' }),
      /accounts\.0: has a field that does not belong/,
    ],
    ['an address as a field', version1({ ...account('a'), 'amy@school.example': true }), /accounts\.0: has a field/],
    ['an address as a field at the top', { ...version1(), 'amy@school.example': true }, /the file: has a field/],
    [
      'no address',
      version1(account('a'), account('b', 'amy@school.example', 'amy')),
      /accounts\.1\.mailboxes\.1: not a mail/,
    ],
    [
      'two addresses in one',
      version1(account('a', 'amy@school.example,rory@school.example')),
      /accounts\.0\.mailboxes\.0: /,
    ],
    ['a blank around an address', version1(account('a', ' amy@school.example')), /accounts\.0\.mailboxes\.0: /],
    ['a name twice', version1(account('a'), account('b'), account('a')), /accounts\.2\.name: the same as of account 0/],
    ['a name twice in another case', version1(account('Jörg'), account('JÖRG')), /accounts\.1\.name: the same/],
    ['a name twice in another width', version1(account('amy'), account('ａmy')), /accounts\.1\.name: the same/],
    ['an id twice', version3(whole, { ...whole, name: 'b' }), /accounts\.1\.id: the same as of account 0/],
    ['a state that is none', version3({ ...whole, state: 'hunter2' }), /accounts\.0\.state: /],
    ['a version of 0', version3({ ...whole, securityVersion: 0 }), /accounts\.0\.securityVersion: /],
    ['a password in clear', version3({ ...whole, password: 'hunter2' }), /accounts\.0\.password: not an argon2id hash/],
    [
      'a password of before in clear',
      version3({ ...whole, previous: [{ ...whole.previous[0], password: 'hunter2' }] }),
      /accounts\.0\.previous\.0\.password: not an/,
    ],
    ['an id that is none', version3({ ...whole, id: 'amy@school.example' }), /accounts\.0\.id: not 32 hexadecimal/],
    ['a time that is none', version3({ ...whole, passwordChangedAt: 'hunter2' }), /accounts\.0\.passwordChangedAt: /],
    ['a field missing', version3({ ...whole, previous: undefined }), /accounts\.0\.previous: /],
    [
      'a secret in clear',
      version3({
        ...whole,
        secondFactor: { sealedSecret: 'hunter 2', enrolledAt: 0, lastStep: 0, recoveryDigests: [] },
      }),
      /accounts\.0\.secondFactor\.sealedSecret: /,
    ],
    ['fields of version 2 in version 1', version1(whole), /accounts\.0: has a field/],
  ];
  for (const [title, content, place] of damages) {
    test(`(${title}) is refused, with the place and the remedy and nothing of the content`, async (t) => {
      const { path, file } = await inFolder(t, content);
      const text = await readFile(path, 'utf8');
      await assert.rejects(openBuiltinDirectory(file, path, options), (error: Error) => {
        assert.match(error.message, /accounts\.json is not/);
        assert.match(error.message, place);
        assert.match(error.message, /[Pp]ut back a good copy/);
        assert.doesNotMatch(error.message, /@|hunter2|x{20}/);
        assert.equal(error.cause, undefined, 'which would quote the content');
        return true;
      });
      assert.equal(await readFile(path, 'utf8'), text, 'it is left as it is');
    });
  }

  test('the file of the cases above is read when it is whole', async () => {
    const directory = await openBuiltinDirectory(new Disk(version3(whole)), 'the accounts', options);
    const [found] = await directory.accountsOf(amy);
    assert.deepEqual(found, {
      id: whole.id,
      name: 'apond',
      description: 'about apond',
      state: 'active',
      hasPassword: true,
      securityVersion: '3',
      secondFactor: 'none',
    });
  });

  test('one of version 2, which knew of no second factor, is read as well', async () => {
    const { secondFactor: _, secondFactorTries: __, ...rest } = whole;
    const previous = whole.previous.map(({ secondFactor: ___, ...each }) => each);
    const disk = new Disk({ version: 2, accounts: [{ ...rest, previous }] });
    const directory = await openBuiltinDirectory(disk, 'the accounts', options);
    await directory.setState('apond', 'locked');
    assert.deepEqual(disk.file, version3({ ...whole, state: 'locked', securityVersion: 4 }));
  });

  test('a thousand mistakes are not told one by one', async () => {
    const disk = new Disk(version1(...Array.from({ length: 1000 }, () => account(''))));
    await assert.rejects(openBuiltinDirectory(disk, 'the accounts', options), ({ message }: Error) => {
      assert.match(message, /accounts\.9\.name.*; and 990 more\. Correct it/);
      assert.ok(message.length < 1000);
      return true;
    });
  });

  test('a disk that cannot be read is not a damaged file', async () => {
    const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
    const adapter: Adapter<unknown> = { read: () => Promise.reject(denied), write: async () => {} };
    await assert.rejects(openBuiltinDirectory(adapter, 'the accounts', options), denied);
  });
});

describe('administration', { concurrency: true }, () => {
  const open = async () => {
    const disk = new Disk();
    const directory = await openBuiltinDirectory(disk, 'the accounts', options);
    assert.deepEqual(await directory.add([account('apond', 'amy@School.example'), account('chess')]), []);
    return { disk, directory };
  };

  test('accounts are listed and found by name in any case, with all but their hashes', async () => {
    const { directory } = await open();
    await directory.setPassword(await changeOf(directory));
    const found = await directory.find('APond');
    assert.match(found?.id ?? '', /^[0-9a-f]{32}$/);
    assert.deepEqual(found, {
      ...account('apond', 'amy@school.example'),
      id: found?.id,
      confirmed: [],
      state: 'active',
      hasPassword: true,
      undoUntil: start + 1000,
      passwordChangedAt: start,
      sessionsEndedAt: start,
      addressFrozenUntil: start + 5000,
      secondFactor: null,
    });
    assert.deepEqual(await directory.list(), [found, await directory.find('chess')]);
    assert.equal((await directory.find('chess'))?.hasPassword, false);
    for (const name of ['', 'pond', '__proto__']) assert.equal(await directory.find(name), undefined);
  });

  test('of a list with mistakes nothing is added, and each mistake is told by its place', async () => {
    const { disk, directory } = await open();
    const { writes, text } = disk;
    const given = [
      account('fine', 'fine@school.example'),
      account('', 'amy@school.example', 'amy'),
      account('APOND'),
      { ...account('x'.repeat(201)), description: '' },
    ];
    const mistakes = await directory.add(given);
    assert.deepEqual(await directory.check(given), mistakes, 'who only asks is told the same');
    assert.deepEqual(await directory.check(given.slice(0, 1)), []);
    assert.deepEqual(
      mistakes.map(({ index, problem }) => `${index} ${problem.split(':')[0]}`),
      ['1 name', '1 mailboxes.1', '2 name', '3 name'],
    );
    assert.ok(mistakes.every(({ problem }) => !/@|APOND|x{20}/.test(problem)));
    assert.deepEqual(await directory.add([account('fine'), account('b'), account('Fine')]), [
      { index: 2, problem: 'name: the same as of account 0' },
    ]);
    assert.deepEqual([disk.writes, disk.text], [writes, text]);
    assert.equal((await directory.list()).length, 2);
    assert.deepEqual(await directory.accountsOf(mailbox('fine@school.example')), []);
  });

  test('mailboxes are changed, but not while a reset has frozen them, unless that is meant', async () => {
    let now = start;
    const disk = new Disk(version3(whole));
    const directory = await openBuiltinDirectory(disk, 'the accounts', { ...options, now: () => now });
    const change = await changeOf(directory);
    assert.equal(await directory.setPassword(change), 'done');
    const rory = mailbox('rory@school.example');
    const [before] = await directory.accountsOf(amy);
    assert.equal(await directory.setMailboxes('nobody', [rory], true), 'unknown-account');
    now = change.addressFrozenUntil - 1;
    assert.equal(await directory.setMailboxes('apond', [rory], false), 'address-frozen');
    assert.deepEqual([await directory.accountsOf(amy), await directory.accountsOf(rory)], [[before], []]);
    assert.equal(await directory.setMailboxes('APOND', [rory], true), 'done');
    const [after] = await directory.accountsOf(rory);
    assert.deepEqual([await directory.accountsOf(amy), after?.id], [[], before?.id]);
    assert.notEqual(after?.securityVersion, before?.securityVersion, 'whoever chose it before chooses again');
    now = change.addressFrozenUntil;
    assert.equal(await directory.setMailboxes('apond', [amy, rory], false), 'done');
    assert.deepEqual(disk.file.accounts[0]?.mailboxes, [amy, rory]);
  });

  test('a state is set once, and an account removed once; its name is free again', async () => {
    const { disk, directory } = await open();
    const before = await directory.accountsOf(amy);
    assert.equal(await directory.setState('APOND', 'locked'), 'done');
    const [locked] = await directory.accountsOf(amy);
    assert.equal(locked?.state, 'locked');
    assert.equal(await directory.setState('apond', 'locked'), 'done');
    assert.deepEqual(await directory.accountsOf(amy), [locked], 'the same state is no change');
    assert.equal(await directory.remove('Apond'), 'done');
    assert.deepEqual(await directory.accountsOf(amy), []);
    assert.equal(await directory.remove('apond'), 'unknown-account');
    assert.equal(await directory.setState('apond', 'active'), 'unknown-account');
    assert.deepEqual(await directory.add([account('apond', 'amy@school.example')]), []);
    assert.notEqual((await directory.accountsOf(amy))[0]?.id, before[0]?.id, 'it is another account');
    assert.equal(disk.file.accounts.length, 2);
  });
});

describe('twenty thousand accounts', () => {
  const many = 20_000;
  const all = Array.from({ length: many }, (_, number) => {
    return account(`account ${number}`, `person.${number >> 1}@school.example`, `p${number}@home.example`);
  });

  test('are added in one write and in good time', async (t) => {
    await quickEnough(2000, 'adding', async () => {
      const { path, file } = await inFolder(t);
      const write = t.mock.method(file, 'write');
      const directory = await openBuiltinDirectory(file, path, options);
      const begun = performance.now();
      assert.deepEqual(await directory.add(all), []);
      const took = performance.now() - begun;
      assert.equal(write.mock.callCount(), 1);
      assert.equal(JSON.parse(await readFile(path, 'utf8')).accounts.length, many);
      return took;
    });
  });

  test('are opened in good time, and looked up as quickly as one', async () => {
    const disk = new Disk();
    const writer = await openBuiltinDirectory(disk, 'the accounts', options);
    await writer.add(all);
    let directory = writer;
    await quickEnough(2000, 'opening', async () => {
      const begun = performance.now();
      directory = await openBuiltinDirectory(disk, 'the accounts', options);
      return performance.now() - begun;
    });
    const mailboxes = Array.from({ length: 2_000 }, (_, number) => mailbox(`person.${number * 5}@school.example`));
    await quickEnough(300, 'two thousand look-ups', async () => {
      const begun = performance.now();
      for (const each of mailboxes) assert.equal((await directory.accountsOf(each)).length, 2);
      return performance.now() - begun;
    });
  });

  test('of one mailbox, too, can be added and changed', async () => {
    const directory = await openBuiltinDirectory(new Disk(), 'the accounts', options);
    await quickEnough(5000, 'adding to one mailbox', async () => {
      const begun = performance.now();
      const shared = all.map(({ name }) => account(`${name} ${begun}`, 'amy@school.example'));
      assert.deepEqual(await directory.add(shared), []);
      assert.equal(await directory.setState(shared[9]?.name ?? '', 'locked'), 'done');
      return performance.now() - begun;
    });
  });
});
