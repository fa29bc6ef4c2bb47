// The command `doctor`: whether everything around the service is as it needs it. What is judged how is behind inspection.ts;
// here are only words. Texts from the DNS are printed as printable ASCII and nothing else.

import type { ExamineSetup } from './app/ports.ts';
import { type CommandContext, type CommandRun, type Outcome, runSimpleCommand } from './command.ts';
import type { CheckState, SetupCheck } from './core/setup-check.ts';
import { type InspectionOptions, openDoctor } from './inspection.ts';

const doctorUsage = `Usage:
  reply-to-verify doctor [--config FILE] [--json]

Looks whether the world is ready for the service: DNS records, ports, relay, certificates, clock,
data folder; and says what to publish or to do. It sends no mail and changes nothing, and may run
beside the service, as the same user. What it sees of ports and pages, it sees from this machine.

  --config FILE   settings on top of config/default.yaml and below the environment, as for serve
  --json          one JSON document instead of text; in a checkout say: npm run --silent doctor -- ...

Exit code: 0 nothing to do, 1 something to do, or mistakes in the settings, 2 wrong usage.`;

/** Runs the command. @param options tests have other ports and clocks */
export function runDoctor(context: CommandContext, options: InspectionOptions = {}): Promise<CommandRun> {
  return runSimpleCommand(context, { usage: doctorUsage }, (settings) => examine(openDoctor(settings, options)));
}

async function examine(look: ExamineSetup): Promise<Outcome> {
  const checks = (await look()).map(inAscii);
  return {
    exitCode: checks.some(({ state }) => state === 'to-do') ? 1 : 0,
    text: [...checks.map(paragraph), summary(checks)].join('\n'),
    json: { checks },
  };
}

const stateWords: Readonly<Record<CheckState, string>> = { ok: 'ok', 'to-do': 'TO DO', unknown: '?' };
const indent = ' '.repeat(8);

function paragraph({ name, state, found, remedy, publish }: SetupCheck): string {
  const lines = [`${stateWords[state].padEnd(indent.length)}${name}: ${found}`];
  if (remedy !== '') lines.push(`${indent}${remedy}`);
  // Lines for a zone file start at the margin, to be copied as they are.
  if (publish.length > 0) lines.push('', ...publish, '');
  return lines.join('\n');
}

function summary(checks: readonly SetupCheck[]): string {
  const count = (state: CheckState) => checks.filter((check) => check.state === state).length;
  return `\n${count('ok')} ok, ${count('to-do')} to do, ${count('unknown')} that cannot be told from here.`;
}

function inAscii(check: SetupCheck): SetupCheck {
  const show = (text: string) => {
    const cut = text.length > 1000 ? `${text.slice(0, 1000)}...` : text;
    return cut.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  };
  return { ...check, found: show(check.found), remedy: show(check.remedy), publish: check.publish.map(show) };
}
