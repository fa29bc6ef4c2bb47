// Where the master secret comes from: a file of its own (made at the first start), the environment, or memory only.
// A file that others can read, or that is not ours, stops the start: a leaked key mints addresses.

import { randomBytes } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** How the secret is kept. `env` comes with the secret itself, base64url, checked by the settings. */
export interface MasterSecretOptions {
  readonly source: 'file' | 'env' | 'ephemeral';
  readonly secret: string | null;
  /** Folder for the file; it exists. */
  readonly folder: string;
}

const keyFile = z.strictObject({
  version: z.literal(1),
  keys: z.tuple([z.strictObject({ id: z.string(), createdAt: z.iso.datetime(), secret: z.base64url().length(43) })]),
});

/** @throws Error, with the place and the remedy but never the key, when the file cannot be used */
export async function loadMasterSecret({ source, secret, folder }: MasterSecretOptions): Promise<Uint8Array> {
  if (source === 'ephemeral') return randomBytes(32);
  if (source === 'env') return Buffer.from(secret ?? '', 'base64url');
  const path = join(folder, 'keys.json');
  await createOnce(path);
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new Error(`${path} can be read by others (mode ${mode.toString(8)}). Run: chmod 600 ${path}`);
  }
  const parsed = keyFile.safeParse(parseJson(await readFile(path, 'utf8')));
  if (!parsed.success) {
    throw new Error(
      `${path} is damaged. Put back a good copy, or move it away: pages that are open now must start again.`,
    );
  }
  return Buffer.from(parsed.data.keys[0].secret, 'base64url');
}

/** Makes the file when there is none. Two processes that start at once end up with the same file: `wx` lets one win. */
async function createOnce(path: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    return undefined;
  });
  if (file === undefined) return;
  const key = { id: randomBytes(4).toString('hex'), createdAt: new Date().toISOString() };
  const content = { version: 1, keys: [{ ...key, secret: randomBytes(32).toString('base64url') }] };
  try {
    await file.writeFile(`${JSON.stringify(content, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
