// The DKIM keys of the test identities: made once, kept in a file so that `npm start` finds them again, or in memory.
// Serves RFC 6376 §3.6.1 (key records) and RFC 8463 (Ed25519). Keys of a test domain, worth nothing outside.

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Zone } from './zone.ts';

/** `weak` is an RSA key that is too short to be believed (RFC 8301 §3.2). */
export type DkimKeyName = 'rsa' | 'ed25519' | 'weak';

/** Private keys in PEM. */
export type DkimKeys = Readonly<Record<DkimKeyName, string>>;

/** The selector (s=) of each key. */
export const selectors = { rsa: 'test-rsa', ed25519: 'test-ed25519', weak: 'test-weak' } as const;

/** Selectors whose records are no good, and one without a record. */
export const badSelectors = {
  missing: 'test-missing',
  revoked: 'test-revoked',
  testing: 'test-testing',
  failing: 'test-failing',
  silent: 'test-silent',
} as const;

const generate = promisify(generateKeyPair);

async function makeKeys(): Promise<DkimKeys> {
  const [rsa, ed25519, weak] = await Promise.all([
    generate('rsa', { modulusLength: 2048 }),
    generate('ed25519'),
    generate('rsa', { modulusLength: 768 }),
  ]);
  const pem = ({ privateKey }: { readonly privateKey: KeyObject }) =>
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { rsa: pem(rsa), ed25519: pem(ed25519), weak: pem(weak) };
}

// The file may be torn, empty or something else altogether: whatever is not good keys is no keys.
function parseKeys(text: string): DkimKeys | undefined {
  try {
    const { rsa, ed25519, weak }: { rsa?: unknown; ed25519?: unknown; weak?: unknown } = JSON.parse(text);
    if (typeof rsa !== 'string' || typeof ed25519 !== 'string' || typeof weak !== 'string') return undefined;
    const good =
      rsaBits(rsa) >= 2048 && rsaBits(weak) < 1024 && createPrivateKey(ed25519).asymmetricKeyType === 'ed25519';
    return good ? { rsa, ed25519, weak } : undefined;
  } catch {
    return undefined;
  }
}

function rsaBits(pem: string): number {
  const { asymmetricKeyType, asymmetricKeyDetails } = createPrivateKey(pem);
  return asymmetricKeyType === 'rsa' ? (asymmetricKeyDetails?.modulusLength ?? Number.NaN) : Number.NaN;
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

// One pair for all kits of a process: making it takes longer than all the rest of a start.
let inMemory: Promise<DkimKeys> | undefined;

/**
 * Gives the keys of the test domains.
 * @param file where they are kept (mode 0600, folder made when missing); without it they live in memory
 * @returns the keys of the file; new ones when it is missing or damaged, and then the file holds these
 * @throws when the file can be neither read nor written
 */
export async function loadDkimKeys(file?: string): Promise<DkimKeys> {
  if (file === undefined) {
    inMemory ??= makeKeys();
    return inMemory;
  }
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

/** The DNS records that publish the keys for a domain, and those that are no good. */
export function keyRecords(keys: DkimKeys, domain: string): Zone {
  const publicKey = (name: DkimKeyName) => createPublicKey(keys[name]).export({ type: 'spki', format: 'der' });
  const rsa = `k=rsa; p=${publicKey('rsa').toString('base64')}`;
  // RFC 8463 §4: the bare 32 octets of the key, which end the SPKI structure.
  const ed25519 = `k=ed25519; p=${publicKey('ed25519').subarray(-32).toString('base64')}`;
  const at = (selector: string) => `${selector}._domainkey.${domain}`;
  return {
    [at(selectors.rsa)]: { TXT: [`v=DKIM1; ${rsa}`] },
    [at(selectors.ed25519)]: { TXT: [`v=DKIM1; ${ed25519}`] },
    [at(selectors.weak)]: { TXT: [`v=DKIM1; k=rsa; p=${publicKey('weak').toString('base64')}`] },
    [at(badSelectors.revoked)]: { TXT: ['v=DKIM1; k=rsa; p='] }, // RFC 6376 §3.6.1
    [at(badSelectors.testing)]: { TXT: [`v=DKIM1; t=y; ${rsa}`] },
    [at(badSelectors.failing)]: { fail: 'servfail' },
    [at(badSelectors.silent)]: { fail: 'silent' },
  };
}
