// A small authoritative DNS server for the development profile and the tests: UDP and TCP on one port of one host.
// It puts a zone (zone.ts) on the wire: RFC 1035 messages, EDNS sizes (RFC 6891), TC and the way over TCP (RFC 7766).
// What it cannot read it drops; nothing a client sends may end it.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { type Answer, decode, encode, type Packet } from 'dns-packet';
import type { DnsFault, Zone } from './zone.ts';
import { lookUp } from './zone-answers.ts';

export type DnsQuery = { readonly name: string; readonly type: string };

export type DnsServer = {
  readonly host: string;
  readonly port: number;
  /** What is served; change or replace it at will. */
  zone: Zone;
  /** The questions asked, oldest first; only the last 1,000 are kept. */
  readonly queries: readonly DnsQuery[];
  /** Ends everything that is open; may be called twice. */
  close(): Promise<void>;
};

const queriesKept = 1000;
const tcpIdleMs = 10_000;
const hostName = /^(?:\.|[!-\-/-~]{1,63}(?:\.[!-\-/-~]{1,63})*)$/;
const rcode = { none: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 };
const authoritative = 1 << 10;
const truncated = 1 << 9;
const recursionDesired = 1 << 8;

type Respond = (message: Buffer, transport: 'udp' | 'tcp') => Buffer | undefined;

function encodeReply(query: Packet, code: number, answers: Answer[], flags = 0): Buffer {
  const asked = query.questions ?? [];
  const edns = (query.additionals ?? []).some((record) => record.type === 'OPT');
  const option: Answer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: 4096,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return encode({
    type: 'response',
    id: query.id,
    flags: authoritative | ((query.flags ?? 0) & recursionDesired) | flags | code,
    questions: asked,
    answers,
    additionals: edns ? [option] : [],
  });
}

function encodeWithin(query: Packet, answers: Answer[], code: number, transport: 'udp' | 'tcp'): Buffer {
  const full = encodeReply(query, code, answers);
  if (transport === 'tcp' && full.length > 65_535) throw new RangeError('answer too long for any message');
  const option = (query.additionals ?? []).find((record) => record.type === 'OPT');
  // RFC 6891 §6.2.3: values below 512 mean 512, which is also what a client without EDNS can take.
  const room = Math.min(Math.max(option?.udpPayloadSize ?? 512, 512), 4096);
  return transport === 'tcp' || full.length <= room ? full : encodeReply(query, code, [], truncated);
}

function encodeFault(query: Packet, fault: DnsFault, transport: 'udp' | 'tcp'): Buffer | undefined {
  switch (fault) {
    case 'silent':
      return undefined;
    case 'truncated':
      return transport === 'udp' ? encodeReply(query, rcode.none, [], truncated) : undefined;
    case 'broken-off': {
      const reply = encodeReply(query, rcode.none, []);
      reply.writeUInt16BE(1, 6); // RFC 1035 §4.1.1: one answer is announced, and missing
      return reply;
    }
    case 'servfail':
      return encodeReply(query, rcode.serverFailure, []);
    case 'refused':
      return encodeReply(query, rcode.refused, []);
    case 'format-error':
      return encodeReply(query, rcode.formatError, []);
    case 'not-implemented':
      return encodeReply(query, rcode.notImplemented, []);
  }
}

function responder(server: { readonly zone: Zone }, queries: DnsQuery[]): Respond {
  return (message, transport) => {
    let query: ReturnType<typeof decode>;
    try {
      query = decode(message);
    } catch {
      return undefined;
    }
    if (query.flag_qr) return undefined; // answering answers could go on for ever
    const header: Packet = { id: query.id, flags: query.flags };
    if ((((query.flags ?? 0) >> 11) & 15) !== 0) return encodeReply(header, rcode.notImplemented, []);
    const [question, ...others] = query.questions ?? [];
    // dns-packet writes names as UTF-8 split at dots: other octets and labels would not come back as they were sent.
    if (!question || others.length > 0 || !hostName.test(question.name))
      return encodeReply(header, rcode.formatError, []);
    const name = question.name.toLowerCase().replace(/\.$/, '');
    queries.push({ name, type: question.type });
    if (queries.length > queriesKept) queries.shift();
    try {
      const { kind, answers } = lookUp(server.zone, name, question.type);
      if (kind === 'answer') return encodeWithin(query, answers, rcode.none, transport);
      if (kind === 'name-unknown') return encodeWithin(query, answers, rcode.nameError, transport);
      return encodeFault(query, kind, transport);
    } catch {
      return encodeReply(query, rcode.serverFailure, []); // records of the zone that do not fit into a message
    }
  };
}

// RFC 1035 §4.2.2: over TCP each message has its length, two octets, before it.
function serveTcp(socket: Socket, respond: Respond): void {
  let pending = Buffer.alloc(0);
  socket.setTimeout(tcpIdleMs, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE()) {
      const length = pending.readUInt16BE();
      const reply = respond(pending.subarray(2, 2 + length), 'tcp');
      pending = pending.subarray(2 + length);
      if (!reply) continue;
      const size = Buffer.alloc(2);
      size.writeUInt16BE(reply.length);
      socket.write(Buffer.concat([size, reply]));
    }
  });
}

async function bindBoth(udp: UdpSocket, tcp: Server, host: string, port: number): Promise<void> {
  udp.bind({ address: host, port, exclusive: true });
  await once(udp, 'listening');
  tcp.listen({ host, port: udp.address().port, exclusive: true });
  await once(tcp, 'listening');
}

async function closeBoth(udp: UdpSocket, tcp: Server, sockets: Iterable<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  await Promise.all([
    new Promise<void>((resolve) => {
      try {
        udp.close(resolve);
      } catch {
        resolve(); // never bound, or closed already
      }
    }),
    new Promise<void>((resolve) => tcp.close(() => resolve())),
  ]);
}

function createSockets(host: string, respond: Respond) {
  const sockets = new Set<Socket>();
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveTcp(socket, respond);
  });
  udp.on('message', (message, from) => {
    const reply = respond(message, 'udp');
    // A client that is gone, or claims port 0, is no trouble of ours.
    if (reply && from.port > 0) udp.send(reply, from.port, from.address, () => undefined);
  });
  return { udp, tcp, close: () => closeBoth(udp, tcp, sockets) };
}

/**
 * Starts the server.
 * @param options.host the only address that is bound
 * @param options.port 0: one that is free for UDP and for TCP
 * @throws the error of bind, EADDRINUSE for example; nothing stays open then
 */
export async function startDnsServer(options: { host: string; port: number; zone: Zone }): Promise<DnsServer> {
  const { host } = options;
  const queries: DnsQuery[] = [];
  const state = { zone: options.zone };
  for (let triesLeft = 20; ; triesLeft -= 1) {
    const { udp, tcp, close } = createSockets(host, responder(state, queries));
    try {
      await bindBoth(udp, tcp, host, options.port);
      udp.on('error', () => undefined);
      tcp.on('error', () => undefined);
      return Object.assign(state, { host, port: udp.address().port, queries, close });
    } catch (error) {
      await close();
      // A port the system chose for UDP may be taken for TCP: then try another.
      if (options.port !== 0 || triesLeft === 0) throw error;
    }
  }
}
