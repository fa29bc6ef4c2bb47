// What an administrator does, told to the audit once it is on disk, by whoever does it: the service, or a command that works
// alone. Looking at accounts is not noted.

import type { AccountCommands, AccountState, Audit, AuditEvent, Clock } from './ports.ts';

type Operation = Extract<AuditEvent, { readonly operator: unknown }>;
type OnAccount = Extract<Operation, { readonly account: unknown }>;

const stateEvents = {
  active: 'account-unlocked',
  locked: 'account-locked',
  frozen: 'account-frozen',
} as const satisfies Readonly<Record<AccountState, OnAccount['event']>>;

/** The administrator's methods, for one operator. */
export function auditAdmin(
  { admin, audit, clock }: { readonly admin: AccountCommands; readonly audit: Audit; readonly clock: Clock },
  operator: Operation['operator'],
): AccountCommands {
  const facts = () => ({ at: clock.now(), operator });

  /** Notes a change of one account, which is found before: afterwards it may be gone. */
  async function changing<Outcome>(
    name: string,
    event: OnAccount['event'],
    change: () => Promise<Outcome>,
  ): Promise<Outcome> {
    const account = await admin.find(name);
    const outcome = await change();
    if (outcome === 'done' && account !== undefined) {
      audit.note({ event, ...facts(), account: { id: account.id, name: account.name } });
    }
    return outcome;
  }

  return {
    list: () => admin.list(),
    find: (name) => admin.find(name),
    check: (accounts) => admin.check(accounts),
    async add(accounts) {
      const mistakes = await admin.add(accounts);
      if (mistakes.length > 0 || accounts.length === 0) return mistakes;
      const [only, ...more] = accounts;
      const added = only !== undefined && more.length === 0 ? await admin.find(only.name).catch(() => {}) : undefined;
      if (added === undefined) audit.note({ event: 'accounts-imported', ...facts(), count: accounts.length });
      else audit.note({ event: 'account-added', ...facts(), account: { id: added.id, name: added.name } });
      return mistakes;
    },
    setState: (name, state) => changing(name, stateEvents[state], () => admin.setState(name, state)),
    dropSecondFactor: (name) => changing(name, 'second-factor-dropped', () => admin.dropSecondFactor(name)),
    setMailboxes: (name, mailboxes, evenIfFrozen) =>
      changing(name, evenIfFrozen ? 'mailboxes-forced' : 'mailboxes-set', () =>
        admin.setMailboxes(name, mailboxes, evenIfFrozen),
      ),
    remove: (name) => changing(name, 'account-removed', () => admin.remove(name)),
    async invite(name, locale) {
      const account = await admin.find(name);
      const outcome = await admin.invite(name, locale);
      if (outcome.kind === 'invited' && account !== undefined) {
        audit.note({ event: 'account-invited', ...facts(), account: { id: account.id, name: account.name } });
      }
      return outcome;
    },
  };
}
