// What a browser shows for its grant, checked: the cookie of the challenge, the grant that was derived for it, and the
// nonce of the page that a form came from. All of it is attacker-chosen.

import { fromBase64Url } from '../core/bytes.ts';
import { type Challenge, liveGrant, openEnrolment, type Verified } from '../core/challenge.ts';
import { type Refused, refuse } from '../core/refusal.ts';
import { requestLabel } from '../core/verification-code.ts';
import { type ChallengeSeed, challengeId, deriveGrant, readCookie } from './challenge-tokens.ts';
import type { Account, ChallengeStore, Client, Clock, GrantForm, GrantRequest, Secrets } from './ports.ts';

/** A grant that is alive, or was used for what is done. */
export interface OpenGrant {
  readonly id: string;
  readonly seed: ChallengeSeed;
  readonly grant: Verified;
}

/** What the audit tells of everything that is done with a grant. */
export function auditFacts(
  { id, seed, grant }: OpenGrant,
  { id: accountId, name }: Account,
  { remoteAddress, clientHint }: Client,
  at: number,
) {
  const account = { id: accountId, name };
  const { purpose } = seed;
  return { at, label: requestLabel(id), purpose, mailbox: grant.mailbox, account, remoteAddress, clientHint };
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
  async function find({ cookie, grant }: GrantRequest, now: number) {
    const seed = cookie === undefined ? undefined : readCookie(secrets, cookie);
    const given = grant === undefined || grant.length > 64 ? undefined : fromBase64Url(grant);
    if (seed === undefined || given === undefined) return undefined;
    const id = challengeId(secrets, seed);
    const record = await store.read(id, now);
    const earned = record && grantOf(record);
    if (record === undefined || earned === undefined || !secrets.equal(given, deriveGrant(secrets, id, earned)))
      return undefined;
    return { id, seed, record };
  }

  async function openGrant(request: GrantRequest): Promise<OpenGrant | Refused<'grant-missing' | 'grant-used'>> {
    const now = clock.now();
    const found = await find(request, now);
    if (found === undefined) return refuse('grant-missing');
    // A second click on the same button: what came of the first is told elsewhere.
    if (found.record.state.kind === 'spent') return refuse('grant-used');
    const grant = liveGrant(found.record, now);
    return grant === undefined ? refuse('grant-missing') : { id: found.id, seed: found.seed, grant };
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
      return { id: found.id, seed: found.seed, grant: open.grant, securityVersion: open.enrolment.securityVersion };
    },
    isOwnNonce,
  };
}

function grantOf({ state }: Challenge): Verified | undefined {
  const grant = state.kind === 'spent' ? state.grant : state;
  return grant.kind === 'verified' ? grant : undefined;
}
