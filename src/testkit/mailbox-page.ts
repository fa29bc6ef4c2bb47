// The test mailbox as a web page (development only): reads what the sink got, writes mail as one of the identities.
// It trusts neither the messages it shows (escaped, strict CSP) nor other web pages open in the same browser (host and
// origin are checked), because it listens on loopback where every page of that browser can reach it.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { bodyParser } from '@koa/bodyparser';
import { Router } from '@koa/router';
import Koa, { type Context, type Next } from 'koa';
import { parseMailbox } from '../core/mail-address.ts';
import { findIdentity, type Identity, identities } from './identities.ts';
import { composePage, type Draft, errorPage, inboxPage, messagePage, sentPage } from './mailbox-views.ts';
import { type Mailto, parseMailto } from './mailto.ts';
import type { MessageView, ReceivedMessage, Sink } from './sink.ts';
import type { SmtpAnswer } from './smtp-client.ts';

export type MailboxPage = {
  readonly url: string;
  readonly address: { readonly host: string; readonly port: number };
  /** Ends at once, open connections included; may be called twice. */
  close(): Promise<void>;
};

/** Composes, signs and delivers; kit.ts has the one there is. */
export type SendMail = (identity: Identity, mail: Mailto) => Promise<SmtpAnswer>;

const loopbackName = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

function secureHeaders(ctx: Context): void {
  ctx.set({
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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
  if (!loopbackName.test(ctx.host.replace(/:\d{1,5}$/, '')))
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
  ctx.status = status;
  ctx.type = 'html';
  ctx.body = errorPage(errorTitles[status] ?? 'Something went wrong', errorTexts[status] ?? message);
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

function first(value: unknown): string {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' ? one : '';
}

async function viewOf(message: ReceivedMessage): Promise<MessageView> {
  const nothing = { from: '', to: '', inReplyTo: undefined, text: '', code: undefined, label: undefined, headers: [] };
  return message.view().catch(() => ({ ...nothing, subject: '(cannot be read)' }));
}

function hasMailbox(identity: Identity, message: ReceivedMessage): boolean {
  return identity.proves !== 'nothing' && message.envelope.rcptTo.includes(identity.mailbox);
}

async function showInbox(ctx: Context, sink: Sink): Promise<void> {
  const identity = findIdentity(first(ctx.query.identity));
  const mine = sink.messages.filter((message) => !identity || hasMailbox(identity, message));
  const newest = mine.slice(-100).reverse();
  const messages = await Promise.all(newest.map(async (message) => ({ message, view: await viewOf(message) })));
  ctx.body = inboxPage({ identities, identity, messages, renews: ctx.query.pause === undefined });
}

function showForm(ctx: Context): void {
  const uri = first(ctx.query.mailto);
  const blank = { to: '', subject: '', body: '' };
  const mail = uri === '' ? blank : (parseMailto(uri) ?? ctx.throw(400, 'The link is not a correct mailto link.'));
  const identity = findIdentity(first(ctx.query.identity)) ?? identities[0];
  ctx.body = composePage(identities, { ...mail, identity: identity?.key ?? '' });
}

async function send(ctx: Context, sendMail: SendMail): Promise<void> {
  const form: object = typeof ctx.request.body === 'object' && ctx.request.body !== null ? ctx.request.body : {};
  const field = (name: string) => first(Reflect.get(form, name));
  const draft: Draft = {
    identity: field('identity'),
    to: field('to').trim(),
    subject: field('subject'),
    body: field('body'),
  };
  const identity = findIdentity(draft.identity);
  const problem = !identity ? 'Please say who you are.' : 'Please give exactly one mail address in “To”.';
  if (!identity || !parseMailbox(draft.to)) {
    ctx.status = 422;
    ctx.body = composePage(identities, draft, problem);
    return;
  }
  const answer = await sendMail(identity, draft).catch((error: unknown) => {
    ctx.throw(502, `Nothing was sent: ${error instanceof Error ? error.message : String(error)}`, { expose: true });
  });
  ctx.body = sentPage(identity, draft.to, answer);
}

function routes(sink: Sink, sendMail: SendMail, style: string): Router {
  const router = new Router();
  const find = (ctx: Context, id: string | undefined): ReceivedMessage =>
    sink.messages.find((message) => message.id === id) ?? ctx.throw(404);
  router.get('/', (ctx) => showInbox(ctx, sink));
  router.get('/message/:id', async (ctx) => {
    const message = find(ctx, ctx.params.id);
    const owner = identities.find((identity) => hasMailbox(identity, message));
    ctx.body = messagePage(message, await viewOf(message), owner);
  });
  router.get('/message/:id/raw', (ctx) => {
    ctx.type = 'text/plain; charset=utf-8';
    ctx.body = find(ctx, ctx.params.id).raw;
  });
  router.get('/compose', showForm);
  router.post('/send', bodyParser({ enableTypes: ['form'], formLimit: '64kb' }), (ctx) => send(ctx, sendMail));
  router.get('/style.css', (ctx) => {
    ctx.type = 'css';
    ctx.body = style;
  });
  return router;
}

/**
 * Starts the page.
 * @param options.host a loopback address; anything else is refused, since whoever reaches the page reads all mail
 * @param options.port 0: any that is free
 * @throws the error of listen; nothing stays open then
 */
export async function startMailboxPage(options: {
  host: string;
  port: number;
  sink: Sink;
  sendMail: SendMail;
}): Promise<MailboxPage> {
  const name = options.host.includes(':') ? `[${options.host}]` : options.host;
  if (!loopbackName.test(name)) throw new Error(`the test mailbox listens on loopback only, not on ${options.host}`);
  const style = await readFile(new URL('mailbox-page.css', import.meta.url), 'utf8');
  const app = new Koa();
  const router = routes(options.sink, options.sendMail, style);
  app.use(frame).use(router.routes()).use(router.allowedMethods());
  const server = createServer(app.callback());
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : options.port;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://${name}:${port}`, address: { host: options.host, port }, close };
}
