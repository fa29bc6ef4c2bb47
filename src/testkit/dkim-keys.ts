// The DKIM keys of the test identities: made once, kept in a file so that `npm start` finds them again, or in memory.
// Serves RFC 6376 §3.6.1 (key records) and RFC 8463 (Ed25519). Keys of a test domain, worth nothing outside.

import { createPrivateKey, createPublicKey, generateKeyPair, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Zone } from './zone.ts';

export type DkimAlgorithm = 'rsa' | 'ed25519';

/** Private keys in PEM. */
export type DkimKeys = Readonly<Record<DkimAlgorithm, string>>;

/** The selector (s=) of each key. */
export const selectors: Readonly<Record<DkimAlgorithm, string>> = { rsa: 'test-rsa', ed25519: 'test-ed25519' };

const generate = promisify(generateKeyPair);

async function makeKeys(): Promise<DkimKeys> {
  const [rsa, ed25519] = await Promise.all([generate('rsa', { modulusLength: 2048 }), generate('ed25519')]);
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  return { rsa: rsa.privateKey.export(pem).toString(), ed25519: ed25519.privateKey.export(pem).toString() };
}

// The file may be torn, empty or something else altogether: whatever is not two good keys is no keys.
function parseKeys(text: string): DkimKeys | undefined {
  try {
    const { rsa, ed25519 }: { rsa?: unknown; ed25519?: unknown } = JSON.parse(text);
    if (typeof rsa !== 'string' || typeof ed25519 !== 'string') return undefined;
    const rsaKey = createPrivateKey(rsa);
    const good =
      rsaKey.asymmetricKeyType === 'rsa' &&
      (rsaKey.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 &&
      createPrivateKey(ed25519).asymmetricKeyType === 'ed25519';
    return good ? { rsa, ed25519 } : undefined;
  } catch {
    return undefined;
  }
}

async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Gives the keys of the test domains.
 * @param file where they are kept (mode 0600, folder made when missing); without it they live in memory
 * @returns the keys of the file; new ones when it is missing or damaged, and then the file holds these
 * @throws when the file can be neither read nor written
 */
export async function loadDkimKeys(file?: string): Promise<DkimKeys> {
  if (file === undefined) return makeKeys();
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const kept = parseKeys(text);
  if (kept) return kept;
  const keys = await makeKeys();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeWhole(file, `${JSON.stringify(keys, null, 2)}\n`);
  return keys;
}

/** The DNS records that publish the keys for a domain. */
export function keyRecords(keys: DkimKeys, domain: string): Zone {
  const rsa = createPublicKey(keys.rsa).export({ type: 'spki', format: 'der' });
  // RFC 8463 §4: the bare 32 octets of the key, which end the SPKI structure.
  const ed25519 = createPublicKey(keys.ed25519).export({ type: 'spki', format: 'der' }).subarray(-32);
  return {
    [`${selectors.rsa}._domainkey.${domain}`]: { TXT: [`v=DKIM1; k=rsa; p=${rsa.toString('base64')}`] },
    [`${selectors.ed25519}._domainkey.${domain}`]: { TXT: [`v=DKIM1; k=ed25519; p=${ed25519.toString('base64')}`] },
  };
}
