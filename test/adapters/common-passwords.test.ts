// The list as it is loaded: what everybody knows is on it, folded as the policy folds, and with it the policy refuses
// what people make of it when fifteen characters are asked for. The words of its own diceware list make passphrases.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { dictionary } from '@zxcvbn-ts/language-common';
import fc from 'fast-check';
import { loadCommonPasswords } from '../../src/adapters/passwords/common-passwords.ts';
import { foldPassword, judgePassword } from '../../src/core/password-policy.ts';
import { runs, table } from '../support/core-table.ts';

let loaded: Awaited<ReturnType<typeof loadCommonPasswords>>;
before(async () => {
  loaded = await loadCommonPasswords();
});

const isCommon = (folded: string) => loaded(folded);
const judge = (typed: string) => {
  const verdict = judgePassword(typed, undefined, { lengthMin: 15, words: [] }, isCommon);
  return verdict.kind === 'password' ? 'ok' : verdict.reason;
};

test('tens of thousands, each found as it is folded', () => {
  const passwords = dictionary['passwords-common'];
  assert.ok(passwords.length > 30_000, `${passwords.length}`);
  assert.deepEqual(
    passwords.filter((password) => !isCommon(foldPassword(password))),
    [],
  );
});

table('on the list', isCommon, [
  ['the first', '123456', true],
  ['the second', 'password', true],
  ['a longer one', 'passwordpassword', true],
  ['with digits for letters', 'p@ssw0rd', true],
  ['folded: its hyphens are gone', '123123', true],
  ['not folded', 'PASSWORD', false],
  ['not on it', 'plumtractorseldom', false],
  ['nothing', '', false],
]);

table('of fifteen characters and more', judge, [
  ['twice', 'Password Password', 'password-common'],
  ['with a year and signs', 'Superman2030!!!', 'password-common'],
  ['with a date', 'michael-1984-12-31', 'password-common'],
  ['with many digits in a row', 'football123456789', 'password-common'],
  ['by hand over the keyboard', '1qaz2wsx3edc4rfv', 'password-common'],
  ['two words', 'football superman', 'ok'],
  ['the famous one', 'correct horse battery staple', 'ok'],
]);

test('passphrases pass: three words of a diceware list, in every form', () => {
  const word = fc.constantFrom(...dictionary['diceware-common']);
  fc.assert(
    fc.property(
      fc.uniqueArray(word, { minLength: 3, maxLength: 6 }),
      fc.constantFrom(' ', '-', ''),
      (words, between) => {
        const typed = words.join(between);
        if (typed.length >= 15) assert.equal(judge(typed), 'ok', typed);
      },
    ),
    runs(3000),
  );
});
