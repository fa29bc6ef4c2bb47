// IP addresses: whose network one is in, whether it is a proxy of ours, and whose request it is when proxies tell it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { clientAddress, networkOf, parseIpNetwork } from '../../src/core/network-address.ts';
import { cpuMs, runs, table } from '../support/core-table.ts';

table('the network that limits count by', networkOf, [
  ['IPv4', '192.0.2.1', '192.0.2.1'],
  ['IPv4 by an IPv6 socket', '::ffff:192.0.2.1', '192.0.2.1'],
  ['the same in hexadecimal digits', '::FFFF:c000:201', '192.0.2.1'],
  ['IPv6', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['IPv6, another of the same customer', '2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
  ['IPv6, another customer', '2001:db8:1:3::1', '2001:db8:1:3::/64'],
  ['zeros left out', '2001:db8::1', '2001:db8:0:0::/64'],
  ['this machine', '::1', '0:0:0:0::/64'],
  ['with a zone', 'fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['none that is known', '', ''],
  ['no address', 'unknown', 'unknown'],
]);

/** Whether an address is inside, as `clientAddress` sees it: an inside one is believed. */
function isInside([network, address]: readonly [string, string]): boolean | undefined {
  const parsed = parseIpNetwork(network);
  return parsed && clientAddress(address, '198.51.100.99', [parsed]) === '198.51.100.99';
}

table('networks of proxies', isInside, [
  ['one address', ['192.0.2.1', '192.0.2.1'], true],
  ['one address, and its neighbour', ['192.0.2.1', '192.0.2.2'], false],
  ['by an IPv6 socket', ['192.0.2.1', '::ffff:192.0.2.1'], true],
  ['all bits', ['192.0.2.1/32', '192.0.2.1'], true],
  ['the first of /20', ['10.1.16.0/20', '10.1.16.0'], true],
  ['the last of /20', ['10.1.16.0/20', '10.1.31.255'], true],
  ['after the last of /20', ['10.1.16.0/20', '10.1.32.0'], false],
  ['before the first of /20', ['10.1.16.0/20', '10.1.15.255'], false],
  ['every IPv4, and an IPv4', ['0.0.0.0/0', '255.255.255.255'], true],
  ['every IPv4, and an IPv6', ['0.0.0.0/0', '2001:db8::1'], false],
  ['IPv6', ['2001:db8::/29', '2001:dbf:ffff::1'], true],
  ['outside IPv6', ['2001:db8::/29', '2001:dc0::1'], false],
  ['one IPv6, however written', ['2001:DB8:0::1', '2001:db8::0:1'], true],
  ['all of IPv6', ['::/0', '2001:db8::1'], true],
  ['mapped, as IPv6', ['::ffff:0:0/96', '192.0.2.1'], true],
  ['bits beyond those that count', ['10.0.0.1/8', '10.0.0.1'], undefined],
  ['bits beyond, IPv6', ['2001:db8::1/64', '2001:db8::1'], undefined],
  ['too many bits', ['192.0.2.1/33', '192.0.2.1'], undefined],
  ['too many bits, IPv6', ['::1/129', '::1'], undefined],
  ['no bits', ['192.0.2.1/', '192.0.2.1'], undefined],
  ['bits with a zero in front', ['10.0.0.0/08', '10.0.0.0'], undefined],
  ['two numbers of bits', ['10.0.0.0/8/8', '10.0.0.0'], undefined],
  ['a mask', ['10.0.0.0/255.0.0.0', '10.0.0.0'], undefined],
  ['a name', ['proxy.school.example', '192.0.2.1'], undefined],
  ['a zone', ['fe80::1%eth0', 'fe80::1'], undefined],
  ['octal', ['010.0.0.1', '10.0.0.1'], undefined],
  ['nothing', ['', '192.0.2.1'], undefined],
]);

const trusted = ['127.0.0.1', '::1', '192.0.2.0/24', '2001:db8:99::/48'].map(
  (text) => parseIpNetwork(text) ?? assert.fail(text),
);
const client = ([peer, forwarded]: readonly [string, string]) => clientAddress(peer, forwarded, trusted);

table('whose request it is', client, [
  ['a stranger’s own, whatever it says', ['198.51.100.1', '203.0.113.1'], '198.51.100.1'],
  ['a stranger’s own, though it names a proxy', ['198.51.100.1', '203.0.113.1, 127.0.0.1'], '198.51.100.1'],
  ['the one whom a proxy names', ['127.0.0.1', '203.0.113.1'], '203.0.113.1'],
  ['by a socket for both kinds', ['::ffff:127.0.0.1', '::ffff:203.0.113.1'], '203.0.113.1'],
  ['mapped in hexadecimal digits', ['::1', '::ffff:cb00:7101'], '203.0.113.1'],
  ['through two proxies', ['127.0.0.1', '203.0.113.1, 192.0.2.7'], '203.0.113.1'],
  ['through four, of both kinds', ['::1', '203.0.113.1,192.0.2.7, 2001:DB8:99::7 ,192.0.2.8'], '203.0.113.1'],
  ['not what the client says of itself', ['127.0.0.1', '203.0.113.9, 203.0.113.1'], '203.0.113.1'],
  ['not what it says of another client, twice', ['127.0.0.1', '1.1.1.1, 2.2.2.2, 203.0.113.1'], '203.0.113.1'],
  ['not beyond a stranger who names proxies', ['127.0.0.1', '192.0.2.7, 203.0.113.1, 192.0.2.8'], '203.0.113.1'],
  ['a proxy’s own, when all are proxies', ['127.0.0.1', '192.0.2.7, 192.0.2.8'], '192.0.2.7'],
  ['a proxy’s own, when it tells nobody', ['127.0.0.1', ''], '127.0.0.1'],
  ['a proxy’s own, when it tells blanks', ['127.0.0.1', ' , '], '127.0.0.1'],
  ['the last proxy’s, behind nonsense', ['127.0.0.1', '203.0.113.1, unknown, 192.0.2.7'], '192.0.2.7'],
  ['the last proxy’s, behind a gap', ['127.0.0.1', '203.0.113.1,,192.0.2.7'], '192.0.2.7'],
  ['the proxy’s, behind an obfuscated name', ['127.0.0.1', '_hidden'], '127.0.0.1'],
  ['the proxy’s, behind a number too big', ['127.0.0.1', '203.0.113.256'], '127.0.0.1'],
  ['the proxy’s, behind octal digits', ['127.0.0.1', '0203.0.113.1'], '127.0.0.1'],
  ['the proxy’s, behind two addresses in one hop', ['127.0.0.1', '203.0.113.1 203.0.113.2'], '127.0.0.1'],
  ['the proxy’s, behind markup', ['127.0.0.1', '<b>203.0.113.1</b>'], '127.0.0.1'],
  ['IPv4 with a port', ['127.0.0.1', '203.0.113.1:50001'], '203.0.113.1'],
  ['IPv4 in brackets', ['127.0.0.1', '[203.0.113.1]'], '203.0.113.1'],
  ['IPv6, in the one way to write it', ['127.0.0.1', '2001:DB8:0:0:0:0:0:1'], '2001:db8::1'],
  ['IPv6 in brackets', ['127.0.0.1', '[2001:db8::1]'], '2001:db8::1'],
  ['IPv6 in brackets with a port', ['127.0.0.1', '[2001:db8::1]:443'], '2001:db8::1'],
  ['the proxy’s, behind brackets that stay open', ['127.0.0.1', '[2001:db8::1'], '127.0.0.1'],
  ['the proxy’s, behind IPv6 with nine groups', ['127.0.0.1', '1:2:3:4:5:6:7:8:9'], '127.0.0.1'],
  ['the proxy’s, behind IPv6 with two gaps', ['127.0.0.1', '2001::db8::1'], '127.0.0.1'],
  ['the proxy’s, behind dots in the middle', ['127.0.0.1', '1.2.3.4::1'], '127.0.0.1'],
  ['the longest run of zeros is left out', ['127.0.0.1', '2001:0:0:1:0:0:0:1'], '2001:0:0:1::1'],
  ['zeros at the end of a number stay', ['127.0.0.1', '10:0:0:1:2:3:4:5'], '10::1:2:3:4:5'],
  ['no address at all', ['127.0.0.1', '::'], '::'],
  ['the end of the line is not needed', ['127.0.0.1', '2001:db8::'], '2001:db8::'],
  ['nobody’s: a socket that is gone', ['', '203.0.113.1'], ''],
]);

test('whatever the header holds, somebody is found, and a stranger is nobody else', () => {
  fc.assert(
    fc.property(fc.string(), (forwarded) => {
      assert.equal(clientAddress('198.51.100.1', forwarded, trusted), '198.51.100.1');
      assert.equal(clientAddress('127.0.0.1', `${forwarded}, 203.0.113.1`, trusted), '203.0.113.1');
      assert.match(clientAddress('127.0.0.1', forwarded, trusted), /^[0-9a-f.:]+$/);
    }),
    runs(2000),
  );
});

test('every address is read as Node reads it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
      const written = clientAddress('127.0.0.1', address, trusted);
      // The URL parser has the same rule, but for mapped IPv4.
      const { hostname } = new URL(address.includes(':') ? `http://[${address}]` : `http://${address}`);
      const isIpv4 = written.includes('.') && address.includes(':');
      if (!isIpv4) assert.equal(written, hostname.replace(/[[\]]/g, ''));
    }),
    runs(2000),
  );
});

test('a header of 10 kB takes no time, be it hops of ours or one long word', () => {
  const hops = Array<string>(900).fill('192.0.2.7').join(', ');
  for (const forwarded of [hops, '1'.repeat(10_000), ','.repeat(10_000), `${':'.repeat(10_000)}1`]) {
    const ms = cpuMs(() => {
      for (let times = 0; times < 20; times += 1) clientAddress('127.0.0.1', forwarded, trusted);
    });
    assert.ok(ms < 200, `${ms} ms for twenty times ${forwarded.slice(0, 20)}`);
  }
  assert.equal(clientAddress('127.0.0.1', `203.0.113.1, ${hops}`, trusted), '203.0.113.1');
});
