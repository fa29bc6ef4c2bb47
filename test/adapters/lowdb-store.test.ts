// What is particular to the embedded store: when it writes, how often, and what it says of a damaged file.
// Its contract is in test/contract/.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Adapter } from 'lowdb';
import type { SegmentFiles } from '../../src/adapters/store/segment-files.ts';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { DependencyError } from '../../src/app/ports.ts';
import type { Challenge } from '../../src/core/challenge.ts';
import { freshChallenge, mailbox, mailed } from '../contract/challenge-store.ts';
import { failingSegments, memorySegments } from '../support/disks.ts';

const now = Date.UTC(2026, 0, 15, 9, 30);
const rory = mailbox('rory@school.example');
const put = (next: Challenge) => () => ({ next, result: undefined });
const look = (current: Challenge | undefined) => ({ next: undefined, result: current });

/** A disk that finishes a write when it is told to. */
class SlowDisk implements SegmentFiles {
  readonly place = '/data/challenges';
  readonly writes: { readonly number: number; readonly text: string; finish(): void; fail(error: Error): void }[] = [];
  /** What is on it, by the number of the segment. */
  readonly disk = new Map<number, string>();
  /** The numbers of the segments that were read, in that order. */
  readonly read: number[] = [];

  async list(): Promise<readonly number[]> {
    return [...this.disk.keys()];
  }

  file(number: number): Adapter<unknown> {
    return {
      read: async () => {
        this.read.push(number);
        return JSON.parse(this.disk.get(number) ?? 'null');
      },
      write: (data: unknown) => {
        const text = JSON.stringify(data);
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const finish = () => {
          const before: unknown[] = JSON.parse(this.disk.get(number) ?? '[]');
          this.disk.set(number, JSON.stringify([...before, data]));
          resolve();
        };
        this.writes.push({ number, text, finish, fail: reject });
        return promise;
      },
    };
  }

  async remove(number: number): Promise<void> {
    this.disk.delete(number);
  }

  /** The write with this number, once it has begun. */
  async begun(number: number): Promise<SlowDisk['writes'][number]> {
    for (const end = performance.now() + 5_000; performance.now() < end; await new Promise(setImmediate)) {
      const write = this.writes[number - 1];
      if (write !== undefined) return write;
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
  return { disk, store: await openChallengeStore(disk) };
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
    assert.ok(records.slice(40).every(({ id }) => second.text.includes(id)));
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
    assert.deepEqual(await (await openChallengeStore(disk)).read(one.id, now), later);
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
    assert.ok([one.id, two.id].every((id) => disk.disk.get(1)?.includes(id)));
  });
});

const step = fc.record({
  what: fc.constantFrom('put', 'put', 'put', 'fail', 'fail-late', 'wait', 'restart', 'sweep'),
  id: fc.integer({ min: 1, max: 6 }),
  minutes: fc.integer({ min: 0, max: 40 }),
});

test('a store that is closed writes nothing any more, and says so', async () => {
  const disk = failingSegments(memorySegments());
  const store = await openChallengeStore(disk.files);
  const record = mailed(freshChallenge(1));
  await store.transact(record.id, now, put(record));
  await store.close();
  disk.failing = true; // whoever wrote would be told another reason
  const closed = { name: 'DependencyError', message: 'the store is closed' };
  await assert.rejects(store.transact(record.id, now, put(mailed(record, undefined, 2))), closed);
  await assert.rejects(store.sweep(now + 1e9), closed);
  await assert.rejects(store.probe(), closed);
});

test('a probe writes what is there once more, and changes nothing', async () => {
  const disk = failingSegments(memorySegments());
  const store = await openChallengeStore(disk.files);
  await store.probe();
  const record = mailed(freshChallenge(1));
  await store.transact(record.id, now, put(record));
  disk.failing = true;
  await assert.rejects(store.probe(), DependencyError);
  disk.failing = false;
  await store.probe();
  assert.deepEqual(await (await openChallengeStore(disk.files)).read(record.id, now), record);
});

describe('lowdb store, segments', { concurrency: true }, () => {
  const minuteMs = 60_000;

  /** A store in memory, and what is in its segments. */
  async function inMemory() {
    const files = memorySegments();
    const numbers = async () => (await files.list()).toSorted((one, other) => one - other);
    return { files, numbers, store: await openChallengeStore(files) };
  }

  test('a full one is sealed: what a write costs does not grow with what is stored', async () => {
    const disk = new SlowDisk();
    const store = await openChallengeStore(disk);
    const sizes: number[] = [];
    for (let number = 1; number <= 1_000; number += 1) {
      const record = mailed(freshChallenge(number));
      const write = store.transact(record.id, now, put(record));
      const begun = await disk.begun(number);
      sizes.push(Object.keys(JSON.parse(begun.text).records).length);
      begun.finish();
      await write;
    }
    assert.equal(Math.max(...sizes), 1, 'a write holds what has changed');
    assert.deepEqual([...disk.disk.keys()], [1, 2]);
    const again = await openChallengeStore(disk);
    for (let number = 1; number <= 1_000; number += 1) {
      const record = mailed(freshChallenge(number));
      assert.deepEqual(await again.read(record.id, now), record);
    }
  });

  test('the later word about a record is right, also within one', async () => {
    const { files, numbers, store } = await inMemory();
    const first = mailed(freshChallenge(1));
    const later = mailed(first, rory, 2);
    await store.transact(first.id, now, put(first));
    await store.transact(first.id, now, put(later));
    assert.deepEqual(await numbers(), [1]);
    assert.deepEqual(await (await openChallengeStore(files)).read(first.id, now), later);
  });

  test('after a write that failed the next one begins: nothing comes after what may stand there', async () => {
    const inner = memorySegments();
    const disk = failingSegments(inner);
    const store = await openChallengeStore(disk.files);
    for (const failing of [false, true, false]) {
      disk.failing = failing;
      const record = mailed(freshChallenge(1));
      await store.transact(record.id, now, put(record)).catch(() => {});
    }
    assert.deepEqual(await inner.list(), [1, 2]);
  });

  test('one whose only write failed and stands there all the same goes before what came later', async () => {
    const inner = memorySegments();
    const disk = failingSegments(inner);
    const store = await openChallengeStore(disk.files);
    const [long, short] = [60, 20].map((minutes) => mailed(freshChallenge(1, now + minutes * minuteMs)));
    assert.ok(long !== undefined && short !== undefined);
    disk.failing = 'late';
    await assert.rejects(store.transact(long.id, now, put(long)));
    disk.failing = false;
    await store.transact(short.id, now, put(short));
    const later = now + 30 * minuteMs;
    await store.sweep(later);
    assert.equal(await (await openChallengeStore(inner)).read(long.id, later), undefined, 'what was told is over');
  });

  test('one that is a few minutes old is sealed as well, so that what is in it can go together', async () => {
    const { numbers, store } = await inMemory();
    for (const [number, at] of [0, 9, 10, 15, 19, 20].map((minutes) => now + minutes * minuteMs).entries()) {
      const record = mailed(freshChallenge(number));
      await store.transact(record.id, at, put(record));
    }
    assert.deepEqual(await numbers(), [1, 2, 3]);
  });

  test('the last one that has a record is right about it, also when that says it is over', async () => {
    const { files, store } = await inMemory();
    const first = mailed(freshChallenge(1));
    const over = { ...first, expiresAt: 0 };
    await store.transact(first.id, now, put(first));
    const later = now + 11 * minuteMs;
    await store.transact(first.id, later, put(over));
    await store.sweep(later);
    await store.sweep(later + minuteMs);
    for (const where of [store, await openChallengeStore(files)]) {
      assert.equal(await where.read(first.id, now), undefined, 'it does not come back');
    }
  });

  test('are deleted from the oldest on, when nothing in them is of use', async () => {
    const { files, numbers, store } = await inMemory();
    const hour = 60 * minuteMs;
    const put1 = async (number: number, at: number, end: number) => {
      const record = mailed(freshChallenge(number, end));
      await store.transact(record.id, at, put(record));
      return record;
    };
    const long = await put1(1, now, now + 3 * hour);
    await put1(2, now + 11 * minuteMs, now + hour);
    const last = await put1(3, now + 22 * minuteMs, now + 4 * hour);
    assert.deepEqual(await numbers(), [1, 2, 3]);
    await store.sweep(now + 2 * hour);
    assert.deepEqual((await numbers()).slice(0, 3), [1, 2, 3], 'the second waits for the first');
    for (const where of [store, await openChallengeStore(files)]) assert.ok(await where.read(long.id, now));
    await store.sweep(now + 3 * hour);
    assert.ok(!(await numbers()).some((number) => number < 3));
    assert.ok((await numbers()).includes(3));
    assert.deepEqual(await (await openChallengeStore(files)).read(last.id, now + 3 * hour), last);
    await store.sweep(now + 4 * hour);
    await store.sweep(now + 4 * hour);
    const [left, ...more] = await numbers();
    assert.deepEqual(more, []);
    assert.deepEqual(await files.file(left ?? 0).read(), [{ version: 2, sweptAt: now + 4 * hour, records: {} }]);
  });

  test('a clock that ran ahead and was set right loses nothing that is written after it', async () => {
    const { files, store } = await inMemory();
    const old = mailed(freshChallenge(1));
    await store.transact(old.id, now, put(old));
    await store.sweep(now + 48 * 60 * minuteMs);
    const fresh = mailed(freshChallenge(2));
    await store.transact(fresh.id, now, put(fresh));
    const again = await openChallengeStore(files);
    assert.deepEqual([await again.read(old.id, now), await again.read(fresh.id, now)], [undefined, fresh]);
  });

  test('sweeping a change that is not on disk yet does not bring back what it replaced', async () => {
    const disk = new SlowDisk();
    const store = await openChallengeStore(disk);
    const first = mailed(freshChallenge(1));
    const begin = watch(store.transact(first.id, now, put(first)));
    (await disk.begun(1)).finish();
    await settle();
    assert.equal(begin.state, 'resolved');
    const later = now + 11 * minuteMs; // so it is written into another segment
    const drop = watch(store.transact(first.id, later, put({ ...first, expiresAt: 0 })));
    const write = await disk.begun(2);
    const sweeping = watch(store.sweep(later));
    write.finish();
    await settle();
    disk.writes[2]?.finish();
    await settle();
    assert.deepEqual([drop.state, sweeping.state], ['resolved', 'resolved']);
    assert.equal(await (await openChallengeStore(disk)).read(first.id, now), undefined);
  });

  test('are read from the newest on, and what an older one says of a record is not looked at', async () => {
    const disk = new SlowDisk();
    const good = mailed(freshChallenge(1));
    const segment = (record: object) => JSON.stringify([{ version: 2, sweptAt: 0, records: { [good.id]: record } }]);
    disk.disk.set(9, segment({ nonsense: true })).set(10, segment(good));
    assert.deepEqual(await (await openChallengeStore(disk)).read(good.id, now), good);
    assert.deepEqual(disk.read, [10, 9]);
  });

  test('a run of changes, failures, sweeps and restarts keeps what was told, or what was tried after it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 120 }), async (steps) => {
        const inner = memorySegments();
        const disk = failingSegments(inner);
        let store = await openChallengeStore(disk.files);
        const told = new Map<string, Challenge | undefined>();
        const tried = new Map<string, Challenge[]>(); // since then: a write that failed may stand there
        let at = now;
        const inUse = (record: Challenge | undefined) => (record && at < record.expiresAt ? record : undefined);
        for (const { what, id, minutes } of steps) {
          if (what === 'wait') at += minutes * minuteMs;
          else if (what === 'restart') {
            store = await openChallengeStore(disk.files);
            for (const [each, ones] of tried) {
              const back = await store.read(each, at);
              if (ones.some((one) => isDeepStrictEqual(inUse(one), back))) told.set(each, back);
            }
            tried.clear();
          } else if (what === 'sweep') await store.sweep(at);
          else {
            disk.failing = what === 'fail-late' ? 'late' : what === 'fail';
            const next = freshChallenge(id, at + minutes * minuteMs);
            const written = await store.transact(next.id, at, put(next)).then(
              () => true,
              () => false,
            );
            assert.equal(written, what === 'put');
            if (written) {
              told.set(next.id, next);
              tried.delete(next.id);
            } else if (what === 'fail-late') tried.set(next.id, [...(tried.get(next.id) ?? []), next]);
            disk.failing = false;
          }
          for (const [each, record] of told) {
            assert.deepEqual(await store.read(each, at), inUse(record));
          }
        }
      }),
      { seed: 20_260_115, numRuns: 300 },
    );
  });
});

describe('lowdb store, damage', { concurrency: true }, () => {
  const good = mailed(freshChallenge(1));
  const segment = (record: object, more: object = {}) =>
    JSON.stringify([{ version: 2, sweptAt: 0, records: { [good.id]: record }, ...more }]);
  const sender = good.senders[0];
  assert.ok(sender);
  const cases: [string, string][] = [
    ['half a file', segment(good).slice(0, 200)],
    ['an empty file', ''],
    ['text', 'amy.pond@school.example was here'],
    ['a list', '["amy.pond@school.example"]'],
    ['another version', segment(good, { version: 3 })],
    ['an unknown field at the top', segment(good, { 'amy.pond@school.example': true })],
    ['an unknown field of a challenge', segment({ ...good, code: '48217730' })],
    ['an unknown field of a sender', segment({ ...good, senders: [{ ...sender, code: '48217730' }] })],
    [
      'an unknown field of a reply',
      segment({ ...good, senders: [{ ...sender, reply: { ...sender.reply, to: 'amy' } }] }),
    ],
    ['a missing field', segment({ ...good, wrongCodes: undefined })],
    ['an id that is none', segment({}, { records: { 'amy.pond@school.example': good } })],
    ['the id of another record', segment({}, { records: { [freshChallenge(2).id]: good } })],
    ['an unknown field of a state', segment({ ...good, state: { kind: 'code-sent', code: '48217730' } })],
    ['an unknown state', segment({ ...good, state: { kind: 'amy.pond@school.example' } })],
    ['a mailbox that is none', segment({ ...good, senders: [{ ...sender, mailbox: 'amy.pond@school.example>' }] })],
    [
      'a mailbox not in its normal form',
      segment({ ...good, senders: [{ ...sender, mailbox: 'amy.pond@SCHOOL.example' }] }),
    ],
    ['a salt that is too short', segment({ ...good, senders: [{ ...sender, salt: 'abcdef' }] })],
  ];
  const diskWith = (text: string) => {
    const disk = new SlowDisk();
    disk.disk.set(7, text);
    return disk;
  };
  for (const [title, text] of cases) {
    test(`${title}: the place and the remedy, nothing of the content`, async () => {
      await assert.rejects(openChallengeStore(diskWith(text)), ({ message, cause }: Error) => {
        assert.match(message, /^\/data\/challenges is damaged \(segment 7\)\. Put back a good copy, or move/);
        assert.doesNotMatch(message, /amy|pond|school|48217730|abcdef/i);
        assert.equal(cause, undefined);
        return true;
      });
    });
  }

  test('the segment of the cases above is read when it is whole', async () => {
    const store = await openChallengeStore(diskWith(segment(good)));
    assert.deepEqual(await store.read(good.id, now), good);
  });

  test('the one file of before is read under both its names, and goes when it is over', async () => {
    for (const name of ['challenges', 'records']) {
      const disk = new SlowDisk();
      disk.disk.set(0, JSON.stringify([{ version: 1, [name]: { [good.id]: good } }]));
      const store = await openChallengeStore(disk);
      assert.deepEqual(await store.read(good.id, now), good);
      const sweeping = store.sweep(good.expiresAt);
      (await disk.begun(1)).finish();
      await sweeping;
      assert.deepEqual([...disk.disk.keys()], [1]);
    }
  });

  test('a disk that cannot be read is not a damaged file', async () => {
    const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
    const file = () => ({ read: () => Promise.reject(denied), write: async () => {} });
    await assert.rejects(openChallengeStore({ ...memorySegments(), list: async () => [1], file }), denied);
  });
});
