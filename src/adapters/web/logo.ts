// The organisation's logo: read once at the start, told by its bytes and never by its name, at most 100 kB.
// Pages and routes are elsewhere, and so is the setting (`web.logoFile`).
// For reviewers: an SVG that is opened by itself is a document and could run script. The security headers are on that
// answer, too, with the policy below: `default-src 'none'` and a sandbox. In <img> script never runs.

import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { fileProblem } from '../../core/file-problem.ts';
import { type StaticFile, staticFile } from './static-files.ts';

const kinds = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/svg+xml': 'svg',
} as const;

/**
 * The Content-Security-Policy of the logo's answer, in place of that of the pages. Firefox holds an SVG in <img> to the
 * policy it came with: without these a logo with styles, pictures or letters of its own would be black, or have gaps.
 * All of them come from within the file; still no script, and nothing from elsewhere.
 */
const logoPolicy = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  'font-src data:',
  "frame-ancestors 'none'", // `default-src` does not speak for this one
  'sandbox', // no script, no forms, and not our origin
].join('; ');

const logoBytesMax = 100 * 1024; // a school's network, people on phones

/**
 * Reads the logo.
 * @param file path as the operator wrote it, or null for none. What is in the file is the operator's as well: whether
 *   the image is whole, and what it shows, is not looked at
 * @throws Error that names the setting and the file, says what is wrong with it, and what would be right
 */
export async function readLogo(file: string | null): Promise<StaticFile | undefined> {
  if (file === null) return undefined;
  const bytes = await readBytes(file);
  if (bytes.length === 0) throw unusable(file, 'is empty');
  if (bytes.length > logoBytesMax) throw unusable(file, `is larger than ${logoBytesMax / 1024} kB`);
  const type = typeOf(bytes);
  if (type === undefined) throw unusable(file, 'is no PNG, JPEG, WebP or SVG image, whatever its name says');
  return { ...staticFile(`logo.${kinds[type]}`, type, bytes), policy: logoPolicy };
}

function unusable(file: string, problem: string): Error {
  const right = `a PNG, JPEG, WebP or SVG (as UTF-8) file of at most ${logoBytesMax / 1024} kB`;
  return new Error(`web.logoFile: ${file} ${problem}. Give the path of ${right}, or null for no logo.`);
}

/** Reads at most one byte more than the limit, so that /dev/zero ends, too. */
async function readBytes(file: string): Promise<Buffer> {
  try {
    return await buffer(createReadStream(file, { end: logoBytesMax })); // `end` is read as well
  } catch (error) {
    throw unusable(file, fileProblem(error));
  }
}

function typeOf(bytes: Buffer): keyof typeof kinds | undefined {
  const head = bytes.toString('latin1', 0, 12);
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (/^RIFF.{4}WEBP$/s.test(head)) return 'image/webp';
  return isSvg(bytes) ? 'image/svg+xml' : undefined;
}

/**
 * What XML lets stand before the root: blanks, the declaration and other instructions, comments, and the doctype, in
 * which drawing programs declare entities. No part can be read in two ways, or a chain of comments would take ages.
 */
const svgStart =
  /^(?:\s|<\?(?:(?!\?>).)*\?>|<!--(?:(?!--).)*-->|<!DOCTYPE[^[\]<>]*(?:\[[^\]]*\]\s*)?>)*<svg(?=[\s/>])/s;

function isSvg(bytes: Buffer): boolean {
  try {
    return svgStart.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes)); // takes the BOM away
  } catch {
    return false; // not UTF-8: some other file
  }
}
