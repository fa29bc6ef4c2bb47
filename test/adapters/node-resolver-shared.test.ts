// What messages share: answers for a short while, questions under way, and the places at the servers.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { DnsAnswer } from '../../src/adapters/dns/dns-answer.ts';
import { createDnsResolver, dnsLimits } from '../../src/adapters/dns/node-resolver.ts';
import { type Ask, limitParallel, type SharingLimits, shareAnswers } from '../../src/adapters/dns/shared-answers.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import type { Zone } from '../../src/testkit/zone.ts';

async function start(t: TestContext, zone: Zone) {
  const dns = await startDnsServer({ host: '127.0.0.1', port: 0, zone });
  t.after(() => dns.close());
  const { forMessage } = createDnsResolver({ servers: [dns], now: () => asked.now });
  const asked = { dns, forMessage, now: 1_000_000 };
  return asked;
}

describe('the shared cache', { concurrency: true }, () => {
  test('answers for thirty seconds, and a certain no for ten', async (t) => {
    const asked = await start(t, { 'a.example': { A: ['192.0.2.1'] } });
    const address = () => asked.forMessage()('A.example.', 'A');
    const nothing = async () => {
      await assert.rejects(asked.forMessage()('b.example', 'A'), { code: 'ENOTFOUND' });
      await assert.rejects(asked.forMessage()('a.example', 'TXT'), { code: 'ENODATA' });
    };
    const count = () => asked.dns.queries.length;
    for (let times = 0; times < 2; times++) {
      assert.deepEqual(await address(), ['192.0.2.1']);
      await nothing();
      assert.equal(count(), 3);
      asked.now += 9_999;
    }
    await nothing();
    assert.equal(count(), 5);
    asked.dns.zone['a.example'] = { A: ['192.0.2.2'] };
    asked.now = 1_000_000 + 29_999;
    assert.deepEqual(await address(), ['192.0.2.1']);
    assert.equal(count(), 5);
    asked.now += 1;
    assert.deepEqual(await address(), ['192.0.2.2']);
    assert.equal(count(), 6);
    asked.now -= 3_600_000; // a clock that is set back
    assert.deepEqual(await address(), ['192.0.2.2']);
    assert.equal(count(), 7);
  });

  test('keeps no trouble, for the next message', async (t) => {
    for (const fail of ['servfail', 'refused', 'broken-off'] as const) {
      const asked = await start(t, { 'a.example': { fail } });
      const lookup = asked.forMessage();
      await assert.rejects(lookup('a.example', 'A'));
      asked.dns.zone['a.example'] = { A: ['192.0.2.1'] };
      await assert.rejects(lookup('a.example', 'A'), 'one message has one view');
      assert.deepEqual(await asked.forMessage()('a.example', 'A'), ['192.0.2.1']);
    }
  });

  test('lets the same question of many messages go out once', async (t) => {
    const asked = await start(t, { 'a.example': { TXT: ['hello'] }, 'b.example': { fail: 'servfail' } });
    const all = Array.from({ length: 50 }, () => asked.forMessage()('a.example', 'TXT'));
    assert.deepEqual(await Promise.all(all), Array(50).fill([['hello']]));
    const failing = Array.from({ length: 50 }, () => asked.forMessage()('b.example', 'TXT'));
    for (const each of await Promise.allSettled(failing)) assert.equal(each.status, 'rejected');
    assert.equal(asked.dns.queries.length, 2);
  });

  test('knows nothing but what was asked for', async (t) => {
    // An answer may bring more names along: here the target of a CNAME, with an address of its own making.
    const asked = await start(t, { 'evil.example': { CNAME: 'bank.example' }, 'bank.example': { A: ['192.0.2.66'] } });
    assert.deepEqual(await asked.forMessage()('evil.example', 'A'), ['192.0.2.66']);
    asked.dns.zone['bank.example'] = { A: ['192.0.2.1'] };
    assert.deepEqual(await asked.forMessage()('bank.example', 'A'), ['192.0.2.1']);
  });
});

const small: SharingLimits = { ...dnsLimits, entriesMax: 3, keptOctetsMax: 10_000, parallelMax: 2 };

/** Shares what a list answers; `asked` has the questions in the order of asking. */
function sharing(answer: (name: string) => Promise<DnsAnswer> | DnsAnswer, limits = small) {
  const asked: string[] = [];
  const clock = { now: 0 };
  const source: Ask = async (name) => {
    asked.push(name);
    return answer(name);
  };
  return { asked, clock, ask: shareAnswers(source, limits, () => clock.now) };
}
const records = (octets: number): DnsAnswer => ({ kind: 'records', records: ['192.0.2.1'], octets });

describe('what is kept', () => {
  test('is bounded in entries: the oldest goes', async () => {
    const { ask, asked } = sharing(() => records(1));
    for (const name of ['a', 'b', 'c', 'a', 'd', 'b', 'c', 'd']) await ask(name, 'A');
    assert.deepEqual(asked, ['a', 'b', 'c', 'd']);
    await ask('a', 'A');
    assert.equal(asked.length, 5);
  });

  test('is bounded in octets', async () => {
    const { ask, asked } = sharing((name) => records(name === 'big' ? 9_000 : name === 'too big' ? 10_000 : 1_000));
    for (const name of ['a', 'big', 'big', 'a', 'a', 'big', 'too big', 'too big', 'big']) await ask(name, 'A');
    assert.deepEqual(asked, ['a', 'big', 'a', 'big', 'too big', 'too big']);
  });

  test('is counted right when it runs out and comes again', async () => {
    const { ask, asked, clock } = sharing(() => records(4_000));
    for (let round = 0; round < 10; round++) {
      await ask('a', 'A');
      await ask('b', 'A');
      await ask('a', 'A');
      clock.now += 30_000;
    }
    assert.equal(asked.length, 20, 'both fit in, every time');
  });

  test('a flood of names costs no memory', async () => {
    const { ask } = sharing(() => records(30_000), dnsLimits);
    for (let count = 0; count < 20_000; count++) await ask(`${count}`, 'A');
    const { ask: again, asked } = sharing(() => ({ kind: 'none', code: 'ENOTFOUND' }), dnsLimits);
    for (let count = 0; count < 20_000; count++) await again(`${count}`, 'A');
    await again('19999', 'A');
    await again(`${20_000 - dnsLimits.entriesMax}`, 'A');
    assert.equal(asked.length, 20_000);
    await again(`${20_000 - dnsLimits.entriesMax - 1}`, 'A');
    assert.equal(asked.length, 20_001);
  });
});

describe('places at the servers', () => {
  test('are as many as allowed, in the order of coming, also after a failure', async () => {
    const inTurn = limitParallel(2);
    const running: { readonly name: string; readonly end: PromiseWithResolvers<void> }[] = [];
    const done: string[] = [];
    const start = (name: string) =>
      inTurn(async () => {
        const end = Promise.withResolvers<void>();
        running.push({ name, end });
        await end.promise;
      }).then(
        () => done.push(name),
        () => done.push(`${name} failed`),
      );
    const all = ['a', 'b', 'c', 'd'].map(start);
    const settle = () => new Promise(setImmediate);
    await settle();
    assert.deepEqual(running.map(({ name }) => name).join(), 'a,b');
    running[1]?.end.reject(new Error('broken'));
    await settle();
    assert.deepEqual(running.map(({ name }) => name).join(), 'a,b,c');
    for (const at of [0, 2]) running[at]?.end.resolve();
    await settle();
    assert.deepEqual(running.map(({ name }) => name).join(), 'a,b,c,d');
    running[3]?.end.resolve();
    await Promise.all(all);
    assert.deepEqual(done, ['b failed', 'a', 'c', 'd']);
    const more = ['e', 'f', 'g'].map(start);
    await settle();
    assert.equal(running.length, 6, 'free places are free again, and no more than there were');
    for (const { end } of running) end.resolve();
    await settle();
    running[6]?.end.resolve();
    await Promise.all(more);
  });

  test('are free again when the time of a look-up is over', async (t) => {
    const { dns } = await start(t, { 'silent.example': { fail: 'silent' }, 'a.example': { A: ['192.0.2.1'] } });
    const limits = { parallelMax: 1, queryTimeoutMs: 600 };
    const { forMessage } = createDnsResolver({ servers: [dns], now: () => 0, limits });
    await assert.rejects(forMessage()('silent.example', 'A'), { code: 'ETIMEOUT' });
    assert.deepEqual(await forMessage()('a.example', 'A'), ['192.0.2.1']);
  });

  test('are not taken by questions that nobody waits for any more', async () => {
    const hold = Promise.withResolvers<DnsAnswer>();
    const { ask, asked, clock } = sharing((name) => (name.startsWith('slow') ? hold.promise : records(1)));
    const slow = [ask('slow1', 'A'), ask('slow2', 'A')];
    const late = ask('late', 'A');
    clock.now += dnsLimits.queryTimeoutMs + 1;
    const fresh = ask('fresh', 'A');
    hold.resolve(records(1));
    assert.deepEqual(await late, { kind: 'failed', code: 'ETIMEOUT' });
    assert.equal((await fresh).kind, 'records');
    await Promise.all(slow);
    assert.deepEqual(asked, ['slow1', 'slow2', 'fresh']);
    assert.equal((await ask('late', 'A')).kind, 'records');
  });

  test('are enough for two thousand questions at once, and none is lost', async (t) => {
    const names = Array.from({ length: 2000 }, (_, number) => `n${number}.example`);
    const asked = await start(t, Object.fromEntries(names.map((name) => [name, { TXT: [`v=spf1 ${name}`] }])));
    const answers = await Promise.all(names.map((name) => asked.forMessage()(name, 'TXT')));
    assert.deepEqual(
      answers,
      names.map((name) => [[`v=spf1 ${name}`]]),
    );
  });
});
