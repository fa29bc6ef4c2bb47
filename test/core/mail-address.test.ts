// Mail addresses: the narrow grammar with its limits, the one normal form, and comparison.
// What may stand around an address in a header is the business of the header reader and tested there.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { domainOf, isDomainName, localPartOf, parseMailbox, sameIgnoringCase } from '../../src/core/mail-address.ts';
import { cpuMs, mailbox, runs, table } from '../support/core-table.ts';

const long = (length: number) => 'a'.repeat(length);
const domainOfLength = (length: number) => `${`${long(49)}.`.repeat(4)}${long(length - 200)}`;

table('a domain name', isDomainName, [
  ['two labels', 'school.example', true],
  ['many labels', 'a.b.c.d.e.school.example', true],
  ['capitals', 'School.EXAMPLE', true],
  ['digits first', '1und1.example', true],
  ['hyphens inside', 'a-b--c.example', true],
  ['an A-label', 'xn--schle-lva.example', true],
  ['a top label with digits', 'school.x1', true],
  ['one label', 'localhost', false],
  ['nothing', '', false],
  ['a dot', '.', false],
  ['a dot at the end', 'school.example.', false],
  ['a dot in front', '.school.example', false],
  ['two dots', 'school..example', false],
  ['a hyphen first', '-a.example', false],
  ['a hyphen last', 'a-.example', false],
  ['a hyphen last in the top label', 'a.example-', false],
  ['an underscore', '_dmarc.example', false],
  ['a blank', 'a b.example', false],
  ['a blank behind', 'a.example ', false],
  ['a line break behind', 'a.example\n', false],
  ['a NUL', 'a.example\0', false],
  ['a letter beyond ASCII', 'sch\u00fcle.example', false],
  ['a dot of full width', 'school\uff0eexample', false],
  ['an IPv4 address', '192.0.2.1', false],
  ['a literal', '[192.0.2.1]', false],
  ['a top label of one digit', 'school.1', false],
  ['a top label of digits', 'school.123', false],
  ['a port', 'school.example:25', false],
  ['a label of 63', `${long(63)}.example`, true],
  ['a label of 64', `${long(64)}.example`, false],
  ['253 characters', domainOfLength(253), true],
  ['254 characters', domainOfLength(254), false],
]);

const parsed = (text: string): string | undefined => parseMailbox(text);
table('a mailbox', parsed, [
  ['plain', 'amy@school.example', 'amy@school.example'],
  ['the domain in lower case', 'amy@School.EXAMPLE', 'amy@school.example'],
  ['the local part byte for byte', 'A.mY@school.example', 'A.mY@school.example'],
  ['one letter', 'a@b.example', 'a@b.example'],
  ['every sign of an atom', "!#$%&'*+-/?=^_`{|}~@b.example", "!#$%&'*+-/?=^_`{|}~@b.example"],
  ['dots', 'a.b.c@b.example', 'a.b.c@b.example'],
  ['64 before the @', `${long(64)}@b.example`, `${long(64)}@b.example`],
  ['65 before the @', `${long(65)}@b.example`, undefined],
  ['254 in all', `aaaa@${domainOfLength(249)}`, `aaaa@${domainOfLength(249)}`],
  ['255 in all', `aaaaa@${domainOfLength(249)}`, undefined],
  ['no @', 'school.example', undefined],
  ['nothing before it', '@school.example', undefined],
  ['nothing behind it', 'amy@', undefined],
  ['two', 'amy@school@school.example', undefined],
  ['a dot first', '.amy@school.example', undefined],
  ['a dot last', 'amy.@school.example', undefined],
  ['two dots', 'a..my@school.example', undefined],
  ['quotes', '"amy"@school.example', undefined],
  ['a blank in front', ' amy@school.example', undefined],
  ['a blank behind', 'amy@school.example ', undefined],
  ['a line break behind', 'amy@school.example\n', undefined],
  ['a line break before the @', 'amy\n@school.example', undefined],
  ['a NUL', 'amy\0@school.example', undefined],
  ['a NUL behind', 'amy@school.example\0', undefined],
  ['angle brackets', '<amy@school.example>', undefined],
  ['a comment', 'amy(x)@school.example', undefined],
  ['a letter beyond ASCII', 'j\u00fcrgen@school.example', undefined],
  ['a sign for kelvin', '\u212aim@school.example', undefined],
  ['an @ of full width', 'amy\uff20school.example', undefined],
  ['a trailing dot', 'amy@school.example.', undefined],
  ['a literal', 'amy@[192.0.2.1]', undefined],
  ['an encoded word', '=?utf-8?Q?amy?=@school.example', undefined],
]);

test('local part and domain are what stands before and behind the @', () => {
  assert.deepEqual([localPartOf(mailbox('A.b@C.example')), domainOf(mailbox('A.b@C.example'))], ['A.b', 'c.example']);
});

test('the normal form is a normal form, and the two parts make the whole', () => {
  const letters = fc.constantFrom(...'abzAZ019.-+_@ ');
  const texts = fc.tuple(
    fc.string({ unit: letters, minLength: 1, maxLength: 8 }),
    fc.string({ unit: letters, maxLength: 8 }),
  );
  let found = 0;
  fc.assert(
    fc.property(texts, ([local, domain]) => {
      const address = parseMailbox(`${local}@${domain}.Example`);
      if (address === undefined) return;
      found++;
      assert.equal(parseMailbox(address), address);
      assert.equal(`${localPartOf(address)}@${domainOf(address)}`, address);
      assert.deepEqual([localPartOf(address), domainOf(address)], [local, `${domain}.Example`.toLowerCase()]);
    }),
    runs(2000),
  );
  assert.ok(found > 100, `only ${found} were mailboxes`);
});

table('the same without regard to case', ([one, other]: readonly [string, string]) => sameIgnoringCase(one, other), [
  ['equal', ['amy@school.example', 'amy@school.example'], true],
  ['other letters', ['Amy@SCHOOL.example', 'aMY@school.EXAMPLE'], true],
  ['another one', ['amy@school.example', 'bob@school.example'], false],
  ['a blank more', ['amy@school.example', 'amy@school.example '], false],
  ['signs that are not letters', ['[@a.example', '{@a.example'], false],
  ['a sign for kelvin is no k (ASCII case only)', ['\u212aim@school.example', 'kim@school.example'], false],
]);

test('hostile input takes no long time', () => {
  for (const unit of ['a', 'a.', '@', '.', '-', 'a-', '=']) {
    const text = unit.repeat(1_000_000);
    const took = cpuMs(() => [parseMailbox(text), parseMailbox(`${text}@b.example`), isDomainName(text)]);
    assert.ok(took < 150, `${took} ms`);
    const short = unit.repeat(200).slice(0, 240);
    assert.ok(cpuMs(() => [parseMailbox(`${short}!`), isDomainName(`${short}!`)]) < 50);
  }
});
