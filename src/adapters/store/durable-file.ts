// A lowdb adapter whose write is on disk when it resolves: temporary file, fsync, rename, fsync of the folder, mode 0600.
// lowdb's own adapter does not sync and writes with mode 0644. A reader sees the old file or the new one, never a half.

import { open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Adapter } from 'lowdb';

/** How data is put into words, and read from them. */
export interface FileFormat {
  readonly write?: (data: unknown) => string;
  /** Throws SyntaxError when the words are none of `write`. */
  readonly read?: (text: string) => unknown;
}

/** Reads and writes one file, JSON unless told otherwise. `read` gives null when there is none. */
export class DurableFile implements Adapter<unknown> {
  readonly #path: string;
  readonly #format: FileFormat;

  constructor(path: string, format: FileFormat = {}) {
    this.#path = path;
    this.#format = format;
  }

  async read(): Promise<unknown> {
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    });
    const { read = JSON.parse } = this.#format;
    return text === undefined ? null : read(text);
  }

  async write(data: unknown): Promise<void> {
    const { write = JSON.stringify } = this.#format;
    const temporary = `${this.#path}${leftoverEnd}`;
    try {
      await writeSynced(temporary, write(data));
      await rename(temporary, this.#path);
    } catch (error) {
      await unlink(temporary).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    // The rename itself is on disk only when the folder is.
    await syncFolder(dirname(this.#path));
  }
}

const leftoverEnd = '.tmp';

/** Removes what a crash left half written: nobody was told of it, and it may hold mail addresses. For the owner only. */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder);
  const leftovers = names.filter((name) => name.endsWith(leftoverEnd));
  await Promise.all(leftovers.map((name) => unlink(join(folder, name)).catch(() => {})));
}

/** Names that came and went in a folder are on disk when it resolves. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Always into a new file: one that something else left behind has the mode that it had. */
async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    await unlink(path);
    return open(path, 'wx', 0o600);
  });
  try {
    await file.writeFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}
