// The processes that people start: `npm start`, `npm run serve`. What they print, how they end, what stops a start.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { quickEnough } from '../support/quick.ts';
import { Started, takePort } from '../support/started.ts';

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtv-start-'));
});
after(() => rm(folder, { recursive: true, force: true }));

describe('npm start', () => {
  it('says within three seconds what runs where, works around taken ports, and ends cleanly', async () => {
    const taken = await Promise.all([takePort(), takePort(), takePort(), takePort(), takePort()]);
    const [web, smtp, dns, relay, mailbox] = taken.map(([, port]) => port);
    const env = {
      RTV_WEB_LISTEN: `127.0.0.1:${web}`,
      RTV_SMTP_LISTEN: `127.0.0.1:${smtp}`,
      RTV_DNS_SERVERS: `127.0.0.1:${dns}`,
      RTV_RELAY_URL: `smtp://127.0.0.1:${relay}`,
      RTV_WEB_TEST_MAILBOX_URL: `http://127.0.0.1:${mailbox}`,
      RTV_DATA_DIR: join(folder, 'dev'),
    };
    const started: { process: Started; resetUrl: string }[] = [];
    await quickEnough(3000, 'the start', async () => {
      await started.at(-1)?.process.interrupt();
      const startedAt = performance.now();
      const process = new Started(['develop'], env);
      const [, resetUrl = ''] = await process.line(/Reset page +(\S+)/);
      started.push({ process, resetUrl });
      return performance.now() - startedAt;
    });
    const { process: one, resetUrl } = started.at(-1) ?? assert.fail('nothing was started');
    const other = new Started(['develop'], env);
    const [, otherUrl = ''] = await other.line(/Reset page +(\S+)/);
    assert.notEqual(otherUrl, resetUrl, 'a second one beside it gets ports and a folder of its own');
    for (const url of [resetUrl, otherUrl]) {
      assert.notEqual(new URL(url).port, String(web));
      const page = await (await fetch(url)).text();
      const [, testMailbox = ''] = /id="test-mailbox" href="([^"]+)"/.exec(page) ?? [];
      assert.equal((await fetch(testMailbox.replaceAll('&#38;', '&'))).status, 200);
    }
    assert.deepEqual([await one.interrupt(), await other.interrupt()], [0, 0]);
    assert.deepEqual((await readdir(folder)).sort(), ['dev', 'dev-2']);
    assert.ok(!(await readdir(join(folder, 'dev'))).includes('lock'), 'the folder is given back');
    for (const [server] of taken) server.close();
  });
});

describe('npm run serve', () => {
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: ['127.0.0.1:53'] },
    relay: { url: 'smtp://127.0.0.1:25' },
  };
  const write = async (name: string, content: unknown): Promise<string> => {
    const file = join(folder, name);
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };

  it('logs the ports it got, and serves without a test mailbox', async () => {
    const file = await write('serve.yaml', { ...settings, data: { dir: join(folder, 'serve') } });
    const service = new Started(['serve', '--config', file]);
    const [, web] = await service.line(/"web":"([^"]+)"/);
    const page = await (await fetch(`http://${web}/reset`)).text();
    assert.match(page, /Example School/);
    assert.doesNotMatch(page, /test-mailbox/);
    assert.equal(await service.interrupt(), 0);
    assert.match(service.output, /"event":"http","?.*"route":"\/reset"|"route":"\/reset".*"event":"http"/);
    assert.doesNotMatch(service.output, /@in\.school|nonce|rtv-challenge/);
  });

  it('refuses a second process on the same folder, with the pid of the first', async () => {
    const file = await write('twice.yaml', { ...settings, data: { dir: join(folder, 'twice') } });
    const first = new Started(['serve', '--config', file]);
    await first.line(/"event":"started"/);
    const second = new Started(['serve', '--config', file]);
    assert.equal(await second.exit(), 1);
    assert.match(second.output, new RegExp(`in use by process ${first.child.pid}`));
    assert.equal(await first.interrupt(), 0);
  });

  it('stops the start at a port that is taken, in plain words', async () => {
    const [server, port] = await takePort();
    const web = { ...settings.web, listen: `127.0.0.1:${port}` };
    const file = await write('taken.yaml', { ...settings, web, data: { dir: join(folder, 'taken') } });
    const service = new Started(['serve', '--config', file]);
    assert.equal(await service.exit(), 1);
    assert.match(service.output, new RegExp(`EADDRINUSE.*${port}`));
    assert.doesNotMatch(service.output, /^\s+at /m);
    server.close();
  });

  it('reports all mistakes of a settings file together, each with its line and what would be right', async () => {
    const file = await write(
      'mistakes.yaml',
      [
        'web:',
        '  listen: nowhere',
        '  publicUrl: http://reset.school.example',
        'mail:',
        '  domian: in.school.example',
        '  siteName: reset.school.example',
        'limits:',
        '  wrongCodesPerChallenge: many',
      ].join('\n'),
    );
    const service = new Started(['serve', '--config', file], { RTV_KEYS_SAUCE: 'file' });
    assert.equal(await service.exit(), 1);
    for (const line of [2, 3, 5, 6, 8]) assert.match(service.output, new RegExp(`mistakes\\.yaml:${line}\\b`));
    assert.match(service.output, /RTV_KEYS_SAUCE/);
    assert.match(service.output, /mail\.domain/);
    assert.doesNotMatch(service.output, /^\s+at /m);
  });

  it('explains itself when it is called wrongly', async () => {
    const service = new Started(['sevre']);
    assert.equal(await service.exit(), 2);
    assert.match(service.output, /npm start/);
  });
});
