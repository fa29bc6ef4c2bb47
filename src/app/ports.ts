// What the application needs from the outside world. Each method says what it promises and how it fails.
// Expected refusals are values; an outside that fails throws DependencyError; anything else is a bug.

import type { NewAccount } from '../core/account-entry.ts';
import type { Challenge, ChallengeLimits, ChosenAccount, Sender } from '../core/challenge.ts';
import type { ClientHint } from '../core/client-hint.ts';
import type { Answer, MxRecord } from '../core/dns-checks.ts';
import type {
  CertificateFacts,
  ClockFacts,
  FolderFacts,
  GreetingFacts,
  RelayFacts,
  SiteFacts,
} from '../core/host-checks.ts';
import type { Locale } from '../core/locale.ts';
import type { Mailbox } from '../core/mail-address.ts';
import type { KeyedAddress } from '../core/one-time-address.ts';
import type { ChangeRecord } from '../core/password-change.ts';
import type { PasswordRefusalReason } from '../core/password-policy.ts';
import type { PasswordPurpose, Purpose } from '../core/purpose.ts';
import type {
  FormRefusalReason,
  InviteRefusalReason,
  MailRefusalReason,
  MailSentence,
  Refused,
} from '../core/refusal.ts';
import type {
  Authentication,
  SenderEvidence,
  SignatureCondition,
  SpfCanary,
  SpfCondition,
  TrustedSender,
  VerdictDetails,
} from '../core/sender-policy.ts';
import type { SetupCheck } from '../core/setup-check.ts';

/** Something outside failed: the store, DNS, the thread that checks mail, the relay. Never holds a secret or a mail address in its message. */
export class DependencyError extends Error {
  readonly dependency: 'store' | 'dns' | 'verifier' | 'directory' | 'relay';
  /** What was asked for may have been done all the same: its answer was lost. */
  readonly outcomeUnknown: boolean;

  constructor(
    dependency: DependencyError['dependency'],
    message: string,
    { outcomeUnknown = false, ...options }: ErrorOptions & { readonly outcomeUnknown?: boolean } = {},
  ) {
    super(message, options);
    this.name = 'DependencyError';
    this.dependency = dependency;
    this.outcomeUnknown = outcomeUnknown;
  }
}

/** Time, and waiting for it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `task` once after `ms` milliseconds; the result cancels it. Does not keep the process alive. */
  after(ms: number, task: () => void): () => void;
}

/** A certificate chain and its key, PEM, known to fit together. For the edges: nothing in here asks for one. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * Gives the certificate, and each one that follows it.
 * @returns a function that ends it
 * @throws Error with the place when the first one cannot be read or used
 */
export type WatchCertificate = (use: (certificate: Certificate) => void) => Promise<() => void>;

/** What a keyed digest is for. Each has its own sub-key, so no value of one use means anything in another. */
export type SecretUse =
  | 'cookie'
  | 'nonce'
  | 'address'
  | 'code'
  | 'grant'
  | 'change'
  | 'undo'
  | 'attempt'
  | 'enrolment'
  | 'log';

/** Randomness and keyed digests. Throws nothing. */
export interface Secrets {
  randomBytes(count: number): Uint8Array;
  /** Names of the keys, the newest first; at most `keysMax` of them, as long as there is work for the older ones. */
  keyIds(): readonly string[];
  /**
   * HMAC-SHA-256 under the sub-key of `use`: 32 bytes.
   * @param keyId the newest where nothing is said. What has to come out the same later must say, and remember it.
   */
  mac(use: SecretUse, data: Uint8Array, keyId?: string): Uint8Array;
  /** SHA-256: 32 bytes. */
  hash(data: Uint8Array): Uint8Array;
  /** Compares in constant time; false when the lengths differ. */
  equal(one: Uint8Array, other: Uint8Array): boolean;
}

/** What a network asks for: a form, a static piece of a page, any other request, a message. Each is counted by itself. */
export type Asked = 'page' | 'piece' | 'form' | 'message';

/** How much a network may ask for. In memory: a restart forgets it. */
export interface RateLimits {
  /**
   * Counts one more; what is refused takes nothing from what comes later. Throws nothing.
   * @param address of whoever asks; its network counts
   * @returns 0 when it may go on, else milliseconds until one more may
   */
  take(asked: Asked, address: string): Promise<number>;
}

/** Keeps small secrets on disk that must be read again, under a key of their own. */
export interface Sealer {
  /** @param about names whose it is: sealed for one, it cannot be opened for another */
  seal(secret: Uint8Array, about: string): string;
  /** The secret, or undefined when it was not sealed with this key and for this one. */
  open(sealed: string, about: string): Uint8Array | undefined;
  /** The same secret under the newest key. What has that key, or one that is not there, stays as it is. */
  renew(sealed: string, about: string): string;
}

/** The master keys by name, the newest first; there is at least one. */
export interface KeyChain {
  readonly keys: readonly {
    readonly id: string;
    /** Milliseconds since the epoch. The one before it has made nothing new since. */
    readonly createdAt: number;
  }[];
  /** Undefined where somebody else keeps them. What resolves is on disk; each throws DependencyError, and nothing changed. */
  readonly change:
    | {
        /** A new key takes the first place. */
        add(now: number): Promise<void>;
        /** Gone for good. The newest stays. */
        drop(ids: readonly string[]): Promise<void>;
      }
    | undefined;
}

/** What an administrator does with keys. */
export interface KeyAdmin {
  /**
   * A new key makes everything from now on; the one before works until its last page has ended.
   * @returns `not-here`: the keys are in the environment, where the operator changes them; `too-many` older ones are still needed
   * @throws DependencyError when it could not be written: then nothing has changed
   */
  rotate(): Promise<KeysRotated>;
}

export type KeysRotated =
  | { readonly kind: 'rotated'; readonly keyId: string }
  | { readonly kind: 'not-here' | 'too-many' };

/** One-time passwords of an app on a phone (RFC 6238): SHA-1, 6 digits, steps of 30 seconds. */
export interface OneTimePasswords {
  /**
   * The step whose password was typed: the one of `at`, the one before or the one after it.
   * @param digits 6 of them; attacker-chosen
   * @returns undefined when it is none of theirs
   */
  stepOf(secret: Uint8Array, digits: string, at: number): number | undefined;
  /** How an app is told the secret: as a URI for its camera, and as letters (RFC 4648 §6) to be typed. */
  describe(secret: Uint8Array, issuer: string, accountName: string): { readonly uri: string; readonly letters: string };
}

/** What `decide` wants to be written, and what its caller wants to know. */
export interface Decision<T, Result> {
  /** The record from now on; the same object or undefined: nothing is written. */
  readonly next: T | undefined;
  readonly result: Result;
}

/** Records from the first write until the end of their use. */
export interface RecordStore<T> {
  /** The record as it stands, or undefined. Never one that is past its use at `now`. Reads no disk, writes nothing. */
  read(id: string, now: number): Promise<T | undefined>;
  /**
   * Reads, decides and writes as one step: no other transact on this id comes in between.
   * When it resolves, `next` and everything the decision was based on are on disk.
   * @param decide pure and synchronous; may be run twice
   * @throws DependencyError when it could not be written: then nothing has changed
   */
  transact<Result>(id: string, now: number, decide: (current: T | undefined) => Decision<T, Result>): Promise<Result>;
  /** All records with a mail that is queued: after a start, these are still to be sent. */
  withQueued(now: number): Promise<readonly T[]>;
  /** Drops, for good, what is past its use at `now`. @throws DependencyError */
  sweep(now: number): Promise<void>;
  /** Ends with everything on disk. Whoever comes later hears a DependencyError, and nothing is written. */
  close(): Promise<void>;
}

/** What can be tried out. */
export interface Probed {
  /** Writes without changing anything, to see whether the disk takes it. @throws DependencyError when it does not */
  probe(): Promise<void>;
}

/** Challenges, from their first accepted mail on. */
export type ChallengeStore = RecordStore<Challenge>;

/** Passwords that were set here, while they can be undone. */
export type ChangeStore = RecordStore<ChangeRecord>;

/**
 * A message on its way in, and the connection it came by. All of it attacker-chosen but `remoteAddress`, which is
 * undefined when a proxy or a front did not tell it.
 */
export interface Envelope {
  readonly remoteAddress: string | undefined;
  readonly helo: string;
  /** MAIL FROM without brackets, domain as ASCII; never empty. */
  readonly mailFrom: string;
}

/** Mail authentication of one message. */
export interface MailVerifier {
  /**
   * Checks DKIM and DMARC, and SPF when it is asked for. Temporary trouble is a verdict (`temperror`), not an exception.
   * @param message passed the header reader; bounded
   * @param author  the one author the header reader found
   */
  verify(message: Uint8Array, envelope: Envelope, author: Mailbox): Promise<Verification>;
}

/** Evidence for the sender policy, without what only the application knows. */
export interface Verification {
  readonly evidence: Omit<SenderEvidence, 'author' | 'mailFrom' | 'subjectHoldsLabel'>;
  /** The same with SPF, and DMARC evaluated with it. Each include of a record is one more question to name servers of strangers. */
  withSpf(): Promise<Verification['evidence']>;
  /** Evaluates the SPF record of MAIL FROM for addresses that nobody sends from. */
  canary(): Promise<SpfCanary>;
  /** What the verdicts so far rest on; for people, nothing is decided on it. */
  readonly trace?: VerificationTrace;
}

/** Why a signature does not hold. A closed list: the library's own words may repeat what the signer wrote. */
export type SignatureTrouble =
  | 'body-changed'
  | 'header-changed'
  | 'expired'
  | 'expiry-malformed'
  | 'malformed'
  | 'from-not-signed'
  | 'identity-mismatch'
  | 'weak-algorithm'
  | 'weak-key'
  | 'key-missing'
  | 'key-unusable'
  | 'key-for-another-use'
  | 'key-look-up-failed';

/** Records as they were published. All of it is text of strangers. */
export interface VerificationTrace {
  /** In the order of `evidence.signatures`. */
  readonly signatures: readonly { readonly trouble: SignatureTrouble | undefined }[];
  readonly spfRecord: string | undefined;
  readonly dmarc:
    | { readonly record: string; readonly foundAt: string; readonly policy: string | undefined }
    | undefined;
}

/** A reply to be handed over. */
export interface OutgoingReply {
  /** What it answers: a mail, or an address that somebody typed into a page. */
  readonly by: Sender['by'];
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

/** The notice of a password that was set. */
export interface OutgoingNotice {
  readonly to: Mailbox;
  /** Left side of the Message-ID. */
  readonly id: string;
  readonly purpose: PasswordPurpose;
  readonly accountName: string;
  readonly undoCode: string;
  readonly undoUntil: number;
  readonly at: number;
  readonly locale: Locale;
  readonly clientHint: ClientHint;
}

/** The invitation to an account that has no password yet. */
export interface OutgoingInvitation {
  readonly to: Mailbox;
  /** Left side of the Message-ID. */
  readonly id: string;
  readonly accountName: string;
  readonly locale: Locale;
}

/** Hands replies, notices and invitations to the relay. */
export interface MailSender {
  /**
   * Never throws. `temporary` and `permanent` are about this mail; `away`: the relay takes none at present, be it down, or
   * not willing to talk to us.
   */
  send(reply: OutgoingReply): Promise<SendResult>;
  /** The same for a notice. */
  sendNotice(notice: OutgoingNotice): Promise<SendResult>;
  /** The same for an invitation. */
  sendInvitation(invitation: OutgoingInvitation): Promise<SendResult>;
  /** Passes a message for the operator on as it is, with a trace line of ours on top. Never throws. */
  passOn(message: Uint8Array, to: Mailbox): Promise<SendResult>;
  close(): void;
}

/** `detail` is for the log: codes, no addresses. */
export type SendResult =
  | { readonly kind: 'handed-over' }
  | { readonly kind: 'temporary' | 'permanent' | 'away'; readonly detail: string };

/** An account as pages need it. Its texts are the organisation's, to be escaped. */
export interface Account {
  /** Names it for ever; never shown. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** `locked`: by an administrator. `frozen`: a change was undone, and an administrator has to look first. */
  readonly state: 'active' | 'locked' | 'frozen';
  readonly hasPassword: boolean;
  /** Changes with its password, mailboxes and state: whoever acts on what was before is refused. */
  readonly securityVersion: string;
  /** `enrolled`: it is asked for before a new password is set. */
  readonly secondFactor: 'none' | 'enrolled';
}

/** What was typed as second factor of an account. */
export interface SecondFactorAttempt {
  readonly accountId: string;
  /** As the account had it when it was chosen. */
  readonly securityVersion: string;
  /** Names the attempt, 32 hexadecimal digits. The same one again is the same attempt: not counted, not used up again. */
  readonly attemptId: string;
  /** Attacker-chosen, at most 100 characters. A secret: never logged, never kept. */
  readonly typed: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type SecondFactorOutcome =
  | { readonly kind: 'right' | 'wrong' | 'account-changed' }
  | { readonly kind: 'too-many'; readonly waitMs: number };

/** An app that has shown that it knows the secret. */
export interface NewSecondFactor {
  readonly accountId: string;
  /** As the account has it since its password was set. */
  readonly securityVersion: string;
  /** 20 bytes, kept sealed only. */
  readonly secret: Uint8Array;
  /** Kept as digests only. */
  readonly recoveryCodes: readonly string[];
  /** The step whose password was typed to enrol it: used up. */
  readonly step: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A new password, decided by the person and judged by the password policy. */
export interface PasswordChange {
  readonly accountId: string;
  /** As the account had it when it was chosen. */
  readonly securityVersion: string;
  /** The mailbox that was proved. */
  readonly mailbox: Mailbox;
  /** Normalised (NFKC). A secret: never logged, stored as a hash only. */
  readonly password: string;
  /** Names the change, 32 hexadecimal digits. The same one again is the same change. */
  readonly changeId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Until then the password of before can be brought back. */
  readonly undoUntil: number;
  /** Until then the mailboxes of the account must not be changed. */
  readonly addressFrozenUntil: number;
}

/** A mailbox that was proved. */
export interface MailboxConfirmation {
  readonly mailbox: Mailbox;
  /** Names it, 32 hexadecimal digits. */
  readonly changeId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What came of a notice, which the directory does not see. */
export interface DirectoryEvent {
  readonly kind: 'notice-sent' | 'notice-failed';
  readonly accountId: string;
  readonly changeId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Where accounts live. Every method that asks throws DependencyError when the directory fails; then nothing has changed,
 * unless `outcomeUnknown` says that it may have.
 */
export interface Directory {
  /** Accounts of a mailbox: domain in any case, local part as the directory's own rule says. */
  accountsOf(mailbox: Mailbox): Promise<readonly Account[]>;
  /**
   * Sets the password, keeps the one of before for an undo, and ends all sessions, in one step that is on disk when it
   * resolves. Of two changes to one securityVersion exactly one is done.
   * The same change again is `done` as long as it is the latest and its password is this very one; with another password
   * it is `account-changed`. Nothing changes either way.
   * @returns `account-changed` when the account is another than it was chosen as (version, mailbox or state), or gone
   */
  setPassword(change: PasswordChange): Promise<'done' | 'account-changed'>;
  /**
   * Brings back the password of before, ends all sessions, and freezes the account for further resets. When there were
   * several changes that can still be undone, any of them brings back what was before the oldest: whoever got in twice
   * must not have a password of his own brought back. The second factor that went with that password comes back with it,
   * and one that was enrolled since is gone.
   * @returns `too-late` when the change was undone already, or its time is over
   */
  revertPassword(accountId: string, changeId: string, now: number): Promise<'done' | 'too-late'>;
  /**
   * Notes for every account of a mailbox that its owner has proved it, on disk when it resolves, and nothing else: whoever
   * chose one of them before may go on. The same changeId again is the same.
   * @returns `no-account` when none uses it
   */
  confirmMailbox(confirmation: MailboxConfirmation): Promise<'done' | 'no-account'>;
  /**
   * Checks a one-time password or a recovery code. A wrong one is counted, and a right one used up (a step with all
   * before it, a recovery code for good), on disk before it resolves. Of two that race with the same, one is right.
   * @returns `too-many` before what was typed is looked at; `account-changed` as for `setPassword`, and when there is no
   *          second factor
   */
  verifySecondFactor(attempt: SecondFactorAttempt): Promise<SecondFactorOutcome>;
  /** Only a directory that keeps second factors itself has it. */
  readonly enrolment?: SecondFactorEnrolment | undefined;
  /** Seals anew, under the newest key, what was sealed under an older one. Only a directory that seals has it. */
  readonly reseal?: (() => Promise<void>) | undefined;
  /** Only a directory of others has it. Best effort: never throws, never waits. */
  readonly tell?: (event: DirectoryEvent) => void;
}

export interface SecondFactorEnrolment {
  /** Puts a second factor in the place of the one of before, if any. The same again is done, and changes nothing. */
  enrol(factor: NewSecondFactor): Promise<'done' | 'account-changed'>;
}

/** An account as its administrator sees it: all but the hashes. Times are milliseconds since the epoch. */
export interface AccountDetails {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly mailboxes: readonly Mailbox[];
  /** Those of them whose owner has confirmed them, and when last. */
  readonly confirmed: readonly ConfirmedMailbox[];
  readonly state: AccountState;
  readonly hasPassword: boolean;
  readonly passwordChangedAt: number | null;
  readonly sessionsEndedAt: number | null;
  readonly addressFrozenUntil: number | null;
  /** Until then the latest password change can be undone; null: it cannot. */
  readonly undoUntil: number | null;
  readonly secondFactor: { readonly enrolledAt: number; readonly recoveryCodesLeft: number } | null;
}

/** When its owner has proved a mailbox, milliseconds since the epoch. */
export interface ConfirmedMailbox {
  readonly mailbox: Mailbox;
  readonly at: number;
}

/** `locked` by an administrator, `frozen` by an undo; neither can be reset. */
export type AccountState = 'active' | 'locked' | 'frozen';

/** One thing to put right in a list of accounts. */
export interface AccountMistake {
  /** Position in the list, from 0. */
  readonly index: number;
  /** Quotes nothing of the account. */
  readonly problem: string;
}

/** What an administrator does. Changes are on disk when they resolve; each throws DependencyError when they are not. */
export interface AccountAdmin {
  list(): Promise<readonly AccountDetails[]>;
  /** @param name in any case */
  find(name: string): Promise<AccountDetails | undefined>;
  /** What `add` would find wrong. Changes nothing. */
  check(accounts: readonly NewAccount[]): Promise<readonly AccountMistake[]>;
  /** Adds all, or none when there are mistakes. */
  add(accounts: readonly NewAccount[]): Promise<readonly AccountMistake[]>;
  /** Whoever began something with the account before must begin again. */
  setState(name: string, state: AccountState): Promise<'done' | 'unknown-account'>;
  /** For somebody who has neither the app nor a recovery code any more. Done as well when there is none. */
  dropSecondFactor(name: string): Promise<'done' | 'unknown-account'>;
  /**
   * Gives an account other mailboxes. Whoever began something with it before must begin again.
   * @param evenIfFrozen also as long as they must not be changed because its password was reset: whoever was in one of them
   *                     for a moment could keep the account that way
   */
  setMailboxes(
    name: string,
    mailboxes: readonly Mailbox[],
    evenIfFrozen: boolean,
  ): Promise<'done' | 'unknown-account' | 'address-frozen'>;
  remove(name: string): Promise<'done' | 'unknown-account'>;
}

/** What became of inviting the owners of an account: for each mailbox, what the relay said. */
export type InviteOutcome =
  | {
      readonly kind: 'invited';
      readonly mailboxes: readonly { readonly mailbox: Mailbox; readonly result: SendResult }[];
    }
  | Refused<InviteRefusalReason>;

/** Sends the invitation to each mailbox of an account. @param name in any case */
export type InviteAccount = (name: string, locale: Locale) => Promise<InviteOutcome>;

/** All that an administrator does. */
export interface AccountCommands extends AccountAdmin {
  readonly invite: InviteAccount;
}

/** One structured event. Values are short and hold no secret; mailboxes only as `digest`. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The log. Refusals are `info`, temporary trouble outside is `warn`, bugs are `error`. */
export interface Log {
  info(event: string, fields: LogFields): void;
  warn(event: string, fields: LogFields, cause?: unknown): void;
  error(event: string, fields: LogFields, cause?: unknown): void;
}

/** Something that goes up and down. */
export type Level = 'smtp-connections' | 'live-lines' | 'replies-waiting' | 'notices-waiting' | 'keys';

/** What is measured. Texts are names of closed lists: outcomes and reasons as in the log, route patterns. Throws nothing. */
export interface Metrics {
  mailEnded(mail: {
    readonly outcome: string;
    readonly reason: string;
    /** The SMTP command that was answered. */
    readonly at: string;
    readonly ms: number | undefined;
  }): void;
  connectionsRefused(outcome: string, reason: string, count: number): void;
  requestEnded(request: {
    readonly route: string;
    readonly status: string;
    readonly reason: string;
    readonly ms: number | undefined;
  }): void;
  /** A try to hand something to the relay. */
  sendingEnded(kind: 'reply' | 'notice', outcome: string): void;
  /** Any other event of the log. */
  happened(event: string, outcome: string): void;
  /** @param ms since the end of DATA */
  replyHandedOver(ms: number): void;
  dnsAnswered(outcome: 'records' | 'none' | 'failed', ms: number): void;
  /** @param read is called whenever somebody looks */
  watch(level: Level, read: () => number): void;
}

/** The operating-system user that a command runs as. */
export interface Operator {
  readonly uid: number;
  /** Null when the system has no name for it. */
  readonly user: string | null;
  /** Who called `sudo`, as the environment says; null: nobody. */
  readonly sudoUser: string | null;
}

/** Who asks over HTTP. */
export interface Client {
  readonly remoteAddress: string;
  readonly clientHint: ClientHint;
}

/** Everything that the audit may tell of an event. Texts are bounded by whoever writes them down. */
interface AuditFacts extends Client {
  /** Names the challenge to people. */
  readonly label: string;
  readonly purpose: Purpose;
  readonly mailbox: Mailbox;
  readonly account: Pick<Account, 'id' | 'name'>;
  readonly authentication: Authentication;
  /** Of the SMTP client; undefined when a proxy did not tell it. */
  readonly smtpAddress: string | undefined;
  readonly reason: FormRefusalReason;
  readonly count: number;
  /** `said`: by a client of the admin socket, about itself. */
  readonly operator: Operator & { readonly said: boolean };
}

type Audited<Event extends string, Facts extends keyof AuditFacts> = {
  readonly event: Event;
  /** Milliseconds since the epoch. */
  readonly at: number;
} & Pick<AuditFacts, Facts>;

type AccountStateSet = 'account-locked' | 'account-unlocked' | 'account-frozen';
/** `forced`: also if they must not be changed, for the password was reset. */
type MailboxesSet = 'mailboxes-set' | 'mailboxes-forced';
type OnPage = 'label' | 'purpose' | keyof Client;

/** An event that matters afterwards, and what is known of it: one line each. */
export type AuditEvent =
  | Audited<'opened-by-mail', 'label' | 'purpose' | 'mailbox' | 'authentication' | 'smtpAddress'>
  | Audited<'address-typed', OnPage | 'mailbox'>
  | Audited<'verified' | 'mailbox-confirmed', OnPage | 'mailbox'>
  | Audited<'challenge-locked', OnPage>
  | Audited<'password-set' | 'second-factor-wrong' | 'second-factor-enrolled', OnPage | 'mailbox' | 'account'>
  | Audited<'account-refused', OnPage | 'mailbox' | 'account' | 'reason'>
  | Audited<'change-undone' | 'account-frozen', 'mailbox' | 'account' | keyof Client>
  | Audited<
      | 'account-added'
      | 'account-invited'
      | 'account-removed'
      | 'second-factor-dropped'
      | AccountStateSet
      | MailboxesSet,
      'account' | 'operator'
    >
  | Audited<'accounts-imported', 'count' | 'operator'>;

/** What happened, for whoever has to find out later. Never holds a secret. */
export interface Audit {
  /**
   * Appends an event that is on disk where it belongs. Returns at once and throws nothing: the line follows, and people are
   * served also when it cannot be written.
   */
  note(event: AuditEvent): void;
}

/** Numbers of src/DESIGN.md "Numbers" that the use cases obey. */
export interface AppLimits extends ChallengeLimits {
  readonly challengeLifetimeMs: number;
  readonly dkimSignaturesMax: number;
  readonly wrongCodesPerMailboxPerDayMax: number;
  readonly wrongCodesPerNetworkPerDayMax: number;
  readonly undoLifetimeMs: number;
  readonly addressFreezeMs: number;
  readonly repliesPerDomainPerHourMax: number;
  readonly repliesPerMailbox: {
    readonly perMinuteMax: number;
    readonly perHourMax: number;
    readonly perDayMax: number;
  };
}

// The use cases, as the edges call them.

/** How far a challenge has come, as its page may tell. Never names a mailbox: nothing was proved yet. */
export type Progress =
  | 'awaiting-mail'
  | 'code-requested'
  | 'mail-arrived'
  | 'reply-queued'
  | 'reply-delayed'
  | 'reply-handed-over'
  | 'reply-failed'
  | 'locked'
  | 'verified'
  | 'done'
  | 'finished';

/** What the live line tells of a challenge. */
export interface ChallengeStatus {
  readonly label: string;
  readonly progress: Progress;
  /** What became of the latest mail for it, when it was refused. */
  readonly notice: MailNotice | undefined;
  /** With done: an app may be enrolled as second factor; `again`: in the place of the one there is. */
  readonly enrolment?: 'first' | 'again';
}

/** Everything the page shows. */
export interface OpenedChallenge extends ChallengeStatus {
  readonly purpose: Purpose;
  /** Value for the cookie; set it when `isNew`. */
  readonly cookie: string;
  readonly isNew: boolean;
  /** There was a cookie, but its page has ended: too old, or made with a key that is gone. */
  readonly renewed: boolean;
  /** Hidden field, base64url. */
  readonly nonce: string;
  /** Local part of the one-time address. */
  readonly localPart: string;
  readonly expiresAt: number;
}

/** A refused mail, as its page may tell: a fixed sentence, and domain names and results for an administrator. */
export interface MailNotice {
  readonly sentence: MailSentence;
  /** Until when it is so, milliseconds since the epoch; 0: that is not known. */
  readonly until: number;
  readonly details: VerdictDetails | undefined;
}

export interface OpenChallengeRequest {
  /** Of the page. A cookie of another errand's page is no cookie here; so it is wherever one comes. */
  readonly purpose: Purpose;
  /** Attacker-chosen; undefined when there is none. */
  readonly cookie: string | undefined;
  /** Of the page; they ride in the address it shows. */
  readonly locale: Locale;
  readonly clientHint: ClientHint;
}

/** The page is asked for. @throws DependencyError when the store cannot be read */
export type OpenChallenge = (request: OpenChallengeRequest) => Promise<OpenedChallenge>;

/** The live line of an open page. Cookies are attacker-chosen; nothing is made or renewed for them. */
export interface FollowChallenge {
  /** How far it has come, or that there is nothing to tell. @throws DependencyError when the store cannot be read */
  look(
    purpose: Purpose,
    cookie: string | undefined,
  ): Promise<ChallengeStatus | Refused<'cookie-missing' | 'page-ended'>>;
  /**
   * Calls `changed` whenever there may be something new to see, until the result is called.
   * @returns undefined when so many follow it already that one more must ask by itself
   */
  follow(purpose: Purpose, cookie: string | undefined, changed: () => void): (() => void) | undefined;
}

/** The form as it came. All of it attacker-chosen; undefined when it is missing. */
export interface RedeemRequest extends Client {
  readonly purpose: Purpose;
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
  /** With codes-exhausted, second-factor-exhausted, address-asked-often, typing-exhausted. */
  readonly waitMs?: number;
};

/**
 * The form is posted.
 * @throws DependencyError when a step that must be on disk is not: then nothing was counted and nothing granted
 */
export type RedeemCode = (request: RedeemRequest) => Promise<Redeemed | RedeemRefused>;

/** An address that was typed into the page. All of it attacker-chosen but the language; undefined when it is missing. */
export interface TypeAddressRequest extends Client {
  readonly cookie: string | undefined;
  readonly nonce: string | undefined;
  readonly address: string | undefined;
  /** Of the page, for the mail. */
  readonly locale: Locale;
}

/**
 * An address is typed in by somebody who cannot send a mail. What it answers, writes and takes does not depend on whether
 * an account has the address: that is found out later, by the outbox, and shows nowhere.
 * @returns code-requested, on disk, or refused, with `waitMs` when it was too often
 * @throws DependencyError when it could not be written: then nothing was counted
 */
export type TypeAddress = (
  request: TypeAddressRequest,
) => Promise<{ readonly kind: 'code-requested'; readonly mailboxDigest: string } | RedeemRefused>;

/** A proved mailbox and its accounts. */
export interface ShownAccounts {
  readonly kind: 'accounts';
  readonly purpose: PasswordPurpose;
  readonly mailbox: Mailbox;
  /** Those to choose from. */
  readonly accounts: readonly Account[];
  /** Those that are not to be activated, because they have a password. */
  readonly active: readonly Account[];
  /** The one that was chosen, as long as it is as it was then. */
  readonly chosen: Account | undefined;
  /** Of the chosen one: what has become of its second factor. */
  readonly secondFactor: ChosenAccount['secondFactor'];
  /** Hidden field of the forms, base64url. */
  readonly nonce: string;
  readonly grantExpiresAt: number;
}

/** What a browser shows for its grant. All of it attacker-chosen; undefined when it is missing. */
export interface GrantRequest<P extends Purpose = Purpose> {
  readonly purpose: P;
  readonly cookie: string | undefined;
  readonly grant: string | undefined;
}

/** A form that came with it. */
export interface GrantForm<P extends Purpose = Purpose> extends GrantRequest<P> {
  readonly nonce: string | undefined;
}

/** The second factor as it was typed. */
export interface SecondFactorForm extends GrantForm<PasswordPurpose>, Client {
  /** The account that the form said it is for. */
  readonly account: string | undefined;
  readonly typed: string | undefined;
}

/** A password as it was typed, twice. */
export interface PasswordForm extends GrantForm<PasswordPurpose>, Client {
  /** The account that the form said it is for. */
  readonly account: string | undefined;
  readonly password: string | undefined;
  readonly repeated: string | undefined;
  /** For the notice, as the hint is. */
  readonly locale: Locale;
}

/** Why a new password is not set: something about the request, or about the password. */
export type PasswordFormRefused = Refused<FormRefusalReason | PasswordRefusalReason>;

/** What a grant is for, but for `confirm`. Each @throws DependencyError when the store or the directory fails: then nothing has changed. */
export interface ResetPassword {
  show(request: GrantRequest<PasswordPurpose>): Promise<ShownAccounts | Refused<'grant-missing' | 'grant-used'>>;
  /** An account is chosen, by its id as a form sent it. */
  choose(
    request: GrantForm<PasswordPurpose> & Client & { readonly account: string | undefined },
  ): Promise<{ readonly kind: 'chosen' } | Refused<FormRefusalReason>>;
  /** A wrong one is counted by the directory; the grant lives on. */
  passSecondFactor(form: SecondFactorForm): Promise<{ readonly kind: 'passed' } | RedeemRefused>;
  /** When it resolves to `password-set`, the password is set, the grant is used, and the notice is on its way. */
  set(
    form: PasswordForm,
  ): Promise<{ readonly kind: 'password-set'; readonly mailboxDigest: string } | PasswordFormRefused>;
}

/** What an app has to be told, and for which account. */
export interface ShownEnrolment {
  readonly kind: 'enrolment';
  readonly accountName: string;
  /** `otpauth:` for the camera of the phone, and the same secret as letters. */
  readonly uri: string;
  readonly letters: string;
  /** Hidden field of the form, base64url. */
  readonly nonce: string;
}

/** Why no app is enrolled. */
export type EnrolmentRefused = Refused<
  'grant-missing' | 'nonce-wrong' | 'enrolment-over' | 'enrolment-code-wrong' | 'account-changed'
>;

/** An app becomes the second factor, by the grant whose password was set. Each @throws DependencyError. */
export interface EnrolSecondFactor {
  /** The same whenever it is asked for; stores nothing. */
  show(request: GrantRequest<PasswordPurpose>): Promise<ShownEnrolment | EnrolmentRefused>;
  /** The digits of the app are typed. @returns the recovery codes, this once */
  enrol(
    form: GrantForm<PasswordPurpose> & Client & { readonly typed: string | undefined },
  ): Promise<
    | { readonly kind: 'enrolled'; readonly accountName: string; readonly recoveryCodes: readonly string[] }
    | EnrolmentRefused
  >;
}

/** What a grant for `confirm` is for. Each @throws DependencyError as above. */
export interface ConfirmMailbox {
  show(
    request: GrantRequest<'confirm'>,
  ): Promise<
    | { readonly kind: 'mailbox'; readonly mailbox: Mailbox; readonly nonce: string }
    | Refused<'grant-missing' | 'grant-used'>
  >;
  /** The button was pressed. Unless the mailbox is confirmed, the grant is as it was. */
  confirm(
    form: GrantForm<'confirm'> & Client,
  ): Promise<
    | { readonly kind: 'confirmed'; readonly mailboxDigest: string }
    | { readonly kind: 'no-account'; readonly mailbox: Mailbox }
    | Refused<FormRefusalReason>
  >;
}

/**
 * An undo code is typed: the password of before is back, sessions are ended, and the account is frozen.
 * @param typed attacker-chosen
 * @throws DependencyError when the store or the directory fails: then the same code works again
 */
export type UndoChange = (
  typed: string | undefined,
  client: Client,
) => Promise<{ readonly kind: 'undone' } | Refused<'undo-code-wrong' | 'undo-not-needed'>>;

/** A message that was accepted, or answered before. `authorDigest` is for the log. */
export type MailAccepted =
  | {
      readonly kind: 'reply-queued' | 'already-answered';
      readonly by: TrustedSender['by'];
      readonly authorDigest: string;
    }
  | { readonly kind: 'passed-on' };

/** A message that was not. The domain is known when there is an author. */
export type MailRefused = Refused<MailRefusalReason> & {
  readonly authorDomain?: string;
  readonly authorDigest?: string;
  readonly details?: VerdictDetails;
  /** With replies-exhausted. */
  readonly waitMs?: number;
};

/** Where a RCPT came from, for limits. */
export interface RecipientOrigin {
  /** Undefined when it is not known. */
  readonly remoteAddress: string | undefined;
  /** How many made-up addresses this connection has named before. */
  readonly badRecipients: number;
  /** MAIL FROM was empty: a bounce, which only the operator takes. */
  readonly nullSender: boolean;
}

/** A recipient that takes mail: a one-time address, or the operator, for whom mail is only passed on. */
export type Admitted =
  | { readonly kind: 'one-time'; readonly address: KeyedAddress }
  | { readonly kind: 'operator'; readonly mailbox: Mailbox };

export interface ReceiveMail {
  /**
   * RCPT TO: is this an address of ours that still takes mail?
   * @param recipient attacker-chosen, `local@domain`
   * @throws DependencyError when the store cannot be read
   */
  admitRecipient(recipient: string, origin: RecipientOrigin): Promise<Admitted | MailRefused>;
  /** End of a message that was too big to be kept. */
  refuseTooBig(recipient: Admitted): MailRefused;
  /**
   * End of DATA. When it resolves to `reply-queued`, the reply is on disk and will go out; `passed-on`: the relay has it.
   * @param recipient what `admitRecipient` returned
   * @param message   the whole message, bounded by the caller; attacker-chosen
   * @throws DependencyError when DNS takes too long as a whole, the store cannot write or the relay is away: the sender's
   *         server asks again
   */
  receive(message: Uint8Array, envelope: Envelope, recipient: Admitted): Promise<MailAccepted | MailRefused>;
}

/** A saved message, and what is known of its way here; undefined: not known. */
export interface ExplainRequest {
  /** The file as it is, bounded by the caller; attacker-chosen. */
  readonly file: Uint8Array;
  readonly ip: string | undefined;
  readonly helo: string | undefined;
  /** Domain as ASCII; empty: the empty reverse path. */
  readonly mailFrom: string | undefined;
  readonly recipient: string | undefined;
}

/** One value of the envelope, and where it is from. Null: nobody knows it. */
export interface ExplainedValue {
  readonly value: string | null;
  readonly from: 'given' | 'message' | 'unknown';
}

/** What the recipient is to us. `foreign-key`: it has our form, but was made with another key, or mistyped. */
export type RecipientState =
  | 'open'
  | 'expired'
  | 'over'
  | 'operator'
  | 'no-operator'
  | 'other-domain'
  | 'other-form'
  | 'foreign-key'
  | 'unknown';

/** The row that decides, the answer on the wire and what the open page says. */
export interface ExplainedDecision {
  readonly outcome: 'accepted' | 'refused' | 'try-later';
  /** Row of src/DESIGN.md "Which mail is believed". */
  readonly row: string;
  readonly reason: MailRefusalReason | 'believed' | 'already-answered' | 'passed-on' | 'far-too-big' | 'checks-failed';
  /** What D12 believed it by. */
  readonly by: TrustedSender['by'] | null;
  readonly at: 'recipient' | 'message';
  /** The SMTP answer, word for word. */
  readonly answer: string;
  /** In English; null: the page stays as it is. */
  readonly page: string | null;
}

/** One signature. Domain, selector and algorithm are the signer's words. */
export interface ExplainedSignature {
  readonly domain: string;
  readonly selector: string;
  readonly algorithm: string;
  readonly result: string;
  readonly trouble: SignatureTrouble | null;
  readonly missed: readonly SignatureCondition[];
}

/** What was found out about the sender, when the checks came that far. Records are text of strangers. */
export interface ExplainedSender {
  readonly signatures: readonly ExplainedSignature[];
  /** Null: the network address is not known, so SPF was not looked at. */
  readonly spf: {
    readonly domain: string;
    readonly result: string;
    readonly record: string | null;
    readonly missed: readonly SpfCondition[];
    /** Null: it did not come to that. */
    readonly canary: SpfCanary | null;
  } | null;
  /** `result` is null when there was more than one author to choose from. */
  readonly dmarc: {
    readonly result: string | null;
    readonly record: string | null;
    readonly foundAt: string | null;
    readonly policy: string | null;
  };
}

/** A DNS question in the order of asking. `records` or an error `code`; neither: no answer came in time. */
export interface DnsQuestion {
  readonly type: string;
  readonly name: string;
  readonly records: number | null;
  readonly code: string | null;
}

/** What an administrator should know beside the decision. */
export type ExplainNote =
  | 'line-ends-converted'
  | 'line-ends-mixed'
  | 'recipient-not-known'
  | 'mail-from-assumed'
  | 'spf-not-checked'
  | 'file-without-signature'
  | 'limits-not-counted';

/** All that is to be told about a message. Plain data; these names are what `--json` prints. */
export interface Explanation {
  readonly decision: ExplainedDecision;
  /** Where the address is used up: what the message itself would have got. */
  readonly otherwise: ExplainedDecision | null;
  /** The one author in From; null when the header could not be read without doubt. */
  readonly author: Mailbox | null;
  readonly recipient: ExplainedValue & {
    readonly state: RecipientState;
    /** End of the request behind an address of ours, milliseconds since the epoch. */
    readonly expiresAt: number | null;
  };
  readonly mailFrom: ExplainedValue;
  readonly ip: ExplainedValue;
  readonly helo: ExplainedValue;
  /** Null: refused before the sender was checked, or the checks did not end. */
  readonly sender: ExplainedSender | null;
  readonly dns: readonly DnsQuestion[];
  readonly notes: readonly ExplainNote[];
}

/**
 * Says what would happen to a message. Writes and sends nothing; asks the DNS as the service would.
 * @throws DependencyError when the store cannot be read
 */
export type ExplainMail = (request: ExplainRequest) => Promise<Explanation>;

/** A key that signs our mail, as its record has it. */
export interface DkimPublicKey {
  readonly selector: string;
  /** `rsa` or `ed25519`. */
  readonly type: string;
  /** Base64. */
  readonly publicKey: string;
}

/**
 * What `doctor` looks at. What fails is a value; none of these sends mail or changes anything. Only a file that the settings
 * name, and that cannot be read, is an Error, as at the start.
 */
export interface SetupProbes {
  /** The texts of a TXT record are joined. */
  lookUp(name: string, type: 'A' | 'AAAA' | 'CNAME' | 'PTR' | 'TXT'): Promise<Answer<string>>;
  mxOf(domain: string): Promise<Answer<MxRecord>>;
  /** What SPF says of mail from an address in the name of a domain. */
  spfVerdict(address: string, domain: string): Promise<string>;
  /** The keys in the settings. */
  dkimKeys(): Promise<readonly DkimPublicKey[]>;
  /** Connects and reads the first line. */
  greeting(host: string, port: number): Promise<GreetingFacts>;
  /** Connects, says EHLO, encrypts and logs in as for a reply, and leaves. */
  relay(): Promise<RelayFacts>;
  /** Asks for the reset page as a browser would. */
  site(): Promise<SiteFacts>;
  /** Undefined when none is set. */
  mailCertificate(): Promise<CertificateFacts | undefined>;
  clock(): Promise<ClockFacts>;
  folder(): Promise<FolderFacts>;
  /** Of the running service; undefined when there is none to be seen. */
  openFilesLimit(): Promise<number | undefined>;
}

/** Looks at everything the service needs around it; see core/dns-checks.ts and core/host-checks.ts. */
export type ExamineSetup = () => Promise<readonly SetupCheck[]>;
