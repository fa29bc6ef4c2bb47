// Text in commas and quotes (CSV, RFC 4180) -> records with their line numbers, or what is wrong in which line.
// Taken beyond the RFC: LF for CRLF, a byte order mark, and empty lines, all of which spreadsheets write.

/** A record, or what is wrong with one, and the line it begins in, from 1. */
export type CsvLine =
  | { readonly line: number; readonly fields: readonly string[] }
  | { readonly line: number; readonly problem: string };

const unclosed = 'a quoted field begins here and never ends; close it with ", and write a " inside it twice';
const stray =
  'a " or a bare carriage return stands inside a field; put the whole field in quotes, and a " inside it twice';

const ends: ReadonlySet<string | undefined> = new Set([',', '"', '\r', '\n', undefined]);

/**
 * Reads CSV, a record at a time: a long file in memory once is enough.
 * @param text as it was decoded; written by an administrator, or by a program of somebody else
 * @returns all that can be read, and every line that cannot. After a quote that is never closed nothing can.
 */
export function* readCsv(text: string): Generator<CsvLine> {
  let at = text.startsWith('\ufeff') ? 1 : 0;

  /** One field, or undefined when its quotes are never closed. */
  function readField(): string | undefined {
    const begin = at;
    if (text[at] !== '"') {
      while (!ends.has(text[at])) at += 1;
      return text.slice(begin, at);
    }
    const parts: string[] = [];
    for (let from = at + 1; ; from = at + 1) {
      const quote = text.indexOf('"', from);
      if (quote < 0) return undefined;
      parts.push(text.slice(from, quote));
      at = quote + 1;
      if (text[at] !== '"') return parts.join('"'); // RFC 4180 §2.7: "" inside stands for one
    }
  }

  for (let line = 1; at < text.length; ) {
    const begin = at;
    const fields: string[] = [];
    for (let more = true; more; ) {
      const field = readField();
      if (field === undefined) return yield { line, problem: unclosed };
      fields.push(field);
      more = text[at] === ',';
      if (more) at += 1;
    }
    if (text[at] === '\r' && text[at + 1] === '\n') at += 1;
    if (at < text.length && text[at] !== '\n') {
      yield { line, problem: stray };
      const next = text.indexOf('\n', at);
      at = next < 0 ? text.length : next;
    } else if (fields.length > 1 || fields[0] !== '') yield { line, fields };
    at += 1;
    for (let feed = text.indexOf('\n', begin); feed >= 0 && feed < at; feed = text.indexOf('\n', feed + 1)) line += 1;
  }
}
