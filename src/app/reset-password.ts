// What a grant is for: choose an account of the mailbox that was proved, pass its second factor, and set its new password,
// or its first one. The grant is used up on disk before the directory is asked, so of two browsers that race one gets it;
// when the directory fails it is given back, and nothing is half done. When nobody knows whether the directory has done it,
// the change is kept: the next try is the same change, and if none comes, its notice goes out all the same.

import { toBase64Url } from '../core/bytes.ts';
import { chooseAccount, passSecondFactor, type Verified } from '../core/challenge.ts';
import { domainOf, localPartOf, type Mailbox } from '../core/mail-address.ts';
import { type ChangeRecord, dropChange } from '../core/password-change.ts';
import { judgePassword, passwordLengthMin } from '../core/password-policy.ts';
import type { PasswordPurpose } from '../core/purpose.ts';
import { type FormRefusalReason, type Refused, refuse } from '../core/refusal.ts';
import { attemptId, changeRecordId, deriveChangeId, deriveUndoCode, mailboxDigest } from './challenge-tokens.ts';
import { auditFacts, createGrants, type OpenGrant, type SpentGrant } from './open-grant.ts';
import {
  type Account,
  type AppLimits,
  type Audit,
  type AuditEvent,
  type ChallengeStore,
  type ChangeStore,
  type Client,
  type Clock,
  DependencyError,
  type Directory,
  type GrantForm,
  type PasswordForm,
  type RedeemRefused,
  type ResetPassword,
  type SecondFactorForm,
  type Secrets,
} from './ports.ts';
import { createRateLog } from './rate-log.ts';

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly changes: ChangeStore;
  readonly clock: Clock;
  readonly directory: Directory;
  /** @param folded as the password policy folds it */
  readonly isCommonPassword: (folded: string) => boolean;
  /** Told after the write that a notice waits in the outbox, or will have to go out in a while. */
  readonly noticeQueued: (id: string, inMs?: number) => void;
  readonly audit: Audit;
}

// How much longer than the grant a try may take that began with it.
const lastTryMs = 60_000;

/** Makes the use case. @param siteName a word that no password may consist of */
export function createResetPassword(ports: Ports, limits: AppLimits, siteName: string): ResetPassword {
  const { store, clock, directory } = ports;
  const { openGrant, openForm } = createGrants(ports);
  const noteOnce = createNoteOnce(ports, limits);
  const pass = createPassSecondFactor(ports, noteOnce);
  const refuseState = createRefuseState(ports, noteOnce);
  const set = createSetPassword(ports, limits, siteName);

  /** The grant, and the account as it was chosen with it. @param isOurs whether it may have changed by ourselves */
  async function openChosen(
    form: GrantForm<PasswordPurpose> & { readonly account: string | undefined },
    isOurs: (opened: OpenGrant, account: Account) => Promise<boolean>,
  ) {
    const opened = await openForm(form);
    if ('reason' in opened) return opened;
    const chosen = opened.grant.account;
    const accounts = await directory.accountsOf(opened.grant.mailbox);
    const account = accounts.find(({ id }) => id === chosen?.id);
    // The page may be older than a choice that was made in another window.
    if (account === undefined || chosen === null || account.id !== form.account) return refuse('account-changed');
    if (!isStill(account, chosen) && !(await isOurs(opened, account))) return refuse('account-changed');
    return { ...opened, account: { ...account, securityVersion: chosen.securityVersion } };
  }

  return {
    async show(request) {
      const opened = await openGrant(request);
      if ('reason' in opened) return opened;
      const { purpose } = request;
      const { grant, seed } = opened;
      const all = await directory.accountsOf(grant.mailbox);
      const accounts = all.filter((account) => isFor(purpose, account));
      const active = all.filter((account) => !isFor(purpose, account));
      const chosen = accounts.find((account) => isStill(account, grant.account));
      const { mailbox, grantExpiresAt } = grant;
      const secondFactor = grant.account?.secondFactor ?? 'none';
      const nonce = toBase64Url(seed.nonce);
      return { kind: 'accounts', purpose, mailbox, accounts, active, chosen, secondFactor, nonce, grantExpiresAt };
    },
    async choose(request) {
      const opened = await openForm(request);
      if ('reason' in opened) return opened;
      const accounts = await directory.accountsOf(opened.grant.mailbox);
      const account = accounts.find(({ id }) => id === request.account);
      if (account === undefined) return refuse('account-changed');
      const refused = refuseState(opened, account, request);
      if (refused !== undefined) return refused;
      // From here on its security version tells: it would be another one once there is a password.
      if (!isFor(request.purpose, account)) return refuse('account-active');
      const now = clock.now();
      return store.transact(opened.id, now, (current) => {
        if (current === undefined) return { next: undefined, result: refuse('grant-missing') };
        const { next, outcome } = chooseAccount(current, account, now);
        return { next, result: outcome };
      });
    },
    async passSecondFactor(form) {
      const opened = await openChosen(form, async () => false);
      if ('reason' in opened) return opened;
      return refuseState(opened, opened.account, form) ?? pass(opened, opened.account, form);
    },
    async set(form) {
      const opened = await openChosen(form, wasTried(ports));
      if ('reason' in opened) return opened;
      const refused = refuseState(opened, opened.account, form);
      if (refused !== undefined) return refused;
      if (opened.grant.account?.secondFactor === 'asked') return refuse('second-factor-missing');
      return set(opened, opened.account, form);
    },
  };
}

function isStill(account: Account, chosen: Verified['account']): boolean {
  const isSame = account.id === chosen?.id && account.securityVersion === chosen.securityVersion;
  // A second factor that was enrolled since must be asked for.
  return isSame && (account.secondFactor === 'none') === (chosen.secondFactor === 'none');
}

/** A first password is set once; whoever forgot it asks for a new one. A new one may be the first: nobody is sent away. */
function isFor(purpose: PasswordPurpose, { hasPassword }: Account): boolean {
  return purpose === 'reset' || !hasPassword;
}

/**
 * Tells whether it may be our own try of before, whose answer was lost, that has made another version of the account: then
 * the directory knows. The version of before never comes back, so that nothing else can be done with it.
 */
function wasTried({ secrets, changes, clock }: Ports) {
  return async (opened: OpenGrant, { securityVersion }: Account): Promise<boolean> => {
    const { grant, keyId } = opened;
    const chosen = grant.account;
    if (chosen === null || securityVersion === chosen.securityVersion) return false;
    const undoCode = deriveUndoCode(secrets, deriveChangeId(secrets, opened, grant, chosen), keyId);
    return (await changes.read(changeRecordId(secrets, undoCode), clock.now())) !== undefined;
  };
}

/** An account that cannot be reset is refused. */
function createRefuseState({ clock }: Ports, noteOnce: NoteOnce) {
  return (opened: OpenGrant, account: Account, client: Client): Refused<FormRefusalReason> | undefined => {
    if (account.state === 'active') return undefined;
    const { reason } = refuse(`account-${account.state}`);
    const facts = auditFacts(opened, account, client, clock.now());
    noteOnce(`${opened.id}|${account.id}`, { event: 'account-refused', ...facts, reason });
    return refuse(reason);
  };
}

type NoteOnce = (key: string, event: AuditEvent) => void;

/** Notes what a person can repeat at will: once for each key, so that nobody fills the audit with it. */
function createNoteOnce({ audit }: Ports, { grantLifetimeMs }: AppLimits): NoteOnce {
  const noted = createRateLog([{ max: 1, windowMs: grantLifetimeMs }]);
  return (key, event) => {
    if (noted.take(key, event.at).waitMs === 0) audit.note(event);
  };
}

/** The second factor is typed. The account was chosen, and is as it was then. */
function createPassSecondFactor({ secrets, store, clock, directory }: Ports, noteOnce: NoteOnce) {
  return async (
    opened: OpenGrant,
    account: Account,
    form: SecondFactorForm,
  ): Promise<{ readonly kind: 'passed' } | RedeemRefused> => {
    const { id, grant } = opened;
    const { id: accountId, securityVersion } = account;
    const typed = form.typed ?? '';
    if (grant.account?.secondFactor === 'passed') return { kind: 'passed' };
    if (typed.trim() === '' || typed.length > 100) return refuse('second-factor-wrong');
    const now = clock.now();
    const attempt = { accountId, securityVersion, attemptId: attemptId(secrets, opened, grant, typed), typed, at: now };
    const outcome = await directory.verifySecondFactor(attempt);
    if (outcome.kind === 'account-changed') return refuse('account-changed');
    if (outcome.kind === 'wrong') {
      noteOnce(attempt.attemptId, { event: 'second-factor-wrong', ...auditFacts(opened, account, form, now) });
      return refuse('second-factor-wrong');
    }
    if (outcome.kind === 'too-many') return { ...refuse('second-factor-exhausted'), waitMs: outcome.waitMs };
    // Should this write fail, the same form is right again.
    return store.transact(id, now, (current) => {
      if (current === undefined) return { next: undefined, result: refuse('grant-missing') };
      const { next, outcome: passed } = passSecondFactor(current, { id: accountId, securityVersion }, now);
      return { next, result: passed };
    });
  };
}

/** The last step. The account was chosen, and is as it was then. */
function createSetPassword(ports: Ports, limits: AppLimits, siteName: string) {
  const { secrets, changes, clock, directory, isCommonPassword, noticeQueued, audit } = ports;
  const { spend } = createGrants(ports);

  const settle = (id: string, how: (record: ChangeRecord) => ChangeRecord) =>
    changes.transact(id, clock.now(), (current) => ({ next: current && how(current), result: undefined }));

  const versionOf = async (mailbox: Mailbox, id: string) =>
    (await directory.accountsOf(mailbox)).find((account) => account.id === id)?.securityVersion;

  /** Asks the directory. When it has not done it, all is as it was. */
  async function change(
    spent: SpentGrant,
    { grant }: OpenGrant,
    made: ChangeRecord,
    account: Account,
    password: string,
  ) {
    const { accountId, mailbox, changeId, at } = made;
    const addressFrozenUntil = at + limits.addressFreezeMs;
    let isFresh = false;
    try {
      // There already: an earlier try, of which nobody knows what came of it.
      const before = await changes.transact(made.id, at, (current) => ({ next: current ?? made, result: current }));
      isFresh = before === undefined;
      const { undoUntil } = before ?? made;
      const { securityVersion } = account;
      const asked = { accountId, securityVersion, mailbox, password, changeId, at, undoUntil, addressFrozenUntil };
      const outcome = await directory.setPassword(asked);
      if (outcome === 'done') return outcome;
    } catch (error) {
      if (error instanceof DependencyError && error.outcomeUnknown) {
        noticeQueued(made.id, Math.max(grant.grantExpiresAt - at, 0) + lastTryMs);
      } else if (isFresh) {
        // What was written is taken back as far as the disk lets us: a start would send a notice for it.
        await settle(made.id, dropChange).catch(() => {});
      }
      await spent.giveBack();
      throw error;
    }
    // The earlier try may have been done, with another password: better a notice too many.
    if (isFresh) await settle(made.id, dropChange);
    else noticeQueued(made.id);
    await spent.giveBack();
    return 'account-changed';
  }

  return async (opened: OpenGrant, account: Account, form: PasswordForm) => {
    const { keyId, grant } = opened;
    const { mailbox } = grant;
    const lengthMin = passwordLengthMin(grant.account?.secondFactor === 'passed');
    const words = [siteName, account.name, localPartOf(mailbox), ...domainOf(mailbox).split('.')];
    const judged = judgePassword(form.password ?? '', form.repeated ?? '', { lengthMin, words }, isCommonPassword);
    if (judged.kind === 'refused') return judged;
    const spent = await spend(opened, account);
    // Another window of the same browser was faster.
    if ('reason' in spent) return refuse('account-changed');
    const { changeId, at } = spent;
    const record: ChangeRecord = {
      id: changeRecordId(secrets, deriveUndoCode(secrets, changeId, keyId)),
      changeId,
      purpose: form.purpose,
      accountId: account.id,
      accountName: account.name,
      mailbox,
      at,
      undoUntil: at + limits.undoLifetimeMs,
      locale: form.locale,
      clientHint: form.clientHint,
      state: 'setting',
      notice: 'none',
    };
    const outcome = await change(spent, opened, record, account, judged.password);
    if (outcome === 'account-changed') return refuse('account-changed');
    noticeQueued(record.id);
    audit.note({ event: 'password-set', ...auditFacts(opened, account, form, at) });
    // The password is set; a directory that fails now must not say otherwise.
    const enrolAs = directory.enrolment && (await versionOf(mailbox, account.id).catch(() => undefined));
    await spent.finish(enrolAs ?? null);
    return { kind: 'password-set' as const, mailboxDigest: mailboxDigest(secrets, mailbox) };
  };
}
