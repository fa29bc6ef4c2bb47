// The table of states in src/core/challenge.ts: every state times every event, with the page open and with its time
// over, refused ones too. Then the edges of time, the limits, and random walks. All records are frozen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AcceptedMail,
  acceptMail,
  acceptTypedAddress,
  awaitMail,
  type Challenge,
  endOfUse,
  type Sender,
  type SettledReply,
  senderOf,
  settleReply,
  type TypedAddress,
  type TypedCode,
  typeCode,
  type Verified,
} from '../../src/core/challenge.ts';
import { deepFreeze, mailbox, runs, table } from '../support/core-table.ts';

const minute = 60_000;
const limits = deepFreeze({
  codeLifetimeMs: 30 * minute,
  grantLifetimeMs: 10 * minute,
  wrongCodesMax: 5,
  sendersMax: 3,
  messagesMax: 5,
});
const expiresAt = Date.UTC(2030, 0, 1, 11);
const opened = expiresAt - 60 * minute;
const now = opened + 20 * minute;

const amy = mailbox('amy@school.example');
const bob = mailbox('bob@school.example');
const cy = mailbox('cy@school.example');
const dan = mailbox('dan@mail.example');

/** A sender whose first reply went out long ago and whose second one waits. */
function sender(address: Sender['mailbox'], changes: Partial<Sender> = {}): Sender {
  const salt = `salt of ${address}`;
  const reply = { id: 'newer', inReplyTo: '<2@school.example>', state: 'queued' } as const;
  return {
    by: 'mail',
    mailbox: address,
    salt,
    answered: [`1 ${address}`],
    reply,
    codeExpiresAt: now + 10 * minute,
    ...changes,
  };
}

const empty = deepFreeze(
  awaitMail({
    keyId: '',
    purpose: 'reset',
    locale: 'de',
    clientHint: { browser: 'Firefox', system: 'Windows' },
    expiresAt,
    id: '00112233445566778899',
  }),
);

/** A challenge that amy has mailed. */
function sent(changes: Partial<Challenge> = {}): Challenge {
  return deepFreeze({ ...empty, senders: [sender(amy)], state: { kind: 'code-sent' }, ...changes });
}

function verified(at: number, changes: Partial<Verified> = {}): Verified {
  return {
    kind: 'verified',
    mailbox: amy,
    at,
    grantSalt: 'g1',
    grantExpiresAt: at + 10 * minute,
    account: null,
    ...changes,
  };
}

function mailOf(address: AcceptedMail['mailbox'], message = `2 ${address}`): AcceptedMail {
  return {
    mailbox: address,
    messageDigest: message,
    inReplyTo: `<${message}>`,
    replyId: `reply to ${message}`,
    salt: 'new salt',
  };
}

function settled(changes: Partial<SettledReply> = {}): SettledReply {
  return { by: 'mail', mailbox: amy, replyId: 'newer', state: 'handed-over', ...changes };
}

const right = (mailbox = amy, by: Sender['by'] = 'mail'): TypedCode => {
  return { sender: { by, mailbox }, codeDigest: 'right', grantSalt: 'g2' };
};
const wrong = (codeDigest: string): TypedCode => ({ sender: undefined, codeDigest, grantSalt: 'g2' });
/** An address is typed; `number` names the reply that is asked for. */
const typed = (address: TypedAddress['mailbox'], number = 1): TypedAddress => {
  return { mailbox: address, replyId: `typed ${number}`, salt: `salt ${number}` };
};

// ---- every state times every event ----

type Event = (challenge: Challenge, at: number) => { next: Challenge; outcome?: { kind: string; reason?: string } };

const mailEvent =
  (mail: AcceptedMail): Event =>
  (challenge, at) =>
    acceptMail(challenge, mail, at, limits);
const settleEvent =
  (reply: SettledReply): Event =>
  (challenge, at) => ({ next: settleReply(challenge, reply, at, limits) });
const codeEvent =
  (code: TypedCode): Event =>
  (challenge, at) =>
    typeCode(challenge, code, at, limits);

const typedEvent =
  (address: TypedAddress): Event =>
  (challenge, at) =>
    acceptTypedAddress(challenge, address, at, limits);

const events = {
  stranger: mailEvent(mailOf(dan)), // mail of somebody new
  again: mailEvent(mailOf(amy)), // another mail of amy
  twice: mailEvent(mailOf(amy, `1 ${amy}`)), // a message of amy that was answered, delivered again
  out: settleEvent(settled()), // the waiting reply to amy was handed over
  lost: settleEvent(settled({ state: 'failed' })), // ... or given up
  old: settleEvent(settled({ replyId: 'older' })), // the reply before it was handed over
  none: settleEvent(settled({ mailbox: dan })), // a reply to somebody who never wrote
  typed: typedEvent(typed(dan)), // the address of somebody new is typed
  typedToo: typedEvent(typed(amy)), // amy's address is typed, who has written, too
  right: codeEvent(right()), // amy's code
  wrong1: codeEvent(wrong('w1')), // a wrong code, counted already where anything was counted
  wrong9: codeEvent(wrong('w9')), // a wrong code that nobody has typed yet
} satisfies Record<string, Event>;

const states = {
  awaiting: empty,
  sent: sent(),
  late: sent({ senders: [sender(amy, { codeExpiresAt: now })] }),
  crowded: sent({ senders: [sender(amy), sender(bob), sender(cy)] }),
  flooded: sent({ senders: [sender(amy, { answered: [`1 ${amy}`, 'b', 'c', 'd', 'e'] })] }),
  counted: sent({ wrongCodes: ['w1'] }),
  lastTry: sent({ wrongCodes: ['w1', 'w2', 'w3', 'w4'] }),
  locked: sent({ wrongCodes: ['w1', 'w2', 'w3', 'w4', 'w5'], state: { kind: 'locked' } }),
  verified: sent({ state: verified(now - 1000) }),
  verifiedLongAgo: sent({ state: verified(now - 15_000) }),
} satisfies Record<string, Challenge>;

type Cells = Readonly<Record<keyof typeof events, string>>;

// `outcome > state`: the record changed; `outcome =`: it is the very same object.
const settles = { out: '> code-sent', lost: '> code-sent', old: '=', none: '=' };
const mails = {
  stranger: 'reply-queued > code-sent',
  again: 'reply-queued > code-sent',
  twice: 'already-answered =',
  typed: 'code-requested > code-sent',
  typedToo: 'code-requested > code-sent',
};
const codes = {
  right: 'verified > verified',
  wrong1: 'code-wrong > code-sent',
  wrong9: 'code-wrong > code-sent',
};
const closed = { stranger: 'address-expired =', again: 'address-expired =', twice: 'already-answered =' };
const unasked = (reason: string) => ({ typed: `${reason} =`, typedToo: `${reason} =` });
const used = { ...unasked('code-used'), right: 'code-used =', wrong1: 'code-used =', wrong9: 'code-used =' };

const whileOpen: Readonly<Record<keyof typeof states, Cells>> = {
  awaiting: {
    ...mails,
    twice: 'reply-queued > code-sent',
    ...{ out: '=', lost: '=', old: '=', none: '=' },
    ...{ right: 'mail-not-seen =', wrong1: 'mail-not-seen =', wrong9: 'mail-not-seen =' },
  },
  sent: { ...mails, ...settles, ...codes },
  late: { ...mails, ...settles, ...codes, right: 'code-expired =' },
  crowded: { ...mails, ...settles, ...codes, stranger: 'senders-exhausted =', ...unasked('addresses-exhausted') },
  flooded: {
    ...{ ...mails, ...settles, ...codes, stranger: 'too-many-messages =', again: 'too-many-messages =' },
    ...unasked('addresses-exhausted'),
  },
  counted: { ...mails, ...settles, ...codes, wrong1: 'code-wrong =' },
  lastTry: { ...mails, ...settles, ...codes, wrong1: 'code-wrong =', wrong9: 'challenge-locked > locked' },
  locked: {
    ...closed,
    ...{ out: '> locked', lost: '> locked', old: '=', none: '=' },
    ...{ ...unasked('challenge-locked'), right: 'challenge-locked =' },
    ...{ wrong1: 'challenge-locked =', wrong9: 'challenge-locked =' },
  },
  verified: {
    ...closed,
    ...{ out: '> verified', lost: '> verified', old: '=', none: '=' },
    ...{ ...used, right: 'verified =' },
  },
  verifiedLongAgo: { ...closed, out: '> verified', lost: '> verified', old: '=', none: '=', ...used },
};

const over = {
  ...unasked('challenge-expired'),
  ...{ right: 'challenge-expired =', wrong1: 'challenge-expired =', wrong9: 'challenge-expired =' },
};
const whenOver: Readonly<Record<keyof typeof states, Cells>> = {
  ...whileOpen,
  awaiting: { ...whileOpen.awaiting, ...closed, twice: 'address-expired =', ...over },
  sent: { ...whileOpen.sent, ...closed, ...over },
  late: { ...whileOpen.late, ...closed, ...over },
  crowded: { ...whileOpen.crowded, ...closed, ...over },
  flooded: { ...whileOpen.flooded, ...closed, ...over },
  counted: { ...whileOpen.counted, ...closed, ...over },
  lastTry: { ...whileOpen.lastTry, ...closed, ...over },
  locked: { ...whileOpen.locked, ...over },
  verified: { ...whileOpen.verified, ...used },
};

function summary(challenge: Challenge, { next, outcome }: ReturnType<Event>): string {
  const said = outcome?.reason ?? outcome?.kind;
  const change = next === challenge ? '=' : `> ${next.state.kind}`;
  return said === undefined ? change : `${said} ${change}`;
}

for (const [title, at, cells] of [
  ['while the page is open', now, whileOpen],
  ['at the end of the page', expiresAt, whenOver],
] as const) {
  for (const state of Object.keys(states) as (keyof typeof states)[]) {
    test(`${state}, ${title}: every event`, () => {
      const entries = Object.entries(events).map(([name, event]) => {
        const challenge = states[state];
        const step = event(challenge, at);
        // A store may run a step twice: it must come to the same end.
        assert.deepEqual(event(challenge, at), step);
        return [name, summary(challenge, step)];
      });
      assert.deepEqual(Object.fromEntries(entries), cells[state]);
    });
  }
}

test('no step changes more than senders, wrong codes and state', () => {
  for (const challenge of Object.values(states)) {
    for (const event of Object.values(events)) {
      const { senders, wrongCodes, state } = event(challenge, now).next;
      assert.deepEqual(event(challenge, now).next, { ...challenge, senders, wrongCodes, state });
      assert.ok(senders.length >= challenge.senders.length && wrongCodes.length >= challenge.wrongCodes.length);
    }
  }
});

// ---- mail ----

test('the first mail makes a sender with a salt, a queued reply and a code without end', () => {
  const { next } = acceptMail(empty, mailOf(amy), now, limits);
  assert.deepEqual(next, {
    ...empty,
    state: { kind: 'code-sent' },
    senders: [
      {
        by: 'mail',
        mailbox: amy,
        salt: 'new salt',
        answered: [`2 ${amy}`],
        reply: { id: `reply to 2 ${amy}`, inReplyTo: `<2 ${amy}>`, state: 'queued' },
        codeExpiresAt: null,
      },
    ],
  });
});

test('the same sender again: same salt, so the same code; tries and running time kept; a new reply', () => {
  const before = sent({ wrongCodes: ['w1'] });
  const { next } = acceptMail(before, mailOf(amy), now, limits);
  const reply = { id: `reply to 2 ${amy}`, inReplyTo: `<2 ${amy}>`, state: 'queued' };
  assert.deepEqual(next, {
    ...before,
    senders: [{ ...sender(amy), answered: [`1 ${amy}`, `2 ${amy}`], reply }],
  });
});

test('another sender gets a salt of his own, and the first one keeps hers', () => {
  const { next } = acceptMail(sent(), { ...mailOf(bob), inReplyTo: null }, now, limits);
  assert.deepEqual(next.senders[0], sender(amy));
  assert.deepEqual([next.senders[1]?.mailbox, next.senders[1]?.salt], [bob, 'new salt']);
  assert.equal(next.senders[1]?.reply.inReplyTo, null);
});

test('whoever wrote last stands last', () => {
  const before = sent({ senders: [sender(amy), sender(bob)] });
  const { next } = acceptMail(before, mailOf(amy), now, limits);
  assert.deepEqual(
    next.senders.map((one) => one.mailbox),
    [bob, amy],
  );
});

test('mailboxes that differ in the case of the local part are two senders', () => {
  const { next } = acceptMail(sent(), mailOf(mailbox('Amy@school.example')), now, limits);
  assert.equal(next.senders.length, 2);
});

test('a fourth sender is refused, and the first one is still there and may type her code', () => {
  const third = [bob, cy].reduce((challenge, who) => acceptMail(challenge, mailOf(who), now, limits).next, sent());
  const fourth = acceptMail(deepFreeze(third), mailOf(dan), now, limits);
  assert.deepEqual(fourth, { next: third, outcome: { kind: 'refused', reason: 'senders-exhausted' } });
  assert.equal(acceptMail(third, mailOf(amy), now, limits).outcome.kind, 'reply-queued');
  assert.equal(typeCode(third, right(), now, limits).outcome.kind, 'verified');
});

test('the sixth message is refused, whoever writes it; five may come from several senders', () => {
  const messages = [mailOf(amy, 'a1'), mailOf(bob, 'b1'), mailOf(amy, 'a2'), mailOf(bob, 'b2'), mailOf(amy, 'a3')];
  const five = messages.reduce((challenge, mail) => {
    const step = acceptMail(challenge, mail, now, limits);
    assert.equal(step.outcome.kind, 'reply-queued');
    return deepFreeze(step.next);
  }, empty);
  for (const mail of [mailOf(amy, 'a4'), mailOf(bob, 'b3'), mailOf(cy, 'c1')]) {
    const outcome = { kind: 'refused', reason: 'too-many-messages' };
    assert.deepEqual(acceptMail(five, mail, now, limits), { next: five, outcome });
  }
  for (const mail of messages) assert.equal(acceptMail(five, mail, now, limits).outcome.kind, 'already-answered');
});

test('a digest that answered another sender says nothing about this one', () => {
  const { outcome } = acceptMail(sent(), mailOf(bob, `1 ${amy}`), now, limits);
  assert.equal(outcome.kind, 'reply-queued');
});

table('the page ends for mail', (at: number) => acceptMail(sent(), mailOf(bob), at, limits).outcome.kind, [
  ['one millisecond before', expiresAt - 1, 'reply-queued'],
  ['on the millisecond', expiresAt, 'refused'],
]);

// ---- an address that is typed ----

test('a typed address makes a sender of its own, whose code lives from then on', () => {
  const { next } = acceptTypedAddress(empty, typed(amy), now, limits);
  const reply = { id: 'typed 1', inReplyTo: null, state: 'queued' };
  const codeExpiresAt = now + 30 * minute;
  const added = { by: 'typed', mailbox: amy, salt: 'salt 1', answered: ['typed 1'], reply, codeExpiresAt };
  assert.deepEqual(next, { ...empty, state: { kind: 'code-sent' }, senders: [added] });
  const late = acceptTypedAddress(empty, typed(amy), expiresAt - minute, limits).next;
  assert.equal(codeEnd(late), expiresAt, 'but never longer than its page');
});

test('what becomes of its reply shows in nothing but the reply itself', () => {
  const before = deepFreeze(acceptTypedAddress(empty, typed(amy), now, limits).next);
  for (const state of ['handed-over', 'failed'] as const) {
    const next = settleReply(before, settled({ by: 'typed', replyId: 'typed 1', state }), now + minute, limits);
    const [only] = before.senders;
    assert.deepEqual(next, { ...before, senders: [{ ...only, reply: { ...only?.reply, state } }] });
    assert.deepEqual(
      typeCode(next, wrong('w1'), now, limits).outcome,
      typeCode(before, wrong('w1'), now, limits).outcome,
    );
  }
});

test('the same address again: same salt, so the same code; tries kept; a new reply, and the code lives anew', () => {
  const first = acceptTypedAddress(sent({ wrongCodes: ['w1'] }), typed(dan, 1), now, limits).next;
  const { next } = acceptTypedAddress(deepFreeze(first), typed(dan, 2), now + minute, limits);
  assert.deepEqual(next.wrongCodes, ['w1']);
  const [, again] = next.senders;
  assert.deepEqual([again?.salt, again?.answered, again?.reply.id], ['salt 1', ['typed 1', 'typed 2'], 'typed 2']);
  assert.equal(again?.codeExpiresAt, now + 31 * minute);
});

test('who writes and types has two codes, each with its own end, and either proves the mailbox', () => {
  const both = deepFreeze(acceptTypedAddress(sent(), typed(amy), now, limits).next);
  assert.deepEqual(both.senders[0], sender(amy), 'the mail is not touched');
  assert.equal(codeOutcome(both, now + 10 * minute), 'code-expired');
  assert.equal(codeOutcome(both, now + 10 * minute, right(amy, 'typed')), 'verified');
  const mailed = acceptMail(both, mailOf(amy), now, limits).next;
  assert.deepEqual([mailed.senders[0], mailed.senders[1]?.by], [both.senders[1], 'mail'], 'nor the typing by a mail');
});

test('three senders and five messages, typed or mailed', () => {
  const three = [typed(bob), typed(cy)].reduce((on, one) => acceptTypedAddress(on, one, now, limits).next, sent());
  const fourth = acceptTypedAddress(deepFreeze(three), typed(dan), now, limits);
  assert.deepEqual(fourth, { next: three, outcome: { kind: 'refused', reason: 'addresses-exhausted' } });
  assert.equal(acceptMail(three, mailOf(dan), now, limits).outcome.kind, 'refused');
  const five = [typed(bob, 2), typed(bob, 3)].reduce((on, one) => acceptTypedAddress(on, one, now, limits).next, three);
  assert.equal(acceptTypedAddress(five, typed(bob, 4), now, limits).outcome.kind, 'refused');
  const outcome = { kind: 'refused', reason: 'too-many-messages' };
  assert.deepEqual(acceptMail(five, mailOf(amy), now, limits), { next: five, outcome });
});

// ---- replies ----

const codeEnd = (challenge: Challenge) => challenge.senders[0]?.codeExpiresAt;

table('the code lives', (at: number) => codeEnd(settleReply(sent(), settled(), at, limits)), [
  ['30 minutes from the hand-over', now, now + 30 * minute],
  ['till the end of the page when both end together', expiresAt - 30 * minute, expiresAt],
  ['never longer than its page', expiresAt - 30 * minute + 1, expiresAt],
  ['not after its page, however late the hand-over', expiresAt + minute, expiresAt],
]);

test('a reply that was given up gives no time, and takes none away', () => {
  const failed = settled({ state: 'failed' });
  assert.equal(codeEnd(settleReply(sent(), failed, now, limits)), now + 10 * minute);
  const first = sent({ senders: [sender(amy, { codeExpiresAt: null })] });
  const next = settleReply(first, failed, now, limits);
  assert.deepEqual([codeEnd(next), next.senders[0]?.reply.state], [null, 'failed']);
});

test('the newest reply wins: an older one that settles late leaves it queued', () => {
  const first = acceptMail(empty, mailOf(amy, 'a1'), now, limits).next;
  const second = deepFreeze(acceptMail(first, mailOf(amy, 'a2'), now, limits).next);
  const older = settled({ replyId: 'reply to a1' });
  assert.equal(settleReply(second, older, now, limits), second);
  assert.equal(second.senders[0]?.reply.state, 'queued');
  const newer = settled({ replyId: 'reply to a2' });
  assert.equal(settleReply(second, newer, now, limits).senders[0]?.reply.state, 'handed-over');
});

test('a hand-over settles its own sender only, in place', () => {
  const before = sent({ senders: [sender(bob), sender(amy), sender(cy)] });
  const next = settleReply(before, settled(), now, limits);
  assert.deepEqual(next.senders, [
    sender(bob),
    sender(amy, { reply: { ...sender(amy).reply, state: 'handed-over' }, codeExpiresAt: now + 30 * minute }),
    sender(cy),
  ]);
});

test('a reply settles once: the same news again does not prolong the code or change what the page says', () => {
  const once = deepFreeze(settleReply(sent(), settled(), now, limits));
  assert.equal(settleReply(once, settled(), now + minute, limits), once);
  assert.equal(settleReply(once, settled({ state: 'failed' }), now + minute, limits), once);
});

// ---- codes ----

test('the right code earns a grant for its mailbox', () => {
  const step = typeCode(sent(), right(), now, limits);
  const state = {
    kind: 'verified',
    mailbox: amy,
    at: now,
    grantSalt: 'g2',
    grantExpiresAt: now + 10 * minute,
    account: null,
  };
  assert.deepEqual(step, { next: { ...sent(), state }, outcome: state });
});

test('the code decides which of several senders was proved', () => {
  const { outcome } = typeCode(states.crowded, right(bob), now, limits);
  assert.deepEqual(outcome, verified(now, { mailbox: bob, grantSalt: 'g2' }));
});

test('a mailbox that never wrote proves nothing and costs a try', () => {
  assert.deepEqual(typeCode(sent(), right(dan), now, limits).outcome, {
    kind: 'refused',
    reason: 'code-wrong',
    triesLeft: 4,
  });
});

test('wrong codes count once each, and the fifth locks', () => {
  const tries: readonly (readonly [code: string, left: number | 'locked', counted: number])[] = [
    ['w1', 4, 1],
    ['w1', 4, 1],
    ['w2', 3, 2],
    ['w1', 3, 2],
    ['w3', 2, 3],
    ['w4', 1, 4],
    ['w4', 1, 4],
    ['w5', 'locked', 5],
    ['w5', 'locked', 5],
    ['w6', 'locked', 5],
  ];
  let challenge = sent();
  for (const [code, left, counted] of tries) {
    const { next, outcome } = typeCode(challenge, wrong(code), now, limits);
    const refusal = { kind: 'refused', reason: 'code-wrong', triesLeft: left };
    assert.deepEqual(outcome, left === 'locked' ? { kind: 'refused', reason: 'challenge-locked' } : refusal);
    assert.equal(next.wrongCodes.length, counted);
    challenge = deepFreeze(next);
  }
  assert.equal(challenge.state.kind, 'locked');
  assert.deepEqual(challenge.wrongCodes, ['w1', 'w2', 'w3', 'w4', 'w5']);
});

test('one wrong code locks when only one is allowed', () => {
  const { next, outcome } = typeCode(sent(), wrong('w1'), now, { ...limits, wrongCodesMax: 1 });
  assert.deepEqual([next.state.kind, outcome], ['locked', { kind: 'refused', reason: 'challenge-locked' }]);
});

test('the last try may still be right', () => {
  assert.equal(typeCode(states.lastTry, right(), now, limits).outcome.kind, 'verified');
});

test('what was counted as wrong before its sender wrote is right afterwards', () => {
  const before = sent({ wrongCodes: ['right'], senders: [sender(amy), sender(bob)] });
  assert.equal(typeCode(before, right(bob), now, limits).outcome.kind, 'verified');
});

const codeOutcome = (challenge: Challenge, at: number, code = right()) => {
  const { outcome } = typeCode(challenge, code, at, limits);
  return outcome.kind === 'refused' ? outcome.reason : outcome.kind;
};

table('the code ends', (at: number) => codeOutcome(sent(), at), [
  ['one millisecond before', now + 10 * minute - 1, 'verified'],
  ['on the millisecond', now + 10 * minute, 'code-expired'],
]);

const handingOver = sent({ senders: [sender(amy, { codeExpiresAt: null })] });
table(
  'while the hand-over is not noted yet, the code ends with its page',
  (at: number) => codeOutcome(handingOver, at),
  [
    ['one millisecond before', expiresAt - 1, 'verified'],
    ['on the millisecond', expiresAt, 'challenge-expired'],
  ],
);

const unlimited = sent({ senders: [sender(amy, { codeExpiresAt: expiresAt + 1 })] });
test('the code never outlives the page, whatever the record says', () => {
  assert.equal(codeOutcome(unlimited, expiresAt), 'challenge-expired');
});

test('a code that is too late is not counted as wrong', () => {
  assert.equal(typeCode(states.late, right(), now, limits).next, states.late);
});

const doubleClick = ({
  after,
  who = amy,
  grantMs = 10 * minute,
}: {
  after: number;
  who?: typeof amy;
  grantMs?: number;
}) => codeOutcome(sent({ state: verified(now, { grantExpiresAt: now + grantMs }) }), now + after, right(who));

table('a double click', doubleClick, [
  ['at once', { after: 0 }, 'verified'],
  ['after 14,999 ms', { after: 14_999 }, 'verified'],
  ['after 15,000 ms', { after: 15_000 }, 'code-used'],
  ['with the code of another sender', { after: 1, who: bob }, 'code-used'],
  ['never outlives a short grant', { after: 5000, grantMs: 5000 }, 'code-used'],
  ['in the last millisecond of a short grant', { after: 4999, grantMs: 5000 }, 'verified'],
]);

test('a double click over the end of the page leads to the same place: the grant is what counts by then', () => {
  const late = sent({ state: verified(expiresAt - 1) });
  assert.equal(codeOutcome(late, expiresAt + 14_998), 'verified');
});

test('a double click gets the first grant, not a second one', () => {
  assert.deepEqual(typeCode(states.verified, right(), now, limits).outcome, verified(now - 1000));
});

table('a record is of use', endOfUse, [
  ['till its page ends', sent(), expiresAt],
  ['when locked, no longer', states.locked, expiresAt],
  ['when verified early, till its page ends', sent({ state: verified(now) }), expiresAt],
  ['when verified late, till the grant ends', sent({ state: verified(expiresAt - 1) }), expiresAt - 1 + 10 * minute],
]);

// ---- random walks ----

const who = fc.constantFrom(amy, bob, cy, dan);
const someMail = fc.tuple(who, fc.nat(3)).map(([one, n]) => {
  return mailEvent({ ...mailOf(one, `${n} ${one}`), salt: `salt ${n}` });
});
const someSettling = fc
  .tuple(who, fc.nat(3), fc.constantFrom('handed-over', 'failed'))
  .map(([one, n, state]) => settleEvent({ by: 'mail', mailbox: one, replyId: `reply to ${n} ${one}`, state }));
const someTyping = fc.tuple(who, fc.nat(3)).map(([one, n]) => typedEvent(typed(one, n)));
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: someMail },
  { weight: 6, arbitrary: someSettling },
  { weight: 2, arbitrary: someTyping },
  { weight: 6, arbitrary: fc.nat(7).map((n) => codeEvent(wrong(`w${n}`))) },
  { weight: 1, arbitrary: who.map((one) => codeEvent(right(one))) },
);

/** What no sequence of events may break. */
function assertStep(before: Challenge, after: Challenge): void {
  const ended = before.state.kind === 'locked' || before.state.kind === 'verified';
  if (ended) assert.equal(after.state, before.state);
  assert.ok(after.senders.length <= limits.sendersMax);
  assert.ok(after.senders.flatMap(({ answered }) => answered).length <= limits.messagesMax);
  assert.ok(after.wrongCodes.length <= limits.wrongCodesMax);
  assert.equal(new Set(after.wrongCodes).size, after.wrongCodes.length);
  assert.equal(after.state.kind === 'locked', after.wrongCodes.length === limits.wrongCodesMax);
  for (const known of before.senders) {
    const kept = senderOf(after, known);
    assert.equal(kept?.salt, known.salt);
    assert.ok(kept.codeExpiresAt === null || kept.codeExpiresAt <= expiresAt);
    assert.ok(known.codeExpiresAt === null || kept.codeExpiresAt !== null);
  }
  if (after.state.kind === 'verified') {
    const { mailbox: proved } = after.state;
    assert.ok(after.senders.some(({ mailbox: address }) => address === proved));
  }
}

test('no walk breaks a limit, changes a salt, loses a sender or leaves an end', () => {
  const steps = fc.array(fc.tuple(anyEvent, fc.nat(2 * minute)), { maxLength: 40, size: 'max' });
  const ends = new Set<string>();
  fc.assert(
    fc.property(steps, (walk) => {
      let at = now;
      let challenge = empty;
      for (const [event, passed] of walk) {
        at += passed;
        const { next } = event(challenge, at);
        assertStep(challenge, next);
        if (next !== challenge) assert.notDeepEqual(next, challenge); // the very same object when nothing changed
        challenge = deepFreeze(next);
      }
      ends.add(challenge.state.kind);
    }),
    runs(500),
  );
  assert.deepEqual(ends, new Set(['awaiting-mail', 'code-sent', 'verified', 'locked']));
});
