#!/usr/bin/env node
// Process entry: which profile, which settings, signals, exit codes. Nothing else.

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runAccounts } from './accounts.ts';
import { runCheckConfig } from './check-config.ts';
import type { CommandRun } from './command.ts';
import { createService } from './compose.ts';
import { runDoctor } from './doctor.ts';
import { runExplain } from './explain.ts';
import { runKeys } from './keys.ts';
import { formatMistakes, loadSettings, type Mistake } from './settings/load-settings.ts';

const usage = `Usage: reply-to-verify COMMAND; in a checkout: npm run COMMAND -- ...
  develop                      everything on this machine, for trying out; in a checkout: npm start
  serve --config FILE          the service with your settings, on top of config/default.yaml
  check-config --config FILE   whether it would start with these settings, and what they mean
  doctor --config FILE         what to publish in the DNS and what else to do; changes nothing
  explain FILE                 what would happen to a saved message, and why; --help says more
  accounts COMMAND             adds, imports, locks, invites and removes accounts; --help says more
  keys rotate                  a new key at once; open pages go on
For testers, on this machine only; --help says more:
  sink                         keeps mail, shows it as a page, and goes wrong on purpose
  send                         a mail that is believable or not, by scenario
  try                          the whole loop against a service that runs, step by step
  scan                         the same with a link scanner in it`;

function configFile(name: string): string {
  const path = fileURLToPath(new URL(`../config/${name}`, import.meta.url));
  return relative(process.cwd(), path) || path;
}

function reportMistakes(mistakes: readonly Mistake[]): never {
  console.error(formatMistakes(mistakes));
  process.exit(1);
}

const stopMs = 10_000;

/** Ends cleanly on the first signal, and in time; a second one ends at once. What was accepted is on disk either way. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  const end = () => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => fail(new Error('It did not end within 10 seconds, and was cut off.')), stopMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

async function serve(file: string | undefined): Promise<void> {
  const files = [configFile('default.yaml'), ...(file === undefined ? [] : [file])];
  const loaded = loadSettings({ files, env: process.env });
  if (!loaded.ok) return reportMistakes(loaded.mistakes);
  const service = createService(loaded.settings);
  await service.start();
  stopOnSignal(service.stop);
}

async function develop(): Promise<void> {
  // Loaded here and nowhere else: a production start never sees the test kit.
  const { startDevelopment } = await import('./develop.ts');
  const files = [configFile('default.yaml'), configFile('development.yaml')];
  const started = await startDevelopment(files, process.env);
  if ('ok' in started) return reportMistakes(started.mistakes);
  stopOnSignal(started.stop);
  console.log(`
  reply-to-verify is running on this machine, and only here.

    Reset page      ${started.resetUrl}
    Test mailbox    ${started.mailboxUrl}
    SMTP listener   ${started.smtp}

  1. Open the reset page and press "Open the test mailbox".
  2. Press "Send" there, and open the answer that arrives.
  3. Type its code into the reset page.

  Ctrl-C ends it.
`);
}

async function sink(args: readonly string[]): Promise<void> {
  const { startTestSink } = await testCommands();
  const started = await startTestSink(args);
  if ('exitCode' in started) return runCommand(Promise.resolve(started));
  stopOnSignal(started.stop);
  console.log(started.output);
}

/** As with `develop`: what serves never loads the test kit. */
const testCommands = async () => await import('./test-commands.ts');

/** The commands beside the service: arguments in, words and an exit code out. */
const commands: Readonly<Record<string, (args: readonly string[]) => Promise<CommandRun>>> = {
  'check-config': (args) => runCheckConfig({ args, defaults: configFile('default.yaml'), env: process.env }),
  doctor: (args) => runDoctor({ args, defaults: configFile('default.yaml'), env: process.env }),
  keys: (args) => runKeys({ args, defaults: configFile('default.yaml'), env: process.env }),
  explain: (args) => runExplain(args, configFile('default.yaml'), process.env),
  accounts(args) {
    const { stderr } = process;
    const options = stderr.isTTY ? { showProgress: (text: string) => void stderr.write(`\r${text}\x1b[K`) } : {};
    return runAccounts(args, configFile('default.yaml'), process.env, options);
  },
  send: async (args) => (await testCommands()).runSend(args),
  try: async (args) => (await testCommands()).runTry(args),
  scan: async (args) => (await testCommands()).runScan(args),
};

async function runCommand(run: Promise<CommandRun>): Promise<never> {
  const { exitCode, output, complaint } = await run;
  await Promise.all([print(process.stderr, complaint), print(process.stdout, output)]);
  // A look-up that nobody waits for any more must not hold this up.
  process.exit(exitCode);
}

/** Resolves when all of it is out, which takes its time in a pipe, or when nobody reads it any more. */
function print(stream: NodeJS.WriteStream, text: string): Promise<void> {
  if (text === '') return Promise.resolve();
  stream.on('error', () => {});
  return new Promise((resolve) => stream.write(`${text}\n`, () => resolve()));
}

async function main(): Promise<void> {
  const [, , name = '', ...args] = process.argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command !== undefined) return runCommand(command(args));
  if (name === 'sink') return sink(args);
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { config: { type: 'string' } } });
  const [profile, ...more] = positionals;
  if (profile === 'develop' && more.length === 0 && values.config === undefined) return develop();
  if (profile === 'serve' && more.length === 0) return serve(values.config);
  console.error(usage);
  process.exit(2);
}

await main().catch(fail);
