// An undo code is typed, on a page that anybody can open: 80 bits, so that nobody guesses one. The directory decides, in
// one step, whether it is in time and whether it was the latest change; a wrong code hears no reason.

import { canBeUndone } from '../core/password-change.ts';
import { refuse } from '../core/refusal.ts';
import { parseUndoCode } from '../core/undo-code.ts';
import { changeRecordId } from './challenge-tokens.ts';
import type { Audit, ChangeStore, Clock, Directory, Secrets, UndoChange } from './ports.ts';

/** Makes the use case. */
export function createUndoChange({
  secrets,
  changes,
  clock,
  directory,
  audit,
}: {
  secrets: Secrets;
  changes: ChangeStore;
  clock: Clock;
  directory: Directory;
  audit: Audit;
}): UndoChange {
  return async (typed, { remoteAddress, clientHint }) => {
    const now = clock.now();
    const code = parseUndoCode(typed ?? '');
    const record = code === undefined ? undefined : await changes.read(changeRecordId(secrets, code), now);
    if (!canBeUndone(record, now)) return refuse('undo-code-wrong');
    const outcome = await directory.revertPassword(record.accountId, record.changeId, now);
    if (outcome !== 'done') return refuse('undo-not-needed');
    const account = { id: record.accountId, name: record.accountName };
    const facts = { at: now, mailbox: record.mailbox, account, remoteAddress, clientHint };
    audit.note({ event: 'change-undone', ...facts });
    audit.note({ event: 'account-frozen', ...facts });
    // For the record only: the directory does it once. A disk that is full now must not say that it was not done.
    await changes
      .transact(record.id, now, (current) => ({ next: current && { ...current, state: 'undone' }, result: undefined }))
      .catch(() => {});
    return { kind: 'undone' };
  };
}
