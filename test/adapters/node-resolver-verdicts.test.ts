// From a fault on the wire to the decision: what could not be looked up never is a verdict for good, whichever look-up it
// was, and whatever mailauth makes of the error. A signature or an SPF record that is in reach still counts.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createDnsResolver, type DnsLimits } from '../../src/adapters/dns/node-resolver.ts';
import { createMailauthVerifier } from '../../src/adapters/mail-auth/mailauth-verifier.ts';
import { decideSender } from '../../src/core/sender-policy.ts';
import { type DkimKeys, loadDkimKeys, selectors } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, type IdentityKey, kitZone } from '../../src/testkit/identities.ts';
import { writeMail } from '../../src/testkit/message.ts';
import type { DnsFault, Zone } from '../../src/testkit/zone.ts';

const to = 'k7m29qxf@in.school.example';
const keyName = `${selectors.rsa}._domainkey.school.example`;
const faults: readonly DnsFault[] = [
  'servfail',
  'refused',
  'format-error',
  'not-implemented',
  'broken-off',
  'truncated',
  'silent',
];

let keys: DkimKeys;
before(async () => {
  keys = await loadDkimKeys();
});

interface Case {
  readonly from?: IdentityKey;
  readonly ip?: string;
  readonly zone: Zone;
  readonly limits?: Partial<DnsLimits>;
}

/** The verdicts and the decision for a mail, with these names in the zone instead of the kit's. */
async function judge({ from = 'amy', ip = '127.0.0.1', zone, limits = {} }: Case) {
  const identity = findIdentity(from);
  assert.ok(identity);
  const dns = await startDnsServer({
    host: '127.0.0.1',
    port: 0,
    zone: { ...kitZone('in.school.example', keys), ...zone },
  });
  try {
    const now = () => Date.now();
    // Short where nothing comes and all wait for it; else as long as ever, for the machine may be busy.
    const isMute = Object.values(zone).some(({ fail }) => fail === 'silent' || fail === 'truncated');
    const resolver = createDnsResolver({
      servers: [dns],
      now,
      limits: { ...(isMute && { queryTimeoutMs: 600 }), ...limits },
    });
    const verifier = createMailauthVerifier('mx.receiver.example', resolver.forMessage);
    const envelope = { remoteAddress: ip, helo: `mx.${identity.domain}`, mailFrom: identity.mailbox };
    const raw = await writeMail(identity, keys, { to, subject: 'New password' });
    const { withSpf, canary } = await verifier.verify(raw, envelope, identity.mailbox);
    const evidence = await withSpf();
    const all = { ...evidence, author: identity.mailbox, mailFrom: identity.mailbox, subjectHoldsLabel: false };
    const first = decideSender(all, now(), undefined);
    const decision = first.kind === 'needs-canary' ? decideSender(all, now(), await canary()) : first;
    return {
      dkim: evidence.signatures.map(({ result }) => result).join(),
      spf: evidence.spf?.result,
      dmarc: evidence.dmarc?.result,
      decision: decision.kind === 'refused' ? decision.reason : decision.kind,
    };
  } finally {
    await dns.close();
  }
}

const broken = (name: string, fail: DnsFault): Zone => ({ [name]: { fail } });
const spf = (record: string): Zone => ({ 'company.example': { TXT: [`v=spf1 ${record}`] } });

describe('what cannot be looked up', { concurrency: true }, () => {
  for (const fail of faults) {
    test(`is no verdict: ${fail}`, async () => {
      assert.deepEqual(await judge({ zone: broken(keyName, fail) }), {
        dkim: 'temperror',
        spf: 'fail',
        dmarc: 'fail', // for good, which is why the signature is looked at first
        decision: 'check-unavailable',
      });
      assert.deepEqual(await judge({ from: 'jo', zone: broken('company.example', fail) }), {
        dkim: '',
        spf: 'temperror',
        dmarc: 'fail',
        decision: 'check-unavailable',
      });
      const dmarc = await judge({ from: 'jo', zone: broken('_dmarc.company.example', fail) });
      assert.deepEqual(dmarc, { dkim: '', spf: 'pass', dmarc: 'temperror', decision: 'check-unavailable' });
      // The tree walk of a domain without a record of its own ends at the domain above.
      const above = { '_dmarc.company.example': {}, ...broken('_dmarc.example', fail) };
      assert.deepEqual((await judge({ from: 'jo', zone: above })).dmarc, 'temperror');
    });

    test(`is no verdict wherever SPF meets it: ${fail}`, async () => {
      const at: Zone = {
        'x.company.example': { fail },
        'mx.x.company.example': { MX: [{ exchange: 'x.company.example', priority: 1 }] },
      };
      for (const record of [
        'include:x.company.example -all',
        'redirect=x.company.example',
        'a:x.company.example -all',
        'mx:x.company.example -all',
        'mx:mx.x.company.example -all',
        'exists:x.company.example -all',
      ]) {
        const got = await judge({ from: 'jo', zone: { ...at, ...spf(record) } });
        assert.deepEqual([got.spf, got.decision], ['temperror', 'check-unavailable'], record);
      }
    });

    test(`is no verdict where "ptr" would take it for one: ${fail}`, async () => {
      const reverse = '1.2.0.192.in-addr.arpa';
      const forward = { [reverse]: { PTR: ['x.company.example'] }, 'x.company.example': { fail } };
      for (const zone of [broken(reverse, fail), forward]) {
        const got = await judge({ from: 'jo', ip: '192.0.2.1', zone: { ...zone, ...spf('ptr -all') } });
        assert.deepEqual([got.spf, got.decision], ['temperror', 'check-unavailable']);
      }
    });
  }

  test('and a certain no is one', async () => {
    for (const zone of [
      { [keyName]: {} },
      { [keyName]: { CNAME: 'mx.school.example' } },
      { [keyName]: { CNAME: 'gone.example' } },
    ]) {
      assert.deepEqual(await judge({ zone }), {
        dkim: 'neutral',
        spf: 'fail',
        dmarc: 'fail',
        decision: 'not-authenticated',
      });
    }
    for (const record of ['include:x.company.example -all', 'a:x.company.example -all', 'ptr ~all', 'mx ?all']) {
      const got = await judge({ from: 'jo', ip: '192.0.2.1', zone: spf(record) });
      assert.equal(got.decision, 'not-authenticated', record);
    }
  });

  test('does not matter when another proof holds', async () => {
    assert.equal((await judge({ zone: broken('school.example', 'servfail') })).decision, 'trusted');
    assert.equal((await judge({ zone: broken('_dmarc.school.example', 'servfail') })).decision, 'trusted');
    assert.equal((await judge({ from: 'jo', zone: {} })).decision, 'trusted');
  });
});

describe('answers that are too much', { concurrency: true }, () => {
  const many = Array.from({ length: 600 }, (_, at) => `record ${at}`);

  test('are no verdict, as a key, a record and a policy', async () => {
    assert.equal((await judge({ zone: { [keyName]: { TXT: many } } })).decision, 'check-unavailable');
    assert.equal(
      (await judge({ from: 'jo', zone: { 'company.example': { TXT: many } } })).decision,
      'check-unavailable',
    );
    assert.equal((await judge({ from: 'jo', zone: { '_dmarc.company.example': { TXT: many } } })).dmarc, 'temperror');
  });

  test('are no verdict when the budget ends while SPF looks for host names', async () => {
    const zone = {
      '1.2.0.192.in-addr.arpa': { PTR: Array.from({ length: 10 }, (_, at) => `h${at}.company.example`) },
      ...spf('ptr -all'),
    };
    const enough = await judge({ from: 'jo', ip: '192.0.2.1', zone });
    assert.deepEqual([enough.spf, enough.decision], ['fail', 'not-authenticated']);
    const used = await judge({ from: 'jo', ip: '192.0.2.1', zone, limits: { queriesMax: 5 } });
    assert.deepEqual([used.spf, used.decision], ['temperror', 'check-unavailable']);
  });

  test('are no verdict when the budget is used up before the key', async () => {
    assert.equal((await judge({ zone: {}, limits: { queriesMax: 0 } })).decision, 'check-unavailable');
    assert.equal((await judge({ from: 'jo', zone: {}, limits: { queriesMax: 1 } })).decision, 'check-unavailable');
    assert.equal((await judge({ from: 'jo', zone: {}, limits: { budgetMs: -1 } })).decision, 'check-unavailable');
  });
});
