// Handing over to a relay that a test tells what to say: what is final, what is worth another try, what is on the wire.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createNodemailerSender } from '../../src/adapters/mail-out/nodemailer-sender.ts';
import type { MailSender, OutgoingReply } from '../../src/app/ports.ts';
import { startSink } from '../../src/testkit/sink.ts';
import { amy, mailbox } from '../app/support.ts';
import { plainRelay } from '../support/relay.ts';

const reply: OutgoingReply = {
  by: 'mail',
  to: amy,
  id: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  inReplyTo: '<a@mail.school.example>',
  code: '48217730',
  label: 'KQXF-WTMB',
  purpose: 'reset',
  locale: 'en',
  clientHint: { browser: 'Firefox', system: 'Windows' },
  openedAt: Date.UTC(2026, 0, 15, 9, 30),
  validUntil: Date.UTC(2026, 0, 15, 10),
};

function senderFor(t: TestContext, relayUrl: string): MailSender {
  const sender = createNodemailerSender({
    ...plainRelay,
    relayUrl,
    hostname: 'mx.in.school.example',
    from: mailbox('accounts@service.example'),
    siteName: 'Example School',
    timeZone: 'UTC',
  });
  t.after(() => sender.close());
  return sender;
}

type Step = 'greeting' | 'EHLO' | 'HELO' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'end of data';

interface Relay {
  readonly url: string;
  readonly lines: readonly string[];
  readonly connections: () => number;
  /** What it says to a step, without the line end; `drop`: it goes away. */
  say: Partial<Record<Step, string>>;
}

/** A relay that repeats the recipient in all it says, as many do. */
async function startRelay(t: TestContext, say: Relay['say'] = {}, offers: readonly string[] = []): Promise<Relay> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const usual: Record<Step, string> = {
    greeting: '220 relay.test ESMTP',
    EHLO: ['250-relay.test', ...offers.map((offer) => `250-${offer}`), '250 HELP'].join('\r\n'),
    HELO: '250 relay.test',
    AUTH: '235 2.7.0 welcome',
    MAIL: '250 2.1.0 ok',
    RCPT: '250 2.1.5 ok',
    DATA: '354 go on',
    'end of data': '250 2.0.0 queued',
  };
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    let inData = false;
    let rest = '';
    const answer = (step: Step) => {
      const text = relay.say[step] ?? usual[step];
      if (text === 'drop') socket.destroy();
      else socket.write(`${text}\r\n`);
      inData = step === 'DATA' && text.startsWith('354');
    };
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      const parts = (rest + data.toString('latin1')).split('\r\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        if (inData) {
          if (line === '.') answer('end of data');
          continue;
        }
        const verb = line.split(' ')[0]?.toUpperCase() ?? '';
        if (verb in usual) answer(verb as Step);
        else socket.write(verb === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n');
      }
    });
    answer('greeting');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  const relay: Relay = { url: `smtp://127.0.0.1:${address.port}`, lines, connections: () => connections, say };
  return relay;
}

const gone = `550 5.1.1 <${amy}> no such user, see https://relay.test/?a=${amy}`;
const later = `451 4.7.1 <${amy}> greylisted`;

describe('handing over a reply', { concurrency: true, timeout: 10_000 }, () => {
  test('what arrives is the reply, to the one mailbox, from nobody', async (t) => {
    const sink = await startSink({ host: '127.0.0.1', port: 0 });
    t.after(() => sink.close());
    const to = mailbox("Amy.O'Pond+x@school.example");
    const result = await senderFor(t, `smtp://127.0.0.1:${sink.port}`).send({ ...reply, to });
    assert.deepEqual(result, { kind: 'handed-over' });
    assert.equal(sink.messages.length, 1);
    const [message] = sink.messages;
    assert.deepEqual(message?.envelope, { mailFrom: '', rcptTo: [to] });
    const { text, subject, inReplyTo } = (await message?.view()) ?? {};
    assert.match(text ?? '', /^4821 7730\n/);
    assert.deepEqual([subject, inReplyTo], ['Re: New password KQXF-WTMB', '<a@mail.school.example>']);
  });

  for (const [title, offers] of [
    ['one command at a time', []],
    ['pipelined', ['PIPELINING', 'SMTPUTF8', '8BITMIME', 'SIZE 1000000']],
  ] as const) {
    test(`on the wire, ${title}: our name, and an empty sender`, async (t) => {
      const relay = await startRelay(t, {}, offers);
      assert.deepEqual(await senderFor(t, relay.url).send(reply), { kind: 'handed-over' });
      const commands = relay.lines.filter((line) => /^(?:EHLO|MAIL|RCPT|DATA)/.test(line));
      assert.equal(commands[0], 'EHLO mx.in.school.example');
      assert.match(commands[1] ?? '', /^MAIL FROM:<>(?: |$)/);
      assert.deepEqual(commands.slice(2), [`RCPT TO:<${amy}>`, 'DATA']);
    });

    const outcomes: [Step, string, 'permanent' | 'temporary' | 'away'][] = [
      ['RCPT', gone, 'permanent'],
      ['RCPT', '553 5.1.3 bad address', 'permanent'],
      ['RCPT', later, 'temporary'],
      ['RCPT', `550 5.7.1 <${amy}> not by you`, 'temporary'],
      ['RCPT', `421 4.3.2 <${amy}> shutting down`, 'away'],
      ['DATA', `554 5.7.1 not for <${amy}>`, 'permanent'],
      ['DATA', later, 'temporary'],
      ['end of data', `554 5.7.1 <${amy}> smells of spam`, 'permanent'],
      ['end of data', '550 5.7.26 not authenticated', 'permanent'],
      ['end of data', later, 'temporary'],
      ['end of data', '452 4.3.1 disk full', 'temporary'],
      // Not about this recipient or this message, but about us: the operator can mend it while the reply waits.
      ['MAIL', '530 5.7.0 log in first', 'away'],
      ['MAIL', later, 'away'],
      ['greeting', '554 5.7.1 you are on a list', 'away'],
      ['greeting', 'HTTP/1.1 400 Bad Request', 'away'],
      ['EHLO', 'drop', 'away'],
      ['MAIL', 'drop', 'away'],
      ['RCPT', 'drop', 'away'],
      ['DATA', 'drop', 'away'],
      ['end of data', 'drop', 'away'],
    ];
    for (const [step, text, kind] of outcomes) {
      test(`${title}: ${step} answered ${text.slice(0, 9)} is ${kind}, and only codes are told`, async (t) => {
        const relay = await startRelay(t, { [step]: text }, offers);
        const result = await senderFor(t, relay.url).send(reply);
        assert.ok(result.kind !== 'handed-over');
        const { detail } = result;
        assert.equal(result.kind, kind);
        assert.match(detail, /^[A-Z][A-Z0-9 ]{2,40}$/);
        const code = /^[45]\d\d/.exec(text)?.[0];
        if (code !== undefined) assert.ok(detail.endsWith(` ${code}`), detail);
      });
    }
  }

  test('a relay that is not there is away', async (t) => {
    const relay = await startSink({ host: '127.0.0.1', port: 0 });
    await relay.close();
    const result = await senderFor(t, `smtp://127.0.0.1:${relay.port}`).send(reply);
    assert.equal(result.kind, 'away');
  });

  test('a name that cannot be found is away', async (t) => {
    assert.equal((await senderFor(t, 'smtp://relay.invalid:25').send(reply)).kind, 'away');
  });

  test('a relay that takes no password of ours is away, and nothing of it is told', async (t) => {
    const relay = await startRelay(t, { AUTH: '535 5.7.8 hunter2 is wrong' }, ['AUTH PLAIN LOGIN']);
    const result = await senderFor(t, relay.url.replace('//', '//me:hunter2@')).send(reply);
    assert.equal(result.kind, 'away');
    assert.doesNotMatch(JSON.stringify(result), /hunter2|aHVudGVyMg/);
    assert.ok(relay.lines.some((line) => line.startsWith('AUTH ')));
  });

  test('after a refusal and after a break the next reply goes out', async (t) => {
    const relay = await startRelay(t);
    const sender = senderFor(t, relay.url);
    const steps: [Relay['say'], string][] = [
      [{}, 'handed-over'],
      [{ RCPT: gone }, 'permanent'],
      [{}, 'handed-over'],
      [{ 'end of data': later }, 'temporary'],
      [{}, 'handed-over'],
      [{ 'end of data': 'drop' }, 'away'],
      [{}, 'handed-over'],
    ];
    for (const [say, kind] of steps) {
      relay.say = say;
      assert.equal((await sender.send(reply)).kind, kind);
    }
  });

  test('many at once share a few connections, and all arrive', async (t) => {
    const relay = await startRelay(t);
    const sender = senderFor(t, relay.url);
    const results = await Promise.all(Array.from({ length: 30 }, () => sender.send(reply)));
    assert.deepEqual(new Set(results.map(({ kind }) => kind)), new Set(['handed-over']));
    assert.ok(relay.connections() <= 5, `${relay.connections()} connections`);
  });

  test('a connection that the relay dropped while nothing was sent costs no try', async (t) => {
    const relay = await startRelay(t);
    const sender = senderFor(t, relay.url);
    assert.equal((await sender.send(reply)).kind, 'handed-over');
    relay.say = {
      get MAIL() {
        relay.say = {};
        return 'drop';
      },
    };
    assert.equal((await sender.send(reply)).kind, 'handed-over');
    assert.equal(relay.connections(), 2);
  });

  test('whoever still waits for a connection when it is closed is told so', async (t) => {
    const relay = await startRelay(t, { DATA: '421 not now' });
    const sender = senderFor(t, relay.url);
    const results = Array.from({ length: 30 }, () => sender.passOn(Buffer.from('Subject: a\r\n\r\nb\r\n'), amy));
    await new Promise(setImmediate);
    sender.close();
    assert.deepEqual(new Set((await Promise.all(results)).map(({ kind }) => kind)), new Set(['away']));
  });

  test('what is passed on arrives octet by octet, also where a line begins with a dot', async (t) => {
    const sink = await startSink({ host: '127.0.0.1', port: 0 });
    t.after(() => sink.close());
    const message = Buffer.from('Subject: a\r\n\r\n.\r\n..\r\n.b\r\n\xe4\xff\x00\r\n', 'latin1');
    const sender = senderFor(t, `smtp://127.0.0.1:${sink.port}`);
    assert.equal((await sender.passOn(message, amy)).kind, 'handed-over');
    assert.equal(sink.messages[0]?.raw.toString('latin1').replace(/^Received: .*\r\n/, ''), message.toString('latin1'));
  });

  test('every try is the same message, but for its date', async (t) => {
    const relay = await startRelay(t, { 'end of data': later });
    const sender = senderFor(t, relay.url);
    const texts: string[] = [];
    for (let number = 0; number < 2; number += 1) {
      const from = relay.lines.length;
      await sender.send(reply);
      const [, message = ''] = /\nDATA\n(.*?)\n\.(?:\n|$)/s.exec(`\n${relay.lines.slice(from).join('\n')}`) ?? [];
      texts.push(message.replace(/^Date: .*$/m, 'Date'));
    }
    assert.equal(texts[0], texts[1]);
    assert.match(texts[0] ?? '', /^Message-ID: <0f1e2d3c4b5a69788796a5b4c3d2e1f0@service\.example>$/m);
  });

  test('never throws: neither for a reply that cannot be written, nor after it was closed', async (t) => {
    const relay = await startRelay(t);
    const sender = senderFor(t, relay.url);
    assert.notEqual((await sender.send({ ...reply, validUntil: Number.NaN })).kind, 'handed-over');
    sender.close();
    assert.equal((await sender.send(reply)).kind, 'away');
    assert.ok(!relay.lines.some((line) => line.startsWith('DATA')));
  });
});
