// The contract of ChallengeStore (src/app/ports.ts): what every store must keep, whatever it is made of.
// Nothing here knows how a store works: decisions may run twice, writes may be shared, reads may come from anywhere.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { type ChallengeStore, type Decision, DependencyError } from '../../src/app/ports.ts';
import {
  acceptMail,
  acceptTypedAddress,
  awaitMail,
  type Challenge,
  type ChallengeLimits,
  type CodeOutcome,
  settleReply,
  typeCode,
} from '../../src/core/challenge.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';

/** A store that is open, and what a test may do to it. */
export interface StoreUnderTest {
  readonly store: ChallengeStore;
  /** Opens anew what is on disk at this very moment, as after a crash: the first store is not closed for it. */
  reopen(): Promise<ChallengeStore>;
  /** Makes every write fail from now on, or none. */
  failWrites?(on: boolean): void;
  /** Ends all that was opened; the store itself may be closed already. */
  close(): Promise<void>;
}

const minuteMs = 60_000;
const now = Date.UTC(2026, 0, 15, 9, 30);
const limits: ChallengeLimits = {
  codeLifetimeMs: 30 * minuteMs,
  grantLifetimeMs: 10 * minuteMs,
  wrongCodesMax: 5,
  sendersMax: 3,
  messagesMax: 5,
};

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');

/** A checked mailbox. */
export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed, text);
  return parsed;
}

const amy = mailbox('amy.pond@school.example');
const rory = mailbox('rory@school.example');

/** A challenge before its first mail. */
export function freshChallenge(number: number, expiresAt: number = now + 60 * minuteMs): Challenge {
  const clientHint = { browser: 'Firefox', system: 'Windows' } as const;
  return awaitMail({ id: hex(number, 20), keyId: '', purpose: 'reset', locale: 'de', clientHint, expiresAt });
}

/** A mail of `from` reaches a challenge: its reply is queued. */
export function mailed(challenge: Challenge, from: Mailbox = amy, number: number = 1): Challenge {
  const event = {
    mailbox: from,
    messageDigest: hex(number, 32),
    inReplyTo: number % 2 === 0 ? null : `<${number}@mail.school.example>`,
    replyId: hex(number + 1000, 32),
    salt: hex(number + 2000, 32),
  };
  const { next, outcome } = acceptMail(challenge, event, now, limits);
  assert.equal(outcome.kind, 'reply-queued');
  return next;
}

/** The same mailbox is typed into its page. */
function typed(challenge: Challenge): Challenge {
  return acceptTypedAddress(challenge, { mailbox: amy, replyId: hex(9000, 32), salt: hex(9001, 32) }, now, limits).next;
}

function settled(challenge: Challenge, state: 'handed-over' | 'failed'): Challenge {
  return challenge.senders.reduce(
    (before, { by, mailbox, reply }) => settleReply(before, { by, mailbox, replyId: reply.id, state }, now, limits),
    challenge,
  );
}

/** Types a code: the one of `owner`, or a wrong one. */
function typing(owner: Mailbox | undefined, number: number) {
  return (current: Challenge | undefined): Decision<Challenge, CodeOutcome> => {
    assert.ok(current);
    const sender = owner && ({ by: 'mail', mailbox: owner } as const);
    const event = { sender, codeDigest: hex(number, 16), grantSalt: hex(number, 32) };
    const { next, outcome } = typeCode(current, event, now, limits);
    return { next, result: outcome };
  };
}

const put = (next: Challenge) => () => ({ next, result: undefined });
const look = (current: Challenge | undefined) => ({ next: undefined, result: current });

type Check = (title: string, run: (under: StoreUnderTest, t: TestContext) => Promise<void>) => void;

/** Runs the contract. @param open a new store on an empty place, for one test */
export function describeChallengeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  const check: Check = (title, run) =>
    test(title, async (t) => {
      const under = await open();
      try {
        await run(under, t);
      } finally {
        under.failWrites?.(false);
        await under.close();
      }
    });
  describe(`challenge store: ${name}`, { concurrency: true }, () => {
    describeWriting(check);
    describeRaces(check);
    describeFailures(check);
    describeTime(check);
  });
}

function describeWriting(check: Check): void {
  check('what was never written is absent', async ({ store }) => {
    const { id } = freshChallenge(1);
    assert.equal(await store.read(id, now), undefined);
    assert.equal(await store.transact(id, now, look), undefined);
    assert.deepEqual(await store.withQueued(now), []);
    await store.sweep(now);
  });

  check('what a transact resolved is there, for everybody and after a crash, to the last field', async (under) => {
    const sent = mailed(mailed(freshChallenge(1), amy, 1), mailbox("!#$%&'*+-/?=^_`{|}~.O@b.example"), 2);
    const handedOver = settled(mailed(freshChallenge(2)), 'handed-over');
    const failed = settled(mailed(freshChallenge(3)), 'failed');
    const verified = typing(amy, 7)(mailed(freshChallenge(4))).next;
    const wrong = typing(undefined, 8)(mailed(freshChallenge(5))).next;
    const locked = typeCode(
      mailed(freshChallenge(6)),
      { sender: undefined, codeDigest: hex(9, 16), grantSalt: hex(9, 32) },
      now,
      { ...limits, wrongCodesMax: 1 },
    ).next;
    const asked = typed(mailed(freshChallenge(8)));
    const records = [freshChallenge(7), asked, sent, handedOver, failed, verified, wrong, locked];
    assert.deepEqual(
      records.map((record) => record?.state.kind),
      ['awaiting-mail', 'code-sent', 'code-sent', 'code-sent', 'code-sent', 'verified', 'code-sent', 'locked'],
    );
    for (const record of records) {
      assert.ok(record);
      const result = await under.store.transact(record.id, now, (current) => ({ next: record, result: current }));
      assert.equal(result, undefined, 'the decision saw what was there before');
      const later = await under.reopen();
      for (const store of [under.store, later]) {
        assert.deepEqual(await store.read(record.id, now), record);
        assert.deepEqual(await store.transact(record.id, now, look), record);
      }
    }
  });

  check('a later change replaces the earlier one', async (under) => {
    const first = mailed(freshChallenge(1));
    const second = mailed(first, rory, 2);
    await under.store.transact(first.id, now, put(first));
    await under.store.transact(first.id, now, put(second));
    assert.deepEqual(await under.store.read(first.id, now), second);
    assert.deepEqual(await (await under.reopen()).read(first.id, now), second);
  });

  check('the same record, or none, as next changes nothing', async ({ store, reopen }) => {
    const record = mailed(freshChallenge(1));
    await store.transact(record.id, now, put(record));
    assert.equal(await store.transact(record.id, now, (current) => ({ next: current, result: 'same' })), 'same');
    assert.equal(await store.transact(record.id, now, () => ({ next: undefined, result: 'none' })), 'none');
    assert.deepEqual(await store.read(record.id, now), record);
    assert.deepEqual(await (await reopen()).read(record.id, now), record);
  });

  check('a decision that throws changes nothing, and its error reaches the caller', async ({ store, reopen }) => {
    const record = mailed(freshChallenge(1));
    await store.transact(record.id, now, put(record));
    const bug = new RangeError('a bug in a decision');
    const broken = store.transact(record.id, now, () => {
      throw bug;
    });
    await assert.rejects(broken, bug);
    assert.deepEqual(await store.read(record.id, now), record);
    assert.deepEqual(await (await reopen()).read(record.id, now), record);
  });

  check('close ends with everything on disk', async ({ store, reopen }) => {
    const records = [1, 2, 3].map((number) => mailed(freshChallenge(number)));
    const writes = Promise.all(records.map((record) => store.transact(record.id, now, put(record))));
    await store.close();
    await writes;
    const later = await reopen();
    for (const record of records) assert.deepEqual(await later.read(record.id, now), record);
  });

  check('queued replies, and no others, are found after a start', async ({ store, reopen }) => {
    const queued = mailed(freshChallenge(1));
    const newer = mailed(settled(mailed(freshChallenge(2)), 'handed-over'), rory, 2);
    const done = settled(mailed(freshChallenge(3)), 'handed-over');
    const failed = settled(mailed(freshChallenge(4)), 'failed');
    for (const record of [queued, newer, done, failed]) await store.transact(record.id, now, put(record));
    for (const where of [store, await reopen()]) {
      const found = (await where.withQueued(now)).toSorted((one, other) => one.id.localeCompare(other.id));
      assert.deepEqual(found, [queued, newer]);
      assert.deepEqual(await where.withQueued(queued.expiresAt), [], 'nor what is past its use');
    }
  });
}

function describeRaces(check: Check): void {
  check('of two posts of the right code one verifies, and the other is its repetition', async ({ store, reopen }) => {
    const record = mailed(freshChallenge(1));
    await store.transact(record.id, now, put(record));
    const outcomes = await Promise.all([1, 2].map((salt) => store.transact(record.id, now, typing(amy, salt))));
    const grants = outcomes.map((outcome) => (outcome.kind === 'verified' ? outcome.grantSalt : outcome.reason));
    assert.equal(grants[0], grants[1], 'one grant for both');
    assert.ok([hex(1, 32), hex(2, 32)].includes(grants[0] ?? ''));
    assert.deepEqual((await (await reopen()).read(record.id, now))?.state, outcomes[0]);
  });

  check('of two right codes of two senders exactly one verifies', async ({ store, reopen }) => {
    const record = mailed(mailed(freshChallenge(1), amy, 1), rory, 2);
    await store.transact(record.id, now, put(record));
    const outcomes = await Promise.all([amy, rory].map((who, at) => store.transact(record.id, now, typing(who, at))));
    const verified = outcomes.filter(({ kind }) => kind === 'verified');
    assert.equal(verified.length, 1);
    assert.deepEqual(
      outcomes.filter(({ kind }) => kind === 'refused'),
      [{ kind: 'refused', reason: 'code-used' }],
    );
    assert.deepEqual((await (await reopen()).read(record.id, now))?.state, verified[0]);
  });

  check('of twenty wrong codes at once exactly the limit is counted, then it is locked', async ({ store, reopen }) => {
    const record = mailed(freshChallenge(1));
    await store.transact(record.id, now, put(record));
    const tries = Array.from({ length: 20 }, (_, number) => store.transact(record.id, now, typing(undefined, number)));
    const outcomes = await Promise.all(tries);
    const left = outcomes.map((outcome) => (outcome.kind === 'refused' ? (outcome.triesLeft ?? outcome.reason) : ''));
    assert.deepEqual(left.filter(Number.isInteger).toSorted(), [1, 2, 3, 4]);
    assert.equal(left.filter((reason) => reason === 'challenge-locked').length, 16);
    const after = await (await reopen()).read(record.id, now);
    assert.equal(after?.wrongCodes.length, limits.wrongCodesMax);
    assert.equal(after?.state.kind, 'locked');
    const late = await store.transact(record.id, now, typing(amy, 99));
    assert.deepEqual(late, { kind: 'refused', reason: 'challenge-locked' }, 'the right code comes too late');
  });

  check('two first mails of one challenge are both kept', async ({ store, reopen }) => {
    const fresh = freshChallenge(1);
    const accept = (from: Mailbox, number: number) => (current: Challenge | undefined) => ({
      next: mailed(current ?? fresh, from, number),
      result: undefined,
    });
    await Promise.all([store.transact(fresh.id, now, accept(amy, 1)), store.transact(fresh.id, now, accept(rory, 2))]);
    const senders = (await (await reopen()).read(fresh.id, now))?.senders.map((sender) => sender.mailbox);
    assert.deepEqual(senders?.toSorted(), [amy, rory]);
  });

  check('a hundred changes at once, one to each of a hundred challenges, are all kept', async ({ store, reopen }) => {
    const records = Array.from({ length: 100 }, (_, number) => mailed(freshChallenge(number)));
    await Promise.all(records.map((record) => store.transact(record.id, now, put(record))));
    const later = await reopen();
    for (const record of records) assert.deepEqual(await later.read(record.id, now), record);
  });

  check('a transact that only looks does not resolve before what it saw is on disk', async ({ store, reopen }) => {
    const record = mailed(freshChallenge(1));
    const write = store.transact(record.id, now, put(record));
    const seen = await store.transact(record.id, now, look);
    const onDisk = await (await reopen()).read(record.id, now);
    assert.deepEqual(onDisk, seen);
    await write;
    assert.deepEqual(seen, record, 'it came second, so it saw the first');
  });
}

function describeFailures(check: Check): void {
  const checkFailing = (
    title: string,
    run: (under: StoreUnderTest, failWrites: (on: boolean) => void) => Promise<void>,
  ) =>
    check(title, async (under) => {
      const { failWrites } = under;
      // A store whose writes cannot be made to fail in a test has to show this part of its contract elsewhere.
      if (failWrites !== undefined) await run(under, failWrites);
    });

  checkFailing(
    'a write that fails is a DependencyError that tells nothing, and nothing has changed',
    async (under, failWrites) => {
      const { store, reopen } = under;
      const old = mailed(freshChallenge(1));
      await store.transact(old.id, now, put(old));
      failWrites(true);
      const fresh = freshChallenge(2);
      for (const write of [
        () => store.transact(old.id, now, typing(amy, 1)),
        () => store.transact(fresh.id, now, put(mailed(fresh))),
        () => store.sweep(old.expiresAt),
      ]) {
        await assert.rejects(write(), (error) => {
          assert.ok(error instanceof DependencyError);
          assert.equal(error.dependency, 'store');
          assert.doesNotMatch(error.message, /@|[0-9a-f]{16}/);
          return true;
        });
        for (const where of [store, await reopen()]) {
          assert.deepEqual(await where.read(old.id, now), old);
          assert.equal(await where.read(fresh.id, now), undefined);
          assert.deepEqual(await where.withQueued(now), [old]);
        }
      }
    },
  );

  checkFailing('who joined the write, or the one after it, is told as well', async ({ store, reopen }, failWrites) => {
    const old = mailed(freshChallenge(1));
    const other = mailed(freshChallenge(2));
    await store.transact(old.id, now, put(old));
    failWrites(true);
    const outcomes = await Promise.allSettled([
      store.transact(old.id, now, typing(amy, 1)),
      store.transact(old.id, now, typing(amy, 2)),
      store.transact(old.id, now, typing(undefined, 3)),
      store.transact(other.id, now, put(other)),
      store.transact(other.id, now, put(mailed(other, rory, 2))),
    ]);
    for (const outcome of outcomes) {
      assert.equal(outcome.status, 'rejected');
      assert.ok(outcome.reason instanceof DependencyError);
    }
    for (const where of [store, await reopen()]) {
      assert.deepEqual(await where.read(old.id, now), old);
      assert.equal(await where.read(other.id, now), undefined);
    }
  });

  checkFailing('what only looked at a change that failed is refused, or saw the old', async ({ store }, failWrites) => {
    const old = mailed(freshChallenge(1));
    await store.transact(old.id, now, put(old));
    failWrites(true);
    const write = assert.rejects(store.transact(old.id, now, typing(amy, 1)), DependencyError);
    const [looked] = await Promise.allSettled([store.transact(old.id, now, look)]);
    if (looked.status === 'fulfilled') assert.deepEqual(looked.value, old);
    else assert.ok(looked.reason instanceof DependencyError);
    await write;
  });

  checkFailing('what writes nothing does not fail', async ({ store }, failWrites) => {
    const record = mailed(freshChallenge(1));
    await store.transact(record.id, now, put(record));
    failWrites(true);
    assert.deepEqual(await store.transact(record.id, now, look), record);
    assert.deepEqual(await store.transact(record.id, now, (current) => ({ next: current, result: current })), record);
    assert.deepEqual(await store.read(record.id, now), record);
    await store.sweep(now);
  });

  checkFailing('later writes work again, on what was there before', async ({ store, reopen }, failWrites) => {
    const record = mailed(freshChallenge(1));
    await store.transact(record.id, now, put(record));
    failWrites(true);
    await assert.rejects(store.transact(record.id, now, typing(undefined, 1)), DependencyError);
    failWrites(false);
    const outcome = await store.transact(record.id, now, typing(undefined, 1));
    assert.deepEqual(outcome, { kind: 'refused', reason: 'code-wrong', triesLeft: 4 });
    assert.equal((await (await reopen()).read(record.id, now))?.wrongCodes.length, 1);
  });
}

function describeTime(check: Check): void {
  const end = now + 60 * minuteMs;

  check('what is past its use is not read, and makes room', async ({ store, reopen }) => {
    const record = mailed(freshChallenge(1, end));
    await store.transact(record.id, now, put(record));
    for (const where of [store, await reopen()]) {
      assert.deepEqual(await where.read(record.id, end - 1), record);
      assert.equal(await where.read(record.id, end), undefined);
      assert.equal(await where.transact(record.id, end, look), undefined);
    }
    const again = freshChallenge(1, end + 60 * minuteMs);
    await store.transact(record.id, end, put(again));
    assert.deepEqual(await (await reopen()).read(record.id, end), again);
  });

  check('a verified challenge is of use until its grant ends', async ({ store }) => {
    const verified = typing(amy, 1)(mailed(freshChallenge(1, now + minuteMs))).next;
    assert.ok(verified);
    await store.transact(verified.id, now, put(verified));
    await store.sweep(now + limits.grantLifetimeMs - 1);
    assert.deepEqual(await store.read(verified.id, now + limits.grantLifetimeMs - 1), verified);
    assert.equal(await store.read(verified.id, now + limits.grantLifetimeMs), undefined);
  });

  check('sweep drops for good what is past its use, and nothing else', async ({ store, reopen }) => {
    const over = [1, 2, 3].map((number) => mailed(freshChallenge(number, end)));
    const live = mailed(freshChallenge(4, end + 1));
    for (const record of [...over, live]) await store.transact(record.id, now, put(record));
    await store.sweep(end - 1);
    assert.deepEqual(await (await reopen()).read(over[0]?.id ?? '', now), over[0], 'not before its time');
    await store.sweep(end);
    for (const where of [store, await reopen()]) {
      // A clock that goes back must not bring back what was promised to be gone.
      for (const { id } of over) assert.equal(await where.read(id, now), undefined);
      assert.deepEqual(await where.read(live.id, now), live);
    }
  });

  check('a change made while a sweep is under way is kept', async ({ store, reopen }) => {
    const over = mailed(freshChallenge(1, end));
    await store.transact(over.id, now, put(over));
    const next = mailed(freshChallenge(1, end + 60 * minuteMs), rory, 2);
    await Promise.all([store.sweep(end), store.transact(over.id, end, put(next))]);
    assert.deepEqual(await (await reopen()).read(over.id, end), next);
  });
}
