// The command `accounts`: an administrator adds, looks at, locks, invites and removes accounts, beside the service or
// without it. Who does it, the service or this process, is decided behind compose.ts; here are arguments, words and exit codes.
// Mail addresses are shown on purpose: it is the terminal of whoever entered them.

import { type AccountFile, readAccountFile } from './account-file.ts';
import type {
  AccountAdmin,
  AccountCommands,
  AccountDetails,
  AccountState,
  InviteOutcome,
  SendResult,
} from './app/ports.ts';
import { type CommandRun, type Environment, readArguments, shown, UsageError } from './command.ts';
import { openAccounts } from './compose.ts';
import { entryProblems, type NewAccount } from './core/account-entry.ts';
import { refuseInvitation } from './core/invitation.ts';
import { type Locale, locales } from './core/locale.ts';
import { type Mailbox, parseMailbox } from './core/mail-address.ts';
import type { InviteRefusalReason } from './core/refusal.ts';
import { formatMistakes, loadSettings } from './settings/load-settings.ts';

export interface AccountsOptions {
  /** Shows how far a long import has come, in place of what it showed before; empty: nothing any more. */
  readonly showProgress?: (text: string) => void;
  /** How long to wait for a data folder that somebody has who takes no commands. */
  readonly waitMs?: number;
}

const accountsUsage = `Usage:
  reply-to-verify accounts COMMAND [--config FILE] [--json]

  add NAME --mailbox ADDRESS [--mailbox ADDRESS ...] [--description TEXT]
                  adds an account; a code that is mailed to one of its mailboxes proves its owner
  import FILE     adds the accounts of a CSV file (UTF-8) with the columns name, description, mailboxes;
                  more mailboxes than one are separated by ; or blanks. All or, on any mistake, none
  list            all accounts
  show NAME       one account
  lock NAME       its password cannot be reset any more
  unlock NAME     it can again, also when an undo had frozen it
  drop-second-factor NAME
                  for somebody who has lost both phone and recovery codes: make sure who is asking
  set-mailboxes NAME ADDRESS[,ADDRESS ...] [--even-if-frozen]
                  gives it other mailboxes; not for some days after a reset, unless you say that you know better
  invite NAME...  mails the owners of accounts that have no password how to set the first one; nothing in the mail
                  is secret or can be opened. --all: everybody who can be invited; --locale en, de, fr or es
  remove NAME     removes the account without asking

  --config FILE   settings on top of config/default.yaml and below the environment, as for serve
  --json          one JSON document instead of text; in a checkout say: npm run --silent accounts -- ...

It may run beside the service, as the same user, and is obeyed at once.
Exit code: 0 done, 1 refused or mistakes, nothing was changed then, or not all invitations went out, 2 wrong usage.`;

/** Not done, for a reason that is told; `json` tells it to programs. */
class Refusal extends Error {
  readonly json: object;

  constructor(message: string, json: object = { problem: message }) {
    super(message);
    this.json = json;
  }
}

/** What was done, for people and for programs. */
interface Done {
  readonly text: string;
  readonly json: unknown;
}

type Action =
  | { readonly kind: 'add'; readonly account: NewAccount }
  | { readonly kind: 'import'; readonly file: string }
  | { readonly kind: 'list' }
  | {
      readonly kind: 'set-mailboxes';
      readonly name: string;
      readonly mailboxes: readonly string[];
      readonly evenIfFrozen: boolean;
    }
  | { readonly kind: 'invite'; readonly names: readonly string[] | 'all'; readonly locale: Locale }
  | { readonly kind: 'show' | 'lock' | 'unlock' | 'drop-second-factor' | 'remove'; readonly name: string };

interface Command {
  readonly action: Action;
  readonly config: readonly string[];
  readonly json: boolean;
}

/**
 * Runs the command.
 * @param args     what follows `accounts`; the administrator's
 * @param defaults the settings file beneath that of `--config`
 */
export async function runAccounts(
  args: readonly string[],
  defaults: string,
  env: Environment,
  options: AccountsOptions = {},
): Promise<CommandRun> {
  let command: Command | 'help';
  try {
    command = readCommand(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { exitCode: 2, output: '', complaint: `${shown(error.message)}\n\n${accountsUsage}` };
  }
  if (command === 'help') return { exitCode: 0, output: accountsUsage, complaint: '' };
  const print = ({ text, json }: Done) => (command.json ? JSON.stringify(json, undefined, 2) : text);
  try {
    const done = await perform(command, defaults, env, options);
    return { exitCode: 0, output: print(done), complaint: '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const json = error instanceof Refusal ? error.json : { problem: message };
    return { exitCode: 1, output: print({ text: '', json }), complaint: message.split('\n').map(shown).join('\n') };
  }
}

async function perform(
  { action, config }: Command,
  defaults: string,
  env: Environment,
  { showProgress = () => {}, waitMs }: AccountsOptions,
): Promise<Done> {
  const loaded = loadSettings({ files: [defaults, ...config], env });
  if (!loaded.ok) throw new Refusal(formatMistakes(loaded.mistakes).trimEnd());
  const work = await prepare(action, showProgress);
  const accounts = await openAccounts(loaded.settings, {
    mayMakeFolder: action.kind === 'add' || action.kind === 'import',
    ...(waitMs === undefined ? {} : { waitMs }),
  });
  try {
    return await work(accounts);
  } finally {
    await accounts.close();
  }
}

/** Does what needs no accounts, so that they are held for a short time only. @returns the rest */
async function prepare(
  action: Action,
  show: (text: string) => void,
): Promise<(accounts: AccountCommands) => Promise<Done>> {
  switch (action.kind) {
    case 'add':
      return (accounts) => add(accounts, action.account);
    case 'import': {
      const file = await readAccountFile(action.file, (done, all) => show(bar(done / all)));
      return (accounts) => importFile(accounts, action.file, file, show).finally(() => show(''));
    }
    case 'list':
      return list;
    case 'show':
      return async (accounts) => describe(await found(accounts, action.name));
    case 'lock':
      return (accounts) => setState(accounts, action.name, 'locked');
    case 'unlock':
      return (accounts) => setState(accounts, action.name, 'active');
    case 'drop-second-factor':
      return (accounts) => dropSecondFactor(accounts, action.name);
    case 'set-mailboxes':
      return (accounts) => setMailboxes(accounts, action.name, action.mailboxes, action.evenIfFrozen);
    case 'remove':
      return (accounts) => remove(accounts, action.name);
    case 'invite':
      return (accounts) => invite(accounts, action, show).finally(() => show(''));
  }
}

// ---- arguments ----

const text = { type: 'string' } as const;
const ownOptions = {
  mailbox: { type: 'string', multiple: true },
  description: text,
  'even-if-frozen': { type: 'boolean' },
  all: { type: 'boolean' },
  locale: text,
} as const;

function readCommand(args: readonly string[]): Command | 'help' {
  const { positionals, values } = readArguments(args, ownOptions);
  if (values.help === true) return 'help';
  const [kind, ...rest] = positionals;
  const { mailbox = [], description = '', config, json = false } = values;
  if (kind !== 'add' && (values.mailbox ?? values.description) !== undefined) {
    throw new UsageError('--mailbox and --description belong to add.');
  }
  const evenIfFrozen = values['even-if-frozen'];
  if (kind !== 'set-mailboxes' && evenIfFrozen !== undefined) {
    throw new UsageError('--even-if-frozen belongs to set-mailboxes.');
  }
  if (kind !== 'invite' && (values.all ?? values.locale) !== undefined) {
    throw new UsageError('--all and --locale belong to invite.');
  }
  const settings = config ? [config] : [];
  if (kind === 'invite')
    return { action: readInvite(rest, values.all === true, values.locale), config: settings, json };
  const action =
    kind === 'set-mailboxes'
      ? readMailboxes(rest, evenIfFrozen ?? false)
      : readAction(kind, rest, { mailboxes: mailbox, description });
  return { action, config: settings, json };
}

function readInvite(names: readonly string[], all: boolean, language = 'en'): Action {
  const locale = locales.find((each) => each === language);
  if (locale === undefined) throw new UsageError(`Which language? --locale takes one of ${locales.join(', ')}.`);
  if (all === names.length > 0) throw new UsageError('Who is invited? Say names, or --all.');
  return { kind: 'invite', names: all ? 'all' : names, locale };
}

function readAction(kind: string | undefined, rest: readonly string[], given: Omit<NewAccount, 'name'>): Action {
  switch (kind) {
    case undefined:
      throw new UsageError('What is to be done? Name a command.');
    case 'list':
      if (rest.length > 0) throw new UsageError('list takes no name; show does.');
      return { kind };
    case 'add':
      if (given.mailboxes.length === 0) throw new UsageError('Which mailbox? Say --mailbox ADDRESS.');
      return { kind, account: { name: single(rest, 'Which name?'), ...given } };
    case 'import':
      return { kind, file: single(rest, 'Which file?') };
    case 'show':
    case 'lock':
    case 'unlock':
    case 'drop-second-factor':
    case 'remove':
      return { kind, name: single(rest, 'Which account? Say its name.') };
    default:
      throw new UsageError(`There is no command ${kind}.`);
  }
}

function readMailboxes([name, list, ...more]: readonly string[], evenIfFrozen: boolean): Action {
  if (name === undefined || list === undefined || more.length > 0) {
    throw new UsageError('Say the name and the mail addresses, with commas and no blanks between them.');
  }
  return { kind: 'set-mailboxes', name, mailboxes: list.split(','), evenIfFrozen };
}

function single([first, ...more]: readonly string[], question: string): string {
  if (first === undefined) throw new UsageError(question);
  if (more.length > 0) throw new UsageError('One at a time, please; put a name with blanks in quotes.');
  return first;
}

// ---- actions ----

async function add(accounts: AccountAdmin, account: NewAccount): Promise<Done> {
  const problems = entryProblems(account);
  const mistakes = problems.length > 0 ? [] : await accounts.add([account]);
  problems.push(...mistakes.map(({ problem }) => problem));
  if (problems.length > 0) {
    throw new Refusal([`${account.name} was not added.`, ...problems.map((each) => `  ${each}`)].join('\n'), {
      mistakes: problems.map((problem) => ({ problem })),
    });
  }
  const { json } = describe(await found(accounts, account.name));
  return { text: shown(`Added ${account.name}.`), json: { added: [json] } };
}

async function importFile(
  accounts: AccountAdmin,
  path: string,
  file: AccountFile,
  show: (text: string) => void,
): Promise<Done> {
  const given = file.accounts;
  const isClean = file.mistakes.length === 0;
  if (given.length > longImport) show(isClean ? `${bar(1)}, adding ...` : `${bar(1)}, looking for names in use ...`);
  // Every line that is wrong is told at once, so the directory looks at the others also when nothing will be added.
  const refused = isClean ? await accounts.add(given) : await accounts.check(given);
  const mistakes = [
    ...file.mistakes,
    ...refused.map(({ index, problem }) => ({ line: file.lines[index] ?? 0, problem })),
  ].sort((one, other) => one.line - other.line);
  if (mistakes.length > 0) {
    const count = mistakes.length === 1 ? '1 mistake' : `${mistakes.length} mistakes`;
    const lines = mistakes.map(({ line, problem }) => `  line ${line}: ${problem}`);
    throw new Refusal([`${path} has ${count}; nothing was changed.`, ...lines].join('\n'), { added: 0, mistakes });
  }
  const { length } = given;
  return { text: `Added ${length === 1 ? '1 account' : `${length} accounts`}.`, json: { added: length } };
}

const longImport = 5_000;
const barWidth = 30;

function bar(part: number, what = 'Checking'): string {
  const full = Math.round(part * barWidth);
  const percent = String(Math.round(part * 100)).padStart(3);
  return `${what} [${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${percent} %`;
}

async function list(accounts: AccountAdmin): Promise<Done> {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const all = (await accounts.list()).toSorted((one, other) => compare(one.name, other.name));
  const rows = all.map(({ name, state, hasPassword, mailboxes, description }) => {
    return [name, state, hasPassword ? 'set' : '-', mailboxes.join(', '), description].map(shown);
  });
  const text = rows.length === 0 ? 'There are no accounts.' : aligned([tableHead, ...rows]);
  return { text, json: { accounts: all } };
}

async function setState(accounts: AccountAdmin, name: string, state: AccountState): Promise<Done> {
  const before = await found(accounts, name);
  if ((await accounts.setState(name, state)) !== 'done') throw unknown(name);
  const after = { ...before, state };
  const now = state === 'locked' ? 'is locked' : 'is active';
  const was = before.state === state ? ', as it was' : `; it was ${before.state}`;
  return { text: shown(`${before.name} ${now}${was}.`), json: after };
}

async function dropSecondFactor(accounts: AccountAdmin, name: string): Promise<Done> {
  const before = await found(accounts, name);
  if ((await accounts.dropSecondFactor(name)) !== 'done') throw unknown(name);
  const now = before.secondFactor === null ? 'has no second factor, and had none' : 'has no second factor any more';
  return { text: shown(`${before.name} ${now}.`), json: { ...before, secondFactor: null } };
}

async function setMailboxes(
  accounts: AccountAdmin,
  name: string,
  given: readonly string[],
  evenIfFrozen: boolean,
): Promise<Done> {
  const before = await found(accounts, name);
  const problems = entryProblems({ name: 'of no interest', description: '', mailboxes: given });
  if (problems.length > 0) {
    throw new Refusal([`${before.name} was not changed.`, ...problems.map((each) => `  ${each}`)].join('\n'), {
      mistakes: problems.map((problem) => ({ problem })),
    });
  }
  const mailboxes = given.flatMap((text) => parseMailbox(text) ?? []);
  const outcome = await accounts.setMailboxes(name, mailboxes, evenIfFrozen);
  if (outcome === 'unknown-account') throw unknown(name);
  const after = await found(accounts, name);
  if (outcome === 'address-frozen') throw frozenMailboxes(after);
  const text = `${after.name} has the mailboxes ${after.mailboxes.join(', ')}; it had ${before.mailboxes.join(', ')}.`;
  return { text: shown(text), json: after };
}

function frozenMailboxes({ name, addressFrozenUntil }: AccountDetails): Refusal {
  const problem =
    `The mailboxes of ${name} are not to be changed before ${minuteOf(addressFrozenUntil ?? 0)}, for its password was reset. ` +
    'If you have made sure that its owner asks for it, say --even-if-frozen.';
  return new Refusal(problem, { problem, addressFrozenUntil });
}

async function remove(accounts: AccountAdmin, name: string): Promise<Done> {
  const account = await found(accounts, name);
  if ((await accounts.remove(name)) !== 'done') throw unknown(name);
  const { text, json } = describe(account);
  return { text: `Removed:\n${text}`, json: { removed: json } };
}

/** Mails whoever is named, or nobody: what can be known before is told before anything is sent. */
async function invite(
  accounts: AccountCommands,
  { names, locale }: Extract<Action, { kind: 'invite' }>,
  show: (text: string) => void,
): Promise<Done> {
  const all = await invitable(accounts, names);
  const invited: ({ readonly name: string } & (InviteOutcome | Failed))[] = [];
  for (const [index, name] of all.entries()) {
    if (all.length > 1) show(bar(index / all.length, 'Inviting'));
    // Whoever was mailed so far must be told, also when the service ends in the middle.
    const outcome = await accounts.invite(name, locale).catch((error: unknown): Failed => {
      return { kind: 'failed', problem: error instanceof Error ? error.message : String(error) };
    });
    invited.push({ name, ...outcome });
  }
  const lines = invited.flatMap(({ name, ...outcome }) => invitedLines(name, outcome));
  const text = lines.length === 0 ? 'There is nobody to invite.' : lines.map(shown).join('\n');
  const isComplete = invited.every(
    (each) => each.kind === 'invited' && each.mailboxes.every(({ result }) => result.kind === 'handed-over'),
  );
  if (!isComplete) throw new Refusal(text, { invited });
  return { text, json: { invited } };
}

/** The service did not answer. */
interface Failed {
  readonly kind: 'failed';
  readonly problem: string;
}

function invitedLines(name: string, outcome: InviteOutcome | Failed): readonly string[] {
  switch (outcome.kind) {
    case 'failed':
      return [`${name}: ${outcome.problem}`];
    case 'refused': // it was changed after it was looked at
      return [`${name}: ${notInvited[outcome.reason]}`];
    case 'invited':
      return outcome.mailboxes.map(({ mailbox, result }) => `${name}: ${mailbox} ${relaySaid(result)}`);
  }
}

/** Names as they are written. @throws Refusal when one of those who are named cannot be invited */
async function invitable(accounts: AccountAdmin, names: readonly string[] | 'all'): Promise<readonly string[]> {
  if (names === 'all') {
    return (await accounts.list()).filter((each) => refuseInvitation(each) === undefined).map(({ name }) => name);
  }
  const looked: { readonly name: string; readonly account: AccountDetails | undefined }[] = [];
  for (const name of names) looked.push({ name, account: await accounts.find(name) });
  const refused = looked.flatMap(({ name, account }) => {
    const reason = account === undefined ? 'unknown-account' : refuseInvitation(account)?.reason;
    return reason === undefined ? [] : [{ name: account?.name ?? name, reason }];
  });
  if (refused.length > 0) {
    const lines = refused.map(({ name, reason }) => `  ${name}: ${notInvited[reason]}`);
    throw new Refusal(['Nobody was invited.', ...lines].join('\n'), { invited: [], refused });
  }
  return [...new Set(looked.map(({ name, account }) => account?.name ?? name))];
}

function relaySaid(result: SendResult): string {
  if (result.kind === 'handed-over') return 'the relay took it';
  const outcome = result.kind === 'permanent' ? 'the relay refused it' : 'it could not be handed over; try again later';
  return `${outcome} (${result.detail})`;
}

const notInvited: Readonly<Record<InviteRefusalReason, string>> = {
  'unknown-account': 'there is no such account',
  'account-active': 'has a password already',
  'account-locked': 'is locked',
  'account-frozen': 'is frozen, because a change was undone',
  'mailbox-missing': 'has no mailbox',
};

async function found(accounts: AccountAdmin, name: string): Promise<AccountDetails> {
  const account = await accounts.find(name);
  if (account === undefined) throw unknown(name);
  return account;
}

const unknown = (name: string) => new Refusal(`There is no account ${name}. "accounts list" shows all there are.`);

// ---- words ----

const tableHead = ['NAME', 'STATE', 'PASSWORD', 'MAILBOXES', 'DESCRIPTION'];

const stateWords: Readonly<Record<AccountState, string>> = {
  active: 'active',
  locked: 'locked by an administrator: it cannot be reset',
  frozen: 'frozen, because a change was undone: it cannot be reset until it is unlocked',
};

function describe(account: AccountDetails): Done {
  const { name, description, mailboxes, confirmed, state, hasPassword, passwordChangedAt, undoUntil, secondFactor } =
    account;
  const proofs = new Map(confirmed.map(({ mailbox, at }) => [mailbox, at]));
  const proof = (mailbox: Mailbox) => {
    const at = proofs.get(mailbox);
    return at === undefined ? mailbox : `${mailbox}, confirmed ${minuteOf(at)}`;
  };
  const password = hasPassword ? 'set' : 'none';
  const rows = [
    ['Name', name],
    ['Description', description || '-'],
    ...(mailboxes.length === 0 ? ['-'] : mailboxes.map(proof)).map((mailbox, index) => [
      index === 0 ? 'Mailbox' : '',
      mailbox,
    ]),
    ['State', stateWords[state]],
    ['Password', passwordChangedAt === null ? password : `${password}, changed ${minuteOf(passwordChangedAt)}`],
    ['Second factor', secondFactor === null ? 'none' : factorWords(secondFactor)],
    ...(undoUntil === null ? [] : [['Undo', `until ${minuteOf(undoUntil)}`]]),
    ...(account.addressFrozenUntil === null
      ? []
      : [['Mailboxes', `not to be changed before ${minuteOf(account.addressFrozenUntil)}`]]),
    ['Id', account.id],
  ];
  return { text: aligned(rows.map((row) => row.map(shown))), json: account };
}

function factorWords({ enrolledAt, recoveryCodesLeft }: NonNullable<AccountDetails['secondFactor']>): string {
  return `enrolled ${minuteOf(enrolledAt)}, recovery codes left: ${recoveryCodesLeft}`;
}

/** Columns below each other; the last one is as long as it is. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length);
  }
  const lines = rows.map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  '));
  return lines.map((line) => line.trimEnd()).join('\n');
}

/** `2026-11-20 10:15 UTC`. */
function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
