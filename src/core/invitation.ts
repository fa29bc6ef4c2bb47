// Who may be invited to set the first password of an account. Pure; asked before the first mail of many, and again for each.

import { type InviteRefusalReason, type Refused, refuse } from './refusal.ts';

/** @returns why nobody is invited, or undefined */
export function refuseInvitation(account: {
  readonly state: 'active' | 'locked' | 'frozen';
  readonly hasPassword: boolean;
  readonly mailboxes: readonly unknown[];
}): Refused<InviteRefusalReason> | undefined {
  if (account.state !== 'active') return refuse(`account-${account.state}`);
  if (account.hasPassword) return refuse('account-active');
  return account.mailboxes.length === 0 ? refuse('mailbox-missing') : undefined;
}
