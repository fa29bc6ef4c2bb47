// Every page in every state, held to the accessibility rules of axe (WCAG 2.2 A and AA, and its best practices), light
// and dark; nothing sticks out at 320 px or with text of twice the size; and what only a look at the page can tell:
// the order of the focus, what is announced, which way a language from right to left is laid out.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { newPage, openBrowser, type WatchedPage } from '../support/browser.ts';
import { TestClock } from '../support/clock.ts';
import { startWorld, type World } from '../support/world.ts';
import { mailboxStates } from './mailbox-states.ts';
import { openReset, stageOverrides, states } from './states.ts';

let browser: Browser;
let world: World;
const clock = new TestClock();

before(async () => {
  [browser, world] = await Promise.all([openBrowser(), startWorld(stageOverrides, clock)]);
});
after(async () => {
  await browser.close();
  await world.close();
});

/** What axe finds, as "rule: where". */
async function violations(page: Page, rules?: readonly string[]): Promise<readonly string[]> {
  const axeSource = (await page.evaluate<boolean>('"axe" in window')) ? ';' : undefined; // half a megabyte, once a page
  const builder = new AxeBuilder({ page, ...(axeSource && { axeSource }) })
    .options({ resultTypes: ['violations'] }) // of what is right it looks for no names
    .setLegacyMode(); // no frames: nothing has to be put together from several
  if (rules !== undefined) builder.withRules([...rules]);
  const found = await builder.analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
}

/** Elements that are wider than the window, or whose text is cut off. */
function sticksOut(page: Page): Promise<readonly string[]> {
  return page.evaluate(`
    [...document.querySelectorAll('body *')]
      .filter((each) => each.checkVisibility() && !each.closest('svg'))
      .filter((each) => {
        const { left, right } = each.getBoundingClientRect();
        return left < -1 || right > document.documentElement.clientWidth + 1 || each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== 'visible' && each.tagName !== 'INPUT';
      })
      .map((each) => each.tagName + '#' + each.id)`);
}

// A context of its own for each state would double the time of the suite.
let shared: WatchedPage | undefined;

/** A page as in a browser that was never here. */
async function emptyPage(): Promise<WatchedPage> {
  if (shared === undefined) {
    shared = await newPage(browser);
    return shared;
  }
  const { page, context } = shared;
  await Promise.all([context.clearCookies(), page.unrouteAll()]);
  await Promise.all([page.emulateMedia({ colorScheme: 'light' }), page.setViewportSize({ width: 1280, height: 900 })]);
  return shared;
}

describe('every state', () => {
  for (const { name, says, reach } of [...states, ...mailboxStates]) {
    it(name, async () => {
      const { page, context, offsite } = await emptyPage();
      const putRight = await reach({ world, clock, page });
      try {
        await page.locator('main').filter({ hasText: says }).waitFor();
        await page.waitForLoadState();
        assert.deepEqual(await violations(page), [], 'light');
        await page.emulateMedia({ colorScheme: 'dark' });
        assert.deepEqual(await violations(page, ['color-contrast']), [], 'dark');
        await page.setViewportSize({ width: 320, height: 700 });
        assert.deepEqual(await sticksOut(page), [], 'at 320 px');
        await page.setViewportSize({ width: 640, height: 700 });
        await page.evaluate('document.documentElement.style.fontSize = "200%"');
        assert.deepEqual(await sticksOut(page), [], 'with text of twice the size');
        assert.equal(await page.locator('h1').count(), 1);
        assert.deepEqual(offsite, []);
        // What was opened beside it, and a clock that was taken over, are not put right by emptying it.
        if (context.pages().length === 1 && name !== 'no-connection') return;
      } finally {
        await putRight?.();
      }
      shared = undefined;
      await context.close();
    });
  }
});

describe('the reset page', () => {
  it('is really looked at: a mistake that is planted is found', async () => {
    const { page, context } = await newPage(browser);
    await openReset({ world, page });
    await page.evaluate(
      'document.querySelector("label").remove(); document.querySelector("h1").style.color = "#ddd"; document.querySelector("h1").style.width = "3000px"',
    );
    assert.deepEqual((await violations(page)).map((each) => each.split(':')[0]).sort(), [
      'color-contrast',
      'label',
      'label-title-only',
    ]);
    assert.deepEqual(await sticksOut(page), ['H1#']);
    await context.close();
  });

  it('has its landmarks, its headings in order, one polite live region for the line', async () => {
    const { page, context } = await newPage(browser);
    await openReset({ world, page });
    for (const role of ['banner', 'main', 'contentinfo', 'navigation'] as const) {
      assert.equal(await page.getByRole(role).count(), 1, role);
    }
    const headings = await page.locator('h1, h2, h3').evaluateAll((all) => all.map(({ tagName }) => tagName));
    assert.deepEqual(headings, ['H1', 'H2', 'H2', 'H2']);
    const line = page.getByRole('status').filter({ hasText: 'waiting for your email' });
    assert.equal(await line.count(), 1);
    assert.equal(await line.getAttribute('aria-live'), null, 'a status is polite by itself');
    assert.equal(await page.getByLabel('The 8 digits from our reply').getAttribute('autocomplete'), 'one-time-code');
    await context.close();
  });

  it('takes the focus through everything that can be used, in the order of reading, and shows where it is', async () => {
    const { page, context } = await newPage(browser);
    await openReset({ world, page });
    const order: string[] = [];
    for (let presses = 0; presses < 20; presses++) {
      await page.keyboard.press('Tab');
      const here = await page.evaluate<string | undefined>(`(() => {
        const { activeElement: it } = document;
        if (it === document.body) return undefined;
        return (it.id || it.textContent.trim()) + (getComputedStyle(it).outlineStyle === 'none' ? ' unseen' : '');
      })()`);
      if (here === undefined) break;
      order.push(here);
    }
    const links = ['mailto', 'test-mailbox', 'Gmail', 'Outlook (school or work)', 'Outlook.com', 'Yahoo Mail', 'copy'];
    const rest = [
      'Send it from your phone',
      'I cannot send an email',
      'code',
      'Continue',
      'Why do I have to send an email?',
    ];
    const last = ['I got an email about a change that was not mine', 'other', 'Start again'];
    assert.deepEqual(order, [...links, ...rest, ...last, 'Deutsch', 'Fran\u00e7ais', 'Espa\u00f1ol']);
    await context.close();
  });

  for (const width of [1100, 320]) {
    it(`is laid out from right to left where a language is written so, at ${width} px`, async () => {
      const { page, context } = await newPage(browser, { width });
      await page.route('**/reset', async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, body: (await answer.text()).replace(' dir="ltr">', ' dir="rtl">') });
      });
      await openReset({ world, page });
      assert.equal(await page.locator('html').getAttribute('dir'), 'rtl');
      assert.deepEqual(await sticksOut(page), []);
      const [heading, text, address] = await Promise.all([
        page.locator('h1').boundingBox(),
        page.locator('#mailto').boundingBox(),
        page.locator('#address').evaluate((each) => String(each.getAttribute('dir'))),
      ]);
      assert.ok(heading && text);
      const rightEdge = heading.x + heading.width;
      assert.ok(text.x + text.width <= rightEdge + 1);
      assert.ok(width === 320 || text.x + text.width < rightEdge - 40, 'the number of the step stands to the right');
      assert.equal(address, 'ltr', 'an address is read from the left in every language');
      assert.deepEqual(await violations(page), []);
      await context.close();
    });
  }
});
