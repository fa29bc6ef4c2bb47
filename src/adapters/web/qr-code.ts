// A QR code (ISO/IEC 18004) as an SVG picture: one path, runs of dark modules as strokes, so that it stays small.
// White all around in every colour scheme: cameras look for dark on light, and for a quiet margin of four modules.

import { encode } from 'uqr';
import { html } from '../../core/html.ts';

const margin = 4;

/** @param text what a camera reads; at most a few hundred characters */
export function qrCodeSvg(text: string): string {
  // One mask for all: trying all eight costs five times as much, and no reader has been seen to care.
  const { data } = encode(text, { ecc: 'M', border: 0, maskPattern: 0 });
  const runs = data.map((row, y) =>
    [
      ...row
        .map((dark) => (dark ? '1' : '0'))
        .join('')
        .matchAll(/1+/g),
    ]
      .map(({ index, 0: run }) => `M${index + margin} ${y + margin}.5h${run.length}`)
      .join(''),
  );
  const size = data.length + 2 * margin;
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path stroke="#000" d="${runs.join('')}"/></svg>`
    .markup;
}
