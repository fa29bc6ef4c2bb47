// The pages as HTML: hostile text is escaped in every place it can come from, every language has every page, and the
// page that is made once for many is the page that would have been made for each.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Site } from '../../src/adapters/web/layout.ts';
import {
  accountsPage,
  mailboxPage,
  messagePage,
  passwordPage,
  phoneMailto,
  type ResetMessages,
  resetPage as resetPageAt,
  typedPage,
  undoPage,
} from '../../src/adapters/web/pages.ts';
import { enrolPage, recoveryPage, secondFactorPage } from '../../src/adapters/web/second-factor-pages.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import type { Account, OpenedChallenge, Progress, ShownAccounts } from '../../src/app/ports.ts';
import { toBase64Url } from '../../src/core/bytes.ts';
import { type Locale, locales } from '../../src/core/locale.ts';
import { purposes } from '../../src/core/purpose.ts';
import { mailbox, runs } from '../support/core-table.ts';

const site: Site = {
  siteName: 'Example School',
  timeZone: 'Europe/Vienna',
  mailDomain: 'in.school.example',
  testMailboxUrl: 'http://127.0.0.1:8025',
  mayTypeAddress: true,
  paths: {
    style: '/assets/style.css',
    scripts: { page: '/assets/page.js', password: '/assets/password.js', enrol: '/assets/enrol.js' },
    logo: '/assets/logo.svg',
  },
};
const challenge: OpenedChallenge = {
  purpose: 'reset',
  cookie: 'cookie',
  isNew: false,
  renewed: false,
  nonce: 'n'.repeat(43),
  localPart: '0123456789abcdefghjkmnpqrstvwxyz',
  label: 'KQXF-WTMB',
  expiresAt: Date.UTC(2030, 0, 1, 10),
  progress: 'awaiting-mail',
  notice: undefined,
};
const account: Account = {
  id: '0a',
  name: 'apond',
  description: 'Pupil',
  state: 'active',
  hasPassword: true,
  securityVersion: '1',
  secondFactor: 'none',
};
const shownOf = (shown: Partial<ShownAccounts>): ShownAccounts => ({
  kind: 'accounts',
  purpose: 'reset',
  mailbox: mailbox('a@b.example'),
  accounts: [],
  active: [],
  chosen: undefined,
  secondFactor: 'none',
  nonce: 'n',
  grantExpiresAt: 0,
  ...shown,
});
const resetPage = (...shown: [Locale, OpenedChallenge, Site, ResetMessages]) => resetPageAt(...shown, 0);
const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`;
const escaped = '&#34;&#39;&#62;&#60;script&#62;alert(1)&#60;/script&#62;&#60;img src=x onerror=alert(1)&#62;&#38;amp;';

/** The text is there, and only as text. */
function assertEscaped(html: string): void {
  assert.ok(html.includes(escaped), 'it is shown');
  for (const raw of ['<script>alert', '<img src=x', `"'`]) assert.ok(!html.includes(raw), `never as ${raw}`);
}

describe('hostile text is escaped', () => {
  for (const locale of locales) {
    it(`in the name of the site, on every page (${locale})`, () => {
      const named = { ...site, siteName: hostile };
      assertEscaped(resetPage(locale, challenge, named, {}));
      assertEscaped(resetPage(locale, { ...challenge, progress: 'locked' }, named, {}));
      assertEscaped(accountsPage(locale, shownOf({}), named));
      assertEscaped(messagePage(locale, named, 'reset', 'message', 'back'));
    });
  }

  it('in names and descriptions of accounts, also of the chosen one', () => {
    const account = {
      id: hostile,
      name: hostile,
      description: `2 ${hostile}`,
      state: 'active',
      hasPassword: true,
      securityVersion: '1',
      secondFactor: 'enrolled',
    } as const;
    const accounts = [account];
    const shown = shownOf({ accounts });
    const html = accountsPage('en', shown, site);
    assertEscaped(html);
    assert.equal(html.split(escaped).length, 4, 'as value, as name, as description');
    assertEscaped(passwordPage('en', 'reset', account, { nonce: 'n', secondFactor: 'passed' }, site, hostile));
    assertEscaped(accountsPage('en', shownOf({ purpose: 'activate', active: accounts }), site));
    assertEscaped(secondFactorPage('en', 'reset', account, 'n', site, hostile));
    const enrolment = { kind: 'enrolment', accountName: hostile, uri: hostile, letters: 'AAAA', nonce: 'n' } as const;
    assertEscaped(enrolPage('en', 'reset', enrolment, site, hostile));
    assertEscaped(recoveryPage('en', 'reset', hostile, ['0123456789abcdef'], site));
  });

  it('in what strangers can write into a mailbox', () => {
    const odd = mailbox("o'neil&sons@b.example");
    const html = accountsPage('en', shownOf({ mailbox: odd }), site);
    assert.equal(html.split('o&#39;neil&#38;sons@b.example').length, 3);
    assert.ok(!html.includes(odd));
    assert.match(mailboxPage('en', { mailbox: odd, nonce: undefined }, site), /o&#39;neil&#38;sons@b\.example/);
  });

  it('in the verdict, which repeats names from a mail', () => {
    const details = {
      authorDomain: hostile,
      signatures: [{ domain: hostile, result: hostile, missed: [] }],
      spf: { result: hostile, domain: hostile, missed: [] },
      dmarc: hostile,
    };
    // Types say that results are of a closed list; a page must not depend on that.
    const notice = { sentence: 'not-confirmed', until: 0, details } as unknown as OpenedChallenge['notice'];
    assertEscaped(resetPage('en', { ...challenge, notice }, site, {}));
  });

  it('in messages, labels and addresses', () => {
    assertEscaped(messagePage('en', site, 'reset', hostile, 'start-again'));
    assertEscaped(undoPage('en', site, { problem: hostile }));
    assertEscaped(typedPage('en', 'n', site, { text: hostile, typed: hostile }));
    assertEscaped(resetPage('en', challenge, site, { problem: hostile }));
    assertEscaped(resetPage('en', challenge, site, { renewed: hostile }));
    // The filled page takes label and address as they are: they are ours, of letters, digits and hyphens only.
    assertEscaped(resetPage('en', { ...challenge, progress: 'reply-queued', label: hostile }, site, {}));
    assertEscaped(resetPage('en', { ...challenge, progress: 'reply-queued', localPart: hostile }, site, {}));
  });
});

describe('the page that is filled in', () => {
  const renewed = 'x';
  const notice = `<p id="renewed" class="notice" role="alert">${renewed}</p>`;
  for (const locale of locales) {
    it(`is the one that would have been made (${locale})`, () => {
      const letters = (alphabet: string, length: number) =>
        fc
          .array(fc.constantFrom(...alphabet), { minLength: length, maxLength: length })
          .map((picked) => picked.join(''));
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toBase64Url),
          letters('0123456789abcdefghjkmnpqrstvwxyz', 32),
          letters('BCDFGHJKLMNPQRSTVWXZ', 8).map((text) => `${text.slice(0, 4)}-${text.slice(4)}`),
          fc.nat(1000).map((minutes) => challenge.expiresAt + minutes * 60_000),
          (nonce, localPart, label, expiresAt) => {
            const opened = { ...challenge, nonce, localPart, label, expiresAt };
            const made = resetPage(locale, opened, site, { renewed });
            assert.equal(resetPage(locale, opened, site, {}), made.replace(notice, ''));
          },
        ),
        runs(50),
      );
    });
  }

  it('puts no value where the name of a site looks like a place for one', () => {
    const odd = { ...site, siteName: 'School x7nonce7x' };
    assert.equal(resetPage('en', challenge, odd, {}).split(challenge.nonce).length, 2);
  });

  it('is another one for another site', () => {
    const other = { ...site, siteName: 'Another School' };
    assert.match(resetPage('en', challenge, other, {}), /Another School/);
    assert.doesNotMatch(resetPage('en', challenge, site, {}), /Another School/);
  });
});

describe('every language', () => {
  const progresses: readonly Progress[] = [
    'awaiting-mail',
    'code-requested',
    'reply-handed-over',
    'reply-failed',
    'verified',
    'locked',
  ];
  for (const locale of locales) {
    it(`has every page, with its own words and nothing undefined (${locale})`, () => {
      const pages = [
        ...purposes.flatMap((purpose) =>
          progresses.map((progress) => resetPage(locale, { ...challenge, purpose, progress }, site, {})),
        ),
        accountsPage(locale, shownOf({ purpose: 'activate', active: [account] }), site),
        passwordPage(locale, 'activate', account, { nonce: 'n', secondFactor: 'none' }, site, undefined),
        mailboxPage(locale, { mailbox: mailbox('a@b.example'), nonce: 'n' }, site),
        mailboxPage(locale, { mailbox: mailbox('a@b.example'), nonce: undefined }, site),
        messagePage(locale, site, 'reset', texts[locale].troubles.bug, 'back'),
        typedPage(locale, challenge.nonce, site, undefined),
        typedPage(locale, challenge.nonce, site, { text: 'no', typed: 'x' }),
      ];
      for (const page of pages) {
        assert.match(page, new RegExp(`^<!doctype html>\\n<html lang="${locale}" dir="ltr">`));
        assert.doesNotMatch(page, /undefined|\[object|NaN|x7(?:nonce|address|label)7x|\$\{/);
        assert.doesNotMatch(
          page,
          /<script(?! type="module" src="\/assets\/(?:page|password)\.js"><\/script>)|<style|\s(?:style|on\w+)="/,
        );
      }
      const label = new RegExp(`<strong id="label"[^>]*>${challenge.label}</strong>`);
      assert.match(pages[0] ?? '', label);
      assert.match(
        phoneMailto(locale, challenge, site),
        /^mailto:[0-9a-z]{32}@in\.school\.example\?subject=.*KQXF-WTMB/,
      );
    });
  }
});
