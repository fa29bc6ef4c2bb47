// The package as a stranger gets it: packed, and laid into a project of his own beside nothing but what it names itself. What
// the README shows and the examples run there, as they stand. OTHER_NODE=/path/to/node runs them on that one as well.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, glob, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { curls } from './support/curl.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const nodes = [process.execPath, ...(process.env.OTHER_NODE === undefined ? [] : [process.env.OTHER_NODE])];

// Nothing of this run: what npm tells its scripts, settings of the service, that a test is running.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|RTV_|NODE_(?!COMPILE_CACHE))/i.test(name)),
);

let folder: string;
/** A project that has the package, in a folder with blanks in its name. */
let project: string;
let installed: string;
let main: string;

const run = (file: string, args: readonly string[], cwd = project) => promisify(execFile)(file, args, { cwd, env });

/** Packs, and lays out the project. */
async function prepare(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'rtv package '));
  // In a copy: two runs must not disturb each other, nor may the package hold what happens to lie here.
  const checkout = join(folder, 'checkout');
  for (const name of ['src', 'config', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE']) {
    await cp(join(root, name), join(checkout, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], checkout);
  project = join(folder, 'a project');
  installed = join(project, 'node_modules/reply-to-verify');
  main = join(installed, 'dist/main.js');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, stdout.trim()), '--strip-components=1', '-C', installed]);
  const { dependencies } = Manifest.parse(JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')));
  for (const name of [...Object.keys(dependencies), '@types/node']) await lay(name);

  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
  await writeFile(join(project, 'ten-lines.ts'), await shown());
  await cp(join(root, 'test/examples'), join(project, 'test/examples'), { recursive: true });
  await symlink(join(root, 'test/support'), join(project, 'test/support'));
}

const Manifest = z.object({ dependencies: z.record(z.string(), z.string()) });

/** Puts a package of ours into the project. */
async function lay(name: string): Promise<void> {
  const path = join('node_modules', name);
  await mkdir(dirname(join(project, path)), { recursive: true });
  await symlink(join(root, path), join(project, path));
}

/** The ten lines that the kit's README shows, and the README of the package as well. */
async function shown(): Promise<string> {
  const read = (name: string) => readFile(join(installed, name), 'utf8');
  const [, lines = ''] = /```js\n(.*?)```/s.exec(await read('src/testkit/README.md')) ?? [];
  assert.ok(lines !== '' && (await read('README.md')).includes(lines));
  return lines;
}

describe('the package', { timeout: 300_000 }, () => {
  before(prepare);
  after(() => rm(folder, { recursive: true }));

  it('holds the service and the kit as JavaScript, the types of the kit, the settings, and nothing else', async () => {
    const files = await Array.fromAsync(glob('**/*.*', { cwd: installed }));
    const wanted = /^(dist\/.*\.(js|css)|dist\/(testkit|(testkit|core)\/[\w-]+)\.d\.ts|config\/[\w.]+\.yaml)$/;
    const others = files.filter((path) => !wanted.test(path)).toSorted();
    assert.deepEqual(others, ['README.md', 'package.json', 'src/testkit/README.md']);
    const exclude = ['**/*.d.ts']; // of which nothing is made
    const sources = await Array.fromAsync(glob('**/*.{ts,js,css}', { cwd: join(root, 'src'), exclude }));
    const made = sources.map((path) => join('dist', path.replace(/\.ts$/, '.js')));
    assert.deepEqual(
      made.filter((path) => !files.includes(path)),
      [],
    );
    const sizes = await Promise.all(files.map(async (path) => (await stat(join(installed, path))).size));
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 1_500_000);
  });

  it('has types for a compiler that looks into every file', async () => {
    const compilerOptions = { module: 'nodenext', target: 'es2024', types: ['node'], strict: true, noEmit: true };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    const wrong = `import { startKit } from 'reply-to-verify/testkit';\n\nawait startKit({ a: 1 });\n`;
    await writeFile(join(project, 'wrong.ts'), wrong);
    const complaints = /^wrong\.ts\(3,18\): error TS2353: .*'a' does not exist in type 'TestkitOptions'\.\n$/;
    await assert.rejects(run(join(root, 'node_modules/.bin/tsc'), ['--pretty', 'false']), { stdout: complaints });
  });

  for (const node of nodes) describe(`on ${node}`, () => worksOn(node));
});

function worksOn(node: string): void {
  for (const name of ['ten-lines.ts', 'test/examples/playwright.ts', 'test/examples/other-sink.ts']) {
    it(`runs ${name}`, async () => void (await run(node, [name])));
  }

  it('runs test/examples/curl.sh, and the command try, against the development profile', async (t) => {
    const [dns, relay, mailbox] = await Promise.all([freePort(), freePort(), freePort()]);
    const ports = {
      RTV_WEB_LISTEN: '127.0.0.1:0',
      RTV_SMTP_LISTEN: '127.0.0.1:0',
      RTV_DNS_SERVERS: `127.0.0.1:${dns}`,
      RTV_RELAY_URL: `smtp://127.0.0.1:${relay}`,
      RTV_WEB_TEST_MAILBOX_URL: `http://127.0.0.1:${mailbox}`,
    };
    const { said, stop } = await start(node, main, ['develop'], ports, /page +(\S+)\/reset.*mailbox +(\S+)/s);
    const [pages = '', page = ''] = said;
    try {
      const people = ['amy.pond@school.example', 'ms.smith@school.example'];
      for (const [at, PATH] of (await curls((end) => t.after(end))).entries()) {
        await run('env', [`PATH=${PATH}`, join(project, 'test/examples/curl.sh'), pages, page, people[at] ?? '']);
      }
      await run(node, [main, 'try', '--page', `${pages}/reset`, '--sink', page, '--from', 'jo']);
    } finally {
      await stop();
    }
  });

  it('says what else it can do', () =>
    assert.rejects(run(node, [main]), { code: 2, message: /reply-to-verify COMMAND/ }));

  it('serves when the kit is taken out of it', async () => {
    const rest = join(project, 'node_modules/rest');
    await cp(installed, rest, { recursive: true });
    for (const name of ['testkit', 'testkit.js', 'test-commands.js', 'develop.js'])
      await rm(join(rest, 'dist', name), { recursive: true });
    const settings = {
      RTV_WEB_LISTEN: '127.0.0.1:0',
      RTV_WEB_PUBLIC_URL: 'http://127.0.0.1:0',
      RTV_SMTP_LISTEN: '127.0.0.1:0',
      RTV_SMTP_HOSTNAME: 'mx.in.school.example',
      RTV_MAIL_DOMAIN: 'in.school.example',
      RTV_MAIL_FROM: 'accounts@school.example',
      RTV_MAIL_SITE_NAME: 'Example School',
      RTV_DNS_SERVERS: '127.0.0.1:53',
      RTV_RELAY_URL: 'smtp://127.0.0.1:25',
      RTV_DATA_DIR: join(folder, 'data'),
    };
    const {
      said: [web],
      stop,
    } = await start(node, join(rest, 'dist/main.js'), ['serve'], settings, /"web":"(.*?)"/);
    const page = await fetch(`http://${web}/reset`).finally(stop);
    assert.equal(page.status, 200);
    await rm(rest, { recursive: true });
  });
}

/** A port that was free just now; the next one is taken when it is not any more. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

/** Starts a command that goes on, and waits until it has said so. */
async function start(
  node: string,
  file: string,
  args: readonly string[],
  more: Readonly<Record<string, string>>,
  pattern: RegExp,
): Promise<{ said: string[]; stop: () => Promise<void> }> {
  const command = spawn(node, [file, ...args], {
    cwd: project,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(command, 'exit');
  const stop = async () => {
    command.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
  };
  let output = '';
  for await (const text of command.stdout.setEncoding('utf8')) {
    output += text;
    const [, ...said] = pattern.exec(output) ?? [];
    if (said.length > 0) return { said, stop };
  }
  throw new Error(`it did not start: ${output}`);
}
