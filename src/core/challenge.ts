// The challenge: its states, the one table of transitions, and what each step asks for.
// One function per event; each is total, synchronous and pure, so a store may run it twice. Codes and nonces never
// get in here: the caller says which sender a typed code belongs to. Source: src/DESIGN.md "States".
//
//   state          event                                next             effect
//   awaiting-mail  mail of a trusted sender             code-sent        send-reply
//   code-sent      another mail of the same sender      code-sent        send-reply (same code, tries kept)
//   code-sent      mail of another sender, room left    code-sent        send-reply
//   code-sent      mail, no room or too many messages   refused          -
//   awaiting-mail, code-sent  an address is typed       code-sent        ask-directory, then perhaps send-reply
//   awaiting-mail, code-sent  the same, no room         refused          -
//   code-sent      reply handed over / given up         code-sent        -
//   code-sent      right code, in time                  verified         -
//   code-sent      right code, too late                 refused          -
//   code-sent      wrong code, tries left               code-sent (+1)   -
//   code-sent      wrong code, last try                 locked           -
//   code-sent      a wrong code that was counted        code-sent        -        (a reload)
//   verified       any other code                       refused          -
//   verified       an account is chosen                 verified         -        (again: another one)
//   verified       its second factor is passed          verified         -        (where it has one)
//   verified       a new password, account chosen       spent            -        (before the directory is asked)
//   verified       the same, second factor not passed   refused          -
//   verified       to be confirmed, no account chosen   spent            -        (the same; only where it is the errand)
//   spent          the directory did not take it        verified         -        (by whom it was spent, only)
//   spent          the directory took it                spent            -        (an enrolment may follow)
//   spent          an app is enrolled, in time          spent            -        (once)
//   spent          anything else                        refused          -
//   locked         any code                             refused          -
//   locked, verified, spent  any mail or typed address  refused          -
//   any            now >= expiresAt                     refused          -        (but for the two lines below)
//   any            a message that was answered already  unchanged        -        (its server lost our 250)
//   verified       the same right code within seconds   verified         -        (a double click, while the grant lives)
//
// "expired" is no stored state: time passes by itself, and the store drops the record.

import type { ClientHint } from './client-hint.ts';
import type { Locale } from './locale.ts';
import type { Mailbox } from './mail-address.ts';
import type { KeyedAddress } from './one-time-address.ts';
import type { Purpose } from './purpose.ts';
import { type FormRefusalReason, type MailRefusalReason, type Refused, refuse } from './refusal.ts';

/** The answer to one sender. While it is `queued`, this is the outbox row. */
export interface Reply {
  /** Names the reply; the left side of its Message-ID, the same on every try. */
  readonly id: string;
  /** Message-ID of the mail it answers, angle brackets included. */
  readonly inReplyTo: string | null;
  readonly state: 'queued' | 'handed-over' | 'failed';
}

/**
 * Somebody whose mail for this challenge was believed, or an address that was typed into its page. The same mailbox may be
 * both, with two codes: so nothing about one tells anything about the other.
 */
export interface Sender {
  readonly by: 'mail' | 'typed';
  readonly mailbox: Mailbox;
  /** 16 random bytes, hexadecimal: without the key it says nothing about the code, and the key nothing without it. */
  readonly salt: string;
  /** Digests of the messages that were answered; of a typed address, the replies that were asked for. */
  readonly answered: readonly string[];
  readonly reply: Reply;
  /**
   * End of the code, milliseconds since the epoch; null while no reply was handed over. Of a typed address it counts from
   * the typing: what becomes of the reply must not show.
   */
  readonly codeExpiresAt: number | null;
}

/** What the mailbox that was proved may do, and until when. */
export interface Verified {
  readonly kind: 'verified';
  readonly mailbox: Mailbox;
  readonly at: number;
  /** 16 random bytes, hexadecimal; the grant cookie is derived from it. */
  readonly grantSalt: string;
  readonly grantExpiresAt: number;
  /** The account that the grant is for, as it was when it was chosen; null before. */
  readonly account: ChosenAccount | null;
}

/** An account of the mailbox. When its security version is another one later, the choice is worth nothing. */
export interface ChosenAccount {
  readonly id: string;
  readonly securityVersion: string;
  /** `none`: it had none when it was chosen. While it is `asked`, the grant sets no password. */
  readonly secondFactor: 'none' | 'asked' | 'passed';
}

/** As a directory tells it. */
type GivenAccount = Pick<ChosenAccount, 'id' | 'securityVersion'> & { readonly secondFactor: 'none' | 'enrolled' };

/** The grant was used. */
export interface Spent {
  readonly kind: 'spent';
  /** What it was used for has come to its end. */
  readonly done: boolean;
  /** Names what it was used for, 32 hexadecimal digits. */
  readonly changeId: string;
  /** What is given back when nothing came of it. */
  readonly grant: Verified;
  /** An app may be enrolled as second factor of the account, while the grant would live; null: not here. */
  readonly enrolment: Enrolment | null;
}

/** What a password that was set allows on top of it. */
export interface Enrolment {
  /** Of the account, right after its password was set. */
  readonly securityVersion: string;
  readonly enrolledAt: number | null;
}

export type ChallengeState =
  | { readonly kind: 'awaiting-mail' }
  | { readonly kind: 'code-sent' }
  | { readonly kind: 'locked' }
  | Verified
  | Spent;

/** One attempt to prove a mailbox. Stored from the first accepted mail on. */
export interface Challenge {
  /** 80 bits, 20 hexadecimal digits. */
  readonly id: string;
  /** Names the key that its cookie and its address were made with: code and grant are made with the same one. */
  readonly keyId: string;
  readonly purpose: Purpose;
  readonly locale: Locale;
  readonly clientHint: ClientHint;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly senders: readonly Sender[];
  /** Digests of the wrong codes that were typed: the same one again, as a reload sends it, counts once. */
  readonly wrongCodes: readonly string[];
  readonly state: ChallengeState;
}

/** Numbers of src/DESIGN.md "Numbers" that the transitions obey. */
export interface ChallengeLimits {
  readonly codeLifetimeMs: number;
  readonly grantLifetimeMs: number;
  readonly wrongCodesMax: number;
  readonly sendersMax: number;
  readonly messagesMax: number;
}

/** A mail that the policies let through. Values are checked. */
export interface AcceptedMail {
  readonly mailbox: Mailbox;
  /** Names the message: the same mail, delivered again, has the same digest. */
  readonly messageDigest: string;
  readonly inReplyTo: string | null;
  /** For a reply, should there be one. */
  readonly replyId: string;
  /** For a sender who is new here. */
  readonly salt: string;
}

/** An address that was typed into the page. It is readable, and may be mailed; whether an account has it is not known. */
export type TypedAddress = Pick<AcceptedMail, 'mailbox' | 'replyId' | 'salt'>;

/** What became of handing over a reply. */
export interface SettledReply {
  readonly by: Sender['by'];
  readonly mailbox: Mailbox;
  readonly replyId: string;
  readonly state: 'handed-over' | 'failed';
}

/** A code from the form. */
export interface TypedCode {
  /** The sender whose code it is, or undefined when it is nobody's. */
  readonly sender: Pick<Sender, 'by' | 'mailbox'> | undefined;
  readonly codeDigest: string;
  /** For the grant, should there be one. */
  readonly grantSalt: string;
}

/** `next` is the very same object when nothing changed. A refusal may come with a changed record: a wrong try counts. */
export interface Step<Outcome> {
  readonly next: Challenge;
  readonly outcome: Outcome;
}

export type MailOutcome = { readonly kind: 'reply-queued' | 'already-answered' } | Refused<MailRefusalReason>;
export type AddressOutcome =
  | { readonly kind: 'code-requested' }
  | Refused<'code-used' | 'challenge-locked' | 'challenge-expired' | 'addresses-exhausted'>;
export type CodeOutcome = Verified | (Refused<FormRefusalReason> & { readonly triesLeft?: number });

// A double click or an impatient reload sends the very same form again. Long enough for a slow school network.
const sameCodeAgainMs = 15_000;
// A clock that is set right by a moment is no reason to refuse; one that is set back by an hour opens no window.
const clockStepMs = 1_000;

/** The challenge that a one-time address names, before any mail came. */
export function awaitMail(address: KeyedAddress): Challenge {
  return { ...address, senders: [], wrongCodes: [], state: { kind: 'awaiting-mail' } };
}

/** The moment from which a record is of no use to anybody. */
export function endOfUse(challenge: Challenge): number {
  const { state, expiresAt } = challenge;
  const grant = state.kind === 'spent' ? state.grant : state;
  return grant.kind === 'verified' ? Math.max(expiresAt, grant.grantExpiresAt) : expiresAt;
}

function stay<Outcome>(challenge: Challenge, outcome: Outcome): Step<Outcome> {
  return { next: challenge, outcome };
}

/**
 * A mail that the policies let through reaches its challenge.
 * @param challenge current record; not changed
 * @param now       milliseconds since the epoch
 * @returns a queued reply, or refused: address-expired, too-many-messages, senders-exhausted
 */
export function acceptMail(
  challenge: Challenge,
  event: AcceptedMail,
  now: number,
  limits: ChallengeLimits,
): Step<MailOutcome> {
  const { state } = challenge;
  // A server that lost our 250 delivers again; it must hear 250, whatever has happened to the challenge since.
  const known = senderOf(challenge, { ...event, by: 'mail' });
  if (known?.answered.includes(event.messageDigest)) return stay(challenge, { kind: 'already-answered' });
  const isOpen = state.kind === 'awaiting-mail' || state.kind === 'code-sent';
  if (now >= challenge.expiresAt || !isOpen) return stay(challenge, refuse('address-expired'));
  const full = missingRoom(challenge, known, limits);
  if (full !== undefined) return stay(challenge, refuse(full));
  const next = putSender(challenge, known, {
    by: 'mail',
    mailbox: event.mailbox,
    salt: known?.salt ?? event.salt, // the same sender gets the same code again
    answered: [...(known?.answered ?? []), event.messageDigest],
    reply: { id: event.replyId, inReplyTo: event.inReplyTo, state: 'queued' },
    codeExpiresAt: known?.codeExpiresAt ?? null,
  });
  return { next, outcome: { kind: 'reply-queued' } };
}

/**
 * An address is typed into the page of its challenge. Never depends on whether an account has it.
 * @param challenge current record; not changed
 * @param now       milliseconds since the epoch
 * @returns a queued reply, which may never be sent, or refused: code-used, challenge-locked, challenge-expired,
 *          addresses-exhausted
 */
export function acceptTypedAddress(
  challenge: Challenge,
  event: TypedAddress,
  now: number,
  limits: ChallengeLimits,
): Step<AddressOutcome> {
  const { state } = challenge;
  if (state.kind === 'spent' || state.kind === 'verified') return stay(challenge, refuse('code-used'));
  if (now >= challenge.expiresAt) return stay(challenge, refuse('challenge-expired'));
  if (state.kind === 'locked') return stay(challenge, refuse('challenge-locked'));
  const known = senderOf(challenge, { ...event, by: 'typed' });
  if (missingRoom(challenge, known, limits) !== undefined) return stay(challenge, refuse('addresses-exhausted'));
  const next = putSender(challenge, known, {
    by: 'typed',
    mailbox: event.mailbox,
    salt: known?.salt ?? event.salt,
    answered: [...(known?.answered ?? []), event.replyId],
    reply: { id: event.replyId, inReplyTo: null, state: 'queued' },
    codeExpiresAt: Math.min(now + limits.codeLifetimeMs, challenge.expiresAt),
  });
  return { next, outcome: { kind: 'code-requested' } };
}

/** The sender of that mailbox who came that way. */
export function senderOf({ senders }: Challenge, { by, mailbox }: Pick<Sender, 'by' | 'mailbox'>) {
  return senders.find((sender) => sender.by === by && sender.mailbox === mailbox);
}

function missingRoom(
  { senders }: Challenge,
  known: Sender | undefined,
  limits: ChallengeLimits,
): 'too-many-messages' | 'senders-exhausted' | undefined {
  const messages = senders.reduce((total, sender) => total + sender.answered.length, 0);
  if (messages >= limits.messagesMax) return 'too-many-messages';
  // A flood of others cannot push out who was there first.
  return known === undefined && senders.length >= limits.sendersMax ? 'senders-exhausted' : undefined;
}

/** Whoever came last stands last: that is the one the page speaks of. */
function putSender(challenge: Challenge, known: Sender | undefined, sender: Sender): Challenge {
  const others = challenge.senders.filter((other) => other !== known);
  return { ...challenge, senders: [...others, sender], state: { kind: 'code-sent' } };
}

/**
 * A reply was handed over, or given up for good. The code lives from the hand-over on, never longer than its page; that of
 * a typed address from the typing on.
 */
export function settleReply(
  challenge: Challenge,
  event: SettledReply,
  now: number,
  limits: ChallengeLimits,
): Challenge {
  const sender = senderOf(challenge, event);
  // A newer mail of the same sender has replaced the reply meanwhile: the newer one is still to be sent.
  // What is settled stays so: the same news again must not prolong the code.
  if (sender?.reply.id !== event.replyId || sender.reply.state !== 'queued') return challenge;
  const beginsToLive = sender.by === 'mail' && event.state === 'handed-over';
  const codeExpiresAt = beginsToLive
    ? Math.min(now + limits.codeLifetimeMs, challenge.expiresAt)
    : sender.codeExpiresAt;
  const settled = { ...sender, reply: { ...sender.reply, state: event.state }, codeExpiresAt };
  const senders = challenge.senders.map((other) => (other === sender ? settled : other));
  return { ...challenge, senders };
}

/**
 * Decides whether a code typed into the form completes the challenge.
 * @param challenge current record; not changed
 * @param now       milliseconds since the epoch
 * @returns the verified mailbox, or refused: code-used, challenge-expired, challenge-locked, mail-not-seen, code-expired,
 *          code-wrong (counted; tells how many tries are left)
 */
export function typeCode(
  challenge: Challenge,
  event: TypedCode,
  now: number,
  limits: ChallengeLimits,
): Step<CodeOutcome> {
  const { state } = challenge;
  if (state.kind === 'spent') return stay(challenge, refuse('code-used'));
  if (state.kind === 'verified') {
    const inTime = now >= state.at - clockStepMs && now < Math.min(state.at + sameCodeAgainMs, state.grantExpiresAt);
    const again = event.sender?.mailbox === state.mailbox && inTime;
    return stay(challenge, again ? state : refuse('code-used'));
  }
  if (now >= challenge.expiresAt) return stay(challenge, refuse('challenge-expired'));
  if (state.kind === 'locked') return stay(challenge, refuse('challenge-locked'));
  // Nobody has a code yet, so nothing is guessed and nothing is counted: a stranger's post must not cause a write.
  if (state.kind === 'awaiting-mail') return stay(challenge, refuse('mail-not-seen'));
  const sender = event.sender && senderOf(challenge, event.sender);
  if (sender === undefined) return countWrongCode(challenge, event.codeDigest, limits.wrongCodesMax);
  if (sender.codeExpiresAt !== null && now >= sender.codeExpiresAt) return stay(challenge, refuse('code-expired'));
  const verified: Verified = {
    kind: 'verified',
    mailbox: sender.mailbox,
    at: now,
    grantSalt: event.grantSalt,
    grantExpiresAt: now + limits.grantLifetimeMs,
    account: null,
  };
  return { next: { ...challenge, state: verified }, outcome: verified };
}

export type ChoiceOutcome = { readonly kind: 'chosen' } | Refused<'grant-missing'>;
export type PassOutcome = { readonly kind: 'passed' } | Refused<'grant-missing'>;
export type SpendOutcome = { readonly kind: 'spent' } | Refused<'grant-missing' | 'second-factor-missing'>;
export type EnrolOutcome = { readonly kind: 'enrolled' } | Refused<'enrolment-over'>;

/** The grant of a challenge, while it lives. */
export function liveGrant({ state }: Challenge, now: number): Verified | undefined {
  return state.kind === 'verified' && now < state.grantExpiresAt ? state : undefined;
}

/** An account of the mailbox is chosen. @returns chosen, or refused: grant-missing */
export function chooseAccount(challenge: Challenge, account: GivenAccount, now: number): Step<ChoiceOutcome> {
  const grant = liveGrant(challenge, now);
  if (grant === undefined || challenge.purpose === 'confirm') return stay(challenge, refuse('grant-missing'));
  const { id, securityVersion } = account;
  // Chosen again, by the back button or a double click: what was passed stays so.
  const asked = grant.account?.secondFactor === 'passed' && isChosen(grant, account) ? 'passed' : 'asked';
  const secondFactor = account.secondFactor === 'none' ? 'none' : asked;
  const chosen: ChosenAccount = { id, securityVersion, secondFactor };
  return { next: { ...challenge, state: { ...grant, account: chosen } }, outcome: { kind: 'chosen' } };
}

function isChosen({ account }: Verified, { id, securityVersion }: Pick<ChosenAccount, 'id' | 'securityVersion'>) {
  return account?.id === id && account.securityVersion === securityVersion;
}

/**
 * The second factor of the chosen account was right.
 * @param account the one whose factor it was: another may have been chosen meanwhile
 * @returns passed, or refused: grant-missing
 */
export function passSecondFactor(
  challenge: Challenge,
  account: Pick<ChosenAccount, 'id' | 'securityVersion'>,
  now: number,
): Step<PassOutcome> {
  const grant = liveGrant(challenge, now);
  if (!grant?.account || !isChosen(grant, account) || grant.account.secondFactor === 'none') {
    return stay(challenge, refuse('grant-missing'));
  }
  const passed: Verified = { ...grant, account: { ...grant.account, secondFactor: 'passed' } };
  return { next: { ...challenge, state: passed }, outcome: { kind: 'passed' } };
}

/**
 * The grant is used, before what it is used for is done: of two that come at once, one gets it.
 * @param account  the one that the form was for: another may have been chosen meanwhile; null: the mailbox alone, which is
 *                 all that `confirm` grants, and what no other errand grants
 * @param changeId names what it is used for
 * @returns spent, or refused: grant-missing, second-factor-missing
 */
export function spendGrant(
  challenge: Challenge,
  account: Pick<ChosenAccount, 'id' | 'securityVersion'> | null,
  changeId: string,
  now: number,
): Step<SpendOutcome> {
  const grant = liveGrant(challenge, now);
  const isForThis = (account === null) === (challenge.purpose === 'confirm');
  if (grant === undefined || !isForThis || (account !== null && !isChosen(grant, account))) {
    return stay(challenge, refuse('grant-missing'));
  }
  if (grant.account?.secondFactor === 'asked') return stay(challenge, refuse('second-factor-missing'));
  const state: Spent = { kind: 'spent', changeId, done: false, grant, enrolment: null };
  return { next: { ...challenge, state }, outcome: { kind: 'spent' } };
}

/** Nothing came of what the grant was used for: it is as it was. */
export function giveBackGrant(challenge: Challenge, changeId: string): Challenge {
  const { state } = challenge;
  if (state.kind !== 'spent' || state.changeId !== changeId) return challenge;
  return { ...challenge, state: state.grant };
}

/**
 * What the grant was used for is done.
 * @param securityVersion of the account from now on, where an app may be enrolled for it; else null
 */
export function finishGrant(challenge: Challenge, changeId: string, securityVersion: string | null): Challenge {
  const { state } = challenge;
  if (state.kind !== 'spent' || state.changeId !== changeId) return challenge;
  const enrolment = securityVersion === null ? null : { securityVersion, enrolledAt: null };
  return { ...challenge, state: { ...state, done: true, enrolment } };
}

/** The enrolment that is open: of a password that was set, in time, and not used but by a double click. */
export function openEnrolment({ state }: Challenge, now: number): (Spent & { enrolment: Enrolment }) | undefined {
  if (state.kind !== 'spent' || !state.done || state.enrolment === null) return undefined;
  const { enrolledAt } = state.enrolment;
  const inTime = now < state.grant.grantExpiresAt && (enrolledAt === null || now < enrolledAt + sameCodeAgainMs);
  return inTime ? { ...state, enrolment: state.enrolment } : undefined;
}

/** The directory has enrolled an app: no other one will be. @returns enrolled, or refused: enrolment-over */
export function finishEnrolment(challenge: Challenge, now: number): Step<EnrolOutcome> {
  const open = openEnrolment(challenge, now);
  if (open === undefined) return stay(challenge, refuse('enrolment-over'));
  if (open.enrolment.enrolledAt !== null) return stay(challenge, { kind: 'enrolled' });
  const state: Spent = { ...open, enrolment: { ...open.enrolment, enrolledAt: now } };
  return { next: { ...challenge, state }, outcome: { kind: 'enrolled' } };
}

function countWrongCode(challenge: Challenge, codeDigest: string, wrongCodesMax: number): Step<CodeOutcome> {
  const counted = challenge.wrongCodes.includes(codeDigest);
  const wrongCodes = counted ? challenge.wrongCodes : [...challenge.wrongCodes, codeDigest];
  const triesLeft = wrongCodesMax - wrongCodes.length;
  if (triesLeft <= 0) {
    return { next: { ...challenge, wrongCodes, state: { kind: 'locked' } }, outcome: refuse('challenge-locked') };
  }
  const next = counted ? challenge : { ...challenge, wrongCodes };
  return { next, outcome: { ...refuse('code-wrong'), triesLeft } };
}
