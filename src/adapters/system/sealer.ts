// Sealing of small secrets that must be read again: AES-256-GCM (NIST SP 800-38D) under a sub-key of the master secret.
// A copy of the data folder without the key says nothing about them; moved to somebody else, they do not open.

import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import type { Sealer } from '../../app/ports.ts';

const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** @param master at least 32 random bytes; never logged, never part of an error */
export function createSealer(master: Uint8Array): Sealer {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', master, '', 'reply-to-verify/1/seal', 32)));
  const options = { authTagLength: tagBytes };
  return {
    seal(secret, about) {
      const nonce = randomBytes(nonceBytes); // at random: far fewer than 2^32 are ever made with one key
      const sealing = createCipheriv(cipher, key, nonce, options).setAAD(Buffer.from(about));
      const parts = [nonce, sealing.update(secret), sealing.final(), sealing.getAuthTag()];
      return Buffer.concat(parts).toString('base64url');
    },
    open(sealed, about) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < nonceBytes + tagBytes) return undefined;
      const opening = createDecipheriv(cipher, key, bytes.subarray(0, nonceBytes), options);
      opening.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        return Buffer.concat([opening.update(bytes.subarray(nonceBytes, -tagBytes)), opening.final()]);
      } catch {
        return undefined;
      }
    },
  };
}
