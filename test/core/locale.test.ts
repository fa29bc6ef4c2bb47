// Which language a reader is answered in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseLocale, locales, timeLocales } from '../../src/core/locale.ts';
import { purposes } from '../../src/core/purpose.ts';
import { requestSubject } from '../../src/core/request-subject.ts';
import { subjectHoldsLabel } from '../../src/core/verification-code.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

table('Accept-Language', (value: string): string => chooseLocale(value), [
  ['nothing', '', 'en'],
  ['anything', '*', 'en'],
  ['one of ours', 'de', 'de'],
  ['in capitals', 'DE', 'de'],
  ['of a country', 'fr-CA', 'fr'],
  ['with a script', 'es-Latn-MX', 'es'],
  ['as Firefox says it', 'de,en-US;q=0.7,en;q=0.3', 'de'],
  ['as Chrome says it', 'fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7', 'fr'],
  ['one of theirs first, then one of ours', 'pl,es;q=0.5', 'es'],
  ['only ones of theirs', 'pl,cs;q=0.5', 'en'],
  ['weights beat order', 'en;q=0.1,de;q=0.9', 'de'],
  ['order decides among equal weights', 'es;q=0.5,fr;q=0.5', 'es'],
  ['no weight is weight 1', 'de;q=0.9,fr', 'fr'],
  ['weight 0 means never', 'de;q=0,fr;q=0.1', 'fr'],
  ['blanks everywhere', ' de ; q=0.1 , fr ; q=0.5 ', 'fr'],
  ['other parameters', 'de;level=1;q=0.2,fr;level=2;q=0.3', 'fr'],
  ['a weight that is no number', 'de;q=x,fr;q=0.1', 'fr'],
  ['an empty weight', 'de;q=,fr;q=0.1', 'fr'],
  ['a negative weight', 'de;q=-1,fr;q=0.1', 'fr'],
  ['a language that only begins like ours', 'deu,fr;q=0.1', 'fr'],
  ['commas', ',,,de,,', 'de'],
  ['what only JavaScript knows', '__proto__,constructor', 'en'],
  ['up to 200 characters', `${'x,'.repeat(99)}de`, 'de'],
  ['one character more', `x${'x,'.repeat(99)}de`, 'en'],
]);

test('every language says how it writes times', () => {
  assert.deepEqual(Object.keys(timeLocales).sort(), [...locales].sort());
  for (const locale of locales) assert.equal(new Intl.Locale(timeLocales[locale]).language, locale);
});

test('the list only grows at its end: addresses that are out there pack the place', () => {
  assert.deepEqual(locales.slice(0, 4), ['en', 'de', 'fr', 'es']);
});

test('whatever is sent, a language of ours comes out, in no long time', () => {
  const piece = fc.constantFrom('de', 'fr', ',', ';', 'q=', '0.5', '1e999', 'NaN', '-', ' ', '*', '\0', '\u0130');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (parts) => locales.includes(chooseLocale(parts.join('')))),
    runs(500),
  );
  assert.ok(cpuMs(() => chooseLocale(',;q='.repeat(1_000_000))) < 50);
});

for (const [purpose, locale] of purposes.flatMap((each) => locales.map((locale) => [each, locale] as const))) {
  test(`the Subject to ${purpose} in ${locale} is short ASCII that holds its label`, () => {
    const subject = requestSubject(purpose, locale, 'KQXF-WTMB');
    // Anything else would be encoded, and the label with it.
    assert.match(subject, /^[A-Za-z ]+ KQXF-WTMB$/);
    assert.ok(subject.length < 60);
    assert.ok(subjectHoldsLabel(subject, 'KQXF-WTMB'));
    assert.equal(subjectHoldsLabel(subject, 'KQXF-WTMC'), false);
  });
}

test('the Subject differs by errand and language', () => {
  const all = purposes.flatMap((each) => locales.map((locale) => requestSubject(each, locale, 'KQXF-WTMB')));
  assert.equal(new Set(all).size, purposes.length * locales.length);
});
