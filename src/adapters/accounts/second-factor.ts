// The second factor of an account in the built-in directory: which attempt is right, and what is kept of it. The secret is
// sealed, recovery codes are digests: they are 80 random bits, which a slow hash would not make any harder to guess.
// Pure but for sealing: the directory puts what comes out in the place of the account, in one step.

import { hash, timingSafeEqual } from 'node:crypto';
import {
  DependencyError,
  type NewSecondFactor,
  type Sealer,
  type SecondFactorAttempt,
  type SecondFactorOutcome,
} from '../../app/ports.ts';
import type { RateLimit } from '../../core/rate-policy.ts';
import { knownTry, parseSecondFactor, type TypedFactor, withTry } from '../../core/second-factor.ts';
import type { StoredAccount, StoredSecondFactor } from './account-record.ts';
import { oneTimePasswords } from './one-time-passwords.ts';

/** What an attempt comes to: the account from now on, or undefined when nothing changed. */
interface Checked {
  readonly outcome: SecondFactorOutcome;
  readonly next?: StoredAccount;
}

/**
 * Judges an attempt.
 * @param sealer undefined where nothing that is sealed could be opened after a restart
 * @param limits of wrong attempts, no window longer than a day
 * @throws DependencyError when the secret cannot be opened
 */
export function checkSecondFactor(
  account: StoredAccount & { readonly secondFactor: StoredSecondFactor },
  { attemptId, typed, at }: SecondFactorAttempt,
  sealer: Sealer | undefined,
  limits: readonly RateLimit[],
): Checked {
  const known = knownTry(account.secondFactorTries, attemptId, at, limits);
  if (known.kind === 'too-many') return { outcome: known };
  if (known.kind !== 'new') return { outcome: { kind: known.kind } };
  const secret = sealer?.open(account.secondFactor.sealedSecret, account.id);
  if (secret === undefined) {
    throw new DependencyError('directory', 'a second factor cannot be opened: it was sealed with another key');
  }
  const parsed = parseSecondFactor(typed);
  // Nothing is guessed with what is no code at all, so nothing is counted.
  if (parsed === undefined) return { outcome: { kind: 'wrong' } };
  const used = useUp(account.secondFactor, parsed, secret, at);
  const secondFactorTries = withTry(account.secondFactorTries, { id: attemptId, at, right: used !== undefined });
  return {
    outcome: { kind: used === undefined ? 'wrong' : 'right' },
    next: { ...account, secondFactorTries, secondFactor: used ?? account.secondFactor },
  };
}

/** The second factor after something right was used; undefined: it was wrong. */
function useUp(
  factor: StoredSecondFactor,
  { kind, code }: TypedFactor,
  secret: Uint8Array,
  at: number,
): StoredSecondFactor | undefined {
  if (kind === 'digits') {
    const step = oneTimePasswords.stepOf(secret, code, at);
    // RFC 6238 §5.2: what was accepted once is not accepted again, nor what came before it.
    return step === undefined || step <= factor.lastStep ? undefined : { ...factor, lastStep: step };
  }
  const digest = digestOf(code);
  const left = factor.recoveryDigests.filter((each) => !timingSafeEqual(Buffer.from(each), Buffer.from(digest)));
  return left.length === factor.recoveryDigests.length ? undefined : { ...factor, recoveryDigests: left };
}

/** The account with a new second factor; undefined when it has this very one already. */
export function withSecondFactor(
  account: StoredAccount,
  factor: NewSecondFactor,
  sealer: Sealer,
): StoredAccount | undefined {
  const { secret, recoveryCodes, step, at } = factor;
  const before = account.secondFactor;
  const known = before === null ? undefined : sealer.open(before.sealedSecret, account.id);
  if (known !== undefined && known.length === secret.length && timingSafeEqual(known, secret)) return undefined;
  return {
    ...account,
    secondFactor: {
      sealedSecret: sealer.seal(secret, account.id),
      enrolledAt: at,
      lastStep: step,
      recoveryDigests: recoveryCodes.map(digestOf),
    },
    // An undo brings back the one of before, as it was at its end: nothing that was used is of use again.
    previous: account.previous.map((each) => (each.secondFactor === 'same' ? { ...each, secondFactor: before } : each)),
  };
}

/** All that is sealed of an account: what is in force, and what an undo would bring back. */
export function sealedOf({ secondFactor, previous }: StoredAccount): readonly StoredSecondFactor[] {
  const before = previous.map((each) => (each.secondFactor === 'same' ? null : each.secondFactor));
  return [secondFactor, ...before].filter((each) => each !== null);
}

/** The account with other seals, or the same one where none is another. @param renewed what was sealed, and how it is now */
export function withSeals(account: StoredAccount, renewed: ReadonlyMap<string, string>): StoredAccount {
  if (!sealedOf(account).some(({ sealedSecret }) => renewed.has(sealedSecret))) return account;
  const again = (factor: StoredSecondFactor): StoredSecondFactor => ({
    ...factor,
    sealedSecret: renewed.get(factor.sealedSecret) ?? factor.sealedSecret,
  });
  const { secondFactor, previous } = account;
  return {
    ...account,
    secondFactor: secondFactor && again(secondFactor),
    previous: previous.map((each) => {
      const { secondFactor: factor } = each;
      return { ...each, secondFactor: factor === 'same' || factor === null ? factor : again(factor) };
    }),
  };
}

function digestOf(recoveryCode: string): string {
  return hash('sha256', recoveryCode, 'hex');
}
