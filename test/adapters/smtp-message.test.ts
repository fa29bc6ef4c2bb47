// A message on its way in: whole, or refused; and the memory that all of them share is given back whatever happens.

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { SMTPServerDataStream } from 'smtp-server';
import { createRoom, type ReadMessage, readMessage } from '../../src/adapters/smtp-in/smtp-message.ts';

const clock = { after: () => () => {} };
const bytesMax = 200_000;

/** A room that tells how much is held, and a stream to write to. */
function start(roomBytes = 1_000_000) {
  const room = createRoom(roomBytes);
  let held = 0;
  const counting = {
    take(bytes: number) {
      const taken = room.take(bytes);
      if (taken) held += bytes;
      return taken;
    },
    give(bytes: number) {
      held -= bytes;
      room.give(bytes);
    },
  };
  const stream: SMTPServerDataStream = Object.assign(new PassThrough(), { byteLength: 0, sizeExceeded: false });
  return { stream, held: () => held, reading: readMessage(stream, bytesMax, clock, counting) };
}

const cases: [string, number, number, Exclude<ReadMessage, Uint8Array> | 'whole'][] = [
  ['nothing', 0, 1_000_000, 'whole'],
  ['a small one', 1_000, 1_000_000, 'whole'],
  ['as big as may be', bytesMax, 1_000_000, 'whole'],
  ['one octet more', bytesMax + 1, 1_000_000, 'too-big'],
  ['more than twice as much', 2 * bytesMax + 100_000, 1_000_000, 'far-too-big'],
  ['no room from the start', 1_000, 1_000, 'no-room'],
  ['no room to grow', 150_000, 100_000, 'no-room'],
];
for (const [title, bytes, room, expected] of cases) {
  test(`${title}: ${expected}`, async () => {
    const { stream, reading, held } = start(room);
    const message = Buffer.alloc(bytes, 'x');
    for (let at = 0; at < bytes && !stream.destroyed; at += 10_000) {
      stream.write(message.subarray(at, at + 10_000));
      await new Promise(setImmediate);
    }
    stream.end();
    const read = await reading;
    if (typeof read === 'string') {
      assert.equal(read, expected);
      assert.equal(held(), 0);
    } else {
      assert.equal(expected, 'whole');
      assert.ok(message.equals(read));
      assert.equal(held(), read.buffer.byteLength, 'what has to be given back');
    }
  });
}

test('a client that goes away gives its room back', async () => {
  const { stream, reading, held } = start();
  stream.write('half of it');
  await new Promise(setImmediate);
  assert.ok(held() > 0);
  stream.destroy(new Error('gone'));
  await assert.rejects(reading);
  assert.equal(held(), 0);
});
