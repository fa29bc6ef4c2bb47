// What the application needs from the outside world. Each method says what it promises and how it fails.
// Expected refusals are values; an outside that fails throws DependencyError; anything else is a bug.

import type { Challenge, ChallengeLimits } from '../core/challenge.ts';
import type { ClientHint } from '../core/client-hint.ts';
import type { Locale } from '../core/locale.ts';
import type { Mailbox } from '../core/mail-address.ts';
import type { OneTimeAddress } from '../core/one-time-address.ts';
import type { Purpose } from '../core/purpose.ts';
import type { FormRefusalReason, MailRefusalReason, Refused } from '../core/refusal.ts';
import type { SenderEvidence, SpfCanary, TrustedSender } from '../core/sender-policy.ts';

/** Something outside failed: the store, DNS, the relay. Never holds a secret or a mail address in its message. */
export class DependencyError extends Error {
  readonly dependency: 'store' | 'dns' | 'directory';

  constructor(dependency: DependencyError['dependency'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DependencyError';
    this.dependency = dependency;
  }
}

/** Time, and waiting for it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `ms` milliseconds; the result cancels it. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void;
}

/** What a keyed digest is for. Each has its own sub-key, so no value of one use means anything in another. */
export type SecretUse = 'cookie' | 'nonce' | 'address' | 'code' | 'grant' | 'log';

/** Randomness and keyed digests. Throws nothing. */
export interface Secrets {
  randomBytes(count: number): Uint8Array;
  /** HMAC-SHA-256 under the sub-key of `use`: 32 bytes. */
  mac(use: SecretUse, data: Uint8Array): Uint8Array;
  /** SHA-256: 32 bytes. */
  hash(data: Uint8Array): Uint8Array;
  /** Compares in constant time; false when the lengths differ. */
  equal(one: Uint8Array, other: Uint8Array): boolean;
}

/** What `decide` wants to be written, and what its caller wants to know. */
export interface Decision<Result> {
  /** The record from now on; the same object or undefined: nothing is written. */
  readonly next: Challenge | undefined;
  readonly result: Result;
}

/** Challenges from their first accepted mail until the end of their use. */
export interface ChallengeStore {
  /** The record as it stands, or undefined. Never one that is past its use at `now`. Reads no disk, writes nothing. */
  read(id: string, now: number): Promise<Challenge | undefined>;
  /**
   * Reads, decides and writes as one step: no other transact on this id comes in between.
   * When it resolves, `next` and everything the decision was based on are on disk.
   * @param decide pure and synchronous; may be run twice
   * @throws DependencyError when it could not be written: then nothing has changed
   */
  transact<Result>(
    id: string,
    now: number,
    decide: (current: Challenge | undefined) => Decision<Result>,
  ): Promise<Result>;
  /** All records that have a queued reply: after a start, these are still to be sent. */
  withQueuedReplies(now: number): Promise<readonly Challenge[]>;
  /** Drops, for good, what is past its use at `now`. @throws DependencyError */
  sweep(now: number): Promise<void>;
  /** Ends with everything on disk. Nothing may be called afterwards. */
  close(): Promise<void>;
}

/** A message on its way in, and the connection it came by. All of it attacker-chosen but `remoteAddress`. */
export interface Envelope {
  readonly remoteAddress: string;
  readonly helo: string;
  /** MAIL FROM without brackets, domain as ASCII; never empty. */
  readonly mailFrom: string;
}

/** Mail authentication of one message. */
export interface MailVerifier {
  /**
   * Checks SPF, DKIM and DMARC. Temporary trouble is a verdict (`temperror`), not an exception.
   * @param message passed the header reader; bounded
   * @param author  the one author the header reader found
   */
  verify(message: Uint8Array, envelope: Envelope, author: Mailbox): Promise<Verification>;
}

/** Evidence for the sender policy, without what only the application knows. */
export interface Verification {
  readonly evidence: Omit<SenderEvidence, 'author' | 'mailFrom' | 'subjectHoldsLabel'>;
  /** Evaluates the SPF record of MAIL FROM for addresses that nobody sends from. */
  canary(): Promise<SpfCanary>;
}

/** A reply to be handed over. */
export interface OutgoingReply {
  readonly to: Mailbox;
  /** Left side of the Message-ID. */
  readonly id: string;
  readonly inReplyTo: string | null;
  readonly code: string;
  readonly label: string;
  readonly purpose: Purpose;
  readonly locale: Locale;
  readonly clientHint: ClientHint;
  readonly openedAt: number;
  readonly validUntil: number;
}

/** Hands replies to the relay. */
export interface MailSender {
  /** Never throws: an outside that fails is `temporary`, a relay that says no for good is `permanent`. */
  send(reply: OutgoingReply): Promise<SendResult>;
  close(): void;
}

/** `detail` is for the log: codes, no addresses. */
export type SendResult =
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'temporary' | 'permanent'; readonly detail: string };

/** An account as the page shows it. Text of the organisation, to be escaped. */
export interface Account {
  readonly name: string;
  readonly description: string;
}

/** Where accounts live. */
export interface Directory {
  /** Accounts of a mailbox: domain in any case, local part as written. @throws DependencyError */
  accountsOf(mailbox: Mailbox): Promise<readonly Account[]>;
}

/** One structured event. Values are short and hold no secret; mailboxes only as `digest`. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The log. Refusals are `info`, temporary trouble outside is `warn`, bugs are `error`. */
export interface Log {
  info(event: string, fields: LogFields): void;
  warn(event: string, fields: LogFields, cause?: unknown): void;
  error(event: string, fields: LogFields, cause?: unknown): void;
}

/** Numbers of src/DESIGN.md "Numbers" that the use cases obey. */
export interface AppLimits extends ChallengeLimits {
  readonly challengeLifetimeMs: number;
  readonly dkimSignaturesMax: number;
  readonly wrongCodesPerMailboxPerDayMax: number;
  readonly repliesPerMailbox: {
    readonly perMinuteMax: number;
    readonly perHourMax: number;
    readonly perDayMax: number;
  };
}

// The use cases, as the edges call them.

/** How far a challenge has come, as its page may tell. Never names a mailbox: nothing was proved yet. */
export type Progress = 'awaiting-mail' | 'reply-queued' | 'reply-handed-over' | 'reply-failed' | 'locked' | 'verified';

/** Everything the page shows. */
export interface OpenedChallenge {
  /** Value for the cookie; set it when `isNew`. */
  readonly cookie: string;
  readonly isNew: boolean;
  /** Hidden field, base64url. */
  readonly nonce: string;
  /** Local part of the one-time address. */
  readonly localPart: string;
  readonly label: string;
  readonly locale: Locale;
  readonly expiresAt: number;
  readonly progress: Progress;
}

export interface OpenChallengeRequest {
  /** Attacker-chosen; undefined when there is none. */
  readonly cookie: string | undefined;
  /** For a new challenge; a live one keeps its own. */
  readonly locale: Locale;
  readonly clientHint: ClientHint;
}

/** The page is asked for. @throws DependencyError when the store cannot be read */
export type OpenChallenge = (request: OpenChallengeRequest) => Promise<OpenedChallenge>;

/** The form as it came. All of it attacker-chosen; undefined when it is missing. */
export interface RedeemRequest {
  readonly cookie: string | undefined;
  readonly nonce: string | undefined;
  readonly code: string | undefined;
}

/** What a right code earns. */
export interface Redeemed {
  readonly kind: 'redeemed';
  /** Value for the grant cookie. */
  readonly grant: string;
  readonly mailboxDigest: string;
}

/** A no, and what the person needs to know about it. */
export type RedeemRefused = Refused<FormRefusalReason> & {
  /** With code-wrong. */
  readonly triesLeft?: number;
  /** With codes-exhausted. */
  readonly waitMs?: number;
};

/**
 * The form is posted.
 * @throws DependencyError when a step that must be on disk is not: then nothing was counted and nothing granted
 */
export type RedeemCode = (request: RedeemRequest) => Promise<Redeemed | RedeemRefused>;

/** A proved mailbox and its accounts. */
export interface ShownAccounts {
  readonly kind: 'accounts';
  readonly locale: Locale;
  readonly mailbox: Mailbox;
  readonly accounts: readonly Account[];
  readonly grantExpiresAt: number;
}

/** Shows what a grant lets see. Both cookies are attacker-chosen. @throws DependencyError when the directory fails */
export type ShowAccounts = (
  cookie: string | undefined,
  grant: string | undefined,
) => Promise<ShownAccounts | Refused<'grant-missing'>>;

/** A message that was accepted, or answered before. `authorDigest` is for the log. */
export interface MailAccepted {
  readonly kind: 'reply-queued' | 'already-answered';
  readonly by: TrustedSender['by'];
  readonly authorDigest: string;
}

/** A message that was not. The domain is known when there is an author. */
export type MailRefused = Refused<MailRefusalReason> & {
  readonly authorDomain?: string;
  readonly authorDigest?: string;
};

export interface ReceiveMail {
  /**
   * RCPT TO: is this an address of ours that still takes mail?
   * @param recipient attacker-chosen, `local@domain`
   * @throws DependencyError when the store cannot be read
   */
  admitRecipient(recipient: string): Promise<OneTimeAddress | Refused<MailRefusalReason>>;
  /**
   * End of DATA. When it resolves to `reply-queued`, the reply is on disk and will go out.
   * @param recipient the address that `admitRecipient` returned
   * @param message   the whole message, bounded by the caller; attacker-chosen
   * @throws DependencyError when DNS takes too long as a whole or the store cannot write: the sender's server asks again
   */
  receive(message: Uint8Array, envelope: Envelope, recipient: OneTimeAddress): Promise<MailAccepted | MailRefused>;
}
