// The logo: what kind of image it is says its content alone, and whoever gives something else is told what would be
// right. Files are real ones in a temporary folder.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readLogo } from '../../src/adapters/web/logo.ts';

const folder = mkdtempSync(join(tmpdir(), 'logo-'));
after(() => rmSync(folder, { recursive: true }));

let filesWritten = 0;
function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, `${filesWritten++}-${name}`);
  writeFileSync(path, content);
  return path;
}

/** Images of one pixel that browsers show. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);
const jpeg = Buffer.from(
  '/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA=',
  'base64',
);
const webp = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64');
const svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>';

describe('an image', () => {
  const taken: readonly [name: string, content: string | Uint8Array, type: string, extension: string][] = [
    ['logo.png', png, 'image/png', 'png'],
    ['logo.jpeg', jpeg, 'image/jpeg', 'jpg'],
    ['logo.webp', webp, 'image/webp', 'webp'],
    ['logo.svg', svg, 'image/svg+xml', 'svg'],
    ['logo without a name that helps', png, 'image/png', 'png'],
    ['svg named.png', svg, 'image/svg+xml', 'svg'],
    ['png named.svg', png, 'image/png', 'png'],
    ['of exactly 100 kB.png', Buffer.concat([png, Buffer.alloc(100 * 1024 - png.length)]), 'image/png', 'png'],
  ];
  for (const [name, content, type, extension] of taken) {
    test(`${name} is ${type}`, async () => {
      const logo = await readLogo(file(name, content));
      const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
      assert.ok(logo);
      const { policy, ...read } = logo;
      assert.deepEqual(read, { bytes: Buffer.from(content), type, path: `/assets/logo-${digest}.${extension}` });
      assert.ok(policy, 'whatever it is: a policy of its own');
    });
  }

  const beforeTheRoot: readonly [name: string, text: string][] = [
    ['a byte order mark', '\ufeff'],
    ['the declaration', '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'],
    ['a mark and the declaration', '\ufeff<?xml version="1.0"?>\r\n'],
    ['a comment', '<!-- Made with a > drawing <svg program - really -->\n'],
    ['several comments', '<!----><!-- a -->\n<!-- b -->'],
    [
      'a doctype',
      '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n',
    ],
    ['a doctype with entities', '<!DOCTYPE svg [\n  <!ENTITY ns_svg "http://www.w3.org/2000/svg">\n] >\n'],
    ['all of them', '\ufeff<?xml version="1.0"?>\n<!-- a -->\n<!DOCTYPE svg>\n<?xml-model href="a"?>\n<!-- b -->\n\t'],
  ];
  for (const [name, text] of beforeTheRoot) {
    test(`SVG with ${name} before its root`, async () => {
      assert.equal((await readLogo(file('logo.svg', text + svg)))?.type, 'image/svg+xml');
    });
  }
});

test('no file, no logo', async () => {
  assert.equal(await readLogo(null), undefined);
});

test('another image has another path, the same one has the same', async () => {
  const paths = [svg, svg, `${svg}\n`].map(async (content) => (await readLogo(file('logo.svg', content)))?.path);
  const [one, same, other] = await Promise.all(paths);
  assert.equal(one, same);
  assert.notEqual(one, other);
});

describe('refused', () => {
  const notAnImage = /is no PNG, JPEG, WebP or SVG image/;
  const refused: readonly [name: string, path: () => string, problem: RegExp][] = [
    ['a file that is not there', () => join(folder, 'none.png'), /was not found/],
    ['a folder', () => folder, /is a folder/],
    ['what lies below a file', () => join(file('logo.png', png), 'logo.png'), /cannot be read \(ENOTDIR\)/],
    ['an empty file', () => file('logo.png', ''), /is empty/],
    [
      'one byte too many',
      () => file('logo.png', Buffer.concat([png, Buffer.alloc(100 * 1024 - png.length + 1)])),
      /larger than 100 kB/,
    ],
    ['what has no end', () => '/dev/zero', /larger than 100 kB/],
    ['a text', () => file('logo.png', 'a text about an <svg> image'), notAnImage],
    ['blanks', () => file('logo.svg', ' \n'), notAnImage],
    ['half a PNG signature', () => file('logo.png', png.subarray(0, 4)), notAnImage],
    ['a sound in the container of WebP', () => file('logo.webp', 'RIFF\x1a\0\0\0WAVEfmt '), notAnImage],
    ['a GIF', () => file('logo.gif', 'GIF89a\x01\0\x01\0\0\0\0'), notAnImage],
    ['an HTML page with an SVG in it', () => file('logo.svg', `<!DOCTYPE html><html>${svg}</html>`), notAnImage],
    ['an element that only begins like svg', () => file('logo.svg', '<svgs/>'), notAnImage],
    ['an SVG in a comment', () => file('logo.svg', `<!-- ${svg} -->`), notAnImage],
    ['an SVG after text', () => file('logo.svg', `logo: ${svg}`), notAnImage],
    ['an SVG as UTF-16', () => file('logo.svg', Buffer.from(`\ufeff${svg}`, 'utf16le')), notAnImage],
    ['an SVG that is not UTF-8', () => file('logo.svg', Buffer.from(`${svg}<!-- \xe4 -->`, 'latin1')), notAnImage],
  ];
  for (const [name, path, problem] of refused) {
    test(`${name}, and told what would be right`, async () => {
      const given = path();
      await assert.rejects(readLogo(given), (error: Error) => {
        assert.ok(error.message.startsWith(`web.logoFile: ${given} `), error.message);
        assert.match(error.message, problem);
        assert.match(error.message, /\. Give the path of a PNG, JPEG, WebP or SVG .* at most 100 kB, or null/);
        return true;
      });
    });
  }

  for (const [name, piece] of [
    ['comments', '<!---->'],
    ['comments that never end', '<!--'],
    ['instructions', '<?a?>'],
    ['doctypes', '<!DOCTYPE a []>'],
    ['blanks', ' '],
  ] as const) {
    test(`100 kB of ${name}, at once`, async () => {
      const given = file('logo.svg', piece.repeat(100_000 / piece.length));
      const before = process.cpuUsage();
      await assert.rejects(readLogo(given), notAnImage);
      const { user } = process.cpuUsage(before);
      assert.ok(user < 1_000_000, `${user} microseconds`);
    });
  }
});

test('an SVG that is opened by itself runs nothing and fetches nothing', async () => {
  const policy = (await readLogo(file('logo.svg', svg)))?.policy ?? '';
  const directives = new Map(policy.split('; ').map((directive) => [directive.split(' ')[0], directive]));
  assert.equal(directives.get('default-src'), "default-src 'none'");
  assert.equal(directives.get('frame-ancestors'), "frame-ancestors 'none'");
  assert.equal(directives.get('sandbox'), 'sandbox');
  assert.doesNotMatch(policy, /script|self|http|\*|allow-/);
});
