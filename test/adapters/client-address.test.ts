// Where it ends up whose request it is: with the use case of a typed address, and not in the log.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWebServer } from '../../src/adapters/web/web-server.ts';
import type { TypeAddressRequest } from '../../src/app/ports.ts';
import { parseIpNetwork } from '../../src/core/network-address.ts';
import { collectLog, ManualClock } from '../app/support.ts';
import { unlimited } from '../support/limits.ts';

test('a typed address is told to its use case, with the network; the log has its digest only', async () => {
  const log = collectLog();
  const asked: TypeAddressRequest[] = [];
  const server = await createWebServer(
    {
      async typeAddress(request: TypeAddressRequest) {
        asked.push(request);
        return { kind: 'code-requested', mailboxDigest: '0123456789ab' };
      },
      rateLimits: unlimited,
      clock: new ManualClock(),
      log,
    } as unknown as Parameters<typeof createWebServer>[0],
    {
      listen: { host: '127.0.0.1', port: 0 },
      publicUrl: 'http://127.0.0.1:0',
      certificate: undefined,
      trustedProxies: [parseIpNetwork('127.0.0.1') ?? assert.fail()],
      streamsPerNetworkMax: 1,
      mayTypeAddress: true,
      ...{ siteName: 'Example School', timeZone: 'UTC', mailDomain: 'in.school.example', testMailboxUrl: null },
      ...{ color: '#14548f', logoFile: null, challengeLifetimeMs: 3_600_000, grantLifetimeMs: 600_000 },
    },
  );
  const { port } = await server.start();
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
