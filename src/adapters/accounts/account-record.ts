// The stored form of the accounts: versioned, and checked whenever it is read from disk. Version 1, which people write
// by hand, has names, descriptions and mailboxes only, and version 2 knows of no second factor; read, they become version 3.
// What is wrong is told by its place in the file and never by its content, which may be a mail address or a secret.

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { AccountMistake, AccountState, ConfirmedMailbox } from '../../app/ports.ts';
import { entryLengthMax, type NewAccount, nameKey } from '../../core/account-entry.ts';
import { type Mailbox, parseMailbox } from '../../core/mail-address.ts';
import type { FactorTry } from '../../core/second-factor.ts';
import { isPasswordHash } from './password-hash.ts';

/** A second factor as it is kept. */
export interface StoredSecondFactor {
  /** For this account; see `Sealer`. */
  readonly sealedSecret: string;
  readonly enrolledAt: number;
  /** The latest step that was used: neither it nor any before it is accepted again. */
  readonly lastStep: number;
  /** SHA-256 of each recovery code that was not used, hexadecimal. */
  readonly recoveryDigests: readonly string[];
}

/** What was before a change that can still be undone. */
interface PreviousPassword {
  readonly changeId: string;
  readonly password: string | null;
  readonly until: number;
  /** `same`: it has not been replaced since, so what is in force now is the one of then, with all that was used of it. */
  readonly secondFactor: StoredSecondFactor | null | 'same';
}

/** An account as it is kept. Times are milliseconds since the epoch. */
export interface StoredAccount {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly mailboxes: readonly Mailbox[];
  /** Those of them that their owner has confirmed. */
  readonly confirmed: readonly ConfirmedMailbox[];
  readonly state: AccountState;
  readonly securityVersion: number;
  /** PHC string; null: none was ever set. */
  readonly password: string | null;
  /** What was before each change that can still be undone, oldest first. An undo brings back the oldest. */
  readonly previous: readonly PreviousPassword[];
  readonly passwordChangedAt: number | null;
  readonly sessionsEndedAt: number | null;
  readonly addressFrozenUntil: number | null;
  readonly secondFactor: StoredSecondFactor | null;
  /** Attempts at it of the last day. They belong to the account: another second factor opens no new budget. */
  readonly secondFactorTries: readonly FactorTry[];
}

/** The whole file. */
export interface AccountFile {
  readonly version: 3;
  readonly accounts: readonly StoredAccount[];
}

const mailbox = z.string().transform((text, context): Mailbox => {
  const parsed = parseMailbox(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'not a mail address' });
  return z.NEVER;
});
/** Changes of one account that can be undone at the same time. Limits of replies keep it far below. */
export const undoableMax = 50;

const hex32 = z.string().regex(/^[0-9a-f]{32}$/, 'not 32 hexadecimal digits');
const time = z.int().min(0);
const password = z.string().refine(isPasswordHash, 'not an argon2id hash').nullable();

const secondFactor = z.strictObject({
  sealedSecret: z.base64url().max(200),
  enrolledAt: time,
  lastStep: time,
  recoveryDigests: z.array(z.string().regex(/^[0-9a-f]{64}$/, 'not 64 hexadecimal digits')).max(100),
});
const previous = z.strictObject({
  changeId: hex32,
  password,
  until: time,
  secondFactor: z.union([secondFactor, z.null(), z.literal('same')]).default('same'),
});

const newAccount = z.strictObject({
  name: z.string().min(1).max(entryLengthMax),
  description: z.string().max(entryLengthMax),
  mailboxes: z.array(mailbox),
});

/** One account. Also what is about to be written is checked: the next start must not refuse our own file. */
export const storedAccount = newAccount.extend({
  id: hex32,
  confirmed: z.array(z.strictObject({ mailbox, at: time })).default([]),
  state: z.enum(['active', 'locked', 'frozen']),
  securityVersion: z.int().min(1),
  password,
  previous: z.array(previous).max(undoableMax),
  passwordChangedAt: time.nullable(),
  sessionsEndedAt: time.nullable(),
  addressFrozenUntil: time.nullable(),
  secondFactor: secondFactor.nullable().default(null),
  secondFactorTries: z.array(z.strictObject({ id: hex32, at: time, right: z.boolean() })).default([]),
});

const anyFile = z.discriminatedUnion(
  'version',
  [
    z.strictObject({ version: z.literal(1), accounts: z.array(newAccount) }),
    z.strictObject({ version: z.literal([2, 3]), accounts: z.array(storedAccount) }),
  ],
  { error: ({ code }) => (code === 'invalid_union' ? 'neither 1, 2 nor 3' : undefined) },
);

/** Accounts of a file, or the places of what is wrong. */
export type ReadAccounts =
  | { readonly ok: true; readonly accounts: readonly StoredAccount[]; readonly migrated: boolean }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** Reads the file. @param data as it was parsed; null when there is no file, which is a directory without accounts */
export function readAccounts(data: unknown): ReadAccounts {
  const { data: file, error } = anyFile.safeParse(data ?? { version: 3, accounts: [] });
  if (file === undefined)
    return { ok: false, mistakes: error.issues.map((issue) => `${placeOf(issue)}: ${said(issue)}`) };
  const migrated = file.version === 1;
  const accounts = file.version === 1 ? file.accounts.map(freshAccount) : file.accounts;
  const twice = [...repeated(accounts, 'name', nameKey), ...repeated(accounts, 'id', (id) => id)];
  if (twice.length > 0)
    return { ok: false, mistakes: twice.map(({ index, problem }) => `accounts.${index}.${problem}`) };
  return { ok: true, accounts, migrated };
}

/** Checks accounts that are to be added. @param isTaken tells whether a name, as `nameKey` gives it, is in use */
export function makeAccounts(
  given: readonly NewAccount[],
  isTaken: (key: string) => boolean,
): { readonly accounts: readonly StoredAccount[]; readonly mistakes: readonly AccountMistake[] } {
  const mistakes: AccountMistake[] = [];
  const accounts: StoredAccount[] = [];
  for (const [index, each] of given.entries()) {
    const { data, error } = newAccount.safeParse(each);
    if (data === undefined) {
      mistakes.push(...error.issues.map((issue) => ({ index, problem: `${placeOf(issue)}: ${said(issue)}` })));
    } else if (isTaken(nameKey(data.name)))
      mistakes.push({ index, problem: 'name: in use already; choose another, or leave this account out' });
    else accounts.push(freshAccount(data));
  }
  // Against each other only when each is right by itself: positions would not fit otherwise.
  return { accounts, mistakes: mistakes.length > 0 ? mistakes : repeated(accounts, 'name', nameKey) };
}

function freshAccount({ name, description, mailboxes }: z.output<typeof newAccount>): StoredAccount {
  return {
    id: randomBytes(16).toString('hex'),
    name,
    description,
    mailboxes,
    confirmed: [],
    state: 'active',
    securityVersion: 1,
    password: null,
    previous: [],
    passwordChangedAt: null,
    sessionsEndedAt: null,
    addressFrozenUntil: null,
    secondFactor: null,
    secondFactorTries: [],
  };
}

function repeated(
  accounts: readonly StoredAccount[],
  field: 'name' | 'id',
  key: (text: string) => string,
): AccountMistake[] {
  const first = new Map<string, number>();
  return accounts.flatMap((account, index) => {
    const earlier = first.get(key(account[field]));
    if (earlier === undefined) first.set(key(account[field]), index);
    return earlier === undefined ? [] : [{ index, problem: `${field}: the same as of account ${earlier}` }];
  });
}

function placeOf({ path }: z.core.$ZodIssue): string {
  return path.join('.') || 'the file';
}

/** zod quotes the names of fields that it does not know, and those can be anything. */
function said({ code, message }: z.core.$ZodIssue): string {
  return code === 'unrecognized_keys' ? 'has a field that does not belong there' : message;
}
