// Keys that a test knows.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Keyring, keyOf, readKeyring } from '../../src/adapters/system/keyring.ts';

/** The keys with these secrets, the newest first. */
export function ringOf(...secrets: readonly Uint8Array[]): Keyring {
  return { keys: secrets.map(keyOf) };
}

/** The keys that a service keeps in its data folder. */
export function keysIn(dataDir: string): Promise<Keyring> {
  return readKeyring({ source: 'file', secret: [], folder: dataDir });
}

/** The file, as it is. */
export function keyFile(dataDir: string): Promise<string> {
  return readFile(join(dataDir, 'keys.json'), 'utf8');
}
