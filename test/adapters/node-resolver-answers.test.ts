// How a question ends, on the wire: every fault of a name server, answers that are too much, CNAMEs, and what is handed out.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createDnsResolver, type DnsLimits, type DnsLookup } from '../../src/adapters/dns/node-resolver.ts';
import { type DnsServer, startDnsServer } from '../../src/testkit/dns-server.ts';
import type { DnsFault, Zone } from '../../src/testkit/zone.ts';
import { quickEnough } from '../support/quick.ts';

const quick: Partial<DnsLimits> = { queryTimeoutMs: 100 };

async function start(t: TestContext, zone: Zone, limits: Partial<DnsLimits> = {}) {
  const dns = await startDnsServer({ host: '127.0.0.1', port: 0, zone });
  t.after(() => dns.close());
  return { dns, lookup: lookupAt([dns], limits) };
}

function lookupAt(servers: readonly { host: string; port: number }[], limits: Partial<DnsLimits> = {}): DnsLookup {
  return createDnsResolver({ servers, now: () => 1_000_000, limits }).forMessage();
}

/** The code a look-up ends with; `records` when it does not fail. */
async function codeOf(lookup: Promise<unknown>): Promise<unknown> {
  return lookup.then(
    () => 'records',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  );
}

const types = ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'CNAME'];

describe('a fault', { concurrency: true }, () => {
  const faults: [DnsFault, string][] = [
    ['servfail', 'ESERVFAIL'],
    ['refused', 'EREFUSED'],
    ['format-error', 'ESERVFAIL'],
    ['not-implemented', 'ESERVFAIL'],
    ['broken-off', 'EBADRESP'],
    ['truncated', 'ETIMEOUT'],
    ['silent', 'ETIMEOUT'],
  ];
  for (const [fail, code] of faults) {
    test(`"${fail}" is ${code} for every type, and never a certain no`, async (t) => {
      // What is answered must not run into the time of what is not, however busy the machine is.
      const { lookup } = await start(t, { 'a.example': { fail } }, code === 'ETIMEOUT' ? quick : undefined);
      assert.deepEqual(
        await Promise.all(types.map((type) => codeOf(lookup('a.example', type)))),
        types.map(() => code),
      );
    });
  }

  test('a server that is not there is trouble, and so are three that are silent, in the time of one', async (t) => {
    const { dns } = await start(t, {});
    await dns.close();
    assert.equal(await codeOf(lookupAt([dns])('a.example', 'TXT')), 'ECONNREFUSED');
    const silent: DnsServer[] = [];
    for (let count = 0; count < 3; count++) silent.push((await start(t, { 'a.example': { fail: 'silent' } })).dns);
    await quickEnough(3 * 300, 'the time of one', async () => {
      assert.equal(await codeOf(lookupAt(silent, { queryTimeoutMs: 300 })('a.example', 'TXT')), 'ETIMEOUT');
      return undefined;
    });
  });

  test('of the first servers is covered by the last', async (t) => {
    const silent = [0, 1].map(() => start(t, { 'a.example': { fail: 'silent' } }).then(({ dns }) => dns));
    const { dns } = await start(t, { 'a.example': { A: ['192.0.2.1'] } });
    const servers = [...(await Promise.all(silent)), dns];
    await quickEnough(2_000, 'half of the time of a look-up', async () => {
      assert.deepEqual(await lookupAt(servers)('a.example', 'A'), ['192.0.2.1']);
      return undefined;
    });
  });

  test('that loses a question costs a second try and not the answer, also after many quick answers', async (t) => {
    // The resolver below Node, used again, would try a second time after 250 ms already, and give up after 750.
    const names = Array.from({ length: 10 }, (_, number) => `n${number}.example`);
    const zone: Zone = Object.fromEntries(names.map((name) => [name, { A: ['192.0.2.1'] }]));
    const { dns, lookup } = await start(t, { ...zone, 'slow.example': { fail: 'silent' } });
    for (const name of names) await lookup(name, 'A');
    const before = performance.now();
    const slow = lookup('slow.example', 'A');
    while (!dns.queries.some(({ name }) => name === 'slow.example')) await new Promise(setImmediate);
    dns.zone['slow.example'] = { A: ['192.0.2.2'] };
    assert.deepEqual(await slow, ['192.0.2.2']);
    assert.ok(performance.now() - before > 1_000, 'a third of four seconds');
  });
});

describe('an answer', { concurrency: true }, () => {
  test('of many records or octets is taken up to the bound, and is trouble beyond it', async (t) => {
    const texts = (count: number, length: number) => Array.from({ length: count }, () => 'x'.repeat(length));
    const { lookup } = await start(t, {
      'most.example': {
        TXT: texts(500, 10),
        A: Array.from({ length: 500 }, (_, at) => `192.0.${at >> 8}.${at & 255}`),
      },
      'more.example': { TXT: texts(501, 10), A: Array.from({ length: 1500 }, () => '192.0.2.1') },
      'long.example': { TXT: texts(128, 250) },
      'longer.example': { TXT: texts(140, 250) },
      'empties.example': { TXT: texts(2000, 0) },
      'names.example': {
        MX: Array.from({ length: 200 }, () => ({ exchange: `${'a.'.repeat(100)}example`, priority: 1 })),
      },
    });
    assert.equal((await lookup('most.example', 'TXT')).length, 500);
    assert.equal((await lookup('most.example', 'A')).length, 500);
    assert.equal((await lookup('long.example', 'TXT')).length, 128);
    for (const [name, type] of [
      ['more.example', 'TXT'],
      ['more.example', 'A'],
      ['longer.example', 'TXT'],
      ['empties.example', 'TXT'],
      ['names.example', 'MX'],
    ] as const) {
      assert.equal(await codeOf(lookup(name, type)), 'EBADRESP', `${name} ${type}`);
    }
  });

  test('that fits into no message is trouble', async (t) => {
    const { lookup } = await start(t, { 'huge.example': { TXT: Array.from({ length: 300 }, () => 'x'.repeat(255)) } });
    assert.equal(await codeOf(lookup('huge.example', 'TXT')), 'ESERVFAIL');
  });

  test('after a message has been told enough is trouble', async (t) => {
    const big = { TXT: Array.from({ length: 100 }, () => 'x'.repeat(250)) };
    const names = Array.from({ length: 12 }, (_, number) => `big${number}.example`);
    const { dns, lookup } = await start(t, Object.fromEntries(names.map((name) => [name, big])));
    const codes = [];
    for (const name of names) codes.push(await codeOf(lookup(name, 'TXT')));
    assert.deepEqual(codes, [...Array(11).fill('records'), 'ETIMEOUT']); // 11 times 25,200 octets are over 256 KiB
    assert.equal(
      dns.queries.some(({ name }) => name === 'big11.example'),
      false,
    );
    assert.equal((await lookup('big0.example', 'TXT')).length, 100, 'what is known is still known');
  });

  test('that is too much costs a message as much as the biggest: to find out was as much work', async (t) => {
    const names = Array.from({ length: 10 }, (_, number) => `big${number}.example`);
    const big = { TXT: Array.from({ length: 501 }, () => 'x') };
    const { dns, lookup } = await start(t, Object.fromEntries(names.map((name) => [name, big])));
    const codes = [];
    for (const name of names) codes.push(await codeOf(lookup(name, 'TXT')));
    assert.deepEqual(codes, [...Array(9).fill('EBADRESP'), 'ETIMEOUT']);
    assert.equal(
      dns.queries.some(({ name }) => name === 'big9.example'),
      false,
    );
  });

  test('by way of CNAMEs is found, or is a certain no, or trouble', async (t) => {
    const { lookup } = await start(t, {
      'one.example': { CNAME: 'two.example' },
      'two.example': { CNAME: 'three.example' },
      'three.example': { TXT: ['here'] },
      'loop.example': { CNAME: 'pool.example' },
      'pool.example': { CNAME: 'loop.example' },
      'nowhere.example': { CNAME: 'gone.example' },
      ...Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`c${at}.example`, { CNAME: `c${at + 1}.example` }])),
    });
    assert.deepEqual(await lookup('one.example', 'TXT'), [['here']]);
    assert.equal(
      await codeOf(lookup('one.example', 'A')),
      'ENODATA',
      'and no empty list, which would count as an answer',
    );
    assert.equal(await codeOf(lookup('nowhere.example', 'TXT')), 'ENOTFOUND');
    assert.equal(await codeOf(lookup('loop.example', 'TXT')), 'ESERVFAIL');
    assert.equal(await codeOf(lookup('c0.example', 'TXT')), 'ESERVFAIL', 'a chain that is too long');
  });

  test('is handed out as a copy, and so is an error', async (t) => {
    const mx = [3, 1, 2].map((priority) => ({ priority, exchange: `mx${priority}.example` }));
    const { dns } = await start(t, { 'a.example': { MX: mx, TXT: ['one', 'two'] } });
    const { forMessage } = createDnsResolver({ servers: [dns], now: () => 0 });
    for (const type of ['MX', 'TXT']) {
      const lookup = forMessage();
      const [first, second] = [await lookup('a.example', type), await lookup('a.example', type)];
      const before = structuredClone(second);
      first.sort().reverse();
      for (const record of first) {
        if (Array.isArray(record)) record.push('+all');
        else if (typeof record === 'object') record.exchange = 'evil.example';
      }
      first.length = 1;
      assert.deepEqual(second, before, 'the same message');
      assert.deepEqual(await lookup('a.example', type), before, 'the same message later');
      assert.deepEqual(await forMessage()('a.example', type), before, 'another message');
    }
    const lookup = forMessage();
    const errors = await Promise.all([0, 1].map(() => lookup('b.example', 'A').catch((error: unknown) => error)));
    assert.ok(errors[0] instanceof Error);
    assert.notEqual(errors[0], errors[1]); // mailauth writes its verdict on it
  });
});

describe('the budget of a message', { concurrency: true }, () => {
  test('takes no more than four questions to the servers at once', async (t) => {
    const names = Array.from({ length: 10 }, (_, number) => `silent${number}.example`);
    const zone: Zone = Object.fromEntries(names.map((name) => [name, { fail: 'silent' as const }]));
    const { dns, lookup } = await start(t, zone, { queryTimeoutMs: 500 });
    const all = Promise.all(names.map((name) => codeOf(lookup(name, 'TXT'))));
    await lookupAt([dns])('other.example', 'A').catch(() => undefined); // a round trip later all sent our reply that will be
    assert.equal(new Set(dns.queries.map(({ name }) => name)).size, 5);
    assert.deepEqual(
      await all,
      names.map(() => 'ETIMEOUT'),
    );
  });

  test('ends in time whatever is asked, and everything that was asked ends with it', async (t) => {
    const names = Array.from({ length: 60 }, (_, number) => `silent${number}.example`);
    const zone: Zone = Object.fromEntries(names.map((name) => [name, { fail: 'silent' as const }]));
    const { dns } = await start(t, zone);
    const limits = { queryTimeoutMs: 100, budgetMs: 300 };
    const { forMessage } = createDnsResolver({ servers: [dns], now: () => performance.now(), limits });
    const lookup = forMessage();
    const before = performance.now();
    const codes = await Promise.all(names.map((name) => codeOf(lookup(name, 'TXT'))));
    assert.ok(performance.now() - before < 10_000);
    assert.deepEqual(new Set(codes), new Set(['ETIMEOUT']));
    assert.ok(new Set(dns.queries.map(({ name }) => name)).size <= 20);
  });
});
