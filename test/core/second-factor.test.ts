// What is typed as second factor, and how often a wrong one may be.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type FactorTry, knownTry, parseSecondFactor, withTry } from '../../src/core/second-factor.ts';
import { deepFreeze, runs, table } from '../support/core-table.ts';

const digits = (code: string) => ({ kind: 'digits', code }) as const;
const recovery = { kind: 'recovery-code', code: 'k7m29qxfh3twzz81' } as const;
table('parseSecondFactor', parseSecondFactor, [
  ['6 digits', '123456', digits('123456')],
  ['zeros in front', '000001', digits('000001')],
  ['blanks in them and around', ' 123 456\n', digits('123456')],
  ['a hyphen', '123-456', digits('123456')],
  ['a dash of another kind', '123\u2013456', digits('123456')],
  ['full-width digits', '１２３４５６', digits('123456')],
  ['5 digits', '12345', undefined],
  ['7 digits', '1234567', undefined],
  ['8 digits, as in the mail', '1234 5678', undefined],
  ['a sign', '+12345', undefined],
  ['digits of another script', '١٢٣٤٥٦', undefined],
  ['nothing', '', undefined],
  ['a recovery code', 'k7m29qxfh3twzz81', recovery],
  ['grouped', 'k7m2-9qxf-h3tw-zz81', recovery],
  ['in capitals, with blanks', ' K7M2 9QXF H3TW ZZ81 ', recovery],
  ['with look-alikes', 'k7m2-9qxf-h3tw-zz8l', recovery],
  ['one letter short', 'k7m2-9qxf-h3tw-zz8', undefined],
  ['one letter more', 'k7m2-9qxf-h3tw-zz811', undefined],
  ['a letter that is none', 'k7m2-9qxf-h3tw-zz8u', undefined],
  ['16 digits', '1234567812345678', { kind: 'recovery-code', code: '1234567812345678' }],
  ['far too long', '1'.repeat(101), undefined],
]);

test('parseSecondFactor takes whatever comes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (typed) => {
      const parsed = parseSecondFactor(typed);
      if (parsed !== undefined) assert.match(parsed.code, /^(?:[0-9]{6}|[0-9a-z]{16})$/);
    }),
    runs(2000),
  );
});

const minute = 60_000;
const now = Date.UTC(2030, 0, 1);
const limits = deepFreeze([
  { max: 2, windowMs: 15 * minute },
  { max: 3, windowMs: 24 * 60 * minute },
]);
const tried = (id: string, minutesAgo: number, right = false): FactorTry => ({
  id,
  at: now - minutesAgo * minute,
  right,
});
const known = (...tries: FactorTry[]) => knownTry(deepFreeze(tries), 'this', now, limits);
table('knownTry', (tries: FactorTry[]) => known(...tries), [
  ['nothing yet', [], { kind: 'new' }],
  ['one wrong', [tried('a', 1)], { kind: 'new' }],
  ['two wrong', [tried('a', 5), tried('b', 1)], { kind: 'too-many', waitMs: 10 * minute }],
  ['two wrong, one of them long ago', [tried('a', 15), tried('b', 1)], { kind: 'new' }],
  ['three in a day', [tried('a', 100), tried('b', 50), tried('c', 20)], { kind: 'too-many', waitMs: 1340 * minute }],
  ['right ones do not count', [tried('a', 3, true), tried('b', 2, true), tried('c', 1)], { kind: 'new' }],
  ['this one, wrong', [tried('this', 1)], { kind: 'wrong' }],
  ['this one, right', [tried('this', 1, true)], { kind: 'right' }],
  [
    'this one, right, and too many wrong since',
    [tried('this', 3, true), tried('a', 2), tried('b', 1)],
    { kind: 'right' },
  ],
  ['this one a day ago', [tried('this', 1440)], { kind: 'new' }],
  ['the clock was set back', [tried('a', -5), tried('b', -5), tried('this', -5)], { kind: 'new' }],
]);

table('withTry', (tries: FactorTry[]) => withTry(deepFreeze(tries), tried('new', 0)).map(({ id }) => id), [
  ['the first', [], ['new']],
  ['what is a day old goes', [tried('a', 1440), tried('b', 1439)], ['b', 'new']],
  ['times to come go', [tried('a', -1)], ['new']],
]);

test('withTry keeps all wrong ones of a day, and the latest right ones', () => {
  const tries = Array.from({ length: 60 }, (_, number) => tried(String(number), 60 - number, number % 2 === 0));
  const kept = withTry(deepFreeze(tries), tried('new', 0, true));
  assert.equal(kept.filter(({ right }) => !right).length, 30);
  assert.deepEqual(
    kept.filter(({ right }) => right).map(({ id }) => id),
    [...Array.from({ length: 19 }, (_, number) => String(22 + 2 * number)), 'new'],
  );
});
