// Where the master secret comes from: a file of its own (made at the first start), the environment, or memory only.
// A file that others can read, or that is not ours, stops the start: a leaked key mints addresses.

import { randomBytes } from 'node:crypto';
import { link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** How the secret is kept. `env` comes with the secret itself, base64url, checked by the settings. */
export interface MasterSecretOptions {
  readonly source: 'file' | 'env' | 'ephemeral';
  readonly secret: string | null;
  /** Folder for the file; it exists. */
  readonly folder: string;
  /** Who must own the file; this process where nothing is said. */
  readonly uid?: number | undefined;
}

const keyFile = z.strictObject({
  version: z.literal(1),
  keys: z.tuple([z.strictObject({ id: z.string(), createdAt: z.iso.datetime(), secret: z.base64url().length(43) })]),
});

/**
 * The secret; a new one when there is none yet.
 * @throws Error, with the place and the remedy but never the key, when the file cannot be used
 */
export async function loadMasterSecret(options: MasterSecretOptions): Promise<Uint8Array> {
  if (options.source === 'ephemeral') return randomBytes(32);
  if (options.source === 'file') await createOnce(keyPath(options.folder));
  return readMasterSecret(options);
}

/**
 * The secret that a service uses, for whoever works beside it. Makes nothing.
 * @throws Error as `loadMasterSecret`, and when there is no secret that could be read
 */
export async function readMasterSecret(options: MasterSecretOptions): Promise<Uint8Array> {
  const { source, secret, folder, uid = process.getuid?.() } = options;
  if (source === 'env') return Buffer.from(secret ?? '', 'base64url');
  if (source === 'ephemeral') {
    throw new Error('keys.source is ephemeral: the key is in the memory of the running service and nowhere else.');
  }
  const path = keyPath(folder);
  const file = await stat(path).catch(explainMissing);
  if (uid !== undefined && file.uid !== uid) {
    throw new Error(`${path} belongs to somebody else, who can read it. Run as its owner, or: chown ${uid} ${path}`);
  }
  const mode = file.mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new Error(`${path} can be read by others (mode ${mode.toString(8)}). Run: chmod 600 ${path}`);
  }
  const parsed = keyFile.safeParse(parseJson(await readFile(path, 'utf8').catch(explainMissing)));
  if (!parsed.success) {
    throw new Error(
      `${path} is damaged. Put back a good copy, or move it away: pages that are open now must start again.`,
    );
  }
  return Buffer.from(parsed.data.keys[0].secret, 'base64url');
}

function keyPath(folder: string): string {
  return join(folder, 'keys.json');
}

/** Says what to do; everything else about a file speaks for itself. */
function explainMissing(error: NodeJS.ErrnoException): never {
  if (error.code === 'ENOENT') {
    throw new Error(`${error.path} was not found. Check data.dir; the service makes the key at its first start.`);
  }
  if (error.code === 'EACCES') {
    throw new Error(`${error.path} may not be read by this user. Be the user that the service runs as.`);
  }
  throw error;
}

/**
 * Makes the file when there is none: written under another name first, so that a crash leaves no half of it. Two
 * processes that start at once end up with the same file, because only one of them can link.
 */
async function createOnce(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return;
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  const key = { id: randomBytes(4).toString('hex'), createdAt: new Date().toISOString() };
  const content = { version: 1, keys: [{ ...key, secret: randomBytes(32).toString('base64url') }] };
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
    await file.sync();
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await file.close();
    await unlink(temporary);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
