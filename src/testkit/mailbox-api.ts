// The test mailbox for programs in any language: JSON over HTTP. The lists of the page renew themselves from the same
// answers. README.md has a line of curl for each call. Who may call is decided in mailbox-page.ts.

import { bodyParser } from '@koa/bodyparser';
import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { type Fault, faultText, readFault } from './faults.ts';
import { identityOf } from './identities.ts';
import { readLoopback } from './loopback.ts';
import { preparedMail, scenarios } from './scenarios.ts';
import type { Outbox, SentMail } from './sent-mail.ts';
import type { MessageView, ReceivedMessage, Sink } from './sink.ts';

/** A message in a list. All but the envelope was written by whoever sent it. */
export type MessageSummary = Pick<MessageView, 'subject' | 'from' | 'to'> & {
  readonly id: string;
  /** ISO 8601. */
  readonly receivedAt: string;
  readonly mailFrom: string;
  readonly rcptTo: readonly string[];
  readonly code: string | null;
  readonly label: string | null;
  readonly bytes: number;
};

/** Which messages: to this envelope recipient, with this request label, with these words in what people see. */
export type Wanted = { readonly to: string; readonly label: string; readonly q: string };

/** A mail that was sent, and the service's answer to it. */
export type SentSummary = {
  readonly id: string;
  /** ISO 8601. */
  readonly sentAt: string;
  readonly from: string;
  readonly mailFrom: string;
  readonly rcptTo: readonly string[];
  readonly scenario: string | null;
  /** What the service must do with mail under that scenario. */
  readonly expect: string | null;
  readonly accepted: boolean;
  readonly code: number;
  readonly text: string;
};

const waitMsMax = 60_000;

/** What came in a query or a form under a name; '' for nothing. */
export function first(value: unknown): string {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : '';
}

/** What of a message can be shown, however broken it is. */
export async function viewOf(message: ReceivedMessage): Promise<MessageView> {
  const nothing = { from: '', to: '', inReplyTo: undefined, text: '', code: undefined, label: undefined, headers: [] };
  return message.view().catch(() => ({ ...nothing, subject: '(cannot be read)' }));
}

async function summaryOf(message: ReceivedMessage): Promise<MessageSummary> {
  const { id, receivedAt, envelope, raw } = message;
  const { subject, from, to, code = null, label = null } = await viewOf(message);
  return { id, receivedAt: receivedAt.toISOString(), ...envelope, subject, from, to, code, label, bytes: raw.length };
}

// The label is looked for in the message as it came: it stands in the Subject as it is, whatever became of the text.
function fits({ envelope, raw }: ReceivedMessage, { to, label }: Omit<Wanted, 'q'>): boolean {
  const isForThem = to === '' || envelope.rcptTo.some((each) => each.toLowerCase() === to.toLowerCase());
  return isForThem && raw.includes(label.toUpperCase());
}

async function holds(message: ReceivedMessage, words: string): Promise<boolean> {
  const { subject, from, to, text } = await viewOf(message);
  return [subject, from, to, text, ...message.envelope.rcptTo].join('\n').toLowerCase().includes(words.toLowerCase());
}

/** The newest messages first; `count` tells people how many there are. */
export async function listMessages({ messages }: Sink, wanted: Wanted, limit: number) {
  const fitting = messages.filter((message) => fits(message, wanted)).toReversed();
  const held = await Promise.all(fitting.map((message) => wanted.q === '' || holds(message, wanted.q)));
  const found = fitting.filter((_, at) => held[at]);
  const newest = await Promise.all(found.slice(0, limit).map(summaryOf));
  return { messages: newest, total: found.length, count: countOf(found.length, newest.length) };
}

function countOf(total: number, shown: number): string {
  if (total === 0) return 'Nothing here yet.';
  if (shown < total) return `The newest ${shown} of ${total} messages.`;
  return total === 1 ? '1 message.' : `${total} messages.`;
}

function summaryOfSent({ id, sentAt, from, envelope, scenario, accepted, code, text }: SentMail): SentSummary {
  const { name = null, expect = null } = scenario ?? {};
  return { id, sentAt: sentAt.toISOString(), from, ...envelope, scenario: name, expect, accepted, code, text };
}

/** What was sent, the newest first. */
export function listSent({ sent }: Outbox) {
  return { sent: sent.toReversed().map(summaryOfSent) };
}

/** What goes wrong and what went wrong, the newest first. */
export function listFaults({ faults, struck }: Sink) {
  const newest = struck.toReversed().map(({ id, at, fault, recipients }) => {
    return { id, at: at.toISOString(), rule: faultText(fault), recipients };
  });
  const times = struck.length === 1 ? 'Once.' : `${struck.length} times.`;
  return { faults, struck: newest, total: struck.length, count: struck.length === 0 ? 'Nothing yet.' : times };
}

/** A message with all that can be shown of it. */
export async function detailsOf(message: ReceivedMessage) {
  const { text, headers, inReplyTo = null } = await viewOf(message);
  return { ...(await summaryOf(message)), inReplyTo, text, headers };
}

/** Which messages a request is about. */
export function wantedOf({ query }: Context): Wanted {
  return { to: first(query.to), label: first(query.label), q: first(query.q).trim() };
}

function numberIn(ctx: Context, name: string, max: number): number | undefined {
  const text = first(ctx.query[name]);
  if (text === '') return undefined;
  const number = Number(text);
  if (!/^\d{1,9}$/.test(text) || number > max) ctx.throw(400, `${name} is a whole number, ${max} at most.`);
  return number;
}

async function wait(ctx: Context, sink: Sink): Promise<void> {
  const wanted = wantedOf(ctx);
  const timeoutMs = numberIn(ctx, 'timeoutMs', waitMsMax) ?? 5000;
  const message = await sink
    .waitFor((each) => fits(each, wanted), { timeoutMs })
    .catch((error: Error) => ctx.throw(404, error.message));
  ctx.body = await detailsOf(message);
}

function readFaults(ctx: Context): readonly Fault[] {
  const { body } = ctx.request;
  if (!Array.isArray(body)) ctx.throw(400, 'The rules are a JSON array: [{"at":"rcpt","does":"defer","times":1}].');
  return (body as readonly unknown[]).map((each, at) => {
    const fault = readFault(each);
    return 'problem' in fault ? ctx.throw(422, `Rule ${at + 1}: ${fault.problem}`) : fault;
  });
}

async function send(ctx: Context, outbox: Outbox): Promise<void> {
  const body: object = Object(ctx.request.body);
  const field = (name: string) => {
    const value: unknown = Reflect.get(body, name) ?? undefined;
    return value === undefined || typeof value === 'string' ? value : ctx.throw(422, `${name} is a text.`);
  };
  const [from = '', to = '', ...more] = ['from', 'to', 'scenario', 'subject', 'body', 'server'].map(field);
  const [scenario, subject, text, at] = more;
  const server = at ? (readLoopback(at) ?? ctx.throw(422, 'server is on this machine: 127.0.0.1:2525.')) : undefined;
  const words = { ...(subject && { subject }), ...(text && { body: text }) };
  const how = { ...(scenario && { scenario }), ...(server && { server }) };
  try {
    const sent = await outbox.send(identityOf(from), { ...preparedMail(to, Date.now()), ...words, ...how });
    ctx.body = { ...summaryOfSent(sent), authentication: await sent.authentication() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    ctx.throw(error instanceof TypeError ? 422 : 502, message, { expose: true });
  }
}

/** Reads a body of JSON, which has to say that it is: a page of another site cannot send that unasked. */
const json = [
  (ctx: Context, next: () => Promise<unknown>) =>
    ctx.is('json') ? next() : ctx.throw(415, 'Send JSON, with Content-Type: application/json (curl: --json).'),
  bodyParser({ enableTypes: ['json'], jsonLimit: '64kb' }),
];

/** Adds the routes. */
export function addApi(router: Router, sink: Sink, outbox: Outbox): void {
  router.get('/api/messages', async (ctx) => {
    ctx.body = await listMessages(sink, wantedOf(ctx), numberIn(ctx, 'limit', 1000) ?? 1000);
  });
  router.delete('/api/messages', (ctx) => {
    sink.clear();
    ctx.status = 204;
  });
  router.get('/api/messages/wait', (ctx) => wait(ctx, sink));
  router.get('/api/messages/:id', async (ctx) => {
    const message = sink.messages.find(({ id }) => id === ctx.params.id);
    ctx.body = await detailsOf(message ?? ctx.throw(404, 'There is no such message any more.'));
  });
  router.get('/api/faults', (ctx) => {
    ctx.body = listFaults(sink);
  });
  router.put('/api/faults', ...json, (ctx) => {
    sink.faults = readFaults(ctx);
    ctx.body = listFaults(sink);
  });
  router.get('/api/scenarios', (ctx) => {
    ctx.body = scenarios;
  });
  router.get('/api/sent', (ctx) => {
    ctx.body = listSent(outbox);
  });
  router.post('/api/sent', ...json, (ctx) => send(ctx, outbox));
}
