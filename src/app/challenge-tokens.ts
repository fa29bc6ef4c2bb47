// Everything a challenge shows to the world, derived from one cookie and one key, the newest when the cookie was made. Which
// one that was is told by the MAC, of cookie and address, and by the record. Nothing is stored for showing a page
// (src/DESIGN.md "The challenge"). The digests come from the Secrets port; layouts are fixed here.
//
//   cookie = version 1 | b 16 | purpose 1 | issuedAt 6 (milliseconds) | mac 16        bytes, as base64url
//
// The language is not in it: it may change on the open page, and must not change the challenge.

import { concatBytes, fromBase64Url, fromHex, textBytes, toBase64Url, toHex } from '../core/bytes.ts';
import type { Challenge, ChosenAccount, Sender, Verified } from '../core/challenge.ts';
import type { ClientHint } from '../core/client-hint.ts';
import type { Locale } from '../core/locale.ts';
import { asciiLower, domainOf, localPartOf, type Mailbox } from '../core/mail-address.ts';
import { formatAddress, type KeyedAddress, packAddress, parseAddress } from '../core/one-time-address.ts';
import type { ChangeRecord } from '../core/password-change.ts';
import { type Purpose, purposes } from '../core/purpose.ts';
import { type Refused, refuse } from '../core/refusal.ts';
import { recoveryCodesCount } from '../core/second-factor.ts';
import { undoCodeFromDigest } from '../core/undo-code.ts';
import { codeFromDigest } from '../core/verification-code.ts';
import type { GrantForm, Secrets, SecretUse } from './ports.ts';

/** What a cookie of ours says, once its MAC was checked. */
export interface ChallengeSeed {
  /** Names the key that it was made with. */
  readonly keyId: string;
  readonly purpose: Purpose;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  /** The form nonce: 32 bytes. Goes into the hidden field and nowhere else. */
  readonly nonce: Uint8Array;
}

/** A challenge by its record, its address or its cookie. */
type Keyed = Pick<Challenge, 'id' | 'keyId'>;

/** How a page is shown; rides in its address, so that the reply speaks the same language and names the browser. */
export interface ShownAs {
  readonly locale: Locale;
  readonly clientHint: ClientHint;
}

const version = 1;
const payloadLength = 24;
const macLength = 16;
const addressMacLength = 5;
const idLength = 10;
const minuteMs = 60_000;

/** Makes a new challenge: its cookie, and what the cookie says. */
export function issueCookie(
  secrets: Secrets,
  purpose: Purpose,
  now: number,
): { readonly cookie: string; readonly seed: ChallengeSeed } {
  const payload = new Uint8Array(payloadLength);
  const view = new DataView(payload.buffer);
  payload[0] = version;
  payload.set(secrets.randomBytes(16), 1);
  payload[17] = purposes.indexOf(purpose);
  view.setUint16(18, Math.floor(now / 2 ** 32));
  view.setUint32(20, now % 2 ** 32);
  const [keyId = ''] = secrets.keyIds();
  const mac = secrets.mac('cookie', payload, keyId).subarray(0, macLength);
  const seed = { keyId, purpose, issuedAt: now, nonce: secrets.mac('nonce', payload, keyId) };
  return { cookie: toBase64Url(concatBytes(payload, mac)), seed };
}

/**
 * Reads a cookie.
 * @param cookie attacker-chosen
 * @returns undefined when it is not one of ours, whatever is wrong with it
 */
export function readCookie(secrets: Secrets, cookie: string): ChallengeSeed | undefined {
  const bytes = cookie.length <= 80 ? fromBase64Url(cookie) : undefined;
  if (bytes?.length !== payloadLength + macLength) return undefined;
  const payload = bytes.slice(0, payloadLength);
  const keyId = findKey(secrets, 'cookie', payload, bytes.subarray(payloadLength));
  const purpose = purposes[payload[17] ?? -1];
  if (keyId === undefined || payload[0] !== version || !purpose) return undefined;
  const view = new DataView(payload.buffer);
  const issuedAt = view.getUint16(18) * 2 ** 32 + view.getUint32(20);
  return { keyId, purpose, issuedAt, nonce: secrets.mac('nonce', payload, keyId) };
}

/** The key that a MAC was made with. @param given the beginning of it; attacker-chosen */
function findKey(secrets: Secrets, use: SecretUse, data: Uint8Array, given: Uint8Array): string | undefined {
  return secrets.keyIds().find((id) => secrets.equal(secrets.mac(use, data, id).subarray(0, given.length), given));
}

/**
 * Reads the cookie that came to a page.
 * @param cookie attacker-chosen; undefined when there is none
 * @returns what it says, or why it says nothing; a cookie of another errand is no cookie here
 */
export function readCookieOf(
  secrets: Secrets,
  purpose: Purpose,
  cookie: string | undefined,
): ChallengeSeed | Refused<'cookie-missing' | 'cookie-invalid'> {
  if (cookie === undefined) return refuse('cookie-missing');
  const seed = readCookie(secrets, cookie);
  if (seed === undefined) return refuse('cookie-invalid');
  return seed.purpose === purpose ? seed : refuse('cookie-missing');
}

/**
 * Reads what every form of a page brings along: whether cookie and nonce belong together.
 * @param cookie attacker-chosen, like the nonce; undefined when there is none
 */
export function readForm(
  secrets: Secrets,
  { purpose, cookie, nonce }: Pick<GrantForm, 'purpose' | 'cookie' | 'nonce'>,
): ChallengeSeed | Refused<'cookie-missing' | 'cookie-invalid' | 'nonce-wrong'> {
  const seed = readCookieOf(secrets, purpose, cookie);
  if ('reason' in seed) return seed;
  const given = nonce !== undefined && nonce.length <= 64 ? fromBase64Url(nonce) : undefined;
  return given !== undefined && secrets.equal(given, seed.nonce) ? seed : refuse('nonce-wrong');
}

/** The id of a challenge, 20 hexadecimal digits. It commits to the nonce without giving it away. */
export function challengeId(secrets: Secrets, { nonce }: ChallengeSeed): string {
  return toHex(secrets.hash(nonce).subarray(0, idLength));
}

/** The end of a challenge. The address packs whole minutes; cookie, page and address must end at the same moment. */
export function challengeEnd({ issuedAt }: ChallengeSeed, challengeLifetimeMs: number): number {
  return Math.floor((issuedAt + challengeLifetimeMs) / minuteMs) * minuteMs;
}

/** The address of a challenge, for the page that shows it. */
export function deriveAddress(
  secrets: Secrets,
  seed: ChallengeSeed,
  { locale, clientHint }: ShownAs,
  challengeLifetimeMs: number,
): KeyedAddress {
  const { keyId, purpose } = seed;
  const expiresAt = challengeEnd(seed, challengeLifetimeMs);
  return { keyId, purpose, locale, clientHint, expiresAt, id: challengeId(secrets, seed) };
}

/** Writes the local part of a one-time address, 32 letters and digits. */
export function writeAddress(secrets: Secrets, address: KeyedAddress): string {
  const packed = packAddress(address);
  return formatAddress(packed, secrets.mac('address', packed, address.keyId).subarray(0, addressMacLength));
}

/**
 * Reads the local part of a one-time address.
 * @param localPart attacker-chosen
 * @returns undefined unless we made it
 */
export function readAddress(secrets: Secrets, localPart: string, now: number): KeyedAddress | undefined {
  const parsed = parseAddress(localPart, now);
  if (parsed === undefined) return undefined;
  const keyId = findKey(secrets, 'address', parsed.packed, parsed.mac);
  return keyId === undefined ? undefined : { ...parsed.address, keyId };
}

/** The code of one sender: 8 digits, in nobody's store. */
export function deriveCode(secrets: Secrets, { id, keyId }: Keyed, sender: Pick<Sender, 'mailbox' | 'salt'>): string {
  return codeFromDigest(secrets.mac('code', textBytes(`${id}|${sender.salt}|${sender.mailbox}`), keyId));
}

/** The sender whose code was typed. Looks at every one, whichever fits, so that time tells nothing. */
export function findSender(secrets: Secrets, challenge: Challenge, typed: string): Sender | undefined {
  const code = textBytes(typed);
  const fits = (sender: Sender) => secrets.equal(textBytes(deriveCode(secrets, challenge, sender)), code);
  return challenge.senders.filter(fits)[0];
}

/** Names a wrong code, so that the same one again counts once. */
export function wrongCodeDigest(secrets: Secrets, { id, keyId }: Keyed, code: string): string {
  return toHex(secrets.mac('code', textBytes(`${id}|wrong|${code}`), keyId).subarray(0, 8));
}

/** Names an attempt at a second factor: the very same form, sent again with the same grant, is the same attempt. */
export function attemptId(
  secrets: Secrets,
  { id, keyId }: Keyed,
  { account, grantSalt }: Verified,
  typed: string,
): string {
  const parts = JSON.stringify([id, grantSalt, account, typed]);
  return toHex(secrets.mac('attempt', textBytes(parts), keyId).subarray(0, 16));
}

/** The secret of an app that is enrolled with a grant, in nobody's store before it is. 20 bytes, as RFC 4226 §4 likes it. */
export function deriveAppSecret(secrets: Secrets, { id, keyId }: Keyed, { grantSalt }: Verified): Uint8Array {
  return secrets.mac('enrolment', textBytes(`${id}|${grantSalt}|app`), keyId).subarray(0, 20);
}

/** The recovery codes that come with it: the same ones to a double click. */
export function deriveRecoveryCodes(
  secrets: Secrets,
  { id, keyId }: Keyed,
  { grantSalt }: Verified,
): readonly string[] {
  const codeOf = (number: number) =>
    undoCodeFromDigest(secrets.mac('enrolment', textBytes(`${id}|${grantSalt}|recovery|${number}`), keyId));
  return Array.from({ length: recoveryCodesCount }, (_, number) => codeOf(number));
}

/**
 * Names the change that a grant is used for, 32 hexadecimal digits. Every try for one choice of an account, or of none,
 * gets the same name, so that it is done once although the answer to a try was lost.
 */
export function deriveChangeId(
  secrets: Secrets,
  { id, keyId }: Keyed,
  { grantSalt }: Verified,
  account: Pick<ChosenAccount, 'id' | 'securityVersion'> | null,
): string {
  const choice = JSON.stringify([id, grantSalt, ...(account === null ? [] : [account.id, account.securityVersion])]);
  return toHex(secrets.mac('change', textBytes(choice), keyId).subarray(0, 16));
}

/** The code that undoes a change of a password: 16 letters and digits, in nobody's store. */
export function deriveUndoCode(secrets: Secrets, changeId: string, keyId?: string): string {
  return undoCodeFromDigest(secrets.mac('undo', fromHex(changeId), keyId));
}

/** The undo code by which a change is named, as long as its key is there. To be typed it needs no key any more. */
export function findUndoCode(
  secrets: Secrets,
  { id, changeId }: Pick<ChangeRecord, 'id' | 'changeId'>,
  keyIds: readonly string[] = secrets.keyIds(),
): string | undefined {
  const codes = keyIds.map((keyId) => deriveUndoCode(secrets, changeId, keyId));
  return codes.find((code) => changeRecordId(secrets, code) === id);
}

/** Names the record of a change by its undo code, without giving the code away. */
export function changeRecordId(secrets: Secrets, undoCode: string): string {
  return toHex(secrets.hash(textBytes(undoCode)).subarray(0, idLength));
}

/** A mailbox for the log and the audit: the same one in both until the keys are rotated, and nobody's without the key. */
export function mailboxDigest(secrets: Secrets, mailbox: Mailbox): string {
  return toHex(secrets.mac('log', textBytes(mailbox)).subarray(0, 6));
}

/**
 * Whose budget a mail counts against: whoever can sign for a shared domain must not get a new one with every capital
 * letter or plus tag. Digested, because the log of times outlives the request.
 */
export function budgetKey(secrets: Secrets, mailbox: Mailbox): string {
  const [name = ''] = asciiLower(localPartOf(mailbox)).split('+');
  return toHex(secrets.mac('log', textBytes(`${name}@${domainOf(mailbox)}`)));
}

/** The grant cookie of a verified challenge. Derived, so that both answers to a double click carry the same one. */
export function deriveGrant(secrets: Secrets, { id, keyId }: Keyed, state: Verified): Uint8Array {
  return secrets.mac('grant', concatBytes(fromHex(id), fromHex(state.grantSalt)), keyId);
}
