// The one-time address: every bit where it belongs (against a second packer that knows nothing of the first), the
// parse that forgives people, and the one that forgives nobody else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { groupLetters } from '../../src/core/base32.ts';
import { toHex } from '../../src/core/bytes.ts';
import { browsers, systems } from '../../src/core/client-hint.ts';
import { locales } from '../../src/core/locale.ts';
import { formatAddress, type OneTimeAddress, packAddress, parseAddress } from '../../src/core/one-time-address.ts';
import { purposes } from '../../src/core/purpose.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

const minute = 60_000;
const range = 2 ** 20; // minutes that an address can tell apart
const now = Date.UTC(2030, 0, 1, 10, 0, 30);
const nowMinute = Math.floor(now / minute);
const mac = Uint8Array.of(0xa1, 0xb2, 0xc3, 0xd4, 0xe5);

const example: OneTimeAddress = {
  purpose: 'reset',
  locale: 'fr',
  clientHint: { browser: 'Samsung Internet', system: 'Android' },
  expiresAt: Date.UTC(2030, 0, 1, 11),
  id: '0123456789abcdef0f1e',
};

/** The letters for 160 bits, by way of one big number. */
function letters(bits: bigint): string {
  const digits = '0123456789abcdefghijklmnopqrstuv'; // as JavaScript writes them
  const crockford = '0123456789abcdefghjkmnpqrstvwxyz';
  const text = bits.toString(32).padStart(32, '0');
  return Array.from(text, (digit) => crockford.charAt(digits.indexOf(digit))).join('');
}

/** version 4 | purpose 4 | locale 6 | browser 3 | system 3 | minute 20 | id 80 | mac 40 */
function pack({ version = 1, purpose = 0, locale = 2, browser = 6, system = 4, minuteOf = 0, id = 0n, macBits = 0n }) {
  const parts: readonly (readonly [value: bigint, bits: bigint])[] = [
    [BigInt(version), 4n],
    [BigInt(purpose), 4n],
    [BigInt(locale), 6n],
    [BigInt(browser), 3n],
    [BigInt(system), 3n],
    [BigInt(minuteOf % range), 20n],
    [id, 80n],
    [macBits, 40n],
  ];
  return letters(parts.reduce((all, [value, bits]) => (all << bits) | value, 0n));
}

const expiresMinute = example.expiresAt / minute;
const text = pack({ minuteOf: expiresMinute, id: BigInt(`0x${example.id}`), macBits: 0xa1b2c3d4e5n });
const parses = (localPart: string) => parseAddress(localPart, now)?.address;

test('every field stands where the layout says', () => {
  assert.equal(formatAddress(packAddress(example), mac), text);
  assert.deepEqual(parseAddress(text, now), { packed: packAddress(example), mac, address: example });
});

test('what was written once is read for ever: another layout needs another version', () => {
  assert.equal(text, '205m32km04hmasw9nf6yy3rym6sc7n75');
});

test('every purpose, language, browser and system comes back', () => {
  for (const purpose of purposes) {
    for (const locale of locales) {
      for (const browser of browsers) {
        for (const system of systems) {
          const address = { ...example, purpose, locale, clientHint: { browser, system } };
          assert.deepEqual(parses(formatAddress(packAddress(address), mac)), address);
        }
      }
    }
  }
});

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyAddress = fc
  .tuple(
    fc.constantFrom(...purposes),
    fc.constantFrom(...locales),
    fc.constantFrom(...browsers),
    fc.constantFrom(...systems),
    bytes(10).map(toHex),
  )
  .map(([purpose, locale, browser, system, id]) => ({ purpose, locale, clientHint: { browser, system }, id }));

test('every address near any moment comes back, with its MAC, in 32 letters', () => {
  const moments = fc.integer({ min: range, max: 100 * range });
  const distance = fc.integer({ min: -range / 2, max: range / 2 - 1 });
  fc.assert(
    fc.property(anyAddress, moments, distance, fc.nat(minute - 1), bytes(5), (head, near, ahead, rest, itsMac) => {
      const address = { ...head, expiresAt: (near + ahead) * minute };
      const packed = packAddress(address);
      const local = formatAddress(packed, itsMac);
      assert.match(local, /^[0-9a-hjkmnp-tv-z]{32}$/);
      assert.deepEqual(parseAddress(local, near * minute + rest), { packed, mac: itsMac, address });
    }),
    runs(1000),
  );
});

test('whatever parses is written the same way again, and nothing throws', () => {
  const alphabet = fc.constantFrom(...'0123456789abcdefghijklmnopqrstuvwxyz-.@+ ÄK\0');
  const texts = fc.oneof(
    fc.string({ unit: alphabet, maxLength: 70 }),
    fc
      .string({ unit: fc.constantFrom(...'0123456789abcdefghjkmnpqrstvwxyz'), minLength: 30, maxLength: 30 })
      .map((end) => `20${end}`),
    fc.string({ unit: 'binary', maxLength: 70 }),
  );
  let parsed = 0;
  fc.assert(
    fc.property(texts, (local) => {
      const found = parseAddress(local, now);
      if (found === undefined) return;
      parsed++;
      assert.deepEqual(packAddress(found.address), found.packed);
      assert.deepEqual(parseAddress(formatAddress(found.packed, found.mac), now), found);
    }),
    runs(1000),
  );
  assert.ok(parsed > 50, `only ${parsed} of them were addresses`);
});

// ---- time ----

/** An address that ends so many minutes from `at`, read at `at`. */
const readAhead = ([at, ahead]: readonly [at: number, ahead: number]) => {
  const found = parseAddress(pack({ minuteOf: at + ahead }), at * minute + 59_999);
  return found && found.address.expiresAt / minute - at;
};
const wrap = 28 * range; // the clock of the address starts again here, in November 2025

table('the minute is read as the one nearest to now', readAhead, [
  ['this minute', [nowMinute, 0], 0],
  ['the next', [nowMinute, 1], 1],
  ['the one before', [nowMinute, -1], -1],
  ['almost a year ahead', [nowMinute, range / 2 - 1], range / 2 - 1],
  ['as far ahead as behind: behind, so it is over', [nowMinute, range / 2], -range / 2],
  ['almost a year ago', [nowMinute, -range / 2 + 1], -range / 2 + 1],
  ['an hour ahead, over the wrap', [wrap - 1, 60], 60],
  ['an hour ahead, up to the wrap', [wrap - 60, 60], 60],
  ['an hour ahead, from the wrap', [wrap, 60], 60],
  ['an hour ago, over the wrap', [wrap + 1, -60], -60],
  ['a minute ago, at the wrap', [wrap, -1], -1],
  ['this minute, at the wrap', [wrap, 0], 0],
  ['this minute, before the wrap', [wrap - 1, 0], 0],
]);

// ---- what people do to it ----

const withLookAlikes = pack({ minuteOf: expiresMinute, id: 0x0842108421_0000000000n });
test('the address to try look-alikes on has both', () =>
  assert.ok(withLookAlikes.endsWith('1111111100000000'.padEnd(24, '0'))));
table(
  'people may write it',
  (change: (local: string) => string) => {
    return parses(change(withLookAlikes))?.id;
  },
  [
    ['as it is', (local) => local, '08421084210000000000'],
    ['in capitals', (local) => local.toUpperCase(), '08421084210000000000'],
    ['in groups', groupLetters, '08421084210000000000'],
    ['in groups with blanks', (local) => groupLetters(local).replaceAll('-', ' '), '08421084210000000000'],
    [
      'with hyphens and blanks anywhere',
      (local) => `- ${local.slice(0, 5)} -- ${local.slice(5)} -`,
      '08421084210000000000',
    ],
    ['o for 0', (local) => local.replaceAll('0', 'o'), '08421084210000000000'],
    ['O for 0', (local) => local.replaceAll('0', 'O'), '08421084210000000000'],
    ['i for 1', (local) => local.replaceAll('1', 'i'), '08421084210000000000'],
    ['I for 1', (local) => local.replaceAll('1', 'I'), '08421084210000000000'],
    ['l for 1', (local) => local.replaceAll('1', 'l'), '08421084210000000000'],
    ['L for 1', (local) => local.replaceAll('1', 'L'), '08421084210000000000'],
    [
      'spread over all 64 octets',
      (local) => Array.from(local, (letter) => `${letter}-`).join(''),
      '08421084210000000000',
    ],
  ],
);

const refused: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['hyphens', '-'.repeat(32)],
  ['31 letters', text.slice(1)],
  ['33 letters', `${text}0`],
  ['two of them', text + text],
  ['65 octets that hold 32 letters', `${text}${'-'.repeat(33)}`],
  ['a plus tag', `${text}+tag`],
  ['a plus at the end', `${text}+`],
  ['pluses for hyphens', groupLetters(text).replaceAll('-', '+')],
  ['a dot', `${text.slice(0, 16)}.${text.slice(16)}`],
  ['a dot instead of a letter', `${text.slice(0, 31)}.`],
  ['a quoted local part', `"${text}"`],
  ['a whole address', `${text}@in.school.example`],
  ['a letter u', `${text.slice(0, 31)}u`],
  ['a letter U', `${text.slice(0, 31)}U`],
  ['a tab between letters', `${text.slice(0, 16)}\t${text.slice(16)}`],
  ['a line break at the end', `${text}\r\n`],
  ['a NUL at the end', `${text}\0`],
  ['an underscore', `${text.slice(0, 31)}_`],
  ['a letter with an accent', `${text.slice(0, 31)}é`],
  ['a digit of full width', `${text.slice(0, 31)}\uff11`],
  ['a long s, which capitals turn into S', `${text.slice(0, 31)}\u017f`],
  ['a sign for kelvin, which small letters turn into k', `${text.slice(0, 31)}\u212a`],
  ['an emoji', `${text.slice(0, 30)}😀`],
  ['version 0', pack({ version: 0 })],
  ['version 2', pack({ version: 2 })],
  ['version 15', pack({ version: 15 })],
  ['the first purpose that we do not have', pack({ purpose: purposes.length })],
  ['purpose 8', pack({ purpose: 8 })],
  ['purpose 15', pack({ purpose: 15 })],
  ['the first language that we do not have', pack({ locale: locales.length })],
  ['language 32', pack({ locale: 32 })],
  ['language 63', pack({ locale: 63 })],
  ['a browser that we do not have', pack({ browser: 7 })],
  ['a system that we do not have', pack({ system: 7 })],
];
table(
  'not an address of ours',
  parses,
  refused.map(([name, local]) => [name, local, undefined]),
);

test('what is too long is not even looked at', () => {
  for (const huge of [text.repeat(300_000), '-'.repeat(10_000_000), ' o'.repeat(5_000_000)]) {
    const took = cpuMs(() => assert.equal(parses(huge), undefined));
    assert.ok(took < 50, `${took} ms`);
  }
});

test('groups of four', () => {
  assert.equal(groupLetters('k7m29qxf0123456789abcdefghjkmnpq'), 'k7m2-9qxf-0123-4567-89ab-cdef-ghjk-mnpq');
});

test('the bits that the MAC covers are packed in 15 bytes, the id in the last ten', () => {
  const packed = packAddress(example);
  assert.equal(packed.length, 15);
  assert.equal(toHex(packed.slice(5)), example.id);
});
