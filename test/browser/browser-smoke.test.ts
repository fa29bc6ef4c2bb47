// The test browser itself: it starts, shows a page of ours, and lets nothing out. Everything the other browser
// tests say about offsite requests rests on this.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { newPage, openBrowser } from '../support/browser.ts';

const html = `<!doctype html><meta charset="utf-8"><title>smoke</title><link rel="icon" href="data:,">
<style>p { color: rgb(1, 2, 3) } @media (prefers-color-scheme: dark) { p { color: rgb(4, 5, 6) } }</style>
<p>grüezi</p><noscript><b>no script</b></noscript>
<img src="http://tracker.example/pixel" alt=""><img src="/redirect" alt="">`;

const server = createServer((request, response) => {
  if (request.url === '/redirect') response.writeHead(302, { location: 'http://elsewhere.example/' }).end();
  else response.writeHead(200, { 'content-type': 'text/html' }).end(html);
});
let url = '';

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  url = `http://127.0.0.1:${address.port}/`;
});

after(async () => {
  await (await openBrowser()).close();
  server.close();
});

test('a page is shown, and requests that leave this machine are blocked and recorded', async () => {
  const { page, offsite, errors } = await newPage(await openBrowser());
  await page.goto(url);
  assert.equal(await page.locator('p').textContent(), 'grüezi');
  assert.deepEqual([...offsite].sort(), ['http://elsewhere.example/', 'http://tracker.example/pixel']);
  assert.equal(errors.length, 2, errors.join('\n'));
});

test('width, dark, javaScript and locale reach the page', async () => {
  const { page, errors } = await newPage(await openBrowser(), {
    width: 320,
    locale: 'de',
    javaScript: true,
    dark: true,
  });
  await page.goto(url);
  assert.equal(
    await page.evaluate('[innerWidth, navigator.language, getComputedStyle(document.querySelector("p")).color].join()'),
    '320,de,rgb(4, 5, 6)',
  );
  await page.evaluate('queueMicrotask(() => { throw new Error("uncaught") })');
  assert.ok(errors.includes('page: uncaught'), errors.join('\n'));

  const bare = await newPage(await openBrowser(), { javaScript: false });
  await bare.page.goto(url);
  assert.equal(await bare.page.locator('b').textContent(), 'no script');
});
