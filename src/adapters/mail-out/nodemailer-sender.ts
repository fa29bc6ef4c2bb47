// Hands replies, notices and invitations to the relay by SMTP and tells what is worth another try (RFC 5321 §4.2.1) from what is not.

import { createTransport, type SendMailOptions } from 'nodemailer';
import type { MailSender, SendResult } from '../../app/ports.ts';
import { composeInvitation } from './invitation-message.ts';
import { composeNotice } from './notice-message.ts';
import { composeReply, type ReplyOptions } from './reply-message.ts';

export interface MailSenderOptions extends ReplyOptions {
  /** `smtp://` or `smtps://`, checked; may hold a password, so it is never logged. */
  readonly relayUrl: string;
  /** Our name in EHLO: the only one SPF can check when the envelope sender is empty. */
  readonly hostname: string;
}

/** Makes the sender: a small pool of connections, opened when there is something to send. */
export function createNodemailerSender(options: MailSenderOptions): MailSender {
  const transport = createTransport({
    url: options.relayUrl,
    name: options.hostname,
    pool: true,
    maxConnections: 5,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
  });
  const send = async (compose: () => SendMailOptions): Promise<SendResult> => {
    try {
      await transport.sendMail(compose());
      return { kind: 'handed-over' };
    } catch (error) {
      return { kind: isPermanent(error) ? 'permanent' : 'temporary', detail: describe(error) };
    }
  };
  return {
    send: (reply) => send(() => composeReply(reply, options)),
    sendNotice: (notice) => send(() => composeNotice(notice, options)),
    sendInvitation: (invitation) => send(() => composeInvitation(invitation, options)),
    passOn(message, to) {
      // RFC 5321 §4.4: a trace line on top, nothing else is touched.
      const trace = `Received: by ${options.hostname} for its operator; ${new Date().toUTCString().replace('GMT', '+0000')}\r\n`;
      return send(() => ({ envelope: { from: '', to: [to] }, raw: Buffer.concat([Buffer.from(trace), message]) }));
    },
    close: () => transport.close(),
  };
}

// Only what the relay says of this recipient or this message is final. A password it does not take, or a name it
// cannot find, is for the operator to mend, while the reply waits.
function isPermanent(error: unknown): boolean {
  if (!(error instanceof Error) || !('responseCode' in error) || !('command' in error)) return false;
  const { responseCode, command } = error;
  // RFC 3463 §3.8: security or policy. The relay does not like us, which is nothing the person could mend.
  if (command === 'RCPT TO' && /^5\d\d[ -]5\.7\./.test(String(Object(error).response))) return false;
  return typeof responseCode === 'number' && responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA');
}

/** Codes only: the text of a relay may repeat the address. */
function describe(error: unknown): string {
  const { code, command, responseCode } = Object(error) as Readonly<Record<string, unknown>>;
  return [code, command, responseCode].filter((part) => part !== undefined).join(' ');
}
