// Limits and faults, seen from outside: what the sender's server hears, what the page says, and that nothing is lost.

import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { afterEach, describe, it } from 'node:test';
import { TestClock } from '../support/clock.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const secondMs = 1000;
const minuteMs = 60 * secondMs;

let world: World;
let clock: TestClock;

async function start(overrides: Record<string, unknown> = {}): Promise<void> {
  clock = new TestClock();
  world = await startWorld(overrides, clock);
}
afterEach(() => world.close());

/** Code and enhanced code of the answer to a mail. */
async function mail(page: { address: string; label: string }, identity: 'amy' | 'rory' | 'smith' | 'jo' = 'amy') {
  const { code, text } = await world.kit.send(identity, { to: page.address, subject: page.label });
  return `${code} ${text.split(' ')[0]}`;
}

/** Waits until the page of a visitor says something. */
async function pageSays(visitor: Visitor, pattern: RegExp): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (pattern.test((await visitor.open()).html)) return;
  }
  assert.fail(`the page never said ${pattern}`);
}

/** Waits until something is put off by so long, more or less. */
async function pausing(ms: number): Promise<void> {
  while (!clock.waiting.some((left) => left > 0.7 * ms && left < 1.3 * ms)) await new Visitor(world).open();
}

describe('limits', () => {
  it('answer a mailbox once a minute and five times an hour, and let the server come again', async () => {
    await start({ 'limits.repliesPerMailboxPerMinute': 1, 'limits.repliesPerMailboxPerHour': 5 });
    const answers = [];
    for (let request = 0; request < 6; request++) {
      const page = await new Visitor(world).open();
      answers.push(await mail(page));
      if (request === 0) answers.push(await mail(page));
      clock.advance(minuteMs);
    }
    const good = '250 2.0.0';
    assert.deepEqual(answers, [good, '451 4.7.1', good, good, good, good, '451 4.7.1']);
    assert.equal(await mail(await new Visitor(world).open(), 'rory'), good, 'others are not held up');
    clock.advance(55 * minuteMs);
    assert.equal(await mail(await new Visitor(world).open()), good);
  });

  it('let three senders and five messages in, and no more', async () => {
    await start();
    const page = await new Visitor(world).open();
    const answers = [];
    for (const who of ['amy', 'rory', 'smith', 'jo', 'amy', 'amy', 'amy'] as const) answers.push(await mail(page, who));
    const good = '250 2.0.0';
    // Refused mail counts as well: whoever floods a request only makes its page say "start again".
    assert.deepEqual(answers, [good, good, good, '550 5.7.1', good, '550 5.7.1', '550 5.7.1']);
  });

  it('stop wrong codes for a mailbox over all its challenges, and say how long to wait', async () => {
    await start({ 'limits.wrongCodesPerMailboxPerDay': 6 });
    const guess = async (count: number) => {
      const visitor = new Visitor(world);
      const page = await visitor.open();
      await mail(page);
      const code = await codeIn(await replyTo(world, amy, page.label));
      const wrong = Array.from({ length: count }, (_, at) => String((Number(code.replace(' ', '')) + at + 1) % 1e8));
      const statuses = [];
      for (const each of wrong) statuses.push((await visitor.enter(page, each.padStart(8, '0'))).status);
      return { statuses, right: await visitor.enter(page, code) };
    };
    assert.deepEqual((await guess(5)).statuses, [422, 422, 422, 422, 403]);
    const { statuses, right } = await guess(2);
    assert.deepEqual([...statuses, right.status], [422, 429, 429]);
    assert.equal(Number(right.headers.get('retry-after')), 24 * 3600);
    assert.match(await right.text(), /wait 24 hours/);
    clock.advance(24 * 60 * minuteMs);
    assert.equal((await guess(0)).right.status, 303);
  });

  it('refuse the eleventh connection from one address', async () => {
    await start({ 'limits.smtpConnectionsPerAddressMax': 1 });
    const { address, label } = await new Visitor(world).open();
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => world.kit.send('amy', { to: address, subject: label })),
    );
    assert.deepEqual(answers.map(({ code }) => code).sort(), [250, 421, 421]);
  });
});

describe('the relay', () => {
  it('that says "later" gets the same reply again, and once more after a restart', async () => {
    await start();
    const { sink } = world.kit;
    sink.faults = [{ at: 'rcpt', does: 'defer' }];
    const visitor = new Visitor(world);
    const page = await visitor.open();
    assert.equal(await mail(page), '250 2.0.0');
    for (const [tries, pauseMs] of [
      [1, 5],
      [2, 15],
      [3, 60],
      [4, 300],
    ].map(([n = 0, s = 0]) => [n, s * secondMs])) {
      while (sink.struck.length < (tries ?? 0)) await visitor.open();
      await pausing(pauseMs ?? 0);
      clock.advance(1.21 * (pauseMs ?? 0));
    }
    await pageSays(visitor, /could not deliver our reply yet/);
    sink.faults = [];
    await world.restart();
    const code = await codeIn(await replyTo(world, amy, page.label));
    assert.equal((await visitor.enter(page, code)).status, 303);
    assert.equal(sink.messages.length, 1);
  });

  it('that greylists gets the same reply again, and the page tells both', async () => {
    await start();
    const { sink } = world.kit;
    sink.faults = [{ at: 'rcpt', does: 'defer', times: 1 }];
    const visitor = new Visitor(world);
    const page = await visitor.open();
    assert.equal(await mail(page), '250 2.0.0');
    await pageSays(visitor, /could not deliver our reply yet/);
    assert.deepEqual(
      sink.struck.map(({ recipients }) => recipients),
      [[amy]],
    );
    await pausing(5 * secondMs);
    clock.advance(6.1 * secondMs);
    await pageSays(visitor, /sent our reply/);
    const code = await codeIn(await replyTo(world, amy, page.label));
    assert.equal((await visitor.enter(page, code)).status, 303);
    assert.deepEqual([sink.messages.length, sink.struck.length], [1, 1]);
  });

  for (const at of ['data', 'end', 'kept'] as const) {
    it(`that hangs up (${at}) gets it again under the same Message-ID, with the same code`, async () => {
      await start();
      const { sink } = world.kit;
      sink.faults = [{ at, does: 'drop', times: 1 }];
      const visitor = new Visitor(world);
      const page = await visitor.open();
      assert.equal(await mail(page), '250 2.0.0');
      await pageSays(visitor, /could not deliver our reply yet/);
      assert.equal(sink.messages.length, at === 'kept' ? 1 : 0);
      await pausing(5 * secondMs);
      clock.advance(6.1 * secondMs);
      await pageSays(visitor, /sent our reply/);
      assert.equal(sink.messages.length, at === 'kept' ? 2 : 1);
      const ids = sink.messages.map(({ raw }) => /^Message-ID: (\S+)/im.exec(raw.toString('latin1'))?.[1]);
      assert.equal(new Set(ids).size, 1);
      const codes = await Promise.all(sink.messages.map(codeIn));
      assert.equal(new Set(codes).size, 1);
      assert.equal((await visitor.enter(page, codes[0] ?? '')).status, 303);
    });
  }

  it('that says no for good is told on the page, and nothing is sent', async () => {
    await start();
    world.kit.sink.faults = [{ at: 'rcpt', does: 'refuse' }];
    const visitor = new Visitor(world);
    const page = await visitor.open();
    assert.equal(await mail(page), '250 2.0.0');
    await pageSays(visitor, /could not deliver our reply to your mailbox/);
    assert.equal(world.kit.sink.messages.length, 0);
  });
});

describe('DNS', () => {
  for (const fail of ['servfail', 'silent'] as const) {
    it(`that is ${fail} is no verdict: the sender's server comes again`, async () => {
      await start({ 'limits.messageCheckSeconds': 1 });
      const page = await new Visitor(world).open();
      const key = Object.keys(world.kit.zone).find((name) => name.includes('rsa._domainkey.school.example')) ?? '';
      const records = world.kit.zone[key] ?? {};
      Object.assign(world.kit.zone, { [key]: { fail } });
      const answer = mail(page);
      if (fail === 'silent') {
        while (!clock.waiting.includes(secondMs)) await new Visitor(world).open();
        clock.advance(secondMs);
      }
      assert.match(await answer, fail === 'silent' ? /^451 4\.3\.0$/ : /^451 4\.4\.3$/);
      Object.assign(world.kit.zone, { [key]: records });
      assert.equal(await mail(page), '250 2.0.0');
    });
  }
});

describe('the store', () => {
  it('that cannot write answers 451 and promises nothing; pages go on, and so does the mail when it is back', async () => {
    await start();
    const visitor = new Visitor(world);
    const page = await visitor.open();
    await rename(world.dataDir, `${world.dataDir}-away`);
    assert.equal(await mail(page), '451 4.3.0');
    assert.match((await visitor.open()).html, /waiting for your email/);
    assert.equal(world.kit.sink.messages.length, 0);
    await rename(`${world.dataDir}-away`, world.dataDir);
    assert.equal(await mail(page), '250 2.0.0');
    const code = await codeIn(await replyTo(world, amy, page.label));
    await pageSays(visitor, /sent our reply/);
    await rename(world.dataDir, `${world.dataDir}-away`);
    const failed = await visitor.enter(page, code);
    assert.equal(failed.status, 503);
    assert.equal(failed.headers.get('retry-after'), '60');
    await rename(`${world.dataDir}-away`, world.dataDir);
    assert.equal((await visitor.enter(page, code)).status, 303, 'nothing was used up');
  });
});
