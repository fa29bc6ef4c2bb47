// The routes: what each page and form asks of the use cases, and which page shows what came of it. GET changes nothing
// and writes nothing. What is right or wrong is decided elsewhere; how it is said is in web-replies.ts and texts.ts.

import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import type { Context, Next } from 'koa';
import type {
  Client,
  Clock,
  EnrolSecondFactor,
  FollowChallenge,
  OpenChallenge,
  OpenedChallenge,
  RedeemCode,
  RedeemRefused,
  ResetPassword,
  TypeAddress,
  UndoChange,
} from '../../app/ports.ts';
import { readClientHint } from '../../core/client-hint.ts';
import { chooseLocale, type Locale, locales } from '../../core/locale.ts';
import type { PasswordRefusalReason } from '../../core/password-policy.ts';
import { type FormRefusalReason, refuse } from '../../core/refusal.ts';
import type { CookieJar } from './cookie-jar.ts';
import { pagePaths, type Site } from './layout.ts';
import type { LiveProgress } from './live-progress.ts';
import {
  accountsPage,
  messagePage,
  passwordPage,
  phoneMailto,
  type ResetMessages,
  resetPage,
  typedPage,
  undoPage,
} from './pages.ts';
import { viewProgress, waitText } from './progress-view.ts';
import { qrCodeSvg } from './qr-code.ts';
import { enrolPage, recoveryPage, secondFactorPage } from './second-factor-pages.ts';
import { texts } from './texts.ts';
import { webReplies } from './web-replies.ts';

/** What the pages ask. */
export interface UseCases {
  readonly openChallenge: OpenChallenge;
  readonly followChallenge: FollowChallenge;
  readonly redeemCode: RedeemCode;
  readonly resetPassword: ResetPassword;
  readonly enrolSecondFactor: EnrolSecondFactor;
  readonly typeAddress: TypeAddress;
  readonly undoChange: UndoChange;
  readonly clock: Clock;
}

const formBytesMax = '4kb';
// Two passwords of 256 characters, each of up to four octets, each octet written as three.
const passwordFormBytesMax = '16kb';

/** @param origin what browsers call us */
export function pageRoutes(
  useCases: UseCases,
  site: Site,
  cookies: CookieJar,
  live: LiveProgress,
  origin: () => string,
): Router {
  const router = new Router();
  const form = [formsOnly, bodyParser({ enableTypes: ['form'], formLimit: formBytesMax })];
  const pages = createPages(useCases, site, cookies);
  const { open, showReset, showRefusal } = pages;

  router.get('/', (ctx) => ctx.redirect('/reset'));
  router.get('/favicon.ico', (ctx) => {
    ctx.status = 204;
  });
  router.get('/reset', async (ctx) => showReset(ctx, await open(ctx, cookies.get(ctx, 'challenge')), {}));
  router.post('/reset', ...form, async (ctx) => {
    const { nonce, code } = fieldsOf(ctx);
    const redeemed = isOwnForm(ctx, origin())
      ? await useCases.redeemCode({ cookie: cookies.get(ctx, 'challenge'), nonce, code, ...clientOf(ctx) })
      : refuse('cross-site');
    if (redeemed.kind === 'refused') return showRefusal(ctx, redeemed);
    ctx.state.mailbox = redeemed.mailboxDigest;
    cookies.set(ctx, 'grant', redeemed.grant);
    seeOther(ctx, pagePaths.accounts);
  });
  router.post('/reset/new', async (ctx) => {
    if (!isOwnForm(ctx, origin())) return showRefusal(ctx, refuse('cross-site'));
    cookies.set(ctx, 'challenge', (await open(ctx, undefined)).cookie);
    seeOther(ctx, pagePaths.reset);
  });
  const isOwn = (ctx: Context) => isOwnForm(ctx, origin());
  passwordRoutes(router, useCases, site, cookies, showRefusal, isOwn);
  secondFactorRoutes(router, useCases, site, cookies, showRefusal, isOwn);
  if (site.mayTypeAddress) typedRoutes(router, useCases, site, cookies, pages, isOwn);
  router.post('/language', ...form, async (ctx) => {
    if (!isOwnForm(ctx, origin())) return showRefusal(ctx, refuse('cross-site'));
    const { locale, page } = fieldsOf(ctx);
    const chosen = locales.find((each) => each === locale);
    if (chosen !== undefined) cookies.set(ctx, 'locale', chosen);
    const back = Object.entries(pagePaths).find(([name]) => name === page);
    seeOther(ctx, back?.[1] ?? pagePaths.reset);
  });
  liveRoutes(router, useCases, site, cookies, live);
  return router;
}

/** For people who cannot send a mail. What it answers is the same whether or not an account has the address. */
function typedRoutes(
  router: Router,
  { typeAddress }: UseCases,
  site: Site,
  cookies: CookieJar,
  { open, showRefusal }: ReturnType<typeof createPages>,
  isOwn: (ctx: Context) => boolean,
): void {
  const form = [formsOnly, bodyParser({ enableTypes: ['form'], formLimit: formBytesMax })];

  async function showTyped(ctx: Context, problem?: { readonly text: string; readonly typed: string }): Promise<void> {
    const opened = await open(ctx, cookies.get(ctx, 'challenge'));
    if (opened.isNew) cookies.set(ctx, 'challenge', opened.cookie);
    ctx.type = 'html';
    ctx.body = typedPage(localeOf(ctx, cookies), opened.nonce, site, problem);
  }

  router.get(pagePaths.typed, (ctx) => showTyped(ctx));
  router.post(pagePaths.typed, ...form, async (ctx) => {
    const { nonce, address } = fieldsOf(ctx);
    const locale = localeOf(ctx, cookies);
    const cookie = cookies.get(ctx, 'challenge');
    const outcome = isOwn(ctx)
      ? await typeAddress({ cookie, nonce, address, locale, ...clientOf(ctx) })
      : refuse('cross-site');
    if (outcome.kind === 'refused' && outcome.reason !== 'address-refused') return showRefusal(ctx, outcome);
    if (outcome.kind === 'refused') {
      ctx.state.reason = outcome.reason;
      ctx.status = webReplies[outcome.reason].status;
      const text = texts[locale].refusals[outcome.reason]({ triesLeft: 0, wait: '' });
      return showTyped(ctx, { text, typed: address ?? '' });
    }
    ctx.state.mailbox = outcome.mailboxDigest;
    seeOther(ctx, pagePaths.reset); // which says so, also after a reload
  });
}

/** What comes after the code: choose an account, set its password; and the undo, which needs no code of a page. */
function passwordRoutes(
  router: Router,
  { resetPassword, undoChange }: UseCases,
  site: Site,
  cookies: CookieJar,
  showRefusal: (ctx: Context, refused: RedeemRefused) => Promise<void>,
  isOwn: (ctx: Context) => boolean,
): void {
  const form = [formsOnly, bodyParser({ enableTypes: ['form'], formLimit: passwordFormBytesMax })];
  const grantOf = (ctx: Context) => ({ cookie: cookies.get(ctx, 'challenge'), grant: cookies.get(ctx, 'grant') });

  async function showPassword(ctx: Context, problem: string | undefined): Promise<void> {
    const shown = await resetPassword.show(grantOf(ctx));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    if (shown.chosen === undefined) return seeOther(ctx, pagePaths.accounts);
    if (shown.secondFactor === 'asked') return seeOther(ctx, pagePaths.secondFactor);
    ctx.type = 'html';
    ctx.body = passwordPage(localeOf(ctx, cookies), shown.chosen, shown, site, problem);
  }

  router.get(pagePaths.accounts, async (ctx) => {
    const shown = await resetPassword.show(grantOf(ctx));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    ctx.type = 'html';
    ctx.body = accountsPage(localeOf(ctx, cookies), shown, site);
  });
  router.post(pagePaths.accounts, ...form, async (ctx) => {
    const { nonce, account } = fieldsOf(ctx);
    const chosen = isOwn(ctx)
      ? await resetPassword.choose({ ...grantOf(ctx), ...clientOf(ctx), nonce, account })
      : refuse('cross-site');
    return chosen.kind === 'refused' ? showRefusal(ctx, chosen) : seeOther(ctx, pagePaths.password);
  });
  router.get(pagePaths.password, (ctx) => showPassword(ctx, undefined));
  router.post(pagePaths.password, ...form, async (ctx) => {
    const { nonce, account, password, repeated } = fieldsOf(ctx);
    const locale = localeOf(ctx, cookies);
    const set = isOwn(ctx)
      ? await resetPassword.set({ ...grantOf(ctx), ...clientOf(ctx), nonce, account, password, repeated, locale })
      : refuse('cross-site');
    if (set.kind === 'password-set') {
      ctx.state.mailbox = set.mailboxDigest;
      return seeOther(ctx, pagePaths.reset); // which says so, also after a reload
    }
    const { reason } = set;
    if (!isAboutPassword(reason)) return showRefusal(ctx, refuse(reason));
    ctx.state.reason = reason;
    ctx.status = 422;
    return showPassword(ctx, texts[locale].passwordRefusals[reason]);
  });
  // People put the word where they think its last word is.
  router.get('/reset/undo', (ctx) => ctx.redirect(pagePaths.undo));
  router.get(pagePaths.undo, (ctx) => {
    ctx.type = 'html';
    ctx.body = undoPage(localeOf(ctx, cookies), site, { problem: undefined });
  });
  router.post(pagePaths.undo, ...form, async (ctx) => {
    if (!isOwn(ctx)) return showRefusal(ctx, refuse('cross-site'));
    const locale = localeOf(ctx, cookies);
    const outcome = await undoChange(fieldsOf(ctx).code, clientOf(ctx));
    ctx.type = 'html';
    if (outcome.kind === 'undone') {
      ctx.body = undoPage(locale, site, { undone: true });
      return;
    }
    ctx.state.reason = outcome.reason;
    ctx.status = webReplies[outcome.reason].status;
    ctx.body = undoPage(locale, site, { problem: texts[locale].refusals[outcome.reason]({ triesLeft: 0, wait: '' }) });
  });
}

/** Between the account and its password: the second factor it has; and after the password, one it may get. */
function secondFactorRoutes(
  router: Router,
  { resetPassword, enrolSecondFactor }: UseCases,
  site: Site,
  cookies: CookieJar,
  showRefusal: (ctx: Context, refused: RedeemRefused) => Promise<void>,
  isOwn: (ctx: Context) => boolean,
): void {
  const form = [formsOnly, bodyParser({ enableTypes: ['form'], formLimit: formBytesMax })];
  const grantOf = (ctx: Context) => ({ cookie: cookies.get(ctx, 'challenge'), grant: cookies.get(ctx, 'grant') });
  /** What is said at the field of a form that is shown again. */
  const problemOf = (ctx: Context, { reason, waitMs = 0 }: RedeemRefused) => {
    const locale = localeOf(ctx, cookies);
    ctx.state.reason = reason;
    ctx.status = webReplies[reason].status;
    if (waitMs > 0) ctx.set('Retry-After', String(Math.ceil(waitMs / 1000)));
    return texts[locale].refusals[reason]({ triesLeft: 0, wait: waitText(waitMs, locale) });
  };

  async function showSecondFactor(ctx: Context, problem: string | undefined): Promise<void> {
    const shown = await resetPassword.show(grantOf(ctx));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    if (shown.chosen === undefined) return seeOther(ctx, pagePaths.accounts);
    if (shown.secondFactor !== 'asked') return seeOther(ctx, pagePaths.password);
    ctx.type = 'html';
    ctx.body = secondFactorPage(localeOf(ctx, cookies), shown.chosen, shown.nonce, site, problem);
  }

  async function showEnrolment(ctx: Context, problem: string | undefined): Promise<void> {
    const shown = await enrolSecondFactor.show(grantOf(ctx));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    ctx.type = 'html';
    ctx.body = enrolPage(localeOf(ctx, cookies), shown, site, problem);
  }

  router.get(pagePaths.secondFactor, (ctx) => showSecondFactor(ctx, undefined));
  router.post(pagePaths.secondFactor, ...form, async (ctx) => {
    const { nonce, account, factor } = fieldsOf(ctx);
    const passed = isOwn(ctx)
      ? await resetPassword.passSecondFactor({ ...grantOf(ctx), ...clientOf(ctx), nonce, account, typed: factor })
      : refuse('cross-site');
    if (passed.kind === 'passed') return seeOther(ctx, pagePaths.password);
    const isTyped = passed.reason === 'second-factor-wrong' || passed.reason === 'second-factor-exhausted';
    return isTyped ? showSecondFactor(ctx, problemOf(ctx, passed)) : showRefusal(ctx, passed);
  });
  router.get(pagePaths.enrol, (ctx) => showEnrolment(ctx, undefined));
  router.get(`${pagePaths.enrol}.svg`, async (ctx) => {
    const shown = await enrolSecondFactor.show(grantOf(ctx));
    if (shown.kind === 'refused') return; // no picture of a secret that no page shows
    ctx.type = 'svg';
    ctx.body = qrCodeSvg(shown.uri);
  });
  router.post(pagePaths.enrol, ...form, async (ctx) => {
    const { nonce, code } = fieldsOf(ctx);
    const enrolled = isOwn(ctx)
      ? await enrolSecondFactor.enrol({ ...grantOf(ctx), ...clientOf(ctx), nonce, typed: code })
      : refuse('cross-site');
    if (enrolled.kind === 'enrolled') {
      // The answer itself: on a page to come back to, the codes would be shown more than once.
      ctx.type = 'html';
      ctx.body = recoveryPage(localeOf(ctx, cookies), enrolled.accountName, enrolled.recoveryCodes, site);
      return;
    }
    const isTyped = enrolled.reason === 'enrolment-code-wrong';
    return isTyped ? showEnrolment(ctx, problemOf(ctx, enrolled)) : showRefusal(ctx, enrolled);
  });
}

function isAboutPassword(reason: FormRefusalReason | PasswordRefusalReason): reason is PasswordRefusalReason {
  return reason in texts.en.passwordRefusals;
}

/** What an open page asks for by itself. None of it makes or renews a challenge. */
function liveRoutes(
  router: Router,
  { openChallenge, followChallenge, clock }: UseCases,
  site: Site,
  cookies: CookieJar,
  live: LiveProgress,
): void {
  router.get('/reset/progress', async (ctx) => {
    ctx.body = viewProgress(
      localeOf(ctx, cookies),
      await followChallenge.look(cookies.get(ctx, 'challenge')),
      clock.now(),
    );
  });
  router.get('/reset/events', (ctx) => {
    ctx.type = 'text/event-stream';
    ctx.set('Connection', 'close'); // after hours of events nobody waits for another request on it, and a stop not for it
    if (ctx.method === 'HEAD') {
      ctx.body = ''; // a stream that nobody reads would never end
      return;
    }
    const stream = live.open(cookies.get(ctx, 'challenge'), localeOf(ctx, cookies));
    ctx.set('X-Accel-Buffering', 'no'); // nginx would keep events until there are enough of them
    // Without a body it is 204, which tells a browser not to connect again (HTML Standard §9.2.3).
    ctx.body = stream;
  });
  router.get('/reset/mail.svg', async (ctx) => {
    const cookie = cookies.get(ctx, 'challenge');
    const locale = localeOf(ctx, cookies);
    const opened = await openChallenge({ cookie, locale, clientHint: readClientHint(ctx.get('user-agent')) });
    if (opened.isNew) return; // no picture of an address that no page shows
    ctx.type = 'svg';
    ctx.body = qrCodeSvg(phoneMailto(locale, opened, site));
  });
}

/** The pages as answers. */
function createPages({ openChallenge, clock }: UseCases, site: Site, cookies: CookieJar) {
  const open = (ctx: Context, cookie: string | undefined) =>
    openChallenge({
      cookie,
      locale: localeOf(ctx, cookies),
      clientHint: readClientHint(ctx.get('user-agent')),
    });

  function showReset(ctx: Context, opened: OpenedChallenge, messages: ResetMessages): void {
    if (opened.isNew) cookies.set(ctx, 'challenge', opened.cookie);
    const locale = localeOf(ctx, cookies);
    const renewed = messages.renewed ?? (opened.renewed ? texts[locale].renewed : undefined);
    ctx.type = 'html';
    ctx.body = resetPage(locale, opened, site, { ...messages, renewed }, clock.now());
  }

  async function showRefusal(ctx: Context, refused: RedeemRefused): Promise<void> {
    const reply = webReplies[refused.reason];
    const locale = localeOf(ctx, cookies);
    const message = texts[locale].refusals[refused.reason]({
      triesLeft: refused.triesLeft ?? 0,
      wait: waitText(refused.waitMs ?? 0, locale),
    });
    ctx.state.reason = refused.reason;
    ctx.status = reply.status;
    if (refused.waitMs !== undefined) ctx.set('Retry-After', String(Math.ceil(refused.waitMs / 1000)));
    if (reply.shown !== 'page') {
      const opened = await open(ctx, cookies.get(ctx, 'challenge'));
      return showReset(ctx, opened, reply.shown === 'form' ? { problem: message } : { renewed: message });
    }
    ctx.type = 'html';
    ctx.body = messagePage(locale, site, message, reply.wayOn);
  }

  return { open, showReset, showRefusal };
}

/** The language a person chose, or else the one their browser asks for. */
export function localeOf(ctx: Context, cookies: CookieJar): Locale {
  const chosen = cookies.get(ctx, 'locale');
  return locales.find((each) => each === chosen) ?? chooseLocale(ctx.get('accept-language'));
}

/** Who asks: for limits, mails and the audit. The server has set the address (client-address.ts). */
function clientOf(ctx: Context): Client {
  return { remoteAddress: ctx.ip, clientHint: readClientHint(ctx.get('user-agent')) };
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

type Field = 'nonce' | 'code' | 'address' | 'account' | 'factor' | 'password' | 'repeated' | 'locale' | 'page';

/** The fields of a form that came once each and as text. */
function fieldsOf(ctx: Context): Partial<Readonly<Record<Field, string>>> {
  const fields = Object.entries(Object(ctx.request.body) as Readonly<Record<string, unknown>>);
  return Object.fromEntries(fields.filter(([, value]) => typeof value === 'string'));
}

function seeOther(ctx: Context, path: string): void {
  ctx.redirect(path);
  ctx.status = 303; // RFC 9110 §15.4.4: the next request is a GET, and a reload repeats nothing
}
