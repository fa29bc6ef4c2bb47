// The accounts in memory, found by id, name and mailbox without looking through them.
// Which addresses are equal: the domain in any case, the local part as written (RFC 5321 §2.4: only its own host knows
// better), unless the domain is one of which the organisation knows that it ignores case.

import { nameKey } from '../../core/account-entry.ts';
import { asciiLower, domainOf, type Mailbox } from '../../core/mail-address.ts';
import type { StoredAccount } from './account-record.ts';

/** Holds accounts; one that changes is replaced as a whole. */
export class AccountTable {
  readonly #byId = new Map<string, StoredAccount>();
  readonly #idByName = new Map<string, string>();
  readonly #idsByMailbox = new Map<string, Set<string>>();
  readonly #undoable = new Set<string>();
  readonly #ignoreCaseDomains: ReadonlySet<string>;

  /** @param ignoreCaseDomains domains in any case */
  constructor(ignoreCaseDomains: readonly string[]) {
    this.#ignoreCaseDomains = new Set(ignoreCaseDomains.map(asciiLower));
  }

  all(): StoredAccount[] {
    return [...this.#byId.values()];
  }

  withId(id: string): StoredAccount | undefined {
    return this.#byId.get(id);
  }

  /** @param key as `nameKey` gives it */
  withName(key: string): StoredAccount | undefined {
    return this.#byId.get(this.#idByName.get(key) ?? '');
  }

  withMailbox(mailbox: Mailbox): StoredAccount[] {
    return this.#pick(this.#idsByMailbox.get(this.#key(mailbox)) ?? []);
  }

  /** Accounts that keep the password of before. */
  undoable(): StoredAccount[] {
    return this.#pick(this.#undoable);
  }

  isOf(mailbox: Mailbox, { id }: StoredAccount): boolean {
    return this.#idsByMailbox.get(this.#key(mailbox))?.has(id) ?? false;
  }

  /** The mailboxes of an account that are the same as one. */
  ownOf(mailbox: Mailbox, { mailboxes }: StoredAccount): readonly Mailbox[] {
    return mailboxes.filter((own) => this.#key(own) === this.#key(mailbox));
  }

  /** Puts an account in the place of the one with its id, or nothing. @returns what was there before */
  put(id: string, next: StoredAccount | undefined): StoredAccount | undefined {
    const before = this.#byId.get(id);
    // Kept when they are the same: accounts of a mailbox stay in their order.
    if (before?.mailboxes !== next?.mailboxes) {
      for (const mailbox of before?.mailboxes ?? []) this.#drop(this.#key(mailbox), id);
      for (const mailbox of next?.mailboxes ?? []) this.#idsOf(this.#key(mailbox)).add(id);
    }
    if (before !== undefined) this.#idByName.delete(nameKey(before.name));
    if (next === undefined) this.#byId.delete(id);
    else {
      this.#byId.set(id, next);
      this.#idByName.set(nameKey(next.name), id);
    }
    if (next !== undefined && next.previous.length > 0) this.#undoable.add(id);
    else this.#undoable.delete(id);
    return before;
  }

  #pick(ids: Iterable<string>): StoredAccount[] {
    return [...ids].flatMap((id) => this.#byId.get(id) ?? []);
  }

  #key(mailbox: Mailbox): string {
    return this.#ignoreCaseDomains.has(domainOf(mailbox)) ? asciiLower(mailbox) : mailbox;
  }

  #idsOf(key: string): Set<string> {
    const ids = this.#idsByMailbox.get(key) ?? new Set();
    this.#idsByMailbox.set(key, ids);
    return ids;
  }

  #drop(key: string, id: string): void {
    const ids = this.#idsByMailbox.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsByMailbox.delete(key);
  }
}
