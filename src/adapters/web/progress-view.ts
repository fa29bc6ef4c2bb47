// What the live line says, for the page as it is served and for the script that renews it: the same words either way.
// Never a mailbox: nothing was proved yet.

import type { ChallengeStatus, Progress } from '../../app/ports.ts';
import type { Locale } from '../../core/locale.ts';
import type { Purpose } from '../../core/purpose.ts';
import type { MailSentence, Refused } from '../../core/refusal.ts';
import type { VerdictDetails } from '../../core/sender-policy.ts';
import { texts } from './texts.ts';

/** As `progress` and each event of `events` below the page give it. */
export interface ProgressView {
  readonly state: Progress | 'mail-refused' | 'cookie-missing' | 'page-ended';
  /** Of the request that the browser has now: a tab that shows another one is out of date. Empty: it has none. */
  readonly label: string;
  /** How it looks: nothing to do yet, go on, something went wrong. */
  readonly tone: 'waiting' | 'good' | 'bad';
  readonly line: string;
  /** A mail was refused although an answer is out already: said beside the line. Empty: none was. */
  readonly refused: string;
  /** For an administrator. */
  readonly verdict: readonly string[];
  /** Nothing more will come. */
  readonly over: boolean;
}

const tones: Readonly<Record<Progress, ProgressView['tone']>> = {
  'awaiting-mail': 'waiting',
  'code-requested': 'good',
  'mail-arrived': 'waiting',
  'reply-queued': 'good',
  'reply-delayed': 'waiting',
  'reply-handed-over': 'good',
  'reply-failed': 'bad',
  locked: 'bad',
  verified: 'good',
  done: 'good',
  finished: 'waiting',
};
const ends: readonly Progress[] = ['locked', 'verified', 'done', 'finished'];
// Refused for now: the person has nothing to mend.
const patience: readonly MailSentence[] = ['checking', 'asked-often'];

/** The view of a challenge, or of a page that has none any more. @param now milliseconds since the epoch */
export function viewProgress(
  locale: Locale,
  purpose: Purpose,
  status: ChallengeStatus | Refused<'cookie-missing' | 'page-ended'>,
  now: number,
): ProgressView {
  const words = texts[locale];
  const { done, finished } = words.errands[purpose];
  const nothing = { refused: '', verdict: [] };
  if ('reason' in status) {
    const { reason } = status;
    return { state: reason, label: '', tone: 'bad', line: words.notFollowed[reason], ...nothing, over: true };
  }
  const { progress, notice, label } = status;
  const over = ends.includes(progress);
  const lines = { ...words.progress, done, finished };
  const view = { state: progress, label, tone: tones[progress], line: lines[progress], ...nothing, over };
  if (notice === undefined || notice.sentence === 'unchanged') return view;
  // A page that is over has nothing to mend; only a mail that came too late for it is worth a word, and not to
  // somebody whose code was right.
  if (over && (progress === 'verified' || notice.sentence !== 'used-up')) return view;
  const refused = words.mailRefused[notice.sentence](waitText(notice.until - now, locale));
  const verdict = notice.details === undefined ? [] : verdictLines(notice.details);
  // A refused mail changes nothing about an answer that is out already: that comes first.
  if (progress !== 'awaiting-mail') return { ...view, refused, verdict };
  const tone = patience.includes(notice.sentence) ? 'waiting' : 'bad';
  return { ...view, state: 'mail-refused', tone, line: refused, verdict };
}

/** Field names and result words of RFC 8601, the same in every language: domain names and results only. */
function verdictLines({ authorDomain, signatures, spf, dmarc }: VerdictDetails): readonly string[] {
  const missing = (missed: readonly string[]) => (missed.length === 0 ? '' : ` (misses: ${missed.join(', ')})`);
  return [
    `header.from=${authorDomain}`,
    ...signatures.map(({ domain, result, missed }) => `dkim=${result} header.d=${domain}${missing(missed)}`),
    ...(signatures.length === 0 ? ['dkim=none'] : []),
    ...(spf ? [`spf=${spf.result} smtp.mailfrom=${spf.domain}${missing(spf.missed)}`] : []),
    `dmarc=${dmarc}`,
  ];
}

/** "5 minutes", "3 Stunden": never shorter than it is. */
export function waitText(waitMs: number, locale: Locale): string {
  const minutes = Math.max(1, Math.ceil(waitMs / 60_000));
  const [count, unit] = minutes < 90 ? [minutes, 'minute'] : [Math.ceil(minutes / 60), 'hour'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}
