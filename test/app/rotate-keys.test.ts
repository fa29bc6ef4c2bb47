// The life of a key: made, replaced, tried as long as a page of it can be open, kept for what is kept, gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { changeRecordId, deriveUndoCode, findUndoCode } from '../../src/app/challenge-tokens.ts';
import type { DependencyError, KeyChain } from '../../src/app/ports.ts';
import { createRelease, createRotateKeys } from '../../src/app/rotate-keys.ts';
import type { ChangeRecord } from '../../src/core/password-change.ts';
import { TestClock } from '../support/clock.ts';
import { ringOf } from '../support/keyring.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const limits = { pageLifeMs: 71 * minute, maxAgeMs: 90 * day };

/** A chain in memory, whose disk can be full, and all that was logged. */
function setting({ ours = true } = {}) {
  const clock = new TestClock(Date.UTC(2030, 0, 1));
  const logged: string[] = [];
  const note = (event: string, { outcome, reason = '' }: Readonly<Record<string, unknown>>) =>
    void logged.push(`${event} ${outcome} ${reason}`.trim());
  const state = { keys: [{ id: '1', createdAt: clock.now() }], full: false, needed: new Set<string>(), released: 0 };
  const write = async (keys: typeof state.keys) => {
    await Promise.resolve();
    if (state.full) throw new Error('no space left');
    state.keys = keys;
  };
  const chain: KeyChain = {
    get keys() {
      return state.keys;
    },
    change: ours
      ? {
          add: (now) => write([{ id: String(Number(state.keys[0]?.id) + 1), createdAt: now }, ...state.keys]),
          drop: (ids) => write(state.keys.filter(({ id }) => !ids.includes(id))),
        }
      : undefined,
  };
  const rotation = createRotateKeys(
    {
      chain,
      clock,
      log: { info: note, warn: note, error: note },
      release: async (ids) => {
        state.released += 1;
        return ids.filter((id) => !state.needed.has(id));
      },
    },
    limits,
  );
  /** Lets time pass minute by minute, with everything that is to happen in it. */
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += minute) {
      clock.advance(minute);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const ids = () => state.keys.map(({ id }) => id).join(' ');
  return { clock, logged, state, rotation, pass, ids };
}

test('by command: the key of before works until its last page has ended, and is gone then', async (t) => {
  const { rotation, pass, ids, logged } = setting();
  rotation.start();
  t.after(() => rotation.stop());
  await pass(5 * minute);
  assert.deepEqual(await rotation.rotate(), { kind: 'rotated', keyId: '2' });
  assert.equal(ids(), '2 1');
  await pass(70 * minute);
  assert.equal(ids(), '2 1');
  await pass(2 * minute);
  assert.equal(ids(), '2');
  assert.deepEqual(logged, ['keys rotated command', 'keys dropped']);
});

test('by age, at a start and later', async (t) => {
  const { clock, rotation, pass, ids, logged } = setting();
  clock.advance(89 * day + 23 * 60 * minute);
  rotation.start();
  t.after(() => rotation.stop());
  await pass(59 * minute);
  assert.equal(ids(), '1');
  await pass(2 * minute);
  assert.equal(ids(), '2 1');
  await pass(73 * minute);
  assert.equal(ids(), '2');
  await rotation.stop();
  clock.advance(200 * day);
  rotation.start();
  await pass(minute);
  assert.equal(ids(), '3 2');
  assert.deepEqual(logged, ['keys rotated age', 'keys dropped', 'keys rotated age']);
});

test('a key that something kept still needs stays, and does not keep the others', async (t) => {
  const { rotation, pass, ids, state } = setting();
  rotation.start();
  t.after(() => rotation.stop());
  await rotation.rotate();
  await rotation.rotate();
  state.needed.add('1');
  await pass(75 * minute);
  assert.equal(ids(), '3 1');
  state.needed.clear();
  await pass(minute);
  assert.equal(ids(), '3');
});

test('at most four at a time: one more is refused until the oldest has gone', async (t) => {
  const { rotation, pass, ids } = setting();
  rotation.start();
  t.after(() => rotation.stop());
  const asked = await Promise.all([1, 2, 3, 4, 5].map(() => rotation.rotate()));
  assert.deepEqual(
    asked.map(({ kind }) => kind),
    ['rotated', 'rotated', 'rotated', 'too-many', 'too-many'],
  );
  assert.equal(ids(), '4 3 2 1');
  await pass(72 * minute);
  assert.equal(ids(), '4');
});

test('a full disk: nothing has changed, the command says so, and time tries again', async (t) => {
  const { rotation, pass, ids, state, logged } = setting();
  rotation.start();
  t.after(() => rotation.stop());
  state.full = true;
  await assert.rejects(rotation.rotate(), (error: DependencyError) => error.message === 'no space left');
  assert.equal(ids(), '1');
  state.full = false;
  await rotation.rotate();
  state.full = true;
  await pass(75 * minute);
  assert.equal(ids(), '2 1');
  assert.ok(logged.includes('keys failed'));
  state.full = false;
  await pass(minute);
  assert.equal(ids(), '2');
});

test('keys of the environment are never changed; what is sealed with an older one is sealed anew at the start', async (t) => {
  const { clock, rotation, pass, ids, state, logged } = setting({ ours: false });
  state.keys = [
    { id: 'new', createdAt: 0 },
    { id: 'old', createdAt: 0 },
  ];
  clock.advance(100 * day);
  rotation.start();
  t.after(() => rotation.stop());
  assert.deepEqual(await rotation.rotate(), { kind: 'not-here' });
  await pass(100 * minute);
  assert.equal(ids(), 'new old');
  assert.deepEqual([logged, state.released], [['keys sealed-anew'], 1]);
});

test('a clock that is set back drops nothing early and makes nothing twice', async (t) => {
  const { clock, rotation, pass, ids } = setting();
  clock.advance(365 * day);
  rotation.start();
  await pass(minute);
  assert.equal(ids(), '2 1');
  await rotation.stop();
  const back = setting();
  back.state.keys = [
    { id: '2', createdAt: clock.now() },
    { id: '1', createdAt: back.clock.now() },
  ];
  back.rotation.start();
  t.after(() => back.rotation.stop());
  await back.pass(200 * minute);
  assert.equal(back.ids(), '2 1');
});

test('a notice that waits for the relay keeps the key of its undo code; all that is sealed is sealed anew first', async () => {
  const ring = ringOf(new Uint8Array(32).fill(2), new Uint8Array(32).fill(1));
  const secrets = createSecrets(ring);
  const [, older = ''] = secrets.keyIds();
  const changeId = 'ab'.repeat(16);
  const undoCode = deriveUndoCode(secrets, changeId, older);
  const queued = [{ id: changeRecordId(secrets, undoCode), changeId } as ChangeRecord];
  assert.equal(findUndoCode(secrets, queued[0] ?? assert.fail()), undoCode, 'the same on every try');
  let sealed = 0;
  const release = createRelease({
    secrets,
    changes: { withQueued: async () => queued },
    directory: {
      reseal: async () => {
        sealed += 1;
      },
    },
    clock: new TestClock(),
  });
  assert.deepEqual(await release([older]), []);
  queued.length = 0;
  assert.deepEqual(await release([older]), [older]);
  assert.equal(sealed, 2);
  const failing = { reseal: () => Promise.reject(new Error('no space left')) };
  const full = createRelease({
    secrets,
    changes: { withQueued: async () => [] },
    directory: failing,
    clock: new TestClock(),
  });
  await assert.rejects(full([older]), /no space left/, 'then the key stays');
});
