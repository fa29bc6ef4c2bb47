// The closed list of expected refusals. One name each, the same in the core, the log, the SMTP answer and the page.
// No wire codes here: the two edges translate (smtp-replies.ts, web-replies.ts), each with a complete table.

/** Why a mail is not believed or not answered. Letters in comments are rows of src/DESIGN.md "Which mail is believed". */
export type MailRefusalReason =
  | 'relay-denied' // R1
  | 'null-sender' // R3
  | 'address-unknown' // R2, R5
  | 'address-expired' // R6
  | 'too-many-messages' // R7
  | 'message-too-big' // D1
  | 'line-ends-malformed' // D2
  | 'header-malformed' // D3
  | 'header-repeated' // D4
  | 'mail-loop' // D5
  | 'too-many-signatures' // D5
  | 'address-not-ascii' // D6
  | 'author-unreadable' // D7
  | 'automatic-mail' // D8
  | 'answer-to-another-mail' // D9
  | 'wrong-recipient' // D10
  | 'author-ambiguous' // D11
  | 'check-unavailable' // D13
  | 'not-authenticated' // D14
  | 'replies-exhausted' // D16, the mailbox
  | 'senders-exhausted'; // D16, the challenge

/** Why a form is not accepted. */
export type FormRefusalReason =
  | 'cookie-missing'
  | 'cookie-invalid'
  | 'cross-site'
  | 'nonce-wrong'
  | 'code-malformed'
  | 'mail-not-seen'
  | 'code-wrong'
  | 'code-expired'
  | 'code-used'
  | 'codes-exhausted'
  | 'challenge-locked'
  | 'challenge-expired'
  | 'grant-missing';

/** An expected no. Outside the closed lists there are only dependency failures and bugs. */
export interface Refused<Reason extends string> {
  readonly kind: 'refused';
  readonly reason: Reason;
}

/** Builds a refusal. */
export function refuse<Reason extends string>(reason: Reason): Refused<Reason> {
  return { kind: 'refused', reason };
}
