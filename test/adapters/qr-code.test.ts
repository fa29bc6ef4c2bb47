// The QR code: what a reader of somebody else's sees in the picture is what was put in, and the picture is nothing but
// white ground and black runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import jsqr from 'jsqr';
import type { Site } from '../../src/adapters/web/layout.ts';
import { phoneMailto } from '../../src/adapters/web/pages.ts';
import { qrCodeSvg } from '../../src/adapters/web/qr-code.ts';
import type { OpenedChallenge } from '../../src/app/ports.ts';
import { locales } from '../../src/core/locale.ts';
import { parseMailto } from '../../src/testkit/mailto.ts';
import { runs } from '../support/core-table.ts';

const scale = 4;
const margin = 4;

interface Picture {
  /** Modules along each side, margin included. */
  readonly size: number;
  /** Dark modules as `x,y`. */
  readonly dark: ReadonlySet<string>;
}

/** Reads the SVG strictly: whatever is not the one form we write is a failure. */
function parse(svg: string): Picture {
  const form =
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 (\d+) \1" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h\1v\1H0z"\/><path stroke="#000" d="((?:M\d+ \d+\.5h\d+)+)"\/><\/svg>$/;
  const [, size, path = ''] = form.exec(svg) ?? assert.fail(`not the form we write: ${svg.slice(0, 200)}`);
  const dark = new Set<string>();
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)\.5h(\d+)/g)) {
    for (let step = 0; step < Number(length); step++) {
      const module = `${Number(x) + step},${y}`;
      assert.ok(!dark.has(module), `${module} is drawn twice`);
      dark.add(module);
    }
  }
  return { size: Number(size), dark };
}

/** What a camera sees, in a room without colours. */
function read({ size, dark }: Picture): { readonly text: string; readonly bytes: Buffer } | undefined {
  const width = size * scale;
  const pixels = new Uint8ClampedArray(width * width * 4).fill(255);
  for (const module of dark) {
    const [x = 0, y = 0] = module.split(',').map(Number);
    for (let row = y * scale; row < (y + 1) * scale; row++) {
      for (let column = x * scale; column < (x + 1) * scale; column++) {
        pixels.fill(0, (row * width + column) * 4, (row * width + column) * 4 + 3);
      }
    }
  }
  const found = jsqr.default(pixels, width, width, { inversionAttempts: 'dontInvert' });
  return found === null ? undefined : { text: found.data, bytes: Buffer.from(found.binaryData) };
}

const challenge: OpenedChallenge = {
  purpose: 'reset',
  cookie: '',
  isNew: false,
  renewed: false,
  nonce: '',
  localPart: '0123456789abcdefghjkmnpqrstvwxyz',
  label: 'KQXF-WTMB',
  expiresAt: 0,
  progress: 'awaiting-mail',
  notice: undefined,
};
const site: Site = {
  siteName: 'Gymnasium am Kurfürstendamm',
  timeZone: 'Europe/Berlin',
  mailDomain: 'passwort.gymnasium-kurfuerstendamm.example',
  testMailboxUrl: null,
  mayTypeAddress: false,
  paths: { style: '', scripts: { page: '', password: '', enrol: '' }, logo: undefined },
};

for (const locale of locales) {
  test(`the mail for the phone is read back and small: ${locale}`, () => {
    const mailto = phoneMailto(locale, challenge, site);
    const svg = qrCodeSvg(mailto);
    assert.ok(Buffer.byteLength(svg) < 12_000, `${Buffer.byteLength(svg)} bytes`);
    assert.equal(read(parse(svg))?.text, mailto);
    const mail = parseMailto(mailto);
    assert.equal(mail?.to, `${challenge.localPart}@${site.mailDomain}`);
    assert.ok(mail?.subject.endsWith(challenge.label));
    assert.ok(mail?.body.length > 20);
  });
}

test('a picture that is a little damaged is read as well', () => {
  const mailto = phoneMailto('en', challenge, site);
  const { size, dark } = parse(qrCodeSvg(mailto));
  const middle = Math.floor(size / 2);
  const far = (module: string) => module.split(',').some((at) => Math.abs(Number(at) - middle) > 2);
  const left = new Set([...dark].filter(far));
  assert.ok(left.size < dark.size);
  assert.equal(read({ size, dark: left })?.text, mailto);
});

test('any text is read back, and stands in a quiet margin of four modules', () => {
  const lengths = { minLength: 1, maxLength: 300, size: 'max' } as const;
  const text = fc.oneof(
    fc.string({ ...lengths, unit: 'binary-ascii' }),
    fc.string({ ...lengths, unit: 'grapheme' }).map((one) => one.slice(0, 300).toWellFormed()),
    fc.string({ ...lengths, unit: fc.constantFrom(...'0123456789') }),
    fc.string({ ...lengths, unit: fc.constantFrom(...'AZ09 $%*+-./:') }),
  );
  fc.assert(
    fc.property(text, (given) => {
      const picture = parse(qrCodeSvg(given));
      for (const at of [...picture.dark].flatMap((module) => module.split(',').map(Number))) {
        assert.ok(at >= margin && at < picture.size - margin);
      }
      assert.equal(read(picture)?.text, given);
    }),
    runs(40),
  );
});

test('texts from 1 to 300 characters make a picture of a right size', () => {
  for (let length = 1; length <= 300; length += 13) {
    const { size } = parse(qrCodeSvg('a'.repeat(length)));
    assert.equal((size - 2 * margin - 17) % 4, 0, `${length}: ${size}`); // ISO/IEC 18004 §5.3.1
  }
});

test('no text gets out of the path: there is nothing in the picture but two paths', () => {
  for (const text of ['</svg><script>alert(1)</script>', '"/><style>*{}</style>', "' onload='x", '<!--', ']]>']) {
    assert.equal(read(parse(qrCodeSvg(text)))?.text, text);
  }
});
