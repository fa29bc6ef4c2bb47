// `explain` beside a running service, on its data folder and with a real DNS server: what it foretells is what the wire
// then says, word for word; what it prints is for people, and harmless; and nothing is changed by asking.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { writeAddress } from '../../src/app/challenge-tokens.ts';
import type { Explanation } from '../../src/app/ports.ts';
import { runExplain } from '../../src/explain.ts';
import type { IdentityKey } from '../../src/testkit/identities.ts';
import type { SendOptions } from '../../src/testkit/message.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { keysIn, ringOf } from '../support/keyring.ts';
import { startWorld, stored, Visitor, type World } from '../support/world.ts';

const project = join(import.meta.dirname, '../..');
const defaults = join(project, 'config/default.yaml');
const minuteMs = 60_000;

let world: World;
let config: string;
let files = 0;

before(async () => {
  world = await startWorld();
  config = await put('config.yaml', JSON.stringify(settings()));
});
after(() => world.close());

const settings = () => ({
  web: { publicUrl: 'http://127.0.0.1:0' },
  smtp: { hostname: 'mx.in.school.example' },
  mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
  dns: { servers: [`127.0.0.1:${world.kit.dns.port}`] },
  relay: { url: 'smtp://127.0.0.1:9' },
  data: { dir: world.dataDir },
});

/** Puts a file beside the data folder. */
async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(world.dataDir, '..', name);
  await writeFile(path, content);
  return path;
}

const openPage = (): Promise<OpenPage> => new Visitor(world).open();

/** A mail as the identity's provider would send it; it does not arrive, for its recipient is refused. */
async function write(identity: IdentityKey, options: SendOptions): Promise<Buffer> {
  return (await world.kit.send(identity, { ...options, rcptTo: 'nobody@elsewhere.example' })).raw;
}

const run = (...args: readonly string[]) => runExplain([...args, '--config', config], defaults, {});

/** Explains a message as JSON, and checks that the text for people tells the same. */
async function explain(raw: string | Uint8Array, ...args: readonly string[]) {
  files += 1;
  const file = await put(`${files}.eml`, raw);
  const json = await run(file, '--json', ...args);
  assert.equal(json.complaint, '');
  const facts: Explanation = JSON.parse(json.output);
  const text = await run(file, ...args);
  assert.equal(text.exitCode, json.exitCode);
  for (const line of text.output.split('\n')) assert.ok(line.length <= 100, line);
  for (const output of [text.output, json.output]) assert.match(output, /^[\x20-\x7e\n]*$/);
  const flat = squeeze(text.output);
  for (const fact of factsToFind(facts)) assert.ok(flat.includes(squeeze(fact)), `${fact}\nnot in\n${text.output}`);
  return { ...facts, exitCode: json.exitCode, text: text.output };
}

/** Without blanks, for lines are broken where there is room. */
const squeeze = (text: string) => text.replace(/\s+/g, '');

function factsToFind({ decision, otherwise, author, recipient, mailFrom, sender, dns }: Explanation): string[] {
  const decisions = [decision, otherwise].flatMap((each) =>
    each ? [each.row, each.reason, each.answer, each.page] : [],
  );
  const signatures = sender?.signatures.flatMap((each) => [each.domain, each.selector, each.result, ...each.missed]);
  const spf = sender?.spf && [sender.spf.result, sender.spf.record, sender.spf.canary, ...sender.spf.missed];
  const dmarc = sender && [sender.dmarc.result, sender.dmarc.record, sender.dmarc.foundAt];
  const questions = dns.flatMap(({ type, name, code, records }) => [type, name, code ?? `${records} record`]);
  const all = [...decisions, author, recipient.value, mailFrom.value, signatures, spf, dmarc, questions].flat();
  const ascii = /^[\x20-\x5b\x5d-\x7e]+$/;
  return all.filter((fact): fact is string => typeof fact === 'string' && ascii.test(fact));
}

/** Lets the message arrive, and returns the answer of the service. */
async function deliver(identity: IdentityKey, raw: Buffer, to: string): Promise<string> {
  const { code, text } = await world.kit.send(identity, { raw, to });
  return `${code} ${text}`;
}

const local = ['--ip', '127.0.0.1'];

describe('what explain foretells is what the service answers', () => {
  it('believed for its signature, then answered already', async () => {
    const page = await openPage();
    const raw = await write('amy', { to: page.address, subject: page.label });
    const told = await explain(raw, ...local);
    assert.deepEqual([told.exitCode, told.decision.row, told.decision.by], [0, 'D17', 'signature']);
    assert.equal(told.author, 'amy.pond@school.example');
    assert.equal(told.recipient.state, 'open');
    assert.deepEqual(told.sender?.signatures[0], {
      domain: 'school.example',
      selector: 'test-rsa',
      algorithm: 'rsa-sha256',
      result: 'pass',
      trouble: null,
      missed: [],
    });
    assert.equal(told.sender?.dmarc.record, 'v=DMARC1; p=reject');
    assert.equal(told.sender?.spf?.record, 'v=spf1 ip4:192.0.2.10 -all');
    assert.deepEqual(told.sender?.spf?.missed, ['passes', 'dmarc-agrees']);
    assert.deepEqual(told.dns[0], { type: 'TXT', name: 'test-rsa._domainkey.school.example', records: 1, code: null });
    assert.equal(await deliver('amy', raw, page.address), told.decision.answer);
    const again = await explain(raw, ...local);
    assert.deepEqual([again.exitCode, again.decision.row, again.decision.page], [0, 'D15', null]);
  });

  it('believed by SPF, with and without a DMARC record', async () => {
    const page = await openPage();
    const raw = await write('jo', { to: page.address, subject: page.label });
    const told = await explain(
      raw,
      ...local,
      '--helo',
      'mx.company.example',
      '--mail-from',
      'jo.grant@company.example',
    );
    assert.deepEqual([told.exitCode, told.decision.row, told.decision.by], [0, 'D17', 'spf']);
    assert.deepEqual(told.sender?.spf?.canary, 'closed');
    assert.match(told.text, /The server 127\.0\.0\.1 may send for the domain of jo\.grant@company\.example/);
    const { zone } = world.kit;
    const record = zone['_dmarc.company.example'];
    delete zone['_dmarc.company.example'];
    const bare = await explain(raw, ...local);
    zone['_dmarc.company.example'] = record ?? {};
    assert.equal(bare.decision.row, 'D17');
    assert.deepEqual(bare.sender?.dmarc, { result: 'none', record: null, foundAt: null, policy: null });
    assert.match(bare.text, /TXT +no such name \(ENOTFOUND\) +_dmarc\.company\.example/);
    assert.deepEqual(bare.notes, ['mail-from-assumed', 'limits-not-counted']);
    const unknown = await explain(raw);
    assert.deepEqual([unknown.exitCode, unknown.decision.row, unknown.sender?.spf], [1, 'D14', null]);
    assert.match(unknown.text, /SPF was not looked at/);
    assert.equal(await deliver('jo', raw, page.address), told.decision.answer);
  });

  it('unsigned: refused for good, with each condition that is missed', async () => {
    const page = await openPage();
    const raw = await write('forger', { to: page.address, subject: page.label });
    const told = await explain(raw, ...local);
    assert.deepEqual([told.exitCode, told.decision.row], [1, 'D14']);
    assert.deepEqual(told.sender?.signatures, []);
    assert.match(told.text, /The message has no signature, and SPF does not vouch for the author\./);
    assert.match(told.decision.page ?? '', /^We could not confirm that this email really came/);
    assert.equal(await deliver('forger', raw, page.address), told.decision.answer);
    assert.match(told.decision.answer, /^550 5\.7\.26 .* domain school\.example$/);
  });

  it('a signed mail sent to another address, and one whose To is not signed', async () => {
    const [page, other] = [await openPage(), await openPage()];
    const raw = await write('amy', { to: page.address, subject: page.label });
    const told = await explain(raw, ...local, '--rcpt', `<${other.address}>`);
    assert.deepEqual([told.exitCode, told.decision.row, told.sender], [1, 'D10', null]);
    assert.equal(await deliver('amy', raw, other.address), told.decision.answer);
    const loose = await write('amy', { to: other.address, sign: { fields: ['From', 'Subject', 'Date'] } });
    const missed = await explain(loose, ...local);
    assert.equal(missed.decision.row, 'D14');
    assert.deepEqual(missed.sender?.signatures[0]?.missed, ['signs-the-challenge']);
    assert.match(missed.text, /signs-the-challenge: it covers neither To nor a Subject/);
  });

  it('changed on its way: why the signature does not hold', async () => {
    const page = await openPage();
    const raw = await write('amy', { to: page.address, subject: page.label, body: 'Hello' });
    const changed = Buffer.concat([raw, Buffer.from('-- \r\nA list\r\n')]);
    const told = await explain(changed);
    assert.deepEqual([told.exitCode, told.sender?.signatures[0]?.trouble], [1, 'body-changed']);
    assert.match(told.text, /Because +the text was changed after it was signed/);
    assert.doesNotMatch(told.text, /Hello|A list/);
  });

  it('a name server that fails: come again', async () => {
    const page = await openPage();
    // A key of its own: what the service has asked lately it may still know.
    const raw = await write('amy', { to: page.address, sign: { key: 'ed25519' } });
    const { zone } = world.kit;
    const key = zone['test-ed25519._domainkey.school.example'] ?? {};
    zone['test-ed25519._domainkey.school.example'] = { fail: 'servfail' };
    const told = await explain(raw, ...local);
    const answer = await deliver('amy', raw, page.address);
    zone['test-ed25519._domainkey.school.example'] = key;
    assert.deepEqual([told.exitCode, told.decision.row, told.decision.outcome], [75, 'D13', 'try-later']);
    assert.equal(answer, told.decision.answer);
    assert.equal(told.sender?.signatures[0]?.trouble, 'key-look-up-failed');
    assert.match(told.text, /ESERVFAIL/);
  });

  it('addresses that take no mail: expired, of another key, not ours, of the operator', async () => {
    const ours = createSecrets(await keysIn(world.dataDir));
    const address = {
      keyId: '',
      purpose: 'reset',
      locale: 'de',
      clientHint: { browser: 'other', system: 'other' },
      expiresAt: Math.floor(Date.now() / minuteMs - 10) * minuteMs,
      id: 'ab'.repeat(10),
    } as const;
    const at = (secrets: typeof ours) => `${writeAddress(secrets, address)}@in.school.example`;
    const cases = [
      [at(ours), 'R6', 'expired', /ended at \d{4}-\d\d-\d\d \d\d:\d\d UTC/],
      [at(createSecrets(ringOf(randomBytes(32)))), 'R5', 'foreign-key', /made with another key/],
      ['somebody@in.school.example', 'R5', 'other-form', /does not have the form/],
      ['somebody@school.example', 'R1', 'other-domain', /not at the domain of the one-time addresses/],
      ['postmaster@in.school.example', 'R2', 'no-operator', /smtp\.operator/],
    ] as const;
    for (const [to, row, state, why] of cases) {
      const raw = await write('amy', { to });
      const told = await explain(raw, ...local);
      assert.deepEqual([told.exitCode, told.decision.row, told.recipient.state], [1, row, state]);
      assert.match(told.text.replace(/\s+/g, ' '), why);
      assert.equal(await deliver('amy', raw, to), told.decision.answer);
      assert.equal(told.otherwise?.row, row === 'R6' ? 'D17' : undefined);
    }
  });
});

describe('explain', () => {
  it('reads a file that was saved with line feeds only, and says so', async () => {
    const page = await openPage();
    const raw = await write('amy', { to: page.address, subject: page.label });
    const told = await explain(raw.toString('latin1').replaceAll('\r\n', '\n'));
    assert.equal(told.decision.row, 'D17');
    assert.match(told.text, /line ends of Unix/);
  });

  it('prints the records and names of strangers as printable ASCII', async () => {
    const page = await openPage();
    const { zone } = world.kit;
    const before = { ...zone };
    zone['company.example'] = { TXT: ['v=spf1 ip4:127.0.0.1 x=\u001b[2J\u202egnp.exe\u009b -all'] };
    zone['_dmarc.company.example'] = { TXT: ['v=DMARC1; p=reject; x=\u001b]0;owned\u0007\\\u2028'] };
    const fields = 'v=1; a=rsa-sha256; d=a"b\\c<script>.example; s=x\\y; h=from:to; bh=AAAA; b=AAAA';
    const raw = await write('jo', { to: page.address, headers: { 'DKIM-Signature': fields } });
    const told = await explain(raw, ...local);
    Object.assign(zone, before);
    assert.match(told.text, /\\u\{1b\}\]0;owned\\u\{7\}\\\\/);
    assert.match(told.text, /a"b\\\\c<script>\.example: neutral/);
    assert.ok(told.sender?.dmarc.record?.startsWith('v=DMARC1; p=reject; x=\u001b]0;owned\u0007\\'), 'JSON has it all');
  });

  it('says what is wrong when there is no verdict, and ends with 2', async () => {
    const eml = await put('plain.eml', 'From: a@b.example\r\n\r\n');
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [['missing.eml'], /^missing\.eml was not found\.$/],
      [[world.dataDir], /is a folder/],
      [[], /^Which message\?.*Usage:/s],
      [[eml, eml], /One file/],
      [[eml, '--what'], /Unknown option '--what'.*Usage:/s],
      [[eml, '--ip', '127.0.0.300'], /--ip is not a network address/],
      [[eml, '--helo', 'a b'], /--helo/],
      [[eml, '--rcpt', 'nobody'], /--rcpt is not a mail address/],
      [[eml, '--mail-from', 'a@b\u001b[2J'], /--mail-from is not a mail address/],
    ];
    for (const [args, expected] of cases) {
      const { exitCode, output, complaint } = await run(...args);
      assert.deepEqual([exitCode, output], [2, ''], complaint);
      assert.match(complaint, expected);
    }
    const wrong = await runExplain([eml, '--config', config], defaults, { RTV_SMTP_HOSTNAME: 'no host' });
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.complaint, /There is 1 mistake in the settings.*RTV_SMTP_HOSTNAME/s);
    const ephemeral = await runExplain([eml, '--config', config], defaults, { RTV_KEYS_SOURCE: 'ephemeral' });
    assert.match(ephemeral.complaint, /keys\.source is ephemeral/);
    assert.equal((await run('--help')).exitCode, 0);
  });

  it('makes no key and no folder where there is none', async () => {
    const eml = await put('no-key.eml', 'From: a@b.example\r\n\r\n');
    const folder = join(world.dataDir, '../never-made');
    const { exitCode, complaint } = await runExplain([eml, '--config', config], defaults, { RTV_DATA_DIR: folder });
    assert.equal(exitCode, 2);
    assert.match(complaint, /keys\.json was not found/);
    await assert.rejects(stat(folder), { code: 'ENOENT' });
    const keys = join(world.dataDir, 'keys.json');
    await rename(keys, `${keys}.away`);
    assert.match((await run(eml)).complaint, /keys\.json was not found/);
    await rename(`${keys}.away`, keys);
    await chmod(keys, 0o640);
    assert.match((await run(eml)).complaint, /can be read by others/);
    await chmod(keys, 0o600);
  });

  it('runs as a process beside the service, changes nothing and prints no secret', async () => {
    const page = await openPage();
    const raw = await write('amy', { to: page.address, subject: page.label });
    const file = await put('process.eml', raw);
    const state = async () =>
      Promise.all(
        // The audit's last line may follow a moment later.
        (await readdir(world.dataDir, { recursive: true }))
          .filter((name) => name !== 'audit.jsonl')
          .toSorted()
          .map(async (name) => {
            const { ino, mtimeMs, size } = await stat(join(world.dataDir, name));
            return [name, ino, mtimeMs, size];
          }),
      );
    // The service itself has nothing left to note of the mails before this one.
    const noted = () => stored(world, 'challenges');
    while ((await noted()).includes('"queued"')) await openPage();
    const before = await state();
    const sent = world.kit.sink.messages.length;
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RTV_')));
    const start = (...args: readonly string[]) =>
      new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
        const command = ['src/main.ts', 'explain', ...args, '--config', config];
        execFile(process.execPath, command, { cwd: project, env: own }, (error, stdout, stderr) =>
          resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
        );
      });
    const [text, json, missing] = await Promise.all([start(file), start('--json', file), start('missing.eml')]);
    assert.deepEqual([text.code, text.stderr], [0, '']);
    assert.match(text.stdout, /^Accepted\.\n {2}Decided by +row D12 by signature, on to row D17/);
    assert.deepEqual([json.code, JSON.parse(json.stdout).decision.row], [0, 'D17']);
    assert.deepEqual([missing.code, missing.stdout, missing.stderr], [2, '', 'missing.eml was not found.\n']);
    assert.deepEqual(await state(), before);
    assert.equal(world.kit.sink.messages.length, sent);
    const key = Buffer.from((await keysIn(world.dataDir)).keys[0]?.secret ?? []);
    for (const output of [text.stdout, json.stdout]) {
      assert.ok(!output.includes(key.toString('base64url')) && !output.includes(key.toString('hex')));
    }
    assert.equal(await deliver('amy', raw, page.address), JSON.parse(json.stdout).decision.answer);
  });
});
