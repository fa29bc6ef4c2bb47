// What the SMTP port offers, and how it refuses everything else: each answer with its code and its enhanced code.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type SmtpClient, sendMail, startListener, type TestListener } from '../support/smtp.ts';

let server: TestListener;
before(async () => {
  server = await startListener();
});
after(() => server.listener.stop());

let lastAddress = 1;
/** A client with an address of its own, so that no limit is met by accident. */
async function client(): Promise<SmtpClient> {
  lastAddress += 1;
  return server.greeted(`127.0.1.${lastAddress}`);
}

describe('the listener', { concurrency: true }, () => {
  it('offers no more than it does', async () => {
    const one = await server.connect('127.0.0.9');
    assert.deepEqual((await one.reply()).lines, ['mx.in.school.example ESMTP reply-to-verify']);
    const { code, lines } = await one.say('EHLO client.example');
    assert.equal(code, 250);
    assert.match(lines[0] ?? '', /^mx\.in\.school\.example Nice to meet you, \[127\.0\.0\.9\]$/);
    assert.deepEqual(lines.slice(1).toSorted(), ['8BITMIME', 'PIPELINING', 'SIZE 65536']);
    assert.deepEqual((await one.say('HELO client.example')).lines.length, 1);
    await one.quit();
  });

  it('knows no other commands, and has enough of them after ten', async () => {
    const unknown = [
      ...['AUTH PLAIN AGFteQBhbXk=', 'AUTH', 'VRFY amy', 'EXPN staff', 'HELP', 'XCLIENT ADDR=127.0.0.1', 'STARTTLS'],
      ...['XFORWARD ADDR=127.0.0.1', 'WIZ x', 'SHELL', 'KILL', 'LHLO a', 'BDAT 3 LAST', 'TURN', 'ETRN a', 'DEBUG'],
      ...[
        'SEND FROM:<a@b.example>',
        'constructor',
        '',
        ' ',
        '\0',
        `X${'x'.repeat(2000)}`,
        '\xff\xfe',
        'PROXY TCP4 1 2',
      ],
    ];
    for (let at = 0; at < unknown.length; at += 9) {
      const one = await client();
      const few = unknown.slice(at, at + 9);
      assert.deepEqual(
        await one.statuses(few),
        few.map(() => '500 5.5.2'),
      );
      assert.equal((await one.say('NOOP')).status, '250', 'and goes on');
      while (few.pop() !== undefined) one.write('EXPN x\r\n');
      one.write('EXPN x\r\n');
      assert.equal((await one.rest()).at(-1), '421 4.7.0');
    }
  });

  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['EHLO without a name', ['EHLO', 'EHLO a b', `EHLO ${'a'.repeat(301)}`], ['501 5.5.4', '501 5.5.4', '501 5.5.4']],
    [
      'commands out of order',
      ['RCPT TO:<a@b.example>', 'DATA', 'MAIL FROM:<a@b.example>', 'MAIL FROM:<a@b.example>', 'DATA'],
      ['503 5.5.1', '503 5.5.1', '250', '503 5.5.1', '503 5.5.1'],
    ],
    [
      'paths that are none',
      ['MAIL FROM:a@b.example', 'MAIL FROM:<a@b@c.example>', 'MAIL FROM:<a\rb@c.example>', 'MAIL a@b.example'],
      ['501 5.1.7', '501 5.1.7', '501 5.1.7', '501 5.1.7'],
    ],
    [
      'M1, and the next MAIL is a new one',
      ['MAIL FROM:<a@b.example> SMTPUTF8', 'MAIL FROM:<a@b.example>'],
      ['553 5.6.7', '250'],
    ],
    [
      'M1 without saying so',
      ['MAIL FROM:<j\xc3\xbcrgen@b.example>', 'MAIL FROM:<a\xff@b.example>'],
      ['553 5.6.7', '553 5.6.7'],
    ],
    [
      'M2',
      ['MAIL FROM:<a@b.example> SIZE=65537', 'MAIL FROM:<a@b.example> SIZE=99999999999999999999'],
      ['552 5.3.4', '552 5.3.4'],
    ],
    [
      'sizes that are none',
      ['MAIL FROM:<a@b.example> SIZE=-1', 'MAIL FROM:<a@b.example> SIZE', 'MAIL FROM:<a@b.example> SIZE=1 SIZE=1'],
      ['501 5.5.4', '501 5.5.4', '501 5.5.4'],
    ],
    ['what is offered', ['MAIL FROM:<a@b.example> SIZE=65536 BODY=8BITMIME'], ['250']],
    [
      'parameters of extensions that are not offered',
      ['REQUIRETLS', 'RET=FULL', 'ENVID=x', 'AUTH=<>', 'MT-PRIORITY=3', 'BODY=BINARYMIME'].map(
        (parameter) => `MAIL FROM:<a@b.example> ${parameter}`,
      ),
      ['530 5.7.0', '555 5.5.4', '555 5.5.4', '555 5.5.4', '555 5.5.4', '501 5.5.4'],
    ],
    [
      'and of RCPT',
      ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@in.school.example> NOTIFY=SUCCESS', 'RCPT TO:<>', 'RCPT TO:<a>'],
      ['250', '555 5.5.4', '501 5.1.3', '501 5.1.3'],
    ],
    [
      'R8: one recipient for each message',
      ['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'RCPT TO:<e@d.example>', 'RCPT TO:<c@d.example>', 'DATA'],
      ['250', '250', '452 4.5.3', '452 4.5.3', '354'],
    ],
  ];
  for (const [name, lines, want] of rows) {
    it(`answers ${name}`, async () => {
      const one = await client();
      assert.deepEqual(await one.statuses(lines), want);
      one.reset();
    });
  }

  it('wants a greeting before anything else', async () => {
    const one = await server.connect('127.0.2.1');
    await one.reply();
    assert.deepEqual(await one.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<a@b.example>', 'DATA']), [
      '503 5.5.1',
      '503 5.5.1',
      '503 5.5.1',
    ]);
    await one.quit();
  });

  it('ends connections of those who talk before they are greeted, speak HTTP or never end a line', async () => {
    const early = await server.connect('127.0.2.2');
    early.write('EHLO client.example\r\n');
    assert.deepEqual(await early.rest(), ['421 4.7.0']);
    const browser = await server.connect('127.0.2.3');
    await browser.reply();
    browser.write('POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO a\r\n');
    assert.deepEqual(await browser.rest(), ['421 4.7.0']);
    const endless = await server.connect('127.0.2.4');
    await endless.reply();
    endless.write('x'.repeat(2049));
    assert.deepEqual(await endless.rest(), ['421 4.7.0']);
  });

  it('ends connections on which nothing but errors happens, or too much', async () => {
    const wrong = await client();
    wrong.write('DATA\r\n'.repeat(50));
    assert.deepEqual(await wrong.rest(), [...Array<string>(30).fill('503 5.5.1'), '421 4.7.0']);
    const busy = await client();
    busy.write('NOOP\r\n'.repeat(2000));
    const replies = await busy.rest();
    assert.equal(replies.at(-1), '421 4.7.0');
    assert.ok(replies.length > 100 && replies.length <= 250, `${replies.length}`);
  });

  it('keeps the address of a Unicode domain as it came', async () => {
    const one = await client();
    await one.say('MAIL FROM:<a@xn--bcher-kva.example>');
    await one.say('RCPT TO:<c@XN--BCHER-KVA.example>');
    await one.say('DATA');
    one.write('.\r\n');
    await one.reply();
    assert.equal(server.recipients.at(-1)?.recipient, 'c@xn--bcher-kva.example');
    assert.equal(server.mails.at(-1)?.envelope.mailFrom, 'a@xn--bcher-kva.example');
    assert.equal((await sendMail(one)).status, '250 2.0.0', 'the next message on the same connection');
    await one.quit();
  });
});
