// What `doctor` says of DNS records: everything right, each thing wrong, and the lines to publish word for word.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type Answer,
  checkDkim,
  checkDns,
  checkFromDmarc,
  checkFromSpf,
  checkHost,
  checkMx,
  checkOneTimeDmarc,
  checkOneTimeSpf,
  checkReverse,
  dmarcNames,
  reverseName,
  type SetupNames,
} from '../../src/core/dns-checks.ts';
import { type SetupCheck, zoneText } from '../../src/core/setup-check.ts';

const names: SetupNames = {
  mailDomain: 'in.school.example',
  hostname: 'mx.in.school.example',
  fromDomain: 'school.example',
  relayHost: 'relay.school.example',
  relayIsHere: false,
};
const here: SetupNames = { ...names, relayHost: '127.0.0.1', relayIsHere: true };

const none = { kind: 'none' } as const;
const failed = { kind: 'failed', code: 'ETIMEOUT' } as const;
const found = <T>(...records: T[]): Answer<T> => ({ kind: 'found', records });
const mx = (...exchanges: string[]) => found(...exchanges.map((exchange) => ({ exchange, priority: 10 })));
const dmarc = (own: Answer<string>, above: Answer<string> = none) => [
  { place: '_dmarc.in.school.example', texts: own },
  { place: '_dmarc.school.example', texts: above },
];
const fromDmarc = (texts: Answer<string>) => [{ place: '_dmarc.school.example', texts }];
const key = { selector: 's1', type: 'rsa', publicKey: 'MIIB' };
const dkim = (texts: Answer<string>): SetupCheck => checkDkim(names, [{ ...key, texts }])[0] ?? assert.fail();
const reverse = (...answers: Answer<string>[]) =>
  answers.map((answer, index) => ({ address: `192.0.2.${index + 1}`, names: answer }));

const mxLine = 'in.school.example.  IN  MX  10 mx.in.school.example.';
const hostLine = 'mx.in.school.example.  IN  A  ADDRESS-OF-THIS-MACHINE';
const spfLine = 'in.school.example.  IN  TXT  "v=spf1 -all"';
const dmarcLine = '_dmarc.in.school.example.  IN  TXT  "v=DMARC1; p=reject"';
const fromDmarcLine = '_dmarc.school.example.  IN  TXT  "v=DMARC1; p=none"';
const keyLine = 's1._domainkey.school.example.  IN  TXT  "v=DKIM1; k=rsa; p=MIIB"';
const pointer = '1.2.0.192.in-addr.arpa.  IN  PTR  mx.in.school.example.';

const rows: readonly [what: string, check: SetupCheck, state: string, said: RegExp, ...publish: string[]][] = [
  ['MX is right', checkMx(names, mx('MX.in.school.example.')), 'ok', /goes to mx\.in\.school\.example\./],
  ['no MX', checkMx(names, none), 'to-do', /has no MX record/, mxLine],
  ['MX elsewhere', checkMx(names, mx('mail.school.example')), 'to-do', /goes to mail\.school\.example/, mxLine],
  ['a second MX', checkMx(names, mx('mx.in.school.example', 'b.example')), 'to-do', /b\.example/, mxLine],
  ['null MX', checkMx(names, mx('')), 'to-do', /nobody/, mxLine],
  ['MX not known', checkMx(names, failed), 'unknown', /did not say \(ETIMEOUT\)/],

  ['host is right', checkHost(names, found('192.0.2.1', '2001:db8::1'), none), 'ok', /192\.0\.2\.1 and 2001:db8::1/],
  ['host without an address', checkHost(names, none, none), 'to-do', /has no address/, hostLine],
  ['host is an alias', checkHost(names, found('192.0.2.1'), found('a.example')), 'to-do', /alias/, hostLine],
  ['host not known', checkHost(names, failed, none), 'unknown', /did not say/],

  ['one-time SPF', checkOneTimeSpf(names, found('x', 'v=spf1 -all')), 'ok', /no mail comes/],
  ['no one-time SPF', checkOneTimeSpf(names, none), 'to-do', /has no SPF/, spfLine],
  ['other texts only', checkOneTimeSpf(names, found('v=spf10 -all')), 'to-do', /has no SPF/, spfLine],
  ['one-time SPF lets in', checkOneTimeSpf(names, found('v=spf1 mx ~all')), 'to-do', /"v=spf1 mx ~all"/, spfLine],
  ['two of them', checkOneTimeSpf(names, found('v=spf1 -all', 'v=spf1 -all')), 'to-do', / and /, spfLine],
  ['one-time SPF not known', checkOneTimeSpf(names, failed), 'unknown', /did not say/],

  ['one-time DMARC', checkOneTimeDmarc(names, dmarc(found('v=DMARC1; p=reject'))), 'ok', /policy reject/],
  ['DMARC from above', checkOneTimeDmarc(names, dmarc(none, found('v=DMARC1;p=quarantine'))), 'ok', /quarantine/],
  [
    'subdomains let through',
    checkOneTimeDmarc(names, dmarc(none, found('v=DMARC1; p=reject; sp=none'))),
    'to-do',
    /\(none\)/,
    dmarcLine,
  ],
  [
    'its own sp counts for others',
    checkOneTimeDmarc(names, dmarc(found('v=DMARC1; p=reject; sp=none'))),
    'ok',
    /reject/,
  ],
  ['no one-time DMARC', checkOneTimeDmarc(names, dmarc(none)), 'to-do', /has no DMARC/, dmarcLine],
  ['p=none', checkOneTimeDmarc(names, dmarc(found('v=DMARC1; p=none'))), 'to-do', /lets forged/, dmarcLine],
  ['two records', checkOneTimeDmarc(names, dmarc(found('v=DMARC1', 'v=DMARC1'))), 'to-do', /more than one/],
  ['DMARC not known', checkOneTimeDmarc(names, dmarc(failed)), 'unknown', /did not say/],

  ['From SPF', checkFromSpf(names, found('v=spf1 mx -all'), 'pass'), 'ok', /lets relay\.school\.example send/],
  [
    'no From SPF',
    checkFromSpf(names, none, 'none'),
    'to-do',
    /has no SPF/,
    'school.example.  IN  TXT  "v=spf1 a:relay.school.example ~all"',
  ],
  [
    'no From SPF, relay here',
    checkFromSpf(here, none, 'none'),
    'to-do',
    /has no SPF/,
    'school.example.  IN  TXT  "v=spf1 a:mx.in.school.example ~all"',
  ],
  ['the relay is not in it', checkFromSpf(names, found('v=spf1 -all'), 'fail'), 'unknown', /may not send \(fail\)/],
  ['the relay has no address', checkFromSpf(names, found('v=spf1 -all'), undefined), 'unknown', /address unknown/],
  ['everybody may', checkFromSpf(names, found('v=spf1 +all'), 'pass'), 'to-do', /lets everybody in/],
  ['two From SPF', checkFromSpf(names, found('v=spf1 mx', 'v=spf1 a'), 'pass'), 'to-do', /more than one/],
  ['From SPF not known', checkFromSpf(names, failed, undefined), 'unknown', /did not say/],

  ['From DMARC', checkFromDmarc(names, fromDmarc(found('v=DMARC1; p=none'))), 'ok', /policy none/],
  ['no From DMARC', checkFromDmarc(names, fromDmarc(none)), 'to-do', /has no DMARC/, fromDmarcLine],
  ['two From DMARC', checkFromDmarc(names, fromDmarc(found('v=DMARC1', 'v=DMARC1;'))), 'to-do', /more than one/],
  ['From DMARC not known', checkFromDmarc(names, fromDmarc(failed)), 'unknown', /did not say/],

  ['DKIM is right', dkim(found('v=DKIM1; k=rsa; p=MI IB')), 'ok', /is the one that signs/],
  ['DKIM without k=', dkim(found('p=MIIB')), 'ok', /is the one that signs/],
  ['no DKIM key', dkim(none), 'to-do', /no key at s1\._domainkey/, keyLine],
  ['another key', dkim(found('v=DKIM1; p=MIIC')), 'to-do', /another key/, keyLine],
  ['another kind', dkim(found('v=DKIM1; k=ed25519; p=MIIB')), 'to-do', /another key/, keyLine],
  ['a key on trial', dkim(found('v=DKIM1; t=s:y; p=MIIB')), 'to-do', /tried out/, keyLine],
  ['two keys', dkim(found('p=MIIB', 'p=MIIB')), 'to-do', /more than one/, keyLine],
  ['DKIM not known', dkim(failed), 'unknown', /did not say/],
  ['the relay signs', checkDkim(names, [])[0] ?? assert.fail(), 'unknown', /relay has to sign for school\.example/],

  ['names of addresses', checkReverse(names, reverse(found('mx.in.school.example.'))), 'ok', /have its name/],
  ['no name', checkReverse(here, reverse(none)), 'to-do', /192\.0\.2\.1 does not have/, pointer],
  ['another name', checkReverse(here, reverse(found('a.example'))), 'to-do', /does not have/, pointer],
  ['no name, relay elsewhere', checkReverse(names, reverse(none)), 'unknown', /does not have/, pointer],
  ['name not known', checkReverse(here, reverse(found('mx.in.school.example'), failed)), 'unknown', /did not say/],
  ['no address', checkReverse(here, []), 'unknown', /no address to look up/],

  ['DNS answers', checkDns([failed, none]), 'ok', /answer/],
  ['DNS is dead', checkDns([failed, failed]), 'to-do', /do not answer \(ETIMEOUT\)/],
];

describe('checks of the DNS', () => {
  for (const [what, check, state, said, ...publish] of rows) {
    test(what, () => {
      assert.equal(check.state, state);
      assert.match(check.found, said);
      assert.deepEqual(check.publish, publish);
      assert.equal(check.remedy === '', state === 'ok');
    });
  }

  test('DMARC is looked for upwards, and not at the top', () => {
    assert.deepEqual(dmarcNames('a.b.example'), ['_dmarc.a.b.example', '_dmarc.b.example']);
  });

  test('addresses backwards', () => {
    assert.equal(reverseName('192.0.2.10'), '10.2.0.192.in-addr.arpa');
    const nibbles = (text: string) => [...text].reverse().join('.');
    assert.equal(reverseName('2001:DB8::1f'), `${nibbles('20010db800000000000000000000001f')}.ip6.arpa`);
    assert.equal(reverseName('1:2:3:4:5:6:7:8'), `${nibbles('00010002000300040005000600070008')}.ip6.arpa`);
  });

  test('a long text is written in parts, and nothing in it ends a part', () => {
    assert.equal(
      zoneText('a.example', 'x'.repeat(300)),
      `a.example.  IN  TXT  ( "${'x'.repeat(255)}" "${'x'.repeat(45)}" )`,
    );
    assert.equal(zoneText('a.example', '"\\'), 'a.example.  IN  TXT  "\\"\\\\"');
  });
});
