// What all pages share: the head, the organisation's name and logo, the choice of language. Every value goes through
// html.ts, which escapes it.

import { type Html, html } from '../../core/html.ts';
import { directions, type Locale, locales } from '../../core/locale.ts';
import { type Purpose, purposes } from '../../core/purpose.ts';
import { type Texts, texts } from './texts.ts';

/** What all pages need to know. Texts of the operator, escaped like everything else. */
export interface SiteOptions {
  readonly siteName: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Domain of the one-time addresses. */
  readonly mailDomain: string;
  /** Where the test mailbox is, in a profile that has one. */
  readonly testMailboxUrl: string | null;
  /** Whether an address may be typed instead of sending a mail. */
  readonly mayTypeAddress: boolean;
}

/** What script there is: for the reset page, for a password that is typed, and for an app that is enrolled. */
export const scriptNames = ['page', 'password', 'enrol'] as const;
export type ScriptName = (typeof scriptNames)[number];

/** Where the static pieces are. */
export interface StaticPaths {
  readonly style: string;
  /** By page that has one. */
  readonly scripts: Readonly<Record<ScriptName, string>>;
  readonly logo: string | undefined;
}

export interface Site extends SiteOptions {
  readonly paths: StaticPaths;
}

/** What an errand leads to after the code, page by page. */
const steps = {
  reset: ['accounts', 'second-factor', 'password', 'enrol', 'typed'],
  activate: ['accounts', 'second-factor', 'password', 'enrol'],
  confirm: ['mailbox'],
} as const;

type StepOf<P extends Purpose> = (typeof steps)[P][number];

/** A page to come back to after the language was changed: its path, without the first slash. */
export type PageName = Purpose | { [P in Purpose]: `${P}/${StepOf<P>}` }[Purpose] | 'undo';

export const pageNames = [
  'undo',
  ...purposes,
  ...purposes.flatMap((purpose) => steps[purpose].map((step) => `${purpose}/${step}`)),
] as readonly PageName[];

/** Where the right code leads. */
export function firstStep(purpose: Purpose): string {
  return `/${purpose}/${steps[purpose][0]}`;
}

/** A whole page. */
export interface PageContent {
  readonly locale: Locale;
  readonly title: string;
  readonly body: Html;
  /** Undefined: it is shown once, so there is nothing to come back to in another language. */
  readonly name: PageName | undefined;
  /** The script that makes it livelier, if there is one. */
  readonly script?: ScriptName;
}

/** The page as it is sent. */
export function layout({ paths, siteName }: Site, { locale, title, body, name, script }: PageContent): string {
  const words = texts[locale];
  return html`<!doctype html>
<html lang="${locale}" dir="${directions[locale]}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} &#8211; ${siteName}</title>
<link rel="stylesheet" href="${paths.style}">
${script !== undefined && html`<script type="module" src="${paths.scripts[script]}"></script>`}
</head>
<body>
<header>${paths.logo !== undefined && html`<img src="${paths.logo}" alt="">`}<p>${siteName}</p></header>
<main>
${body}
</main>
<footer>${name !== undefined && languageSwitch(locale, words, name)}</footer>
</body>
</html>
`.markup;
}

/** A form, because a GET changes nothing here, and no link is worth following by machines. */
function languageSwitch(current: Locale, words: Texts, page: PageName): Html {
  const choice = (locale: Locale) => {
    const name = texts[locale].languageName;
    return locale === current
      ? html`<strong lang="${locale}" aria-current="true">${name}</strong>`
      : html`<button name="locale" value="${locale}" lang="${locale}">${name}</button>`;
  };
  return html`<nav aria-label="${words.language}"><form method="post" action="/language" id="languages">
<input type="hidden" name="page" value="${page}">
${locales.map(choice)}
</form></nav>`;
}
