// The closed list of expected refusals. One name each, the same in the core, the log, the SMTP answer and the page.
// No wire codes here: the two edges translate (smtp-replies.ts, web-replies.ts), each with a complete table.

/** What the page of a challenge says when a mail for it was refused. Fixed sentences; the words are the page's. */
export type MailSentence =
  | 'used-up'
  | 'too-many-messages'
  | 'too-big'
  | 'unreadable'
  | 'address-beyond-ascii'
  | 'sender-unreadable'
  | 'write-a-new-one'
  | 'only-this-address'
  | 'checking'
  | 'not-confirmed'
  | 'asked-often'
  | 'asked-too-often'
  | 'unchanged';

/**
 * Why a mail is not believed or not answered: its row in src/DESIGN.md "Which mail is believed", and what its page says.
 * `unchanged`: the page learns nothing, because nobody can tell that the mail had to do with it.
 */
export const mailRefusals = {
  'too-many-bad-addresses': { row: 'R5', sentence: 'unchanged' },
  'relay-denied': { row: 'R1', sentence: 'unchanged' },
  'null-sender': { row: 'R3', sentence: 'unchanged' },
  'address-unknown': { row: 'R5', sentence: 'unchanged' },
  'address-expired': { row: 'R6', sentence: 'used-up' },
  'too-many-messages': { row: 'R7', sentence: 'too-many-messages' },
  'message-too-big': { row: 'D1', sentence: 'too-big' },
  'line-ends-malformed': { row: 'D2', sentence: 'unreadable' },
  'header-malformed': { row: 'D3', sentence: 'unreadable' },
  'header-repeated': { row: 'D4', sentence: 'unreadable' },
  'mail-loop': { row: 'D5', sentence: 'unreadable' },
  'too-many-signatures': { row: 'D5', sentence: 'unreadable' },
  'address-not-ascii': { row: 'D6', sentence: 'address-beyond-ascii' },
  'author-unreadable': { row: 'D7', sentence: 'sender-unreadable' },
  'automatic-mail': { row: 'D8', sentence: 'unchanged' },
  'answer-to-another-mail': { row: 'D9', sentence: 'write-a-new-one' },
  'wrong-recipient': { row: 'D10', sentence: 'only-this-address' },
  'author-ambiguous': { row: 'D11', sentence: 'sender-unreadable' },
  'check-unavailable': { row: 'D13', sentence: 'checking' },
  'not-authenticated': { row: 'D14', sentence: 'not-confirmed' },
  'replies-exhausted': { row: 'D16', sentence: 'asked-often' },
  'replies-exhausted-for-long': { row: 'D16', sentence: 'asked-too-often' },
  'senders-exhausted': { row: 'D16', sentence: 'too-many-messages' },
} as const satisfies Record<string, { readonly row: string; readonly sentence: MailSentence }>;

/** One name for each reason, the same in the core, the log, the answers and the page. */
export type MailRefusalReason = keyof typeof mailRefusals;

/**
 * Why the listener itself turns somebody away, with its row: before there is a message to judge, or instead of judging it.
 * None of these is told on a page.
 */
export const edgeRefusals = {
  'too-many-connections': 'C1, C2',
  'connection-too-old': 'C3',
  'too-many-errors': 'C4',
  'too-many-commands': 'C4',
  'no-room': 'C5',
  'network-asks-often': 'C6',
  'utf8-not-offered': 'M1',
  'parameter-unknown': 'M1',
  'size-too-big': 'M2',
  'second-recipient': 'R8',
  'far-too-big': 'D1',
  'not-now': 'D18',
  'shutting-down': '-',
} as const satisfies Record<string, string>;

/** One name for each, the same in the table, the answer and the log. */
export type EdgeRefusalReason = keyof typeof edgeRefusals;

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
  | 'grant-missing'
  | 'grant-used'
  | 'account-changed'
  | 'account-locked'
  | 'account-frozen'
  | 'account-active'
  | 'second-factor-missing'
  | 'second-factor-wrong'
  | 'second-factor-exhausted'
  | 'enrolment-code-wrong'
  | 'enrolment-over'
  | 'undo-code-wrong'
  | 'undo-not-needed'
  | 'address-refused'
  | 'address-asked-often'
  | 'typing-exhausted'
  | 'addresses-exhausted';

/** Why nobody is invited to an account. */
export const inviteRefusals = [
  'unknown-account',
  'account-active',
  'account-locked',
  'account-frozen',
  'mailbox-missing',
] as const;

/** One name for each, the same in the answer and the words of the command. */
export type InviteRefusalReason = (typeof inviteRefusals)[number];

/** An expected no. Outside the closed lists there are only dependency failures and bugs. */
export interface Refused<Reason extends string> {
  readonly kind: 'refused';
  readonly reason: Reason;
}

/** Builds a refusal. */
export function refuse<Reason extends string>(reason: Reason): Refused<Reason> {
  return { kind: 'refused', reason };
}
