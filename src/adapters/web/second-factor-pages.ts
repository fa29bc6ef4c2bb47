// The pages of the second factor: asking for it, setting up an app, and the recovery codes on paper. No script needed.

import type { Account, ShownEnrolment } from '../../app/ports.ts';
import { groupLetters } from '../../core/base32.ts';
import { type Html, html } from '../../core/html.ts';
import type { Locale } from '../../core/locale.ts';
import type { PasswordPurpose } from '../../core/purpose.ts';
import { layout, type Site } from './layout.ts';
import { texts } from './texts.ts';

/** The form for the second factor of the chosen account. @param problem what was wrong with the one of before */
export function secondFactorPage(
  locale: Locale,
  purpose: PasswordPurpose,
  account: Account,
  nonce: string,
  site: Site,
  problem: string | undefined,
): string {
  const words = texts[locale];
  const body = html`<h1>${words.secondFactorHeading}</h1>
<p>${words.secondFactorFor} <strong id="chosen" dir="auto">${account.name}</strong></p>
<form method="post" action="/${purpose}/second-factor" id="factor-form"><input type="hidden" name="nonce" value="${nonce}"><input type="hidden" name="account" value="${account.id}">
${alertOf(problem)}<label for="factor">${words.secondFactorLabel}</label>
<p><input id="factor" name="factor" dir="ltr" autocomplete="one-time-code" autocapitalize="none" autocorrect="off" spellcheck="false" maxlength="100" required${describedBy(problem, 'factor-help')} autofocus></p>
<p><button type="submit">${words.submit}</button></p>
<p id="factor-help" class="hint">${words.secondFactorHelp}</p></form>
<p><a class="button quiet" href="/${purpose}/accounts">${words.otherAccount}</a></p>`;
  return layout(site, { locale, title: words.secondFactorHeading, body, name: `${purpose}/second-factor` });
}

/** What an app has to be told, and the form for what it shows then. @param problem what was wrong with that before */
export function enrolPage(
  locale: Locale,
  purpose: PasswordPurpose,
  { accountName, uri, letters, nonce }: ShownEnrolment,
  site: Site,
  problem: string | undefined,
): string {
  const words = texts[locale];
  const grouped = groupLetters(letters).replaceAll('-', ' ');
  const body = html`<h1>${words.enrolHeading}</h1>
<p>${words.enrolIntro}</p>
<p>${words.enrolFor} <strong id="chosen" dir="auto">${accountName}</strong></p>
<ol class="steps">
<li><h2>${words.enrolStepApp}</h2>
<p>${words.enrolScan}</p>
<p><img id="enrol-qr-code" src="/${purpose}/enrol.svg" alt="${words.enrolQrCode}" width="240" height="240"></p>
<p><a class="button quiet" href="${uri}">${words.enrolOnThisPhone}</a></p>
<p>${words.enrolTyped}</p>
<p class="address"><code id="key" dir="ltr" data-key="${letters}">${grouped}</code>
<button type="button" id="copy" class="quiet" hidden>${words.copyKey}</button> <span id="copied" role="status" data-text="${words.copied}"></span></p></li>
<li><h2>${words.enrolStepCode}</h2>
<form method="post" action="/${purpose}/enrol" id="enrol-form"><input type="hidden" name="nonce" value="${nonce}">
${alertOf(problem)}<label for="code">${words.enrolLabel}</label>
<div class="field"><input id="code" name="code" dir="ltr" inputmode="numeric" autocomplete="one-time-code" spellcheck="false" maxlength="100" required${describedBy(problem)}${problem !== undefined && html` autofocus`}>
<button type="submit">${words.enrolSubmit}</button></div></form></li>
</ol>
<p><a class="button quiet" href="/${purpose}">${words.enrolNotNow}</a></p>`;
  return layout(site, { locale, title: words.enrolHeading, body, name: `${purpose}/enrol`, script: 'enrol' });
}

/** The recovery codes, to be printed. Shown once, so no other language leads away from it. */
export function recoveryPage(
  locale: Locale,
  purpose: PasswordPurpose,
  accountName: string,
  codes: readonly string[],
  site: Site,
): string {
  const words = texts[locale];
  const body = html`<h1>${words.recoveryHeading}</h1>
<p class="line" data-tone="good" role="status">${words.enrolled}</p>
<p>${words.recoveryFor} <strong id="chosen" dir="auto">${accountName}</strong></p>
<ol id="recovery-codes">${codes.map((code) => html`<li><code dir="ltr">${groupLetters(code)}</code></li>`)}</ol>
<p class="hint"><strong>${words.recoveryOnce}</strong> ${words.recoveryHelp}</p>
<p><button type="button" id="print" hidden>${words.print}</button> <a class="button quiet" href="/${purpose}">${words.recoveryKept}</a></p>`;
  return layout(site, { locale, title: words.recoveryHeading, body, name: undefined, script: 'enrol' });
}

function alertOf(problem: string | undefined): Html | false {
  return problem !== undefined && html`<p id="problem" class="problem" role="alert">${problem}</p>`;
}

function describedBy(problem: string | undefined, help?: string): Html | false {
  const ids = [...(problem === undefined ? [] : ['problem']), ...(help === undefined ? [] : [help])].join(' ');
  if (ids === '') return false;
  return html`${problem !== undefined && html` aria-invalid="true"`} aria-describedby="${ids}"`;
}
