// The master keys: in a file of their own (made at the first start, changed by rotation), in the environment, or in memory
// only. A file that others can read, or that is not ours, stops the start: a leaked key mints addresses.
// When a key is made and when it may go is decided in app/rotate-keys.ts.

import { hash, randomBytes } from 'node:crypto';
import { link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DependencyError, type KeyChain } from '../../app/ports.ts';

/** A master key. */
export interface MasterKey {
  /** Names it, and says nothing about it. */
  readonly id: string;
  /** Milliseconds since the epoch; 0: that is not known. */
  readonly createdAt: number;
  /** At least 32 random bytes; never logged, never part of an error. */
  readonly secret: Uint8Array;
}

/** The keys as they are just now, the newest first; there is at least one. */
export interface Keyring {
  readonly keys: readonly MasterKey[];
}

/** Where the keys are. `env` comes with the secrets themselves, base64url, checked by the settings. */
export interface KeyringOptions {
  readonly source: 'file' | 'env' | 'ephemeral';
  readonly secret: readonly string[];
  /** Folder for the file; it exists. */
  readonly folder: string;
  /** Who must own the file; this process where nothing is said. */
  readonly uid?: number | undefined;
}

/** Writes the file whole: it is on disk when it resolves, and as it was before when it rejects. */
type Save = (content: unknown) => Promise<void>;

const keyFile = z
  .strictObject({
    // 1: one key, and the same in all else.
    version: z.literal([1, 2]),
    keys: z
      .array(z.strictObject({ id: z.string(), createdAt: z.iso.datetime(), secret: z.base64url().length(43) }))
      .min(1)
      .max(16),
  })
  .refine(({ version, keys }) => version === 2 || keys.length === 1)
  .refine(({ keys }) => new Set(keys.map(({ id }) => id)).size === keys.length);

/** Where the file is, for whoever brings what writes it. */
export function keyPath(folder: string): string {
  return join(folder, 'keys.json');
}

/** A key that somebody else keeps: the same bytes have the same name everywhere. */
export function keyOf(secret: Uint8Array): MasterKey {
  return {
    id: hash('sha256', Buffer.concat([Buffer.from('reply-to-verify/1/id'), secret])).slice(0, 8),
    createdAt: 0,
    secret,
  };
}

/**
 * The keys, for whoever has claimed the folder; makes the first one.
 * @throws Error, with the place and the remedy but never a key, when the file cannot be used
 */
export async function openKeyring(options: KeyringOptions, now: number, save: Save): Promise<Keyring & KeyChain> {
  const { source, folder } = options;
  if (source === 'ephemeral') return changeable([freshKey(now)], async () => {});
  if (source === 'file') await createOnce(keyPath(folder), now);
  const { keys } = await readKeyring(options);
  return source === 'env' ? { keys, change: undefined } : changeable(keys, save);
}

/**
 * The keys that a service uses, for whoever works beside it. Makes nothing.
 * @throws Error as `openKeyring`, and when there is no key that could be read
 */
export async function readKeyring(options: KeyringOptions): Promise<Keyring> {
  const { source, secret, folder, uid = process.getuid?.() } = options;
  if (source === 'env') return { keys: secret.map((each) => keyOf(Buffer.from(each, 'base64url'))) };
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
  return {
    keys: parsed.data.keys.map(({ id, createdAt, secret: text }) => ({
      id,
      createdAt: Date.parse(createdAt),
      secret: Buffer.from(text, 'base64url'),
    })),
  };
}

/** Keys that are rotated here. What is not on disk is not in force. */
function changeable(first: readonly MasterKey[], save: Save): Keyring & KeyChain {
  let keys = first;
  const replace = async (next: readonly MasterKey[]) => {
    await save(contentOf(next)).catch((cause: unknown) => {
      throw new DependencyError('store', 'the keys could not be written', { cause });
    });
    keys = next;
  };
  return {
    get keys() {
      return keys;
    },
    change: {
      add: (now) => replace([freshKey(now), ...keys]),
      drop: (ids) => replace(keys.filter(({ id }, at) => at === 0 || !ids.includes(id))),
    },
  };
}

function freshKey(now: number): MasterKey {
  return { id: randomBytes(4).toString('hex'), createdAt: now, secret: randomBytes(32) };
}

function contentOf(keys: readonly MasterKey[]) {
  return {
    version: 2,
    keys: keys.map(({ id, createdAt, secret }) => ({
      id,
      createdAt: new Date(createdAt).toISOString(),
      secret: Buffer.from(secret).toString('base64url'),
    })),
  };
}

/** As people read it, who may have to. */
export function writtenKeys(content: unknown): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
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
async function createOnce(path: string, now: number): Promise<void> {
  if (await stat(path).catch(() => undefined)) return;
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(writtenKeys(contentOf([freshKey(now)])));
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
