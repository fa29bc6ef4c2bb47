// What the DNS has to say about us, and whether it does: answers in, checks with the very lines to publish out.
// The one-time domain only receives: MX, and records that say that nothing comes from it. The domain of mail.from sends
// through the relay: SPF and DMARC, and DKIM above all, because the envelope sender of our mail is empty and SPF then
// speaks for the relay's own name. RFC 5321 §5.1, 6376, 7208, 9989.

import { ok, type SetupCheck, toDo, unknown, zoneLine, zoneText } from './setup-check.ts';

/** An answer: records (at least one), a certain no, or nothing that could be believed. */
export type Answer<T> =
  | { readonly kind: 'found'; readonly records: readonly T[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly code: string };

export interface MxRecord {
  readonly exchange: string;
  readonly priority: number;
}

/** Our names. All lower case, without the last dot. */
export interface SetupNames {
  /** Domain of the one-time addresses. */
  readonly mailDomain: string;
  /** Our own host name. */
  readonly hostname: string;
  /** Domain of the sender of our mail. */
  readonly fromDomain: string;
  /** Host name or IP address of the relay. */
  readonly relayHost: string;
  /** The relay runs on this machine, so this machine is what receivers see. */
  readonly relayIsHere: boolean;
}

function failed(name: string, { code }: { readonly code: string }): SetupCheck {
  return unknown(name, `The DNS servers did not say (${code}).`, 'Ask again; do the servers in dns.servers answer?');
}

/** The DNS servers answer at all. @param answers to some questions of ours */
export function checkDns(answers: readonly Answer<unknown>[]): SetupCheck {
  const name = 'dns';
  const codes = answers.flatMap((answer) => (answer.kind === 'failed' ? [answer.code] : []));
  if (codes.length < answers.length) return ok(name, 'The servers in dns.servers answer.');
  const remedy = 'Without them no mail can be checked. Put dns.servers right, then ask again.';
  return toDo(name, `The servers in dns.servers do not answer (${[...new Set(codes)].join(', ')}).`, remedy);
}

const plain = (name: string) => name.toLowerCase().replace(/\.$/, '');

/** Mail for the one-time domain finds us. */
export function checkMx({ mailDomain, hostname }: SetupNames, answer: Answer<MxRecord>): SetupCheck {
  const name = 'mx';
  const publish = [zoneLine(mailDomain, 'MX', `10 ${hostname}.`)];
  if (answer.kind === 'failed') return failed(name, answer);
  if (answer.kind === 'none') {
    return toDo(name, `${mailDomain} has no MX record: mail to its addresses does not find you.`, 'Publish:', publish);
  }
  const exchanges = answer.records.map(({ exchange }) => plain(exchange));
  const others = exchanges.filter((exchange) => exchange !== hostname);
  if (others.length === 0) return ok(name, `Mail for ${mailDomain} goes to ${hostname}.`);
  // RFC 7505 §3: a single "." takes no mail at all.
  const found = `Mail for ${mailDomain} goes to ${exchanges.map((each) => each || '"." (nobody)').join(', ')}.`;
  const remedy = `Let all of it lead to smtp.hostname. Is the other one a mail server or proxy of yours in front of this service? Then give smtp.hostname its name.`;
  return toDo(name, found, remedy, publish);
}

/** The host that mail goes to has an address, and a name of its own. */
export function checkHost({ hostname }: SetupNames, addresses: Answer<string>, alias: Answer<string>): SetupCheck {
  const name = 'mx-address';
  const publish = [zoneLine(hostname, 'A', 'ADDRESS-OF-THIS-MACHINE')];
  if (alias.kind === 'found') {
    // RFC 2181 §10.3
    return toDo(name, `${hostname} is an alias (CNAME), which the target of an MX must not be.`, 'Publish:', publish);
  }
  if (addresses.kind === 'failed') return failed(name, addresses);
  if (addresses.kind === 'none') return toDo(name, `${hostname} has no address.`, 'Publish:', publish);
  return ok(name, `${hostname} has the address ${addresses.records.join(' and ')}.`);
}

/** Texts of an SPF record, of which there may be one (RFC 7208 §4.5). */
function spfRecords(texts: Answer<string>): readonly string[] {
  return texts.kind === 'found' ? texts.records.filter((text) => /^v=spf1(?: |$)/i.test(text)) : [];
}

/** The one-time domain says that no mail comes from it. */
export function checkOneTimeSpf({ mailDomain }: SetupNames, texts: Answer<string>): SetupCheck {
  const name = 'one-time-spf';
  if (texts.kind === 'failed') return failed(name, texts);
  const records = spfRecords(texts);
  if (records.length === 1 && /^v=spf1\s+-all\s*$/i.test(records[0] ?? '')) {
    return ok(name, `${mailDomain} says that no mail comes from it.`);
  }
  const publish = [zoneText(mailDomain, 'v=spf1 -all')];
  const found = records.length === 0 ? `${mailDomain} has no SPF record.` : `${mailDomain} has ${quoted(records)}.`;
  return toDo(name, found, 'Nothing is ever sent from it (and so it needs no DKIM key). Say so:', publish);
}

const quoted = (records: readonly string[]) => records.map((record) => `"${record}"`).join(' and ');

/**
 * The domain of mail.from names who sends for it.
 * @param relayVerdict what SPF says of the relay's addresses; undefined when they are not known
 */
export function checkFromSpf(names: SetupNames, texts: Answer<string>, relayVerdict: string | undefined): SetupCheck {
  const name = 'from-spf';
  const { fromDomain, relayHost, relayIsHere, hostname } = names;
  if (texts.kind === 'failed') return failed(name, texts);
  const [record, ...more] = spfRecords(texts);
  const host = relayIsHere ? hostname : relayHost;
  const term = /^[\d.]+$/.test(host) ? `ip4:${host}` : host.includes(':') ? `ip6:${host}` : `a:${host}`;
  if (record === undefined) {
    const remedy =
      'Publish this, with all other servers that send for the domain. Ask who runs the relay what to name:';
    return toDo(name, `${fromDomain} has no SPF record.`, remedy, [zoneText(fromDomain, `v=spf1 ${term} ~all`)]);
  }
  if (more.length > 0) {
    return toDo(name, `${fromDomain} has more than one SPF record, so none counts.`, 'Join them to one.');
  }
  if (/(?:^|\s)[+?]?all(?:\s|$)/i.test(record)) {
    return toDo(name, `${fromDomain} has "${record}", which lets everybody in.`, 'End it with ~all or -all.');
  }
  if (relayVerdict === 'pass') return ok(name, `${fromDomain} lets ${host} send: "${record}".`);
  const found = `${fromDomain} has "${record}", by which ${host} itself may not send (${relayVerdict ?? 'address unknown'}).`;
  const remedy = `A relay often sends from other addresses than it takes mail at: ask who runs it. If it is this one, add ${term} to the record.`;
  return unknown(name, found, remedy);
}

/** One key that signs our mail, and what stands in the DNS at its selector. */
export interface DkimFacts {
  readonly selector: string;
  /** As the record has it: `rsa` or `ed25519`, and base64. */
  readonly type: string;
  readonly publicKey: string;
  readonly texts: Answer<string>;
}

/** Where the public key of a selector stands. */
export function dkimName(selector: string, { fromDomain }: SetupNames): string {
  return `${selector}._domainkey.${fromDomain}`;
}

/** Our mail is signed for the domain of mail.from. @param keys ours; none: the relay signs */
export function checkDkim(names: SetupNames, keys: readonly DkimFacts[]): readonly SetupCheck[] {
  if (keys.length > 0) return keys.map((key) => checkDkimKey(names, key));
  const { fromDomain } = names;
  const found = `The relay has to sign for ${fromDomain} (mail.dkimKeys is empty). With which key, only it knows.`;
  const remedy = `Prove a mailbox elsewhere on the reset page and look at the source of the reply: it must have "dkim=pass" with "header.d=${fromDomain}". Unsigned replies end as spam, or nowhere.`;
  return [unknown('from-dkim', found, remedy)];
}

function checkDkimKey(names: SetupNames, { selector, type, publicKey, texts }: DkimFacts): SetupCheck {
  const name = `from-dkim ${selector}`;
  const place = dkimName(selector, names);
  const publish = [zoneText(place, `v=DKIM1; k=${type}; p=${publicKey}`)];
  if (texts.kind === 'failed') return failed(name, texts);
  if (texts.kind === 'none') return toDo(name, `There is no key at ${place}.`, 'Publish:', publish);
  const [record = '', ...more] = texts.records;
  if (more.length > 0) return toDo(name, `${place} has more than one record.`, 'Keep only this one:', publish);
  const tags = readTags(record);
  if ((tags.get('p') ?? '').replace(/\s/g, '') !== publicKey || (tags.get('k') ?? 'rsa') !== type) {
    return toDo(name, `${place} has another key than mail.dkimKeys.`, 'Publish:', publish);
  }
  const isTesting = (tags.get('t') ?? '').split(':').includes('y');
  if (!isTesting) return ok(name, `The key at ${place} is the one that signs.`);
  return toDo(name, `The key at ${place} says that it is only being tried out (t=y).`, 'Publish:', publish);
}

/** `a=b; c=d`, names in lower case. A tag that stands there twice keeps its first value. */
function readTags(record: string): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  for (const part of record.split(';')) {
    const [name = '', ...value] = part.split('=');
    const tag = name.trim().toLowerCase();
    if (value.length > 0 && !tags.has(tag)) tags.set(tag, value.join('=').trim());
  }
  return tags;
}

/** Where a DMARC record for a domain may stand, the nearest first (RFC 9989: the tree is walked upwards). */
export function dmarcNames(domain: string): readonly string[] {
  const labels = domain.split('.');
  return labels.slice(0, -1).map((_, index) => `_dmarc.${labels.slice(index).join('.')}`);
}

/** What was found at a name. */
export interface DmarcAnswer {
  readonly place: string;
  readonly texts: Answer<string>;
}

/** The record that holds for a domain, and the policy it has for it. */
function dmarcOf(domain: string, answers: readonly DmarcAnswer[]) {
  for (const { place, texts } of answers) {
    if (texts.kind === 'failed') return texts;
    const records = texts.kind === 'found' ? texts.records.filter((text) => /^v=DMARC1\s*(?:;|$)/i.test(text)) : [];
    const [record, ...more] = records;
    if (record === undefined) continue;
    const tags = readTags(record);
    const isOwn = place === `_dmarc.${domain}`;
    const policy = ((isOwn ? undefined : tags.get('sp')) ?? tags.get('p') ?? 'none').toLowerCase();
    return { kind: 'found' as const, place, policy, isAlone: more.length === 0 };
  }
  return { kind: 'none' as const };
}

/** Nobody may write in the name of the one-time domain. */
export function checkOneTimeDmarc({ mailDomain }: SetupNames, answers: readonly DmarcAnswer[]): SetupCheck {
  const name = 'one-time-dmarc';
  const publish = [zoneText(`_dmarc.${mailDomain}`, 'v=DMARC1; p=reject')];
  const found = dmarcOf(mailDomain, answers);
  if (found.kind === 'failed') return failed(name, found);
  if (found.kind === 'none') return toDo(name, `${mailDomain} has no DMARC record.`, 'Publish:', publish);
  if (!found.isAlone) return toDo(name, `${found.place} has more than one record, so none counts.`, 'Keep one.');
  if (found.policy === 'none') {
    return toDo(name, `${found.place} lets forged mail from ${mailDomain} through (none).`, 'Publish:', publish);
  }
  return ok(name, `Forged mail from ${mailDomain} meets the policy ${found.policy} (${found.place}).`);
}

/** The domain of mail.from has a DMARC record: large mailbox providers ask for one. */
export function checkFromDmarc({ fromDomain }: SetupNames, answers: readonly DmarcAnswer[]): SetupCheck {
  const name = 'from-dmarc';
  const found = dmarcOf(fromDomain, answers);
  if (found.kind === 'failed') return failed(name, found);
  if (found.kind === 'none') {
    const remedy = 'Publish this to begin with; p=quarantine or p=reject when all your mail is signed:';
    const publish = [zoneText(`_dmarc.${fromDomain}`, 'v=DMARC1; p=none')];
    return toDo(name, `${fromDomain} has no DMARC record.`, remedy, publish);
  }
  if (!found.isAlone) return toDo(name, `${found.place} has more than one record, so none counts.`, 'Keep one.');
  return ok(name, `Mail from ${fromDomain} has the policy ${found.policy} (${found.place}).`);
}

/** Names of one of our addresses. */
export interface ReverseAnswer {
  readonly address: string;
  readonly names: Answer<string>;
}

/** `10.2.0.192.in-addr.arpa` (RFC 1035 §3.5), and for IPv6 each half octet (RFC 3596 §2.5). */
export function reverseName(address: string): string {
  if (!address.includes(':')) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [head = '', tail = ''] = address.toLowerCase().split('::');
  const groups = (part: string) => part.split(':').filter(Boolean);
  const zeros = Array<string>(Math.max(0, 8 - groups(head).length - groups(tail).length)).fill('0');
  const all = [...groups(head), ...(address.includes('::') ? zeros : []), ...groups(tail)];
  const digits = all.map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

/** Our addresses have our name. That matters where the relay is this machine. */
export function checkReverse({ hostname, relayIsHere }: SetupNames, answers: readonly ReverseAnswer[]): SetupCheck {
  const name = 'reverse-dns';
  if (answers.length === 0)
    return unknown(name, `${hostname} has no address to look up.`, 'Put mx-address right first.');
  const nameless = answers.filter(({ names }) => names.kind === 'none' || !isNamed(names, hostname));
  const publish = nameless.map(({ address }) => zoneLine(reverseName(address), 'PTR', `${hostname}.`));
  const trouble = answers.find(({ names }) => names.kind === 'failed');
  if (trouble?.names.kind === 'failed') return failed(name, trouble.names);
  if (nameless.length === 0) return ok(name, `The addresses of ${hostname} have its name.`);
  const found = `${nameless.map(({ address }) => address).join(' and ')} does not have the name ${hostname}.`;
  if (!relayIsHere) {
    return unknown(
      name,
      found,
      'Needed only if your mail leaves from there. Whoever gave you the address publishes it:',
      publish,
    );
  }
  return toDo(
    name,
    found,
    'Your relay is on this machine, so receivers look at it. Ask whoever gave you the address:',
    publish,
  );
}

function isNamed(names: Answer<string>, hostname: string): boolean {
  return names.kind !== 'found' || names.records.some((each) => plain(each) === hostname);
}
