// The contract of Directory (src/app/ports.ts): what every directory of accounts must keep, whatever it is made of.
// Nothing here knows how a directory keeps passwords; what the port does not tell, its opener must find out.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Account,
  DependencyError,
  type Directory,
  type MailboxConfirmation,
  type NewSecondFactor,
  type PasswordChange,
  type SecondFactorAttempt,
  type SecondFactorEnrolment,
} from '../../src/app/ports.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';
import { digitsAt, wrongDigitsAt } from '../support/authenticator.ts';

/** The second factor of an app: 20 bytes, SHA-1, 6 digits, 30 seconds; no step of it was used yet. */
export interface GivenSecondFactor {
  readonly secret: Uint8Array;
  /** 16 small letters and digits each. */
  readonly recoveryCodes: readonly string[];
}

/** What an account is opened with; it is active, and has no password yet. */
export interface GivenAccount {
  readonly name: string;
  readonly description: string;
  readonly mailboxes: readonly string[];
  /** Undefined: it has none. */
  readonly secondFactor?: GivenSecondFactor;
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
const gwen = mailbox('gwen@school.example');
const factor: GivenSecondFactor = {
  secret: new Uint8Array(20).map((_, at) => 7 * at + 3),
  recoveryCodes: ['0123456789abcdef', 'k7m29qxfh3twzz8p', 'zyxwvtsrqpnmkjhg'],
};
const school = [
  account('apond', 'amy.pond@school.example', 'amy@home.example'),
  account('chess', 'amy.pond@school.example', 'rory@school.example'),
  account('rwilliams', 'rory@school.example'),
  { ...account('gcooper', 'gwen@school.example'), secondFactor: factor },
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
    describeConfirming(check);
    describeSecondFactor(check);
    describeEnrolment(check);
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
    assert.deepEqual(rest, {
      name: 'chess',
      description: 'about chess',
      state: 'active',
      hasPassword: false,
      secondFactor: 'none',
    });
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
    assert.deepEqual({ ...now, securityVersion: '' }, { ...before, hasPassword: true, securityVersion: '' });
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
      // A try whose answer was lost, and the next one with another password: "done" would be a lie.
      assert.equal(await each.setPassword({ ...change, password: 'another password' }), 'account-changed');
      assert.deepEqual(await accountOf(each, 'apond'), after);
    }
    assert.ok(await (await kept('apond')).passwordIs('a new password'));
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
    assert.ok((await accountOf(directory, 'apond')).hasPassword);
    assert.equal(await directory.revertPassword(change.accountId, change.changeId, start), 'done');
    assert.ok(await (await kept('apond')).passwordIs(undefined));
    assert.equal((await accountOf(directory, 'apond')).hasPassword, false);
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

  check('the undo of the change before wins, whether it comes first or second', async ({ directory, kept }) => {
    const first = await changeOf(directory, 'apond', 'the first password');
    await directory.setPassword(first);
    const second = await changeOf(directory, 'apond', 'the second password');
    const [, undone] = await Promise.all([
      directory.setPassword(second),
      directory.revertPassword(first.accountId, first.changeId, start + 1),
    ]);
    assert.equal(undone, 'done');
    assert.ok(await (await kept('apond')).passwordIs(undefined));
    assert.equal((await accountOf(directory, 'apond')).state, 'frozen');
  });
}

/** An attempt at the second factor of an account as it is now. */
async function attemptOf(
  directory: Directory,
  typed: string,
  at = start,
  name = 'gcooper',
  of = gwen,
): Promise<SecondFactorAttempt> {
  const { id, securityVersion } = await accountOf(directory, name, of);
  changes += 1;
  return { accountId: id, securityVersion, attemptId: changes.toString(16).padStart(32, '0'), typed, at };
}

/** What a new attempt comes to. */
async function tried(directory: Directory, typed: string, at = start): Promise<string> {
  return (await directory.verifySecondFactor(await attemptOf(directory, typed, at))).kind;
}

const digits = (at: number, secret = factor.secret) => digitsAt(secret, at);
const [recoveryCode = '', otherCode = '', thirdCode = ''] = factor.recoveryCodes;
const stepMs = 30_000;

function describeSecondFactor(check: Check): void {
  check('an account tells whether it has a second factor, and asking for it changes no version', async (under) => {
    const { directory, reopen } = under;
    const before = await accountOf(directory, 'gcooper', gwen);
    assert.equal(before.secondFactor, 'enrolled');
    assert.equal(await tried(directory, digits(start)), 'right');
    assert.equal(await tried(directory, wrongDigitsAt(factor.secret, start)), 'wrong');
    for (const each of [directory, await reopen()]) {
      assert.deepEqual(await accountOf(each, 'gcooper', gwen), before);
    }
  });

  for (const [by, kind] of [
    [-2, 'wrong'],
    [-1, 'right'],
    [0, 'right'],
    [1, 'right'],
    [2, 'wrong'],
  ] as const) {
    check(
      `digits of ${by} steps are ${kind}, from the first moment of a step to its last`,
      async ({ directory }, clock) => {
        for (const at of [start, start + 10 * stepMs - 1]) {
          clock.now = at;
          assert.equal(await tried(directory, digits(at + by * stepMs), at), kind);
        }
      },
    );
  }

  check('a step that was used is not accepted again, nor one before it', async ({ directory, reopen }) => {
    assert.equal(await tried(directory, digits(start)), 'right');
    for (const each of [directory, await reopen()]) {
      assert.equal(await tried(each, digits(start)), 'wrong');
      assert.equal(await tried(each, digits(start - stepMs)), 'wrong');
    }
    assert.equal(await tried(directory, digits(start + stepMs)), 'right');
  });

  check('the digits may have blanks in them', async ({ directory }) => {
    const typed = digits(start);
    assert.equal(await tried(directory, ` ${typed.slice(0, 3)} ${typed.slice(3)} `), 'right');
  });

  check('a recovery code is right once, in any spelling', async ({ directory, reopen }) => {
    const spelled = otherCode.toUpperCase().replace(/.{4}(?!$)/g, '$&-');
    assert.equal(await tried(directory, ` ${spelled} `), 'right');
    for (const each of [directory, await reopen()]) assert.equal(await tried(each, otherCode), 'wrong');
    assert.equal(await tried(directory, recoveryCode), 'right', 'the others go on');
    assert.equal(await tried(directory, digits(start)), 'right', 'and the app');
  });

  for (const [what, typed] of [
    ['digits', digits(start)],
    ['recovery code', recoveryCode],
  ] as const) {
    check(`of twenty attempts that race with the same ${what} exactly one is right`, async ({ directory }) => {
      const attempts = await Promise.all(Array.from({ length: 20 }, () => attemptOf(directory, typed)));
      const outcomes = await Promise.all(attempts.map((attempt) => directory.verifySecondFactor(attempt)));
      assert.equal(outcomes.filter(({ kind }) => kind === 'right').length, 1);
    });
  }

  check('the same attempt again is the same: right again, and not used up or counted again', async (under) => {
    const { directory, reopen } = under;
    const right = await attemptOf(directory, digits(start));
    const both = await Promise.all([directory.verifySecondFactor(right), directory.verifySecondFactor(right)]);
    assert.deepEqual(both, [{ kind: 'right' }, { kind: 'right' }]);
    const wrong = await attemptOf(directory, wrongDigitsAt(factor.secret, start));
    for (let times = 0; times < 110; times += 1) {
      assert.deepEqual(await directory.verifySecondFactor(wrong), { kind: 'wrong' });
    }
    assert.deepEqual(await (await reopen()).verifySecondFactor(right), { kind: 'right' });
    assert.equal(await tried(directory, recoveryCode), 'right', 'one wrong attempt is not too many');
  });

  check('after too many wrong ones nothing is looked at until the time is over', async (under, clock) => {
    const { directory, reopen } = under;
    let waitMs = 0;
    for (let number = 0; waitMs === 0; number += 1) {
      assert.ok(number < 100, 'NIST SP 800-63B-4 §3.2.2: no more than 100');
      const typed = wrongDigitsAt(factor.secret, start, number);
      const outcome = await directory.verifySecondFactor(await attemptOf(directory, typed));
      if (outcome.kind === 'too-many') waitMs = outcome.waitMs;
      else assert.equal(outcome.kind, 'wrong');
    }
    clock.now = start + waitMs - 1;
    for (const each of [directory, await reopen()]) {
      assert.equal(await tried(each, digits(clock.now), clock.now), 'too-many');
      assert.equal(await tried(each, recoveryCode, clock.now), 'too-many');
    }
    clock.now = start + waitMs;
    assert.equal(await tried(directory, digits(clock.now), clock.now), 'right');
    assert.equal(await tried(directory, recoveryCode, clock.now), 'right', 'and was not used up before');
  });

  check('of wrong ones that race no more are looked at than of those that come one by one', async ({ directory }) => {
    const all = Array.from({ length: 110 }, (_, number) =>
      attemptOf(directory, wrongDigitsAt(factor.secret, start, number)),
    );
    const outcomes = await Promise.all((await Promise.all(all)).map((each) => directory.verifySecondFactor(each)));
    const looked = outcomes.filter(({ kind }) => kind === 'wrong').length;
    assert.ok(looked > 0 && looked <= 100, String(looked));
    assert.equal(await tried(directory, digits(start)), 'too-many');
  });

  check('an account that changed since, or has no second factor, is told apart', async (under) => {
    const { directory, setState, remove } = under;
    const right = await attemptOf(directory, digits(start));
    const changed = { kind: 'account-changed' };
    for (const wrong of [{ securityVersion: '4711' }, { accountId: right.accountId.replace(/./g, '0') }]) {
      assert.deepEqual(await directory.verifySecondFactor({ ...right, ...wrong }), changed);
    }
    const none = await attemptOf(directory, digits(start), start, 'apond', amy);
    assert.deepEqual(await directory.verifySecondFactor(none), changed);
    await setState('gcooper', 'locked');
    const locked = await attemptOf(directory, digits(start));
    for (const attempt of [right, locked]) assert.deepEqual(await directory.verifySecondFactor(attempt), changed);
    await setState('gcooper', 'active');
    assert.deepEqual(await directory.verifySecondFactor(right), changed);
    assert.equal(await tried(directory, digits(start)), 'right');
    const late = await attemptOf(directory, recoveryCode);
    await remove('gcooper');
    assert.deepEqual(await directory.verifySecondFactor(late), changed);
  });

  check('a new password keeps it, and its undo too: what was used stays used', async ({ directory, setState }) => {
    assert.equal(await tried(directory, recoveryCode), 'right');
    const change = await changeOf(directory, 'gcooper', 'a new password', { mailbox: gwen });
    assert.equal(await directory.setPassword(change), 'done');
    assert.equal((await accountOf(directory, 'gcooper', gwen)).secondFactor, 'enrolled');
    assert.equal(await tried(directory, otherCode), 'right');
    assert.equal(await tried(directory, digits(start)), 'right');
    assert.equal(await directory.revertPassword(change.accountId, change.changeId, start + 1), 'done');
    assert.equal((await accountOf(directory, 'gcooper', gwen)).secondFactor, 'enrolled');
    await setState('gcooper', 'active');
    for (const typed of [recoveryCode, otherCode, digits(start)]) assert.equal(await tried(directory, typed), 'wrong');
    assert.equal(await tried(directory, thirdCode), 'right');
  });
}

function describeEnrolment(check: Check): void {
  const newFactor = {
    secret: new Uint8Array(20).fill(5),
    recoveryCodes: ['fedcba9876543210', '7777777777777777'],
  };
  const checkEnrolling = (
    title: string,
    run: (under: DirectoryUnderTest & { readonly enrolment: SecondFactorEnrolment }) => Promise<void>,
  ) =>
    check(title, async (under) => {
      const { enrolment } = under.directory;
      if (enrolment !== undefined) await run({ ...under, enrolment });
    });
  const enrolmentOf = async (directory: Directory, name: string, of: Mailbox): Promise<NewSecondFactor> => {
    const { id, securityVersion } = await accountOf(directory, name, of);
    return { ...newFactor, accountId: id, securityVersion, step: start / stepMs, at: start };
  };
  const ofApond = async (directory: Directory, typed: string) =>
    (await directory.verifySecondFactor(await attemptOf(directory, typed, start, 'apond', amy))).kind;

  checkEnrolling('a second factor is enrolled, its first step used up, the version the same', async (under) => {
    const { directory, enrolment, reopen } = under;
    const before = await accountOf(directory, 'apond');
    assert.equal(await enrolment.enrol(await enrolmentOf(directory, 'apond', amy)), 'done');
    for (const each of [directory, await reopen()]) {
      assert.deepEqual(await accountOf(each, 'apond'), { ...before, secondFactor: 'enrolled' });
      assert.equal(await ofApond(each, digits(start, newFactor.secret)), 'wrong');
    }
    assert.equal(await ofApond(directory, digits(start + stepMs, newFactor.secret)), 'right');
    assert.equal(await ofApond(directory, '7777-7777-7777-7777'), 'right');
    assert.equal((await accountOf(directory, 'chess')).secondFactor, 'none');
  });

  checkEnrolling('the same again is done, and gives nothing back that was used', async ({ directory, enrolment }) => {
    const enrolled = await enrolmentOf(directory, 'apond', amy);
    assert.deepEqual(await Promise.all([enrolment.enrol(enrolled), enrolment.enrol(enrolled)]), ['done', 'done']);
    assert.equal(await ofApond(directory, '7777777777777777'), 'right');
    assert.equal(await enrolment.enrol(enrolled), 'done');
    assert.equal(await ofApond(directory, '7777777777777777'), 'wrong');
  });

  checkEnrolling('another one takes the place of the one there is', async ({ directory, enrolment }) => {
    assert.equal(await enrolment.enrol(await enrolmentOf(directory, 'gcooper', gwen)), 'done');
    for (const typed of [digits(start), recoveryCode]) assert.equal(await tried(directory, typed), 'wrong');
    assert.equal(await tried(directory, digits(start + stepMs, newFactor.secret)), 'right');
  });

  checkEnrolling('none is enrolled for an account that changed since', async (under) => {
    const { directory, enrolment, setState } = under;
    const old = await enrolmentOf(directory, 'apond', amy);
    assert.equal(await enrolment.enrol({ ...old, securityVersion: '4711' }), 'account-changed');
    await setState('apond', 'frozen');
    const frozen = await enrolmentOf(directory, 'apond', amy);
    for (const each of [old, frozen]) assert.equal(await enrolment.enrol(each), 'account-changed');
    assert.equal((await accountOf(directory, 'apond')).secondFactor, 'none');
  });

  checkEnrolling('the undo takes back what was enrolled since the password that it brings back', async (under) => {
    const { directory, enrolment, reopen } = under;
    const first = await changeOf(directory, 'apond', 'the first password of a thief');
    await directory.setPassword(first);
    await enrolment.enrol(await enrolmentOf(directory, 'apond', amy));
    const second = await changeOf(directory, 'apond', 'the second password of a thief');
    await directory.setPassword(second);
    assert.equal(await directory.revertPassword(second.accountId, second.changeId, start + 1), 'done');
    for (const each of [directory, await reopen()]) {
      assert.equal((await accountOf(each, 'apond')).secondFactor, 'none');
    }
  });

  checkEnrolling('and gives back the one that was there, with all that was used of it', async (under) => {
    const { directory, enrolment, setState } = under;
    assert.equal(await tried(directory, recoveryCode), 'right');
    const change = await changeOf(directory, 'gcooper', 'a new password', { mailbox: gwen });
    await directory.setPassword(change);
    assert.equal(await tried(directory, otherCode), 'right');
    await enrolment.enrol(await enrolmentOf(directory, 'gcooper', gwen));
    assert.equal(await directory.revertPassword(change.accountId, change.changeId, start + 1), 'done');
    await setState('gcooper', 'active');
    for (const typed of [recoveryCode, otherCode, '7777777777777777']) {
      assert.equal(await tried(directory, typed), 'wrong');
    }
    assert.equal(await tried(directory, digits(start + stepMs, newFactor.secret)), 'wrong');
    assert.equal(await tried(directory, thirdCode), 'right');
  });

  checkEnrolling(
    'one that was enrolled before the change stays when it is undone',
    async ({ directory, enrolment }) => {
      await enrolment.enrol(await enrolmentOf(directory, 'apond', amy));
      const change = await changeOf(directory, 'apond', 'a new password');
      await directory.setPassword(change);
      assert.equal(await directory.revertPassword(change.accountId, change.changeId, start + 1), 'done');
      assert.equal((await accountOf(directory, 'apond')).secondFactor, 'enrolled');
    },
  );
}

let confirmations = 0;

function confirmationOf(of: Mailbox, at = start): MailboxConfirmation {
  confirmations += 1;
  return { mailbox: of, changeId: confirmations.toString(16).padStart(32, 'c'), at };
}

function describeConfirming(check: Check): void {
  check('a mailbox is confirmed, and nothing else changes', async ({ directory, reopen, kept }) => {
    const before = [await directory.accountsOf(amy), await directory.accountsOf(rory)];
    const change = await changeOf(directory, 'apond', 'a new password');
    assert.equal(await directory.confirmMailbox(confirmationOf(amy)), 'done');
    for (const each of [directory, await reopen()]) {
      assert.deepEqual([await each.accountsOf(amy), await each.accountsOf(rory)], before);
    }
    const { passwordIs, sessionsEndedAt, passwordChangedAt } = await kept('apond');
    assert.deepEqual([await passwordIs(undefined), sessionsEndedAt, passwordChangedAt], [true, null, null]);
    assert.equal(await directory.setPassword(change), 'done', 'whoever chose an account before may go on');
  });

  check('the same confirmation again is done, and so is another one', async ({ directory, reopen }) => {
    const confirmation = confirmationOf(amy);
    const twice = [directory.confirmMailbox(confirmation), directory.confirmMailbox(confirmation)];
    assert.deepEqual(await Promise.all(twice), ['done', 'done']);
    for (const each of [directory, await reopen()]) {
      assert.equal(await each.confirmMailbox(confirmation), 'done');
      assert.equal(await each.confirmMailbox(confirmationOf(amy, start + hourMs)), 'done');
    }
  });

  check('a mailbox that no account uses is not confirmed', async ({ directory, remove, takeMailbox }) => {
    for (const address of ['nobody@school.example', 'Amy.Pond@school.example', 'amy.pond@mail.school.example']) {
      assert.equal(await directory.confirmMailbox(confirmationOf(mailbox(address))), 'no-account', address);
    }
    for (const name of ['rwilliams', 'chess']) await remove(name);
    assert.equal(await directory.confirmMailbox(confirmationOf(rory)), 'no-account', 'nor one that none uses any more');
    const home = mailbox('amy@home.example');
    assert.equal(await directory.confirmMailbox(confirmationOf(home)), 'done');
    const later = await takeMailbox('apond', home);
    assert.equal(await later.confirmMailbox(confirmationOf(home)), 'no-account');
  });

  check('a locked account is as proved as any, and stays locked', async ({ directory, setState, remove }) => {
    await remove('chess');
    for (const state of ['locked', 'frozen'] as const) {
      await setState('rwilliams', state);
      assert.equal(await directory.confirmMailbox(confirmationOf(rory)), 'done');
      assert.equal((await accountOf(directory, 'rwilliams', rory)).state, state);
    }
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
    const confirmation = confirmationOf(amy);
    failWrites(true);
    await assert.rejects(directory.setPassword(change), isNotWritten);
    await assert.rejects(directory.confirmMailbox(confirmation), isNotWritten);
    await assert.rejects(directory.revertPassword(done.accountId, done.changeId, start + 1), isNotWritten);
    for (const each of [directory, await reopen()]) {
      assert.deepEqual([await accountOf(each, 'apond'), await accountOf(each, 'chess')], before);
    }
    failWrites(false);
    assert.equal(await directory.confirmMailbox(confirmation), 'done');
    assert.equal(await directory.setPassword(change), 'done', 'the same change, and not as its repetition');
    assert.ok(await (await kept('apond')).passwordIs('a new password'));
    assert.equal(await directory.revertPassword(done.accountId, done.changeId, start + 1), 'done');
  });

  checkFailing('an attempt that cannot be counted is an error, and is neither used up nor counted', async (under) => {
    const { directory, failWrites, reopen } = under;
    const right = await attemptOf(directory, digits(start));
    failWrites(true);
    await assert.rejects(directory.verifySecondFactor(right), isNotWritten);
    for (let number = 0; number < 110; number += 1) {
      const wrong = await attemptOf(directory, wrongDigitsAt(factor.secret, start, number));
      await assert.rejects(directory.verifySecondFactor(wrong), isNotWritten);
    }
    failWrites(false);
    assert.deepEqual(await directory.verifySecondFactor(right), { kind: 'right' });
    assert.equal(await tried(await reopen(), digits(start)), 'wrong');
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
