// The test mailbox in a real browser: the list that moves by itself, the code that is copied, and what happens to a tab
// that is still open when the sink ends.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { type Kit, startKit } from '../../src/testkit/kit.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';
import { newPage, openBrowser, visitWith } from '../support/browser.ts';

const free = { host: '127.0.0.1', port: 0 };
const amy = 'amy.pond@school.example';
const hostile = '<img src=x onerror=alert(1)></a><script>alert(1)</script>"\'&amp;';
let browser: Browser;
let kit: Kit;

const start = (mailbox = free) => startKit({ dns: free, sink: free, mailbox, smtpPort: () => kit.sink.port });

before(async () => {
  [browser, kit] = await Promise.all([openBrowser(), start()]);
});
after(async () => {
  await browser.close();
  await kit.close();
});

async function arrive(subject: string, text = 'x', rcptTo = amy): Promise<void> {
  const raw = `From: Accounts <accounts@school.example>\r\nSubject: ${subject}\r\n\r\n${text}\r\n`;
  const { code } = await deliver({ ...kit.sink, mailFrom: '', rcptTo, raw, helo: 'service.example' });
  assert.equal(code, 250);
}

/** Waits until the list has exactly these subjects, newest first. */
async function shows(page: Page, subjects: readonly string[]): Promise<void> {
  const list = page.locator('#messages strong');
  await page
    .locator('#count')
    .filter({ hasText: subjects.length === 1 ? '1 message.' : `${subjects.length} messages.` })
    .waitFor();
  assert.deepEqual(await list.allTextContents(), subjects);
}

describe('the list of messages', () => {
  it('grows by itself, in its inbox and for its search, with the focus where it was', () =>
    visitWith(browser, {}, async ({ page }) => {
      kit.sink.clear();
      await page.goto(`${kit.mailboxPage.url}/?identity=amy&q=pass`);
      await page.locator('#count').filter({ hasText: 'Nothing here yet' }).waitFor();
      await arrive('First password', '4821 7730');
      await shows(page, ['First password']);
      assert.equal(await page.locator('#messages b').textContent(), '4821 7730');
      await page.locator('#messages a').focus();
      await arrive('For Jo: password', 'x', 'jo.grant@company.example');
      await arrive('Something else');
      await arrive(`${hostile} password`);
      await shows(page, [`${hostile} password`, 'First password']);
      assert.match(await page.title(), /^\(2\) Inbox of Amy Pond/);
      assert.equal(await page.evaluate('document.activeElement.querySelector("strong").textContent'), 'First password');
      await page.locator('#messages a').first().click();
      assert.equal(await page.locator('h1').textContent(), `${hostile} password`);
      await page.goBack();
      await arrive('Another password');
      await shows(page, ['Another password', `${hostile} password`, 'First password']);
      kit.sink.clear();
      await page.locator('#count').filter({ hasText: 'Nothing here yet' }).waitFor();
      assert.equal(await page.locator('#messages li').count(), 0);
    }));

  it('is loaded anew without script, unless somebody stops that', () =>
    visitWith(browser, { javaScript: false }, async ({ page }) => {
      kit.sink.clear();
      await page.goto(kit.mailboxPage.url);
      await arrive('One');
      await shows(page, ['One']);
      await page.getByRole('link', { name: 'Stop that' }).click();
      assert.ok(!(await page.content()).includes('http-equiv="refresh"'));
      await page.locator('#q').fill('nothing');
      await page.locator('#search button').click();
      await page.locator('#count').filter({ hasText: 'Nothing here yet' }).waitFor();
      await page.locator('#delete').click();
      await page.waitForURL(`${kit.mailboxPage.url}/`);
      assert.equal(kit.sink.messages.length, 0);
    }));

  it('stands still when the sink ends, says so, and goes on with the next one', async () => {
    const { page, context } = await newPage(browser);
    kit.sink.clear();
    await page.goto(kit.mailboxPage.url);
    await arrive('Before');
    await shows(page, ['Before']);
    const { address } = kit.mailboxPage;
    await kit.close();
    await page.locator('#state').waitFor();
    assert.deepEqual(await page.locator('#messages strong').allTextContents(), ['Before']);
    kit = await start(address);
    await page.locator('#state').waitFor({ state: 'hidden' });
    await arrive('After');
    await shows(page, ['After']);
    await context.close();
  });
});

it('the code is copied by a button', () =>
  visitWith(browser, {}, async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await arrive('New password', '4821 7730\r\n\r\nType it.');
    await page.goto(kit.mailboxPage.url);
    await page.locator('#messages a').first().click();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), '4821 7730');
  }));

it('a fault is set, seen at work and taken away', () =>
  visitWith(browser, {}, async ({ page }) => {
    await page.goto(`${kit.mailboxPage.url}/faults`);
    await page.getByRole('button', { name: 'greylisting' }).click();
    await page.locator('#rules').filter({ hasText: 'rcpt defer times=1' }).waitFor();
    await assert.rejects(arrive('x'));
    await page
      .locator('#struck')
      .filter({ hasText: `rcpt defer times=1 for ${amy}` })
      .waitFor();
    await arrive('x');
    assert.equal(await page.locator('#count').textContent(), 'Once.');
    await page.locator('#clear').click();
    await page.getByText('all mail is taken').waitFor();
    assert.deepEqual(kit.sink.faults, []);
  }));
