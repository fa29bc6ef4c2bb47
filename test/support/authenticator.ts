// The app on the phone, written from RFC 6238 and RFC 4226 and not with the library that the service uses; and what a
// directory needs to keep second factors.

import { createHmac } from 'node:crypto';
import { createSealer } from '../../src/adapters/system/sealer.ts';
import { ringOf } from './keyring.ts';

/** The 6 digits that an app shows. @param at milliseconds since the epoch */
export function digitsAt(secret: Uint8Array, at: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 15; // RFC 4226 §5.3
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

/** 6 digits that an app shows in none of the steps around a time. */
export function wrongDigitsAt(secret: Uint8Array, at: number, number = 0): string {
  const near = [-60_000, -30_000, 0, 30_000, 60_000].map((by) => digitsAt(secret, at + by));
  const wrong = Array.from({ length: 1000 }, (_, digits) => String(digits).padStart(6, '0'));
  return wrong.filter((digits) => !near.includes(digits))[number] ?? '';
}

/** The secret that a page shows as letters (RFC 4648 §6), as an app reads it. */
export function readKey(letters: string): Uint8Array {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...letters.replaceAll(' ', '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0'));
  const bytes = bits.join('').match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (each) => Number.parseInt(each, 2));
}

/** What the service gives the built-in directory, beside the clock. */
export const directoryOptions = {
  ignoreCaseDomains: [] as readonly string[],
  wrongSecondFactors: [
    { max: 5, windowMs: 15 * 60_000 },
    { max: 20, windowMs: 24 * 3_600_000 },
  ],
  sealer: createSealer(ringOf(new Uint8Array(32).fill(9))),
};
