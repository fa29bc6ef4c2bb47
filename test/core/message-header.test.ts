// The strict header reader: a row per refusal of MAIL-POLICY D2 to D7 with its edges, the facts it reads, and what must
// hold for every input: nothing throws, time stays linear, and mailauth finds the very same author.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { authenticate } from 'mailauth';
import { type MessageHeader, readMessageHeader } from '../../src/core/message-header.ts';
import { headerText, mail, octets, realMails } from '../support/core-mail.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

const read = (message: Uint8Array) => readMessageHeader(message, 10);

/** `header`, or the reason of the refusal. */
function verdict(message: Uint8Array | string): string {
  const header = read(typeof message === 'string' ? octets(message) : message);
  return header.kind === 'refused' ? header.reason : header.kind;
}

function accepted(message: Uint8Array | string): MessageHeader {
  const header = read(typeof message === 'string' ? octets(message) : message);
  assert.equal(header.kind, 'header', 'reason' in header ? header.reason : '');
  return header;
}

// ---- D2: octets that two programs may read in two ways ----

const head = headerText();
table('D2, line ends and NUL', verdict, [
  ['none of them', `${head}\r\nHello\r\n`, 'header'],
  ['a NUL in a value', headerText({ Subject: 'a\0b' }), 'line-ends-malformed'],
  ['a NUL in a name', `X\0: b\r\n${head}`, 'line-ends-malformed'],
  [
    'a NUL in the d= of a signature',
    headerText({ 'DKIM-Signature': 'd=evil.example\0.bank.example' }),
    'line-ends-malformed',
  ],
  ['a NUL in the body', `${head}\r\nHel\0lo\r\n`, 'line-ends-malformed'],
  ['a NUL as the very last octet', `${head}\r\nHello\r\n\0`, 'line-ends-malformed'],
  ['a NUL as the very first octet', `\0${head}\r\n`, 'line-ends-malformed'],
  ['a bare LF between fields', head.replace('\r\nTo', '\nTo'), 'line-ends-malformed'],
  ['a bare CR between fields', head.replace('\r\nTo', '\rTo'), 'line-ends-malformed'],
  ['a bare LF in a value', headerText({ Subject: 'a\nb' }), 'line-ends-malformed'],
  ['a bare CR in a value', headerText({ Subject: 'a\rb' }), 'line-ends-malformed'],
  ['a bare LF as the empty line', `${head}\nHello\r\n`, 'line-ends-malformed'],
  ['bare LFs throughout', `${head}\r\nHello\r\n`.replaceAll('\r\n', '\n'), 'line-ends-malformed'],
  ['LF CR for CR LF', head.replaceAll('\r\n', '\n\r'), 'line-ends-malformed'],
  ['a bare LF in the body', `${head}\r\nHel\nlo\r\n`, 'line-ends-malformed'],
  ['a bare CR in the body', `${head}\r\nHel\rlo\r\n`, 'line-ends-malformed'],
  ['CR CR LF in the body', `${head}\r\nHello\r\r\n`, 'line-ends-malformed'],
  ['CR LF LF in the body', `${head}\r\nHello\r\n\n`, 'line-ends-malformed'],
  ['a CR as the very last octet', `${head}\r\nHello\r`, 'line-ends-malformed'],
  ['an LF as the very first octet', `\n${head}\r\n`, 'line-ends-malformed'],
  ['far down in the body', `${head}\r\n${'x'.repeat(200_000)}\n`, 'line-ends-malformed'],
]);

// ---- D3: form and size of the header section ----

const pad = (name: string, length: number) => `${name}: ${'x'.repeat(length - name.length - 2)}`;
/** The plain header with a field that brings it to so many octets, the last line end not counted. */
const sized = (size: number) => `${head}${pad('X-Pad', size - head.length)}`;
const manyFields = (fields: number) => head + 'X: y\r\n'.repeat(fields - 5);
const manyLines = (lines: number) => `${head}X: y\r\n${' y\r\n'.repeat(lines - 6)}`;

table('D3, form', verdict, [
  ['nothing at all', '', 'header-malformed'],
  ['only a line end', '\r\n', 'header-malformed'],
  ['an empty line first', `\r\n${head}\r\nHello\r\n`, 'header-malformed'],
  ['a body without a header', '\r\nHello\r\n', 'header-malformed'],
  ['a header without a body', head, 'header'],
  ['a header whose last line has no end', head.slice(0, -2), 'header'],
  ['an empty body', `${head}\r\n`, 'header'],
  ['the first line folded', ` folded\r\n${head}\r\n`, 'header-malformed'],
  ['the first line folded, by a tab', `\tX: y\r\n${head}\r\n`, 'header-malformed'],
  ['a line without a colon', `${head}Hello\r\n\r\n`, 'header-malformed'],
  ['a line with nothing before its colon', `${head}: y\r\n\r\n`, 'header-malformed'],
  ['a blank before the colon', `${head}X : y\r\n\r\n`, 'header-malformed'],
  ['a tab before the colon', `${head}X\t: y\r\n\r\n`, 'header-malformed'],
  ['a blank in a name', `${head}X Y: z\r\n\r\n`, 'header-malformed'],
  ['From with a blank before its colon, after a good one', `${head}From : b@evil.example\r\n\r\n`, 'header-malformed'],
  ['a control octet in a name', `${head}X\x07Y: z\r\n\r\n`, 'header-malformed'],
  ['DEL in a name', `${head}X\x7f: z\r\n\r\n`, 'header-malformed'],
  ['an octet beyond ASCII in a name', `${head}X\xa0: z\r\n\r\n`, 'header-malformed'],
  ['a no-break space at the start of a line', `${head}\xa0X: z\r\n\r\n`, 'header-malformed'],
  ['a vertical tab at the start of a line', `${head}\x0bX: z\r\n\r\n`, 'header-malformed'],
  ['every sign that a name may have', `${head}!"#$%&'()*+,-./09;<=>?@AZ[\\]^_\`az{|}~: z\r\n\r\n`, 'header'],
  ['an mbox line', `From amy@school.example Tue Jan  1 10:00:00 2030\r\n${head}\r\n`, 'header-malformed'],
  ['an empty value', `${head}X:\r\n\r\n`, 'header'],
  ['a colon in a value', `${head}X: y: z\r\n\r\n`, 'header'],
  ['no blank after the colon', `${head}X:y\r\n\r\n`, 'header'],
  ['malformed lines in the body are nobody\u2019s business', `${head}\r\n folded\r\nHello\r\n: \r\n`, 'header'],
]);

table('D3, size', verdict, [
  ['64 KiB', `${sized(65_536)}\r\n\r\nHello\r\n`, 'header'],
  ['an octet more', `${sized(65_537)}\r\n\r\nHello\r\n`, 'header-malformed'],
  ['64 KiB and no body', sized(65_536), 'header'],
  ['an octet more and no body', sized(65_537), 'header-malformed'],
  ['2 MiB and no body', sized(2_097_152), 'header-malformed'],
  ['a small header and a body of 2 MiB', `${head}\r\n${'Hello\r\n'.repeat(299_593)}`, 'header'],
  ['1,000 lines', `${manyLines(1000)}\r\nHello\r\n`, 'header'],
  ['1,001 lines', `${manyLines(1001)}\r\nHello\r\n`, 'header-malformed'],
  ['1,000 lines and no body', manyLines(1000), 'header'],
  ['300 fields', `${manyFields(300)}\r\nHello\r\n`, 'header'],
  ['301 fields', `${manyFields(301)}\r\nHello\r\n`, 'header-malformed'],
  ['300 fields and no body', manyFields(300), 'header'],
]);

/** A value of so many octets that the field may have. */
function fieldOf(name: string, length: number): string {
  if (name !== 'From' && name !== 'To') return 'x'.repeat(length);
  const rest = ' <amy@school.example>';
  return `"${'x'.repeat(length - rest.length - 2)}"${rest}`;
}

for (const name of ['DKIM-Signature', 'ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results']) {
  const blanks = (count: number) => `z=${' \t'.repeat(count).slice(0, count)}x; b=y`;
  const folded = (count: number) => `z=${'\r\n '.repeat(count)}x; b=y`;
  table(`D3, blanks in ${name}`, verdict, [
    ['99 in a row', headerText({ [name]: `${blanks(99)}; ${blanks(99)}` }), 'header'],
    ['100 in a row', headerText({ [name]: blanks(100) }), 'header-malformed'],
    ['99 in a row, each on a line of its own', headerText({ [name]: folded(99) }), 'header'],
    ['100 in a row, each on a line of its own', headerText({ [name]: folded(100) }), 'header-malformed'],
  ]);
}

test('D3, blanks in any other field are nobody’s business', () => {
  assert.equal(verdict(headerText({ Subject: `a${' '.repeat(500)}b` })), 'header');
});

for (const name of ['From', 'To', 'Subject', 'Date', 'Message-ID', 'DKIM-Signature']) {
  const long = (octetsOfLine: number) => headerText({ [name]: fieldOf(name, octetsOfLine - `${name}: `.length) });
  const folded = (octetsOfLine: number) => headerText({ [name]: `"x"\r\n ${fieldOf(name, octetsOfLine - 1)}` });
  table(`D3, a line of ${name}`, verdict, [
    ['of 998 octets', long(998), 'header'],
    ['of 999 octets', long(999), 'header-malformed'],
    ['of 999 octets, in capitals', long(999).replace(`${name}:`, `${name.toUpperCase()}:`), 'header-malformed'],
    ['of 998 octets, folded', folded(998), 'header'],
    ['of 999 octets, folded', folded(999), 'header-malformed'],
  ]);
}

table('D3, other lines', verdict, [
  ['a long Received', headerText({ Received: 'x'.repeat(5000) }), 'header'],
  [
    'a Subject that is long only when unfolded',
    headerText({ Subject: `${'x'.repeat(900)}\r\n ${'x'.repeat(990)}` }),
    'header',
  ],
]);

// ---- D4: how often a field may stand there ----

const onlyOnce = ['Date', 'Subject', 'Message-ID', 'Sender', 'Reply-To', 'Cc', 'MIME-Version', 'Content-Type'].concat([
  'Content-Transfer-Encoding',
  'In-Reply-To',
  'References',
  'Auto-Submitted',
]);
for (const name of onlyOnce) {
  table(`D4, ${name}`, verdict, [
    ['absent', headerText({ [name]: undefined }), 'header'],
    ['once', headerText({ [name]: 'x' }), 'header'],
    ['twice', headerText({ [name]: ['x', 'x'] }), 'header-repeated'],
    [
      'twice, in other letters',
      headerText({ [name]: 'x', [name.toUpperCase()]: 'x', [name.toLowerCase()]: 'x' }),
      'header-repeated',
    ],
  ]);
}

table('D4, From and To', verdict, [
  ['no From', headerText({ From: undefined }), 'header-repeated'],
  ['two From', headerText({ From: ['amy@school.example', 'eve@evil.example'] }), 'header-repeated'],
  ['the same From twice', headerText({ From: ['amy@school.example', 'amy@school.example'] }), 'header-repeated'],
  ['a second From in other letters', headerText({ FROM: 'eve@evil.example' }), 'header-repeated'],
  ['a second From at the end', `${head}X: y\r\nfrom: eve@evil.example\r\n\r\n`, 'header-repeated'],
  ['a second From in the body only', `${head}\r\nFrom: eve@evil.example\r\n`, 'header'],
  ['no To', headerText({ To: undefined }), 'header-repeated'],
  ['two To', headerText({ To: ['k7m29qxf@in.school.example', 'eve@evil.example'] }), 'header-repeated'],
  ['neither', 'X: y\r\n\r\n', 'header-repeated'],
  ['fields that may repeat', headerText({ Received: ['x', 'y'], 'X-Y': ['x', 'y'], Comments: ['x', 'y'] }), 'header'],
  [
    'a name that only begins like From',
    headerText({ 'From-': 'eve@evil.example', 'X-From': 'eve@evil.example' }),
    'header',
  ],
]);

// ---- D5: loops and floods of signatures ----

const times = (count: number) => Array.from({ length: count }, (_, index) => `x${index}`);
table('D5', verdict, [
  ['50 Received', headerText({ Received: times(50) }), 'header'],
  ['51 Received', headerText({ Received: times(51) }), 'mail-loop'],
  ['51 Received in mixed letters', headerText({ Received: times(25), RECEIVED: times(26) }), 'mail-loop'],
  ['10 signatures', headerText({ 'DKIM-Signature': times(10) }), 'header'],
  ['11 signatures', headerText({ 'DKIM-Signature': times(11) }), 'too-many-signatures'],
  [
    '11 signatures in mixed letters',
    headerText({ 'DKIM-Signature': times(5), 'dkim-signature': times(6) }),
    'too-many-signatures',
  ],
]);

test('D5, the number of signatures is a setting', () => {
  const message = mail({ 'DKIM-Signature': times(3) });
  assert.equal(readMessageHeader(message, 3).kind, 'header');
  assert.deepEqual(readMessageHeader(message, 2), { kind: 'refused', reason: 'too-many-signatures' });
});

// ---- D6: octets that do not belong into an address ----

const strange = ['\x01', '\x08', '\x0b', '\x0c', '\x1b', '\x1f', '\x7f', '\x80', '\xa0', '\xe4', '\xff', '\xc3\xa4'];
for (const name of ['From', 'To', 'Date', 'Message-ID', 'DKIM-Signature']) {
  for (const octet of strange) {
    const shown = JSON.stringify(octet);
    const fields = { [name]: `"a${octet}b" <amy@school.example>` };
    test(`D6, ${shown} in ${name}`, () => assert.equal(verdict(mail(fields)), 'address-not-ascii'));
  }
}

table('D6, elsewhere', verdict, [
  ['in a folded part of From', headerText({ From: '"a"\r\n \xe4 <amy@school.example>' }), 'address-not-ascii'],
  ['in the second of two signatures', headerText({ 'DKIM-Signature': ['x', 'x\xe4'] }), 'address-not-ascii'],
  ['8 bits in Subject', headerText({ Subject: 'Pa\xc3\x9fwort KQXF-WTMB' }), 'header'],
  ['control octets in Subject', headerText({ Subject: 'a\x01\x1b\x7fb' }), 'header'],
  ['8 bits in Reply-To', headerText({ 'Reply-To': '\xe4 <a@b.example>' }), 'header'],
  ['8 bits in the body', `${head}\r\n\xff\xfe\r\n`, 'header'],
  ['a tab in From', headerText({ From: 'Amy\tAdams\t<amy@school.example>' }), 'header'],
  ['a From in UTF-8', headerText({ From: 'J\xc3\xbcrgen <juergen@school.example>' }), 'address-not-ascii'],
  ['a domain in UTF-8', headerText({ From: 'amy@sch\xc3\xbcle.example' }), 'address-not-ascii'],
]);

// ---- D7: the author ----

const authorOf = (from: string): string => {
  const header = read(mail({ From: from }));
  return header.kind === 'refused' ? header.reason : header.author;
};
const amy = 'amy@school.example';
const long = (length: number) => 'a'.repeat(length);

table('D7, accepted', authorOf, [
  ['a bare address', 'amy@school.example', amy],
  ['a bare address with blanks around', ' \t amy@school.example \t ', amy],
  ['angle brackets alone', '<amy@school.example>', amy],
  ['atoms', 'Amy Adams <amy@school.example>', amy],
  ['no blank before the bracket', 'Amy<amy@school.example>', amy],
  ['many blanks and tabs', 'Amy \t  Adams\t <amy@school.example>  ', amy],
  ['initials with dots', 'J. R. Amy <amy@school.example>', amy],
  ['every sign of an atom', "!#$%&'*+-/=?^_`{|}~ <amy@school.example>", amy],
  ['a quoted name', '"Adams, Amy (4b)" <amy@school.example>', amy],
  ['an empty quoted name', '"" <amy@school.example>', amy],
  ['escapes in a quoted name', '"Amy \\"A\\" \\\\ Adams" <amy@school.example>', amy],
  ['a tab in a quoted name', '"Amy\tAdams" <amy@school.example>', amy],
  ['an address in a quoted name', '"eve@evil.example" <amy@school.example>', amy],
  ['an address in brackets in a quoted name', '"<eve@evil.example>" <amy@school.example>', amy],
  ['a list in a quoted name', '"a@b.example, <c@d.example>;" <amy@school.example>', amy],
  ['quoted names and atoms', '"Amy" B. "Adams"<amy@school.example>', amy],
  ['an encoded word', '=?utf-8?Q?J=C3=BCrgen?= <amy@school.example>', amy],
  ['two encoded words, folded', '=?utf-8?B?SsO8cmdlbg==?=\r\n =?utf-8?B?TcO8bGxlcg==?= <amy@school.example>', amy],
  ['folded before the address', 'Amy Adams\r\n <amy@school.example>', amy],
  ['folded at once', '\r\n amy@school.example', amy],
  ['folded in a quoted name', '"Amy\r\n Adams" <amy@school.example>', amy],
  ['folded behind', 'amy@school.example\r\n ', amy],
  ['the domain in capitals', 'amy@SCHOOL.Example', amy],
  ['the local part as written', 'Amy.ADAMS@school.example', 'Amy.ADAMS@school.example'],
  ['dots and tags', 'a.b.c+d=e@school.example', 'a.b.c+d=e@school.example'],
  ['signs in the local part', "!#$%&'*+-/?=^_`{|}~@school.example", "!#$%&'*+-/?=^_`{|}~@school.example"],
  ['an A-label', 'amy@xn--schle-lva.example', 'amy@xn--schle-lva.example'],
  ['64 octets before the @', `${long(64)}@school.example`, `${long(64)}@school.example`],
]);

const unreadable: readonly string[] = [
  '',
  ' ',
  'amy',
  'amy@',
  '@school.example',
  'amy@school',
  'amy@@school.example',
  'eve@evil.example@school.example',
  'amy @school.example',
  'amy@ school.example',
  'amy@school .example',
  'amy@school.example.',
  'amy@.school.example',
  'amy@school..example',
  'amy@-school.example',
  'amy@school-.example',
  'amy@school_1.example',
  'amy@1.2.3.4',
  'amy@[192.0.2.1]',
  'amy@[IPv6:2001:db8::1]',
  '.amy@school.example',
  'amy.@school.example',
  'a..my@school.example',
  '"amy"@school.example',
  '<"amy"@school.example>',
  '"a@b"@school.example',
  'a\\my@school.example',
  'amy(comment)@school.example',
  '(comment) amy@school.example',
  'amy@school.example (Amy Adams)',
  'Amy (4b) <amy@school.example>',
  '<amy@school.example> (Amy)',
  '<amy@school.example> Amy',
  'amy@school.example, eve@evil.example',
  '<amy@school.example>, <eve@evil.example>',
  '<amy@school.example> <eve@evil.example>',
  'amy@school.example <eve@evil.example>',
  'amy@school.example eve@evil.example',
  '<eve@evil.example> amy@school.example',
  'amy@school.example;',
  'amy@school.example,',
  ',amy@school.example',
  'Friends: amy@school.example;',
  'Friends: Amy <amy@school.example>;',
  'undisclosed-recipients:;',
  '<@relay.example:amy@school.example>',
  '<>',
  'Amy <>',
  'Amy <amy@school.example',
  'Amy amy@school.example>',
  'Amy <<amy@school.example>>',
  'Amy <amy@school.example>>',
  '<<amy@school.example>',
  'Amy < amy@school.example>',
  'Amy <amy@school.example >',
  'Amy <\r\n amy@school.example>',
  'Amy <amy@school.example\r\n >',
  'amy@school\r\n .example',
  '"Amy <amy@school.example>',
  'Amy" <amy@school.example>',
  '"Amy\\" <amy@school.example>',
  '"Amy" "Adams <amy@school.example>',
  'Amy, Adams <amy@school.example>',
  'Amy: <amy@school.example>',
  'Amy; <amy@school.example>',
  '[Amy] <amy@school.example>',
  'Amy@home <amy@school.example>',
  'Amy\\ <amy@school.example>',
  'Amy > <amy@school.example>',
  // An encoded word is an atom too: a relay or mail program that decodes it may see, and serve, another address.
  '=?utf-8?Q?amy=40school.example?=',
  '=?utf-8?Q?amy?=@school.example',
  'Amy <=?utf-8?Q?eve=40evil.example=3E?=@school.example>',
  '<a.=?utf-8?B?ZXZl?=@school.example>',
  '<amy@=?utf-8?Q?school.example?=>',
  '<mailto:amy@school.example>',
  `${long(65)}@school.example`,
  `amy@${long(64)}.example`,
  `${long(64)}@${`${long(59)}.`.repeat(3)}example-is`,
];
table(
  'D7, refused',
  authorOf,
  unreadable.map((from) => [JSON.stringify(from).slice(0, 80), from, 'author-unreadable']),
);

test('D7, 254 octets are an address, 255 are none', () => {
  const address = (size: number) => `${long(64)}@${`${long(59)}.`.repeat(3)}${long(size - 245)}`;
  assert.equal(address(254).length, 254);
  assert.equal(authorOf(address(254)), address(254));
  assert.equal(authorOf(address(255)), 'author-unreadable');
});

// ---- the order of the rows ----

table('the first row that applies decides', verdict, [
  ['D2 before D3', `X\0\r\n${head}`, 'line-ends-malformed'],
  ['D3 before D4', `X\r\n${head}${head}`, 'header-malformed'],
  ['D4 before D5', headerText({ From: [amy, amy], Received: times(51) }), 'header-repeated'],
  ['D5, Received before signatures', headerText({ Received: times(51), 'DKIM-Signature': times(11) }), 'mail-loop'],
  ['D5 before D6', headerText({ From: '\xe4', 'DKIM-Signature': times(11) }), 'too-many-signatures'],
  ['D6 before D7', headerText({ From: '\xe4 <amy>' }), 'address-not-ascii'],
]);

// ---- the facts ----

table('To', (to: string) => accepted(mail({ To: to })).recipient as string | undefined, [
  ['a bare address', 'k7m29qxf@in.school.example', 'k7m29qxf@in.school.example'],
  ['in groups', 'k7m2-9qxf@IN.school.example', 'k7m2-9qxf@in.school.example'],
  ['with a name', '"Reset" <k7m29qxf@in.school.example>', 'k7m29qxf@in.school.example'],
  ['folded', '\r\n\t"Reset"\r\n <k7m29qxf@in.school.example>', 'k7m29qxf@in.school.example'],
  ['two', 'k7m29qxf@in.school.example, amy@school.example', undefined],
  ['a group', 'undisclosed-recipients:;', undefined],
  ['nothing', '', undefined],
  ['with a comment', 'k7m29qxf@in.school.example (Reset)', undefined],
]);

table('Subject', (subject: string | undefined) => accepted(mail({ Subject: subject })).subject, [
  ['absent', undefined, ''],
  ['empty', '', ''],
  ['with blanks around', '  KQXF-WTMB \t', 'KQXF-WTMB'],
  ['folded by a blank', 'New\r\n password', 'New password'],
  ['folded by a tab', 'New\r\n\tpassword', 'New\tpassword'],
  ['folded at once', '\r\n New password', 'New password'],
  ['folded by several blanks', 'New\r\n   password', 'New   password'],
  ['encoded words stay as they are', '=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=', '=?utf-8?Q?a?= =?utf-8?Q?b?='],
  ['8 bits, one character per octet', '\xc3\x9f', '\xc3\x9f'],
]);

table('Message-ID', (id: string | undefined) => accepted(mail({ 'Message-ID': id })).messageId, [
  ['absent', undefined, undefined],
  ['as it should be', '<1.a-b@school.example>', '<1.a-b@school.example>'],
  ['folded', '\r\n <1@school.example>', '<1@school.example>'],
  ['without an @', '<abc>', undefined],
  ['with two @', '<1@school@example>', undefined],
  ['a link', '<http://evil.example/reset?token=1>', undefined],
  ['a link with an @', '<//evil.example/reset@x.example>', undefined],
  ['a path', '<evil.example/reset@x.example>', undefined],
  ['2 characters', '<ab>', undefined],
  ['250 characters', `<${long(248)}@x>`, `<${long(248)}@x>`],
  ['251 characters', `<${long(249)}@x>`, undefined],
  ['without brackets', '1@school.example', undefined],
  ['two', '<1@school.example> <2@school.example>', undefined],
  ['two without a blank', '<1@school.example><2@school.example>', undefined],
  ['a blank in it', '<1 2@school.example>', undefined],
  ['a fold in it', '<1\r\n 2@school.example>', undefined],
  ['a tab in it', '<1\t2@school.example>', undefined],
  ['empty', '', undefined],
  ['brackets only', '<>', undefined],
]);

test('fields have names in lower case, and their values in the order of the message', () => {
  const { fields } = accepted(mail({ 'X-A': [' 1', '2'], received: 'r1', Received: 'r2', 'x-a': '3\r\n\t4' }));
  assert.deepEqual(fields.get('x-a'), ['  1', ' 2', ' 3\t4']);
  assert.deepEqual(fields.get('received'), [' r1', ' r2']);
  assert.equal(fields.get('X-A'), undefined);
});

test('names that mean something to JavaScript are names like all others', () => {
  const { fields } = accepted(`${head}__proto__: a\r\nconstructor: b\r\ntoString: c\r\n\r\n`);
  assert.deepEqual(
    [fields.get('__proto__'), fields.get('constructor'), fields.get('tostring')],
    [[' a'], [' b'], [' c']],
  );
});

test('what looks like a header in the body is none', () => {
  const { fields, author } = accepted(`${head}\r\nX-Body: y\r\nFrom: eve@evil.example\r\n`);
  assert.equal(fields.has('x-body'), false);
  assert.equal(author, amy);
});

test('a line of blanks alone is a fold, and does not end the header', () => {
  const { fields } = accepted(`${head}X: y\r\n \r\nZ: z\r\n\r\n`);
  assert.deepEqual([fields.get('x'), fields.get('z')], [[' y '], [' z']]);
});

for (const [index, text] of realMails.entries()) {
  test(`real mail ${index + 1} is read`, () => {
    const { author, recipient, subject, messageId } = accepted(text);
    assert.match(author, /^[^@]+@(mail|schule|school)\.example$/);
    assert.match(recipient ?? '', /^k7m2-?9qxf.*@in\.school\.example$/);
    assert.match(subject, /KQXF-W/);
    assert.match(messageId ?? '', /^<.+>$/);
  });
}

// ---- random and bent messages ----

const tokens = [
  ...['"', '\\', '<', '>', '@', ',', ';', ':', '(', ')', '[', ']', '.', ' ', '\t', '\r\n ', '\r\n\t', "'", '`'],
  ...['a', 'Amy', 'b.c', 'amy@school.example', 'eve@evil.example', '<eve@evil.example>', '"eve@evil.example"'],
  ...[
    '=?utf-8?Q?',
    '?=',
    '=40',
    '\\"',
    '\\\\',
    '""',
    '\xe4',
    '\x01',
    '\r\n',
    '\r\nFrom: ',
    '\r\n\r\n',
    '\0',
    '\n',
    '\r',
  ],
];
const someTokens = fc.array(fc.constantFrom(...tokens), { maxLength: 8, size: 'max' }).map((parts) => parts.join(''));
const calmTokens = fc
  .array(fc.constantFrom(...tokens.slice(0, 19), 'a', 'Amy', '"eve@evil.example"', '\\"', '""'), {
    maxLength: 8,
    size: 'max',
  })
  .map((parts) => parts.join(''));

const bends: fc.Arbitrary<(text: string) => string> = fc.oneof(
  // An octet is another one.
  fc.tuple(fc.nat(), fc.nat(255)).map(([at, octet]) => (text: string) => {
    const place = at % text.length;
    return text.slice(0, place) + String.fromCharCode(octet) + text.slice(place + 1);
  }),
  // A token stands somewhere.
  fc.tuple(fc.nat(), fc.constantFrom(...tokens)).map(([at, token]) => (text: string) => {
    const place = at % text.length;
    return text.slice(0, place) + token + text.slice(place);
  }),
  // A line is left out, said twice, or stands elsewhere.
  fc.tuple(fc.nat(), fc.nat(), fc.constantFrom('drop', 'repeat', 'move')).map(([from, to, how]) => (text: string) => {
    const all = text.split('\r\n');
    const [line = ''] = how === 'repeat' ? all.slice(from % all.length) : all.splice(from % all.length, 1);
    if (how !== 'drop') all.splice(to % (all.length + 1), 0, line);
    return all.join('\r\n');
  }),
  // The end is missing.
  fc.nat().map((at) => (text: string) => text.slice(0, (at % text.length) + 1)),
);
const bentMail = fc
  .tuple(fc.constantFrom(...realMails, `${head}\r\nHello\r\n`), fc.array(bends, { minLength: 1, maxLength: 4 }))
  .map(([text, changes]) => changes.reduce((bent, change) => change(bent || 'x'), text));
const fromMail = (from: string) => `From: ${from}\r\nTo: k7m29qxf@in.school.example\r\n\r\nHello\r\n`;
const tokenMail = fc.oneof(
  someTokens.map(fromMail),
  calmTokens.map((name) => fromMail(`${name} <amy@School.example>`)),
  calmTokens.map((name) => fromMail(`"${name}"<amy@school.example>`)),
);

test('no message throws, and every reading keeps its promises', () => {
  const messages = fc.oneof(
    bentMail.map(octets),
    tokenMail.map(octets),
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 100 }).map((tail) => new Uint8Array([...octets(head), ...tail])),
  );
  let readable = 0;
  fc.assert(
    fc.property(messages, (message) => {
      const header = read(message);
      if (header.kind === 'refused') return;
      readable++;
      assert.match(header.author, /^[!-?A-~]+@[a-z0-9.-]+$/);
      assert.doesNotMatch(header.subject, /[\r\n\0]/);
      assert.match(header.messageId ?? '<abc>', /^<[!-;=?-~]{3,250}>$/);
      assert.equal(header.fields.get('from')?.length, 1);
      assert.equal(header.fields.get('to')?.length, 1);
      for (const name of header.fields.keys()) assert.match(name, /^[!-9;-~]+$/);
    }),
    runs(2000),
  );
  assert.ok(readable > 200, `only ${readable} were readable`);
});

const noNames = () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));

/** The authors that mailauth reads, and in how many fields. */
async function secondOpinion(message: Uint8Array) {
  const options = { strict: true, disableArc: true, disableBimi: true, mta: 'mx.in.school.example', resolver: noNames };
  const { dkim } = await authenticate(Buffer.from(message), options);
  const lowered = dkim.headerFrom.map((one) => one.replace(/@[^@]*$/, (domain) => domain.toLowerCase()));
  return { authors: lowered, fields: dkim.fromFields };
}

test('mailauth reads the very same author, wherever one is accepted', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(bentMail, tokenMail), async (text) => {
      const header = read(octets(text));
      if (header.kind === 'refused') return;
      compared++;
      assert.deepEqual(await secondOpinion(octets(text)), { authors: [header.author], fields: 1 });
    }),
    runs(1200),
  );
  assert.ok(compared > 250, `only ${compared} were compared`);
});

test('mailauth reads the same author in each real mail', async () => {
  for (const text of realMails) {
    assert.deepEqual(await secondOpinion(octets(text)), { authors: [accepted(text).author], fields: 1 });
  }
});

// ---- time ----

const full = 65_000; // a header section that is not refused for its size alone
const fill = (unit: string, length = full) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
/** Folded, so that no line is too long. */
const fold = (text: string) => (text.match(/[\s\S]{1,900}/g) ?? []).join('\r\n ');
const end = '\r\nTo: k7m29qxf@in.school.example\r\n\r\n';
const from = (unit: string, tail = ' <amy@school.example>') => `From: ${fold(fill(unit))}${tail}${end}`;

const hostile: readonly (readonly [string, string])[] = [
  ['blanks in From', from(' ')],
  ['tabs in From', from('\t', '')],
  ['quotes in From', from('"')],
  ['an odd number of quotes in From', from('"').replace('"', '')],
  ['a quote without end in From', from('a').replace('a', '"')],
  ['escapes in a quote without end', from('\\a').replace('\\', '"')],
  ['escaped quotes', from('\\"').replace('\\', '"')],
  ['quoted blanks', from('" " ')],
  ['< in From', from('<')],
  ['> in From', from('>')],
  ['< > in From', from('<>', '>')],
  ['@ in From', from('@', '')],
  ['dots in From', from('.', '>')],
  ['atoms with dots, and no bracket', from('a.', '')],
  ['atoms and a bracket too many', from('a ', '>')],
  ['encoded words in From', from('=?utf-8?Q?a?= ')],
  ['starts of encoded words in From', from('=?')],
  ['encoded words in Subject', `Subject: ${fold(fill('=?utf-8?Q?a?= '))}\r\nFrom: a@b.example${end}`],
  ['blanks in Message-ID', `Message-ID: ${fold(fill(' '))}<\r\nFrom: a@b.example${end}`],
  ['one long name without a colon', `${fill('x')}\r\nFrom: a@b.example${end}`],
  ['short fields', `${fill('a:\r\n', 1000)}From: a@b.example${end}`],
  ['short folds', `a:\r\n${fill(' \r\n', 2900)}From: a@b.example${end}`],
  ['one field 290 times, long', `${fill(`a: ${'b'.repeat(215)}\r\n`, 220 * 290)}From: a@b.example${end}`],
  ['line ends', fill('\r\n')],
  ['colons', `${fill(':')}\r\n`],
];
for (const [what, text] of hostile) {
  test(`64 KiB of ${what} take no long time`, () => {
    const message = octets(text);
    assert.ok(message.length <= 66_000);
    const took = cpuMs(() => read(message));
    assert.ok(took < 150, `${took} ms`);
  });
}

test('2 MiB of body take no long time', () => {
  for (const unit of ['\r\n', 'x', 'ab\r\n']) {
    const message = octets(`${head}\r\n${fill(unit, 2 ** 21)}`);
    const took = cpuMs(() => assert.equal(verdict(message), 'header'));
    assert.ok(took < 300, `${took} ms`);
  }
});
