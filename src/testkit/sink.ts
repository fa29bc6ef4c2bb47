// A local SMTP server that swallows all mail, so that a tester (or a test) can read what was sent to whom, and that takes
// it badly where its faults say so. It keeps the last messages in memory, byte for byte; mailparser shows them, nothing is
// ever decided from that.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { answerOf, chooseFaults, type Fault, type FaultMoment, type Strike } from './faults.ts';
import { type Reply, type ReplyWanted, replyWaiter } from './replies.ts';

/** A message as a mail program would show it; all of it was written by the sender. */
export type MessageView = {
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly inReplyTo: string | undefined;
  readonly text: string;
  /** What is to be typed, if there is something: the code of a reply, `4821 7730`, or the undo code of a notice. */
  readonly code: string | undefined;
  /** The request label in Subject or text, `KQXF-WTMB`. */
  readonly label: string | undefined;
  /** In the order of the message: names in lower case, values unfolded but not decoded. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
};

export type ReceivedMessage = {
  readonly id: string;
  readonly receivedAt: Date;
  readonly envelope: { readonly mailFrom: string; readonly rcptTo: readonly string[] };
  readonly raw: Buffer;
  /** Parsed at the first call. */
  view(): Promise<MessageView>;
};

export type Sink = {
  readonly host: string;
  readonly port: number;
  /** Oldest first, the last 1,000, and not more than 64 MiB of them. */
  readonly messages: readonly ReceivedMessage[];
  /** What goes wrong: the first rule that fits. A rule counts as long as it is the same object. */
  faults: readonly Fault[];
  /** What went wrong, oldest first, the last 1,000. */
  readonly struck: readonly (Strike & { readonly id: string; readonly at: Date })[];
  /** Forgets all messages and what went wrong. */
  clear(): void;
  /** Calls the listener whenever messages, faults or what went wrong have changed; the result ends that. */
  onChange(listener: () => void): () => void;
  /** Calls the listener for each message from now on; the result ends that. */
  onMessage(listener: (message: ReceivedMessage) => void): () => void;
  /** The first message that fits, already here or still to come; rejects at the time limit and when the sink closes. */
  waitFor(fits: (message: ReceivedMessage) => boolean, limit: { readonly timeoutMs: number }): Promise<ReceivedMessage>;
  /**
   * The service's reply, already here or still to come.
   * @throws Error that says what came instead, at the time limit and when the sink closes
   */
  waitForReply(wanted: ReplyWanted): Promise<Reply>;
  /** Ends at once, open connections included; may be called twice. */
  close(): Promise<void>;
};

const messagesKept = 1000;
const bytesKept = 64 * 2 ** 20;
const messageBytesMax = 2 * 2 ** 20;

// Both alone on a line; the core has no way to find them among words.
const codeLine = /^(?:\d{4} \d{4}|(?:[0-9a-z]{4}-){3}[0-9a-z]{4})$/m;
const labelWord = /\b[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}\b/;

async function parse(raw: Buffer): Promise<MessageView> {
  const mail = await simpleParser(raw, { skipTextToHtml: true, skipImageLinks: true, maxHtmlLengthToParse: 200_000 });
  const headers = mail.headerLines.map(({ key, line }) => ({
    name: key,
    value: line
      .slice(line.indexOf(':') + 1)
      .replace(/\r?\n(?=[ \t])/g, '')
      .trim(),
  }));
  const to = [mail.to ?? []].flat().map((list) => list.text);
  const { subject = '', text = '', inReplyTo } = mail;
  const [code] = codeLine.exec(text) ?? [];
  const [label] = labelWord.exec(`${subject}\n${text}`) ?? [];
  return { subject, from: mail.from?.text ?? '', to: to.join(', '), inReplyTo, text, code, label, headers };
}

function refusal(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

function receive(stream: SMTPServerDataStream, done: (raw: Buffer | Error) => void): void {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    if (!stream.sizeExceeded) chunks.push(chunk);
  });
  stream.on('error', done);
  stream.on('end', () => done(stream.sizeExceeded ? refusal(552, '5.3.4 message too big') : Buffer.concat(chunks)));
}

type Session = Pick<SMTPServerSession, 'id' | 'envelope'>;

/** Resolves when that moment has passed, to the refusal if it is one. */
type PassMoment = (at: FaultMoment, session: Session, recipients: readonly string[]) => Promise<Error | null>;

function createServer(
  pass: PassMoment,
  keep: (envelope: ReceivedMessage['envelope'], raw: Buffer) => void,
): SMTPServer {
  const recipientsOf = ({ envelope }: Session) => envelope.rcptTo.map(({ address }) => address);
  const server = new SMTPServer({
    name: 'sink.test',
    logger: false,
    disableReverseLookup: true,
    // Without STARTTLS the certificate that smtp-server publishes with its key is never offered.
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    size: messageBytesMax,
    onConnect(session, callback) {
      const connection = connectionOf(server, session);
      if (connection) {
        // smtp-server asks nobody before its 354.
        const handleData = connection.handler_DATA.bind(connection);
        connection.handler_DATA = async (command, done) => {
          const no = await pass('data', session, recipientsOf(session));
          if (!no) return handleData(command, done);
          connection.send(Reflect.get(no, 'responseCode'), no.message);
          done();
        };
      }
      callback();
    },
    onMailFrom(_address, session, callback) {
      void pass('mail', session, ['']).then(callback);
    },
    onRcptTo({ address }, session, callback) {
      void pass('rcpt', session, [address]).then(callback);
    },
    onData(stream, session, callback) {
      // smtp-server empties the envelope once the callback was called.
      const { mailFrom } = session.envelope;
      const rcptTo = recipientsOf(session);
      receive(stream, async (raw) => {
        if (raw instanceof Error) return callback(raw);
        const no = await pass('end', session, rcptTo);
        if (no) return callback(no);
        keep({ mailFrom: mailFrom ? mailFrom.address : '', rcptTo }, raw);
        callback(await pass('kept', session, rcptTo), '2.0.0 kept');
      });
    },
  });
  return server;
}

function connectionOf(server: SMTPServer, { id }: Session) {
  return [...server.connections].find((connection) => connection.id === id);
}

/** Counts the faults, tells of them, and does what they say. */
function createPass(
  sink: Pick<Sink, 'faults'>,
  { random, closing }: { readonly random: () => number; readonly closing: AbortSignal },
  { hangUp, tell }: { hangUp(session: Session): void; tell(strike: Strike): void },
): PassMoment {
  const counts = new WeakMap<Fault, Map<string, number>>();
  const countsOf = (fault: Fault) => {
    const known = counts.get(fault) ?? new Map<string, number>();
    counts.set(fault, known);
    return known;
  };
  const struck = (fault: Fault, recipient: string) => countsOf(fault).get(recipient.toLowerCase()) ?? 0;
  return async (at, session, recipients) => {
    const strikes = chooseFaults(sink.faults, at, recipients, struck, random);
    for (const strike of strikes) {
      for (const each of strike.recipients) {
        countsOf(strike.fault).set(each.toLowerCase(), struck(strike.fault, each) + 1);
      }
      tell(strike);
    }
    for (const { fault } of strikes) {
      const answer = answerOf(fault);
      if (answer) return refusal(answer.code, answer.text);
      if (fault.does === 'drop') {
        hangUp(session);
        return refusal(421, '4.4.2 dropped'); // which nobody hears
      }
      const { seconds = 5 } = fault;
      await sleep(seconds * 1000, undefined, { signal: closing }).catch(() => undefined);
    }
    return null;
  };
}

// smtp-server's own close waits for its clients; this one does not.
function closerOf(server: SMTPServer): () => Promise<void> {
  const sockets = new Set<Socket>();
  server.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return () =>
    new Promise((resolve) => {
      server.server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
}

function waiter(
  messages: readonly ReceivedMessage[],
  onMessage: Sink['onMessage'],
  closing: AbortSignal,
): Sink['waitFor'] {
  return (fits, { timeoutMs }) =>
    new Promise((resolve, reject) => {
      const here = messages.find(fits);
      if (here) return resolve(here);
      const end = () => {
        clearTimeout(timer);
        closing.removeEventListener('abort', onClose);
        stop();
      };
      const give = (why: string) => {
        end();
        const came = messages.slice(-10).map(({ envelope }) => envelope.rcptTo.join(', '));
        reject(
          new Error(
            `no such message ${why}; ${messages.length} arrived${came.length > 0 ? `, the last for: ${came.join('; ')}` : ''}`,
          ),
        );
      };
      const onClose = () => give('before the sink closed');
      const timer = setTimeout(() => give(`within ${timeoutMs} ms`), timeoutMs);
      const stop = onMessage((message) => {
        try {
          if (!fits(message)) return;
          end();
          resolve(message);
        } catch (error) {
          end();
          reject(error);
        }
      });
      if (closing.aborted) onClose();
      else closing.addEventListener('abort', onClose);
    });
}

export type SinkOptions = {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What decides about faults with a chance: 0 to 1, 1 excluded. */
  readonly random?: () => number;
};

/** What the sink keeps, and who is told of it. */
function createStore(): Pick<Sink, 'messages' | 'struck' | 'faults' | 'clear' | 'onMessage' | 'onChange'> & {
  keep(envelope: ReceivedMessage['envelope'], raw: Buffer): void;
  tell(strike: Strike): void;
} {
  const messages: ReceivedMessage[] = [];
  const struck: Sink['struck'][number][] = [];
  const onMessage = createListeners<[ReceivedMessage]>();
  const onChange = createListeners<[]>();
  let faults: readonly Fault[] = [];
  let count = 0;
  let bytes = 0;
  return {
    messages,
    struck,
    get faults() {
      return faults;
    },
    set faults(rules) {
      faults = rules;
      onChange.tell();
    },
    clear() {
      messages.length = 0;
      struck.length = 0;
      bytes = 0;
      onChange.tell();
    },
    keep(envelope, raw) {
      let view: Promise<MessageView> | undefined;
      count += 1;
      const message = { id: String(count), receivedAt: new Date(), envelope, raw, view: () => (view ??= parse(raw)) };
      messages.push(message);
      bytes += raw.length;
      while (messages.length > messagesKept || bytes > bytesKept) bytes -= messages.shift()?.raw.length ?? 0;
      onMessage.tell(message);
      onChange.tell();
    },
    tell(strike) {
      count += 1;
      struck.push({ ...strike, id: String(count), at: new Date() });
      if (struck.length > messagesKept) struck.shift();
      onChange.tell();
    },
    onMessage: onMessage.add,
    onChange: onChange.add,
  };
}

function createListeners<Told extends readonly unknown[]>() {
  const listeners = new Set<(...told: Told) => void>();
  return {
    add(listener: (...told: Told) => void) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    tell(...told: Told) {
      for (const listener of [...listeners]) listener(...told);
    },
  };
}

/**
 * Starts the sink.
 * @throws the error of listen; nothing stays open then
 */
export async function startSink({ host, port, random = unforeseen }: SinkOptions): Promise<Sink> {
  const closing = new AbortController();
  const store = createStore();
  const hangUp = (session: Session) => void connectionOf(server, session)?._socket.destroy();
  const pass = createPass(store, { random, closing: closing.signal }, { hangUp, tell: store.tell });
  const server = createServer(pass, store.keep);
  server.on('error', () => undefined); // a client that hangs up; without a listener it would end the process
  const closeServer = closerOf(server);
  server.listen(port, host);
  await once(server.server, 'listening');
  const address = server.server.address();
  const close = () => {
    closing.abort();
    return closeServer();
  };
  const waitFor = waiter(store.messages, store.onMessage, closing.signal);
  return Object.assign(store, {
    host,
    port: typeof address === 'object' && address ? address.port : port,
    waitFor,
    waitForReply: replyWaiter({ messages: store.messages, waitFor }, closing.signal),
    close,
  });
}

function unforeseen(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
