// What all commands beside the service have in common: how they are called, what they print, how they end.
// Exit code 0: done, or all is well; 1: no, or something is to be done; 2: called wrongly. `explain` has two more.

import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { formatMistakes, loadSettings } from './settings/load-settings.ts';
import type { Settings } from './settings/settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the process prints, and how it ends. */
export interface CommandRun {
  readonly exitCode: number;
  readonly output: string;
  readonly complaint: string;
}

/** The command line is wrong; the message says how. */
export class UsageError extends Error {}

/** Letters of all languages stay; what moves the cursor or turns the direction of writing is escaped. */
export function shown(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

const flag = { type: 'boolean' } as const;
/** What every command understands. */
export const commonOptions = { config: { type: 'string' }, json: flag, help: flag } as const;

/**
 * Reads the command line.
 * @param options what this command takes besides the common ones
 * @throws UsageError
 */
export function readArguments<const Own extends ParseArgsOptionsConfig>(args: readonly string[], options: Own) {
  const all: Own & typeof commonOptions = { ...options, ...commonOptions };
  try {
    // Whoever asks for help gets it, whatever else is wrong.
    const given = args.includes('--help') ? ['--help'] : [...args];
    return parseArgs({ args: given, allowPositionals: true, options: all });
  } catch (error) {
    // Its first sentence names the argument; the others are about programming.
    throw new UsageError(error instanceof Error ? (error.message.split(/\.\s/)[0] ?? '') : String(error));
  }
}

/** What a command came to, for people and for programs. */
export interface Outcome {
  readonly exitCode: 0 | 1;
  readonly text: string;
  readonly json: unknown;
}

export interface CommandContext {
  /** What follows the name of the command; the operator's. */
  readonly args: readonly string[];
  /** The settings file beneath that of `--config`. */
  readonly defaults: string;
  readonly env: Environment;
}

/**
 * Runs a command that takes settings and the common options, and words if it says which.
 * @param words the only ones it may be called with, all of them
 */
export async function runSimpleCommand(
  { args, defaults, env }: CommandContext,
  { usage, words = [] }: { readonly usage: string; readonly words?: readonly string[] },
  work: (settings: Settings) => Promise<Outcome>,
): Promise<CommandRun> {
  let isJson = false;
  try {
    const { positionals, values } = readArguments(args, {});
    if (values.help === true) return { exitCode: 0, output: usage, complaint: '' };
    isJson = values.json === true;
    if (positionals.join(' ') !== words.join(' ')) {
      throw new UsageError(words.length === 0 ? 'It takes no names.' : `Say: ${words.join(' ')}.`);
    }
    const loaded = loadSettings({ files: [defaults, ...(values.config ? [values.config] : [])], env });
    if (!loaded.ok) {
      const output = isJson ? JSON.stringify({ mistakes: loaded.mistakes }, undefined, 2) : '';
      return { exitCode: 1, output, complaint: formatMistakes(loaded.mistakes).trimEnd() };
    }
    const { exitCode, text, json } = await work(loaded.settings);
    return { exitCode, output: isJson ? JSON.stringify(json, undefined, 2) : text, complaint: '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) return { exitCode: 2, output: '', complaint: `${shown(message)}\n\n${usage}` };
    const output = isJson ? JSON.stringify({ problem: message }, undefined, 2) : '';
    return { exitCode: 1, output, complaint: message };
  }
}
