// The organisation's colour: whatever it is, what is made of it can be read, and stays as near to it as that allows.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { brandColors, brandStyle, contrast } from '../../src/adapters/web/brand-colors.ts';
import { options } from '../../src/settings/settings.ts';
import { runs, table } from '../support/core-table.ts';

const schemes = ['light', 'dark'] as const;
const surfaces = {
  light: { sheet: '#ffffff', ground: '#f4f6f8' },
  dark: { sheet: '#1b232c', ground: '#12181f' },
} as const;
const byDefault = String(options.get('web.color')?.schema.parse(undefined));

/** The worst contrast of an accent in its scheme, text on it included. */
function worst(scheme: (typeof schemes)[number], accent: string, onAccent: string): number {
  const { sheet, ground } = surfaces[scheme];
  return Math.min(...[sheet, ground, onAccent].map((each) => contrast(accent, each)));
}

const levels = (color: string) => [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));

table('contrast', ([one, other]: readonly [string, string]) => contrast(one, other).toFixed(2), [
  ['black and white', ['#000000', '#ffffff'], '21.00'],
  ['white and black', ['#ffffff', '#000000'], '21.00'],
  ['a colour and itself', ['#14548f', '#14548F'], '1.00'],
  ['the lightest grey that can be read on white', ['#767676', '#ffffff'], '4.54'],
  ['one lighter', ['#777777', '#ffffff'], '4.48'],
  ['red', ['#ff0000', '#ffffff'], '4.00'],
  ['green', ['#00ff00', '#ffffff'], '1.37'],
  ['blue', ['#0000ff', '#ffffff'], '8.59'],
  ['yellow on black', ['#ffff00', '#000000'], '19.56'],
]);

describe('brandColors', () => {
  test('whatever the colour, all of it can be read, and nothing is changed more than needed', () => {
    const anyColor = fc.integer({ min: 0, max: 0xffffff }).map((value) => `#${value.toString(16).padStart(6, '0')}`);
    fc.assert(
      fc.property(anyColor, (color) => {
        const colors = brandColors(color);
        for (const scheme of schemes) {
          const { accent, onAccent } = colors[scheme];
          assert.match(accent, /^#[0-9a-f]{6}$/);
          assert.ok(['#ffffff', '#0c1a28'].includes(onAccent), onAccent);
          const found = worst(scheme, accent, onAccent);
          const least = { light: 4.5, dark: 7 }[scheme];
          assert.ok(found >= least, `${color} in ${scheme}: ${accent} has ${found}`);
          const fitted = worst(scheme, color, onAccent) >= least;
          assert.equal(accent === color, fitted, `${color} in ${scheme}: ${accent}`);
          // A step further back would be below: one level of all channels is worth less than this.
          assert.ok(fitted || found < least + 0.15, `${color} in ${scheme}: ${accent} has ${found}`);
          keepsItsHue(color, accent);
        }
      }),
      runs(3_000),
    );
  });

  // Of the hue, rounding leaves the order of the channels in any case.
  function keepsItsHue(color: string, accent: string): void {
    const [before, after] = [levels(color), levels(accent)];
    for (const [one, other] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      const was = Math.sign((before[one] ?? 0) - (before[other] ?? 0));
      const is = Math.sign((after[one] ?? 0) - (after[other] ?? 0));
      assert.ok(is === was || is === 0, `${color} became ${accent}`);
    }
  }

  const white = '#ffffff';
  const ink = '#0c1a28';
  table('accents', brandColors, [
    ['black', '#000000', { light: { accent: '#000000', onAccent: white }, dark: { accent: '#adadad', onAccent: ink } }],
    ['white', '#ffffff', { light: { accent: '#717171', onAccent: white }, dark: { accent: '#ffffff', onAccent: ink } }],
    [
      'yellow',
      '#ffff00',
      { light: { accent: '#757500', onAccent: white }, dark: { accent: '#ffff00', onAccent: ink } },
    ],
    [
      'the same in capitals',
      '#FFFF00',
      { light: { accent: '#757500', onAccent: white }, dark: { accent: '#ffff00', onAccent: ink } },
    ],
  ]);

  test('the default stays as it is on the light pages', () => {
    assert.equal(brandColors(byDefault).light.accent, byDefault);
  });

  for (const wrong of ['', '#fff', '14548f', '#14548f;', '#14548f\n', '#14548g', 'red', '#000000}*{display:none']) {
    test(`throws for ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => brandStyle(wrong), /#rrggbb/);
      assert.throws(() => contrast(wrong, white), /#rrggbb/);
      assert.throws(() => contrast(white, wrong), /#rrggbb/);
    });
  }
});

describe('the style sheet', () => {
  test('gets both schemes', () => {
    const { light, dark } = brandColors('#ffee00');
    assert.equal(
      brandStyle('#ffee00'),
      `:root{--accent:${light.accent};--on-accent:#ffffff}` +
        `@media screen and (prefers-color-scheme: dark){:root{--accent:${dark.accent};--on-accent:#0c1a28}}`,
    );
  });

  // What the accents are held against must be what they stand on.
  const style = readFileSync(new URL('../../src/adapters/web/style.css', import.meta.url), 'utf8');
  for (const scheme of schemes) {
    for (const [name, color] of Object.entries(surfaces[scheme])) {
      test(`has --${name} ${color}, for ${scheme}`, () => {
        assert.match(style, new RegExp(`--${name}:[^;]*${color}\\b`, 'i'));
      });
    }
  }
});
