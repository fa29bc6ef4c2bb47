// The files under the embedded store: numbered segments in a folder of their own, each a durable file whose first line is
// the checksum of the second. A segment is renamed into its place whole, so a crash tears nothing; what is damaged
// afterwards, by a disk or by a hand, is noticed when it is read.

import { mkdir, readdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Adapter } from 'lowdb';
import { DurableFile, removeLeftovers, syncFolder } from './durable-file.ts';

/** Where segments are kept. Numbers grow; a later segment was begun later. */
export interface SegmentFiles {
  /** How an operator finds them, for messages. */
  readonly place: string;
  /** The numbers of those that are there, in any order. */
  list(): Promise<readonly number[]>;
  /** `read` gives null when there is none and throws SyntaxError when it is damaged; `write` is on disk when it resolves. */
  file(number: number): Adapter<unknown>;
  /** Gone for good when it resolves; nothing happens when it is not there. */
  remove(number: number): Promise<void>;
}

// What the store was before it had segments: the oldest of them.
const beforeSegments = 0;
const named = /^([1-9]\d{0,14})\.json$/;

/**
 * The segments of one store. Nothing is made or changed by reading, so that a command may look beside a running service.
 * @param folder  of their own
 * @param oldFile where the store was kept in one file by earlier versions
 */
export function segmentFiles(folder: string, oldFile: string): SegmentFiles {
  const pathOf = (number: number) => (number === beforeSegments ? oldFile : join(folder, `${number}.json`));
  return {
    place: folder,
    async list() {
      const names = await readdir(folder).catch(emptyWhenMissing);
      const numbers = names.flatMap((name) => named.exec(name)?.[1] ?? []).map(Number);
      return [beforeSegments, ...numbers];
    },
    file: (number) =>
      new DurableFile(pathOf(number), number === beforeSegments ? {} : { write: withChecksum, read: checked }),
    async remove(number) {
      await unlink(pathOf(number)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    },
  };
}

/** Makes the folder, mode 0700, and removes what a crash left half written. For the owner of the data folder only. */
export async function prepareSegments(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(folder));
  await removeLeftovers(folder);
}

function emptyWhenMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}

const checksumOf = (text: string) => crc32(text).toString(16).padStart(8, '0');

function withChecksum(data: unknown): string {
  const text = JSON.stringify(data);
  return `${checksumOf(text)}\n${text}`;
}

function checked(file: string): unknown {
  const text = file.slice(9);
  if (file.slice(0, 9) !== `${checksumOf(text)}\n`) throw new SyntaxError('the checksum is another');
  return JSON.parse(text);
}
