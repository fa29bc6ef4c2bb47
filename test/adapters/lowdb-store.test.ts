// What is particular to the embedded store: when it writes, how often, and what it says of a damaged file.
// Its contract is in test/contract/.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Adapter } from 'lowdb';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { DependencyError } from '../../src/app/ports.ts';
import type { Challenge } from '../../src/core/challenge.ts';
import { freshChallenge, mailbox, mailed } from '../contract/challenge-store.ts';

const now = Date.UTC(2026, 0, 15, 9, 30);
const rory = mailbox('rory@school.example');
const put = (next: Challenge) => () => ({ next, result: undefined });
const look = (current: Challenge | undefined) => ({ next: undefined, result: current });

/** A disk that finishes a write when it is told to. */
class SlowDisk implements Adapter<unknown> {
  readonly writes: { readonly text: string; finish(): void; fail(error: Error): void }[] = [];
  disk = 'null';

  async read(): Promise<unknown> {
    return JSON.parse(this.disk);
  }

  write(data: unknown): Promise<void> {
    const text = JSON.stringify(data);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const finish = () => {
      this.disk = text;
      resolve();
    };
    this.writes.push({ text, finish, fail: reject });
    return promise;
  }

  /** The write with this number, once it has begun. */
  async begun(number: number): Promise<SlowDisk['writes'][number]> {
    for (let turn = 0; turn < 100; turn += 1) {
      const write = this.writes[number - 1];
      if (write !== undefined) return write;
      await new Promise(setImmediate);
    }
    throw new Error(`write ${number} never began`);
  }
}

/** Notes whether a promise is settled, and how. */
function watch(work: Promise<unknown>): { state: 'pending' | 'resolved' | 'rejected'; error?: unknown } {
  const watched: ReturnType<typeof watch> = { state: 'pending' };
  work.then(
    () => {
      watched.state = 'resolved';
    },
    (error: unknown) => Object.assign(watched, { state: 'rejected', error }),
  );
  return watched;
}

/** Lets all that can run now run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

async function open(): Promise<{ disk: SlowDisk; store: Awaited<ReturnType<typeof openChallengeStore>> }> {
  const disk = new SlowDisk();
  return { disk, store: await openChallengeStore(disk, 'the store') };
}

describe('lowdb store, writing', { concurrency: true }, () => {
  test('a transact resolves when its write has ended, and not before', async () => {
    const { disk, store } = await open();
    const record = mailed(freshChallenge(1));
    const write = watch(store.transact(record.id, now, put(record)));
    const looking = watch(store.transact(record.id, now, look));
    await settle();
    assert.deepEqual([write.state, looking.state], ['pending', 'pending']);
    (await disk.begun(1)).finish();
    await settle();
    assert.equal(write.state, 'resolved');
    assert.ok(disk.writes[0]?.text.includes(record.id));
    disk.writes[1]?.finish();
    await settle();
    assert.equal(looking.state, 'resolved');
  });

  test('changes of one turn share a write, and so do those that come during one', async () => {
    const { disk, store } = await open();
    const records = Array.from({ length: 100 }, (_, number) => mailed(freshChallenge(number)));
    const change = (record: Challenge) => watch(store.transact(record.id, now, put(record)));
    const early = records.slice(0, 40).map(change);
    const first = await disk.begun(1);
    assert.ok(records.slice(0, 40).every(({ id }) => first.text.includes(id)));
    const all = [...early, ...records.slice(40).map(change)];
    first.finish();
    const second = await disk.begun(2);
    assert.ok(records.every(({ id }) => second.text.includes(id)));
    second.finish();
    await settle();
    assert.equal(disk.writes.length, 2);
    assert.ok(all.every(({ state }) => state === 'resolved'));
  });

  test('reading, looking and sweeping nothing write nothing', async () => {
    const { disk, store } = await open();
    const record = freshChallenge(1);
    await store.read(record.id, now);
    await store.transact(record.id, now, look);
    await store.transact(record.id, now, (current) => ({ next: current, result: undefined }));
    await store.sweep(now);
    await store.close();
    assert.equal(disk.writes.length, 0);
  });

  test('a failed write takes back what was changed meanwhile, which was decided on it', async () => {
    const { disk, store } = await open();
    const [one, two] = [mailed(freshChallenge(1)), mailed(freshChallenge(2))];
    const later = mailed(one, rory, 2);
    const first = watch(store.transact(one.id, now, put(one)));
    const write = await disk.begun(1);
    const same = watch(store.transact(one.id, now, put(later)));
    const other = watch(store.transact(two.id, now, put(two)));
    write.fail(new Error('no space left'));
    await settle();
    for (const { state, error } of [first, same, other]) {
      assert.equal(state, 'rejected');
      assert.ok(error instanceof DependencyError);
    }
    assert.equal(await store.read(one.id, now), undefined);
    assert.equal(await store.read(two.id, now), undefined);
    assert.equal(disk.writes.length, 1, 'what was taken back is not written');
  });

  test('a failed write takes back no more than what was not on disk', async () => {
    const { disk, store } = await open();
    const one = mailed(freshChallenge(1));
    const later = mailed(one, rory, 2);
    const latest = mailed(later, rory, 3);
    const first = watch(store.transact(one.id, now, put(one)));
    const write = await disk.begun(1);
    const second = watch(store.transact(one.id, now, put(later)));
    write.finish();
    const next = await disk.begun(2);
    const third = watch(store.transact(one.id, now, put(latest)));
    next.fail(new Error('no space left'));
    await settle();
    assert.deepEqual(
      [first, second, third].map(({ state }) => state),
      ['resolved', 'rejected', 'rejected'],
    );
    assert.deepEqual(await store.read(one.id, now), one);
    const again = watch(store.transact(one.id, now, put(later)));
    (await disk.begun(3)).finish();
    await settle();
    assert.equal(again.state, 'resolved');
    assert.deepEqual(await (await openChallengeStore(disk, 'again')).read(one.id, now), later);
  });

  test('close waits for the write under way and for what has queued up behind it', async () => {
    const { disk, store } = await open();
    const [one, two] = [mailed(freshChallenge(1)), mailed(freshChallenge(2))];
    const change = (record: Challenge) => watch(store.transact(record.id, now, put(record)));
    const changes = [change(one)];
    const first = await disk.begun(1);
    changes.push(change(two));
    const closing = watch(store.close());
    first.finish();
    await settle();
    assert.equal(closing.state, 'pending');
    (await disk.begun(2)).finish();
    await settle();
    assert.deepEqual([closing.state, ...changes.map(({ state }) => state)], ['resolved', 'resolved', 'resolved']);
    assert.ok(disk.disk.includes(one.id) && disk.disk.includes(two.id));
  });
});

describe('lowdb store, a damaged file', { concurrency: true }, () => {
  const good = mailed(freshChallenge(1));
  const file = (challenge: object, more: object = {}) =>
    JSON.stringify({ version: 1, challenges: { [good.id]: challenge }, ...more });
  const sender = good.senders[0];
  assert.ok(sender);
  const cases: [string, string][] = [
    ['half a file', file(good).slice(0, 200)],
    ['an empty file', ''],
    ['text', 'amy.pond@school.example was here'],
    ['a list', '["amy.pond@school.example"]'],
    ['another version', file(good, { version: 2 })],
    ['an unknown field at the top', file(good, { 'amy.pond@school.example': true })],
    ['an unknown field of a challenge', file({ ...good, code: '48217730' })],
    ['an unknown field of a sender', file({ ...good, senders: [{ ...sender, code: '48217730' }] })],
    ['an unknown field of a reply', file({ ...good, senders: [{ ...sender, reply: { ...sender.reply, to: 'amy' } }] })],
    ['a missing field', file({ ...good, wrongCodes: undefined })],
    ['an id that is none', JSON.stringify({ version: 1, challenges: { 'amy.pond@school.example': good } })],
    ['an unknown field of a state', file({ ...good, state: { kind: 'code-sent', code: '48217730' } })],
    ['an unknown state', file({ ...good, state: { kind: 'amy.pond@school.example' } })],
    ['a mailbox that is none', file({ ...good, senders: [{ ...sender, mailbox: 'amy.pond@school.example>' }] })],
    [
      'a mailbox not in its normal form',
      file({ ...good, senders: [{ ...sender, mailbox: 'amy.pond@SCHOOL.example' }] }),
    ],
    ['a salt that is too short', file({ ...good, senders: [{ ...sender, salt: 'abcdef' }] })],
  ];
  for (const [title, text] of cases) {
    test(`${title}: the place and the remedy, nothing of the content`, async () => {
      const disk = Object.assign(new SlowDisk(), { disk: text });
      await assert.rejects(openChallengeStore(disk, '/data/challenges.json'), ({ message }: Error) => {
        assert.match(message, /^\/data\/challenges\.json is damaged\. Move it away/);
        assert.doesNotMatch(message, /amy|pond|school|48217730|abcdef/i);
        return true;
      });
    });
  }

  test('the file of the cases above is read when it is whole', async () => {
    const store = await openChallengeStore(Object.assign(new SlowDisk(), { disk: file(good) }), 'the store');
    assert.deepEqual(await store.read(good.id, now), good);
  });

  test('a disk that cannot be read is not a damaged file', async () => {
    const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
    const adapter: Adapter<unknown> = { read: () => Promise.reject(denied), write: async () => {} };
    await assert.rejects(openChallengeStore(adapter, 'the store'), denied);
  });
});
