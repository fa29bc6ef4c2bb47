// The page is asked for: the challenge of its cookie, or a new one. Nothing is written, whatever is sent here:
// all of a challenge is derived from the cookie, and the store is only read.

import { toBase64Url } from '../core/bytes.ts';
import { requestLabel } from '../core/verification-code.ts';
import type { ChallengeNews } from './challenge-news.ts';
import { type ChallengeSeed, deriveAddress, issueCookie, readCookieOf, writeAddress } from './challenge-tokens.ts';
import { outlivesPage, statusOf } from './follow-challenge.ts';
import type { AppLimits, ChallengeStore, Clock, OpenChallenge, OpenChallengeRequest, Secrets } from './ports.ts';

/** Makes the use case. */
export function createOpenChallenge(
  { secrets, store, clock, news }: { secrets: Secrets; store: ChallengeStore; clock: Clock; news: ChallengeNews },
  limits: AppLimits,
): OpenChallenge {
  const describe = (cookie: string, seed: ChallengeSeed, shownAs: OpenChallengeRequest) => {
    const address = deriveAddress(secrets, seed, shownAs, limits.challengeLifetimeMs);
    return { cookie, nonce: seed.nonce, address };
  };

  return async (request) => {
    const now = clock.now();
    const { cookie = '', purpose } = request;
    const seed = readCookieOf(secrets, purpose, request.cookie);
    const known = 'nonce' in seed ? describe(cookie, seed, request) : undefined;
    const record = known && (await store.read(known.address.id, now));
    const isLive = known !== undefined && (now < known.address.expiresAt || outlivesPage(record));
    const live = isLive ? known : undefined;
    const issued = live === undefined ? issueCookie(secrets, purpose, now) : undefined;
    const opened = live ?? (issued && describe(issued.cookie, issued.seed, request));
    if (opened === undefined) throw new Error('a challenge is neither live nor new');
    const { address } = opened;
    const status = live === undefined ? undefined : statusOf(record, news.get(address.id), now);
    return {
      purpose,
      cookie: opened.cookie,
      isNew: live === undefined,
      renewed: live === undefined && !('reason' in seed && seed.reason === 'cookie-missing'),
      nonce: toBase64Url(opened.nonce),
      localPart: writeAddress(secrets, address),
      label: requestLabel(address.id),
      expiresAt: address.expiresAt,
      ...(status ?? { progress: 'awaiting-mail', notice: undefined }),
    };
  };
}
