// The SMTP edge (RFC 5321): smtp-server's handlers in the order of the protocol, each a translation and nothing more.
// What smtp-server leaves open by default is closed here. One log event per recipient that is refused, and one per transaction
// with a recipient, whatever becomes of it.

import type { AddressInfo } from 'node:net';
import { domainToASCII } from 'node:url';
import { SMTPServer, type SMTPServerAddress, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import {
  type Admitted,
  type Clock,
  DependencyError,
  type Envelope,
  type Log,
  type LogFields,
  type MailAccepted,
  type MailRefused,
  type RateLimits,
  type ReceiveMail,
  type WatchCertificate,
} from '../../app/ports.ts';
import type { EdgeRefusalReason } from '../../core/refusal.ts';
import { type ConnectionLimits, type Connections, createAddressList, createConnections } from './smtp-connections.ts';
import { guardReplies } from './smtp-guard.ts';
import { createRoom, isClientGone, readMessage } from './smtp-message.ts';
import { accepted, edgeReplies, passedOn, type SmtpReply, smtpReplies } from './smtp-replies.ts';

export interface SmtpListenerOptions extends ConnectionLimits {
  /** Mail servers that took the mail before us and do not say from whom. */
  readonly frontAddresses: readonly string[];
  /** An address, or a socket that is open already. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly fd: number };
  readonly hostname: string;
  readonly messageBytesMax: number;
  /** Without one STARTTLS is not offered. */
  readonly certificate: WatchCertificate | undefined;
}

export interface SmtpListener {
  /** Resolves to what was got. @throws when the address cannot be listened on, or the certificate not used */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** How many connections are open. */
  connections(): number;
  /** No new connections; those that are open get a moment to finish. */
  stop(): Promise<void>;
}

interface Ports {
  readonly mail: ReceiveMail;
  readonly rateLimits: RateLimits;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a session needs remembered: smtp-server keeps only texts. */
interface Memory {
  recipient?: Admitted;
  badRecipients: number;
}

const socketTimeoutMs = 30_000;
// All messages that are being read or checked, together.
const messagesBytesMax = 32 * 2 ** 20;
const closeTimeoutMs = 5_000;
const notesPeriodMs = 60_000;

/** Makes the listener. */
export function createSmtpListener(ports: Ports, options: SmtpListenerOptions): SmtpListener {
  const { clock, log } = ports;
  const note = createRefusalNotes(ports);
  const connections = createConnections(options, clock, note);
  const server = new SMTPServer({ ...serverOptions(options), ...handlers(ports, options, connections) });
  admitFirst(server, connections, note);
  // Without a listener, one client that resets its connection ends the process.
  server.on('error', (error) => log.info('smtp-connection', { outcome: 'lost', code: codeOf(error) }));
  let endWatch = () => {};

  return {
    connections: () => server.connections.size,
    async start() {
      if (options.certificate !== undefined) {
        endWatch = await options.certificate((certificate) =>
          server.updateSecureContext({ ...certificate, minVersion: 'TLSv1.2' }),
        );
      }
      return new Promise<{ host: string; port: number }>((resolve, reject) => {
        server.server.once('error', reject);
        server.server.listen(options.listen, () => {
          server.server.off('error', reject);
          const { address, port } = server.server.address() as AddressInfo;
          resolve({ host: address, port });
        });
      }).catch((error: unknown) => {
        endWatch();
        throw error;
      });
    },
    async stop() {
      endWatch();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Who is not in the middle of a message has nothing to finish.
      for (const connection of [...server.connections]) {
        if (!connection.session.envelope?.mailFrom)
          connection.send(edgeReplies['shutting-down'].code, edgeReplies['shutting-down'].text, false);
      }
      const cancel = clock.after(closeTimeoutMs, () => connections.endAll());
      await closed;
      cancel();
      connections.endAll();
    },
  };
}

/**
 * Notes what happens to connections: each reason once a minute, with how often it came since. Whoever floods us must not
 * flood the log as well.
 */
function createRefusalNotes({ clock, log }: Ports): (reason: EdgeRefusalReason) => void {
  const notes = new Map<EdgeRefusalReason, { at: number; times: number }>();
  return (reason) => {
    const now = clock.now();
    const last = notes.get(reason);
    const times = (last?.times ?? 0) + 1;
    const quiet = last !== undefined && Math.abs(now - last.at) < notesPeriodMs;
    notes.set(reason, quiet ? { at: last.at, times } : { at: now, times: 0 });
    if (!quiet) log.info('smtp-connection', { outcome: 'refused', reason, times });
  };
}

/**
 * Lets the limits of connections speak before smtp-server makes a session: its `connect` is the first moment at which
 * the client's address is known, with a PROXY header or without.
 */
function admitFirst(server: SMTPServer, connections: Connections, note: (reason: EdgeRefusalReason) => void): void {
  server.server.on('connection', (socket) => connections.watch(socket));
  const connect = server.connect.bind(server);
  server.connect = (socket, socketOptions) => {
    if (!connections.admit(socket, socketOptions?.remoteAddress ?? socket.remoteAddress ?? '')) return;
    connect(socket, socketOptions);
    const connection = [...server.connections].find(({ _socket }) => _socket === socket);
    if (connection === undefined) return;
    guardReplies(connection, note);
    connections.inSession(socket, ({ code, text }) => connection.send(code, text, false));
  };
}

/** Whatever happens in a handler, the client gets an answer: a promise that rejects would end the process. */
function createAnswer({ clock, log }: Pick<Ports, 'clock' | 'log'>) {
  return (
    at: 'mail' | 'rcpt' | 'data',
    callback: (error?: Error | null, message?: string) => void,
    handle: () => Promise<SmtpReply>,
  ): void => {
    const startedAt = clock.now();
    const failed = (error: unknown): SmtpReply => {
      const durationMs = clock.now() - startedAt;
      if (isClientGone(error)) log.info('smtp', { outcome: 'lost', at, durationMs });
      else {
        const level = error instanceof DependencyError ? 'warn' : 'error';
        log[level]('smtp', { outcome: 'failed', reason: 'not-now', at, durationMs }, error);
      }
      return edgeReplies['not-now'];
    };
    void handle()
      .catch(failed)
      .then((reply) => (reply.code < 300 ? callback(null, reply.text) : callback(smtpError(reply))))
      .catch(failed);
  };
}

/** The handlers in the order of the protocol. */
function handlers(
  { mail, rateLimits, clock, log }: Ports,
  options: SmtpListenerOptions,
  connections: Connections,
): SMTPServerOptions {
  const answer = createAnswer({ clock, log });
  const isFront = createAddressList(options.frontAddresses);
  // Whom they speak for they do not say, or did not (a proxy whose own address is left): nobody's address, and so no SPF.
  const isNobody = createAddressList([...options.proxyAddresses, ...options.frontAddresses]);
  const clientOf = ({ remoteAddress }: SMTPServerSession) => (isNobody(remoteAddress) ? undefined : remoteAddress);
  const memories = new WeakMap<SMTPServerSession, Memory>();
  const memoryOf = (session: SMTPServerSession): Memory => {
    const memory = memories.get(session) ?? { badRecipients: 0 };
    memories.set(session, memory);
    return memory;
  };

  /** What the listener refuses by itself within a transaction: named in the log like everything else. */
  function refuseHere(reason: EdgeRefusalReason, at: 'mail' | 'rcpt' | 'data'): SmtpReply {
    log.info('smtp', { outcome: 'refused', reason, at });
    return edgeReplies[reason];
  }

  const room = createRoom(Math.max(messagesBytesMax, 2 * options.messageBytesMax));
  /** A recipient was taken, and no message followed. */
  function noteAbandoned(session: SMTPServerSession): void {
    const memory = memoryOf(session);
    if (memory.recipient !== undefined) log.info('smtp', { outcome: 'abandoned', at: 'rcpt' });
    delete memory.recipient;
  }

  return {
    onMailFrom(address, session, callback) {
      noteAbandoned(session);
      answer('mail', callback, async () => {
        // First of all; its events are noted where it is counted.
        // Through a front of ours all networks come as one; it is bounded by its connections.
        const isCounted = !isFront(session.remoteAddress);
        if (isCounted && (await rateLimits.take('message', session.remoteAddress)) > 0) {
          return edgeReplies['network-asks-often'];
        }
        const refusal = refuseSender(address);
        return refusal === undefined ? { code: 250, text: '' } : refuseHere(refusal, 'mail');
      });
    },
    onRcptTo(address, session, callback) {
      const startedAt = clock.now();
      answer('rcpt', callback, async () => {
        const memory = memoryOf(session);
        if (session.envelope.rcptTo.length > 0) return refuseHere('second-recipient', 'rcpt');
        if (parametersOf(address).length > 0) return refuseHere('parameter-unknown', 'rcpt');
        const { badRecipients } = memory;
        const admitted = await mail.admitRecipient(asciiAddress(address.address), {
          remoteAddress: clientOf(session),
          badRecipients,
          nullSender: mailFromOf(session) === '',
        });
        if (admitted.kind !== 'refused') {
          memory.recipient = admitted;
          return { code: 250, text: '' };
        }
        if (admitted.reason === 'address-unknown') memory.badRecipients += 1;
        log.info('smtp', {
          outcome: 'refused',
          reason: admitted.reason,
          at: 'rcpt',
          durationMs: clock.now() - startedAt,
        });
        return smtpReplies[admitted.reason];
      });
    },
    onData(stream, session, callback) {
      const startedAt = clock.now();
      answer('data', callback, async () => {
        const memory = memoryOf(session);
        const { recipient } = memory;
        delete memory.recipient;
        if (recipient === undefined) throw new Error('DATA without a recipient');
        const message = await readMessage(stream, options.messageBytesMax, clock, room);
        if (message === 'far-too-big') mail.refuseTooBig(recipient); // its page learns it all the same
        if (message === 'connection-too-old' || message === 'far-too-big' || message === 'no-room') {
          return refuseHere(message, 'data');
        }
        const received =
          message === 'too-big'
            ? mail.refuseTooBig(recipient)
            : await mail
                .receive(message, envelopeOf(session, clientOf(session)), recipient)
                .finally(() => room.give(message.buffer.byteLength));
        log.info('smtp', { ...describe(received), at: 'data', durationMs: clock.now() - startedAt });
        if (received.kind === 'refused') return refusalReply(received);
        return { code: 250, text: received.kind === 'passed-on' ? passedOn : accepted };
      });
    },
    onClose(session) {
      noteAbandoned(session);
      connections.sweep();
    },
  };
}

function serverOptions(options: SmtpListenerOptions): SMTPServerOptions {
  const disabled = ['AUTH', 'WIZ', 'SHELL', 'KILL', 'HELP', 'VRFY', 'XCLIENT', 'XFORWARD'];
  return {
    name: options.hostname,
    banner: 'reply-to-verify',
    size: options.messageBytesMax,
    // Ours comes first (smtp-connections.ts) and says why; this one is for what slips past.
    maxClients: 2 * options.connectionsMax,
    maxCommandLength: 2048,
    socketTimeout: socketTimeoutMs,
    closeTimeout: closeTimeoutMs,
    authOptional: true,
    // Without a certificate of our own, smtp-server would offer one whose key is published.
    disabledCommands: options.certificate === undefined ? [...disabled, 'STARTTLS'] : disabled,
    disableReverseLookup: true,
    hideSMTPUTF8: true,
    useProxy: [...options.proxyAddresses],
    logger: false,
  };
}

/** Row M1 of src/DESIGN.md "Which mail is believed"; the size is smtp-server's to look at. */
function refuseSender(address: SMTPServerAddress): EdgeRefusalReason | undefined {
  const parameters = parametersOf(address);
  // RFC 6531 is not offered; whoever uses it all the same must not be read as ASCII. What smtp-server remembers of
  // SMTPUTF8 would outlast the refusal and meet the next MAIL. It shows domains as Unicode, so they tell nothing.
  const local = address.address.slice(0, Math.max(0, address.address.lastIndexOf('@')));
  if (parameters.includes('SMTPUTF8') || !/^[ -~]*$/.test(local)) return 'utf8-not-offered';
  // RFC 5321 §4.1.1.11. REQUIRETLS (RFC 8689) above all is a promise that we could not keep.
  return parameters.every((name) => name === 'SIZE' || name === 'BODY') ? undefined : 'parameter-unknown';
}

/** Upper case. */
function parametersOf({ args }: SMTPServerAddress): string[] {
  return Object.keys(args || {});
}

function mailFromOf(session: SMTPServerSession): string {
  const from: SMTPServerAddress | false = session.envelope.mailFrom;
  return from ? asciiAddress(from.address) : '';
}

/** smtp-server shows domains as Unicode; SPF, and the comparison with ours, want them as they came. */
function asciiAddress(address: string): string {
  const at = address.lastIndexOf('@');
  const domain = address.slice(at + 1);
  if (at < 0 || /^[a-z0-9.-]*$/.test(domain)) return address;
  return `${address.slice(0, at)}@${domainToASCII(domain) || domain}`;
}

function envelopeOf(session: SMTPServerSession, remoteAddress: string | undefined): Envelope {
  return {
    remoteAddress,
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
  if (received.kind === 'passed-on') return { outcome: received.kind };
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
