// What a check of the installation came to (`doctor`), and how a record is written for whoever keeps the zone.

/**
 * `to-do`: somebody has to do something; `unknown`: it cannot be seen from here, or not now.
 */
export type CheckState = 'ok' | 'to-do' | 'unknown';

/** One check. Its name is stable: programs may look for it. */
export interface SetupCheck {
  readonly name: string;
  readonly state: CheckState;
  /** What there is. May quote what stands in the DNS: texts of strangers. */
  readonly found: string;
  /** What to do, or how to find out; empty when all is well. */
  readonly remedy: string;
  /** Lines to publish, as a zone file has them. */
  readonly publish: readonly string[];
}

export function ok(name: string, found: string): SetupCheck {
  return { name, state: 'ok', found, remedy: '', publish: [] };
}

export function toDo(name: string, found: string, remedy: string, publish: readonly string[] = []): SetupCheck {
  return { name, state: 'to-do', found, remedy, publish };
}

export function unknown(name: string, found: string, remedy: string, publish: readonly string[] = []): SetupCheck {
  return { name, state: 'unknown', found, remedy, publish };
}

/** `name. IN TYPE data`, names in full. */
export function zoneLine(name: string, type: 'MX' | 'A' | 'PTR', data: string): string {
  return `${name}.  IN  ${type}  ${data}`;
}

/** A TXT record; texts of more than 255 octets are written in parts (RFC 1035 §3.3). @param text printable ASCII */
export function zoneText(name: string, text: string): string {
  const parts = (text.match(/.{1,255}/g) ?? ['']).map((part) => `"${part.replace(/["\\]/g, '\\$&')}"`);
  return `${name}.  IN  TXT  ${parts.length === 1 ? parts[0] : `( ${parts.join(' ')} )`}`;
}
