// An administrator invites the owners of an account to set its first password. The mail grants nothing: whoever gets it
// has to prove the mailbox as everybody does. So it is no secret, and nothing is kept of it.

import { toHex } from '../core/bytes.ts';
import { refuseInvitation } from '../core/invitation.ts';
import { refuse } from '../core/refusal.ts';
import type { AccountAdmin, InviteAccount, Log, MailSender, Secrets } from './ports.ts';

interface Ports {
  readonly accounts: Pick<AccountAdmin, 'find'>;
  readonly sender: Pick<MailSender, 'sendInvitation'>;
  readonly secrets: Pick<Secrets, 'randomBytes'>;
  readonly log: Log;
}

/** Makes the use case. */
export function createInviteAccount({ accounts, sender, secrets, log }: Ports): InviteAccount {
  return async (name, locale) => {
    const account = await accounts.find(name);
    if (account === undefined) return refuse('unknown-account');
    const refused = refuseInvitation(account);
    if (refused !== undefined) return refused;
    const sent = account.mailboxes.map(async (mailbox) => {
      const id = toHex(secrets.randomBytes(16));
      const result = await sender.sendInvitation({ to: mailbox, id, accountName: account.name, locale });
      const detail = result.kind === 'handed-over' ? undefined : result.detail;
      log[result.kind === 'handed-over' ? 'info' : 'warn']('invitation', { outcome: result.kind, detail });
      return { mailbox, result };
    });
    return { kind: 'invited', mailboxes: await Promise.all(sent) };
  };
}
