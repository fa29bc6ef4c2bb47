// Settings files, the environment and overrides -> frozen settings, or the list of all mistakes at once.
// What an option is and may be is settings.ts; which files there are, and what to do about mistakes, is main.ts.
// Every value from every source is checked, also one that a later source replaces: it would surprise somebody later.
// No mistake repeats a value or the YAML parser's own text, for either could hold a secret.

import { closeSync, openSync, readSync } from 'node:fs';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { crossRules, type Option, options, readPartialSettings, type Settings, settingsSchema } from './settings.ts';

const fileBytesMax = 256 * 1024;

/** One thing to put right. */
export interface Mistake {
  /** `config/x.yaml:12`, `environment variable RTV_X`, ... */
  readonly place: string;
  /** `section.name`; empty when a file as a whole is meant. */
  readonly setting: string;
  readonly problem: string;
  readonly remedy: string;
}

/** The settings, or everything that is wrong with them. */
export type LoadedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Where settings come from, in rising priority. */
export interface SettingsSources {
  /** YAML files; a later one wins, option by option. */
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path to value, for example `{ 'web.listen': '127.0.0.1:0' }`, in the form a file would have it. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** A value that some source gives for an option. */
interface Given {
  readonly option: Option;
  readonly value: unknown;
  readonly place: string;
  readonly from: 'file' | 'environment' | 'override';
}

/** What one source yields. `unreadable`: it may well have held the options that are missing elsewhere. */
interface Source {
  readonly given: readonly Given[];
  readonly mistakes: readonly Mistake[];
  readonly unreadable?: true;
}

/**
 * Loads the settings.
 * @param sources written by the operator; trusted to be meant well, not to be right
 * @returns deeply frozen settings, or all mistakes of all sources. While a file cannot be read at all, options that
 *   are missing are not reported: they may stand in it.
 * @throws only on a bug
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const read = [...sources.files.map(readFile), readEnvironment(sources.env), readOverrides(sources.overrides ?? {})];
  const given = read.flatMap((source) => source.given);
  const mistakes = [...read.flatMap((source) => source.mistakes), ...given.flatMap(checkValue)];

  if (!read.some((source) => source.unreadable)) mistakes.push(...findMissing(given, sources.files.at(-1)));
  mistakes.push(...checkRules(given, mistakes));
  if (mistakes.length > 0) return { ok: false, mistakes };
  return { ok: true, settings: deepFreeze(settingsSchema.parse(nest(given))) };
}

/**
 * Says all mistakes in plain text for the terminal.
 * @param mistakes at least one
 */
export function formatMistakes(mistakes: readonly Mistake[]): string {
  const count = mistakes.length === 1 ? 'is 1 mistake' : `are ${mistakes.length} mistakes`;
  const width = String(mistakes.length).length;
  const indent = ' '.repeat(width + 2);
  const entries = mistakes.map(({ place, setting, problem, remedy }, index) => {
    const number = String(index + 1).padStart(width);
    const subject = setting === '' ? problem : `${setting} ${problem}`;
    return `${number}. ${place}\n${indent}${subject}.\n${indent}${remedy}\n`;
  });
  return `There ${count} in the settings.\n\n${entries.join('\n')}`;
}

// ---- one source each ----

function readFile(file: string): Source {
  const bytes = readBytes(file);
  if (typeof bytes === 'string') return broken(file, bytes, 'Check the path, and that this user may read the file.');
  if (bytes.length > fileBytesMax) {
    return broken(file, `is larger than ${fileBytesMax / 1024} kB`, 'Give a settings file like config/default.yaml.');
  }
  const lines = new LineCounter();
  const placeOf = (offset: number | undefined) => `${file}:${lines.linePos(offset ?? 0).line}`;
  let document: Document.Parsed;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core', merge: false });
  } catch {
    // Not UTF-8, or nested so deeply that the parser gave up.
    return broken(file, 'cannot be read as YAML text', 'Save it as UTF-8, in the form of config/default.yaml.');
  }
  const mistakes = findYamlMistakes(document, placeOf);
  // Past a syntax error the parser guesses; what it guessed would only add false mistakes.
  if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return { given: [], mistakes, unreadable: true };
  const walked = walkFile(document, placeOf);
  return { given: walked.given, mistakes: [...mistakes, ...walked.mistakes] };
}

function broken(place: string, problem: string, remedy: string): Source {
  return { given: [], mistakes: [{ place, setting: '', problem: `the file ${problem}`, remedy }], unreadable: true };
}

/** Reads at most one byte more than the limit, so that /dev/zero ends, too. Returns the problem when it fails. */
function readBytes(file: string): Buffer | string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    const buffer = Buffer.alloc(fileBytesMax + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got)
      got = readSync(descriptor, buffer, { offset: length });
    return buffer.subarray(0, length);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const known: Readonly<Record<string, string>> = {
      ENOENT: 'was not found',
      EACCES: 'may not be read by this user',
      EISDIR: 'is a folder',
    };
    return known[code] ?? `cannot be read (${code})`;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

type PlaceOf = (offset: number | undefined) => string;

/** Syntax errors, one per line, and what YAML allows but a settings file has no need for. */
function findYamlMistakes(document: Document.Parsed, placeOf: PlaceOf): Mistake[] {
  const byPlace = new Map<string, Mistake>();
  const add = (offset: number | undefined, problem: string, remedy: string) => {
    const place = placeOf(offset);
    if (!byPlace.has(place)) byPlace.set(place, { place, setting: '', problem, remedy });
  };
  for (const { code, pos } of document.errors) {
    if (code === 'DUPLICATE_KEY') add(pos[0], 'the same key stands there twice', 'Keep one of the two lines.');
    else if (code === 'MULTIPLE_DOCS') add(pos[0], 'a second document starts', 'Take the line "---" away.');
    else add(pos[0], 'the YAML is not well-formed here', 'Check indentation, quotes and brackets here and just above.');
  }
  for (const { pos } of document.warnings) {
    add(pos[0], 'there is a tag or directive', 'Write the plain value, without "!" or "%" before it.');
  }
  visit(document, {
    Alias: (_, { range }) =>
      add(range?.[0], 'there is an alias ("*")', 'Write the value itself; aliases are not read.'),
  });
  return [...byPlace.values()];
}

function walkFile(document: Document.Parsed, placeOf: PlaceOf): { given: Given[]; mistakes: Mistake[] } {
  const given: Given[] = [];
  const mistakes: Mistake[] = [];
  const notAMap = (offset: number | undefined, setting: string) =>
    mistakes.push({
      place: placeOf(offset),
      setting,
      problem: setting === '' ? 'the file is not a list of sections' : 'is not a section with settings in it',
      remedy: 'Write the section, and its settings indented below it, for example "log:" and below "  level: info".',
    });

  for (const section of entriesOf(document.contents, () => notAMap(document.contents?.range[0], ''))) {
    const place = placeOf(section.offset);
    const known = typeof section.key === 'string' && sectionNames.includes(section.key) ? section.key : undefined;
    if (known === undefined) {
      mistakes.push(unknownKey(place, undefined, section.key));
      continue;
    }
    for (const entry of entriesOf(section.value, () => notAMap(section.offset, known))) {
      const option = options.get(`${known}.${String(entry.key)}`);
      const entryPlace = placeOf(entry.offset);
      if (option === undefined) mistakes.push(unknownKey(entryPlace, known, entry.key));
      else given.push({ option, value: plainValue(entry.value), place: entryPlace, from: 'file' });
    }
  }
  return { given, mistakes };
}

/** The entries of a YAML map; an empty document or section has none, and an alias was reported already. */
function* entriesOf(node: unknown, notAMap: () => void) {
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const scalar = isScalar(key) ? key : undefined;
      const offset = scalar?.range?.[0] ?? (isMap(key) || isSeq(key) || isAlias(key) ? key.range?.[0] : undefined);
      yield { key: scalar?.value, value, offset };
    }
    return;
  }
  const empty = node === null || (isScalar(node) && node.value === null);
  if (!empty && !isAlias(node)) notAMap();
}

/** The value of a YAML node, as far as any option could want it. */
function plainValue(node: unknown): unknown {
  if (node === null) return null;
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map(plainValue);
  return {}; // a map or an alias: of the wrong type for every option
}

function readEnvironment(env: SettingsSources['env']): Source {
  const byName = new Map([...options.values()].map((option) => [option.environmentName, option]));
  const given: Given[] = [];
  const mistakes: Mistake[] = [];
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('RTV_') || text === undefined) continue;
    const option = byName.get(name);
    const place = `environment variable ${printable(name)}`;
    if (option !== undefined) given.push({ option, value: fromText(option, text), place, from: 'environment' });
    else mistakes.push({ place, setting: '', problem: 'no setting has this name', remedy: suggestName(name, byName) });
  }
  return { given, mistakes };
}

function suggestName(name: string, byName: ReadonlyMap<string, Option>): string {
  const close = nearest(name, [...byName.keys()]);
  if (close === undefined) return 'Take it away; config/default.yaml lists all names.';
  return `Did you mean ${close}? All names are in config/default.yaml.`;
}

/** Environment text -> the value a file would give. What cannot be read stays text, and is refused as such. */
function fromText({ form, nullable }: Option, text: string): unknown {
  if (nullable && (text === '' || text === 'null')) return null;
  if (form === 'number') return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : text;
  if (form === 'list') return text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
  return text;
}

function readOverrides(overrides: Readonly<Record<string, unknown>>): Source {
  const given: Given[] = [];
  const mistakes: Mistake[] = [];
  for (const [path, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const option = options.get(path);
    const place = `override ${printable(path)}`;
    if (option !== undefined) {
      given.push({ option, value, place, from: 'override' });
      continue;
    }
    const close = nearest(path, [...options.keys()]);
    const remedy = close === undefined ? 'Take it away.' : `Did you mean ${close}?`;
    mistakes.push({ place, setting: '', problem: 'no setting has this name', remedy });
  }
  return { given, mistakes };
}

// ---- checks ----

function checkValue({ option, value, place, from }: Given): Mistake[] {
  const { path: setting, remedy } = option;
  if (option.environmentOnly && from !== 'environment' && value !== null) {
    const problem = 'must be given in the environment only, for files get copied and shown';
    return [
      {
        place,
        setting,
        problem,
        remedy: `Take it away here, make a new one and give it as ${option.environmentName}.`,
      },
    ];
  }
  if (value === null && !option.nullable) return [{ place, setting, problem: 'has no value', remedy }];
  const all = option.schema.safeParse(value).error?.issues ?? [];
  // A text where a list belongs has a length as well, which zod then finds wrong, too.
  const issues = all.filter((issue, index) => index === 0 || issue.path.length > 0);
  return issues.map(({ message, path: [index] }) => {
    const problem = typeof index === 'number' ? `has entry ${index + 1}, which ${message}` : message;
    return { place, setting, problem, remedy };
  });
}

function findMissing(given: readonly Given[], lastFile: string | undefined): Mistake[] {
  const present = new Set(given.map(({ option }) => option.path));
  const missing = [...options.values()].filter((option) => option.required && !present.has(option.path));
  return missing.map(({ path, environmentName, meaning, remedy }) => ({
    place: `${lastFile === undefined ? '' : `${lastFile}, or `}environment variable ${environmentName}`,
    setting: path,
    problem: 'is missing',
    remedy: `${remedy} It means: ${meaning}`,
  }));
}

/** Checks the rules between options whose own values are all right; blames what was given last, by the winning source. */
function checkRules(given: readonly Given[], mistakes: readonly Mistake[]): Mistake[] {
  const faulty = new Set(mistakes.map((mistake) => mistake.setting));
  const some = readPartialSettings(nest(given.filter(({ option }) => !faulty.has(option.path))));
  return crossRules.flatMap((rule): Mistake[] => {
    if (rule.options.some((path) => faulty.has(path))) return [];
    const found = rule.broken(some);
    if (found === undefined) return [];
    const last = given.findLast(({ option }) => rule.options.includes(option.path));
    const setting = last?.option.path ?? rule.options[0];
    const others = rule.options.filter((path) => path !== setting).join(' and ');
    const problem = `does not fit ${others}: ${found.problem}`;
    return [{ place: last?.place ?? 'built-in default', setting, problem, remedy: found.remedy }];
  });
}

// ---- names ----

const sectionNames: readonly string[] = [...new Set([...options.values()].map((option) => option.section))];

function unknownKey(place: string, section: string | undefined, key: unknown): Mistake {
  // Only what looks like a name is repeated: a secret of 32 bytes is longer, even where it was pasted as a key.
  const name = typeof key === 'string' && /^[A-Za-z0-9_.-]{1,40}$/.test(key) ? key : undefined;
  const remedy = suggestKey(section, name);
  if (name === undefined) return { place, setting: section ?? '', problem: 'has a key that is no setting', remedy };
  const setting = section === undefined ? name : `${section}.${name}`;
  return {
    place,
    setting,
    problem: section === undefined ? 'is not a known section' : 'is not a known setting',
    remedy,
  };
}

function suggestKey(section: string | undefined, name: string | undefined): string {
  const all = [...options.values()];
  const siblings =
    section === undefined ? sectionNames : all.filter((each) => each.section === section).map((each) => each.name);
  if (name !== undefined) {
    const dotted = options.get(name);
    if (dotted) return `Write it in two lines: "${dotted.section}:" and indented below it "${dotted.name}: ...".`;
    const close = nearest(name, siblings);
    if (close !== undefined) return `Did you mean ${section === undefined ? close : `${section}.${close}`}?`;
    const elsewhere = all.find((each) => each.name === name) ?? all.find((each) => nearest(name, [each.name]));
    if (elsewhere) return `Did you mean ${elsewhere.path}, in the section "${elsewhere.section}:"?`;
  }
  return `Known here: ${siblings.join(', ')}.`;
}

/** The candidate with the fewest letters to change, if those are few. */
function nearest(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > 80) return undefined; // the distance takes time in the square of the length
  const ranked = candidates.map((text) => ({ text, distance: editDistance(name.toLowerCase(), text.toLowerCase()) }));
  const best = ranked.toSorted((one, other) => one.distance - other.distance)[0];
  return best !== undefined && best.distance <= Math.max(2, name.length / 4) ? best.text : undefined;
}

/** Levenshtein distance: letters to insert, delete or replace. */
function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (const [index, wanted] of [...other].entries()) {
      const replaced = (row[index] ?? 0) + (letter === wanted ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

/** A name from outside, harmless for the terminal. */
function printable(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_.-]/g, '?');
  return clean.length > 60 ? `${clean.slice(0, 60)}...` : clean;
}

// ---- shapes ----

/** Values by path -> sections, every section present; of two values for one option the later one stays. */
function nest(given: Iterable<Given>): Record<string, Record<string, unknown>> {
  const sections: Record<string, Record<string, unknown>> = {};
  for (const name of sectionNames) sections[name] = {};
  for (const { option, value } of given) Object.assign(sections[option.section] ?? {}, { [option.name]: value });
  return sections;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
