// The organisation's one colour -> the accent of the light and of the dark pages, always readable.
// Holds WCAG 2.2 AA: text 4.5:1 (SC 1.4.3), and with it 3:1 for marks and edges (SC 1.4.11); on the dark pages 7:1,
// because a colour that only just passes there looks switched off. All other colours are style.css; which colour it
// is, the settings.

/** Colours `#rrggbb`: the accent, and text that stands on it. */
export interface SchemeColors {
  readonly accent: string;
  readonly onAccent: string;
}

export interface BrandColors {
  readonly light: SchemeColors;
  readonly dark: SchemeColors;
}

interface Scheme {
  /** What the accent stands on as text or edge: `--sheet` and `--ground` of style.css, which a test compares. */
  readonly surfaces: readonly string[];
  /** Text on the accent. It contrasts wherever the sheet does: in light it is as bright, in dark it is darker. */
  readonly onAccent: string;
  /** What the colour is mixed with until it can be read; by itself it fits. */
  readonly end: string;
  readonly contrastMin: number;
}

const light: Scheme = { surfaces: ['#ffffff', '#f4f6f8'], onAccent: '#ffffff', end: '#000000', contrastMin: 4.5 };
const dark: Scheme = { surfaces: ['#1b232c', '#12181f'], onAccent: '#0c1a28', end: '#ffffff', contrastMin: 7 };

const steps = 255; // one step is at most one level of a channel

/**
 * Derives the accents.
 * @param color `#rrggbb`, checked by the settings
 * @returns for each scheme the colour itself where it can be read there, or else the nearest mix with black or white
 *   that can; either way in lower case
 * @throws Error when it is no such colour: the result goes into a style sheet, where nothing is escaped
 */
export function brandColors(color: string): BrandColors {
  return { light: fit(color, light), dark: fit(color, dark) };
}

/** The accents as CSS, to come after style.css, whose own they replace. @param color as for `brandColors` */
export function brandStyle(color: string): string {
  const colors = brandColors(color);
  const root = ({ accent, onAccent }: SchemeColors) => `:root{--accent:${accent};--on-accent:${onAccent}}`;
  return `${root(colors.light)}@media screen and (prefers-color-scheme: dark){${root(colors.dark)}}`;
}

/**
 * How well one colour can be told from another, in either order: 1 (not at all) to 21 (black and white).
 * @throws Error when one is not of the form `#rrggbb`
 * Source: WCAG 2.2, "contrast ratio".
 */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Mixing with black or white changes lightness and strength of a colour and keeps its hue. */
function fit(color: string, { surfaces, onAccent, end, contrastMin }: Scheme): SchemeColors {
  const isReadable = (tried: string) => [...surfaces, onAccent].every((each) => contrast(tried, each) >= contrastMin);
  for (let step = 0; step < steps; step++) {
    const accent = mix(color, end, step / steps);
    if (isReadable(accent)) return { accent, onAccent };
  }
  return { accent: end, onAccent };
}

/** @param share of `end`, 0 to 1 */
function mix(color: string, end: string, share: number): string {
  const ends = channels(end);
  const mixed = channels(color).map((level, at) => Math.round(level + ((ends[at] ?? 0) - level) * share));
  return `#${mixed.map((level) => level.toString(16).padStart(2, '0')).join('')}`;
}

/** Source: WCAG 2.2, "relative luminance". */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = channels(color).map((level) => {
    const share = level / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Red, green and blue, each 0 to 255. */
function channels(color: string): readonly number[] {
  if (!/^#[0-9a-f]{6}$/i.test(color)) throw new Error('not a colour of the form #rrggbb');
  return [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
}
