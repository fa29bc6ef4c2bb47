// The live line of an open page: how far its challenge has come, and a call whenever there may be news.
// Joins what is on disk (the record) with what is not (challenge-news.ts). Writes nothing, makes no new challenge.

import { type Challenge, openEnrolment } from '../core/challenge.ts';
import type { Purpose } from '../core/purpose.ts';
import { refuse } from '../core/refusal.ts';
import { requestLabel } from '../core/verification-code.ts';
import type { ChallengeNews, News } from './challenge-news.ts';
import { challengeEnd, challengeId, readCookieOf } from './challenge-tokens.ts';
import type { AppLimits, ChallengeStatus, ChallengeStore, Clock, FollowChallenge, Progress, Secrets } from './ports.ts';

/** Makes the use case. */
export function createFollowChallenge(
  { secrets, store, clock, news }: { secrets: Secrets; store: ChallengeStore; clock: Clock; news: ChallengeNews },
  limits: AppLimits,
): FollowChallenge {
  const knownId = (purpose: Purpose, cookie: string | undefined, now: number) => {
    const seed = readCookieOf(secrets, purpose, cookie);
    if ('reason' in seed) return seed;
    return { id: challengeId(secrets, seed), open: now < challengeEnd(seed, limits.challengeLifetimeMs) };
  };
  return {
    async look(purpose, cookie) {
      const now = clock.now();
      const known = knownId(purpose, cookie, now);
      if ('reason' in known) return refuse(known.reason === 'cookie-missing' ? 'cookie-missing' : 'page-ended');
      const record = await store.read(known.id, now);
      if (!known.open && !outlivesPage(record)) return refuse('page-ended');
      return { ...statusOf(record, news.get(known.id), now), label: requestLabel(known.id) };
    },
    follow(purpose, cookie, changed) {
      const known = knownId(purpose, cookie, clock.now());
      return 'open' in known && known.open ? news.follow(known.id, changed) : () => {};
    },
  };
}

/** A grant may end after the page on which its code was typed, and what came of it is told until then. */
export function outlivesPage(record: Challenge | undefined): boolean {
  return record?.state.kind === 'verified' || record?.state.kind === 'spent';
}

/** What the page may tell. @param record as stored, undefined before the first accepted mail */
export function statusOf(record: Challenge | undefined, news: News, now: number): Omit<ChallengeStatus, 'label'> {
  const recorded = progressOf(record, now);
  const latest = record?.senders.at(-1)?.mailbox;
  const delayed = recorded === 'reply-queued' && latest !== undefined && news.delayed.has(latest);
  const progress = delayed ? 'reply-delayed' : recorded;
  const enrolment = enrolmentOf(record, now);
  if (!news.checking) return { progress, notice: news.notice, ...enrolment };
  // What was said about the mail before is over as soon as the next one has come.
  return { progress: progress === 'awaiting-mail' ? 'mail-arrived' : progress, notice: undefined, ...enrolment };
}

/** Whether to offer an app as second factor. */
function enrolmentOf(record: Challenge | undefined, now: number): Pick<ChallengeStatus, 'enrolment'> {
  const open = record && openEnrolment(record, now);
  if (open === undefined || open.enrolment.enrolledAt !== null) return {};
  return { enrolment: open.grant.account?.secondFactor === 'passed' ? 'again' : 'first' };
}

function progressOf(record: Challenge | undefined, now: number): Progress {
  if (record === undefined || record.state.kind === 'awaiting-mail') return 'awaiting-mail';
  if (record.state.kind === 'spent') return record.state.done ? 'done' : 'finished';
  if (record.state.kind === 'verified' && now >= record.state.grantExpiresAt) return 'finished';
  if (record.state.kind !== 'code-sent') return record.state.kind;
  const latest = record.senders.at(-1);
  // What became of the reply to a typed address would tell whether an account has it. A mail that comes later has its own line.
  if (latest?.by === 'typed') return 'code-requested';
  return `reply-${latest?.reply.state ?? 'queued'}`;
}
