// Links that open a new mail: what a mail program or a webmail reads from them is what was put in, whatever it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mailtoLink, type NewMail, webmailLinks } from '../../src/adapters/web/compose-links.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import { locales } from '../../src/core/locale.ts';
import { requestSubject } from '../../src/core/request-subject.ts';
import { requestLabel, subjectHoldsLabel } from '../../src/core/verification-code.ts';
import { parseMailto } from '../../src/testkit/mailto.ts';
import { runs, table } from '../support/core-table.ts';

const to = '0123456789abcdefghjkmnpqrstvwxyz@in.school.example';
const label = requestLabel('0123456789abcdef0123');
const plain: NewMail = { to, subject: 'New password', body: 'Please.' };

table('mailto, as it is written', (body: string) => mailtoLink({ ...plain, body }).split('body=')[1], [
  ['letters and digits', 'Az09-._~', 'Az09-._~'],
  ['a blank', 'a b', 'a%20b'],
  ['line ends (RFC 6068 §5)', 'a\n\nb', 'a%0D%0A%0D%0Ab'],
  ['what would begin another field', 'a&bcc=x@y.example', 'a%26bcc%3Dx%40y.example'],
  ['what would end the fields', 'a#b?c', 'a%23b%3Fc'],
  ['what is encoded already', '%41%', '%2541%25'],
  ['a plus sign', '1+1', '1%2B1'],
  ['double quotes', '"a"', '%22a%22'],
  ['angle brackets', '<a>', '%3Ca%3E'],
  ['umlauts', 'Grüße', 'Gr%C3%BC%C3%9Fe'],
  ['beyond two bytes', '“€😀', '%E2%80%9C%E2%82%AC%F0%9F%98%80'],
  ['nothing', '', ''],
]);

test('mailto has the address as it is, then Subject and body', () => {
  assert.equal(mailtoLink(plain), `mailto:${to}?subject=New%20password&body=Please.`);
});

/** The mails that our pages offer, and texts that are hard to encode. */
const sites = ['Example School', 'Ümläut & Söhne “GmbH”', '100% <b>#1</b>?', 'L’école d’été', "O'Neill + Co; a=b, \\"];
const mails: readonly (readonly [string, NewMail])[] = locales.flatMap((locale) =>
  sites.map((site) => {
    const body = texts[locale].errands.reset.mailBody(site, label).join('\n\n');
    return [`${locale}, ${site}`, { to, subject: requestSubject('reset', locale, label), body }] as const;
  }),
);

for (const [name, mail] of mails) {
  test(`a mail program and each webmail read the same mail: ${name}`, () => {
    assert.deepEqual(parseMailto(mailtoLink(mail)), mail);
    for (const { read } of readWebmail(mail)) assert.deepEqual(read, mail);
  });
}

test('every link is plain ASCII that needs no quotes, and holds no line end', () => {
  for (const [name, mail] of mails) {
    for (const link of [mailtoLink(mail), ...Object.values(webmailLinks(mail))]) {
      assert.match(link, /^[a-z]+:[A-Za-z0-9\-._~!$'()*+,;:@%/?&=]+$/, name);
    }
  }
});

test('any text comes back from every link', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 }).map((one) => one.toWellFormed());
  const lines = fc.array(text, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(text, lines, (words, parts) => {
      // A Subject is one line, and mail programs trim it; control characters have no place in either.
      const clean = (one: string) => one.replace(/\p{Cc}+/gu, ' ').trim();
      const mail = { to, subject: clean(words), body: parts.map(clean).join('\n') };
      assert.deepEqual(parseMailto(mailtoLink(mail)), mail);
      for (const { read } of readWebmail(mail)) assert.deepEqual(read, mail);
    }),
    runs(200),
  );
});

/** What each webmail reads, by the rules of forms (URL Standard), with line feeds for whatever line ends came. */
function readWebmail(mail: NewMail) {
  const links = webmailLinks(mail);
  return (Object.keys(links) as (keyof typeof links)[]).map((name) => {
    const url = new URL(links[name]);
    const field = (field: string) => {
      const values = url.searchParams.getAll(field);
      assert.equal(values.length, 1, `${name}: ${field}`);
      return values[0];
    };
    const read = { to: field('to'), subject: field(name === 'gmail' ? 'su' : 'subject'), body: field('body') };
    return { name, url, read };
  });
}

test('the webmail links lead to the providers, by TLS, and say nothing more', () => {
  const links = readWebmail(plain).map(({ name, url }) => {
    const { protocol, username, port, hash, searchParams } = url;
    assert.deepEqual([protocol, username, port, hash], ['https:', '', '', '']);
    return [name, `${url.host}${url.pathname}`, [...searchParams.keys()].toSorted().join(' ')];
  });
  assert.deepEqual(links, [
    ['gmail', 'mail.google.com/mail/', 'body fs su to view'],
    ['outlookAtWork', 'outlook.office.com/mail/deeplink/compose', 'body subject to'],
    ['outlook', 'outlook.live.com/mail/0/deeplink/compose', 'body subject to'],
    ['yahoo', 'compose.mail.yahoo.com/', 'body subject to'],
  ]);
});

// Outlook turns blanks into plus signs for people who have to log in first.
for (const locale of locales) {
  const subject = requestSubject('reset', locale, label);
  table(`the Subject in ${locale} holds its label`, (text: string) => subjectHoldsLabel(text, label), [
    ['as it is', subject, true],
    ['with plus signs', subject.replaceAll(' ', '+'), true],
    ['with plus signs and a blank at the end', `${subject.replaceAll(' ', '+')} `, true],
    ['encoded twice', subject.replaceAll(' ', '%20'), true],
    ['without it', subject.replace(label, ''), false],
  ]);
}

test('the very Subject that came from Outlook holds its label', () => {
  assert.equal(subjectHoldsLabel('New+password+KQXF-WTMB', 'KQXF-WTMB'), true);
  assert.equal(subjectHoldsLabel('New+password+KQXF-WTMB', 'KQXF-WTMC'), false);
});
