// The only caller of the random generator, and the keyed digests: one master secret, one sub-key per use
// (HKDF, RFC 5869). Where the master secret comes from is in master-secret.ts.

import { createHmac, createSecretKey, hash, hkdfSync, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Secrets, SecretUse } from '../../app/ports.ts';

/**
 * Digests under sub-keys of a master secret.
 * @param master at least 32 random bytes; never logged, never part of an error
 */
export function createSecrets(master: Uint8Array): Secrets {
  // As key objects: a key that comes as bytes is wrapped anew for every digest, at five times the cost.
  const subKeys = new Map<SecretUse, KeyObject>();
  const subKey = (use: SecretUse) => {
    const derive = () => createSecretKey(Buffer.from(hkdfSync('sha256', master, '', `reply-to-verify/1/${use}`, 32)));
    const key = subKeys.get(use) ?? derive();
    subKeys.set(use, key);
    return key;
  };
  return {
    randomBytes: createRandomPool(),
    mac: (use, data) => createHmac('sha256', subKey(use)).update(data).digest(),
    hash: (data) => hash('sha256', data, 'buffer'),
    equal: (one, other) => one.length === other.length && timingSafeEqual(one, other),
  };
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
