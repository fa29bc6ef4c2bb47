// The words of the mail to an address that somebody typed in, in every language: it may come to a person who asked for
// nothing. Plain text without anything a machine could open.

import type { Locale } from '../../core/locale.ts';
import { browserOn, type ReplyText } from './reply-texts.ts';

export const typedTexts: Readonly<Record<Locale, ReplyText>> = {
  en: ({ site, label, openedAt, validUntil, clientHint }) => [
    `Somebody typed your address in at ${site} to set a new password. If it was you, type this code into the page you have open.`,
    `That page shows ${label}. It was opened on ${openedAt}, with ${browserOn(clientHint, 'a browser', 'on')}. ` +
      `The code can be used until ${validUntil}.`,
    'If it was not you, you need not do anything: without this code nothing changes. Tell nobody the code, whoever asks. ' +
      'Nobody from us will ever want to know it by email, by phone or in person.',
  ],
  de: ({ site, label, openedAt, validUntil, clientHint }) => [
    `Jemand hat bei ${site} Ihre Adresse eingetippt, um ein neues Passwort festzulegen. ` +
      'Waren Sie das, dann tippen Sie diesen Code auf der Seite ein, die Sie offen haben.',
    `Die Seite zeigt ${label}. Sie wurde am ${openedAt} geöffnet, mit ` +
      `${browserOn(clientHint, 'einem Browser', 'unter')}. Den Code können Sie bis ${validUntil} verwenden.`,
    'Waren Sie es nicht, dann müssen Sie nichts tun: Ohne diesen Code ändert sich nichts. ' +
      'Sagen Sie den Code niemandem, egal wer fragt. Niemand von uns will ihn je wissen, ' +
      'ob per E-Mail, am Telefon oder persönlich.',
  ],
  fr: ({ site, label, openedAt, validUntil, clientHint }) => [
    `Quelqu’un a tapé votre adresse chez ${site} pour choisir un nouveau mot de passe. ` +
      'Si c’était vous, tapez ce code dans la page restée ouverte.',
    `Cette page affiche ${label}. Elle a été ouverte le ${openedAt}, avec ` +
      `${browserOn(clientHint, 'un navigateur', 'sous')}. Vous pouvez utiliser le code jusqu’à ${validUntil}.`,
    'Si ce n’était pas vous, vous n’avez rien à faire\u202f: sans ce code, rien ne change. ' +
      'Ne dites le code à personne, peu importe qui le demande. ' +
      'Personne de chez nous ne voudra le savoir, ni par e-mail, ni par téléphone, ni de vive voix.',
  ],
  es: ({ site, label, openedAt, validUntil, clientHint }) => [
    `Alguien ha escrito la dirección de usted en ${site} para elegir una nueva contraseña. ` +
      'Si ha sido usted, escriba este código en la página que dejó abierta.',
    `Esa página muestra ${label}. Se abrió con ${browserOn(clientHint, 'un navegador', 'en')} el ${openedAt}. ` +
      `Puede usar el código hasta esta hora: ${validUntil}.`,
    'Si no ha sido usted, no tiene que hacer nada: sin este código no cambia nada. ' +
      'No diga el código a nadie, lo pida quien lo pida. Nadie de nosotros querrá saberlo, ' +
      'ni por correo, ni por teléfono, ni en persona.',
  ],
};
