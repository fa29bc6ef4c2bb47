// Real User-Agent fields, and what a person would call the browser that sent them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { browsers, readClientHint, systems } from '../../src/core/client-hint.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

const hint = (userAgent: string) => {
  const { browser, system } = readClientHint(userAgent);
  return `${browser} on ${system}`;
};
const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';

table('User-Agent', hint, [
  [
    'Firefox, Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Firefox on Windows',
  ],
  ['Firefox, Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0', 'Firefox on Linux'],
  [
    'Firefox, macOS',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0',
    'Firefox on macOS',
  ],
  ['Firefox, Android', 'Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0', 'Firefox on Android'],
  [
    'Firefox, iPhone',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/128.0 Mobile/15E148 Safari/605.1.15',
    'Firefox on iOS',
  ],
  [
    'Chrome, Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/126.0.0.0 Safari/537.36`,
    'Chrome on Windows',
  ],
  [
    'Chrome, Android',
    `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/126.0.0.0 Mobile Safari/537.36`,
    'Chrome on Android',
  ],
  [
    'Chrome, Chromebook',
    `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${webkit} Chrome/126.0.0.0 Safari/537.36`,
    'Chrome on ChromeOS',
  ],
  [
    'Chrome, iPhone',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1',
    'Chrome on iOS',
  ],
  [
    'Chrome without a head',
    `Mozilla/5.0 (X11; Linux x86_64) ${webkit} HeadlessChrome/126.0.0.0 Safari/537.36`,
    'Chrome on Linux',
  ],
  [
    'Edge, Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0`,
    'Edge on Windows',
  ],
  [
    'Edge, Android',
    `Mozilla/5.0 (Linux; Android 10; HD1913) ${webkit} Chrome/126.0.6478.61 Mobile Safari/537.36 EdgA/126.0.2592.56`,
    'Edge on Android',
  ],
  [
    'Edge, iPhone',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 EdgiOS/126.0.2592.56 Mobile/15E148 Safari/605.1.15',
    'Edge on iOS',
  ],
  [
    'Safari, macOS',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15',
    'Safari on macOS',
  ],
  [
    'Safari, iPad',
    'Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Mobile/15E148 Safari/604.1',
    'Safari on iOS',
  ],
  [
    'Opera, Windows',
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/126.0.0.0 Safari/537.36 OPR/112.0.0.0`,
    'Opera on Windows',
  ],
  [
    'Samsung Internet',
    `Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) ${webkit} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet on Android',
  ],
  ['curl', 'curl/8.7.1', 'other on other'],
  ['nothing', '', 'other on other'],
  ['a crawler', 'Mozilla/5.0 (compatible; Robot/2.1; +http://robot.example/bot.html)', 'other on other'],
  ['a name that only ends like one', 'NotFirefox/1.0 (Windowsy)', 'other on other'],
  ['beyond 300 characters', `${'x'.repeat(300)} Firefox/128.0 Windows`, 'other on other'],
]);

test('there is room for eight of each, and what was packed once keeps its place', () => {
  assert.ok(browsers.length <= 8 && systems.length <= 8);
  assert.deepEqual(browsers.slice(0, 7), ['other', 'Firefox', 'Chrome', 'Edge', 'Safari', 'Opera', 'Samsung Internet']);
  assert.deepEqual(systems.slice(0, 7), ['other', 'Windows', 'macOS', 'Linux', 'Android', 'iOS', 'ChromeOS']);
});

test('nothing of what was sent comes out, and nothing takes long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (userAgent) => {
      const { browser, system } = readClientHint(userAgent);
      assert.ok(browsers.includes(browser) && systems.includes(system));
    }),
    runs(100),
  );
  assert.ok(cpuMs(() => readClientHint('Edg'.repeat(1_000_000))) < 50);
});
