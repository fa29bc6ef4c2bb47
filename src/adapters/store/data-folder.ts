// The data folder belongs to one process at a time: two on one file would lose each other's writes.
// The claim is a Unix socket in the folder that its owner listens on. A process number would not do: after a power cut it
// belongs to somebody else, and in two containers the same number is two processes. A socket dies with its owner.

import { randomBytes } from 'node:crypto';
import { link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** Somebody else is using the folder. */
export class FolderInUseError extends Error {
  readonly code = 'DATA_FOLDER_IN_USE';
  /** `process 4711`, or that it does not answer. */
  readonly owner: string;

  constructor(folder: string, owner: string) {
    super(`${folder} is in use by ${owner}. Stop that one first, or give this one a data.dir of its own.`);
    this.name = 'FolderInUseError';
    this.owner = owner;
  }
}

// unix(7): a path has at most 107 octets.
const pathMax = 107;
const answerTimeoutMs = 1_000;

/**
 * Makes the folder (mode 0700) if need be and claims it.
 * @returns a function that gives it back
 * @throws FolderInUseError, or Error when the path is too long for a socket
 */
export async function claimDataFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, 'lock');
  const own = join(folder, `lock.${randomBytes(4).toString('hex')}`);
  if (Buffer.byteLength(own) > pathMax) throw new Error(`${folder} is too long a path for data.dir: at most 90 bytes.`);
  const server = await listen(own);
  try {
    while (!(await linkIfFree(own, lock))) {
      const inode = (await stat(lock).catch(() => undefined))?.ino;
      const owner = await ask(lock);
      if (owner !== undefined) throw new FolderInUseError(folder, owner);
      if (inode !== undefined && (await takeOver(own, lock, inode))) break;
    }
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(own, { force: true });
  }
  return async () => {
    await rm(lock, { force: true });
    server.close();
  };
}

/**
 * Puts our claim in the place of a dead one, in one step: there is never a moment without a claim that a third one could
 * use. Only whoever marks the dead claim, by its inode, may do so. @returns false: look again
 */
async function takeOver(own: string, lock: string, inode: number): Promise<boolean> {
  const mark = `${lock}.${inode}`;
  if (!(await linkIfFree(own, mark))) {
    if ((await ask(mark)) === undefined) await rm(mark, { force: true }); // its maker died over it
    return false;
  }
  try {
    const current = await stat(lock).catch(() => undefined);
    if (current?.ino !== inode || (await ask(lock)) !== undefined) return false;
    await link(own, `${own}.new`);
    await rename(`${own}.new`, lock);
    return true;
  } finally {
    await rm(mark, { force: true });
  }
}

/** Listens under a name of its own and tells whoever asks the number of this process. */
function listen(path: string): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(String(process.pid));
  });
  server.unref();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

/** Who has claimed the folder: `process 4711`; undefined when nobody has. */
export function ownerOfFolder(folder: string): Promise<string | undefined> {
  return ask(join(folder, 'lock'));
}

/** Who listens there; undefined when nobody does any more. One that does not answer is there all the same. */
function ask(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let answer = '';
    socket.setTimeout(answerTimeoutMs, () => socket.destroy());
    socket.on('connect', () => {
      answer ||= 'a process that does not answer';
    });
    socket.on('data', (text) => {
      answer = `process ${text.toString().slice(0, 20)}`;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer === '' ? undefined : answer));
  });
}

async function linkIfFree(own: string, lock: string): Promise<boolean> {
  try {
    await link(own, lock);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
