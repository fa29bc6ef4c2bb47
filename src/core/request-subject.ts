// The Subject of the mail a person sends and of our reply to it: fixed words and the request label, so that both stand
// in one thread and people can match them. ASCII only, lest a mail program encodes the label out of sight.

import type { Locale } from './locale.ts';

const subjects: Readonly<Record<Locale, string>> = {
  en: 'New password',
  de: 'Neues Passwort',
  fr: 'Nouveau mot de passe',
  es: 'Nueva clave',
};

/** The Subject for a request. @param label as `requestLabel` writes it */
export function requestSubject(locale: Locale, label: string): string {
  return `${subjects[locale]} ${label}`;
}
