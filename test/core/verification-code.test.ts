// The code as people type and paste it, the label as mail programs encode it, and the time hostile Subjects take.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, toHex } from '../../src/core/bytes.ts';
import {
  codeFromDigest,
  formatCode,
  parseCode,
  requestLabel,
  subjectHoldsLabel,
} from '../../src/core/verification-code.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

// ---- how a code is made and written ----

const digest = (number: bigint, rest = '') => fromHex(number.toString(16).padStart(16, '0') + rest);

table('a code is the first 64 bits modulo 10^8, with all its zeros', codeFromDigest, [
  ['zero', digest(0n), '00000000'],
  ['one', digest(1n), '00000001'],
  ['seven digits', digest(1_234_567n), '01234567'],
  ['the biggest', digest(99_999_999n), '99999999'],
  ['one more', digest(100_000_000n), '00000000'],
  ['the top bit', digest(2n ** 63n), '54775808'],
  ['all bits', digest(2n ** 64n - 1n), '09551615'],
  ['more bytes make no difference', digest(42n, 'ff'.repeat(24)), '00000042'],
  ['a part of a longer buffer', digest(7n, toHex(digest(42n))).subarray(8), '00000042'],
]);

test('a code is written in two groups', () => assert.equal(formatCode('00017730'), '0001 7730'));

const eightBytes = fc.uint8Array({ minLength: 8, maxLength: 32 });

test('what is written is read, with or without its blank', () => {
  fc.assert(
    fc.property(eightBytes, (bytes) => {
      const code = codeFromDigest(bytes);
      assert.match(code, /^[0-9]{8}$/);
      assert.deepEqual([parseCode(code), parseCode(formatCode(code))], [code, code]);
    }),
    runs(300),
  );
});

// ---- how a code is read ----

const code = '48217730';
table('typed', parseCode, [
  ['as shown', '4821 7730', code],
  ['without the blank', '48217730', code],
  ['with a hyphen', '4821-7730', code],
  ['with blanks around', '  4821 7730 \r\n', code],
  ['with blanks everywhere', '4 8 2 1 7 7 3 0', code],
  ['in pairs', '48-21-77-30', code],
  ['with tabs and line breaks', '4821\t\n7730', code],
  ['with a no-break space', '4821\u00a07730', code],
  ['with a narrow no-break space', '4821\u202f7730', code],
  ['with a thin space', '4821\u20097730', code],
  ['with an en dash', '4821\u20137730', code],
  ['with a no-break hyphen', '4821\u20117730', code],
  ['with a minus sign', '4821\u22127730', code],
  ['with a byte order mark in front', '\ufeff4821 7730', code],
  ['in full width', '\uff14\uff18\uff12\uff11\u3000\uff17\uff17\uff13\uff10', code],
  ['zeros in front', '0000 0001', '00000001'],
  ['zeros only', '00000000', '00000000'],
  ['nothing', '', undefined],
  ['a blank', ' ', undefined],
  ['7 digits', '4821 773', undefined],
  ['9 digits', '4821 77301', undefined],
  ['9 digits in one', '148217730', undefined],
  ['16 digits', '4821773048217730', undefined],
  ['a letter in it', '4821 773O', undefined],
  ['a sign in front', '+4821773', undefined],
  ['a comma in it', '4821,7730', undefined],
  ['a dot in it', '4821.7730', undefined],
  ['words only', 'no code came', undefined],
  ['400 characters', `${' '.repeat(391)}4821 7730`, code],
  ['401 characters', `${' '.repeat(392)}4821 7730`, undefined],
]);

table('pasted', parseCode, [
  ['with words in front', 'Your code: 4821 7730', code],
  ['with a full stop', 'It is 4821 7730.', code],
  ['in a sentence with other numbers', 'Code 4821 7730, valid for 30 minutes until 11:30 on 2 January', code],
  ['the first lines of the reply', '4821 7730\r\n\r\nThis is the code for a new password', code],
  ['in quotation marks', '\u201e4821\u20137730\u201c', code],
  ['twice the same', '4821 7730 (4821-7730)', code],
  ['twice the same, written alike', '4821 7730\n4821 7730', code],
  ['two that differ', '4821 7730 or 1111 2222', undefined],
  ['two that differ in one digit', '48217730, 48217731', undefined],
  ['9 digits among words', 'code 148217730', undefined],
  ['4 digits and 4 digits, words between', '4821 and 7730', undefined],
  ['a telephone number', 'call 030 4821773012', undefined],
  ['among letters of another script', '\u043a\u043e\u0434 4821 7730', code],
]);

test('a code comes from the digits that were typed, or there is none; nothing throws', () => {
  const piece = fc.constantFrom(
    '4',
    '8',
    '2',
    '1',
    '0',
    ' ',
    '-',
    '\u00a0',
    '\uff11',
    'a',
    '.',
    '\n',
    '\u2013',
    '\ufdfa',
  );
  const typed = fc.oneof(fc.string({ unit: piece, maxLength: 24 }), fc.string({ unit: 'binary', maxLength: 420 }));
  fc.assert(
    fc.property(typed, (text) => {
      const found = parseCode(text);
      if (found === undefined) return;
      assert.match(found, /^[0-9]{8}$/);
      assert.ok(
        text
          .normalize('NFKC')
          .replace(/[^0-9]/g, '')
          .includes(found),
      );
    }),
    runs(1000),
  );
});

// ---- the label ----

table('the label of', requestLabel, [
  ['zero', '00000000000000000000', 'BBBB-BBBB'],
  ['one', '00000000010000000000', 'CBBB-BBBB'],
  ['nineteen', '00000000130000000000', 'ZBBB-BBBB'],
  ['twenty', '00000000140000000000', 'BCBB-BBBB'],
  ['all bits', 'ffffffffffffffffffff', 'TLMR-KWZX'],
  ['other bits beyond the first 40', 'ffffffffff0000000000', 'TLMR-KWZX'],
]);

test('a label is eight consonants that are no digits, and says nothing but 40 bits of the id', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 10 }), (bytes) => {
      const id = toHex(bytes);
      assert.match(requestLabel(id), /^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/);
      assert.equal(requestLabel(`${id.slice(0, 10)}0000000000`), requestLabel(id));
      assert.ok(subjectHoldsLabel(`New password ${requestLabel(id)}`, requestLabel(id)));
    }),
    runs(300),
  );
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const holds = (subject: string) => subjectHoldsLabel(subject, 'KQXF-WTMB');

table('the label in a Subject', holds, [
  ['alone', 'KQXF-WTMB', true],
  ['after words', 'New password KQXF-WTMB', true],
  ['before words', 'KQXF-WTMB please', true],
  ['in brackets', '[KQXF-WTMB]', true],
  ['after a prefix', 'Fwd: KQXF-WTMB', true],
  ['in small letters', 'new password kqxf-wtmb', true],
  ['in mixed case', 'Kqxf-wTMB', true],
  ['without its hyphen', 'KQXFWTMB', true],
  ['with a blank for the hyphen', 'KQXF WTMB', true],
  ['between digits', '1KQXF-WTMB2', true],
  ['between letters beyond ASCII', '\u00e4KQXF-WTMB\u00e4', true],
  ['the second of two', 'BBBB-BBBB KQXF-WTMB', true],
  ['nothing', '', false],
  ['words only', 'New password', false],
  ['another label', 'New password KQXF-WTMC', false],
  ['half of it', 'New password KQXF', false],
  ['its halves swapped', 'WTMB-KQXF', false],
  ['words between its halves', 'KQXF and WTMB', false],
  ['two hyphens', 'KQXF--WTMB', false],
  ['a letter before it', 'AKQXF-WTMB', false],
  ['a letter after it', 'KQXF-WTMBA', false],
  ['a small letter after it', 'KQXF-WTMBa', false],
  ['inside a longer word, without its hyphen', 'xxKQXFWTMBxx', false],
  ['a sign for kelvin as its first letter', '\u212aQXF-WTMB', false],
]);

table('the label in encoded words', holds, [
  ['B', `=?UTF-8?B?${base64('Neues Paßwort KQXF-WTMB')}?=`, true],
  ['b', `=?utf-8?b?${base64('KQXF-WTMB')}?=`, true],
  ['B without padding', `=?utf-8?B?${base64('ü KQXF-WTMB').replaceAll('=', '')}?=`, true],
  ['Q', '=?iso-8859-1?Q?Neues_Pa=DFwort_KQXF-WTMB?=', true],
  ['q, every letter escaped', '=?utf-8?q?=4B=51=58=46=2D=57=54=4D=42?=', true],
  ['Q, small hexadecimal digits', '=?utf-8?Q?=4b=51=58=46-WTMB?=', true],
  ['Q, an underscore for the hyphen', '=?utf-8?Q?KQXF_WTMB?=', true],
  ['with a language (RFC 2231)', '=?utf-8*de?Q?=4BQXF-WTMB?=', true],
  ['split over two Q words', '=?utf-8?Q?Passwort_KQXF-W?= =?utf-8?Q?TMB?=', true],
  ['split over two Q words, several blanks between', '=?utf-8?Q?KQ?= \t =?utf-8?Q?XF-WTMB?=', true],
  ['split over two B words', `=?utf-8?B?${base64('KQXF')}?= =?utf-8?B?${base64('-WTMB')}?=`, true],
  ['split over a B word and a Q word', `=?utf-8?B?${base64('ä KQXF-')}?= =?utf-8?Q?WTMB?=`, true],
  ['after a plain word', '=?utf-8?Q?Pa=C3=9Fwort?= KQXF-WTMB', true],
  ['half plain, half encoded: a blank stays between them', 'KQXF =?utf-8?Q?WTMB?=', true],
  ['half plain, half encoded, a letter too many', 'KQXF =?utf-8?Q?WTMBA?=', false],
  ['another label in B', `=?utf-8?B?${base64('KQXF-WTMC')}?=`, false],
  ['inside a longer word in B', `=?utf-8?B?${base64('AKQXF-WTMB')}?=`, false],
  ['inside a longer word over two words', '=?utf-8?Q?A?= =?utf-8?Q?=4BQXF-WTMB?=', false],
  ['B whose letters happen to spell the label, and say something else', '=?utf-8?B?KQXFWTMB?=', false],
  ['encoded twice', `=?utf-8?B?${base64('=?utf-8?Q?=4BQXF-WTMB?=')}?=`, false],
  ['an encoding that does not exist', '=?utf-8?X?=4BQXF-WTMB?=', false],
  ['no end', '=?utf-8?Q?=4BQXF-WTMB', false],
  ['B that is no base64', '=?utf-8?B?S1F*YRi1XVE1C?=', false],
  ['B of impossible length', '=?utf-8?B?S?=', false],
  ['B with one sign of padding where two belong', '=?utf-8?B?QQ=?=', false],
  ['B with padding and nothing else', '=?utf-8?B?=?=', false],
  ['B with padding where none belongs', '=?utf-8?B?QUJD=?=', false],
  ['B with padding after an impossible length', '=?utf-8?B?QUI==?=', false],
  ['the label after B that is no base64', '=?utf-8?B?S1F*?= =?utf-8?Q?=4BQXF-WTMB?=', true],
]);

test('no Subject throws', () => {
  const words = [
    '=?',
    '?=',
    '?',
    '=',
    'utf-8',
    '?B?',
    '?Q?',
    'S1FY',
    'Ri1XVE1C',
    '=4B',
    'KQXF',
    '-',
    'WTMB',
    ' ',
    '_',
    'A',
    '\t',
  ];
  const subjects = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 20, size: 'max' }).map((parts) => parts.join('')),
    fc.string({ unit: fc.constantFrom(...'=?BQbq4S1FYW ') }).map((payload) => `=?utf-8?B?${payload}?=`),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(subjects, (subject) => typeof holds(subject) === 'boolean'),
    runs(1000),
  );
});

// A Subject may be folded up to the size of the whole header section.
const size = 65_536;
const fill = (unit: string, length = size) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
const hostile: readonly (readonly [string, string])[] = [
  ...[
    '=?',
    '=?a?Q?',
    '?=',
    '?= \t ',
    '?',
    '=',
    '=?a?Q?=4B?= ',
    '=?a?B?S1FY?= ',
    '=4',
    'KQXF-',
    'KQXF-WTM',
    'K',
    ' ',
  ].map((unit) => [JSON.stringify(unit), fill(unit)] as const),
  ['Q that is all escapes', `=?a?Q?${fill('=4B')}?=`],
  ['Q without end', `=?a?Q?${fill('=4B')}`],
  ['B without end', `=?a?B?${fill('S1FY')}`],
  ['B that is all padding', `=?a?B?${fill('=')}?=`],
  ['B that is padding and a letter', `=?a?B?${fill('=')}S?=`],
  ['B that is letters and padding by turns', `=?a?B?${fill('S=')}S?=`],
  ['a charset without end', `=?${fill('a')}?B?S?=`],
  ['an end, blanks and no start', `?=${fill(' ')}x`],
  // As they can really come, folded into lines of 998 octets.
  ['folded B words of padding and a letter', fill(`=?a?B?${'='.repeat(980)}S?=\t `)],
  ['folded starts of encoded words', fill(`${'=?a?B?'.repeat(165)} `)],
];
for (const [what, subject] of hostile) {
  test(`64 KiB of ${what} take no long time`, () => {
    const took = cpuMs(() => holds(subject));
    assert.ok(took < 150, `${took} ms`);
  });
}
