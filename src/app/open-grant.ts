// What a browser shows for its grant, checked: the cookie of the challenge, the grant that was derived for it, and the
// nonce of the page that a form came from, all of one errand. All of it is attacker-chosen. And how a grant is used up.

import { fromBase64Url } from '../core/bytes.ts';
import {
  type Challenge,
  type ChosenAccount,
  finishGrant,
  giveBackGrant,
  liveGrant,
  openEnrolment,
  spendGrant,
  type Verified,
} from '../core/challenge.ts';
import { type FormRefusalReason, type Refused, refuse } from '../core/refusal.ts';
import { requestLabel } from '../core/verification-code.ts';
import { type ChallengeSeed, challengeId, deriveChangeId, deriveGrant, readCookieOf } from './challenge-tokens.ts';
import type { Account, ChallengeStore, Client, Clock, GrantForm, GrantRequest, Secrets } from './ports.ts';

/** A grant that is alive, or was used for what is done. */
export interface OpenGrant {
  readonly id: string;
  readonly keyId: string;
  readonly seed: ChallengeSeed;
  readonly grant: Verified;
}

/** What the audit tells of everything that is done with a grant. */
export function grantFacts({ id, seed, grant }: OpenGrant, { remoteAddress, clientHint }: Client, at: number) {
  const { purpose } = seed;
  return { at, label: requestLabel(id), purpose, mailbox: grant.mailbox, remoteAddress, clientHint };
}

/** The same, of what is done with an account. */
export function auditFacts(opened: OpenGrant, { id, name }: Account, client: Client, at: number) {
  return { ...grantFacts(opened, client, at), account: { id, name } };
}

type SpentFor = Pick<ChosenAccount, 'id' | 'securityVersion'> | null;

/** A grant that is used up. */
export interface SpentGrant {
  /** Names what it was used for, 32 hexadecimal digits. */
  readonly changeId: string;
  /** When: milliseconds since the epoch. */
  readonly at: number;
  /** Nothing came of it. */
  giveBack(): Promise<void>;
  /** It is done; see `finishGrant`. A disk that is full now must not say otherwise. */
  finish(securityVersion: string | null): Promise<void>;
}

/** Makes what opens grants and the forms that come with them. */
export function createGrants({
  secrets,
  store,
  clock,
}: {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly clock: Clock;
}) {
  /** The record that a cookie names, when the grant is the one that was earned in it. */
  async function find({ purpose, cookie, grant }: GrantRequest, now: number) {
    const seed = readCookieOf(secrets, purpose, cookie);
    const given = grant === undefined || grant.length > 64 ? undefined : fromBase64Url(grant);
    if ('reason' in seed || given === undefined) return undefined;
    const id = challengeId(secrets, seed);
    const record = await store.read(id, now);
    const earned = record && grantOf(record);
    if (record === undefined || earned === undefined || !secrets.equal(given, deriveGrant(secrets, record, earned)))
      return undefined;
    return { id, keyId: record.keyId, seed, record };
  }

  async function openGrant(request: GrantRequest): Promise<OpenGrant | Refused<'grant-missing' | 'grant-used'>> {
    const now = clock.now();
    const found = await find(request, now);
    if (found === undefined) return refuse('grant-missing');
    // A second click on the same button: what came of the first is told elsewhere.
    if (found.record.state.kind === 'spent') return refuse('grant-used');
    const grant = liveGrant(found.record, now);
    return grant === undefined ? refuse('grant-missing') : { ...namesOf(found), grant };
  }

  const isOwnNonce = ({ seed }: { readonly seed: ChallengeSeed }, nonce: string | undefined) => {
    const given = nonce !== undefined && nonce.length <= 64 ? fromBase64Url(nonce) : undefined;
    return given !== undefined && secrets.equal(given, seed.nonce);
  };

  return {
    openGrant,
    /** The grant, for a form that came from a page of ours. */
    async openForm(form: GrantForm) {
      const opened = await openGrant(form);
      return 'reason' in opened || isOwnNonce(opened, form.nonce) ? opened : refuse('nonce-wrong');
    },
    /** The grant whose password was set, while an app may be enrolled with it. */
    async openSpent(request: GrantRequest, now: number) {
      const found = await find(request, now);
      const open = found && openEnrolment(found.record, now);
      if (found === undefined || open === undefined) return refuse('enrolment-over');
      return { ...namesOf(found), grant: open.grant, securityVersion: open.enrolment.securityVersion };
    },
    isOwnNonce,
    /**
     * Uses a grant up, before anything is done with it.
     * @param account null: what it is used for has to do with no account
     * @returns refused: another window of the same browser was faster
     */
    async spend(opened: OpenGrant, account: SpentFor): Promise<SpentGrant | Refused<FormRefusalReason>> {
      const { id, grant } = opened;
      const at = clock.now();
      const changeId = deriveChangeId(secrets, opened, grant, account);
      const spent = await store.transact(id, at, (current) => {
        if (current === undefined) return { next: undefined, result: refuse('grant-missing') };
        const { next, outcome } = spendGrant(current, account, changeId, at);
        return { next, result: outcome };
      });
      if (spent.kind === 'refused') return spent;
      const settle = (how: (challenge: Challenge) => Challenge) =>
        store.transact(id, clock.now(), (current) => ({ next: current && how(current), result: undefined }));
      return {
        changeId,
        at,
        giveBack: () => settle((challenge) => giveBackGrant(challenge, changeId)),
        finish: (securityVersion) =>
          settle((challenge) => finishGrant(challenge, changeId, securityVersion)).catch(() => {}),
      };
    },
  };
}

function namesOf({ id, keyId, seed }: Omit<OpenGrant, 'grant'>) {
  return { id, keyId, seed };
}

function grantOf({ state }: Challenge): Verified | undefined {
  const grant = state.kind === 'spent' ? state.grant : state;
  return grant.kind === 'verified' ? grant : undefined;
}
