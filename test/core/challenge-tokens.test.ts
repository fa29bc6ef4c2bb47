// Cookie, nonce, address, code and grant: all derived, so all of it is checked against digests made here with
// node:crypto, and no bit of what came back may be another one.

import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import {
  type ChallengeSeed,
  challengeEnd,
  challengeId,
  deriveAddress,
  deriveCode,
  deriveGrant,
  findSender,
  issueCookie,
  readAddress,
  readCookie,
  writeAddress,
} from '../../src/app/challenge-tokens.ts';
import type { Secrets, SecretUse } from '../../src/app/ports.ts';
import { groupLetters } from '../../src/core/base32.ts';
import { concatBytes, fromBase64Url, toBase64Url, toHex } from '../../src/core/bytes.ts';
import { awaitMail, type Challenge, type Sender, type Verified } from '../../src/core/challenge.ts';
import { locales } from '../../src/core/locale.ts';
import { packAddress, parseAddress } from '../../src/core/one-time-address.ts';
import { purposes } from '../../src/core/purpose.ts';
import { requestLabel } from '../../src/core/verification-code.ts';
import { deepFreeze, mailbox, runs, table } from '../support/core-table.ts';
import { ringOf } from '../support/keyring.ts';

const minute = 60_000;
const hour = 60 * minute;
const now = Date.UTC(2030, 0, 1, 10, 0, 30, 123);
const key = (byte: number) => new Uint8Array(32).fill(byte);

/** Digests under a fixed key, and "random" bytes that a test chooses. */
function secretsOf(byte = 7, random = 0x5a): Secrets {
  return { ...createSecrets(ringOf(key(byte))), randomBytes: (count) => new Uint8Array(count).fill(random) };
}
const secrets = secretsOf();
const otherKey = secretsOf(8);

/** The same digest by another way. */
function macOf(use: SecretUse, data: Uint8Array | string): Buffer {
  const subKey = Buffer.from(hkdfSync('sha256', key(7), '', `reply-to-verify/1/${use}`, 32));
  return createHmac('sha256', subKey).update(data).digest();
}

function seedOf(text: string, by = secrets): ChallengeSeed {
  const read = readCookie(by, text);
  assert.ok(read);
  return read;
}
function bytesOf(text: string): Uint8Array {
  const bytes = fromBase64Url(text);
  assert.ok(bytes);
  return bytes;
}

const firefox = { locale: 'fr', clientHint: { browser: 'Firefox', system: 'Linux' } } as const;
const { cookie, seed } = issueCookie(secrets, 'reset', now);
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
  assert.equal(bytes.length, 40);
  const issuedAt = now.toString(16).padStart(12, '0');
  assert.equal(toHex(bytes.slice(0, 24)), `01${'5a'.repeat(16)}00${issuedAt}`);
  assert.equal(toHex(bytes.slice(24)), macOf('cookie', bytes.slice(0, 24)).subarray(0, 16).toString('hex'));
});

/** What the cookie says, without its MAC. */
const payload = bytesOf(cookie).slice(0, 24);

test('what is issued is what is read: every purpose and time', () => {
  const times = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1, now), fc.nat(2 ** 47));
  fc.assert(
    fc.property(fc.constantFrom(...purposes), times, fc.nat(255), (purpose, at, random) => {
      const issued = issueCookie(secretsOf(7, random), purpose, at);
      assert.deepEqual(seedOf(issued.cookie), issued.seed);
      assert.deepEqual(
        { ...issued.seed, nonce: issued.seed.nonce.length },
        { keyId: secrets.keyIds()[0], purpose, issuedAt: at, nonce: 32 },
      );
    }),
    runs(300),
  );
});

test('two challenges have two cookies: 16 bytes are random', () => {
  const real = createSecrets(ringOf(key(7)));
  const all = Array.from({ length: 20 }, () => issueCookie(real, 'reset', now).cookie);
  assert.equal(new Set(all).size, all.length);
  assert.equal(new Set(all.map((one) => toHex(bytesOf(one).slice(1, 17)))).size, all.length);
});

test('a cookie with any bit flipped is refused', () => {
  let count = 0;
  for (const bytes of flipped(bytesOf(cookie))) {
    assert.equal(readCookie(secrets, toBase64Url(bytes)), undefined);
    count++;
  }
  assert.equal(count, 320);
});

/** A cookie with a right MAC over whatever a test puts into it. */
const forged = (bytes: Uint8Array) => toBase64Url(concatBytes(bytes, macOf('cookie', bytes).subarray(0, 16)));
const withByte = (at: number, value: number) => forged(payload.map((byte, index) => (index === at ? value : byte)));
/** As it was when the language was in it. */
const withLocale = (locale: number) =>
  forged(concatBytes(payload.slice(0, 18), Uint8Array.of(locale), payload.slice(18)));

table('a cookie', (text: string) => readCookie(secrets, text)?.issuedAt, [
  ['as issued', cookie, now],
  ['of another time, with a right MAC', withByte(18, 0xff), now + 2 ** 40 * (0xff - (payload[18] ?? 0))],
  ['of version 0, with a right MAC', withByte(0, 0), undefined],
  ['of version 2, with a right MAC', withByte(0, 2), undefined],
  ['of a purpose that we do not have, with a right MAC', withByte(17, purposes.length), undefined],
  ['of the last purpose there could be, with a right MAC', withByte(17, 255), undefined],
  ['with a language in it, with a right MAC', withLocale(2), undefined],
  ['a byte too short, with a right MAC', forged(payload.slice(0, 23)), undefined],
  ['a byte too long, with a right MAC', forged(concatBytes(payload, Uint8Array.of(0))), undefined],
  ['nothing', '', undefined],
  ['cut short', cookie.slice(0, -1), undefined],
  ['with a letter more', `${cookie}A`, undefined],
  ['with padding', `${cookie}=`, undefined],
  ['with a blank', `${cookie} `, undefined],
  ['with a full MAC', toBase64Url(concatBytes(payload, macOf('cookie', payload))), undefined],
  ['without a MAC', toBase64Url(payload), undefined],
  ['of zeros', toBase64Url(new Uint8Array(40)), undefined],
  ['not base64url', '*'.repeat(54), undefined],
  ['huge', cookie.repeat(100_000), undefined],
]);

test('a cookie of another key is refused', () => {
  assert.equal(readCookie(otherKey, cookie), undefined);
  assert.equal(readCookie(secrets, issueCookie(otherKey, 'reset', now).cookie), undefined);
});

test('a MAC for another use is none for a cookie', () => {
  for (const use of ['nonce', 'address', 'code', 'grant', 'log'] as const) {
    const text = toBase64Url(concatBytes(payload, macOf(use, payload).subarray(0, 16)));
    assert.equal(readCookie(secrets, text), undefined);
  }
});

// ---- nonce, id, address ----

test('the nonce is 32 bytes from the whole payload, the id commits to it', () => {
  assert.equal(toHex(seed.nonce), macOf('nonce', payload).toString('hex'));
  assert.equal(seed.nonce.length, 32);
  assert.equal(challengeId(secrets, seed), createHash('sha256').update(seed.nonce).digest('hex').slice(0, 20));
  assert.equal(address.id, challengeId(secrets, seed));
});

test('nonce, id and address are the same whenever the page is loaded again', () => {
  const again = seedOf(cookie, secretsOf(7, 0x99));
  assert.deepEqual(again, seed);
  assert.equal(writeAddress(secrets, deriveAddress(secrets, again, firefox, hour)), localPart);
});

test('nonce and id differ by random bytes, time and key', () => {
  const seeds = [
    [secrets, seed],
    [secrets, issueCookie(secretsOf(7, 0x5b), 'reset', now).seed],
    [secrets, issueCookie(secrets, 'reset', now + 1).seed],
    [otherKey, issueCookie(otherKey, 'reset', now).seed],
  ] as const;
  assert.equal(new Set(seeds.map(([by, one]) => challengeId(by, one))).size, seeds.length);
  assert.equal(new Set(seeds.map(([, one]) => toHex(one.nonce))).size, seeds.length);
});

test('another language or browser changes the address, not the challenge: its page goes on', () => {
  const languages = locales.map((locale) => ({ ...firefox, locale }));
  const shown = [...languages, { ...firefox, clientHint: { browser: 'Edge', system: 'Windows' } as const }];
  const written = shown.map((shownAs) => {
    const again = seedOf(cookie);
    assert.deepEqual(again.nonce, seed.nonce, 'the form that is open can still be sent');
    const other = deriveAddress(secrets, again, shownAs, hour);
    assert.deepEqual(other, { ...address, ...shownAs });
    assert.equal(requestLabel(other.id), requestLabel(address.id));
    const text = writeAddress(secrets, other);
    assert.deepEqual(readAddress(secrets, text, now), other, 'mail to each of them is taken');
    return text;
  });
  assert.equal(new Set(written).size, locales.length + 1);
});

table(
  'the challenge ends',
  (at: number) => {
    const issued = issueCookie(secrets, 'reset', at).seed;
    const end = challengeEnd(issued, hour);
    assert.equal(deriveAddress(secrets, issued, firefox, hour).expiresAt, end);
    return end - at;
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
  const spellings = [localPart.toUpperCase(), groupLetters(localPart), groupLetters(localPart).replaceAll('-', ' ')];
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
  assert.equal(deriveCode(secrets, address, amy), number.toString().padStart(8, '0'));
});

test('the code differs by mailbox, by its letters, by salt, id and key', () => {
  const { id } = address;
  const codes = [
    deriveCode(secrets, address, amy),
    deriveCode(secrets, address, { ...amy, mailbox: mailbox('bob@school.example') }),
    deriveCode(secrets, address, { ...amy, mailbox: mailbox('Amy@school.example') }),
    deriveCode(secrets, address, { ...amy, mailbox: mailbox('amy@school.example.test') }),
    deriveCode(secrets, address, { ...amy, salt: `${'00'.repeat(15)}01` }),
    deriveCode(secrets, { ...address, id: `${id.slice(0, 19)}${id.endsWith('0') ? '1' : '0'}` }, amy),
    deriveCode(otherKey, address, amy),
  ];
  assert.equal(new Set(codes).size, codes.length);
});

test('codes spread over all eight digits', () => {
  const codes = Array.from({ length: 500 }, (_, n) => deriveCode(secrets, address, { ...amy, salt: n.toString(16) }));
  assert.equal(new Set(codes).size, codes.length);
  for (let place = 0; place < 8; place++) assert.equal(new Set(codes.map((code) => code[place])).size, 10);
});

function sender(name: string, salt: string): Sender {
  const reply = { id: 'r', inReplyTo: null, state: 'handed-over' } as const;
  return { by: 'mail', mailbox: mailbox(name), salt, answered: ['x'], reply, codeExpiresAt: null };
}
const senders = [
  sender('amy@school.example', '11'.repeat(16)),
  sender('bob@school.example', '22'.repeat(16)),
  sender('cy@school.example', '33'.repeat(16)),
];
const challenge: Challenge = deepFreeze({ ...awaitMail(address), senders, state: { kind: 'code-sent' } });

test('the code that is typed names its sender', () => {
  for (const one of senders) {
    assert.equal(findSender(secrets, challenge, deriveCode(secrets, challenge, one)), one);
  }
});

table('a code is nobody\u2019s', (code: string) => findSender(secrets, challenge, code), [
  [
    'of somebody who never wrote',
    deriveCode(secrets, challenge, sender('dan@mail.example', '11'.repeat(16))),
    undefined,
  ],
  [
    'of a sender with another salt',
    deriveCode(secrets, challenge, sender('amy@school.example', '22'.repeat(16))),
    undefined,
  ],
  ['of another challenge', deriveCode(secrets, { ...challenge, id: '00'.repeat(10) }, senders[0] ?? amy), undefined],
  ['of another key', deriveCode(otherKey, challenge, senders[0] ?? amy), undefined],
  ['with a digit less', deriveCode(secrets, challenge, senders[0] ?? amy).slice(1), undefined],
  ['with a digit more', `${deriveCode(secrets, challenge, senders[0] ?? amy)}0`, undefined],
  ['nothing', '', undefined],
]);

test('nobody wrote: no code is right', () => {
  const before = awaitMail(address);
  assert.equal(findSender(secrets, before, deriveCode(secrets, before, amy)), undefined);
});

test('every sender is looked at in constant time, whichever fits', () => {
  const typed = [...senders.map((one) => deriveCode(secrets, challenge, one)), '00000000'];
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
  assert.equal(findSender(never, challenge, deriveCode(secrets, challenge, senders[0] ?? amy)), undefined);
});

// ---- the grant ----

const state: Verified = deepFreeze({
  kind: 'verified',
  mailbox: amy.mailbox,
  at: now,
  grantSalt: 'ab'.repeat(16),
  grantExpiresAt: now + 10 * minute,
  account: null,
});

test('the grant is 32 bytes from id and grant salt, and differs by both and by key', () => {
  const grant = deriveGrant(secrets, address, state);
  const data = Buffer.from(address.id + state.grantSalt, 'hex');
  assert.equal(toHex(grant), macOf('grant', data).toString('hex'));
  const others = [
    deriveGrant(secrets, { ...address, id: '00'.repeat(10) }, state),
    deriveGrant(secrets, address, { ...state, grantSalt: 'ac'.repeat(16) }),
    deriveGrant(otherKey, address, state),
  ];
  assert.equal(new Set([grant, ...others].map(toHex)).size, 4);
});

test('every use has a key of its own: no digest of one means anything in another', () => {
  const uses: readonly SecretUse[] = ['cookie', 'nonce', 'address', 'code', 'grant', 'log'];
  assert.equal(new Set(uses.map((use) => toHex(secrets.mac(use, payload)))).size, uses.length);
  for (const use of uses) assert.equal(toHex(secrets.mac(use, payload)), macOf(use, payload).toString('hex'));
});
