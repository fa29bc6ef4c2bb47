// What an open page learns that is not on disk: bounded, told to whoever follows, and forgotten when it is over. And
// the store that tells of its changes: only of those that are on disk.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { announceChanges, createChallengeNews } from '../../src/app/challenge-news.ts';
import { type ChallengeStore, type Decision, DependencyError } from '../../src/app/ports.ts';
import { awaitMail, type Challenge } from '../../src/core/challenge.ts';
import { memorySegments } from '../support/disks.ts';
import { amy, ManualClock, minuteMs, rory, settle } from './support.ts';

const notice = { sentence: 'not-confirmed', until: 0, details: undefined } as const;
const later = { ...notice, sentence: 'too-big' } as const;
const quiet = { notice: undefined, checking: false, delayed: new Set() };

test('the latest notice of a challenge is told, until its mail is accepted', () => {
  const news = createChallengeNews();
  assert.deepEqual(news.get('a'), quiet);
  news.put('a', notice);
  news.put('a', later);
  assert.deepEqual(news.get('a'), { ...quiet, notice: later });
  news.put('a', undefined);
  assert.deepEqual(news.get('a'), quiet);
});

test('no more notices are kept than there is room for, and whoever was told longest ago is forgotten', () => {
  const news = createChallengeNews(3);
  for (const id of ['a', 'b', 'c', 'a', 'd']) news.put(id, notice);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => news.get(id).notice !== undefined),
    [true, false, true, true],
  );
});

test('a notice that is over takes no room', () => {
  const news = createChallengeNews(2);
  for (const id of ['a', 'b']) news.put(id, notice);
  news.put('b', undefined);
  news.put('c', notice);
  assert.deepEqual([news.get('a').notice, news.get('c').notice], [notice, notice]);
});

test('as many mails as there are may be checked at once: it is over with the last one', () => {
  const news = createChallengeNews();
  const [first, second] = [news.checking('a'), news.checking('a')];
  assert.equal(news.get('a').checking, true);
  first();
  assert.equal(news.get('a').checking, true);
  const third = news.checking('a');
  second();
  assert.equal(news.get('a').checking, true);
  third();
  assert.deepEqual(news.get('a'), quiet);
});

test('a reply is delayed until it is said that it is not, however often that was said', () => {
  const news = createChallengeNews();
  news.delayed('a', amy, false);
  assert.deepEqual([...news.get('a').delayed], []);
  news.delayed('a', amy, true);
  news.delayed('a', amy, true);
  assert.deepEqual([...news.get('a').delayed], [amy]);
  news.delayed('a', rory, true);
  news.delayed('a', rory, false);
  assert.deepEqual([...news.get('a').delayed], [amy], 'each by himself');
  news.delayed('a', amy, false);
  assert.deepEqual(news.get('a'), quiet);
});

test('what is known of one challenge says nothing about another, whatever its id', () => {
  const news = createChallengeNews();
  const ids = ['a', 'A', '', '__proto__', 'constructor'];
  const heard: string[] = [];
  for (const id of ids) assert.ok(news.follow(id, () => heard.push(id)));
  for (const id of ids) {
    assert.deepEqual(news.get(id), quiet, id);
    news.put(id, notice);
    const checked = news.checking(id);
    news.delayed(id, amy, true);
    assert.deepEqual(news.get(id), { notice, checking: true, delayed: new Set([amy]) }, id);
    assert.deepEqual(heard.splice(0), [id, id, id]);
    checked();
    assert.deepEqual(heard.splice(0), [id]);
  }
});

describe('followers', () => {
  test('are called at every change, after it', () => {
    const news = createChallengeNews();
    const seen: unknown[] = [];
    assert.ok(news.follow('a', () => seen.push(news.get('a'))));
    news.put('a', notice);
    const checked = news.checking('a');
    news.delayed('a', amy, true);
    news.changed('a');
    news.delayed('a', amy, false);
    checked();
    news.put('a', undefined);
    assert.deepEqual(seen, [
      { ...quiet, notice },
      { notice, checking: true, delayed: new Set() },
      { notice, checking: true, delayed: new Set([amy]) },
      { notice, checking: true, delayed: new Set([amy]) },
      { notice, checking: true, delayed: new Set() },
      { ...quiet, notice },
      quiet,
    ]);
  });

  test('are not called any more once they have ended, the others are', () => {
    const news = createChallengeNews();
    const calls: string[] = [];
    const [endOne, endOther] = ['one', 'other'].map((name) => news.follow('a', () => calls.push(name)));
    news.changed('a');
    endOne?.();
    news.changed('a');
    endOne?.();
    news.changed('a');
    endOther?.();
    news.changed('a');
    assert.deepEqual(calls, ['one', 'other', 'other', 'other']);
  });

  test('may end themselves, or each other, while they are called', () => {
    const news = createChallengeNews();
    const calls: string[] = [];
    const ends: ((() => void) | undefined)[] = [];
    ends.push(
      news.follow('a', () => {
        calls.push('first');
        for (const end of ends) end?.();
      }),
    );
    ends.push(news.follow('a', () => calls.push('second')));
    news.changed('a');
    news.changed('a');
    assert.deepEqual(calls, ['first']);
  });

  test('are at most four to a challenge, and a place is free again when one has ended', () => {
    const news = createChallengeNews();
    const calls: number[] = [];
    const follow = (number: number) => news.follow('a', () => calls.push(number));
    const ends = [1, 2, 3, 4].map(follow);
    assert.ok(ends.every((end) => end !== undefined));
    assert.equal(follow(5), undefined);
    assert.ok(
      news.follow('b', () => calls.push(0)),
      'another challenge has places of its own',
    );
    ends[1]?.();
    ends[1]?.();
    assert.ok(follow(6));
    assert.equal(follow(7), undefined, 'ending twice frees one place');
    news.changed('a');
    assert.deepEqual(calls, [1, 3, 4, 6]);
  });

  test('that ended before those of today change nothing for them', () => {
    const news = createChallengeNews();
    const old = news.follow('a', () => assert.fail('ended'));
    old?.();
    let calls = 0;
    assert.ok(news.follow('a', () => calls++));
    old?.();
    news.changed('a');
    assert.equal(calls, 1);
  });
});

test('nothing is left of challenges that are over', () => {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  const heap = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const news = createChallengeNews();
  const live = (id: string) => {
    const end = news.follow(id, () => {});
    news.put(id, notice);
    const checked = news.checking(id);
    news.delayed(id, amy, true);
    checked();
    news.delayed(id, amy, false);
    news.put(id, undefined);
    end?.();
  };
  for (let number = 0; number < 100; number++) live(`warm ${number}`);
  const before = heap();
  for (let number = 0; number < 50_000; number++) live(`challenge ${number}`);
  const left = heap() - before;
  assert.ok(left < 1_000_000, `${left} bytes: 20 for each is less than an entry takes`);
  assert.deepEqual(news.get('warm 1'), quiet);
});

describe('a store that tells of its changes', () => {
  const clock = new ManualClock();
  const now = clock.now();
  const id = '0123456789abcdef0123';
  const clientHint = { browser: 'Firefox', system: 'Linux' } as const;
  const fresh = awaitMail({ id, keyId: '', purpose: 'reset', locale: 'en', clientHint, expiresAt: now + minuteMs });
  const locked: Challenge = { ...fresh, state: { kind: 'locked' } };

  async function open(files = memorySegments()) {
    const told: string[] = [];
    const inner = await openChallengeStore(files);
    return { inner, told, store: announceChanges(inner, (changed) => told.push(changed)) };
  }
  const write = (next: Challenge | undefined): Decision<Challenge, string> => ({ next, result: 'done' });

  const rows: [string, (current: Challenge | undefined) => Challenge | undefined, string[]][] = [
    ['a new record', () => fresh, [id]],
    ['another record', () => locked, [id]],
    ['one that only looks the same', (current) => current && { ...current }, [id]],
    ['the same record', (current) => current, []],
    ['nothing', () => undefined, []],
  ];
  for (const [title, decide, expected] of rows) {
    test(`${title}: ${expected.length === 0 ? 'not told' : 'told once'}`, async () => {
      const { inner, store, told } = await open();
      if (title !== 'a new record') await inner.transact(id, now, () => write(fresh));
      assert.equal(await store.transact(id, now, (current) => write(decide(current))), 'done');
      assert.deepEqual(told, expected);
    });
  }

  test('after the write, and not before', async () => {
    const written = Promise.withResolvers<void>();
    const { store, told } = await open(memorySegments(() => written.promise));
    const writing = store.transact(id, now, () => write(fresh));
    await settle();
    assert.deepEqual(told, []);
    written.resolve();
    await writing;
    assert.deepEqual(told, [id]);
  });

  test('whoever is told sees the change', async () => {
    const inner = await openChallengeStore(memorySegments());
    const seen: Promise<Challenge | undefined>[] = [];
    const store = announceChanges(inner, (changed) => seen.push(store.read(changed, now)));
    await store.transact(id, now, () => write(locked));
    assert.deepEqual(await Promise.all(seen), [locked]);
  });

  test('not when the write fails', async () => {
    const { store, told } = await open(memorySegments(() => Promise.reject(new Error('no space left'))));
    await assert.rejects(
      store.transact(id, now, () => write(fresh)),
      DependencyError,
    );
    assert.deepEqual([told, await store.read(id, now)], [[], undefined]);
  });

  test('not when the decision fails', async () => {
    const { store, told } = await open();
    const bug = new TypeError('a bug');
    await assert.rejects(
      store.transact(id, now, () => {
        throw bug;
      }),
      bug,
    );
    assert.deepEqual(told, []);
  });

  test('a decision that is run twice is told as it was taken in the end', async () => {
    // As of a store that another writer came before: the port lets it ask again.
    const twice = (inner: ChallengeStore): ChallengeStore => ({
      ...through(inner),
      async transact(of, at, decide) {
        decide(undefined);
        return inner.transact(of, at, decide);
      },
    });
    const inner = await openChallengeStore(memorySegments());
    const told: string[] = [];
    const store = announceChanges(twice(inner), (changed) => told.push(changed));
    await store.transact(id, now, (current) => write(current === undefined ? fresh : locked));
    assert.deepEqual(told, [id]);
    await store.transact(id, now, (current) => write(current === undefined ? fresh : current));
    assert.deepEqual(told, [id], 'nothing was written the second time');
  });

  test('everything else is the store\u2019s own', async () => {
    const { inner, store, told } = await open();
    await inner.transact(id, now, () => write(fresh));
    assert.deepEqual(await store.read(id, now), fresh);
    assert.deepEqual(await store.withQueued(now), []);
    await store.sweep(fresh.expiresAt);
    assert.equal(await inner.read(id, now), undefined);
    await store.close();
    assert.deepEqual(told, [], 'a page whose time is over looks by itself');
  });
});

/** A store by itself: a class has no methods of its own to spread. */
function through(inner: ChallengeStore): ChallengeStore {
  return {
    read: (id, now) => inner.read(id, now),
    transact: (id, now, decide) => inner.transact(id, now, decide),
    withQueued: (now) => inner.withQueued(now),
    sweep: (now) => inner.sweep(now),
    close: () => inner.close(),
  };
}
