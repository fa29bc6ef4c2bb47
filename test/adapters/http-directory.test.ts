// The client of the organisation's own directory, when that is down, slow, or answers nonsense: what is tried again, what is
// done once although its answer was lost, what nobody can know, and that no error says what was asked or answered.

import assert from 'node:assert/strict';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { TOTP } from 'otpauth';
import { createHttpDirectory, parseDirectorySecret } from '../../src/adapters/directory-http/http-directory.ts';
import { endpoints } from '../../src/adapters/directory-http/http-schemas.ts';
import { DependencyError, type PasswordChange } from '../../src/app/ports.ts';
import { amy, collectLog, rory } from '../app/support.ts';
import { isPassword } from '../examples/example-accounts.ts';
import { TestClock } from '../support/clock.ts';
import {
  directorySecret,
  end,
  exampleAccount,
  type Fault,
  listen,
  type RunningDirectory,
  startDirectory,
} from '../support/http-directory.ts';

const password = 'blue kettle winter piano';
const found = { id: 'a', name: 'apond', description: '', state: 'active', securityVersion: '1' };
const account = { ...found, hasPassword: false, secondFactor: 'none' };

function client(url: string, more: { secret?: string; clock?: TestClock } = {}) {
  const clock = more.clock ?? new TestClock();
  const log = collectLog();
  const options = { url, secret: directorySecret, timeoutMs: 5_000, clock, log, ...more };
  return { directory: createHttpDirectory(options), clock, log };
}

const changeOf = (at: number): PasswordChange => {
  const changeId = 'c'.repeat(32);
  const until = { undoUntil: at + 1000, addressFrozenUntil: at + 2000 };
  return { accountId: 'a', securityVersion: '1', mailbox: amy, password, changeId, at, ...until };
};

/** A server that answers as it likes, and counts. */
async function serverOf(t: TestContext, listener: RequestListener) {
  const counted = { tries: 0 };
  const server = createServer((request, response) => {
    counted.tries += 1;
    request.resume();
    listener(request, response);
  });
  const url = await listen(server);
  t.after(() => end(server));
  return Object.assign(counted, { url });
}

async function exampleOf(t: TestContext): Promise<RunningDirectory> {
  const running = await startDirectory([exampleAccount('a', 'apond', [amy])]);
  t.after(() => running.close());
  return running;
}

/** Lets the pauses between tries pass, and no more, until it has ended. */
async function passing<T>(work: Promise<T>, clock: TestClock): Promise<T> {
  let ended = false;
  const done = () => {
    ended = true;
  };
  work.then(done, done);
  while (!ended) {
    const pause = clock.waiting.find((ms) => ms <= 1_000);
    if (pause !== undefined) clock.advance(pause);
    await new Promise(setImmediate);
  }
  return work;
}

/** The error that it ends with. It tells nobody what was asked or answered. */
async function failing(work: Promise<unknown>, clock: TestClock): Promise<DependencyError> {
  const error = await passing(work, clock).then(
    () => assert.fail('it was believed'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof DependencyError, String(error));
  assert.equal(error.dependency, 'directory');
  assert.equal(error.cause, undefined, 'causes of the network quote what came');
  assert.doesNotMatch(error.message, /amy|@|kettle|whsec|Bank|apond/);
  return error;
}

const json = (response: ServerResponse, body: unknown, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));

describe('an answer that cannot be used', () => {
  const html = '<h1>Amy Bank</h1>';
  const status = (code: number) => (response: ServerResponse) => json(response, { accounts: [] }, code);
  const accounts =
    (...all: unknown[]) =>
    (response: ServerResponse) =>
      json(response, { accounts: all });
  const cases: readonly [
    title: string,
    answer: (r: ServerResponse) => void,
    problem: RegExp,
    tries: number,
    mayBe: boolean,
  ][] = [
    ['status 500', status(500), /status 500/, 1, true],
    ['status 201', status(201), /status 201/, 1, true],
    ['status 400', status(400), /status 400/, 1, false],
    ['status 401', status(401), /status 401; same secret and same time/, 1, false],
    ['status 404', status(404), /status 404/, 1, false],
    ['status 429, each time', status(429), /status 429, 3 tries/, 3, false],
    ['status 503, each time', status(503), /status 503, 3 tries/, 3, false],
    ['status 502, each time', status(502), /status 502, 3 tries/, 3, true],
    ['status 504, each time', status(504), /status 504, 3 tries/, 3, true],
    ['HTML', (r) => r.setHeader('content-type', 'text/html').end(html), /not JSON/, 1, true],
    ['no content type', (r) => r.end('{"accounts":[]}'), /not JSON/, 1, true],
    ['HTML that says it is JSON', (r) => r.setHeader('content-type', 'application/json').end(html), /form/, 1, true],
    ['nothing', (r) => r.setHeader('content-type', 'application/json').end(), /form/, 1, true],
    ['a list', (r) => json(r, []), /form/, 1, true],
    ['another field', (r) => json(r, { users: [] }), /form/, 1, true],
    ['an account without a version', accounts({ ...account, securityVersion: undefined }), /form/, 1, true],
    ['an unknown state', accounts({ ...account, state: 'gone' }), /form/, 1, true],
    ['an id that is a number', accounts({ ...account, id: 4711 }), /form/, 1, true],
    ['an empty id', accounts({ ...account, id: '' }), /form/, 1, true],
    ['an id with a blank', accounts({ ...account, id: 'a b' }), /form/, 1, true],
    ['an id that is too long', accounts({ ...account, id: 'a'.repeat(201) }), /form/, 1, true],
    ['the same id twice', accounts(account, { ...account, name: 'other' }), /form/, 1, true],
    ['a name that turns its direction', accounts({ ...account, name: 'a\u202edmin' }), /form/, 1, true],
    ['a name that is too long', accounts({ ...account, name: 'a'.repeat(201) }), /form/, 1, true],
    [
      'too many accounts',
      accounts(...Array.from({ length: 101 }, (_, id) => ({ ...account, id: `${id}` }))),
      /form/,
      1,
      true,
    ],
    ['a broken head', (r) => r.socket?.end('HTTP/1.1 Amy Bank\r\n\r\n'), /network error/, 3, true],
    ['a connection that is cut', (r) => r.destroy(), /network error [A-Z_]+, 3 tries/, 3, true],
  ];
  for (const [title, answer, problem, tries, mayBe] of cases) {
    it(`${title}: ${tries} ${tries === 1 ? 'try' : 'tries'}, ${mayBe ? 'nobody knows' : 'nothing was done'}`, async (t) => {
      const server = await serverOf(t, (_, response) => void answer(response));
      const { directory, clock } = client(server.url);
      const error = await failing(directory.accountsOf(amy), clock);
      assert.match(error.message, problem);
      assert.deepEqual([server.tries, error.outcomeUnknown], [tries, mayBe]);
    });
  }

  it('that breaks off in the middle is asked for again', async (t) => {
    const server = await serverOf(t, (_, response) => {
      if (server.tries > 1) return void json(response, { accounts: [account] });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"accounts":[', () => response.destroy());
    });
    const { directory, clock } = client(server.url);
    assert.deepEqual(
      (await passing(directory.accountsOf(amy), clock)).map(({ name }) => name),
      ['apond'],
    );
    assert.equal(server.tries, 2);
  });

  it('that does not end is not read for ever', async (t) => {
    let written = 0;
    const server = await serverOf(t, (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' '))) written += 65_536;
      };
      response.on('drain', more);
      more();
    });
    const { directory, clock } = client(server.url);
    assert.match((await failing(directory.accountsOf(amy), clock)).message, /more than 1 MiB/);
    assert.ok(written < 64 * 1024 * 1024);
  });

  it('that leads elsewhere is not followed', async (t) => {
    const elsewhere = await serverOf(t, (_, response) => void json(response, { accounts: [account] }));
    for (const code of [301, 302, 303, 307, 308]) {
      const server = await serverOf(
        t,
        (_, response) => void response.writeHead(code, { location: elsewhere.url }).end(),
      );
      const { directory, clock } = client(server.url);
      assert.match((await failing(directory.accountsOf(amy), clock)).message, new RegExp(`status ${code}`));
    }
    assert.equal(elsewhere.tries, 0);
  });

  it('may hold more than was agreed, which goes no further', async (t) => {
    const server = await serverOf(
      t,
      (_, response) => void json(response, { accounts: [{ ...account, salary: 1 }], page: 1 }),
    );
    const [only] = await client(server.url).directory.accountsOf(amy);
    assert.ok(only !== undefined && !('salary' in only));
  });
});

describe('a directory that is not there, or slow', () => {
  it('is tried three times when nobody listens, and nothing was done', async (t) => {
    const server = createServer();
    const url = await listen(server);
    await end(server);
    const { directory, clock } = client(url);
    t.after(() => directory.close());
    const error = await failing(directory.setPassword(changeOf(clock.now())), clock);
    assert.match(error.message, /^accounts\/set-password: network error ECONNREFUSED, 3 tries$/);
    assert.equal(error.outcomeUnknown, false);
  });

  for (const [title, begin] of [
    ['says nothing', () => {}],
    [
      'begins to answer and stops',
      (response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).write('{"outcome":'),
    ],
  ] as const) {
    it(`that ${title} has five seconds for a try, and twelve for all`, async (t) => {
      const server = await serverOf(t, (_, response) => begin(response));
      const { directory, clock } = client(server.url);
      const startedAt = clock.now();
      let ended = false;
      const work = directory.setPassword(changeOf(startedAt)).finally(() => {
        ended = true;
      });
      const failed = assert.rejects(work, (error: unknown) => {
        assert.ok(error instanceof DependencyError && error.outcomeUnknown);
        assert.match(error.message, /no answer in time, 3 tries/);
        return true;
      });
      for (let tries = 1; !ended; await new Promise(setImmediate)) {
        const [next] = clock.waiting;
        // A try ends when its time is over, and not before it has arrived; what is shorter is a pause.
        if (next === undefined || (next > 1_000 && server.tries < tries)) continue;
        if (next > 1_000) assert.ok(next <= 5_000);
        clock.advance(next);
        if (server.tries === tries) tries += 1;
      }
      await failed;
      assert.ok(clock.now() - startedAt <= 12_000, `${clock.now() - startedAt}`);
    });
  }

  it('holds 128 calls; one more is told so at once', async (t) => {
    const waiting: ServerResponse[] = [];
    const server = await serverOf(t, (_, response) => void waiting.push(response));
    const { directory, clock } = client(server.url);
    const all = Array.from({ length: 128 }, () => directory.accountsOf(amy));
    while (server.tries < 128) await new Promise(setImmediate);
    const error = await failing(directory.accountsOf(amy), clock);
    assert.match(error.message, /too many calls/);
    assert.equal(error.outcomeUnknown, false);
    for (const response of waiting) json(response, { accounts: [] });
    await Promise.all(all);
    const next = directory.accountsOf(amy);
    while (waiting.length < 129) await new Promise(setImmediate);
    json(waiting[128] ?? assert.fail(), { accounts: [account] });
    assert.equal((await next).length, 1);
  });
});

describe('a call', () => {
  const once = (fault: Fault, on: RunningDirectory): void => {
    on.fault = (request, response) => {
      on.fault = undefined;
      return fault(request, response);
    };
  };

  it('is fine at the second try, under the same id', async (t) => {
    const running = await exampleOf(t);
    const { directory, clock } = client(running.url);
    once((_, response) => {
      json(response, {}, 503);
      return 'handled';
    }, running);
    assert.equal((await passing(directory.accountsOf(amy), clock)).length, 1);
    const [first, second, ...more] = running.asked;
    assert.match(first?.id ?? '', /^msg_[0-9a-f]{32}$/);
    assert.deepEqual([second, more], [first, []]);
    await directory.accountsOf(amy);
    assert.notEqual(running.asked[2]?.id, first?.id, 'another call is another one');
  });

  it('whose answer was lost is done once, and its answer comes the next time', async (t) => {
    const running = await exampleOf(t);
    const { directory, clock } = client(running.url);
    const change = changeOf(clock.now());
    once(() => 'lost', running);
    assert.equal(await passing(directory.setPassword(change), clock), 'done');
    assert.deepEqual([running.asked.length, running.accounts.get('a')?.version], [2, 2]);
    once(() => 'lost', running);
    assert.equal(
      await passing(directory.revertPassword('a', change.changeId, clock.now()), clock),
      'done',
      'not too late',
    );
    assert.deepEqual([running.asked.length, running.accounts.get('a')?.version], [4, 3]);
    assert.equal(running.accounts.get('a')?.password, null);
  });

  it('holds what was agreed and nothing else, each try with a signature of its own time', async (t) => {
    const running = await exampleOf(t);
    const bodies: unknown[] = [];
    const headers: unknown[] = [];
    running.fault = (request) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => bodies.push(JSON.parse(Buffer.concat(chunks).toString())));
      headers.push(request.headers['webhook-timestamp'], request.headers['content-type'], request.method);
      return undefined;
    };
    const { directory, clock } = client(running.url);
    const change = changeOf(clock.now());
    assert.equal(await directory.setPassword(Object.assign({ note: 'private' }, change)), 'done');
    assert.deepEqual(bodies, [change]);
    assert.deepEqual(endpoints.setPassword.request.parse(bodies[0]), change);
    assert.deepEqual(headers, [String(Math.floor(clock.now() / 1000)), 'application/json', 'POST']);
    assert.ok(isPassword(password, running.accounts.get('a')?.password ?? null));
  });

  it('signed with another secret, or by a clock that is ten minutes off, is refused and changes nothing', async (t) => {
    const running = await exampleOf(t);
    const other = `whsec_${Buffer.alloc(32, 'another').toString('base64')}`;
    const [late, early] = [new TestClock(Date.now() - 600_000), new TestClock(Date.now() + 600_000)];
    for (const more of [{ secret: other }, { clock: late }, { clock: early }]) {
      const { directory, clock } = client(running.url, more);
      const error = await failing(directory.setPassword(changeOf(clock.now())), clock);
      assert.match(error.message, /status 401; same secret and same time/);
      assert.equal(error.outcomeUnknown, false);
    }
    assert.equal(running.accounts.get('a')?.password, null);
    const unsigned = await fetch(new URL('accounts/find', running.url), { method: 'POST', body: '{}' });
    assert.equal(unsigned.status, 401);
  });

  it('to check a second factor gives back each of its answers, and takes no other', async (t) => {
    const answers: unknown[] = ['right', 'wrong', 'account-changed'].map((outcome) => ({ outcome }));
    answers.push({ outcome: 'too-many', waitMs: 1_000 }, { outcome: 'too-many' }, { outcome: 'fine' });
    const server = await serverOf(t, (_, response) => void json(response, answers.shift()));
    const { directory, clock } = client(server.url);
    const attempt = {
      accountId: 'a',
      securityVersion: '1',
      attemptId: 'b'.repeat(32),
      typed: '123 456',
      at: clock.now(),
    };
    for (const kind of ['right', 'wrong', 'account-changed']) {
      assert.deepEqual(await directory.verifySecondFactor(attempt), { kind });
    }
    assert.deepEqual(await directory.verifySecondFactor(attempt), { kind: 'too-many', waitMs: 1_000 });
    for (const _ of answers.slice()) await failing(directory.verifySecondFactor(attempt), clock);
  });

  it('to check a second factor is one attempt, however often it is made', async (t) => {
    const running = await exampleOf(t);
    const { directory, clock } = client(running.url);
    const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
    const factor = { secret, recoveryCodes: ['k7m29qxfh3twzz8p'], lastStep: 0, tries: [] };
    Object.assign(running.accounts.get('a') ?? assert.fail(), { secondFactor: factor });
    const at = clock.now();
    let attempts = 0;
    const verify = async (typed: string, more: object = {}) => {
      attempts += 1;
      const attemptId = attempts.toString(16).padStart(32, '0');
      const attempt = { accountId: 'a', securityVersion: '1', attemptId, typed, at, ...more };
      return (await directory.verifySecondFactor(attempt)).kind;
    };
    const steps = [-30_000, 0, 30_000].map((drift) => new TOTP({ secret }).generate({ timestamp: at + drift }));
    const other = ['111111', '222222', '333333', '444444'].find((digits) => !steps.includes(digits)) ?? '';
    const [, token = ''] = steps;
    assert.equal(await verify(other, { securityVersion: '2' }), 'account-changed');
    const [one, two] = ['e', 'f'].map((digit) => ({ attemptId: digit.repeat(32) }));
    assert.deepEqual([await verify(other, one), await verify(other, one)], ['wrong', 'wrong']);
    assert.equal(running.accounts.get('a')?.secondFactor?.tries.length, 1);
    assert.deepEqual([await verify(token, two), await verify(token, two)], ['right', 'right']);
    assert.equal(await verify(token), 'wrong', 'a used step');
    assert.deepEqual([await verify('K7M2-9QXF-H3TW-ZZ8P'), await verify('k7m2-9qxf-h3tw-zz8p')], ['right', 'wrong']);
    assert.deepEqual([await verify(other), await verify(other), await verify(other)], ['wrong', 'wrong', 'too-many']);
  });

  it('to confirm a mailbox tells whether any account uses it', async (t) => {
    const running = await exampleOf(t);
    const { directory, clock } = client(running.url);
    const confirm = (mailbox: typeof amy) =>
      directory.confirmMailbox({ mailbox, changeId: 'd'.repeat(32), at: clock.now() });
    assert.deepEqual([await confirm(amy), await confirm(rory)], ['done', 'no-account']);
  });

  it('goes to the path that the setting names', async (t) => {
    const paths: (string | undefined)[] = [];
    const server = await serverOf(t, (request, response) => {
      paths.push(request.url);
      json(response, { accounts: [] });
    });
    await client(`${server.url}reset/v1/`).directory.accountsOf(amy);
    assert.deepEqual(paths, ['/reset/v1/accounts/find']);
  });
});

describe('events', () => {
  const event = (changeId: string) => ({ kind: 'notice-sent', accountId: 'a', changeId, at: 1 }) as const;

  it('are told in order, one after the other, and again after trouble', async (t) => {
    const told: string[] = [];
    let away = true;
    const server = await serverOf(t, async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      if (away) return void json(response, {}, 500);
      told.push(endpoints.event.request.parse(JSON.parse(body)).kind);
      json(response, {});
    });
    const { directory, clock, log } = client(server.url);
    directory.tell({ ...event('c'.repeat(32)), kind: 'notice-failed' });
    directory.tell(event('c'.repeat(32)));
    while (!clock.waiting.includes(1_000)) await new Promise(setImmediate);
    assert.equal(server.tries, 1, 'the second one waits');
    away = false;
    clock.advance(1_000);
    while (told.length < 2) await new Promise(setImmediate);
    assert.deepEqual(told, ['notice-failed', 'notice-sent']);
    assert.deepEqual(log.events, []);
    directory.close();
  });

  it('are given up after four tries, which is logged; the next one goes on', async (t) => {
    const server = await serverOf(t, (_, response) => void json(response, {}, server.tries > 4 ? 200 : 500));
    const { directory, clock, log } = client(server.url);
    directory.tell(event('c'.repeat(32)));
    directory.tell(event('d'.repeat(32)));
    for (const pauseMs of [1_000, 10_000, 60_000]) {
      while (!clock.waiting.includes(pauseMs)) await new Promise(setImmediate);
      clock.advance(pauseMs);
    }
    const { fields, level } = await log.waitFor(({ event }) => event === 'directory-event');
    assert.deepEqual([level, fields], ['warn', { outcome: 'given-up', kind: 'notice-sent', tries: 4 }]);
    while (server.tries < 5) await new Promise(setImmediate);
    directory.close();
  });

  it('that are too many are dropped, which is logged, and after the end none is begun', async (t) => {
    const server = await serverOf(t, () => {});
    const { directory, log } = client(server.url);
    for (let count = 0; count < 1_002; count += 1) directory.tell(event('c'.repeat(32)));
    assert.deepEqual(
      log.events.map(({ fields }) => fields.outcome),
      ['no-room'],
    );
    directory.close();
  });
});

describe('the secret', () => {
  it('is the whole text of its file, and nothing of a bad one is told', () => {
    assert.equal(parseDirectorySecret(` ${directorySecret}\n`, '/secret'), directorySecret);
    for (const text of ['', 'whsec_short', `${directorySecret} ${directorySecret}`, 'Tr0ub4dor']) {
      assert.throws(
        () => parseDirectorySecret(text, '/secret'),
        (error: Error) => {
          assert.match(error.message, /^\/secret holds no secret/);
          assert.ok(text === '' || !error.message.includes(text));
          return true;
        },
      );
    }
  });
});
