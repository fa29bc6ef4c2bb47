// The built-in directory: accounts in memory, one lowdb file behind them, one process. A change is checked and made in
// one synchronous step; nobody is told of it before it is on disk, and it is taken back when it cannot be written.
// Which passwords are good, and what a person may do, is decided before; hashing is password-hash.ts.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Adapter, Low } from 'lowdb';
import {
  type Account,
  type AccountAdmin,
  type AccountDetails,
  type AccountMistake,
  type AccountState,
  DependencyError,
  type Directory,
  type MailboxConfirmation,
  type NewSecondFactor,
  type PasswordChange,
  type Sealer,
  type SecondFactorAttempt,
  type SecondFactorEnrolment,
  type SecondFactorOutcome,
} from '../../app/ports.ts';
import { type NewAccount, nameKey } from '../../core/account-entry.ts';
import type { Mailbox } from '../../core/mail-address.ts';
import type { RateLimit } from '../../core/rate-policy.ts';
import {
  type AccountFile,
  makeAccounts,
  readAccounts,
  type StoredAccount,
  storedAccount,
  undoableMax,
} from './account-record.ts';
import { AccountTable } from './account-table.ts';
import { GroupWriter } from './group-writer.ts';
import { hashPassword, verifyPassword } from './password-hash.ts';
import { checkSecondFactor, sealedOf, withSeals, withSecondFactor } from './second-factor.ts';

export interface BuiltinDirectoryOptions {
  /** Milliseconds since the epoch: tells when the password of before need not be kept any longer. */
  readonly now: () => number;
  /** Domains, in any case, whose local parts are the same in any case. */
  readonly ignoreCaseDomains: readonly string[];
  /** Of wrong second factors of one account. */
  readonly wrongSecondFactors: readonly RateLimit[];
  /** For secrets of second factors; undefined: what it seals could not be opened later, so none is enrolled. */
  readonly sealer: Sealer | undefined;
}

export interface BuiltinDirectory extends Directory, AccountAdmin {
  /** Drops passwords of before whose time is over. Happens with every change as well. @throws DependencyError */
  sweep(): Promise<void>;
  /** Ends when no write is under way. Nothing is changed afterwards. */
  close(): Promise<void>;
}

const placesShown = 10;
const resealedAtOnce = 500;

/**
 * Opens the directory; without a file it is empty.
 * @param adapter reads and writes the file durably; what it reads is checked before it is believed
 * @param place   how an operator finds it, for messages
 * @throws Error with the places and the remedy when the file is damaged; DependencyError when it had to be written anew
 *         and could not
 */
export async function openBuiltinDirectory(
  adapter: Adapter<unknown>,
  place: string,
  options: BuiltinDirectoryOptions,
): Promise<BuiltinDirectory> {
  const low = new Low<unknown>(adapter, null);
  await low.read().catch((error: unknown) => {
    // Without the cause: the parser quotes what it found.
    throw error instanceof SyntaxError ? new Error(`${place} is not JSON. Put back a good copy.`) : error;
  });
  const read = readAccounts(low.data);
  if (!read.ok) {
    const more = read.mistakes.length - placesShown;
    const places = read.mistakes.slice(0, placesShown).join('; ') + (more > 0 ? `; and ${more} more` : '');
    throw new Error(`${place} is not a directory of accounts: ${places}. Correct it, or put back a good copy.`);
  }
  const directory = new LowdbDirectory(low, options);
  await directory.load(read.accounts, read.migrated);
  return directory;
}

type Change = readonly [id: string, next: StoredAccount | undefined];

class LowdbDirectory implements BuiltinDirectory {
  readonly #table: AccountTable;
  readonly #writer: GroupWriter;
  readonly #now: () => number;
  readonly #options: BuiltinDirectoryOptions;
  #closed = false;
  readonly enrolment: SecondFactorEnrolment | undefined;
  readonly reseal: (() => Promise<void>) | undefined;

  constructor(low: Low<unknown>, options: BuiltinDirectoryOptions) {
    this.#now = options.now;
    this.#options = options;
    const { sealer } = options;
    this.enrolment = sealer && { enrol: (factor) => this.#enrol(factor, sealer) };
    this.reseal = sealer && (() => this.#reseal(sealer));
    this.#table = new AccountTable(options.ignoreCaseDomains);
    this.#writer = new GroupWriter(() => {
      // A list of its own: what changes while it is written belongs to the next write.
      const file: AccountFile = { version: 3, accounts: this.#table.all() };
      low.data = file;
      return low.write();
    });
  }

  /**
   * Takes what the file holds. Version 1 is written back at once: its ids were made just now, and whoever
   * is told one (in a grant, in an undo code) must find it after a restart.
   */
  async load(accounts: readonly StoredAccount[], migrated: boolean): Promise<void> {
    for (const account of accounts) this.#table.put(account.id, account);
    if (migrated) await this.#change([]);
    else await this.sweep();
  }

  async accountsOf(mailbox: Mailbox) {
    const found = this.#table.withMailbox(mailbox).map((account) => {
      const { id, name, description, state } = account;
      const secondFactor: Account['secondFactor'] = account.secondFactor === null ? 'none' : 'enrolled';
      const securityVersion = String(account.securityVersion);
      const hasPassword = account.password !== null;
      return { id, name, description, state, hasPassword, securityVersion, secondFactor };
    });
    return this.#answer(found);
  }

  async setPassword(change: PasswordChange): Promise<'done' | 'account-changed'> {
    // First, since it takes time: after the check nothing may come in between.
    const password = await hashPassword(change.password);
    const account = this.#table.withId(change.accountId);
    if (account?.previous.at(-1)?.changeId === change.changeId) {
      const same = account.password !== null && (await verifyPassword(change.password, account.password));
      return this.#answer(same ? 'done' : 'account-changed');
    }
    if (account === undefined || this.#current(change) === undefined || !this.#table.isOf(change.mailbox, account)) {
      return this.#answer('account-changed');
    }
    const next = storedAccount.parse({
      ...account,
      previous: [
        ...keptOf(account, change),
        { changeId: change.changeId, password: account.password, until: change.undoUntil, secondFactor: 'same' },
      ],
      password,
      securityVersion: account.securityVersion + 1,
      passwordChangedAt: change.at,
      sessionsEndedAt: change.at,
      addressFrozenUntil: change.addressFrozenUntil,
    });
    // The parser made new objects of what did not change.
    await this.#change([[account.id, { ...next, mailboxes: account.mailboxes }]]);
    return 'done';
  }

  async revertPassword(accountId: string, changeId: string, now: number): Promise<'done' | 'too-late'> {
    const account = this.#table.withId(accountId);
    const open = account?.previous.filter(({ until }) => now < until) ?? [];
    // Back to before all of them: whoever gets in twice would otherwise have a password of his own brought back.
    const [oldest] = open;
    if (account === undefined || oldest === undefined || !open.some((change) => change.changeId === changeId)) {
      return this.#answer('too-late');
    }
    const next: StoredAccount = {
      ...account,
      password: oldest.password,
      secondFactor: oldest.secondFactor === 'same' ? account.secondFactor : oldest.secondFactor,
      previous: [],
      // What an administrator locked stays locked: an undo must not let anybody in who was shut out since.
      state: account.state === 'locked' ? 'locked' : 'frozen',
      securityVersion: account.securityVersion + 1,
      sessionsEndedAt: now,
    };
    await this.#change([[accountId, next]]);
    return 'done';
  }

  async verifySecondFactor(attempt: SecondFactorAttempt): Promise<SecondFactorOutcome> {
    const account = this.#current(attempt);
    if (account === undefined || account.secondFactor === null) return this.#answer({ kind: 'account-changed' });
    const { secondFactor } = account;
    const { sealer, wrongSecondFactors } = this.#options;
    const { outcome, next } = checkSecondFactor({ ...account, secondFactor }, attempt, sealer, wrongSecondFactors);
    return this.#put(next, outcome);
  }

  async #enrol(factor: NewSecondFactor, sealer: Sealer): Promise<'done' | 'account-changed'> {
    const account = this.#current(factor);
    if (account === undefined) return this.#answer('account-changed');
    return this.#put(withSecondFactor(account, factor, sealer), 'done');
  }

  async #reseal(sealer: Sealer): Promise<void> {
    const renewed = new Map<string, string>();
    for (const [index, account] of this.#table.all().entries()) {
      for (const { sealedSecret } of sealedOf(account)) {
        const next = sealer.renew(sealedSecret, account.id);
        if (next !== sealedSecret) renewed.set(sealedSecret, next);
      }
      if (index % resealedAtOnce === 0) await nextTurn(); // 100,000 of them are too much for one
    }
    // In one step, and on the accounts as they are by now: what is sealed may have moved, or gone.
    const changes = this.#table.all().map((account): Change => [account.id, withSeals(account, renewed)]);
    const made = changes.filter(([id, next]) => next !== this.#table.withId(id));
    // Also when there is nothing to change: somebody else's change may be on its way to the disk.
    await (made.length > 0 ? this.#change(made) : this.#writer.settled());
  }

  /** The account, while it is active and as it was when somebody began with it. */
  #current(asked: { readonly accountId: string; readonly securityVersion: string }): StoredAccount | undefined {
    const account = this.#table.withId(asked.accountId);
    return account?.state === 'active' && String(account.securityVersion) === asked.securityVersion
      ? account
      : undefined;
  }

  async #put<Answer>(next: StoredAccount | undefined, answer: Answer): Promise<Answer> {
    if (next === undefined) return this.#answer(answer);
    await this.#change([[next.id, next]]);
    return answer;
  }

  async confirmMailbox({ mailbox, at }: MailboxConfirmation): Promise<'done' | 'no-account'> {
    const changes = this.#table.withMailbox(mailbox).map((account): Change => {
      const own = this.#table.ownOf(mailbox, account);
      const others = account.confirmed.filter((each) => !own.includes(each.mailbox));
      return [account.id, { ...account, confirmed: [...others, ...own.map((each) => ({ mailbox: each, at }))] }];
    });
    if (changes.length === 0) return this.#answer('no-account');
    await this.#change(changes);
    return 'done';
  }

  async list(): Promise<readonly AccountDetails[]> {
    return this.#answer(this.#table.all().map(detailsOf));
  }

  async find(name: string): Promise<AccountDetails | undefined> {
    const account = this.#table.withName(nameKey(name));
    return this.#answer(account && detailsOf(account));
  }

  async check(given: readonly NewAccount[]): Promise<readonly AccountMistake[]> {
    return this.#answer(makeAccounts(given, this.#isTaken).mistakes);
  }

  async add(given: readonly NewAccount[]): Promise<readonly AccountMistake[]> {
    const { accounts, mistakes } = makeAccounts(given, this.#isTaken);
    if (mistakes.length > 0 || accounts.length === 0) return this.#answer(mistakes);
    await this.#change(accounts.map((account) => [account.id, account]));
    return [];
  }

  async setState(name: string, state: AccountState): Promise<'done' | 'unknown-account'> {
    const account = this.#table.withName(nameKey(name));
    if (account === undefined) return this.#answer('unknown-account');
    if (account.state === state) return this.#answer('done');
    await this.#change([[account.id, { ...account, state, securityVersion: account.securityVersion + 1 }]]);
    return 'done';
  }

  async dropSecondFactor(name: string): Promise<'done' | 'unknown-account'> {
    const account = this.#table.withName(nameKey(name));
    if (account === undefined) return this.#answer('unknown-account');
    if (account.secondFactor === null) return this.#answer('done');
    const securityVersion = account.securityVersion + 1;
    await this.#change([[account.id, { ...account, secondFactor: null, secondFactorTries: [], securityVersion }]]);
    return 'done';
  }

  async setMailboxes(
    name: string,
    mailboxes: readonly Mailbox[],
    evenIfFrozen: boolean,
  ): Promise<'done' | 'unknown-account' | 'address-frozen'> {
    const account = this.#table.withName(nameKey(name));
    if (account === undefined) return this.#answer('unknown-account');
    if (!evenIfFrozen && this.#now() < (account.addressFrozenUntil ?? 0)) return this.#answer('address-frozen');
    // What is taken away and given back later has to be proved anew.
    const confirmed = account.confirmed.filter((each) => mailboxes.includes(each.mailbox));
    const securityVersion = account.securityVersion + 1;
    const next = { ...account, mailboxes: [...mailboxes], confirmed, securityVersion };
    await this.#change([[account.id, next]]);
    return 'done';
  }

  async remove(name: string): Promise<'done' | 'unknown-account'> {
    const account = this.#table.withName(nameKey(name));
    if (account === undefined) return this.#answer('unknown-account');
    await this.#change([[account.id, undefined]]);
    return 'done';
  }

  async sweep(): Promise<void> {
    if (this.#expired(this.#now()).length > 0) await this.#change([]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writer.settled().catch(() => {}); // whoever waited for the write was told
  }

  /** An answer rests on what is in memory, so it waits for that to be on disk. */
  async #answer<Answer>(answer: Answer): Promise<Answer> {
    await this.#writer.settled();
    return answer;
  }

  /** Makes changes in one step, and drops what need not be kept any longer. Resolves when all of it is on disk. */
  async #change(changes: readonly Change[]): Promise<void> {
    // A request that was cut off may come this far: others may have the folder by now.
    if (this.#closed) throw new DependencyError('directory', 'the accounts are closed');
    const now = this.#now();
    const all = [...this.#expired(now), ...changes];
    const before = all.map(([id, next]): Change => [id, this.#table.put(id, next && withoutExpired(next, now))]);
    return this.#writer.changed(() => {
      for (const [id, account] of before.toReversed()) this.#table.put(id, account);
    });
  }

  readonly #isTaken = (key: string): boolean => this.#table.withName(key) !== undefined;

  #expired(now: number): Change[] {
    const over = this.#table.undoable().filter((account) => withoutExpired(account, now) !== account);
    return over.map((account) => [account.id, account]);
  }
}

/** The account without the password of before, when its time is over: an old hash is of use to thieves only. */
function withoutExpired(account: StoredAccount, now: number): StoredAccount {
  const previous = account.previous.filter(({ until }) => now < until);
  return previous.length === account.previous.length ? account : { ...account, previous };
}

/**
 * What is kept beside one more: the oldest always, because that is what an undo brings back, and all of it as long as the
 * newest can be undone. Whoever gets in twice, the second time just before the first is too old, must gain nothing.
 */
function keptOf({ previous }: StoredAccount, { at, undoUntil }: PasswordChange): StoredAccount['previous'] {
  const open = previous.filter(({ until }) => at < until);
  const kept = open.length < undoableMax ? open : open.toSpliced(1, 1);
  return kept.map((each) => ({ ...each, until: Math.max(each.until, undoUntil) }));
}

function detailsOf(account: StoredAccount): AccountDetails {
  const { password, previous, securityVersion: _, secondFactorTries: __, secondFactor, ...rest } = account;
  return {
    ...rest,
    hasPassword: password !== null,
    undoUntil: previous.at(-1)?.until ?? null,
    secondFactor: secondFactor && {
      enrolledAt: secondFactor.enrolledAt,
      recoveryCodesLeft: secondFactor.recoveryDigests.length,
    },
  };
}
