// Cookie, nonce, address, code and grant: all derived, so all of it is checked against digests made here with
// node:crypto, and no bit of what came back may be another one.

import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import {
  type ChallengeSeed,
  deriveAddress,
  deriveCode,
  deriveGrant,
  deriveNonce,
  findSender,
  issueCookie,
  readAddress,
  readCookie,
  writeAddress,
} from '../../src/app/challenge-tokens.ts';
import type { Secrets, SecretUse } from '../../src/app/ports.ts';
import { concatBytes, fromBase64Url, toBase64Url, toHex } from '../../src/core/bytes.ts';
import { awaitMail, type Challenge, type Sender, type Verified } from '../../src/core/challenge.ts';
import { locales } from '../../src/core/locale.ts';
import { groupAddress, packAddress, parseAddress } from '../../src/core/one-time-address.ts';
import { purposes } from '../../src/core/purpose.ts';
import { deepFreeze, mailbox, runs, table } from '../support/core-table.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = Date.UTC(2030, 0, 1, 10, 0, 30, 123);
const key = (byte: number) => new Uint8Array(32).fill(byte);

/** Digests under a fixed key, and "random" bytes that a test chooses. */
function secretsOf(byte = 7, random = 0x5a): Secrets {
  return { ...createSecrets(key(byte)), randomBytes: (count) => new Uint8Array(count).fill(random) };
}
const secrets = secretsOf();
const otherKey = secretsOf(8);

/** The same digest by another way. */
function macOf(use: SecretUse, data: Uint8Array | string): Buffer {
  const subKey = Buffer.from(hkdfSync('sha256', key(7), '', `reply-to-verify/1/${use}`, 32));
  return createHmac('sha256', subKey).update(data).digest();
}

function seedOf(cookie: string, by = secrets): ChallengeSeed {
  const seed = readCookie(by, cookie);
  assert.ok(seed);
  return seed;
}
function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64Url(text);
  assert.ok(bytes);
  return bytes;
}

const firefox = { browser: 'Firefox', system: 'Linux' } as const;
const cookie = issueCookie(secrets, 'reset', 'fr', now);
const seed = seedOf(cookie);
const address = deriveAddress(secrets, seed, firefox, hour);
const localPart = writeAddress(secrets, address);

/** Every value that differs from this one in a single bit. */
function* flipped(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    yield bytes.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
  }
}

// ---- the cookie ----

test('the cookie is laid out as the file says, and carries its MAC', () => {
  const bytes = bytesOf(cookie);
  assert.equal(bytes.length, 41);
  const issuedAt = now.toString(16).padStart(12, '0');
  assert.equal(toHex(bytes.slice(0, 25)), `01${'5a'.repeat(16)}0002${issuedAt}`);
  assert.equal(toHex(bytes.slice(25)), macOf('cookie', bytes.slice(0, 25)).subarray(0, 16).toString('hex'));
});

test('the cookie comes back: every purpose, language and time', () => {
  const times = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1, now), fc.nat(2 ** 47));
  fc.assert(
    fc.property(
      fc.constantFrom(...purposes),
      fc.constantFrom(...locales),
      times,
      fc.nat(255),
      (purpose, locale, at, b) => {
        const { payload, ...rest } = seedOf(issueCookie(secretsOf(7, b), purpose, locale, at));
        assert.deepEqual(rest, { purpose, locale, issuedAt: at });
        assert.equal(payload.length, 25);
      },
    ),
    runs(300),
  );
});

test('two challenges have two cookies: 16 bytes are random', () => {
  const real = createSecrets(key(7));
  const all = Array.from({ length: 20 }, () => issueCookie(real, 'reset', 'en', now));
  assert.equal(new Set(all).size, all.length);
  assert.equal(new Set(all.map((one) => toHex(bytesOf(one).slice(1, 17)))).size, all.length);
});

test('a cookie with any bit flipped is refused', () => {
  let count = 0;
  for (const bytes of flipped(bytesOf(cookie))) {
    assert.equal(readCookie(secrets, toBase64Url(bytes)), undefined);
    count++;
  }
  assert.equal(count, 328);
});

/** A cookie with a right MAC over whatever a test puts into it. */
const forged = (change: (payload: Uint8Array) => Uint8Array) => {
  const payload = change(bytesOf(cookie).slice(0, 25));
  return toBase64Url(concatBytes(payload, macOf('cookie', payload).subarray(0, 16)));
};
const withByte = (at: number, value: number) =>
  forged((payload) => payload.map((byte, index) => (index === at ? value : byte)));

table('a cookie', (text: string) => readCookie(secrets, text)?.locale, [
  ['as issued', cookie, 'fr'],
  ['of another language, with a right MAC', withByte(18, 1), 'de'],
  ['of version 0, with a right MAC', withByte(0, 0), undefined],
  ['of version 2, with a right MAC', withByte(0, 2), undefined],
  ['of a purpose that we do not have, with a right MAC', withByte(17, purposes.length), undefined],
  ['of a language that we do not have, with a right MAC', withByte(18, locales.length), undefined],
  ['a byte too short, with a right MAC', forged((payload) => payload.slice(0, 24)), undefined],
  ['a byte too long, with a right MAC', forged((payload) => concatBytes(payload, Uint8Array.of(0))), undefined],
  ['nothing', '', undefined],
  ['cut short', cookie.slice(0, -1), undefined],
  ['with a letter more', `${cookie}A`, undefined],
  ['with padding', `${cookie}=`, undefined],
  ['with a blank', `${cookie} `, undefined],
  ['with a full MAC', toBase64Url(concatBytes(seed.payload, macOf('cookie', seed.payload))), undefined],
  ['without a MAC', toBase64Url(seed.payload), undefined],
  ['of zeros', toBase64Url(new Uint8Array(41)), undefined],
  ['not base64url', '*'.repeat(55), undefined],
  ['huge', cookie.repeat(100_000), undefined],
]);

test('a cookie of another key is refused', () => {
  assert.equal(readCookie(otherKey, cookie), undefined);
  assert.equal(readCookie(secrets, issueCookie(otherKey, 'reset', 'fr', now)), undefined);
});

test('a MAC for another use is none for a cookie', () => {
  const { payload } = seed;
  for (const use of ['nonce', 'address', 'code', 'grant', 'log'] as const) {
    const text = toBase64Url(concatBytes(payload, macOf(use, payload).subarray(0, 16)));
    assert.equal(readCookie(secrets, text), undefined);
  }
});

// ---- nonce, id, address ----

test('the nonce is 32 bytes from the whole payload, the id commits to it', () => {
  const nonce = deriveNonce(secrets, seed);
  assert.equal(toHex(nonce), macOf('nonce', seed.payload).toString('hex'));
  assert.equal(nonce.length, 32);
  assert.equal(address.id, createHash('sha256').update(nonce).digest('hex').slice(0, 20));
});

test('nonce, id and address are the same whenever the page is loaded again', () => {
  const reload = () => {
    const again = seedOf(cookie, secretsOf(7, 0x99));
    const hint = deriveAddress(secrets, again, firefox, hour);
    return [toHex(deriveNonce(secrets, again)), hint, writeAddress(secrets, hint)];
  };
  assert.deepEqual(reload(), [toHex(deriveNonce(secrets, seed)), address, localPart]);
});

test('nonce and id differ by random bytes, language, time and key', () => {
  const seeds: readonly (readonly [Secrets, ChallengeSeed])[] = [
    [secrets, seed],
    [secrets, seedOf(issueCookie(secretsOf(7, 0x5b), 'reset', 'fr', now))],
    [secrets, seedOf(issueCookie(secrets, 'reset', 'de', now))],
    [secrets, seedOf(issueCookie(secrets, 'reset', 'fr', now + 1))],
    [otherKey, seedOf(issueCookie(otherKey, 'reset', 'fr', now), otherKey)],
  ];
  const ids = seeds.map(([by, one]) => deriveAddress(by, one, firefox, hour).id);
  assert.equal(new Set(ids).size, seeds.length);
  assert.equal(new Set(seeds.map(([by, one]) => toHex(deriveNonce(by, one)))).size, seeds.length);
});

test('another browser changes the address, not the challenge', () => {
  const other = deriveAddress(secrets, seed, { browser: 'Edge', system: 'Windows' }, hour);
  assert.equal(other.id, address.id);
  assert.notEqual(writeAddress(secrets, other), localPart);
});

table(
  'the challenge ends',
  (at: number) => {
    const { expiresAt } = deriveAddress(secrets, seedOf(issueCookie(secrets, 'reset', 'fr', at)), firefox, hour);
    return expiresAt - at;
  },
  [
    ['an hour later, from a full minute', Date.UTC(2030, 0, 1), hour],
    ['at a full minute, never later than an hour', Date.UTC(2030, 0, 1) + 1, hour - 1],
    ['at a full minute, at least 59 minutes later', Date.UTC(2030, 0, 1) + minute - 1, hour - minute + 1],
  ],
);

test('the address is what its layout says, with the first 40 bits of its MAC, and comes back', () => {
  const packed = packAddress(address);
  const parsed = parseAddress(localPart, now);
  assert.deepEqual(parsed?.packed, packed);
  assert.equal(toHex(parsed?.mac ?? packed), macOf('address', packed).subarray(0, 5).toString('hex'));
  assert.deepEqual(readAddress(secrets, localPart, now), address);
});

test('the address comes back however people write it', () => {
  const spellings = [localPart.toUpperCase(), groupAddress(localPart), groupAddress(localPart).replaceAll('-', ' ')];
  const lookAlikes = [localPart.replaceAll('0', 'o').replaceAll('1', 'l'), localPart.replaceAll('1', 'I')];
  for (const text of [...spellings, ...lookAlikes]) assert.deepEqual(readAddress(secrets, text, now), address);
});

test('an address with any bit flipped, in what it says or in its MAC, is refused', () => {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  for (let at = 0; at < localPart.length; at++) {
    for (const bit of [1, 2, 4, 8, 16]) {
      const letter = alphabet.charAt(alphabet.indexOf(localPart.charAt(at)) ^ bit);
      const text = localPart.slice(0, at) + letter + localPart.slice(at + 1);
      assert.equal(readAddress(secrets, text, now), undefined, text);
    }
  }
});

test('an address of another key is refused, and so is one without a MAC', () => {
  assert.equal(readAddress(otherKey, localPart, now), undefined);
  assert.equal(readAddress(secrets, writeAddress(otherKey, address), now), undefined);
  assert.equal(readAddress(secrets, `${localPart.slice(0, 24)}00000000`, now), undefined);
});

table('no address of ours', (text: string) => readAddress(secrets, text, now), [
  ['nothing', '', undefined],
  ['a letter less', localPart.slice(1), undefined],
  ['a letter more', `${localPart}0`, undefined],
  ['a tag behind it', `${localPart}+x`, undefined],
  ['another one', 'postmaster', undefined],
]);

// ---- the code ----

const amy: Pick<Sender, 'mailbox' | 'salt'> = { mailbox: mailbox('amy@school.example'), salt: '00'.repeat(16) };

test('the code is a digest of id, salt and mailbox', () => {
  const { id } = address;
  const number = macOf('code', `${id}|${amy.salt}|${amy.mailbox}`).readBigUInt64BE() % 100_000_000n;
  assert.equal(deriveCode(secrets, id, amy), number.toString().padStart(8, '0'));
});

test('the code differs by mailbox, by its letters, by salt, id and key', () => {
  const { id } = address;
  const codes = [
    deriveCode(secrets, id, amy),
    deriveCode(secrets, id, { ...amy, mailbox: mailbox('bob@school.example') }),
    deriveCode(secrets, id, { ...amy, mailbox: mailbox('Amy@school.example') }),
    deriveCode(secrets, id, { ...amy, mailbox: mailbox('amy@school.example.test') }),
    deriveCode(secrets, id, { ...amy, salt: `${'00'.repeat(15)}01` }),
    deriveCode(secrets, `${id.slice(0, 19)}${id.endsWith('0') ? '1' : '0'}`, amy),
    deriveCode(otherKey, id, amy),
  ];
  assert.equal(new Set(codes).size, codes.length);
});

test('codes spread over all eight digits', () => {
  const codes = Array.from({ length: 500 }, (_, n) =>
    deriveCode(secrets, address.id, { ...amy, salt: n.toString(16) }),
  );
  assert.equal(new Set(codes).size, codes.length);
  for (let place = 0; place < 8; place++) assert.equal(new Set(codes.map((code) => code[place])).size, 10);
});

function sender(name: string, salt: string): Sender {
  const reply = { id: 'r', inReplyTo: null, state: 'handed-over' } as const;
  return { mailbox: mailbox(name), salt, answered: ['x'], reply, codeExpiresAt: null };
}
const senders = [
  sender('amy@school.example', '11'.repeat(16)),
  sender('bob@school.example', '22'.repeat(16)),
  sender('cy@school.example', '33'.repeat(16)),
];
const challenge: Challenge = deepFreeze({ ...awaitMail(address), senders, state: { kind: 'code-sent' } });

test('the code that is typed names its sender', () => {
  for (const one of senders) {
    assert.equal(findSender(secrets, challenge, deriveCode(secrets, challenge.id, one)), one.mailbox);
  }
});

table('a code is nobody\u2019s', (code: string) => findSender(secrets, challenge, code), [
  [
    'of somebody who never wrote',
    deriveCode(secrets, challenge.id, sender('dan@mail.example', '11'.repeat(16))),
    undefined,
  ],
  [
    'of a sender with another salt',
    deriveCode(secrets, challenge.id, sender('amy@school.example', '22'.repeat(16))),
    undefined,
  ],
  ['of another challenge', deriveCode(secrets, '00'.repeat(10), senders[0] ?? amy), undefined],
  ['of another key', deriveCode(otherKey, challenge.id, senders[0] ?? amy), undefined],
  ['with a digit less', deriveCode(secrets, challenge.id, senders[0] ?? amy).slice(1), undefined],
  ['with a digit more', `${deriveCode(secrets, challenge.id, senders[0] ?? amy)}0`, undefined],
  ['nothing', '', undefined],
]);

test('nobody wrote: no code is right', () => {
  const before = awaitMail(address);
  assert.equal(findSender(secrets, before, deriveCode(secrets, before.id, amy)), undefined);
});

test('every sender is looked at in constant time, whichever fits', () => {
  const typed = [...senders.map((one) => deriveCode(secrets, challenge.id, one)), '00000000'];
  const counts = typed.map((code) => {
    let looked = 0;
    const counting: Secrets = {
      ...secrets,
      equal: (one, other) => {
        looked++;
        return secrets.equal(one, other);
      },
    };
    findSender(counting, challenge, code);
    return looked;
  });
  assert.deepEqual(counts, [3, 3, 3, 3]);
});

test('cookie and address MACs are compared by the port, which takes constant time', () => {
  const never: Secrets = { ...secrets, equal: () => false };
  assert.equal(readCookie(never, cookie), undefined);
  assert.equal(readAddress(never, localPart, now), undefined);
  assert.equal(findSender(never, challenge, deriveCode(secrets, challenge.id, senders[0] ?? amy)), undefined);
});

// ---- the grant ----

const state: Verified = deepFreeze({
  kind: 'verified',
  mailbox: amy.mailbox,
  at: now,
  grantSalt: 'ab'.repeat(16),
  grantExpiresAt: now + 10 * minute,
});

test('the grant is 32 bytes from id and grant salt, and differs by both and by key', () => {
  const grant = deriveGrant(secrets, address.id, state);
  const data = Buffer.from(address.id + state.grantSalt, 'hex');
  assert.equal(toHex(grant), macOf('grant', data).toString('hex'));
  const others = [
    deriveGrant(secrets, '00'.repeat(10), state),
    deriveGrant(secrets, address.id, { ...state, grantSalt: 'ac'.repeat(16) }),
    deriveGrant(otherKey, address.id, state),
  ];
  assert.equal(new Set([grant, ...others].map(toHex)).size, 4);
});

test('every use has a key of its own: no digest of one means anything in another', () => {
  const uses: readonly SecretUse[] = ['cookie', 'nonce', 'address', 'code', 'grant', 'log'];
  assert.equal(new Set(uses.map((use) => toHex(secrets.mac(use, seed.payload)))).size, uses.length);
  for (const use of uses) assert.equal(toHex(secrets.mac(use, seed.payload)), macOf(use, seed.payload).toString('hex'));
});
