// The strict header reader: bytes of a message in, the few facts we decide on out, or a refusal. One pass, linear time.
// Anything that two parsers might read in two ways is refused here, before a library sees the message
// (RFC 5322 §2.2 and §3.6 without the obsolete syntax). Rows D2 to D7 of src/DESIGN.md "Which mail is believed".

import { type Mailbox, parseMailbox } from './mail-address.ts';
import { type MailRefusalReason, type Refused, refuse } from './refusal.ts';

/** A header section that was read without doubt. Values are unfolded, still attacker-chosen text. */
export interface MessageHeader {
  readonly kind: 'header';
  /** The one mailbox in From: unproven until the sender policy trusts it. */
  readonly author: Mailbox;
  /** The one mailbox in To, when To is exactly one plain mailbox. */
  readonly recipient: Mailbox | undefined;
  readonly subject: string;
  /** Message-ID with its angle brackets, when it has the form we repeat in In-Reply-To. */
  readonly messageId: string | undefined;
  /** Values by field name in lower case, in the order of the message. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
}

const headerBytesMax = 64 * 1024;
const headerLinesMax = 1000;
const fieldsMax = 300;
const lineOctetsMax = 998; // RFC 5322 §2.1.1, without CRLF
const receivedMax = 50;
const cr = 13;
const lf = 10;

const once = ['date', 'subject', 'message-id', 'sender', 'reply-to', 'cc', 'mime-version', 'content-type'].concat([
  'content-transfer-encoding',
  'in-reply-to',
  'references',
  'auto-submitted',
]);
const shortLines = new Set(['from', 'to', 'subject', 'date', 'message-id', 'dkim-signature']);
// Read by the mail library whatever they hold, and in a time that grows with the square of a run of blanks.
const tagLists = new Set(['dkim-signature', 'arc-seal', 'arc-message-signature', 'arc-authentication-results']);
const blanksMax = /[ \t]{100}/;
const asciiOnly = ['from', 'to', 'date', 'message-id', 'dkim-signature'];

/**
 * Reads the header section of a message.
 * @param message           the whole message as it came, dots unstuffed; attacker-chosen, bounded by the caller
 * @param dkimSignaturesMax more signatures than this are refused
 * @returns the facts, or refused: line-ends-malformed, header-malformed, header-repeated, mail-loop,
 *          too-many-signatures, address-not-ascii, author-unreadable
 */
export function readMessageHeader(
  message: Uint8Array,
  dkimSignaturesMax: number,
): MessageHeader | Refused<MailRefusalReason> {
  if (!hasCleanLineEnds(message)) return refuse('line-ends-malformed');
  const section = headerSection(message);
  const fields = section === undefined ? undefined : splitFields(section);
  if (fields === undefined) return refuse('header-malformed');
  const count = (name: string) => fields.get(name)?.length ?? 0;
  if (count('from') !== 1 || count('to') !== 1 || once.some((name) => count(name) > 1))
    return refuse('header-repeated');
  if (count('received') > receivedMax) return refuse('mail-loop');
  if (count('dkim-signature') > dkimSignaturesMax) return refuse('too-many-signatures');
  // Tabs may fold a line; every other control octet and everything beyond ASCII is refused.
  const plain = (value: string) => /^[\t\x20-\x7e]*$/.test(value);
  if (!asciiOnly.every((name) => (fields.get(name) ?? []).every(plain))) return refuse('address-not-ascii');
  const author = readMailboxField(fields.get('from')?.[0] ?? '');
  if (author === undefined) return refuse('author-unreadable');
  const messageId = fields.get('message-id')?.[0]?.trim();
  return {
    kind: 'header',
    author,
    recipient: readMailboxField(fields.get('to')?.[0] ?? ''),
    subject: fields.get('subject')?.[0]?.trim() ?? '',
    // What we write into In-Reply-To: printable, no blank, no angle bracket inside (RFC 5322 §3.6.4, narrowed). And no
    // "/" or ":", or a sender could have us repeat something that a mail filter takes for a link.
    messageId:
      messageId !== undefined && /^<(?=.{3,250}>$)[!-.0-9;=?A-~]+@[!-.0-9;=?A-~]+>$/.test(messageId)
        ? messageId
        : undefined,
    fields,
  };
}

/** RFC 5321 §2.3.8: CR and LF occur only together. A NUL would let a C library cut a name short. */
export function hasCleanLineEnds(message: Uint8Array): boolean {
  let previous = 0;
  for (let at = 0; at < message.length; at++) {
    const octet = message[at] ?? 0;
    if (octet === 0 || (octet === lf) !== (previous === cr)) return false;
    previous = octet;
  }
  return previous !== cr;
}

/** The header section as one octet per character, without the blank line; undefined when it is too big. */
function headerSection(message: Uint8Array): string | undefined {
  const end = endOfHeader(message);
  if (end > headerBytesMax) return undefined;
  let text = '';
  for (let at = 0; at < end; at += 8192) {
    // Applied, not spread: a spread walks the bytes one by one, and took most of the time of reading a header.
    text += Reflect.apply(String.fromCharCode, undefined, message.subarray(at, Math.min(at + 8192, end)));
  }
  return text;
}

/** RFC 5322 §2.1: an empty line ends the section; a message may also be nothing but a header. */
function endOfHeader(message: Uint8Array): number {
  if (message[0] === cr) return 0;
  for (let at = message.indexOf(lf); at >= 0 && at <= headerBytesMax + 1; at = message.indexOf(lf, at + 1)) {
    if (message[at + 1] === cr) return at - 1;
  }
  return message.length - (message.at(-1) === lf ? 2 : 0);
}

function splitFields(section: string): Map<string, string[]> | undefined {
  const lines = section.split('\r\n');
  if (lines.length > headerLinesMax) return undefined;
  const fields: { name: string; lines: string[] }[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line)) {
      const field = fields.at(-1);
      if (field === undefined) return undefined;
      field.lines.push(line);
    } else {
      // RFC 5322 §2.2: printable ASCII except the colon, and no blank before it.
      const name = /^([\x21-\x39\x3b-\x7e]+):/.exec(line)?.[1];
      if (name === undefined) return undefined;
      fields.push({ name: name.toLowerCase(), lines: [line] });
    }
  }
  if (fields.length > fieldsMax) return undefined;
  const values = new Map<string, string[]>();
  for (const field of fields) {
    if (shortLines.has(field.name) && field.lines.some((line) => line.length > lineOctetsMax)) return undefined;
    // RFC 5322 §2.2.3: unfolding removes the CRLF and keeps the blank that follows it.
    const value = field.lines.join('').slice(field.name.length + 1);
    if (tagLists.has(field.name) && blanksMax.test(value)) return undefined;
    values.set(field.name, [...(values.get(field.name) ?? []), value]);
  }
  return values;
}

// What may stand before `<addr>`: quoted strings, atoms and encoded words. Dots too: RFC 5322 §4.1 reads `J. Doe`.
// One character or one escape at a time, so that no input makes the match go back.
const phrase = /^(?:"(?:[^"\\]|\\[\t\x20-\x7e])*"|[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~. \t])*$/;

/**
 * Reads a field that must be exactly one mailbox: `addr` or `display name <addr>`.
 * @param value unfolded; attacker-chosen
 */
function readMailboxField(value: string): Mailbox | undefined {
  const text = value.trim(); // control octets and anything beyond ASCII were refused before
  if (!text.endsWith('>')) return parseMailbox(text);
  const open = text.lastIndexOf('<');
  return phrase.test(text.slice(0, Math.max(open, 0))) && open >= 0
    ? parseMailbox(text.slice(open + 1, -1))
    : undefined;
}
