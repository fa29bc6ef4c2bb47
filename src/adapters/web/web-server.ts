// The web edge: Koa, the routes, cookies, and who may post. GET changes nothing and writes nothing.
// Translates between forms and use cases; what is right or wrong is decided elsewhere, how it is said in web-replies.ts.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import Koa, { type Context, type Next } from 'koa';
import type { OpenChallenge, OpenedChallenge, RedeemCode, RedeemRefused, ShowAccounts } from '../../app/ports.ts';
import { type Clock, DependencyError, type Log } from '../../app/ports.ts';
import { readClientHint } from '../../core/client-hint.ts';
import { chooseLocale } from '../../core/locale.ts';
import { refuse } from '../../core/refusal.ts';
import { accountsPage, messagePage, resetPage, type SiteOptions, waitText } from './pages.ts';
import { securityHeaders, strictTransportSecurity } from './security-headers.ts';
import { texts } from './texts.ts';
import { type Trouble, troubles, webReplies } from './web-replies.ts';

export interface WebServerOptions extends Omit<SiteOptions, 'stylePath'> {
  readonly listen: { readonly host: string; readonly port: number };
  /** Origin that browsers see; port 0 stands for the port that was got. */
  readonly publicUrl: string;
  readonly challengeLifetimeMs: number;
  readonly grantLifetimeMs: number;
}

export interface WebServer {
  /** Resolves to the port that was got. @throws when the address cannot be listened on */
  start(): Promise<number>;
  /** No new requests; those under way are answered. */
  stop(): Promise<void>;
}

interface Ports {
  readonly openChallenge: OpenChallenge;
  readonly redeemCode: RedeemCode;
  readonly showAccounts: ShowAccounts;
  readonly clock: Clock;
  readonly log: Log;
}

const requestTimeoutMs = 15_000;
const formBytesMax = '4kb';
const closeTimeoutMs = 3_000;

/** Makes the server. Reads its static files once, here. */
export async function createWebServer(ports: Ports, options: WebServerOptions): Promise<WebServer> {
  const style = await readFile(new URL('style.css', import.meta.url), 'utf8');
  const stylePath = `/assets/style-${createHash('sha256').update(style).digest('hex').slice(0, 12)}.css`;
  const site = { ...options, stylePath };
  const secure = options.publicUrl.startsWith('https:');
  const app = new Koa();
  const server = createServer({ requestTimeout: requestTimeoutMs, maxHeaderSize: 16_384 });
  const origin = () => options.publicUrl.replace(/:0$/, `:${(server.address() as AddressInfo | null)?.port}`);
  const router = routes(ports, site, cookieJar(options, secure), origin);
  router.get(stylePath, (ctx) => {
    ctx.set('Cache-Control', 'public, max-age=31536000, immutable'); // the name changes with the content
    ctx.type = 'css';
    ctx.body = style;
  });
  app.use(async (ctx, next) => {
    ctx.set(securityHeaders);
    if (secure) ctx.set('Strict-Transport-Security', strictTransportSecurity);
    await next();
  });
  app.use(observe(ports, site));
  app.use(router.routes());
  app.use(router.allowedMethods());
  // What reaches Koa's own handler is a connection that broke: nobody is left to be told.
  app.on('error', (error: unknown) => ports.log.info('http-connection', { outcome: 'lost', code: codeOf(error) }));
  server.on('request', app.callback());
  return { start: () => listen(server, options.listen), stop: () => close(server) };
}

/** Cookies with their attributes. `__Host-`: only over TLS, only from this host, for all of it (RFC 6265bis §4.1.3.2). */
function cookieJar({ challengeLifetimeMs, grantLifetimeMs }: WebServerOptions, secure: boolean) {
  const prefix = secure ? '__Host-' : '';
  const names = { challenge: `${prefix}rtv-challenge`, grant: `${prefix}rtv-grant` };
  // The challenge cookie outlives its challenge, so that a late form hears "too old" and not "no cookie".
  const ages = { challenge: 2 * challengeLifetimeMs, grant: grantLifetimeMs };
  return {
    get: (ctx: Context, name: keyof typeof names) => ctx.cookies.get(names[name]),
    set(ctx: Context, name: keyof typeof names, value: string) {
      ctx.cookies.secure = secure; // TLS usually ends at a proxy before us
      const attributes = { httpOnly: true, sameSite: 'lax', secure, path: '/', overwrite: true } as const;
      ctx.cookies.set(names[name], value, { ...attributes, maxAge: ages[name] });
    },
  };
}

type CookieJar = ReturnType<typeof cookieJar>;

function routes(ports: Ports, site: SiteOptions, cookies: CookieJar, origin: () => string): Router {
  const router = new Router();
  const form = bodyParser({ enableTypes: ['form'], formLimit: formBytesMax });

  const open = (ctx: Context, cookie: string | undefined) =>
    ports.openChallenge({ cookie, locale: localeOf(ctx), clientHint: readClientHint(ctx.get('user-agent')) });

  function showReset(ctx: Context, opened: OpenedChallenge, problem: string | undefined): void {
    if (opened.isNew) cookies.set(ctx, 'challenge', opened.cookie);
    ctx.type = 'html';
    ctx.body = resetPage(opened, site, problem);
  }

  async function showRefusal(ctx: Context, refused: RedeemRefused): Promise<void> {
    const reply = webReplies[refused.reason];
    // The page the form came from has a language of its own.
    const opened = await open(ctx, cookies.get(ctx, 'challenge'));
    const { locale } = opened;
    const message = texts[locale].refusals[refused.reason]({
      triesLeft: refused.triesLeft ?? 0,
      wait: waitText(refused.waitMs ?? 0, locale),
    });
    ctx.state.reason = refused.reason;
    ctx.status = reply.status;
    if (refused.waitMs !== undefined) ctx.set('Retry-After', String(Math.ceil(refused.waitMs / 1000)));
    if (reply.shown === 'form') return showReset(ctx, opened, message);
    ctx.type = 'html';
    ctx.body = messagePage(locale, site, message, reply.wayOn);
  }

  router.get('/', (ctx) => ctx.redirect('/reset'));
  router.get('/favicon.ico', (ctx) => {
    ctx.status = 204;
  });
  router.get('/reset', async (ctx) => showReset(ctx, await open(ctx, cookies.get(ctx, 'challenge')), undefined));
  router.post('/reset', formsOnly, form, async (ctx) => {
    const { nonce, code } = fieldsOf(ctx);
    const redeemed = isOwnForm(ctx, origin())
      ? await ports.redeemCode({ cookie: cookies.get(ctx, 'challenge'), nonce, code })
      : refuse('cross-site');
    if (redeemed.kind === 'refused') return showRefusal(ctx, redeemed);
    ctx.state.mailbox = redeemed.mailboxDigest;
    cookies.set(ctx, 'grant', redeemed.grant);
    seeOther(ctx, '/reset/accounts');
  });
  router.post('/reset/new', async (ctx) => {
    if (!isOwnForm(ctx, origin())) return showRefusal(ctx, refuse('cross-site'));
    cookies.set(ctx, 'challenge', (await open(ctx, undefined)).cookie);
    seeOther(ctx, '/reset');
  });
  router.get('/reset/accounts', async (ctx) => {
    const shown = await ports.showAccounts(cookies.get(ctx, 'challenge'), cookies.get(ctx, 'grant'));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    ctx.type = 'html';
    ctx.body = accountsPage(shown, site);
  });
  return router;
}

/**
 * Tells whether a post comes from a page of ours. Our own forms arrive with `Origin: null`, because of our
 * Referrer-Policy, so Sec-Fetch-Site is asked first; Origin only by browsers that do not send it. A program sends
 * neither and is let in: it has no cookie of anybody else, and the code form needs the nonce on top.
 */
function isOwnForm(ctx: Context, origin: string): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site !== '') return site === 'same-origin' || site === 'none';
  const from = ctx.get('origin');
  return from === '' || from === 'null' || from === origin;
}

function formsOnly(ctx: Context, next: Next): Promise<unknown> {
  // Our forms are never compressed; what is would have to be unpacked before it is known to be one.
  if (!ctx.is('urlencoded') || ctx.get('content-encoding') !== '') ctx.throw(415);
  return next();
}

/** The two fields of the form, when they came once each and as text. */
function fieldsOf(ctx: Context): { nonce: string | undefined; code: string | undefined } {
  const { nonce, code } = Object(ctx.request.body) as Readonly<Record<string, unknown>>;
  return {
    nonce: typeof nonce === 'string' ? nonce : undefined,
    code: typeof code === 'string' ? code : undefined,
  };
}

function seeOther(ctx: Context, path: string): void {
  ctx.redirect(path);
  ctx.status = 303; // RFC 9110 §15.4.4: the next request is a GET, and a reload repeats nothing
}

function localeOf(ctx: Context) {
  return chooseLocale(ctx.get('accept-language'));
}

/** Answers what went wrong with a page of ours, and writes one event per request at its end. */
function observe({ clock, log }: Ports, site: SiteOptions) {
  return async (ctx: Context, next: Next) => {
    const startedAt = clock.now();
    let bug: unknown;
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined) showTrouble(ctx, site, 'not-found');
      if (ctx.status === 405 || ctx.status === 501) showTrouble(ctx, site, 'wrong-method');
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'bug' || trouble === 'unavailable') bug = error;
      showTrouble(ctx, site, trouble);
    }
    // The route, not the path: a path that is not ours may hold anything.
    const route = String(ctx._matchedRoute ?? 'none');
    const { reason, mailbox } = ctx.state as Readonly<Record<string, string | undefined>>;
    const durationMs = clock.now() - startedAt;
    const fields = { method: ctx.method, route, status: ctx.status, reason, mailbox, durationMs };
    if (bug === undefined) log.info('http', fields);
    else if (bug instanceof DependencyError) log.warn('http', fields, bug);
    else log.error('http', fields, bug);
  };
}

function showTrouble(ctx: Context, site: SiteOptions, trouble: Trouble): void {
  const locale = localeOf(ctx);
  ctx.status = troubles[trouble];
  if (trouble === 'unavailable') ctx.set('Retry-After', '60');
  ctx.type = 'html';
  ctx.body = messagePage(locale, site, texts[locale].troubles[trouble], 'back');
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof DependencyError) return 'unavailable';
  const status = error instanceof Error && 'status' in error ? error.status : 500;
  if (status === 413) return 'too-large';
  if (status === 415) return 'not-a-form';
  return typeof status === 'number' && status >= 400 && status < 500 ? 'bad-request' : 'bug';
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

function listen(server: Server, { host, port }: WebServerOptions['listen']): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that is open and says nothing must not hold the process: Node no longer times it out by now.
    const last = setTimeout(() => server.closeAllConnections(), closeTimeoutMs);
    server.close(() => {
      clearTimeout(last);
      resolve();
    });
    server.closeIdleConnections();
  });
}
