// What the test kit's DNS server knows, as plain data. How a question is answered from it is in zone-answers.ts.

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
