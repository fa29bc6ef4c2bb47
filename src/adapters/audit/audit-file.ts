// The audit: one JSON line per event at the end of a file, which is never read here and whose lines are never changed.
// It is opened anew for each batch of lines, so whoever rotates logs may rename or remove it at any time. Nobody waits for it:
// when the disk does not take a line, people are served all the same, the log tells it once, and the lines wait in memory.

import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Audit, AuditEvent, Clock, Log } from '../../app/ports.ts';
import { type Mailbox, parseMailbox } from '../../core/mail-address.ts';

export interface AuditFileOptions {
  /** How mailboxes are told: as they are, not at all, or as what the function makes of them. */
  readonly mailboxes: 'clear' | 'off' | ((mailbox: Mailbox) => string);
  readonly clock: Clock;
  readonly log: Log;
}

export interface AuditFile extends Audit {
  /** Writes what is left. Nothing may be noted afterwards. @throws Error when the disk does not take it */
  close(): Promise<void>;
}

// Names of domains have at most 253 characters; what is longer was made to be.
const textLengthMax = 255;
/** Lines that wait for a disk; some 5 MiB. */
const waitingMax = 10_000;
const againMs = 10_000;
/** Opening, syncing and closing costs the same for one line and for a hundred: at most so often. */
const batchesApartMs = 200;

/** Begins to write at the end of a file, which is made (mode 0600) with the first line. */
export function openAuditFile(path: string, { mailboxes, clock, log }: AuditFileOptions): AuditFile {
  let waiting: string[] = [];
  let lost = 0;
  let inTrouble = false;
  let writing: Promise<void> | undefined;
  const closing = new AbortController();
  let cancel = () => {};

  /** Writes all that waits, and what comes meanwhile or soon after, until the disk refuses. */
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      const missing = lost;
      const lines =
        missing === 0 ? batch : [...batch, lineOf({ event: 'lines-lost', at: clock.now(), count: missing })];
      waiting = [];
      try {
        await append(path, Buffer.from(lines.join(''), 'latin1'));
      } catch (error) {
        const all = [...batch, ...waiting];
        waiting = all.slice(0, waitingMax);
        lost += all.length - waiting.length;
        if (!inTrouble) log.error('audit', { outcome: 'not-written' }, error);
        inTrouble = true;
        return;
      }
      lost -= missing;
      if (inTrouble) log.info('audit', { outcome: 'written-again', lost: missing });
      inTrouble = false;
      await pause(batchesApartMs, undefined, { ref: false, signal: closing.signal }).catch(() => {});
    }
  }

  function begin(): void {
    writing ??= writeAll().finally(() => {
      writing = undefined;
      if (inTrouble) cancel = clock.after(againMs, begin);
    });
  }

  return {
    note(event) {
      if (waiting.length < waitingMax) waiting.push(lineOf(factsOf(event, mailboxes)));
      else lost += 1;
      // While there is trouble the next try is due already; a flood must not make it one try for each line.
      if (!inTrouble) begin();
    },
    async close() {
      closing.abort();
      await writing;
      cancel();
      begin();
      await writing;
      cancel();
      if (waiting.length > 0) throw new Error(`${waiting.length + lost} lines of ${path} could not be written.`);
    },
  };
}

/** The event with its mailbox as the operator wants it. A name that is a mail address is one. */
function factsOf({ ...facts }: AuditEvent, mailboxes: AuditFileOptions['mailboxes']): Record<string, unknown> & Stamp {
  const { mailbox, ...told }: Record<string, unknown> & Stamp & { mailbox?: Mailbox } = facts;
  if (mailbox !== undefined && mailboxes === 'clear') told.mailbox = mailbox;
  else if (mailbox !== undefined && typeof mailboxes === 'function') told.mailboxDigest = mailboxes(mailbox);
  if (mailboxes !== 'clear' && 'account' in facts && parseMailbox(facts.account.name) !== undefined)
    told.account = { id: facts.account.id };
  return told;
}

interface Stamp {
  readonly event: string;
  readonly at: number;
}

/** Printable ASCII and a line feed: what strangers wrote must not reach a terminal as anything else. */
function lineOf({ event, at, ...facts }: Record<string, unknown> & Stamp): string {
  const bounded = (_key: string, value: unknown) => (typeof value === 'string' ? value.slice(0, textLengthMax) : value);
  const json = JSON.stringify({ at: new Date(at).toISOString(), event, ...facts }, bounded);
  // By code units, as JSON has it.
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `${json.replace(/[^ -~]/g, escaped)}\n`;
}

/** Appends lines, all of them or none, and on a line of their own whatever a crash left behind. */
async function append(path: string, lines: Buffer): Promise<void> {
  const file = await open(path, 'a+', 0o600);
  try {
    const { size } = await file.stat();
    try {
      await appendAll(file, (await endsInLine(file, size)) ? lines : Buffer.concat([Buffer.from('\n'), lines]));
      await file.datasync();
      if (size === 0) await syncFolder(path);
    } catch (error) {
      // Half of it may stand there, for a disk that is full takes the first bytes; all of it will be written again.
      await file.truncate(size).catch(() => {});
      throw error;
    }
  } finally {
    await file.close();
  }
}

async function endsInLine(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

async function appendAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
}

/** A new name is on disk only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
