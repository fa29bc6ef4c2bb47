// The files under the embedded store: numbered segments in a folder of their own. A segment is a journal: each write adds a
// line with its own checksum, and is on disk when it resolves. A crash may leave half a line at the end, of which nobody was
// told: it is not read. A damaged line with others after it is noticed.

import { closeSync, constants, openSync, write } from 'node:fs';
import { mkdir, open, readdir, readFile, stat, truncate, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import type { Adapter } from 'lowdb';
import { removeLeftovers, syncFolder } from './durable-file.ts';

/** Where segments are kept. Numbers grow; a later segment was begun later. */
export interface SegmentFiles {
  /** How an operator finds them, for messages. */
  readonly place: string;
  /** The numbers of those that are there, in any order. */
  list(): Promise<readonly number[]>;
  /**
   * `read` gives all that was written, oldest first, null when there is no such segment, and throws SyntaxError when it is
   * damaged; `write` adds to a segment that this process began, and is on disk when it resolves. One at a time.
   */
  file(number: number): Adapter<unknown>;
  /** Gone for good when it resolves; nothing happens when it is not there. */
  remove(number: number): Promise<void>;
}

const writeAsync = promisify(write);

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
      const names = (await readdir(folder).catch(undefinedWhenMissing)) ?? [];
      const numbers = names.flatMap((name) => named.exec(name)?.[1] ?? []).map(Number);
      const before = await stat(oldFile).catch(undefinedWhenMissing);
      return before === undefined ? numbers : [beforeSegments, ...numbers];
    },
    file: (number) => new SegmentFile(pathOf(number), number === beforeSegments ? wholeFile : journal),
    async remove(number) {
      const path = pathOf(number);
      await unlink(path).catch(undefinedWhenMissing);
      // Else a crash could bring it back, and not what was removed after it.
      await syncFolder(dirname(path)).catch(undefinedWhenMissing);
    },
  };
}

class SegmentFile implements Adapter<unknown> {
  readonly #path: string;
  readonly #parse: (text: string) => unknown[];
  /** What of it is on disk, in octets. */
  #size = 0;

  constructor(path: string, parse: (text: string) => unknown[]) {
    this.#path = path;
    this.#parse = parse;
  }

  async read(): Promise<unknown> {
    const text = await readFile(this.#path, 'utf8').catch(undefinedWhenMissing);
    return text === undefined ? null : this.#parse(text);
  }

  async write(data: unknown): Promise<void> {
    const line = Buffer.from(lineOf(data));
    if (this.#size === 0) await (await open(this.#path, 'wx', 0o600)).close();
    // Opened anew each time: a folder that was moved away is noticed at once. To open what is there waits for no disk, and to
    // have a thread do it would cost three times as much.
    const file = openSync(this.#path, constants.O_WRONLY | constants.O_DSYNC | constants.O_APPEND);
    try {
      const { bytesWritten } = await writeAsync(file, line);
      // A disk that is full takes the first octets.
      if (bytesWritten < line.length) throw new Error('the line was not written whole');
      if (this.#size === 0) await syncFolder(dirname(this.#path));
    } catch (error) {
      // Nobody will be told of what stands there. If it stays, it is the last line, and read by nobody or true in itself.
      await (this.#size === 0 ? unlink(this.#path) : truncate(this.#path, this.#size)).catch(() => {});
      throw error;
    } finally {
      closeSync(file);
    }
    this.#size += line.length;
  }
}

/** Makes the folder, mode 0700, and removes what a crash left half written. For the owner of the data folder only. */
export async function prepareSegments(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncFolder(dirname(folder));
  await removeLeftovers(folder);
}

function undefinedWhenMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

const checksumOf = (text: string) => crc32(text).toString(16).padStart(8, '0');

function lineOf(data: unknown): string {
  const text = JSON.stringify(data);
  return `${checksumOf(text)} ${text}\n`;
}

const wholeFile = (text: string): unknown[] => [JSON.parse(text)];

function journal(text: string): unknown[] {
  // Earlier versions wrote a segment as a whole: the checksum of all that follows on a line of its own.
  if (text[8] === '\n') return [checked(text, '\n')];
  const lines = text.split('\n');
  lines.pop(); // what comes after the last line end is nothing, or half a line
  return lines.flatMap((line, at) => {
    try {
      return [checked(line, ' ')];
    } catch (error) {
      // The disk may have got the end of the last line and not its beginning.
      if (at === lines.length - 1) return [];
      throw error;
    }
  });
}

function checked(text: string, separator: string): unknown {
  const json = text.slice(9);
  if (text.slice(0, 9) !== `${checksumOf(json)}${separator}`) throw new SyntaxError('the checksum is another');
  return JSON.parse(json);
}
