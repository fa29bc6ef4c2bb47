// The SMTP client and the sink of the test kit, against each other and against a server that speaks from a script.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Sink, startSink } from '../../src/testkit/sink.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';

async function start(t: TestContext): Promise<Sink> {
  const sink = await startSink({ host: '127.0.0.1', port: 0 });
  t.after(() => sink.close());
  return sink;
}

function send(server: { port: number }, raw: string | Buffer, rcptTo: string | string[] = 'amy@school.example') {
  return deliver({ host: '127.0.0.1', port: server.port, mailFrom: 'a@b.example', rcptTo, raw, helo: 'mx.b.example' });
}

/** Answers the greeting, then each line it gets, with the next text; the last one closes the connection. */
async function scripted(t: TestContext, ...replies: string[]): Promise<{ port: number; lines: string[] }> {
  const lines: string[] = [];
  const server = createServer((socket) => {
    const left = [...replies];
    const say = () => (left.length > 1 ? socket.write(left.shift() ?? '') : socket.end(left.shift() ?? ''));
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        lines.push(data.toString());
        say();
      });
    say();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return { port: address.port, lines };
}

test('bytes arrive exactly as given', async (t) => {
  const sink = await start(t);
  const bodies = [
    'plain\r\n',
    '.\r\n',
    '..\r\n...\r\n',
    'a\r\n.\r\n.b\r\n..c\r\n\r\n',
    `\r\n.${'x'.repeat(200_000)}\r\n.\r\n`,
  ];
  const raws = bodies.map((body) => Buffer.from(`Subject: x\r\n\r\n${body}`));
  raws.push(
    Buffer.from('.Subject: first line begins with a dot\r\n\r\n'),
    Buffer.from([0x41, 0, 0xff, 0x0a, 0x2e, 0x0a, 0x0d, 0x2e, 0x0d, 0x0a]),
  );
  for (const raw of raws) {
    assert.deepEqual(await send(sink, raw), { accepted: true, code: 250, text: '2.0.0 kept' });
    assert.deepEqual(sink.messages.at(-1)?.raw, raw);
  }
  await send(sink, 'no end');
  assert.equal(sink.messages.at(-1)?.raw.toString(), 'no end\r\n');
});

test('the answer is that of the command that was refused', async (t) => {
  const cases: [string[], object][] = [
    [['554 5.3.2 no\r\n'], { accepted: false, code: 554, text: '5.3.2 no' }],
    [['220 hi\r\n', '250-x\r\n250 y\r\n', '553 5.6.7 from\r\n'], { accepted: false, code: 553, text: '5.6.7 from' }],
    [
      ['220 hi\r\n', '250 y\r\n', '250 ok\r\n', '550-5.1.1 one\r\n550 5.1.1 two\r\n'],
      { accepted: false, code: 550, text: '5.1.1 one 5.1.1 two' },
    ],
    [
      ['220 hi\r\n', '250 y\r\n', '250 ok\r\n', '250 ok\r\n', '451 data\r\n'],
      { accepted: false, code: 451, text: 'data' },
    ],
    [
      ['220 hi\r\n', '250 y\r\n', '250 ok\r\n', '250 ok\r\n', '354 go\r\n', '550 5.7.26 not you\r\n'],
      { accepted: false, code: 550, text: '5.7.26 not you' },
    ],
  ];
  for (const [replies, answer] of cases) {
    const server = await scripted(t, ...replies);
    assert.deepEqual(await send(server, 'x\r\n'), answer);
    assert.equal(server.lines.filter((line) => !line.startsWith('QUIT')).length, replies.length - 1);
  }
});

test('a connection that fails is an error, not an answer', async (t) => {
  const gone = await scripted(t, '220 hi\r\n', '');
  await assert.rejects(send(gone, 'x'), /without an answer|ECONNRESET/);
  await assert.rejects(send(await scripted(t, 'HTTP/1.1 400 Bad Request\r\n'), 'x'), /not an SMTP reply/);
  const closed = await startSink({ host: '127.0.0.1', port: 0 });
  await closed.close();
  await assert.rejects(send(closed, 'x'), { code: 'ECONNREFUSED' });
  await assert.rejects(send(closed, 'x', 'a@b>\r\nRCPT TO:<c@d'), TypeError);
});

test('the sink keeps the envelope and shows the message', async (t) => {
  const sink = await start(t);
  const lines = [
    'From: =?UTF-8?Q?J=C3=B6?= <jo@b.example>',
    'To: amy@school.example,',
    ' rory@school.example',
    'In-Reply-To: <x@y.example>',
    'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=',
    '',
    'Hello',
    '',
  ];
  await send(sink, lines.join('\r\n'), ['amy@school.example', 'rory@school.example']);
  const [message] = sink.messages;
  assert.deepEqual(message?.envelope, {
    mailFrom: 'a@b.example',
    rcptTo: ['amy@school.example', 'rory@school.example'],
  });
  const view = await message.view();
  assert.equal(await message.view(), view);
  assert.deepEqual(
    [view.subject, view.from, view.inReplyTo, view.text.trim()],
    ['Grüße', '"Jö" <jo@b.example>', '<x@y.example>', 'Hello'],
  );
  assert.equal(view.to, 'amy@school.example, rory@school.example');
  assert.deepEqual(view.headers[1], { name: 'to', value: 'amy@school.example, rory@school.example' });
});

test('waitFor finds what is there and what comes, and says what is missing', async (t) => {
  const sink = await start(t);
  const seen: string[] = [];
  const stop = sink.onMessage((message) => seen.push(message.id));
  const coming = sink.waitFor(({ raw }) => raw.includes('two'), { timeoutMs: 5000 });
  await send(sink, 'one\r\n');
  stop();
  await send(sink, 'two\r\n');
  assert.equal((await coming).raw.toString(), 'two\r\n');
  assert.equal((await sink.waitFor(({ raw }) => raw.includes('one'), { timeoutMs: 0 })).id, '1');
  assert.deepEqual(seen, ['1']);
  await assert.rejects(
    sink.waitFor(() => false, { timeoutMs: 5 }),
    /no such message within 5 ms; 2 arrived, the last for: amy@school/,
  );
  const closing = assert.rejects(
    sink.waitFor(() => false, { timeoutMs: 5000 }),
    /before the sink closed/,
  );
  await sink.close();
  await closing;
});

test('what is to be typed is found in a reply and in a notice, and in no other mail', async (t) => {
  const sink = await start(t);
  const cases: [string, string, string | undefined, string | undefined][] = [
    ['Re: New password: KQXF-WTMB', '4821 7730\r\n\r\nType it.', '4821 7730', 'KQXF-WTMB'],
    ['Password changed', 'Undo code:\r\n\r\n1a2b-3c4d-5e6f-7g8h\r\n', '1a2b-3c4d-5e6f-7g8h', undefined],
    ['Call 4821 7730', 'or KQXF-WTMB', undefined, 'KQXF-WTMB'],
    ['AEIO-UAEI', '4821 77301', undefined, undefined],
  ];
  for (const [subject, text, code, label] of cases) {
    await send(sink, `Subject: ${subject}\r\n\r\n${text}\r\n`);
    const view = await sink.messages.at(-1)?.view();
    assert.deepEqual([view?.code, view?.label], [code, label], subject);
  }
});

test('the sink refuses a message that is too big, however much more comes, and hangs up on a line without an end', async (t) => {
  const sink = await start(t);
  assert.equal((await send(sink, Buffer.alloc(2_100_000, 'x'))).code, 552);
  assert.equal((await send(sink, Buffer.alloc(100_000_000, 'x'))).code, 552);
  assert.equal(sink.messages.length, 0);
  const socket = connect(sink.port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'data');
  socket.write('x'.repeat(1_000_000));
  await once(socket.resume(), 'close');
  assert.equal((await send(sink, 'x\r\n')).code, 250, 'others are not held up');
});

test('the sink keeps the last 1,000 and 64 MiB, offers neither STARTTLS nor AUTH, and closes with connections open', async (t) => {
  const sink = await start(t);
  const socket = connect(sink.port, '127.0.0.1');
  socket.setEncoding('utf8').on('error', () => undefined);
  const reply = async () => String((await once(socket, 'data'))[0]);
  await reply();
  socket.write('EHLO x\r\n');
  assert.doesNotMatch(await reply(), /STARTTLS|AUTH/);
  const give = async (text: string) => {
    for (const line of ['MAIL FROM:<>', 'RCPT TO:<a@b.example>', 'DATA', `${text}\r\n.`]) {
      socket.write(`${line}\r\n`);
      await reply();
    }
  };
  for (let count = 0; count < 1001; count += 1) await give('x');
  assert.deepEqual([sink.messages.length, sink.messages[0]?.id, sink.messages[0]?.envelope.mailFrom], [1000, '2', '']);
  const big = 'x'.repeat(2_000_000);
  for (let count = 0; count < 40; count += 1) await give(big);
  assert.equal(sink.messages.length, 33); // 33 × 2 MB are less than 64 MiB
  sink.clear();
  assert.equal(sink.messages.length, 0);
  await give('y');
  assert.equal(sink.messages[0]?.id, '1042', 'names are not used again');
  await Promise.all([sink.close(), once(socket, 'close')]);
  await sink.close();
});
