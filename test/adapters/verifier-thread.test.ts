// Between the service and the thread that checks its mail: every question gets its own answer, whatever becomes of the thread.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openVerifierThread } from '../../src/adapters/mail-auth/verifier-thread.ts';
import { DependencyError } from '../../src/app/ports.ts';
import { mailbox } from '../contract/challenge-store.ts';

const farEnd = new URL('../support/odd-verifier.ts', import.meta.url);
const verifier = openVerifierThread(farEnd, { hostname: 'mx.in.school.example', servers: [], now: () => 0 });
after(() => verifier.close());
const author = mailbox('amy.pond@school.example');
const envelope = { remoteAddress: '192.0.2.1', helo: 'mail.school.example', mailFrom: author };
const verify = (text: string) => verifier.verify(new TextEncoder().encode(text), envelope, author);
const saidOf = async (text: string) => (await verify(text)).evidence.spf?.domain;

test('before the first message there is none, and none is needed', () => assert.equal(verifier.isUp(), true));

test('each message gets its own answer, and SPF and its canary when they are asked for', async () => {
  const texts = Array.from({ length: 200 }, (_, number) => `message ${number}`);
  assert.deepEqual(await Promise.all(texts.map(saidOf)), texts);
  const { withSpf, canary } = await verify('one');
  assert.match((await withSpf()).spf?.domain ?? '', /^SPF of \d+$/);
  assert.equal(await canary(), 'open');
});

test('only the message is handed over, and whoever read it keeps his bytes', async () => {
  const block = Buffer.alloc(100_000, 'x');
  const message = block.subarray(10, 13);
  message.write('abc');
  assert.equal((await verifier.verify(message, envelope, author)).evidence.spf?.domain, 'abc');
  assert.deepEqual([block.buffer.byteLength > 0, message.toString()], [true, 'abc']);
});

test('a bug there is a bug here, of that message alone', async () => {
  const [failed, good] = await Promise.allSettled([verify('fail'), saidOf('good')]);
  assert.ok(failed.status === 'rejected' && failed.reason instanceof TypeError);
  assert.deepEqual(good, { status: 'fulfilled', value: 'good' });
});

for (const end of ['exit', 'break']) {
  test(`a thread that ends (${end}) leaves nobody waiting, and the next message has a new one`, async () => {
    const outcomes = await Promise.allSettled([verify('wait'), verify(end)]);
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected');
      assert.ok(outcome.reason instanceof DependencyError);
      assert.equal(outcome.reason.dependency, 'verifier');
    }
    assert.equal(verifier.isUp(), false, 'it has gone, and is started by the question');
    assert.equal(await saidOf('again'), 'again');
    assert.equal(verifier.isUp(), true);
  });
}
