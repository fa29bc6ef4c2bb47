// The order of decisions about a message, and what is counted, written and told on the way: real tokens, a real store
// in memory, and a verifier that says what a test wants to hear.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { type ChallengeNews, createChallengeNews } from '../../src/app/challenge-news.ts';
import { deriveAddress, issueCookie, writeAddress } from '../../src/app/challenge-tokens.ts';
import {
  type AppLimits,
  type AuditEvent,
  type ChallengeStore,
  DependencyError,
  type Envelope,
  type MailVerifier,
  type ReceiveMail,
  type Verification,
} from '../../src/app/ports.ts';
import { createReceiveMail } from '../../src/app/receive-mail.ts';
import type { Challenge } from '../../src/core/challenge.ts';
import type { KeyedAddress } from '../../src/core/one-time-address.ts';
import type { SpfCanary } from '../../src/core/sender-policy.ts';
import { requestLabel } from '../../src/core/verification-code.ts';
import { memorySegments } from '../support/disks.ts';
import {
  amy,
  collectAudit,
  fixedSecrets,
  hourMs,
  limits,
  ManualClock,
  mailbox,
  minuteMs,
  rory,
  settle,
} from './support.ts';

const domain = 'in.school.example';
const checkTimeoutMs = 20_000;

type Evidence = Verification['evidence'];

/** What a verifier finds out about a mail that its provider signed. */
const signed = (author: string = amy): Evidence => ({
  libraryAuthors: [author],
  fromFields: 1,
  signatures: [
    {
      result: 'pass',
      domain: 'school.example',
      selector: 's1',
      aligned: true,
      sameOrganisation: true,
      algorithm: 'rsa-sha256',
      bodyPartlySigned: false,
      testing: false,
      signedAt: undefined,
      signedFields: ['from', 'to', 'subject'],
    },
  ],
  spf: { result: 'fail', domain: 'school.example', sameOrganisation: true },
  dmarc: { result: 'pass', spfAligned: false },
});
const bySpf: Evidence = {
  ...signed(),
  signatures: [],
  spf: { result: 'pass', domain: 'school.example', sameOrganisation: true },
  dmarc: { result: 'pass', spfAligned: true },
};
const unproved: Evidence = { ...signed(), signatures: [], dmarc: { result: 'fail', spfAligned: false } };
const temporary: Evidence = { ...unproved, spf: { result: 'temperror', domain: '', sameOrganisation: false } };

const envelope: Envelope = { remoteAddress: '198.51.100.7', helo: 'mail.school.example', mailFrom: amy };

/** Fields of a message, first to last; a list writes a field several times. */
type Fields = Readonly<Record<string, string | readonly string[]>>;

interface Inbox {
  readonly mail: ReturnType<typeof oneTimeOnly>;
  readonly clock: ManualClock;
  readonly store: ChallengeStore;
  readonly news: ChallengeNews;
  readonly recipient: KeyedAddress;
  /** The one-time address, as it stands on the page. */
  readonly localPart: string;
  /** Another challenge of the same service. */
  other(): { readonly recipient: KeyedAddress; readonly localPart: string };
  /** What the verifier says from now on. */
  evidence: Evidence | Promise<Evidence>;
  canary: SpfCanary | Promise<SpfCanary>;
  readonly checked: readonly string[];
  readonly spfAsked: () => number;
  readonly canariesAsked: () => number;
  readonly queued: readonly string[];
  readonly audited: readonly AuditEvent[];
  failWrites: boolean;
  /** A message to the one-time address. */
  write(fields?: Fields, body?: string): Uint8Array;
  /** Receives it, and says in a word what became of it. */
  receive(fields?: Fields, to?: KeyedAddress): Promise<string>;
  record(to?: KeyedAddress): Promise<Challenge | undefined>;
}

const options = {
  domain,
  from: mailbox('accounts@school.example'),
  operator: null,
  policy: { spfWithoutDmarc: true },
  checkTimeoutMs,
};
const noOperator = { passOn: () => assert.fail('there is no operator here') };

/** The use case without the operator's mailbox: recipients are one-time addresses. */
function oneTimeOnly(mail: ReceiveMail) {
  return {
    async admitRecipient(recipient: string) {
      const admitted = await mail.admitRecipient(recipient, {
        remoteAddress: '127.0.0.1',
        badRecipients: 0,
        nullSender: false,
      });
      assert.ok(admitted.kind !== 'operator');
      return admitted.kind === 'one-time' ? admitted.address : admitted;
    },
    receive: (message: Uint8Array, from: Envelope, address: KeyedAddress) =>
      mail.receive(message, from, { kind: 'one-time', address }),
  };
}

async function open(changes: Partial<AppLimits> = {}): Promise<Inbox> {
  const clock = new ManualClock();
  const secrets = fixedSecrets();
  const full = () => Promise.reject(new Error('no space left'));
  const store = await openChallengeStore(memorySegments((write) => (inbox.failWrites ? full() : write())));
  const checked: string[] = [];
  const queued: string[] = [];
  let spfAsked = 0;
  let canariesAsked = 0;
  const news = createChallengeNews();
  const audit = collectAudit();
  const verifier: MailVerifier = {
    async verify(message, given, author) {
      assert.ok(message.length > 0);
      checked.push(`${author} by ${given.mailFrom}`);
      return {
        evidence: { ...(await inbox.evidence), spf: undefined },
        async withSpf() {
          spfAsked += 1;
          return inbox.evidence;
        },
        canary: async () => {
          canariesAsked += 1;
          return inbox.canary;
        },
      };
    },
  };
  const mail = oneTimeOnly(
    createReceiveMail(
      {
        secrets,
        store,
        verifier,
        clock,
        news,
        sender: noOperator,
        audit,
        replyQueued: (id, to) => queued.push(`${id} ${to}`),
      },
      { ...options, limits: { ...limits, ...changes } },
    ),
  );
  const challenge = () => {
    const { seed } = issueCookie(secrets, 'reset', clock.now());
    const shownAs = { locale: 'en', clientHint: { browser: 'Firefox', system: 'Windows' } } as const;
    const recipient = deriveAddress(secrets, seed, shownAs, limits.challengeLifetimeMs);
    return { recipient, localPart: writeAddress(secrets, recipient) };
  };
  const { recipient, localPart } = challenge();
  let number = 0;
  const inbox: Inbox = {
    mail,
    clock,
    store,
    news,
    recipient,
    localPart,
    other: challenge,
    evidence: signed(),
    canary: 'closed',
    checked,
    spfAsked: () => spfAsked,
    canariesAsked: () => canariesAsked,
    queued,
    audited: audit.events,
    failWrites: false,
    write(fields = {}, body = 'Please send me a code.') {
      number += 1;
      const usual = {
        From: amy,
        To: `${localPart}@${domain}`,
        Subject: `New password ${requestLabel(recipient.id)}`,
        'Message-ID': `<${number}@mail.school.example>`,
      };
      const lines = Object.entries({ ...usual, ...fields }).flatMap(([name, value]) =>
        [value].flat().map((text) => `${name}: ${text}\r\n`),
      );
      return Buffer.from(`${lines.join('')}\r\n${body}\r\n`, 'latin1');
    },
    async receive(fields = {}, to = recipient) {
      const result = await mail.receive(inbox.write(fields), envelope, to);
      return result.kind === 'refused' ? result.reason : result.kind;
    },
    record: (to = recipient) => store.read(to.id, clock.now()),
  };
  return inbox;
}

describe('receive, the order of decisions', { concurrency: true }, () => {
  test('the first rule that applies decides, from the line ends to the limit', async () => {
    const inbox = await open();
    // One mail is answered already, so that the limit of this minute is reached.
    assert.equal(await inbox.receive({ 'Message-ID': '<first@mail.school.example>' }), 'reply-queued');
    const to = `${inbox.localPart}@${domain}`;
    const faults: [string, Fields, string][] = [
      ['Received', { Received: Array.from({ length: 51 }, () => 'by x') }, 'mail-loop'],
      ['signatures', { 'DKIM-Signature': Array.from({ length: 11 }, () => 'v=1') }, 'too-many-signatures'],
      ['beyond ASCII', { Date: 'hier à midi' }, 'address-not-ascii'],
      ['author', { From: 'Amy' }, 'author-unreadable'],
      ['robot', { 'Auto-Submitted': 'auto-replied' }, 'automatic-mail'],
      ['answer', { 'In-Reply-To': '<x@y.example>' }, 'answer-to-another-mail'],
      ['recipient', { To: `${to}, rory@school.example` }, 'wrong-recipient'],
    ];
    const all = (from: number) => Object.assign({}, ...faults.slice(from).map(([, fields]) => fields));
    inbox.evidence = { ...temporary, libraryAuthors: [rory] };
    const text = (fields: Fields) => Buffer.from(inbox.write(fields)).toString('latin1');
    const twice = { ...all(0), To: [to, to] };
    const verdict = async (message: string) => {
      const result = await inbox.mail.receive(Buffer.from(message, 'latin1'), envelope, inbox.recipient);
      return result.kind === 'refused' ? result.reason : result.kind;
    };
    assert.equal(await verdict(`no field\r\n${text(twice)}\n`), 'line-ends-malformed');
    assert.equal(await verdict(`no field\r\n${text(twice)}`), 'header-malformed');
    assert.equal(await verdict(text(twice)), 'header-repeated');
    for (const [from, [title, , reason]] of faults.entries()) {
      assert.equal(await inbox.receive(all(from)), reason, title);
    }
    assert.equal(inbox.checked.length, 1, 'nothing was looked up for any of them');
    assert.equal(await inbox.receive(), 'author-ambiguous');
    inbox.evidence = temporary;
    assert.equal(await inbox.receive(), 'check-unavailable');
    inbox.evidence = unproved;
    assert.equal(await inbox.receive(), 'not-authenticated');
    inbox.evidence = signed();
    assert.equal(await inbox.receive({ 'Message-ID': '<first@mail.school.example>' }), 'already-answered');
    assert.equal(await inbox.receive(), 'replies-exhausted');
    assert.deepEqual([inbox.queued.length, inbox.audited.length], [1, 1]);
  });

  test('what is refused is told with the domain and a digest of its author, never with the address', async () => {
    const inbox = await open();
    const result = await inbox.mail.receive(inbox.write({ To: 'x@y.example' }), envelope, inbox.recipient);
    assert.ok(result.kind === 'refused');
    assert.deepEqual([result.reason, result.authorDomain], ['wrong-recipient', 'school.example']);
    assert.match(result.authorDigest ?? '', /^[0-9a-f]{12}$/);
    const unread = await inbox.mail.receive(inbox.write({ From: 'Amy' }), envelope, inbox.recipient);
    assert.deepEqual(unread, { kind: 'refused', reason: 'author-unreadable' });
    const accepted = await inbox.mail.receive(inbox.write(), envelope, inbox.recipient);
    const late = await inbox.mail.receive(inbox.write(), envelope, inbox.recipient);
    assert.ok(late.kind === 'refused');
    const { details, waitMs, ...told } = late;
    assert.deepEqual(told, { ...result, reason: 'replies-exhausted' });
    assert.equal(waitMs, minuteMs);
    assert.ok(!JSON.stringify(details).includes('@'), 'domain names and results only');
    assert.deepEqual(accepted, { kind: 'reply-queued', by: 'signature', authorDigest: result.authorDigest });
  });

  const recipients: [string, (inbox: Inbox) => string, string][] = [
    [
      'in groups and capitals',
      ({ localPart }) => `${localPart.replace(/.{4}(?=.)/g, '$&-').toUpperCase()}@${domain}`,
      'reply-queued',
    ],
    ['with a name', ({ localPart }) => `"Reset" <${localPart}@${domain}>`, 'reply-queued'],
    ['with the domain in capitals', ({ localPart }) => `${localPart}@${domain.toUpperCase()}`, 'reply-queued'],
    ['at another domain', ({ localPart }) => `${localPart}@evil.example`, 'wrong-recipient'],
    ['at a domain below', ({ localPart }) => `${localPart}@x.${domain}`, 'wrong-recipient'],
    ['of another challenge', (inbox) => `${inbox.other().localPart}@${domain}`, 'wrong-recipient'],
    [
      'with one letter changed',
      ({ localPart }) => `${localPart.slice(0, -1)}${localPart.endsWith('0') ? 1 : 0}@${domain}`,
      'wrong-recipient',
    ],
    ['and somebody else', ({ localPart }) => `${localPart}@${domain}, rory@school.example`, 'wrong-recipient'],
    ['in a group', ({ localPart }) => `us: ${localPart}@${domain};`, 'wrong-recipient'],
    ['with a plus tag', ({ localPart }) => `${localPart}+x@${domain}`, 'wrong-recipient'],
    ['not at all', () => 'undisclosed-recipients:;', 'wrong-recipient'],
  ];
  for (const [title, to, expected] of recipients) {
    test(`To is the one-time address ${title}: ${expected}`, async () => {
      const inbox = await open();
      assert.equal(await inbox.receive({ To: to(inbox) }), expected);
    });
  }

  test('a Subject that is signed and holds the label will do when To is not signed', async () => {
    const label = ({ recipient }: Inbox) => requestLabel(recipient.id);
    const cases: [string, (inbox: Inbox) => Fields, readonly string[], string][] = [
      ['label, signed', (inbox) => ({ Subject: `New password ${label(inbox)}` }), ['from', 'subject'], 'reply-queued'],
      ['label, not signed', (inbox) => ({ Subject: label(inbox) }), ['from'], 'not-authenticated'],
      ['no label, signed', () => ({ Subject: 'New password' }), ['from', 'subject'], 'not-authenticated'],
      [
        'of another challenge',
        (inbox) => ({ Subject: requestLabel(inbox.other().recipient.id) }),
        ['from', 'subject'],
        'not-authenticated',
      ],
      ['no Subject', () => ({ Subject: [] }), ['from', 'subject'], 'not-authenticated'],
      ['To, signed', () => ({ Subject: 'x' }), ['from', 'to'], 'reply-queued'],
    ];
    for (const [title, fields, signedFields, expected] of cases) {
      const inbox = await open();
      const evidence = signed();
      inbox.evidence = { ...evidence, signatures: evidence.signatures.map((one) => ({ ...one, signedFields })) };
      assert.equal(await inbox.receive(fields(inbox)), expected, title);
    }
  });
});

describe('receive, an accepted mail', { concurrency: true }, () => {
  test('is written with its reply queued, before anybody is told', async () => {
    const inbox = await open();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { store, clock } = inbox;
    const slow: ChallengeStore = {
      read: (id, now) => store.read(id, now),
      transact: async (id, now, decide) => {
        const result = await store.transact(id, now, decide);
        await promise;
        return result;
      },
      withQueued: (now) => store.withQueued(now),
      sweep: (now) => store.sweep(now),
      close: () => store.close(),
    };
    const told: string[] = [];
    const mail = oneTimeOnly(
      createReceiveMail(
        {
          secrets: fixedSecrets(),
          store: slow,
          verifier: {
            verify: async () => ({ evidence: signed(), withSpf: async () => signed(), canary: async () => 'closed' }),
          },
          clock,
          news: createChallengeNews(),
          sender: noOperator,
          audit: collectAudit(),
          replyQueued: (id, to) => told.push(`${id} ${to}`),
        },
        { ...options, limits },
      ),
    );
    const receiving = mail.receive(inbox.write(), envelope, inbox.recipient);
    await settle();
    assert.deepEqual(told, []);
    resolve();
    const result = await receiving;
    assert.deepEqual([result.kind, told], ['reply-queued', [`${inbox.recipient.id} ${amy}`]]);
    const record = await inbox.record();
    assert.ok(record);
    const { id, keyId, purpose, locale, clientHint, expiresAt } = inbox.recipient;
    assert.deepEqual(
      { ...record, senders: [] },
      { id, keyId, purpose, locale, clientHint, expiresAt, senders: [], wrongCodes: [], state: { kind: 'code-sent' } },
    );
    const [sender, ...others] = record.senders;
    assert.deepEqual([sender?.mailbox, sender?.reply.state, others], [amy, 'queued', []]);
    assert.match(`${sender?.salt} ${sender?.reply.id} ${sender?.answered}`, /^(?:[0-9a-f]{32} ?){3}$/);
    assert.notEqual(sender?.salt, sender?.reply.id);
  });

  test('is answered with its Message-ID, when that can be repeated', async () => {
    const cases: [string | readonly string[], string | null][] = [
      ['<a.b+c@mail.school.example>', '<a.b+c@mail.school.example>'],
      ['  <a@b.example>  ', '<a@b.example>'],
      ['<a b@c.example>', null],
      ['a@b.example', null],
      [`<${'x'.repeat(300)}@b.example>`, null],
      [[], null],
    ];
    for (const [id, expected] of cases) {
      const inbox = await open();
      assert.equal(await inbox.receive({ 'Message-ID': id }), 'reply-queued');
      assert.equal((await inbox.record())?.senders[0]?.reply.inReplyTo, expected, String(id));
    }
  });

  test('by SPF the canary is asked, and decides', async () => {
    const cases: [SpfCanary, string][] = [
      ['closed', 'reply-queued'],
      ['open', 'not-authenticated'],
      ['temperror', 'check-unavailable'],
    ];
    for (const [canary, expected] of cases) {
      const inbox = await open();
      Object.assign(inbox, { evidence: bySpf, canary });
      const result = await inbox.mail.receive(inbox.write(), envelope, inbox.recipient);
      assert.equal(result.kind === 'refused' ? result.reason : result.kind, expected);
      if (result.kind === 'reply-queued') assert.equal(result.by, 'spf');
      assert.deepEqual([inbox.spfAsked(), inbox.canariesAsked()], [1, 1]);
    }
  });

  test('by SPF speaks for MAIL FROM alone', async () => {
    const cases: [string, string][] = [
      ['Amy.POND@school.example', 'reply-queued'],
      [rory, 'not-authenticated'],
      ['amy.pond@mail.school.example', 'not-authenticated'],
    ];
    for (const [mailFrom, expected] of cases) {
      const inbox = await open();
      inbox.evidence = bySpf;
      const result = await inbox.mail.receive(inbox.write(), { ...envelope, mailFrom }, inbox.recipient);
      assert.equal(result.kind === 'refused' ? result.reason : result.kind, expected, mailFrom);
    }
  });

  test('by a signature needs neither SPF nor its canary', async () => {
    const inbox = await open();
    inbox.evidence = { ...bySpf, signatures: signed().signatures };
    assert.equal(await inbox.receive(), 'reply-queued');
    assert.deepEqual([inbox.spfAsked(), inbox.canariesAsked()], [0, 0]);
    assert.deepEqual(inbox.checked, [`${amy} by ${amy}`]);
  });
});

describe('receive, the same message again', { concurrency: true }, () => {
  test('is not answered twice, also when the limit is reached', async () => {
    const inbox = await open();
    const fields = { 'Message-ID': '<same@mail.school.example>' };
    assert.equal(await inbox.receive(fields), 'reply-queued');
    const record = await inbox.record();
    for (let count = 0; count < 3; count += 1) assert.equal(await inbox.receive(fields), 'already-answered');
    assert.deepEqual([await inbox.record(), inbox.queued.length, inbox.audited.length], [record, 1, 1]);
  });

  test('is known by its Message-ID, whatever was added to it on a second way', async () => {
    const inbox = await open();
    const fields = { 'Message-ID': '<same@mail.school.example>' };
    assert.equal(await inbox.receive(fields), 'reply-queued');
    assert.equal(await inbox.receive({ ...fields, Received: 'by mx2.school.example' }), 'already-answered');
  });

  test('takes no place under the limit', async () => {
    const inbox = await open({ repliesPerMailbox: { perMinuteMax: 60, perHourMax: 2, perDayMax: 12 } });
    const fields = { 'Message-ID': '<same@mail.school.example>' };
    const verdicts = [await inbox.receive(fields), await inbox.receive(fields), await inbox.receive(fields)];
    assert.deepEqual(verdicts, ['reply-queued', 'already-answered', 'already-answered']);
    assert.deepEqual([await inbox.receive(), await inbox.receive()], ['reply-queued', 'replies-exhausted-for-long']);
  });

  test('delivered twice at once is answered once', async () => {
    const inbox = await open();
    const fields = { 'Message-ID': '<same@mail.school.example>' };
    const verdicts = await Promise.all([inbox.receive(fields), inbox.receive(fields)]);
    assert.deepEqual(verdicts.toSorted(), ['already-answered', 'reply-queued']);
    assert.equal(inbox.queued.length, 1);
  });

  test('without a Message-ID is known by its bytes', async () => {
    const inbox = await open({ repliesPerMailbox: { perMinuteMax: 9, perHourMax: 9, perDayMax: 9 } });
    const send = async (body: string) =>
      (await inbox.mail.receive(inbox.write({ 'Message-ID': [] }, body), envelope, inbox.recipient)).kind;
    assert.deepEqual(
      [await send('a'), await send('a'), await send('b')],
      ['reply-queued', 'already-answered', 'reply-queued'],
    );
  });

  test('is heard also after its challenge was used', async () => {
    const inbox = await open();
    const fields = { 'Message-ID': '<same@mail.school.example>' };
    await inbox.receive(fields);
    await inbox.store.transact(inbox.recipient.id, inbox.clock.now(), (current) => ({
      next: current && { ...current, state: { kind: 'locked' } },
      result: undefined,
    }));
    assert.equal(await inbox.receive(fields), 'already-answered');
    assert.equal(await inbox.receive(), 'address-expired');
  });
});

describe('receive, the limits', { concurrency: true }, () => {
  test('a mailbox gets one reply a minute and five an hour, over all challenges', async () => {
    const inbox = await open();
    const verdicts: string[] = [];
    const start = inbox.clock.now();
    const times = [0, 59_999, minuteMs, 2 * minuteMs, 3 * minuteMs, 4 * minuteMs, 5 * minuteMs, hourMs - 1, hourMs];
    for (const time of times) {
      inbox.clock.advance(start + time - inbox.clock.now());
      const { recipient, localPart } = inbox.other();
      verdicts.push(await inbox.receive({ To: `${localPart}@${domain}` }, recipient));
    }
    const yes = 'reply-queued';
    const no = 'replies-exhausted';
    assert.deepEqual(verdicts, [yes, no, yes, yes, yes, yes, no, no, yes]);
  });

  test('nor more than so many a day', async () => {
    const inbox = await open({ repliesPerMailbox: { perMinuteMax: 1, perHourMax: 2, perDayMax: 3 } });
    const verdicts: string[] = [];
    for (const wait of [0, hourMs, hourMs, hourMs, 21 * hourMs - 1, 1]) {
      inbox.clock.advance(wait);
      const { recipient, localPart } = inbox.other();
      verdicts.push(await inbox.receive({ To: `${localPart}@${domain}` }, recipient));
    }
    // Longer than the page lives: its server need not come again.
    const [yes, no] = ['reply-queued', 'replies-exhausted'];
    assert.deepEqual(verdicts, [yes, yes, yes, `${no}-for-long`, no, yes]);
  });

  test('every sender has a salt and a reply id of his own, the same sender keeps his salt', async () => {
    const inbox = await open({ repliesPerMailbox: { perMinuteMax: 9, perHourMax: 9, perDayMax: 9 } });
    await inbox.receive();
    const before = (await inbox.record())?.senders[0];
    inbox.evidence = signed(rory);
    await inbox.receive({ From: rory });
    inbox.evidence = signed();
    await inbox.receive();
    const [other, same] = (await inbox.record())?.senders ?? [];
    assert.ok(before && other && same);
    assert.deepEqual([other.mailbox, same.mailbox, same.salt], [rory, amy, before.salt]);
    assert.notEqual(other.salt, same.salt);
    assert.equal(new Set([before, other, same].map(({ reply }) => reply.id)).size, 3);
  });

  test('nothing is written and nobody is told when the limit is reached', async () => {
    const inbox = await open();
    await inbox.receive();
    const record = await inbox.record();
    assert.equal(await inbox.receive(), 'replies-exhausted');
    const { recipient, localPart } = inbox.other();
    assert.equal(await inbox.receive({ To: `${localPart}@${domain}` }, recipient), 'replies-exhausted');
    assert.deepEqual(
      [await inbox.record(), await inbox.record(recipient), inbox.queued.length],
      [record, undefined, 1],
    );
  });

  test('other mailboxes have their own', async () => {
    const inbox = await open();
    await inbox.receive();
    inbox.evidence = signed(rory);
    assert.equal(await inbox.receive({ From: rory }), 'reply-queued');
  });

  test('of two mails at once one is answered', async () => {
    const inbox = await open();
    const verdicts = await Promise.all([inbox.receive(), inbox.receive(), inbox.receive()]);
    assert.deepEqual(verdicts.toSorted(), ['replies-exhausted', 'replies-exhausted', 'reply-queued'].toSorted());
  });

  const refusals: [string, (inbox: Inbox) => Promise<string>, string][] = [
    [
      'not authenticated',
      (inbox) => {
        inbox.evidence = unproved;
        return inbox.receive();
      },
      'not-authenticated',
    ],
    ['to the wrong recipient', (inbox) => inbox.receive({ To: 'x@y.example' }), 'wrong-recipient'],
    ['automatic', (inbox) => inbox.receive({ Precedence: 'bulk' }), 'automatic-mail'],
    [
      'not checked in time',
      (inbox) => {
        inbox.evidence = temporary;
        return inbox.receive();
      },
      'check-unavailable',
    ],
    [
      'not written',
      async (inbox) => {
        inbox.failWrites = true;
        return inbox.receive().catch((error: unknown) => (error instanceof DependencyError ? error.dependency : 'bug'));
      },
      'store',
    ],
    [
      'to a challenge that is full',
      async (inbox) => {
        const { recipient, localPart } = inbox.other();
        const To = `${localPart}@${domain}`;
        for (let count = 0; count < 3; count += 1) {
          const name = `sender-${inbox.queued.length}`;
          inbox.evidence = signed(`${name}@school.example`);
          assert.equal(await inbox.receive({ From: `${name}@school.example`, To }, recipient), 'reply-queued');
        }
        inbox.evidence = signed();
        return inbox.receive({ To }, recipient);
      },
      'senders-exhausted',
    ],
    [
      'to a challenge that is locked',
      async (inbox) => {
        const { recipient, localPart } = inbox.other();
        await inbox.store.transact(recipient.id, inbox.clock.now(), () => ({
          next: { ...recipient, senders: [], wrongCodes: [], state: { kind: 'locked' } },
          result: undefined,
        }));
        return inbox.receive({ To: `${localPart}@${domain}` }, recipient);
      },
      'address-expired',
    ],
  ];
  for (const [title, refuse, reason] of refusals) {
    test(`a mail that was ${title} is not counted`, async () => {
      const inbox = await open();
      for (let count = 0; count < 3; count += 1) assert.equal(await refuse(inbox), reason);
      Object.assign(inbox, { evidence: signed(), failWrites: false });
      assert.equal(await inbox.receive(), 'reply-queued', 'the first of this minute');
      assert.equal(await inbox.receive(), 'replies-exhausted');
    });
  }

  test('more messages than a challenge takes are refused, and not counted', async () => {
    const inbox = await open({ repliesPerMailbox: { perMinuteMax: 99, perHourMax: 6, perDayMax: 99 } });
    for (let count = 0; count < 5; count += 1) assert.equal(await inbox.receive(), 'reply-queued');
    for (let count = 0; count < 3; count += 1) assert.equal(await inbox.receive(), 'too-many-messages');
    const { recipient, localPart } = inbox.other();
    assert.equal(await inbox.receive({ To: `${localPart}@${domain}` }, recipient), 'reply-queued', 'the sixth');
  });
});

describe('receive, when something outside fails', { concurrency: true }, () => {
  test('a store that cannot write is a DependencyError, and nothing has changed', async () => {
    const inbox = await open();
    inbox.failWrites = true;
    await assert.rejects(inbox.receive(), DependencyError);
    assert.deepEqual([await inbox.record(), inbox.queued, inbox.audited], [undefined, [], []]);
  });

  test('a verifier that throws is heard, and nothing is left waiting', async () => {
    const inbox = await open();
    inbox.evidence = Promise.reject(new TypeError('a bug'));
    await assert.rejects(inbox.receive(), TypeError);
    assert.deepEqual([inbox.clock.waiting, inbox.queued], [[], []]);
  });

  for (const [title, silent] of [
    ['the checks', { evidence: new Promise<Evidence>(() => {}) }],
    ['the canary', { evidence: bySpf, canary: new Promise<SpfCanary>(() => {}) }],
  ] as const) {
    test(`${title} may take twenty seconds, and no longer`, async () => {
      const inbox = await open();
      Object.assign(inbox, silent);
      const receiving = inbox.receive();
      const ended = assert.rejects(receiving, (error) => {
        assert.ok(error instanceof DependencyError);
        return error.dependency === 'dns';
      });
      await settle();
      assert.deepEqual(inbox.clock.waiting, [checkTimeoutMs]);
      inbox.clock.advance(checkTimeoutMs);
      await ended;
      assert.deepEqual([await inbox.record(), inbox.queued], [undefined, []]);
      Object.assign(inbox, { evidence: signed() });
      assert.equal(await inbox.receive(), 'reply-queued', 'it was not counted');
    });
  }

  test('checks that come back in time leave no timer', async () => {
    const inbox = await open();
    await inbox.receive();
    assert.deepEqual(inbox.clock.waiting, []);
  });

  test('checks that fail after their time do no harm', async () => {
    const inbox = await open();
    const { promise, reject } = Promise.withResolvers<Evidence>();
    inbox.evidence = promise;
    const ended = assert.rejects(inbox.receive(), DependencyError);
    await settle();
    inbox.clock.advance(checkTimeoutMs);
    await ended;
    reject(new TypeError('too late'));
    await settle();
  });
});

describe('receive, what the open page learns', { concurrency: true }, () => {
  const quiet = { notice: undefined, checking: false, delayed: new Set() };
  const dependency = (error: unknown) => (error instanceof DependencyError ? error.dependency : 'bug');
  type Step = (inbox: Inbox) => Evidence | Promise<Evidence>;
  // What is done before the check ends, and what has come of the mail then.
  const outcomes: [string, Step, outcome: string, notice: string | undefined][] = [
    ['accepted', () => signed(), 'reply-queued', undefined],
    ['not believed', () => unproved, 'not-authenticated', 'not-confirmed'],
    ['to be sent again', () => temporary, 'check-unavailable', 'checking'],
    [
      'not written',
      (inbox) => {
        inbox.failWrites = true;
        return signed();
      },
      'store',
      undefined,
    ],
    ['a bug of the verifier', () => Promise.reject(new TypeError('a bug')), 'bug', undefined],
    [
      'not checked in time',
      (inbox) => {
        inbox.clock.advance(checkTimeoutMs);
        return new Promise<Evidence>(() => {});
      },
      'dns',
      undefined,
    ],
  ];
  for (const [title, end, outcome, notice] of outcomes) {
    test(`a mail is being checked until it is ${title}`, async () => {
      const inbox = await open();
      const { promise, resolve } = Promise.withResolvers<Evidence>();
      inbox.evidence = promise;
      const { id } = inbox.recipient;
      const receiving = inbox.receive().catch(dependency);
      await settle();
      assert.deepEqual(inbox.news.get(id), { ...quiet, checking: true });
      resolve(end(inbox));
      assert.equal(await receiving, outcome);
      const { notice: told, ...rest } = inbox.news.get(id);
      assert.deepEqual([told?.sentence, rest], [notice, { checking: false, delayed: new Set() }]);
    });
  }

  const early: [string, Fields, string, notice: string | undefined][] = [
    ['a header that cannot be read', { From: 'Amy' }, 'author-unreadable', 'sender-unreadable'],
    ['an answer', { 'In-Reply-To': '<x@y.example>' }, 'answer-to-another-mail', 'write-a-new-one'],
    ['somebody else in To', { To: rory }, 'wrong-recipient', 'only-this-address'],
    ['a robot, of whom nothing is told', { 'Auto-Submitted': 'auto-replied' }, 'automatic-mail', undefined],
  ];
  for (const [title, fields, outcome, notice] of early) {
    test(`a mail refused before its sender is checked: ${title}`, async () => {
      const inbox = await open();
      assert.equal(await inbox.receive(fields), outcome);
      const { notice: told, ...rest } = inbox.news.get(inbox.recipient.id);
      assert.deepEqual([told?.sentence, rest], [notice, { checking: false, delayed: new Set() }]);
    });
  }

  test('the page follows both: that a mail is being checked, and what came of it', async () => {
    const inbox = await open();
    const { id } = inbox.recipient;
    const seen: string[] = [];
    const end = inbox.news.follow(id, () => {
      const { checking, notice } = inbox.news.get(id);
      seen.push(`${checking ? 'checking' : 'not checking'}, ${notice?.sentence}`);
    });
    assert.ok(end);
    inbox.evidence = unproved;
    await inbox.receive();
    end();
    await inbox.receive();
    assert.deepEqual(seen, ['checking, undefined', 'checking, not-confirmed', 'not checking, not-confirmed']);
  });

  test('two mails at once are being checked until both are', async () => {
    const inbox = await open();
    const [slow, quick] = [Promise.withResolvers<Evidence>(), Promise.withResolvers<Evidence>()];
    const { id } = inbox.recipient;
    inbox.evidence = slow.promise;
    const first = inbox.receive();
    inbox.evidence = quick.promise;
    const second = inbox.receive();
    quick.resolve(unproved);
    await second;
    assert.equal(inbox.news.get(id).checking, true);
    slow.resolve(unproved);
    await first;
    assert.equal(inbox.news.get(id).checking, false);
  });

  test('an accepted mail ends what was said about one before it, the same one again says nothing', async () => {
    const inbox = await open();
    const { id } = inbox.recipient;
    inbox.evidence = unproved;
    await inbox.receive();
    inbox.evidence = signed();
    const same = { 'Message-ID': '<same@mail.school.example>' };
    assert.equal(await inbox.receive(same), 'reply-queued');
    assert.deepEqual(inbox.news.get(id), quiet);
    assert.equal(await inbox.receive(), 'replies-exhausted');
    const notice = inbox.news.get(id).notice;
    assert.deepEqual([notice?.sentence, notice?.until], ['asked-often', inbox.clock.now() + minuteMs]);
    assert.equal(await inbox.receive(same), 'already-answered');
    assert.equal(inbox.news.get(id).notice, notice);
  });

  test('another challenge hears nothing of it', async () => {
    const inbox = await open();
    inbox.evidence = unproved;
    const receiving = inbox.receive();
    const { recipient } = inbox.other();
    assert.deepEqual(inbox.news.get(recipient.id), quiet);
    await receiving;
    assert.deepEqual(inbox.news.get(recipient.id), quiet);
  });
});

describe('admit a recipient', { concurrency: true }, () => {
  const cases: [string, (inbox: Inbox) => string, string][] = [
    ['as it stands on the page', ({ localPart }) => `${localPart}@${domain}`, 'admitted'],
    ['in capitals', ({ localPart }) => `${localPart}@${domain}`.toUpperCase(), 'admitted'],
    ['in groups', ({ localPart }) => `${localPart.replace(/.{4}(?=.)/g, '$&-')}@${domain}`, 'admitted'],
    [
      'as somebody copied it by hand',
      ({ localPart }) => `${localPart.replaceAll('0', 'O').replaceAll('1', 'l')}@${domain}`,
      'admitted',
    ],
    ['at another domain', ({ localPart }) => `${localPart}@school.example`, 'relay-denied'],
    ['at a domain below', ({ localPart }) => `${localPart}@x.${domain}`, 'relay-denied'],
    ['at a domain that ends alike', ({ localPart }) => `${localPart}@x${domain}`, 'relay-denied'],
    ['at a domain with a dot more', ({ localPart }) => `${localPart}@${domain}.`, 'relay-denied'],
    ['with a route', ({ localPart }) => `${localPart}@school.example@${domain}`, 'address-unknown'],
    ['with a plus tag', ({ localPart }) => `${localPart}+x@${domain}`, 'address-unknown'],
    ['with a letter more', ({ localPart }) => `${localPart}0@${domain}`, 'address-unknown'],
    ['with a letter less', ({ localPart }) => `${localPart.slice(1)}@${domain}`, 'address-unknown'],
    [
      'with a letter changed',
      ({ localPart }) => `${localPart.slice(0, -1)}${localPart.endsWith('0') ? 1 : 0}@${domain}`,
      'address-unknown',
    ],
    ['nobody', () => `@${domain}`, 'address-unknown'],
    ['postmaster', () => `postmaster@${domain}`, 'address-unknown'],
    ['abuse', () => `abuse@${domain}`, 'address-unknown'],
    ['postmaster without a domain, who is ours', () => 'postmaster', 'address-unknown'],
  ];
  for (const [title, address, expected] of cases) {
    test(`${title}: ${expected}`, async () => {
      const inbox = await open();
      const result = await inbox.mail.admitRecipient(address(inbox));
      assert.equal('kind' in result ? result.reason : 'admitted', expected);
      if (!('kind' in result)) assert.deepEqual(result, inbox.recipient);
    });
  }

  test('until its last millisecond, and then it has expired', async () => {
    const inbox = await open();
    const left = inbox.recipient.expiresAt - inbox.clock.now();
    const admit = async () => {
      const result = await inbox.mail.admitRecipient(`${inbox.localPart}@${domain}`);
      return 'kind' in result ? result.reason : 'admitted';
    };
    inbox.clock.advance(left - 1);
    assert.equal(await admit(), 'admitted');
    inbox.clock.advance(1);
    assert.equal(await admit(), 'address-expired');
  });

  const states: [Challenge['state'], string][] = [
    [{ kind: 'awaiting-mail' }, 'admitted'],
    [{ kind: 'code-sent' }, 'admitted'],
    [{ kind: 'locked' }, 'address-expired'],
    [
      { kind: 'verified', mailbox: amy, at: 0, grantSalt: '0'.repeat(32), grantExpiresAt: 0, account: null },
      'address-expired',
    ],
  ];
  for (const [state, expected] of states) {
    test(`of a challenge that is ${state.kind}: ${expected}`, async () => {
      const inbox = await open();
      const next: Challenge = { ...inbox.recipient, senders: [], wrongCodes: [], state };
      await inbox.store.transact(inbox.recipient.id, inbox.clock.now(), () => ({ next, result: undefined }));
      const result = await inbox.mail.admitRecipient(`${inbox.localPart}@${domain}`);
      assert.equal('kind' in result ? result.reason : 'admitted', expected);
    });
  }

  test('a made-up address does not reach the store; a store that fails is heard', async () => {
    const inbox = await open();
    let read = 0;
    const broken = new DependencyError('store', 'the store could not be read');
    const store: ChallengeStore = {
      ...inbox.store,
      read: () => {
        read += 1;
        return Promise.reject(broken);
      },
    };
    const mail = oneTimeOnly(
      createReceiveMail(
        {
          secrets: fixedSecrets(),
          store,
          verifier: { verify: () => Promise.reject(new Error('not here')) },
          clock: inbox.clock,
          news: createChallengeNews(),
          sender: noOperator,
          audit: collectAudit(),
          replyQueued: () => {},
        },
        { ...options, limits },
      ),
    );
    await mail.admitRecipient(`${'0'.repeat(32)}@${domain}`);
    await mail.admitRecipient(`${inbox.localPart}@school.example`);
    assert.equal(read, 0);
    await assert.rejects(mail.admitRecipient(`${inbox.localPart}@${domain}`), broken);
  });
});
