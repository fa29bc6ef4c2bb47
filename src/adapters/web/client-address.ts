// Whose request it is: the network address of the browser, told by proxies of ours (X-Forwarded-For).

import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/**
 * Reads the address from the end, which the nearest proxy wrote, as long as proxies of ours vouch for it: what stands
 * before that anybody may have made up.
 * @param proxies their IP addresses
 */
export function clientAddress({ socket, headers }: IncomingMessage, proxies: readonly string[]): string {
  const told = String(headers['x-forwarded-for'] ?? '').split(',');
  let address = plain(socket.remoteAddress ?? '');
  while (proxies.includes(address)) {
    const before = plain(told.pop()?.trim() ?? '');
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** An IPv4 address that came by an IPv6 socket is the IPv4 address (RFC 4291 §2.5.5.2). */
function plain(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=[0-9.]+$)/, '');
}
