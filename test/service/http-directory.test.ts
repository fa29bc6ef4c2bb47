// A reset through the pages with the organisation's own directory behind HTTP: it works, and when that directory is down,
// slow or answers nonsense in the middle, the person is told plainly, nothing is half done, and the same form works later.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Secret } from 'otpauth';
import { runAccounts } from '../../src/accounts.ts';
import { createAdminClient } from '../../src/adapters/admin/admin-socket.ts';
import { readOperator } from '../../src/adapters/system/operator.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import { type ExampleAccount, isPassword } from '../examples/example-accounts.ts';
import { digitsAt, wrongDigitsAt } from '../support/authenticator.ts';
import { TestClock } from '../support/clock.ts';
import { directorySecret, exampleAccount, type RunningDirectory, startDirectory } from '../support/http-directory.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const good = 'blue kettle winter piano';
const unavailable = texts.en.troubles.unavailable.replaceAll("'", '&#39;');
const minuteMs = 60_000;

let world: World;
let clock: TestClock;
let directory: RunningDirectory;
let folder: string;

beforeEach(async () => {
  clock = new TestClock();
  directory = await startDirectory([
    exampleAccount('4711', 'apond', [amy], 'Pupil, class 7b'),
    exampleAccount('4712', 'amy.chess', [amy], 'Chess club'),
  ]);
  folder = await mkdtemp(join(tmpdir(), 'rtv-http-'));
  await writeFile(join(folder, 'secret'), directorySecret, { mode: 0o600 });
  const overrides = {
    'directory.kind': 'http',
    'directory.url': directory.url,
    'directory.secretFile': join(folder, 'secret'),
    // The example holds signatures against the wall clock: what is to end must end within its five minutes.
    'limits.grantLifetimeMinutes': 1,
  };
  world = await startWorld(overrides, clock);
});
afterEach(async () => {
  await world.close();
  await directory.close();
  await rm(folder, { recursive: true });
});

const apond = (): ExampleAccount => directory.accounts.get('4711') ?? assert.fail();

type Proved = Visitor & { nonce: string };

/** A visitor whose code was right, and who has chosen an account. */
async function chosen(account = '4711'): Promise<Proved> {
  const visitor = Object.assign(new Visitor(world), { nonce: '' });
  const page = await visitor.open();
  visitor.nonce = page.nonce;
  assert.equal((await world.kit.send('amy', { to: page.address, subject: page.label })).code, 250);
  const code = await codeIn(await replyTo(world, amy, page.label));
  assert.equal((await visitor.enter(page, code)).status, 303);
  assert.match((await choose(visitor, account)).headers.get('location') ?? '', /^\/reset\/(password|second-factor)$/);
  return visitor;
}

const choose = (visitor: Proved, account = '4711'): Promise<Response> =>
  passing(visitor.post('/reset/accounts', { nonce: visitor.nonce, account }));
const set = (visitor: Proved, password = good) =>
  passing(visitor.post('/reset/password', { nonce: visitor.nonce, account: '4711', password, repeated: password }));
const undo = (code: string) => passing(new Visitor(world).post('/undo', { code }));

/** Lets the pauses between tries pass until it has ended. */
async function passing<T>(work: Promise<T>, longestMs = 1_000): Promise<T> {
  let ended = false;
  const done = () => {
    ended = true;
  };
  work.then(done, done);
  while (!ended) {
    const next = clock.waiting.find((ms) => ms <= longestMs);
    if (next !== undefined) clock.advance(next);
    await new Promise(setImmediate);
  }
  return work;
}

/** The person is told plainly, and the page of the reset does not say that it was done. */
async function assertTold(answer: Response, visitor: Proved): Promise<void> {
  assert.equal(answer.status, 503);
  assert.ok((await answer.text()).includes(unavailable));
  assert.doesNotMatch((await visitor.open()).html, /new password is set/);
}

const notices = () => world.kit.sink.messages.filter(({ raw }) => /^Auto-Submitted: auto-generated/m.test(`${raw}`));

/** The undo code of the notice that comes as the `count`th. */
async function undoCodeOf(count: number): Promise<string> {
  while (notices().length < count) await new Promise(setImmediate);
  const { text } = (await notices()[count - 1]?.view()) ?? assert.fail();
  return /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/m.exec(text)?.[0] ?? assert.fail('no undo code');
}

describe('a directory behind HTTP', () => {
  it('shows its accounts, takes the new password and the undo, and hears of the notice', async () => {
    const visitor = await chosen();
    const html = await (await visitor.request('/reset/accounts')).text();
    for (const text of ['apond', 'Pupil, class 7b', 'amy.chess']) assert.ok(html.includes(text), text);
    assert.deepEqual([(await set(visitor)).status, apond().version], [303, 2]);
    assert.ok(isPassword(good, apond().password));
    const code = await undoCodeOf(1);
    while (!directory.asked.some(({ path }) => path === '/events')) await new Promise(setImmediate);
    assert.equal((await undo(code)).status, 200);
    assert.deepEqual([apond().password, apond().state], [null, 'frozen']);
    assert.equal((await undo(code)).status, 409);
    assert.ok(!directory.asked.some(({ path }) => /mailbox|amy|pond/.test(path)), 'nothing stands in a URL');
  });

  it('is where accounts are activated and mailboxes confirmed, too, once it is up', async () => {
    const visitor = new Visitor(world);
    const prove = async (purpose: 'activate' | 'confirm', who = visitor) => {
      const { nonce, address, label } = await who.open(purpose);
      assert.equal((await world.kit.send('amy', { to: address, subject: label })).code, 250);
      const code = await codeIn(await replyTo(world, amy, label));
      assert.equal((await who.enter({ nonce }, code, purpose)).status, 303);
      return nonce;
    };
    const [activate, confirm] = [await prove('activate'), await prove('confirm')];
    await visitor.post('/activate/accounts', { nonce: activate, account: '4711' });
    const typed = { nonce: activate, account: '4711', password: good, repeated: good };
    directory.fault = (_, response) => {
      response.writeHead(503).end();
      return 'handled';
    };
    for (const [path, fields] of [
      ['/activate/password', typed],
      ['/confirm/mailbox', { nonce: confirm }],
    ] as const) {
      const answer = await passing(visitor.post(path, fields));
      assert.equal(answer.status, 503, path);
      assert.ok((await answer.text()).includes(unavailable));
    }
    directory.fault = undefined;
    const set = await passing(visitor.post('/activate/password', typed));
    assert.equal(set.headers.get('location'), '/activate');
    assert.ok(isPassword(good, apond().password));
    const confirmed = await passing(visitor.post('/confirm/mailbox', { nonce: confirm }));
    assert.equal(confirmed.headers.get('location'), '/confirm');
    const later = new Visitor(world);
    await prove('activate', later);
    assert.match(await (await later.request('/activate/accounts')).text(), /<ul id="active">.*apond/s);
  });

  it('has no accounts here: the socket takes no commands about them, and the command says where they are', async () => {
    const visitor = await chosen();
    assert.equal((await set(visitor)).status, 303);
    const admin = createAdminClient(world.dataDir, readOperator());
    await assert.rejects(admin.list(), /The service refused: the accounts live in your own directory/);
    assert.equal((await admin.rotate()).kind, 'rotated');
    const config = join(folder, 'settings.yaml');
    const settings = {
      web: { publicUrl: 'http://127.0.0.1:0' },
      smtp: { hostname: 'mx.in.school.example' },
      mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
      dns: { servers: ['127.0.0.1:9'] },
      relay: { url: 'smtp://127.0.0.1:9' },
      data: { dir: world.dataDir },
      directory: { kind: 'http', url: directory.url, secretFile: join(folder, 'secret') },
    };
    await writeFile(config, JSON.stringify(settings));
    const run = await runAccounts(
      ['list', '--config', config],
      join(import.meta.dirname, '../../config/default.yaml'),
      {},
    );
    assert.equal(run.exitCode, 1);
    assert.match(run.complaint, /accounts live in your own directory/);
  });
});

describe('in the middle of a reset', () => {
  const nonsense = (body: string, type = 'application/json', status = 200) => {
    return (response: ServerResponse) => void response.writeHead(status, { 'content-type': type }).end(body);
  };
  const faults: readonly [title: string, answer: (response: ServerResponse) => void][] = [
    ['answers with an error', nonsense('{}', 'application/json', 500)],
    ['says that it is busy', nonsense('{}', 'application/json', 503)],
    ['does not know us', nonsense('{}', 'application/json', 401)],
    ['answers with a page', nonsense('<h1>Log in</h1>', 'text/html')],
    ['answers something else', nonsense('{"outcome":"maybe"}')],
    ['breaks off', (response) => void response.destroy()],
  ];
  for (const path of ['/accounts/find', '/accounts/set-password']) {
    for (const [title, answer] of faults) {
      it(`a directory that ${title} at ${path} is told plainly, and the same form works later`, async () => {
        const visitor = await chosen();
        directory.fault = (request, response) => {
          if (request.url !== path) return undefined;
          answer(response);
          return 'handled';
        };
        await assertTold(await set(visitor), visitor);
        assert.deepEqual([apond().password, apond().version], [null, 1]);
        directory.fault = undefined;
        assert.equal((await set(visitor)).status, 303);
        assert.ok(isPassword(good, apond().password));
        assert.match((await visitor.open()).html, /new password is set/);
        await undoCodeOf(1);
        clock.advance(3 * minuteMs);
        assert.equal(notices().length, 1);
      });
    }
  }

  it('a directory that is down is told plainly, also to who comes new; the same form works when it is back', async () => {
    const visitor = await chosen();
    const { accounts } = directory;
    const port = Number(new URL(directory.url).port);
    await directory.close();
    await assertTold(await set(visitor), visitor);
    const answer = await passing(visitor.request('/reset/accounts'));
    assert.equal(answer.status, 503);
    directory = await startDirectory(accounts.values(), { port });
    assert.equal((await set(visitor)).status, 303);
    assert.ok(isPassword(good, apond().password));
  });

  it('a directory that is slow takes twelve seconds of the person, and no more', async () => {
    const visitor = await chosen();
    directory.fault = ({ url }) => (url === '/accounts/set-password' ? 'handled' : undefined);
    const startedAt = clock.now();
    const work = visitor.post('/reset/password', {
      nonce: visitor.nonce,
      account: '4711',
      password: good,
      repeated: good,
    });
    while (!directory.asked.some(({ path }) => path === '/accounts/set-password')) await new Promise(setImmediate);
    await assertTold(await passing(work, 5_000), visitor);
    assert.ok(clock.now() - startedAt <= 12_000);
    directory.fault = undefined;
    assert.equal((await set(visitor)).status, 303);
  });

  it('a directory that is down at an undo is told plainly, and the same code works later', async () => {
    await set(await chosen());
    const code = await undoCodeOf(1);
    directory.fault = (_, response) => {
      response.destroy();
      return 'handled';
    };
    assert.equal((await undo(code)).status, 503);
    assert.equal(apond().state, 'active');
    directory.fault = undefined;
    assert.equal((await undo(code)).status, 200);
    assert.equal(apond().password, null);
  });
});

describe('a second factor that the directory keeps', () => {
  const secret = new Uint8Array(20).fill(9);
  beforeEach(() => {
    const { base32 } = new Secret({ buffer: new Uint8Array(secret).buffer });
    apond().secondFactor = { secret: base32, recoveryCodes: [], lastStep: 0, tries: [] };
  });
  const pass = (visitor: Proved, factor: string) =>
    passing(visitor.post('/reset/second-factor', { nonce: visitor.nonce, account: '4711', factor }));
  const lose = (at: string) => {
    directory.fault = ({ url }) => (url === at ? 'lost' : undefined);
  };

  it('is asked for there, and none is offered here', async () => {
    const visitor = await chosen();
    const skipped = await set(visitor);
    assert.deepEqual([skipped.status, apond().password], [403, null]);
    assert.equal((await pass(visitor, wrongDigitsAt(secret, clock.now()))).status, 422);
    assert.equal((await pass(visitor, digitsAt(secret, clock.now()))).headers.get('location'), '/reset/password');
    assert.equal((await set(visitor)).status, 303);
    const { html } = await visitor.open();
    assert.match(html, /new password is set/);
    assert.doesNotMatch(html, /enrol/);
    assert.notEqual((await visitor.request('/reset/enrol')).status, 200);
  });

  it('is passed once and for all when its answer was lost, and so is the password after it', async () => {
    const visitor = await chosen();
    const digits = digitsAt(secret, clock.now());
    lose('/accounts/verify-second-factor');
    await assertTold(await pass(visitor, digits), visitor);
    directory.fault = undefined;
    assert.equal((await pass(visitor, digits)).headers.get('location'), '/reset/password');
    assert.equal(apond().secondFactor?.tries.length, 1);
    lose('/accounts/set-password');
    await assertTold(await set(visitor), visitor);
    directory.fault = undefined;
    assert.deepEqual([(await set(visitor)).status, apond().version], [303, 2]);
  });

  it('that was enrolled after a try nobody knows of is asked for before the next one', async () => {
    apond().secondFactor = null;
    const visitor = await chosen();
    directory.fault = ({ url }, response) => {
      if (url !== '/accounts/set-password') return undefined;
      response.destroy();
      return 'handled';
    };
    await assertTold(await set(visitor), visitor);
    directory.fault = undefined;
    const { base32 } = new Secret({ buffer: new Uint8Array(secret).buffer });
    apond().secondFactor = { secret: base32, recoveryCodes: [], lastStep: 0, tries: [] };
    assert.deepEqual([(await set(visitor)).status, apond().password], [409, null]);
  });
});

describe('when the password was set and the answer was lost', () => {
  const lose = () => {
    directory.fault = ({ url }) => (url === '/accounts/set-password' ? 'lost' : undefined);
  };
  /** The directory has done it, and the person was told to try again. */
  async function lost(password = good): Promise<Proved> {
    const visitor = await chosen();
    lose();
    await assertTold(await set(visitor, password), visitor);
    directory.fault = undefined;
    assert.deepEqual([isPassword(password, apond().password), apond().version], [true, 2]);
    return visitor;
  }

  it('trying again is the same change: done once, told by one notice, with a code that undoes it', async () => {
    const visitor = await lost();
    assert.equal(notices().length, 0);
    assert.equal((await set(visitor)).status, 303);
    assert.match((await visitor.open()).html, /new password is set/);
    assert.equal(apond().version, 2, 'once');
    const code = await undoCodeOf(1);
    clock.advance(3 * minuteMs);
    assert.equal((await undo(code)).status, 200);
    assert.deepEqual([apond().password, notices().length], [null, 1]);
  });

  it('trying again works also when that answer is lost once more, and after a restart', async () => {
    const visitor = await lost();
    lose();
    await assertTold(await set(visitor), visitor);
    directory.fault = undefined;
    await world.restart(); // which tells what nobody knows
    const code = await undoCodeOf(1);
    assert.equal((await set(visitor)).status, 303);
    assert.equal(apond().version, 2);
    assert.equal((await undo(code)).status, 200);
    assert.equal(notices().length, 1);
  });

  it('another password is not said to be set: the account is chosen once more, and then it is', async () => {
    const visitor = await lost('the first kettle of all');
    const answer = await set(visitor);
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /changed a moment ago/);
    const first = await undoCodeOf(1);
    await choose(visitor);
    assert.equal((await set(visitor)).status, 303);
    assert.ok(isPassword(good, apond().password));
    const second = await undoCodeOf(2);
    assert.notEqual(first, second);
    assert.equal((await undo(first)).status, 200, 'either brings back what was before both');
    assert.equal(apond().password, null);
  });

  it('a notice tells of it when nobody tries again, once the grant is over', async () => {
    await lost();
    clock.advance(minuteMs);
    assert.equal(notices().length, 0);
    clock.advance(minuteMs);
    assert.equal((await undo(await undoCodeOf(1))).status, 200);
    assert.equal(apond().password, null);
  });

  it('a notice tells of it also when the next try is known to have done nothing', async () => {
    const visitor = await lost();
    directory.fault = (_, response) => {
      response.writeHead(401).end();
      return 'handled';
    };
    await assertTold(await set(visitor), visitor);
    directory.fault = ({ url }, response) => {
      if (url !== '/accounts/set-password') return undefined;
      response.writeHead(401).end();
      return 'handled';
    };
    await assertTold(await set(visitor), visitor);
    directory.fault = undefined;
    clock.advance(2 * minuteMs);
    assert.equal((await undo(await undoCodeOf(1))).status, 200);
    assert.equal(apond().password, null);
  });

  it('a notice comes also when it was not done, for nobody can know; its undo changes nothing', async () => {
    const visitor = await chosen();
    directory.fault = ({ url }, response) => {
      if (url !== '/accounts/set-password') return undefined;
      response.destroy();
      return 'handled';
    };
    await assertTold(await set(visitor), visitor);
    directory.fault = undefined;
    clock.advance(2 * minuteMs);
    const answer = await undo(await undoCodeOf(1));
    assert.equal(answer.status, 409);
    assert.match(await answer.text(), /it never took place/);
    assert.deepEqual([apond().state, apond().version], ['active', 1]);
  });

  it('an undo whose answer was lost is told the next time', async () => {
    await set(await chosen());
    const code = await undoCodeOf(1);
    directory.fault = () => 'lost';
    assert.equal((await undo(code)).status, 503);
    directory.fault = undefined;
    const answer = await undo(code);
    assert.match(await answer.text(), /this change was undone already/);
    assert.deepEqual([apond().password, apond().state], [null, 'frozen']);
  });
});
