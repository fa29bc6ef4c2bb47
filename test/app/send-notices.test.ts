// Notices in the outbox: what becomes of them is told to the directory, and each mail goes out once.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openChangeStore } from '../../src/adapters/store/stored-records.ts';
import { changeRecordId, deriveUndoCode } from '../../src/app/challenge-tokens.ts';
import { Outbox } from '../../src/app/outbox.ts';
import {
  type ChangeStore,
  DependencyError,
  type DirectoryEvent,
  type OutgoingNotice,
  type SendResult,
} from '../../src/app/ports.ts';
import { createSendNotices } from '../../src/app/send-notices.ts';
import type { ChangeRecord } from '../../src/core/password-change.ts';
import { memorySegments } from '../support/disks.ts';
import { amy, collectLog, fixedSecrets, hourMs, limits, ManualClock, settle } from './support.ts';

const changeId = 'c'.repeat(32);

async function start(state: ChangeRecord['state'] = 'done') {
  const inner = await openChangeStore(memorySegments());
  const clock = new ManualClock();
  const log = collectLog();
  const secrets = fixedSecrets();
  const sent: OutgoingNotice[] = [];
  const told: DirectoryEvent[] = [];
  const relay: { says: SendResult; storeFails: boolean } = { says: { kind: 'handed-over' }, storeFails: false };
  const id = changeRecordId(secrets, deriveUndoCode(secrets, changeId));
  const record: ChangeRecord = {
    ...{
      id,
      changeId,
      purpose: 'reset',
      accountId: 'a'.repeat(32),
      accountName: 'apond',
      mailbox: amy,
      at: clock.now(),
    },
    ...{ undoUntil: clock.now() + limits.undoLifetimeMs, locale: 'en', state },
    clientHint: { browser: 'Firefox', system: 'Windows' },
    notice: state === 'done' ? 'queued' : 'none',
  };
  await inner.transact(id, clock.now(), () => ({ next: record, result: undefined }));
  const changes: ChangeStore = {
    ...{ read: inner.read.bind(inner), withQueued: inner.withQueued.bind(inner), sweep: inner.sweep.bind(inner) },
    close: () => inner.close(),
    async transact(one, now, decide) {
      // The look before the try gets through, the note after it does not.
      if (relay.storeFails && sent.length > 0) throw new DependencyError('store', 'disk full');
      return inner.transact(one, now, decide);
    },
  };
  const notices = createSendNotices({
    ...{ secrets, changes, clock, log },
    sender: {
      async sendNotice(notice) {
        sent.push(notice);
        return relay.says;
      },
    },
    directory: { tell: (event) => void told.push(event) },
    outbox: new Outbox({ secrets, clock, log }),
  });
  const pass = async (ms: number) => {
    await settle();
    for (const end = clock.now() + ms; clock.now() < end; ) {
      clock.advance(Math.min(clock.waiting[0] ?? ms, end - clock.now()));
      await settle();
    }
  };
  const noticeNow = async () => (await inner.read(id, clock.now()))?.notice;
  return { clock, log, sent, told, relay, notices, id, pass, noticeNow };
}

describe('notices', { concurrency: true }, () => {
  for (const [says, notice, kind, level] of [
    [{ kind: 'handed-over' }, 'handed-over', 'notice-sent', 'info'],
    [{ kind: 'permanent', detail: 'EENVELOPE RCPT TO 550' }, 'failed', 'notice-failed', 'warn'],
  ] as const) {
    test(`one that is ${says.kind} is noted, logged and told to the directory, once`, async () => {
      const { relay, notices, id, sent, told, log, noticeNow, clock } = await start();
      relay.says = says;
      notices.queued(id);
      await settle();
      notices.queued(id);
      await settle();
      assert.deepEqual([sent.length, await noticeNow()], [1, notice]);
      assert.deepEqual(told, [{ kind, accountId: 'a'.repeat(32), changeId, at: clock.now() }]);
      const events = log.events.map(({ level: each, event, fields }) => [each, event, fields.outcome]);
      assert.deepEqual(events, [[level, 'notice', says.kind]]);
      assert.doesNotMatch(JSON.stringify(log.events), /@|amy|apond/);
    });
  }

  for (const kind of ['temporary', 'away'] as const) {
    test(`one that is not taken (${kind}) is tried as long as an undo could help, and then given up and told`, async () => {
      const { relay, notices, id, sent, told, log, pass, clock } = await start();
      relay.says = { kind, detail: 'ECONNREFUSED CONN' };
      notices.queued(id);
      await pass(limits.undoLifetimeMs - hourMs);
      const before = sent.length;
      assert.ok(before > 12 * 60, `${before} tries`);
      assert.equal(told.length, 0);
      assert.equal(new Set(sent.map((notice) => `${notice.id} ${notice.undoCode}`)).size, 1);
      await pass(2 * hourMs);
      assert.deepEqual([told.map((event) => event.kind), clock.waiting], [['notice-failed'], []]);
      assert.equal(log.events.at(-1)?.fields.outcome, 'given-up');
    });
  }

  test('one whose hand-over could not be noted is noted later, and not sent again', async () => {
    const { relay, notices, id, sent, told, noticeNow, pass } = await start();
    relay.storeFails = true;
    notices.queued(id);
    await pass(hourMs);
    assert.deepEqual([sent.length, told.length, await noticeNow()], [1, 0, 'queued']);
    relay.storeFails = false;
    await pass(hourMs);
    assert.deepEqual([sent.length, told.map(({ kind }) => kind)], [1, ['notice-sent']]);
    assert.equal(await noticeNow(), 'handed-over');
  });

  test('a later time for one takes the place of an earlier one, and now the place of both', async () => {
    const { notices, id, sent, pass, clock } = await start('setting');
    notices.queued(id, hourMs);
    notices.queued(id, 2 * hourMs);
    await pass(1.5 * hourMs);
    assert.equal(sent.length, 0);
    notices.queued(id);
    await settle();
    assert.deepEqual([sent.length, clock.waiting], [1, []]);
  });
});
