// What the test kit's DNS server knows, as plain data, and how a question is answered from it.
// Pure; the wire is in dns-server.ts. Serves RFC 1034 (CNAME, empty non-terminals) as far as mail checks need it.

import type { Answer } from 'dns-packet';

/**
 * How a name server fails: an error answer, an answer that breaks off, one that is too long for UDP with nobody at TCP,
 * or none at all.
 */
export type DnsFault =
  | 'servfail'
  | 'refused'
  | 'format-error'
  | 'not-implemented'
  | 'broken-off'
  | 'truncated'
  | 'silent';

/** The records of one name. `fail` makes questions for the name fail. */
export type ZoneRecords = {
  TXT?: string[];
  MX?: { exchange: string; priority: number }[];
  A?: string[];
  AAAA?: string[];
  PTR?: string[];
  CNAME?: string;
  fail?: DnsFault;
  /** The types whose questions fail; without it, all. */
  failOnly?: readonly string[];
};

/** Names in lower case without the final dot. May be changed while the server runs. */
export type Zone = { [name: string]: ZoneRecords };

export type ZoneAnswer = {
  readonly kind: 'answer' | 'name-unknown' | DnsFault;
  readonly answers: Answer[];
};

// RFC 1035 §3.3: a character-string has at most 255 octets; the reader joins those of a longer TXT.
function characterStrings(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const count = Math.max(1, Math.ceil(bytes.length / 255));
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * 255, (index + 1) * 255));
}

function answersOf(records: ZoneRecords, name: string, type: string): Answer[] {
  const ttl = 0; // the zone may change at any moment
  switch (type) {
    case 'TXT':
      return (records.TXT ?? []).map((text) => ({ type, name, ttl, data: characterStrings(text) }));
    case 'MX':
      return (records.MX ?? []).map((mx) => ({
        type,
        name,
        ttl,
        data: { preference: mx.priority, exchange: mx.exchange },
      }));
    case 'A':
    case 'AAAA':
    case 'PTR':
      return (records[type] ?? []).map((data) => ({ type, name, ttl, data }));
    default:
      return [];
  }
}

/**
 * Answers one question from the zone, following CNAMEs inside it.
 * @param name lower case, without the final dot; sent by anybody
 * @param type as dns-packet writes it; types we do not serve have no records
 * @returns the records (none: the name exists without that type), or how it fails
 */
export function lookUp(zone: Zone, name: string, type: string): ZoneAnswer {
  const answers: Answer[] = [];
  let owner = name;
  for (let hop = 0; hop < 8; hop += 1) {
    const records = Object.hasOwn(zone, owner) ? zone[owner] : undefined;
    if (!records) {
      // RFC 8020 §2: a name that has names below it exists.
      const exists = Object.keys(zone).some((known) => known.endsWith(`.${owner}`));
      return { kind: exists ? 'answer' : 'name-unknown', answers };
    }
    if (records.fail && (records.failOnly?.includes(type) ?? true)) return { kind: records.fail, answers: [] };
    if (records.CNAME === undefined || type === 'CNAME') {
      const found: Answer[] =
        records.CNAME === undefined ? [] : [{ type: 'CNAME', name: owner, ttl: 0, data: records.CNAME }];
      return { kind: 'answer', answers: [...answers, ...found, ...answersOf(records, owner, type)] };
    }
    answers.push({ type: 'CNAME', name: owner, ttl: 0, data: records.CNAME });
    owner = records.CNAME.toLowerCase();
  }
  return { kind: 'servfail', answers: [] }; // a loop of CNAMEs
}
