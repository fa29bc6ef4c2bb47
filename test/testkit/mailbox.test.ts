// The test mailbox as a page worth using and as an interface for programs: lists, search, waiting, faults, sending, and what
// it makes of wrong, huge and hostile input. The lines of curl in the README of the kit run as they are written there.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type Kit, startKit } from '../../src/testkit/kit.ts';
import { startSink } from '../../src/testkit/sink.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';
import { curls } from '../support/curl.ts';

const free = { host: '127.0.0.1', port: 0 };
const amy = 'amy.pond@school.example';
const to = 'k7m2-9qxf@in.school.example';

/** A kit around a stand-in for the service, which answers no mail. */
async function start(t: TestContext): Promise<{ kit: Kit; api: string }> {
  const service = await startSink(free);
  t.after(() => service.close());
  const kit = await startKit({ dns: free, sink: free, mailbox: free, smtpPort: () => service.port });
  t.after(() => kit.close());
  return { kit, api: `${kit.mailboxPage.url}/api` };
}

async function arrive(kit: Kit, subject: string, text: string, rcptTo = amy): Promise<void> {
  const raw = `From: Accounts <accounts@school.example>\r\nTo: ${rcptTo}\r\nSubject: ${subject}\r\n\r\n${text}\r\n`;
  const answer = await deliver({ ...kit.sink, mailFrom: '', rcptTo, raw, helo: 'service.example' });
  assert.equal(answer.code, 250);
}

/** Status and JSON of an answer. */
async function ask(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}

function sending(method: string, body: unknown): RequestInit {
  return { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
}

test('messages are listed newest first, by recipient, label and words, and deleted', async (t) => {
  const { kit, api } = await start(t);
  assert.deepEqual((await ask(`${api}/messages`)).body, { messages: [], total: 0, count: 'Nothing here yet.' });
  await arrive(kit, 'Re: New password KQXF-WTMB', '4821 7730\r\n\r\nType it.');
  await arrive(kit, 'Hello', 'KETTLE', 'jo.grant@company.example');
  const { messages, total } = (await ask(`${api}/messages`)).body;
  assert.equal(total, 2);
  const { id, receivedAt, ...reply } = messages[1];
  assert.deepEqual(reply, {
    mailFrom: '',
    rcptTo: [amy],
    subject: 'Re: New password KQXF-WTMB',
    from: '"Accounts" <accounts@school.example>',
    to: amy,
    code: '4821 7730',
    label: 'KQXF-WTMB',
    bytes: 133,
  });
  assert.ok(Date.now() - Date.parse(receivedAt) < 60_000);
  for (const [query, found] of [
    ['to=Amy.Pond@school.example', ['Re: New password KQXF-WTMB']],
    ['label=kqxf-wtmb', ['Re: New password KQXF-WTMB']],
    ['q=kettle', ['Hello']],
    ['q=company', ['Hello']],
    ['q=accounts&limit=1', ['Hello']],
    ['q=kettle&to=amy.pond@school.example', []],
  ] as const) {
    const { body } = await ask(`${api}/messages?${query}`);
    assert.deepEqual(
      body.messages.map(({ subject }: { subject: string }) => subject),
      found,
      query,
    );
  }
  assert.equal((await ask(`${api}/messages?limit=1`)).body.count, 'The newest 1 of 2 messages.');
  const { body: whole } = await ask(`${api}/messages/${id}`);
  assert.deepEqual([whole.text, whole.inReplyTo], ['4821 7730\n\nType it.\n', null]);
  assert.deepEqual(whole.headers[2], { name: 'subject', value: 'Re: New password KQXF-WTMB' });
  assert.deepEqual(await ask(`${api}/messages`, { method: 'DELETE' }), { status: 204, body: undefined });
  assert.equal((await ask(`${api}/messages`)).body.total, 0);
  assert.equal((await ask(`${api}/messages/${id}`)).status, 404);
});

test('waiting ends when the mail is there, was there, or does not come', async (t) => {
  const { kit, api } = await start(t);
  const coming = ask(`${api}/messages/wait?to=${amy}&label=KQXF-WTMB`);
  await arrive(kit, 'New password BCDF-GHJK', '1111 1111');
  await arrive(kit, 'New password KQXF-WTMB', '4821 7730');
  assert.equal((await coming).body.code, '4821 7730');
  assert.equal((await ask(`${api}/messages/wait?label=BCDF-GHJK&timeoutMs=0`)).body.code, '1111 1111');
  const late = await ask(`${api}/messages/wait?to=jo.grant@company.example&timeoutMs=5`);
  assert.equal(late.status, 404);
  assert.match(late.body.problem, /^no such message within 5 ms; 2 arrived, the last for: amy\.pond/);
  for (const timeoutMs of ['-1', '1.5', '60001', 'soon', '1e3']) {
    const { status, body } = await ask(`${api}/messages/wait?timeoutMs=${timeoutMs}`);
    assert.deepEqual([status, body.problem], [400, 'timeoutMs is a whole number, 60000 at most.'], timeoutMs);
  }
  const cut = fetch(`${api}/messages/wait?to=nobody@b.example&timeoutMs=60000`);
  await ask(`${api}/messages`); // so that it is under way
  await kit.close();
  await assert.rejects(cut);
});

test('faults are set, told and taken away', async (t) => {
  const { kit, api } = await start(t);
  const rules = [{ at: 'rcpt', does: 'defer', times: 1, to: amy }];
  assert.deepEqual((await ask(`${api}/faults`, sending('PUT', rules))).body.faults, rules);
  assert.deepEqual(kit.sink.faults, rules);
  await assert.rejects(arrive(kit, 'x', 'x'));
  const { struck, count } = (await ask(`${api}/faults`)).body;
  assert.equal(count, 'Once.');
  assert.deepEqual([struck[0].rule, struck[0].recipients], [`rcpt defer to=${amy} times=1`, [amy]]);
  for (const [body, status, problem] of [
    [{}, 400, /^The rules are a JSON array/],
    [[{ at: 'rcpt' }], 422, /^Rule 1: does is one of/],
    [[rules[0], 'rcpt defer'], 422, /^Rule 2: at is one of/],
  ] as const) {
    const answer = await ask(`${api}/faults`, sending('PUT', body));
    assert.equal(answer.status, status);
    assert.match(answer.body.problem, problem);
  }
  assert.deepEqual(kit.sink.faults, rules, 'all or none');
  assert.deepEqual((await ask(`${api}/faults`, sending('PUT', []))).body.faults, []);
});

test('mail is sent by scenario, and told with what it was', async (t) => {
  const { kit, api } = await start(t);
  const { body } = await ask(
    `${api}/sent`,
    sending('POST', { from: 'alice@school.test', to, scenario: 'footer-added' }),
  );
  const { id, sentAt, ...sent } = body;
  assert.deepEqual(sent, {
    from: 'alice@school.test',
    mailFrom: 'alice@school.test',
    rcptTo: [to],
    scenario: 'footer-added',
    expect: 'not-authenticated',
    ...{ accepted: true, code: 250, text: '2.0.0 kept' },
    authentication: {
      spf: { result: 'fail', domain: 'school.test' },
      dkim: [{ result: 'neutral', why: 'body hash did not verify', domain: 'school.test', selector: 'test-rsa' }],
      dmarc: { result: 'fail', policy: 'reject' },
    },
  });
  await kit.send('jo', { to });
  const list = (await ask(`${api}/sent`)).body.sent;
  assert.deepEqual(
    list.map(({ from }: { from: string }) => from),
    ['jo.grant@company.example', 'alice@school.test'],
  );
  assert.equal(list[1].id, id);
  assert.ok(Date.now() - Date.parse(sentAt) < 60_000);
  const scenarios = (await ask(`${api}/scenarios`)).body;
  assert.equal(scenarios.find(({ name }: { name: string }) => name === 'footer-added').code, 550);
  for (const [wrong, problem] of [
    [{ to }, /^no such identity: ""\. Use amy, rory/],
    [{ from: 'a@real.com', to }, /^the kit writes as nobody at real\.com/],
    [{ from: 'amy', to: 'nobody' }, /^mail goes to an address or a mailto link, .* not to 'nobody'/],
    [{ from: 'amy', to, server: 'mail.example:25' }, /^server is on this machine/],
    [{ from: 'amy', to, scenario: 'none-such' }, /^no such scenario: "none-such"\. There are: dkim,/],
    [{ from: 'jo', to, scenario: 'dkim' }, /^jo does not sign with DKIM/],
    [{ from: 'amy', to: [to] }, /^to is a text/],
  ] as const) {
    const answer = await ask(`${api}/sent`, sending('POST', wrong));
    assert.equal(answer.status, 422);
    assert.match(answer.body.problem, problem);
  }
});

test('what every kind of identity is made to be is seen without the service', async (t) => {
  const { kit, api } = await start(t);
  const seen: Record<string, string> = {};
  for (const who of ['amy', 'jo', 'forger'] as const) {
    await kit.send(who, { to });
    const { url } = kit.mailboxPage;
    const id = (await ask(`${api}/sent`)).body.sent[0].id;
    const page = await (await fetch(`${url}/sent/${id}`)).text();
    const row = (name: string) => new RegExp(`<dt>${name}</dt><dd>(.*?)(?:<br>)?</dd>`).exec(page)?.[1];
    seen[who] = ['SPF', 'DKIM', 'DMARC'].map(row).join('; ');
  }
  assert.deepEqual(seen, {
    amy: 'fail for school.example; pass for school.example (test-rsa); pass (policy: reject)',
    jo: 'pass for company.example; not signed; pass (policy: reject)',
    forger: 'fail for school.example; not signed; fail (policy: reject)',
  });
});

test('no other web page can change anything, and nothing but JSON is read', async (t) => {
  const { kit, api } = await start(t);
  await arrive(kit, 'x', 'x');
  const foreign = { origin: 'http://evil.example', 'content-type': 'application/json' };
  const calls: [string, RequestInit][] = [
    ['/messages', { method: 'DELETE' }],
    ['/faults', { method: 'PUT', body: '[{"at":"rcpt","does":"refuse"}]' }],
    ['/sent', { method: 'POST', body: JSON.stringify({ from: 'amy', to }) }],
  ];
  for (const [path, init] of calls) {
    for (const headers of [foreign, { ...foreign, origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
      assert.equal((await ask(api + path, { ...init, headers })).status, 403, path);
    }
    if (init.body) assert.equal((await ask(api + path, init)).status, 415, path);
  }
  assert.deepEqual([kit.sink.messages.length, kit.sink.faults.length], [1, 0]);
  const read = await fetch(`${api}/messages`, { headers: { origin: 'http://evil.example' } });
  assert.equal(read.headers.get('access-control-allow-origin'), null);
  assert.equal(read.headers.get('cross-origin-resource-policy'), 'same-origin');
  const broken = { method: 'PUT', body: '[{', headers: { 'content-type': 'application/json' } };
  assert.equal((await ask(`${api}/faults`, broken)).status, 400);
  assert.equal((await ask(`${api}/faults`, sending('PUT', 'x'.repeat(70_000)))).status, 413);
  assert.equal((await ask(`${api}/nowhere`)).status, 404);
  assert.equal((await ask(`${api}/messages`, { method: 'PATCH' })).status, 405);
});

test('hostile words are escaped on every page', async (t) => {
  const { kit, api } = await start(t);
  const { url } = kit.mailboxPage;
  const hostile = '<script>alert(1)</script>"\'><img src=x>';
  await arrive(kit, hostile, hostile);
  kit.sink.faults = [{ at: 'rcpt', does: 'defer', answer: `450 ${hostile}` }];
  await assert.rejects(arrive(kit, 'x', 'x'));
  await kit.send('amy', { to, subject: hostile });
  const [{ id }] = (await ask(`${api}/messages`)).body.messages;
  const odd = encodeURIComponent(hostile);
  for (const path of [
    '/',
    `/?q=${odd}`,
    `/?to=${odd}`,
    `/message/${id}`,
    '/sent',
    '/sent/1',
    '/faults',
    `/message/${odd}`,
  ]) {
    const response = await fetch(url + path);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    assert.doesNotMatch(
      (await response.text()).replace('<script type="module" src="/page.js">', ''),
      /<script|<img/,
      path,
    );
  }
  for (const path of [`/message/${id}/raw`, '/sent/1/raw']) {
    assert.equal((await fetch(url + path)).headers.get('content-type'), 'text/plain; charset=utf-8');
  }
});

test('a page hears of changes, and its stream ends with the sink', async (t) => {
  const { kit } = await start(t);
  const response = await fetch(`${kit.mailboxPage.url}/events`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader?.read())?.value, 'retry: 2000\n\n');
  await arrive(kit, 'x', 'x');
  assert.equal((await reader?.read())?.value, 'data: changed\n\n');
  kit.sink.clear();
  assert.equal((await reader?.read())?.value, 'data: changed\n\n');
  await kit.close();
  await assert.rejects(async () => reader?.read());
});

test('the lines of curl in the README do what they say', async (t) => {
  const readme = await readFile(join(import.meta.dirname, '../../src/testkit/README.md'), 'utf8');
  const lines = [...readme.matchAll(/^ {4}(.*\bcurl .*)$/gm)].map(([, line = '']) => line);
  const calls = new Set<string>();
  for (const PATH of await curls((end) => t.after(end))) {
    const { kit } = await start(t);
    for (const line of lines) {
      const here = line
        .replaceAll('127.0.0.1:8025', `127.0.0.1:${kit.mailboxPage.address.port}`)
        .replaceAll('127.0.0.1:1025', `127.0.0.1:${kit.sink.port}`);
      const { stdout } = await promisify(execFile)('sh', ['-c', here], { env: { ...process.env, PATH } });
      assert.doesNotMatch(stdout, /"problem"/, line);
      const [, path = ''] = /8025(\/[a-z/]*)/.exec(line) ?? [];
      calls.add(`${/-X (\w+)/.exec(line)?.[1] ?? (line.includes('--json') ? 'POST' : 'GET')} ${path}`);
      if (line.includes('/wait?')) assert.equal(JSON.parse(stdout).code, '4821 7730');
    }
  }
  assert.deepEqual([...calls].sort(), [
    'DELETE /api/messages',
    'GET ',
    'GET /api/faults',
    'GET /api/messages',
    'GET /api/messages/',
    'GET /api/messages/wait',
    'GET /api/scenarios',
    'GET /api/sent',
    'GET /message/',
    'POST /api/sent',
    'PUT /api/faults',
  ]);
});
