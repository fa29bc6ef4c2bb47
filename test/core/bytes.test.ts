// Bytes as text: the same as Node writes them, and one spelling for each value.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, fromBase64Url, fromHex, textBytes, toBase64Url, toHex } from '../../src/core/bytes.ts';
import { runs, table } from '../support/core-table.ts';

const someBytes = fc.uint8Array({ maxLength: 64 });

test('hexadecimal and base64url are what Node makes of them, and come back', () => {
  fc.assert(
    fc.property(someBytes, (bytes) => {
      assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'));
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.equal(toBase64Url(bytes), Buffer.from(bytes).toString('base64url'));
      assert.deepEqual(fromBase64Url(toBase64Url(bytes)), bytes);
    }),
    runs(300),
  );
});

test('what is read as base64url is written the same way again; all else is undefined, and nothing throws', () => {
  const texts = fc.oneof(fc.string({ unit: fc.constantFrom(...'AQgwZz09-_+/= \n'), maxLength: 12 }), fc.string());
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = fromBase64Url(text);
      if (bytes !== undefined) assert.equal(toBase64Url(bytes), text);
    }),
    runs(1000),
  );
});

const read = (text: string) => {
  const bytes = fromBase64Url(text);
  return bytes && toHex(bytes);
};
table('base64url', read, [
  ['nothing', '', ''],
  ['one byte', '_w', 'ff'],
  ['two bytes', '_-8', 'ffef'],
  ['three bytes', 'AAEC', '000102'],
  ['padding', '_w==', undefined],
  ['padding, one sign', '_-8=', undefined],
  ['the signs of base64', '/+8', undefined],
  ['a length that cannot be', 'AAECA', undefined],
  ['one letter', 'A', undefined],
  ['bits that are left over', '_x', undefined],
  ['bits that are left over, of two bytes', '_-9', undefined],
  ['a blank', 'AA EC', undefined],
  ['a line break behind', 'AAEC\n', undefined],
  ['a letter beyond ASCII', 'AAE\u0106', undefined],
  ['a NUL', 'AAE\0', undefined],
]);

test('bytes are joined in a new array', () => {
  const parts = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3, 4, 5).subarray(1)];
  const joined = concatBytes(...parts);
  assert.deepEqual(joined, Uint8Array.of(1, 2, 4, 5));
  joined[0] = 9;
  assert.equal(parts[0]?.[0], 1);
  assert.deepEqual(concatBytes(), new Uint8Array(0));
});

test('ASCII is one byte a character', () => {
  assert.deepEqual(textBytes('a|~ 0'), Uint8Array.of(97, 124, 126, 32, 48));
  assert.deepEqual(textBytes(''), new Uint8Array(0));
});
