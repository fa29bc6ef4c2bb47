// Before the code is right nobody learns whether a mailbox has accounts: pages, live line and mails of one that has two and of
// one that has none are the same texts, and their times cannot be told apart (support/same-timing.ts states how that is
// measured). The proof that the measurement would notice comes first.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import type { OpenPage } from '../../src/testkit/visitor.ts';
import { TestClock } from '../support/clock.ts';
import { compare, differs, measure, sameTiming } from '../support/same-timing.ts';
import { codeIn, replyTo, startWorld, Visitor, type World } from '../support/world.ts';

const mailboxes = { amy: 'amy.pond@school.example', rory: 'rory.williams@school.example' };
const amysName = 'Amy Pond';

interface Writer {
  readonly visitor: Visitor;
  readonly page: OpenPage;
  readonly code: string;
  readonly reply: string;
  readonly sent: string;
}

let world: World;
let withAccounts: Writer;
let without: Writer;

/** Somebody whose mail was answered. */
async function writer(who: 'amy' | 'rory'): Promise<Writer> {
  const visitor = new Visitor(world);
  const page = await visitor.open();
  const { code, text } = await world.kit.send(who, { to: page.address, subject: page.label });
  const reply = await replyTo(world, mailboxes[who], page.label);
  const state = async () => Object(await (await visitor.request('/reset/progress')).json()).state;
  while ((await state()) !== 'reply-handed-over') await new Promise(setImmediate);
  const writing = {
    visitor,
    page,
    code: await codeIn(reply),
    sent: `${code} ${text}`,
    reply: reply.raw.toString('latin1'),
  };
  return writing;
}

/** A text without what is different for every request: nonce, address, label, code, mailbox and what is random in a mail. */
function blank(text: string, { page, code }: Writer): string {
  const [localPart = ''] = page.address.split('@');
  const grouped = localPart.replace(/.{4}(?=.)/g, '$&-');
  const values = [
    page.nonce,
    localPart,
    grouped,
    page.label,
    page.label.replace('-', ''),
    code,
    ...Object.values(mailboxes),
  ];
  return values
    .reduce((rest, value) => rest.replaceAll(value, '*'), text)
    .replaceAll(amysName, '*')
    .replaceAll('Rory Williams', '*')
    .replace(/^(Message-ID|In-Reply-To|References|Date|Received): .*(\r\n[ \t].*)*$/gm, '$1: *');
}

function assertSame(one = '', other = ''): void {
  const at = [...one].findIndex((_, index) => one[index] !== other[index]);
  const around = (text: string) => text.slice(Math.max(0, at - 40), at + 80);
  assert.ok(one === other, `they differ at ${at}: ${around(one)} <-> ${around(other)}`);
}

/** Status, headers and body of an answer, as far as they may be the same. */
async function told(answer: Response, of: Writer): Promise<string> {
  const headers = [...answer.headers].filter(([name]) => name !== 'date' && name !== 'set-cookie');
  return blank(JSON.stringify([answer.status, headers, await answer.text()]), of);
}

interface Question {
  readonly path: string;
  /** What is posted; undefined: it is a GET. */
  readonly form?: Record<string, string>;
}

/** Whatever can be asked before the code. */
const questions: Readonly<Record<string, (of: Writer) => Question>> = {
  'the page': () => ({ path: '/reset' }),
  'the live line': () => ({ path: '/reset/progress' }),
  'a code of letters': ({ page: { nonce } }) => ({ path: '/reset', form: { nonce, code: 'abcdefgh' } }),
  'a wrong code, again': (of) => ({ path: '/reset', form: { nonce: of.page.nonce, code: wrong(of, 1) } }),
  'a foreign nonce': () => ({ path: '/reset', form: { nonce: 'A'.repeat(43), code: '12345678' } }),
};

function ask({ visitor }: Writer, { path, form }: Question): Promise<Response> {
  return form === undefined ? visitor.request(path) : visitor.post(path, form);
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** The same on one connection and with as little around it as can be, so that there is less to hide behind. */
function askQuickly({ visitor }: Writer, { path, form }: Question): () => Promise<void> {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const body = form === undefined ? undefined : new URLSearchParams(form).toString();
  const posted = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body?.length };
  const headers = { cookie, ...(body === undefined ? {} : posted) };
  const options = { agent, headers, method: body === undefined ? 'GET' : 'POST' };
  return () =>
    new Promise((resolve, reject) => {
      const sent = request(`${world.webUrl}${path}`, options, (answer) => answer.on('end', resolve).resume());
      sent.on('error', reject).end(body);
    });
}

/** Takes time as a look-up would. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

function wrong({ code }: Writer, step: number): string {
  return String((Number(code.replace(' ', '')) + step) % 1e8).padStart(8, '0');
}

before(async () => {
  world = await startWorld({}, new TestClock());
  [withAccounts, without] = [await writer('amy'), await writer('rory')];
});
after(() => {
  agent.destroy();
  return world.close();
});

describe('the measurement', () => {
  const sample = (slower: number) =>
    Array.from({ length: 1_000 }, (_, at) => 1 + ((at * 7919) % 1_000) / 1_000 + slower);

  it('knows a sample from itself, and from one that is slower', () => {
    assert.deepEqual(compare([1, 2, 3], [1, 2, 3]), { medians: [2, 2], superiority: 0.5 });
    assert.deepEqual(compare([4, 5, 6], [1, 2, 3]), { medians: [5, 2], superiority: 1 });
    assert.deepEqual(
      [0, 0.05, 0.5].map((slower) => differs(compare(sample(0), sample(slower)))),
      [false, false, true],
    );
    const outliers = sample(0).map((time, at) => (at % 50 === 0 ? 300 : time));
    assert.equal(differs(compare(sample(0), outliers)), false, 'what is slow now and then says nothing');
  });

  it('says so when they differ', async () => {
    await assert.rejects(
      sameTiming(
        async () => spin(0.2),
        async () => {},
      ),
      /the time tells which one it was: medians 0\.2.* A = (1\.00|0\.9).*; medians .*; medians /,
    );
  });

  it('finds half a millisecond that depends on the account', async () => {
    const question = questions['the live line'] ?? assert.fail();
    const [plain, planted] = [without, withAccounts].map((of) => askQuickly(of, question(of)));
    let found = false;
    for (let tries = 0; tries < 3 && !found; tries += 1) {
      const slower = async () => {
        spin(0.5);
        await planted?.();
      };
      found = differs(await measure(slower, async () => plain?.()));
    }
    assert.ok(found);
  });
});

describe('a mailbox with accounts and one without', () => {
  it('get the same answer from the mail server, and the same reply', () => {
    assert.equal(withAccounts.sent, without.sent);
    assertSame(blank(withAccounts.reply, withAccounts), blank(without.reply, without));
  });

  for (const [name, question] of Object.entries(questions)) {
    it(`get the same answer in the same time: ${name}`, async () => {
      const both = [withAccounts, without];
      const [one, other] = await Promise.all(both.map(async (of) => told(await ask(of, question(of)), of)));
      assertSame(one, other);
      await sameTiming(askQuickly(withAccounts, question(withAccounts)), askQuickly(without, question(without)));
    });
  }

  it('are counted and locked with the same words, and end in the same way', async () => {
    for (const step of [1, 2, 3, 4, 5, 0]) {
      const answers = [withAccounts, without].map(async (of) =>
        told(await of.visitor.enter(of.page, step === 0 ? of.code : wrong(of, step)), of),
      );
      const [one, other] = await Promise.all(answers);
      assertSame(one, other);
    }
    const right = [await writer('amy'), await writer('rory')].map(async (of) =>
      told(await of.visitor.enter(of.page, of.code), of),
    );
    const [one, other] = await Promise.all(right);
    assert.match(one ?? '', /^\[303,.*\/reset\/accounts/);
    assertSame(one, other);
  });
});
