// Crockford's base32 in lower case, for what people copy by hand: no i, l, o, u, so that nothing that is read aloud or
// written on paper is ambiguous. Reading forgives what people and mail systems change on the way.

import { asciiLower } from './mail-address.ts';

export const base32Alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Five bits a letter; bits that are left over are dropped. */
export function toBase32(bytes: Uint8Array): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += base32Alphabet.charAt((buffer >> bits) & 31);
    }
  }
  return text;
}

/** As it was meant: any case, hyphens and blanks, O for 0, I or L for 1. @param typed attacker-chosen, bounded */
export function readBase32Letters(typed: string): string {
  return asciiLower(typed).replace(/[- ]/g, '').replaceAll('o', '0').replace(/[il]/g, '1');
}

/** Groups of four, for people: `k7m2-9qxf-...`. */
export function groupLetters(text: string): string {
  return (text.match(/.{1,4}/g) ?? []).join('-');
}
