// The service hands its mail to whatever server there is: here to a plain smtp-server, which is no part of the kit. DNS and the
// person who writes are the kit's; they are told about each other by ordinary settings alone.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startKit } from 'reply-to-verify/testkit';
import { SMTPServer } from 'smtp-server';

test('the reply comes to a sink that is not ours', async (t) => {
  const arrived = Promise.withResolvers<string>();
  const sink = new SMTPServer({
    authOptional: true,
    onData(stream, _session, taken) {
      text(stream).then((message) => {
        arrived.resolve(message);
        taken();
      }, taken);
    },
  });
  const server = sink.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const kit = await startKit({ settings: { 'relay.url': `smtp://127.0.0.1:${port}` } });
  t.after(async () => {
    await kit.close();
    sink.close();
  });

  const page = await kit.page.open();
  await kit.identity('amy').send(page.mailto);
  const [code = ''] = /^\d{4} \d{4}$/m.exec(await arrived.promise) ?? [];
  assert.equal((await page.enter(code)).kind, 'verified');
});
