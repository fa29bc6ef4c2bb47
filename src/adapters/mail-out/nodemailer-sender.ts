// Hands replies, notices and invitations to the relay by SMTP, signed with our keys, and tells what is worth another try
// (RFC 5321 §4.2.1) from what is not.

import { Readable } from 'node:stream';
import SMTPPool from 'nodemailer/lib/smtp-pool';
import type { MailSender, SendResult } from '../../app/ports.ts';
import { domainOf, type Mailbox } from '../../core/mail-address.ts';
import { type DkimKey, signMessage } from './dkim-signer.ts';
import { composeInvitation } from './invitation-message.ts';
import { composeNotice } from './notice-message.ts';
import { type OutgoingMessage, writeMessage } from './outgoing-message.ts';
import { composeReply, type ReplyOptions } from './reply-message.ts';

/** Where the relay is, and how we come to it. */
export interface RelayOptions {
  /** `smtp://` or `smtps://`, checked; may hold a password, so it is never logged. */
  readonly relayUrl: string;
  /** In place of the one in the URL; null: none. */
  readonly password: string | null;
  /** `required`: encrypted and with a good certificate, or nothing is sent. */
  readonly tls: 'required' | 'opportunistic' | 'off';
  /** PEM of the only authority that is trusted; null: those that Node trusts. */
  readonly ca: string | null;
  /** Our name in EHLO: the only one SPF can check when the envelope sender is empty. */
  readonly hostname: string;
}

export interface MailSenderOptions extends ReplyOptions, RelayOptions {
  /** None: nothing is signed. */
  readonly dkimKeys: readonly DkimKey[];
}

/** Makes the sender: a small pool of connections, opened when there is something to send. */
export function createNodemailerSender(options: MailSenderOptions): MailSender {
  const pool = new SMTPPool({
    ...whereTo(options),
    name: options.hostname,
    maxConnections: 5,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
  });
  const handOver = (to: Mailbox, raw: Buffer): Promise<SendResult> =>
    new Promise((resolve) => {
      pool.send(mailOf(to, raw), (error) => {
        resolve(error ? { kind: failureOf(error), detail: describe(error) } : { kind: 'handed-over' });
      });
    });
  const send = async (compose: () => OutgoingMessage): Promise<SendResult> => {
    let raw: Buffer;
    let message: OutgoingMessage;
    try {
      const now = Date.now();
      message = compose();
      const signing = { domain: domainOf(options.from), keys: options.dkimKeys, now };
      raw = await signMessage(writeMessage(message, now), signing);
    } catch (error) {
      return { kind: 'temporary', detail: `NOT-WRITTEN ${Object(error).name}` };
    }
    return handOver(message.to, raw);
  };
  return {
    send: (reply) => send(() => composeReply(reply, options)),
    sendNotice: (notice) => send(() => composeNotice(notice, options)),
    sendInvitation: (invitation) => send(() => composeInvitation(invitation, options)),
    passOn(message, to) {
      // RFC 5321 §4.4: a trace line on top, nothing else is touched.
      const trace = `Received: by ${options.hostname} for its operator; ${new Date().toUTCString().replace('GMT', '+0000')}\r\n`;
      return handOver(to, Buffer.concat([Buffer.from(trace), message]));
    },
    close: () => pool.close(),
  };
}

/**
 * A message that is written already, as the pool asks for it. nodemailer's own front would read it as a tree of parts and
 * write it once more, which costs more than all the rest of a reply.
 */
function mailOf(to: Mailbox, raw: Buffer): Parameters<SMTPPool['send']>[0] {
  const message = {
    getEnvelope: () => ({ from: '', to: [to] }),
    messageId: () => '',
    getHeader: () => '',
    createReadStream: () => Readable.from([raw], { objectMode: false }),
  };
  return { data: {}, message } as unknown as Parameters<SMTPPool['send']>[0];
}

/**
 * The relay as nodemailer wants it. RFC 3207 §6: whoever is on the way can take STARTTLS out of the answer, so `required`
 * does not ask whether it is there.
 */
export function whereTo({ relayUrl, password, tls, ca }: RelayOptions) {
  const url = new URL(relayUrl);
  const user = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    secure: url.protocol === 'smtps:', // RFC 8314 §3.3
    requireTLS: tls === 'required',
    opportunisticTLS: tls === 'opportunistic',
    ignoreTLS: tls === 'off',
    tls: { rejectUnauthorized: tls === 'required', ...(ca === null ? {} : { ca }) },
    ...(user === '' ? {} : { auth: { user, pass: password ?? decodeURIComponent(url.password) } }),
  };
}

// Only what the relay says of this recipient or this message is about them. All else, a password it does not take or a
// name it cannot find, is for the operator to mend, while everything waits.
function failureOf(error: unknown): 'temporary' | 'permanent' | 'away' {
  const { command, responseCode, response } = Object(error) as Readonly<Record<string, unknown>>;
  const isAboutIt = command === 'RCPT TO' || command === 'DATA';
  if (!isAboutIt || typeof responseCode !== 'number' || responseCode === 421) return 'away';
  // RFC 3463 §3.8: security or policy. The relay does not like us, which is nothing the person could mend.
  if (command === 'RCPT TO' && /^5\d\d[ -]5\.7\./.test(String(response))) return 'temporary';
  return responseCode >= 500 ? 'permanent' : 'temporary';
}

/** Codes only: the text of a relay may repeat the address. */
export function describe(error: unknown): string {
  const { code, command, responseCode } = Object(error) as Readonly<Record<string, unknown>>;
  return [code, command, responseCode].filter((part) => part !== undefined).join(' ');
}
