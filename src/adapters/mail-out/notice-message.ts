// Headers and body of the notice that a password was set: to the mailbox that was proved, unasked, so it is kept apart
// from the thread of the request. Nothing in it can be opened.

import type { OutgoingNotice } from '../../app/ports.ts';
import { domainOf, type Mailbox } from '../../core/mail-address.ts';
import { formatUndoCode } from '../../core/undo-code.ts';
import { noticeTexts } from './notice-texts.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import { formatTime, type ReplyOptions, wrap } from './reply-message.ts';

/** A name with a dot or an at sign is a link to many mail programs, and so to mail filters: such a one is left out. */
export function linkless(name: string): string | undefined {
  return /^[\p{L}\p{N}_ -]{1,60}$/u.test(name) ? name : undefined;
}

/** A mail that nobody asked for. */
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
): OutgoingMessage {
  return {
    to,
    from: { name: siteName, address: from },
    subject,
    messageId: `<${id}@${domainOf(from)}>`,
    inReplyTo: null,
    autoSubmitted: 'auto-generated',
    text: `${paragraphs.map(wrap).join('\n\n')}\n`,
  };
}

/** Builds the notice. */
export function composeNotice(notice: OutgoingNotice, options: ReplyOptions): OutgoingMessage {
  const { to, id, purpose, locale, accountName, clientHint } = notice;
  const { siteName, timeZone } = options;
  const { subject, paragraphs } = noticeTexts[locale];
  const said = paragraphs({
    purpose,
    site: siteName,
    account: linkless(accountName),
    at: formatTime(notice.at, locale, 'day', timeZone),
    undoUntil: formatTime(notice.undoUntil, locale, 'day', timeZone),
    undoCode: formatUndoCode(notice.undoCode),
    clientHint,
  });
  return unaskedMail({ to, id, subject: subject[purpose], paragraphs: said }, options);
}
