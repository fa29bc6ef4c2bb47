// The undo code: 16 letters and digits, 80 bits, typed by hand from a mail that holds no link.
// Which digest makes one is the caller's business.

import { groupLetters, readBase32Letters, toBase32 } from './base32.ts';

const codeBytes = 10;

/** @param digest at least 10 bytes */
export function undoCodeFromDigest(digest: Uint8Array): string {
  return toBase32(digest.subarray(0, codeBytes));
}

/** As people read it: `k7m2-9qxf-h3tw-zz8p`. */
export function formatUndoCode(code: string): string {
  return groupLetters(code);
}

/** @param typed attacker-chosen. @returns 16 letters and digits, or undefined */
export function parseUndoCode(typed: string): string | undefined {
  if (typed.length > 100) return undefined;
  const code = readBase32Letters(typed.normalize('NFKC').replace(/[\s\u2010-\u2015\u2212]+/g, ''));
  return /^[0-9a-hjkmnp-tv-z]{16}$/.test(code) ? code : undefined;
}
