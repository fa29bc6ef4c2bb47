// RCPT TO: may this recipient have mail from this connection? Rows R1 to R7 of src/DESIGN.md "Which mail is believed",
// first one that applies, from plain facts.

import { type MailRefusalReason, type Refused, refuse } from './refusal.ts';

/** What is known about a recipient and about who names it. */
export interface RecipientFacts {
  /** The domain is that of the one-time addresses, or there is none, which stands for it. */
  readonly domainIsOurs: boolean;
  /** postmaster or abuse, and whether there is an operator to read it. */
  readonly role: 'none' | 'read' | 'unread';
  readonly nullSender: boolean;
  /** `made-up`: not one of ours, by form or MAC; `over`: expired, locked or used. */
  readonly address: 'made-up' | 'open' | 'over';
  /** Made-up addresses that this connection has named before. */
  readonly madeUpBefore: number;
  /** Its network has named as many as it may. */
  readonly networkIsGuessing: boolean;
  /** As many messages came for the challenge as may come. */
  readonly messagesUsedUp: boolean;
}

const madeUpPerConnectionMax = 5;

/**
 * Decides about a recipient.
 * @returns who it is, or refused: relay-denied, null-sender, too-many-bad-addresses, address-unknown, address-expired,
 *          too-many-messages
 */
export function decideRecipient(facts: RecipientFacts): 'operator' | 'one-time' | Refused<MailRefusalReason> {
  if (!facts.domainIsOurs) return refuse('relay-denied');
  if (facts.role === 'read') return 'operator';
  if (facts.role === 'unread') return refuse('address-unknown');
  if (facts.nullSender) return refuse('null-sender');
  if (facts.address === 'made-up') {
    const guessing = facts.networkIsGuessing || facts.madeUpBefore + 1 >= madeUpPerConnectionMax;
    return refuse(guessing ? 'too-many-bad-addresses' : 'address-unknown');
  }
  if (facts.address === 'over') return refuse('address-expired');
  return facts.messagesUsedUp ? refuse('too-many-messages') : 'one-time';
}
