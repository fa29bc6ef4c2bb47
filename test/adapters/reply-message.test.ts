// The reply as it goes out, in every language and for every browser: headers of RFC 3834, a code to type, nothing to open.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { type OutgoingMessage, writeMessage } from '../../src/adapters/mail-out/outgoing-message.ts';
import { composeReply, type ReplyOptions } from '../../src/adapters/mail-out/reply-message.ts';
import type { OutgoingReply } from '../../src/app/ports.ts';
import { browsers, type ClientHint, systems } from '../../src/core/client-hint.ts';
import { locales } from '../../src/core/locale.ts';
import { purposes } from '../../src/core/purpose.ts';
import { amy, mailbox, minuteMs } from '../app/support.ts';

const options: ReplyOptions = {
  from: mailbox('accounts@service.example'),
  siteName: 'Example School',
  timeZone: 'Europe/Vienna',
};
const sentAt = Date.UTC(2026, 0, 15, 9, 31);
const openedAt = Date.UTC(2026, 0, 15, 9, 30);
const plain: OutgoingReply = {
  by: 'mail',
  to: amy,
  id: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  inReplyTo: null,
  code: '48217730',
  label: 'KQXF-WTMB',
  purpose: 'reset',
  locale: 'en',
  clientHint: { browser: 'Firefox', system: 'Windows' },
  openedAt,
  validUntil: openedAt + 40 * minuteMs,
};

interface Written {
  /** The header section, as it is sent. */
  readonly header: string;
  /** Values by name in lower case, unfolded; a field that comes twice is an error. */
  readonly fields: ReadonlyMap<string, string>;
  /** The body, decoded, and as it is sent. */
  readonly text: string;
  readonly rawBody: string;
  readonly subject: string;
}

async function write(changes: Partial<OutgoingReply> = {}, changed: Partial<ReplyOptions> = {}): Promise<Written> {
  const message = writeMessage(composeReply({ ...plain, ...changes }, { ...options, ...changed }), sentAt);
  const raw = message.toString('latin1');
  const end = raw.indexOf('\r\n\r\n');
  const header = raw.slice(0, end);
  const fields = new Map<string, string>();
  for (const line of header.replace(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const [, name = '', value = ''] = /^([!-9;-~]+): ?(.*)$/.exec(line) ?? [];
    assert.ok(name !== '' && !fields.has(name.toLowerCase()), line);
    fields.set(name.toLowerCase(), value);
  }
  const parsed = await simpleParser(message);
  assert.deepEqual([parsed.attachments, parsed.html], [[], false]);
  return {
    header,
    fields,
    text: parsed.text ?? '',
    rawBody: raw.slice(end + 4),
    subject: parsed.subject ?? '',
  };
}

/** Whatever a mail program or a filter could take for something to open. */
const linkLike = [
  [/:\/\//, 'a scheme'],
  [/\bwww\b/i, 'www'],
  [/\b(?:https?|mailto|tel|ftp):/i, 'a link'],
  [/@/, 'an address'],
  [/[\p{L}\p{N}]\.[\p{L}\p{N}]/u, 'a host name'],
  [/<\/?[a-z]/i, 'markup'],
  [/\bservice\b|\bexample\b(?! School)/i, 'our own host'],
] as const;

const hints: readonly ClientHint[] = browsers.flatMap((browser) => systems.map((system) => ({ browser, system })));

describe('the reply', { concurrency: true }, () => {
  for (const locale of locales) {
    test(`in ${locale}, for every browser: the code first, nothing link-like, short lines`, async () => {
      for (const clientHint of hints) {
        const where = `${locale} ${clientHint.browser} ${clientHint.system}`;
        const { text, rawBody, header, fields, subject } = await write({ locale, clientHint });
        const [first, second, ...rest] = text.split('\n');
        assert.deepEqual([first, second], ['4821 7730', ''], where);
        assert.doesNotMatch(rest.join('\n'), /4821|7730/, where);
        for (const [pattern, what] of linkLike) assert.doesNotMatch(text, pattern, `${where}: ${what}`);
        for (const line of text.split('\n')) assert.ok(line.length <= 78, `${where}: ${line}`);
        for (const line of rawBody.split('\r\n')) assert.ok(line.length <= 78, `${where}: ${line}`);
        assert.doesNotMatch(`${header}\n${subject}`, /4821[ -]?7730|48217730/, `${where}: lock screens show headers`);
        assert.ok(subject.includes('KQXF-WTMB') && text.includes('KQXF-WTMB'), where);
        assert.ok(text.replace(/\s+/g, ' ').includes('Example School'), where);
        for (const name of [clientHint.browser, clientHint.system]) {
          assert.equal(text.replace(/\s+/g, ' ').includes(name), name !== 'other', `${where}: ${name}`);
        }
        assert.match(fields.get('content-type') ?? '', /^text\/plain; charset=utf-8$/i);
      }
    });

    test(`in ${locale}: opened when, valid until, in the time zone of the site`, async () => {
      const { text } = await write({ locale });
      const words = text.replace(/\s+/g, ' ');
      assert.match(words, /15.{1,40}10:30/);
      assert.match(words, /11:10/);
      assert.match((await write({ locale }, { timeZone: 'UTC' })).text, /09:30|9:30/);
    });
  }

  test('what the code is for is said in the Subject and in the first sentence, for each errand in its own words', async () => {
    for (const locale of locales) {
      const all = await Promise.all(purposes.map((purpose) => write({ locale, purpose })));
      assert.equal(new Set(all.map(({ subject }) => subject)).size, purposes.length);
      const sentences = all.map(({ text }) => text.replace(/\s+/g, ' ').split('.')[0] ?? '');
      assert.equal(new Set(sentences).size, purposes.length, sentences.join());
      for (const { text } of all) {
        for (const [pattern, what] of linkLike) assert.doesNotMatch(text.replace(/\s+/g, ' '), pattern, what);
      }
    }
  });

  test('the languages differ, in the Subject and in every sentence', async () => {
    const written = await Promise.all(locales.map((locale) => write({ locale })));
    assert.equal(new Set(written.map(({ subject }) => subject)).size, locales.length);
    const sentences = written.flatMap(({ text }) =>
      text
        .slice(11)
        .replace(/\s+/g, ' ')
        .trim()
        .split(/(?<=[.?]) /),
    );
    assert.ok(sentences.length >= 20);
    assert.equal(new Set(sentences).size, sentences.length);
  });

  test('headers: automatic, to one mailbox, from us, and no others', async () => {
    const { fields } = await write();
    const expected: Record<string, string | RegExp> = {
      from: 'Example School <accounts@service.example>',
      to: amy,
      subject: 'Re: New password KQXF-WTMB',
      'message-id': '<0f1e2d3c4b5a69788796a5b4c3d2e1f0@service.example>',
      'auto-submitted': 'auto-replied',
      'x-auto-response-suppress': 'All',
      date: 'Thu, 15 Jan 2026 09:31:00 +0000',
      'mime-version': '1.0',
      'content-type': 'text/plain; charset=utf-8',
      'content-transfer-encoding': /^(?:7bit|quoted-printable)$/,
    };
    assert.deepEqual([...fields.keys()].toSorted(), Object.keys(expected).toSorted());
    for (const [name, value] of Object.entries(expected)) {
      const found = fields.get(name) ?? '';
      if (value instanceof RegExp) assert.match(found, value);
      else assert.equal(found, value);
    }
  });

  test('to an address that was typed: in no thread, automatic, in other words, as little to open', async () => {
    const answers = await Promise.all(locales.map((locale) => write({ locale })));
    for (const [at, locale] of locales.entries()) {
      for (const clientHint of hints) {
        const { text, header, fields, subject, rawBody } = await write({ by: 'typed', locale, clientHint });
        assert.match(text, /^4821 7730\n\n/);
        for (const [pattern, what] of linkLike) assert.doesNotMatch(text, pattern, `${locale}: ${what}`);
        for (const line of [...text.split('\n'), ...rawBody.split('\r\n')]) assert.ok(line.length <= 78, line);
        assert.doesNotMatch(`${header}\n${subject}`, /4821[ -]?7730|48217730/);
        assert.deepEqual([fields.get('auto-submitted'), fields.get('in-reply-to')], ['auto-generated', undefined]);
        assert.equal(`Re: ${subject}`, answers[at]?.subject);
        assert.ok(text.includes('KQXF-WTMB') && text.replace(/\s+/g, ' ').includes('Example School'));
        assert.match(text.replace(/\s+/g, ' '), /15.{1,40}10:30.*11:10/);
        const own = text.slice(11).trim().split('\n\n');
        for (const paragraph of own) assert.ok(!answers[at]?.text.includes(paragraph), paragraph);
      }
    }
    const { fields } = await write({ by: 'typed' });
    assert.equal(
      fields.get('message-id'),
      '<0f1e2d3c4b5a69788796a5b4c3d2e1f0@service.example>',
      'the same on every try',
    );
    assert.match(
      (await write({ by: 'typed' })).text.replace(/\s+/g, ' '),
      /Somebody typed your address.*Tell nobody the code/,
    );
  });

  test('no value begins a field of its own, whoever wrote it', () => {
    const message = composeReply(plain, options);
    const forged: Partial<OutgoingMessage>[] = [
      { inReplyTo: '<a@b.example>\r\nBcc: <c@d.example>' },
      { inReplyTo: '<a@b.example>\nX: y' },
      { inReplyTo: '<ä@b.example>' },
      { messageId: '<a\0@b.example>' },
      { subject: 'a\r\nBcc: b' },
    ];
    for (const part of forged) assert.throws(() => writeMessage({ ...message, ...part }, sentAt), TypeError);
    const from = { ...message.from, name: 'a\r\nBcc: b' };
    assert.doesNotMatch(writeMessage({ ...message, from }, sentAt).toString('latin1'), /^Bcc:/m);
  });

  test('In-Reply-To and References are the Message-ID alone, when there is one', async () => {
    for (const inReplyTo of ['<a@b.example>', `<${'x'.repeat(238)}@mail.school.example>`]) {
      const { fields } = await write({ inReplyTo });
      assert.deepEqual([fields.get('in-reply-to'), fields.get('references')], [inReplyTo, inReplyTo]);
    }
  });

  const mailboxes = [
    'Amy.Pond@school.example',
    "o'brien+x@school.example",
    "!#$%&'*+-/^_`{|}~@school.example",
    '1@2.school.example',
    'a@xn--bcher-kva.example',
    `${'x'.repeat(64)}@${'y'.repeat(60)}.${'z'.repeat(60)}.example`,
  ];
  for (const address of mailboxes) {
    test(`${address.slice(0, 40)} is written to as it is`, async () => {
      const to = mailbox(address);
      assert.equal((await write({ to })).fields.get('to'), to);
    });
  }

  test('the text is the same for every sender and every message: nothing of theirs is in it', async () => {
    const first = await write();
    const other = await write({
      to: mailbox('Call.0800.EVIL@evil.example'),
      inReplyTo: '<call.0800.evil@evil.example>',
      id: 'f'.repeat(32),
    });
    assert.equal(other.text, first.text);
    assert.equal(other.subject, first.subject);
    assert.equal(other.fields.get('from'), first.fields.get('from'));
  });

  const sites = [
    'S',
    'Schule „Nord“ & Söhne, Außenstelle',
    'x'.repeat(60),
    `${'long words '.repeat(5)}here`,
    '"; $(x)',
  ];
  for (const siteName of sites) {
    test(`a site called ${siteName.slice(0, 20)} keeps the lines short and the header whole`, async () => {
      for (const locale of locales) {
        const { text, fields, rawBody } = await write({ locale }, { siteName });
        assert.ok(text.replace(/\s+/g, ' ').includes(siteName), locale);
        for (const line of [...text.split('\n'), ...rawBody.split('\r\n')]) assert.ok(line.length <= 78, line);
        assert.match(fields.get('from') ?? '', /^[ -~]+ <accounts@service\.example>$/);
        assert.match(text, /^4821 7730\n\n/);
      }
    });
  }

  test('what is read is what nodemailer would have written, in every language', async () => {
    const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
    const read = async (message: Buffer) => {
      const { from, to, subject, messageId, inReplyTo, references, date, text } = await simpleParser(message);
      return { from: from?.value, to, subject, messageId, inReplyTo, references, date, text };
    };
    const names = [...sites, '学校'.repeat(30), '🏫'.repeat(30), '=?', "l'École « Été »", 'a  b', 'Café=_?'];
    for (const locale of locales) {
      for (const [at, siteName] of names.entries()) {
        const by = at % 2 === 0 ? 'mail' : 'typed';
        const inReplyTo = by === 'mail' ? '<a@b.example>' : null;
        const message = composeReply({ ...plain, by, inReplyTo, locale }, { ...options, siteName });
        const { to, inReplyTo: _, autoSubmitted: __, ...same } = message;
        const thread = inReplyTo === null ? {} : { inReplyTo, references: inReplyTo };
        const theirs = await composer.sendMail({
          ...same,
          ...thread,
          to: { name: '', address: to },
          date: new Date(sentAt),
        });
        assert.ok(Buffer.isBuffer(theirs.message));
        assert.deepEqual(
          await read(writeMessage(message, sentAt)),
          await read(theirs.message),
          `${locale} ${siteName}`,
        );
      }
    }
  });
});
