// Every scenario of the test kit against the real service, all at the same time: what the table says is what happens.
// Limits are those of production; each scenario is sent by somebody else.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { SendOptions } from '../../src/testkit/message.ts';
import { type Scenario, scenarios } from '../../src/testkit/scenarios.ts';
import { TestClock } from '../support/clock.ts';
import { answerTo, readmePath, withTable } from '../support/scenario-table.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const clock = new TestClock();
let world: World;
before(async () => {
  const perMailbox = { PerMinute: 1, PerHour: 5, PerDay: 12 };
  const limits = Object.entries(perMailbox).map(([name, value]) => [`limits.repliesPerMailbox${name}`, value]);
  world = await startWorld(Object.fromEntries(limits), clock);
});
after(() => world.close());

async function play(t: TestContext, scenario: Scenario, how: Partial<SendOptions> = {}): Promise<void> {
  const { name, code, domain } = scenario;
  const visitor = new Visitor(world);
  const page = await visitor.open();
  const sent = await world.kit.send(`${name}@school.test`, { to: page.address, scenario: name, ...how });
  assert.equal(sent.code, code, sent.text);
  assert.equal(sent.from, `${name}@${domain ?? 'school.test'}`);
  t.diagnostic(`${name}: ${sent.code} ${sent.text}`);
  const answer = answerTo(scenario);
  if (answer !== undefined) {
    assert.equal(answer.code, code);
    assert.ok(sent.text.startsWith(answer.text), sent.text);
    return;
  }
  const reply = await replyTo(world, sent.from, page.label);
  assert.equal((await visitor.enter(page, await codeIn(reply))).status, 303);
}

// It takes its time, and time is the same for all: so it comes last.
const isSlow = ({ name }: Scenario) => name === 'slow-trickle';

describe('a scenario', { concurrency: 8 }, () => {
  for (const scenario of scenarios.filter((each) => !isSlow(each))) {
    it(`${scenario.name} (${scenario.expect}): ${scenario.what}`, (t) => play(t, scenario));
  }
});

for (const scenario of scenarios.filter(isSlow)) {
  it(`${scenario.name} (${scenario.expect}): ${scenario.what}`, (t) =>
    play(t, scenario, { pause: (ms) => clock.advance(ms) }));
}

it('only accepted mail was answered, once each', () => {
  const answered = scenarios.filter(({ expect }) => expect === 'accepted');
  assert.deepEqual(
    world.kit.sink.messages.flatMap(({ envelope }) => envelope.rcptTo).toSorted(),
    answered.map(({ name, domain }) => `${name}@${domain ?? 'school.test'}`).toSorted(),
  );
});

it('the table in src/testkit/README.md says what was just shown; if not: npm run scenarios', () => {
  const readme = readFileSync(readmePath, 'utf8');
  assert.ok(readme.includes('| `footer-added` |'));
  assert.equal(readme, withTable(readme));
});
