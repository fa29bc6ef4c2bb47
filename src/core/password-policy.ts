// Which new passwords are accepted: NIST SP 800-63B-4 §3.1.1.2. Length, and what everybody would guess; no composition
// rules and no score, so that each no can be said in one plain sentence. Which passwords are common is asked of the
// caller, with text folded by `foldPassword`; the list has to be folded by it too. Hashing is the directory's.

import { type Refused, refuse } from './refusal.ts';

/** Why a new password is not accepted. The page says it in words: §3.1.1.2 wants the reason given. */
export type PasswordRefusalReason =
  | 'password-missing'
  | 'passwords-differ'
  /** A character that cannot be typed again at the next login: a tab, a line break, half a character. */
  | 'password-unprintable'
  | 'password-too-short'
  | 'password-too-long'
  /** On the list of common passwords, alone, repeated, or with a few digits and signs around it. */
  | 'password-common'
  /** Characters in a row, a short block repeated, or no more than names known to everybody and "my password". */
  | 'password-guessable';

/** What else the judgement depends on. */
export interface PasswordContext {
  /** Code points, see `passwordLengthMin`. */
  readonly lengthMin: number;
  /** Names that everybody can guess: of the site and the service, of the account, its mailboxes. A few dozen at most. */
  readonly words: readonly string[];
}

/** Code points that a password needs at least: fewer when a second factor was passed. */
export const passwordLengthMin = (hasSecondFactor: boolean): number => (hasSecondFactor ? 8 : 15);

/** Code points that are accepted, four times what §3.1.1.2 asks for. More is refused: nothing is ever cut off. */
export const passwordLengthMax = 256;

// UTF-16 units, checked before anything else is done: NFKC can make 18 characters of one. It composes three or four
// characters into one too, but never more than eight units: no password of 256 code points is refused here.
const unitsMax = 8 * passwordLengthMax;

// Controls, line and paragraph separators, halves of surrogate pairs (UTF-8 makes all of them the same character), the
// sign for "could not be decoded", and signs without shape that come with pasted text only. Unassigned characters as
// well: a later Unicode may normalise them in another way, and then the password is wrong (UAX #15 §12.1). Joiners stay,
// because emoji and Persian need them.
const unprintable = /[\p{Cc}\p{Cs}\p{Cn}\p{Zl}\p{Zp}\u00ad\u2060\ufeff\ufffc\ufffd]/u;

/**
 * Judges a new password. Nothing is taken from it, blanks at its ends neither: whoever checks it later, maybe another
 * program, would have to do the same. They do not count as length, in case that program does.
 * NFKC is our choice where SP 800-63B-4 says NFC (SP 800-63B-3 said NFKC or NFKD): full-width letters of an East Asian
 * keyboard are those of any other.
 * @param typed    as posted; attacker-chosen, any length
 * @param repeated as posted in a second field, undefined when the form has none; attacker-chosen
 * @param isCommon whether a text, folded by `foldPassword` and not empty, is a common password
 * @returns the password to hash, NFKC, or refused: the first reason that holds, in the order of this function
 * Source: NIST SP 800-63B-4 §3.1.1.2.
 */
export function judgePassword(
  typed: string,
  repeated: string | undefined,
  context: PasswordContext,
  isCommon: (folded: string) => boolean,
): { readonly kind: 'password'; readonly password: string } | Refused<PasswordRefusalReason> {
  if (typed === '') return refuse('password-missing');
  if (typed.length > unitsMax) return refuse('password-too-long');
  const password = typed.normalize('NFKC');
  if (repeated !== undefined && (repeated.length > unitsMax || repeated.normalize('NFKC') !== password)) {
    return refuse('passwords-differ');
  }
  if (unprintable.test(password)) return refuse('password-unprintable');
  if ([...password].length > passwordLengthMax) return refuse('password-too-long');
  if ([...password.trim()].length < context.lengthMin) return refuse('password-too-short');
  return weakness(password, context, isCommon) ?? { kind: 'password', password };
}

/**
 * What makes two passwords the same to somebody who guesses: small letters, no blanks, hyphens, underscores, dots.
 * Digits for letters are not undone (`p4ssw0rd`): the list has those that people use, and nobody could foretell more.
 */
export function foldPassword(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s\p{Z}\p{Cf}\p{Pd}\p{Pc}.]+/gu, '')
    .normalize('NFKC'); // what is side by side now may compose
}

function weakness(
  password: string,
  { lengthMin, words }: PasswordContext,
  isCommon: (folded: string) => boolean,
): Refused<PasswordRefusalReason> | undefined {
  const folded = foldPassword(password);
  // Of blanks, hyphens and dots alone nothing would be left: Morse code is judged as it is, and is on no list.
  if (folded === '') return weaknessOf([...password.toLowerCase()], { lengthMin, words: [] }, () => false);
  return isCommon(folded) ? refuse('password-common') : weaknessOf([...folded], { lengthMin, words }, isCommon);
}

function weaknessOf(
  chars: readonly string[],
  { lengthMin, words }: PasswordContext,
  isCommon: (folded: string) => boolean,
): Refused<PasswordRefusalReason> | undefined {
  const block = chars.slice(0, periods(chars)[chars.length - 1]);
  if (block.length * 2 <= chars.length) {
    if (isCommon(block.join(''))) return refuse('password-common');
    // Saying it twice adds nothing, so the block has to be long enough by itself.
    if (block.length < lengthMin) return refuse('password-guessable');
  }
  const foreseen = inRows(chars);
  if (mostlyInRows(chars, foreseen)) return refuse('password-guessable');
  if (isCommonWithTrimmings(chars, foreseen, isCommon)) return refuse('password-common');
  return knownWordsOnly(chars, foreseen, words) ? refuse('password-guessable') : undefined;
}

// ---- blocks repeated ----

/**
 * The length of the shortest block that each beginning of a text is a repetition of, the last time maybe cut short
 * (Knuth, Morris and Pratt). A text without repetition has its own length.
 */
function periods(chars: readonly string[]): readonly number[] {
  const borders: number[] = [0];
  let border = 0;
  for (let at = 1; at < chars.length; at++) {
    while (border > 0 && chars[at] !== chars[border]) border = borders[border - 1] ?? 0;
    if (chars[at] === chars[border]) border++;
    borders.push(border);
  }
  return borders.map((length, at) => at + 1 - length);
}

// ---- characters in a row ----

// Keys side by side and from top to bottom, on QWERTY, QWERTZ, AZERTY and Russian keyboards. `.` and `-` are folded
// away. Alphabets and digits are not here: `follows` knows them by their code points.
const keyboardRows = [
  ...['7890123', 'qwertyuiop', "asdfghjkl;'", 'zxcvbnm,/', '!@#$%^&*()'],
  ...['qwertzuiopü+', 'asdfghjklöä#', 'yxcvbnm,', '!"§$%&/()='],
  ...['azertyuiop$', 'qsdfghjklmù*', 'wxcvbn,;:!', `&é"'(èçà)`],
  ...['йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю'],
  ...['1qaz', '2wsx', '3edc', '4rfv', '5tgb', '6yhn', '7ujm', '8ik,', '1qay', '6zhn', '1aqw', '2zsx'],
];

const rowTriples: ReadonlySet<string> = new Set(
  keyboardRows.flatMap((row) => {
    const keys = [...row];
    return [keys, keys.toReversed()].flatMap((line) => line.map((_key, at) => line.slice(at, at + 3).join('')));
  }),
);

/** Which characters belong to three or more that follow each other or are the same; `aabbcc` follows as `abc` does. */
function inRows(chars: readonly string[]): readonly boolean[] {
  const groups: { readonly char: string; count: number; foreseen: boolean }[] = [];
  for (const char of chars) {
    const last = groups.at(-1);
    if (last?.char === char) last.count++;
    else groups.push({ char, count: 1, foreseen: false });
  }
  groups.forEach((group, at) => {
    if (group.count >= 3) group.foreseen = true;
    const triple = groups.slice(at, at + 3);
    if (triple.length === 3 && isRow(triple.map(({ char }) => char))) {
      for (const each of triple) each.foreseen = true;
    }
  });
  return groups.flatMap(({ count, foreseen }) => Array<boolean>(count).fill(foreseen));
}

function isRow(triple: readonly string[]): boolean {
  const [first = 0, second = 0, third = 0] = triple.map((char) => char.codePointAt(0) ?? 0);
  const step = second - first;
  const follows =
    Math.abs(step) === 1 && third - second === step && triple.every((char) => /[\p{L}\p{Nd}]/u.test(char));
  return follows || rowTriples.has(triple.join(''));
}

// Digits and signs that people put before or behind a word to please a form. Emoji are none: eight of them are a lot.
const trimming = /[\p{Nd}\p{P}\p{Sm}\p{Sc}\p{Sk}]/u;

// As many as a date has: 20300131. They are what is tried first after a common password.
const trimmingsMax = 8;
const straysMax = 2;

/** Nothing but characters in a row, or with two others, or with digits and signs that are not the bigger part. */
function mostlyInRows(chars: readonly string[], foreseen: readonly boolean[]): boolean {
  const strays = chars.filter((_char, at) => foreseen[at] === false);
  const few = strays.length <= trimmingsMax && strays.length * 2 <= chars.length;
  return strays.length <= straysMax || (few && strays.every((char) => trimming.test(char)));
}

// ---- known words ----

// Passwords that say no more than that they are one, in the languages of our pages.
const passwordWords = [
  ...['password', 'passwords', 'passphrase', 'passcode', 'login', 'admin', 'administrator', 'welcome'],
  ...['passwort', 'kennwort', 'willkommen', 'contraseña', 'contrasena', 'bienvenido', 'motdepasse', 'bienvenue'],
];
const wordsAround = [
  ...['this', 'that', 'is', 'the', 'a', 'my', 'our', 'your', 'new', 'old', 'secret', 'secure', 'for', 'to', 'at'],
  ...['das', 'ist', 'mein', 'unser', 'neues', 'geheimes', 'sicheres', 'für', 'bei', 'zu'],
  ...['esta', 'es', 'mi', 'la', 'nueva', 'secreta', 'para', 'ceci', 'est', 'mon', 'le', 'nouveau', 'pour'],
].map((word) => [...word]);

/**
 * Whether a text can be cut into words of the context, "my new password", characters in a row, and up to eight digits and
 * signs. At least one word is of the context or says "password". Any other word makes it a password of its own.
 */
function knownWordsOnly(chars: readonly string[], foreseen: readonly boolean[], words: readonly string[]): boolean {
  const names = [...new Set([...words.flatMap(wordForms), ...passwordWords])].map((word) => [...word]);
  // The fewest digits and signs up to each place, with and without a name so far; Infinity where no cut leads to.
  const named = Array<number>(chars.length + 1).fill(Number.POSITIVE_INFINITY);
  const nameless = [0, ...named.slice(1)];
  const improve = (costs: number[], at: number, cost: number) => {
    costs[at] = Math.min(costs[at] ?? 0, cost);
  };
  chars.forEach((char, at) => {
    const [without = 0, withName = 0] = [nameless[at], named[at]];
    const best = Math.min(without, withName);
    if (best > trimmingsMax) return;
    const step = foreseen[at] ? 0 : trimming.test(char) ? 1 : Number.POSITIVE_INFINITY;
    improve(nameless, at + 1, without + step);
    improve(named, at + 1, withName + step);
    for (const name of names) if (startsAt(chars, at, name)) improve(named, at + name.length, best);
    for (const word of wordsAround) {
      if (!startsAt(chars, at, word)) continue;
      improve(nameless, at + word.length, without);
      improve(named, at + word.length, withName);
    }
  });
  return (named[chars.length] ?? 0) <= trimmingsMax;
}

function startsAt(chars: readonly string[], at: number, word: readonly string[]): boolean {
  return word.every((char, index) => chars[at + index] === char);
}

/** `Ann.Lee@mail.school.example` whole, and its parts: a name is written with and without what is between. */
function wordForms(word: string): readonly string[] {
  const bounded = word.slice(0, unitsMax);
  const parts = bounded.normalize('NFKC').split(/[^\p{L}\p{M}]+/u);
  // Single letters are no names: with an initial or two, every word could be spelt.
  return [bounded, ...parts].map(foldPassword).filter((form) => [...form].length >= 2);
}

// ---- common passwords with something around them ----

// Longer ones are compared as a whole only. The longest one of the list has 20 characters.
const commonLengthMax = 32;

/**
 * Whether a common password, or a repetition of it, is all there is between digits and signs (eight in all) and characters
 * in a row. Around digits only two are allowed: any long number has a short common one inside.
 */
function isCommonWithTrimmings(
  chars: readonly string[],
  foreseen: readonly boolean[],
  isCommon: (folded: string) => boolean,
): boolean {
  const leading = trimmingsBefore(chars, foreseen);
  const trailing = trimmingsBefore(chars.toReversed(), foreseen.toReversed());
  return leading.some((before, start) => {
    const middles = periods(chars.slice(start));
    return trailing.some((behind, cut) => {
      const length = chars.length - cut - start;
      const period = middles[length - 1];
      if (before + behind > trimmingsMax || period === undefined) return false;
      const blockLength = period * 2 <= length ? period : length;
      if (blockLength > commonLengthMax) return false;
      const block = chars.slice(start, start + blockLength).join('');
      return (before + behind <= straysMax || /\p{L}/u.test(block)) && isCommon(block);
    });
  });
}

/** How many digits and signs are cut off with the first 0, 1, 2... characters; ends where something else would be. */
function trimmingsBefore(chars: readonly string[], foreseen: readonly boolean[]): readonly number[] {
  const counts = [0];
  for (const [at, char] of chars.entries()) {
    const count = (counts[at] ?? 0) + (foreseen[at] ? 0 : 1);
    if (count > trimmingsMax || !(foreseen[at] || trimming.test(char))) break;
    counts.push(count);
  }
  return counts;
}
