// DNS in trouble, or made to trouble us, seen from outside: the sender's server gets a verdict or is asked to come again,
// in time, and what was trouble is asked about anew. The adapter's own tests have every fault and every look-up.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { KitClock } from '../../src/testkit/clock.ts';
import type { ZoneRecords } from '../../src/testkit/zone.ts';
import { startWorld, Visitor, type World } from '../support/world.ts';

const good = '250 2.0.0';
const again = '451 4.4.3';
const refused = '550 5.7.26';

let world: World;
let clock: KitClock;

async function start(): Promise<void> {
  // It goes: in the thread that asks, one that stands is set back with each mail, and answers from before count no more.
  clock = new KitClock();
  world = await startWorld({}, clock);
}
afterEach(() => world.close());

/** Code and enhanced code of the answer to a mail for a new page. */
async function mail(identity: 'amy' | 'jo'): Promise<string> {
  const page = await new Visitor(world).open();
  const { code, text } = await world.kit.send(identity, { to: page.address, subject: page.label });
  return `${code} ${text.split(' ')[0]}`;
}

function keyName(): string {
  const name = Object.keys(world.kit.zone).find((each) => each.includes('rsa._domainkey.school.example'));
  assert.ok(name);
  return name;
}

/** Replaces the records of a name. @returns what puts them back */
function change(name: string, records: ZoneRecords): () => void {
  const before = world.kit.zone[name] ?? {};
  world.kit.zone[name] = records;
  return () => {
    world.kit.zone[name] = before;
  };
}

const spf = (...terms: string[]): ZoneRecords => ({ TXT: [`v=spf1 ${terms.join(' ')} -all`] });
const many = (count: number, text = 'x'.repeat(100)) => Array.from({ length: count }, (_, at) => `${at} ${text}`);

describe('DNS that fails', () => {
  const faults: [string, ZoneRecords][] = [
    ['servfail', { fail: 'servfail' }],
    ['an answer that breaks off', { fail: 'broken-off' }],
    ['too many records', { TXT: many(501, '') }],
    ['more than fits into a message', { TXT: many(600, 'x'.repeat(200)) }],
    ['a CNAME that leads to itself', { CNAME: 'loop.example' }],
  ];
  for (const [title, records] of faults) {
    it(`(${title}) is no verdict, and the next try is a new one`, async () => {
      await start();
      change('loop.example', { CNAME: 'loop.example' });
      for (const [who, names] of [
        ['amy', [keyName()]],
        ['jo', ['company.example', '_dmarc.company.example']],
      ] as const) {
        for (const name of names) {
          const putBack = change(name, records);
          // What is known already is known for some seconds.
          clock.advance(31_000);
          assert.equal(await mail(who), again, name);
          putBack();
          assert.equal(await mail(who), good, name);
        }
      }
    });
  }

  it('(silence) is told in the time of one look-up', async () => {
    await start();
    const putBack = change(keyName(), { fail: 'silent' });
    const before = performance.now();
    assert.equal(await mail('amy'), again);
    assert.ok(performance.now() - before < 10_000);
    putBack();
    assert.equal(await mail('amy'), good);
  });

  it('(the name is gone) is a verdict', async () => {
    await start();
    change(keyName(), { CNAME: 'gone.example' });
    change('company.example', {});
    assert.deepEqual([await mail('amy'), await mail('jo')], [refused, refused]);
  });
});

describe('DNS that is big or goes round about', () => {
  it('answers by TCP, by CNAMEs and among other records', async () => {
    await start();
    const key = world.kit.zone[keyName()] ?? {};
    change('c1.provider.example', { CNAME: 'c2.provider.example' });
    change('c2.provider.example', { CNAME: 'c3.provider.example' });
    change('c3.provider.example', key);
    change(keyName(), { CNAME: 'c1.provider.example' });
    change('company.example', { TXT: [...many(100), ...(spf('ip4:127.0.0.1').TXT ?? [])] });
    assert.deepEqual([await mail('amy'), await mail('jo')], [good, good]);
  });

  it('that fans out ten by ten ends in a verdict with few questions', async () => {
    await start();
    const mx = (tree: number) =>
      Array.from({ length: 10 }, (_, at) => ({ exchange: `h${at}.t${tree}.company.example`, priority: at }));
    for (let tree = 0; tree < 10; tree++) {
      change(`t${tree}.company.example`, { MX: mx(tree) });
      for (let host = 0; host < 10; host++) change(`h${host}.t${tree}.company.example`, { A: ['192.0.2.1'] });
    }
    change('company.example', spf(...Array.from({ length: 10 }, (_, tree) => `mx:t${tree}.company.example`)));
    // The budget ends before SPF has said no: that is no verdict.
    assert.equal(await mail('jo'), again);
    assert.equal(new Set(world.kit.dns.queries.map(({ name, type }) => `${type} ${name}`)).size, 40);
    change('company.example', spf(...Array.from({ length: 3 }, (_, tree) => `mx:t${tree}.company.example`)));
    clock.advance(31_000);
    assert.equal(await mail('jo'), refused);
  });

  it('with thousands of addresses or mail servers ends in a verdict, or in none', async () => {
    await start();
    change('x.company.example', {
      A: Array.from({ length: 1500 }, (_, at) => `192.0.${at >> 8}.${at & 255}`),
      MX: Array.from({ length: 1000 }, (_, at) => ({ exchange: `h${at}.company.example`, priority: at })),
    });
    const answers = [];
    for (const term of ['a:x.company.example', 'mx:x.company.example', 'exists:x.company.example']) {
      change('company.example', spf(term));
      answers.push(await mail('jo'));
      clock.advance(31_000);
    }
    assert.deepEqual(answers, [again, again, again]);
  });

  it('in a circle of includes ends in a verdict', async () => {
    await start();
    change('company.example', spf('include:other.example'));
    change('other.example', spf('include:company.example'));
    assert.equal(await mail('jo'), refused);
  });
});

describe('DNS answers', () => {
  it('serve the mails of half a minute, and no longer: a key that is taken back stops working', async () => {
    await start();
    const asked = () => world.kit.dns.queries.length;
    assert.equal(await mail('amy'), good);
    const first = asked();
    assert.ok(first > 0);
    change(keyName(), {});
    clock.advance(20_000); // the time that the checks take counts as well
    assert.equal(await mail('amy'), good);
    // A certain no is known for ten seconds only: what is above the domain has no policy, and is asked about again.
    assert.ok(asked() - first < first);
    clock.advance(20_000);
    assert.equal(await mail('amy'), refused);
  });

  it('go to every mail that waits for them', async () => {
    await start();
    const before = world.kit.dns.queries.length;
    assert.deepEqual(await Promise.all(Array.from({ length: 5 }, () => mail('jo'))), Array(5).fill(good));
    const names = world.kit.dns.queries.slice(before).map(({ name, type }) => `${type} ${name}`);
    assert.deepEqual(names.length, new Set(names).size);
  });
});
