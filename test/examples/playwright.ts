// A browser test of an application whose people get a new password by reply-to-verify: its page leads there, and in the end the
// person signs in. The application is below; it has accounts of its own, behind the six calls of directory-server.ts.
// With Playwright installed, `openBrowser()` is `chromium.launch()`.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startKit } from 'reply-to-verify/testkit';
import { openBrowser } from '../support/browser.ts';
import { directorySecret, end, exampleAccount, listen, startDirectory } from '../support/http-directory.ts';
import { isPassword } from './example-accounts.ts';

test('who has forgotten the password signs in with a new one', async (t) => {
  const application = await startApplication();
  t.after(application.close);
  const kit = await startKit({ settings: application.settings });
  t.after(kit.close);
  application.resetUrl = `${kit.url}/reset`;
  const browser = await openBrowser();
  t.after(() => browser.close());

  const page = await browser.newPage();
  await page.goto(application.url);
  await page.getByRole('link', { name: 'Forgot your password?' }).click();

  // What the mail program opens when the person presses the button. It goes out as it is.
  const mailto = await page.getByRole('link', { name: 'Open my email app' }).getAttribute('href');
  await kit.identity('amy.pond@school.example').send(mailto ?? '');
  const reply = await kit.sink.waitForReply({ to: 'amy.pond@school.example' });

  await page.getByLabel('The 8 digits from our reply').fill(reply.code);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'amy' }).click();
  await page.getByLabel('New password').fill('blue kettle winter piano');
  await page.getByLabel('The same once more').fill('blue kettle winter piano');
  await page.keyboard.press('Enter');
  await page.getByText('Your new password is set').waitFor();

  await page.goto(application.url);
  await page.getByLabel('Password').fill('blue kettle winter piano');
  await page.getByRole('button', { name: 'Sign in' }).click();
  assert.equal(await page.textContent('body'), 'Good morning, Amy Pond.');
});

/** The application. It knows of the service where its page is, and the service of it where its accounts are. */
async function startApplication() {
  const amy = exampleAccount('1', 'amy', ['amy.pond@school.example'], 'Amy Pond');
  const directory = await startDirectory([amy]);
  const folder = await mkdtemp(join(tmpdir(), 'application-'));
  const secretFile = join(folder, 'secret');
  await writeFile(secretFile, directorySecret, { mode: 0o600 });
  const server = createServer(async (request, response) => {
    const password = new URLSearchParams(await text(request)).get('password');
    response.setHeader('content-type', 'text/html');
    if (password !== null && isPassword(password, amy.password))
      return response.end(`Good morning, ${amy.description}.`);
    return response.end(`<form method="post"><label>Password <input name="password" type="password"></label>
      <button>Sign in</button></form> <a href="${application.resetUrl}">Forgot your password?</a>`);
  });
  const application = {
    url: await listen(server),
    resetUrl: '',
    settings: { 'directory.kind': 'http', 'directory.url': directory.url, 'directory.secretFile': secretFile },
    close: () => Promise.all([end(server), directory.close(), rm(folder, { recursive: true })]),
  };
  return application;
}
