// Every page of the test mailbox in every state, for the same test and the same pictures as the pages of the service.

import { deliver } from '../../src/testkit/smtp-client.ts';
import { codeFor, openReset, type Stage, type State, withRelayThat } from './states.ts';

const hostile = '<img src=x onerror=alert(1)>"\'&amp;</pre><script>alert(1)</script>';
const longWord = 'x'.repeat(400);

function show({ world, page }: Stage, path: string): Promise<undefined> {
  return page.goto(`${world.kit.mailboxPage.url}${path}`).then(() => undefined);
}

/** Puts a message into the sink, as somebody's server would. */
async function arrive({ world }: Stage, raw: string): Promise<void> {
  const envelope = { mailFrom: '', rcptTo: 'amy.pond@school.example', helo: 'service.example' };
  const { code } = await deliver({ ...world.kit.sink, ...envelope, raw });
  if (code !== 250) throw new Error(`the sink said ${code}`);
}

/** A reply is in the inbox. */
async function answered(stage: Stage): Promise<void> {
  await openReset(stage);
  await codeFor(stage);
}

/** Sends a mail of Amy's from the form. */
async function send(stage: Stage, scenario = ''): Promise<undefined> {
  const { address, label } = await openReset(stage);
  const mailto = `mailto:${address}?subject=${label}&body=Please`;
  await show(stage, `/compose?identity=amy&mailto=${encodeURIComponent(mailto)}`);
  await stage.page.locator('#scenario').selectOption(scenario);
  await Promise.all([stage.page.waitForURL('**/sent/*'), stage.page.locator('#send').click()]);
  return undefined;
}

export const mailboxStates: readonly State[] = [
  {
    name: 'mailbox-empty',
    says: /Nothing here yet/,
    async reach(stage) {
      stage.world.kit.sink.clear();
      return show(stage, '/');
    },
  },
  {
    name: 'mailbox-inbox',
    says: /3 messages.*4821 7730/s,
    async reach(stage) {
      stage.world.kit.sink.clear();
      await arrive(stage, `From: ${hostile} <a@b.example>\r\nSubject: ${hostile}\r\n\r\n${hostile}`);
      await arrive(stage, `Subject: ${longWord}\r\n\r\n${longWord}`);
      await arrive(
        stage,
        'From: Accounts <accounts@school.example>\r\nSubject: Re: New password KQXF-WTMB\r\n\r\n4821 7730\r\n',
      );
      return show(stage, '/?identity=amy');
    },
  },
  { name: 'mailbox-forger', says: /has no mailbox here/, reach: (stage) => show(stage, '/?identity=forger') },
  { name: 'mailbox-nothing-found', says: /Nothing here yet/, reach: (stage) => show(stage, '/?q=no+such+words') },
  {
    name: 'mailbox-sink-gone',
    says: /The sink does not answer/,
    async reach(stage) {
      await stage.page.route('**/events', (route) => route.abort());
      return show(stage, '/');
    },
  },
  {
    name: 'mailbox-message',
    says: /Auto-Submitted/,
    async reach(stage) {
      await answered(stage);
      await show(stage, '/?identity=amy');
      await stage.page.locator('#messages a').first().click();
      await stage.page.locator('#headers summary').click();
      return undefined;
    },
  },
  {
    name: 'mailbox-message-hostile',
    says: /alert\(1\)/,
    async reach(stage) {
      await arrive(
        stage,
        `From: ${hostile} <a@b.example>\r\nSubject: ${hostile}\r\nX-${longWord}: ${longWord}\r\n\r\n${hostile}${longWord}`,
      );
      await show(stage, '/');
      await stage.page.locator('#messages a').first().click();
      await stage.page.locator('#headers summary').click();
      return undefined;
    },
  },
  { name: 'mailbox-compose', says: /Who are you/, reach: (stage) => show(stage, '/compose?identity=jo') },
  {
    name: 'mailbox-compose-problem',
    says: /exactly one mail address/,
    async reach(stage) {
      await show(stage, '/compose');
      await stage.page.locator('#to').fill('nobody');
      await Promise.all([stage.page.waitForEvent('load'), stage.page.locator('#send').click()]);
      return undefined;
    },
  },
  { name: 'mailbox-sent', says: /DKIM\s*pass for school\.example/, reach: (stage) => send(stage) },
  { name: 'mailbox-sent-refused', says: /not-authenticated/, reach: (stage) => send(stage, 'footer-added') },
  {
    name: 'mailbox-sent-list',
    says: /footer-added/,
    async reach(stage) {
      await send(stage, 'footer-added');
      return show(stage, '/sent');
    },
  },
  { name: 'mailbox-faults-none', says: /all mail is taken/, reach: (stage) => show(stage, '/faults') },
  {
    name: 'mailbox-faults',
    says: /rcpt defer.*amy\.pond/s,
    async reach(stage) {
      const putRight = await withRelayThat('defer', stage);
      await show(stage, '/faults');
      return putRight;
    },
  },
  {
    name: 'mailbox-faults-problem',
    says: /chance is a number/,
    async reach(stage) {
      await show(stage, '/faults');
      await stage.page.locator('summary').click();
      await stage.page.locator('#chance').fill('often');
      await Promise.all([stage.page.waitForEvent('load'), stage.page.locator('#rule button').click()]);
      return undefined;
    },
  },
  {
    name: 'mailbox-faulty',
    says: /goes wrong on purpose/,
    async reach(stage) {
      const putRight = await withRelayThat('refuse', stage);
      await show(stage, '/');
      return putRight;
    },
  },
  { name: 'mailbox-not-found', says: /nothing here/, reach: (stage) => show(stage, '/message/none') },
];
