// New passwords: length as people count it, what everybody would guess in words, rows and repetitions, and the proof that
// passphrases pass. The list here is short and fixed; the real one has its own test (test/adapters).

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foldPassword, judgePassword, passwordLengthMax } from '../../src/core/password-policy.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

const common = new Set(
  [
    'password',
    '12345678',
    '1234567890qwerty',
    'dragon',
    'monkey',
    'sunshine',
    'jennifer',
    'iloveyou',
    'summer',
    'abc123',
  ]
    .concat(['p@ssw0rd', '1qaz2wsx', 'letmein', 'correct', 'horse', 'battery', '198419', 'momsanaladventure'])
    .map(foldPassword),
);
const isCommon = (folded: string) => common.has(folded);
const words = [
  'Hill School',
  'reply-to-verify',
  'Ann Lee',
  'ann.lee-smith',
  'mail.hillschool.example',
  'k7',
  'Ø',
  'Björk',
];

/** 'ok', or the reason without its first word. */
const judge = (typed: string, repeated?: string, lengthMin = 15) => {
  const verdict = judgePassword(typed, repeated, { lengthMin, words }, isCommon);
  return verdict.kind === 'password' ? 'ok' : verdict.reason;
};
const judgeOne = (typed: string) => judge(typed);

// ---- what is set is what was typed ----

const phrase = 'plum tractor seldom vivid';
const set = (typed: string) => {
  const verdict = judgePassword(typed, undefined, { lengthMin: 15, words }, isCommon);
  return verdict.kind === 'password' ? verdict.password : verdict.reason;
};

table('the password that is set', set, [
  ['as typed', phrase, phrase],
  ['its case kept', 'Plum TRACTOR seldom vivid', 'Plum TRACTOR seldom vivid'],
  ['blanks at its ends kept', `  ${phrase} `, `  ${phrase} `],
  ['blanks inside kept', 'plum  tractor   seldom', 'plum  tractor   seldom'],
  ['composed', 'Bru\u0308cke zum Hafen am Fluss', 'Br\u00fccke zum Hafen am Fluss'],
  ['full-width letters', '\uff30\uff4c\uff55\uff4d tractor seldom', 'Plum tractor seldom'],
  ['no-break blanks', 'plum\u00a0tractor\u00a0seldom', 'plum tractor seldom'],
  ['joined emoji', '\u{1f469}\u200d\u{1f680} flies past the moon', '\u{1f469}\u200d\u{1f680} flies past the moon'],
  [
    'a joiner that Persian needs',
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 plum tractor',
    '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 plum tractor',
  ],
  ['a sign of private use', 'plum tractor \uf8ff seldom', 'plum tractor \uf8ff seldom'],
]);

table('two fields', ([typed, repeated]: readonly [string, string | undefined]) => judge(typed, repeated), [
  ['no second one', [phrase, undefined], 'ok'],
  ['the same', [phrase, phrase], 'ok'],
  ['the same, composed in one of them', ['Br\u00fccke zum Hafen', 'Bru\u0308cke zum Hafen'], 'ok'],
  ['another', [phrase, 'plum tractor seldom vivit'], 'passwords-differ'],
  ['another case', [phrase, phrase.toUpperCase()], 'passwords-differ'],
  ['a blank more', [phrase, `${phrase} `], 'passwords-differ'],
  ['the second one empty', [phrase, ''], 'passwords-differ'],
  ['the first one empty', ['', phrase], 'password-missing'],
  ['both empty', ['', ''], 'password-missing'],
  ['another, and too short', ['plum', 'plam'], 'passwords-differ'],
  ['the second one far too long', [phrase, 'x'.repeat(1_000_000)], 'passwords-differ'],
  ['both far too long', ['x'.repeat(1_000_000), 'x'.repeat(1_000_000)], 'password-too-long'],
]);

// ---- length ----

const letters = (count: number) =>
  'kvqzjwxpyh'
    .repeat(30)
    .slice(0, count - 5)
    .concat('mnbrt');
const syllables = (count: number) =>
  String.fromCharCode(...Array.from({ length: count }, (_none, index) => 0xac01 + index * 28)).normalize('NFD');
table('length', judgeOne, [
  ['nothing', '', 'password-missing'],
  ['a blank', ' ', 'password-too-short'],
  ['14', 'plumtractorsel', 'password-too-short'],
  ['15', 'plumtractorseld', 'ok'],
  ['15 with blanks inside', 'plum tractor se', 'ok'],
  ['14 and a blank behind', 'plumtractorsel ', 'password-too-short'],
  ['14 and a blank before', ' plumtractorsel', 'password-too-short'],
  ['14 and wide blanks around', '\u3000plumtractorsel\u00a0', 'password-too-short'],
  [
    '14 emoji are 14, though 28 units',
    '\u{1f331}\u{1f332}\u{1f335}\u{1f345}\u{1f34c}\u{1f353}\u{1f36a}\u{1f37f}\u{1f389}\u{1f3a9}\u{1f3b2}\u{1f3bb}\u{1f401}\u{1f40c}',
    'password-too-short',
  ],
  [
    '15 emoji',
    '\u{1f331}\u{1f332}\u{1f335}\u{1f345}\u{1f34c}\u{1f353}\u{1f36a}\u{1f37f}\u{1f389}\u{1f3a9}\u{1f3b2}\u{1f3bb}\u{1f401}\u{1f40c}\u{1f419}',
    'ok',
  ],
  ['marks that compose do not count', 'plumtractors\u0065\u0301l', 'password-too-short'],
  ['marks that do not compose count', 'plumtractorx\u0301el', 'ok'],
  [
    '14 full-width digits',
    '\uff17\uff10\uff14\uff11\uff18\uff13\uff19\uff12\uff16\uff10\uff15\uff18\uff11\uff14',
    'password-too-short',
  ],
  [
    '15 full-width digits',
    '\uff17\uff10\uff14\uff11\uff18\uff13\uff19\uff12\uff16\uff10\uff15\uff18\uff11\uff14\uff17',
    'ok',
  ],
  ['16 jamo that are 7 syllables', '\ub3c4\uc11c\uad00\uc55e\ub098\ubb34'.normalize('NFD'), 'password-too-short'],
  ['a ligature counts as its letters', 'plumtractor\ufb03n', 'ok'],
  ['256', letters(256), 'ok'],
  ['257', letters(257), 'password-too-long'],
  ['256 syllables, 768 units as jamo', syllables(256), 'ok'],
  ['257 syllables', syllables(257), 'password-too-long'],
  ['256 emoji', `${'\u{1f335}\u{1f40c}\u{1f389}'.repeat(85)}\u{1f353}`, 'ok'],
  ['257 emoji', `${'\u{1f335}\u{1f40c}\u{1f389}'.repeat(85)}\u{1f353}\u{1f335}`, 'password-too-long'],
  ['130 characters of which NFKC makes more than 256', 'p\ufb03q'.repeat(60), 'password-too-long'],
  ['15 of which NFKC makes 270', '\ufdfa'.repeat(15), 'password-too-long'],
  ['many more', 'x'.repeat(100_000), 'password-too-long'],
]);

test('with a second factor 8 are enough', () => {
  const rows = ['k4vq9zt', 'k4vq9ztm', 'dragon77', 'abcdefgh', 'annlee83', 'mqzrmqzr'];
  assert.deepEqual(
    rows.map((typed) => judge(typed, undefined, 8)),
    ['password-too-short', 'ok', 'password-common', 'password-guessable', 'password-guessable', 'password-guessable'],
  );
});

// ---- characters that nobody can type again ----

table('with this in it', (sign: string) => judge(`plum tractor${sign} seldom vivid`), [
  ['nothing', '', 'ok'],
  ['NUL', '\0', 'password-unprintable'],
  ['a tab', '\t', 'password-unprintable'],
  ['a line break', '\n', 'password-unprintable'],
  ['an escape', '\x1b', 'password-unprintable'],
  ['a control of Latin 1', '\x85', 'password-unprintable'],
  ['a line separator', '\u2028', 'password-unprintable'],
  ['the first half of a pair', '\ud83c', 'password-unprintable'],
  ['the second half of a pair', '\udf35', 'password-unprintable'],
  ['a sign that was not decoded', '\ufffd', 'password-unprintable'],
  ['a byte order mark', '\ufeff', 'password-unprintable'],
  ['a soft hyphen', '\u00ad', 'password-unprintable'],
  ['a character that Unicode has not', '\u{e0fff}', 'password-unprintable'],
  ['a noncharacter', '\uffff', 'password-unprintable'],
  ['any printable ASCII', ' !"#$%&\'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~', 'ok'],
]);
test('a tab pasted at the end is named as such, not cut off', () => {
  assert.equal(judge(`${phrase}\t`), 'password-unprintable');
  assert.equal(judge('short\t'), 'password-unprintable');
});

// ---- what many people use ----

table('common', judgeOne, [
  ['on the list', 'momsanaladventure', 'password-common'],
  ['on the list, in capitals', 'MOMSANALADVENTURE', 'password-common'],
  ['on the list, with blanks', 'moms anal adventure', 'password-common'],
  ['on the list, with hyphens and dots', 'moms-anal.adventure', 'password-common'],
  ['on the list, in full width', '\uff4domsanaladventure', 'password-common'],
  ['on the list, and made of rows', '1234567890qwerty', 'password-common'],
  ['twice', 'passwordpassword', 'password-common'],
  ['three times', 'Dragon Dragon Dragon', 'password-common'],
  ['twice and a half', 'sunshinesunshinesuns', 'password-common'],
  ['twice, with digits', 'sunshinesunshine1', 'password-common'],
  ['with its own digits, twice', 'p@ssw0rdp@ssw0rd!', 'password-common'],
  ['that is made of rows, twice', '1qaz2wsx1qaz2wsx', 'password-common'],
  ['a date behind', 'jennifer20300131', 'password-common'],
  ['a date with hyphens behind', 'jennifer-2030-01-31', 'password-common'],
  ['a date before', '31.01.2030 jennifer', 'password-common'],
  ['digits on both sides', '1984jennifer2030', 'password-common'],
  ['signs', 'iloveyou!?!?$$%&', 'password-common'],
  ['digits in a row, however many', 'dragon123456789', 'password-common'],
  ['keys in a row', 'dragonqwertyuiop', 'password-common'],
  ['a word that says so, too', 'Password12345678', 'password-common'],
  ['one sign again and again', 'summer!!!!!!!!!!!!', 'password-common'],
  ['nine digits', 'jennifer 203001317', 'ok'],
  ['nine digits, on both sides', '1984 jennifer 73026', 'ok'],
  ['one letter', 'jennifer2030013x', 'ok'],
  ['eight emoji', 'iloveyou\u{1f331}\u{1f332}\u{1f335}\u{1f345}\u{1f34c}\u{1f353}\u{1f36a}\u{1f37f}', 'ok'],
  ['a long number with a short common one inside', '730198419625047', 'ok'],
  ['two of them', 'dragon sunshine 4', 'ok'],
]);

table('rows and repetitions', judgeOne, [
  ['one character', 'aaaaaaaaaaaaaaa', 'password-guessable'],
  ['one emoji', '\u{1f335}'.repeat(15), 'password-guessable'],
  ['one character and two others', 'aaaaaaaaaaaaax1', 'password-guessable'],
  ['hyphens', '---------------', 'password-guessable'],
  ['one character between hyphens', 'a-a-a-a-a-a-a-a', 'password-guessable'],
  ['the alphabet', 'abcdefghijklmno', 'password-guessable'],
  ['the alphabet with hyphens', 'a-b-c-d-e-f-g-h', 'password-guessable'],
  ['the alphabet backwards', 'onmlkjihgfedcba', 'password-guessable'],
  ['the alphabet in capitals', 'ABCDEFGHIJKLMNO', 'password-guessable'],
  ['the alphabet in pairs', 'aabbccddeeffgghh', 'password-guessable'],
  [
    'the Greek alphabet',
    '\u03b1\u03b2\u03b3\u03b4\u03b5\u03b6\u03b7\u03b8\u03b9\u03ba\u03bb\u03bc\u03bd\u03be\u03bf',
    'password-guessable',
  ],
  ['digits', '123456789012345', 'password-guessable'],
  ['digits backwards', '987654321098765', 'password-guessable'],
  ['digits in pairs', '1122334455667788', 'password-guessable'],
  ['digits there and back', '12345678987654321', 'password-guessable'],
  ['QWERTY', 'qwertyuiopasdfgh', 'password-guessable'],
  ['QWERTY and a year', 'qwertyuiop[2030', 'password-guessable'],
  ['QWERTZ', 'qwertzuiopasdfgh', 'password-guessable'],
  ['AZERTY', 'azertyuiopqsdfgh', 'password-guessable'],
  [
    '\u0419\u0426\u0423\u041a\u0415\u041d',
    '\u0439\u0446\u0443\u043a\u0435\u043d\u0433\u0448\u0449\u0437\u0445\u044a\u0444\u044b\u0432\u0430',
    'password-guessable',
  ],
  ['QWERTY backwards', 'poiuytrewqlkjhgf', 'password-guessable'],
  ['from top to bottom', '1qaz2wsx3edc4rfv', 'password-guessable'],
  ['with shift', '!@#$%^&*()QWERTY', 'password-guessable'],
  ['three kinds of rows', 'abcd1234qwert!!!', 'password-guessable'],
  ['a row and a date', 'abcdefgh20300131', 'password-guessable'],
  ['a short block', 'abcabcabcabcabc', 'password-guessable'],
  ['a short block, the last time cut short', 'kvqzkvqzkvqzkvq', 'password-guessable'],
  ['a block of ten twice', 'kvqz7wxpyhkvqz7wxpyh', 'password-guessable'],
  ['a long block twice', 'plum tractor seldom plum tractor seldom ', 'ok'],
  ['a block of ten and another', 'kvqz7wxpyhkvqz7wxpyj', 'ok'],
  ['Morse code', '-.-. --- .-. .-. . -.-. -', 'ok'],
  ['a telephone number', '0049 30 8147 2906', 'ok'],
]);

table('known words', judgeOne, [
  ['name and year', 'annlee-smith2030', 'password-guessable'],
  ['name twice', 'Ann Lee, Ann Lee!', 'password-guessable'],
  ['site', 'Hill School Hill', 'password-guessable'],
  ['site in one word, and a date', 'hillschool310130', 'password-guessable'],
  ['domain', 'mail.hillschool.example', 'password-guessable'],
  ['address', 'ann.lee@hillschool.example', 'password-guessable'],
  ['service', 'Reply-To-Verify', 'password-guessable'],
  ['service and digits', 'Reply-To-Verify 99', 'password-guessable'],
  ['name and digits in a row', 'lee1234567890123456', 'password-guessable'],
  ['a name with a diaeresis', 'Bjo\u0308rk Bj\u00f6rk 2030 1', 'password-guessable'],
  ['nothing but that it is one', 'This is my new password', 'password-guessable'],
  ['in German', 'Das ist mein neues Passwort', 'password-guessable'],
  ['in Spanish', 'esta es mi nueva contrase\u00f1a', 'password-guessable'],
  ['in French', 'ceci est mon nouveau mot de passe', 'password-guessable'],
  ['that of the site', 'the Hill School password', 'password-guessable'],
  ['nine digits', 'hillschool830461275', 'ok'],
  ['names and initials: one letter is no name', 'ann \u00f8 lee smith 1', 'ok'],
  ['and one word more', 'ann lee likes plums', 'ok'],
  ['without a name, small words only', 'this is the new old', 'ok'],
]);

// ---- passphrases ----

table('passphrases', judgeOne, [
  ['the famous one', 'correct horse battery staple', 'ok'],
  ['of common words', 'dragon monkey sunshine', 'ok'],
  ['of common words, in one', 'dragonmonkeysunshine', 'ok'],
  ['with a year', 'purple monkey 2030', 'ok'],
  ['of a verse', 'row row row your boat', 'ok'],
  ['with the name of the site', 'Hill School has plum trees', 'ok'],
  ['about passwords', 'my password is a secret plum', 'ok'],
  ['in German', 'der alte Kahn liegt am Ufer', 'ok'],
  ['in Chinese', '\u5eca\u4e0b\u6709\u4e00\u53ea\u9ec4\u732b\u548c\u4e24\u5757\u70e7\u997c\u5728\u5348\u540e', 'ok'],
]);

// Ordinary words of four letters and more: none is a name above, or made of characters in a row.
const ordinary =
  'anchor basket candle donkey engine forest garden hammer island jacket kettle ladder marble needle orange pepper quarter ribbon saddle timber umbrella velvet window yellow zipper dragon monkey sunshine password school horse'.split(
    ' ',
  );

test('three ordinary words that differ pass, whatever is between and around them', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.constantFrom(...ordinary), { minLength: 3, maxLength: 6 }),
      fc.constantFrom(' ', '-', '.', '', '1', '!'),
      fc.constantFrom('', '1', '!', '2030', ' '),
      (picked, between, behind) => assert.equal(judge(picked.join(between) + behind), 'ok'),
    ),
    runs(2000),
  );
});

// ---- properties ----

// Half of it is text that may well be accepted, half is anything at all.
const signs = [
  ...[
    'a',
    'B',
    '7',
    ' ',
    '-',
    '\u0301',
    '\u0308',
    '\u1112',
    '\u1161',
    '\u11ab',
    '\uff17',
    '\ufb03',
    '\u{1f335}',
    '\u200d',
  ],
  ...['\u00a0', 'ann', 'password', '123', '\u212b', '\u0130', '\u00df', '\ufdfa', 'plum', '\u5eca'],
];
const pieces = (unit: fc.Arbitrary<string>, maxLength: number) =>
  fc.array(unit, { maxLength, size: 'max' }).map((units) => units.join(''));
const typing = fc.oneof(
  pieces(fc.constantFrom(...signs), 40),
  pieces(fc.constantFrom(...signs), 300),
  pieces(fc.constantFrom(...signs, '\ud83c', '\t', '\0'), 40),
  pieces(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), 300),
);

test('nothing throws, and nothing is cut off: what is accepted is the whole input in NFKC, and is accepted again', () => {
  const context = { lengthMin: 15, words };
  let accepted = 0;
  fc.assert(
    fc.property(typing, fc.constantFrom(8, 15), (typed, lengthMin) => {
      const verdict = judgePassword(typed, typed, { ...context, lengthMin }, isCommon);
      if (verdict.kind === 'refused') return;
      accepted++;
      const { password } = verdict;
      assert.equal(password, typed.normalize('NFKC'));
      assert.ok(password.isWellFormed());
      assert.ok([...password].length <= passwordLengthMax && [...password.trim()].length >= lengthMin);
      assert.deepEqual(judgePassword(password, typed, { ...context, lengthMin }, isCommon), verdict);
    }),
    runs(1000),
  );
  assert.ok(accepted > 200, `only ${accepted} accepted`);
});

test('one input and its canonical equivalents are judged alike', () => {
  fc.assert(
    fc.property(typing, (typed) => {
      fc.pre(typed.length < 500);
      assert.deepEqual(set(typed.normalize('NFD')), set(typed));
      assert.deepEqual(set(typed.normalize('NFKC')), set(typed));
    }),
    runs(500),
  );
});

test('length is counted in code points of the normalised text, for every length', () => {
  const pool = ['\u{1f335}', 'x\u0301', '\uff17', '\ub3c4', '\u00e9', 'q', '\u4e94', '\u{20bb7}', 'Z'];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pool), { maxLength: 280, size: 'max' }), (parts) => {
      const typed = parts.join('');
      const count = [...typed.normalize('NFKC')].length;
      const verdict = judge(typed.normalize('NFD'));
      assert.equal(verdict === 'password-too-long', count > 256);
      assert.equal(verdict === 'password-too-short' || verdict === 'password-missing', count < 15);
    }),
    runs(500),
  );
});

test('the list is asked for folded text only, never for an empty one', () => {
  fc.assert(
    fc.property(fc.oneof(typing, fc.constantFrom('-'.repeat(20), '-.-. --- .-. .-.')), (typed) => {
      judgePassword(typed, undefined, { lengthMin: 8, words }, (folded) => {
        assert.equal(foldPassword(folded), folded);
        assert.match(folded, /./u);
        return false;
      });
    }),
    runs(300),
  );
});

// ---- hostile input ----

const fill = (text: string, length = 256) => text.repeat(Math.ceil(length / text.length)).slice(0, length);
const hostile: readonly (readonly [string, string])[] = [
  ['a megabyte', fill('x', 1_000_000)],
  ['a megabyte of a character that NFKC makes 18 of', fill('\ufdfa', 1_000_000)],
  ['2048 characters that NFKC makes 18 of', fill('\ufdfa', 2048)],
  ['2048 marks', fill('\u0301\u0323', 2048)],
  ['256 marks in the wrong order', fill('\u0301\u0323')],
  ['one character', fill('a')],
  ['two by turns, and another', `${fill('ab', 255)}c`],
  ['digits in a row, and letters', `${fill('1234567890', 100)}kvqz${fill('0987654321', 100)}`],
  ['rows around a common word', `${fill('qwertyuiop', 120)}dragon${fill('asdfghjkl', 120)}`],
  ['rows around a word', `${fill('qwertyuiop', 120)}dragxn${fill('asdfghjkl', 120)}`],
  ['words of the context, and a letter', `${fill('annlee', 255)}x`],
  ['signs', fill('!?$%&/()=+*~#;:,<>')],
];
for (const [what, typed] of hostile) {
  test(`no long time for ${what}`, () => {
    const many = [...words, ...Array.from({ length: 50 }, (_none, index) => fill('annlee', 10 + index * 4))];
    const took = cpuMs(() => judgePassword(typed, typed, { lengthMin: 15, words: many }, isCommon));
    assert.ok(took < 150, `${took} ms`);
  });
}
test('no long time for a context that is too big', () => {
  const took = cpuMs(() => judgePassword(phrase, phrase, { lengthMin: 15, words: [fill('a b', 1_000_000)] }, isCommon));
  assert.ok(took < 150, `${took} ms`);
});

table('folded', foldPassword, [
  ['small letters', 'PassWord', 'password'],
  ['no blanks, hyphens, underscores, dots', ' pass-wo_rd.\u2013\u00a01\t', 'password1'],
  ['other signs stay', 'p@$$w0rd!', 'p@$$w0rd!'],
  ['full width', '\uff30\uff21\uff33\uff33', 'pass'],
  ['nothing left', '-. _', ''],
]);
