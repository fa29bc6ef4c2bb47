// The words of the notice that a password was set, in every language: plain text without anything a machine could open.
// No link, no host name: the way to the undo page is told in words.

import type { ClientHint } from '../../core/client-hint.ts';
import type { Locale } from '../../core/locale.ts';
import type { PasswordPurpose } from '../../core/purpose.ts';
import { browserOn } from './reply-texts.ts';

/** What the notice says. Times are written for the reader already. */
export interface NoticeFacts {
  readonly purpose: PasswordPurpose;
  readonly site: string;
  /** Undefined when the name could be taken for a link. */
  readonly account: string | undefined;
  readonly at: string;
  readonly undoUntil: string;
  readonly undoCode: string;
  readonly clientHint: ClientHint;
}

/** Subject and paragraphs; the undo code stands alone in one of them. */
export interface NoticeText {
  readonly subject: Readonly<Record<PasswordPurpose, string>>;
  readonly paragraphs: (facts: NoticeFacts) => readonly string[];
}

export const noticeTexts: Readonly<Record<Locale, NoticeText>> = {
  en: {
    subject: { reset: 'Your password was changed', activate: 'Your account was activated' },
    paragraphs: ({ purpose, site, account, at, undoUntil, undoCode, clientHint }) => [
      `${purpose === 'reset' ? 'A new' : 'The first'} password was set for ${account === undefined ? 'one of your accounts' : `your account ${account}`} at ${site} ` +
        `on ${at}, with ${browserOn(clientHint, 'a browser', 'on')}.${purpose === 'reset' ? ' Everybody was logged out.' : ''}`,
      'If that was you, there is nothing to do.',
      'If it was not, undo it with this code:',
      undoCode,
      `It works until ${undoUntil}. Open the page where passwords are set as you always do, look at its address at the ` +
        'top of the browser, and type undo in place of the last word. Then tell the people who look after your account.',
    ],
  },
  de: {
    subject: { reset: 'Ihr Passwort wurde geändert', activate: 'Ihr Konto wurde aktiviert' },
    paragraphs: ({ purpose, site, account, at, undoUntil, undoCode, clientHint }) => [
      `Für ${account === undefined ? 'eines Ihrer Konten' : `Ihr Konto ${account}`} bei ${site} wurde am ${at} ` +
        `${purpose === 'reset' ? 'ein neues' : 'das erste'} Passwort festgelegt, mit ` +
        `${browserOn(clientHint, 'einem Browser', 'unter')}.${purpose === 'reset' ? ' Alle wurden abgemeldet.' : ''}`,
      'Wenn Sie das waren, müssen Sie nichts tun.',
      'Wenn nicht, machen Sie es mit diesem Code rückgängig:',
      undoCode,
      `Er gilt bis ${undoUntil}. Öffnen Sie die Seite, auf der man Passwörter festlegt, so wie immer, sehen Sie sich oben im ` +
        'Browser ihre Adresse an, und schreiben Sie undo an die Stelle des letzten Wortes. Sagen Sie danach den Personen ' +
        'Bescheid, die Ihr Konto betreuen.',
    ],
  },
  fr: {
    subject: { reset: 'Votre mot de passe a été changé', activate: 'Votre compte a été activé' },
    paragraphs: ({ purpose, site, account, at, undoUntil, undoCode, clientHint }) => [
      `${purpose === 'reset' ? 'Un nouveau' : 'Le premier'} mot de passe a été choisi pour ${account === undefined ? 'l’un de vos comptes' : `votre compte ${account}`} ` +
        `(${site}) le ${at}, avec ${browserOn(clientHint, 'un navigateur', 'sous')}.${purpose === 'reset' ? ' Tout le monde a été déconnecté.' : ''}`,
      'Si c’était vous, vous n’avez rien à faire.',
      'Sinon, annulez ce changement avec ce code\u202f:',
      undoCode,
      `Il est valable jusqu’à ${undoUntil}. Ouvrez comme d’habitude la page où l’on choisit les mots de passe, regardez son ` +
        'adresse en haut du navigateur et écrivez undo à la place du dernier mot. Prévenez ensuite les personnes qui ' +
        's’occupent de votre compte.',
    ],
  },
  es: {
    subject: { reset: 'Se ha cambiado su contraseña', activate: 'Se ha activado su cuenta' },
    paragraphs: ({ purpose, site, account, at, undoUntil, undoCode, clientHint }) => [
      `Se ha elegido ${purpose === 'reset' ? 'una nueva' : 'la primera'} contraseña para ${account === undefined ? 'una de sus cuentas' : `su cuenta ${account}`} ` +
        `en ${site} el ${at}, con ${browserOn(clientHint, 'un navegador', 'en')}.${purpose === 'reset' ? ' Se han cerrado todas las sesiones.' : ''}`,
      'Si ha sido usted, no tiene que hacer nada.',
      'Si no, deshaga el cambio con este código:',
      undoCode,
      `Vale hasta las ${undoUntil}. Abra como siempre la página donde se eligen las contraseñas, mire su dirección arriba en el ` +
        'navegador y escriba undo en lugar de la última palabra. Después avise a las personas que se ocupan de su cuenta.',
    ],
  },
};
