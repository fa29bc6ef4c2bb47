// One-time passwords (RFC 6238) by otpauth: SHA-1, 6 digits, 30 seconds, because every app on a phone knows these.

import { Secret, TOTP } from 'otpauth';
import type { OneTimePasswords } from '../../app/ports.ts';

const period = 30;
const form = { algorithm: 'SHA1', digits: 6, period } as const;

export const oneTimePasswords: OneTimePasswords = {
  stepOf(secret, digits, at) {
    if (!/^[0-9]{6}$/.test(digits)) return undefined;
    // RFC 6238 §5.2: one step of drift either way.
    const delta = TOTP.validate({ ...form, secret: secretOf(secret), token: digits, timestamp: at, window: 1 });
    return delta === null ? undefined : Math.floor(at / 1000 / period) + delta;
  },
  describe(bytes, issuer, accountName) {
    const secret = secretOf(bytes);
    const uri = new TOTP({ ...form, secret, issuer: labelOf(issuer), label: labelOf(accountName) }).toString();
    return { uri, letters: secret.base32 };
  },
};

function secretOf(bytes: Uint8Array): Secret {
  return new Secret({ buffer: new Uint8Array(bytes).buffer });
}

/** A colon parts issuer and account; and a picture that a camera reads holds only so much. */
function labelOf(name: string): string {
  return [...name.replaceAll(':', ' ')].slice(0, 40).join('');
}
