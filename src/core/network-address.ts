// IP addresses as the owner of a network: one IPv4 address, or the /64 of an IPv6 address, all of which one customer has.
// And whose request it is, when proxies tell it (X-Forwarded-For).

/** Eight groups of 16 bits. IPv4 is IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), so that one comparison does for both. */
type Groups = readonly number[];

/** Some leading bits of an address. */
export interface IpNetwork {
  readonly groups: Groups;
  readonly bits: number;
}

const mapped: Groups = [0, 0, 0, 0, 0, 0xffff];
const ipv4Bits = 32;
const allBits = 128;
// Longer texts are no address; a field of a header may be kilobytes.
const lengthMax = 64;

function readIpv4(text: string): readonly [number, number] | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  // A leading zero means octal to some.
  if (found === null || /(^|\.)0\d/.test(text)) return undefined;
  const [a = 256, b = 256, c = 256, d = 256] = found.slice(1).map(Number);
  return Math.max(a, b, c, d) > 255 ? undefined : [a * 256 + b, c * 256 + d];
}

/** Groups between colons, of which the last may be an IPv4 address. */
function readGroups(text: string): Groups | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const ipv4 = readIpv4(parts.at(-1) ?? '');
  const plain = ipv4 === undefined ? parts : parts.slice(0, -1);
  if (!plain.every((part) => /^[0-9a-f]{1,4}$/i.test(part))) return undefined;
  return [...plain.map((part) => Number.parseInt(part, 16)), ...(ipv4 ?? [])];
}

/** @param text attacker-chosen; without brackets or port, with or without a zone. @returns undefined when it is none */
function readIp(text: string): Groups | undefined {
  if (text.length > lengthMax) return undefined;
  if (!text.includes(':')) {
    const ipv4 = readIpv4(text);
    return ipv4 && [...mapped, ...ipv4];
  }
  // The zone (RFC 4007 §11) names an interface of ours.
  const [head = '', tail, more] = (text.split('%')[0] ?? '').split('::');
  if (more !== undefined) return undefined;
  const before = readGroups(head);
  if (before === undefined) return undefined;
  if (tail === undefined) return before.length === 8 ? before : undefined;
  const after = readGroups(tail);
  const missing = 8 - before.length - (after?.length ?? 8);
  // Dots are for the end of an address.
  if (after === undefined || missing < 1 || head.includes('.')) return undefined;
  return [...before, ...Array<number>(missing).fill(0), ...after];
}

function isMapped(groups: Groups): boolean {
  return mapped.every((group, at) => groups[at] === group);
}

/** One way to write an address: IPv4 as such, IPv6 with its longest run of zeros left out (RFC 5952 §4). */
function write(groups: Groups): string {
  if (isMapped(groups))
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.');
  const text = hex(groups);
  const runs = text.match(/\b0(?::0)+\b/g)?.toSorted((one, other) => other.length - one.length) ?? [];
  return runs[0] === undefined ? text : text.replace(new RegExp(`\\b${runs[0]}\\b`), '::').replace(/:{3,}/, '::');
}

function hex(groups: Groups): string {
  return groups.map((group) => group.toString(16)).join(':');
}

/**
 * Names the network that limits count by.
 * @param address as the socket gives it, IPv4-mapped IPv6 included; what is none is its own network
 */
export function networkOf(address: string): string {
  if (readIpv4(address) !== undefined) return address;
  const groups = readIp(address);
  if (groups === undefined) return address;
  return isMapped(groups) ? write(groups) : `${hex(groups.slice(0, 4))}::/64`;
}

/**
 * Reads a network that an operator wrote: an address, or an address and a number of bits (RFC 4632 §3.1).
 * @returns undefined when it is none, or has bits set behind those that count
 */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [address = '', bitsText, more] = text.split('/');
  const groups = address.includes('%') ? undefined : readIp(address);
  const isIpv4 = !address.includes(':');
  const most = isIpv4 ? ipv4Bits : allBits;
  if (groups === undefined || more !== undefined || !/^(0|[1-9]\d{0,2})$/.test(bitsText ?? `${most}`)) return undefined;
  const given = Number(bitsText ?? most);
  const network = { groups, bits: isIpv4 ? given + allBits - ipv4Bits : given };
  const isExact = groups.every((group, at) => (group & ~maskOf(network.bits, at)) === 0);
  return given <= most && isExact ? network : undefined;
}

/** Which bits of the group count. */
function maskOf(bits: number, group: number): number {
  const here = Math.min(16, Math.max(0, bits - 16 * group));
  return (0xffff << (16 - here)) & 0xffff;
}

function isInside(groups: Groups, network: IpNetwork): boolean {
  return network.groups.every((group, at) => ((groups[at] ?? 0) & maskOf(network.bits, at)) === group);
}

/** One hop of X-Forwarded-For: some write a port behind it, and IPv6 in brackets then. */
function readHop(text: string): Groups | undefined {
  const hop = text.trim();
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(hop) ?? [];
  return readIp(bracketed ?? dotted ?? hop);
}

/**
 * Finds out whose request it is. Each proxy of ours wrote at the end who had asked it; what stands before the first that
 * is none of ours anybody may have made up. A proxy that tells nothing, or nonsense, is the one who asks.
 * @param peer         the other end of the connection
 * @param forwardedFor X-Forwarded-For, all of it; attacker-chosen but for what our proxies added
 * @param trusted      networks of our proxies
 * @returns an address, in one way to write it; `peer` as it is when it is none
 */
export function clientAddress(peer: string, forwardedFor: string, trusted: readonly IpNetwork[]): string {
  let client = readIp(peer);
  if (client === undefined) return peer;
  for (let end = forwardedFor.length; end >= 0; ) {
    const known = client;
    if (!trusted.some((network) => isInside(known, network))) break;
    const comma = end === 0 ? -1 : forwardedFor.lastIndexOf(',', end - 1);
    const hop = readHop(forwardedFor.slice(comma + 1, end));
    if (hop === undefined) break;
    client = hop;
    end = comma;
  }
  return write(client);
}

/** @param host name or address, IPv6 with or without brackets */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|\[::1\]|::1|127(?:\.\d{1,3}){3})$/i.test(host);
}
