// The table of scenarios in the README of the test kit, made of the scenarios and of the service's own answers.
// `npm run scenarios` writes it anew; test/service/scenarios.test.ts compares, and holds each line against the service.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { edgeReplies, smtpReplies } from '../../src/adapters/smtp-in/smtp-replies.ts';
import { type Scenario, scenarios } from '../../src/testkit/scenarios.ts';

/** Where the table is kept. */
export const readmePath = join(import.meta.dirname, '../../src/testkit/README.md');

/** What the service says to such mail; undefined where it takes it. */
export function answerTo({
  expect,
}: Pick<Scenario, 'expect'>): { readonly code: number; readonly text: string } | undefined {
  return expect === 'accepted' ? undefined : { ...smtpReplies, ...edgeReplies }[expect];
}

function row(scenario: Scenario): string {
  const { name, what, expect, domain } = scenario;
  const answer = answerTo(scenario);
  const said = answer === undefined ? '250, and one reply' : `${answer.code} ${answer.text.split(' ')[0]}`;
  const from = domain === undefined ? '' : ` Comes from \`@${domain}\`.`;
  return `| \`${name}\` | ${what}${from} | ${expect} | ${said} |`;
}

const lines = ['| scenario | the mail | is | answered with |', '|---|---|---|---|', ...scenarios.map(row)];

/** The README with the table as it should be. */
export function withTable(readme: string): string {
  return readme.replace(/^\| scenario \|.*\n(?:\|.*\n)*/m, () => `${lines.join('\n')}\n`);
}

if (import.meta.main) writeFileSync(readmePath, withTable(readFileSync(readmePath, 'utf8')));
