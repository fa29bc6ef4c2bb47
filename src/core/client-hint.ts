// Which browser asked, as coarsely as a person would say it ("Firefox on Windows"). It rides in the one-time
// address, so that the reply can name where the request came from. A hint for people, never used to decide anything.
// Positions are packed into three bits each, so entries are only ever appended and there are at most eight.

export const browsers = ['other', 'Firefox', 'Chrome', 'Edge', 'Safari', 'Opera', 'Samsung Internet'] as const;
export const systems = ['other', 'Windows', 'macOS', 'Linux', 'Android', 'iOS', 'ChromeOS'] as const;

/** Browser and system by name; `other` when we cannot tell. */
export interface ClientHint {
  readonly browser: (typeof browsers)[number];
  readonly system: (typeof systems)[number];
}

// First match wins: every Chromium calls itself Chrome and Safari too, Chrome on iOS calls itself CriOS.
const browserMarks: readonly (readonly [RegExp, ClientHint['browser']])[] = [
  [/\bEdgi?A?(?:iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const systemMarks: readonly (readonly [RegExp, ClientHint['system']])[] = [
  [/\bWindows\b/, 'Windows'],
  [/\b(?:iPhone|iPad|iPod)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

/**
 * Reads a User-Agent field.
 * @param userAgent attacker-chosen; only its first 300 characters are read
 */
export function readClientHint(userAgent: string): ClientHint {
  const text = userAgent.slice(0, 300);
  const mark = <T>(marks: readonly (readonly [RegExp, T])[]) => marks.find(([pattern]) => pattern.test(text))?.[1];
  return { browser: mark(browserMarks) ?? 'other', system: mark(systemMarks) ?? 'other' };
}
