// The way to the relay: encrypted or nothing where that is required, whoever is on the way; and the password shown to
// nobody but the relay that was meant (RFC 3207 §6).

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createNodemailerSender, type MailSenderOptions } from '../../src/adapters/mail-out/nodemailer-sender.ts';
import { mailbox } from '../app/support.ts';
import { plainRelay, startRelay, type TestRelay } from '../support/relay.ts';
import { makeCertificate } from '../support/smtp.ts';

const good = makeCertificate('localhost');
const ofAnother = makeCertificate('relay.example');
const password = 'correct horse=battery';

interface Case {
  readonly relay: Parameters<typeof startRelay>[0];
  readonly options: Partial<MailSenderOptions>;
  /** User in the URL. */
  readonly user?: string;
}

async function send(t: TestContext, { relay: how, options, user }: Case): Promise<{ kind: string; relay: TestRelay }> {
  const relay = await startRelay(how);
  const authority = user === undefined ? '' : `${user}@`;
  const sender = createNodemailerSender({
    ...plainRelay,
    relayUrl: `smtp${how.smtps === true ? 's' : ''}://${authority}localhost:${relay.port}`,
    hostname: 'mx.in.school.example',
    from: mailbox('accounts@service.example'),
    siteName: 'Example School',
    timeZone: 'UTC',
    ...options,
  });
  t.after(async () => {
    sender.close();
    await relay.close();
  });
  const result = await sender.passOn(Buffer.from('Subject: x\r\n\r\nx\r\n'), mailbox('it@school.example'));
  if (result.kind !== 'handed-over') assert.match(result.detail, /^E[A-Z]+ [A-Z ]+(?: \d{3})?$/);
  return { kind: result.kind, relay };
}

const required = { tls: 'required', ca: good.cert } as const;

describe('the way to the relay', { concurrency: true, timeout: 20_000 }, () => {
  const cases: [title: string, Case, want: string | undefined][] = [
    ['required, STARTTLS, a good certificate', { relay: { certificate: good }, options: required }, 'encrypted nobody'],
    ['required, and no STARTTLS: somebody took it out', { relay: {}, options: required }, undefined],
    [
      'required, a certificate of another authority',
      { relay: { certificate: good }, options: { tls: 'required' } },
      undefined,
    ],
    [
      'required, the certificate of another host',
      { relay: { certificate: ofAnother }, options: { tls: 'required', ca: ofAnother.cert } },
      undefined,
    ],
    ['smtps, a good certificate', { relay: { certificate: good, smtps: true }, options: required }, 'encrypted nobody'],
    [
      'smtps, a certificate of another authority',
      { relay: { certificate: good, smtps: true }, options: { tls: 'required' } },
      undefined,
    ],
    [
      'opportunistic, any certificate',
      { relay: { certificate: ofAnother }, options: { tls: 'opportunistic' } },
      'encrypted nobody',
    ],
    ['opportunistic, and no STARTTLS', { relay: {}, options: { tls: 'opportunistic' } }, 'clear nobody'],
    ['off, though it is offered', { relay: { certificate: good }, options: { tls: 'off' } }, 'clear nobody'],
    [
      'required, and a password',
      { relay: { certificate: good, password }, options: { ...required, password }, user: 'service' },
      'encrypted service',
    ],
    [
      'required, and a password in the URL',
      {
        relay: { certificate: good, password },
        options: required,
        user: `service:${encodeURIComponent(password)}`,
      },
      'encrypted service',
    ],
  ];
  for (const [title, how, want] of cases) {
    test(`${title}: ${want ?? 'nothing is sent'}`, async (t) => {
      const { kind, relay } = await send(t, how);
      assert.equal(kind, want === undefined ? 'away' : 'handed-over');
      assert.deepEqual(relay.seen, want === undefined ? [] : [want]);
    });
  }

  test('the password is not shown to a relay without a good certificate', async (t) => {
    for (const relay of [{ password }, { certificate: ofAnother, password }]) {
      const { kind, relay: other } = await send(t, { relay, options: { ...required, password }, user: 'service' });
      assert.deepEqual([kind, other.tried, other.seen], ['away', [], []]);
    }
  });

  test('a wrong password, and none where one is needed: nothing is sent, and it can be mended', async (t) => {
    const wrong = await send(t, {
      relay: { certificate: good, password },
      options: { ...required, password: 'wrong' },
      user: 'service',
    });
    assert.deepEqual([wrong.kind, wrong.relay.tried, wrong.relay.seen], ['away', ['wrong'], []]);
    const none = await send(t, { relay: { certificate: good, password }, options: required });
    assert.deepEqual([none.kind, none.relay.seen], ['away', []]);
  });
});
