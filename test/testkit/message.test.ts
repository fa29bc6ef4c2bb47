// Messages of the test identities: believed by mailauth through the kit's own DNS, well formed, and bendable by tests.

import assert from 'node:assert/strict';
import { Resolver } from 'node:dns/promises';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { authenticate } from 'mailauth';
import { simpleParser } from 'mailparser';
import { type DkimKeys, loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, type IdentityKey, identities, kitZone } from '../../src/testkit/identities.ts';
import { composeMessage, type MessageOptions, writeMail } from '../../src/testkit/message.ts';

let keys: DkimKeys;
before(async () => {
  keys = await loadDkimKeys();
});
const to = 'k7m2-9qxf@in.school.example';

function person(key: IdentityKey) {
  const identity = findIdentity(key);
  assert.ok(identity);
  return identity;
}

async function judge(t: TestContext, raw: Buffer, key: IdentityKey, ip = '127.0.0.1') {
  const server = await startDnsServer({ host: '127.0.0.1', port: 0, zone: kitZone('in.school.example', keys) });
  t.after(() => server.close());
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.port}`]);
  const { mailbox, domain } = person(key);
  return authenticate(raw, {
    ip,
    helo: `mx.${domain}`,
    sender: mailbox,
    mta: 'mx.in.school.example',
    strict: true,
    disableArc: true,
    disableBimi: true,
    resolver: (name, type) =>
      type === 'TXT' ? resolver.resolveTxt(name) : Promise.reject(new Error(`asked for ${type}`)),
  });
}

const write = (key: IdentityKey, options: Partial<MessageOptions> = {}) =>
  writeMail(person(key), keys, { to, subject: 'Reset KQXF-WTMB', body: 'Hello', ...options });

type Verdict = Awaited<ReturnType<typeof authenticate>>;
const spfOf = (verdict: Verdict) => (verdict.spf ? verdict.spf.status.result : undefined);
const dmarcOf = (verdict: Verdict) => (verdict.dmarc ? verdict.dmarc.status.result : undefined);
const signatureOf = (verdict: Verdict) => verdict.dkim?.results?.[0];

for (const key of ['rsa', 'ed25519'] as const) {
  test(`a message of the school passes DKIM (${key}) and DMARC, with To signed`, async (t) => {
    const verdict = await judge(t, await write('amy', { sign: { key } }), 'amy');
    const signature = signatureOf(verdict);
    assert.equal(signature?.status.result, 'pass');
    assert.equal(signature.status.aligned, 'school.example');
    assert.equal(signature.algo, `${key}-sha256`);
    const signed = 'from to subject date message-id mime-version content-type';
    assert.deepEqual(new Set(signature.signingHeaders?.keys.toLowerCase().split(/:\s*/)), new Set(signed.split(' ')));
    assert.deepEqual([spfOf(verdict), dmarcOf(verdict)], ['fail', 'pass']);
  });
}

test('what nobody signed stands or falls with SPF', async (t) => {
  const verdicts = async (key: IdentityKey, ip?: string) => {
    const verdict = await judge(t, await write(key), key, ip);
    return [signatureOf(verdict)?.status.result, spfOf(verdict), dmarcOf(verdict)];
  };
  assert.deepEqual(await verdicts('jo'), ['none', 'pass', 'pass']);
  assert.deepEqual(await verdicts('jo', '::1'), ['none', 'pass', 'pass']);
  assert.deepEqual(await verdicts('jo', '192.0.2.77'), ['none', 'fail', 'fail']);
  assert.deepEqual(await verdicts('forger'), ['none', 'fail', 'fail']);
});

test('a test chooses what is signed', async (t) => {
  const verdict = await judge(t, await write('amy', { sign: { fields: ['From', 'Subject'] } }), 'amy');
  assert.equal(signatureOf(verdict)?.signingHeaders?.keys.toLowerCase().includes('to'), false);
  assert.equal(dmarcOf(verdict), 'pass');
  assert.equal((await write('amy', { sign: 'none' })).includes('DKIM-Signature'), false);
  const changed = Buffer.from((await write('amy')).toString().replace('To: k7m2', 'To: other'));
  assert.equal(dmarcOf(await judge(t, changed, 'amy')), 'fail');
});

test('a composed message is read as it was meant', async () => {
  const subject = `Grüße an alle 👋🏽 ${'ein langer Betreff '.repeat(20)}`.trim();
  const body = `Zeile 1 = ümläut \n.\n..\n${'lang '.repeat(400)}\n`;
  const raw = await write('amy', { subject, body });
  assert.ok(
    raw
      .toString('latin1')
      .split('\r\n')
      .every((line) => line.length <= 998 && /^[\t\x20-\x7e]*$/.test(line)),
  );
  const words = raw.toString().match(/=\?UTF-8\?B\?\S*/g) ?? [];
  assert.ok(words.length > 5 && words.every((word) => word.length <= 75));
  const mail = await simpleParser(raw);
  assert.equal(mail.subject, subject);
  assert.equal(mail.text, body);
  assert.deepEqual(mail.from?.value, [{ address: 'amy.pond@school.example', name: 'Amy Pond' }]);
  assert.match(mail.messageId ?? '', /^<[0-9a-f-]{36}@school\.example>$/);
  assert.ok(Math.abs((mail.date?.getTime() ?? 0) - Date.now()) < 10_000);
  const plain = (await write('amy', { subject: 'a\r\nBcc: b', body: 'x\ry' })).toString();
  assert.match(plain, /\r\nSubject: a Bcc: b\r\n/);
  assert.match(plain, /\r\nContent-Transfer-Encoding: 7bit\r\n\r\nx\r\ny\r\n$/);
  const oddName = composeMessage({ ...person('amy'), name: 'Pond, "Amy"' }, { to });
  assert.equal((await simpleParser(oddName)).from?.value[0]?.name, 'Pond, "Amy"');
});

test('headers can be replaced, repeated, added and left out', () => {
  const headers = { FROM: ['a@b.example', 'c@d.example'], subject: undefined, 'In-Reply-To': '<x@y.example>' };
  const raw = composeMessage(person('amy'), { to, subject: 'gone', headers }).toString();
  assert.match(raw, /^FROM: a@b\.example\r\nFROM: c@d\.example\r\nTo: /);
  assert.doesNotMatch(raw, /Subject|gone|Amy/);
  assert.match(raw, /\r\nIn-Reply-To: <x@y\.example>\r\n\r\n/);
});

test('keys are kept in a private file, and made anew when it is damaged', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'testkit-keys-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'new', 'keys.json');
  const made = await loadDkimKeys(file);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await loadDkimKeys(file), made);
  for (const damage of [
    '',
    '{',
    'null',
    '[]',
    JSON.stringify({ ...made, rsa: made.ed25519 }),
    JSON.stringify({ rsa: 1 }),
  ]) {
    await writeFile(file, damage);
    await chmod(file, 0o644);
    const fresh = await loadDkimKeys(file);
    assert.notEqual(fresh.ed25519, made.ed25519);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), fresh);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  }
  assert.deepEqual(await readdir(join(folder, 'new')), ['keys.json']);
  await assert.rejects(loadDkimKeys(folder), { code: 'EISDIR' });
});

test('the one-time domain sends no mail, and belongs to nobody else', () => {
  const zone = kitZone('in.school.example', keys);
  assert.deepEqual(zone['in.school.example'], {
    MX: [{ exchange: 'mx.in.school.example', priority: 10 }],
    TXT: ['v=spf1 -all'],
  });
  assert.deepEqual(zone['mx.in.school.example'], { A: ['127.0.0.1'] });
  assert.throws(() => kitZone('school.example', keys), /belongs to a test identity/);
  assert.equal(new Set(identities.map(({ key }) => key)).size, identities.length);
});
