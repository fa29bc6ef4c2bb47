// The administrator's socket, spoken to as nobody should: garbage, too much, too slow, half open; who may use it; what a
// dead owner leaves behind; and that whatever comes, the next client is served.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type AdminLimits, createAdminClient, openAdminSocket } from '../../src/adapters/admin/admin-socket.ts';
import {
  type AccountCommands,
  DependencyError,
  type InviteOutcome,
  type KeyAdmin,
  type Log,
  type Operator,
} from '../../src/app/ports.ts';
import { refuse } from '../../src/core/refusal.ts';
import { amy, mailbox } from '../app/support.ts';

const limits: AdminLimits = { requestBytesMax: 10_000, transferMs: 20_000, connectionsMax: 8 };
const operator: Operator = { uid: 1000, user: 'amy', sudoUser: null };

const invited: InviteOutcome = {
  kind: 'invited',
  mailboxes: [
    { mailbox: amy, result: { kind: 'handed-over' } },
    { mailbox: amy, result: { kind: 'permanent', detail: 'EENVELOPE 550' } },
    { mailbox: amy, result: { kind: 'away', detail: 'ESOCKET CONN' } },
  ],
};

/** A directory without accounts, and what was asked of it. */
class Fake implements AccountCommands {
  readonly asked: unknown[] = [];
  failure: Error | undefined;
  gate: Promise<void> | undefined;

  async #asked<T>(answer: T, ...what: unknown[]): Promise<T> {
    this.asked.push(what);
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    return answer;
  }

  list = () => this.#asked([], 'list');
  find = (name: string) => this.#asked(undefined, 'find', name);
  check = (accounts: readonly unknown[]) => this.#asked([], 'check', accounts);
  add = (accounts: readonly unknown[]) => this.#asked([{ index: 0, problem: 'name: in use' }], 'add', accounts);
  setState = (name: string, state: string) => this.#asked('done' as const, 'state', name, state);
  dropSecondFactor = (name: string) => this.#asked('done' as const, 'drop', name);
  setMailboxes = (name: string, mailboxes: readonly string[], evenIfFrozen: boolean) =>
    this.#asked('address-frozen' as const, 'mailboxes', name, mailboxes, evenIfFrozen);
  remove = (name: string) => this.#asked('unknown-account' as const, 'remove', name);
  invite = (name: string, locale: string): Promise<InviteOutcome> =>
    this.#asked(name === 'apond' ? invited : refuse('account-locked'), 'invite', name, locale);
}

const keys: KeyAdmin = { rotate: async () => ({ kind: 'rotated', keyId: '0a1b2c3d' }) };

async function open(t: TestContext, given: Partial<AdminLimits> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-admin-'));
  const admin = new Fake();
  const logged: string[] = [];
  const note = (level: string) => (event: string) => void logged.push(`${level} ${event}`);
  const log: Log = { info: note('info'), warn: note('warn'), error: note('error') };
  const said: (Operator | undefined)[] = [];
  const adminOf = (by: Operator | undefined) => {
    said.push(by);
    return admin;
  };
  const close = await openAdminSocket(folder, { adminOf, keys }, log, { ...limits, ...given });
  t.after(async () => {
    await close();
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, admin, said, logged, log, close, client: createAdminClient(folder, operator, 20_000) };
}

/** Sends text as it is, ends or not, and gives all that comes back until the server ends. */
async function raw(folder: string, text: string | Buffer, end: boolean): Promise<string> {
  const socket = connect({ path: join(folder, 'admin'), allowHalfOpen: true });
  let answer = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').on('data', (data) => {
    answer += data;
  });
  socket.write(text);
  if (end) socket.end();
  else socket.on('end', () => socket.destroy());
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return answer;
}

test('is for its owner alone, and gone when it is closed', async (t) => {
  const { folder, close } = await open(t);
  const found = await stat(join(folder, 'admin'));
  assert.deepEqual([found.isSocket(), found.mode & 0o777], [true, 0o600]);
  assert.deepEqual(await readdir(folder), ['admin'], 'nothing beside it');
  await close();
  assert.deepEqual(await readdir(folder), []);
});

test('hands every command over, and its answer back', async (t) => {
  const { admin, said, client } = await open(t);
  const account = { name: 'a', description: '', mailboxes: ['a@b.example'] };
  assert.equal(await client.isThere(), true);
  assert.deepEqual(await client.list(), []);
  assert.equal(await client.find('a'), undefined);
  assert.deepEqual(await client.check([account]), []);
  assert.deepEqual(await client.add([account]), [{ index: 0, problem: 'name: in use' }]);
  assert.equal(await client.setState('a', 'frozen'), 'done');
  assert.equal(await client.dropSecondFactor('a'), 'done');
  const mailboxes = [mailbox('a@b.example'), mailbox('C@d.example')];
  assert.equal(await client.setMailboxes('a', mailboxes, true), 'address-frozen');
  assert.equal(await client.remove('a'), 'unknown-account');
  assert.deepEqual(await client.invite('apond', 'de'), invited);
  assert.deepEqual(await client.invite('b', 'en'), refuse('account-locked'));
  assert.deepEqual(admin.asked, [
    ['list'],
    ['find', 'a'],
    ['check', [account]],
    ['add', [account]],
    ['state', 'a', 'frozen'],
    ['drop', 'a'],
    ['mailboxes', 'a', mailboxes, true],
    ['remove', 'a'],
    ['invite', 'apond', 'de'],
    ['invite', 'b', 'en'],
  ]);
  const changes = Array.from({ length: 7 }, () => operator);
  assert.deepEqual(said, [undefined, undefined, undefined, ...changes], 'who changes something says who it is');
});

test('refuses what it does not understand, without a word of it', async (t) => {
  const { folder, admin, client, logged } = await open(t);
  for (const [text, answer] of [
    ['hunter2', /is not JSON/],
    [Buffer.from([0xff, 0x00, 0xfe]), /is not JSON/],
    ['[]', /not understood at its top/],
    ['{"command":"hunter2"}', /not understood at command/],
    ['{"command":"list","hunter2":1}', /not understood at its top/],
    ['{"command":"find"}', /not understood at name/],
    ['{"command":"find","name":1}', /not understood at name/],
    ['{"command":"set-state","name":"a","state":"hunter2"}', /not understood at state/],
    ['{"command":"set-mailboxes","name":"a","mailboxes":["a@b.example","hunter2"]}', /not understood at mailboxes\.1/],
    ['{"command":"remove","name":"a"}', /not understood at operator/],
    ['{"command":"add","accounts":[{"name":"a","description":"","mailboxes":"hunter2"}]}', /at accounts\.0\.mailboxes/],
    ['{"command":"add","accounts":[{"name":"a","description":"","mailboxes":[],"state":"x"}]}', /at accounts\.0/],
    ['{"command":"invite","name":"a","locale":"hunter2"}', /not understood at locale/],
    ['{"command":"list"}{"command":"list"}', /is not JSON/],
  ] as const) {
    const said = await raw(folder, text, true);
    assert.match(said, answer);
    assert.doesNotMatch(said, /hunter2/);
  }
  assert.deepEqual([admin.asked, logged], [[], []]);
  assert.deepEqual(await client.list(), []);
});

test('reads no more than it may', async (t) => {
  const { folder, admin, client } = await open(t);
  assert.match(await raw(folder, ' '.repeat(10_001), false), /too big: at most 10000 bytes|^$/);
  assert.match(await raw(folder, 'x'.repeat(10_001), true), /too big|^$/);
  await raw(folder, Buffer.alloc(8_000_000), true);
  await assert.rejects(client.find('x'.repeat(10_000)), /too big|ended without an answer/);
  assert.deepEqual(admin.asked, []);
  assert.deepEqual(await client.list(), []);
});

test('waits for nobody longer than it may, and cuts off who does not take the answer', async (t) => {
  const { folder, admin, close } = await open(t, { transferMs: 50 });
  assert.equal(await raw(folder, '', false), '');
  assert.equal(await raw(folder, '{"command":', false), '');
  assert.deepEqual(admin.asked, []);
  // More than fits between the two, to somebody who does not read.
  admin.failure = new DependencyError('directory', 'x'.repeat(8_000_000));
  const deaf = connect({ path: join(folder, 'admin'), allowHalfOpen: true });
  deaf.on('error', () => {}).end('{"command":"list"}');
  while (admin.asked.length === 0) await new Promise(setImmediate);
  await close();
  deaf.destroy();
});

test('whoever goes away before the answer harms nobody', async (t) => {
  const { folder, admin, client, logged } = await open(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  admin.gate = promise;
  for (let number = 0; number < 3; number += 1) {
    const socket = connect(join(folder, 'admin'));
    socket.end('{"command":"list"}');
    while (admin.asked.length === number) await new Promise(setImmediate);
    socket.destroy();
  }
  resolve();
  for (let number = 0; number < 5; number += 1) assert.equal(await client.isThere(), true);
  assert.deepEqual(await client.list(), []);
  assert.deepEqual(logged, []);
});

test('closing lets go of who has not said anything, and answers who has', async (t) => {
  const { folder, admin, client, close } = await open(t);
  const silent = connect(join(folder, 'admin'));
  await once(silent, 'connect');
  const { promise, resolve } = Promise.withResolvers<void>();
  admin.gate = promise;
  const answer = client.list();
  while (admin.asked.length === 0) await new Promise(setImmediate);
  const closed = close();
  await once(silent.resume(), 'close');
  resolve();
  assert.deepEqual(await answer, []);
  await closed;
  assert.equal(await client.isThere(), false);
});

test('a failure is told and logged, a bug without its words', async (t) => {
  const { admin, client, logged } = await open(t);
  admin.failure = new DependencyError('directory', 'the accounts could not be written');
  await assert.rejects(client.list(), { message: 'The service refused: the accounts could not be written.' });
  admin.failure = new Error('hunter2');
  await assert.rejects(client.list(), { message: 'The service refused: the service failed; its log says why.' });
  assert.deepEqual(logged, ['warn admin-failed', 'error admin-failed']);
});

test('takes the place of what a dead service left behind', async (t) => {
  const { folder, admin, log } = await open(t);
  await rm(join(folder, 'admin'));
  await writeFile(join(folder, 'admin'), 'not even a socket');
  assert.equal(await createAdminClient(folder, operator).isThere(), false);
  const close = await openAdminSocket(folder, { adminOf: () => admin, keys }, log, limits);
  assert.deepEqual(await createAdminClient(folder, operator).list(), []);
  await close();
});

test('the client says what it thinks of those who only look like a service', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-admin-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  let answer: string | undefined; // undefined: none at all
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).resume();
    const said = answer;
    if (said !== undefined) socket.on('end', () => socket.end(said));
  });
  server.listen(join(folder, 'admin'));
  await once(server, 'listening');
  t.after(() => server.close());
  const client = createAdminClient(folder, operator, 50);
  await assert.rejects(client.list(), /did not answer for 0\.05 seconds/);
  for (const [text, said] of [
    ['', /ended without an answer/],
    ['half', /gave an answer that is not understood/],
    ['{"answer":[{"name":"a"}]}', /gave an answer that is not understood/],
    ['{"answer":"done"}', /gave an answer that is not understood/],
  ] as const) {
    answer = text;
    await assert.rejects(client.list(), said);
  }
  await assert.rejects(client.find('x'.repeat(65 * 2 ** 20)), /at most 64 MiB/);
  assert.throws(() => createAdminClient(`/${'x'.repeat(100)}`, operator), /too long/);
});
