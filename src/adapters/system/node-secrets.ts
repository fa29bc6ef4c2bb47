// The only caller of the random generator, and the keyed digests: a sub-key of each master key for each use
// (HKDF, RFC 5869). Where the master keys come from is in keyring.ts.

import { createHmac, createSecretKey, hash, hkdfSync, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secrets, SecretUse } from '../../app/ports.ts';
import type { Keyring, MasterKey } from './keyring.ts';

// A mail asks for that of its address at RCPT and again at the end of DATA. All others, of codes, cookies and people, are
// computed each time and kept nowhere.
const keptUse: SecretUse = 'address';
const keptMax = 1_000;

/** Digests under sub-keys of the master keys. @param keyring as it is at each call: a rotation is obeyed at once */
export function createSecrets(keyring: Keyring): Secrets {
  // As key objects: a key that comes as bytes is wrapped anew for every digest, at five times the cost.
  const known = new WeakMap<MasterKey, Map<SecretUse, KeyObject>>();
  const subKey = (master: MasterKey, use: SecretUse) => {
    const subKeys = known.get(master) ?? new Map<SecretUse, KeyObject>();
    known.set(master, subKeys);
    const key = subKeys.get(use) ?? deriveKey(master, use);
    subKeys.set(use, key);
    return key;
  };
  /** One that is gone: the oldest. Nobody has a page that was made with it, and what is made with another is no guess. */
  const find = (keyId: string | undefined) => {
    const { keys } = keyring;
    const found = keyId === undefined ? keys[0] : (keys.find(({ id }) => id === keyId) ?? keys.at(-1));
    if (found === undefined) throw new Error('there is no key');
    return found;
  };
  const digest = (master: MasterKey, use: SecretUse, data: Uint8Array) =>
    createHmac('sha256', subKey(master, use)).update(data).digest();
  const keptOf = new WeakMap<MasterKey, Map<string, Uint8Array>>(); // oldest first
  return {
    randomBytes: createRandomPool(),
    keyIds: () => keyring.keys.map(({ id }) => id),
    mac(use, data, keyId) {
      const master = find(keyId);
      if (use !== keptUse) return digest(master, use, data);
      const kept = keptOf.get(master) ?? new Map<string, Uint8Array>();
      keptOf.set(master, kept);
      const name = Buffer.from(data.buffer, data.byteOffset, data.length).toString('latin1');
      const known = kept.get(name);
      if (known !== undefined) return known;
      const made = digest(master, use, data);
      kept.set(name, made);
      for (const oldest of kept.keys()) {
        if (kept.size <= keptMax) break;
        kept.delete(oldest);
      }
      return made;
    },
    hash: (data) => hash('sha256', data, 'buffer'),
    equal: (one, other) => one.length === other.length && timingSafeEqual(one, other),
  };
}

/** The sub-key of a master key for one use. */
export function deriveKey({ secret }: MasterKey, use: SecretUse | 'seal'): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', `reply-to-verify/1/${use}`, 32)));
}

/** Random bytes taken from a supply: asking the generator for each few of them costs more than the bytes. */
export function createRandomPool(): Secrets['randomBytes'] {
  let pool = randomBytes(0);
  return (count) => {
    if (pool.length < count) pool = randomBytes(Math.max(count, 4096));
    // Copied and wiped: nobody gets a view of bytes that others will get.
    const taken = new Uint8Array(pool.subarray(0, count));
    pool.fill(0, 0, count);
    pool = pool.subarray(count);
    return taken;
  };
}
