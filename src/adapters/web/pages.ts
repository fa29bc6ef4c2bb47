// The pages as HTML: one layout, the reset page, the accounts, and the page for everything that did not work.
// They work without JavaScript. Every value goes through html.ts, which escapes it.

import type { OpenedChallenge, ShownAccounts } from '../../app/ports.ts';
import { type Html, html } from '../../core/html.ts';
import { type Locale, timeLocales } from '../../core/locale.ts';
import { groupAddress } from '../../core/one-time-address.ts';
import { requestSubject } from '../../core/request-subject.ts';
import type { VerdictDetails } from '../../core/sender-policy.ts';
import { type Texts, texts } from './texts.ts';

/** What all pages share. Texts of the operator, escaped like everything else. */
export interface SiteOptions {
  readonly siteName: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Domain of the one-time addresses. */
  readonly mailDomain: string;
  /** Where the test mailbox is, in a profile that has one. */
  readonly testMailboxUrl: string | null;
  readonly stylePath: string;
}

/** Where a page that did not work leads: on with this challenge, or to a new one. */
export type WayOn = 'back' | 'start-again';

/** The reset page. @param problem what was wrong with the form, when it is shown again */
export function resetPage(challenge: OpenedChallenge, site: SiteOptions, problem: string | undefined): string {
  const words = texts[challenge.locale];
  const over =
    challenge.progress === 'locked' || challenge.progress === 'verified' || challenge.progress === 'finished';
  const body = over ? endOf(challenge, words) : steps(challenge, site, words, problem);
  return layout(challenge.locale, site, words.heading, html`<h1>${words.heading}</h1>${body}`);
}

function endOf(challenge: OpenedChallenge, words: Texts): Html {
  const { progress } = challenge;
  const on = progress === 'verified' ? html`<p><a class="button" href="/reset/accounts">${words.continue}</a></p>` : '';
  return html`${progressOf(challenge, words)}${on}${startAgain(words)}`;
}

function steps(challenge: OpenedChallenge, site: SiteOptions, words: Texts, problem: string | undefined): Html {
  const address = `${challenge.localPart}@${site.mailDomain}`;
  const mailto = mailtoOf(address, challenge, site, words);
  const test =
    site.testMailboxUrl === null
      ? undefined
      : html` <a class="button quiet" id="test-mailbox" href="${site.testMailboxUrl}/compose?mailto=${encodeURIComponent(mailto)}" target="_blank" rel="noopener">${words.openTestMailbox}</a>`;
  return html`<p>${words.intro}</p>
<ol class="steps">
<li><h2>${words.stepMail}</h2>
<p><a class="button" id="mailto" href="${mailto}">${words.openMailApp}</a>${test}</p>
<p>${words.justSend} ${words.orWriteTo}</p>
<p><code id="address">${groupAddress(challenge.localPart)}<wbr>@${site.mailDomain}</code></p>
<p id="label">${words.labelHelp(challenge.label)}</p></li>
<li><h2>${words.stepAnswer}</h2>
${progressOf(challenge, words)}
<p><a class="button quiet" href="/reset">${words.lookAgain}</a></p></li>
<li><h2>${words.stepCode}</h2>
${codeForm(challenge, words, problem)}</li>
</ol>
<p>${words.tellNobody} ${words.validUntil(timeOf(challenge.expiresAt, challenge.locale, site))}</p>
${startAgain(words)}`;
}

/** How far it has come, and why the latest mail was refused, with the verdict in a fold for an administrator. */
function progressOf({ progress, notice, locale }: OpenedChallenge, words: Texts): Html {
  const state = html`<p id="progress" role="status">${words.progress[progress]}</p>`;
  if (notice === undefined || notice.sentence === 'unchanged') return state;
  const { sentence, waitMs, details } = notice;
  const fold =
    details &&
    html`<details id="verdict"><summary>${words.detailsHeading}</summary><ul>${verdictLines(details).map((line) => html`<li>${line}</li>`)}</ul></details>`;
  const refused = words.mailRefused[sentence](waitText(waitMs, locale));
  // A refused mail changes nothing about an answer that is out already: that comes first.
  if (progress !== 'awaiting-mail') return html`${state}<p id="refused">${refused}</p>${fold}`;
  return html`<p id="progress" role="status">${refused}</p>${fold}`;
}

/** Field names and result words of RFC 8601, the same in every language: domain names and results only. */
function verdictLines({ authorDomain, signatures, spf, dmarc }: VerdictDetails): readonly string[] {
  const missing = (missed: readonly string[]) => (missed.length === 0 ? '' : ` (misses: ${missed.join(', ')})`);
  return [
    `header.from=${authorDomain}`,
    ...signatures.map(({ domain, result, missed }) => `dkim=${result} header.d=${domain}${missing(missed)}`),
    ...(signatures.length === 0 ? ['dkim=none'] : []),
    `spf=${spf.result} smtp.mailfrom=${spf.domain}${missing(spf.missed)}`,
    `dmarc=${dmarc}`,
  ];
}

/** "5 minutes", "3 Stunden": never shorter than it is. */
export function waitText(waitMs: number, locale: Locale): string {
  const minutes = Math.max(1, Math.ceil(waitMs / 60_000));
  const [count, unit] = minutes < 90 ? [minutes, 'minute'] : [Math.ceil(minutes / 60), 'hour'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
}

function codeForm({ nonce }: OpenedChallenge, words: Texts, problem: string | undefined): Html {
  const alert = problem === undefined ? undefined : html`<p id="problem" class="problem" role="alert">${problem}</p>`;
  const described = problem === undefined ? undefined : html` aria-invalid="true" aria-describedby="problem" autofocus`;
  return html`<form method="post" action="/reset" id="code-form">
<input type="hidden" name="nonce" value="${nonce}">
${alert}<label for="code">${words.codeLabel}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="400" required${described}>
<button type="submit">${words.submit}</button>
</form>`;
}

/** The mailto link (RFC 6068 §2): recipient, Subject with the label, a body that explains itself. */
function mailtoOf(
  address: string,
  { locale, label }: OpenedChallenge,
  { siteName }: SiteOptions,
  words: Texts,
): string {
  const body = words.mailBody(siteName, label).replaceAll('\n', '\r\n'); // RFC 6068 §5
  return `mailto:${address}?subject=${encodeURIComponent(requestSubject(locale, label))}&body=${encodeURIComponent(body)}`;
}

/** The accounts of the mailbox that was proved. */
export function accountsPage({ locale, mailbox, accounts }: ShownAccounts, site: SiteOptions): string {
  const words = texts[locale];
  const entries = accounts.map(({ name, description }) => html`<li><strong>${name}</strong> ${description}</li>`);
  const found = html`<p>${words.accountsOf}</p><ul id="accounts">${entries}</ul><p>${words.endsHere}</p>`;
  const body = html`<h1>${words.accountsHeading}</h1>
<p>${words.wroteFrom} <strong id="mailbox">${mailbox}</strong>.</p>
${accounts.length > 0 ? found : html`<p id="no-account">${words.noAccount(mailbox)}</p>`}
${startAgain(words)}`;
  return layout(locale, site, words.accountsHeading, body);
}

/** A page for what did not work: one sentence and one way on. */
export function messagePage(locale: Locale, site: SiteOptions, message: string, wayOn: WayOn): string {
  const words = texts[locale];
  const on =
    wayOn === 'start-again' ? startAgain(words) : html`<p><a class="button" href="/reset">${words.back}</a></p>`;
  const body = html`<h1>${words.errorHeading}</h1><p id="message">${message}</p>${on}`;
  return layout(locale, site, words.errorHeading, body);
}

function startAgain(words: Texts): Html {
  return html`<form method="post" action="/reset/new" id="start-again"><button class="quiet" type="submit">${words.startAgain}</button></form>`;
}

// Making a format costs more than all the rest of a page; there are only as many as languages.
const timeFormats = new Map<string, Intl.DateTimeFormat>();

function timeOf(at: number, locale: Locale, { timeZone }: SiteOptions): string {
  const make = () =>
    new Intl.DateTimeFormat(timeLocales[locale], {
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
      timeZoneName: 'short',
    });
  const format = timeFormats.get(`${locale} ${timeZone}`) ?? make();
  timeFormats.set(`${locale} ${timeZone}`, format);
  return format.format(at);
}

function layout(locale: Locale, site: SiteOptions, title: string, body: Html): string {
  return html`<!doctype html>
<html lang="${locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – ${site.siteName}</title>
<link rel="stylesheet" href="${site.stylePath}">
</head>
<body>
<header><p>${site.siteName}</p></header>
<main>
${body}
</main>
</body>
</html>
`.markup;
}
