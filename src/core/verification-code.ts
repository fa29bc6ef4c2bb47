// The code a person types and the label a person compares: how they are made from digests, written and read back.
// Pure formatting: which digest makes a code is the caller's business (DESIGN "What is stored").

import { fromHex } from './bytes.ts';

/** Reduces a digest to 8 decimal digits. 64 bits modulo 10^8: the bias is below 10^-11. */
export function codeFromDigest(digest: Uint8Array): string {
  const view = new DataView(digest.buffer, digest.byteOffset, 8);
  return (view.getBigUint64(0) % 100_000_000n).toString().padStart(8, '0');
}

/** `48217730` as people read it: `4821 7730`. */
export function formatCode(code: string): string {
  return `${code.slice(0, 4)} ${code.slice(4)}`;
}

/**
 * Reads what somebody typed or pasted as a code: blanks and hyphens between digits do not matter, nor do words around it.
 * @param typed attacker-chosen; more than 400 characters are never a code
 * @returns 8 digits, or undefined when there is no code in it, or more than one
 */
export function parseCode(typed: string): string | undefined {
  if (typed.length > 400) return undefined;
  const text = typed.normalize('NFKC').replace(/[\u2010-\u2015\u2212]/g, '-');
  const alone = text.replace(/[\s-]/g, '');
  if (/^[0-9]{8}$/.test(alone)) return alone;
  const found = [...text.matchAll(/(?<![0-9][ -]?)[0-9]{4}[ -]?[0-9]{4}(?![ -]?[0-9])/g)].map(([match]) =>
    match.replace(/\D/g, ''),
  );
  return new Set(found).size === 1 ? found[0] : undefined;
}

// Consonants only: no label spells a word, and none is read as a digit.
const consonants = 'BCDFGHJKLMNPQRSTVWXZ';

/**
 * The request label of a challenge, `KQXF-WTMB`: 8 consonants, 34 bits of the id.
 * @param id challenge id, 20 hexadecimal digits
 */
export function requestLabel(id: string): string {
  const bytes = fromHex(id.slice(0, 10));
  let rest = bytes.reduce((number, byte) => number * 256 + byte, 0);
  let label = '';
  for (let place = 0; place < 8; place++) {
    label += consonants.charAt(rest % 20) + (place === 3 ? '-' : '');
    rest = Math.floor(rest / 20);
  }
  return label;
}

// Whatever looks like a label, overlapping ones too. Made once: a pattern for each label would cost more than the search.
const half = `([${consonants}]{4})`;
const labels = new RegExp(`(?<![A-Z])(?=${half}[- ]?${half}(?![A-Z]))`, 'gi');

/**
 * Tells whether a Subject holds a request label, encoded words (RFC 2047) included.
 * @param subject unfolded value of the field, ASCII; attacker-chosen, at most a few kB
 * @param label   as `requestLabel` writes it
 */
export function subjectHoldsLabel(subject: string, label: string): boolean {
  const holds = (text: string) =>
    [...text.matchAll(labels)].some(([, first = '', second = '']) => `${first}-${second}`.toUpperCase() === label);
  return holds(decodeEncodedWords(subject)); // which leaves plain words as they are
}

// RFC 2047 §2. Only ASCII survives on purpose: a label has no other letters. White space between two encoded words
// is dropped (§6.2), because mail programs split a word, and so a label, wherever they like.
function decodeEncodedWords(text: string): string {
  return text
    .replace(/\?=[ \t]+=\?/g, '?==?')
    .replace(/=\?[^?\s]{1,40}\?([BbQq])\?([^?\s]*)\?=/g, (_word, encoding: string, payload: string) =>
      encoding.toUpperCase() === 'B' ? decodeBase64(payload) : decodeQ(payload),
    );
}

/** Whatever padding there is: mail programs are careless with it. What is no base64 at all says nothing. */
function decodeBase64(payload: string): string {
  const digits = payload.replace(/={1,2}$/, '');
  return /^[A-Za-z0-9+/]*$/.test(digits) && digits.length % 4 !== 1 ? atob(digits) : '';
}

function decodeQ(payload: string): string {
  return payload
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}
