// The administrator's commands beside a running service: a Unix socket in the data folder, for its owner alone.
// One connection is one request: JSON until the client's end, then one JSON answer until the server's. What a command
// does is decided by the directory, the same one that the service works with.

import { once } from 'node:events';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { type AccountCommands, DependencyError, type KeyAdmin, type Log, type Operator } from '../../app/ports.ts';
import { locales } from '../../core/locale.ts';
import { parseMailbox } from '../../core/mail-address.ts';
import { inviteRefusals } from '../../core/refusal.ts';

const mebibyte = 1024 * 1024;
/** Some 400,000 accounts in one import. */
const requestBytesMax = 64 * mebibyte;
const answerBytesMax = 256 * mebibyte;
// A hundred thousand accounts take a busy service some seconds, in which it says nothing.
const answerTimeoutMs = 120_000;
// unix(7): a path has at most 107 octets.
const pathMax = 107;

/** Bounds for what comes; tests have smaller ones. */
export interface AdminLimits {
  readonly requestBytesMax: number;
  /** For the request to arrive, and again for the answer to be taken. */
  readonly transferMs: number;
  readonly connectionsMax: number;
}

const defaultLimits: AdminLimits = { requestBytesMax, transferMs: 30_000, connectionsMax: 32 };

const mailbox = z.string().transform((text, context) => {
  const parsed = parseMailbox(text);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: 'not a mail address' });
  return z.NEVER;
});
const name = z.string();
const accounts = z.array(z.strictObject({ name, description: z.string(), mailboxes: z.array(z.string()) }));
const state = z.enum(['active', 'locked', 'frozen']);
// Who asks, in the client's own words: whoever gets in here has the rights of the service anyway.
const operator = z.strictObject({ uid: z.int(), user: z.string().nullable(), sudoUser: z.string().nullable() });
const requests = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('list') }),
  z.strictObject({ command: z.literal('find'), name }),
  z.strictObject({ command: z.literal('check'), accounts }),
  z.strictObject({ command: z.literal('add'), accounts, operator }),
  z.strictObject({ command: z.literal('set-state'), name, state, operator }),
  z.strictObject({ command: z.literal('drop-second-factor'), name, operator }),
  z.strictObject({
    command: z.literal('set-mailboxes'),
    name,
    mailboxes: z.array(mailbox),
    evenIfFrozen: z.boolean(),
    operator,
  }),
  z.strictObject({ command: z.literal('remove'), name, operator }),
  z.strictObject({ command: z.literal('invite'), name, locale: z.enum(locales), operator }),
  z.strictObject({ command: z.literal('rotate-keys') }),
]);
type Request = z.output<typeof requests>;

const time = z.number().nullable();
const details = z.strictObject({
  id: z.string(),
  name,
  description: z.string(),
  mailboxes: z.array(mailbox),
  confirmed: z.array(z.strictObject({ mailbox, at: z.number() })),
  state,
  hasPassword: z.boolean(),
  passwordChangedAt: time,
  sessionsEndedAt: time,
  addressFrozenUntil: time,
  undoUntil: time,
  secondFactor: z.strictObject({ enrolledAt: z.number(), recoveryCodesLeft: z.int() }).nullable(),
});
const mistakes = z.array(z.strictObject({ index: z.int().min(0), problem: z.string() }));
const outcome = z.enum(['done', 'unknown-account']);
const keysOutcome = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('rotated'), keyId: z.string() }),
  z.strictObject({ kind: z.literal(['not-here', 'too-many']) }),
]);
const mailboxesOutcome = z.enum([...outcome.options, 'address-frozen']);
const result = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('handed-over') }),
  z.strictObject({ kind: z.enum(['temporary', 'permanent', 'away']), detail: z.string() }),
]);
const invited = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('invited'), mailboxes: z.array(z.strictObject({ mailbox, result })) }),
  z.strictObject({ kind: z.literal('refused'), reason: z.enum(inviteRefusals) }),
]);
const replies = z.union([z.strictObject({ answer: z.unknown() }), z.strictObject({ refused: z.string() })]);

/** The administrator's methods for an operator. */
export type AdminOf = (operator: Operator | undefined) => AccountCommands;

/** Who does what is asked. */
export interface Administered {
  /** For whoever the client says it is; undefined: it does not say, and changes nothing. Not where accounts live elsewhere. */
  readonly adminOf: AdminOf | undefined;
  readonly keys: KeyAdmin;
}

/**
 * Opens the socket. The caller has claimed the folder, so one that lies there already is a dead service's.
 * @param log     hears of failures only
 * @returns closes it, once what is under way has been answered
 * @throws Error when the path is too long for a socket, or what the file system says
 */
export async function openAdminSocket(
  folder: string,
  administered: Administered,
  log: Log,
  limits: AdminLimits = defaultLimits,
): Promise<() => Promise<void>> {
  const path = socketPath(folder);
  // Made in a folder of its own, which nobody else may enter, until it has its mode: listen() makes it with another one.
  const nursery = join(folder, 'admin.new');
  await rm(nursery, { recursive: true, force: true });
  await mkdir(nursery, { mode: 0o700 });
  const connections = new Connections(administered, log, limits);
  const server = createServer({ allowHalfOpen: true }, (socket) => connections.serve(socket));
  server.maxConnections = limits.connectionsMax;
  try {
    await listen(server, join(nursery, 's'));
    await chmod(join(nursery, 's'), 0o600);
    await rename(join(nursery, 's'), path); // takes the place of a dead one in one step
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(nursery, { recursive: true, force: true });
  }
  return async () => {
    await rm(path, { force: true });
    server.close();
    await connections.end();
  };
}

function socketPath(folder: string): string {
  if (Buffer.byteLength(join(folder, 'admin.new/s')) > pathMax) throw new Error(`${folder} is too long for data.dir.`);
  return join(folder, 'admin');
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}

/** What the server does with those who come. */
class Connections {
  readonly #administered: Administered;
  readonly #log: Log;
  readonly #limits: AdminLimits;
  /** Whose request has not arrived yet, and the answers under way. */
  readonly #waiting = new Set<Socket>();
  readonly #working = new Set<Promise<void>>();

  constructor(administered: Administered, log: Log, limits: AdminLimits) {
    this.#administered = administered;
    this.#log = log;
    this.#limits = limits;
  }

  serve(socket: Socket): void {
    const { requestBytesMax, transferMs } = this.#limits;
    const chunks: Buffer[] = [];
    let length = 0;
    const late = setTimeout(() => socket.destroy(), transferMs);
    this.#waiting.add(socket);
    const begin = (work: () => Promise<unknown>) => {
      clearTimeout(late);
      this.#waiting.delete(socket);
      // Nothing that a client does, or a directory, may end the service.
      const done = work()
        .then((reply) => send(socket, reply, transferMs))
        .catch((error: unknown) => {
          this.#log.error('admin-failed', {}, error);
          socket.destroy();
        });
      this.#working.add(done);
      void done.finally(() => this.#working.delete(done));
    };
    socket.on('error', () => {}); // whoever goes away does not need an answer
    socket.on('close', () => {
      clearTimeout(late);
      this.#waiting.delete(socket);
    });
    socket.on('data', (chunk) => {
      if (!this.#waiting.has(socket)) return;
      chunks.push(chunk);
      length += chunk.length;
      if (length > requestBytesMax) {
        chunks.length = 0;
        begin(async () => ({ refused: `the request is too big: at most ${requestBytesMax} bytes` }));
      }
    });
    socket.on('end', () => {
      if (length === 0)
        socket.destroy(); // who only looks whether we are there
      else if (this.#waiting.has(socket)) begin(() => this.#answer(Buffer.concat(chunks.splice(0)).toString('utf8')));
    });
  }

  /** Answers what has arrived, and lets go of what has not. */
  async end(): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    await Promise.all(this.#working);
  }

  async #answer(text: string): Promise<unknown> {
    const request = readRequest(text);
    if (typeof request === 'string') return { refused: request };
    try {
      const { adminOf, keys } = this.#administered;
      if (request.command === 'rotate-keys') return { answer: await keys.rotate() };
      if (adminOf === undefined) return { refused: 'the accounts live in your own directory' };
      const admin = adminOf('operator' in request ? request.operator : undefined);
      return { answer: (await run(admin, request)) ?? null };
    } catch (error) {
      const fields = { command: request.command };
      if (error instanceof DependencyError) {
        this.#log.warn('admin-failed', fields, error);
        return { refused: error.message };
      }
      this.#log.error('admin-failed', fields, error);
      return { refused: 'the service failed; its log says why' };
    }
  }
}

/** Writes the answer; a client that does not take it in time is cut off. Resolves when the connection is over. */
async function send(socket: Socket, reply: unknown, transferMs: number): Promise<void> {
  if (socket.closed) return;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const late = setTimeout(() => socket.destroy(), transferMs);
  socket.resume();
  // Also when the client still writes: it has its answer, and nobody reads on.
  socket.end(JSON.stringify(reply), () => socket.destroySoon());
  await closed;
  clearTimeout(late);
}

function readRequest(text: string): Request | string {
  try {
    const { data, error } = requests.safeParse(JSON.parse(text));
    if (data !== undefined) return data;
    // The place and nothing else: what stands there may be anything.
    return `the request is not understood at ${error.issues[0]?.path.join('.') || 'its top'}`;
  } catch {
    return 'the request is not JSON';
  }
}

function run(admin: AccountCommands, request: Exclude<Request, { command: 'rotate-keys' }>): Promise<unknown> {
  switch (request.command) {
    case 'list':
      return admin.list();
    case 'find':
      return admin.find(request.name);
    case 'check':
      return admin.check(request.accounts);
    case 'add':
      return admin.add(request.accounts);
    case 'set-state':
      return admin.setState(request.name, request.state);
    case 'drop-second-factor':
      return admin.dropSecondFactor(request.name);
    case 'set-mailboxes':
      return admin.setMailboxes(request.name, request.mailboxes, request.evenIfFrozen);
    case 'remove':
      return admin.remove(request.name);
    case 'invite':
      return admin.invite(request.name, request.locale);
  }
}

/** The service that works in a folder, from outside. Every method throws Error with what to do when it fails. */
export interface AdminClient extends AccountCommands, KeyAdmin {
  /** Whether somebody listens at all. */
  isThere(): Promise<boolean>;
}

/**
 * @param operator  who asks
 * @param timeoutMs how long the service may say nothing
 */
export function createAdminClient(folder: string, operator: Operator, timeoutMs = answerTimeoutMs): AdminClient {
  const path = socketPath(folder);
  async function ask<T>(form: z.ZodType<T>, request: Request): Promise<T> {
    const { data, success } = form.safeParse(await exchange(path, JSON.stringify(request), timeoutMs));
    if (!success) throw new Error(`The service in ${folder} ${notUnderstood}`);
    return data;
  }
  return {
    isThere: () =>
      new Promise((resolve) => {
        const socket = connect(path);
        socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
        socket.on('error', () => resolve(false));
        socket.on('connect', () => {
          resolve(true);
          socket.destroy();
        });
      }),
    list: () => ask(z.array(details), { command: 'list' }),
    find: async (name) => (await ask(details.nullable(), { command: 'find', name })) ?? undefined,
    check: (given) => ask(mistakes, { command: 'check', accounts: copies(given) }),
    add: (given) => ask(mistakes, { command: 'add', accounts: copies(given), operator }),
    setState: (name, next) => ask(outcome, { command: 'set-state', name, state: next, operator }),
    dropSecondFactor: (name) => ask(outcome, { command: 'drop-second-factor', name, operator }),
    setMailboxes: (name, mailboxes, evenIfFrozen) =>
      ask(mailboxesOutcome, {
        command: 'set-mailboxes',
        name,
        mailboxes: [...mailboxes],
        evenIfFrozen,
        operator,
      }),
    remove: (name) => ask(outcome, { command: 'remove', name, operator }),
    invite: (name, locale) => ask(invited, { command: 'invite', name, locale, operator }),
    rotate: () => ask(keysOutcome, { command: 'rotate-keys' }),
  };
}

const notUnderstood = 'gave an answer that is not understood. Is it of another version? Then restart it with this one.';

function copies(given: Parameters<AccountCommands['add']>[0]) {
  return given.map(({ name, description, mailboxes }) => ({ name, description, mailboxes: [...mailboxes] }));
}

/** Sends a request and takes the answer. @throws Error in words for the administrator */
async function exchange(path: string, request: string, timeoutMs: number): Promise<unknown> {
  if (Buffer.byteLength(request) > requestBytesMax) {
    throw new Error(`That is too much at once: at most ${requestBytesMax / mebibyte} MiB. Do it in several parts.`);
  }
  const text = await transfer(path, request, timeoutMs);
  const reply = replies.safeParse(parsed(text)).data;
  if (reply === undefined) {
    const problem = text === '' ? 'ended without an answer. Look whether it was done, and try again.' : notUnderstood;
    throw new Error(`The service ${problem}`);
  }
  if ('refused' in reply) throw new Error(`The service refused: ${reply.refused}.`);
  return reply.answer;
}

function transfer(path: string, request: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let length = 0;
    let problem = 'is gone; try again';
    socket.setTimeout(timeoutMs, () => {
      problem = `did not answer for ${timeoutMs / 1000} seconds; look whether it hangs, and whether it was done`;
      socket.destroy();
    });
    socket.on('connect', () => {
      problem = '';
      socket.end(request);
    });
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= answerBytesMax) return;
      problem = `has more to say than the ${answerBytesMax / mebibyte} MiB that are taken`;
      socket.destroy();
    });
    socket.on('error', () => {}); // one that has answered may close before it has read everything
    socket.on('close', () => {
      if (problem === '') resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(new Error(`The service ${problem}.`));
    });
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
