// Look-ups on the wire, against the DNS server of the test kit: which names leave, how often, and how it ends.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createDnsResolver, type DnsLookup } from '../../src/adapters/dns/node-resolver.ts';
import { type DnsServer, startDnsServer } from '../../src/testkit/dns-server.ts';
import type { Zone } from '../../src/testkit/zone.ts';

const longest = [63, 63, 63, 61].map((length) => 'a'.repeat(length)).join('.');
const zone = (): Zone => ({
  'school.example': { TXT: ['v=spf1 -all', 'x'.repeat(300)], MX: [{ exchange: 'mx.school.example', priority: 10 }] },
  'mx.school.example': { A: ['127.0.0.1'], AAAA: ['::1'] },
  'alias.example': { CNAME: 'mx.school.example' },
  '1.0.0.127.in-addr.arpa': { PTR: ['mx.school.example'] },
  '_dmarc.school.example': { TXT: ['v=DMARC1; p=none'] },
  'big.example': { TXT: Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(200)}`) },
  'broken.example': { fail: 'servfail' },
  [longest]: { TXT: ['long'] },
});

interface Asked {
  readonly dns: DnsServer;
  /** Look-ups for a new message. */
  forMessage(): DnsLookup;
  now: number;
}

async function start(t: TestContext, host = '127.0.0.1'): Promise<Asked> {
  const dns = await startDnsServer({ host, port: 0, zone: zone() });
  t.after(() => dns.close());
  const { forMessage } = createDnsResolver({ servers: [{ host, port: dns.port }], now: () => asked.now });
  const asked: Asked = { dns, forMessage, now: 1_000_000 };
  return asked;
}

describe('DNS look-ups', { concurrency: true }, () => {
  test('answers come in the shapes of Node, MX as objects', async (t) => {
    const { forMessage } = await start(t);
    const lookup = forMessage();
    const cases: [string, string, unknown][] = [
      ['school.example', 'TXT', [['v=spf1 -all'], ['x'.repeat(255), 'x'.repeat(45)]]],
      ['school.example', 'MX', [{ exchange: 'mx.school.example', priority: 10 }]],
      ['mx.school.example', 'A', ['127.0.0.1']],
      ['mx.school.example', 'AAAA', ['::1']],
      ['alias.example', 'A', ['127.0.0.1']],
      ['alias.example', 'CNAME', ['mx.school.example']],
      ['1.0.0.127.in-addr.arpa', 'PTR', ['mx.school.example']],
      ['_dmarc.school.example', 'TXT', [['v=DMARC1; p=none']]],
    ];
    for (const [name, type, expected] of cases) {
      const answers: unknown[] = await lookup(name, type);
      const plain = answers.map((answer) =>
        typeof answer === 'object' && answer && 'exchange' in answer && 'priority' in answer
          ? { exchange: answer.exchange, priority: answer.priority }
          : answer,
      );
      assert.deepEqual(plain, expected, `${name} ${type}`);
    }
    assert.equal((await lookup('big.example', 'TXT')).length, 40, 'more than one packet holds');
  });

  test('a certain no, no such records and trouble are told apart', async (t) => {
    const { forMessage, dns } = await start(t);
    const lookup = forMessage();
    await assert.rejects(lookup('nobody.example', 'TXT'), { code: 'ENOTFOUND' });
    await assert.rejects(lookup('mx.school.example', 'TXT'), { code: 'ENODATA' });
    await assert.rejects(lookup('broken.example', 'TXT'), { code: 'ESERVFAIL' });
    await dns.close();
    await assert.rejects(lookup('school.example', 'TXT'), { code: 'ECONNREFUSED' });
  });

  const neverAsked: [string, string][] = [
    ['a NUL at the end of a label', 'school\0.example'],
    ['a NUL that would cut off the rest', 'school.example\0.evil.example'],
    ['a NUL at the end', 'school.example\0'],
    ['a blank inside', 'school example.example'],
    ['a blank before', ' school.example'],
    ['a blank after', 'school.example '],
    ['a tab', 'school\t.example'],
    ['a line break', 'school.example\r\nevil.example'],
    ['a label of 64 octets', `${'a'.repeat(64)}.example`],
    ['254 octets', `a.${longest.slice(1)}`],
    ['nothing', ''],
    ['the root', '.'],
    ['an empty label', 'school..example'],
    ['an empty first label', '.school.example'],
    ['two dots at the end', 'school.example..'],
    ['an escape', 'school\\046example.example'],
    ['a letter beyond ASCII', 'schöol.example'],
    ['a full stop that is none', 'school。example'],
    ['other signs', 'sch*ol.example'],
    ['a macro that was not expanded', '%{i}.school.example'],
  ];
  for (const [title, name] of neverAsked) {
    test(`a name with ${title} never leaves`, async (t) => {
      const { dns, forMessage } = await start(t);
      const lookup = forMessage();
      for (const type of ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'CNAME']) {
        await assert.rejects(lookup(name, type), { code: 'ENOTFOUND' }, 'a certain no');
      }
      assert.deepEqual(dns.queries, []);
    });
  }

  test('the longest label and the longest name are asked for', async (t) => {
    const { dns, forMessage } = await start(t);
    assert.equal(longest.length, 253);
    assert.deepEqual(await forMessage()(longest, 'TXT'), [['long']]);
    // Question and answer do not fit into one packet of UDP, so it came by TCP once more.
    assert.deepEqual(new Set(dns.queries.map(({ name }) => name)), new Set([longest]));
  });

  test('types that mail authentication does not need are not asked for', async (t) => {
    const { dns, forMessage } = await start(t);
    for (const type of ['SOA', 'ANY', 'SRV', 'txt', 'toString']) {
      await assert.rejects(forMessage()('school.example', type), { code: 'ENODATA' });
    }
    assert.deepEqual(dns.queries, []);
  });

  test('one message asks the same question once, however it is written and however it ends', async (t) => {
    const { dns, forMessage } = await start(t);
    const lookup = forMessage();
    const names = ['school.example', 'School.EXAMPLE', 'school.example.'];
    const [first, ...others] = await Promise.all(names.map((name) => lookup(name, 'TXT')));
    for (const other of others) assert.deepEqual(other, first);
    for (const name of ['broken.example', 'broken.example', 'nobody.example', 'nobody.example']) {
      await assert.rejects(lookup(name, 'TXT'));
    }
    assert.deepEqual(
      dns.queries.map(({ name }) => name),
      ['school.example', 'broken.example', 'nobody.example'],
    );
    await lookup('school.example', 'MX');
    assert.equal(dns.queries.length, 4, 'another type is another question');
  });

  test('the next message asks again', async (t) => {
    const asked = await start(t);
    const { dns, forMessage } = asked;
    await forMessage()('mx.school.example', 'A');
    dns.zone['mx.school.example'] = { A: ['127.0.0.2'] };
    asked.now += 30_001; // until then messages share what was found out
    assert.deepEqual(await forMessage()('mx.school.example', 'A'), ['127.0.0.2']);
  });

  test('one message asks forty questions, and gets a time-out for the next', async (t) => {
    const { dns, forMessage } = await start(t);
    const lookup = forMessage();
    await lookup('school.example', 'TXT');
    const names = Array.from({ length: 39 }, (_, number) => `n${number}.example`);
    for (const name of names) await assert.rejects(lookup(name, 'A'), { code: 'ENOTFOUND' });
    for (const name of ['mx.school.example', 'one.more.example']) {
      await assert.rejects(lookup(name, 'A'), { code: 'ETIMEOUT' }, 'trouble, and not a certain no');
    }
    assert.equal(dns.queries.length, 40);
    assert.equal((await lookup('school.example', 'TXT')).length, 2, 'what is known is still known');
    assert.deepEqual(await forMessage()('mx.school.example', 'A'), ['127.0.0.1'], 'the next message may ask');
  });

  test('a name that cannot be is a certain no also when the budget is used up', async (t) => {
    const asked = await start(t);
    const lookup = asked.forMessage();
    asked.now += 13_000;
    await assert.rejects(lookup('school\0.example', 'A'), { code: 'ENOTFOUND' });
  });

  test('one message asks for twelve seconds, and gets a time-out after that', async (t) => {
    const asked = await start(t);
    const lookup = asked.forMessage();
    asked.now += 11_999;
    assert.deepEqual(await lookup('mx.school.example', 'A'), ['127.0.0.1']);
    asked.now += 2;
    await assert.rejects(lookup('mx.school.example', 'AAAA'), { code: 'ETIMEOUT' });
    assert.equal(asked.dns.queries.length, 1);
    assert.deepEqual(await lookup('mx.school.example', 'A'), ['127.0.0.1'], 'what is known is still known');
    assert.deepEqual(await asked.forMessage()('mx.school.example', 'AAAA'), ['::1'], 'the next message may ask');
  });

  test('a server may have an IPv6 address', async (t) => {
    const asked = await start(t, '::1').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRNOTAVAIL' && error.code !== 'EAFNOSUPPORT') throw error;
      return undefined;
    });
    if (asked === undefined) {
      // No IPv6 on this machine: at least the address must be one that Node takes.
      createDnsResolver({ servers: [{ host: '::1', port: 53 }], now: () => 0 });
      return;
    }
    assert.deepEqual(await asked.forMessage()('mx.school.example', 'A'), ['127.0.0.1']);
  });
});
