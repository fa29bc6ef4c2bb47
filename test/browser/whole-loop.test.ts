// The whole loop as a person does it, in a real browser: reset page, test mailbox, reply, code, accounts.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser } from 'playwright-core';
import { newPage, openBrowser, type PageOptions } from '../support/browser.ts';
import { startWorld, type World } from '../support/world.ts';

let browser: Browser;
let world: World;

before(async () => {
  [browser, world] = await Promise.all([openBrowser(), startWorld()]);
});

after(async () => {
  await browser.close();
  await world.close();
});

/** Goes all the way as one of the identities; gives back what the last page says. */
async function wholeLoop(identity: string, options: PageOptions): Promise<string> {
  const { page, context, offsite, errors } = await newPage(browser, options);
  await page.goto(`${world.webUrl}/reset`);
  const address = await page.locator('#address').textContent();

  const opened = context.waitForEvent('page');
  await page.locator('#test-mailbox').click();
  const mailbox = await opened;
  assert.equal((await mailbox.locator('[name=to]').inputValue()).replaceAll('-', ''), address?.replaceAll('-', ''));
  await mailbox.locator(`[name=identity][value=${identity}]`).check();
  await mailbox.locator('#send').click();
  assert.match((await mailbox.locator('#smtp-answer').textContent()) ?? '', /250 2\.0\.0/);
  await mailbox.locator('a#inbox').click();
  await mailbox.locator('ol#messages li a').first().click();
  const code = /^\d{4} \d{4}$/m.exec((await mailbox.locator('pre#text').textContent()) ?? '')?.[0];
  assert.ok(code !== undefined);

  await page.reload();
  assert.equal(await page.locator('#address').textContent(), address);
  await page.locator('#code').fill(code);
  await page.locator('#code').press('Enter');
  await page.waitForURL('**/reset/accounts');
  assert.doesNotMatch(page.url(), /[?#]/);
  const text = (await page.locator('main').textContent()) ?? '';
  assert.deepEqual([...offsite, ...errors], []);
  await context.close();
  return text;
}

describe('the whole loop in a browser', () => {
  it('shows the mailbox and both of its accounts', async () => {
    const text = await wholeLoop('amy', {});
    assert.match(text, /amy\.pond@school\.example/);
    assert.match(text, /apond/);
    assert.match(text, /amy\.chess/);
  });

  it('works without JavaScript, on a narrow screen, in German', async () => {
    const text = await wholeLoop('jo', { javaScript: false, width: 320, dark: true, locale: 'de-AT' });
    assert.match(text, /Ihr Postfach/);
    assert.match(text, /jo\.grant@company\.example/);
    assert.match(text, /jgrant/);
  });

  it('says so when the mailbox has no account', async () => {
    assert.match(await wholeLoop('rory', {}), /No account uses rory\.williams@school\.example/);
  });
});
