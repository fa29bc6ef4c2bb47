// The routes: what each page and form asks of the use cases, and which page shows what came of it. GET changes nothing
// and writes nothing. What is right or wrong is decided elsewhere; how it is said is in web-replies.ts and texts.ts.

import { bodyParser } from '@koa/bodyparser';
import Router from '@koa/router';
import type { Context, Next } from 'koa';
import type {
  Client,
  Clock,
  ConfirmMailbox,
  EnrolSecondFactor,
  FollowChallenge,
  GrantRequest,
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
import { networkOf } from '../../core/network-address.ts';
import type { PasswordRefusalReason } from '../../core/password-policy.ts';
import { type PasswordPurpose, type Purpose, purposes } from '../../core/purpose.ts';
import { type FormRefusalReason, refuse } from '../../core/refusal.ts';
import type { CookieJar } from './cookie-jar.ts';
import { firstStep, pageNames, type Site } from './layout.ts';
import type { LiveProgress } from './live-progress.ts';
import {
  accountsPage,
  mailboxPage,
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
  readonly confirmMailbox: ConfirmMailbox;
  readonly enrolSecondFactor: EnrolSecondFactor;
  readonly typeAddress: TypeAddress;
  readonly undoChange: UndoChange;
  readonly clock: Clock;
}

const form = formOf('4kb');
// Two passwords of 256 characters, each of up to four octets, each octet written as three.
const passwordForm = formOf('16kb');

function formOf(formLimit: string) {
  return [formsOnly, bodyParser({ enableTypes: ['form'], formLimit })];
}

/** What the routes of all errands share. */
interface Edge {
  readonly useCases: UseCases;
  readonly site: Site;
  readonly cookies: CookieJar;
  readonly live: LiveProgress;
  readonly pages: Pages;
  /** Whether a post comes from a page of ours. */
  readonly isOwn: (ctx: Context) => boolean;
}

/** @param origin what browsers call us */
export function pageRoutes(
  useCases: UseCases,
  site: Site,
  cookies: CookieJar,
  live: LiveProgress,
  origin: () => string,
): Router {
  const router = new Router();
  const pages = createPages(useCases, site, cookies);
  const isOwn = (ctx: Context) => isOwnForm(ctx, origin());
  const edge: Edge = { useCases, site, cookies, live, pages, isOwn };

  router.get('/', (ctx) => ctx.redirect('/reset'));
  router.get('/favicon.ico', (ctx) => {
    ctx.status = 204;
  });
  for (const purpose of purposes) errandRoutes(router, edge, purpose);
  for (const purpose of ['reset', 'activate'] as const) {
    passwordRoutes(router, edge, purpose);
    secondFactorRoutes(router, edge, purpose);
  }
  mailboxRoutes(router, edge);
  undoRoutes(router, edge);
  if (site.mayTypeAddress) typedRoutes(router, edge);
  router.post('/language', ...form, async (ctx) => {
    if (!isOwn(ctx)) return pages.showRefusal(ctx, refuse('cross-site'));
    const { locale, page } = fieldsOf(ctx);
    const chosen = locales.find((each) => each === locale);
    if (chosen !== undefined) cookies.set(ctx, 'locale', chosen);
    seeOther(ctx, `/${pageNames.find((name) => name === page) ?? 'reset'}`);
  });
  return router;
}

/** For people who cannot send a mail. What it answers is the same whether or not an account has the address. */
function typedRoutes(
  router: Router,
  { useCases: { typeAddress }, site, cookies, pages: { open, showRefusal }, isOwn }: Edge,
): void {
  async function showTyped(ctx: Context, problem?: { readonly text: string; readonly typed: string }): Promise<void> {
    const opened = await open(ctx, 'reset', cookies.get(ctx, 'challenge-reset'));
    if (opened.isNew) cookies.set(ctx, 'challenge-reset', opened.cookie);
    ctx.type = 'html';
    ctx.body = typedPage(localeOf(ctx, cookies), opened.nonce, site, problem);
  }

  router.get('/reset/typed', (ctx) => showTyped(ctx));
  router.post('/reset/typed', ...form, async (ctx) => {
    const { nonce, address } = fieldsOf(ctx);
    const locale = localeOf(ctx, cookies);
    const cookie = cookies.get(ctx, 'challenge-reset');
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
    seeOther(ctx, '/reset'); // which says so, also after a reload
  });
}

/** From the page to the right code: the same for every errand, and each has its own challenge. */
function errandRoutes(router: Router, edge: Edge, purpose: Purpose): void {
  const { useCases, cookies, pages, isOwn } = edge;
  const { open, showStart, showRefusal } = pages;
  const path = `/${purpose}`;
  const name = `challenge-${purpose}` as const;

  router.get(path, async (ctx) => {
    showStart(ctx, await open(ctx, purpose, cookies.get(ctx, name)), {});
  });
  router.post(path, ...form, async (ctx) => {
    const { nonce, code } = fieldsOf(ctx);
    const redeemed = isOwn(ctx)
      ? await useCases.redeemCode({ purpose, cookie: cookies.get(ctx, name), nonce, code, ...clientOf(ctx) })
      : refuse('cross-site');
    if (redeemed.kind === 'refused') return showRefusal(ctx, redeemed);
    ctx.state.mailbox = redeemed.mailboxDigest;
    cookies.set(ctx, `grant-${purpose}`, redeemed.grant);
    seeOther(ctx, firstStep(purpose));
  });
  router.post(`${path}/new`, async (ctx) => {
    if (!isOwn(ctx)) return showRefusal(ctx, refuse('cross-site'));
    cookies.set(ctx, name, (await open(ctx, purpose, undefined)).cookie);
    seeOther(ctx, path);
  });
  liveRoutes(router, edge, purpose);
}

function grantOf<P extends Purpose>(ctx: Context, cookies: CookieJar, purpose: P): GrantRequest<P> {
  const cookie = cookies.get(ctx, `challenge-${purpose}`);
  return { purpose, cookie, grant: cookies.get(ctx, `grant-${purpose}`) };
}

/** What comes after the code, for a password: choose an account, set its password. */
function passwordRoutes(
  router: Router,
  { useCases: { resetPassword }, site, cookies, pages: { showRefusal }, isOwn }: Edge,
  purpose: PasswordPurpose,
): void {
  const path = `/${purpose}`;

  async function showPassword(ctx: Context, problem: string | undefined): Promise<void> {
    const shown = await resetPassword.show(grantOf(ctx, cookies, purpose));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    if (shown.chosen === undefined) return seeOther(ctx, `${path}/accounts`);
    if (shown.secondFactor === 'asked') return seeOther(ctx, `${path}/second-factor`);
    ctx.type = 'html';
    ctx.body = passwordPage(localeOf(ctx, cookies), purpose, shown.chosen, shown, site, problem);
  }

  router.get(`${path}/accounts`, async (ctx) => {
    const shown = await resetPassword.show(grantOf(ctx, cookies, purpose));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    ctx.type = 'html';
    ctx.body = accountsPage(localeOf(ctx, cookies), shown, site);
  });
  router.post(`${path}/accounts`, ...passwordForm, async (ctx) => {
    const { nonce, account } = fieldsOf(ctx);
    const chosen = isOwn(ctx)
      ? await resetPassword.choose({ ...grantOf(ctx, cookies, purpose), ...clientOf(ctx), nonce, account })
      : refuse('cross-site');
    return chosen.kind === 'refused' ? showRefusal(ctx, chosen) : seeOther(ctx, `${path}/password`);
  });
  router.get(`${path}/password`, (ctx) => showPassword(ctx, undefined));
  router.post(`${path}/password`, ...passwordForm, async (ctx) => {
    const { nonce, account, password, repeated } = fieldsOf(ctx);
    const locale = localeOf(ctx, cookies);
    const typed = { nonce, account, password, repeated, locale };
    const set = isOwn(ctx)
      ? await resetPassword.set({ ...grantOf(ctx, cookies, purpose), ...clientOf(ctx), ...typed })
      : refuse('cross-site');
    if (set.kind === 'password-set') {
      ctx.state.mailbox = set.mailboxDigest;
      return seeOther(ctx, path); // which says so, also after a reload
    }
    const { reason } = set;
    if (!isAboutPassword(reason)) return showRefusal(ctx, refuse(reason));
    ctx.state.reason = reason;
    ctx.status = 422;
    return showPassword(ctx, texts[locale].passwordRefusals[reason]);
  });
}

/** What comes after the code, for a mailbox that is to be confirmed: one button. */
function mailboxRoutes(
  router: Router,
  { useCases: { confirmMailbox }, site, cookies, pages: { showRefusal }, isOwn }: Edge,
): void {
  router.get('/confirm/mailbox', async (ctx) => {
    const shown = await confirmMailbox.show(grantOf(ctx, cookies, 'confirm'));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    ctx.type = 'html';
    ctx.body = mailboxPage(localeOf(ctx, cookies), shown, site);
  });
  router.post('/confirm/mailbox', ...form, async (ctx) => {
    const { nonce } = fieldsOf(ctx);
    const outcome = isOwn(ctx)
      ? await confirmMailbox.confirm({ ...grantOf(ctx, cookies, 'confirm'), ...clientOf(ctx), nonce })
      : refuse('cross-site');
    if (outcome.kind === 'refused') return showRefusal(ctx, outcome);
    if (outcome.kind === 'confirmed') {
      ctx.state.mailbox = outcome.mailboxDigest;
      return seeOther(ctx, '/confirm'); // which says so, also after a reload
    }
    ctx.type = 'html';
    ctx.body = mailboxPage(localeOf(ctx, cookies), { mailbox: outcome.mailbox, nonce: undefined }, site);
  });
}

/** The undo, which needs no code of a page. */
function undoRoutes(router: Router, { useCases: { undoChange }, site, cookies, pages, isOwn }: Edge): void {
  // People put the word where they think its last word is.
  for (const purpose of ['reset', 'activate']) router.get(`/${purpose}/undo`, (ctx) => ctx.redirect('/undo'));
  router.get('/undo', (ctx) => {
    ctx.type = 'html';
    ctx.body = undoPage(localeOf(ctx, cookies), site, { problem: undefined });
  });
  router.post('/undo', ...form, async (ctx) => {
    if (!isOwn(ctx)) return pages.showRefusal(ctx, refuse('cross-site'));
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
  { useCases: { resetPassword, enrolSecondFactor }, site, cookies, pages: { showRefusal }, isOwn }: Edge,
  purpose: PasswordPurpose,
): void {
  const path = `/${purpose}`;
  /** What is said at the field of a form that is shown again. */
  const problemOf = (ctx: Context, { reason, waitMs = 0 }: RedeemRefused) => {
    const locale = localeOf(ctx, cookies);
    ctx.state.reason = reason;
    ctx.status = webReplies[reason].status;
    if (waitMs > 0) ctx.set('Retry-After', String(Math.ceil(waitMs / 1000)));
    return texts[locale].refusals[reason]({ triesLeft: 0, wait: waitText(waitMs, locale) });
  };

  async function showSecondFactor(ctx: Context, problem: string | undefined): Promise<void> {
    const shown = await resetPassword.show(grantOf(ctx, cookies, purpose));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    if (shown.chosen === undefined) return seeOther(ctx, `${path}/accounts`);
    if (shown.secondFactor !== 'asked') return seeOther(ctx, `${path}/password`);
    ctx.type = 'html';
    ctx.body = secondFactorPage(localeOf(ctx, cookies), purpose, shown.chosen, shown.nonce, site, problem);
  }

  async function showEnrolment(ctx: Context, problem: string | undefined): Promise<void> {
    const shown = await enrolSecondFactor.show(grantOf(ctx, cookies, purpose));
    if (shown.kind === 'refused') return showRefusal(ctx, shown);
    ctx.type = 'html';
    ctx.body = enrolPage(localeOf(ctx, cookies), purpose, shown, site, problem);
  }

  router.get(`${path}/second-factor`, (ctx) => showSecondFactor(ctx, undefined));
  router.post(`${path}/second-factor`, ...form, async (ctx) => {
    const { nonce, account, factor } = fieldsOf(ctx);
    const passed = isOwn(ctx)
      ? await resetPassword.passSecondFactor({
          ...grantOf(ctx, cookies, purpose),
          ...clientOf(ctx),
          nonce,
          account,
          typed: factor,
        })
      : refuse('cross-site');
    if (passed.kind === 'passed') return seeOther(ctx, `${path}/password`);
    const isTyped = passed.reason === 'second-factor-wrong' || passed.reason === 'second-factor-exhausted';
    return isTyped ? showSecondFactor(ctx, problemOf(ctx, passed)) : showRefusal(ctx, passed);
  });
  router.get(`${path}/enrol`, (ctx) => showEnrolment(ctx, undefined));
  router.get(`${path}/enrol.svg`, async (ctx) => {
    const shown = await enrolSecondFactor.show(grantOf(ctx, cookies, purpose));
    if (shown.kind === 'refused') return; // no picture of a secret that no page shows
    ctx.type = 'svg';
    ctx.body = qrCodeSvg(shown.uri);
  });
  router.post(`${path}/enrol`, ...form, async (ctx) => {
    const { nonce, code } = fieldsOf(ctx);
    const enrolled = isOwn(ctx)
      ? await enrolSecondFactor.enrol({ ...grantOf(ctx, cookies, purpose), ...clientOf(ctx), nonce, typed: code })
      : refuse('cross-site');
    if (enrolled.kind === 'enrolled') {
      // The answer itself: on a page to come back to, the codes would be shown more than once.
      ctx.type = 'html';
      ctx.body = recoveryPage(localeOf(ctx, cookies), purpose, enrolled.accountName, enrolled.recoveryCodes, site);
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
  { useCases: { openChallenge, followChallenge, clock }, site, cookies, live }: Edge,
  purpose: Purpose,
): void {
  const name = `challenge-${purpose}` as const;
  router.get(`/${purpose}/progress`, async (ctx) => {
    const status = await followChallenge.look(purpose, cookies.get(ctx, name));
    ctx.body = viewProgress(localeOf(ctx, cookies), purpose, status, clock.now());
  });
  router.get(`/${purpose}/events`, (ctx) => {
    ctx.type = 'text/event-stream';
    ctx.set('Connection', 'close'); // after hours of events nobody waits for another request on it, and a stop not for it
    if (ctx.method === 'HEAD') {
      ctx.body = ''; // a stream that nobody reads would never end
      return;
    }
    const stream = live.open(purpose, cookies.get(ctx, name), localeOf(ctx, cookies), networkOf(ctx.ip));
    ctx.set('X-Accel-Buffering', 'no'); // nginx would keep events until there are enough of them
    // Without a body it is 204, which tells a browser not to connect again (HTML Standard §9.2.3).
    ctx.body = stream;
  });
  router.get(`/${purpose}/mail.svg`, async (ctx) => {
    const cookie = cookies.get(ctx, name);
    const locale = localeOf(ctx, cookies);
    const opened = await openChallenge({ purpose, cookie, locale, clientHint: readClientHint(ctx.get('user-agent')) });
    if (opened.isNew) return; // no picture of an address that no page shows
    ctx.type = 'svg';
    ctx.body = qrCodeSvg(phoneMailto(locale, opened, site));
  });
}

type Pages = ReturnType<typeof createPages>;

/** The pages as answers. */
function createPages({ openChallenge, clock }: UseCases, site: Site, cookies: CookieJar) {
  const open = (ctx: Context, purpose: Purpose, cookie: string | undefined) =>
    openChallenge({
      purpose,
      cookie,
      locale: localeOf(ctx, cookies),
      clientHint: readClientHint(ctx.get('user-agent')),
    });

  function showStart(ctx: Context, opened: OpenedChallenge, messages: ResetMessages): void {
    if (opened.isNew) cookies.set(ctx, `challenge-${opened.purpose}`, opened.cookie);
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
    const purpose = purposeOf(ctx);
    if (reply.shown !== 'page') {
      const opened = await open(ctx, purpose, cookies.get(ctx, `challenge-${purpose}`));
      return showStart(ctx, opened, reply.shown === 'form' ? { problem: message } : { renewed: message });
    }
    ctx.type = 'html';
    ctx.body = messagePage(locale, site, purpose, message, reply.wayOn);
  }

  return { open, showStart, showRefusal };
}

/** The errand that a page belongs to. */
export function purposeOf({ path }: Context): Purpose {
  return purposes.find((purpose) => path.split('/')[1] === purpose) ?? 'reset';
}

/** The language a person chose, or else the one their browser asks for. */
export function localeOf(ctx: Context, cookies: CookieJar): Locale {
  const chosen = cookies.get(ctx, 'locale');
  return locales.find((each) => each === chosen) ?? chooseLocale(ctx.get('accept-language'));
}

/** Who asks: for limits, mails and the audit. The first middleware has set the address. */
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
