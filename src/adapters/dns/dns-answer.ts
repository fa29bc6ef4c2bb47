// What a question came to, as a plain value, and the only place where errors of the C library below Node are judged.
// Two are a certain no. All others, known today or not, are temporary: mailauth makes permanent verdicts of EBADNAME.

import type { MxRecord } from 'node:dns';

/** Answers of one look-up, as Node's resolver gives them for the type asked for. */
export type DnsAnswers = string[] | string[][] | MxRecord[];

/** How a question ended. `octets` is about what it takes in memory. */
export type DnsAnswer =
  | { readonly kind: 'records'; readonly records: DnsAnswers; readonly octets: number }
  | { readonly kind: 'none'; readonly code: 'ENOTFOUND' | 'ENODATA' }
  | { readonly kind: 'failed'; readonly code: string };

/** What one answer may hold. */
export interface AnswerLimits {
  readonly recordsMax: number;
  readonly octetsMax: number;
}

/** A question that was not answered in time, or not asked for want of time. */
export const timedOut: DnsAnswer = { kind: 'failed', code: 'ETIMEOUT' };

/**
 * Judges records.
 * @param records as they came; attacker-chosen
 * @returns failed when there are too many: half a list could lack the key, or the second SPF record that makes it void
 */
export function answerOfRecords(records: DnsAnswers, { recordsMax, octetsMax }: AnswerLimits): DnsAnswer {
  // A CNAME to a name without this type arrives as an empty list, which mailauth counts neither as an answer nor as void.
  if (records.length === 0) return { kind: 'none', code: 'ENODATA' };
  if (records.length > recordsMax) return { kind: 'failed', code: 'EBADRESP' };
  let octets = 0;
  for (const record of records) octets += octetsOf(record);
  return octets > octetsMax ? { kind: 'failed', code: 'EBADRESP' } : { kind: 'records', records, octets };
}

/** Judges an error of Node's resolver. @param error anything */
export function answerOfError(error: unknown): DnsAnswer {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return { kind: 'none', code };
    case 'ECANCELLED': // we ended it, since it took too long
      return timedOut;
    case 'ETIMEOUT':
    case 'EREFUSED':
    case 'ECONNREFUSED':
    case 'EBADRESP':
      return { kind: 'failed', code };
    default: // EBADNAME too: names are checked before, so it is not the name
      return { kind: 'failed', code: 'ESERVFAIL' };
  }
}

/** Hands an answer to a library: a copy of its own, or an error of its own, since both get written on. */
export function handOut(answer: DnsAnswer): DnsAnswers {
  if (answer.kind === 'records') return copyOf(answer.records);
  throw Object.assign(new Error(`look-up without an answer: ${answer.code}`), { code: answer.code });
}

function copyOf(records: DnsAnswers): DnsAnswers {
  if (hasNames(records)) return [...records];
  return hasTexts(records) ? records.map((texts) => [...texts]) : records.map((record) => ({ ...record }));
}

// All records of an answer are of one kind, and there is at least one.
const hasNames = (records: DnsAnswers): records is string[] => typeof records[0] === 'string';
const hasTexts = (records: string[][] | MxRecord[]): records is string[][] => Array.isArray(records[0]);

/** As on the wire, without compression: the name of an MX in full, each text of a TXT with its length (RFC 1035 §3.3). */
function octetsOf(record: string | readonly string[] | MxRecord): number {
  if (typeof record === 'string') return record.length + 1;
  if ('exchange' in record) return record.exchange.length + 3;
  return record.reduce((octets, text) => octets + text.length + 1, 1);
}
