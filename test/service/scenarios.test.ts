// Every scenario of the test kit against the real service, all at the same time: what the table says is what happens.
// Limits are those of production, as strangers get them; each scenario is sent by somebody else.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import { type Scenario, type SendOptions, scenarios, startKit, type Testkit } from '../../src/testkit.ts';
import { answerTo, readmePath, withTable } from '../support/scenario-table.ts';

let kit: Testkit;
before(async () => {
  kit = await startKit();
});
after(() => kit.close());

async function play(t: TestContext, { name, ...scenario }: Scenario, how: Partial<SendOptions> = {}): Promise<void> {
  const page = await kit.page.open();
  const sent = await kit.identity(`${name}@school.test`).send(page.mailto, { ...how, scenario: name });
  t.diagnostic(`${name}: ${sent.code} ${sent.text}`);
  assert.equal(sent.code, scenario.code, sent.text);
  assert.equal(sent.from, `${name}@${scenario.domain ?? 'school.test'}`);
  const answer = answerTo(scenario);
  if (answer !== undefined) {
    assert.equal(answer.code, sent.code);
    assert.ok(sent.text.startsWith(answer.text), sent.text);
    return;
  }
  const { code } = await kit.sink.waitForReply({ to: sent.from, label: page.label });
  assert.equal((await page.enter(code)).mailbox, sent.from);
}

// It takes its time, and time is the same for all: so it comes last.
const isSlow = ({ name }: Scenario) => name === 'slow-trickle';

describe('a scenario', { concurrency: true }, () => {
  for (const scenario of scenarios.filter((each) => !isSlow(each))) {
    it(`${scenario.name} (${scenario.expect}): ${scenario.what}`, (t) => play(t, scenario));
  }
});

for (const scenario of scenarios.filter(isSlow)) {
  it(`${scenario.name} (${scenario.expect}): ${scenario.what}`, (t) =>
    play(t, scenario, { pause: (ms) => kit.clock.advance(ms) }));
}

it('only accepted mail was answered, once each', () => {
  const answered = scenarios.filter(({ expect }) => expect === 'accepted');
  assert.deepEqual(
    kit.sink.messages.flatMap(({ envelope }) => envelope.rcptTo).toSorted(),
    answered.map(({ name, domain }) => `${name}@${domain ?? 'school.test'}`).toSorted(),
  );
});

it('the table in src/testkit/README.md says what was just shown; if not: npm run scenarios', () => {
  const readme = readFileSync(readmePath, 'utf8');
  assert.ok(readme.includes('| `footer-added` |'));
  assert.equal(readme, withTable(readme));
});
