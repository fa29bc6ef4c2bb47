// `npm run screenshots`: a picture of every page in every state, wide and on a phone, light and dark, into
// test/screenshots/ (which git ignores). For eyes; what can be checked by a machine is in accessibility.test.ts.

import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newPage, openBrowser } from '../support/browser.ts';
import { TestClock } from '../support/clock.ts';
import { startWorld } from '../support/world.ts';
import { mailboxStates } from './mailbox-states.ts';
import { stageOverrides, states } from './states.ts';

const folder = join(import.meta.dirname, '../screenshots');
const only = process.argv[2];
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const clock = new TestClock();
const [browser, world] = await Promise.all([openBrowser(), startWorld(stageOverrides, clock)]);
try {
  for (const { name, says, reach } of [...states, ...mailboxStates]) {
    if (only !== undefined && !name.includes(only)) continue;
    const { page, context } = await newPage(browser);
    const putRight = await reach({ world, clock, page });
    await page.locator('main').filter({ hasText: says }).waitFor();
    await page.waitForLoadState(); // the text may be there before the rest of the page
    for (const width of [1100, 360]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        const path = join(folder, `${name}-${width === 360 ? 'phone' : 'wide'}-${colorScheme}.png`);
        await page.screenshot({ path, fullPage: true });
      }
    }
    await putRight?.();
    await context.close();
    console.log(name);
  }
} finally {
  await browser.close();
  await world.close();
}
