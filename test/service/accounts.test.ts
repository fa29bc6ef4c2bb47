// The command `accounts` beside a running service and without one: what it does is so at once, for the pages as well;
// what is wrong is told, all of it, and then nothing has changed.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type AccountsOptions, runAccounts } from '../../src/accounts.ts';
import { claimDataFolder } from '../../src/adapters/store/data-folder.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const project = join(import.meta.dirname, '../..');
const defaults = join(project, 'config/default.yaml');
const amy = 'amy.pond@school.example';

let world: World;
let root: string;
let beside: Run;

type Run = (...args: readonly string[]) => ReturnType<typeof runAccounts>;

before(async () => {
  world = await startWorld();
  root = join(world.dataDir, '..');
  beside = (await commandOn(world.dataDir)).run;
});
after(() => world.close());

/** The command on a data folder, with a settings file beside it. */
async function commandOn(
  folder: string,
  options: AccountsOptions = {},
  relay = 'smtp://127.0.0.1:9',
): Promise<{ run: Run; config: string }> {
  const settings = {
    web: { publicUrl: 'http://127.0.0.1:0' },
    smtp: { hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: ['127.0.0.1:9'] },
    relay: { url: relay },
    data: { dir: folder },
  };
  const config = `${folder}.yaml`;
  await writeFile(config, JSON.stringify(settings));
  return { config, run: (...args) => runAccounts([...args, '--config', config], defaults, {}, options) };
}

/** The command in a folder where no service is running. */
async function alone(t: TestContext, options: AccountsOptions = {}, relay?: string) {
  const parent = await mkdtemp(join(tmpdir(), 'rtv-accounts-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'data');
  return { folder, parent, ...(await commandOn(folder, options, relay)) };
}

async function done(run: ReturnType<Run>): Promise<string> {
  const { exitCode, output, complaint } = await run;
  assert.deepEqual([exitCode, complaint], [0, '']);
  return output;
}

async function json(run: ReturnType<Run>): Promise<ReturnType<typeof JSON.parse>> {
  return JSON.parse(await done(run));
}

async function refused(run: ReturnType<Run>, exitCode = 1): Promise<string> {
  const result = await run;
  assert.deepEqual([result.exitCode, result.output], [exitCode, '']);
  return result.complaint;
}

/** Somebody who has proved a mailbox. */
async function proved(): Promise<{ visitor: Visitor; nonce: string }> {
  const visitor = new Visitor(world);
  const page = await visitor.open();
  await world.kit.send('amy', { to: page.address, subject: page.label });
  assert.equal((await visitor.enter(page, await codeIn(await replyTo(world, amy, page.label)))).status, 303);
  return { visitor, nonce: page.nonce };
}

const accountsPage = async () => (await (await proved()).visitor.request('/reset/accounts')).text();

/** What comes of choosing an account: the text of a refusal, or where it goes on. */
async function choose(name: string): Promise<string> {
  const { visitor, nonce } = await proved();
  const { id } = await json(beside('show', name, '--json'));
  const answer = await visitor.post('/reset/accounts', { nonce, account: id });
  return answer.headers.get('location') ?? answer.text();
}

async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await writeFile(path, content);
  return path;
}

describe('accounts, beside a running service', () => {
  it('adds one that its owner finds at once, and removes it again', async () => {
    const added = await done(beside('add', 'amy.choir', '--mailbox', amy, '--description', 'Choir, second voice'));
    assert.equal(added, 'Added amy.choir.');
    const html = await accountsPage();
    for (const text of ['amy.choir', 'Choir, second voice', 'apond']) assert.ok(html.includes(text), text);
    assert.match(await done(beside('remove', 'AMY.choir')), /^Removed:\nName +amy\.choir\nDescription +Choir/);
    assert.ok(!(await accountsPage()).includes('amy.choir'));
    assert.match(await refused(beside('remove', 'amy.choir')), /^There is no account amy\.choir\./);
  });

  it('locks and unlocks, also what an undo has frozen', async () => {
    assert.equal(await done(beside('lock', 'apond')), 'apond is locked; it was active.');
    assert.equal(await done(beside('lock', 'Apond')), 'apond is locked, as it was.');
    assert.match(await choose('apond'), /This account is locked/);
    assert.equal(await done(beside('unlock', 'apond')), 'apond is active; it was locked.');
    assert.equal(await choose('apond'), '/reset/password');
    await world.service.stop();
    const path = join(world.dataDir, 'accounts.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('"state":"active"', '"state":"frozen"'));
    await world.restart();
    assert.match(await done(beside('show', 'apond')), /State +frozen, because a change was undone/);
    assert.notEqual(await choose('apond'), '/reset/password');
    assert.equal(await done(beside('unlock', 'apond')), 'apond is active; it was frozen.');
    assert.equal((await json(beside('show', 'apond', '--json'))).state, 'active');
    assert.equal(await choose('apond'), '/reset/password');
  });

  it('takes away a second factor that was lost, and tells what there is', async () => {
    assert.match(await done(beside('show', 'apond')), /\nSecond factor +none\n/);
    assert.equal(await done(beside('drop-second-factor', 'apond')), 'apond has no second factor, and had none.');
    await world.service.stop();
    const path = join(world.dataDir, 'accounts.json');
    const file = JSON.parse(await readFile(path, 'utf8'));
    const lost = { sealedSecret: 'AAAA', enrolledAt: 0, lastStep: 0, recoveryDigests: ['0'.repeat(64)] };
    const accounts = file.accounts.map((each: object) =>
      'apond' === Object(each).name ? { ...each, secondFactor: lost } : each,
    );
    await writeFile(path, JSON.stringify({ ...file, accounts }));
    await world.restart();
    const shown = await done(beside('show', 'apond'));
    assert.match(shown, /\nSecond factor +enrolled 1970-01-01 00:00 UTC, recovery codes left: 1\n/);
    assert.deepEqual((await json(beside('show', 'apond', '--json'))).secondFactor, {
      enrolledAt: 0,
      recoveryCodesLeft: 1,
    });
    const dropped = await json(beside('drop-second-factor', 'APOND', '--json'));
    assert.equal(dropped.secondFactor, null);
    assert.equal((await json(beside('show', 'apond', '--json'))).secondFactor, null);
    assert.match(await refused(beside('drop-second-factor', 'nobody')), /^There is no account nobody\./);
  });

  it('gives other mailboxes, but for a week after a reset only if that is meant', async () => {
    const { visitor, nonce } = await proved();
    const { id } = await json(beside('show', 'amy.chess', '--json'));
    await visitor.post('/reset/accounts', { nonce, account: id });
    const form = { nonce, account: id, password: 'blue kettle winter piano', repeated: 'blue kettle winter piano' };
    assert.equal((await visitor.post('/reset/password', form)).status, 303);
    const other = 'amy@home.example';
    const complaint = await refused(beside('set-mailboxes', 'amy.chess', other));
    const { addressFrozenUntil } = await json(beside('show', 'amy.chess', '--json'));
    assert.ok(Math.abs(addressFrozenUntil - Date.now() - 7 * 86_400_000) < 600_000);
    const date = `${new Date(addressFrozenUntil).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
    assert.ok(complaint.startsWith(`The mailboxes of amy.chess are not to be changed before ${date}, for`), complaint);
    const { exitCode, output } = await beside('set-mailboxes', 'amy.chess', other, '--json');
    assert.deepEqual([exitCode, JSON.parse(output).addressFrozenUntil], [1, addressFrozenUntil]);
    assert.equal(
      await done(beside('set-mailboxes', 'Amy.Chess', `${other},amy.pond@School.example`, '--even-if-frozen')),
      `amy.chess has the mailboxes ${other}, ${amy}; it had ${amy}.`,
    );
    const forced = await json(beside('set-mailboxes', 'amy.chess', amy, '--even-if-frozen', '--json'));
    assert.deepEqual(forced.mailboxes, [amy]);
    assert.match(await refused(beside('set-mailboxes', 'amy.chess', `a@,${amy},${amy}`)), /"a@" is not.*\n.*twice/);
    assert.equal(
      await done(beside('set-mailboxes', 'apond', other)),
      `apond has the mailboxes ${other}; it had ${amy}.`,
    );
    assert.ok(!(await accountsPage()).includes('apond'));
    await done(beside('set-mailboxes', 'apond', amy));
    assert.match(await refused(beside('set-mailboxes', 'nobody', amy)), /^There is no account nobody/);
  });

  it('lists in columns, or as JSON, with addresses and without hashes', async () => {
    const lines = (await done(beside('list'))).split('\n');
    assert.match(lines[0] ?? '', /^NAME +STATE +PASSWORD +MAILBOXES +DESCRIPTION$/);
    assert.equal(new Set(lines.map((line) => line.search(/(?<= )(active|STATE)/))).size, 1, 'below each other');
    const { accounts } = await json(beside('list', '--json'));
    assert.deepEqual(
      accounts.map(({ name, mailboxes }: Record<string, unknown>) => [name, mailboxes]),
      [
        ['amy.chess', [amy]],
        ['apond', [amy]],
        ['jgrant', ['jo.grant@company.example']],
        ['ssmith', ['ms.smith@school.example']],
      ],
    );
    const keys = 'id name description mailboxes state hasPassword passwordChangedAt sessionsEndedAt';
    assert.deepEqual(
      Object.keys(accounts[0]).sort(),
      [...keys.split(' '), 'confirmed', 'addressFrozenUntil', 'undoUntil', 'secondFactor'].sort(),
      'no hash among them',
    );
  });

  it('imports all in one write, whatever program wrote the file', async () => {
    const { ino } = await stat(join(world.dataDir, 'accounts.json'));
    const file = await put(
      'good.csv',
      '\ufeffMailboxes,name,description\r\n' +
        '"i1@school.example; i1@home.example","import one","A ""quoted"", one"\r\n\r\n' +
        'i2@School.example i3@school.example,Zoë,\r\n',
    );
    assert.equal(await done(beside('import', file)), 'Added 2 accounts.');
    assert.notEqual((await stat(join(world.dataDir, 'accounts.json'))).ino, ino);
    const one = await json(beside('show', 'import one', '--json'));
    assert.deepEqual(one.mailboxes, ['i1@school.example', 'i1@home.example']);
    assert.equal(one.description, 'A "quoted", one');
    assert.deepEqual((await json(beside('show', 'ZOË', '--json'))).mailboxes, [
      'i2@school.example',
      'i3@school.example',
    ]);
    for (const name of ['import one', 'Zoë']) await done(beside('remove', name));
  });

  it('tells every line of an import that is wrong, and changes nothing', async () => {
    const before = await readFile(join(world.dataDir, 'accounts.json'), 'utf8');
    const rows = [
      'name,description,mailboxes',
      'fine,,fine@school.example',
      ',,a@school.example',
      'APond,,a@school.example',
      'two,,a@',
      'three,no comma',
      'fo"ur,,a@school.example',
      'FINE,,a@school.example',
      'six,"a',
      'b",',
      'seven,,b@school.example',
    ];
    const file = await put('bad.csv', rows.join('\n'));
    const complaint = await refused(beside('import', file));
    const [head, ...lines] = complaint.split('\n');
    assert.equal(head, `${file} has 8 mistakes; nothing was changed.`);
    assert.deepEqual(
      lines.map((line) => line.replace(/[;"].*/, '').trim()),
      [
        'line 3: it has no name',
        'line 4: name: in use already',
        'line 5:',
        'line 6: there are 2 fields instead of 3',
        'line 7: a',
        'line 8: its name stands in line 2 already',
        'line 9: its description has a line break or another character that cannot be seen',
        'line 9: it has no mailbox',
      ],
    );
    const { exitCode, output } = await beside('import', file, '--json');
    assert.equal(exitCode, 1);
    assert.deepEqual(
      JSON.parse(output).mistakes.map(({ line }: { line: number }) => line),
      [3, 4, 5, 6, 7, 8, 9, 9],
    );
    assert.equal(await readFile(join(world.dataDir, 'accounts.json'), 'utf8'), before);
  });

  it('says what is wrong with a file as a whole', async () => {
    for (const [content, said] of [
      ['', /line 1: the file is empty; begin the file with the line name,description,mailboxes/],
      ['name,mailboxes', /line 1: the column description is missing/],
      ['name,description,mailboxes,password\n', /line 1: there is no column "password"/],
      ['name,name,description,mailboxes\n', /line 1: the column name is there twice/],
      ['name;description;mailboxes\na;b;c', /1 mistake;.*\n {2}line 1: .*save the file as CSV with commas/],
      [
        Buffer.from('name,description,mailboxes\nZo\xeb,,a@b.example\nJ\xf6,,', 'latin1'),
        /line 2: .*UTF-8.*\n.*line 3: /,
      ],
      ['name,description,mailboxes\na,"b', /line 2: a quoted field begins here/],
    ] as const) {
      assert.match(await refused(beside('import', await put('whole.csv', content))), said);
    }
    assert.match(await refused(beside('import', join(root, 'nowhere.csv'))), /nowhere\.csv was not found\.$/);
    assert.match(await refused(beside('import', root)), /is a folder\.$/);
    assert.equal(
      await done(beside('import', await put('none.csv', 'name,description,mailboxes\n'))),
      'Added 0 accounts.',
    );
  });

  it('says all that is wrong with one account', async () => {
    assert.equal(
      await refused(beside('add', ' x', '--mailbox', 'a@', '--mailbox', 'b')),
      [
        ' x was not added.',
        '  its name begins or ends with a blank; take that away',
        '  "a@" is not a plain mail address; write one such as amy.pond@school.example',
        '  "b" is not a plain mail address; write one such as amy.pond@school.example',
      ].join('\n'),
    );
    assert.match(await refused(beside('add', 'APOND', '--mailbox', amy)), /in use already/);
  });

  it('many at once: each is done, and the one name goes to one', async () => {
    const adds = await Promise.all(Array.from({ length: 6 }, () => beside('add', 'wanted', '--mailbox', amy)));
    assert.deepEqual(adds.map(({ exitCode }) => exitCode).sort(), [0, 1, 1, 1, 1, 1]);
    await done(beside('remove', 'wanted'));
  });

  it('runs as a process', async () => {
    const { config } = await commandOn(world.dataDir);
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RTV_')));
    const start = (...args: readonly string[]) =>
      new Promise<readonly [number, string, string]>((resolve) => {
        const command = ['src/main.ts', 'accounts', ...args, '--config', config];
        execFile(process.execPath, command, { cwd: project, env: own }, (error, stdout, stderr) =>
          resolve([Number(error?.code ?? 0), stdout, stderr]),
        );
      });
    const [list, nobody, wrong] = await Promise.all([start('list', '--json'), start('show', 'nobody'), start('frob')]);
    assert.deepEqual([list[0], list[2]], [0, '']);
    assert.equal(JSON.parse(list[1]).accounts.length, 4);
    assert.deepEqual(nobody, [1, '', 'There is no account nobody. "accounts list" shows all there are.\n']);
    assert.match(wrong[2], /^There is no command frob\.\n\nUsage:/);
    assert.deepEqual(wrong.slice(0, 2), [2, '']);
  });
});

describe('confirmed mailboxes', () => {
  it('shows which mailboxes were confirmed, and when', async () => {
    assert.match(await done(beside('show', 'jgrant')), /^Mailbox +jo\.grant@company\.example$/m);
    const visitor = new Visitor(world);
    const page = await visitor.open('confirm');
    await world.kit.send('jo', { to: page.address, subject: page.label });
    const code = await codeIn(await replyTo(world, 'jo.grant@company.example', page.label));
    assert.equal((await visitor.enter(page, code, 'confirm')).status, 303);
    assert.equal((await visitor.post('/confirm/mailbox', { nonce: page.nonce })).status, 303);
    assert.match(await done(beside('show', 'jgrant')), /^Mailbox +jo\.grant@company\.example, confirmed 20.* UTC$/m);
  });
});

describe('invitations', () => {
  const invitations = () => world.kit.sink.messages.filter(({ raw }) => raw.includes('auto-generated'));
  const last = async () => (await invitations().at(-1)?.view()) ?? assert.fail('no mail');

  it('go to every mailbox of whoever is named, in the language that is asked for', async () => {
    await done(beside('add', 'two boxes', '--mailbox', amy, '--mailbox', 'rory.williams@school.example'));
    const before = invitations().length;
    assert.equal(
      await done(beside('invite', 'Two Boxes', 'SSMITH', 'two boxes')),
      [
        `two boxes: ${amy} the relay took it`,
        'two boxes: rory.williams@school.example the relay took it',
        'ssmith: ms.smith@school.example the relay took it',
      ].join('\n'),
    );
    assert.equal(invitations().length, before + 3);
    assert.match((await last()).text, /The account ssmith was made for you at Example School\./);
    await done(beside('invite', 'ssmith', '--locale', 'de'));
    assert.match(
      (await last()).text.replace(/\s+/g, ' '),
      /Für Sie wurde bei Example School das Konto ssmith angelegt/,
    );
    await done(beside('remove', 'two boxes'));
  });

  it('go to nobody when one of those who are named cannot be invited, and each reason is told', async () => {
    const before = invitations().length;
    await done(beside('lock', 'ssmith'));
    const { visitor, nonce } = await proved();
    const { id } = await json(beside('show', 'amy.chess', '--json'));
    const password = 'blue kettle winter piano';
    await visitor.post('/reset/accounts', { nonce, account: id });
    const set = await visitor.post('/reset/password', { nonce, account: id, password, repeated: password });
    assert.equal(set.headers.get('location'), '/reset');
    await world.kit.sink.waitFor(() => invitations().length === before + 1, { timeoutMs: 5000 }); // the notice
    assert.equal(
      await refused(beside('invite', 'apond', 'SSMITH', 'amy.chess', 'nobody')),
      [
        'Nobody was invited.',
        '  ssmith: is locked',
        '  amy.chess: has a password already',
        '  nobody: there is no such account',
      ].join('\n'),
    );
    assert.equal(invitations().length, before + 1);
    const { invited } = await json(beside('invite', '--all', '--json'));
    assert.deepEqual(
      invited.map(({ name }: { name: string }) => name),
      ['apond', 'jgrant'],
      'all of them: who can be',
    );
    await done(beside('unlock', 'ssmith'));
  });

  it('that the relay does not take are told, one by one, and the others go out', async () => {
    const { sink } = world.kit;
    sink.faults = [{ at: 'rcpt', does: 'refuse', to: 'jo.grant@company.example' }];
    const { exitCode, complaint } = await beside('invite', 'jgrant', 'apond');
    sink.faults = [{ at: 'rcpt', does: 'defer' }];
    const later = await refused(beside('invite', 'apond'));
    sink.faults = [];
    assert.equal(exitCode, 1);
    assert.match(
      complaint,
      /^jgrant: jo\.grant@company\.example the relay refused it \(.*550\)\napond: .* the relay took it$/,
    );
    assert.match(later, /could not be handed over; try again later \(.*451\)$/);
  });

  it('that went out are told also when the service is gone in the middle', async () => {
    const endRemoval = world.kit.sink.onMessage(() => rmSync(join(world.dataDir, 'admin'), { force: true }));
    const complaint = await refused(beside('invite', 'jgrant', 'apond'));
    endRemoval();
    await world.restart();
    assert.match(
      complaint,
      /^jgrant: jo\.grant@company\.example the relay took it\napond: The service is gone; try again\.$/,
    );
  });

  it('let their owner in: by the words of the mail to the page, and to a password', async () => {
    await done(beside('invite', 'apond'));
    const { text } = await last();
    const visitor = new Visitor(world);
    const { html } = await visitor.open();
    const [, href, words] = /<a id="other" href="([^"]+)">([^<]+)</.exec(html) ?? [];
    assert.ok(text.replace(/\s+/g, ' ').includes(`“${words}”`));
    assert.equal(href, '/activate');
    assert.match((await visitor.open('activate')).html, /<h1>Activate your account/);
  });

  it('are sent without a service as well', async (t) => {
    const { port } = world.kit.sink;
    const { run, folder } = await alone(t, {}, `smtp://127.0.0.1:${port}`);
    await done(run('add', 'lonely', '--mailbox', amy));
    assert.equal(await done(run('invite', 'lonely')), `lonely: ${amy} the relay took it`);
    assert.match((await last()).text, /The account lonely was made for you/);
    assert.deepEqual(
      (await readdir(folder)).sort(),
      ['accounts.json', 'audit.jsonl'],
      'and nothing else is left behind',
    );
    await done(run('remove', 'lonely'));
    assert.equal(await done(run('invite', '--all')), 'There is nobody to invite.');
  });
});

describe('accounts, without a service', () => {
  it('opens the folder itself, makes it only to add, and gives it back', async (t) => {
    const { folder, run } = await alone(t);
    assert.match(
      await refused(run('list')),
      /There is no folder .*\(data\.dir\)\. Is --config the file of the service\?/,
    );
    await assert.rejects(stat(folder), { code: 'ENOENT' });
    assert.equal(await done(run('add', 'amy', '--mailbox', amy)), 'Added amy.');
    assert.match(await done(run('list')), /^amy +active +- +amy\.pond@school\.example$/m);
    assert.deepEqual((await readdir(folder)).sort(), ['accounts.json', 'audit.jsonl']);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    await done(run('remove', 'amy'));
    assert.equal(await done(run('list')), 'There are no accounts.');
  });

  it('several at once wait for each other', async (t) => {
    const { run } = await alone(t);
    const names = ['a', 'b', 'c', 'd'];
    await Promise.all(names.map((name) => done(run('add', name, '--mailbox', amy))));
    assert.deepEqual(
      (await json(run('list', '--json'))).accounts.map(({ name }: { name: string }) => name),
      names,
    );
  });

  it('gets by what a killed service has left, and so does the next service', async (t) => {
    const { folder, config, run } = await alone(t);
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('RTV_')));
    const env = { ...own, RTV_WEB_LISTEN: '127.0.0.1:0', RTV_SMTP_LISTEN: '127.0.0.1:0' };
    const serve = async () => {
      const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', config], { cwd: project, env });
      t.after(() => child.kill('SIGKILL'));
      const lines = createInterface(child.stdout);
      for await (const line of lines) if (line.includes('"event":"started"')) break;
      return child;
    };
    const first = await serve();
    await done(run('add', 'one', '--mailbox', amy));
    first.kill('SIGKILL');
    await once(first, 'exit');
    assert.ok((await readdir(folder)).includes('admin'), 'a dead socket');
    await done(run('add', 'two', '--mailbox', amy));
    const second = await serve();
    await done(run('add', 'three', '--mailbox', amy));
    assert.equal((await json(run('list', '--json'))).accounts.length, 3);
    second.kill('SIGINT');
    await once(second, 'exit');
    const kept = ['accounts.json', 'audit.jsonl', 'challenges', 'changes', 'keys.json'];
    assert.deepEqual((await readdir(folder)).sort(), kept);
  });

  it('says so when somebody has the folder who takes no commands', async (t) => {
    const { folder, run } = await alone(t, { waitMs: 100 });
    const release = await claimDataFolder(folder);
    const said = await refused(run('list'));
    assert.match(said, new RegExp(`in use by process ${process.pid}, which takes no commands.*restart it`));
    const patient = await commandOn(folder);
    const waiting = patient.run('list');
    await release();
    assert.equal(await done(waiting), 'There are no accounts.');
  });

  it('leaves a damaged file alone', async (t) => {
    const { folder, run } = await alone(t);
    await mkdir(folder);
    await writeFile(join(folder, 'accounts.json'), '{');
    assert.match(await refused(run('add', 'a', '--mailbox', amy)), /accounts\.json is not JSON/);
    assert.deepEqual(await readdir(folder), ['accounts.json']);
  });

  it('prints names and descriptions of others harmlessly', async (t) => {
    const { folder, run } = await alone(t);
    await mkdir(folder);
    const account = { name: 'Zoë\u001b[2J', description: 'a\u202eb', mailboxes: [amy] };
    await writeFile(join(folder, 'accounts.json'), JSON.stringify({ version: 1, accounts: [account] }));
    const { output } = await run('list');
    assert.match(output, /Zoë\\u\{1b\}\[2J/);
    assert.match(await done(run('show', account.name)), /a\\u\{202e\}b/);
    assert.match(await refused(run('show', 'x\u001b[2J')), /no account x\\u\{1b\}\[2J/);
  });

  it('imports 20,000 rows quickly, shows how far it is, and lists them', async (t) => {
    const shown: string[] = [];
    const { run, parent } = await alone(t, { showProgress: (text) => void shown.push(text) });
    const row = (_: unknown, number: number) =>
      `person.${number},"Class ${number % 9}, east",p${number}@school.example\r\n`;
    const file = join(parent, 'long.csv');
    await writeFile(file, `name,description,mailboxes\r\n${Array.from({ length: 20_000 }, row).join('')}`);
    const before = performance.now();
    assert.equal(await done(run('import', file)), 'Added 20000 accounts.');
    assert.ok(performance.now() - before < 12_000, 'in good time: a fifth of what 100,000 may take');
    assert.match(shown[0] ?? '', /^Checking \[#+\.+\] +25 %$/);
    assert.equal(shown.at(-1), '');
    assert.match(await refused(run('import', file)), /has 20000 mistakes; nothing was changed\./);
    const lines = (await done(run('list'))).split('\n');
    assert.equal(lines.length, 20_001);
    assert.match(lines.at(-1) ?? '', /^person\.19999 /);
  });
});

describe('the arguments of accounts', () => {
  it('wrong ones are explained, with the usage, and nothing is opened', async (t) => {
    const { folder, run } = await alone(t);
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /^What is to be done\?/],
      [['frob'], /^There is no command frob\./],
      [['add'], /^Which mailbox\?/],
      [['add', '--mailbox', amy], /^Which name\?/],
      [['add', 'a', 'b', '--mailbox', amy], /^One at a time/],
      [['add', 'a', '--mailbox'], /^Option '--mailbox' argument is ambiguous\n/],
      [['import'], /^Which file\?/],
      [['list', 'a'], /^list takes no name/],
      [['list', '--mailbox', amy], /^--mailbox and --description belong to add/],
      [['show'], /^Which account\?/],
      [['lock', 'a', 'b'], /^One at a time/],
      [['drop-second-factor'], /^Which account\?/],
      [['set-mailboxes', 'a'], /^Say the name and the mail addresses/],
      [['set-mailboxes', 'a', 'b@c.example', 'd@e.example'], /^Say the name and the mail addresses/],
      [['lock', 'a', '--even-if-frozen'], /^--even-if-frozen belongs to set-mailboxes/],
      [['list', '--what'], /^Unknown option '--what'/],
      [['invite'], /^Who is invited\? Say names, or --all\./],
      [['invite', 'a', '--all'], /^Who is invited\?/],
      [['invite', 'a', '--locale', 'xx'], /^Which language\? --locale takes one of en, de, fr, es\./],
      [['list', '--all'], /^--all and --locale belong to invite/],
    ];
    for (const [args, expected] of cases) {
      const complaint = await refused(run(...args), 2);
      assert.match(complaint, expected);
      assert.match(complaint, /\n\nUsage:\n/);
    }
    for (const args of [['--help'], ['add', '--help'], ['frob', '--what', '--help']]) {
      assert.match(await done(run(...args)), /^Usage:/);
    }
    await assert.rejects(stat(folder), { code: 'ENOENT' });
  });

  it('mistakes in the settings are all told', async () => {
    const env = { RTV_SMTP_HOSTNAME: 'no host', RTV_FROB: '1' };
    const { exitCode, complaint } = await runAccounts(['list', '--config', 'nowhere.yaml'], defaults, env);
    assert.equal(exitCode, 1);
    for (const part of [/nowhere\.yaml/, /RTV_SMTP_HOSTNAME/, /RTV_FROB/]) assert.match(complaint, part);
  });
});
