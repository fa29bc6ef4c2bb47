// What `explain` says, row by row: the decision of the use cases themselves, on a store that nobody may write and with a
// verifier whose verdicts a test chooses. The way from the command line to the DNS is in test/service/explain.test.ts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { writeAddress } from '../../src/app/challenge-tokens.ts';
import { createExplainMail, notedLookups } from '../../src/app/explain-mail.ts';
import type { DnsQuestion, ExplainRequest, Verification } from '../../src/app/ports.ts';
import { awaitMail, type Challenge } from '../../src/core/challenge.ts';
import type { KeyedAddress } from '../../src/core/one-time-address.ts';
import { mail, octets } from '../support/core-mail.ts';
import { mailbox } from '../support/core-table.ts';
import { ringOf } from '../support/keyring.ts';

const now = Date.UTC(2030, 0, 1, 10);
const minute = 60_000;
const secrets = createSecrets(ringOf(new Uint8Array(32).fill(7)));
const address: KeyedAddress = {
  keyId: '',
  purpose: 'reset',
  locale: 'en',
  clientHint: { browser: 'Firefox', system: 'Linux' },
  expiresAt: now + 30 * minute,
  id: '0123456789abcdef0123',
};
const expired = { ...address, expiresAt: now - minute };
const write = (one: KeyedAddress, keys = secrets) => `${writeAddress(keys, one)}@in.school.example`;

const signature: Verification['evidence']['signatures'][number] = {
  result: 'pass',
  domain: 'school.example',
  selector: 's1',
  aligned: true,
  sameOrganisation: true,
  algorithm: 'rsa-sha256',
  bodyPartlySigned: false,
  testing: false,
  signedAt: undefined,
  signedFields: ['from', 'to'],
};
const signed: Verification['evidence'] = {
  libraryAuthors: ['amy@school.example'],
  fromFields: 1,
  signatures: [signature],
  spf: { result: 'none', domain: '', sameOrganisation: false },
  dmarc: { result: 'pass', spfAligned: false },
};
const bySpf: Verification['evidence'] = {
  ...signed,
  signatures: [{ ...signature, result: 'none', domain: '' }],
  spf: { result: 'pass', domain: 'school.example', sameOrganisation: true },
  dmarc: { result: 'pass', spfAligned: true },
};

interface Setting {
  readonly evidence?: Verification['evidence'] | 'never';
  readonly canary?: 'closed' | 'open' | 'temperror';
  readonly record?: Challenge;
  readonly operator?: string;
}

/** Explains a message; everything is known about its way unless a test says otherwise. */
async function explain(file: Uint8Array, request: Partial<ExplainRequest> = {}, setting: Setting = {}) {
  const asked = { verify: 0, canary: 0 };
  const { evidence = signed, canary = 'closed', record } = setting;
  const explainMail = createExplainMail(
    {
      secrets,
      store: { read: async (id) => (id === record?.id ? record : undefined) },
      verifierNoting: () => ({
        async verify() {
          asked.verify += 1;
          if (evidence === 'never') return new Promise(() => {});
          return {
            evidence: { ...evidence, spf: undefined },
            withSpf: async () => evidence,
            async canary() {
              asked.canary += 1;
              return canary;
            },
          };
        },
      }),
      // What waits, waits for nothing but the end of its time.
      clock: {
        now: () => now,
        after(_ms, task) {
          setImmediate(task);
          return () => {};
        },
      },
      answers: { smtp: answerTo, page: (sentence) => sentence },
    },
    {
      domain: 'in.school.example',
      from: mailbox('accounts@school.example'),
      operator: setting.operator === undefined ? null : mailbox(setting.operator),
      checkTimeoutMs: 20_000,
      policy: { spfWithoutDmarc: true },
      messageBytesMax: 2000,
      limits: {
        challengeLifetimeMs: 60 * minute,
        codeLifetimeMs: 30 * minute,
        grantLifetimeMs: 10 * minute,
        wrongCodesMax: 5,
        sendersMax: 3,
        messagesMax: 5,
        dkimSignaturesMax: 10,
        undoLifetimeMs: 1,
        addressFreezeMs: 1,
        wrongCodesPerMailboxPerDayMax: 20,
        wrongCodesPerNetworkPerDayMax: 500,
        repliesPerDomainPerHourMax: 2000,
        repliesPerMailbox: { perMinuteMax: 1, perHourMax: 5, perDayMax: 12 },
      },
    },
  );
  const known = { ip: '203.0.113.5', helo: 'mx.school.example', mailFrom: 'amy@school.example' };
  const explanation = await explainMail({ ...known, recipient: undefined, ...request, file });
  return { explanation, asked };
}

function answerTo(reason: string): string {
  if (['believed', 'already-answered', 'passed-on'].includes(reason)) return '250 ok';
  return ['check-unavailable', 'checks-failed', 'far-too-big'].includes(reason) ? `451 ${reason}` : `550 ${reason}`;
}

const to = (one: KeyedAddress, changes = {}) => mail({ To: write(one), ...changes });
const foreign = write(address, createSecrets(ringOf(new Uint8Array(32).fill(8))));
const sender = {
  by: 'mail',
  mailbox: mailbox('amy@school.example'),
  salt: '00'.repeat(16),
  answered: [],
  reply: { id: '00'.repeat(16), inReplyTo: null, state: 'handed-over' },
  codeExpiresAt: null,
} as const;
const locked: Challenge = { ...awaitMail(address), senders: [sender], state: { kind: 'locked' } };
const crowd = ['a', 'b', 'c'].map((name) => ({ ...sender, mailbox: mailbox(`${name}@school.example`) }));
const full: Challenge = { ...awaitMail(address), senders: crowd, state: { kind: 'code-sent' } };

type Row = readonly [string, Uint8Array, Partial<ExplainRequest>, Setting, expected: string];
const rows: readonly Row[] = [
  ['a good signature', to(address), {}, {}, 'accepted D17 believed signature open'],
  ['a good SPF', to(address), {}, { evidence: bySpf }, 'accepted D17 believed spf open'],
  ['an open SPF record', to(address), {}, { evidence: bySpf, canary: 'open' }, 'refused D14 not-authenticated - open'],
  ['no MAIL FROM given', to(address), { mailFrom: undefined }, { evidence: bySpf }, 'accepted D17 believed spf open'],
  [
    'another MAIL FROM',
    to(address),
    { mailFrom: 'x@school.example' },
    { evidence: bySpf },
    'refused D14 not-authenticated - open',
  ],
  ['checks that never end', to(address), {}, { evidence: 'never' }, 'try-later D18 checks-failed - open'],
  [
    'a name server that fails',
    to(address),
    {},
    { evidence: { ...signed, signatures: [{ ...signature, result: 'temperror' }] } },
    'try-later D13 check-unavailable - open',
  ],
  ['two authors', to(address), {}, { evidence: { ...signed, fromFields: 2 } }, 'refused D11 author-ambiguous - open'],
  ['too many senders', to(address), {}, { record: full }, 'refused D16 senders-exhausted - open'],
  ['an empty MAIL FROM', to(address), { mailFrom: '' }, {}, 'refused R3 null-sender - unknown'],
  ['another domain', to(address), { recipient: 'amy@school.example' }, {}, 'refused R1 relay-denied - other-domain'],
  [
    'a made-up address',
    to(address),
    { recipient: 'nobody@in.school.example' },
    {},
    'refused R5 address-unknown - other-form',
  ],
  ['an address of another key', to(address), { recipient: foreign }, {}, 'refused R5 address-unknown - foreign-key'],
  [
    'the operator, who is nobody',
    to(address),
    { recipient: 'abuse@in.school.example' },
    {},
    'refused R2 address-unknown - no-operator',
  ],
  [
    'the operator',
    to(address),
    { recipient: 'Postmaster' },
    { operator: 'it@school.example' },
    'accepted R2 passed-on - operator',
  ],
  ['an expired address', to(expired), {}, {}, 'refused R6 address-expired - expired'],
  ['a request that is over', to(address), {}, { record: locked }, 'refused R6 address-expired - over'],
  [
    'the address of another page',
    to(address),
    { recipient: write({ ...address, id: 'f'.repeat(20) }) },
    {},
    'refused D10 wrong-recipient - open',
  ],
  ['two in To', to(address, { To: 'a@b.example, c@d.example' }), {}, {}, 'refused D10 wrong-recipient - unknown'],
  [
    'an answer without a recipient',
    to(address, { To: 'a@b.example, c@d.example', References: '<x@y>' }),
    {},
    {},
    'refused D9 answer-to-another-mail - unknown',
  ],
  [
    'no From',
    mail({ From: undefined, To: write(address) }),
    { recipient: write(address) },
    {},
    'refused D4 header-repeated - open',
  ],
  ['a bare CR', to(address, { Subject: 'a\rb' }), {}, {}, 'refused D2 line-ends-malformed - unknown'],
  ['too big', to(address, { 'X-Fill': 'x'.repeat(2000) }), {}, {}, 'refused D1 message-too-big - open'],
  ['far too big', to(address, { 'X-Fill': 'x'.repeat(4000) }), {}, {}, 'try-later D1 far-too-big - open'],
  ['nothing at all', octets(''), {}, {}, 'refused D3 header-malformed - unknown'],
];
for (const [name, file, request, setting, expected] of rows) {
  test(`explain: ${name}`, async () => {
    const { explanation, asked } = await explain(file, request, setting);
    const { decision, recipient } = explanation;
    const { outcome, row, reason, by } = decision;
    assert.equal(`${outcome} ${row} ${reason} ${by ?? '-'} ${recipient.state}`, expected);
    assert.equal(decision.answer, answerTo(reason));
    assert.ok(asked.verify <= 1 && asked.canary <= 1, 'the DNS is asked once');
  });
}

test('explain: an expired address is followed by what the message itself would have got', async () => {
  const good = (await explain(to(expired))).explanation;
  assert.equal(good.decision.at, 'recipient');
  assert.deepEqual([good.otherwise?.row, good.otherwise?.by, good.otherwise?.at], ['D17', 'signature', 'message']);
  assert.equal(good.recipient.expiresAt, expired.expiresAt);
  assert.equal(good.sender?.signatures.length, 1);
  const bad = (await explain(to(expired), {}, { evidence: { ...signed, signatures: [] } })).explanation;
  assert.equal(bad.otherwise?.row, 'D14');
  assert.equal((await explain(to(address), { recipient: foreign })).explanation.otherwise, null);
});

test('explain: names every condition that is missed, and the signature that is none is left out', async () => {
  const weak = { ...signature, testing: true, signedFields: ['from'] };
  const evidence = { ...signed, signatures: [weak, { ...signature, result: 'none', domain: '' }] };
  const { sender: found } = (await explain(to(address), { ip: undefined }, { evidence })).explanation;
  assert.deepEqual(
    found?.signatures.map(({ missed }) => missed),
    [['key-not-in-testing', 'signs-the-challenge']],
  );
  assert.equal(found?.spf, null);
});

test('explain: a file with line feeds only is read as it was on the wire, and that is said', async () => {
  const text = Buffer.from(to(address)).toString('latin1').replaceAll('\r\n', '\n');
  const { explanation } = await explain(octets(text));
  assert.equal(explanation.decision.row, 'D17');
  assert.ok(explanation.notes.includes('line-ends-converted'));
  const mixed = (await explain(octets(`${text}\r\n`), { recipient: write(address) })).explanation;
  assert.equal(mixed.decision.row, 'D2');
  assert.deepEqual(mixed.notes, ['line-ends-mixed']);
});

test('explain: takes nothing from Received, Return-Path or Authentication-Results', async () => {
  const trace = {
    Received: 'from evil.example (evil.example [198.51.100.9]) by mx.in.school.example',
    'Return-Path': '<evil@evil.example>',
    'Authentication-Results': 'mx.in.school.example; dkim=pass header.d=school.example',
  };
  const file = to(address, trace);
  const none = { ip: undefined, helo: undefined, mailFrom: undefined };
  const { explanation } = await explain(file, none, { evidence: { ...signed, signatures: [] } });
  assert.deepEqual(explanation.ip, { value: null, from: 'unknown' });
  assert.deepEqual(explanation.helo, { value: null, from: 'unknown' });
  assert.deepEqual(explanation.mailFrom, { value: 'amy@school.example', from: 'message' });
  assert.equal(explanation.decision.row, 'D14');
  assert.doesNotMatch(JSON.stringify(explanation), /evil|198\.51/);
  assert.deepEqual(explanation.notes, ['spf-not-checked', 'file-without-signature']);
});

test('look-ups are noted once each, in the order of asking, whatever becomes of them', async () => {
  const questions: DnsQuestion[] = [];
  const fail = Object.assign(new Error(), { code: 'ESERVFAIL' });
  const lookup = notedLookups(async (name: string) => {
    if (name === 'silent.example') return new Promise<string[]>(() => {});
    if (name === 'bad.example') throw fail;
    return ['one', 'two'];
  }, questions);
  void lookup('silent.example', 'A');
  await assert.rejects(lookup('bad.example', 'TXT'), fail);
  await lookup('Good.example', 'TXT');
  await lookup('good.example', 'TXT');
  assert.deepEqual(questions, [
    { type: 'A', name: 'silent.example', records: null, code: null },
    { type: 'TXT', name: 'bad.example', records: null, code: 'ESERVFAIL' },
    { type: 'TXT', name: 'good.example', records: 2, code: null },
  ]);
});
