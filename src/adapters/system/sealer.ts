// Sealing of small secrets that must be read again: AES-256-GCM (NIST SP 800-38D) under a sub-key of a master key.
// A copy of the data folder without the key says nothing about them; moved to somebody else, they do not open. What is
// sealed does not name its key: its tag tells which of the few it is.

import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import type { Sealer } from '../../app/ports.ts';
import type { Keyring, MasterKey } from './keyring.ts';
import { deriveKey } from './node-secrets.ts';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

const options = { authTagLength: tagBytes };

/** @param keyring as it is at each call: the newest key seals, all of them open */
export function createSealer(keyring: Keyring): Sealer {
  const known = new WeakMap<MasterKey, KeyObject>();
  const keyOf = (master: MasterKey) => {
    const key = known.get(master) ?? deriveKey(master, 'seal');
    known.set(master, key);
    return key;
  };
  const keys = () => keyring.keys.map(keyOf);

  function seal(secret: Uint8Array, about: string): string {
    const [key] = keys();
    if (key === undefined) throw new Error('there is no key');
    const nonce = randomBytes(nonceBytes); // at random: far fewer than 2^32 are ever made with one key
    const sealing = createCipheriv(cipher, key, nonce, options).setAAD(Buffer.from(about));
    const parts = [nonce, sealing.update(secret), sealing.final(), sealing.getAuthTag()];
    return Buffer.concat(parts).toString('base64url');
  }

  return {
    seal,
    open: (sealed, about) => firstOf(keys(), (key) => open(key, sealed, about)),
    renew(sealed, about) {
      const [newest, ...older] = keys();
      if (newest === undefined || open(newest, sealed, about) !== undefined) return sealed;
      const secret = firstOf(older, (key) => open(key, sealed, about));
      return secret === undefined ? sealed : seal(secret, about);
    },
  };
}

function firstOf<T, Found>(all: readonly T[], find: (each: T) => Found | undefined): Found | undefined {
  for (const each of all) {
    const found = find(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

function open(key: KeyObject, sealed: string, about: string): Uint8Array | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < nonceBytes + tagBytes) return undefined;
  const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), options);
  opening.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(-tagBytes));
  try {
    return Buffer.concat([opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()]);
  } catch {
    return undefined;
  }
}
