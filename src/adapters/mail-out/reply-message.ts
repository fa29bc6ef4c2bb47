// Headers and body of the reply (RFC 3834): to the one mailbox that was proved, from a fixed address, in its thread. The
// same for an address that was typed in: unasked, for all we know, so in no thread and in other words.
// The code is the first line of the body and never in the Subject, which lock screens show.

import type { SendMailOptions } from 'nodemailer';
import type { OutgoingReply } from '../../app/ports.ts';
import { type Locale, timeLocales } from '../../core/locale.ts';
import { domainOf, type Mailbox } from '../../core/mail-address.ts';
import { requestSubject } from '../../core/request-subject.ts';
import { formatCode } from '../../core/verification-code.ts';
import { replyTexts } from './reply-texts.ts';
import { typedTexts } from './typed-texts.ts';

/** Who we are, in every reply. */
export interface ReplyOptions {
  readonly from: Mailbox;
  readonly siteName: string;
  /** IANA name. */
  readonly timeZone: string;
}

const columnsMax = 72;

/** Builds the message and its envelope, whose sender is empty: nobody ever answers an answer (RFC 3834 §3.3). */
export function composeReply(reply: OutgoingReply, { from, siteName, timeZone }: ReplyOptions): SendMailOptions {
  const { label, clientHint, purpose } = reply;
  const isAnswer = reply.by === 'mail';
  const paragraphs = (isAnswer ? replyTexts : typedTexts)[reply.locale]({
    site: siteName,
    purpose,
    label,
    clientHint,
    openedAt: formatTime(reply.openedAt, reply.locale, { ...day, ...time, timeZone }),
    validUntil: formatTime(reply.validUntil, reply.locale, { ...time, timeZone }),
  });
  return {
    envelope: { from: '', to: [reply.to] },
    from: { name: siteName, address: from },
    // As an object: a string would be parsed once more, and might then name somebody else.
    to: { name: '', address: reply.to },
    subject: `${isAnswer ? 'Re: ' : ''}${requestSubject(purpose, reply.locale, label)}`,
    messageId: `<${reply.id}@${domainOf(from)}>`,
    ...(reply.inReplyTo === null ? {} : { inReplyTo: reply.inReplyTo, references: reply.inReplyTo }),
    // RFC 3834 §5
    headers: { 'Auto-Submitted': isAnswer ? 'auto-replied' : 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    text: `${[formatCode(reply.code), ...paragraphs.map(wrap)].join('\n\n')}\n`,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

export const day = { weekday: 'long', day: 'numeric', month: 'long' } as const;
export const time = { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const;

// Making a format costs more than all the rest of a reply; there are only as many as languages and kinds of time.
const formats = new Map<string, Intl.DateTimeFormat>();

export function formatTime(at: number, locale: Locale, options: Intl.DateTimeFormatOptions): string {
  const key = `${locale} ${JSON.stringify(options)}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(timeLocales[locale], options);
  formats.set(key, format);
  return format.format(at);
}

export function wrap(paragraph: string): string {
  const lines = [''];
  for (const word of paragraph.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > columnsMax) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
