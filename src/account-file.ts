// The file that `accounts import` reads: CSV with the columns name, description and mailboxes -> accounts to add, and
// every line that is wrong. Whether a name is free, only the directory knows.

import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { entryProblems, type NewAccount, nameKey } from './core/account-entry.ts';
import { readCsv } from './core/csv.ts';
import { fileProblem } from './core/file-problem.ts';

export interface LineMistake {
  readonly line: number;
  readonly problem: string;
}

/** Accounts that are right by themselves, and all that is wrong with the other lines. */
export interface AccountFile {
  readonly accounts: readonly NewAccount[];
  /** Where each of them stands. */
  readonly lines: readonly number[];
  readonly mistakes: readonly LineMistake[];
}

const fileBytesMax = 64 * 1024 * 1024;
const rowsMax = 250_000;
const linesAtOnce = 5_000;
const columns = ['name', 'description', 'mailboxes'] as const;
type Column = (typeof columns)[number];
const example = `begin the file with the line ${columns.join(',')}`;

/**
 * Reads the file, as far as it can be read.
 * @param path     of the administrator
 * @param progress is told how many of how many rows were checked, now and then, when there are many
 * @throws Error when there is no such file, or it is far too long
 */
export async function readAccountFile(
  path: string,
  progress: (done: number, all: number) => void = () => {},
): Promise<AccountFile> {
  const bytes = await readBounded(path);
  if (!isUtf8(bytes)) return { accounts: [], lines: [], mistakes: foreignLines(bytes) };
  const linesMax = bytes.reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 1);
  const text = bytes.toString('utf8');
  const accounts: NewAccount[] = [];
  const lines: number[] = [];
  const mistakes: LineMistake[] = [];
  const lineOfName = new Map<string, number>();
  let places: ReadonlyMap<Column, number> | undefined;
  for (const record of readCsv(text)) {
    const { line } = record;
    if (linesMax > linesAtOnce && line % linesAtOnce === 0) progress(line, linesMax);
    if ('problem' in record) mistakes.push(record);
    else if (places === undefined) {
      const header = readHeader(record.fields);
      // Without knowing the columns, everything below would be wrong as well.
      if (Array.isArray(header)) return { accounts, lines, mistakes: header.map((problem) => ({ line, problem })) };
      places = header;
    } else {
      const { account, problems } = readRow(record.fields, places);
      const key = nameKey(account.name);
      const earlier = lineOfName.get(key);
      if (earlier === undefined && key !== '') lineOfName.set(key, line);
      if (earlier !== undefined)
        problems.push(`its name stands in line ${earlier} already; choose another, or take one away`);
      for (const problem of problems) mistakes.push({ line, problem });
      if (problems.length > 0) continue;
      if (accounts.length === rowsMax) throw new Error(`${path} has too many rows; import at most ${rowsMax} at once.`);
      accounts.push(account);
      lines.push(line);
    }
  }
  if (places === undefined && mistakes.length === 0)
    mistakes.push({ line: 1, problem: `the file is empty; ${example}` });
  return { accounts, lines, mistakes };
}

/** Where each column stands, or what is wrong. */
function readHeader(fields: readonly string[]): Map<Column, number> | string[] {
  if (fields.length === 1 && /[;\t]/.test(fields[0] ?? '')) {
    return ['the columns are not separated by commas; save the file as CSV with commas'];
  }
  const places = new Map<Column, number>();
  const problems: string[] = [];
  for (const [place, text] of fields.entries()) {
    const column = columns.find((each) => each === text.trim().toLowerCase());
    if (column === undefined) problems.push(`there is no column "${text}"; ${example}`);
    else if (places.has(column)) problems.push(`the column ${column} is there twice; take one away`);
    else places.set(column, place);
  }
  for (const column of columns) {
    if (!places.has(column)) problems.push(`the column ${column} is missing; ${example}`);
  }
  return problems.length === 0 ? places : problems;
}

function readRow(
  fields: readonly string[],
  places: ReadonlyMap<Column, number>,
): { readonly account: NewAccount; readonly problems: string[] } {
  const field = (column: Column) => fields[places.get(column) ?? 0] ?? '';
  const mailboxes = field('mailboxes').split(/[;\s]+/);
  const account = {
    name: field('name'),
    description: field('description'),
    mailboxes: mailboxes.filter((text) => text !== ''),
  };
  if (fields.length === places.size) return { account, problems: entryProblems(account) };
  const count = fields.length === 1 ? 'is 1 field' : `are ${fields.length} fields`;
  const problem = `there ${count} instead of ${places.size}; put a field with a comma in quotes, and leave none out`;
  return { account: { ...account, name: '' }, problems: [problem] };
}

/** Each line that is not UTF-8. */
function foreignLines(bytes: Buffer): LineMistake[] {
  const problem = 'it is not UTF-8; save the file as CSV in UTF-8';
  const mistakes: LineMistake[] = [];
  let line = 1;
  for (let at = 0; at < bytes.length; line += 1) {
    const feed = bytes.indexOf(0x0a, at);
    const end = feed < 0 ? bytes.length : feed + 1;
    if (!isUtf8(bytes.subarray(at, end))) mistakes.push({ line, problem });
    at = end;
  }
  return mistakes;
}

async function readBounded(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of createReadStream(path)) {
      const bytes = Buffer.from(chunk);
      chunks.push(bytes);
      length += bytes.length;
      if (length > fileBytesMax) break;
    }
  } catch (error) {
    throw new Error(`${path} ${fileProblem(error)}.`);
  }
  if (length > fileBytesMax) throw new Error(`${path} is longer than 64 MiB; import it in several parts.`);
  return Buffer.concat(chunks);
}
