// Activating an account and confirming a mailbox as people do it, in a real browser, to their ends: several accounts, one
// that has a password already, a locked one, none; two browsers with one grant; and one browser with all errands at once.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { type Purpose, purposes } from '../../src/core/purpose.ts';
import { newPage, openBrowser, type PageOptions, visitWith, type WatchedPage } from '../support/browser.ts';
import { startWorld, type World } from '../support/world.ts';
import { codeFor, enter, openReset, readReset, setPassword } from './states.ts';

const good = 'blue kettle winter piano';
let browser: Awaited<ReturnType<typeof openBrowser>>;
let world: World;

before(async () => {
  [browser, world] = await Promise.all([openBrowser(), startWorld()]);
});
after(async () => {
  await browser.close();
  await world.close();
});

const visit = (options: PageOptions, story: (visited: WatchedPage) => Promise<void>) =>
  visitWith(browser, options, story);

const main = async (page: Page) => (await page.locator('main').textContent()) ?? '';
const says = (page: Page, text: RegExp) => page.locator('main').filter({ hasText: text }).waitFor();
const click = (page: Page, what: string) =>
  Promise.all([page.waitForEvent('load'), page.locator(what).first().click()]);

/** From the page of an errand to what comes after the right code. */
async function prove(page: Page, purpose: Purpose, identity: Parameters<typeof codeFor>[1] = 'amy'): Promise<void> {
  await openReset({ world, page }, purpose);
  await enter(page, await codeFor({ world, page }, identity));
}

async function account(name: string): Promise<{ password: string | null; confirmed: readonly unknown[] }> {
  const { accounts } = JSON.parse(await readFile(join(world.dataDir, 'accounts.json'), 'utf8'));
  return accounts.find((each: { name: string }) => each.name === name);
}

describe('activating an account', () => {
  it('begins on the reset page, ends with the first password, and leaves the other account for the next time', () =>
    visit({ width: 360 }, async ({ page }) => {
      await openReset({ world, page });
      await click(page, '#other');
      assert.match(page.url(), /\/activate$/);
      assert.match(await main(page), /Activate your account.*account that was made for you/s);
      await enter(page, await codeFor({ world, page }));
      assert.match(await main(page), /Which account do you want to activate\?.*apond.*amy\.chess/s);
      await page.locator('#accounts button').filter({ hasText: 'apond' }).click();
      await page.locator('#password').waitFor();
      await setPassword({ page }, 'kettle');
      assert.match(await main(page), /too short/);
      await setPassword({ page }, good);
      assert.match(await main(page), /Your account is ready: log in/);
      await page.reload();
      assert.match(await main(page), /Your account is ready/);
      await click(page, '#start-again button');
      await enter(page, await codeFor({ world, page }));
      assert.equal(await page.locator('#accounts button').count(), 1);
      assert.match(await main(page), /amy\.chess.*Active already.*apond/s);
      await click(page, 'main a.button');
      assert.match(await main(page), /Set a new password/);
    }));

  it('in German, without script: says what to do when the mailbox has no account', () =>
    visit({ javaScript: false, locale: 'de', dark: true, width: 320 }, async ({ page }) => {
      await prove(page, 'activate', 'rory');
      assert.match(
        await main(page),
        /Zu rory\.williams@school\.example gehört kein Konto\. Ging die Einladung an ein anderes/,
      );
      await click(page, '#start-again button');
      assert.match(await main(page), /Konto aktivieren/);
    }));

  it('with one grant in two browsers: exactly one sets the password', async () => {
    const [one, other] = await Promise.all([newPage(browser), newPage(browser)]);
    await prove(one.page, 'activate', 'jo');
    await click(one.page, '#accounts button');
    await other.context.addCookies(await one.context.cookies());
    await other.page.goto(`${world.webUrl}/activate/password`);
    await Promise.all([setPassword(one, `${good} 1`), setPassword(other, `${good} 2`)]);
    const ends = [await main(one.page), await main(other.page)];
    assert.equal(ends.filter((text) => text.includes('Your account is ready')).length, 1, ends.join());
    assert.equal(ends.filter((text) => /changed a moment ago|sent once already/.test(text)).length, 1, ends.join());
    await Promise.all([one.context.close(), other.context.close()]);
  });

  it('a locked account stays locked', async () => {
    await world.service.stop();
    const path = join(world.dataDir, 'accounts.json');
    const file = JSON.parse(await readFile(path, 'utf8'));
    for (const each of file.accounts) if (each.name === 'ssmith') each.state = 'locked';
    await writeFile(path, JSON.stringify(file));
    await world.restart();
    await visit({}, async ({ page }) => {
      await prove(page, 'activate', 'smith');
      await click(page, '#accounts button');
      assert.match(await main(page), /This account is locked/);
      await click(page, 'main a.button');
      assert.match(await main(page), /That was the right code/);
    });
    assert.equal((await account('ssmith')).password, null);
  });
});

describe('confirming a mailbox', () => {
  for (const javaScript of [true, false]) {
    it(`is one button after the code, ${javaScript ? 'with' : 'without'} script`, () =>
      visit({ javaScript }, async ({ page }) => {
        await prove(page, 'confirm');
        assert.match(await main(page), /amy\.pond@school\.example.*Nothing else changes/s);
        assert.doesNotMatch(await main(page), /apond|chess|password/);
        await click(page, '#confirm button');
        assert.match(await main(page), /Your address is confirmed/);
        assert.equal((await account('apond')).confirmed.length, 1);
        await page.goBack();
        await says(page, /sent once already|Confirm this address/);
      }));
  }

  it('says so when no account uses it', () =>
    visit({}, async ({ page }) => {
      await prove(page, 'confirm', 'rory');
      await click(page, '#confirm button');
      assert.match(await main(page), /No account uses rory\.williams@school\.example, so there is nothing to confirm/);
    }));

  it('with one grant in two browsers: exactly one confirms it', async () => {
    const [one, other] = await Promise.all([newPage(browser), newPage(browser)]);
    await prove(one.page, 'confirm', 'jo');
    await other.context.addCookies(await one.context.cookies());
    await other.page.goto(`${world.webUrl}/confirm/mailbox`);
    await Promise.all([one, other].map(({ page }) => click(page, '#confirm button')));
    const ends = [await main(one.page), await main(other.page)];
    assert.equal(ends.filter((text) => text.includes('Your address is confirmed')).length, 1, ends.join());
    assert.equal(ends.filter((text) => text.includes('sent once already')).length, 1, ends.join());
    await Promise.all([one.context.close(), other.context.close()]);
  });
});

describe('all errands in one browser', () => {
  it('each tab has its own request, and its line moves for its own mail', () =>
    visit({}, async ({ page, context }) => {
      const tabs = [page, await context.newPage(), await context.newPage()];
      for (const [at, purpose] of purposes.entries()) await openReset({ world, page: tabs[at] ?? page }, purpose);
      const labels = await Promise.all(tabs.map(async (tab) => (await readReset(tab)).label));
      assert.equal(new Set(labels).size, 3);
      const [, activate = page, confirm = page] = tabs;
      const code = await codeFor({ world, page: confirm }, 'amy');
      await says(confirm, /sent our reply/);
      for (const tab of [page, activate]) assert.match(await main(tab), /waiting for your email/);
      await enter(confirm, code);
      await says(confirm, /Nothing else changes/);
      for (const [at, tab] of [page, activate].entries()) {
        await tab.reload();
        assert.equal((await readReset(tab)).label, labels[at]);
      }
    }));
});
