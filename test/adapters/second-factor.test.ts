// Second factors of the built-in directory beside its contract: the library under the tables of the standard, how the
// secret is sealed and what happens when it cannot be opened, the limits to the number, and what stands in the file.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountFile } from '../../src/adapters/accounts/account-record.ts';
import { type BuiltinDirectoryOptions, openBuiltinDirectory } from '../../src/adapters/accounts/builtin-directory.ts';
import { oneTimePasswords } from '../../src/adapters/accounts/one-time-passwords.ts';
import { createSealer } from '../../src/adapters/system/sealer.ts';
import { DependencyError } from '../../src/app/ports.ts';
import { mailbox } from '../contract/directory.ts';
import { digitsAt, directoryOptions, readKey, wrongDigitsAt } from '../support/authenticator.ts';
import { CopyingMemory } from '../support/disks.ts';
import { ringOf } from '../support/keyring.ts';

const start = Date.UTC(2026, 0, 15, 9, 30);
const minuteMs = 60_000;
const amy = mailbox('amy@school.example');
const secret = new Uint8Array(20).map((_, at) => 11 * at + 1);
const recoveryCodes = ['0123456789abcdef', 'k7m29qxfh3twzz8p'];

// RFC 6238 appendix B, SHA-1, of whose 8 digits the last 6 count; the secret is "12345678901234567890".
const appendixB: readonly [seconds: number, digits: string][] = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
];
for (const [seconds, digits] of appendixB) {
  test(`RFC 6238 appendix B: ${seconds} s`, () => {
    const key = new TextEncoder().encode('12345678901234567890');
    const step = Math.floor(seconds / 30);
    assert.equal(oneTimePasswords.stepOf(key, digits, seconds * 1000), step);
    assert.equal(digitsAt(key, seconds * 1000), digits, 'the app of the tests shows the same');
    for (const [by, found] of [
      [-60, undefined],
      [-30, step],
      [30, step],
      [60, undefined],
    ] as const) {
      assert.equal(oneTimePasswords.stepOf(key, digits, (seconds + by) * 1000), found, `${by} s`);
    }
  });
}

test('what is no 6 digits is nobody’s', () => {
  const digits = digitsAt(secret, start);
  for (const typed of ['', digits.slice(1), `${digits}0`, ` ${digits}`, '１２３４５６', 'éééééé', '-12345', '1e5000']) {
    assert.equal(oneTimePasswords.stepOf(secret, typed, start), undefined, typed);
  }
});

describe('what an app is told', () => {
  test('is a URI that names site and account, and the secret as letters', () => {
    const { uri, letters } = oneTimePasswords.describe(secret, 'Example School', 'amy pond');
    assert.deepEqual(readKey(letters), secret);
    const { protocol, host, pathname, searchParams } = new URL(uri);
    assert.deepEqual([protocol, host], ['otpauth:', 'totp']);
    assert.equal(decodeURIComponent(pathname), '/Example School:amy pond');
    assert.deepEqual(Object.fromEntries(searchParams), {
      issuer: 'Example School',
      secret: letters,
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
  });

  test('stays short and unambiguous, whatever site and account are called', () => {
    const { uri } = oneTimePasswords.describe(secret, `a:b${'🔑'.repeat(200)}`, `c:d&secret=x${'🔑'.repeat(200)}`);
    assert.ok(uri.length < 1800, String(uri.length));
    const { pathname, searchParams } = new URL(uri);
    assert.equal(decodeURIComponent(pathname).split(':').length, 2);
    assert.deepEqual(searchParams.getAll('secret').length, 1);
  });
});

describe('sealing', () => {
  const sealer = createSealer(ringOf(new Uint8Array(32).fill(1)));

  test('is undone with the same key for the same one, and looks different each time', () => {
    const sealed = sealer.seal(secret, 'amy');
    assert.deepEqual(new Uint8Array(sealer.open(sealed, 'amy') ?? []), secret);
    assert.deepEqual(
      new Uint8Array(createSealer(ringOf(new Uint8Array(32).fill(1))).open(sealed, 'amy') ?? []),
      secret,
    );
    assert.notEqual(sealer.seal(secret, 'amy'), sealed);
  });

  test('is opened by any key there is, and sealed anew under the newest', () => {
    const [older, newest] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(3)];
    const sealed = sealer.seal(secret, 'amy');
    const both = createSealer(ringOf(newest, older));
    assert.deepEqual(new Uint8Array(both.open(sealed, 'amy') ?? []), secret);
    const renewed = both.renew(sealed, 'amy');
    assert.deepEqual(new Uint8Array(createSealer(ringOf(newest)).open(renewed, 'amy') ?? []), secret);
    assert.equal(createSealer(ringOf(newest)).open(sealed, 'amy'), undefined);
    assert.equal(both.renew(renewed, 'amy'), renewed, 'once is enough');
    assert.equal(createSealer(ringOf(newest)).renew(sealed, 'amy'), sealed, 'what cannot be opened stays as it is');
  });

  test('is not undone for somebody else, with another key, or when a bit was changed', () => {
    const sealed = sealer.seal(secret, 'amy');
    assert.equal(sealer.open(sealed, 'bob'), undefined);
    assert.equal(createSealer(ringOf(new Uint8Array(32).fill(2))).open(sealed, 'amy'), undefined);
    const bytes = Buffer.from(sealed, 'base64url');
    for (const at of bytes.keys()) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.equal(sealer.open(changed.toString('base64url'), 'amy'), undefined, `byte ${at}`);
    }
    for (let length = 0; length < bytes.length; length += 1) {
      assert.equal(sealer.open(bytes.subarray(0, length).toString('base64url'), 'amy'), undefined, `${length} bytes`);
    }
  });
});

/** A directory in which amy has a second factor. */
async function enrolled(more: Partial<BuiltinDirectoryOptions> = {}) {
  const disk = new CopyingMemory();
  const options = { now: () => start, ...directoryOptions };
  const directory = await openBuiltinDirectory(disk, 'the accounts', options);
  await directory.add([{ name: 'amy', description: '', mailboxes: [amy] }]);
  const [account] = await directory.accountsOf(amy);
  assert.ok(account);
  const { id: accountId, securityVersion } = account;
  await directory.enrolment?.enrol({ accountId, securityVersion, secret, recoveryCodes, step: 0, at: start });
  const again = await openBuiltinDirectory(disk, 'the accounts', { ...options, ...more });
  let attempts = 0;
  const attempt = (typed: string, at = start) => {
    attempts += 1;
    const attemptId = attempts.toString(16).padStart(32, '0');
    return again.verifySecondFactor({ accountId, securityVersion, attemptId, typed, at });
  };
  const file = async () => (await disk.read()) as AccountFile;
  return { directory: again, disk, file, attempt };
}

describe('a secret that cannot be opened', () => {
  const isDependency = (error: unknown) => {
    assert.ok(error instanceof DependencyError);
    assert.equal(error.dependency, 'directory');
    return true;
  };
  for (const [title, sealer] of [
    ['sealed with another key', createSealer(ringOf(new Uint8Array(32).fill(2)))],
    ['and no key that is kept', undefined],
  ] as const) {
    test(`(${title}) is trouble, whatever is typed, and never right`, async () => {
      const { attempt, file } = await enrolled({ sealer });
      for (const typed of [digitsAt(secret, start), recoveryCodes[0] ?? '', wrongDigitsAt(secret, start)]) {
        await assert.rejects(attempt(typed), isDependency);
      }
      assert.deepEqual((await file()).accounts[0]?.secondFactorTries, []);
    });
  }

  test('is one that was moved to another account, too', async () => {
    const { directory, disk, file, attempt } = await enrolled();
    await directory.add([{ name: 'thief', description: '', mailboxes: ['thief@school.example'] }]);
    const { version, accounts } = await file();
    const [of, thief] = accounts;
    assert.ok(of && thief);
    await disk.write({ version, accounts: [of, { ...thief, secondFactor: of.secondFactor }] });
    const options = { now: () => start, ...directoryOptions };
    const moved = await openBuiltinDirectory(disk, 'the accounts', options);
    const stolen = { accountId: thief.id, securityVersion: '1', attemptId: 'f'.repeat(32), at: start };
    await assert.rejects(moved.verifySecondFactor({ ...stolen, typed: digitsAt(secret, start) }), isDependency);
    assert.equal((await attempt(digitsAt(secret, start))).kind, 'right');
  });

  test('is never made: without a key that is kept, none is enrolled', async () => {
    const { directory } = await enrolled({ sealer: undefined });
    assert.equal(directory.enrolment, undefined);
  });
});

describe('wrong ones', () => {
  test('are 5 in 15 minutes and 20 in a day, to the minute; what is no code at all does not count', async () => {
    const { attempt } = await enrolled();
    let number = 0;
    const wrong = (at: number) => {
      number += 1;
      return attempt(wrongDigitsAt(secret, at, number), at);
    };
    for (let batch = 0; batch < 4; batch += 1) {
      const at = start + batch * 15 * minuteMs;
      for (let times = 0; times < 5; times += 1) assert.deepEqual(await wrong(at), { kind: 'wrong' });
      const waitMs = batch < 3 ? 15 * minuteMs : 24 * 60 * minuteMs - 45 * minuteMs;
      assert.deepEqual(await wrong(at), { kind: 'too-many', waitMs });
      assert.equal((await wrong(at + waitMs - 1)).kind, 'too-many');
    }
    const nextDay = start + 24 * 60 * minuteMs;
    for (let times = 0; times < 30; times += 1) assert.deepEqual(await attempt('hello', nextDay), { kind: 'wrong' });
    assert.equal((await attempt(digitsAt(secret, nextDay), nextDay)).kind, 'right');
  });

  test('leave a list behind that stays short', async () => {
    const { attempt, file } = await enrolled({ wrongSecondFactors: [{ max: 1000, windowMs: minuteMs }] });
    for (let step = 1; step <= 60; step += 1) {
      const at = start + step * 30_000;
      assert.equal((await attempt(digitsAt(secret, at), at)).kind, 'right');
    }
    assert.equal((await file()).accounts[0]?.secondFactorTries.length, 20);
  });
});

describe('an administrator', () => {
  test('sees that there is one, and takes it away; whoever was asked for it must begin again', async () => {
    const { directory, attempt } = await enrolled();
    assert.deepEqual((await directory.find('amy'))?.secondFactor, { enrolledAt: start, recoveryCodesLeft: 2 });
    await attempt(recoveryCodes[0] ?? '');
    assert.equal((await directory.find('amy'))?.secondFactor?.recoveryCodesLeft, 1);
    const [before] = await directory.accountsOf(amy);
    assert.equal(await directory.dropSecondFactor('AMY'), 'done');
    const [after] = await directory.accountsOf(amy);
    assert.deepEqual([before?.secondFactor, after?.secondFactor], ['enrolled', 'none']);
    assert.notEqual(after?.securityVersion, before?.securityVersion);
    assert.deepEqual(await attempt(recoveryCodes[1] ?? ''), { kind: 'account-changed' });
    assert.equal(await directory.dropSecondFactor('amy'), 'done', 'there is none already');
    assert.deepEqual(await directory.accountsOf(amy), [after]);
    assert.equal(await directory.dropSecondFactor('nobody'), 'unknown-account');
  });
});

test('the file holds neither the secret nor a recovery code, in any of their spellings', async () => {
  const { attempt, file } = await enrolled();
  await attempt(recoveryCodes[1] ?? '');
  const text = JSON.stringify(await file());
  const bytes = Buffer.from(secret);
  const { letters } = oneTimePasswords.describe(secret, 'a', 'b');
  const spellings = [letters, bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
  for (const each of [...spellings, ...recoveryCodes]) {
    assert.ok(!text.toLowerCase().includes(each.toLowerCase().replace(/=+$/, '')));
  }
  assert.match(text, /"recoveryDigests":\["[0-9a-f]{64}"\]/);
});
