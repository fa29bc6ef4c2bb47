// The second factor: what is typed for it, and how often a wrong one may be. Which codes are right is the directory's
// business; the one-time passwords themselves (RFC 6238) are made by an adapter.

import { type RateLimit, rateWaitMs } from './rate-policy.ts';
import { parseUndoCode } from './undo-code.ts';

/** Recovery codes that come with an app. They have the form of undo codes: 16 letters and digits, 80 bits. */
export const recoveryCodesCount = 10;

/** What was typed: the 6 digits of an app, or a recovery code. */
export type TypedFactor = { readonly kind: 'digits' | 'recovery-code'; readonly code: string };

/**
 * Reads what was typed into the one field for both.
 * @param typed attacker-chosen
 * @returns undefined when it has neither form
 */
export function parseSecondFactor(typed: string): TypedFactor | undefined {
  if (typed.length > 100) return undefined;
  const digits = typed.normalize('NFKC').replace(/[\s\p{Pd}]+/gu, '');
  if (/^[0-9]{6}$/.test(digits)) return { kind: 'digits', code: digits };
  const code = parseUndoCode(typed);
  return code === undefined ? undefined : { kind: 'recovery-code', code };
}

/** One attempt that was judged. */
export interface FactorTry {
  /** Names the attempt, 32 hexadecimal digits: the very same form again is the same attempt. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly right: boolean;
}

/** What is known of an attempt before anybody looks at what was typed. */
export type KnownTry =
  | { readonly kind: 'right' | 'wrong' | 'new' }
  | { readonly kind: 'too-many'; readonly waitMs: number };

const dayMs = 24 * 3_600_000;
// The right ones are kept for reloads only.
const rightKept = 20;

/** Tells what is known of an attempt. @param limits all of them hold; no window is longer than a day */
export function knownTry(tries: readonly FactorTry[], id: string, now: number, limits: readonly RateLimit[]): KnownTry {
  const recent = recentTries(tries, now);
  const same = recent.find((each) => each.id === id);
  if (same !== undefined) return { kind: same.right ? 'right' : 'wrong' };
  const wrong = recent.filter(({ right }) => !right).map(({ at }) => at);
  const waitMs = rateWaitMs(wrong, limits, now);
  return waitMs > 0 ? { kind: 'too-many', waitMs } : { kind: 'new' };
}

/** Adds an attempt, and forgets what nobody looks at any more. */
export function withTry(tries: readonly FactorTry[], made: FactorTry): readonly FactorTry[] {
  const recent = recentTries(tries, made.at);
  const right = recent.filter((each) => each.right).slice(1 - rightKept);
  return [...recent.filter((each) => !each.right || right.includes(each)), made];
}

/** A clock that was set back has left times to come: nobody waits for those. */
function recentTries(tries: readonly FactorTry[], now: number): readonly FactorTry[] {
  return tries.filter(({ at }) => at > now - dayMs && at <= now);
}
