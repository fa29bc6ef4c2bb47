// Every queued notice goes into the outbox, and is tried as long as an undo could still help. A notice that cannot be
// delivered is given up: nobody but the owner of the mailbox may get it.

import { type ChangeRecord, confirmChange, dropChange, settleNotice } from '../core/password-change.ts';
import { changeRecordId, deriveUndoCode, findUndoCode } from './challenge-tokens.ts';
import { logTry, type Outbox, type Tried } from './outbox.ts';
import type { ChangeStore, Clock, Directory, DirectoryEvent, Log, MailSender, Secrets } from './ports.ts';

export interface SendNotices {
  /** Sends what a crash or a stop left behind. */
  start(): Promise<void>;
  /** A notice waits: hand it over now, or after `inMs` in place of any other time that was named for it. */
  queued(id: string, inMs?: number): void;
}

/** Makes the worker. */
export function createSendNotices({
  secrets,
  changes,
  sender,
  clock,
  log,
  directory,
  outbox,
}: {
  secrets: Secrets;
  changes: ChangeStore;
  sender: Pick<MailSender, 'sendNotice'>;
  clock: Clock;
  log: Log;
  directory: Pick<Directory, 'tell'>;
  outbox: Pick<Outbox, 'add'>;
}): SendNotices {
  const settle = (id: string, how: (record: ChangeRecord) => ChangeRecord) =>
    changes.transact(id, clock.now(), (current) => ({ next: current && how(current), result: undefined }));
  const tell = (kind: DirectoryEvent['kind'], { accountId, changeId }: ChangeRecord) =>
    directory.tell?.({ kind, accountId, changeId, at: clock.now() });

  function errandOf(id: string): (tries: number) => Promise<Tried> {
    // What a store that fails could not note down. It must not be sent a second time for that.
    let sent: 'handed-over' | 'failed' | undefined;
    let notTaken: ChangeRecord | undefined;

    return async (tries) => {
      const record = await changes.transact(id, clock.now(), (current) => {
        const next = current && confirmChange(current);
        return { next, result: next };
      });
      if (record === undefined && notTaken !== undefined) tell('notice-failed', notTaken); // its time is over
      if (record?.notice !== 'queued') return 'over';
      const undoCode = findUndoCode(secrets, record);
      if (undoCode === undefined) return rename(record);
      if (sent === undefined) {
        const startedAt = clock.now();
        const result = await sender.sendNotice({ ...record, to: record.mailbox, id: record.changeId, undoCode });
        logTry(log, 'notice', result, { tries, durationMs: clock.now() - startedAt });
        notTaken = record;
        if (result.kind === 'away') return 'away';
        if (result.kind === 'temporary') return 'again';
        notTaken = undefined;
        sent = result.kind === 'permanent' ? 'failed' : 'handed-over';
      }
      const notice = sent;
      await settle(id, (current) => settleNotice(current, notice));
      tell(notice === 'failed' ? 'notice-failed' : 'notice-sent', record);
      return 'done';
    };
  }

  /** Written down under a key that is gone: the code that its notice will hold must name it. */
  async function rename(record: ChangeRecord): Promise<Tried> {
    const id = changeRecordId(secrets, deriveUndoCode(secrets, record.changeId));
    await changes.transact(id, clock.now(), () => ({ next: { ...record, id }, result: undefined }));
    await settle(record.id, dropChange);
    queued(id);
    return 'over';
  }

  function queued(id: string, inMs?: number): void {
    outbox.add({ key: `notice ${id}`, event: 'notice', attempt: errandOf(id) }, inMs);
  }

  return {
    queued,
    async start() {
      for (const { id } of await changes.withQueued(clock.now())) queued(id);
    },
  };
}
