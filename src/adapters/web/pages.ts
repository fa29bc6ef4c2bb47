// The pages as HTML: the page of an errand, the accounts, the mailbox, the password, the undo, and the page for everything
// that did not work. They work without JavaScript; what needs it is hidden until page.js shows it.

import type { Account, OpenedChallenge, ShownAccounts } from '../../app/ports.ts';
import { groupLetters } from '../../core/base32.ts';
import { type Html, html } from '../../core/html.ts';
import { type Locale, timeLocales } from '../../core/locale.ts';
import type { Mailbox } from '../../core/mail-address.ts';
import { passwordLengthMin } from '../../core/password-policy.ts';
import type { PasswordPurpose, Purpose } from '../../core/purpose.ts';
import { requestSubject } from '../../core/request-subject.ts';
import { mailtoLink, type NewMail, webmailLinks } from './compose-links.ts';
import { firstStep, layout, type Site } from './layout.ts';
import { type ProgressView, viewProgress } from './progress-view.ts';
import { type Texts, texts } from './texts.ts';

/** Where a page that did not work leads: on with this challenge, or to a new one. */
export type WayOn = 'back' | 'start-again';

/** What is said on the page of an errand besides how far it has come. */
export interface ResetMessages {
  /** What was wrong with the form, when it is shown again. */
  readonly problem?: string | undefined;
  /** Why there is another challenge than before. */
  readonly renewed?: string | undefined;
}

/** The page of an errand. @param now milliseconds since the epoch */
export function resetPage(
  locale: Locale,
  challenge: OpenedChallenge,
  site: Site,
  messages: ResetMessages,
  now: number,
): string {
  const { progress, notice } = challenge;
  const plain = progress === 'awaiting-mail' && notice === undefined && Object.values(messages).every((one) => !one);
  // A site that is called like a blank gets its pages one by one.
  const fillable = plain && !blanks.test(site.siteName);
  return fillable ? fillFirstPage(locale, challenge, site) : renderResetPage(locale, challenge, site, messages, now);
}

// What a page shows first is the same for everybody but for four values, so it is made once for each minute in which
// it ends, for each errand and language: making it anew for every visit costs as much as all the rest. The values are
// letters, digits and hyphens, which look the same in HTML, in a URL and in a URL within a URL.
const firstPages = new WeakMap<Site, Map<string, { readonly expiresAt: number; readonly parts: readonly string[] }>>();
const blank = { nonce: 'x7nonce7x', localPart: 'x7address7x', label: 'x7label7x' } as const;
const blankGroups = groupLetters(blank.localPart);
const blanks = new RegExp(`(${[...Object.values(blank), blankGroups].join('|')})`);

function fillFirstPage(locale: Locale, challenge: OpenedChallenge, site: Site): string {
  const { purpose, expiresAt, nonce, localPart, label } = challenge;
  const key = `${purpose} ${locale}`;
  const pages = firstPages.get(site) ?? new Map();
  firstPages.set(site, pages);
  let page = pages.get(key);
  if (page?.expiresAt !== expiresAt) {
    const parts = renderResetPage(locale, { ...challenge, ...blank }, site, {}, 0).split(blanks);
    page = { expiresAt, parts };
    pages.set(key, page);
  }
  const values: Readonly<Record<string, string>> = {
    [blank.nonce]: nonce,
    [blank.localPart]: localPart,
    [blankGroups]: groupLetters(localPart),
    [blank.label]: label,
  };
  return page.parts.map((part: string, at: number) => (at % 2 === 1 ? values[part] : part)).join('');
}

function renderResetPage(
  locale: Locale,
  challenge: OpenedChallenge,
  site: Site,
  { problem, renewed }: ResetMessages,
  now: number,
): string {
  const words = texts[locale];
  const { purpose } = challenge;
  const view = viewProgress(locale, purpose, challenge, now);
  const errand = words.errands[purpose];
  const heading = html`<h1>${errand.heading}</h1>`;
  const page = { locale, title: errand.heading, name: purpose } as const;
  if (view.over) return layout(site, { ...page, body: html`${heading}${ending(view, challenge, words)}` });
  const notice = renewed !== undefined && html`<p id="renewed" class="notice" role="alert">${renewed}</p>`;
  const body = html`${heading}
${notice}<p>${errand.intro}</p>
<ol class="steps">
<li><h2>${words.stepMail}</h2>
${mailStep(locale, challenge, site, words)}</li>
<li><h2>${words.stepAnswer}</h2>
${liveLine(purpose, view, words)}</li>
<li><h2>${words.stepCode}</h2>
${codeForm(challenge, view, words, problem)}</li>
</ol>
<p>${words.validUntil[0]}${timeOf(challenge.expiresAt, locale, site)}${words.validUntil[1]}</p>
<details id="why"><summary>${words.whyHeading}</summary>${[errand.why, ...words.why].map((paragraph) => html`<p>${paragraph}</p>`)}</details>
${'other' in errand && passwordFolds(purpose, errand.other, words)}${startAgain(purpose, words)}`;
  return layout(site, { ...page, body, script: 'page' });
}

/** Where else somebody may have wanted to go who came for a password. */
function passwordFolds(purpose: Purpose, other: string, words: Texts): Html {
  return html`<details id="undo"><summary>${words.undoQuestion}</summary><p>${words.undoHelp}</p></details>
<p><a id="other" href="${purpose === 'reset' ? '/activate' : '/reset'}">${other}</a></p>
`;
}

function ending(view: ProgressView, { purpose, enrolment }: OpenedChallenge, words: Texts): Html {
  const offer =
    enrolment !== undefined &&
    html`<p id="enrol-offer">${words.enrolOffer[enrolment]}</p><p><a class="button" href="/${purpose}/enrol">${words.enrolHeading}</a></p>`;
  const on =
    view.state === 'verified' && html`<p><a class="button" href="${firstStep(purpose)}">${words.continue}</a></p>`;
  return html`<p id="progress" class="line" data-tone="${view.tone}">${view.line}</p>
${view.refused !== '' && html`<p id="refused">${view.refused}</p>`}${on}${offer}${startAgain(purpose, words)}`;
}

/** The mail that the links of the page open. */
function mailOf(locale: Locale, { purpose, localPart, label }: OpenedChallenge, site: Site): NewMail {
  return {
    to: `${localPart}@${site.mailDomain}`,
    subject: requestSubject(purpose, locale, label),
    body: texts[locale].errands[purpose].mailBody(site.siteName, label).join('\n\n'),
  };
}

/** What a phone reads from the QR code: the same mail, with a short body, because a dense picture is hard to read. */
export function phoneMailto(locale: Locale, challenge: OpenedChallenge, site: Site): string {
  const { purpose, label } = challenge;
  const [body] = texts[locale].errands[purpose].mailBody(site.siteName, label);
  return mailtoLink({ ...mailOf(locale, challenge, site), body });
}

function mailStep(locale: Locale, challenge: OpenedChallenge, site: Site, words: Texts): Html {
  const mail = mailOf(locale, challenge, site);
  const mailto = mailtoLink(mail);
  const { gmail, outlookAtWork, outlook, yahoo } = webmailLinks(mail);
  const webmail = [
    { name: 'Gmail', url: gmail },
    { name: words.outlookAtWork, url: outlookAtWork },
    { name: 'Outlook.com', url: outlook },
    { name: 'Yahoo Mail', url: yahoo },
  ];
  const test =
    site.testMailboxUrl !== null &&
    html` <a class="button quiet" id="test-mailbox" href="${site.testMailboxUrl}/compose?mailto=${encodeURIComponent(mailto)}" target="_blank" rel="noopener">${words.openTestMailbox}</a>`;
  return html`<p><a class="button" id="mailto" href="${mailto}">${words.openMailApp}</a>${test}</p>
<p id="just-send">${words.justSend}</p>
<p id="webmail-help">${words.orWebmail}</p>
<ul id="webmail" class="row" aria-labelledby="webmail-help">${webmail.map(({ name, url }) => html`<li><a href="${url}" target="_blank" rel="noopener noreferrer">${name}</a></li>`)}</ul>
<p>${words.orWriteTo}</p>
<p class="address"><code id="address" dir="ltr" data-address="${mail.to}">${groupLetters(challenge.localPart)}<wbr>@${site.mailDomain}</code>
<button type="button" id="copy" class="quiet" hidden>${words.copyAddress}</button> <span id="copied" role="status" data-text="${words.copied}"></span></p>
<p>${labelHelp(challenge.label, words)}</p>
<details id="phone"><summary>${words.orPhone}</summary><p>${words.phoneHelp}</p>
<p><img id="qr-code" src="/${challenge.purpose}/mail.svg" alt="${words.qrCode}" width="240" height="240" loading="lazy"></p></details>
${
  site.mayTypeAddress &&
  challenge.purpose === 'reset' &&
  html`<details id="cannot-send"><summary>${words.cannotSend}</summary><p>${words.cannotSendHelp}</p>
<p><a class="button quiet" href="/reset/typed">${words.typeAddress}</a></p></details>`
}`;
}

/** The sentence about the label, in which the label stands out. */
function labelHelp(label: string, words: Texts): Html {
  const [before = '', after = ''] = words.labelHelp(label).split(label);
  return html`${before}<strong id="label" class="label" dir="ltr">${label}</strong>${after}`;
}

/** How far it has come, and why the latest mail was refused, with the verdict in a fold for an administrator. */
function liveLine(purpose: Purpose, { state, tone, line, refused, verdict }: ProgressView, words: Texts): Html {
  return html`<div id="progress" role="status" data-state="${state}" data-tone="${tone}"><p id="line" class="line">${line}</p>
<p id="refused"${refused === '' && html` hidden`}>${refused}</p></div>
<p id="no-connection" class="problem" role="status" hidden>${words.noConnection}</p>
<details id="verdict"${verdict.length === 0 && html` hidden`}><summary>${words.detailsHeading}</summary><ul dir="ltr">${verdict.map((each) => html`<li>${each}</li>`)}</ul></details>
<p id="look-again"><a class="button quiet" href="/${purpose}">${words.lookAgain}</a></p>`;
}

function codeForm(
  { purpose, nonce }: OpenedChallenge,
  view: ProgressView,
  words: Texts,
  problem: string | undefined,
): Html {
  const alert = problem !== undefined && html`<p id="problem" class="problem" role="alert">${problem}</p>`;
  const described =
    problem === undefined ? html` aria-describedby="line"` : html` aria-invalid="true" aria-describedby="problem"`;
  const isNext = view.state === 'reply-handed-over' || view.state === 'code-requested';
  const focus = (problem !== undefined || isNext) && html` autofocus`;
  return html`<form method="post" action="/${purpose}" id="code-form">
<input type="hidden" name="nonce" value="${nonce}">
${alert}<label for="code">${words.codeLabel}</label>
<div class="field"><input id="code" name="code" dir="ltr" inputmode="numeric" autocomplete="one-time-code" enterkeyhint="go" spellcheck="false" maxlength="400" required${described}${focus}>
<button type="submit">${words.submit}</button></div>
<p id="paste-help" class="hint" hidden>${words.pasteHelp}</p>
<p class="hint">${words.tellNobody}</p>
</form>`;
}

/** The form for an address, for who cannot send a mail. @param problem what was wrong with the one of before */
export function typedPage(
  locale: Locale,
  nonce: string,
  site: Site,
  problem: { readonly text: string; readonly typed: string } | undefined,
): string {
  const words = texts[locale];
  const alert = problem && html`<p id="problem" class="problem" role="alert">${problem.text}</p>`;
  const described = problem && html` value="${problem.typed}" aria-invalid="true" aria-describedby="problem"`;
  const body = html`<h1>${words.typedHeading}</h1>
<p>${words.typedIntro}</p>
<form method="post" action="/reset/typed" id="typed-form"><input type="hidden" name="nonce" value="${nonce}">
${alert}<label for="typed-address">${words.typedLabel}</label>
<p><input id="typed-address" name="address" type="email" dir="ltr" inputmode="email" autocomplete="email" autocapitalize="none" spellcheck="false" maxlength="254" required autofocus${described}></p>
<p><button type="submit">${words.typedSubmit}</button></p></form>
<p><a class="button quiet" href="/reset">${words.back}</a></p>`;
  return layout(site, { locale, title: words.typedHeading, body, name: 'reset/typed' });
}

/** The accounts of the mailbox that was proved. */
export function accountsPage(locale: Locale, shown: ShownAccounts, site: Site): string {
  const { purpose, mailbox, accounts, active, nonce } = shown;
  const words = texts[locale];
  const errand = words.errands[purpose];
  const entries = accounts.map(
    ({ id, name, description }) =>
      html`<li><button class="choice" name="account" value="${id}"><strong dir="auto">${name}</strong> <span dir="auto">${description}</span></button></li>`,
  );
  const choose = html`<h2>${errand.chooseAccount}</h2>
<form method="post" action="/${purpose}/accounts"><input type="hidden" name="nonce" value="${nonce}">
<ul id="accounts" class="choices">${entries}</ul></form>`;
  const none = html`<p id="no-account">${errand.noAccount(mailbox)}</p>`;
  const body = html`<h1>${words.accountsHeading}</h1>
<p>${words.wroteFrom} <strong id="mailbox" dir="ltr">${mailbox}</strong></p>
${accounts.length > 0 && choose}${active.length > 0 && activeAccounts(active, words)}${accounts.length + active.length === 0 && none}
${startAgain(purpose, words)}`;
  return layout(site, { locale, title: words.accountsHeading, body, name: `${purpose}/accounts` });
}

/** Accounts that have a password: they need no first one. */
function activeAccounts(active: readonly Account[], words: Texts): Html {
  const { activate, reset } = words.errands;
  return html`<h2>${activate.active}</h2>
<ul id="active">${active.map(({ name }) => html`<li dir="auto"><strong>${name}</strong></li>`)}</ul>
<p>${activate.activeHelp}</p>
<p><a class="button quiet" href="/reset">${reset.heading}</a></p>`;
}

/** What is left to do to confirm a mailbox, or that it cannot be done. */
export function mailboxPage(
  locale: Locale,
  shown: { readonly mailbox: Mailbox; readonly nonce: string | undefined },
  site: Site,
): string {
  const { mailbox, nonce } = shown;
  const words = texts[locale];
  const errand = words.errands.confirm;
  const form = html`<p>${errand.confirmHelp}</p>
<form method="post" action="/confirm/mailbox" id="confirm"><input type="hidden" name="nonce" value="${nonce ?? ''}"><button type="submit">${errand.confirm}</button></form>`;
  const none = html`<p id="no-account">${errand.noAccount(mailbox)}</p>`;
  const body = html`<h1>${errand.heading}</h1>
<p>${words.wroteFrom} <strong id="mailbox" dir="ltr">${mailbox}</strong></p>
${nonce === undefined ? none : form}
${startAgain('confirm', words)}`;
  return layout(site, { locale, title: errand.heading, body, name: 'confirm/mailbox' });
}

/** The form for the new password. @param problem what was wrong with the one of before */
export function passwordPage(
  locale: Locale,
  purpose: PasswordPurpose,
  account: Account,
  { nonce, secondFactor }: Pick<ShownAccounts, 'nonce' | 'secondFactor'>,
  site: Site,
  problem: string | undefined,
): string {
  const words = texts[locale];
  const errand = words.errands[purpose];
  const described = problem === undefined ? 'password-help' : 'problem password-help';
  const invalid = problem !== undefined && html` aria-invalid="true"`;
  const field = (id: string, label: string, more: Html) => html`<label for="${id}">${label}</label>
<p><input id="${id}" name="${id}" type="password" class="password" autocomplete="new-password" spellcheck="false" autocapitalize="none" autocorrect="off" required${more}></p>`;
  const body = html`<h1>${errand.passwordHeading}</h1>
<p>${words.passwordFor} <strong id="chosen" dir="auto">${account.name}</strong></p>
<form method="post" action="/${purpose}/password" id="password-form"><input type="hidden" name="nonce" value="${nonce}"><input type="hidden" name="account" value="${account.id}">
<input type="text" autocomplete="username" value="${account.name}" readonly hidden>
${problem !== undefined && html`<p id="problem" class="problem" role="alert">${problem}</p>`}
<p id="password-help">${words.passwordHelp(passwordLengthMin(secondFactor === 'passed'))}</p>
${field('password', errand.newPassword, html` aria-describedby="${described}"${invalid} autofocus`)}
${field('repeated', words.samePassword, html``)}
<p><button type="button" id="show" class="quiet" aria-pressed="false" data-shown="${words.hidePassword}" hidden>${words.showPassword}</button></p>
<p><button type="submit">${errand.setPassword}</button></p></form>
<p><a class="button quiet" href="/${purpose}/accounts">${words.otherAccount}</a></p>`;
  return layout(site, { locale, title: errand.passwordHeading, body, name: `${purpose}/password`, script: 'password' });
}

/** The page that no link leads to. @param outcome what was wrong with the code, or that it was right */
export function undoPage(
  locale: Locale,
  site: Site,
  outcome: { readonly undone: true } | { readonly problem: string | undefined },
): string {
  const words = texts[locale];
  const page = { locale, title: words.undoHeading, name: 'undo' } as const;
  if ('undone' in outcome) {
    const body = html`<h1>${words.undoHeading}</h1><p id="undone" class="line" data-tone="good">${words.undone}</p>`;
    return layout(site, { ...page, body });
  }
  const { problem } = outcome;
  const alert = problem !== undefined && html`<p id="problem" class="problem" role="alert">${problem}</p>`;
  const described = problem !== undefined && html` aria-invalid="true" aria-describedby="problem" autofocus`;
  const body = html`<h1>${words.undoHeading}</h1>
<p>${words.undoIntro}</p>
<form method="post" action="/undo" id="undo-form">${alert}<label for="code">${words.undoLabel}</label>
<p><input id="code" name="code" dir="ltr" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="100" required${described}></p>
<button type="submit">${words.undoSubmit}</button></form>`;
  return layout(site, { ...page, body });
}

/** A page for what did not work: one sentence and one way on. */
export function messagePage(locale: Locale, site: Site, purpose: Purpose, message: string, wayOn: WayOn): string {
  const words = texts[locale];
  const back = html`<p><a class="button" href="/${purpose}">${words.back}</a></p>`;
  const on = wayOn === 'start-again' ? startAgain(purpose, words) : back;
  const body = html`<h1>${words.errorHeading}</h1><p id="message">${message}</p>${on}`;
  return layout(site, { locale, title: words.errorHeading, body, name: purpose });
}

function startAgain(purpose: Purpose, words: Texts): Html {
  return html`<form method="post" action="/${purpose}/new" id="start-again"><button class="quiet" type="submit">${words.startAgain}</button></form>`;
}

// Making a format costs more than all the rest of a page; there are only as many as languages.
const timeFormats = new Map<string, Intl.DateTimeFormat>();

function timeOf(at: number, locale: Locale, { timeZone }: Site): Html {
  const key = `${locale} ${timeZone}`;
  const zone = timeZone === 'UTC' ? ({ timeZoneName: 'short' } as const) : {};
  const form = { hour: '2-digit', minute: '2-digit', timeZone, ...zone } as const;
  const format = timeFormats.get(key) ?? new Intl.DateTimeFormat(timeLocales[locale], form);
  timeFormats.set(key, format);
  return html`<time datetime="${new Date(at).toISOString()}">${format.format(at)}</time>`;
}
