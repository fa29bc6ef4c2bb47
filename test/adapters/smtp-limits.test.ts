// The SMTP port under people who mean no good: how many connections, from whom, for how long; and that whoever comes
// meanwhile, from elsewhere, is greeted in under a second and gets a mail through.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, it, type TestContext } from 'node:test';
import { DependencyError, type ReceiveMail } from '../../src/app/ports.ts';
import { quickEnough } from '../support/quick.ts';
import {
  type ListenerChanges,
  SmtpClient,
  sendMail,
  startListener,
  type TestListener,
  until,
} from '../support/smtp.ts';

/** Starts a listener of which, at the end of the test, nothing must be left. */
async function start(
  context: TestContext,
  options: ListenerChanges = {},
  mail: Partial<ReceiveMail> = {},
): Promise<TestListener> {
  const server = await startListener(options, mail);
  context.after(async () => {
    await server.listener.stop();
    await until(() => server.clock.waiting.length === 0);
  });
  return server;
}

const open = () => process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS)/.test(name)).length;
let openBefore: number;
before(() => {
  openBefore = open();
});
after(() => until(() => open() <= openBefore));

const many = <T>(count: number, make: (at: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)));

/** Connects, and says how it went. */
async function greeting(server: TestListener, from: string, ...said: string[]): Promise<string> {
  const client = await server.connect(from);
  for (const each of said) client.write(each);
  const { status } = await client.reply();
  if (status === '220') await client.quit();
  else await client.closed();
  return status;
}

/** Somebody from elsewhere, with a mail. */
async function somebodyElse(server: TestListener, from = '127.0.0.99'): Promise<void> {
  await quickEnough(1000, 'the greeting', async () => {
    const startedAt = performance.now();
    const client = await server.connect(from);
    assert.equal((await client.reply()).status, '220');
    const greetedAfterMs = performance.now() - startedAt;
    await client.say('EHLO client.example');
    assert.equal((await sendMail(client)).status, '250 2.0.0');
    await client.quit();
    return greetedAfterMs;
  });
}

describe('connections', { concurrency: true }, () => {
  it('C1: of one network are ten; others are not held up, and a place is free again at once', async (context) => {
    const server = await start(context);
    const ten = await many(10, () => server.greeted('127.0.0.2'));
    assert.equal(await greeting(server, '127.0.0.2'), '421 4.7.0');
    assert.equal(await greeting(server, '127.0.0.3'), '220');
    await ten.pop()?.quit();
    ten.push(await server.greeted('127.0.0.2'));
    assert.equal(await greeting(server, '127.0.0.2'), '421 4.7.0');
    for (const client of ten) client.reset();
  });

  it('C2: in all are so many and no more; who is turned away takes no place', async (context) => {
    const server = await start(context, { connectionsMax: 6, connectionsPerAddressMax: 5 });
    const five = await many(5, () => server.greeted('127.0.0.2'));
    // All at once, so that none of those who are turned away has left yet.
    const [refused, sixth] = await Promise.all([
      many(100, () => greeting(server, '127.0.0.2')),
      server.greeted('127.0.0.3'),
    ]);
    assert.deepEqual(refused, Array(100).fill('421 4.7.0'));
    assert.equal(await greeting(server, '127.0.0.4'), '421 4.7.0');
    await sixth.quit();
    assert.equal(await greeting(server, '127.0.0.4'), '220');
    for (const client of five) client.reset();
  });

  it('are counted by /64 under IPv6', async (context) => {
    const probe = createServer().listen(0, '::1');
    const [error] = await Promise.race([once(probe, 'listening'), once(probe, 'error')]);
    probe.close();
    const server = await start(
      context,
      error === undefined ? { listen: { host: '::1', port: 0 }, connectionsPerAddressMax: 2 } : {},
    );
    if (error !== undefined) return context.skip('no IPv6 here');
    const two = await many(2, () => server.greeted());
    const third = await server.connect();
    assert.deepEqual(await third.rest(), ['421 4.7.0']);
    assert.equal((await sendMail(two[0] as SmtpClient)).status, '250 2.0.0');
    assert.equal(server.mails[0]?.envelope.remoteAddress, '::1');
    for (const client of two) client.reset();
  });

  it('C3: end after 180 s, a message after 120 s, each its own', async (context) => {
    const server = await start(context);
    const old = await server.greeted('127.0.0.2');
    server.clock.advance(60_000);
    // Another client that happens to have the same port.
    const young = await SmtpClient.connect({ port: server.port, from: '127.0.0.3', fromPort: old.socket.localPort });
    await young.reply();
    server.clock.advance(119_999);
    assert.equal((await old.say('NOOP')).status, '250');
    server.clock.advance(1);
    assert.deepEqual(await old.rest(), ['421 4.4.2']);
    assert.equal((await young.say('NOOP')).status, '250');
    young.reset();
    const writer = await server.greeted('127.0.0.3');
    await writer.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']);
    writer.write('Subject: ');
    server.clock.advance(119_999);
    writer.write('x\r\n');
    server.clock.advance(1);
    assert.deepEqual(await writer.rest(), ['421 4.4.2']);
    assert.equal(server.mails.length, 0);
  });

  it('C3: end in time also when nobody has been greeted, and for those who read nothing', async (context) => {
    const server = await start(context, { proxyAddresses: ['127.0.0.7'] });
    const noHeader = await server.connect('127.0.0.7');
    const deaf = await server.greeted('127.0.0.3');
    deaf.socket.pause();
    deaf.write('NOOP\r\n'.repeat(200));
    await until(() => server.clock.waiting.length === 2);
    server.clock.advance(180_000);
    assert.deepEqual(await noHeader.rest(), ['421 4.4.2']);
    deaf.socket.resume();
    assert.equal((await deaf.rest()).at(-1), '421 4.4.2');
  });
});

describe('a proxy', { concurrency: true }, () => {
  const proxy = '127.0.0.7';
  const header = (client: string) => `PROXY TCP4 ${client} 127.0.0.1 4000 25\r\n`;
  const proxied = { proxyAddresses: [proxy] };

  /** A mail that came by a header. @returns the address that SPF is to look at */
  async function addressBehind(server: TestListener, said: string, from = proxy): Promise<string | undefined> {
    const client = await server.connect(from);
    client.write(said);
    assert.equal((await client.reply()).status, '220');
    await client.say('EHLO client.example');
    assert.equal((await sendMail(client)).status, '250 2.0.0');
    await client.quit();
    return server.mails.at(-1)?.envelope.remoteAddress;
  }

  it('tells whose address counts and is checked', async (context) => {
    const server = await start(context, proxied);
    assert.equal(await addressBehind(server, header('192.0.2.1')), '192.0.2.1');
    assert.equal(await addressBehind(server, 'PROXY TCP6 2001:DB8::1 ::1 4000 25\r\n'), '2001:db8::1');
    assert.equal(server.recipients.at(-1)?.origin.remoteAddress, '2001:db8::1');
    assert.equal(await addressBehind(server, 'PROXY UNKNOWN\r\n'), undefined, 'nobody speaks: no SPF');
    assert.equal(await addressBehind(server, header(proxy)), undefined);
    await somebodyElse(server);
    assert.equal(server.mails.at(-1)?.envelope.remoteAddress, '127.0.0.99');
  });

  it('is known however its address is written', async (context) => {
    const server = await start(context, { proxyAddresses: ['::FFFF:127.0.0.7', '2001:DB8:0::1'] });
    assert.equal(await addressBehind(server, 'PROXY UNKNOWN\r\n'), undefined);
    assert.equal(await addressBehind(server, header('192.0.2.1')), '192.0.2.1');
  });

  it('is not counted, but its clients are: C1 at once, and they take nobody a place', async (context) => {
    const server = await start(context, { ...proxied, connectionsMax: 12, connectionsPerAddressMax: 10 });
    const ten = await many(10, async () => {
      const client = await server.connect(proxy);
      client.write(header('192.0.2.1'));
      await client.reply();
      return client;
    });
    assert.deepEqual(await many(50, () => greeting(server, proxy, header('192.0.2.1'))), Array(50).fill('421 4.7.0'));
    assert.equal(await greeting(server, proxy, header('192.0.2.2')), '220');
    const waiting = await many(20, () => server.connect(proxy));
    assert.equal(
      await greeting(server, proxy, header('192.0.2.2')),
      '220',
      'who has not said for whom takes no place either',
    );
    for (const client of [...ten, ...waiting]) client.reset();
    await until(() => server.clock.waiting.length === 0);
    assert.equal(await greeting(server, proxy, header('192.0.2.1')), '220');
  });

  it('that says no header, half of one, a wrong one or one without an end gets no session', async (context) => {
    const server = await start(context, proxied);
    const wrong = [
      'EHLO client.example\r\n',
      '\r\n',
      'PROXY TCP4 192.0.2.1\r\n',
      'PROXY TCP4 not-an-address 127.0.0.1 1 2\r\n',
      `PROXY TCP4 192.0.2.1 127.0.0.1 1 ${'2'.repeat(1100)}\r\n`,
      'x'.repeat(5000),
      '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c',
    ];
    const noSession = async (said: string) => {
      const client = await server.connect(proxy);
      client.write(said);
      assert.ok(
        (await client.rest()).every((status) => !/^[0-9]{3}/.test(status)),
        said,
      );
    };
    await Promise.all(wrong.map(noSession));
    const half = await server.connect(proxy);
    half.write('PROXY TCP4 192.0');
    half.socket.end();
    assert.deepEqual(await half.rest(), []);
    await somebodyElse(server);
  });

  it('that is not listed is no proxy', async (context) => {
    const server = await start(context, proxied);
    assert.equal(await greeting(server, '127.0.0.8', header('192.0.2.1')), '421 4.7.0', 'it talks too soon');
    const client = await server.greeted('127.0.0.8');
    assert.equal((await client.say(header('192.0.2.1').trim())).status, '500 5.5.2');
    assert.equal((await sendMail(client)).status, '250 2.0.0');
    assert.equal(server.mails.at(-1)?.envelope.remoteAddress, '127.0.0.8');
    await client.quit();
  });
});

describe('somebody else is served while a client', { concurrency: true }, () => {
  const attackers = '127.0.0.66';

  it('opens 150 connections and says nothing', async (context) => {
    const server = await start(context);
    const all = await many(150, () => server.connect(attackers));
    await somebodyElse(server);
    const greeted = await Promise.all(all.map(async (client) => (await client.reply()).status));
    assert.equal(greeted.filter((status) => status === '220').length, 10);
    for (const client of all) client.reset();
  });

  it('opens and resets connections as fast as it can', async (context) => {
    const server = await start(context);
    for (let round = 0; round < 5; round++) {
      const all = await many(60, () => server.connect(attackers));
      for (const client of all) client.reset();
    }
    await somebodyElse(server);
    await somebodyElse(server, attackers);
  });

  it('resets at once those that are turned away', async (context) => {
    const server = await start(context, { connectionsPerAddressMax: 1 });
    const one = await server.greeted(attackers);
    await many(200, async () => (await server.connect(attackers)).reset());
    await somebodyElse(server);
    one.reset();
  });

  it('sends a letter now and then', async (context) => {
    const server = await start(context);
    const client = await server.greeted(attackers);
    await client.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']);
    for (const letter of 'Subject: slow') {
      client.write(letter);
      server.clock.advance(9_000);
    }
    await somebodyElse(server);
    server.clock.advance(3_000);
    assert.deepEqual(await client.rest(), ['421 4.4.2']);
  });

  it('goes away in the middle of its message', async (context) => {
    const server = await start(context);
    const clients = await many(10, () => server.greeted(attackers));
    for (const [at, client] of clients.entries()) {
      await client.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']);
      client.write('Subject: x\r\n\r\nhalf a li');
      if (at % 2 === 0) client.reset();
      else client.socket.end();
    }
    await until(() => server.events.filter((event) => event === 'smtp lost').length === 10);
    assert.equal(server.mails.length, 0);
    assert.ok(!server.events.includes('smtp failed'));
    await somebodyElse(server);
  });

  it('goes away while its message is looked at', async (context) => {
    let release = () => {};
    const looking = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    const server = await start(
      context,
      {},
      {
        async receive() {
          asked += 1;
          await looking;
          return { kind: 'passed-on' };
        },
      },
    );
    const client = await server.greeted(attackers);
    const answer = sendMail(client);
    await until(() => asked === 1);
    client.reset();
    assert.equal((await answer).status, 'closed');
    const other = await server.greeted('127.0.0.99');
    const patient = sendMail(other);
    await until(() => asked === 2);
    release();
    assert.equal((await patient).status, '250 2.0.0');
    await other.quit();
  });

  it('says everything at once', async (context) => {
    const server = await start(context);
    const client = await server.connect(attackers);
    await client.reply();
    const mail = 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nSubject: x\r\n\r\n..x\r\n.\r\n';
    client.write(`EHLO client.example\r\n${mail}${mail}QUIT\r\nNOOP\r\n`);
    const one = ['250', '250', '354', '250 2.0.0'];
    assert.deepEqual(await client.rest(), ['250', ...one, ...one, '221']);
    assert.deepEqual(
      server.mails.map(({ message }) => message.toString()),
      Array(2).fill('Subject: x\r\n\r\n.x\r\n'),
    );
    await somebodyElse(server);
  });

  it('sends far too much, or a little too much', async (context) => {
    const server = await start(context, { messageBytesMax: 10_000 });
    const client = await server.greeted(attackers);
    assert.equal((await sendMail(client, `${'x'.repeat(9998)}\r\n`)).status, '250 2.0.0');
    assert.equal((await sendMail(client, `${'x'.repeat(9999)}\r\n`)).status, '552 5.3.4');
    assert.equal((await sendMail(client, `${'x'.repeat(19_998)}\r\n`)).status, '552 5.3.4');
    assert.equal((await sendMail(client, `${'x'.repeat(20_001)}\r\n`)).status, '421 4.3.0');
    await client.closed();
    assert.equal(server.mails[0]?.message.length, 10_000);
    assert.equal(server.mails.length, 1);
    await somebodyElse(server);
  });

  it('makes a use case fail, or the store is away (R4)', async (context) => {
    const away = new DependencyError('store', 'no store');
    let failures = 0;
    const fail = () => {
      failures += 1;
      throw new Error('a bug');
    };
    const server = await start(
      context,
      {},
      {
        admitRecipient: async (recipient) => {
          if (recipient.startsWith('store')) throw away;
          return recipient.startsWith('bug') ? fail() : { kind: 'operator', mailbox: 'it@school.example' as never };
        },
        receive: async () => fail(),
      },
    );
    const client = await server.greeted(attackers);
    const lines = ['MAIL FROM:<a@b.example>', ...['store', 'bug', 'c'].map((name) => `RCPT TO:<${name}@d.example>`)];
    assert.deepEqual(await client.statuses(lines), ['250', '451 4.3.0', '451 4.3.0', '250']);
    assert.deepEqual(await client.statuses(['DATA', '.']), ['354', '451 4.3.0']);
    assert.equal(failures, 2);
    await client.quit();
  });
});

describe('stop', () => {
  it('tells those who wait, lets a message come to its end, and leaves nothing open', async (context) => {
    const server = await start(context);
    const idle = await server.greeted('127.0.0.2');
    const busy = await server.greeted('127.0.0.3');
    await busy.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']);
    const stopped = server.listener.stop();
    assert.deepEqual(await idle.rest(), ['421 4.3.2']);
    assert.equal((await busy.say('Subject: x\r\n\r\nx\r\n.')).status, '250 2.0.0');
    assert.equal((await busy.say('NOOP')).status, '421 4.3.2');
    await stopped;
    await assert.rejects(server.connect(), /ECONNREFUSED/);
  });

  it('waits five seconds for a message and no longer', async (context) => {
    const server = await start(context);
    const slow = await server.greeted('127.0.0.3');
    await slow.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<c@d.example>', 'DATA']);
    const startedAt = performance.now();
    const stopped = server.listener.stop();
    slow.write('Subject: x\r\n');
    server.clock.advance(5_000);
    await stopped;
    await slow.closed();
    assert.ok(performance.now() - startedAt < 3_000, 'by the clock, not by the wall');
    assert.equal(server.mails.length, 0);
  });
});
