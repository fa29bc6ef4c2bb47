// The invitation as it goes out, in every language: nothing to open, nothing secret, the words of the page it speaks of.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { composeInvitation } from '../../src/adapters/mail-out/invitation-message.ts';
import { writeMessage } from '../../src/adapters/mail-out/outgoing-message.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import { locales } from '../../src/core/locale.ts';
import { assertNothingToOpen } from '../../src/testkit/nothing-to-open.ts';
import { amy, mailbox } from '../app/support.ts';

const options = { from: mailbox('accounts@service.example'), siteName: 'Example School', timeZone: 'Europe/Vienna' };
const plain = { to: amy, id: '0f1e2d3c4b5a69788796a5b4c3d2e1f0', accountName: 'apond', locale: 'en' } as const;

async function write(changes: Partial<Parameters<typeof composeInvitation>[0]> = {}) {
  const message = writeMessage(composeInvitation({ ...plain, ...changes }, options), Date.UTC(2026, 0, 15, 9, 31));
  const { text = '', subject = '', html, attachments, headers } = await simpleParser(message);
  assert.deepEqual([html, attachments], [false, []]);
  return { raw: message, text, words: text.replace(/\s+/g, ' '), subject, headers };
}

describe('the invitation', { concurrency: true }, () => {
  for (const locale of locales) {
    test(`in ${locale} says what it is about, and where to go in the words of the page`, async () => {
      const { words, text } = await write({ locale });
      for (const part of ['Example School', 'apond', texts[locale].errands.reset.other]) {
        assert.ok(words.includes(part), part);
      }
      for (const line of text.split('\n')) assert.ok(line.length <= 78, line);
    });

    test(`in ${locale} has nothing to open, whatever the account is called`, async () => {
      for (const accountName of [
        'apond',
        'amy.chess',
        'amy@school.example',
        'https://x.example',
        '<a href=x>',
        'a/b',
      ]) {
        const { raw, words } = await write({ locale, accountName });
        await assertNothingToOpen(raw);
        assert.equal(words.includes(accountName), accountName === 'apond');
      }
    });
  }

  test('is from nobody who could be answered, and says that a machine has sent it', async () => {
    const { headers } = await write();
    assert.equal(headers.get('auto-submitted'), 'auto-generated');
    assert.equal(headers.get('x-auto-response-suppress'), 'All');
    assert.equal(headers.get('message-id'), `<${plain.id}@service.example>`);
    assert.ok(!headers.has('in-reply-to'));
  });

  test('the languages differ', async () => {
    const all = await Promise.all(locales.map((locale) => write({ locale })));
    for (const key of ['subject', 'text'] as const)
      assert.equal(new Set(all.map((each) => each[key])).size, locales.length);
  });
});
