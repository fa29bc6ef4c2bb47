// The contract of Directory (src/app/ports.ts): what every directory of accounts must keep, whatever it is made of.
// Nothing here knows how a directory keeps passwords; what the port does not tell, its opener must find out.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Account, DependencyError, type Directory, type PasswordChange } from '../../src/app/ports.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';

/** What an account is opened with; it is active, and has no password yet. */
export interface GivenAccount {
  readonly name: string;
  readonly description: string;
  readonly mailboxes: readonly string[];
}

/** How a directory is to be opened: its clock, and the domains that ignore case. */
export interface DirectorySetting {
  readonly now: () => number;
  readonly ignoreCaseDomains: readonly string[];
}

/** What is kept of an account, beside what the port tells. */
export interface KeptAccount {
  /** Whether it is the password in force; `undefined` asks whether there is none. */
  passwordIs(password: string | undefined): Promise<boolean>;
  readonly passwordChangedAt: number | null;
  readonly sessionsEndedAt: number | null;
  readonly addressFrozenUntil: number | null;
}

/** A directory that is open, and what a test may do to it. */
export interface DirectoryUnderTest {
  readonly directory: Directory;
  /** Opens anew what is kept at this very moment, as after a crash: the first directory is not closed for it. */
  reopen(): Promise<Directory>;
  /** What is kept for good. */
  kept(name: string): Promise<KeptAccount>;
  /** As an administrator. */
  setState(name: string, state: Account['state']): Promise<void>;
  remove(name: string): Promise<void>;
  /** Takes a mailbox from an account; gives the directory to go on with. */
  takeMailbox(name: string, mailbox: Mailbox): Promise<Directory>;
  /** Makes every write fail from now on, or none. */
  failWrites?(on: boolean): void;
  close(): Promise<void>;
}

const hourMs = 3_600_000;
const start = Date.UTC(2026, 0, 15, 9, 30);
const undoMs = 72 * hourMs;

/** A checked mailbox. */
export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed, text);
  return parsed;
}

const amy = mailbox('amy.pond@school.example');
const rory = mailbox('rory@school.example');
const account = (name: string, ...mailboxes: string[]): GivenAccount => {
  return { name, description: `about ${name}`, mailboxes };
};
const school = [
  account('apond', 'amy.pond@school.example', 'amy@home.example'),
  account('chess', 'amy.pond@school.example', 'rory@school.example'),
  account('rwilliams', 'rory@school.example'),
];

/** The account with a name among those of a mailbox. */
async function accountOf(directory: Directory, name: string, of: Mailbox = amy): Promise<Account> {
  const found = (await directory.accountsOf(of)).find((each) => each.name === name);
  assert.ok(found, name);
  return found;
}

const namesOf = async (directory: Directory, of: Mailbox) => (await directory.accountsOf(of)).map(({ name }) => name);

let changes = 0;

/** A change of the account as it is now. */
async function changeOf(
  directory: Directory,
  name: string,
  password: string,
  more: Partial<PasswordChange> = {},
): Promise<PasswordChange> {
  const of = more.mailbox ?? amy;
  const { id, securityVersion } = await accountOf(directory, name, of);
  changes += 1;
  const at = more.at ?? start;
  return {
    accountId: id,
    securityVersion,
    mailbox: of,
    password,
    changeId: changes.toString(16).padStart(32, '0'),
    at,
    undoUntil: at + undoMs,
    addressFrozenUntil: at + 7 * 24 * hourMs,
    ...more,
  };
}

type Check = (title: string, run: (under: DirectoryUnderTest, clock: { now: number }) => Promise<void>) => void;

/** Runs the contract. @param open a new directory with these accounts and no others, for one test */
export function describeDirectory(
  name: string,
  open: (accounts: readonly GivenAccount[], setting: DirectorySetting) => Promise<DirectoryUnderTest>,
): void {
  const check: Check = (title, run) =>
    test(title, async () => {
      const clock = { now: start };
      const under = await open(school, { now: () => clock.now, ignoreCaseDomains: [] });
      try {
        await run(under, clock);
      } finally {
        under.failWrites?.(false);
        await under.close();
      }
    });
  describe(`directory: ${name}`, { concurrency: true }, () => {
    describeAddresses(open);
    describeAccounts(check);
    describeSetting(check);
    describeReverting(check);
    describeFailures(check);
  });
}

function describeAddresses(open: Parameters<typeof describeDirectory>[1]): void {
  const accounts = [
    account('apond', 'amy.pond@School.Example'),
    account('chess', 'amy.pond@school.example', 'club@school.example'),
    account('upper', 'Amy.Pond@school.example'),
    account('twice', 'jo@company.example', 'Jo@company.example'),
    account('grant', 'JO@Company.example'),
    account('kelvin', 'k@company.example'),
    account('nobody'),
  ];
  const cases: readonly [address: string, exact: readonly string[], ignoring?: readonly string[]][] = [
    ['amy.pond@school.example', ['apond', 'chess']],
    ['amy.pond@SCHOOL.EXAMPLE', ['apond', 'chess']],
    ['Amy.Pond@school.example', ['upper']],
    ['AMY.POND@school.example', []],
    ['amypond@school.example', []],
    ['amy.pond+x@school.example', []],
    ['amy.pond@mail.school.example', []],
    ['club@school.example', ['chess']],
    ['__proto__@school.example', []],
    ['jo@company.example', ['twice'], ['twice', 'grant']],
    ['JO@COMPANY.example', ['grant'], ['twice', 'grant']],
    ['jO@company.example', [], ['twice', 'grant']],
    ['jo@mail.company.example', []],
    ['K@company.example', [], ['kelvin']],
  ];
  for (const [title, ignoreCaseDomains] of [
    ['as written', []],
    ['as written, but in any case where its domain ignores case', ['Company.Example']],
  ] as const) {
    test(`the domain counts in any case, the local part ${title}`, async () => {
      const under = await open(accounts, { now: () => start, ignoreCaseDomains });
      try {
        for (const directory of [under.directory, await under.reopen()]) {
          for (const [address, exact, ignoring = exact] of cases) {
            const names = await namesOf(directory, mailbox(address));
            assert.deepEqual(names, ignoreCaseDomains.length === 0 ? exact : ignoring, address);
          }
        }
        if (ignoreCaseDomains.length === 0) return;
        const change = await changeOf(under.directory, 'grant', 'a new password', {
          mailbox: mailbox('jO@company.example'),
        });
        assert.equal(await under.directory.setPassword(change), 'done');
      } finally {
        await under.close();
      }
    });
  }

  test('without accounts nobody has one', async () => {
    const under = await open([], { now: () => start, ignoreCaseDomains: [] });
    assert.deepEqual(await under.directory.accountsOf(amy), []);
    await under.close();
  });
}

function describeAccounts(check: Check): void {
  check('a mailbox may have several accounts, and an account several mailboxes', async ({ directory, reopen }) => {
    for (const each of [directory, await reopen()]) {
      assert.deepEqual(await namesOf(each, amy), ['apond', 'chess']);
      assert.deepEqual(await namesOf(each, rory), ['chess', 'rwilliams']);
      assert.deepEqual(await namesOf(each, mailbox('amy@home.example')), ['apond']);
    }
  });

  check('an account tells what pages need, and none of its other mailboxes', async ({ directory, reopen }) => {
    const told = await accountOf(directory, 'chess');
    const { id, securityVersion, ...rest } = told;
    assert.deepEqual(rest, { name: 'chess', description: 'about chess', state: 'active' });
    assert.ok(id.length > 0 && securityVersion.length > 0);
    assert.deepEqual(await accountOf(directory, 'chess', rory), told, 'the same by either mailbox');
    assert.deepEqual(await accountOf(await reopen(), 'chess'), told, 'and after a restart');
  });

  check('each account has an id of its own', async ({ directory }) => {
    const found = [...(await directory.accountsOf(amy)), ...(await directory.accountsOf(rory))];
    assert.equal(new Set(found.map(({ id }) => id)).size, 3);
  });

  check('another state is another version', async ({ directory, setState, reopen }) => {
    const versions = new Set([(await accountOf(directory, 'apond')).securityVersion]);
    for (const state of ['locked', 'frozen', 'active'] as const) {
      await setState('apond', state);
      const told = await accountOf(directory, 'apond');
      assert.equal(told.state, state);
      assert.deepEqual(await accountOf(await reopen(), 'apond'), told);
      versions.add(told.securityVersion);
    }
    assert.equal(versions.size, 4);
  });
}

function describeSetting(check: Check): void {
  check('a password is set, sessions end, and all of it is kept', async ({ directory, reopen, kept }) => {
    const before = await accountOf(directory, 'apond');
    assert.ok(await (await kept('apond')).passwordIs(undefined));
    const change = await changeOf(directory, 'apond', 'pässwörd with blanks 🔑');
    assert.equal(await directory.setPassword(change), 'done');
    const after = await kept('apond');
    assert.ok(await after.passwordIs(change.password));
    for (const other of ['', 'passwörd with blanks 🔑', undefined]) assert.ok(!(await after.passwordIs(other)));
    const { passwordChangedAt, sessionsEndedAt, addressFrozenUntil } = after;
    assert.deepEqual(
      [passwordChangedAt, sessionsEndedAt, addressFrozenUntil],
      [start, start, change.addressFrozenUntil],
    );
    const now = await accountOf(directory, 'apond');
    assert.notEqual(now.securityVersion, before.securityVersion);
    assert.deepEqual({ ...now, securityVersion: '' }, { ...before, securityVersion: '' });
    assert.deepEqual(await accountOf(await reopen(), 'apond'), now);
  });

  check('other accounts of the mailbox stay as they are', async ({ directory, kept }) => {
    const before = await accountOf(directory, 'chess');
    await directory.setPassword(await changeOf(directory, 'apond', 'a new password'));
    assert.deepEqual(await accountOf(directory, 'chess'), before);
    assert.ok(await (await kept('chess')).passwordIs(undefined));
    assert.equal((await kept('chess')).sessionsEndedAt, null);
    assert.deepEqual(await namesOf(directory, amy), ['apond', 'chess'], 'in the same order');
  });

  check('of twenty changes to one version exactly one is done', async ({ directory, kept }) => {
    const all: PasswordChange[] = [];
    for (let number = 0; number < 20; number += 1) all.push(await changeOf(directory, 'apond', `password ${number}`));
    const outcomes = await Promise.all(all.map((change) => directory.setPassword(change)));
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 1);
    assert.equal(outcomes.filter((outcome) => outcome === 'account-changed').length, 19);
    const winner = all[outcomes.indexOf('done')];
    assert.ok(winner);
    assert.ok(await (await kept('apond')).passwordIs(winner.password));
  });

  check('changes to several accounts at once are all done', async ({ directory, kept }) => {
    const all = [
      await changeOf(directory, 'apond', 'password one'),
      await changeOf(directory, 'chess', 'password two'),
      await changeOf(directory, 'rwilliams', 'password three', { mailbox: rory }),
    ];
    const outcomes = await Promise.all(all.map((change) => directory.setPassword(change)));
    assert.deepEqual(outcomes, ['done', 'done', 'done']);
    assert.ok(await (await kept('rwilliams')).passwordIs('password three'));
  });

  check('the same change again is done, once', async ({ directory, reopen, kept }) => {
    const change = await changeOf(directory, 'apond', 'a new password');
    const outcomes = await Promise.all([directory.setPassword(change), directory.setPassword(change)]);
    assert.deepEqual(outcomes, ['done', 'done']);
    const after = await accountOf(directory, 'apond');
    for (const each of [directory, await reopen()]) {
      assert.equal(await each.setPassword({ ...change, at: start + hourMs }), 'done');
      assert.deepEqual(await accountOf(each, 'apond'), after);
    }
    assert.equal((await kept('apond')).sessionsEndedAt, start);
    assert.equal(await directory.revertPassword(change.accountId, change.changeId, start + 1), 'done');
    assert.ok(await (await kept('apond')).passwordIs(undefined), 'the one before is not the new one itself');
    assert.equal(await directory.setPassword(change), 'account-changed', 'and not after it was undone');
  });

  check('the same change again is not done when another one came after it', async ({ directory, kept }) => {
    const first = await changeOf(directory, 'apond', 'the first password');
    await directory.setPassword(first);
    await directory.setPassword(await changeOf(directory, 'apond', 'the second password'));
    assert.equal(await directory.setPassword(first), 'account-changed');
    assert.ok(await (await kept('apond')).passwordIs('the second password'));
  });

  const refused: readonly [title: string, change: (right: PasswordChange) => Partial<PasswordChange>][] = [
    ['of a version that never was', () => ({ securityVersion: '4711' })],
    ['of a version in another spelling', ({ securityVersion }) => ({ securityVersion: `0${securityVersion}` })],
    ['of an account that is not there', ({ accountId }) => ({ accountId: accountId.replace(/./g, '0') })],
    ['of an account named by its name', () => ({ accountId: 'apond' })],
    ['for a mailbox of another account', () => ({ mailbox: rory })],
    ['for a mailbox in another case', () => ({ mailbox: mailbox('Amy.Pond@school.example') })],
  ];
  for (const [title, wrong] of refused) {
    check(`a change ${title} is refused, and changes nothing`, async ({ directory, kept }) => {
      const before = await accountOf(directory, 'apond');
      const right = await changeOf(directory, 'apond', 'a new password');
      assert.equal(await directory.setPassword({ ...right, ...wrong(right) }), 'account-changed');
      assert.deepEqual(await accountOf(directory, 'apond'), before);
      const { passwordIs, sessionsEndedAt } = await kept('apond');
      assert.deepEqual([await passwordIs(undefined), sessionsEndedAt], [true, null]);
    });
  }

  for (const state of ['locked', 'frozen'] as const) {
    check(`an account that is ${state} takes no password, also not one chosen before`, async (under) => {
      const { directory, setState, kept } = under;
      const early = await changeOf(directory, 'apond', 'a new password');
      await setState('apond', state);
      const late = await changeOf(directory, 'apond', 'a new password');
      for (const change of [early, late]) assert.equal(await directory.setPassword(change), 'account-changed');
      await setState('apond', 'active');
      for (const change of [early, late]) assert.equal(await directory.setPassword(change), 'account-changed');
      assert.ok(await (await kept('apond')).passwordIs(undefined));
      assert.equal(await directory.setPassword(await changeOf(directory, 'apond', 'a new password')), 'done');
    });
  }

  check('a mailbox that was taken away meanwhile sets no password', async ({ directory, takeMailbox, kept }) => {
    const change = await changeOf(directory, 'chess', 'a new password');
    const later = await takeMailbox('chess', amy);
    assert.equal(await later.setPassword(change), 'account-changed');
    const { securityVersion } = await accountOf(later, 'chess', rory);
    assert.equal(await later.setPassword({ ...change, securityVersion }), 'account-changed');
    assert.ok(await (await kept('chess')).passwordIs(undefined));
    assert.equal(await later.setPassword({ ...change, securityVersion, mailbox: rory }), 'done');
  });

  check('an account that was removed meanwhile sets no password', async ({ directory, remove }) => {
    const change = await changeOf(directory, 'apond', 'a new password');
    await directory.setPassword(change);
    await remove('apond');
    assert.deepEqual(await namesOf(directory, amy), ['chess']);
    assert.equal(await directory.setPassword(change), 'account-changed');
    assert.equal(await directory.revertPassword(change.accountId, change.changeId, start), 'too-late');
  });
}

function describeReverting(check: Check): void {
  check('the password of before comes back, sessions end, the account is frozen', async (under, clock) => {
    const { directory, reopen, kept } = under;
    // By the time of the bad one the good one cannot be undone any more: it is the owner's own.
    const undoUntil = start + hourMs;
    await directory.setPassword(await changeOf(directory, 'apond', 'the good password', { undoUntil }));
    clock.now = start + hourMs;
    const bad = await changeOf(directory, 'apond', 'the bad password', { at: clock.now });
    await directory.setPassword(bad);
    const before = await accountOf(directory, 'apond');
    clock.now = start + 2 * hourMs;
    assert.equal(await directory.revertPassword(bad.accountId, bad.changeId, clock.now), 'done');
    const { passwordIs, sessionsEndedAt } = await kept('apond');
    assert.deepEqual([await passwordIs('the good password'), await passwordIs('the bad password')], [true, false]);
    assert.equal(sessionsEndedAt, clock.now);
    const after = await accountOf(directory, 'apond');
    assert.equal(after.state, 'frozen');
    assert.notEqual(after.securityVersion, before.securityVersion);
    assert.deepEqual(await accountOf(await reopen(), 'apond'), after);
    const next = await changeOf(directory, 'apond', 'another password');
    assert.equal(await directory.setPassword(next), 'account-changed', 'until an administrator looked');
  });

  check('where there was no password before, there is none again', async ({ directory, kept }) => {
    const change = await changeOf(directory, 'apond', 'a new password');
    await directory.setPassword(change);
    assert.equal(await directory.revertPassword(change.accountId, change.changeId, start), 'done');
    assert.ok(await (await kept('apond')).passwordIs(undefined));
  });

  check('of two undos at once one is done, and a later one is too late', async ({ directory, reopen }) => {
    const { accountId, changeId, ...rest } = await changeOf(directory, 'apond', 'a new password');
    await directory.setPassword({ accountId, changeId, ...rest });
    const undo = (where: Directory) => where.revertPassword(accountId, changeId, start + 1);
    assert.deepEqual((await Promise.all([undo(directory), undo(directory)])).toSorted(), ['done', 'too-late']);
    const after = await accountOf(directory, 'apond');
    for (const each of [directory, await reopen()]) {
      assert.equal(await undo(each), 'too-late');
      assert.deepEqual(await accountOf(each, 'apond'), after);
    }
  });

  check('an undo is possible until its time is over, and not at it', async (under, clock) => {
    const { directory, kept } = under;
    const last = await changeOf(directory, 'apond', 'a new password');
    const late = await changeOf(directory, 'chess', 'a new password');
    for (const change of [last, late]) await directory.setPassword(change);
    clock.now = start + undoMs - 1;
    assert.equal(await directory.revertPassword(last.accountId, last.changeId, clock.now), 'done');
    clock.now += 1;
    assert.equal(await directory.revertPassword(late.accountId, late.changeId, clock.now), 'too-late');
    assert.ok(await (await kept('chess')).passwordIs('a new password'));
    assert.equal((await accountOf(directory, 'chess')).state, 'active');
  });

  check('of two changes either brings back what was before both', async ({ directory, kept }) => {
    const first = await changeOf(directory, 'apond', 'the first password');
    await directory.setPassword(first);
    const second = await changeOf(directory, 'apond', 'the second password');
    await directory.setPassword(second);
    assert.ok(await (await kept('apond')).passwordIs('the second password'));
    assert.equal(await directory.revertPassword(second.accountId, second.changeId, start + 1), 'done');
    assert.ok(!(await (await kept('apond')).passwordIs('the first password')));
    assert.ok(!(await (await kept('apond')).passwordIs('the second password')));
    assert.equal(await directory.revertPassword(first.accountId, first.changeId, start + 2), 'too-late');
  });

  check('an undo is of one change of one account', async ({ directory, kept }) => {
    const one = await changeOf(directory, 'apond', 'a new password');
    const other = await changeOf(directory, 'chess', 'a new password');
    for (const change of [one, other]) await directory.setPassword(change);
    for (const [id, changeId] of [
      [one.accountId, other.changeId],
      [one.accountId, 'f'.repeat(32)],
      ['f'.repeat(32), one.changeId],
    ] as const) {
      assert.equal(await directory.revertPassword(id, changeId, start + 1), 'too-late');
    }
    assert.ok(await (await kept('apond')).passwordIs('a new password'));
  });

  check('what an administrator locked stays locked', async ({ directory, setState, kept }) => {
    const change = await changeOf(directory, 'apond', 'a new password');
    await directory.setPassword(change);
    await setState('apond', 'locked');
    assert.equal(await directory.revertPassword(change.accountId, change.changeId, start + 1), 'done');
    assert.equal((await accountOf(directory, 'apond')).state, 'locked');
    assert.ok(await (await kept('apond')).passwordIs(undefined));
  });

  check('a change and the undo of the one before: one of them is done', async ({ directory, kept }) => {
    const first = await changeOf(directory, 'apond', 'the first password');
    await directory.setPassword(first);
    const second = await changeOf(directory, 'apond', 'the second password');
    const outcomes = await Promise.all([
      directory.setPassword(second),
      directory.revertPassword(first.accountId, first.changeId, start + 1),
    ]);
    assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 1);
    const { passwordIs } = await kept('apond');
    assert.ok(await passwordIs(outcomes[0] === 'done' ? 'the second password' : undefined));
  });
}

function describeFailures(check: Check): void {
  const checkFailing = (title: string, run: (under: Required<DirectoryUnderTest>) => Promise<void>) =>
    check(title, async (under) => {
      const { failWrites } = under;
      if (failWrites !== undefined) await run({ ...under, failWrites });
    });
  const isNotWritten = (error: unknown) => {
    assert.ok(error instanceof DependencyError);
    assert.equal(error.dependency, 'directory');
    assert.doesNotMatch(error.message, /@|password|argon2/i);
    return true;
  };

  checkFailing('a change that cannot be kept is an error and changes nothing', async (under) => {
    const { directory, failWrites, reopen, kept } = under;
    const done = await changeOf(directory, 'chess', 'the old password');
    await directory.setPassword(done);
    const before = [await accountOf(directory, 'apond'), await accountOf(directory, 'chess')];
    const change = await changeOf(directory, 'apond', 'a new password');
    failWrites(true);
    await assert.rejects(directory.setPassword(change), isNotWritten);
    await assert.rejects(directory.revertPassword(done.accountId, done.changeId, start + 1), isNotWritten);
    for (const each of [directory, await reopen()]) {
      assert.deepEqual([await accountOf(each, 'apond'), await accountOf(each, 'chess')], before);
    }
    failWrites(false);
    assert.equal(await directory.setPassword(change), 'done', 'the same change, and not as its repetition');
    assert.ok(await (await kept('apond')).passwordIs('a new password'));
    assert.equal(await directory.revertPassword(done.accountId, done.changeId, start + 1), 'done');
  });

  checkFailing('whoever raced with a change that failed is told no lie', async ({ directory, failWrites, reopen }) => {
    const before = await accountOf(directory, 'apond');
    const one = await changeOf(directory, 'apond', 'one password');
    const other = await changeOf(directory, 'apond', 'another password');
    failWrites(true);
    const outcomes = await Promise.allSettled([directory.setPassword(one), directory.setPassword(other)]);
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected');
      isNotWritten(outcome.reason);
    }
    for (const each of [directory, await reopen()]) assert.deepEqual(await accountOf(each, 'apond'), before);
  });
}
