// Whose request it is: what proxies of ours say is believed as far as they vouch for it. And where it ends up: with the use
// case of a typed address, and not in the log.

import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { clientAddress } from '../../src/adapters/web/client-address.ts';
import { createWebServer } from '../../src/adapters/web/web-server.ts';
import type { TypeAddressRequest } from '../../src/app/ports.ts';
import { collectLog, ManualClock } from '../app/support.ts';
import { table } from '../support/core-table.ts';

const proxies = ['127.0.0.1', '192.0.2.200', '2001:db8::200'];
const from = ([remoteAddress, told]: readonly [string | undefined, string?]) =>
  clientAddress(
    { socket: { remoteAddress }, headers: told === undefined ? {} : { 'x-forwarded-for': told } } as IncomingMessage,
    proxies,
  );

table('the address of the browser', from, [
  ['of a connection that is no proxy, whatever it says', ['198.51.100.1', '203.0.113.1'], '198.51.100.1'],
  ['that a proxy names', ['127.0.0.1', '203.0.113.1'], '203.0.113.1'],
  ['over a socket for both kinds of addresses', ['::ffff:127.0.0.1', '::ffff:203.0.113.1'], '203.0.113.1'],
  ['in front of two proxies', ['127.0.0.1', '203.0.113.1, 2001:DB8::200'], '203.0.113.1'],
  ['not what the browser says of itself', ['127.0.0.1', '203.0.113.9, 203.0.113.1'], '203.0.113.1'],
  ['not beyond a stranger', ['127.0.0.1', '192.0.2.200, 203.0.113.1'], '203.0.113.1'],
  ['IPv6', ['192.0.2.200', '2001:DB8::1'], '2001:db8::1'],
  ['of a proxy that does not tell', ['127.0.0.1'], '127.0.0.1'],
  ['of a proxy that tells nothing', ['127.0.0.1', ''], '127.0.0.1'],
  ['of a proxy that tells nonsense', ['127.0.0.1', '203.0.113.1, unknown'], '127.0.0.1'],
  ['of a connection that has gone', [undefined, '203.0.113.1'], ''],
]);

test('a typed address is told to its use case, with the network; the log has its digest only', async () => {
  const log = collectLog();
  const asked: TypeAddressRequest[] = [];
  const server = await createWebServer(
    {
      async typeAddress(request: TypeAddressRequest) {
        asked.push(request);
        return { kind: 'code-requested', mailboxDigest: '0123456789ab' };
      },
      clock: new ManualClock(),
      log,
    } as unknown as Parameters<typeof createWebServer>[0],
    {
      listen: { host: '127.0.0.1', port: 0 },
      publicUrl: 'http://127.0.0.1:0',
      proxyAddresses: proxies,
      mayTypeAddress: true,
      ...{ siteName: 'Example School', timeZone: 'UTC', mailDomain: 'in.school.example', testMailboxUrl: null },
      ...{ color: '#14548f', logoFile: null, challengeLifetimeMs: 3_600_000, grantLifetimeMs: 600_000 },
    },
  );
  const port = await server.start();
  const answer = await fetch(`http://127.0.0.1:${port}/reset/typed`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ nonce: 'the nonce', address: 'amy.pond@school.example' }),
    headers: { cookie: 'rtv-challenge=the-cookie', 'x-forwarded-for': '203.0.113.1', 'accept-language': 'fr' },
  });
  await server.stop();
  assert.equal(answer.status, 303);
  const { clientHint: _, ...request } = asked[0] ?? assert.fail();
  assert.deepEqual(request, {
    ...{ cookie: 'the-cookie', nonce: 'the nonce', address: 'amy.pond@school.example' },
    ...{ remoteAddress: '203.0.113.1', locale: 'fr' },
  });
  assert.deepEqual(
    log.events.map(({ event, fields: { durationMs: _, ...fields } }) => [event, fields]),
    [['http', { method: 'POST', route: '/reset/typed', status: 303, reason: undefined, mailbox: '0123456789ab' }]],
  );
});
