// The commands of the test kit: `sink` runs it by itself; `send`, `try` and `scan` use one that runs, here or beside
// `npm start`. Arguments in, words or JSON out; what is done is in testkit/. No command of the service loads this.

import { type CommandRun, readArguments, shown, UsageError } from './command.ts';
import { type Purpose, purposes } from './core/purpose.ts';
import { type Fault, faultText, readFaultText } from './testkit/faults.ts';
import { type Address, type Kit, startKit } from './testkit/kit.ts';
import { runLoop, type Step, scanLoop } from './testkit/loop.ts';
import { isLoopback, readLoopback } from './testkit/loopback.ts';
import { type SentReport, sinkAt } from './testkit/remote-sink.ts';
import { type Scenario, scenarios } from './testkit/scenarios.ts';
import { signatureWords } from './testkit/sent-mail.ts';

const text = { type: 'string' } as const;
const commonHelp = `  --json            one JSON document instead of text
`;
const places = { page: 'http://127.0.0.1:3000/reset', sink: 'http://127.0.0.1:8025' } as const;

// ---- sink ----

const sinkUsage = `Usage:
  reply-to-verify sink [--smtp PORT] [--web PORT] [--dns PORT] [--server HOST:PORT]
                       [--domain NAME] [--fault RULE]... [--json]

Runs the test kit by itself, for a service that runs elsewhere on this machine: an SMTP server that keeps
all mail, its mailbox page, and a DNS server with the records of the test identities. Ctrl-C ends it.

  --smtp PORT       where the service hands its mail to (relay.url); 1025. 0: any port that is free
  --web PORT        the mailbox page and its HTTP interface; 8025
  --dns PORT        for dns.servers of the service; 5453
  --server H:P      where the service takes mail, for what is sent from here; 127.0.0.1:2525
  --domain NAME     domain of the one-time addresses; in.school.example
  --fault RULE      what goes wrong, as in "rcpt defer times=1" or "kept drop chance=0.5":
                    when (mail, rcpt, data, end, kept), what (refuse, defer, delay, drop), and maybe
                    to= chance= times= seconds= answer= (README of the kit: Faults). May be repeated
${commonHelp}
Exit code: 0 ended, 1 it could not start, 2 wrong usage.`;

/** A kit that runs until it is stopped, and what to tell people. */
export interface RunningSink {
  readonly output: string;
  stop(): Promise<void>;
}

/** Starts the command `sink`. @returns how it ended, when it did not start */
export async function startTestSink(args: readonly string[]): Promise<RunningSink | CommandRun> {
  const options = { smtp: text, web: text, dns: text, server: text, domain: text } as const;
  return answering(args, sinkUsage, async () => {
    const { positionals, values } = readArguments(args, { ...options, fault: { type: 'string', multiple: true } });
    refuseOthers(positionals, values);
    const place = (name: keyof typeof options, otherwise: string) => readPlace(name, values[name] ?? otherwise);
    const [sink, mailbox, dns] = [place('smtp', '1025'), place('web', '8025'), place('dns', '5453')];
    const server = place('server', '2525');
    const faults = (values.fault ?? []).map(readFaultOption);
    const oneTimeDomain = readDomain(values.domain);
    const kit = await startKit({ sink, mailbox, dns, oneTimeDomain, smtpPort: () => server }).catch(explainTaken);
    kit.sink.faults = faults;
    const where = { smtp: written(kit.sink), web: kit.mailboxPage.url, dns: written(kit.dns), server: written(server) };
    const output = values.json === true ? JSON.stringify({ ...where, faults }, undefined, 2) : sinkWords(where, faults);
    return { output, stop: kit.close };
  });
}

function explainTaken(error: NodeJS.ErrnoException & { readonly port?: number }): never {
  if (error.code !== 'EADDRINUSE') throw error;
  throw new Error(
    `Port ${error.port} is taken, maybe by another sink or by npm start. Name others with --smtp, --web and --dns; 0 takes any.`,
  );
}

function sinkWords(
  { smtp, web, dns, server }: Readonly<Record<'smtp' | 'web' | 'dns' | 'server', string>>,
  faults: readonly Fault[],
): string {
  const rules = faults.map((fault) => `    Fault          ${faultText(fault)}`);
  return ['', '  The test kit is running on this machine, and only here.', '']
    .concat(
      `    SMTP           ${smtp}    keeps all mail`,
      `    Mailbox page   ${web}`,
      `    DNS            ${dns}`,
      rules,
    )
    .concat('', `  A service finds it by RTV_RELAY_URL=smtp://${smtp} RTV_DNS_SERVERS=${dns}`)
    .concat(`  and gets what is sent from here at ${server}.`, '', '  Ctrl-C ends it.', '')
    .join('\n');
}

function readFaultOption(rule: string): Fault {
  const fault = readFaultText(rule);
  if ('problem' in fault) throw new UsageError(`--fault "${rule}": ${fault.problem}`);
  return fault;
}

function readDomain(name = 'in.school.example'): string {
  const domain = name.toLowerCase();
  if (!/^(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/.test(domain)) throw new UsageError('--domain is not a host name.');
  return domain;
}

function readPlace(option: string, given: string): Address {
  const place = readLoopback(given);
  if (place === undefined) throw new UsageError(`--${option} is a port of this machine: 1025, or 127.0.0.1:1025.`);
  return place;
}

function written({ host, port }: Pick<Kit['sink'], 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

// ---- send ----

const sendUsage = `Usage:
  reply-to-verify send --from WHO --to ADDRESS [--scenario NAME] [--subject S] [--body B]
                       [--server HOST:PORT] [--sink URL] [--json]
  reply-to-verify send --scenarios [--json]

Sends a mail to the service as a test identity, believable or not, and says what the service answered and
what SPF, DKIM and DMARC the mail had. It is written by a kit that runs: that of develop (npm start), or sink.

  --from WHO        amy, rory, smith, jo, forger; or any mailbox under .test or .example
  --to ADDRESS      the address that the page shows
  --scenario NAME   what happens to the mail on its way; --scenarios says what each one is
  --subject S       by default one with the request label; --body B likewise
  --server H:P      where the service takes mail, if not where the kit thinks
  --sink URL        mailbox page of the kit; ${places.sink}
${commonHelp}
Scenarios: ${wrap(scenarios.map(({ name }) => name).join(', '), 90)}

Exit code: 0 answered as it must be (without --scenario: accepted), 1 not so, or not sent, 2 wrong usage.`;

/** Runs the command `send`. */
export function runSend(args: readonly string[]): Promise<CommandRun> {
  const options = { from: text, to: text, subject: text, body: text, server: text } as const;
  return answering(args, sendUsage, async () => {
    const all = { ...options, scenario: text, sink: text, scenarios: { type: 'boolean' } } as const;
    const { positionals, values } = readArguments(args, all);
    refuseOthers(positionals, values);
    if (values.scenarios === true) return outcome(0, listScenarios(), scenarios, values.json);
    const { from, to, subject, body, server } = values;
    if (from === undefined) throw new UsageError('--from says who writes: amy, or alice@school.test.');
    if (to === undefined) throw new UsageError('--to is the address that the page shows.');
    if (server !== undefined) readPlace('server', server);
    const scenario = readScenario(values.scenario);
    const sent = await sinkAt(readSink(values.sink)).send({
      ...{ from, to, subject, body, server },
      scenario: scenario?.name,
    });
    const isRight = scenario === undefined ? sent.accepted : sent.code === scenario.code;
    return outcome(isRight ? 0 : 1, sendWords(sent, scenario, isRight), { ...sent, isRight }, values.json);
  });
}

function sendWords(sent: SentReport, scenario: Scenario | undefined, isRight: boolean): string {
  const { spf, dkim, dmarc } = sent.authentication;
  const lines = [
    `${sent.from} wrote; the service answered:`,
    `  ${sent.code} ${sent.text}`,
    `  SPF    ${spf.result} for ${spf.domain}`,
    `  DKIM   ${dkim.map(signatureWords).join(', ') || 'not signed'}`,
    `  DMARC  ${dmarc.result} (policy: ${dmarc.policy})`,
  ];
  if (scenario !== undefined) {
    const verdict = isRight ? 'as it must be' : 'NOT as it must be';
    lines.push(`Scenario ${scenario.name}: ${verdict} (${scenario.expect}, ${scenario.code}). ${scenario.what}`);
  }
  return lines.map(shown).join('\n');
}

function listScenarios(): string {
  return scenarios.map(({ name, code, what }) => `${name.padEnd(28)} ${code}  ${what}`).join('\n');
}

function readScenario(name: string | undefined): Scenario | undefined {
  const scenario = scenarios.find((each) => each.name === name);
  if (name !== undefined && scenario === undefined) {
    throw new UsageError(`There is no scenario ${JSON.stringify(name)}; --scenarios lists them.`);
  }
  return scenario;
}

// ---- try, scan ----

const loopOptions = `  --page URL        .../reset, .../activate or .../confirm of the service; ${places.page}
  --sink URL        mailbox page of the kit that gets the reply; ${places.sink}
  --from WHO        who writes: amy, rory, smith, jo; or any mailbox under .test or .example. amy
  --scenario NAME   what happens to the mail on its way; send --scenarios says what each one is
  --timeout S       seconds to wait for the reply; 10
${commonHelp}`;

const tryUsage = `Usage:
  reply-to-verify try [--page URL] [--sink URL] [--from WHO] [--scenario NAME] [--timeout S] [--json]

Does the whole loop against a service that runs on this machine, for example develop (npm start):
opens the page, sends the mail, waits for the reply, types its code, and says what each step came to. No
password is set.

${loopOptions}
Exit code: 0 all steps done, 1 one failed, 2 wrong usage.`;

const scanUsage = `Usage:
  reply-to-verify scan [--page URL] [--sink URL] [--from WHO] [--scenario NAME] [--timeout S] [--json]

Lets a link scanner loose, as mail filters have them: opens a page, gets its reply, then opens and submits
whatever there is in the mail and on the page, as a stranger and with the cookies of the page. Says what it
found, and whether the page, the mails and the code are as they were.

${loopOptions}
Exit code: 0 nothing to open in the mail and nothing changed, 1 otherwise, 2 wrong usage.`;

/** Runs the command `try`. */
export function runTry(args: readonly string[]): Promise<CommandRun> {
  return runSteps(args, tryUsage, runLoop);
}

/** Runs the command `scan`. */
export function runScan(args: readonly string[]): Promise<CommandRun> {
  return runSteps(args, scanUsage, scanLoop);
}

function runSteps(args: readonly string[], usage: string, work: typeof runLoop): Promise<CommandRun> {
  return answering(args, usage, async () => {
    const options = { page: text, sink: text, from: text, scenario: text, timeout: text } as const;
    const { positionals, values } = readArguments(args, options);
    refuseOthers(positionals, values);
    const { from = 'amy', timeout = '10' } = values;
    if (!/^\d{1,2}$/.test(timeout)) throw new UsageError('--timeout is a number of seconds, 0 to 99.');
    const scenario = readScenario(values.scenario);
    const steps = await work({
      ...readPage(values.page ?? places.page),
      sink: sinkAt(readSink(values.sink)),
      ...{ from, scenario: scenario?.name, timeoutMs: Number(timeout) * 1000 },
    });
    const isDone = steps.every(({ outcome }) => outcome === 'done');
    return outcome(isDone ? 0 : 1, stepWords(steps), { steps }, values.json);
  });
}

const outcomeWords: Readonly<Record<Step['outcome'], string>> = { done: 'done', failed: 'FAILED', 'not-tried': '-' };

function stepWords(steps: readonly Step[]): string {
  const width = Math.max(...steps.map(({ name }) => name.length));
  return steps
    .map(({ name, outcome, seen }) =>
      `${outcomeWords[outcome].padEnd(8)}${name.padEnd(width + 2)}${shown(seen)}`.trimEnd(),
    )
    .join('\n');
}

// ---- common ----

/** All commands of the service take these, and there is nothing for them here. */
function refuseOthers([word]: readonly string[], { config }: { readonly config?: string | undefined }): void {
  if (word !== undefined) throw new UsageError(`${JSON.stringify(word)} means nothing here.`);
  if (config !== undefined) throw new UsageError('--config is for the service; the test kit has no settings.');
}

/** Only this machine: mail and codes of made-up people go nowhere else. */
function readSink(given: string = places.sink): URL {
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol) || !isLoopback(url.hostname)) {
    throw new UsageError(`--sink is an address on this machine, such as ${places.sink}.`);
  }
  return url;
}

function readPage(given: string): { readonly origin: string; readonly purpose: Purpose } {
  const url = URL.parse(given);
  const purpose = purposes.find((each) => url?.pathname === `/${each}`);
  if (url === null || purpose === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError('--page is an address that ends with /reset, /activate or /confirm.');
  }
  return { origin: url.origin, purpose };
}

function outcome(exitCode: 0 | 1, words: string, json: unknown, asJson: boolean | undefined): CommandRun {
  return { exitCode, output: asJson === true ? JSON.stringify(json, undefined, 2) : words, complaint: '' };
}

async function answering<Result>(
  args: readonly string[],
  usage: string,
  work: () => Promise<Result>,
): Promise<Result | CommandRun> {
  if (args.includes('--help')) return { exitCode: 0, output: usage, complaint: '' };
  try {
    return await work();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) return { exitCode: 2, output: '', complaint: `${shown(problem)}\n\n${usage}` };
    const output = args.includes('--json') ? JSON.stringify({ problem }, undefined, 2) : '';
    return { exitCode: 1, output, complaint: shown(problem) };
  }
}

/** Breaks a line of words. */
function wrap(words: string, columns: number): string {
  return words.replace(new RegExp(`(.{1,${columns}})(?: |$)`, 'g'), '$1\n  ').trimEnd();
}
