// Every row of the mail policy that a message can trigger, every trap, and real-looking mail of the big providers:
// test/fixtures/<case>/{message.eml,zone.json,want.json}, delivered to one real service. A new folder is a new test.
// Limits are those of production: each fixture has domains of its own, so that none disturbs another.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { smtpReplies } from '../../src/adapters/smtp-in/smtp-replies.ts';
import { waitText } from '../../src/adapters/web/progress-view.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import { html } from '../../src/core/html.ts';
import { mailRefusals } from '../../src/core/refusal.ts';
import { KitClock } from '../../src/testkit/clock.ts';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import {
  type Answer,
  composeFixture,
  type Dialogue,
  type Facts,
  type Fixture,
  fill,
  openDialogue,
  readFixtures,
  type Scenario,
} from '../support/fixtures.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const operator = 'operator@kit.example';
const mailDomain = 'in.school.example';
const pageIsTwoHoursOldMs = 2 * 3_600_000;
const fixtures = readFixtures();

/** A browser with the page of a fixture. */
interface Tab {
  readonly visitor: Visitor;
  readonly page: OpenPage;
}

let world: World;
const expiredTabs = new Map<string, Tab>();
/** Envelope recipients of all that is to leave. */
const recipients: string[] = [];

async function openTab(): Promise<Tab> {
  const visitor = new Visitor(world);
  return { visitor, page: await visitor.open() };
}

before(async () => {
  const overrides = {
    'smtp.proxyAddresses': ['127.0.0.1'],
    'smtp.operator': operator,
    'limits.repliesPerMailboxPerMinute': 1,
    'limits.repliesPerMailboxPerHour': 5,
    'limits.repliesPerMailboxPerDay': 12,
  };
  const clock = new KitClock({ startAt: Date.now() - pageIsTwoHoursOldMs });
  world = await startWorld(overrides, clock);
  for (const { name, scenario } of fixtures) {
    if (scenario.send.page === 'expired') expiredTabs.set(name, await openTab());
  }
  clock.advance(pageIsTwoHoursOldMs);
});
after(() => world.close());

/** Publishes the names of a fixture; the result takes them out again. */
function publish({ zone }: Fixture): () => void {
  const names = Object.keys(zone);
  assert.deepEqual(
    names.filter((name) => Object.hasOwn(world.kit.zone, name)),
    [],
    'names of something else',
  );
  Object.assign(world.kit.zone, zone);
  return () => {
    for (const name of names) delete world.kit.zone[name];
  };
}

/** One transaction, to its end or to the last refused command before DATA. */
async function transact(dialogue: Dialogue, fixture: Fixture, facts: Facts): Promise<Answer> {
  const { helo, mailFrom, mailParameters, rcptTo } = fixture.scenario.send;
  const from = `MAIL FROM:<${fill(mailFrom, facts)}> ${mailParameters}`.trimEnd();
  let answer: Answer = { code: 0, text: '' };
  for (const line of [`EHLO ${helo}`, from]) {
    answer = await dialogue.say(line);
    if (answer.code >= 400) return answer;
  }
  for (const address of rcptTo) answer = await dialogue.say(`RCPT TO:<${fill(address, facts)}>`);
  if (answer.code >= 400) return answer;
  assert.equal((await dialogue.say('DATA')).code, 354);
  return dialogue.data(composeFixture(fixture, facts));
}

/** All deliveries of a fixture. @returns their answers */
async function deliver(fixture: Fixture, { visitor, page }: Tab, other: OpenPage): Promise<readonly Answer[]> {
  const { client, times, oneConnection, resetFirst, page: state } = fixture.scenario.send;
  const connect = () => openDialogue(world.addresses.smtp, client);
  if (resetFirst) {
    const facts = { page, other, n: 0 };
    const dialogue = await connect();
    await dialogue.say('EHLO mail.sender.example');
    await dialogue.say(`MAIL FROM:<${fill(fixture.scenario.send.mailFrom, facts)}>`);
    await dialogue.say(`RCPT TO:<${page.address}>`);
    await dialogue.say('DATA');
    dialogue.breakOff(composeFixture(fixture, facts));
  }
  const answers: Answer[] = [];
  let dialogue = await connect();
  for (let n = 1; n <= times; n++) {
    if (n > 1 && !oneConnection) dialogue = await connect();
    if (n === times && state === 'verified') {
      const code = await codeIn(await replyTo(world, fixture.scenario.want.repliesTo[0] ?? '', page.label));
      assert.equal((await visitor.enter(page, code)).status, 303);
    }
    answers.push(await transact(dialogue, fixture, { page, other, n }));
    if (!oneConnection) dialogue.end();
  }
  if (oneConnection) dialogue.end();
  return answers;
}

const brief = ({ code, text }: Answer) => `${code} ${text.split(' ')[0]}`;

function checkAnswer({ row, answer, reason }: Scenario['want'], last: Answer): void {
  assert.equal(brief(last), answer, last.text);
  if (reason === undefined) return;
  const refusal = Object.entries(mailRefusals).find(([name]) => name === reason)?.[1];
  const reply = Object.entries(smtpReplies).find(([name]) => name === reason)?.[1];
  assert.ok(refusal !== undefined && reply !== undefined, `no such reason: ${reason}`);
  assert.equal(refusal.row, row);
  assert.ok(last.code === reply.code && last.text.startsWith(reply.text), last.text);
}

/** The sentence that a name of `want.page` stands for, as it stands in the page. */
function sentenceOf(name: string): string {
  const { mailRefused, progress } = texts.en;
  const refused = Object.entries(mailRefused).find(([key]) => key === name)?.[1];
  const text = refused?.(waitText(60_000, 'en')) ?? Object.entries(progress).find(([key]) => key === name)?.[1];
  assert.ok(text !== undefined, `no such sentence: ${name}`);
  return html`${text}`.markup;
}

/** The page after a reply was handed over: the mail is at the relay a moment before the service has noted it. */
async function lookAgain({ visitor }: Tab, awaited: string): Promise<string> {
  let page = await visitor.open();
  for (let tries = 0; tries < 200 && !page.html.includes(awaited); tries++) page = await visitor.open();
  return page.html;
}

async function checkPage({ page: name, verdict, repliesTo }: Scenario['want'], tab: Tab): Promise<void> {
  const sentence = sentenceOf(name);
  const markup = repliesTo.length > 0 ? await lookAgain(tab, sentence) : (await tab.visitor.open()).html;
  // Once an answer is out, that stays the state of the page, and the refusal stands below it.
  const said =
    /<p id="refused">([^<]*)<\/p>/.exec(markup) ??
    /<p id="(?:line|progress)" class="line"[^>]*>([^<]*)<\/p>/.exec(markup);
  assert.equal(said?.[1], sentence);
  const lines = [...markup.matchAll(/<li>([a-z.]+=[^<]*)<\/li>/g)].map(([, line]) => line ?? '');
  const wanted = verdict.map((line) => html`${line}`.markup);
  assert.deepEqual([...new Set([...lines, ...wanted])], lines, 'lines of the verdict');
  // Nobody has typed a code: the page must not say who wrote.
  const addresses = decodeURIComponent(markup).match(/[^\s"'<>:/?&=]+@[^\s"'<>?&]+/g) ?? [];
  assert.deepEqual(
    addresses.filter((address) => !address.endsWith(`@${mailDomain}`)),
    [],
  );
}

async function check(fixture: Fixture): Promise<void> {
  const { send, want } = fixture.scenario;
  const [tab, other] = [expiredTabs.get(fixture.name) ?? (await openTab()), await openTab()];
  const answers = await deliver(fixture, tab, other.page);
  assert.deepEqual(answers.slice(0, -1).map(brief), Array(send.times - 1).fill(want.earlier));
  const last = answers.at(-1);
  assert.ok(last !== undefined);
  checkAnswer(want, last);
  for (const mailbox of want.repliesTo) {
    const { envelope, raw } = await replyTo(world, mailbox, tab.page.label);
    assert.deepEqual(envelope, { mailFrom: '', rcptTo: [mailbox] });
    assert.match(raw.toString('latin1'), new RegExp(`^To: <?${RegExp.escape(mailbox)}>?\r$`, 'm'));
  }
  if (want.passedOnTo !== undefined) {
    const about = fixture.scenario.send.mailFrom;
    const passedOn = await world.kit.sink.waitFor(({ raw }) => raw.includes(about), { timeoutMs: 5000 });
    assert.deepEqual(passedOn.envelope, { mailFrom: '', rcptTo: [want.passedOnTo] });
  }
  await checkPage(want, tab);
}

describe('a fixture', { concurrency: 8 }, () => {
  for (const fixture of fixtures) {
    const { name, scenario } = fixture;
    it(`${name}: ${scenario.about}`, async () => {
      const withdraw = publish(fixture);
      try {
        await check(fixture);
      } finally {
        withdraw();
        recipients.push(...scenario.want.repliesTo, ...[scenario.want.passedOnTo ?? []].flat());
      }
    });
  }
});

it('nothing left through the relay but the replies that the fixtures name', () => {
  const left = world.kit.sink.messages.flatMap(({ envelope }) => envelope.rcptTo);
  assert.deepEqual(left.toSorted(), recipients.toSorted());
});
