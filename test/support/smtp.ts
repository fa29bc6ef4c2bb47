// For tests of the SMTP port: a client that speaks line by line, as politely or as rudely as a test wants; certificates;
// and the listener alone, on a free port, with a use case that takes everything and keeps it.

import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect, isIPv4, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls, type PeerCertificate, TLSSocket } from 'node:tls';
import {
  createSmtpListener,
  type SmtpListener,
  type SmtpListenerOptions,
} from '../../src/adapters/smtp-in/smtp-listener.ts';
import { type CertificateFiles, watchCertificate } from '../../src/adapters/tls/certificate-files.ts';
import type { Envelope, Log, ReceiveMail, RecipientOrigin } from '../../src/app/ports.ts';
import type { Mailbox } from '../../src/core/mail-address.ts';
import { TestClock } from './clock.ts';
import { unlimited } from './limits.ts';

/** One answer. `status` is what tables compare: code and enhanced code. */
export interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
  readonly status: string;
}

export interface ConnectOptions {
  readonly host?: string;
  readonly port: number;
  /** The client's own address, 127.0.0.x. */
  readonly from?: string;
  /** The client's own port. */
  readonly fromPort?: number | undefined;
}

const gone: Reply = { code: 0, lines: [], status: 'closed' };

/** A client that says what it is told to, bytes and all. */
export class SmtpClient {
  socket: Socket;
  readonly #plain: Socket;
  readonly #replies: Reply[] = [];
  #rest = '';
  #lines: string[] = [];
  #wake: (() => void)[] = [];
  #closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.#plain = socket;
    this.#listen(socket);
  }

  /** Resolves when there is a connection; the greeting is the first reply. */
  static async connect({ host = '127.0.0.1', port, from, fromPort }: ConnectOptions): Promise<SmtpClient> {
    const own = {
      ...(from !== undefined && { localAddress: from }),
      ...(fromPort !== undefined && { localPort: fromPort }),
    };
    const socket = connect({ host, port, ...own });
    await once(socket, 'connect');
    return new SmtpClient(socket);
  }

  /** Connects, is greeted and says EHLO. */
  static async greeted(options: ConnectOptions): Promise<SmtpClient> {
    const client = await SmtpClient.connect(options);
    const { status } = await client.reply();
    if (status !== '220') throw new Error(`not greeted: ${status}`);
    await client.say('EHLO client.example');
    return client;
  }

  #listen(socket: Socket): void {
    socket.on('error', () => {});
    socket.on('close', () => {
      if (socket !== this.socket) return;
      this.#closed = true;
      this.#wakeAll();
    });
    socket.on('data', (data) => {
      const lines = (this.#rest + data.toString('latin1')).split('\r\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
      this.#wakeAll();
    });
  }

  #take(line: string): void {
    this.#lines.push(line.slice(4));
    if (line[3] === '-') return;
    const [text = ''] = this.#lines;
    const code = Number(line.slice(0, 3));
    const enhanced = /^[245]\.\d+\.\d+(?= )/.exec(text)?.[0];
    this.#replies.push({
      code,
      lines: this.#lines,
      status: enhanced === undefined ? `${code}` : `${code} ${enhanced}`,
    });
    this.#lines = [];
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** The next answer; `closed` when the server ended the connection without one. */
  async reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.shift();
      if (reply !== undefined) return reply;
      if (this.#closed) return gone;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  write(data: string | Uint8Array): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  say(line: string): Promise<Reply> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** Code and enhanced code of each answer. */
  async statuses(lines: readonly string[]): Promise<string[]> {
    const all: string[] = [];
    for (const line of lines) all.push((await this.say(line)).status);
    return all;
  }

  /** All that is still said until the connection is closed. */
  async rest(): Promise<string[]> {
    const all: string[] = [];
    for (;;) {
      const { status } = await this.reply();
      if (status === 'closed') return all;
      all.push(status);
    }
  }

  /** Waits until the server has closed. */
  async closed(): Promise<void> {
    await this.rest();
  }

  /** The TLS handshake, after STARTTLS was answered. Throws what it fails with. */
  async handshake(): Promise<PeerCertificate> {
    this.#plain.removeAllListeners('data');
    const socket = connectTls({ socket: this.#plain, rejectUnauthorized: false });
    this.socket = socket;
    await once(socket, 'secureConnect');
    this.#listen(socket);
    return socket.getPeerCertificate();
  }

  async startTls(): Promise<PeerCertificate> {
    const { status } = await this.say('STARTTLS');
    if (status !== '220') throw new Error(status);
    return this.handshake();
  }

  get certificate(): PeerCertificate {
    if (this.socket instanceof TLSSocket) return this.socket.getPeerCertificate();
    throw new Error('not encrypted');
  }

  /** Hangs up, without a word. */
  reset(): void {
    this.#plain.resetAndDestroy();
  }

  /** Leaves in order. */
  async quit(): Promise<void> {
    this.write('QUIT\r\n');
    this.socket.end();
    await this.closed();
  }
}

/** Waits, without sleeping, until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`it never came to ${isSo}`);
    await setImmediate();
  }
}

export interface TakenMail {
  readonly message: Buffer;
  readonly envelope: Envelope;
}

export interface TestListener {
  readonly port: number;
  readonly clock: TestClock;
  readonly mails: readonly TakenMail[];
  readonly recipients: readonly { readonly recipient: string; readonly origin: RecipientOrigin }[];
  /** `outcome` of each log event, after its name. */
  readonly events: readonly string[];
  readonly listener: SmtpListener;
  connect(from?: string): Promise<SmtpClient>;
  greeted(from?: string): Promise<SmtpClient>;
}

/** What a test says otherwise; the certificate as its files. */
export type ListenerChanges = Partial<Omit<SmtpListenerOptions, 'certificate'>> & {
  readonly certificate?: CertificateFiles;
};

/** Starts the listener alone. @param mail replaces what takes all mail */
export async function startListener(
  options: ListenerChanges = {},
  mail: Partial<ReceiveMail> = {},
  clock = new TestClock(),
): Promise<TestListener> {
  const mails: TakenMail[] = [];
  const recipients: TestListener['recipients'][number][] = [];
  const events: string[] = [];
  const write = (event: string, fields: Readonly<Record<string, unknown>>) => {
    events.push(`${event} ${fields.outcome}`);
  };
  const log: Log = { info: write, warn: write, error: write };
  const takeAll: ReceiveMail = {
    async admitRecipient(recipient, origin) {
      recipients.push({ recipient, origin });
      return { kind: 'operator', mailbox: 'it@school.example' as Mailbox };
    },
    refuseTooBig: () => ({ kind: 'refused', reason: 'message-too-big' }),
    async receive(message, envelope) {
      mails.push({ message: Buffer.from(message), envelope });
      return { kind: 'passed-on' };
    },
    ...mail,
  };
  const { certificate, ...others } = options;
  const listener = createSmtpListener(
    { mail: takeAll, rateLimits: unlimited, clock, log },
    {
      listen: { host: '127.0.0.1', port: 0 },
      hostname: 'mx.in.school.example',
      messageBytesMax: 65_536,
      connectionsMax: 100,
      connectionsPerAddressMax: 10,
      proxyAddresses: [],
      frontAddresses: [],
      certificate: certificate && watchCertificate(certificate, 'smtp', { clock, log }),
      ...others,
    },
  );
  const { host, port } = await listener.start();
  const where = (from?: string) => ({ host, port, ...(from !== undefined && { from }) });
  return {
    port,
    clock,
    mails,
    recipients,
    events,
    listener,
    connect: (from) => SmtpClient.connect(where(from)),
    greeted: (from) => SmtpClient.greeted(where(from)),
  };
}

/** Sends a message in an open session. @returns the answer to its end */
export async function sendMail(client: SmtpClient, message = 'Subject: x\r\n\r\nx\r\n'): Promise<Reply> {
  const before = await client.statuses(['MAIL FROM:<a@b.example>', 'RCPT TO:<c@in.school.example>', 'DATA']);
  if (before.join() !== '250,250,354') throw new Error(before.join());
  client.write(`${message}.\r\n`);
  return client.reply();
}

/** PEM of a certificate for nobody, signed by itself, and its key. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a certificate (RFC 5280 §4.1) with a name to tell it by.
 * @param names   host names and IPv4 addresses it is for, if any
 * @param validTo end of its time, before 2050
 */
export function makeCertificate(
  name: string,
  names: readonly string[] = [],
  validTo = Date.UTC(2049, 11, 31),
): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex')); // ecdsa-with-SHA256
  const commonName = der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name)));
  const subject = der(0x30, der(0x31, commonName));
  const validity = der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from(utcTime(validTo))));
  const version = der(0xa0, der(0x02, Buffer.of(2)));
  const serial = der(0x02, Buffer.of(1));
  const publicInfo = publicKey.export({ type: 'spki', format: 'der' });
  const alternatives = names.map((each) =>
    isIPv4(each) ? der(0x87, Buffer.from(each.split('.').map(Number))) : der(0x82, Buffer.from(each)),
  );
  const subjectAltName = der(0x30, Buffer.from('0603551d11', 'hex'), der(0x04, der(0x30, ...alternatives)));
  const extensions = names.length === 0 ? [] : [der(0xa3, der(0x30, subjectAltName))];
  const body = der(0x30, version, serial, algorithm, subject, validity, subject, publicInfo, ...extensions);
  const signature = der(0x03, Buffer.of(0), sign('sha256', body, privateKey));
  const base64 =
    der(0x30, body, algorithm, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** `YYMMDDHHMMSSZ`. */
function utcTime(time: number): string {
  return `${new Date(time).toISOString().replace(/\D/g, '').slice(2, 14)}Z`;
}

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}
