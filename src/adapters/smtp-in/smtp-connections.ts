// Limits of SMTP connections: how many in all, how many from one network, how old. smtp-server counts connections in
// all but not per network, and its idle time-out never fires on a client that trickles. Only clients that were let in
// are counted: who is turned away takes nobody's place.

import { BlockList, isIP, type Socket } from 'node:net';
import type { Clock } from '../../app/ports.ts';
import { networkOf } from '../../core/network-address.ts';
import type { EdgeRefusalReason } from '../../core/refusal.ts';
import { edgeReplies, type SmtpReply } from './smtp-replies.ts';

export interface ConnectionLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** Proxies tell the client's address by a PROXY header; they are not counted themselves. */
  readonly proxyAddresses: readonly string[];
}

export interface Connections {
  /** To be called in a socket's first moment: it can no longer end the process, and it does not grow old. */
  watch(socket: Socket): void;
  /**
   * Counts a client as soon as its address is known, by a PROXY header or from the socket.
   * @returns false when there are too many, or the client is gone: then there is nothing left to be done
   */
  admit(socket: Socket, address: string): boolean;
  /** @param tell says goodbye within the session that the socket carries by now, which may be encrypted */
  inSession(socket: Socket, tell: (reply: SmtpReply) => void): void;
  /** Forgets the sockets that are gone. */
  sweep(): void;
  /** Cuts whatever is still open. */
  endAll(): void;
}

interface Watched {
  /** Undefined until the client is counted. */
  network?: string;
  tell: (reply: SmtpReply) => void;
  readonly cancelAge: () => void;
}

const ageMaxMs = 180_000;

/** Makes the counter. */
export function createConnections(
  limits: Omit<ConnectionLimits, 'proxyAddresses'>,
  clock: Pick<Clock, 'after'>,
  refused: (reason: EdgeRefusalReason) => void,
): Connections {
  const open = new Map<Socket, Watched>();
  /** Clients that were let in. */
  const perNetwork = new Map<string, number>();
  let inAll = 0;

  function count(network: string, change: 1 | -1): void {
    inAll += change;
    const left = (perNetwork.get(network) ?? 0) + change;
    if (left > 0) perNetwork.set(network, left);
    else perNetwork.delete(network);
  }

  function forget(socket: Socket): void {
    const watched = open.get(socket);
    if (watched === undefined) return;
    watched.cancelAge();
    if (watched.network !== undefined) count(watched.network, -1);
    open.delete(socket);
  }

  // For STARTTLS smtp-server takes all listeners off the socket, and `close` is seen no more: so before anybody is turned
  // away, those that are gone are looked for.
  function sweep(): void {
    for (const socket of open.keys()) if (socket.destroyed) forget(socket);
  }

  function hasRoomFor(network: string): boolean {
    return inAll < limits.connectionsMax && (perNetwork.get(network) ?? 0) < limits.connectionsPerAddressMax;
  }

  return {
    sweep,
    watch(socket) {
      // smtp-server listens a moment later only. A client that has reset its connection by then fails what we write.
      socket.on('error', () => {});
      socket.once('close', () => forget(socket));
      const cancelAge = clock.after(ageMaxMs, () => {
        refused('connection-too-old');
        open.get(socket)?.tell(edgeReplies['connection-too-old']);
      });
      open.set(socket, { cancelAge, tell: (reply) => end(socket, reply) });
    },
    admit(socket, address) {
      const network = networkOf(address);
      if (!hasRoomFor(network)) sweep();
      const watched = open.get(socket);
      if (watched === undefined) return false;
      const room = hasRoomFor(network);
      if (room) {
        watched.network = network;
        count(network, 1);
      } else {
        refused('too-many-connections');
        end(socket, edgeReplies['too-many-connections']);
      }
      return room;
    },
    inSession(socket, tell) {
      const watched = open.get(socket);
      if (watched !== undefined) watched.tell = tell;
    },
    endAll() {
      for (const socket of [...open.keys()]) {
        forget(socket);
        socket.destroy();
      }
    },
  };
}

/** Makes the test whether an address is on a list, however it is written, IPv4-mapped IPv6 included. */
export function createAddressList(addresses: readonly string[]): (address: string) => boolean {
  if (addresses.length === 0) return () => false;
  const list = new BlockList();
  const family = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');
  for (const address of addresses) list.addAddress(address, family(address));
  return (address) => {
    const plain = address.split('%')[0] ?? '';
    return isIP(plain) !== 0 && list.check(plain, family(plain));
  };
}

function end(socket: Socket, { code, text }: SmtpReply): void {
  socket.end(`${code} ${text}\r\n`, () => socket.destroy());
}
