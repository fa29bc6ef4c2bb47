// Writes the mail of a test identity as a mail program would, and signs it as its provider would.
// Serves RFC 5322 (format), RFC 2047 (encoded words), RFC 2045 (quoted-printable) and RFC 6376 (mailauth signs).
// Replaced headers go out exactly as given, so that a test can write what no mail program would.

import { randomUUID } from 'node:crypto';
import { dkimSign } from 'mailauth';
import { encode as quotedPrintable, wrap } from 'nodemailer/lib/qp';
import { type DkimKeyName, type DkimKeys, selectors } from './dkim-keys.ts';
import type { Identity } from './identities.ts';

export type MessageOptions = {
  readonly to: string;
  readonly subject?: string;
  readonly body?: string;
  /**
   * Headers to replace (any case) or add at the end: a list writes the field several times, undefined leaves it out.
   * Values are neither encoded nor folded: `{ 'In-Reply-To': '<a@b.example>' }`.
   */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** `none`, or how, several times if need be; by default as the identity proves itself. */
  readonly sign?: 'none' | Signing | readonly Signing[];
  /** What somebody on the way makes of the signed message, its octets as latin1. */
  readonly change?: (text: string) => string;
};

/** How a signature differs from that of the identity's provider. Times in milliseconds since the epoch. */
export type Signing = {
  /** As often as they stand in the message; a sensible set by default. */
  readonly fields?: readonly string[];
  readonly key?: DkimKeyName;
  /** By default that of the key. */
  readonly selector?: string;
  /** By default that of the identity. */
  readonly domain?: string;
  readonly signedAt?: number;
  readonly expiresAt?: number;
  /** How many octets of the body are signed (l=). */
  readonly bodyLength?: number;
};

/** A message, and how it is to differ from what a mail program and its server would do. */
export type SendOptions = MessageOptions & {
  /** How the mail is believable or not, by name: scenarios.ts. What it needs goes before the other options. */
  readonly scenario?: string;
  /** Sent as it is, nothing composed and nothing signed. */
  readonly raw?: string | Buffer;
  /** Envelope recipient, when it is not `to`. */
  readonly rcptTo?: string | readonly string[];
  /** Where it goes, when it is not the service of the kit. */
  readonly server?: { readonly host: string; readonly port: number };
  /** Envelope sender, when it is not the identity's mailbox. */
  readonly mailFrom?: string;
  /** Deliveries of the very same message, each over a connection of its own; the last one's answer counts. */
  readonly times?: number;
  /** Sends the body octet by octet, and waits like this before each. */
  readonly pause?: (ms: number) => unknown;
};

const signedFields = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type'];

/**
 * Makes a text fit for a header value: as it is when short printable ASCII, else as encoded words.
 * @param text anything; control characters and line breaks become a blank
 */
function encodeText(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (/^[\x20-\x7e]{0,200}$/.test(line) && !line.includes('=?')) return line;
  // RFC 2047 §2: at most 75 characters a word; §5: never a character across two. 42 octets are 56 in base64.
  const words: string[] = [''];
  for (const character of line.toWellFormed()) {
    const word = words.at(-1) ?? '';
    if (Buffer.byteLength(word + character) > 42) words.push(character);
    else words[words.length - 1] = word + character;
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ');
}

function displayName(name: string): string {
  const text = encodeText(name);
  // RFC 5322 §3.2.4: what is not made of atoms and blanks is quoted.
  return text !== name || /^[\w!#$%&'*+\-/=?^`{|}~ ]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function encodeBody(body: string): { readonly transfer: string; readonly text: string } {
  const text = `${body.replace(/\r\n|\r|\n/g, '\r\n').replace(/(\r\n)*$/, '')}\r\n`;
  const plain = /^[\t\r\n\x20-\x7e]*$/.test(text) && text.split('\r\n').every((line) => line.length <= 998);
  return plain ? { transfer: '7bit', text } : { transfer: 'quoted-printable', text: wrap(quotedPrintable(text)) };
}

function withReplaced(
  headers: readonly (readonly [string, string])[],
  changes: NonNullable<MessageOptions['headers']>,
) {
  const values = new Map(Object.entries(changes).map(([name, value]) => [name.toLowerCase(), { name, value }]));
  const kept = headers.flatMap(([name, value]) => {
    const change = values.get(name.toLowerCase());
    values.delete(name.toLowerCase());
    return change ? [change.value ?? []].flat().map((text) => [change.name, text] as const) : [[name, value] as const];
  });
  return [
    ...kept,
    ...[...values.values()].flatMap(({ name, value }) => [value ?? []].flat().map((text) => [name, text] as const)),
  ];
}

/** Writes the message, unsigned. @param now milliseconds since the epoch */
export function composeMessage(from: Identity, options: MessageOptions, now = Date.now()): Buffer {
  const { transfer, text } = encodeBody(options.body ?? '');
  const headers: (readonly [string, string])[] = [
    ['From', `${displayName(from.name)} <${from.mailbox}>`],
    ['To', options.to],
    ['Subject', encodeText(options.subject ?? '')],
    ['Date', new Date(now).toUTCString().replace('GMT', '+0000')],
    ['Message-ID', `<${randomUUID()}@${from.domain}>`],
    ['MIME-Version', '1.0'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Transfer-Encoding', transfer],
  ];
  const lines = withReplaced(headers, options.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${lines.join('')}\r\n${text}`);
}

/**
 * Signs a message for a domain, relaxed/relaxed.
 * @returns the message with its DKIM-Signature in front
 * @throws when mailauth cannot sign it, e.g. without a From
 */
export async function signMessage(
  raw: Buffer,
  options: Signing & { readonly domain: string; readonly keys: DkimKeys },
): Promise<Buffer> {
  const { domain, keys, fields = signedFields, key = 'rsa', selector = selectors[key], bodyLength } = options;
  const { signedAt, expiresAt } = options;
  const how = {
    signingDomain: domain,
    selector,
    privateKey: keys[key],
    canonicalization: 'relaxed/relaxed',
    headerList: [...fields],
    ...(bodyLength !== undefined && { maxBodyLength: bodyLength }),
  };
  const times = {
    ...(signedAt !== undefined && { signTime: new Date(signedAt) }),
    ...(expiresAt !== undefined && { expires: new Date(expiresAt) }),
  };
  // The type wants the settings at the top, the code reads those of signatureData.
  const { signatures, errors } = await dkimSign(raw, { ...how, ...times, signatureData: [how] });
  if (errors[0]) throw errors[0].err;
  return Buffer.concat([Buffer.from(signatures), raw]);
}

/**
 * Writes the message and signs it as the identity's provider would, or as the options say.
 * @param now milliseconds since the epoch
 */
export async function writeMail(
  from: Identity,
  keys: DkimKeys,
  options: MessageOptions,
  now = Date.now(),
): Promise<Buffer> {
  const { sign = from.proves === 'dkim' ? {} : 'none', change } = options;
  let raw = composeMessage(from, options, now);
  for (const how of sign === 'none' ? [] : [sign].flat()) {
    raw = await signMessage(raw, { domain: from.domain, signedAt: now, keys, ...how });
  }
  return change === undefined ? raw : Buffer.from(change(raw.toString('latin1')), 'latin1');
}
