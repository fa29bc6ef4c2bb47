// The Subject of the mail a person sends and of our reply to it: fixed words and the request label, so that both stand
// in one thread and people can match them. ASCII only, lest a mail program encodes the label out of sight.

import type { Locale } from './locale.ts';
import type { Purpose } from './purpose.ts';

const subjects: Readonly<Record<Purpose, Readonly<Record<Locale, string>>>> = {
  reset: { en: 'New password', de: 'Neues Passwort', fr: 'Nouveau mot de passe', es: 'Nueva clave' },
  activate: { en: 'First password', de: 'Erstes Passwort', fr: 'Premier mot de passe', es: 'Primera clave' },
  confirm: { en: 'My address', de: 'Meine Adresse', fr: 'Mon adresse', es: 'Mi correo' },
};

/** The Subject for a request. @param label as `requestLabel` writes it */
export function requestSubject(purpose: Purpose, locale: Locale, label: string): string {
  return `${subjects[purpose][locale]} ${label}`;
}
