// The test mailbox as a web page (development only): shows what the sink got, writes mail as one of the identities, and has
// the sink go wrong. It trusts neither the messages it shows (escaped, strict CSP) nor other web pages open in the same
// browser (host and origin are checked), because it listens on loopback where every page of that browser can reach it.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { PassThrough } from 'node:stream';
import { bodyParser } from '@koa/bodyparser';
import { Router } from '@koa/router';
import Koa, { type Context, type Next } from 'koa';
import { parseMailbox } from '../core/mail-address.ts';
import { readFault } from './faults.ts';
import { findIdentity, type Identity, identities } from './identities.ts';
import { isLoopback } from './loopback.ts';
import { addApi, first, listFaults, listMessages, listSent, viewOf, wantedOf } from './mailbox-api.ts';
import {
  composePage,
  type Draft,
  errorPage,
  faultsPage,
  inboxPage,
  messagePage,
  sentListPage,
  sentPage,
} from './mailbox-views.ts';
import { parseMailto } from './mailto.ts';
import { scenarios } from './scenarios.ts';
import type { Outbox } from './sent-mail.ts';
import type { ReceivedMessage, Sink } from './sink.ts';

export type MailboxPage = {
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** Ends at once, open connections included; may be called twice. */
  close(): Promise<void>;
};

function secureHeaders(ctx: Context): void {
  ctx.set({
    'Content-Security-Policy': [
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'",
      "require-trusted-types-for 'script'; trusted-types 'none'", // no script ever turns a text into markup
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    // Not no-referrer: that makes the Origin of our own form null.
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
}

function guard(ctx: Context): void {
  // DNS rebinding: a foreign name that points to 127.0.0.1 makes us "same origin" with its pages.
  if (!isLoopback(ctx.host.replace(/:\d{1,5}$/, '')))
    ctx.throw(421, 'This page answers only to names of this machine.');
  if (ctx.method === 'GET' || ctx.method === 'HEAD') return;
  // Cross-site request forgery. Programs that are no browsers send neither header, and have no session to abuse.
  const site = ctx.get('Sec-Fetch-Site');
  const origin = ctx.get('Origin');
  if ((site !== '' && site !== 'same-origin') || (origin !== '' && origin !== `http://${ctx.host}`)) {
    ctx.throw(403, 'The form was sent by another web page.');
  }
}

const errorTitles: Readonly<Record<number, string>> = {
  400: 'This request cannot be read',
  403: 'Refused',
  404: 'There is nothing here',
  405: 'This cannot be done here',
  413: 'The message is too big',
  421: 'Wrong address',
  502: 'The mail server cannot be reached',
};

const errorTexts: Readonly<Record<number, string>> = {
  404: 'The page does not exist, or the message was dropped: only the last 1,000 are kept.',
  405: 'This address does not take that kind of request.',
  413: 'At most 64 kB can be sent from here.',
};

function showError(ctx: Context, status: number, message: string): void {
  const explanation = errorTexts[status] ?? message;
  ctx.status = status;
  if (ctx.path.startsWith('/api/')) {
    ctx.body = { problem: message || explanation };
    return;
  }
  ctx.type = 'html';
  ctx.body = errorPage(errorTitles[status] ?? 'Something went wrong', explanation);
}

async function frame(ctx: Context, next: Next): Promise<void> {
  secureHeaders(ctx);
  try {
    guard(ctx);
    await next();
    if (ctx.status >= 400 && !ctx.body) showError(ctx, ctx.status, '');
  } catch (error) {
    // Koa's http-errors carry a status and say whether their text may be shown.
    const known = error instanceof Error && 'status' in error && typeof error.status === 'number' ? error : undefined;
    const shown = known && 'expose' in known && known.expose === true;
    showError(ctx, Number(known?.status ?? 500), shown ? known.message : 'The terminal says more.');
    if (!known) ctx.app.emit('error', error, ctx);
  }
}

function hasMailbox(identity: Identity, message: ReceivedMessage): boolean {
  return identity.proves !== 'nothing' && message.envelope.rcptTo.includes(identity.mailbox);
}

const shownMax = 100;

async function showInbox(ctx: Context, sink: Sink): Promise<void> {
  const to = first(ctx.query.to);
  const identity = findIdentity(first(ctx.query.identity)) ?? identities.find(({ mailbox }) => mailbox === to);
  const wanted = { ...wantedOf(ctx), ...(identity && { to: identity.mailbox }) };
  const list = await listMessages(sink, wanted, shownMax);
  const renews = ctx.query.pause === undefined;
  ctx.body = inboxPage({ identities, identity, wanted, list, shownMax, renews, faults: sink.faults.length });
}

function showForm(ctx: Context): void {
  const uri = first(ctx.query.mailto);
  const blank = { to: '', subject: '', body: '' };
  const mail = uri === '' ? blank : (parseMailto(uri) ?? ctx.throw(400, 'The link is not a correct mailto link.'));
  const identity = findIdentity(first(ctx.query.identity)) ?? identities[0];
  ctx.body = composePage(identities, scenarios, { ...mail, identity: identity?.key ?? '', scenario: '' });
}

/** Where the answer to a form is: loading it anew sends nothing again. */
function seeOther(ctx: Context, path: string): void {
  ctx.status = 303;
  ctx.redirect(path);
}

function fieldOf(ctx: Context, name: string): string {
  const form: unknown = ctx.request.body;
  return typeof form === 'object' && form !== null ? first(Reflect.get(form, name)) : '';
}

async function send(ctx: Context, outbox: Outbox): Promise<void> {
  const field = (name: string) => fieldOf(ctx, name);
  const to = field('to').trim();
  const [subject, body, scenario] = [field('subject'), field('body'), field('scenario')];
  const draft: Draft = { identity: field('identity'), to, subject, body, scenario };
  const refuse = (problem: string) => {
    ctx.status = 422;
    ctx.body = composePage(identities, scenarios, draft, problem);
  };
  const identity = findIdentity(draft.identity);
  if (!identity) return refuse('Please say who you are.');
  if (!parseMailbox(to)) return refuse('Please give exactly one mail address in “To”.');
  const mail = { to, subject, body, ...(scenario !== '' && { scenario }) };
  try {
    const { id } = await outbox.send(identity, mail);
    seeOther(ctx, `/sent/${id}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof TypeError) return refuse(message); // who and what do not go together
    ctx.throw(502, `Nothing was sent: ${message}`, { expose: true });
  }
}

function addFault(ctx: Context, sink: Sink): void {
  const names = ['at', 'does', 'to', 'times', 'chance', 'seconds', 'answer'];
  const typed = Object.fromEntries(names.map((name) => [name, fieldOf(ctx, name).trim()]));
  const fault = readFault(typed);
  if ('problem' in fault) {
    ctx.status = 422;
    ctx.body = faultsPage(listFaults(sink), { typed, problem: fault.problem });
    return;
  }
  sink.faults = [...sink.faults, fault];
  seeOther(ctx, '/faults');
}

/** Tells pages that something has changed; they ask what. */
function createEvents(sink: Sink) {
  const streams = new Set<PassThrough>();
  const end = sink.onChange(() => {
    // Who does not read is told once: there is nothing else in it.
    for (const stream of streams) if (!stream.writableNeedDrain) stream.write('data: changed\n\n');
  });
  const open = (ctx: Context) => {
    if (streams.size === streamsMax) ctx.throw(503);
    const stream = new PassThrough({ highWaterMark: 64 });
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    stream.write('retry: 2000\n\n');
    ctx.type = 'text/event-stream';
    ctx.body = stream;
  };
  return { open, end };
}

const streamsMax = 100;
const form = bodyParser({ enableTypes: ['form'], formLimit: '64kb' });

function addPages(router: Router, sink: Sink, outbox: Outbox): void {
  const findMessage = (ctx: Context) => sink.messages.find(({ id }) => id === ctx.params.id) ?? ctx.throw(404);
  const findSent = (ctx: Context) => outbox.sent.find(({ id }) => id === ctx.params.id) ?? ctx.throw(404);
  const showRaw = (ctx: Context, raw: Buffer) => {
    ctx.type = 'text/plain; charset=utf-8';
    ctx.body = raw;
  };
  router.get('/', (ctx) => showInbox(ctx, sink));
  router.get('/message/:id', async (ctx) => {
    const message = findMessage(ctx);
    const owner = identities.find((identity) => hasMailbox(identity, message));
    ctx.body = messagePage(message, await viewOf(message), owner);
  });
  router.get('/message/:id/raw', (ctx) => showRaw(ctx, findMessage(ctx).raw));
  router.post('/delete', (ctx) => {
    sink.clear();
    seeOther(ctx, '/');
  });
  router.get('/compose', showForm);
  router.post('/send', form, (ctx) => send(ctx, outbox));
  router.get('/sent', (ctx) => {
    ctx.body = sentListPage(listSent(outbox).sent);
  });
  router.get('/sent/:id', async (ctx) => {
    const mail = findSent(ctx);
    ctx.body = sentPage(mail, await mail.authentication());
  });
  router.get('/sent/:id/raw', (ctx) => showRaw(ctx, findSent(ctx).raw));
  router.get('/faults', (ctx) => {
    ctx.body = faultsPage(listFaults(sink));
  });
  router.post('/faults', form, (ctx) => addFault(ctx, sink));
  router.post('/faults/clear', (ctx) => {
    sink.faults = [];
    seeOther(ctx, '/faults');
  });
}

async function addFiles(router: Router): Promise<void> {
  for (const [path, file] of [
    ['/style.css', 'mailbox-page.css'],
    ['/page.js', 'mailbox-page.js'],
  ] as const) {
    const text = await readFile(new URL(file, import.meta.url), 'utf8');
    router.get(path, (ctx) => {
      ctx.type = path.endsWith('.css') ? 'css' : 'js';
      ctx.body = text;
    });
  }
}

/**
 * Starts the page.
 * @param options.host a loopback address; anything else is refused, since whoever reaches the page reads all mail
 * @param options.port 0: any that is free
 * @throws the error of listen; nothing stays open then
 */
export async function startMailboxPage(options: {
  readonly host: string;
  readonly port: number;
  readonly sink: Sink;
  readonly outbox: Outbox;
}): Promise<MailboxPage> {
  const { host, sink, outbox } = options;
  const name = host.includes(':') ? `[${host}]` : host;
  if (!isLoopback(name)) throw new Error(`the test mailbox listens on loopback only, not on ${host}`);
  const router = new Router();
  await addFiles(router);
  addPages(router, sink, outbox);
  addApi(router, sink, outbox);
  router.get('/events', (ctx) => events.open(ctx));
  const app = new Koa();
  app.use(frame).use(router.routes()).use(router.allowedMethods());
  // A tab that was closed ends its stream, which is nobody's mistake.
  app.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') app.onerror(error);
  });
  const server = createServer(app.callback());
  server.listen(options.port, host);
  await once(server, 'listening');
  const events = createEvents(sink);
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : options.port;
  const close = () =>
    new Promise<void>((resolve) => {
      events.end();
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${name}:${port}`, address: { host, port }, close };
}
