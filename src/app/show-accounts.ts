// What a grant lets its holder see: the mailbox that was proved and the accounts registered to it. Changes nothing.

import { fromBase64Url } from '../core/bytes.ts';
import { refuse } from '../core/refusal.ts';
import { challengeId, deriveGrant, readCookie } from './challenge-tokens.ts';
import type { ChallengeStore, Clock, Directory, Secrets, ShowAccounts } from './ports.ts';

/** Makes the use case. */
export function createShowAccounts(ports: {
  secrets: Secrets;
  store: ChallengeStore;
  clock: Clock;
  directory: Directory;
}): ShowAccounts {
  const { secrets, store, clock, directory } = ports;
  return async (cookie, grant) => {
    const now = clock.now();
    const seed = cookie === undefined ? undefined : readCookie(secrets, cookie);
    const given = grant === undefined || grant.length > 64 ? undefined : fromBase64Url(grant);
    if (seed === undefined || given === undefined) return refuse('grant-missing');
    const id = challengeId(secrets, seed);
    const state = (await store.read(id, now))?.state;
    if (state?.kind !== 'verified' || now >= state.grantExpiresAt) return refuse('grant-missing');
    if (!secrets.equal(given, deriveGrant(secrets, id, state))) return refuse('grant-missing');
    const accounts = await directory.accountsOf(state.mailbox);
    return {
      kind: 'accounts',
      mailbox: state.mailbox,
      accounts,
      grantExpiresAt: state.grantExpiresAt,
    };
  };
}
