// Section "Before DATA" of the mail policy on the wire: connections (C), MAIL (M) and RCPT (R), each answer with its code
// and its enhanced code; the operator's mail; and whose address SPF looks at behind a proxy or a front.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { findIdentity, type IdentityKey } from '../../src/testkit/identities.ts';
import { composeMessage } from '../../src/testkit/message.ts';
import { TestClock } from '../support/clock.ts';
import { SmtpClient } from '../support/smtp.ts';
import { startWorld, Visitor, type World } from '../support/world.ts';

const domain = 'in.school.example';
const operator = 'it@school.example';
const minuteMs = 60_000;

let world: World;
let clock: TestClock;

async function start(overrides: Record<string, unknown> = {}): Promise<void> {
  clock = new TestClock();
  // The kit lets one address have more.
  world = await startWorld({ 'limits.smtpConnectionsPerAddressMax': 10, ...overrides }, clock);
}

function greeted(from: string): Promise<SmtpClient> {
  return SmtpClient.greeted({ port: world.addresses.smtp.port, from });
}

/** The answers to RCPT, in one connection. */
async function recipients(
  from: string,
  all: readonly string[],
  mailFrom = 'amy.pond@school.example',
): Promise<string[]> {
  const client = await greeted(from);
  assert.equal((await client.say(`MAIL FROM:<${mailFrom}>`)).status, '250');
  const statuses = await client.statuses(all.map((recipient) => `RCPT TO:<${recipient}>`));
  client.reset();
  return statuses;
}

/** A message, dots and all. */
async function deliver(from: string, mailFrom: string, recipient: string, message: string): Promise<string> {
  const client = await greeted(from);
  const lines = [`MAIL FROM:<${mailFrom}>`, `RCPT TO:<${recipient}>`, 'DATA'];
  assert.deepEqual(await client.statuses(lines), ['250', '250', '354']);
  client.write(`${message.replace(/^\./gm, '..')}.\r\n`);
  const { status } = await client.reply();
  await client.quit();
  return status;
}

describe('before DATA', () => {
  before(() => start({ 'limits.messagesPerChallenge': 2 }));
  after(() => world.close());

  it('C1: the eleventh connection of one address is turned away, others are not', async () => {
    const ten = await Promise.all(Array.from({ length: 10 }, () => greeted('127.0.0.10')));
    const eleventh = await SmtpClient.connect({ port: world.addresses.smtp.port, from: '127.0.0.10' });
    assert.deepEqual(await eleventh.rest(), ['421 4.7.0']);
    await (await greeted('127.0.0.11')).quit();
    for (const client of ten) client.reset();
  });

  it('C3: a connection ends after 180 seconds', async () => {
    const client = await greeted('127.0.0.12');
    clock.advance(180_000);
    assert.deepEqual(await client.rest(), ['421 4.4.2']);
  });

  it('M1, M2: SMTPUTF8 and messages over 2 MiB are refused', async () => {
    const client = await greeted('127.0.0.13');
    const lines = [' SMTPUTF8', ' SIZE=2097153', ' SIZE=2097152'].map((end) => `MAIL FROM:<a@b.example>${end}`);
    assert.deepEqual(await client.statuses(lines), ['553 5.6.7', '552 5.3.4', '250']);
    await client.quit();
  });

  it('R1: other domains are not relayed to, and cost no guess', async () => {
    const others = ['a@school.example', `a@sub.${domain}`, `a@x${domain}`, 'a@[127.0.0.1]', 'postmaster@b.example'];
    const statuses = await recipients('127.0.0.14', [...others, ...others, `a@${domain}`]);
    assert.deepEqual(statuses, [...Array(10).fill('550 5.7.1'), '550 5.1.1']);
  });

  it('R2: without an operator, postmaster and abuse are nobody', async () => {
    const roles = ['postmaster', `PostMaster@${domain}`, `abuse@${domain}`];
    assert.deepEqual(await recipients('127.0.0.15', roles), Array(3).fill('550 5.1.1'));
  });

  it('R3: mail without a sender is refused, whoever it is for', async () => {
    const { address } = await new Visitor(world).open();
    const all = [address, `nobody@${domain}`, 'a@b.example'];
    assert.deepEqual(await recipients('127.0.0.16', all, ''), Array(3).fill('550 5.7.1'));
    assert.deepEqual(await recipients('127.0.0.16', [address]), ['250']);
  });

  it('R5: the fifth made-up address in a connection ends it', async () => {
    const { address } = await new Visitor(world).open();
    const [local = ''] = address.split('@');
    const last = local.at(-1) === '2' ? '3' : '2';
    const bad = [`${local.slice(0, -1)}${last}`, `${local}+tag`, `"${local}"`, 'amy', 'root'];
    const statuses = await recipients('127.0.0.17', [...bad.map((each) => `${each}@${domain}`), address]);
    assert.deepEqual(statuses, [...Array(4).fill('550 5.1.1'), '421 4.7.0', 'closed']);
  });

  it('R5: and so does the fiftieth of a network in ten minutes, until they are over', async () => {
    const four = Array.from({ length: 4 }, (_, at) => `guess${at}@${domain}`);
    const [one = ''] = four;
    const from = '127.0.0.18';
    const burst = (count: number) => Promise.all(Array.from({ length: count }, () => recipients(from, four)));
    const answers = [...(await burst(6)), ...(await burst(6)), await recipients(from, [one])].flat();
    assert.deepEqual(answers, Array(49).fill('550 5.1.1'));
    assert.deepEqual(await recipients(from, [one, one]), ['421 4.7.0', 'closed']);
    const { address } = await new Visitor(world).open();
    assert.deepEqual(await recipients(from, [address]), ['250'], 'a right address is none of them');
    assert.deepEqual(await recipients('127.0.0.19', [one]), ['550 5.1.1']);
    clock.advance(10 * minuteMs);
    assert.deepEqual(await recipients(from, [one]), ['550 5.1.1']);
  });

  it('R6: an address that has expired, or whose challenge is over, is used up', async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    assert.deepEqual(await recipients('127.0.0.20', [page.address.toUpperCase(), page.address]), ['250', '452 4.5.3']);
    await world.kit.send('amy', { to: page.address, subject: page.label });
    for (let guess = 0; guess < 5; guess++) await visitor.enter(page, `0000000${guess}`);
    assert.deepEqual(await recipients('127.0.0.20', [page.address]), ['550 5.1.1'], 'locked');
    const other = await new Visitor(world).open();
    clock.advance(60 * minuteMs);
    const client = await greeted('127.0.0.20');
    await client.say('MAIL FROM:<a@b.example>');
    const { lines } = await client.say(`RCPT TO:<${other.address}>`);
    assert.deepEqual(lines, ['5.1.1 This address is used up, please open the page again']);
    await client.quit();
  });

  it('R7: a challenge has so many messages and no more', async () => {
    const page = await new Visitor(world).open();
    for (const want of [250, 250, 550]) {
      assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, want);
    }
    assert.deepEqual(await recipients('127.0.0.21', [page.address]), ['550 5.7.1']);
  });

  it('R8: there is one recipient for each message', async () => {
    const page = await new Visitor(world).open();
    const statuses = await recipients('127.0.0.22', [page.address, `root@${domain}`, page.address]);
    assert.deepEqual(statuses, ['250', '452 4.5.3', '452 4.5.3']);
  });
});

describe('mail from a network that sends a lot', () => {
  before(() => start({ 'limits.messagesPerNetworkPerMinute': 3 }));
  after(() => world.close());

  it('C6: one message more in a minute from one network is told to come again', async () => {
    const client = await greeted('127.0.0.16');
    const mail = 'MAIL FROM:<a@b.example>';
    assert.deepEqual(await client.statuses([mail, 'RSET', mail, 'RSET']), ['250', '250', '250', '250']);
    const second = await greeted('127.0.0.16');
    assert.deepEqual(await second.statuses([mail]), ['250'], 'the third');
    client.write(`${mail}\r\n`);
    assert.deepEqual(await client.rest(), ['421 4.7.0'], 'the fourth ends the connection');
    assert.deepEqual(await (await greeted('127.0.0.17')).statuses([mail]), ['250'], 'others are not told so');
    clock.advance(minuteMs - (clock.now() % minuteMs) - 1);
    const early = await greeted('127.0.0.16');
    early.write(`${mail}\r\n`);
    assert.deepEqual(await early.rest(), ['421 4.7.0']);
    clock.advance(1);
    assert.deepEqual(await (await greeted('127.0.0.16')).statuses([mail]), ['250'], 'a minute later');
  });
});

describe('mail for the operator', () => {
  before(() => start({ 'smtp.operator': operator }));
  after(() => world.close());

  const roles = [
    'postmaster',
    'POSTMASTER',
    `Postmaster@${domain}`,
    `abuse@${domain}`,
    `ABUSE@${domain.toUpperCase()}`,
  ];

  it('is accepted for postmaster and abuse, however they are written', async () => {
    const answers = await Promise.all(roles.map((role) => recipients('127.0.0.30', [role])));
    assert.deepEqual(answers.flat(), Array(5).fill('250'));
    assert.deepEqual(await recipients('127.0.0.30', [`postmaster+x@${domain}`, `hostmaster@${domain}`]), [
      '550 5.1.1',
      '550 5.1.1',
    ]);
  });

  it('is accepted without a sender too (R2 before R3)', async () => {
    assert.deepEqual(await recipients('127.0.0.30', ['postmaster'], ''), ['250']);
  });

  it('is passed on byte for byte, with a trace line on top, and never answered', async () => {
    const lines = ['.one dot', '..two', '.', '', '\xe4\xff\t', 'x'.repeat(2000), ' ', 'end', ''];
    const message = `From: nobody at all\r\nX: \xfc\r\n\r\n${lines.join('\r\n')}`;
    for (const role of ['postmaster', `abuse@${domain}`]) {
      const before = world.kit.sink.messages.length;
      const status = await deliver('127.0.0.31', 'angry@b.example', role, message);
      assert.equal(status, '250 2.0.0');
      const got = world.kit.sink.messages.slice(before);
      assert.equal(got.length, 1);
      assert.deepEqual(got[0]?.envelope, { mailFrom: '', rcptTo: [operator] });
      const [trace = '', ...rest] = got[0]?.raw.toString('latin1').split(/(?<=\r\n)/) ?? [];
      assert.match(trace, /^Received: .*\r\n$/);
      assert.equal(rest.join(''), message);
    }
  });

  it('waits at its sender while the relay is away, or says no', async () => {
    const before = world.kit.sink.messages.length;
    for (const does of ['defer', 'refuse'] as const) {
      world.kit.sink.faults = [{ at: 'rcpt', does }];
      assert.equal(await deliver('127.0.0.32', 'a@b.example', 'postmaster', 'Subject: x\r\n\r\nx\r\n'), '451 4.3.0');
    }
    world.kit.sink.faults = [];
    assert.equal(world.kit.sink.messages.length, before);
    assert.equal(await deliver('127.0.0.32', 'a@b.example', 'postmaster', 'Subject: x\r\n\r\nx\r\n'), '250 2.0.0');
  });

  it('that goes round in circles is refused', async () => {
    const looped = (hops: number) => `${'Received: by b.example; x\r\n'.repeat(hops)}Subject: x\r\n\r\nReceived: x\r\n`;
    assert.equal(await deliver('127.0.0.33', 'a@b.example', 'postmaster', looped(50)), '250 2.0.0');
    assert.equal(await deliver('127.0.0.33', 'a@b.example', 'postmaster', looped(51)), '554 5.4.6');
  });

  it('that is too big is refused', async () => {
    const big = `Subject: x\r\n\r\n${'x\r\n'.repeat(700_000)}`;
    assert.equal(await deliver('127.0.0.34', 'a@b.example', 'postmaster', big), '552 5.3.4');
  });
});

describe('behind a front that hands mail on', () => {
  const front = '127.0.0.1';
  before(() => start({ 'smtp.frontAddresses': [front], 'limits.messagesPerNetworkPerMinute': 10 }));
  after(() => world.close());

  /** The answer to an honest mail without a signature that the front brings. */
  async function bring(key: IdentityKey): Promise<string> {
    const page = await new Visitor(world).open();
    const identity = findIdentity(key);
    assert.ok(identity);
    const message = composeMessage(identity, { to: page.address, subject: page.label });
    return deliver(front, identity.mailbox, page.address, `${message}\r\n`);
  }

  it('its own SPF record vouches for nobody', async () => {
    // It may send for this domain: with SPF, anybody who mails through it could be anybody there.
    assert.equal(await bring('jo'), '550 5.7.26');
  });

  it('a signature does', async () => {
    const page = await new Visitor(world).open();
    const { code } = await world.kit.send('amy', { to: page.address, subject: page.label });
    assert.equal(code, 250);
  });

  it('one that guesses addresses does not shut out everybody', async () => {
    for (let round = 0; round < 15; round += 1) {
      const guesses = Array(4).fill(`guess@${domain}`);
      assert.deepEqual(await recipients(front, guesses), Array(4).fill('550 5.1.1'));
    }
  });
});

describe('behind a proxy', () => {
  before(() => start({ 'smtp.proxyAddresses': ['127.0.0.40'] }));
  after(() => world.close());

  /** The answer to an honest mail that came by a header. */
  async function mail(key: IdentityKey, header: string, from = '127.0.0.40'): Promise<string> {
    const page = await new Visitor(world).open();
    const identity = findIdentity(key);
    assert.ok(identity);
    const client = await SmtpClient.connect({ port: world.addresses.smtp.port, from });
    client.write(header);
    await client.reply();
    const lines = [
      `EHLO mx.${identity.domain}`,
      `MAIL FROM:<${identity.mailbox}>`,
      `RCPT TO:<${page.address}>`,
      'DATA',
    ];
    assert.deepEqual(await client.statuses(lines), ['250', '250', '250', '354']);
    client.write(composeMessage(identity, { to: page.address, subject: page.label }));
    client.write('\r\n.\r\n');
    const { status } = await client.reply();
    await client.quit();
    return status;
  }

  it('SPF looks at the client that the header names, and at nobody when it names none', async () => {
    assert.equal(await mail('jo', 'PROXY TCP4 127.0.0.1 127.0.0.1 4000 25\r\n'), '250 2.0.0');
    assert.equal(await mail('jo', 'PROXY TCP6 ::1 ::1 4000 25\r\n'), '250 2.0.0');
    assert.equal(await mail('jo', 'PROXY TCP4 192.0.2.1 127.0.0.1 4000 25\r\n'), '550 5.7.26');
    assert.equal(await mail('jo', 'PROXY UNKNOWN\r\n'), '550 5.7.26');
  });

  it('made-up addresses are counted by that client', async () => {
    const guess = async (client: string) => {
      const one = await SmtpClient.connect({ port: world.addresses.smtp.port, from: '127.0.0.40' });
      one.write(`PROXY TCP4 ${client} 127.0.0.1 4000 25\r\n`);
      await one.reply();
      await one.statuses(['EHLO x', 'MAIL FROM:<a@b.example>']);
      const statuses = await one.statuses(Array(4).fill(`RCPT TO:<guess@${domain}>`));
      one.reset();
      return statuses;
    };
    const all = await Promise.all(Array.from({ length: 10 }, () => guess('192.0.2.7')));
    all.push(await guess('192.0.2.7'), await guess('192.0.2.7'));
    assert.deepEqual(all.flat(), Array(48).fill('550 5.1.1'));
    assert.deepEqual(await guess('192.0.2.7'), ['550 5.1.1', '421 4.7.0', 'closed', 'closed']);
    assert.deepEqual(await guess('192.0.2.8'), Array(4).fill('550 5.1.1'));
  });
});
