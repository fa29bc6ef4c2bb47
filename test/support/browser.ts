// A real headless Chromium for the tests, and pages that let nothing leave this machine.
// Unpacks the browser of @sparticuz/chromium once per version into node_modules/.cache, with the libraries
// (NSS, NSPR, expat) and a font that a bare machine may lack; nothing has to be installed on the system.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflate } from '@sparticuz/chromium';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const vendor = join(modules, '@sparticuz/chromium');
const archives = ['chromium.br', 'swiftshader.tar.br', 'al2023.tar.br', 'fonts.tar.br'];

// The package's own `args` switch web security off, so none of them is used.
const args = [
  '--no-sandbox', // as root, as in most containers, there is no sandbox to be had
  '--headless=shell',
  '--no-zygote',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-domain-reliability',
  '--no-pings',
  // Holds for what no page asked for, and for redirects, which request interception does not see.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

// The system's fonts when there are any; the bundled one keeps text visible when there are none.
const fontsConf = `<?xml version="1.0"?>
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
</fontconfig>
`;

let running: Promise<Browser> | undefined;

/**
 * Starts the browser, or hands out the one this process already started. Close it in `after`.
 * @throws Error when the platform is not Linux on x64, the only one the packaged browser is built for
 */
export function openBrowser(): Promise<Browser> {
  running ??= launch();
  return running;
}

async function launch(): Promise<Browser> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('the test browser needs Linux on x64');
  const home = await unpacked();
  const browser = await chromium.launch({
    executablePath: join(home, 'chromium'),
    args,
    env: {
      ...process.env,
      // Always, not only when the system lacks them: so every machine runs the same libraries.
      LD_LIBRARY_PATH: join(home, 'al2023/lib'),
      FONTCONFIG_FILE: join(home, 'fonts/fonts.conf'),
    },
  });
  browser.on('disconnected', () => {
    running = undefined;
  });
  return browser;
}

/** Folder of the unpacked browser. Processes may race: each unpacks under its own name, the first rename wins. */
async function unpacked(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(vendor, 'package.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) throw new Error('no version');
  const cache = join(modules, '.cache/chromium');
  const home = join(cache, String(manifest.version));
  if (existsSync(home)) return home;

  await mkdir(cache, { recursive: true });
  const draft = await mkdtemp(join(cache, 'unpacking-'));
  try {
    await inflateInto(draft);
    await writeFile(join(draft, 'fonts/fonts.conf'), fontsConf);
    await rename(draft, home).catch((error: unknown) => {
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return home;
}

/** `inflate` writes below TMPDIR, which it reads before it first awaits: others never see the changed value. */
async function inflateInto(folder: string): Promise<void> {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  const work = archives.map((name) => inflate(join(vendor, 'bin', name)));
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await Promise.all(work);
}

/** How a page is shown; each option left out has the usual value of a desktop browser. */
export type PageOptions = {
  /** Viewport in CSS pixels, 1280 by default. */
  readonly width?: number;
  /** Whether the visitor prefers a dark colour scheme. */
  readonly dark?: boolean;
  /** `false` shows what visitors without JavaScript get. */
  readonly javaScript?: boolean;
  /** Language of the visitor, as a BCP 47 tag; `en` by default. */
  readonly locale?: string;
};

/** A page of its own context, and what went wrong on it or on pages it opened; the lists grow as it happens. */
export type WatchedPage = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** URLs asked for outside this machine; all of them were blocked. */
  readonly offsite: readonly string[];
  /** Errors on the console, and exceptions no script caught. */
  readonly errors: readonly string[];
};

/** Opens a page with empty cookies and storage. Close its context, or the browser, when done. */
export async function newPage(browser: Browser, options: PageOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 900 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    javaScriptEnabled: options.javaScript ?? true,
    locale: options.locale ?? 'en',
    reducedMotion: 'reduce',
    serviceWorkers: 'block', // their requests would pass the interception below
  });
  const offsite: string[] = [];
  const errors: string[] = [];
  const note = (url: string): void => {
    if (!isLocal(new URL(url))) offsite.push(url);
  };
  context.on('request', (request) => note(request.url()));
  context.on('console', (message) => {
    if (message.type() === 'error') errors.push(`console: ${message.text()}`);
  });
  context.on('weberror', (thrown) => errors.push(`page: ${thrown.error().message}`));
  context.on('page', (page) => page.on('websocket', (socket) => note(socket.url())));
  await context.route(
    (url) => !isLocal(url),
    (route) => route.abort('blockedbyclient'),
  );
  return { page: await context.newPage(), context, offsite, errors };
}

/** Tells the story of a visit of its own; whatever it did, nothing left the machine and no script failed. */
export async function visitWith(
  browser: Browser,
  options: PageOptions,
  story: (visited: WatchedPage) => Promise<void>,
): Promise<void> {
  const visited = await newPage(browser, options);
  await story(visited);
  // A refusal has a status of its own, which browsers write to their console.
  const errors = visited.errors.filter((each) => !/responded with a status of 4\d\d/.test(each));
  assert.deepEqual([...visited.offsite, ...errors], []);
  await visited.context.close();
}

function isLocal(url: URL): boolean {
  return ['data:', 'blob:', 'about:'].includes(url.protocol) || ['127.0.0.1', 'localhost'].includes(url.hostname);
}
