// Dialogues with the SMTP edge, line by line over the wire; behind it stands a use case that a test tells what to say.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createSmtpListener, type SmtpListener } from '../../src/adapters/smtp-in/smtp-listener.ts';
import { smtpReplies } from '../../src/adapters/smtp-in/smtp-replies.ts';
import {
  DependencyError,
  type Envelope,
  type MailAccepted,
  type MailRefused,
  type ReceiveMail,
  type RecipientOrigin,
} from '../../src/app/ports.ts';
import type { KeyedAddress } from '../../src/core/one-time-address.ts';
import { type MailRefusalReason, refuse } from '../../src/core/refusal.ts';
import { type CollectedLog, collectLog, ManualClock } from '../app/support.ts';
import { unlimited } from '../support/limits.ts';

const hostname = 'mx.in.school.example';
const recipient = 'k7m29qxfk7m29qxfk7m29qxfk7m29qxf@in.school.example';
const messageBytesMax = 65_536;

const admitted: KeyedAddress = {
  keyId: '',
  purpose: 'reset',
  locale: 'en',
  clientHint: { browser: 'Firefox', system: 'Windows' },
  expiresAt: 0,
  id: '0123456789abcdef0123',
};
const queued: MailAccepted = { kind: 'reply-queued', by: 'signature', authorDigest: '0a1b2c3d4e5f' };

/** What the use case was given. */
interface Received {
  readonly message: string;
  readonly envelope: Envelope;
  readonly recipient: KeyedAddress;
}

interface Listening {
  readonly port: number;
  readonly listener: SmtpListener;
  readonly log: CollectedLog;
  readonly clock: ManualClock;
  readonly asked: readonly string[];
  readonly received: readonly Received[];
  /** Connects and reads the greeting. */
  dial(localAddress?: string): Promise<Client>;
}

interface Given {
  readonly admit?: (recipient: string, origin: RecipientOrigin) => Promise<KeyedAddress | MailRefused>;
  readonly receive?: (received: Received) => ReturnType<ReceiveMail['receive']>;
  readonly connectionsMax?: number;
  readonly connectionsPerAddressMax?: number;
}

async function listen(t: TestContext, given: Given = {}): Promise<Listening> {
  const asked: string[] = [];
  const received: Received[] = [];
  const log = collectLog();
  const clock = new ManualClock();
  const clients: Client[] = [];
  const listener = createSmtpListener(
    {
      mail: {
        admitRecipient: async (text, origin) => {
          asked.push(text);
          const address = await (given.admit?.(text, origin) ?? Promise.resolve(admitted));
          return 'reason' in address ? address : { kind: 'one-time', address };
        },
        refuseTooBig: () => refuse('message-too-big'),
        receive: (message, envelope, to) => {
          assert.ok(to.kind === 'one-time');
          const got = { message: Buffer.from(message).toString('latin1'), envelope, recipient: to.address };
          received.push(got);
          return given.receive?.(got) ?? Promise.resolve(queued);
        },
      },
      rateLimits: unlimited,
      clock,
      log,
    },
    {
      listen: { host: '127.0.0.1', port: 0 },
      hostname,
      messageBytesMax,
      connectionsMax: given.connectionsMax ?? 100,
      connectionsPerAddressMax: given.connectionsPerAddressMax ?? 10,
      proxyAddresses: [],
      frontAddresses: [],
      certificate: undefined,
    },
  );
  const { port } = await listener.start();
  t.after(async () => {
    for (const client of clients) client.socket.destroy();
    await listener.stop();
  });
  const dial = async (localAddress?: string) => {
    const client = new Client(connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) }));
    clients.push(client);
    await client.reply();
    return client;
  };
  return { port, listener, log, clock, asked, received, dial };
}

/** A client that reads one reply at a time. A connection that ended gives empty replies. */
class Client {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  greeting = '';
  #replies: string[] = [];
  #lines: string[] = [];
  #rest = '';
  #over = false;
  #wake = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    this.ended = once(socket, 'close');
    socket.on('data', (data) => this.#read(data.toString('latin1')));
    socket.on('close', () => {
      this.#over = true;
      this.#wake();
    });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#lines.push(line);
      if (line.charAt(3) === '-') continue;
      this.#replies.push(this.#lines.join('\n'));
      this.#lines = [];
    }
    this.#wake();
  }

  /** The next reply, its lines joined by line feeds. */
  async reply(): Promise<string> {
    while (this.#replies.length === 0 && !this.#over) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    const reply = this.#replies.shift() ?? '';
    if (this.greeting === '') this.greeting = reply;
    return reply;
  }

  /** Sends a line and reads the reply to it. */
  say(line: string): Promise<string> {
    this.socket.write(`${line}\r\n`);
    return this.reply();
  }

  async talk(...lines: string[]): Promise<string[]> {
    const replies: string[] = [];
    for (const line of lines) replies.push(await this.say(line));
    return replies;
  }
}

const toData = ['MAIL FROM:<amy.pond@school.example>', `RCPT TO:<${recipient}>`, 'DATA'];
const codes = (replies: readonly string[]) => replies.map((reply) => reply.slice(0, 3));

/** Greets, and goes as far as the 354. */
async function dialToData(listening: Listening): Promise<Client> {
  const client = await listening.dial();
  await client.say('EHLO mail.school.example');
  assert.deepEqual(codes(await client.talk(...toData)), ['250', '250', '354']);
  return client;
}

/** Sends one more message over a connection that is open. */
async function deliver(client: Client, text = 'Subject: x\r\n\r\nHello'): Promise<string> {
  assert.deepEqual(codes(await client.talk(...toData)), ['250', '250', '354']);
  return client.say(`${text}\r\n.`);
}

describe('SMTP, what is offered', { concurrency: true, timeout: 10_000 }, () => {
  test('the greeting and EHLO say what there is, and nothing else', async (t) => {
    const client = await (await listen(t)).dial();
    assert.equal(client.greeting, `220 ${hostname} ESMTP reply-to-verify`);
    const [first, ...offers] = (await client.say('EHLO mail.school.example')).split('\n');
    // By its address: a name would have to be looked up, and its owner may write into it what he likes.
    assert.equal(first, `250-${hostname} Nice to meet you, [127.0.0.1]`);
    assert.deepEqual(offers, ['250-PIPELINING', '250-8BITMIME', `250 SIZE ${messageBytesMax}`]);
    assert.match(await client.say('HELO mail.school.example'), /^250 mx\.in\.school\.example [^\n]*$/);
  });

  test('what is switched off is not known, and the connection goes on', async (t) => {
    const client = await (await listen(t)).dial();
    await client.say('EHLO mail.school.example');
    const off = ['STARTTLS', 'AUTH PLAIN AGFteQB4', 'VRFY amy', 'HELP', 'WIZ', 'SHELL', 'KILL', 'XCLIENT ADDR=1.2.3.4'];
    for (const line of [...off, 'XFORWARD ADDR=1.2.3.4']) {
      assert.equal(await client.say(line), '500 5.5.2 Error: command not recognized', line);
    }
    assert.match(await deliver(client), /^250 /);
  });

  test('commands out of order get 503, and who does not greet too', async (t) => {
    const listening = await listen(t);
    const client = await listening.dial();
    assert.match(await client.say('MAIL FROM:<a@b.example>'), /^503 /);
    await client.say('EHLO mail.school.example');
    const lines = [`RCPT TO:<${recipient}>`, 'DATA', 'MAIL FROM:<a@b.example>', 'DATA', 'MAIL FROM:<a@b.example>'];
    assert.deepEqual(codes(await client.talk(...lines)), ['503', '503', '250', '503', '503']);
    for (const again of ['RSET', 'EHLO mail.school.example']) {
      assert.deepEqual(codes(await client.talk('RSET', ...toData.slice(0, 2), again)), ['250', '250', '250', '250']);
      assert.match(await client.say('DATA'), /^503 /, again);
    }
    assert.deepEqual(listening.received, []);
  });

  test('a web page, an endless line and a babbler are sent away', async (t) => {
    const listening = await listen(t);
    for (const line of ['POST / HTTP/1.1', `NOOP ${'x'.repeat(2048)}`]) {
      const client = await listening.dial();
      assert.match(await client.say(line), /^421 /);
      await client.ended;
    }
    const babbler = await listening.dial();
    for (let number = 1; number < 10; number += 1) assert.match(await babbler.say('BLA'), /^500 /);
    assert.match(await babbler.say('BLA'), /^421 /);
    await babbler.ended;
  });
});

describe('SMTP, a message', { concurrency: true, timeout: 10_000 }, () => {
  test('arrives as it was sent, with its envelope, one after the other', async (t) => {
    const listening = await listen(t);
    const client = await listening.dial();
    await client.say('EHLO Mail.School.Example');
    const texts = [
      'Subject: x\r\n\r\nHello',
      '..dot first\r\n...\r\n\r\n..',
      'bare\nline\n.\nMAIL FROM:<x@y.example>\n.\rend',
      'ü\0',
    ];
    for (const text of texts) assert.equal(await deliver(client, text), '250 2.0.0 Thank you, the reply is on its way');
    const unstuffed = ['Subject: x\r\n\r\nHello\r\n', '.dot first\r\n..\r\n\r\n.\r\n', `${texts[2]}\r\n`, 'Ã¼\0\r\n'];
    assert.deepEqual(
      listening.received.map(({ message }) => message),
      unstuffed,
    );
    for (const { envelope, recipient: to } of listening.received) {
      assert.equal(to, admitted, 'the very one that was admitted');
      assert.deepEqual(envelope, {
        remoteAddress: '127.0.0.1',
        helo: 'mail.school.example',
        mailFrom: 'amy.pond@school.example',
      });
    }
    assert.match(await client.say('QUIT'), /^221 /);
    await client.ended;
  });

  const senders: [string, string][] = [
    ['Amy.Pond@School.Example', 'Amy.Pond@school.example'],
    ['amy@xn--bcher-kva.example', 'amy@xn--bcher-kva.example'],
    ['amy@[192.0.2.1]', 'amy@[192.0.2.1]'],
    ["a!#$%&'*+-/=?^_`{|}~b@school.example", "a!#$%&'*+-/=?^_`{|}~b@school.example"],
  ];
  for (const [from, mailFrom] of senders) {
    test(`MAIL FROM:<${from}> is told with its local part as it came and its domain as ASCII`, async (t) => {
      const { dial, received } = await listen(t);
      const client = await dial();
      await client.say('EHLO mail.school.example');
      assert.deepEqual(codes(await client.talk(`MAIL FROM:<${from}>`, ...toData.slice(1))), ['250', '250', '354']);
      await client.say('x: y\r\n.');
      assert.equal(received[0]?.envelope.mailFrom, mailFrom);
    });
  }

  const recipients: [string, string][] = [
    ['K7M2-9QXF@in.school.example', 'K7M2-9QXF@in.school.example'],
    ['k7m2@xn--bcher-kva.example', 'k7m2@xn--bcher-kva.example'],
    ['postmaster', 'postmaster'],
  ];
  for (const [to, told] of recipients) {
    test(`RCPT TO:<${to}> is asked about as it came`, async (t) => {
      const { dial, asked } = await listen(t);
      const client = await dial();
      await client.talk('EHLO mail.school.example', 'MAIL FROM:<a@b.example>', `RCPT TO:<${to}>`);
      assert.deepEqual(asked, [told]);
    });
  }

  test('has one recipient: a second one is for another time', async (t) => {
    const { dial, asked, received } = await listen(t);
    const client = await dial();
    await client.say('EHLO mail.school.example');
    const lines = [...toData.slice(0, 2), 'RCPT TO:<other@in.school.example>', 'DATA'];
    assert.deepEqual(codes(await client.talk(...lines)), ['250', '250', '452', '354']);
    assert.match(await client.say('x: y\r\n.'), /^250 /);
    assert.deepEqual([asked, received.length], [[recipient], 1]);
  });

  test('with SMTPUTF8 is refused at MAIL, one without may follow', async (t) => {
    const { dial } = await listen(t);
    const client = await dial();
    await client.say('EHLO mail.school.example');
    assert.match(await client.say('MAIL FROM:<jö@school.example> SMTPUTF8'), /^553 5\.6\.7 /);
    assert.match(await client.say('MAIL FROM:<jo@school.example> SMTPUTF8'), /^553 5\.6\.7 /);
    await client.say('RSET');
    assert.match(await deliver(client), /^250 /);
  });

  test('without a sender is told to the application, which refuses it at RCPT', async (t) => {
    const { dial, asked, log } = await listen(t, {
      admit: async (_recipient, { nullSender }) => (nullSender ? refuse('null-sender') : admitted),
    });
    const client = await dial();
    await client.say('EHLO mail.school.example');
    assert.match(await client.say('MAIL FROM:<>'), /^250 /);
    assert.match(await client.say(`RCPT TO:<${recipient}>`), /^550 5\.7\.1 /);
    assert.match(await client.say('DATA'), /^503 /);
    assert.deepEqual(asked, [recipient]);
    assert.deepEqual(
      log.events.map(({ level, fields }) => [level, fields.reason]),
      [['info', 'null-sender']],
    );
  });

  test('may come pipelined, and so may the next', async (t) => {
    const { dial, received } = await listen(t);
    const client = await dial();
    const message = (text: string) => [...toData, `Subject: ${text}\r\n\r\nHello\r\n.`];
    client.socket.write(`${['EHLO x.example', ...message('one'), ...message('two'), 'QUIT', 'NOOP', ''].join('\r\n')}`);
    const replies: string[] = [];
    for (let reply = await client.reply(); reply !== ''; reply = await client.reply()) replies.push(reply);
    const transaction = ['250', '250', '354', '250'];
    assert.deepEqual(codes(replies), ['250', ...transaction, ...transaction, '221']);
    assert.deepEqual(
      received.map(({ message }) => message.split('\r\n')[0]),
      ['Subject: one', 'Subject: two'],
    );
  });

  test('may come in pieces, whatever they are', async (t) => {
    const { dial, received } = await listen(t);
    const client = await dial();
    await client.say('EHLO mail.school.example');
    for (const line of toData) {
      for (const letter of `${line}\r\n`) {
        client.socket.write(letter);
        await new Promise(setImmediate);
      }
      await client.reply();
    }
    const text = 'x: y\r\n\r\n..\r\n.\r\n';
    for (const letter of text) {
      client.socket.write(letter);
      await new Promise(setImmediate);
    }
    assert.match(await client.reply(), /^250 /);
    assert.deepEqual(
      received.map(({ message }) => message),
      ['x: y\r\n\r\n.\r\n'],
    );
  });
});

describe('SMTP, size', { concurrency: true, timeout: 10_000 }, () => {
  const sized = (bytes: number) => {
    const lines = 'x'
      .repeat(998)
      .concat('\r\n')
      .repeat(Math.ceil(bytes / 1000));
    return `${lines.slice(0, bytes - 2)}`;
  };

  test('a size that is announced and too big is refused at MAIL', async (t) => {
    const client = await (await listen(t)).dial();
    await client.say('EHLO mail.school.example');
    assert.match(await client.say(`MAIL FROM:<a@b.example> SIZE=${messageBytesMax + 1}`), /^552 /);
    assert.match(await client.say(`MAIL FROM:<a@b.example> SIZE=${messageBytesMax}`), /^250 /);
  });

  test('a message of exactly the limit is taken, one octet more is refused, and the connection goes on', async (t) => {
    const listening = await listen(t);
    const client = await listening.dial();
    await client.say('EHLO mail.school.example');
    assert.match(await deliver(client, sized(messageBytesMax)), /^250 /);
    assert.equal(listening.received[0]?.message.length, messageBytesMax);
    for (const bytes of [messageBytesMax + 1, 2 * messageBytesMax]) {
      assert.match(await deliver(client, sized(bytes)), /^552 5\.3\.4 /, String(bytes));
    }
    assert.equal(listening.received.length, 1);
    assert.match(await deliver(client), /^250 /);
    assert.deepEqual(
      listening.log.events.map(({ level, fields }) => [level, fields.outcome, fields.reason]),
      [
        ['info', 'reply-queued', undefined],
        ['info', 'refused', 'message-too-big'],
        ['info', 'refused', 'message-too-big'],
        ['info', 'reply-queued', undefined],
      ],
    );
  });

  test('a message far too big is not read to its end: 421, and the connection is closed', async (t) => {
    const listening = await listen(t);
    const client = await dialToData(listening);
    client.socket.write(sized(3 * messageBytesMax));
    assert.match(await client.reply(), /^421 4\.\d\.\d /);
    await client.ended;
    assert.deepEqual(listening.received, []);
    const next = await listening.dial();
    await next.say('EHLO mail.school.example');
    assert.match(await deliver(next), /^250 /);
  });

  test('a message far too big is an event of the log as well', async (t) => {
    const listening = await listen(t);
    const client = await dialToData(listening);
    client.socket.write(sized(3 * messageBytesMax));
    await client.ended;
    const [event, ...more] = listening.log.events.filter(({ event }) => event === 'smtp');
    assert.deepEqual([event?.level, event?.fields.outcome, event?.fields.at, more], ['info', 'refused', 'data', []]);
  });
});

describe('SMTP, trouble', { concurrency: true, timeout: 10_000 }, () => {
  const troubles: [string, Error, 'warn' | 'error'][] = [
    ['the store', new DependencyError('store', 'the store could not be written'), 'warn'],
    ['DNS', new DependencyError('dns', 'the checks took too long'), 'warn'],
    ['a bug', new TypeError('cannot read properties of undefined'), 'error'],
  ];
  for (const [title, trouble, level] of troubles) {
    for (const at of ['RCPT', 'DATA']) {
      for (const how of ['throws', 'rejects']) {
        test(`${title} at ${at} (${how}) is 451, and the next message is taken`, async (t) => {
          let broken = true;
          const fail = (): Promise<never> => {
            broken = false;
            if (how === 'throws') throw trouble;
            return Promise.reject(trouble);
          };
          const listening = await listen(t, {
            admit: () => (broken && at === 'RCPT' ? fail() : Promise.resolve(admitted)),
            receive: () => (broken && at === 'DATA' ? fail() : Promise.resolve(queued)),
          });
          const client = await listening.dial();
          await client.say('EHLO mail.school.example');
          const lines = at === 'RCPT' ? toData.slice(0, 2) : toData;
          const last = (await client.talk(...lines)).at(-1) ?? '';
          const answer = at === 'RCPT' ? last : await client.say('x: y\r\n.');
          assert.match(answer, /^451 4\.3\.0 /);
          assert.ok(!answer.includes(trouble.message), 'what went wrong is nobody else’s business');
          const [event] = listening.log.events;
          assert.deepEqual([event?.level, event?.fields.outcome, event?.cause], [level, 'failed', trouble]);
          await client.say('RSET');
          assert.match(await deliver(client), /^250 /);
        });
      }
    }
  }

  const departures: [string, (client: Client) => void][] = [
    ['resets the connection', ({ socket }) => socket.resetAndDestroy()],
    ['closes the connection', ({ socket }) => socket.end()],
    [
      'resets it after half a message',
      ({ socket }) => socket.write('Subject: x\r\n\r\nHel', () => socket.resetAndDestroy()),
    ],
    ['closes it after half a message', ({ socket }) => socket.end('Subject: x\r\n\r\nHel')],
    ['closes it before the final CRLF', ({ socket }) => socket.end('Subject: x\r\n\r\nHello\r\n.')],
  ];
  for (const [title, leave] of departures) {
    test(`a client that ${title} in DATA leaves nothing behind, and is no bug of ours`, async (t) => {
      const listening = await listen(t);
      const client = await dialToData(listening);
      leave(client);
      const { level, fields } = await listening.log.waitFor(({ event }) => event === 'smtp');
      assert.deepEqual([level, fields.outcome, fields.at], ['info', 'lost', 'data']);
      await client.ended;
      const next = await listening.dial();
      await next.say('EHLO mail.school.example');
      assert.match(await deliver(next), /^250 /);
      assert.equal(listening.received.length, 1, 'half a message is none');
      next.socket.destroy();
      await listening.listener.stop();
    });
  }

  test('a client that is gone before its answer does no harm', async (t) => {
    const { promise, resolve } = Promise.withResolvers<MailAccepted>();
    const listening = await listen(t, { receive: () => promise });
    const client = await dialToData(listening);
    client.socket.write('x: y\r\n.\r\n');
    while (listening.received.length === 0) await new Promise(setImmediate);
    client.socket.resetAndDestroy();
    await client.ended;
    resolve(queued);
    await listening.log.waitFor(({ fields }) => fields.outcome === 'reply-queued');
    await listening.listener.stop();
  });

  test('clients that come and go at any moment do no harm', async (t) => {
    const listening = await listen(t, { connectionsPerAddressMax: 50 });
    const moments: ((client: Client) => Promise<unknown>)[] = [
      async () => undefined,
      (client) => client.reply(),
      (client) => client.reply().then(() => client.say('EHLO mail.school.example')),
      (client) => client.reply().then(() => client.talk('EHLO mail.school.example', ...toData.slice(0, 1))),
      (client) => client.reply().then(() => client.talk('EHLO mail.school.example', ...toData.slice(0, 2))),
    ];
    const visits = moments.flatMap((moment) =>
      [(socket: Socket) => socket.resetAndDestroy(), (socket: Socket) => socket.destroy()].map(async (leave) => {
        const socket = connect(listening.port, '127.0.0.1');
        const client = new Client(socket);
        await once(socket, 'connect');
        await moment(client);
        leave(socket);
        await client.ended;
      }),
    );
    await Promise.all(visits);
    const next = await listening.dial();
    await next.say('EHLO mail.school.example');
    assert.match(await deliver(next), /^250 /);
    assert.deepEqual(
      listening.log.events.filter(({ level }) => level !== 'info'),
      [],
    );
    next.socket.destroy();
    await listening.listener.stop();
  });

  test('a port that is taken is an error', async (t) => {
    const { port } = await listen(t);
    const limits = { connectionsMax: 1, connectionsPerAddressMax: 1, proxyAddresses: [], frontAddresses: [] };
    const options = { hostname, messageBytesMax, ...limits, certificate: undefined };
    const mail: ReceiveMail = {
      admitRecipient: async () => ({ kind: 'one-time', address: admitted }),
      refuseTooBig: () => refuse('message-too-big'),
      receive: async () => queued,
    };
    const second = createSmtpListener(
      { mail, rateLimits: unlimited, clock: new ManualClock(), log: collectLog() },
      { ...options, listen: { host: '127.0.0.1', port } },
    );
    await assert.rejects(second.start(), { code: 'EADDRINUSE' });
  });

  test('stop lets a message that is under way end, and takes no new connection', async (t) => {
    const { promise, resolve } = Promise.withResolvers<MailAccepted>();
    const listening = await listen(t, { receive: () => promise });
    const client = await dialToData(listening);
    client.socket.write('x: y\r\n.\r\n');
    while (listening.received.length === 0) await new Promise(setImmediate);
    const stopped = listening.listener.stop();
    const late = connect(listening.port, '127.0.0.1');
    await assert.rejects(once(late, 'connect'), { code: 'ECONNREFUSED' });
    resolve(queued);
    assert.match(await client.reply(), /^250 /);
    client.socket.end();
    await stopped;
  });
});

describe('SMTP, connections', { concurrency: true, timeout: 10_000 }, () => {
  test('the eleventh from one address is sent away, until another one leaves', async (t) => {
    const { dial } = await listen(t);
    const first = await dial();
    const clients = [first, ...(await Promise.all(Array.from({ length: 9 }, () => dial())))];
    assert.deepEqual(new Set(codes(clients.map(({ greeting }) => greeting))), new Set(['220']));
    const eleventh = await dial();
    assert.match(eleventh.greeting, /^421 4\.7\.0 /);
    await eleventh.ended;
    first.socket.end();
    await first.ended;
    assert.match((await dial()).greeting, /^220 /);
  });

  test('of eleven that come at once ten are served', async (t) => {
    const { dial } = await listen(t);
    const clients = await Promise.all(Array.from({ length: 11 }, () => dial()));
    assert.equal(clients.filter(({ greeting }) => greeting.startsWith('220')).length, 10);
  });

  test('another address has a count of its own', async (t) => {
    const { dial } = await listen(t, { connectionsPerAddressMax: 1 });
    await dial();
    assert.match((await dial('127.0.0.2')).greeting, /^220 /);
    assert.match((await dial()).greeting, /^421 /);
  });

  test('more than there is room for are sent away', async (t) => {
    const { dial } = await listen(t, { connectionsMax: 2 });
    await Promise.all([dial(), dial()]);
    const third = await dial();
    assert.match(third.greeting, /^421 /);
    await third.ended;
  });
});

// Alone: it moves the timers of the whole process.
test('SMTP, a connection that has lasted 180 seconds is ended, whatever it does', { timeout: 10_000 }, async (t) => {
  const { dial, clock } = await listen(t);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pass = (ms: number) => {
    clock.advance(ms);
    t.mock.timers.tick(ms);
  };
  let client: Client | undefined;
  void dial().then((dialled) => {
    client = dialled;
  });
  // The greeting waits a little, to catch those who talk too soon.
  for (; client === undefined; pass(1)) await new Promise(setImmediate);
  assert.match(client.greeting, /^220 /);
  pass(178_000);
  assert.match(await client.say('NOOP'), /^250 /);
  pass(2000);
  await client.ended;
});

// Every reason, its reply code and its enhanced code: RFC 3463, RFC 7372.
const answers: Readonly<Record<string, string>> = {
  'relay-denied': '550 5.7.1',
  'null-sender': '550 5.7.1',
  'address-unknown': '550 5.1.1',
  'address-expired': '550 5.1.1',
  'too-many-bad-addresses': '421 4.7.0',
  'too-many-messages': '550 5.7.1',
  'message-too-big': '552 5.3.4',
  'line-ends-malformed': '554 5.6.0',
  'header-malformed': '554 5.6.0',
  'header-repeated': '550 5.6.0',
  'mail-loop': '554 5.4.6',
  'too-many-signatures': '554 5.6.0',
  'address-not-ascii': '550 5.6.7',
  'author-unreadable': '550 5.1.7',
  'automatic-mail': '550 5.7.1',
  'answer-to-another-mail': '550 5.7.1',
  'wrong-recipient': '550 5.7.1',
  'author-ambiguous': '550 5.6.0',
  'check-unavailable': '451 4.4.3',
  'not-authenticated': '550 5.7.26',
  'replies-exhausted': '451 4.7.1',
  'replies-exhausted-for-long': '550 5.7.1',
  'senders-exhausted': '550 5.7.1',
};
// Object.keys forgets what the keys are; the type of the table lists them all.
const reasons = Object.keys(smtpReplies) as MailRefusalReason[];

describe('SMTP, refusals', { concurrency: true, timeout: 10_000 }, () => {
  for (const reason of reasons) {
    test(`${reason}: the same codes at RCPT and at the end of DATA, and a text for people`, async (t) => {
      let at = 'rcpt';
      const listening = await listen(t, {
        admit: async () => (at === 'rcpt' ? refuse(reason) : admitted),
        receive: async () => refuse(reason),
      });
      const replies: string[] = [];
      for (at of ['rcpt', 'data']) {
        const client = await listening.dial();
        await client.say('EHLO mail.school.example');
        const early = (await client.talk(...toData.slice(0, 2)))[1] ?? '';
        if (at === 'data') await client.say('DATA');
        replies.push(at === 'rcpt' ? early : await client.say('x: y\r\n.'));
        const last = listening.log.events.at(-1);
        const told = [last?.level, last?.fields.outcome, last?.fields.reason, last?.fields.at];
        assert.deepEqual(told, ['info', 'refused', reason, at]);
      }
      const [early = '', late] = replies;
      assert.equal(early, late);
      assert.equal(early.split(' ').slice(0, 2).join(' '), answers[reason]);
      assert.match(early.split(' ').slice(2).join(' '), /^[A-Z][A-Za-z ,]{8,80}$/);
    });
  }

  test('no two reasons share a text, but those that only tell an attacker which rule was met', () => {
    const texts = reasons.map((reason) => smtpReplies[reason].text);
    const shared = reasons.filter((reason) => texts.filter((text) => text === smtpReplies[reason].text).length > 1);
    assert.deepEqual(shared.toSorted(), ['header-malformed', 'line-ends-malformed']);
  });

  test('who is not authenticated is told which domain to mend, and no reason else names one', async (t) => {
    let reason: MailRefusalReason = 'not-authenticated';
    const author = { authorDomain: 'school.example', authorDigest: '0a1b2c3d4e5f' };
    const listening = await listen(t, { receive: async () => ({ ...refuse(reason), ...author }) });
    const client = await listening.dial();
    await client.say('EHLO mail.school.example');
    for (reason of reasons.filter((one) => smtpReplies[one].code !== 421)) {
      const answer = await deliver(client);
      assert.equal(answer.includes('school.example'), reason === 'not-authenticated', reason);
    }
  });

  test('a message that was answered before is thanked for like the first', async (t) => {
    const listening = await listen(t, { receive: async () => ({ ...queued, kind: 'already-answered' }) });
    const client = await listening.dial();
    await client.say('EHLO mail.school.example');
    assert.match(await deliver(client), /^250 2\.0\.0 /);
    const [event] = listening.log.events;
    assert.deepEqual([event?.fields.outcome, event?.fields.by], ['already-answered', 'signature']);
  });
});

describe('SMTP, the log', { concurrency: true, timeout: 10_000 }, () => {
  test('one event for each transaction that came as far as RCPT, and no address in any', async (t) => {
    const outcomes = [
      queued,
      { ...refuse('not-authenticated'), authorDomain: 'school.example', authorDigest: '0a1b2c3d4e5f' },
      refuse('header-malformed'),
    ];
    const listening = await listen(t, {
      admit: async (text) => (text.startsWith('nobody') ? refuse('address-unknown') : admitted),
      receive: async () => {
        listening.clock.advance(250);
        const outcome = outcomes.shift();
        if (outcome === undefined) throw new DependencyError('store', 'the store could not be written');
        return outcome;
      },
    });
    const client = await listening.dial();
    await client.say('EHLO mail.school.example');
    await client.talk('NOOP', 'MAIL FROM:<amy.pond@school.example>', 'RSET');
    await client.talk('MAIL FROM:<amy.pond@school.example>', 'RCPT TO:<nobody@in.school.example>', 'RSET');
    const message = 'From: amy.pond@school.example\r\nSubject: secret words\r\n\r\nHello';
    for (let number = 0; number < 4; number += 1) await deliver(client, message);
    for (let number = 0; number < 2; number += 1) {
      await client.talk('MAIL FROM:<amy.pond@school.example>', 'RCPT TO:<k7m2@in.school.example>', 'RSET');
    }
    await client.talk('MAIL FROM:<amy.pond@school.example>', 'RSET');
    await client.say('QUIT');
    await client.ended;
    const expected = [
      ['info', 'refused', 'address-unknown', 'rcpt', 0],
      ['info', 'reply-queued', undefined, 'data', 250],
      ['info', 'refused', 'not-authenticated', 'data', 250],
      ['info', 'refused', 'header-malformed', 'data', 250],
      ['warn', 'failed', 'not-now', 'data', 250],
      ['info', 'abandoned', undefined, 'rcpt', undefined],
      ['info', 'abandoned', undefined, 'rcpt', undefined],
    ];
    const { events } = listening.log;
    assert.deepEqual(
      events.map(({ level, fields }) => [level, fields.outcome, fields.reason, fields.at, fields.durationMs]),
      expected,
    );
    assert.equal(events[1]?.fields.author, queued.authorDigest);
    assert.equal(events[1]?.fields.by, 'signature');
    assert.doesNotMatch(JSON.stringify(events), /@|amy|pond|nobody|secret|127\.0\.0\.1|k7m2/i);
  });
});
