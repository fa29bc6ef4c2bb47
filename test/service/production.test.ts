// A production start loads nothing of the test kit, and no setting can make it. What is loaded is written down by a hook that
// sees every module, in every thread, while a person goes through the whole loop; and the imports are followed in the sources.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startKit } from '../../src/testkit.ts';

const root = join(import.meta.dirname, '../..');
/** The kit, and what nothing but the kit needs. */
const kitOnly = /\bsrc\/(?:testkit|test-commands|develop\.ts)|\/node_modules\/mailparser\//;

/** Adds each module that is loaded to a file, whether by import or require. */
const hook = `import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED_MODULES, url + '\\n');
    return next(url, context);
  },
});
`;

/** What `serve` says when it has started. */
async function addressesOf({ stdout }: ChildProcess) {
  assert.ok(stdout);
  for await (const line of createInterface(stdout)) {
    const [, web, host, port] = /"web":"([^"]+)","smtp":"([^"]+):(\d+)"/.exec(line) ?? [];
    if (web !== undefined && host !== undefined) return { url: `http://${web}`, smtp: { host, port: Number(port) } };
  }
  throw new Error('it did not start');
}

test('a production start with the settings that lead to the kit loads nothing of it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-production-'));
  t.after(() => rm(folder, { recursive: true }));
  const at = (name: string) => join(folder, name);
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain: 'in.school.example', from: 'accounts@school.example', siteName: 'Example School' },
    data: { dir: at('data') },
    fallback: { typedAddress: 'on' },
  };
  await Promise.all([writeFile(at('hook.mjs'), hook), writeFile(at('settings.json'), JSON.stringify(settings))]);
  const args = ['src/main.ts', 'serve', '--config', at('settings.json')];
  const kit = await startKit({
    async service(environment) {
      const env = { ...process.env, ...environment, LOADED_MODULES: at('loaded') };
      const imported = ['--import', pathToFileURL(at('hook.mjs')).href, ...args];
      const serve = spawn(process.execPath, imported, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(serve, 'exit');
      const stop = async () => {
        serve.kill('SIGINT');
        await ended;
      };
      return { ...(await addressesOf(serve)), stop };
    },
  });
  t.after(() => kit.close());
  const page = await kit.page.open();
  await kit.identity('amy').send(page.mailto);
  const { code } = await kit.sink.waitForReply({ label: page.label });
  assert.equal((await page.enter(code)).kind, 'verified');
  await kit.close();

  const loaded = (await readFile(at('loaded'), 'utf8')).split('\n');
  for (const file of ['src/main.ts', 'src/verify-mail.ts', 'mailauth/lib/dkim/verify.js', 'koa/lib/application.js']) {
    assert.ok(
      loaded.some((url) => url.endsWith(file)),
      `the hook sees ${file}, in its thread`,
    );
  }
  assert.deepEqual(
    loaded.filter((url) => kitOnly.test(url)),
    [],
  );
});

/** What a file of ours imports when it is loaded, and what it may import later, packages aside. Types are gone by then. */
function importsOf(file: string) {
  const source = readFileSync(join(root, file), 'utf8').replace(/^(?:import|export) type .*$/gm, '');
  const named = (pattern: RegExp) => [...source.matchAll(pattern)].map(([, name = '']) => name);
  return {
    source,
    now: named(/^(?:import|export|\}).*'(\.[^']+)';$/gm),
    later: named(/\bimport\((?!'[@a-z])([^)]*)\)/g),
  };
}

test('nothing leads from a production start to the kit, whatever the settings say', () => {
  const reached = new Set(['src/main.ts', 'src/verify-mail.ts']);
  const later: string[] = [];
  for (const file of reached) {
    const imports = importsOf(file);
    for (const name of imports.now) reached.add(relative(root, join(root, dirname(file), name)));
    later.push(...imports.later.map((name) => `${file}: ${name}`));
  }
  assert.ok(reached.size > 100 && reached.has('src/adapters/mail-auth/mailauth-verifier.ts'));
  assert.deepEqual(
    [...reached].filter((file) => kitOnly.test(file)),
    [],
  );
  assert.ok(later.length > 0 && later.every((one) => one.startsWith('src/main.ts: ')), later.join('\n'));
  const [serve] = /^async function serve\([\s\S]*?^\}/m.exec(importsOf('src/main.ts').source) ?? [];
  assert.ok(serve !== undefined && !serve.includes('import('), 'other words of the command line lead there');
});
