// Starts as many kits as it is told to, all at once, each with its own service; goes through the whole loop in each, and ends
// by itself. Prints what it used. For kits.test.ts, which looks at what is left behind.

import assert from 'node:assert/strict';
import { startKit, type Testkit } from '../../src/testkit.ts';

const count = Number(process.argv[2]);

async function goThrough(kit: Testkit, number: number): Promise<void> {
  const page = await kit.page.open();
  const sent = await kit.identity(`alice${number}@school.test`).send(page.mailto);
  assert.equal(sent.code, 250, sent.text);
  const reply = await kit.sink.waitForReply({ label: page.label, timeoutMs: 30_000 });
  const entered = await page.enter(reply.code);
  assert.equal(entered.mailbox, `alice${number}@school.test`, entered.message);
  const refused = await kit.identity('bob@school.test').send(page.mailto, { scenario: 'footer-added' });
  assert.equal(refused.code, 550, refused.text);
  assert.deepEqual([kit.sink.messages.length, kit.dns.queries.length > 0], [1, true]);
}

const startedAt = performance.now();
const kits = await Promise.all(Array.from({ length: count }, () => startKit()));
await Promise.all(kits.map(goThrough));
await Promise.all(kits.map((kit) => kit.close()));
const ms = Math.round(performance.now() - startedAt);
const mebibytes = Math.round(process.resourceUsage().maxRSS / 1024);
console.log(JSON.stringify({ ms, mebibytes }));
