// Every word of the pages, in every language: English is the source. Short, warm, plain; what happened and what to do.
// A text that is missing in a language does not compile.

import type { Progress } from '../../app/ports.ts';
import type { Locale } from '../../core/locale.ts';
import type { PasswordRefusalReason } from '../../core/password-policy.ts';
import type { FormRefusalReason, MailSentence } from '../../core/refusal.ts';
import { de } from './texts-de.ts';
import { en } from './texts-en.ts';
import { es } from './texts-es.ts';
import { fr } from './texts-fr.ts';
import type { Trouble } from './web-replies.ts';

/** What a message may need to know. */
export interface MessageFacts {
  readonly triesLeft: number;
  /** How long, in words of the language. */
  readonly wait: string;
}

/** The words that tell one errand from the others. */
export interface ErrandTexts {
  readonly heading: string;
  readonly intro: string;
  /** Two paragraphs; the first one alone goes into the picture for the phone. */
  readonly mailBody: (site: string, label: string) => readonly [string, string];
  /** As progress: it has come to its end; it is over. */
  readonly done: string;
  readonly finished: string;
  /** What the email is for. */
  readonly why: string;
  readonly noAccount: (mailbox: string) => string;
}

/** Those of an errand that ends in a password. */
export interface PasswordErrandTexts extends ErrandTexts {
  readonly chooseAccount: string;
  readonly passwordHeading: string;
  readonly newPassword: string;
  readonly setPassword: string;
  /** A link to the other one of them. The invitation names that on the reset page. */
  readonly other: string;
}

/** All words of the pages in one language. */
export interface Texts {
  /** Of the language, in itself. */
  readonly languageName: string;
  readonly language: string;
  readonly errands: {
    readonly reset: PasswordErrandTexts;
    readonly activate: PasswordErrandTexts & {
      /** Above the names of accounts that have a password, and what to do about them. */
      readonly active: string;
      readonly activeHelp: string;
    };
    readonly confirm: ErrandTexts & { readonly confirmHelp: string; readonly confirm: string };
  };
  /** The page of before has ended, and this one is new. */
  readonly renewed: string;
  readonly stepMail: string;
  readonly openMailApp: string;
  readonly openTestMailbox: string;
  readonly justSend: string;
  readonly orWebmail: string;
  readonly outlookAtWork: string;
  readonly orPhone: string;
  readonly phoneHelp: string;
  readonly qrCode: string;
  /** A fold, when an address may be typed instead. */
  readonly cannotSend: string;
  readonly cannotSendHelp: string;
  readonly typeAddress: string;
  readonly typedHeading: string;
  readonly typedIntro: string;
  readonly typedLabel: string;
  readonly typedSubmit: string;
  readonly orWriteTo: string;
  readonly copyAddress: string;
  readonly copied: string;
  readonly labelHelp: (label: string) => string;
  readonly stepAnswer: string;
  /** The two that are missing are the errand's own. */
  readonly progress: Readonly<Record<Exclude<Progress, 'done' | 'finished'>, string>>;
  /** In place of the progress, when the page has no challenge any more, or cannot be told from others. */
  readonly notFollowed: Readonly<Record<'cookie-missing' | 'page-ended', string>>;
  readonly noConnection: string;
  /** In place of the progress, when the latest mail was refused. `wait` is in words of the language. */
  readonly mailRefused: Readonly<Record<Exclude<MailSentence, 'unchanged'>, (wait: string) => string>>;
  /** The fold for whoever looks after the mail of the organisation. */
  readonly detailsHeading: string;
  readonly lookAgain: string;
  readonly stepCode: string;
  readonly codeLabel: string;
  readonly pasteHelp: string;
  readonly submit: string;
  /** Around the time: before and after it. */
  readonly validUntil: readonly [string, string];
  readonly startAgain: string;
  readonly whyHeading: string;
  /** After the errand's own paragraph. */
  readonly why: readonly string[];
  readonly continue: string;
  readonly back: string;
  readonly tellNobody: string;
  readonly accountsHeading: string;
  readonly wroteFrom: string;
  readonly otherAccount: string;
  readonly passwordFor: string;
  readonly passwordHelp: (lengthMin: number) => string;
  readonly samePassword: string;
  readonly showPassword: string;
  readonly hidePassword: string;
  readonly passwordRefusals: Readonly<Record<PasswordRefusalReason, string>>;
  readonly secondFactorHeading: string;
  readonly secondFactorFor: string;
  readonly secondFactorLabel: string;
  readonly secondFactorHelp: string;
  /** Below "is set": there is none yet, or another one may take its place. */
  readonly enrolOffer: Readonly<Record<'first' | 'again', string>>;
  readonly enrolHeading: string;
  readonly enrolIntro: string;
  readonly enrolFor: string;
  readonly enrolStepApp: string;
  readonly enrolScan: string;
  readonly enrolQrCode: string;
  readonly enrolOnThisPhone: string;
  readonly enrolTyped: string;
  readonly copyKey: string;
  readonly enrolStepCode: string;
  readonly enrolLabel: string;
  readonly enrolSubmit: string;
  readonly enrolNotNow: string;
  readonly enrolled: string;
  readonly recoveryHeading: string;
  readonly recoveryFor: string;
  readonly recoveryHelp: string;
  readonly recoveryOnce: string;
  readonly print: string;
  readonly recoveryKept: string;
  readonly undoHeading: string;
  readonly undoIntro: string;
  readonly undoLabel: string;
  readonly undoSubmit: string;
  readonly undone: string;
  /** A fold on the reset page. The way to the undo page is told in words: robots follow links. */
  readonly undoQuestion: string;
  readonly undoHelp: string;
  readonly errorHeading: string;
  readonly refusals: Readonly<Record<FormRefusalReason, (facts: MessageFacts) => string>>;
  readonly troubles: Readonly<Record<Trouble, string>>;
}

export const texts: Readonly<Record<Locale, Texts>> = { en, de, fr, es };
