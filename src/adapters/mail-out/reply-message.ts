// Headers and body of the reply (RFC 3834): to the one mailbox that was proved, from a fixed address, in its thread. The
// same for an address that was typed in: unasked, for all we know, so in no thread and in other words.
// The code is the first line of the body and never in the Subject, which lock screens show.

import type { OutgoingReply } from '../../app/ports.ts';
import { type Locale, timeLocales } from '../../core/locale.ts';
import { domainOf, type Mailbox } from '../../core/mail-address.ts';
import { requestSubject } from '../../core/request-subject.ts';
import { formatCode } from '../../core/verification-code.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
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

/** Builds the message. */
export function composeReply(reply: OutgoingReply, { from, siteName, timeZone }: ReplyOptions): OutgoingMessage {
  const { label, clientHint, purpose } = reply;
  const isAnswer = reply.by === 'mail';
  const paragraphs = (isAnswer ? replyTexts : typedTexts)[reply.locale]({
    site: siteName,
    purpose,
    label,
    clientHint,
    openedAt: formatTime(reply.openedAt, reply.locale, 'day', timeZone),
    validUntil: formatTime(reply.validUntil, reply.locale, 'time', timeZone),
  });
  return {
    to: reply.to,
    from: { name: siteName, address: from },
    subject: `${isAnswer ? 'Re: ' : ''}${requestSubject(purpose, reply.locale, label)}`,
    messageId: `<${reply.id}@${domainOf(from)}>`,
    inReplyTo: reply.inReplyTo,
    autoSubmitted: isAnswer ? 'auto-replied' : 'auto-generated',
    text: `${[formatCode(reply.code), ...paragraphs.map(wrap)].join('\n\n')}\n`,
  };
}

const time = { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const;
const forms = { time, day: { weekday: 'long', day: 'numeric', month: 'long', ...time } } as const;

// Making a format costs more than all the rest of a reply; there are only as many as languages and forms.
const formats = new Map<string, Intl.DateTimeFormat>();

/** @param form the time alone, or with its day */
export function formatTime(at: number, locale: Locale, form: keyof typeof forms, timeZone: string): string {
  const key = `${locale} ${form} ${timeZone}`;
  const format = formats.get(key) ?? new Intl.DateTimeFormat(timeLocales[locale], { ...forms[form], timeZone });
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
