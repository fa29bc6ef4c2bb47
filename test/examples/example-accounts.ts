// The accounts of the example directory: what an organisation has already, in its own way.

import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { TOTP } from 'otpauth';

export interface ExampleAccount {
  readonly id: string;
  name: string;
  description: string;
  mailboxes: string[];
  state: 'active' | 'locked' | 'frozen';
  version: number;
  password: Buffer | null;
  secondFactor: ExampleFactor | null;
  /** What was before each change that can still be undone, oldest first. */
  previous: ({ changeId: string; until: number } & Pick<ExampleAccount, 'password' | 'secondFactor'>)[];
  passwordChangedAt: number | null;
  sessionsEndedAt: number | null;
  addressFrozenUntil: number | null;
}

/** A real one keeps the secret encrypted, and digests of the recovery codes. */
export interface ExampleFactor {
  /** Base32. */
  readonly secret: string;
  recoveryCodes: string[];
  lastStep: number;
  readonly tries: { id: string; at: number; right: boolean }[];
}

/** Equal texts are equal mailboxes. @param anyCase domains whose local parts are the same in any case */
export function keyOf(mailbox: string, anyCase: readonly string[]): string {
  const [local = '', domain = ''] = mailbox.split(/@(?=[^@]*$)/);
  const isAnyCase = anyCase.some((each) => each.toLowerCase() === domain.toLowerCase());
  return `${isAnyCase ? local.toLowerCase() : local}@${domain.toLowerCase()}`;
}

/** With a salt of its own. */
export const hash = (password: string, salt = randomBytes(16)) => Buffer.concat([salt, scryptSync(password, salt, 32)]);
/** Whether it is the password of a hash. */
export const isPassword = (typed: string, of: Buffer | null) =>
  of !== null && timingSafeEqual(of, hash(typed, Buffer.from(of.subarray(0, 16))));

/** Five wrong ones in an hour; a right one is used up, a step with all before it. The same attempt again is the same. */
export function checkFactor(factor: ExampleFactor, attemptId: string, typed: string, at: number): object {
  const known = factor.tries.find(({ id }) => id === attemptId);
  if (known !== undefined) return { outcome: known.right ? 'right' : 'wrong' };
  const wrong = factor.tries.filter((each) => !each.right && at < each.at + 3_600_000);
  if (wrong[0] !== undefined && wrong.length >= 5) return { outcome: 'too-many', waitMs: wrong[0].at + 3_600_000 - at };
  const token = typed.replace(/[\s-]/g, '').toLowerCase();
  const delta = new TOTP({ secret: factor.secret }).validate({ token, timestamp: at, window: 1 });
  const step = delta === null ? 0 : Math.floor(at / 30_000) + delta;
  const right = step > factor.lastStep || factor.recoveryCodes.includes(token);
  factor.lastStep = Math.max(factor.lastStep, step);
  factor.recoveryCodes = factor.recoveryCodes.filter((code) => code !== token);
  factor.tries.push({ id: attemptId, at, right });
  return { outcome: right ? 'right' : 'wrong' };
}
