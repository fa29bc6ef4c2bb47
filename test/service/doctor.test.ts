// The commands `doctor` and `check-config` on a running service with the test kit around it: all is well, and one thing
// after the other is not; how they are called, and that no secret is shown.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import { runCheckConfig } from '../../src/check-config.ts';
import { runDoctor } from '../../src/doctor.ts';
import { makeCertificate } from '../support/smtp.ts';
import { startWorld, type World } from '../support/world.ts';

const defaults = join(import.meta.dirname, '../../config/default.yaml');
const hostname = 'mx.in.school.example';
const dayMs = 24 * 60 * 60_000;

let world: World;
let folder: string;
const file = (name: string) => join(folder, name);
const authorities = getCACertificates('default');
const path = process.env.PATH;

async function putCertificate(name: string, names: readonly string[], validTo?: number): Promise<string> {
  const { cert, key } = makeCertificate(name, names, validTo);
  await Promise.all([writeFile(file(`${name}.pem`), cert), writeFile(file(`${name}.key`), key, { mode: 0o600 })]);
  return cert;
}

/** What systemd would say of the clock. */
async function sayClock(word: string): Promise<void> {
  await mkdir(file('bin'), { recursive: true });
  await writeFile(file('bin/timedatectl'), `#!/bin/sh\necho ${word}\n`, { mode: 0o755 });
  process.env.PATH = `${file('bin')}${delimiter}${path}`;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtv-doctor-'));
  const [web] = await Promise.all([putCertificate('web', ['127.0.0.1']), putCertificate('smtp', [hostname])]);
  setDefaultCACertificates([...authorities, web]);
  world = await startWorld({
    'web.publicUrl': 'https://127.0.0.1:0',
    'web.certificateFile': file('web.pem'),
    'web.keyFile': file('web.key'),
    'smtp.certificateFile': file('smtp.pem'),
    'smtp.keyFile': file('smtp.key'),
  });
  // As an administrator would have them by now.
  await Promise.all([chmod(world.dataDir, 0o700), chmod(join(world.dataDir, 'accounts.json'), 0o600)]);
  Object.assign(world.kit.zone, {
    '1.0.0.127.in-addr.arpa': { PTR: [hostname] },
    'school.example': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
  });
  await sayClock('yes');
});
after(async () => {
  setDefaultCACertificates(authorities);
  process.env.PATH = path;
  await world.close();
  await rm(folder, { recursive: true });
});

interface Changes {
  readonly web?: object;
  readonly smtp?: object;
  readonly relay?: object;
  readonly dns?: object;
  readonly directory?: object;
  readonly mail?: object;
}

async function settingsFile(changes: Changes = {}): Promise<string> {
  const { web, smtp } = world.addresses;
  const settings = {
    web: { publicUrl: `https://127.0.0.1:${web.port}`, ...changes.web },
    smtp: {
      listen: `127.0.0.1:${smtp.port}`,
      hostname,
      certificateFile: file('smtp.pem'),
      keyFile: file('smtp.key'),
      ...changes.smtp,
    },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School', ...changes.mail },
    dns: { servers: [`127.0.0.1:${world.kit.dns.port}`], ...changes.dns },
    relay: { url: `smtp://127.0.0.1:${world.kit.sink.port}`, ...changes.relay },
    data: { dir: world.dataDir },
    directory: { ...changes.directory },
  };
  await writeFile(file('settings.yaml'), JSON.stringify(settings));
  return file('settings.yaml');
}

interface Check {
  readonly publish: readonly string[];
  readonly name: string;
  readonly state: string;
  readonly found: string;
}

async function doctor(changes: Changes = {}, mailPort = world.addresses.smtp.port) {
  const args = ['--config', await settingsFile(changes), '--json'];
  const { exitCode, output, complaint } = await runDoctor({ args, defaults, env: {} }, { mailPort });
  assert.equal(complaint, '');
  const { checks } = JSON.parse(output) as { readonly checks: readonly Check[] };
  // How many files a test machine allows is its own affair.
  const toDo = checks.filter(({ name, state }) => state === 'to-do' && name !== 'open-files');
  return { exitCode, checks, toDo };
}

/** Whether exactly one thing is to be done, and which. */
async function findsOne(name: string, found: RegExp, changes: Changes = {}, mailPort?: number): Promise<void> {
  const { exitCode, toDo } = await doctor(changes, mailPort);
  assert.deepEqual(
    toDo.map((check) => check.name),
    [name],
  );
  assert.match(toDo[0]?.found ?? '', found);
  assert.equal(exitCode, 1);
}

describe('doctor', { timeout: 60_000 }, () => {
  const undo: (() => void)[] = [];
  afterEach(() => {
    for (const each of undo.splice(0)) each();
  });
  /** Changes the zone until the end of the test. */
  function zone(name: string, records: (typeof world.kit.zone)[string] | undefined): void {
    const before = world.kit.zone[name];
    if (records === undefined) delete world.kit.zone[name];
    else world.kit.zone[name] = records;
    undo.push(() => {
      if (before === undefined) delete world.kit.zone[name];
      else world.kit.zone[name] = before;
    });
  }

  it('finds nothing to do where all is well, and sends nothing', async () => {
    const { checks, toDo } = await doctor();
    assert.deepEqual(toDo, []);
    const state = (wanted: string) => checks.filter((check) => check.state === wanted).map(({ name }) => name);
    assert.deepEqual(state('unknown'), ['from-dkim']);
    const good = ['dns', 'mx', 'mx-address', 'one-time-spf', 'one-time-dmarc', 'from-spf', 'from-dmarc', 'reverse-dns'];
    const host = ['mail-port 127.0.0.1', 'smtp-certificate', 'pages', 'relay', 'clock', 'data-folder'];
    assert.deepEqual(
      state('ok').filter((name) => name !== 'open-files'),
      [...good, ...host],
    );
    assert.deepEqual(world.kit.sink.messages, []);
    const limit = /^Max open files\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1];
    assert.match(checks.find(({ name }) => name === 'open-files')?.found ?? '', new RegExp(` ${limit} files`));
  });

  it('finds each record that is missing or wrong', async () => {
    const domain = 'in.school.example';
    const good = world.kit.zone[domain] ?? {};
    const cases: readonly [name: string, place: string, records: object | undefined][] = [
      ['mx', domain, { ...good, MX: [] }],
      ['mx', domain, { ...good, MX: [{ exchange: 'mx.school.example', priority: 5 }] }],
      ['one-time-spf', domain, { ...good, TXT: ['v=spf1 mx -all'] }],
      ['one-time-dmarc', `_dmarc.${domain}`, { TXT: ['v=DMARC1; p=none'] }],
      ['from-dmarc', '_dmarc.school.example', undefined],
      ['from-spf', 'school.example', { TXT: [] }],
      ['reverse-dns', '1.0.0.127.in-addr.arpa', undefined],
      ['mx-address', hostname, { CNAME: 'mx.school.example' }],
    ];
    for (const [name, place, records] of cases) {
      zone(place, records);
      await findsOne(name, /./);
      undo.pop()?.();
    }
  });

  it('prints what to publish as lines for a zone file', async () => {
    zone('in.school.example', { MX: [{ exchange: hostname, priority: 10 }] });
    const args = ['--config', await settingsFile()];
    const { output, exitCode } = await runDoctor({ args, defaults, env: {} }, { mailPort: world.addresses.smtp.port });
    assert.equal(exitCode, 1);
    assert.match(output, /^TO DO {3}one-time-spf: /m);
    assert.match(output, /^in\.school\.example\. {2}IN {2}TXT {2}"v=spf1 -all"$/m);
    assert.match(output, / ok, [12] to do, 1 that cannot be told from here\.$/);
  });

  it('shows texts of strangers as harmless characters', async () => {
    zone('school.example', { TXT: ['v=spf1 \x1b[2Jé -all'] });
    const args = ['--config', await settingsFile()];
    const { output } = await runDoctor({ args, defaults, env: {} }, { mailPort: world.addresses.smtp.port });
    assert.doesNotMatch(output, /[^\x20-\x7e\n]/);
    assert.match(output, /v=spf1 \\u\{1b\}\[2J/);
  });

  it('finds a DNS server that does not answer, and says the rest all the same', async () => {
    const { toDo, checks } = await doctor({ dns: { servers: ['127.0.0.1:9'] } });
    assert.deepEqual(
      toDo.map(({ name }) => name),
      ['dns'],
    );
    assert.ok(checks.some(({ name }) => name === 'relay'));
  });

  it('finds a port that is closed, and one where somebody else is', async () => {
    await findsOne('mail-port 127.0.0.1', /is closed/, {}, 9);
    await findsOne('mail-port 127.0.0.1', /somebody else/, {}, world.kit.sink.port);
    zone(hostname, { A: ['127.0.0.1', '127.0.0.9'] });
    zone('9.0.0.127.in-addr.arpa', { PTR: [hostname] });
    await findsOne('mail-port 127.0.0.9', /is closed/);
  });

  it('finds a certificate for STARTTLS that is not for our name, expired, or not there', async () => {
    await putCertificate('other', ['mx.school.example']);
    await putCertificate('old', [hostname], Date.now() - dayMs);
    await putCertificate('soon', [hostname], Date.now() + 3 * dayMs);
    const files = (name: string) => ({ smtp: { certificateFile: file(`${name}.pem`), keyFile: file(`${name}.key`) } });
    await findsOne('smtp-certificate', /is not for mx\.in/, files('other'));
    await findsOne('smtp-certificate', /has expired/, files('old'));
    await findsOne('smtp-certificate', /is valid until/, files('soon'));
    await findsOne('smtp-certificate', /nowhere\.(?:pem|key) was not found/, files('nowhere'));
    const unfitting = { smtp: { certificateFile: file('smtp.pem'), keyFile: file('old.key') } };
    await findsOne('smtp-certificate', /are no certificate and its key/, unfitting);
    await findsOne('smtp-certificate', /None is set/, {
      smtp: { listen: '0.0.0.0:2525', certificateFile: null, keyFile: null },
    });
  });

  it('finds pages with a certificate that browsers refuse, pages that are not ours, and none at all', async () => {
    setDefaultCACertificates(authorities);
    await findsOne('pages', /Browsers refuse the certificate .*\(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
    setDefaultCACertificates([...authorities, await readFile(file('web.pem'), 'utf8')]);
    const { host } = new URL(world.kit.mailboxPage.url);
    await findsOne('pages', /does not show our page/, { web: { publicUrl: `http://${host}` } });
    await findsOne('pages', /Nobody listens/, { web: { publicUrl: 'http://127.0.0.1:9' } });
  });

  it('compares the keys that sign with what the DNS has', async () => {
    const keys = {
      rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
      ed: generateKeyPairSync('ed25519'),
    };
    const pem = { type: 'pkcs8', format: 'pem' } as const;
    for (const [name, { privateKey }] of Object.entries(keys)) {
      await writeFile(file(`dkim-${name}.pem`), privateKey.export(pem), { mode: 0o600 });
    }
    const mail = { dkimKeys: [`one=${file('dkim-rsa.pem')}`, `two=${file('dkim-ed.pem')}`] };
    const { checks, toDo } = await doctor({ mail });
    assert.deepEqual(
      toDo.map(({ name }) => name),
      ['from-dkim one', 'from-dkim two'],
    );
    // What it says is what has to be published: with that, all is well.
    for (const { name, publish } of checks.filter((check) => check.name.startsWith('from-dkim'))) {
      const [, place = '', data = ''] = /^(\S+)\. {2}IN {2}TXT {2}(.*)$/.exec(publish[0] ?? '') ?? [];
      assert.equal(place, `${name.split(' ')[1]}._domainkey.school.example`);
      zone(place, { TXT: [[...data.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join('')] });
    }
    assert.deepEqual((await doctor({ mail })).toDo, []);
    zone('one._domainkey.school.example', { TXT: ['v=DKIM1; p=AAAA'] });
    await findsOne('from-dkim one', /has another key/, { mail });
  });

  it('says which file of the settings it cannot read', async () => {
    const args = ['--config', await settingsFile({ mail: { dkimKeys: [`one=${file('none.pem')}`] } })];
    const { exitCode, complaint } = await runDoctor({ args, defaults, env: {} });
    assert.equal(exitCode, 1);
    assert.match(complaint, /none\.pem was not found/);
  });

  it('finds a relay that is away, or refuses the login', async () => {
    await findsOne('relay', /connection \(ESOCKET CONN\)/, { relay: { url: 'smtp://127.0.0.1:9' } });
    const sink = `smtp://127.0.0.1:${world.kit.sink.port}`;
    await findsOne('relay', /tls \(ETLS/, { relay: { url: sink, tls: 'required' } });
    const relay = new SMTPServer({
      logger: false,
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ password }, _session, callback) =>
        password === 'right' ? callback(null, { user: 'u' }) : callback(new Error('no')),
    });
    const port = await new Promise<number>((resolve) => {
      const server = relay.listen(0, '127.0.0.1', () => resolve(Object(server.address()).port));
    });
    undo.push(() => relay.close());
    const url = (password: string) => ({ relay: { url: `smtp://u:${password}@127.0.0.1:${port}` } });
    await findsOne('relay', /login \(EAUTH/, url('wrong'));
    const { checks, toDo } = await doctor(url('right'));
    assert.deepEqual(toDo, []);
    assert.match(checks.find(({ name }) => name === 'relay')?.found ?? '', /not encrypted, logged in/);
  });

  it('finds a clock that nobody keeps right, and a folder that others can read', async () => {
    await sayClock('no');
    await findsOne('clock', /No time service/);
    await sayClock('perhaps');
    const { checks, toDo } = await doctor();
    assert.deepEqual([toDo, checks.find(({ name }) => name === 'clock')?.state], [[], 'unknown']);
    await sayClock('yes');
    await chmod(join(world.dataDir, 'accounts.json'), 0o640);
    await findsOne('data-folder', /Others can read .*accounts\.json/);
    await chmod(join(world.dataDir, 'accounts.json'), 0o600);
  });
});

describe('check-config', () => {
  const check = async (changes: Changes, ...more: string[]) =>
    runCheckConfig({ args: ['--config', await settingsFile(changes), ...more], defaults, env: {} });

  it('says that all is fine, and what the settings mean, without secrets', async () => {
    const relay = { url: 'smtp://user:geheim@relay.school.example:587' };
    const web = { certificateFile: file('web.pem'), keyFile: file('web.key'), listen: 'systemd' };
    const { exitCode, output, complaint } = await check({ relay, web });
    assert.deepEqual([exitCode, complaint], [0, '']);
    assert.match(output, /^The settings are fine\.$/m);
    assert.match(output, /^ {2}Pages {5}https:\/\/127\.0\.0\.1:\d+, served at a socket of systemd with TLS$/m);
    assert.match(output, /^ {2}Mail {6}for in\.school\.example, received at .* as mx\.in.*, with STARTTLS$/m);
    assert.match(output, /^ {2}Replies .* through relay\.school\.example:587, with a login$/m);
    assert.doesNotMatch(output, /geheim|user:/);
    assert.match((await check({})).output, /without TLS, which a proxy adds; name it in web\.trustedProxies$/m);
  });

  it('finds every file that is not as it must be', async () => {
    await writeFile(file('secret'), 'whsec_x', { mode: 0o644 });
    await writeFile(file('logo.txt'), 'no image');
    const { exitCode, output } = await check({
      web: { logoFile: file('logo.txt'), certificateFile: file('web.pem'), keyFile: file('smtp.key') },
      smtp: { certificateFile: file('none.pem'), keyFile: file('smtp.key') },
      directory: { kind: 'http', url: 'https://accounts.school.example', secretFile: file('secret') },
    });
    assert.equal(exitCode, 1);
    for (const problem of [/web\.logoFile: .* is no PNG/, /web\.certificateFile, .* are no certificate/, /none\.pem/]) {
      assert.match(output, problem);
    }
    assert.match(output, /secret can be read by others \(mode 644\)/);
    assert.doesNotMatch(output, /whsec_x/);
  });

  it('finds a private key that everybody can read', async () => {
    await chmod(file('smtp.key'), 0o604);
    const { exitCode, output } = await check({});
    await chmod(file('smtp.key'), 0o640);
    assert.equal(exitCode, 1);
    assert.match(output, /smtp\.keyFile: .*smtp\.key is open to everybody\. Run: chmod o= /);
    assert.equal((await check({})).exitCode, 0);
  });

  it('says all mistakes of the settings, as text and as JSON', async () => {
    const { exitCode, output, complaint } = await check({ web: { listen: 'x' }, smtp: { frontAddresses: 'x' } });
    assert.deepEqual([exitCode, output], [1, '']);
    assert.match(complaint, /There are 2 mistakes/);
    const asJson = await check({ web: { listen: 'x' } }, '--json');
    assert.equal(asJson.exitCode, 1);
    assert.equal(JSON.parse(asJson.output).mistakes[0].setting, 'web.listen');
  });

  it('explains itself', async () => {
    const run = (...args: string[]) => runCheckConfig({ args, defaults, env: {} });
    const help = await run('--help', '--nonsense');
    assert.deepEqual([help.exitCode, help.complaint], [0, '']);
    assert.match(help.output, /reply-to-verify check-config/);
    for (const args of [['--nonsense'], ['file.yaml'], ['--config']]) {
      const { exitCode, complaint } = await run(...args);
      assert.equal(exitCode, 2, args.join());
      assert.match(complaint, /\n\nUsage:\n/);
    }
  });
});
