// The whole kit around a stand-in for the service: the test mailbox over HTTP as a browser without JavaScript uses it.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type Kit, startKit } from '../../src/testkit/kit.ts';
import { parseMailto } from '../../src/testkit/mailto.ts';
import { type Sink, startSink } from '../../src/testkit/sink.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';

const free = { host: '127.0.0.1', port: 0 };

async function start(t: TestContext): Promise<{ kit: Kit; service: Sink; url: string }> {
  const service = await startSink(free);
  t.after(() => service.close());
  const kit = await startKit({ dns: free, sink: free, mailbox: free, smtpPort: () => service.port });
  t.after(() => kit.close());
  return { kit, service, url: kit.mailboxPage.url };
}

async function page(url: string): Promise<string> {
  const response = await fetch(url);
  assert.equal(response.status, 200);
  return response.text();
}

function post(url: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/send`, { method: 'POST', body: new URLSearchParams(fields), headers });
}

/** Undoes the escaping of `html`. */
const plain = (text: string) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));

const mail = { identity: 'amy', to: 'k7m2-9qxf@in.school.example', subject: 'Reset', body: 'Hello' };
const reply = (subject: string, text: string) =>
  `From: Service <reset@s.example>\r\nTo: amy.pond@school.example\r\nSubject: ${subject}\r\n\r\n${text}\r\n`;
const hostile = '<img src=x onerror=alert(1)></pre>"\'&amp;';

async function arrive(kit: Kit, raw: string, rcptTo = 'amy.pond@school.example'): Promise<void> {
  const answer = await deliver({ ...kit.sink, mailFrom: '', rcptTo, raw, helo: 'service.example' });
  assert.equal(answer.accepted, true);
}

test('mailto links are read as RFC 6068 says', () => {
  const cases: [string, ReturnType<typeof parseMailto>][] = [
    ['mailto:a@b.example', { to: 'a@b.example', subject: '', body: '' }],
    [
      'MAILTO:a%2Bx@b.example?SUBJECT=1+1%20%3D%202&body=%C3%BC%0D%0A2&cc=c@d.example',
      { to: 'a+x@b.example', subject: '1+1 = 2', body: 'ü\n2' },
    ],
    [
      'mailto:a@b.example,c@d.example?to=e@f.example',
      { to: 'a@b.example, c@d.example, e@f.example', subject: '', body: '' },
    ],
    ['mailto:?body=a%26b=c&body=%3F', { to: '', subject: '', body: 'a&b=c\n?' }],
    ['mailto:a@b.example?subject=x%0D%0ABcc:%20y#z', { to: 'a@b.example', subject: 'x Bcc: y', body: '' }],
    ['mailto:%zz', undefined],
    ['mailto:a?body=%ff', undefined],
    ['https://x.example/', undefined],
  ];
  for (const [uri, expected] of cases) assert.deepEqual(parseMailto(uri), expected, uri);
});

test('the form is filled in from a mailto link, odd and hostile characters included', async (t) => {
  const { url } = await start(t);
  const body = `\nfirst line empty, ümläut 👋\n</textarea>${hostile}`;
  const uri = `mailto:k7m2-9qxf@in.school.example?subject=${encodeURIComponent(hostile)}&body=${encodeURIComponent(body)}`;
  const form = await page(`${url}/compose?mailto=${encodeURIComponent(uri)}&identity=jo`);
  assert.doesNotMatch(form, /<img/);
  assert.match(form, /<form id="compose" method="post" action="\/send">/);
  assert.match(form, /name="to"[^>]* value="k7m2-9qxf@in\.school\.example"/);
  assert.match(form, /value="jo" required checked/);
  assert.equal(plain(/name="subject"[^>]* value="([^"]*)"/.exec(form)?.[1] ?? ''), hostile);
  // HTML drops the first line break of a textarea.
  assert.equal(plain(/<textarea[^>]*>\n([^<]*)<\/textarea>/.exec(form)?.[1] ?? ''), body);
  assert.equal((await fetch(`${url}/compose?mailto=mailto:%25`)).status, 400);
});

test('a sent message reaches the service signed, and the answer is shown', async (t) => {
  const { service, url } = await start(t);
  const sent = await (await post(url, mail)).text();
  assert.match(sent, /<pre id="smtp-answer"[^>]*>250 2\.0\.0 kept<\/pre>/);
  assert.match(sent, /<a class="button" id="inbox" href="\/\?to=amy\.pond%40school\.example">/);
  const [message] = service.messages;
  assert.deepEqual(message?.envelope, { mailFrom: 'amy.pond@school.example', rcptTo: [mail.to] });
  assert.match(message.raw.toString(), /^DKIM-Signature: .*d=school\.example/);
  service.faults = [{ at: 'rcpt', does: 'refuse', answer: `550 5.1.1 <unknown> ${hostile}` }];
  const refused = await (await post(url, mail)).text();
  assert.doesNotMatch(refused, /<img|<unknown>/);
  assert.ok(
    plain(/<pre id="smtp-answer"[^>]*>(.*)<\/pre>/.exec(refused)?.[1] ?? '').startsWith('550 5.1.1 <unknown> <img'),
  );
  const forged = await (await post(url, { ...mail, identity: 'forger' })).text();
  assert.match(
    forged,
    /550 5\.1\.1.*error report.*href="\/\?to=amy\.pond%40school\.example">Open the inbox of the real Amy Pond/s,
  );
});

test('the inbox shows what arrived, newest first, each person their own, escaped', async (t) => {
  const { kit, url } = await start(t);
  assert.match(await page(`${url}/?identity=amy`), /<p id="count"[^>]*>Nothing here yet\./);
  await arrive(kit, reply('First', 'one'));
  await arrive(kit, reply(hostile, hostile));
  await arrive(kit, reply('For Jo', 'three'), 'jo.grant@company.example');
  const subjects = async (query: string) => {
    const [list = ''] = /<ol id="messages".*?<\/ol>/s.exec(await page(`${url}/${query}`)) ?? [];
    return [...list.matchAll(/data-of="subject"[^>]*>([^<]*)</g)].map(([, text]) => plain(text ?? ''));
  };
  assert.deepEqual(await subjects(''), ['For Jo', hostile, 'First']);
  assert.deepEqual(await subjects('?identity=amy'), [hostile, 'First']);
  assert.deepEqual(await subjects('?identity=forger'), []);
  const inbox = await page(`${url}/?identity=amy`);
  assert.match(inbox, /<noscript><meta http-equiv="refresh" content="2">/);
  assert.doesNotMatch(await page(`${url}/?identity=amy&pause=1`), /http-equiv/);
  const link = /<ol id="messages"[^>]*><li[^>]*><a href="(\/message\/\d+)">/.exec(inbox)?.[1];
  const message = await page(url + link);
  assert.doesNotMatch(message, /<img/);
  assert.equal(plain(/<pre id="text">\n([^<]*)<\/pre>/.exec(message)?.[1] ?? '').trim(), hostile);
  const raw = await fetch(`${url}${/<a id="raw" href="([^"]*)"/.exec(message)?.[1]}`);
  assert.equal(raw.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(raw.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(await raw.text(), reply(hostile, hostile));
});

test('every answer forbids framing and all scripts but its own', async (t) => {
  const { url } = await start(t);
  for (const path of ['/', '/compose', '/style.css', '/page.js', '/message/1', '/send', '/api/messages', '/faults']) {
    const policy = (await fetch(url + path)).headers.get('content-security-policy') ?? '';
    assert.match(
      policy,
      /^default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/,
    );
  }
});

test('forms of other pages and names of other hosts are refused', async (t) => {
  const { service, url, kit } = await start(t);
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]) {
    assert.equal((await post(url, mail, headers)).status, 403, JSON.stringify(headers));
  }
  assert.equal(service.messages.length, 0);
  assert.equal((await post(url, mail, { origin: url, 'sec-fetch-site': 'same-origin' })).status, 200);
  const statusFor = (host: string) =>
    new Promise((resolve, reject) => {
      request({ ...kit.mailboxPage.address, headers: { host } }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end();
    });
  assert.equal(await statusFor('localhost:8025'), 200);
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:8025'])
    assert.equal(await statusFor(host), 421, host);
});

test('mistakes get a clear page', async (t) => {
  const { url, service } = await start(t);
  const oneAddress = await post(url, { ...mail, to: `a@b.example, ${hostile}` });
  assert.equal(oneAddress.status, 422);
  const form = await oneAddress.text();
  assert.match(form, /role="alert">Please give exactly one mail address/);
  assert.match(form, /Hello<\/textarea>/);
  assert.doesNotMatch(form, /<img/);
  assert.equal((await post(url, { ...mail, identity: '__proto__' })).status, 422);
  assert.equal(
    (await fetch(`${url}/send`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }))
      .status,
    422,
  );
  assert.equal((await post(url, { ...mail, body: 'x'.repeat(70_000) })).status, 413);
  assert.equal((await fetch(`${url}/message/999`)).status, 404);
  assert.equal((await fetch(`${url}/nowhere`)).status, 404);
  assert.equal((await fetch(`${url}/send`)).status, 405);
  await service.close();
  const unreachable = await post(url, mail);
  assert.equal(unreachable.status, 502);
  assert.match(await unreachable.text(), /Nothing was sent: .*ECONNREFUSED/);
});

test('tests send through the kit what no mail program would', async (t) => {
  const { kit, service } = await start(t);
  const first = await kit.send('amy', { ...mail, rcptTo: 'other@in.school.example', mailFrom: '' });
  assert.deepEqual(service.messages[0]?.envelope, { mailFrom: '', rcptTo: ['other@in.school.example'] });
  assert.match(first.raw.toString(), /\r\nTo: k7m2-9qxf@in/);
  const again = await kit.send('amy', { to: mail.to, raw: first.raw });
  assert.equal(again.accepted, true);
  assert.deepEqual(service.messages[1]?.raw, first.raw);
});

test('a taken port is an error that leaves nothing open, or the next one is used', async (t) => {
  const { kit, service } = await start(t);
  const taken = { host: '127.0.0.1', port: kit.mailboxPage.address.port };
  const once = await startKit({ dns: free, sink: free, mailbox: free, smtpPort: () => service.port });
  await once.close();
  await once.close();
  await assert.rejects(fetch(once.mailboxPage.url));
  const ports = { dns: { ...free, port: once.dns.port }, sink: { ...free, port: once.sink.port } };
  const options = { ...ports, mailbox: taken, smtpPort: () => service.port };
  await assert.rejects(startKit(options), { code: 'EADDRINUSE' });
  const second = await startKit({ ...options, portTaken: 'next' });
  t.after(() => second.close());
  assert.deepEqual([second.dns.port, second.sink.port], [once.dns.port, once.sink.port]);
  assert.ok(second.mailboxPage.address.port > taken.port);
  await assert.rejects(
    startKit({ ...options, mailbox: { host: '0.0.0.0', port: 0 }, dns: free, sink: free }),
    /loopback/,
  );
});
