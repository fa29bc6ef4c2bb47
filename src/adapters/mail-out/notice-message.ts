// Headers and body of the notice that a password was set: to the mailbox that was proved, unasked, so it is kept apart
// from the thread of the request. Nothing in it can be opened.

import type { SendMailOptions } from 'nodemailer';
import type { OutgoingNotice } from '../../app/ports.ts';
import { domainOf, type Mailbox } from '../../core/mail-address.ts';
import { formatUndoCode } from '../../core/undo-code.ts';
import { noticeTexts } from './notice-texts.ts';
import { day, formatTime, type ReplyOptions, time, wrap } from './reply-message.ts';

/** A name with a dot or an at sign is a link to many mail programs, and so to mail filters: such a one is left out. */
export function linkless(name: string): string | undefined {
  return /^[\p{L}\p{N}_ -]{1,60}$/u.test(name) ? name : undefined;
}

/** A mail that nobody asked for, and its envelope, whose sender is empty: nobody answers it (RFC 3834 §3.3). */
export function unaskedMail(
  {
    to,
    id,
    subject,
    paragraphs,
  }: {
    readonly to: Mailbox;
    readonly id: string;
    readonly subject: string;
    readonly paragraphs: readonly string[];
  },
  { from, siteName }: ReplyOptions,
): SendMailOptions {
  return {
    envelope: { from: '', to: [to] },
    from: { name: siteName, address: from },
    // As an object: a string would be parsed once more, and might then name somebody else.
    to: { name: '', address: to },
    subject,
    messageId: `<${id}@${domainOf(from)}>`,
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' }, // RFC 3834 §5
    text: `${paragraphs.map(wrap).join('\n\n')}\n`,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** Builds the notice. */
export function composeNotice(notice: OutgoingNotice, options: ReplyOptions): SendMailOptions {
  const { to, id, purpose, locale, accountName, clientHint } = notice;
  const { siteName, timeZone } = options;
  const { subject, paragraphs } = noticeTexts[locale];
  const full = { ...day, ...time, timeZone };
  const said = paragraphs({
    purpose,
    site: siteName,
    account: linkless(accountName),
    at: formatTime(notice.at, locale, full),
    undoUntil: formatTime(notice.undoUntil, locale, full),
    undoCode: formatUndoCode(notice.undoCode),
    clientHint,
  });
  return unaskedMail({ to, id, subject: subject[purpose], paragraphs: said }, options);
}
