// The one-time address: what its 160 bits say, its letters, its groups, and a parse that forgives.
// Pure packing: the caller computes and checks the MAC (DESIGN "The challenge").
//
//   version 4 | purpose 4 | locale 6 | client hint 6 | expiry minute 20 | id 80 | mac 40   = 32 letters and digits

import { base32Alphabet, readBase32Letters, toBase32 } from './base32.ts';
import { concatBytes, fromHex, toHex } from './bytes.ts';
import { browsers, type ClientHint, systems } from './client-hint.ts';
import { type Locale, locales } from './locale.ts';
import { type Purpose, purposes } from './purpose.ts';

/** What an address says about its challenge. */
export interface OneTimeAddress {
  readonly purpose: Purpose;
  readonly locale: Locale;
  readonly clientHint: ClientHint;
  /** End of the challenge, milliseconds since the epoch, a whole minute. */
  readonly expiresAt: number;
  /** The challenge id: 80 bits as 20 hexadecimal digits. */
  readonly id: string;
}

/** An address, and the name of the key that it was or will be made with, which is not in it. */
export type KeyedAddress = OneTimeAddress & { readonly keyId: string };

/** A local part that has the form of an address of ours. Worth nothing until its MAC was checked. */
export interface UncheckedAddress {
  /** The 15 bytes that the MAC covers. */
  readonly packed: Uint8Array;
  /** The 5 bytes of MAC that came with them. */
  readonly mac: Uint8Array;
  readonly address: OneTimeAddress;
}

const version = 1;
const minuteMs = 60_000;
const minuteRange = 2 ** 20;
const letters = 32;

/** Packs an address into the 15 bytes that the MAC covers. */
export function packAddress(address: OneTimeAddress): Uint8Array {
  const hint = (browsers.indexOf(address.clientHint.browser) << 3) | systems.indexOf(address.clientHint.system);
  const minute = Math.round(address.expiresAt / minuteMs) % minuteRange;
  const head = (version << 28) | (purposes.indexOf(address.purpose) << 24) | (locales.indexOf(address.locale) << 18);
  const packed = new Uint8Array(15);
  const view = new DataView(packed.buffer);
  view.setUint32(0, (head | (hint << 12) | (minute >>> 8)) >>> 0);
  view.setUint8(4, minute & 0xff);
  packed.set(fromHex(address.id), 5);
  return packed;
}

/**
 * Writes the local part.
 * @param packed 15 bytes of `packAddress`
 * @param mac    the first 5 bytes of the MAC over them
 * @returns 32 lower-case letters and digits
 */
export function formatAddress(packed: Uint8Array, mac: Uint8Array): string {
  return toBase32(concatBytes(packed, mac));
}

/**
 * Reads a local part as a person or a mail system may have changed it: any case, hyphens, blanks, O for 0, I or L for 1.
 * @param localPart attacker-chosen
 * @param now       milliseconds since the epoch; the packed minute is read as the one nearest to it
 * @returns undefined when it has not the form of an address of ours
 */
export function parseAddress(localPart: string, now: number): UncheckedAddress | undefined {
  if (localPart.length > 64) return undefined; // RFC 5321 §4.5.3.1.1
  const text = readBase32Letters(localPart);
  if (text.length !== letters) return undefined;
  const bytes = new Uint8Array(20);
  let buffer = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    const value = base32Alphabet.indexOf(letter);
    if (value < 0) return undefined;
    buffer = ((buffer << 5) | value) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = (buffer >> bits) & 0xff;
  }
  const packed = bytes.slice(0, 15);
  const address = unpackAddress(packed, now);
  return address && { packed, mac: bytes.slice(15), address };
}

function unpackAddress(packed: Uint8Array, now: number): OneTimeAddress | undefined {
  const view = new DataView(packed.buffer);
  const head = view.getUint32(0);
  const purpose = purposes[(head >>> 24) & 15];
  const locale = locales[(head >>> 18) & 63];
  const browser = browsers[(head >>> 15) & 7];
  const system = systems[(head >>> 12) & 7];
  if (head >>> 28 !== version || !purpose || !locale || !browser || !system) return undefined;
  const minute = ((head & 0xfff) << 8) | view.getUint8(4);
  const near = Math.floor(now / minuteMs);
  // The signed distance from now, in a circle of 2^20 minutes (almost two years).
  const ahead = ((((minute - near) % minuteRange) + 1.5 * minuteRange) % minuteRange) - minuteRange / 2;
  return {
    purpose,
    locale,
    clientHint: { browser, system },
    expiresAt: (near + ahead) * minuteMs,
    id: toHex(packed.slice(5)),
  };
}
