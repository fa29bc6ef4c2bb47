// Looks at this machine: the data folder, the running service's limit of open files, whether a time service keeps the clock.

import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FolderFacts } from '../../core/host-checks.ts';

/** @param secrets names in the folder that nobody else may read */
export async function lookAtFolder(folder: string, secrets: readonly string[]): Promise<FolderFacts> {
  try {
    const { uid } = await stat(folder);
    const paths = [folder, ...secrets.map((name) => join(folder, name))];
    const modes = await Promise.all(paths.map((path) => modeOf(path)));
    const { bavail, bsize } = await statfs(folder);
    const isWritable = await access(folder, constants.W_OK).then(
      () => true,
      () => false,
    );
    const openToOthers = paths.filter((_, index) => ((modes[index] ?? 0) & 0o077) !== 0);
    return { kind: 'there', isOwn: uid === process.getuid?.(), isWritable, openToOthers, freeBytes: bavail * bsize };
  } catch (error) {
    const code = String(Object(error).code);
    return code === 'ENOENT' ? { kind: 'missing' } : { kind: 'failed', code };
  }
}

/** Undefined when it is not there. */
async function modeOf(path: string): Promise<number | undefined> {
  const facts = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  return facts?.mode;
}

/** Of a process that runs, as Linux tells it; undefined when it cannot be seen. */
export async function openFilesLimitOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** What systemd knows of the kernel's clock; undefined where there is no systemd to ask. */
export async function isClockSynchronized(): Promise<boolean | undefined> {
  const args = ['show', '--property=NTPSynchronized', '--value'];
  const said = await promisify(execFile)('timedatectl', args, { timeout: 3_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  );
  return said === 'yes' ? true : said === 'no' ? false : undefined;
}
