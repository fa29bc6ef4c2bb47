// The languages we speak, and which of them a reader is answered in (RFC 9110 §12.5.4, RFC 4647 §3.4 lookup).
// The position in the list is what a one-time address packs, so entries are only ever appended.

export const locales = ['en', 'de', 'fr', 'es'] as const;

/** A language that every text exists in. */
export type Locale = (typeof locales)[number];

/** Which way each is written. A language from right to left needs nothing but its entry here and its texts. */
export const directions: Readonly<Record<Locale, 'ltr' | 'rtl'>> = { en: 'ltr', de: 'ltr', fr: 'ltr', es: 'ltr' };

/** How times are written: English without AM and PM, which half of its readers do not use. */
export const timeLocales: Readonly<Record<Locale, string>> = { en: 'en-GB', de: 'de', fr: 'fr', es: 'es' };

/**
 * Picks the language for a reader.
 * @param acceptLanguage value of the Accept-Language field; attacker-chosen, only its first 200 characters are read
 * @returns the best one we have, English when there is none
 */
export function chooseLocale(acceptLanguage: string): Locale {
  const wishes = acceptLanguage
    .slice(0, 200)
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range.trim().toLowerCase().split(';');
      const q = parameters.map((p) => p.trim()).find((p) => p.startsWith('q='));
      return { language: tag.trim().split('-')[0] ?? '', weight: q === undefined ? 1 : Number(q.slice(2)) };
    })
    .filter((wish) => wish.weight > 0)
    .sort((one, other) => other.weight - one.weight);
  for (const { language } of wishes) {
    const found = locales.find((locale) => locale === language);
    if (found !== undefined) return found;
  }
  return 'en';
}
