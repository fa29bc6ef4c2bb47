// The words of the reply, in every language: plain text without anything a machine could open.
// No link, no host name, nothing the sender wrote.

import type { ClientHint } from '../../core/client-hint.ts';
import type { Locale } from '../../core/locale.ts';
import type { Purpose } from '../../core/purpose.ts';

/** What the reply says. Times are written for the reader already. */
export interface ReplyFacts {
  readonly site: string;
  readonly purpose: Purpose;
  readonly label: string;
  readonly openedAt: string;
  readonly validUntil: string;
  readonly clientHint: ClientHint;
}

/** Paragraphs that follow the code. */
export type ReplyText = (facts: ReplyFacts) => readonly string[];

/** "Firefox on Windows", as far as it is known. */
export function browserOn({ browser, system }: ClientHint, unknown: string, on: string): string {
  if (browser === 'other') return system === 'other' ? unknown : `${unknown} ${on} ${system}`;
  return system === 'other' ? browser : `${browser} ${on} ${system}`;
}

// What the code is for, to be put into the first sentence.
const errands: Readonly<Record<Locale, Readonly<Record<Purpose, string>>>> = {
  en: {
    reset: 'to set a new password',
    activate: 'to set the first password of your account',
    confirm: 'to confirm your address',
  },
  de: {
    reset: 'für ein neues Passwort',
    activate: 'für das erste Passwort Ihres Kontos',
    confirm: 'für die Bestätigung Ihrer Adresse',
  },
  fr: {
    reset: 'de choisir un nouveau mot de passe',
    activate: 'de choisir le premier mot de passe de votre compte',
    confirm: 'de confirmer votre adresse',
  },
  es: {
    reset: 'para elegir una nueva contraseña',
    activate: 'para elegir la primera contraseña de su cuenta',
    confirm: 'para confirmar su dirección',
  },
};

export const replyTexts: Readonly<Record<Locale, ReplyText>> = {
  en: ({ site, purpose, label, openedAt, validUntil, clientHint }) => [
    `This is your code ${errands.en[purpose]} at ${site}. Type it into the page you have open.`,
    `That page shows ${label}. It was opened on ${openedAt}, with ${browserOn(clientHint, 'a browser', 'on')}. ` +
      `The code works until ${validUntil}.`,
    'Was that not you? Then ignore this email and do not give the code to anyone, whoever asks. ' +
      'We will never ask you for it by email, by phone or in person.',
  ],
  de: ({ site, purpose, label, openedAt, validUntil, clientHint }) => [
    `Das ist Ihr Code ${errands.de[purpose]} bei ${site}. Geben Sie ihn auf der Seite ein, die Sie offen haben.`,
    `Auf der Seite steht ${label}. Geöffnet wurde sie am ${openedAt}, mit ` +
      `${browserOn(clientHint, 'einem Browser', 'unter')}. Der Code gilt bis ${validUntil}.`,
    'Waren Sie das nicht? Dann ignorieren Sie diese E-Mail und geben Sie den Code niemandem, egal wer fragt. ' +
      'Wir fragen Sie nie danach, weder per E-Mail noch am Telefon noch persönlich.',
  ],
  fr: ({ site, purpose, label, openedAt, validUntil, clientHint }) => [
    `Voici le code qui vous permet ${errands.fr[purpose]} pour ${site}. ` +
      `Tapez-le dans la page que vous avez gardée ouverte.`,
    `La page affiche ${label}. Elle a été ouverte le ${openedAt}, avec ` +
      `${browserOn(clientHint, 'un navigateur', 'sous')}. Le code est valable jusqu’à ${validUntil}.`,
    'Ce n’était pas vous\u202f? Alors ignorez ce message et ne donnez le code à personne, peu importe qui le demande. ' +
      'Nous ne vous le demanderons jamais par e-mail, par téléphone ou de vive voix.',
  ],
  es: ({ site, purpose, label, openedAt, validUntil, clientHint }) => [
    `Este es su código ${errands.es[purpose]} en ${site}. Escríbalo en la página que tiene abierta.`,
    `En la página aparece ${label}. Se abrió con ${browserOn(clientHint, 'un navegador', 'en')} el ${openedAt}. ` +
      `El código vale hasta esta hora: ${validUntil}.`,
    '¿No ha sido usted? Entonces no haga caso de este mensaje y no dé el código a nadie, lo pida quien lo pida. ' +
      'Nunca se lo pediremos por correo, por teléfono ni en persona.',
  ],
};
