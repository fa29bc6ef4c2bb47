// The package as a stranger gets it: packed, and laid into a project of his own, beside nothing but what it names itself.
// Another Node to try it with, such as the oldest that it promises, is named by OTHER_NODE=/path/to/node.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, glob, mkdir, mkdtemp, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';

const root = fileURLToPath(new URL('..', import.meta.url));
const nodes = [process.execPath, ...(process.env.OTHER_NODE === undefined ? [] : [process.env.OTHER_NODE])];

// Nothing of this run: what npm tells its scripts, settings of the service, and that a test is running.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|RTV_|NODE_(?!COMPILE_CACHE))/i.test(name)),
);
const run = (file: string, args: readonly string[], cwd: string) => promisify(execFile)(file, args, { cwd, env });

let folder: string;
/** A project that uses the package. Its name has blanks in it, as folders of people have. */
let project: string;
let installed: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtv package '));
  // In a copy: two runs must not disturb each other, and the package must not hold what happens to lie here.
  const checkout = join(folder, 'checkout');
  for (const name of ['src', 'config', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE']) {
    await cp(join(root, name), join(checkout, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(checkout, 'node_modules'));
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', folder], checkout);
  project = join(folder, "a stranger's project");
  installed = join(project, 'node_modules/reply-to-verify');
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', join(folder, stdout.trim()), '--strip-components=1', '-C', installed], folder);
  for (const name of Object.keys((await manifest()).dependencies)) await lay(name);
});
after(() => rm(folder, { recursive: true, force: true }));

const Manifest = z.object({
  dependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.undefined().optional(),
});

async function manifest(): Promise<z.infer<typeof Manifest>> {
  return Manifest.parse(JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')));
}

/** Puts a package of ours into the project. */
async function lay(name: string): Promise<void> {
  const path = join('node_modules', name);
  await mkdir(dirname(join(project, path)), { recursive: true });
  await symlink(join(root, path), join(project, path));
}

describe('the package', { timeout: 120_000 }, () => {
  it('holds the service and the kit as JavaScript, the types of the kit, the settings, and nothing else', async () => {
    const files = await Array.fromAsync(glob('**/*.*', { cwd: installed }));
    const asked = /^(dist\/.*\.(js|css)|dist\/(testkit|(testkit|core)\/[\w-]+)\.d\.ts|config\/[\w.]+\.yaml)$/;
    const others = files.filter((path) => !asked.test(path)).toSorted();
    assert.deepEqual(others, ['README.md', 'package.json', 'src/testkit/README.md']);
    const sources = await Array.fromAsync(glob('**/*.{ts,js,css}', { cwd: join(root, 'src') }));
    const made = sources.map((path) => join('dist', path.replace(/\.ts$/, '.js')));
    assert.deepEqual(
      made.filter((path) => !files.includes(path)),
      [],
    );
    const sizes = await Promise.all(files.map(async (path) => (await stat(join(installed, path))).size));
    assert.ok(sizes.reduce((sum, size) => sum + size, 0) < 1_500_000);
  });

  for (const node of nodes) {
    it(`says what it can do (${node})`, async () => {
      const main = join(installed, 'dist/main.js');
      await assert.rejects(run(node, [main], project), { code: 2, stderr: /develop/ });
      const { stdout } = await run(node, [main, 'doctor', '--help'], project);
      assert.match(stdout, /doctor/);
    });
  }
});
