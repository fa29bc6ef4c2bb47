// A password that was set here: what its notice has to tell, and for how long and by what it can be undone.
// Pure, as core/challenge.ts is; the undo code itself never gets in here, only the digest that names the record.
//
//   state     event                           next      effect
//   setting   the directory has done it       done      send-notice
//   setting   the directory has not           dropped   -
//   setting   a start: nobody knows           done      send-notice   (a false alarm is better than none)
//   done      undone by the directory         undone    -
//
// Whether an undo is done is decided by the directory, in one step: of two that come at once, one is.

import type { ClientHint } from './client-hint.ts';
import type { Locale } from './locale.ts';
import type { Mailbox } from './mail-address.ts';
import type { PasswordPurpose } from './purpose.ts';

/** One change. Kept until it cannot be undone any more. */
export interface ChangeRecord {
  /** Digest of the undo code, 20 hexadecimal digits. */
  readonly id: string;
  /** Names the change to the directory, 32 hexadecimal digits. With the key, the undo code is derived from it. */
  readonly changeId: string;
  /** For the words of the notice. */
  readonly purpose: PasswordPurpose;
  readonly accountId: string;
  /** For the notice: as the directory called it. */
  readonly accountName: string;
  /** Where the notice goes: the mailbox that was proved. */
  readonly mailbox: Mailbox;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly undoUntil: number;
  readonly locale: Locale;
  readonly clientHint: ClientHint;
  readonly state: 'setting' | 'done' | 'undone';
  /** While it is `queued`, this is the outbox row. */
  readonly notice: 'none' | 'queued' | 'handed-over' | 'failed';
}

/** The directory has done it: the notice goes out. */
export function confirmChange(record: ChangeRecord): ChangeRecord {
  return record.state === 'setting' ? { ...record, state: 'done', notice: 'queued' } : record;
}

/** The notice was handed over, or given up for good. */
export function settleNotice(record: ChangeRecord, notice: 'handed-over' | 'failed'): ChangeRecord {
  return record.notice === 'queued' ? { ...record, notice } : record;
}

/** The directory has not done it: the record is of no use to anybody. */
export function dropChange(record: ChangeRecord): ChangeRecord {
  return { ...record, undoUntil: 0 };
}

/** Whether its undo code is worth asking the directory for. */
export function canBeUndone(record: ChangeRecord | undefined, now: number): record is ChangeRecord {
  return record !== undefined && record.state !== 'setting' && now < record.undoUntil;
}
