// The outbox of notices: handed over at once, and after a temporary failure again with growing pauses as long as an undo
// could still help. The queue itself is in the store, so a crash loses nothing. A notice that cannot be delivered is
// given up: nobody but the owner of the mailbox may get it.

import { type ChangeRecord, confirmChange, dropChange, settleNotice } from '../core/password-change.ts';
import { changeRecordId, deriveUndoCode } from './challenge-tokens.ts';
import type { ChangeStore, Clock, Directory, Log, MailSender, Secrets } from './ports.ts';

export interface SendNotices {
  /** Sends what a crash or a stop left behind. */
  start(): Promise<void>;
  /** A notice waits: hand it over now, or after `inMs` in place of any other time that was named for it. */
  queued(id: string, inMs?: number): void;
  /** Ends the waiting and lets what is under way finish. What is left stays in the store. */
  stop(): Promise<void>;
}

const pausesMs = [5_000, 15_000, 60_000, 300_000];

/** Makes the worker. */
export function createSendNotices({
  secrets,
  changes,
  sender,
  clock,
  log,
  directory,
}: {
  secrets: Secrets;
  changes: ChangeStore;
  sender: Pick<MailSender, 'sendNotice'>;
  clock: Clock;
  log: Log;
  directory: Pick<Directory, 'tell'>;
}): SendNotices {
  const pauses = new Map<string, () => void>();
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  const settle = (id: string, how: (record: ChangeRecord) => ChangeRecord) =>
    changes.transact(id, clock.now(), (current) => ({ next: current && how(current), result: undefined }));

  async function attempt(id: string, tries: number): Promise<void> {
    const record = await changes.transact(id, clock.now(), (current) => {
      const next = current && confirmChange(current);
      return { next, result: next };
    });
    if (record?.notice !== 'queued' || stopped) return;
    const undoCode = deriveUndoCode(secrets, record.changeId);
    const named = changeRecordId(secrets, undoCode);
    if (named !== id) return rename(record, named, tries);
    const startedAt = clock.now();
    const result = await sender.sendNotice({
      ...record,
      to: record.mailbox,
      id: record.changeId,
      undoCode,
    });
    const detail = result.kind === 'handed-over' ? undefined : result.detail;
    const fields = { outcome: result.kind, detail, tries, durationMs: clock.now() - startedAt };
    log[result.kind === 'handed-over' ? 'info' : 'warn']('notice', fields);
    if (result.kind === 'temporary') return wait(id, tries);
    const isSent = result.kind === 'handed-over';
    await settle(id, (current) => settleNotice(current, isSent ? 'handed-over' : 'failed'));
    const { accountId, changeId } = record;
    directory.tell?.({ kind: isSent ? 'notice-sent' : 'notice-failed', accountId, changeId, at: clock.now() });
  }

  /** Written down under a key that is gone: the code that its notice will hold must name it. */
  async function rename(record: ChangeRecord, id: string, tries: number): Promise<void> {
    await changes.transact(id, clock.now(), () => ({ next: { ...record, id }, result: undefined }));
    await settle(record.id, dropChange);
    return attempt(id, tries);
  }

  function wait(id: string, tries: number): void {
    const pauseMs = pausesMs[Math.min(tries, pausesMs.length) - 1] ?? 0;
    if (!stopped) later(id, pauseMs, tries + 1);
  }

  function later(id: string, inMs: number, tries: number): void {
    const cancel = clock.after(inMs, () => run(id, tries));
    pauses.set(id, cancel);
  }

  function run(id: string, tries: number): void {
    pauses.delete(id);
    const work = attempt(id, tries).catch((error: unknown) => {
      // The store could not note the hand-over: the next try repeats the same notice under the same Message-ID.
      log.warn('notice', { outcome: 'temporary', tries }, error);
      wait(id, tries);
    });
    underWay.add(work);
    void work.finally(() => underWay.delete(work));
  }

  return {
    queued(id, inMs) {
      if (stopped) return;
      pauses.get(id)?.();
      if (inMs === undefined) run(id, 1);
      else later(id, inMs, 1);
    },
    async start() {
      for (const { id } of await changes.withQueued(clock.now())) {
        run(id, 1);
      }
    },
    async stop() {
      stopped = true;
      for (const end of pauses.values()) end();
      await Promise.all(underWay);
    },
  };
}
