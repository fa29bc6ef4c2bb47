// Every page in every state, and how a person gets there: one list, for the accessibility test and for the screenshots.
// Each state starts with an empty browser; the service, the clock and the kit are shared and put right again afterwards.

import { rename } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import type { Purpose } from '../../src/core/purpose.ts';
import { digitsAt, readKey, wrongDigitsAt } from '../support/authenticator.ts';
import type { TestClock } from '../support/clock.ts';
import { codeIn, replyTo, type World } from '../support/world.ts';

/** Limits that let a state be reached with few posts. */
export const stageOverrides = { 'limits.wrongCodesPerMailboxPerDay': 8, 'limits.typedPerAddressPerDay': 1 };

export interface Stage {
  readonly world: World;
  readonly clock: TestClock;
  /** In a context of its own, nothing loaded yet. */
  readonly page: Page;
}

export interface State {
  readonly name: string;
  /** Text that must be on the page once it is there. */
  readonly says: RegExp;
  /** @returns what is to be put right when the page was looked at */
  reach(stage: Stage): Promise<(() => Promise<void>) | undefined>;
}

type Identity = Parameters<World['kit']['send']>[0];

/** Loads the page of an errand and tells what is on it. */
export async function openReset({ world, page }: Pick<Stage, 'world' | 'page'>, purpose: Purpose = 'reset') {
  await page.goto(`${world.webUrl}/${purpose}`);
  return readReset(page);
}

export async function readReset(page: Page) {
  const address = (await page.locator('#address').getAttribute('data-address')) ?? '';
  const label = /[A-Z]{4}-[A-Z]{4}/.exec((await page.locator('#label').textContent()) ?? '')?.[0] ?? '';
  return { address, label };
}

/** Sends the mail of an open page and gives back the code that comes. */
export async function codeFor(
  { world, page }: Pick<Stage, 'world' | 'page'>,
  identity: Identity = 'amy',
): Promise<string> {
  const { address, label } = await readReset(page);
  const { code, text } = await world.kit.send(identity, { to: address, subject: label });
  if (code !== 250) throw new Error(`the mail got ${code} ${text}`);
  const mailbox = world.kit.identities.find(({ key }) => key === identity)?.mailbox ?? '';
  return codeIn(await replyTo(world, mailbox, label));
}

/** Waits until an expression is true on the page. Not `waitForFunction`: that evaluates text, which our policy forbids. */
export async function until(page: Page, expression: string): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) if (await page.evaluate<boolean>(expression)) return;
  throw new Error(`the page never came to: ${expression}`);
}

/** Unfolds the QR code and waits until it is there. */
export async function showQrCode(page: Page): Promise<void> {
  await page.locator('#phone > summary').click();
  await until(page, 'document.getElementById("qr-code").naturalWidth > 0');
}

/** Goes to the page for who cannot send a mail. */
export async function openTyped(stage: Pick<Stage, 'world' | 'page'>): Promise<void> {
  await openReset(stage);
  await stage.page.locator('#cannot-send > summary').click();
  await stage.page.locator('#cannot-send a').click();
  await stage.page.locator('#typed-form').waitFor();
}

/** Types an address and waits for what comes. */
export async function typeAddress(page: Page, address: string): Promise<void> {
  await page.locator('#typed-address').fill(address);
  await Promise.all([page.waitForEvent('load'), page.locator('#typed-form [type=submit]').click()]);
}

/** Types a code and waits for what comes. */
export async function enter(page: Page, code: string): Promise<void> {
  await page.locator('#code').fill(code);
  await Promise.all([page.waitForEvent('load'), page.locator('#code-form button').click()]);
}

const notThisCode = (code: string, by: number) => String((Number(code.replace(' ', '')) + by) % 1e8).padStart(8, '0');

async function says(page: Page, pattern: RegExp): Promise<void> {
  await page.locator('main').filter({ hasText: pattern }).waitFor();
}

/** A page whose mail was answered, with the code of the answer. */
async function answered(stage: Stage, identity: Identity = 'amy', purpose: Purpose = 'reset'): Promise<string> {
  await openReset(stage, purpose);
  const code = await codeFor(stage, identity);
  await says(stage.page, /sent our reply/);
  return code;
}

async function verified(stage: Stage, identity: Identity = 'amy', purpose: Purpose = 'reset'): Promise<void> {
  await enter(stage.page, await answered(stage, identity, purpose));
  await stage.page.waitForURL(`**/${purpose}/${purpose === 'confirm' ? 'mailbox' : 'accounts'}`);
}

async function chosen(stage: Stage, identity: Identity = 'amy', purpose: Purpose = 'reset'): Promise<void> {
  await verified(stage, identity, purpose);
  await stage.page.locator('#accounts button').first().click();
  await stage.page.locator('#password').waitFor();
}

/** An account without a second factor; once the states of recovery codes were reached, one with. */
async function chosenChess(stage: Stage): Promise<void> {
  await verified(stage);
  await stage.page.locator('#accounts button').filter({ hasText: 'amy.chess' }).click();
  await stage.page.locator('#chosen').waitFor();
}

/** The page that shows the key of an app, and that key. */
export async function openEnrolment({ page }: Pick<Stage, 'page'>): Promise<Uint8Array> {
  await page.locator('main a[href="/reset/enrol"]').click();
  await page.locator('#key').waitFor();
  return readKey((await page.locator('#key').textContent()) ?? '');
}

/** Types what an app shows and waits for what comes. */
export async function enrol({ page }: Pick<Stage, 'page'>, digits: string): Promise<void> {
  await page.locator('#code').fill(digits);
  await Promise.all([page.waitForEvent('load'), page.locator('#enrol-form button').click()]);
}

/** Types a second factor and waits for what comes. */
export async function passFactor({ page }: Pick<Stage, 'page'>, typed: string): Promise<void> {
  await page.locator('#factor').fill(typed);
  await Promise.all([page.waitForEvent('load'), page.locator('#factor-form button').click()]);
}

/** The page that shows a key, of the account that has no second factor yet. */
async function enrolling(stage: Stage): Promise<Uint8Array> {
  await chosenChess(stage);
  await setPassword(stage, 'blue kettle winter piano');
  return openEnrolment(stage);
}

/** The page that asks for a second factor. */
async function asked(stage: Stage): Promise<void> {
  await chosenChess(stage);
  if (await stage.page.locator('#factor').isVisible()) return;
  await setPassword(stage, 'blue kettle winter piano');
  await enrol(stage, digitsAt(await openEnrolment(stage), stage.clock.now()));
  await stage.page.context().clearCookies();
  await chosenChess(stage);
}

/** Types a password twice and waits for what comes. */
export async function setPassword({ page }: Pick<Stage, 'page'>, password: string): Promise<void> {
  await page.locator('#password').fill(password);
  await page.locator('#repeated').fill(password);
  await Promise.all([page.waitForEvent('load'), page.locator('#password-form [type=submit]').click()]);
}

async function undo(page: Page, code: string): Promise<void> {
  await page.locator('#code').fill(code);
  await Promise.all([page.waitForEvent('load'), page.locator('#undo-form button').click()]);
}

/** Opens a page and sends its mail while the relay does not take the reply. @returns puts the relay right */
export async function withRelayThat(does: 'refuse' | 'defer', stage: Stage): Promise<() => Promise<void>> {
  const { sink } = stage.world.kit;
  sink.faults = [{ at: 'rcpt', does }];
  const { address, label } = await openReset(stage);
  await stage.world.kit.send('amy', { to: address, subject: label });
  return async () => {
    sink.faults = [];
  };
}

/** The page without its live line, as behind a network that lets nothing through. */
async function cutOff({ page }: Stage): Promise<void> {
  await page.route(/\/reset\/(?:events|progress)$/, (route) => route.abort());
}

const nothing = async () => undefined;

export const states: readonly State[] = [
  { name: 'reset', says: /waiting for your email/, reach: (stage) => openReset(stage).then(nothing) },
  {
    name: 'reset-folds',
    says: /camera of your phone/,
    async reach(stage) {
      await openReset(stage);
      await stage.page.locator('#why > summary').click();
      await showQrCode(stage.page);
      await stage.page.locator('#cannot-send > summary').click();
      return undefined;
    },
  },
  {
    name: 'mail-arrived',
    says: /checking that it is really from you/,
    async reach(stage) {
      const { zone } = stage.world.kit;
      const key = Object.keys(zone).find((name) => name.includes('rsa._domainkey.school.example')) ?? '';
      const records = zone[key] ?? {};
      Object.assign(zone, { [key]: { fail: 'silent' } });
      const { address, label } = await openReset(stage);
      const sent = stage.world.kit.send('amy', { to: address, subject: label });
      return async () => {
        Object.assign(zone, { [key]: records });
        await sent;
      };
    },
  },
  {
    name: 'mail-refused',
    says: /could not confirm/,
    async reach(stage) {
      const { address, label } = await openReset(stage);
      await stage.world.kit.send('forger', { to: address, subject: label });
      await stage.page.locator('#verdict > summary').click();
      return undefined;
    },
  },
  { name: 'typed', says: /Type your address in/, reach: (stage) => openTyped(stage).then(nothing) },
  {
    name: 'typed-address-refused',
    says: /cannot send a code to this address/,
    async reach(stage) {
      await openTyped(stage);
      await typeAddress(stage.page, 'no-reply@school.example');
      return undefined;
    },
  },
  {
    name: 'code-requested',
    says: /If an account uses the address you typed/,
    async reach(stage) {
      await openTyped(stage);
      await typeAddress(stage.page, 'somebody@school.example');
      return undefined;
    },
  },
  {
    name: 'address-asked-often',
    says: /This address was typed in often/,
    async reach(stage) {
      await openTyped(stage);
      await typeAddress(stage.page, 'often@school.example');
      await stage.page.context().clearCookies();
      await openTyped(stage);
      await typeAddress(stage.page, 'often@school.example');
      return undefined;
    },
  },
  { name: 'reply-delayed', says: /could not deliver our reply yet/, reach: (stage) => withRelayThat('defer', stage) },
  {
    name: 'reply-failed',
    says: /could not deliver our reply to your mailbox/,
    reach: (stage) => withRelayThat('refuse', stage),
  },
  { name: 'reply-handed-over', says: /sent our reply/, reach: (stage) => answered(stage).then(nothing) },
  {
    name: 'another-mail-refused',
    says: /sent our reply.*was a reply to another one/s,
    async reach(stage) {
      await answered(stage);
      const { address, label } = await readReset(stage.page);
      const headers = { 'In-Reply-To': '<1@x.example>' };
      await stage.world.kit.send('amy', { to: address, subject: label, headers });
      return undefined;
    },
  },
  {
    name: 'mail-not-seen',
    says: /No email has arrived for this page yet/,
    async reach(stage) {
      await openReset(stage);
      await enter(stage.page, '12345678');
      return undefined;
    },
  },
  {
    name: 'code-malformed',
    says: /8 digits/,
    async reach(stage) {
      await answered(stage);
      await enter(stage.page, '1234');
      return undefined;
    },
  },
  {
    name: 'code-wrong',
    says: /4 more tries/,
    async reach(stage) {
      await enter(stage.page, notThisCode(await answered(stage, 'jo'), 1));
      return undefined;
    },
  },
  {
    name: 'locked',
    says: /Too many wrong codes/,
    async reach(stage) {
      const code = await answered(stage, 'smith');
      for (let by = 1; by <= 5; by++) await enter(stage.page, notThisCode(code, by));
      return undefined;
    },
  },
  {
    name: 'locked-page',
    says: /Too many wrong codes/,
    async reach(stage) {
      const code = await answered(stage, 'jo');
      for (let by = 1; by <= 5; by++) await enter(stage.page, notThisCode(code, by));
      await stage.page.goto(`${stage.world.webUrl}/reset`);
      return undefined;
    },
  },
  {
    name: 'codes-exhausted',
    says: /wait 24 hours/,
    async reach(stage) {
      // The six wrong codes of the states before count as well.
      const code = await answered(stage, 'jo');
      for (let by = 1; by <= 3; by++) await enter(stage.page, notThisCode(code, by));
      return undefined;
    },
  },
  { name: 'accounts', says: /Which account/, reach: (stage) => verified(stage).then(nothing) },
  { name: 'password', says: /Choose your new password/, reach: (stage) => chosen(stage).then(nothing) },
  {
    name: 'password-shown',
    says: /Hide what I type/,
    async reach(stage) {
      await chosen(stage);
      await stage.page.locator('#password').fill('blue kettle winter piano');
      await stage.page.locator('#show').click();
      return undefined;
    },
  },
  {
    name: 'password-refused',
    says: /too short/,
    async reach(stage) {
      await chosen(stage);
      await setPassword(stage, 'kettle');
      return undefined;
    },
  },
  {
    name: 'password-set',
    says: /new password is set/,
    async reach(stage) {
      await chosen(stage);
      await setPassword(stage, 'blue kettle winter piano');
      return undefined;
    },
  },
  // By now one of her accounts has a password, and the other one has none.
  {
    name: 'activate-accounts',
    says: /Active already/,
    reach: (stage) => verified(stage, 'amy', 'activate').then(nothing),
  },
  {
    name: 'activated',
    says: /Your account is ready/,
    async reach(stage) {
      await chosen(stage, 'amy', 'activate');
      await setPassword(stage, 'blue kettle winter piano');
      return undefined;
    },
  },
  {
    name: 'confirm-mailbox',
    says: /Nothing else changes/,
    reach: (stage) => verified(stage, 'amy', 'confirm').then(nothing),
  },
  {
    name: 'confirmed',
    says: /Your address is confirmed/,
    async reach(stage) {
      await verified(stage, 'amy', 'confirm');
      await stage.page.locator('#confirm button').click();
      return undefined;
    },
  },
  { name: 'enrol', says: /type this key into the app/, reach: (stage) => enrolling(stage).then(nothing) },
  {
    name: 'enrolment-code-wrong',
    says: /not the digits that the app should show/,
    async reach(stage) {
      await enrol(stage, wrongDigitsAt(await enrolling(stage), stage.clock.now()));
      return undefined;
    },
  },
  {
    name: 'recovery-codes',
    says: /only this once/,
    async reach(stage) {
      await enrol(stage, digitsAt(await enrolling(stage), stage.clock.now()));
      return undefined;
    },
  },
  {
    name: 'enrolment-over',
    says: /An app can be set up once/,
    reach: ({ world, page }) => page.goto(`${world.webUrl}/reset/enrol`).then(nothing),
  },
  { name: 'second-factor', says: /The 6 digits that your app shows/, reach: (stage) => asked(stage).then(nothing) },
  {
    name: 'second-factor-wrong',
    says: /This was not right/,
    async reach(stage) {
      await asked(stage);
      await passFactor(stage, '0000-0000-0000-0000');
      return undefined;
    },
  },
  {
    name: 'second-factor-exhausted',
    says: /wrong too often. Please wait 15 minutes/,
    async reach(stage) {
      await asked(stage);
      // With one of the state before, five are wrong.
      for (let number = 1; number <= 6; number++) await passFactor(stage, `0000-0000-0000-000${number}`);
      return undefined;
    },
  },
  {
    name: 'undo',
    says: /Undo a password change/,
    reach: ({ world, page }) => page.goto(`${world.webUrl}/undo`).then(nothing),
  },
  {
    name: 'undo-code-wrong',
    says: /We do not know this code/,
    async reach(stage) {
      await stage.page.goto(`${stage.world.webUrl}/undo`);
      await undo(stage.page, '0000-0000-0000-0000');
      return undefined;
    },
  },
  {
    name: 'undone',
    says: /The change was undone/,
    async reach(stage) {
      await chosen(stage, 'smith');
      await setPassword(stage, 'blue kettle winter piano');
      const notice = await stage.world.kit.sink.waitFor(
        ({ envelope, raw }) =>
          envelope.rcptTo.includes('ms.smith@school.example') && raw.includes('Auto-Submitted: auto-generated'),
        { timeoutMs: 5000 },
      );
      const code = /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/m.exec((await notice.view()).text)?.[0] ?? '';
      await stage.page.goto(`${stage.world.webUrl}/undo`);
      await undo(stage.page, code);
      return undefined;
    },
  },
  {
    name: 'account-frozen',
    says: /A change of this account was undone/,
    async reach(stage) {
      await verified(stage, 'smith');
      await stage.page.locator('#accounts button').click();
      return undefined;
    },
  },
  {
    name: 'no-account',
    says: /No account uses rory/,
    reach: (stage) => verified(stage, 'rory').then(nothing),
  },
  {
    name: 'verified',
    says: /That was the right code/,
    async reach(stage) {
      await verified(stage);
      await stage.page.goto(`${stage.world.webUrl}/reset`);
      return undefined;
    },
  },
  {
    name: 'not-found',
    says: /This page does not exist/,
    reach: ({ world, page }) => page.goto(`${world.webUrl}/nothing/here`).then(nothing),
  },
  {
    name: 'grant-missing',
    says: /For your safety/,
    reach: ({ world, page }) => page.goto(`${world.webUrl}/reset/accounts`).then(nothing),
  },
  {
    name: 'cookie-missing',
    says: /keeps no cookies/,
    async reach(stage) {
      await openReset(stage);
      await stage.page.context().clearCookies();
      await enter(stage.page, '12345678');
      return undefined;
    },
  },
  {
    name: 'nonce-wrong',
    says: /an older page/,
    async reach(stage) {
      await openReset(stage);
      await stage.page.evaluate('document.querySelector("[name=nonce]").value = "A".repeat(43)');
      await enter(stage.page, '12345678');
      return undefined;
    },
  },
  {
    name: 'renewed',
    says: /This one is new/,
    async reach({ world, page }) {
      await page.context().addCookies([{ name: 'rtv-challenge', value: 'from-before', url: world.webUrl }]);
      await page.goto(`${world.webUrl}/reset`);
      return undefined;
    },
  },
  {
    name: 'cookies-blocked',
    says: /your browser keeps no cookies/,
    async reach({ world, page }) {
      await page.route(/\/reset\/(?:events|progress)$/, async (route) => {
        await page.context().clearCookies();
        await route.continue({ headers: { ...route.request().headers(), cookie: '' } });
      });
      await page.goto(`${world.webUrl}/reset`);
      return undefined;
    },
  },
  {
    name: 'no-connection',
    says: /no connection at the moment/,
    async reach(stage) {
      await stage.page.clock.install();
      await cutOff(stage);
      await openReset(stage);
      const line = stage.page.locator('#no-connection');
      while (!(await line.isVisible())) await stage.page.clock.runFor(1000);
      return undefined;
    },
  },
  {
    name: 'unavailable',
    says: /cannot do this right now/,
    async reach(stage) {
      const { dataDir } = stage.world;
      const code = await answered(stage);
      await rename(dataDir, `${dataDir}-away`);
      await enter(stage.page, code);
      return () => rename(`${dataDir}-away`, dataDir);
    },
  },
  // From here on the clock moves.
  {
    name: 'code-used',
    says: /already been used/,
    async reach(stage) {
      await cutOff(stage);
      await openReset(stage);
      const code = await codeFor(stage);
      const other = await stage.page.context().newPage();
      await other.goto(`${stage.world.webUrl}/reset`);
      await enter(other, code);
      stage.clock.advance(16_000);
      await enter(stage.page, code);
      return undefined;
    },
  },
  {
    name: 'finished',
    says: /request is finished/,
    async reach(stage) {
      await verified(stage);
      stage.clock.advance(10 * 60_000);
      await stage.page.goto(`${stage.world.webUrl}/reset`);
      return undefined;
    },
  },
  {
    name: 'open-too-long',
    says: /open too long/,
    async reach(stage) {
      await cutOff(stage);
      await openReset(stage);
      stage.clock.advance(61 * 60_000);
      await enter(stage.page, '12345678');
      return undefined;
    },
  },
];
