// The DNS server of the test kit on the wire: asked by Node's resolver where that will do, else by our own packets.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Answer, type DecodedPacket, decode, encode, type Packet, type RecordType } from 'dns-packet';
import { type DnsServer, startDnsServer } from '../../src/testkit/dns-server.ts';
import type { Zone } from '../../src/testkit/zone.ts';

const long = 'x'.repeat(300);
const zone = (): Zone => ({
  'school.example': { TXT: ['v=spf1 -all', long], MX: [{ exchange: 'mx.school.example', priority: 10 }] },
  'mx.school.example': { A: ['127.0.0.1'], AAAA: ['::1'] },
  'alias.example': { CNAME: 'mx.school.example' },
  'loop.example': { CNAME: 'loop.example' },
  '1.0.0.127.in-addr.arpa': { PTR: ['mx.school.example'] },
  'big.example': { TXT: Array.from({ length: 40 }, (_, index) => `${index}-${long}`) },
  'huge.example': { TXT: Array.from({ length: 300 }, () => long) },
  'broken.example': { fail: 'servfail' },
  'mute.example': { fail: 'silent' },
  'a.b.deep.example': { A: ['192.0.2.1'] },
});

async function start(t: TestContext): Promise<DnsServer> {
  const server = await startDnsServer({ host: '127.0.0.1', port: 0, zone: zone() });
  t.after(() => server.close());
  return server;
}

function resolverFor(server: DnsServer, timeout = 2000): Resolver {
  const resolver = new Resolver({ timeout, tries: 1 });
  resolver.setServers([`127.0.0.1:${server.port}`]);
  return resolver;
}

const query = (name: string, type: RecordType, more: Packet = {}) =>
  encode({ type: 'query', id: 7, flags: 256, questions: [{ name, type }], ...more });

async function askUdp(server: DnsServer, ...packets: Buffer[]): Promise<DecodedPacket> {
  const socket = createSocket('udp4');
  const answered = once(socket, 'message');
  for (const packet of packets) socket.send(packet, server.port, '127.0.0.1');
  const [message] = await answered;
  socket.close();
  assert.ok(Buffer.isBuffer(message));
  return decode(message);
}

async function askTcp(server: DnsServer, ...chunks: Buffer[]): Promise<DecodedPacket[]> {
  const socket = connect(server.port, '127.0.0.1');
  for (const chunk of chunks) {
    socket.write(chunk);
    await new Promise(setImmediate);
  }
  socket.end();
  const bytes = Buffer.concat(await socket.toArray());
  const packets: DecodedPacket[] = [];
  for (let at = 0; at < bytes.length; at += 2 + bytes.readUInt16BE(at)) packets.push(decode(bytes.subarray(at + 2)));
  return packets;
}

function edns(udpPayloadSize: number): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

const framed = (packet: Buffer) => Buffer.concat([Buffer.from([packet.length >> 8, packet.length & 255]), packet]);
const rcodeOf = (packet: DecodedPacket) => (packet.flags ?? 0) & 15;

test('answers each type of record, in any case', async (t) => {
  const server = await start(t);
  const resolver = resolverFor(server);
  assert.deepEqual(await resolver.resolveTxt('School.Example'), [['v=spf1 -all'], ['x'.repeat(255), 'x'.repeat(45)]]);
  const [mx] = await resolver.resolveMx('school.example');
  assert.deepEqual([mx?.exchange, mx?.priority], ['mx.school.example', 10]);
  assert.deepEqual(await resolver.resolve4('mx.school.example'), ['127.0.0.1']);
  assert.deepEqual(await resolver.resolve6('mx.school.example'), ['::1']);
  assert.deepEqual(await resolver.resolve4('alias.example'), ['127.0.0.1']);
  assert.deepEqual(await resolver.resolveCname('alias.example'), ['mx.school.example']);
  assert.deepEqual(await resolver.resolvePtr('1.0.0.127.in-addr.arpa'), ['mx.school.example']);
  assert.deepEqual(server.queries[0], { name: 'school.example', type: 'TXT' });
});

test('tells unknown names, missing types and failures apart', async (t) => {
  const server = await start(t);
  const resolver = resolverFor(server);
  await assert.rejects(resolver.resolveTxt('nobody.example'), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolveTxt('__proto__'), { code: 'ENOTFOUND' });
  await assert.rejects(resolver.resolveTxt('mx.school.example'), { code: 'ENODATA' });
  await assert.rejects(resolver.resolveTxt('b.deep.example'), { code: 'ENODATA' }, 'an empty non-terminal');
  await assert.rejects(resolver.resolveTxt('broken.example'), { code: 'ESERVFAIL' });
  await assert.rejects(resolver.resolveTxt('loop.example'), { code: 'ESERVFAIL' });
  await assert.rejects(resolver.resolveTxt('huge.example'), { code: 'ESERVFAIL' }, 'does not fit into any message');
  await assert.rejects(resolverFor(server, 50).resolveTxt('mute.example'), { code: 'ETIMEOUT' });
});

test('truncates over UDP, gives the whole answer over TCP', async (t) => {
  const server = await start(t);
  const short = await askUdp(server, query('big.example', 'TXT'));
  assert.equal(short.flag_tc, true);
  assert.deepEqual(short.answers, []);
  const medium = query('school.example', 'TXT', { additionals: [edns(1232)] });
  assert.equal((await askUdp(server, medium)).answers?.length, 2);
  const small = query('school.example', 'TXT', { additionals: [edns(100)] });
  assert.equal((await askUdp(server, small)).flag_tc, false, 'below 512 means 512');
  assert.equal((await resolverFor(server).resolveTxt('big.example')).length, 40, 'the resolver comes back by TCP');
});

test('reads TCP in any pieces, several questions to a connection', async (t) => {
  const server = await start(t);
  const bytes = Buffer.concat([framed(query('mx.school.example', 'A')), framed(query('no.example', 'A'))]);
  const [one, two, ...more] = await askTcp(server, bytes.subarray(0, 1), bytes.subarray(1, 9), bytes.subarray(9));
  assert.deepEqual([one && rcodeOf(one), two && rcodeOf(two), more.length], [0, 3, 0]);
});

test('survives what is no question', async (t) => {
  const server = await start(t);
  const noise = [Buffer.alloc(0), Buffer.from('hello'), Buffer.alloc(12, 255), Buffer.alloc(600, 0xc0)];
  const answerPacket = encode({ type: 'response', id: 9, questions: [{ name: 'mx.school.example', type: 'A' }] });
  assert.equal((await askUdp(server, ...noise, answerPacket, query('mx.school.example', 'A'))).id, 7);
  assert.deepEqual(await askTcp(server, ...noise.map(framed)), []);
  const strange = Buffer.from('0007010000010000000000000480ff80ff0000100001', 'hex');
  assert.equal(rcodeOf(await askUdp(server, strange)), 1, 'octets that are no host name');
  assert.equal(rcodeOf(await askUdp(server, query('mx.school.example', 'A', { flags: 4 << 11 }))), 4, 'NOTIFY');
});

test('serves a changed and a replaced zone', async (t) => {
  const server = await start(t);
  const resolver = resolverFor(server);
  server.zone['school.example'] = { TXT: ['changed'] };
  assert.deepEqual(await resolver.resolveTxt('school.example'), [['changed']]);
  server.zone = { 'new.example': { A: ['192.0.2.9'] } };
  assert.deepEqual(await resolver.resolve4('new.example'), ['192.0.2.9']);
  await assert.rejects(resolver.resolveTxt('school.example'), { code: 'ENOTFOUND' });
});

test('keeps the last 1,000 questions, closes twice, frees the port and refuses a taken one', async (t) => {
  const server = await start(t);
  const packet = framed(query('mx.school.example', 'A'));
  await askTcp(server, Buffer.concat(Array.from({ length: 1200 }, () => packet)));
  assert.equal(server.queries.length, 1000);
  await assert.rejects(startDnsServer({ host: '127.0.0.1', port: server.port, zone: {} }), { code: 'EADDRINUSE' });
  const idle = connect(server.port, '127.0.0.1').on('error', () => undefined);
  await once(idle, 'connect');
  await Promise.all([server.close(), once(idle, 'close')]);
  await server.close();
  const again = await startDnsServer({ host: '127.0.0.1', port: server.port, zone: {} });
  await again.close();
});
