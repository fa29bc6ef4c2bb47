// The one table from refusal to SMTP answer: reply code, enhanced code (RFC 3463, RFC 7372) and a text that the
// sender's own server shows to the person who wrote. It repeats nothing of the message.

import type { EdgeRefusalReason, MailRefusalReason } from '../../core/refusal.ts';

/** One answer. The enhanced code stands in the text, where smtp-server leaves it alone. */
export interface SmtpReply {
  readonly code: number;
  readonly text: string;
}

const unreadable = { code: 554, text: '5.6.0 The message could not be read' };
const usedUp = { code: 550, text: '5.1.1 This address is used up, please open the page again' };

export const smtpReplies: Readonly<Record<MailRefusalReason, SmtpReply>> = {
  'too-many-bad-addresses': { code: 421, text: '4.7.0 Too many unknown addresses, closing the connection' },
  'relay-denied': { code: 550, text: '5.7.1 No relaying' },
  'null-sender': { code: 550, text: '5.7.1 Mail without a sender is not taken here' },
  'address-unknown': { code: 550, text: '5.1.1 No such address' },
  'address-expired': usedUp,
  'too-many-messages': { code: 550, text: '5.7.1 Too many messages for this request, please start again' },
  'message-too-big': { code: 552, text: '5.3.4 The message is too big, please send only the prepared text' },
  'line-ends-malformed': unreadable,
  'header-malformed': unreadable,
  'header-repeated': { code: 550, text: '5.6.0 The message has a header field too many or too few' },
  'mail-loop': { code: 554, text: '5.4.6 Too many hops' },
  'too-many-signatures': { code: 554, text: '5.6.0 Too many signatures' },
  'address-not-ascii': { code: 550, text: '5.6.7 Addresses beyond ASCII are not supported yet' },
  'author-unreadable': { code: 550, text: '5.1.7 The sender address could not be read' },
  'automatic-mail': { code: 550, text: '5.7.1 Automatic mail is not answered' },
  'answer-to-another-mail': { code: 550, text: '5.7.1 Please write a new message instead of replying to another one' },
  'wrong-recipient': { code: 550, text: '5.7.1 Please send it to the address on the page, and to nobody else' },
  'author-ambiguous': { code: 550, text: '5.6.0 The sender address could not be read without doubt' },
  'check-unavailable': { code: 451, text: '4.4.3 The sender cannot be checked right now, please try again later' },
  'not-authenticated': { code: 550, text: '5.7.26 The message is not authenticated as mail of its sender' },
  'replies-exhausted': { code: 451, text: '4.7.1 Too many requests of this mailbox, please try again later' },
  'replies-exhausted-for-long': {
    code: 550,
    text: '5.7.1 Too many requests of this mailbox, please start again later',
  },
  'senders-exhausted': { code: 550, text: '5.7.1 Too many senders for this request, please start again' },
};

/** The same for what the listener refuses by itself. 4xx: the sender's server comes again (RFC 5321 §4.2.1). */
export const edgeReplies: Readonly<Record<EdgeRefusalReason, SmtpReply>> = {
  'too-many-connections': { code: 421, text: '4.7.0 Too many connections, please try again later' },
  'connection-too-old': { code: 421, text: '4.4.2 This takes too long, closing the connection' },
  'too-many-errors': { code: 421, text: '4.7.0 Too many errors, closing the connection' },
  'too-many-commands': { code: 421, text: '4.7.0 Too many commands, closing the connection' },
  'no-room': { code: 452, text: '4.3.1 Too much mail at once, please try again later' },
  'network-asks-often': { code: 421, text: '4.7.0 Too many messages from your network, please try again in a minute' },
  'utf8-not-offered': { code: 553, text: '5.6.7 Addresses beyond ASCII are not supported yet' },
  'parameter-unknown': { code: 555, text: '5.5.4 This parameter is not supported' },
  'size-too-big': { code: 552, text: '5.3.4 The message is too big, please send only the prepared text' },
  'second-recipient': { code: 452, text: '4.5.3 One recipient for each message, please' },
  'far-too-big': { code: 421, text: '4.3.0 Far too much data, closing the connection' },
  'not-now': { code: 451, text: '4.3.0 Something went wrong here, please try again later' },
  'shutting-down': { code: 421, text: '4.3.2 Shutting down, please try again later' },
};

export const accepted = '2.0.0 Thank you, the reply is on its way';
export const passedOn = '2.0.0 Thank you';
