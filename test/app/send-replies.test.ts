// The outbox worker against a relay and a clock that a test moves: when it tries, what it sends, and when it ends.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { type ChallengeNews, createChallengeNews } from '../../src/app/challenge-news.ts';
import { deriveCode, mailboxDigest } from '../../src/app/challenge-tokens.ts';
import { statusOf } from '../../src/app/follow-challenge.ts';
import { Outbox as Line } from '../../src/app/outbox.ts';
import {
  type Account,
  type ChallengeStore,
  DependencyError,
  type OutgoingReply,
  type SendResult,
} from '../../src/app/ports.ts';
import { createSendReplies, type SendReplies } from '../../src/app/send-replies.ts';
import {
  acceptMail,
  acceptTypedAddress,
  awaitMail,
  type Challenge,
  type Reply,
  senderOf,
} from '../../src/core/challenge.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';
import { requestLabel } from '../../src/core/verification-code.ts';
import { memorySegments } from '../support/disks.ts';
import { amy, collectLog, fixedSecrets, limits, ManualClock, minuteMs, rory, secondMs, settle } from './support.ts';

const handedOver: SendResult = { kind: 'handed-over' };
const temporary: SendResult = { kind: 'temporary', detail: 'ECONNECTION 421' };
const permanent: SendResult = { kind: 'permanent', detail: 'EENVELOPE RCPT TO 550' };

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');
const idOf = (number: number) => hex(number, 20);

type Worker = SendReplies & Pick<Line, 'stop'>;

interface Outbox {
  readonly clock: ManualClock;
  readonly store: ChallengeStore;
  readonly log: ReturnType<typeof collectLog>;
  readonly news: ChallengeNews;
  readonly sent: readonly OutgoingReply[];
  /** What the relay says from now on: a result, or one that is still to come. */
  answer: SendResult | Promise<SendResult>;
  /** What the directory says from now on: how many accounts there are, or that it is down. */
  accounts: (of: Mailbox) => readonly Account[] | Promise<readonly Account[]>;
  readonly worker: Worker;
  /** Another worker on the same store, as after a start. */
  restart(): Worker;
  /** A mail of `from` was accepted: its reply is queued in the store. */
  accept(number: number, from?: Mailbox, challenge?: number): Promise<void>;
  replyOf(from?: Mailbox, challenge?: number): Promise<Reply | undefined>;
  /** Moves the clock to what is due next and lets it run; tells how long that was. */
  next(): Promise<number>;
}

async function start(random = 128, store?: (inner: ChallengeStore) => ChallengeStore): Promise<Outbox> {
  const inner = await openChallengeStore(memorySegments());
  const clock = new ManualClock();
  const expiresAt = clock.now() + limits.challengeLifetimeMs;
  const secrets = fixedSecrets((count) => new Uint8Array(count).fill(random));
  const log = collectLog();
  const sent: OutgoingReply[] = [];
  const sender = {
    send: async (reply: OutgoingReply) => {
      sent.push(reply);
      return outbox.answer;
    },
    sendInvitation: () => assert.fail('nobody is invited'),
    sendNotice: () => assert.fail('no notice is due'),
    passOn: () => assert.fail('the outbox passes nothing on'),
    close() {},
  };
  const news = createChallengeNews();
  const directory = { accountsOf: async (of: Mailbox) => outbox.accounts(of) };
  const restart = () => {
    const [line, lookUps] = [new Line({ secrets, clock, log }), new Line({ secrets, clock, log })];
    const lines = { outbox: line, lookUps };
    const ports = { secrets, store: store?.(inner) ?? inner, sender, directory, clock, log, news, ...lines };
    const stop = async () => void (await Promise.all([lookUps.stop(), line.stop()]));
    return { ...createSendReplies(ports, limits), stop };
  };
  const outbox: Outbox = {
    clock,
    store: inner,
    log,
    news,
    sent,
    answer: handedOver,
    accounts: () => assert.fail('nobody whose mail was believed is looked up'),
    worker: restart(),
    restart,
    accept: (number, from = amy, challenge = 1) =>
      inner.transact(idOf(challenge), clock.now(), (current) => {
        const clientHint = { browser: 'Safari', system: 'iOS' } as const;
        const fresh = awaitMail({
          id: idOf(challenge),
          keyId: '',
          purpose: 'reset',
          locale: 'fr',
          clientHint,
          expiresAt,
        });
        const event = {
          mailbox: from,
          messageDigest: hex(number, 32),
          inReplyTo: `<${number}@mail.school.example>`,
          replyId: hex(number + 1000, 32),
          salt: hex(number + 2000, 32),
        };
        const { next, outcome } = acceptMail(current ?? fresh, event, clock.now(), limits);
        assert.equal(outcome.kind, 'reply-queued');
        return { next, result: undefined };
      }),
    replyOf: async (from = amy, challenge = 1) =>
      (await inner.read(idOf(challenge), clock.now()))?.senders.find((one) => one.mailbox === from)?.reply,
    async next() {
      await settle();
      const [ms = Number.NaN] = clock.waiting;
      assert.ok(!Number.isNaN(ms), 'nothing is due');
      clock.advance(ms);
      await settle();
      return ms;
    },
  };
  return outbox;
}

/** A result that a test gives when it likes. */
function later(): { promise: Promise<SendResult>; resolve: (result: SendResult) => void } {
  return Promise.withResolvers<SendResult>();
}

const idsOf = (sent: readonly OutgoingReply[]) => sent.map(({ id }) => id);

describe('outbox, one reply', { concurrency: true }, () => {
  test('is handed over at once, whole, and then the code lives', async () => {
    const { worker, accept, sent, store, clock, log } = await start();
    clock.advance(7 * minuteMs);
    await accept(1);
    worker.queued(idOf(1), amy);
    await settle();
    const record = await store.read(idOf(1), clock.now());
    const [sender] = record?.senders ?? [];
    assert.ok(record && sender);
    assert.deepEqual(sent, [
      {
        by: 'mail',
        to: amy,
        id: hex(1001, 32),
        inReplyTo: '<1@mail.school.example>',
        code: deriveCode(fixedSecrets(), { id: idOf(1), keyId: '' }, sender),
        label: requestLabel(idOf(1)),
        purpose: 'reset',
        locale: 'fr',
        clientHint: { browser: 'Safari', system: 'iOS' },
        openedAt: clock.now() - 7 * minuteMs,
        validUntil: clock.now() + limits.codeLifetimeMs,
      },
    ]);
    assert.equal(sender.reply.state, 'handed-over');
    assert.equal(sender.codeExpiresAt, clock.now() + limits.codeLifetimeMs);
    assert.deepEqual(clock.waiting, []);
    assert.deepEqual(
      log.events.map(({ level, event, fields }) => [level, event, fields.outcome, fields.tries]),
      [['info', 'reply', 'handed-over', 1]],
    );
  });

  test('makes its code live from the end of the hand-over, and tells how long that took', async () => {
    const { promise, resolve } = later();
    const outbox = await start();
    outbox.answer = promise;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    outbox.clock.advance(9 * secondMs);
    resolve(handedOver);
    await settle();
    const record = await outbox.store.read(idOf(1), outbox.clock.now());
    assert.equal(record?.senders[0]?.codeExpiresAt, outbox.clock.now() + limits.codeLifetimeMs);
    assert.equal(outbox.log.events[0]?.fields.durationMs, 9 * secondMs);
  });

  test('says no longer than its page that the code is valid', async () => {
    const { worker, accept, sent, store, clock } = await start();
    clock.advance(50 * minuteMs);
    await accept(1);
    worker.queued(idOf(1), amy);
    await settle();
    const record = await store.read(idOf(1), clock.now());
    assert.equal(sent[0]?.validUntil, record?.expiresAt);
    assert.equal(record?.senders[0]?.codeExpiresAt, record?.expiresAt);
  });

  const pauses = [5, 15, 60, 300, 300].map((seconds) => seconds * secondMs);
  for (const [random, factor] of [
    [0, 0.8],
    [255, 1.2],
  ] as const) {
    test(`is tried again after growing pauses (random ${random}), always the same`, async () => {
      const outbox = await start(random);
      outbox.answer = temporary;
      await outbox.accept(1);
      outbox.worker.queued(idOf(1), amy);
      const waited: number[] = [];
      for (const _ of pauses) waited.push(await outbox.next());
      assert.deepEqual(
        waited.map(Math.round),
        pauses.map((pause) => Math.round(pause * factor)),
      );
      const { sent, log } = outbox;
      assert.equal(sent.length, 6);
      const same = ({ id, code, to, inReplyTo, label }: OutgoingReply) => [id, code, to, inReplyTo, label];
      for (const reply of sent) assert.deepEqual(same(reply), sent[0] && same(sent[0]));
      assert.deepEqual(
        log.events.map(({ level, fields }) => [level, fields.outcome, fields.tries, fields.detail]),
        [1, 2, 3, 4, 5, 6].map((tries) => ['warn', 'temporary', tries, 'ECONNECTION 421']),
      );
      assert.equal((await outbox.replyOf())?.state, 'queued');
    });
  }

  test('pauses lie within a fifth of what is meant, whatever the random byte', async () => {
    for (let random = 0; random < 256; random += 5) {
      const outbox = await start(random);
      outbox.answer = temporary;
      await outbox.accept(1);
      outbox.worker.queued(idOf(1), amy);
      const pause = await outbox.next();
      assert.ok(pause >= 4000 && pause <= 6000, `${random}: ${pause}`);
    }
  });

  test('goes out when the relay is back', async () => {
    const outbox = await start();
    outbox.answer = temporary;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await outbox.next();
    await outbox.next();
    outbox.answer = handedOver;
    await outbox.next();
    assert.deepEqual(outbox.clock.waiting, []);
    assert.deepEqual([outbox.sent.length, (await outbox.replyOf())?.state], [4, 'handed-over']);
    const record = await outbox.store.read(idOf(1), outbox.clock.now());
    assert.equal(
      record?.senders[0]?.codeExpiresAt,
      outbox.clock.now() + limits.codeLifetimeMs,
      'from the hand-over on',
    );
  });

  test('is tried as long as its challenge lives, and no longer', async () => {
    const outbox = await start(127);
    const begin = outbox.clock.now();
    outbox.answer = temporary;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    while (outbox.clock.waiting.length > 0) await outbox.next();
    assert.equal(outbox.sent.length, 15);
    assert.ok(outbox.clock.now() >= begin + limits.challengeLifetimeMs);
    assert.ok(outbox.clock.now() < begin + limits.challengeLifetimeMs + 6 * minuteMs);
  });

  test('is given up when the relay refuses it for good', async () => {
    const outbox = await start();
    outbox.answer = permanent;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    const { sent, clock, log, store } = outbox;
    assert.deepEqual([sent.length, clock.waiting], [1, []]);
    assert.deepEqual(
      log.events.map(({ level, fields }) => [level, fields.outcome, fields.detail]),
      [['warn', 'permanent', 'EENVELOPE RCPT TO 550']],
    );
    const [sender] = (await store.read(idOf(1), clock.now()))?.senders ?? [];
    assert.deepEqual([sender?.reply.state, sender?.codeExpiresAt], ['failed', null]);
  });

  test('is sent once, however often it is announced', async () => {
    const outbox = await start();
    const { promise, resolve } = later();
    outbox.answer = promise;
    await outbox.accept(1);
    for (let count = 0; count < 3; count += 1) outbox.worker.queued(idOf(1), amy);
    await settle();
    outbox.worker.queued(idOf(1), amy);
    resolve(handedOver);
    await settle();
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.equal(outbox.sent.length, 1);
  });

  const over: [string, (record: Challenge) => Challenge][] = [
    ['is locked', (record) => ({ ...record, state: { kind: 'locked' } })],
    [
      'is verified',
      (record) => ({
        ...record,
        state: {
          kind: 'verified',
          mailbox: rory,
          at: 0,
          grantSalt: hex(1, 32),
          grantExpiresAt: record.expiresAt,
          account: null,
        },
      }),
    ],
  ];
  for (const [title, end] of over) {
    test(`is not sent any more when its challenge ${title}`, async () => {
      const outbox = await start();
      outbox.answer = temporary;
      await outbox.accept(1);
      outbox.worker.queued(idOf(1), amy);
      await settle();
      await outbox.store.transact(idOf(1), outbox.clock.now(), (current) => ({
        next: current && end(current),
        result: undefined,
      }));
      await outbox.next();
      assert.deepEqual([outbox.sent.length, outbox.clock.waiting], [1, []]);
      await outbox.restart().start();
      await settle();
      assert.equal(outbox.sent.length, 1);
    });
  }

  test('every event of the log tells the mailbox by its digest, and holds no address, code or id', async () => {
    const outbox = await start();
    for (const [at, answer] of [temporary, permanent, handedOver].entries()) {
      outbox.answer = answer;
      await outbox.accept(at + 1, amy, at + 1);
      outbox.worker.queued(idOf(at + 1), amy);
      await settle();
    }
    assert.deepEqual(
      outbox.log.events.map(({ fields }) => fields.mailbox),
      Array(3).fill(mailboxDigest(fixedSecrets(), amy)),
    );
    const [reply] = outbox.sent;
    assert.ok(reply);
    const text = JSON.stringify(outbox.log.events);
    for (const secret of ['@', 'amy', reply.code, reply.id, reply.label, idOf(1)]) assert.ok(!text.includes(secret));
  });
});

describe('outbox, several replies', { concurrency: true }, () => {
  for (const [title, result] of [
    ['was handed over', handedOver],
    ['was refused for good', permanent],
  ] as const) {
    test(`a newer mail during a try is answered by the newer reply, once the older one ${title}`, async () => {
      const outbox = await start();
      const { promise, resolve } = later();
      outbox.answer = promise;
      await outbox.accept(1);
      outbox.worker.queued(idOf(1), amy);
      await settle();
      await outbox.accept(2);
      outbox.worker.queued(idOf(1), amy);
      await settle();
      assert.equal(outbox.sent.length, 1, 'one at a time');
      outbox.answer = handedOver;
      resolve(result);
      await settle();
      assert.deepEqual(idsOf(outbox.sent), [hex(1001, 32), hex(1002, 32)]);
      assert.equal(outbox.sent[1]?.inReplyTo, '<2@mail.school.example>');
      assert.equal(outbox.sent[1]?.code, outbox.sent[0]?.code, 'the same sender, the same code');
      assert.deepEqual([(await outbox.replyOf())?.state, outbox.clock.waiting], ['handed-over', []]);
    });
  }

  test('a newer mail during a try that fails is answered by the newer reply alone', async () => {
    const outbox = await start();
    const { promise, resolve } = later();
    outbox.answer = promise;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    await outbox.accept(2);
    outbox.worker.queued(idOf(1), amy);
    outbox.answer = handedOver;
    resolve(temporary);
    await outbox.next();
    assert.deepEqual(idsOf(outbox.sent), [hex(1001, 32), hex(1002, 32)]);
    assert.deepEqual([(await outbox.replyOf())?.state, outbox.clock.waiting], ['handed-over', []]);
  });

  test('a newer mail during a pause is answered at once: the relay may be back', async () => {
    const outbox = await start();
    outbox.answer = temporary;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    for (let tries = 0; tries < 3; tries += 1) await outbox.next();
    outbox.answer = handedOver;
    await outbox.accept(2);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.deepEqual(idsOf(outbox.sent).slice(-2), [hex(1001, 32), hex(1002, 32)]);
    assert.deepEqual([(await outbox.replyOf())?.state, outbox.clock.waiting], ['handed-over', []]);
  });

  test('a mail that is accepted while the worker looks for the last time is not forgotten', async () => {
    // As of a store that is asked over a network: what it read may be old when it arrives.
    let slow: Promise<unknown> = Promise.resolve();
    const outbox = await start(128, (inner) => ({
      read: async (id, now) => {
        const record = await inner.read(id, now);
        await slow;
        return record;
      },
      transact: async (id, now, decide) => {
        const result = await inner.transact(id, now, decide);
        slow = release.promise;
        return result;
      },
      withQueued: (now) => inner.withQueued(now),
      sweep: (now) => inner.sweep(now),
      close: () => inner.close(),
    }));
    const release = Promise.withResolvers<void>();
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.deepEqual([outbox.sent.length, (await outbox.replyOf())?.state], [1, 'handed-over']);
    await outbox.accept(2);
    outbox.worker.queued(idOf(1), amy);
    release.resolve();
    await settle();
    assert.deepEqual(idsOf(outbox.sent), [hex(1001, 32), hex(1002, 32)]);
  });

  test('a mail that comes later is answered as well', async () => {
    const outbox = await start();
    for (const number of [1, 2, 3]) {
      await outbox.accept(number);
      outbox.worker.queued(idOf(1), amy);
      await settle();
    }
    assert.deepEqual(
      idsOf(outbox.sent),
      [1001, 1002, 1003].map((number) => hex(number, 32)),
    );
  });

  test('senders do not wait for each other, each has a code of its own', async () => {
    const outbox = await start();
    outbox.answer = later().promise;
    await outbox.accept(1, amy);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    outbox.answer = handedOver;
    await outbox.accept(2, rory);
    outbox.worker.queued(idOf(1), rory);
    await outbox.accept(3, amy, 2);
    outbox.worker.queued(idOf(2), amy);
    await settle();
    assert.deepEqual(
      outbox.sent.map(({ to }) => to),
      [amy, rory, amy],
    );
    assert.equal(new Set(outbox.sent.map(({ code }) => code)).size, 3);
    assert.deepEqual(
      [await outbox.replyOf(amy), await outbox.replyOf(rory), await outbox.replyOf(amy, 2)].map((one) => one?.state),
      ['queued', 'handed-over', 'handed-over'],
    );
  });
});

describe('outbox, an address that was typed', { concurrency: true }, () => {
  const someAccount: readonly Account[] = [{ id: '1', state: 'locked' } as Account];
  /** The address is typed into the page; its reply is queued. */
  const type = ({ store, clock }: Outbox, number: number, mailbox = amy, challenge = 1) =>
    store.transact(idOf(challenge), clock.now(), (current) => {
      const clientHint = { browser: 'Safari', system: 'iOS' } as const;
      const expiresAt = clock.now() + limits.challengeLifetimeMs;
      const fresh = awaitMail({
        id: idOf(challenge),
        keyId: '',
        purpose: 'reset',
        locale: 'fr',
        clientHint,
        expiresAt,
      });
      const event = { mailbox, replyId: hex(number + 1000, 32), salt: hex(number + 2000, 32) };
      return { next: acceptTypedAddress(current ?? fresh, event, clock.now(), limits).next, result: undefined };
    });
  const typedSender = async ({ store, clock }: Outbox) => {
    const record = await store.read(idOf(1), clock.now());
    return record && senderOf(record, { by: 'typed', mailbox: amy });
  };
  const pageOf = async ({ store, news, clock }: Outbox) =>
    statusOf(await store.read(idOf(1), clock.now()), news.get(idOf(1)), clock.now());
  const constantly = { progress: 'code-requested', notice: undefined };

  for (const [random, after] of [
    [0, 1000],
    [255, 5000],
  ] as const) {
    test(`is looked up ${after} ms later (random ${random}), and mailed when an account has it, locked or not`, async () => {
      const outbox = await start(random);
      outbox.accounts = (of) => (of === amy ? someAccount : []);
      await type(outbox, 1);
      const typedAt = outbox.clock.now();
      outbox.worker.queued(idOf(1), amy, 'typed');
      await settle();
      assert.deepEqual([outbox.sent.length, outbox.clock.waiting], [0, [after]]);
      await outbox.next();
      const validUntil = typedAt + limits.codeLifetimeMs;
      const [reply] = outbox.sent;
      assert.deepEqual(
        [outbox.sent.length, reply?.by, reply?.to, reply?.id, reply?.inReplyTo, reply?.validUntil],
        [1, 'typed', amy, hex(1001, 32), null, validUntil],
      );
      const sender = await typedSender(outbox);
      assert.deepEqual([sender?.reply.state, sender?.codeExpiresAt], ['handed-over', validUntil]);
      assert.equal(reply?.code, sender && deriveCode(fixedSecrets(), { id: idOf(1), keyId: '' }, sender));
    });
  }

  test('is settled unsent when no account has it, in the same state on disk', async () => {
    const outbox = await start();
    outbox.accounts = () => [];
    await type(outbox, 1);
    const before = await typedSender(outbox);
    outbox.worker.queued(idOf(1), amy, 'typed');
    await outbox.next();
    assert.deepEqual(outbox.sent, []);
    assert.deepEqual(
      await typedSender(outbox),
      before && { ...before, reply: { ...before.reply, state: 'handed-over' } },
    );
    assert.deepEqual(outbox.clock.waiting, []);
    assert.deepEqual(
      outbox.log.events.map(({ level, fields }) => [level, fields.outcome, fields.by]),
      [['info', 'no-account', 'typed']],
    );
  });

  const troubles: readonly (readonly [string, (outbox: Outbox) => void])[] = [
    ['no account', (outbox) => Object.assign(outbox, { accounts: () => [] })],
    ['an account', (outbox) => Object.assign(outbox, { accounts: () => someAccount })],
    [
      'a directory that is down',
      (outbox) =>
        Object.assign(outbox, {
          accounts() {
            throw new DependencyError('directory', 'the directory did not answer');
          },
        }),
    ],
    ['a relay that is away', (outbox) => Object.assign(outbox, { accounts: () => someAccount, answer: temporary })],
    ['a relay that refuses it', (outbox) => Object.assign(outbox, { accounts: () => someAccount, answer: permanent })],
  ];
  for (const [name, prepare] of troubles) {
    test(`shows nothing of ${name} on its page`, async () => {
      const outbox = await start();
      prepare(outbox);
      await type(outbox, 1);
      let news = 0;
      outbox.news.follow(idOf(1), () => {
        news += 1;
      });
      outbox.worker.queued(idOf(1), amy, 'typed');
      assert.deepEqual(await pageOf(outbox), constantly);
      await outbox.next();
      assert.deepEqual(await pageOf(outbox), constantly);
      assert.equal(news, 0, 'nobody is told of a change but by the record itself');
    });
  }

  test('a directory that takes its time holds up nobody who has mailed', async () => {
    const outbox = await start();
    outbox.accounts = () => new Promise(() => {});
    for (let number = 1; number <= 30; number += 1) {
      const mailbox = parseMailbox(`person${number}@school.example`);
      assert.ok(mailbox);
      await type(outbox, number, mailbox, number);
      outbox.worker.queued(idOf(number), mailbox, 'typed');
    }
    await outbox.next();
    await outbox.accept(50, rory, 50);
    outbox.worker.queued(idOf(50), rory);
    await settle();
    assert.deepEqual(
      outbox.sent.map(({ to }) => to),
      [rory],
    );
  });

  test('a directory that is down is asked again after the usual pauses, and then it is mailed', async () => {
    const outbox = await start();
    outbox.accounts = () => {
      throw new DependencyError('directory', 'the directory did not answer');
    };
    await type(outbox, 1);
    outbox.worker.queued(idOf(1), amy, 'typed');
    const waited = [await outbox.next(), await outbox.next(), await outbox.next()].map(Math.round);
    assert.deepEqual(waited, [3008, 5004, 15_012]);
    assert.deepEqual(outbox.sent, []);
    outbox.accounts = () => someAccount;
    await outbox.next();
    assert.equal(outbox.sent.length, 1);
    assert.ok(outbox.log.events.every(({ fields }) => !JSON.stringify(fields).includes('amy')));
  });

  test('is given up when its code ends, which counts from the typing', async () => {
    const outbox = await start();
    Object.assign(outbox, { accounts: () => someAccount, answer: temporary });
    await type(outbox, 1);
    outbox.worker.queued(idOf(1), amy, 'typed');
    while (outbox.clock.waiting.length > 0) await outbox.next();
    const last = outbox.sent.at(-1);
    assert.ok(last && outbox.clock.now() >= last.validUntil && outbox.clock.now() < last.validUntil + 6 * minuteMs);
    assert.deepEqual(await pageOf(outbox), constantly);
  });

  test('left behind by a stop before it was looked up, it is sent after the start', async () => {
    const outbox = await start();
    outbox.accounts = () => someAccount;
    await type(outbox, 1);
    outbox.worker.queued(idOf(1), amy, 'typed');
    await outbox.worker.stop();
    outbox.clock.advance(6000);
    await settle();
    assert.deepEqual(outbox.sent, []);
    await outbox.restart().start();
    await outbox.next();
    assert.deepEqual(idsOf(outbox.sent), [hex(1001, 32)]);
  });

  test('goes out beside the answer to a mail of the same mailbox, with another code', async () => {
    const outbox = await start();
    outbox.accounts = () => someAccount;
    await type(outbox, 1);
    outbox.worker.queued(idOf(1), amy, 'typed');
    await outbox.accept(2);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    await outbox.next();
    assert.deepEqual(
      outbox.sent.map(({ by }) => by),
      ['mail', 'typed'],
    );
    assert.equal(new Set(outbox.sent.map(({ code }) => code)).size, 2);
  });
});

describe('outbox, what the open page learns', { concurrency: true }, () => {
  const delayed = ({ news }: Outbox, challenge = 1) => news.get(idOf(challenge)).delayed.has(amy);

  test('a reply is delayed from its first temporary failure on, also while it is tried again', async () => {
    const outbox = await start();
    await outbox.accept(1);
    const first = later();
    outbox.answer = first.promise;
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.equal(delayed(outbox), false, 'on its way');
    first.resolve(temporary);
    await settle();
    assert.equal(delayed(outbox), true);
    outbox.answer = later().promise;
    await outbox.next();
    assert.equal(outbox.sent.length, 2);
    assert.equal(delayed(outbox), true);
  });

  const ends: [string, (outbox: Outbox) => unknown, sent: number][] = [
    [
      'is handed over',
      (outbox) => {
        outbox.answer = handedOver;
      },
      2,
    ],
    [
      'is refused for good',
      (outbox) => {
        outbox.answer = permanent;
      },
      2,
    ],
    ['is given up, because its time is over', ({ clock }) => clock.advance(limits.challengeLifetimeMs), 1],
    [
      'is not wanted any more',
      ({ store, clock }) =>
        store.transact(idOf(1), clock.now(), (current) => ({
          next: current && { ...current, state: { kind: 'locked' } },
          result: undefined,
        })),
      1,
    ],
  ];
  for (const [title, end, sent] of ends) {
    test(`no longer when it ${title}`, async () => {
      const outbox = await start();
      outbox.answer = temporary;
      await outbox.accept(1);
      outbox.worker.queued(idOf(1), amy);
      await settle();
      assert.equal(delayed(outbox), true);
      await end(outbox);
      if (outbox.clock.waiting.length > 0) await outbox.next();
      await settle();
      assert.deepEqual([delayed(outbox), outbox.clock.waiting, outbox.sent.length], [false, [], sent]);
    });
  }

  test('the page is told when it may look: at each failure, and when it is over', async () => {
    const outbox = await start();
    const seen: boolean[] = [];
    assert.ok(outbox.news.follow(idOf(1), () => seen.push(delayed(outbox))));
    outbox.answer = temporary;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await outbox.next();
    outbox.answer = handedOver;
    await outbox.next();
    assert.deepEqual(seen, [true, true, false]);
  });

  test('a store that cannot note the hand-over delays the reply as well', async () => {
    let failing = true;
    const outbox = await start(128, (inner) => ({
      read: (id, now) => inner.read(id, now),
      transact: (id, now, decide) =>
        failing ? Promise.reject(new DependencyError('store', 'no space left')) : inner.transact(id, now, decide),
      withQueued: (now) => inner.withQueued(now),
      sweep: (now) => inner.sweep(now),
      close: () => inner.close(),
    }));
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.equal(delayed(outbox), true);
    failing = false;
    await outbox.next();
    assert.equal(delayed(outbox), false);
  });

  test('another challenge hears nothing of it', async () => {
    const outbox = await start();
    outbox.answer = temporary;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    outbox.answer = handedOver;
    await outbox.accept(2, rory, 2);
    outbox.worker.queued(idOf(2), rory);
    await settle();
    assert.deepEqual([delayed(outbox), delayed(outbox, 2)], [true, false]);
  });
});

describe('outbox, start and stop', { concurrency: true }, () => {
  test('start sends what is queued, and nothing that is done or over', async () => {
    const outbox = await start();
    await outbox.accept(1, amy, 1);
    await outbox.accept(2, rory, 1);
    await outbox.accept(3, amy, 2);
    outbox.worker.queued(idOf(2), amy);
    await settle();
    outbox.answer = permanent;
    await outbox.accept(4, amy, 3);
    outbox.worker.queued(idOf(3), amy);
    await settle();
    const before = outbox.sent.length;
    outbox.answer = handedOver;
    await outbox.restart().start();
    await settle();
    assert.deepEqual(
      idsOf(outbox.sent.slice(before)).toSorted(),
      [1001, 1002].map((number) => hex(number, 32)),
    );
    await outbox.restart().start();
    await settle();
    assert.equal(outbox.sent.length, before + 2);
  });

  test('start sends nothing whose challenge is over', async () => {
    const outbox = await start();
    await outbox.accept(1);
    outbox.clock.advance(limits.challengeLifetimeMs);
    await outbox.restart().start();
    await settle();
    assert.deepEqual(outbox.sent, []);
  });

  test('stop ends a pause; what is left is sent after the next start, with the same id and code', async () => {
    const outbox = await start();
    outbox.answer = temporary;
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.equal(outbox.clock.waiting.length, 1);
    await outbox.worker.stop();
    assert.deepEqual(outbox.clock.waiting, []);
    outbox.worker.queued(idOf(1), amy);
    outbox.clock.advance(10 * minuteMs);
    await settle();
    assert.equal(outbox.sent.length, 1);
    outbox.answer = handedOver;
    await outbox.restart().start();
    await settle();
    const [first, second] = outbox.sent;
    assert.deepEqual([second?.id, second?.code], [first?.id, first?.code]);
    assert.equal((await outbox.replyOf())?.state, 'handed-over');
  });

  for (const [title, result, state] of [
    ['is handed over', handedOver, 'handed-over'],
    ['fails for now', temporary, 'queued'],
  ] as const) {
    test(`stop waits for a try that is under way, and that ${title}`, async () => {
      const outbox = await start();
      const { promise, resolve } = later();
      outbox.answer = promise;
      await outbox.accept(1);
      outbox.worker.queued(idOf(1), amy);
      await settle();
      let stopped = false;
      const stopping = outbox.worker.stop().then(() => {
        stopped = true;
      });
      await settle();
      assert.equal(stopped, false);
      resolve(result);
      await stopping;
      assert.deepEqual([(await outbox.replyOf())?.state, outbox.clock.waiting], [state, []]);
      assert.equal(outbox.sent.length, 1);
    });
  }

  test('stop right after a reply was announced: it still goes out, once', async () => {
    const outbox = await start();
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await outbox.worker.stop();
    assert.deepEqual([outbox.sent.length, (await outbox.replyOf())?.state], [1, 'handed-over']);
    await outbox.restart().start();
    await settle();
    assert.equal(outbox.sent.length, 1);
  });

  test('stop without anything to do ends at once', async () => {
    await (await start()).worker.stop();
  });
});

describe('outbox, when the store fails', { concurrency: true }, () => {
  const broken = new DependencyError('store', 'the store could not be written');

  test('a hand-over that could not be noted is noted later, and nothing is sent twice for it', async () => {
    let failing = true;
    const outbox = await start(128, (inner) => ({
      read: (id, now) => inner.read(id, now),
      transact: (id, now, decide) => (failing ? Promise.reject(broken) : inner.transact(id, now, decide)),
      withQueued: (now) => inner.withQueued(now),
      sweep: (now) => inner.sweep(now),
      close: () => inner.close(),
    }));
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.deepEqual(
      outbox.log.events.map(({ level, fields, cause }) => [level, fields.outcome, cause]),
      [
        ['info', 'handed-over', undefined],
        ['warn', 'temporary', broken],
      ],
    );
    await outbox.next();
    failing = false;
    await outbox.next();
    assert.deepEqual(idsOf(outbox.sent), [hex(1001, 32)]);
    assert.deepEqual([(await outbox.replyOf())?.state, outbox.clock.waiting], ['handed-over', []]);
  });

  test('a newer mail whose predecessor could not be noted is answered all the same', async () => {
    let failing = true;
    const outbox = await start(128, (inner) => ({
      read: (id, now) => inner.read(id, now),
      transact: (id, now, decide) => (failing ? Promise.reject(broken) : inner.transact(id, now, decide)),
      withQueued: (now) => inner.withQueued(now),
      sweep: (now) => inner.sweep(now),
      close: () => inner.close(),
    }));
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    failing = false;
    await outbox.accept(2);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.deepEqual(idsOf(outbox.sent), [hex(1001, 32), hex(1002, 32)]);
    assert.deepEqual([(await outbox.replyOf())?.state, outbox.clock.waiting], ['handed-over', []]);
  });

  test('a reply that could not be read is tried again', async () => {
    let failing = true;
    const outbox = await start(128, (inner) => ({
      read: (id, now) => (failing ? Promise.reject(broken) : inner.read(id, now)),
      transact: (id, now, decide) => inner.transact(id, now, decide),
      withQueued: (now) => inner.withQueued(now),
      sweep: (now) => inner.sweep(now),
      close: () => inner.close(),
    }));
    await outbox.accept(1);
    outbox.worker.queued(idOf(1), amy);
    await settle();
    assert.deepEqual([outbox.sent, outbox.log.events.length], [[], 1]);
    failing = false;
    await outbox.next();
    assert.deepEqual([outbox.sent.length, (await outbox.replyOf())?.state], [1, 'handed-over']);
  });

  test('a start that cannot read the store is an error', async () => {
    const outbox = await start(128, (inner) => ({
      read: (id, now) => inner.read(id, now),
      transact: (id, now, decide) => inner.transact(id, now, decide),
      withQueued: () => Promise.reject(broken),
      sweep: (now) => inner.sweep(now),
      close: () => inner.close(),
    }));
    await assert.rejects(outbox.worker.start(), broken);
  });
});
