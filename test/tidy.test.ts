// Order in the tree, checked: the lint rules see what they are meant to see (one planted violation each), and
// what no linter knows about citations, leftovers, foreign paths, versions and the top level of the repository.
// Strings that the scans look for are put together here, so that this file does not trip over itself.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { groups } from './support/together.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A file to plant, and the rules that must report it; none for a clean one. It is alone unless it names its tree. */
type Planted = {
  readonly path: string;
  readonly text: string;
  readonly rules: readonly string[];
  readonly tree?: string;
};

const targets = {
  core: 'src/core/t.ts',
  ports: 'src/app/ports.ts',
  app: 'src/app/t.ts',
  settings: 'src/settings/t.ts',
  own: 'src/adapters/own/t.ts',
  adapter: 'src/adapters/another/t.ts',
  testkit: 'src/testkit/t.ts',
  compose: 'src/compose.ts',
  develop: 'src/develop.ts',
  library: 'src/testkit.ts',
  explain: 'src/explain.ts',
  accounts: 'src/accounts.ts',
  accountFile: 'src/account-file.ts',
  checkConfig: 'src/check-config.ts',
  command: 'src/command.ts',
  doctor: 'src/doctor.ts',
  keys: 'src/keys.ts',
  inspection: 'src/inspection.ts',
  verifyMail: 'src/verify-mail.ts',
  testCommands: 'src/test-commands.ts',
  main: 'src/main.ts',
  test: 'test/support/t.ts',
  node: 'node:fs',
  nodeSub: 'node:fs/promises',
  koa: 'koa',
  router: '@koa/router',
  zod: 'zod',
  yaml: 'yaml',
} as const;
const node = ['node', 'nodeSub'] as const;
const packages = ['koa', 'router', 'zod', 'yaml'] as const;

// The import table. What a row does not list must be reported.
const mayImport: Readonly<Record<string, readonly (keyof typeof targets)[]>> = {
  'src/core/x.ts': ['core'],
  'src/app/x.ts': ['core', 'ports', 'app'],
  'src/settings/x.ts': ['settings', 'core', ...node, 'zod', 'yaml'],
  'src/adapters/own/x.ts': ['own', 'core', 'ports', ...node, ...packages],
  'src/testkit/x.ts': ['testkit', 'core', ...node, ...packages],
  'src/compose.ts': ['adapter', 'own', 'app', 'ports', 'core', 'settings', ...node],
  'src/develop.ts': ['compose', 'settings', 'testkit', ...node],
  'src/testkit.ts': ['compose', 'settings', 'testkit', ...node],
  'src/inspection.ts': ['adapter', 'own', 'app', 'ports', 'compose', 'core', 'settings', ...node],
  'src/command.ts': ['settings', ...node],
  'src/check-config.ts': ['command', 'compose', 'inspection', 'settings', ...node],
  'src/keys.ts': ['command', 'compose', 'settings', ...node],
  'src/doctor.ts': ['command', 'inspection', 'ports', 'core', ...node],
  'src/explain.ts': ['command', 'compose', 'settings', 'ports', 'core', ...node],
  'src/accounts.ts': ['accountFile', 'command', 'compose', 'settings', 'ports', 'core', ...node],
  'src/account-file.ts': ['core', ...node],
  'src/verify-mail.ts': ['adapter', 'own', 'ports', ...node],
  'src/test-commands.ts': ['command', 'core', 'testkit', ...node],
  'src/main.ts': [
    'accounts',
    'checkConfig',
    'command',
    'compose',
    'develop',
    'doctor',
    'explain',
    'keys',
    'settings',
    'testCommands',
    ...node,
  ],
  'src/without-a-row/x.ts': [],
};

function importMatrix(): Planted[] {
  return Object.entries(mayImport).flatMap(([path, allowed]) => {
    const others = Object.entries(targets).filter(([, target]) => target !== path);
    return others.map(([name, target]) => {
      const written = relative(dirname(path), target);
      const source = !target.endsWith('.ts') ? target : written.startsWith('.') ? written : `./${written}`;
      const rules = allowed.some((each) => each === name) ? [] : ['noRestrictedImports'];
      return { path, text: `import { a } from '${source}';\n\nexport const b = a;\n`, rules };
    });
  });
}

// Every way to write an import, and paths that only look as if they stayed in their folder.
const importForms = [
  `import '../app/t.ts';\n`,
  `import type { A } from '../app/ports.ts';\n\nexport type B = A;\n`,
  `export { a } from '../app/ports.ts';\n`,
  `export * from '../app/ports.ts';\n`,
  `export const a = await import('../app/ports.ts');\n`,
  `import { a } from './../app/ports.ts';\n\nexport const b = a;\n`,
  `import { a } from './deeper/t.ts';\n\nexport const b = a;\n`,
].map((text) => ({ path: 'src/core/x.ts', text, rules: ['noRestrictedImports'] }));

const bannedGlobals = ['Date', 'crypto', 'process', 'console', 'fetch', 'setTimeout', 'setInterval', 'globalThis'];

function globalUses(): Planted[] {
  return bannedGlobals.flatMap((name) => {
    const text = `export const a = [${name}];\n`;
    const pure = ['src/core/x.ts', 'src/app/x.ts'].map((path) => ({ path, text, rules: ['noRestrictedGlobals'] }));
    return [...pure, { path: 'src/adapters/own/x.ts', text, rules: [] }];
  });
}

function longFunction(lines: number): string {
  return `export function long(a: number[]): void {\n${'  a.push(1);\n'.repeat(lines)}}\n`;
}

const own = 'src/adapters/own/x.ts';
const log = `export function f(): void {\n  console.log(1);\n}\n`;
const singles: readonly Planted[] = [
  ...['core', 'app', 'adapters/own', 'testkit'].map((folder) => {
    return {
      path: `src/${folder}/x.ts`,
      text: 'export const a = Math.random();\n',
      rules: ['noJsRestrictedProperties'],
    };
  }),
  { path: own, text: longFunction(71), rules: ['noExcessiveLinesPerFunction'] },
  { path: own, text: longFunction(70), rules: [] },
  { path: 'test/x.ts', text: longFunction(71), rules: [] },
  { path: own, text: 'export default 1;\n', rules: ['noDefaultExport'] },
  { path: own, text: 'export const a: any = 1;\n', rules: ['noExplicitAny'] },
  { path: own, text: 'const a = 1;\n', rules: ['noUnusedVariables'] },
  { path: own, text: `import { a } from 'koa';\n`, rules: ['noUnusedImports'] },
  { path: own, text: `import { A } from 'koa';\n\nexport type B = A;\n`, rules: ['useImportType'] },
  { path: own, text: 'export const a = (b?: string): string => b!;\n', rules: ['noNonNullAssertion'] },
  {
    path: own,
    text: 'async function a(): Promise<void> {}\n\nexport function b(): void {\n  a();\n}\n',
    rules: ['noFloatingPromises'],
  },
  ...['xy', 'yx'].map(([name, other]) => {
    const text = `import { ${other} } from './${other}.ts';\n\nexport const ${name} = (): unknown => ${other};\n`;
    return { path: `src/core/${name}.ts`, text, rules: ['noImportCycles'], tree: 'cycle' };
  }),
  { path: own, text: log, rules: ['noConsole'] },
  { path: 'src/compose.ts', text: log, rules: ['noConsole'] },
  { path: 'src/main.ts', text: log, rules: [] },
  { path: 'src/develop.ts', text: log, rules: [] },
];

const Report = z.object({
  diagnostics: z.array(z.object({ category: z.string(), location: z.object({ path: z.string() }) })),
});

/** Runs Biome in a folder as `npm run check` does in the repository; returns `<path>: <rule>` for all it reports. */
async function lint(folder: string): Promise<string[]> {
  const flags = ['--error-on-warnings', '--colors=off', '--reporter=json', '--max-diagnostics=none'];
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
  // Rules that look beyond one file (cycles, types) see only what lies around the configuration, so it comes along.
  await mkdir(join(folder, 'config'));
  await copyFile(join(root, 'config/lint.json'), join(folder, 'config/lint.json'));
  const command = [biome, 'ci', '--config-path=config/lint.json', ...flags, '.'];
  const output = await promisify(execFile)(process.execPath, command, { cwd: folder, maxBuffer: 2 ** 24 }).then(
    (done) => done.stdout,
    (failed: unknown) => z.object({ stdout: z.string() }).parse(failed).stdout,
  );
  const { diagnostics } = Report.parse(JSON.parse(output));
  return diagnostics.map(({ location, category }) => `${location.path}: ${category.split('/').at(-1)}`);
}

test('each lint rule reports the violation planted for it, and nothing else', async (t) => {
  const cases: Planted[] = [...importMatrix(), ...importForms, ...globalUses(), ...singles];
  const planted = new Map(cases.map((each, index) => [`${each.tree ?? index}/${each.path}`, each]));
  const folder = await mkdtemp(join(tmpdir(), 'tidy-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [path, { text }] of planted) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }

  const expected = [...planted].flatMap(([path, { rules }]) => rules.map((rule) => `${path}: ${rule}`));
  const reported = await lint(folder);
  const quote = (line: string): string => `${line}\n${planted.get(line.split(': ')[0] ?? '')?.text}`;
  const missed = expected.filter((line) => !reported.includes(line)).map(quote);
  const surplus = reported.filter((line) => !expected.includes(line)).map(quote);
  assert.deepEqual({ missed, surplus }, { missed: [], surplus: [] });
});

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = globSync(['src/**/*.ts', 'test/**/*.ts'], { cwd: root });
const skipped = ['skip', 'only', 'todo'].join('|');

const scans: readonly (readonly [what: string, where: string, pattern: RegExp])[] = [
  ['no leftover notes', '', new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`)],
  ['no test left out', 'test/', new RegExp(`\\b(it|test|describe|suite|t)\\.(${skipped})\\b`)],
  ['no guessable randomness', 'src/', /\bMath\s*\.\s*random\b/],
  // Biome checks the literal of a dynamic import, but sees neither a computed one nor one that names a type.
  ['imports in plain sight', 'src/', /(?<!await )\bimport\(|\bimport\((?!')/],
  ['import table without exceptions', 'src/', /biome-ignore[\w-]* lint(:|\/style(:|\/noRestricted))/],
];
for (const [what, where, pattern] of scans) {
  test(`sources: ${what}`, () => {
    const files = sources.filter((path) => path.startsWith(where));
    assert.ok(files.length > 0);
    assert.deepEqual(
      files.flatMap((path) => matches(path, pattern)),
      [],
    );
  });
}

function matches(path: string, pattern: RegExp): string[] {
  const lines = read(path).split('\n');
  return lines.flatMap((line, index) =>
    pattern.test(line) ? [`${path}:${index + 1}: ${line.trim().slice(0, 120)}`] : [],
  );
}

test('every RFC cited in the sources is listed in src/STANDARDS.md', () => {
  const rfcs = (path: string): string[] => read(path).match(/\bRFC \d+/g) ?? [];
  const listed = new Set(rfcs('src/STANDARDS.md'));
  const inSource = sources.filter((path) => path.startsWith('src/'));
  const missing = inSource.flatMap((path) => rfcs(path).flatMap((rfc) => (listed.has(rfc) ? [] : `${path}: ${rfc}`)));
  assert.deepEqual([...new Set(missing)], []);
});

/** What the repository holds: the files git tracks, or all there are when this is an unpacked archive. */
function repositoryFiles(): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    const files = listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
    if (files.includes('package.json')) return files; // or else the archive lies in a repository of somebody else
  } catch {
    // No git, or no checkout.
  }
  const exclude = ['node_modules', '.git', '.data*', '**/screenshots'];
  return globSync(['**', '.*', '.*/*'], { cwd: root, exclude }).filter((path) => statSync(join(root, path)).isFile());
}

test('no file names a path of a developer machine or a package registry', () => {
  const homes = ['home/[a-z]', 'Users/[a-z]', 'root/'].map((folder) => `/${folder}`);
  const above = dirname(root);
  if (!['/', '/tmp', '/opt', '/srv', '/usr/src'].includes(above)) homes.push(`${RegExp.escape(above)}/`);
  const registry = process.env.npm_config_registry;
  const hosts = ['registry' + '\\.(npmjs|yarnpkg)\\.', 'npm\\.pkg' + '\\.'];
  if (registry !== undefined && !/localhost|127\.0\.0\.1/.test(registry))
    hosts.push(RegExp.escape(new URL(registry).host));
  const foreign = new RegExp(`(?<![\\w.*-])(${homes.join('|')})|[A-Z]:\\\\Users|${hosts.join('|')}`);
  const texts = repositoryFiles().filter((path) => !read(path).includes('\0'));
  assert.ok(texts.includes('package-lock.json'));
  assert.deepEqual(
    texts.flatMap((path) => matches(path, foreign)),
    [],
  );
  assert.deepEqual(
    matches('package-lock.json', /"resolved": "(?!config\/)/),
    [],
    'npm install without omit-lockfile-registry-resolved',
  );
});

test('package.json names exact versions', () => {
  const group = z.record(z.string(), z.string()).default({});
  const manifest = z.object({ dependencies: group, devDependencies: group, optionalDependencies: group });
  const versions = ['package.json', 'config/node/package.json'].flatMap((path) => {
    const named = Object.values(manifest.parse(JSON.parse(read(path)))).flatMap((all) => Object.entries(all));
    assert.ok(named.length > 0);
    return named;
  });
  assert.deepEqual(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
    [],
  );
});

test('npm test runs every test file, once', () => {
  const { scripts }: { scripts: { test: string } } = JSON.parse(read('package.json'));
  const named = [...scripts.test.matchAll(/"(test\/.*?)"/g)].flatMap(([, glob = '']) => globSync(glob, { cwd: root }));
  const isGroup = (path: string) => path.startsWith('test/together/');
  assert.deepEqual(
    named.filter(isGroup).sort(),
    Object.keys(groups)
      .map((group) => `test/together/${group}.ts`)
      .sort(),
  );
  const grouped = Object.values(groups).flatMap((files) => files.map((file) => `test/${file}`));
  const run = [...named.filter((path) => !isGroup(path)), ...grouped];
  assert.deepEqual(run.sort(), globSync('test/**/*.test.ts', { cwd: root }).sort());
  for (const group of Object.keys(groups)) assert.match(read(`test/together/${group}.ts`), new RegExp(`'${group}'`));
});

test('the top level of the repository stays small', () => {
  const known = ['package.json', 'package-lock.json', 'tsconfig.json', 'README.md', 'LICENSE', 'src', 'config', 'test'];
  const top = new Set(repositoryFiles().map((path) => path.split('/')[0] ?? ''));
  assert.deepEqual(
    [...top].filter((name) => !name.startsWith('.') && !known.includes(name)),
    [],
  );
});
