// How a question is answered from the zone of the test kit's DNS server. Pure; the wire is in dns-server.ts. Serves RFC 1034
// (CNAME, empty non-terminals) as far as mail checks need it.

import type { Answer } from 'dns-packet';
import type { DnsFault, Zone, ZoneRecords } from './zone.ts';

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
