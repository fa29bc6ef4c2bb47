// May this message be answered at all? Robots, lists and answers to other mails are not (RFC 3834 §2), so that no
// two machines ever talk to each other, and nobody is talked into passing a code on by answering a stranger's mail.
// Rows D8 and D9 of src/DESIGN.md "Which mail is believed".

import { domainOf, localPartOf, type Mailbox, sameIgnoringCase } from './mail-address.ts';
import type { MessageHeader } from './message-header.ts';
import { type Refused, refuse } from './refusal.ts';

const robots = /^(?:mailer-daemon|postmaster|no[-_.]?reply|do[-_.]?not[-_.]?reply|bounces?(?:\+.*)?)$/i;
const bulk = /^(?:bulk|junk|list)$/i;

/**
 * Tells whether nobody reads a mailbox who could want an answer: a robot's, one of ours.
 * @param oneTimeDomain domain of the one-time addresses, lower case
 * @param ownFrom       address our replies come from
 */
export function isNobody(mailbox: Mailbox, oneTimeDomain: string, ownFrom: Mailbox): boolean {
  return robots.test(localPartOf(mailbox)) || domainOf(mailbox) === oneTimeDomain || sameIgnoringCase(mailbox, ownFrom);
}

/**
 * Decides whether a message may be answered.
 * @param header         checked for form; its values are attacker-chosen
 * @param oneTimeDomain  domain of the one-time addresses, lower case
 * @param ownFrom        address our replies come from
 * @returns undefined when it may, or refused: automatic-mail, answer-to-another-mail
 */
export function refuseUnanswerable(
  header: MessageHeader,
  oneTimeDomain: string,
  ownFrom: Mailbox,
): Refused<'automatic-mail' | 'answer-to-another-mail'> | undefined {
  const first = (name: string) => header.fields.get(name)?.[0]?.trim() ?? '';
  const autoSubmitted = /^no[ \t]*(?:[;(]|$)/i.test(first('auto-submitted'))
    ? undefined
    : header.fields.get('auto-submitted');
  const automatic =
    autoSubmitted !== undefined || // RFC 3834 §5: anything but "no", with or without parameters
    [...header.fields.keys()].some((name) => name.startsWith('list-')) || // RFC 2369, RFC 2919
    (header.fields.get('precedence') ?? []).some((value) => bulk.test(value.trim())) ||
    /^multipart\/report\b/i.test(first('content-type')) || // RFC 6522
    isNobody(header.author, oneTimeDomain, ownFrom);
  if (automatic) return refuse('automatic-mail');
  return header.fields.has('in-reply-to') || refersToAnother(header) ? refuse('answer-to-another-mail') : undefined;
}

/**
 * Yahoo's webmail has a brand-new message refer to an id made of its own, with `.ref` before the at sign. That is no
 * answer to anybody; an id of somebody else's never looks like that.
 */
function refersToAnother({ fields }: MessageHeader): boolean {
  const own = fields.get('message-id')?.[0]?.trim().replace('@', '.ref@');
  return (fields.get('references') ?? []).some((value) => value.trim() !== own);
}
