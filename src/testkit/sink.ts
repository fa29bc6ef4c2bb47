// A local SMTP server that swallows all mail, so that a tester (or a test) can read what was sent to whom.
// It keeps the last messages in memory, byte for byte; mailparser shows them, nothing is ever decided from that.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

/** A message as a mail program would show it; all of it was written by the sender. */
export type MessageView = {
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly inReplyTo: string | undefined;
  readonly text: string;
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
  /** Oldest first, the last 1,000. */
  readonly messages: readonly ReceivedMessage[];
  /** Set it to refuse (5xx) or defer (4xx) a recipient; undefined takes the mail. */
  answer: (rcpt: string) => { readonly code: number; readonly text: string } | undefined;
  /** Calls the listener for each message from now on; the result ends that. */
  onMessage(listener: (message: ReceivedMessage) => void): () => void;
  /** The first message that fits, already here or still to come; rejects at the time limit and when the sink closes. */
  waitFor(fits: (message: ReceivedMessage) => boolean, limit: { readonly timeoutMs: number }): Promise<ReceivedMessage>;
  /** Ends at once, open connections included; may be called twice. */
  close(): Promise<void>;
};

const messagesKept = 1000;
const messageBytesMax = 2 * 1024 * 1024;

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
  return { subject, from: mail.from?.text ?? '', to: to.join(', '), inReplyTo, text, headers };
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

function createServer(
  sink: Pick<Sink, 'answer'>,
  keep: (envelope: ReceivedMessage['envelope'], raw: Buffer) => void,
): SMTPServer {
  const server = new SMTPServer({
    name: 'sink.test',
    logger: false,
    disableReverseLookup: true,
    // Without STARTTLS the certificate that smtp-server publishes with its key is never offered.
    disabledCommands: ['AUTH', 'STARTTLS'],
    authOptional: true,
    size: messageBytesMax,
    onRcptTo(address, _session, callback) {
      const no = sink.answer(address.address);
      callback(no ? refusal(no.code, no.text) : null);
    },
    onData(stream, session: SMTPServerSession, callback) {
      // smtp-server empties the envelope once the callback was called.
      const { mailFrom, rcptTo } = session.envelope;
      const envelope = { mailFrom: mailFrom ? mailFrom.address : '', rcptTo: rcptTo.map(({ address }) => address) };
      receive(stream, (raw) => {
        if (raw instanceof Error) return callback(raw);
        keep(envelope, raw);
        callback(null, '2.0.0 kept');
      });
    },
  });
  return server;
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

/**
 * Starts the sink.
 * @param options.port 0: any that is free
 * @throws the error of listen; nothing stays open then
 */
export async function startSink(options: { host: string; port: number }): Promise<Sink> {
  const messages: ReceivedMessage[] = [];
  const listeners = new Set<(message: ReceivedMessage) => void>();
  const closing = new AbortController();
  const state: Pick<Sink, 'answer'> = { answer: () => undefined };
  let count = 0;
  const server = createServer(state, (envelope, raw) => {
    let view: Promise<MessageView> | undefined;
    count += 1;
    const message = { id: String(count), receivedAt: new Date(), envelope, raw, view: () => (view ??= parse(raw)) };
    messages.push(message);
    if (messages.length > messagesKept) messages.shift();
    for (const listener of [...listeners]) listener(message);
  });
  server.on('error', () => undefined); // a client that hangs up; without a listener it would end the process
  const closeServer = closerOf(server);
  server.listen(options.port, options.host);
  await once(server.server, 'listening');
  const onMessage = (listener: (message: ReceivedMessage) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const address = server.server.address();
  const port = typeof address === 'object' && address ? address.port : options.port;
  const close = () => {
    closing.abort();
    return closeServer();
  };
  return Object.assign(state, {
    host: options.host,
    port,
    messages,
    onMessage,
    waitFor: waiter(messages, onMessage, closing.signal),
    close,
  });
}
