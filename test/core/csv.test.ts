// CSV: what RFC 4180 allows, what is taken beyond it, and that each line that is wrong is told by its number.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCsv } from '../../src/core/csv.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

const read = (text: string) =>
  [...readCsv(text)].map((each) => ('fields' in each ? [each.line, ...each.fields] : `${each.line} ${each.problem}`));
const stray =
  'a " or a bare carriage return stands inside a field; put the whole field in quotes, and a " inside it twice';
const unclosed = 'a quoted field begins here and never ends; close it with ", and write a " inside it twice';

table('CSV', read, [
  ['nothing', '', []],
  ['nothing but a byte order mark', '\ufeff', []],
  ['one field', 'a', [[1, 'a']]],
  [
    'LF, and none at the end',
    'a,b\nc,d',
    [
      [1, 'a', 'b'],
      [2, 'c', 'd'],
    ],
  ],
  [
    'CRLF',
    'a,b\r\nc,d\r\n',
    [
      [1, 'a', 'b'],
      [2, 'c', 'd'],
    ],
  ],
  ['a byte order mark before a quote', '\ufeff"a",b\n', [[1, 'a', 'b']]],
  [
    'empty fields',
    ',\n"",\n',
    [
      [1, '', ''],
      [2, '', ''],
    ],
  ],
  ['blanks belong to the field', ' a , b \n', [[1, ' a ', ' b ']]],
  [
    'quotes, commas and line ends in quotes',
    '"a ""b"", c\r\nd","""",e\nf\n',
    [
      [1, 'a "b", c\r\nd', '"', 'e'],
      [3, 'f'],
    ],
  ],
  [
    'empty lines',
    '\n\r\na\n\n\nb\n\n',
    [
      [3, 'a'],
      [6, 'b'],
    ],
  ],
  [
    'other numbers of fields',
    'a\nb,c\n',
    [
      [1, 'a'],
      [2, 'b', 'c'],
    ],
  ],
  ['a quote in the middle', 'a\nb"c,d\ne\n', [[1, 'a'], `2 ${stray}`, [3, 'e']]],
  ['text after a quote', '"a"b,"c\nd\n', [`1 ${stray}`, [2, 'd']]],
  ['text after a quote with a line end in it', '"a\n"b\nc\n', [`1 ${stray}`, [3, 'c']]],
  ['CR alone', 'a\rb\nc\r', [`1 ${stray}`, `2 ${stray}`]],
  ['a quote that is never closed', 'a\nb,"c\nd\n', [[1, 'a'], `2 ${unclosed}`]],
  ['a quote at the very end', 'a,"', [`1 ${unclosed}`]],
]);

test('what is written by the rules is read as it was', () => {
  const fields = fc.array(fc.string({ unit: fc.constantFrom(...'ab,"\r\n é;') }), { minLength: 2, maxLength: 4 });
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const written = (text: string) => (/[",\r\n]/.test(text) ? quoted(text) : text);
  const styles = fc.record({
    end: fc.constantFrom('\n', '\r\n'),
    write: fc.constantFrom(quoted, written),
    mark: fc.constantFrom('', '\ufeff'),
  });
  fc.assert(
    fc.property(fc.array(fields), styles, (records, { end, write, mark }) => {
      const text = mark + records.map((record) => record.map(write).join(',') + end).join('');
      assert.deepEqual(
        read(text).map((each) => each.slice(1)),
        records,
      );
    }),
    runs(500),
  );
});

test('any text ends, with lines in their order and in the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'a,"\r\n'), maxLength: 40 }), (text) => {
      let last = 0;
      for (const { line } of readCsv(text)) {
        assert.ok(line > last && line <= text.split('\n').length);
        last = line;
      }
    }),
    runs(2000),
  );
});

test('a megabyte of quotes takes no longer than one of letters', () => {
  for (const text of [
    '"'.repeat(1_000_001),
    '"a"b\n'.repeat(200_000),
    ','.repeat(1_000_000),
    `"${'\n'.repeat(1_000_000)}`,
  ]) {
    assert.ok(cpuMs(() => [...readCsv(text)].length) < 1000);
  }
});
