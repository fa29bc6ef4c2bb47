// The SMTP edge (RFC 5321): smtp-server's handlers in the order of the protocol, each a translation and nothing more.
// What smtp-server leaves open by default is closed here. One log event per transaction that got as far as RCPT.

import type { AddressInfo, Socket } from 'node:net';
import { domainToASCII } from 'node:url';
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerDataStream,
  type SMTPServerOptions,
  type SMTPServerSession,
} from 'smtp-server';
import {
  type Clock,
  DependencyError,
  type Envelope,
  type Log,
  type LogFields,
  type MailAccepted,
  type MailRefused,
  type ReceiveMail,
} from '../../app/ports.ts';
import type { OneTimeAddress } from '../../core/one-time-address.ts';
import type { MailRefusalReason, Refused } from '../../core/refusal.ts';
import {
  accepted,
  type SmtpReply,
  smtpReplies,
  tooManyConnections,
  tooMuchData,
  tryAgainLater,
  utf8NotSupported,
} from './smtp-replies.ts';

export interface SmtpListenerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly hostname: string;
  readonly messageBytesMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
}

export interface SmtpListener {
  /** Resolves to the port that was got. @throws when the address cannot be listened on */
  start(): Promise<number>;
  /** No new connections; those that are open get a moment to finish. */
  stop(): Promise<void>;
}

interface Ports {
  readonly mail: ReceiveMail;
  readonly clock: Clock;
  readonly log: Log;
}

const socketTimeoutMs = 30_000;
const connectionAgeMaxMs = 180_000;
const closeTimeoutMs = 5_000;

/** Makes the listener. */
export function createSmtpListener({ mail, clock, log }: Ports, options: SmtpListenerOptions): SmtpListener {
  /** The admitted recipient per session: smtp-server keeps only the text. */
  const recipients = new WeakMap<SMTPServerSession, OneTimeAddress>();

  const handlers: SMTPServerOptions = {
    onMailFrom(_address, session, callback) {
      recipients.delete(session);
      // RFC 6531 is not offered; whoever uses it all the same must not be read as ASCII.
      callback(session.envelope.smtpUtf8 ? smtpError(utf8NotSupported) : null);
    },
    onRcptTo(address, session, callback) {
      answer(callback, async () => {
        const admitted = mailFromOf(session) === '' ? nullSender : await mail.admitRecipient(address.address);
        if (!('kind' in admitted)) {
          recipients.set(session, admitted);
          return null;
        }
        log.info('smtp', { outcome: 'refused', reason: admitted.reason, at: 'rcpt' });
        return smtpError(smtpReplies[admitted.reason]);
      });
    },
    onData(stream, session, callback) {
      const startedAt = clock.now();
      answer(callback, async () => {
        const recipient = recipients.get(session);
        const message = await readMessage(stream, options.messageBytesMax);
        if (message === 'far-too-big' || recipient === undefined) return smtpError(tooMuchData);
        const received = message === 'too-big' ? tooBig : await mail.receive(message, envelopeOf(session), recipient);
        log.info('smtp', { ...describe(received), at: 'data', durationMs: clock.now() - startedAt });
        if (received.kind === 'refused') return smtpError(refusalReply(received));
        return null;
      });
    },
  };

  /** Whatever happens in a handler, the client gets an answer: a promise that rejects would end the process. */
  function answer(callback: (error?: Error | null, message?: string) => void, handle: () => Promise<Error | null>) {
    handle().then(
      (error) => callback(error, accepted),
      (error: unknown) => {
        // A client that went away in the middle of its message is nothing to look into.
        if (codeOf(error) === 'ECONNECTION') log.info('smtp', { outcome: 'lost', at: 'data' });
        else log[error instanceof DependencyError ? 'warn' : 'error']('smtp', { outcome: 'failed' }, error);
        callback(smtpError(tryAgainLater));
      },
    );
  }

  const server = new SMTPServer({ ...serverOptions(options), ...handlers });
  // Without a listener, one client that resets its connection ends the process.
  server.on('error', (error) => log.info('smtp-connection', { outcome: 'lost', code: codeOf(error) }));
  const networks = new Map<string, number>();
  server.server.on('connection', (socket) => watchSocket(socket, networks, options.connectionsPerAddressMax));

  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.server.once('error', reject);
        server.listen(options.listen.port, options.listen.host, () => {
          server.server.off('error', reject);
          resolve((server.server.address() as AddressInfo).port);
        });
      }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function serverOptions(options: SmtpListenerOptions): SMTPServerOptions {
  return {
    name: options.hostname,
    banner: 'reply-to-verify',
    size: options.messageBytesMax,
    maxClients: options.connectionsMax,
    maxRecipients: 1,
    maxCommandLength: 2048,
    socketTimeout: socketTimeoutMs,
    closeTimeout: closeTimeoutMs,
    authOptional: true,
    // STARTTLS too: without a certificate of our own, smtp-server would offer one whose key is published.
    disabledCommands: ['AUTH', 'STARTTLS', 'WIZ', 'SHELL', 'KILL', 'HELP', 'VRFY', 'XCLIENT', 'XFORWARD'],
    disableReverseLookup: true,
    hideSMTPUTF8: true,
    logger: false,
  };
}

const nullSender: Refused<MailRefusalReason> = { kind: 'refused', reason: 'null-sender' };
const tooBig: MailRefused = { kind: 'refused', reason: 'message-too-big' };

/**
 * Counts a connection per network, turns away what is too much at once, and ends what gets old: an idle time-out never
 * fires on a client that trickles.
 */
function watchSocket(socket: Socket, networks: Map<string, number>, perAddressMax: number): void {
  const network = networkOf(socket.remoteAddress ?? '');
  const count = (networks.get(network) ?? 0) + 1;
  networks.set(network, count);
  const age = setTimeout(() => socket.destroy(), connectionAgeMaxMs).unref();
  socket.once('close', () => {
    clearTimeout(age);
    const left = (networks.get(network) ?? 1) - 1;
    if (left > 0) networks.set(network, left);
    else networks.delete(network);
  });
  if (count > perAddressMax) {
    const { code, text } = tooManyConnections;
    socket.end(`${code} ${text}\r\n`, () => socket.destroy());
  }
}

/** An IPv4 address, or the /64 of an IPv6 address: one customer has all of it. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:/i, '');
  if (!plain.includes(':')) return plain;
  const [head = '', tail] = plain.split('::');
  const groups = head.split(':').filter(Boolean);
  const after = tail?.split(':').filter(Boolean) ?? [];
  const filled =
    tail === undefined ? groups : [...groups, ...Array(8 - groups.length - after.length).fill('0'), ...after];
  return `${filled.slice(0, 4).join(':')}::/64`;
}

/** Reads a message to its end, or gives up when it is twice as big as allowed: `size` alone stops no transfer. */
async function readMessage(
  stream: SMTPServerDataStream,
  bytesMax: number,
): Promise<Uint8Array | 'too-big' | 'far-too-big'> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > 2 * bytesMax) return 'far-too-big'; // leaving the loop destroys the stream
  }
  return bytes > bytesMax ? 'too-big' : Buffer.concat(chunks);
}

function mailFromOf(session: SMTPServerSession): string {
  const from: SMTPServerAddress | false = session.envelope.mailFrom;
  const [localPart = '', domain = ''] = from ? from.address.split('@') : [];
  // smtp-server shows the domain as Unicode; SPF and the comparison with the author want it as it came.
  return localPart === '' ? '' : `${localPart}@${domainToASCII(domain) || domain}`;
}

function envelopeOf(session: SMTPServerSession): Envelope {
  return {
    remoteAddress: session.remoteAddress,
    helo: session.hostNameAppearsAs || '',
    mailFrom: mailFromOf(session),
  };
}

function refusalReply(refused: MailRefused): SmtpReply {
  const reply = smtpReplies[refused.reason];
  if (refused.reason !== 'not-authenticated' || refused.authorDomain === undefined) return reply;
  // The domain is letters, digits and hyphens by now; it tells an administrator whose records to look at.
  return { code: reply.code, text: `${reply.text} domain ${refused.authorDomain}` };
}

function describe(received: MailAccepted | MailRefused): LogFields {
  if (received.kind !== 'refused') {
    return { outcome: received.kind, by: received.by, author: received.authorDigest };
  }
  return { outcome: 'refused', reason: received.reason, author: received.authorDigest };
}

function smtpError({ code, text }: SmtpReply): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
