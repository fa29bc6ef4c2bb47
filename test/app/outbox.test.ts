// The outbox by itself: how many tries at once, how it finds out that the relay is back, and that nobody waits for ever.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Errand, Outbox, type Tried } from '../../src/app/outbox.ts';
import type { Clock } from '../../src/app/ports.ts';
import { collectLog, fixedSecrets, ManualClock, minuteMs, secondMs, settle } from './support.ts';

const atOnceMax = 60;

interface Bench {
  readonly clock: ManualClock;
  readonly log: ReturnType<typeof collectLog>;
  readonly outbox: Outbox;
  /** Keys in the order of their tries. */
  readonly tries: readonly string[];
  readonly done: ReadonlySet<string>;
  readonly delayed: ReadonlySet<string>;
  /** The most that were ever under way at the same time. */
  readonly mostAtOnce: () => number;
  /** How far somebody set the clock back. */
  setBackMs: number;
  /** What comes of a try from now on. */
  relay: (key: string) => Tried | Promise<Tried>;
  add(...keys: readonly string[]): void;
  /** Lets time pass in steps of a second. */
  pass(ms: number): Promise<void>;
}

function start(): Bench {
  const clock = new ManualClock();
  const log = collectLog();
  const secrets = fixedSecrets((count) => new Uint8Array(count).fill(128));
  const tries: string[] = [];
  const done = new Set<string>();
  const delayed = new Set<string>();
  let now = 0;
  let most = 0;
  const errand = (key: string): Errand => ({
    key,
    event: 'reply',
    async attempt() {
      tries.push(key);
      now += 1;
      most = Math.max(most, now);
      try {
        const tried = await bench.relay(key);
        await settleOnce();
        if (tried === 'done') done.add(key);
        return tried;
      } finally {
        now -= 1;
      }
    },
    delayed: (is) => void (is ? delayed.add(key) : delayed.delete(key)),
  });
  const setClock: Clock = { now: () => clock.now() - bench.setBackMs, after: (ms, task) => clock.after(ms, task) };
  const outbox = new Outbox({ secrets, clock: setClock, log });
  const bench: Bench = {
    setBackMs: 0,
    ...{ clock, log, outbox, tries, done, delayed },
    mostAtOnce: () => most,
    relay: () => 'done',
    add: (...keys) => {
      for (const key of keys) outbox.add(errand(key));
    },
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += secondMs) {
        clock.advance(secondMs);
        await settle();
      }
    },
  };
  return bench;
}

const settleOnce = () => new Promise(setImmediate);
const keysOf = (count: number) => Array.from({ length: count }, (_, at) => `key ${at}`);

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; turns < 20_000 && !condition(); turns += 1) await settleOnce();
  assert.ok(condition(), 'it never happened');
}

describe('outbox, many at once', { concurrency: true }, () => {
  test('a restart with 5,000 has a few under way, and all go out in their order', async () => {
    const bench = start();
    const keys = keysOf(5000);
    bench.add(...keys);
    await until(() => bench.done.size === 5000);
    assert.deepEqual(bench.tries, keys);
    assert.equal(bench.mostAtOnce(), atOnceMax);
    assert.deepEqual([bench.clock.waiting, bench.delayed.size], [[], 0]);
  });

  test('some that take their time do not stop the others', async () => {
    const bench = start();
    const slow = Promise.withResolvers<Tried>();
    bench.relay = (key) => (key.startsWith('slow') ? slow.promise : 'done');
    bench.add(...Array.from({ length: atOnceMax - 1 }, (_, at) => `slow ${at}`), ...keysOf(100));
    await until(() => bench.done.size === 100);
    slow.resolve('done');
    await until(() => bench.done.size === 100 + atOnceMax - 1);
  });

  test('one that is not taken pauses, and holds nobody up', async () => {
    const bench = start();
    bench.relay = (key) => (key === 'key 0' ? 'again' : 'done');
    bench.add(...keysOf(100));
    await until(() => bench.done.size === 99);
    assert.deepEqual([...bench.delayed], ['key 0']);
    await bench.pass(6 * secondMs);
    assert.equal(bench.tries.filter((key) => key === 'key 0').length, 2);
  });
});

describe('outbox, the relay is away', { concurrency: true }, () => {
  test('for an hour with 5,000 waiting: at most one try in five seconds; then all, once', async () => {
    const bench = start();
    bench.relay = () => 'away';
    const keys = keysOf(5000);
    bench.add(...keys);
    await settle();
    const first = bench.tries.length;
    assert.ok(first <= atOnceMax, `${first} at first`);
    assert.equal(bench.delayed.size, 5000, 'every page is told');
    for (let minute = 0; minute < 60; minute += 1) {
      const before = bench.tries.length;
      await bench.pass(minuteMs);
      assert.ok(bench.tries.length - before <= 13, `${bench.tries.length - before} in a minute`);
      assert.ok(bench.tries.length > before, 'somebody asks');
    }
    assert.ok(bench.clock.waiting.length < 1000, 'what waits for its turn needs no timer');
    bench.relay = () => 'done';
    await bench.pass(6 * secondMs);
    await until(() => bench.done.size === 5000);
    assert.deepEqual([bench.clock.waiting, bench.delayed.size], [[], 0]);
    const outcomes = bench.log.events.map(({ level, event, fields }) => [level, event, fields.outcome]);
    assert.deepEqual(outcomes, [
      ['warn', 'relay', 'away'],
      ['info', 'relay', 'back'],
    ]);
  });

  test('a clock that is set back makes nobody wait longer', async () => {
    const bench = start();
    bench.relay = () => 'away';
    bench.add(...keysOf(100));
    await settle();
    bench.setBackMs = 60 * minuteMs;
    bench.relay = () => 'done';
    await bench.pass(6 * secondMs);
    await until(() => bench.done.size === 100);
  });

  test('a few waiting ask more and more seldom, whoever is new asks at once, and takes all with it', async () => {
    const bench = start();
    bench.relay = () => 'away';
    bench.add('a', 'b', 'c');
    await bench.pass(30 * minuteMs);
    const before = bench.tries.length;
    await bench.pass(20 * minuteMs);
    assert.ok(bench.tries.length - before <= 3 * 5, `${bench.tries.length - before} in 20 minutes`);
    bench.relay = () => 'done';
    bench.add('new');
    await settle();
    await settle();
    assert.deepEqual([...bench.done].toSorted(), ['a', 'b', 'c', 'new']);
    assert.deepEqual(bench.clock.waiting, []);
  });

  test('whoever is new right after a failure waits for its turn, and is told', async () => {
    const bench = start();
    bench.relay = () => 'away';
    bench.add('a');
    await settle();
    bench.add('b');
    await settle();
    assert.deepEqual([bench.tries, [...bench.delayed]], [['a'], ['a', 'b']]);
    bench.relay = () => 'done';
    await bench.pass(6 * secondMs);
    assert.deepEqual([...bench.done].toSorted(), ['a', 'b']);
  });

  test('one at which the relay hangs up each time does not keep the others from going out', async () => {
    const bench = start();
    bench.relay = (key) => (key === 'poison' ? 'away' : 'done');
    bench.add('poison', ...keysOf(3));
    for (let round = 1; round <= 100; round += 1) {
      bench.add(`round ${round}`);
      await bench.pass(10 * secondMs);
      assert.ok(bench.done.has(`round ${round}`), `${round}`);
    }
    const poisoned = bench.tries.filter((key) => key === 'poison').length;
    assert.ok(poisoned <= 10, `${poisoned} tries`);
  });

  test('what is over meanwhile is no try, and does not pile up', async () => {
    const bench = start();
    bench.relay = () => 'away';
    bench.add(...keysOf(1000));
    await settle();
    bench.relay = (key) => (key === 'new' ? 'away' : 'over');
    bench.add('new');
    await bench.pass(10 * minuteMs);
    const givenUp = bench.log.events.filter(({ fields }) => fields.outcome === 'given-up');
    assert.equal(givenUp.length, 1000);
    assert.deepEqual([...bench.delayed], ['new']);
    assert.ok(bench.clock.waiting.length <= 2);
  });
});

describe('outbox, its own trouble', { concurrency: true }, () => {
  test('an errand that fails is logged with the cause, and tried again', async () => {
    const bench = start();
    const broken = new Error('disk full');
    bench.relay = () => Promise.reject(broken);
    bench.add('a');
    await settle();
    assert.deepEqual(
      bench.log.events.map(({ level, event, fields, cause }) => [level, event, fields, cause]),
      [['warn', 'reply', { outcome: 'temporary', tries: 1 }, broken]],
    );
    bench.relay = () => 'done';
    await bench.pass(6 * secondMs);
    assert.deepEqual([...bench.done], ['a']);
  });

  test('a stop begins nothing more, waits for what is under way, and leaves no timer', async () => {
    const bench = start();
    const slow = Promise.withResolvers<Tried>();
    bench.relay = () => slow.promise;
    bench.add(...keysOf(100));
    bench.outbox.add({ key: 'later', event: 'notice', attempt: () => assert.fail('too late') }, minuteMs);
    let stopped = false;
    const stopping = bench.outbox.stop().then(() => {
      stopped = true;
    });
    await settle();
    assert.equal(stopped, false);
    slow.resolve('away');
    await stopping;
    bench.add('new');
    await settle();
    assert.deepEqual([bench.tries.length, bench.clock.waiting], [atOnceMax, []]);
  });
});
