// A service with one processor for everything: small mail is checked in the event loop, large mail in the thread, and people
// see no difference.

import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { after, before, test } from 'node:test';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const amy = 'amy.pond@school.example';
const { availableParallelism } = os;

function pretendProcessors(count: () => number): void {
  os.availableParallelism = count;
  syncBuiltinESMExports();
}

let world: World;
before(async () => {
  pretendProcessors(() => 1);
  world = await startWorld();
});
after(async () => {
  pretendProcessors(availableParallelism);
  await world.close();
});

for (const [size, text] of [
  ['small', 'Please.'],
  ['large', `${'Please. '.repeat(8)}\r\n`.repeat(1_000)],
] as const) {
  test(`a ${size} mail gets its code, and one that is not signed does not`, async () => {
    const visitor = new Visitor(world);
    const page = await visitor.open();
    const mail = { to: page.address, subject: page.label, body: text };
    const refused = await world.kit.send('amy', { ...mail, sign: 'none' });
    assert.equal(refused.code, 550, refused.text);
    const sent = await world.kit.send('amy', mail);
    assert.equal(sent.code, 250, sent.text);
    assert.equal((await visitor.enter(page, await codeIn(await replyTo(world, amy, page.label)))).status, 303);
  });
}
