// The page is asked for: the challenge of its cookie, or a new one. Nothing is written, whatever is sent here:
// all of a challenge is derived from the cookie, and the store is only read.

import { toBase64Url } from '../core/bytes.ts';
import type { Challenge } from '../core/challenge.ts';
import { requestLabel } from '../core/verification-code.ts';
import { deriveAddress, deriveNonce, issueCookie, readCookie, writeAddress } from './challenge-tokens.ts';
import type { MailNotices } from './mail-notices.ts';
import type { AppLimits, ChallengeStore, Clock, OpenChallenge, Progress, Secrets } from './ports.ts';

/** Makes the use case. */
export function createOpenChallenge(
  { secrets, store, clock, notices }: { secrets: Secrets; store: ChallengeStore; clock: Clock; notices: MailNotices },
  limits: AppLimits,
): OpenChallenge {
  return async ({ cookie, locale, clientHint }) => {
    const now = clock.now();
    const derive = (value: string) => {
      const seed = readCookie(secrets, value);
      return seed && { seed, address: deriveAddress(secrets, seed, clientHint, limits.challengeLifetimeMs) };
    };
    const known = cookie === undefined ? undefined : derive(cookie);
    const isNew = known === undefined || now >= known.address.expiresAt;
    const value = isNew || cookie === undefined ? issueCookie(secrets, 'reset', locale, now) : cookie;
    const opened = isNew ? derive(value) : known;
    if (opened === undefined) throw new Error('a cookie that was just made cannot be read');
    const { seed, address } = opened;
    const record = isNew ? undefined : await store.read(address.id, now);
    return {
      cookie: value,
      isNew,
      nonce: toBase64Url(deriveNonce(secrets, seed)),
      localPart: writeAddress(secrets, address),
      label: requestLabel(address.id),
      locale: seed.locale,
      expiresAt: address.expiresAt,
      progress: progressOf(record, now),
      notice: isNew ? undefined : notices.get(address.id),
    };
  };
}

function progressOf(record: Challenge | undefined, now: number): Progress {
  if (record === undefined || record.state.kind === 'awaiting-mail') return 'awaiting-mail';
  if (record.state.kind === 'verified' && now >= record.state.grantExpiresAt) return 'finished';
  if (record.state.kind !== 'code-sent') return record.state.kind;
  return `reply-${record.senders.at(-1)?.reply.state ?? 'queued'}`;
}
