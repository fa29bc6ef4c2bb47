// What a grant is for: choose an account of the mailbox that was proved, and set its new password. The grant is used
// up on disk before the directory is asked, so of two browsers that race one gets it; when the directory fails it is
// given back, and nothing is half done.

import { fromBase64Url, textBytes, toBase64Url, toHex } from '../core/bytes.ts';
import {
  type Challenge,
  chooseAccount,
  finishGrant,
  giveBackGrant,
  liveGrant,
  spendGrant,
  type Verified,
} from '../core/challenge.ts';
import { domainOf, localPartOf } from '../core/mail-address.ts';
import { type ChangeRecord, dropChange } from '../core/password-change.ts';
import { judgePassword } from '../core/password-policy.ts';
import { type FormRefusalReason, type Refused, refuse } from '../core/refusal.ts';
import {
  type ChallengeSeed,
  challengeId,
  changeRecordId,
  deriveGrant,
  deriveUndoCode,
  readCookie,
} from './challenge-tokens.ts';
import type {
  Account,
  AppLimits,
  ChallengeStore,
  ChangeStore,
  Clock,
  Directory,
  GrantRequest,
  PasswordForm,
  ResetPassword,
  Secrets,
} from './ports.ts';

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly changes: ChangeStore;
  readonly clock: Clock;
  readonly directory: Directory;
  /** @param folded as the password policy folds it */
  readonly isCommonPassword: (folded: string) => boolean;
  /** Told after the write that a notice waits in the outbox. */
  readonly noticeQueued: (id: string) => void;
}

/** A grant that is alive. */
interface OpenGrant {
  readonly id: string;
  readonly seed: ChallengeSeed;
  readonly grant: Verified;
}

/** Makes the use case. @param siteName a word that no password may consist of */
export function createResetPassword(ports: Ports, limits: AppLimits, siteName: string): ResetPassword {
  const { secrets, store, clock, directory } = ports;

  async function openGrant({
    cookie,
    grant,
  }: GrantRequest): Promise<OpenGrant | Refused<'grant-missing' | 'grant-used'>> {
    const now = clock.now();
    const seed = cookie === undefined ? undefined : readCookie(secrets, cookie);
    const given = grant === undefined || grant.length > 64 ? undefined : fromBase64Url(grant);
    if (seed === undefined || given === undefined) return refuse('grant-missing');
    const id = challengeId(secrets, seed);
    const record = await store.read(id, now);
    const fits = (state: Verified) => secrets.equal(given, deriveGrant(secrets, id, state));
    // A second click on the same button: what came of the first is told elsewhere.
    if (record?.state.kind === 'spent' && fits(record.state.grant)) return refuse('grant-used');
    const live = record && liveGrant(record, now);
    if (live === undefined || !fits(live)) return refuse('grant-missing');
    return { id, seed, grant: live };
  }

  /** The grant, for a form that came from a page of ours. */
  async function openForm(request: GrantRequest & { readonly nonce: string | undefined }) {
    const opened = await openGrant(request);
    if ('reason' in opened) return opened;
    const { nonce } = request;
    const given = nonce !== undefined && nonce.length <= 64 ? fromBase64Url(nonce) : undefined;
    const fits = given !== undefined && secrets.equal(given, opened.seed.nonce);
    return fits ? opened : refuse('nonce-wrong');
  }

  const set = createSetPassword(ports, limits, siteName);

  return {
    async show(request) {
      const opened = await openGrant(request);
      if ('reason' in opened) return opened;
      const { grant, seed } = opened;
      const accounts = await directory.accountsOf(grant.mailbox);
      const chosen = accounts.find((account) => isStill(account, grant.account));
      const { mailbox, grantExpiresAt } = grant;
      return { kind: 'accounts', mailbox, accounts, chosen, nonce: toBase64Url(seed.nonce), grantExpiresAt };
    },
    async choose(request) {
      const opened = await openForm(request);
      if ('reason' in opened) return opened;
      const accounts = await directory.accountsOf(opened.grant.mailbox);
      const account = accounts.find(({ id }) => id === request.account);
      if (account === undefined) return refuse('account-changed');
      const refused = refusedState(account);
      if (refused !== undefined) return refused;
      const now = clock.now();
      return store.transact(opened.id, now, (current) => {
        if (current === undefined) return { next: undefined, result: refuse('grant-missing') };
        const { next, outcome } = chooseAccount(current, account, now);
        return { next, result: outcome };
      });
    },
    async set(form) {
      const opened = await openForm(form);
      if ('reason' in opened) return opened;
      const accounts = await directory.accountsOf(opened.grant.mailbox);
      const account = accounts.find((each) => isStill(each, opened.grant.account));
      // The page may be older than a choice that was made in another window.
      if (account === undefined || account.id !== form.account) return refuse('account-changed');
      return refusedState(account) ?? set(opened, account, form);
    },
  };
}

function isStill(account: Account, chosen: Verified['account']): boolean {
  return account.id === chosen?.id && account.securityVersion === chosen.securityVersion;
}

function refusedState({ state }: Account): Refused<FormRefusalReason> | undefined {
  return state === 'active' ? undefined : refuse(`account-${state}`);
}

/** The last step. The account was chosen, and is as it was then. */
function createSetPassword(ports: Ports, limits: AppLimits, siteName: string) {
  const { secrets, store, changes, clock, directory, isCommonPassword, noticeQueued } = ports;

  const giveBack = (id: string, changeId: string) =>
    store.transact(id, clock.now(), (current) => ({
      next: current && giveBackGrant(current, changeId),
      result: undefined,
    }));
  const settle = (id: string, how: (record: ChangeRecord) => ChangeRecord) =>
    changes.transact(id, clock.now(), (current) => ({ next: current && how(current), result: undefined }));

  /** Asks the directory. When it fails, all is as it was. */
  async function change(id: string, record: ChangeRecord, securityVersion: string, password: string) {
    const { accountId, mailbox, changeId, at, undoUntil } = record;
    const addressFrozenUntil = at + limits.addressFreezeMs;
    const asked = { accountId, securityVersion, mailbox, password, changeId, at, undoUntil, addressFrozenUntil };
    try {
      await changes.transact(record.id, at, () => ({ next: record, result: undefined }));
      const outcome = await directory.setPassword(asked);
      if (outcome === 'done') return outcome;
    } catch (error) {
      // What was written is taken back as far as the disk lets us: a start would send a notice for it.
      await settle(record.id, dropChange).catch(() => {});
      await giveBack(id, changeId);
      throw error;
    }
    await settle(record.id, dropChange);
    await giveBack(id, changeId);
    return 'account-changed';
  }

  return async ({ id, grant }: OpenGrant, account: Account, form: PasswordForm) => {
    const { mailbox } = grant;
    const words = [siteName, account.name, localPartOf(mailbox), ...domainOf(mailbox).split('.')];
    const judged = judgePassword(form.password ?? '', form.repeated ?? '', { lengthMin: 15, words }, isCommonPassword);
    if (judged.kind === 'refused') return judged;
    const now = clock.now();
    const changeId = toHex(secrets.randomBytes(16));
    const spent = await store.transact(id, now, (current: Challenge | undefined) => {
      if (current === undefined) return { next: undefined, result: refuse('grant-missing') };
      const { next, outcome } = spendGrant(current, account, changeId, now);
      return { next, result: outcome };
    });
    // Another window of the same browser was faster.
    if (spent.kind === 'refused') return refuse('account-changed');
    const record: ChangeRecord = {
      id: changeRecordId(secrets, deriveUndoCode(secrets, changeId)),
      changeId,
      accountId: account.id,
      accountName: account.name,
      mailbox,
      at: now,
      undoUntil: now + limits.undoLifetimeMs,
      locale: form.locale,
      clientHint: form.clientHint,
      state: 'setting',
      notice: 'none',
    };
    const outcome = await change(id, record, account.securityVersion, judged.password);
    if (outcome === 'account-changed') return refuse('account-changed');
    noticeQueued(record.id);
    // The password is set; a disk that is full now must not say otherwise.
    await store
      .transact(id, clock.now(), (current) => ({ next: current && finishGrant(current, changeId), result: undefined }))
      .catch(() => {});
    return {
      kind: 'password-set' as const,
      mailboxDigest: toHex(secrets.mac('log', textBytes(mailbox)).subarray(0, 6)),
    };
  };
}
