// The whole loop as people do it, in a real browser: with the mouse, with the keyboard alone, without script, on a small
// dark screen, in German, on two devices, in two tabs, with a slow mail and a refused one, and back and forth.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import jsQR from 'jsqr';
import type { BrowserContext, Page } from 'playwright-core';
import { digitsAt, readKey } from '../support/authenticator.ts';
import { newPage, openBrowser, type PageOptions, visitWith, type WatchedPage } from '../support/browser.ts';
import { codeIn, replyTo, startWorld, type World } from '../support/world.ts';
import {
  codeFor,
  enrol,
  enter,
  openEnrolment,
  openReset,
  openTyped,
  passFactor,
  readReset,
  setPassword,
  showQrCode,
  until,
} from './states.ts';

const amy = 'amy.pond@school.example';
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

/** Sends the mail that is filled in in the test mailbox, reads the reply there, and gives back its code. */
async function writeAndRead(mailbox: Page, identity: string): Promise<string> {
  await mailbox.locator(`[name=identity][value=${identity}]`).check();
  await mailbox.locator('#send').click();
  assert.match((await mailbox.locator('#smtp-answer').textContent()) ?? '', /250 2\.0\.0/);
  await mailbox.locator('a#inbox').click();
  await mailbox.locator('ol#messages li a').first().click();
  return codeOn(mailbox);
}

async function codeOn(mailbox: Page): Promise<string> {
  const code = /^\d{4} \d{4}$/m.exec((await mailbox.locator('pre#text').textContent()) ?? '')?.[0];
  assert.ok(code !== undefined, 'no code in the reply');
  return code;
}

async function openMailbox({ page, context }: WatchedPage): Promise<Page> {
  const [mailbox] = await Promise.all([context.waitForEvent('page'), page.locator('#test-mailbox').click()]);
  return mailbox;
}

/** What a camera reads from a QR code on the page. */
async function readPicture(page: Page, id: string): Promise<string | undefined> {
  const size = 300;
  const dots = await page.evaluate<string>(`(() => {
    const pen = new OffscreenCanvas(${size}, ${size}).getContext('2d');
    pen.drawImage(document.getElementById('${id}'), 0, 0, ${size}, ${size});
    return pen.getImageData(0, 0, ${size}, ${size}).data.reduce((all, level, at) => at % 4 ? all : all + (level > 127 ? 1 : 0), '');
  })()`);
  const pixels = Uint8ClampedArray.from([...dots].flatMap((dot) => [...Array(3).fill(Number(dot) * 255), 255]));
  return jsQR.default(pixels, size, size)?.data;
}

/** A mailbox was proved and its first account is chosen. */
async function proved(page: Page, identity: 'smith'): Promise<void> {
  await openReset({ world, page });
  await enter(page, await codeFor({ world, page }, identity));
  await page.locator('#accounts button').click();
  await page.locator('#chosen').waitFor();
}

const lineSays = (page: Page, text: RegExp) => page.locator('#line').filter({ hasText: text }).waitFor();
const focused = (page: Page) => page.evaluate('document.activeElement.id');
const main = async (page: Page) => (await page.locator('main').textContent()) ?? '';

// First of all: later some accounts have a second factor.
describe('the loop without a mail of the person', () => {
  it('by an address that is typed, with the keyboard, and without script', async () => {
    for (const javaScript of [true, false]) {
      await visit({ javaScript }, async ({ page, context }) => {
        const address = javaScript ? 'ms.smith@school.example' : 'jo.grant@company.example';
        await openTyped({ world, page });
        await page.locator('#typed-address:focus').waitFor();
        await page.keyboard.type(address);
        await page.keyboard.press('Enter');
        await page.waitForURL('**/reset');
        await lineSays(page, /If an account uses the address you typed/);
        assert.ok(!(await page.content()).includes(address));
        const { label } = await readReset(page);
        const code = await codeIn(await replyTo(world, address, label, 15_000)); // not before the address is looked up
        await page.locator('#code:focus').waitFor();
        await lineSays(page, /If an account uses the address you typed/);
        await page.locator('#code').fill(code);
        await page.keyboard.press('Enter');
        await page.waitForURL('**/reset/accounts');
        assert.match(await main(page), new RegExp(`Our code went to ${address}`));
        await page.locator('#accounts button').click();
        await setPassword({ page }, 'blue kettle winter piano');
        await page.locator('main').filter({ hasText: 'Your new password is set' }).waitFor();
        assert.deepEqual(context.pages().length, 1);
      });
    }
  });
});

describe('the whole loop', () => {
  it('with the mouse: the line moves by itself and the focus goes to the code', () =>
    visit({}, async (visited) => {
      const { page } = visited;
      await openReset({ world, page });
      await lineSays(page, /waiting for your email/);
      const code = await writeAndRead(await openMailbox(visited), 'amy');
      await lineSays(page, /sent our reply/);
      await until(page, 'document.activeElement.id === "code"');
      assert.ok(!(await page.content()).includes(amy), 'no mailbox before the That was the right code');
      await page.locator('#code').fill(code);
      await page.locator('#code-form button').click();
      await page.waitForURL('**/reset/accounts');
      assert.match(await main(page), /amy\.pond@school\.example.*apond.*amy\.chess/s);
      await page.locator('#accounts button').filter({ hasText: 'amy.chess' }).click();
      await page.locator('#password').waitFor();
      assert.equal(await page.locator('#chosen').textContent(), 'amy.chess');
      await page.locator('#password').fill('blue kettle winter piano');
      await page.locator('#show').click();
      assert.equal(await page.locator('#repeated').getAttribute('type'), 'text');
      await page.locator('#repeated').fill('blue kettle winter piano');
      await page.locator('#password-form [type=submit]').click();
      await page.locator('main').filter({ hasText: 'Your new password is set' }).waitFor();
      assert.doesNotMatch(page.url(), /[?#]/);
    }));

  it('with the keyboard alone', () =>
    visit({}, async ({ page, context }) => {
      await openReset({ world, page });
      const tabTo = async (on: Page, what: string) => {
        for (let presses = 0; presses < 40; presses++) {
          await on.keyboard.press('Tab');
          if (await on.evaluate(`document.activeElement.matches('${what}')`)) return;
        }
        assert.fail(`the focus never came to ${what}`);
      };
      await tabTo(page, '#test-mailbox');
      const [mailbox] = await Promise.all([context.waitForEvent('page'), page.keyboard.press('Enter')]);
      await mailbox.locator('#send').waitFor();
      await tabTo(mailbox, '#send');
      await mailbox.keyboard.press('Enter');
      await mailbox.locator('#inbox').waitFor();
      await tabTo(mailbox, '#inbox');
      await mailbox.keyboard.press('Enter');
      await mailbox.locator('ol#messages').waitFor();
      await tabTo(mailbox, 'ol#messages a');
      await mailbox.keyboard.press('Enter');
      await mailbox.locator('pre#text').waitFor();
      const code = await codeOn(mailbox);
      await page.bringToFront();
      await until(page, 'document.activeElement.id === "code"');
      await page.keyboard.type(code);
      await page.keyboard.press('Enter');
      await page.locator('#accounts').waitFor();
      await tabTo(page, '#accounts button');
      await page.keyboard.press('Enter');
      await page.locator('#password:focus').waitFor();
      await page.keyboard.type('kettle winter piano blue'); // the first field has the focus
      await page.keyboard.press('Tab');
      await page.keyboard.type('kettle winter piano blue');
      await page.keyboard.press('Enter');
      await page.locator('main').filter({ hasText: 'Your new password is set' }).waitFor();
    }));

  it('without script, at 320 px, in the dark, in German', () =>
    visit({ javaScript: false, width: 320, dark: true, locale: 'de-AT' }, async (visited) => {
      const { page } = visited;
      await openReset({ world, page });
      for (const id of ['copy', 'paste-help', 'no-connection']) assert.ok(await page.locator(`#${id}`).isHidden(), id);
      const code = await writeAndRead(await openMailbox(visited), 'jo');
      await page.locator('#look-again a').click();
      await lineSays(page, /Unsere Antwort ist/);
      await page.locator('#code').fill(`Ihr Code: ${code}.`);
      await page.locator('#code').press('Enter');
      await page.waitForURL('**/reset/accounts');
      assert.match(await main(page), /Ihr Postfach ist bestätigt.*jo\.grant@company\.example.*jgrant/s);
      await page.locator('#accounts button').click();
      assert.ok(await page.locator('#show').isHidden());
      await page.locator('#password').fill('kurz');
      await page.locator('#repeated').fill('kurz');
      await page.locator('#repeated').press('Enter');
      await page.locator('#problem').filter({ hasText: 'zu kurz' }).waitFor();
      await setPassword({ page }, 'Hüte, Kessel und Winter');
      assert.match(await main(page), /Ihr neues Passwort gilt ab jetzt/);
    }));

  it('with a second factor: enrolled with a camera, asked for without script, and set up anew by hand', async () => {
    const code: string[] = [];
    await visit({}, async ({ page, context }) => {
      await proved(page, 'smith');
      await setPassword({ page }, 'blue kettle winter piano');
      const secret = await openEnrolment({ page });
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.webUrl });
      await page.locator('#copy').click();
      await page.locator('#copied').filter({ hasText: 'Copied' }).waitFor();
      assert.deepEqual(readKey(String(await page.evaluate('navigator.clipboard.readText()'))), secret);
      await until(page, 'document.getElementById("enrol-qr-code").naturalWidth > 0');
      const uri = new URL((await readPicture(page, 'enrol-qr-code')) ?? '');
      assert.equal(decodeURIComponent(uri.pathname), '/Example School:ssmith');
      assert.deepEqual(readKey(uri.searchParams.get('secret') ?? ''), secret);
      await enrol({ page }, digitsAt(secret, Date.now()));
      code.push(...(await page.locator('#recovery-codes code').allTextContents()));
      assert.equal(code.length, 10);
      await page.evaluate('window.print = () => { document.title = "printed"; }');
      await page.locator('#print').click();
      assert.equal(await page.title(), 'printed');
      await page.getByRole('link', { name: 'I have kept them' }).click();
      assert.match(await main(page), /new password is set/);
      assert.doesNotMatch(page.url(), /[?#]/);
    });
    await visit({ javaScript: false, width: 320 }, async ({ page }) => {
      await proved(page, 'smith');
      await passFactor({ page }, '0000-0000-0000-0000');
      await page.locator('#problem').filter({ hasText: 'This was not right' }).waitFor();
      await passFactor({ page }, code[3] ?? '');
      assert.match(await main(page), /At least 8 characters/);
      await setPassword({ page }, 'wp4kz7qx');
      assert.match(await main(page), /new password is set.*got a new phone/s);
      const secret = await openEnrolment({ page });
      for (const id of ['copy', 'copied']) assert.ok(await page.locator(`#${id}`).isHidden(), id);
      await enrol({ page }, digitsAt(secret, Date.now()).replace(/(...)/, '$1 '));
      assert.ok(await page.locator('#print').isHidden());
      const anew = await page.locator('#recovery-codes code').allTextContents();
      assert.deepEqual([anew.length, anew.filter((each) => code.includes(each))], [10, []]);
    });
  });

  it('on two devices: the QR code is read by a phone, the code is typed at the desk', async () => {
    const desk = await newPage(browser);
    const phone = await newPage(browser, { width: 360, locale: 'en' });
    await openReset({ world, page: desk.page });
    await showQrCode(desk.page);
    const mailto = await readPicture(desk.page, 'qr-code');
    assert.match(mailto ?? '', /^mailto:[0-9a-z]{32}@in\.school\.example\?subject=New%20password%20[A-Z-]{9}&body=/);
    await phone.page.goto(`${world.kit.mailboxPage.url}/compose?mailto=${encodeURIComponent(mailto ?? '')}`);
    const code = await writeAndRead(phone.page, 'amy');
    await lineSays(desk.page, /sent our reply/);
    await enter(desk.page, code);
    assert.match(await main(desk.page), /apond/);
    assert.deepEqual([...desk.offsite, ...desk.errors, ...phone.offsite], []);
    await Promise.all([desk.context.close(), phone.context.close()]);
  });

  it('in two tabs: both know the same address, and what one does the other sees', () =>
    visit({}, async ({ page, context }) => {
      const { address } = await openReset({ world, page });
      const other = await context.newPage();
      await openReset({ world, page: other });
      assert.equal((await readReset(other)).address, address);
      const code = await codeFor({ world, page: other });
      await Promise.all([page, other].map((each) => lineSays(each, /sent our reply/)));
      await enter(other, code);
      await page.locator('main').filter({ hasText: 'That was the right code.' }).waitFor();
      await page.getByRole('link', { name: 'Continue' }).click();
      assert.match(await main(page), /apond/);
    }));

  it('in two tabs: one that starts again takes the other along, whose code would not be taken any more', () =>
    visit({}, async ({ page, context }) => {
      const { address } = await openReset({ world, page });
      const other = await context.newPage();
      await openReset({ world, page: other });
      await other.locator('#start-again button').click();
      await other.waitForLoadState();
      const next = await readReset(other);
      assert.notEqual(next.address, address);
      await page.bringToFront();
      await page.evaluate('dispatchEvent(new Event("visibilitychange"))');
      await page.locator(`#address[data-address="${next.address}"]`).waitFor();
    }));

  it('survives reload and back at every step', () =>
    visit({}, async ({ page }) => {
      const { address } = await openReset({ world, page });
      await page.reload();
      assert.equal((await readReset(page)).address, address);
      const code = await codeFor({ world, page });
      await page.reload();
      await lineSays(page, /sent our reply/);
      assert.equal(await focused(page), 'code', 'a page that is loaded then starts there');
      await enter(page, '0000 0000');
      await page.goBack();
      await lineSays(page, /sent our reply/);
      await page.goForward();
      await enter(page, code);
      await page.waitForURL('**/reset/accounts');
      await page.reload();
      assert.match(await main(page), /apond/);
      await page.locator('#accounts button').first().click();
      await page.locator('#chosen').waitFor();
      await page.goBack();
      await page.locator('#accounts').waitFor();
      await page.goBack();
      await page
        .locator('main')
        .filter({ hasText: /The That was the right code|already been used/ })
        .waitFor();
      await page.goForward();
      assert.match(await main(page), /apond/);
      assert.doesNotMatch(page.url(), /[?#]/);
    }));

  it('says so when the mailbox has no account, and lets another one try', () =>
    visit({}, async ({ page }) => {
      await openReset({ world, page });
      await enter(page, await codeFor({ world, page }, 'rory'));
      assert.match(await main(page), /No account uses rory\.williams@school\.example/);
      await page.locator('#start-again button').click();
      await enter(page, await codeFor({ world, page }, 'jo'));
      assert.match(await main(page), /jgrant/);
    }));
});

describe('mail that is slow or refused', () => {
  it('is told step by step while DNS is slow', async () => {
    const slow = await startWorld(); // one that has asked DNS nothing yet
    try {
      const { zone } = slow.kit;
      const key = Object.keys(zone).find((name) => name.includes('rsa._domainkey.school.example')) ?? '';
      const records = zone[key] ?? {};
      await visit({}, async ({ page }) => {
        Object.assign(zone, { [key]: { fail: 'silent' } });
        const mail = await openReset({ world: slow, page });
        const sent = slow.kit.send('amy', { to: mail.address, subject: mail.label });
        await lineSays(page, /We are checking that it is really from you/);
        Object.assign(zone, { [key]: records });
        const { code } = await sent;
        if (code !== 250) await slow.kit.send('amy', { to: mail.address, subject: mail.label });
        await lineSays(page, /sent our reply/);
      });
    } finally {
      await slow.close();
    }
  });

  it('is explained at once, and a good mail after it is answered on the same page', () =>
    visit({}, async ({ page }) => {
      const { address, label } = await openReset({ world, page });
      assert.ok(await page.locator('#verdict').isHidden());
      await world.kit.send('forger', { to: address, subject: label });
      await lineSays(page, /could not confirm/);
      await page.locator('#verdict > summary').click();
      assert.match((await page.locator('#verdict').textContent()) ?? '', /dmarc=fail/);
      const code = await codeFor({ world, page });
      await lineSays(page, /sent our reply/);
      assert.ok(await page.locator('#verdict').isHidden());
      await enter(page, code);
      assert.match(await main(page), /apond/);
    }));
});

describe('what script adds', () => {
  it('the line moves by asking where events do not come through', () =>
    visit({}, async ({ page }) => {
      await page.route('**/reset/events', (route) => route.fulfill({ status: 204 }));
      await openReset({ world, page });
      await codeFor({ world, page });
      await lineSays(page, /sent our reply/);
      assert.equal(await focused(page), 'code');
    }));

  it('the line moves by asking where a proxy holds events back', () =>
    visit({}, async ({ page }) => {
      await page.clock.install();
      await page.route('**/reset/events', () => {}); // never answered
      await openReset({ world, page });
      await codeFor({ world, page });
      await page.clock.runFor(6_000);
      await lineSays(page, /sent our reply/);
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    }));

  it('a page whose key is gone gets a fresh address at once, and says why', () =>
    visit({}, async ({ page, context }) => {
      const { address } = await openReset({ world, page });
      await context.addCookies([{ name: 'rtv-challenge', value: 'of-another-key', url: world.webUrl }]);
      await page.route('**/reset/events', (route) => route.fulfill({ status: 204 })); // as if it had been cut
      await page.evaluate('dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))');
      await page.locator('#renewed').filter({ hasText: 'This one is new' }).waitFor();
      assert.notEqual((await readReset(page)).address, address);
    }));

  it('copies the address as mail programs want it, by the button and by hand', () =>
    visit({}, async ({ page, context }) => {
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.webUrl });
      const { address } = await openReset({ world, page });
      const clipboard = () => page.evaluate('navigator.clipboard.readText()');
      await page.locator('#copy').click();
      await page.locator('#copied').filter({ hasText: 'Copied' }).waitFor();
      assert.equal(await clipboard(), address);
      await page.evaluate('navigator.clipboard.writeText("something else")');
      await page.evaluate('getSelection().selectAllChildren(document.getElementById("address"))');
      assert.match(String(await page.evaluate('getSelection().toString()')), /^(?:[0-9a-z]{4}-){7}[0-9a-z]{4}\s*@/);
      await page.keyboard.press('Control+C');
      assert.equal(await clipboard(), address);
    }));

  const pastes = [
    ['alone', (code: string) => code],
    ['with words around it', (code: string) => `Your code is ${code}, it says here.`],
    ['with a hyphen', (code: string) => code.replace(' ', '-')],
    [
      'with the whole reply',
      (code: string) => `${code}\n\nThis is your code to set a new password.\nThe page shows KQXF-WTMB.`,
    ],
  ] as const;
  for (const [name, written] of pastes) {
    it(`a code that is pasted ${name} goes on by itself`, () =>
      visit({}, async ({ page, context }) => {
        await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.webUrl });
        await openReset({ world, page });
        const code = await codeFor({ world, page });
        await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(written(code))})`);
        await page.locator('#code').focus();
        await page.keyboard.press('Control+V');
        await page.waitForURL('**/reset/accounts');
      }));
  }

  it('something else that is pasted waits for the person', () =>
    visit({}, async ({ page, context }) => {
      await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.webUrl });
      await openReset({ world, page });
      await page.evaluate('navigator.clipboard.writeText("1234 5678 and 8765 4321")');
      await page.locator('#code').focus();
      await page.keyboard.press('Control+V');
      assert.equal(await page.locator('#code').inputValue(), '1234 5678 and 8765 4321');
    }));
});

describe('the language', () => {
  it('is changed on the page without losing the request, and the reply speaks it', () =>
    visit({ locale: 'en' }, async ({ page }) => {
      const before = await openReset({ world, page });
      await page.getByRole('button', { name: 'Español' }).click();
      await page.locator('h1').filter({ hasText: 'Elegir una nueva contraseña' }).waitFor();
      assert.equal(await page.locator('html').getAttribute('lang'), 'es');
      const after = await readReset(page);
      assert.equal(after.label, before.label);
      assert.notEqual(after.address, before.address, 'the address carries the language');
      const code = await codeFor({ world, page });
      await lineSays(page, /Ya hemos enviado nuestra respuesta/);
      const reply = world.kit.sink.messages.find(({ raw }) => raw.toString('latin1').includes(after.label));
      assert.match((await reply?.view())?.text ?? '', /Este es su código/);
      await enter(page, '1111 1111');
      assert.match(await main(page), /Este no es el código correcto/);
      await enter(page, code);
      assert.match(await main(page), /Su dirección de correo está confirmada/);
      await page.getByRole('button', { name: 'Deutsch' }).click();
      await page.waitForURL('**/reset/accounts');
      assert.match(await main(page), /Ihr Postfach ist bestätigt.*apond/s);
      await page.goto(`${world.webUrl}/nothing`);
      assert.match(await main(page), /Diese Seite gibt es hier nicht/);
    }));

  it('of a mail to the address of before is that of before: nothing that was copied is lost', () =>
    visit({}, async ({ page }) => {
      const { address, label } = await openReset({ world, page });
      await page.getByRole('button', { name: 'Français' }).click();
      await page.locator('h1').filter({ hasText: 'Choisir' }).waitFor();
      assert.equal((await world.kit.send('amy', { to: address, subject: label })).code, 250);
      await lineSays(page, /Notre réponse est partie/);
    }));
});

/** Bytes of everything that a page loads. */
async function weigh(
  page: Page,
  context: BrowserContext,
  load: () => Promise<void>,
): Promise<readonly (readonly [string, number])[]> {
  const loaded: Promise<readonly [string, number]>[] = [];
  context.on('response', (answer) => {
    const name = new URL(answer.url()).pathname;
    if (!name.endsWith('/events')) loaded.push(answer.body().then((body) => [name, body.length] as const));
  });
  await load();
  await page.waitForLoadState();
  return Promise.all(loaded);
}

describe('the weight of the reset page', () => {
  for (const locale of ['en', 'de', 'fr', 'es']) {
    it(`is below 40 kB with everything unfolded (${locale})`, () =>
      visit({ locale }, async ({ page, context }) => {
        const parts = await weigh(page, context, async () => {
          await openReset({ world, page });
          await showQrCode(page);
        });
        assert.deepEqual(parts.length, 4, 'page, style, script, QR code');
        const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0);
        assert.ok(total > 10_000 && total < 40_000, `${total} bytes`);
      }));
  }
});
