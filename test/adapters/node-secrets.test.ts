// Sub-keys, digests and comparison: what one use of the secret makes means nothing to another.

import assert from 'node:assert/strict';
import { createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import type { MasterKey } from '../../src/adapters/system/keyring.ts';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import type { SecretUse } from '../../src/app/ports.ts';
import { ringOf } from '../support/keyring.ts';

const master = new Uint8Array(32).fill(7);
const data = new TextEncoder().encode('the same data');
const uses: readonly SecretUse[] = [
  'cookie',
  'nonce',
  'address',
  'code',
  'grant',
  'undo',
  'attempt',
  'enrolment',
  'log',
];
const masterKey = (id: string, byte: number): MasterKey => ({
  id,
  createdAt: 0,
  secret: new Uint8Array(32).fill(byte),
});
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('every use has a digest of its own, the same in every process', () => {
  const digests = uses.map((use) => hex(createSecrets(ringOf(master)).mac(use, data)));
  assert.equal(new Set(digests).size, uses.length);
  const again = createSecrets(ringOf(master.slice()));
  assert.deepEqual(
    uses.map((use) => hex(again.mac(use, data))),
    digests,
  );
  const other = createSecrets(ringOf(new Uint8Array(32).fill(8)));
  for (const use of uses) assert.ok(!digests.includes(hex(other.mac(use, data))), use);
});

test('a digest is HMAC-SHA-256 under HKDF of the master secret', () => {
  const secrets = createSecrets(ringOf(master));
  for (const use of uses) {
    const key = Buffer.from(hkdfSync('sha256', master, '', `reply-to-verify/1/${use}`, 32));
    assert.equal(hex(secrets.mac(use, data)), createHmac('sha256', key).update(data).digest('hex'), use);
  }
});

test('what is asked for again is what it was: of its use, its data and its key, however much came between', () => {
  const keyring = { keys: [masterKey('new', 7), masterKey('old', 8)] };
  const secrets = createSecrets(keyring);
  const ask = () =>
    uses.flatMap((use) =>
      ['one', 'two'].flatMap((text) => {
        const bytes = new TextEncoder().encode(text);
        return keyring.keys.map(({ id }) => hex(secrets.mac(use, bytes, id)));
      }),
    );
  const wanted = ask();
  assert.equal(new Set(wanted).size, wanted.length);
  assert.deepEqual(ask(), wanted);
  for (let number = 0; number < 1_500; number++) secrets.mac('address', new TextEncoder().encode(`${number}`), 'new');
  assert.deepEqual(ask(), wanted);
  keyring.keys.unshift(masterKey('newest', 9));
  assert.notEqual(hex(secrets.mac('address', data)), hex(secrets.mac('address', data, 'new')));
});

test('no sub-key is the master secret', () => {
  const plain = createHmac('sha256', master).update(data).digest('hex');
  for (const use of uses) assert.notEqual(hex(createSecrets(ringOf(master)).mac(use, data)), plain);
});

test('hash is SHA-256', () => {
  // FIPS 180-4, the digest of "abc".
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  assert.equal(hex(createSecrets(ringOf(master)).hash(new TextEncoder().encode('abc'))), known);
});

test('equal compares content, and lengths without an exception', () => {
  const { equal } = createSecrets(ringOf(master));
  const bytes = (...values: number[]) => Uint8Array.from(values);
  const cases: [Uint8Array, Uint8Array, boolean][] = [
    [bytes(), bytes(), true],
    [bytes(1, 2, 3), bytes(1, 2, 3), true],
    [bytes(1, 2, 3, 4).subarray(1), bytes(2, 3, 4), true],
    [bytes(1, 2, 3), bytes(1, 2, 4), false],
    [bytes(0, 2, 3), bytes(1, 2, 3), false],
    [bytes(1, 2, 3), bytes(1, 2), false],
    [bytes(), bytes(0), false],
  ];
  for (const [one, other, expected] of cases) assert.equal(equal(one, other), expected, `${one} ${other}`);
});

test('random bytes are as many as asked for, and never twice the same', () => {
  const { randomBytes } = createSecrets(ringOf(master));
  assert.deepEqual(
    [0, 1, 16, 32].map((count) => randomBytes(count).length),
    [0, 1, 16, 32],
  );
  const seen = new Set(Array.from({ length: 1000 }, () => hex(randomBytes(16))));
  assert.equal(seen.size, 1000);
});
