// Our own mail as it goes over the wire (RFC 5322, 7 bit). All of it is of one kind: a short text to one mailbox, from one
// address. So it is put together here, and nodemailer does what is hard about it: encoded words, folding, quoted-printable.

import { encodeWord, encodeWords, foldLines } from 'nodemailer/lib/mime-funcs';
import { encode as quotedPrintable, wrap } from 'nodemailer/lib/qp';
import type { Mailbox } from '../../core/mail-address.ts';

/** A mail of ours. Its envelope sender is empty: nobody ever answers an answer (RFC 3834 §3.3). */
export interface OutgoingMessage {
  readonly to: Mailbox;
  readonly from: { readonly name: string; readonly address: Mailbox };
  readonly subject: string;
  /** With its angle brackets. */
  readonly messageId: string;
  /** The Message-ID of what is answered, as its sender wrote it; null: it stands in no thread. */
  readonly inReplyTo: string | null;
  /** RFC 3834 §5. */
  readonly autoSubmitted: 'auto-replied' | 'auto-generated';
  /** Lines end in a line feed. */
  readonly text: string;
}

// RFC 2047 §2: 75 characters a word, with its charset and encoding.
const wordLengthMax = 52;
const lineLengthMax = 76;

/**
 * Writes it.
 * @param now milliseconds since the epoch, for the field Date
 * @throws TypeError for a value that would begin a field of its own
 */
export function writeMessage(message: OutgoingMessage, now: number): Buffer {
  const { to, from, subject, messageId, inReplyTo, autoSubmitted, text } = message;
  const isPlain = /^[\n\x20-\x7e]*$/.test(text) && text.split('\n').every((line) => line.length <= lineLengthMax);
  const fields: [name: string, value: string][] = [
    ['From', `${displayName(from.name)} <${from.address}>`],
    ['To', to],
    ['Subject', encodeWords(subject, 'Q', wordLengthMax, true)],
    ['Message-ID', messageId],
    ...(inReplyTo === null ? [] : threaded(inReplyTo)),
    ['Auto-Submitted', autoSubmitted],
    ['X-Auto-Response-Suppress', 'All'],
    ['Date', new Date(now).toUTCString().replace('GMT', '+0000')],
    ['MIME-Version', '1.0'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Transfer-Encoding', isPlain ? '7bit' : 'quoted-printable'],
  ];
  const header = fields.map(([name, value]) => {
    if (!/^[\x20-\x7e]*$/.test(value)) throw new TypeError(`the field ${name} holds more than printable ASCII`);
    return `${foldLines(`${name}: ${value}`, lineLengthMax)}\r\n`;
  });
  const lines = text.replaceAll('\n', '\r\n');
  return Buffer.from(`${header.join('')}\r\n${isPlain ? lines : wrap(quotedPrintable(lines))}`, 'latin1');
}

const threaded = (id: string): [string, string][] => [
  ['In-Reply-To', id],
  ['References', id],
];

/** RFC 5322 §3.2.4: quoted, unless it is made of letters, digits and blanks. */
function displayName(name: string): string {
  if (/^[\w ]+$/.test(name)) return name;
  return /^[\x20-\x7e]*$/.test(name) ? `"${name.replace(/["\\]/g, '\\$&')}"` : encodeWord(name, 'Q', wordLengthMax);
}
