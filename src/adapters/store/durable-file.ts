// A lowdb adapter whose write is on disk when it resolves: temporary file, fsync, rename, fsync of the folder, mode 0600.
// lowdb's own adapter does not sync and writes with mode 0644. A reader sees the old file or the new one, never a half.

import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Adapter } from 'lowdb';

/** Reads and writes one JSON file. `read` gives null when there is none and throws when it is no JSON. */
export class DurableFile implements Adapter<unknown> {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Removes what a crash left half written: nobody was told of it, and it may hold mail addresses. For the owner only. */
  async removeLeftover(): Promise<void> {
    await unlink(`${this.#path}.tmp`).catch(() => {});
  }

  async read(): Promise<unknown> {
    const text = await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return undefined;
    });
    return text === undefined ? null : JSON.parse(text);
  }

  async write(data: unknown): Promise<void> {
    const temporary = `${this.#path}.tmp`;
    try {
      await writeSynced(temporary, JSON.stringify(data));
      await rename(temporary, this.#path);
    } catch (error) {
      await unlink(temporary).catch(() => {}); // the first error is the one to tell
      throw error;
    }
    // The rename itself is on disk only when the folder is.
    const folder = await open(dirname(this.#path), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.chmod(0o600); // a file that a crash of something else left behind has the mode it had
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
