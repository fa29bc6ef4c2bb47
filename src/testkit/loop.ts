// The whole loop against a service that runs elsewhere, step by step, each with what was seen: as a person does it, and as
// a link scanner that gets into it. Only HTTP: to the pages of the service, and to the kit that gets its replies.

import type { Purpose } from '../core/purpose.ts';
import { assertNothingToOpen } from './nothing-to-open.ts';
import type { RemoteMessage, RemoteSink } from './remote-sink.ts';
import { type ScanReport, scan } from './scanner.ts';
import { openPage, type Page } from './visit.ts';

export type Step = {
  readonly name: string;
  readonly outcome: 'done' | 'failed' | 'not-tried';
  /** For people; what others wrote may be in it. */
  readonly seen: string;
};

export type LoopOptions = {
  readonly origin: string;
  readonly purpose: Purpose;
  readonly sink: RemoteSink;
  readonly from: string;
  readonly scenario: string | undefined;
  /** How long to wait for the reply. */
  readonly timeoutMs: number;
};

/** Does the next step. @throws what the step throws, once it is noted */
type Do = <Result>(work: () => Promise<readonly [Result, seen: string]>) => Promise<Result>;

/** Does steps until one fails. */
async function inSteps(names: readonly string[], work: (step: Do) => Promise<unknown>): Promise<readonly Step[]> {
  const steps: Step[] = [];
  const step: Do = async (does) => {
    const name = names[steps.length] ?? '';
    try {
      const [result, seen] = await does();
      steps.push({ name, outcome: 'done', seen });
      return result;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      steps.push({ name, outcome: 'failed', seen: said.replaceAll('\n', '; ') });
      throw error;
    }
  };
  await work(step).catch((error: unknown) => {
    if (steps.at(-1)?.outcome !== 'failed') throw error;
  });
  const rest = names.slice(steps.length).map((name) => ({ name, outcome: 'not-tried', seen: '' }) as const);
  return [...steps, ...rest];
}

const firstSteps = ['open the page', 'send the mail', 'get the reply', 'find nothing to open in it'];

/** Opens a page, sends its mail, and gets the reply. */
async function untilReply(step: Do, options: LoopOptions) {
  const { origin, purpose, sink, from, scenario, timeoutMs } = options;
  const page = await step(async () => {
    const opened = await openPage(() => origin, purpose).catch((error: Error) => {
      if (error.cause === undefined) throw error;
      throw new Error(`Nobody answers at ${origin}. Start the service there, or name its page with --page.`);
    });
    return [opened, `/${purpose} shows ${opened.address} for the request ${opened.label}`];
  });
  const sent = await step(async () => {
    const mail = await sink.send({ from, to: page.mailto, scenario });
    const answer = `${mail.code} ${mail.text}`;
    if (!mail.accepted) throw new Error(`the service did not take it: ${answer}; the page says: ${await lineOf(page)}`);
    return [mail, `${mail.from} wrote, the service said ${answer}`];
  });
  const reply = await step(async () => {
    const message = await sink.wait(page.label, timeoutMs).catch(async (error: Error) => {
      throw new Error(`${error.message}; the page says: ${await lineOf(page)}`);
    });
    const { code, rcptTo, subject } = message;
    if (code === null) throw new Error(`there is no code in the mail “${subject}” to ${rcptTo.join(', ')}`);
    return [{ ...message, code }, `the code ${code} in “${subject}” to ${rcptTo.join(', ')}`];
  });
  const raw = await step(async () => {
    const bytes = await sink.raw(reply.id);
    await assertNothingToOpen(bytes);
    return [bytes, 'no link, no address, no host name, no markup'];
  });
  return { page, sent, reply, raw };
}

async function lineOf(page: Page): Promise<string> {
  const { line, verdict } = await page.look();
  return [line, ...verdict].join(' ');
}

async function enterCode(page: Page, { code }: RemoteMessage): Promise<readonly [undefined, string]> {
  const entered = await page.enter(code ?? '');
  if (entered.kind === 'refused') throw new Error(`${entered.status}: ${entered.message}`);
  const names = entered.accounts.map(({ name }) => name).join(', ');
  return [undefined, `it was right: ${entered.mailbox} is proved${names && `, with the accounts ${names}`}`];
}

/** The loop as a person does it, up to the accounts: no password is set. */
export function runLoop(options: LoopOptions): Promise<readonly Step[]> {
  return inSteps([...firstSteps, 'type the code'], async (step) => {
    const { page, reply } = await untilReply(step, options);
    await step(() => enterCode(page, reply));
  });
}

const mailsScanned = 5;

/** The loop with a link scanner in it, before the code is typed. */
export function scanLoop(options: LoopOptions): Promise<readonly Step[]> {
  const scans = ['scan as a stranger', 'scan with the cookies of the page'];
  const names = ['see it on the page', ...scans, 'find all as it was', 'type the code'];
  return inSteps([...firstSteps, ...names], async (step) => {
    const { page, reply } = await untilReply(step, options);
    const { origin, purpose, sink } = options;
    const path = `/${purpose}`;
    const look = async () => JSON.stringify([await page.look(), (await sink.list(1)).total]);
    const { before, mails, pages } = await step(async () => {
      const { line } = await page.waitFor('reply-handed-over'); // which is noted a moment after the mail is there
      const { messages } = await sink.list(mailsScanned);
      const raws = await Promise.all(messages.map(({ id }) => sink.raw(id)));
      const html = await (await page.visitor.request(path)).text();
      return [{ before: await look(), mails: raws, pages: [{ path, html }] }, line];
    });
    for (const cookies of [new Map<string, string>(), page.visitor.cookies]) {
      await step(async () => {
        const report = await scan({ origin, ownPage: path, mails, pages, cookies });
        return [report, told(report, mails.length)];
      });
    }
    await step(async () => {
      const after = await look();
      if (after !== before)
        throw new Error(`the page, or how many mails there are, changed from ${before} to ${after}`);
      return [undefined, 'the line of the page, and no mail was caused'];
    });
    await step(() => enterCode(page, reply));
  });
}

function told({ found, requests, counts, cutShort }: ScanReport, mails: number): string {
  const statuses = Object.entries(counts).map(([what, times]) => `${times} × ${what}`);
  const forms = found.filter(({ kind }) => kind === 'form').length;
  const places = `${found.length - forms} links and ${forms} forms on the pages and in ${mails} mails`;
  return `${places}; ${requests.length} requests${cutShort ? ', and gave up' : ''}: ${statuses.join(', ')}`;
}
