// The commands for testers: arguments, and what they say of a service and a sink that are well, that refuse, that are not
// there; and all of it as processes, as a stranger starts them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type RunningSink, runScan, runSend, runTry, startTestSink } from '../../src/test-commands.ts';
import { Started, takePort } from '../support/started.ts';
import { startWorld, Visitor, type World } from '../support/world.ts';

const commands = { sink: startTestSink, send: runSend, try: runTry, scan: runScan };

type Ran = { readonly exitCode: number; readonly output: string; readonly complaint: string };

/** Runs a command that ends. */
async function run(name: keyof typeof commands, ...args: string[]): Promise<Ran> {
  const ran: Ran | RunningSink = await commands[name](args);
  if ('stop' in ran) {
    await ran.stop();
    assert.fail('it started');
  }
  return ran;
}

describe('the arguments of the test commands', () => {
  it('wrong ones are explained, with the usage, and nobody is asked', async () => {
    const from = ['--from', 'amy'];
    const to = ['--to', 'k7m2@in.school.example'];
    const cases: [keyof typeof commands, string[], RegExp][] = [
      ['sink', ['now'], /^"now" means nothing here\./],
      ['sink', ['--smtp', 'mail.example:25'], /^--smtp is a port of this machine: 1025, or 127\.0\.0\.1:1025\./],
      ['sink', ['--web', '0.0.0.0:8025'], /^--web is a port of this machine/],
      ['sink', ['--dns', '65536'], /^--dns is a port/],
      ['sink', ['--server', ''], /^--server is a port/],
      ['sink', ['--domain', 'nowhere'], /^--domain is not a host name/],
      ['sink', ['--fault', 'rcpt defer times=none'], /^--fault "rcpt defer times=none": times is a whole number/],
      ['sink', ['--port', '25'], /^Unknown option '--port'/],
      ['sink', ['--config', 'x.yaml'], /^--config is for the service; the test kit has no settings/],
      ['send', to, /^--from says who writes: amy, or/],
      ['send', from, /^--to is the address that the page shows/],
      ['send', [...from, ...to, '--scenario', 'DKIM'], /^There is no scenario "DKIM"; --scenarios lists them/],
      ['send', [...from, ...to, '--server', 'mail.example:25'], /^--server is a port of this machine/],
      ['send', [...from, ...to, '--sink', 'http://mail.example'], /^--sink is an address on this machine/],
      ['try', ['--page', 'http://127.0.0.1:3000/'], /^--page is an address that ends with \/reset, \/activate or/],
      ['try', ['--page', 'file:///reset'], /^--page is an address/],
      ['try', ['--timeout', 'long'], /^--timeout is a number of seconds, 0 to 99/],
      ['scan', ['--sink', '8025'], /^--sink is an address on this machine, such as http:\/\/127\.0\.0\.1:8025/],
    ];
    for (const [name, args, complaint] of cases) {
      const { exitCode, ...said } = await run(name, ...args);
      assert.equal(exitCode, 2, `${name} ${args}`);
      assert.equal(said.output, '');
      assert.match(said.complaint, complaint);
      assert.match(said.complaint, new RegExp(`\n\nUsage:\n  reply-to-verify ${name} `));
    }
  });

  it('help is given whatever else is wrong, with all scenarios', async () => {
    for (const name of Object.keys(commands) as (keyof typeof commands)[]) {
      const { exitCode, output } = await run(name, '--nonsense', '--help');
      assert.equal(exitCode, 0);
      assert.match(output, /^Usage:.*Exit code: 0 /s);
      for (const line of output.split('\n')) assert.ok(line.length <= 110, line);
    }
    assert.match((await run('send', '--help')).output, /Scenarios: dkim, .*footer-added/s);
    assert.match((await run('send', '--scenarios')).output, /^footer-added +550 {2}A gateway or list adds a footer/m);
    const listed = JSON.parse((await run('send', '--scenarios', '--json')).output);
    assert.deepEqual(Object.keys(listed[0]), ['name', 'expect', 'code', 'what']);
  });
});

describe('sink', () => {
  it('says where it is, and what goes wrong', async () => {
    const ports = ['--smtp', '0', '--web', '0', '--dns', '0'];
    const started = await startTestSink([...ports, '--fault', 'rcpt defer times=1', '--fault', 'kept drop']);
    assert.ok('stop' in started);
    assert.match(
      started.output,
      /SMTP +127\.0\.0\.1:\d+ .*Mailbox page +http:\/\/127\.0\.0\.1:\d+.*DNS +127\.0\.0\.1:\d+/s,
    );
    assert.match(started.output, /Fault +rcpt defer times=1\n +Fault +kept drop\n/);
    const [url] = /http:\S+/.exec(started.output) ?? [];
    const { faults } = Object(await (await fetch(`${url}/api/faults`)).json());
    assert.deepEqual(faults, [
      { at: 'rcpt', does: 'defer', times: 1 },
      { at: 'kept', does: 'drop' },
    ]);
    await started.stop();
    await assert.rejects(fetch(`${url}`));
  });

  it('says which port is taken, and leaves nothing open', async () => {
    const [server, port] = await takePort();
    for (const option of ['--smtp', '--web']) {
      const others = ['--smtp', '0', '--web', '0', '--dns', '0'].join(' ').replace(`${option} 0`, `${option} ${port}`);
      const { exitCode, complaint } = await run('sink', ...others.split(' '));
      assert.equal(exitCode, 1);
      assert.match(complaint, new RegExp(`^Port ${port} is taken, .* Name others with --smtp, --web and --dns`));
    }
    server.close();
  });
});

describe('a service that runs', () => {
  let world: World;
  before(async () => {
    world = await startWorld();
  });
  after(() => world.close());

  const places = () => ['--page', `${world.webUrl}/reset`, '--sink', world.kit.mailboxPage.url];
  const steps = ({ output }: Ran) =>
    output.split('\n').map((line) => /^(\S+) +(\S+ \S+)/.exec(line)?.slice(1).join(' ') ?? line);

  it('is tried step by step', async () => {
    const { exitCode, output } = await run('try', ...places());
    assert.equal(exitCode, 0, output);
    const [open, sent, got, nothing, typed, ...more] = output.split('\n');
    assert.match(
      open ?? '',
      /^done {4}open the page +\/reset shows \w{32}@in\.school\.example for the request [A-Z]{4}-[A-Z]{4}$/,
    );
    assert.match(sent ?? '', /^done {4}send the mail +amy\.pond@school\.example wrote, the service said 250 2\.0\.0/);
    assert.match(got ?? '', /^done {4}get the reply +the code \d{4} \d{4} in “Re: .*” to amy\.pond@school\.example$/);
    assert.match(nothing ?? '', /^done {4}find nothing to open in it +no link/);
    assert.match(typed ?? '', /^done {4}type the code +it was right: .* with the accounts apond, amy\.chess$/);
    assert.deepEqual(more, []);
    const other = ['--page', `${world.webUrl}/confirm`, '--from', 'alice@school.test', '--scenario', 'forwarded'];
    const asJson = await run('try', ...places(), ...other, '--json');
    const told = JSON.parse(asJson.output).steps;
    assert.deepEqual(
      told.map(({ outcome }: { outcome: string }) => outcome),
      Array(5).fill('done'),
    );
  });

  it('that refuses the mail, or whose reply does not come, is told with what the page says', async () => {
    const forged = await run('try', ...places(), '--from', 'forger');
    assert.equal(forged.exitCode, 1);
    assert.match(
      forged.output,
      /^FAILED {2}send the mail +the service did not take it: 550 5\.7\.26 .*; the page says: We could not confirm/m,
    );
    assert.deepEqual(steps(forged).slice(2), ['- get the', '- find nothing', '- type the']);
    world.kit.sink.faults = [{ at: 'rcpt', does: 'refuse' }];
    const late = await run('try', ...places(), '--from', 'rory', '--timeout', '1');
    world.kit.sink.faults = [];
    assert.equal(late.exitCode, 1);
    assert.match(
      late.output,
      /^FAILED {2}get the reply +no such message within 1000 ms; .*; the page says: .*could not deliver/m,
    );
  });

  it('is scanned, and stays as it is', async () => {
    const { exitCode, output } = await run('scan', ...places(), '--from', 'smith');
    assert.equal(exitCode, 0, output);
    assert.match(output, /^done {4}see it on the page +We have sent our reply/m);
    assert.match(output, /^done {4}scan as a stranger +\d+ links and \d+ forms .*; \d+ requests: .*POST 403/m);
    assert.match(output, /^done {4}scan with the cookies of the page .*POST 403/m);
    assert.match(output, /^done {4}find all as it was +the line of the page, and no mail was caused$/m);
    assert.match(output, /^done {4}type the code +it was right/m);
  });

  it('gets mail by scenario, and is told whether it did right', async () => {
    const to = (await new Visitor(world).open()).address;
    const sink = ['--sink', world.kit.mailboxPage.url];
    const good = await run('send', '--from', 'amy', '--to', to, '--scenario', 'footer-added', ...sink);
    assert.equal(good.exitCode, 0);
    assert.match(
      good.output,
      /^amy\.pond@school\.example wrote; the service answered:\n {2}550 5\.7\.26 .*\n {2}SPF {4}fail for/,
    );
    assert.match(
      good.output,
      /\n {2}DKIM {3}neutral for school\.example \(test-rsa\): body hash did not verify\n {2}DMARC {2}fail \(policy: reject\)\n/,
    );
    assert.match(good.output, /\nScenario footer-added: as it must be \(not-authenticated, 550\)/);
    const { output } = await run('send', '--from', 'alice@school.test', '--to', to, '--json', ...sink);
    assert.deepEqual([JSON.parse(output).code, JSON.parse(output).isRight], [250, true]);
    // The sink takes everything, which no service should.
    const server = ['--server', `127.0.0.1:${world.kit.sink.port}`];
    const wrong = await run('send', '--from', 'amy', '--to', to, '--scenario', 'unsigned', ...server, ...sink);
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.output, /\nScenario unsigned: NOT as it must be/);
    const nobody = await run('send', '--from', 'amy@real.com', '--to', to, ...sink, '--json');
    assert.equal(nobody.exitCode, 1);
    assert.match(nobody.complaint, /^the kit writes as nobody at real\.com/);
    assert.equal(JSON.parse(nobody.output).problem, nobody.complaint);
  });

  it('that is not there, or a sink that is none, is told with the remedy', async () => {
    const [server, port] = await takePort();
    await new Promise((resolve) => server.close(resolve));
    const nowhere = `http://127.0.0.1:${port}`;
    const noPage = await run('try', ...places(), '--page', `${nowhere}/reset`);
    assert.match(
      noPage.output,
      /^FAILED {2}open the page +Nobody answers at \S+\. Start the service there, or name its page with --page\.$/m,
    );
    const noSink = await run('try', ...places(), '--sink', nowhere);
    assert.match(noSink.output, /^FAILED {2}send the mail +Nobody answers at \S+\. Start a kit there .*--sink\.$/m);
    const otherSink = await run('try', ...places(), '--sink', world.webUrl);
    assert.match(
      otherSink.output,
      /^FAILED {2}send the mail +\S+ is no mailbox page of the test kit\. Name it with --sink\.$/m,
    );
    const otherPage = await run('try', ...places(), '--page', `${world.kit.mailboxPage.url}/reset`);
    assert.match(otherPage.output, /^FAILED {2}open the page +\/reset was answered with 404/m);
  });

  it('whose mail holds a link, or changes by itself, is found out', async () => {
    let lie = (_path: string, answer: string) => answer;
    const liar = createServer(async (request, response) => {
      const { url = '', method = 'GET' } = request;
      const body =
        method === 'POST' ? { body: await text(request), headers: { 'content-type': 'application/json' } } : {};
      const answer = await fetch(`${world.kit.mailboxPage.url}${url}`, { method, ...body });
      response.end(lie(url, await answer.text()));
    }).listen(0, '127.0.0.1');
    await once(liar, 'listening');
    const address = liar.address();
    const sink = ['--sink', `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`];
    lie = (path, answer) => (path.endsWith('/raw') ? `${answer}https://reset.school.example/now\r\n` : answer);
    const linked = await run('scan', ...places(), ...sink, '--from', 'smith');
    assert.equal(linked.exitCode, 1);
    assert.match(
      linked.output,
      /^FAILED {2}find nothing to open in it +.*url in body: https:\/\/reset\.school\.example\/now/m,
    );
    assert.deepEqual(steps(linked).slice(4), ['- see it', '- scan as', '- scan with', '- find all', '- type the']);
    let asked = 0;
    lie = (path, answer) => (path.endsWith('limit=1') ? answer.replace(/"total":\d+/, `"total":${asked++}`) : answer);
    const restless = await run('scan', ...places(), ...sink, '--from', 'smith');
    assert.equal(restless.exitCode, 1);
    assert.match(
      restless.output,
      /^FAILED {2}find all as it was +the page, or how many mails there are, changed from/m,
    );
    liar.close();
    liar.closeAllConnections();
  });
});

describe('as processes', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rtv-commands-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it('sink, the service in production settings, and the whole loop between them', async () => {
    const [server, smtp] = await takePort();
    await new Promise((resolve) => server.close(resolve));
    const sink = new Started([
      'sink',
      '--smtp',
      '0',
      '--web',
      '0',
      '--dns',
      '0',
      '--server',
      `127.0.0.1:${smtp}`,
      '--json',
    ]);
    await sink.line(/^}/);
    const { smtp: relay, web, dns } = JSON.parse(sink.output);
    const config = join(folder, 'serve.yaml');
    const settings = {
      web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
      smtp: { listen: `127.0.0.1:${smtp}`, hostname: 'mx.in.school.example' },
      mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
      dns: { servers: [dns] },
      relay: { url: `smtp://${relay}` },
      data: { dir: join(folder, 'data') },
    };
    await writeFile(config, JSON.stringify(settings));
    const service = new Started(['serve', '--config', config]);
    const [, page] = await service.line(/"web":"([^"]+)"/);
    const tried = new Started(['try', '--page', `http://${page}/reset`, '--sink', web, '--from', 'alice@school.test']);
    assert.equal(await tried.exit(), 0, tried.output);
    assert.match(tried.output, /^done {4}type the code +it was right: alice@school\.test is proved$/m);
    const stream = await fetch(`${web}/events`); // a tab that stays open
    assert.deepEqual(await Promise.all([sink.interrupt(), service.interrupt()]), [0, 0]);
    await assert.rejects(stream.text());
    assert.equal(await new Started(['sink', '--web', '0.0.0.0:8025']).exit(), 2);
  });
});
