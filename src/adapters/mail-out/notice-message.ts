// Headers and body of the notice that a password was set: to the mailbox that was proved, unasked, so it is kept apart
// from the thread of the request. Nothing in it can be opened.

import type { SendMailOptions } from 'nodemailer';
import type { OutgoingNotice } from '../../app/ports.ts';
import { domainOf } from '../../core/mail-address.ts';
import { formatUndoCode } from '../../core/undo-code.ts';
import { noticeTexts } from './notice-texts.ts';
import { day, formatTime, type ReplyOptions, time, wrap } from './reply-message.ts';

// A name with a dot or an at sign is a link to many mail programs, and so to mail filters.
const plainName = /^[\p{L}\p{N}_ -]{1,60}$/u;

/** Builds the message and its envelope, whose sender is empty: nobody answers a notice (RFC 3834 §3.3). */
export function composeNotice(notice: OutgoingNotice, { from, siteName, timeZone }: ReplyOptions): SendMailOptions {
  const { locale, accountName, clientHint } = notice;
  const { subject, paragraphs } = noticeTexts[locale];
  const full = { ...day, ...time, timeZone };
  const text = paragraphs({
    site: siteName,
    account: plainName.test(accountName) ? accountName : undefined,
    at: formatTime(notice.at, locale, full),
    undoUntil: formatTime(notice.undoUntil, locale, full),
    undoCode: formatUndoCode(notice.undoCode),
    clientHint,
  });
  return {
    envelope: { from: '', to: [notice.to] },
    from: { name: siteName, address: from },
    // As an object: a string would be parsed once more, and might then name somebody else.
    to: { name: '', address: notice.to },
    subject,
    messageId: `<${notice.id}@${domainOf(from)}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }, // RFC 3834 §5
    text: `${text.map(wrap).join('\n\n')}\n`,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
