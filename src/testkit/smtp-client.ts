// Hands one message to an SMTP server and says what the server answered, as the sender's own server would see it.
// The bytes go out as given, dot-stuffing aside (RFC 5321 §4.5.2); no STARTTLS, no AUTH, no extensions, no retries.

import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

export type SmtpAnswer = {
  /** Whether the message was taken over, i.e. the end of DATA was answered with 2xx. */
  readonly accepted: boolean;
  readonly code: number;
  /** What follows the code, enhanced code included; lines of a longer reply are joined by a blank. */
  readonly text: string;
};

export type Delivery = {
  readonly host: string;
  readonly port: number;
  /** Without angle brackets; '' is the empty path of bounces. */
  readonly mailFrom: string;
  readonly rcptTo: string | readonly string[];
  /** Sent byte for byte; a final CRLF is added when there is none, since SMTP cannot end a message without. */
  readonly raw: string | Buffer;
  /** The name we greet with. */
  readonly helo: string;
  /** Where we come from, when it matters: any 127.x.y.z is this machine. */
  readonly localAddress?: string;
  /** Called when the last octet of the message was given to the connection. */
  readonly onSent?: () => void;
  /** Sends the body octet by octet, never to its end, and waits like this before each. */
  readonly pause?: (ms: number) => unknown;
  /** Breaks the connection off; whoever waits for the answer gets its reason. */
  readonly signal?: AbortSignal;
};

type Reply = { readonly code: number; readonly text: string };

const silenceMs = 60_000;
const trickleMs = 10_000;
const lineLengthMax = 10_000;
const linesMax = 100;

// Collects the replies as they come: one that arrived before the connection broke is still an answer.
function readReplies(socket: Socket): () => Promise<Reply> {
  const replies: Reply[] = [];
  let waiting: { resolve(reply: Reply): void; reject(error: Error): void } | undefined;
  let failure: Error | undefined;
  let rest = '';
  let texts: string[] = [];
  const fail = (error: Error) => {
    failure ??= error;
    waiting?.reject(failure);
    waiting = undefined;
  };
  socket.on('data', (data) => {
    const lines = (rest + data.toString()).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      // RFC 5321 §4.2.1: a hyphen after the code means that more lines follow.
      const parts = /^([2-5]\d\d)([- ]|$)(.*)$/.exec(line);
      if (!parts) {
        socket.destroy(new Error(`not an SMTP reply: ${line.slice(0, 100)}`));
        return;
      }
      texts.push(parts[3] ?? '');
      if (parts[2] === '-') continue;
      const reply = { code: Number(parts[1]), text: texts.join(' ') };
      texts = [];
      if (waiting) waiting.resolve(reply);
      else replies.push(reply);
      waiting = undefined;
    }
    if (rest.length > lineLengthMax || texts.length > linesMax) socket.destroy(new Error('SMTP reply without an end'));
  });
  socket.setTimeout(silenceMs, () => socket.destroy(new Error(`SMTP server silent for ${silenceMs} ms`)));
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('SMTP server closed the connection without an answer')));
  return () =>
    new Promise((resolve, reject) => {
      const reply = replies.shift();
      if (reply) resolve(reply);
      else if (failure) reject(failure);
      else waiting = { resolve, reject };
    });
}

// RFC 5321 §4.5.2. Bytes in, bytes out: latin1 maps each byte to one character and back.
function dotStuffed(raw: string | Buffer): Buffer {
  const text = Buffer.from(raw)
    .toString('latin1')
    .replace(/(^|\r\n)\./g, '$1..');
  return Buffer.from(`${text}${text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1');
}

/** Header at once, then an octet at a time: never silent for as long as servers wait, and never done. */
async function trickle(
  socket: Socket,
  bytes: Buffer,
  answer: Promise<unknown>,
  pause: NonNullable<Delivery['pause']>,
): Promise<void> {
  let isAnswered = false;
  const ended = answer.then(
    () => (isAnswered = true),
    () => (isAnswered = true),
  );
  const start = bytes.indexOf('\r\n\r\n') + 4;
  socket.write(bytes.subarray(0, start));
  for (let at = start; at < bytes.length - '.\r\n'.length && !isAnswered; at += 1) {
    await Promise.race([pause(trickleMs), ended]);
    socket.write(bytes.subarray(at, at + 1));
    await nextTurn();
  }
  await ended;
}

function path(address: string): string {
  if (/[\r\n<>]/.test(address)) throw new TypeError(`not an address for an SMTP command: ${JSON.stringify(address)}`);
  return `<${address}>`;
}

/**
 * Delivers one message over a connection of its own.
 * @returns the answer that ended it: of the first command that was refused, or of the end of DATA
 * @throws when there is no connection, or it breaks before that answer; TypeError for addresses that cannot be sent
 */
export async function deliver(delivery: Delivery): Promise<SmtpAnswer> {
  const recipients = [delivery.rcptTo].flat();
  const commands = [
    `EHLO ${delivery.helo}`,
    `MAIL FROM:${path(delivery.mailFrom)}`,
    ...recipients.map((rcpt) => `RCPT TO:${path(rcpt)}`),
  ];
  const { host, port, localAddress, signal } = delivery;
  const socket = connect({ host, port, ...(localAddress !== undefined && { localAddress }) });
  const breakOff = () => socket.destroy(signal?.reason);
  signal?.addEventListener('abort', breakOff);
  socket.once('close', () => signal?.removeEventListener('abort', breakOff));
  const next = readReplies(socket);
  try {
    let reply = await next();
    for (const command of commands) {
      if (reply.code >= 400) return { accepted: false, ...reply };
      socket.write(`${command}\r\n`);
      reply = await next();
    }
    if (reply.code >= 400) return { accepted: false, ...reply };
    socket.write('DATA\r\n');
    reply = await next();
    if (reply.code !== 354) return { accepted: false, ...reply };
    const answer = next();
    if (delivery.pause !== undefined) await trickle(socket, dotStuffed(delivery.raw), answer, delivery.pause);
    else socket.write(dotStuffed(delivery.raw));
    delivery.onSent?.();
    reply = await answer;
    return { accepted: reply.code < 300, ...reply };
  } finally {
    // The answer is in hand; what the server says to QUIT is of no interest.
    socket.removeAllListeners('data').resume().end('QUIT\r\n');
    socket.setTimeout(1000, () => socket.destroy());
  }
}
