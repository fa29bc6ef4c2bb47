// The data folder belongs to one process at a time: two on one file would lose each other's writes.
// The claim is a file with the owner's process id; one that a dead process left behind is taken over.

import { link, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Somebody else is using the folder. */
export class FolderInUseError extends Error {
  readonly code = 'DATA_FOLDER_IN_USE';

  constructor(folder: string, pid: number) {
    super(`${folder} is in use by process ${pid}. Stop that one first, or give this one a data.dir of its own.`);
    this.name = 'FolderInUseError';
  }
}

/**
 * Makes the folder (mode 0700) if need be and claims it.
 * @returns a function that gives it back
 * @throws FolderInUseError
 */
export async function claimDataFolder(folder: string): Promise<() => Promise<void>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = join(folder, 'lock');
  const own = join(folder, `lock.${process.pid}`);
  // Written first and linked then: nobody ever reads a claim without its number.
  await writeFile(own, String(process.pid), { mode: 0o600 });
  try {
    while (!(await linkIfFree(own, lock))) {
      const claim = await readClaim(lock);
      if (claim === undefined) continue;
      // Our own number in it was written by an earlier process of the same number, as in a container.
      if (claim.owner !== process.pid && isAlive(claim.owner)) throw new FolderInUseError(folder, claim.owner);
      await moveAside(lock, `${own}.old`, claim.inode);
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(lock, { force: true });
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

/** Who claimed, and in which file; undefined when the claim is gone. */
async function readClaim(lock: string): Promise<{ owner: number; inode: number } | undefined> {
  try {
    const file = await open(lock, 'r');
    try {
      return { inode: (await file.stat()).ino, owner: Number(await file.readFile('utf8')) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Removes the claim of a dead process. Another one may have done so just now and claimed: its file is put back. */
async function moveAside(lock: string, aside: string, inode: number): Promise<void> {
  try {
    await rename(lock, aside);
    if ((await stat(aside)).ino !== inode) await link(aside, lock);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') && !hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}
