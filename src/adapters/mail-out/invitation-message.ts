// The invitation as a message: an administrator has made an account. To each of its mailboxes, unasked. There is nothing
// secret in it and nothing that can be opened; whoever gets it still has to prove the mailbox.

import type { OutgoingInvitation } from '../../app/ports.ts';
import { invitationTexts } from './invitation-texts.ts';
import { linkless, unaskedMail } from './notice-message.ts';
import type { OutgoingMessage } from './outgoing-message.ts';
import type { ReplyOptions } from './reply-message.ts';

/** Builds the invitation. */
export function composeInvitation(invitation: OutgoingInvitation, options: ReplyOptions): OutgoingMessage {
  const { to, id, accountName, locale } = invitation;
  const { subject, paragraphs } = invitationTexts[locale];
  const said = paragraphs({ site: options.siteName, account: linkless(accountName) });
  return unaskedMail({ to, id, subject, paragraphs: said }, options);
}
