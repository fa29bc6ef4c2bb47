// The web edge: Koa with what every request passes (headers, the pages for what went wrong, one event in the log), the
// static pieces, and starting and stopping. The routes are in page-routes.ts.

import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import Koa, { type Context, type Next } from 'koa';
import { type Asked, DependencyError, type Log, type RateLimits, type WatchCertificate } from '../../app/ports.ts';
import { clientAddress, type IpNetwork } from '../../core/network-address.ts';
import { brandStyle } from './brand-colors.ts';
import { type CookieJar, createCookieJar } from './cookie-jar.ts';
import { type ScriptName, type Site, type SiteOptions, scriptNames } from './layout.ts';
import { createLiveProgress, streamsMax } from './live-progress.ts';
import { readLogo } from './logo.ts';
import { localeOf, pageRoutes, purposeOf, type UseCases } from './page-routes.ts';
import { messagePage } from './pages.ts';
import { securityHeaders, strictTransportSecurity } from './security-headers.ts';
import { isStaticPath, serveStaticFiles, staticFile } from './static-files.ts';
import { texts } from './texts.ts';
import { answerUnread } from './unread-requests.ts';
import { type Trouble, troubles } from './web-replies.ts';

export interface WebServerOptions extends SiteOptions {
  /** An address, or a socket that is open already. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly fd: number };
  /** Without one a TLS proxy is expected in front, or the browser on this machine. */
  readonly certificate: WatchCertificate | undefined;
  /** Origin that browsers see; port 0 stands for the port that was got. */
  readonly publicUrl: string;
  /** The organisation's, `#rrggbb`. */
  readonly color: string;
  /** Path of an image, or null. */
  readonly logoFile: string | null;
  /** Proxies that are believed who asks them. */
  readonly trustedProxies: readonly IpNetwork[];
  readonly streamsPerNetworkMax: number;
  readonly challengeLifetimeMs: number;
  readonly grantLifetimeMs: number;
}

export interface WebServer {
  /** Resolves to what was got. @throws when the address cannot be listened on, or the certificate not used */
  start(): Promise<{ readonly host: string; readonly port: number }>;
  /** How many pages follow their live line. */
  liveLines(): number;
  /** No new requests; those under way are answered. */
  stop(): Promise<void>;
}

interface Ports extends UseCases {
  readonly rateLimits: RateLimits;
  readonly log: Log;
}

const requestTimeoutMs = 15_000;
const closeTimeoutMs = 3_000;
const tlsOptions = { minVersion: 'TLSv1.2' } as const; // RFC 8996 §4: nothing older

/** Makes the server. Reads its static files once, here. @throws Error when the logo is not usable */
export async function createWebServer(ports: Ports, options: WebServerOptions): Promise<WebServer> {
  const secure = options.publicUrl.startsWith('https:');
  const { files, site } = await loadSite(options);
  const cookies = createCookieJar({ ...options, secure });
  const live = createLiveProgress(ports.followChallenge, ports.clock, options.streamsPerNetworkMax);
  const app = new Koa();
  const server = createHttpServer(options.certificate !== undefined);
  let endWatch = () => {};
  // Beyond that they are closed at once, so that mail and store still have file descriptors.
  server.maxConnections = streamsMax + 1_000;
  const origin = () => options.publicUrl.replace(/:0$/, `:${(server.address() as AddressInfo | null)?.port}`);
  const router = pageRoutes(ports, site, cookies, live, origin);
  serveStaticFiles(router, files);
  app.use(async (ctx, next) => {
    ctx.set(securityHeaders);
    if (secure) ctx.set('Strict-Transport-Security', strictTransportSecurity);
    await next();
  });
  app.use(limitNetworks(ports.rateLimits, options.trustedProxies, site, cookies));
  app.use(observe(ports, site, cookies));
  app.use(router.routes());
  app.use(router.allowedMethods());
  // What reaches Koa's own handler is a connection that broke: nobody is left to be told.
  // A live line ends like that whenever its page is left, which is worth no event.
  app.on('error', (error: unknown) => {
    const code = codeOf(error);
    if (code !== 'ERR_STREAM_PREMATURE_CLOSE') ports.log.info('http-connection', { outcome: 'lost', code });
  });
  answerUnread(server, site, ports.log);
  const handle = app.callback();
  server.on('request', (request, response) => {
    // Sent before the answer to the one before was read (pipelining): no browser and no front does that, and the answers
    // to a few kilobytes of it would fill the memory. Such a response has no socket yet.
    if (response.socket === null) return void request.socket.destroy();
    void handle(request, response);
  });
  return {
    liveLines: () => live.count(),
    async start() {
      if (options.certificate !== undefined && server instanceof TlsServer) {
        endWatch = await options.certificate((certificate) =>
          server.setSecureContext({ ...certificate, ...tlsOptions }),
        );
      }
      return listen(server, options.listen).catch((error: unknown) => {
        endWatch();
        throw error;
      });
    },
    stop() {
      endWatch();
      live.close(); // they would hold the server open
      return close(server);
    },
  };
}

function createHttpServer(withTls: boolean): Server | TlsServer {
  const options = { requestTimeout: requestTimeoutMs, maxHeaderSize: 16_384 };
  return withTls
    ? createTlsServer({ ...options, ...tlsOptions, handshakeTimeout: requestTimeoutMs })
    : createServer(options);
}

/** The static pieces, and what the pages need to know of them and of the organisation. */
async function loadSite(options: WebServerOptions) {
  const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8');
  const style = staticFile('style.css', 'text/css', `${await read('style.css')}${brandStyle(options.color)}`);
  const scripts = await Promise.all(
    scriptNames.map(async (name) => staticFile(`${name}.js`, 'text/javascript', await read(`${name}.js`))),
  );
  const logo = await readLogo(options.logoFile);
  const scriptPaths = Object.fromEntries(scriptNames.map((name, at) => [name, scripts[at]?.path ?? '']));
  const paths = {
    style: style.path,
    scripts: scriptPaths as Record<ScriptName, string>, // one for each, just above
    logo: logo?.path,
  };
  const site: Site = { ...options, paths };
  const files = [style, ...scripts];
  return { site, files: logo === undefined ? files : [...files, logo] };
}

/**
 * Finds out who asks, and turns away whose network asks too often: before anything of the request but its header is looked
 * at, and without an event of its own, for that is written where it is counted.
 */
function limitNetworks(limits: RateLimits, trusted: readonly IpNetwork[], site: Site, cookies: CookieJar) {
  return async (ctx: Context, next: Next) => {
    ctx.request.ip = clientAddress(ctx.req.socket.remoteAddress ?? '', ctx.get('x-forwarded-for'), trusted);
    const waitMs = await limits.take(askedOf(ctx), ctx.ip);
    if (waitMs === 0) return next();
    showTrouble(ctx, 'too-many-requests', site, cookies);
    ctx.set('Retry-After', String(Math.ceil(waitMs / 1000)));
    leaveUnread(ctx);
  };
}

/** Pieces by themselves: the page that says no needs its style sheet. */
function askedOf({ method, path }: Context): Asked {
  if (method === 'POST') return 'form';
  return isStaticPath(path) ? 'piece' : 'page';
}

function showTrouble(ctx: Context, trouble: Trouble, site: Site, cookies: CookieJar): void {
  const locale = localeOf(ctx, cookies);
  ctx.status = troubles[trouble];
  if (trouble === 'unavailable') ctx.set('Retry-After', '60');
  ctx.type = 'html';
  ctx.body = messagePage(locale, site, purposeOf(ctx), texts[locale].troubles[trouble], 'back');
}

/** What is still to come of a request that has its answer is not read. */
function leaveUnread(ctx: Context): void {
  if (!ctx.req.complete) ctx.set('Connection', 'close');
}

/** Answers what went wrong with a page of ours, and writes one event per request at its end. */
function observe({ clock, log }: Ports, site: Site, cookies: CookieJar) {
  return async (ctx: Context, next: Next) => {
    const startedAt = clock.now();
    let bug: unknown;
    try {
      await next();
      if (ctx.status === 404 && ctx.body === undefined) showTrouble(ctx, 'not-found', site, cookies);
      if (ctx.status === 405 || ctx.status === 501) showTrouble(ctx, 'wrong-method', site, cookies);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === 'bug' || trouble === 'unavailable') bug = error;
      showTrouble(ctx, trouble, site, cookies);
    }
    if (ctx.status !== 413) leaveUnread(ctx); // a form that is too large is paused, so that its sender gets to see why
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

function listen(
  server: Server | TlsServer,
  target: WebServerOptions['listen'],
): Promise<{ readonly host: string; readonly port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(target, () => {
      server.off('error', reject);
      const { address, port } = server.address() as AddressInfo;
      resolve({ host: address, port });
    });
  });
}

function close(server: Server | TlsServer): Promise<void> {
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
