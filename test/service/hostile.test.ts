// Thousands of hostile messages, every header trick combined with every other, from somebody who has a domain of his own
// with good records. Whatever is made of them: nothing leaves through the relay but answers to himself.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createDnsResolver } from '../../src/adapters/dns/node-resolver.ts';
import { createMailauthVerifier } from '../../src/adapters/mail-auth/mailauth-verifier.ts';
import { createNodemailerSender } from '../../src/adapters/mail-out/nodemailer-sender.ts';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { createChallengeNews } from '../../src/app/challenge-news.ts';
import { deriveAddress, issueCookie, writeAddress } from '../../src/app/challenge-tokens.ts';
import { Outbox } from '../../src/app/outbox.ts';
import { DependencyError, type Log } from '../../src/app/ports.ts';
import { createReceiveMail } from '../../src/app/receive-mail.ts';
import { createSendReplies } from '../../src/app/send-replies.ts';
import { readClientHint } from '../../src/core/client-hint.ts';
import { parseMailbox } from '../../src/core/mail-address.ts';
import type { OneTimeAddress } from '../../src/core/one-time-address.ts';
import { requestLabel } from '../../src/core/verification-code.ts';
import { type DkimKeys, keyRecords, loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { type DnsServer, startDnsServer } from '../../src/testkit/dns-server.ts';
import { kitZone } from '../../src/testkit/identities.ts';
import { signMessage } from '../../src/testkit/message.ts';
import { type Sink, startSink } from '../../src/testkit/sink.ts';
import { memorySegments } from '../support/disks.ts';
import { ringOf } from '../support/keyring.ts';
import { appLimits } from '../support/limits.ts';
import { plainRelay } from '../support/relay.ts';

const oneTimeDomain = 'in.school.example';
const evil = 'evil.example';
const eve = `eve@${evil}`;
const victims = ['amy.pond@school.example', 'ms.smith@school.example', 'jo.grant@company.example', 'root@bank.example'];
const messages = 4000;
const free = { host: '127.0.0.1', port: 0 };

let keys: DkimKeys;
let dns: DnsServer;
let sink: Sink;

before(async () => {
  keys = await loadDkimKeys();
  const zone = {
    ...kitZone(oneTimeDomain, keys),
    ...keyRecords(keys, evil),
    [evil]: { TXT: ['v=spf1 ip4:198.51.100.66 -all'] },
    [`_dmarc.${evil}`]: { TXT: ['v=DMARC1; p=reject'] },
    // A domain that publishes nothing, and one that lets the whole world in.
    'bank.example': {},
    'open.example': { TXT: ['v=spf1 +all'] },
  };
  [dns, sink] = await Promise.all([startDnsServer({ ...free, zone }), startSink(free)]);
});
after(() => Promise.all([dns.close(), sink.close()]));

/** Numbers that are the same in every run. */
function dice(seed: number) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    one: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T,
    yes: (odds: number) => next() < odds,
  };
}

type Dice = ReturnType<typeof dice>;

/** From fields that name the victim, or seem to, or name two. */
function fromFields({ one }: Dice, victim: string): string[] {
  const encoded = `=?utf-8?B?${Buffer.from(victim).toString('base64')}?=`;
  return one([
    [`From: ${victim}`],
    [`From: Amy <${victim}>`],
    [`From: "${victim}" <${eve}>`],
    [`From: ${encoded} <${eve}>`],
    [`From: <${eve}>, <${victim}>`],
    [`From: ${eve}, ${victim}`],
    [`From: ${victim} <${eve}>`],
    [`From: <${eve}> <${victim}>`],
    [`From: ${eve} (${victim})`],
    [`From: (${eve}) ${victim}`],
    [`From: group: ${victim};`, `From: ${eve}`],
    [`From: ${eve}`, `From: ${victim}`],
    [`From: ${victim}`, `From: ${eve}`],
    [`From: ${eve}`, `FROM: ${victim}`],
    [`From : ${victim}`, `From: ${eve}`],
    [`From: ${eve}`, ` <${victim}>`],
    [`From: ${eve}\t<${victim}>`],
    [`From: "Amy\\" <${victim}>" <${eve}>`],
    [`From: Amy\u0000 <${victim}>`],
    [`From: ${victim}\u0000${eve}`],
    [`From: ${victim.replace('@', '\\@')}@${evil}`],
    [`From: ${victim.replace('@', '%')}@${evil}`],
    [`From: "${victim}"@${evil}`],
    [`From: ${victim}@${evil}`],
    [`From: <@${evil}:${victim}>`],
    [`From: ${victim}.`],
    [`From: ${victim.toUpperCase()}`],
    [`From: ${victim.replace('school', 's\u212Ahool')}`],
    [`From: ${eve}\rFrom: ${victim}`],
    [`From: ${eve}\nFrom: ${victim}`],
    [`From:`, `From: ${victim}`],
  ]);
}

const others = (victim: string): readonly string[] => [
  `Sender: ${victim}`,
  `Reply-To: ${victim}`,
  `Return-Path: <${victim}>`,
  `Resent-From: ${victim}`,
  `Cc: ${victim}`,
  `Bcc: ${victim}`,
  `Errors-To: ${victim}`,
  `Disposition-Notification-To: ${victim}`,
  `X-Original-From: ${victim}`,
  `Authentication-Results: mx.in.school.example; dkim=pass header.d=school.example; spf=pass; dmarc=pass`,
  `ARC-Authentication-Results: i=1; mx.in.school.example; dkim=pass header.d=school.example; dmarc=pass`,
  `Received-SPF: pass (mx: 127.0.0.1) envelope-from=${victim}`,
  `Received: from mail.school.example ([192.0.2.10]) by mx.in.school.example; Fri, 20 Nov 2026 10:00:00 +0000`,
  `Message-ID: <a@b>\r\nBcc: ${victim}`,
  `Message-ID: <x\u0000${victim}>`,
  `Content-Type: message/rfc822`,
  `DKIM-Signature: v=1; a=rsa-sha256; d=school.example; s=test-rsa; h=from:to; bh=AAAA; b=AAAA`,
  `DKIM-Signature: v=1; a=rsa-sha256; d=${evil}\u0000.school.example; s=test-rsa; h=from:to; bh=AAAA; b=AAAA`,
  `DKIM-Signature: v=1; a=rsa-sha1; d=school.example; s=test-rsa; h=from; l=0; bh=AAAA; b=AAAA`,
];

/** One hostile message: built, perhaps signed by the attacker's own domain, perhaps bent after that. */
async function hostile(roll: Dice, recipient: OneTimeAddress, localPart: string): Promise<Buffer> {
  const { one, yes } = roll;
  const victim = one(victims);
  const to = `${localPart}@${oneTimeDomain}`;
  const lines = [
    ...fromFields(roll, victim),
    one([`To: ${to}`, `To: ${to}`, `To: <${to}>`, `To: ${victim}, ${to}`, `To: ${to}\r\nTo: ${victim}`]),
    `Subject: ${one(['', requestLabel(recipient.id), `=?utf-8?B?${Buffer.from(victim).toString('base64')}?=`])}`,
    'Date: Fri, 20 Nov 2026 10:00:00 +0000',
    ...(yes(0.6) ? [one(others(victim))] : []),
    ...(yes(0.3) ? [one(others(victim))] : []),
  ];
  const order = yes(0.3) ? lines.toReversed() : lines;
  const raw = Buffer.from(`${order.join('\r\n')}\r\n\r\nPlease.\r\n`, 'utf8');
  if (yes(0.3)) return raw;
  const fields = one([['from', 'to', 'subject', 'date'], ['from'], ['to', 'subject'], ['from', 'from', 'to', 'to']]);
  const signed = await signMessage(raw, { domain: evil, keys, fields }).catch(() => raw);
  const text = signed.toString('latin1');
  return Buffer.from(
    one([
      text,
      text,
      text.replace(`d=${evil}`, 'd=school.example'),
      text.replace(`d=${evil}`, `d=${evil}; d=school.example`),
      `From: ${victim}\r\n${text}`,
      text.replace('\r\n\r\n', `\r\nFrom: ${victim}\r\n\r\n`),
      text.replace(/^From: .*$/m, `From: ${victim}`),
      text.replace('\r\n\r\n', '\r\n\r\n\r\n'),
    ]),
    'latin1',
  );
}

it(`${messages} hostile messages make us mail nobody but their author`, async () => {
  const secrets = createSecrets(ringOf(new Uint8Array(32)));
  const store = await openChallengeStore(memorySegments(async () => {}));
  const verifier = createMailauthVerifier(
    'mx.in.school.example',
    createDnsResolver({ servers: [dns], now: Date.now }).forMessage,
  );
  const from = parseMailbox('accounts@school.example');
  assert.ok(from !== undefined);
  const site = { from, siteName: 'Example School', timeZone: 'UTC', hostname: 'mx.in.school.example' };
  const sender = createNodemailerSender({ ...site, ...plainRelay, relayUrl: `smtp://127.0.0.1:${sink.port}` });
  const log: Log = { info: () => {}, warn: () => {}, error: () => {} };
  const news = createChallengeNews();
  const directory = { accountsOf: () => assert.fail('an author is not looked up before the code') };
  const outbox = new Outbox({ secrets, clock: systemClock, log });
  const lines = { outbox, lookUps: outbox };
  const replies = createSendReplies(
    { ...lines, secrets, store, sender, directory, clock: systemClock, log, news },
    appLimits,
  );
  const accepted: string[] = [];
  const ports = {
    ...{ secrets, store, verifier, clock: systemClock, news, sender },
    audit: { note() {} },
    replyQueued: (id: string, mailbox: Parameters<typeof replies.queued>[1]) => {
      accepted.push(mailbox);
      replies.queued(id, mailbox);
    },
  };
  const options = {
    domain: oneTimeDomain,
    from,
    operator: null,
    checkTimeoutMs: 20_000,
    policy: { spfWithoutDmarc: true },
    limits: appLimits,
  };
  const mail = createReceiveMail(ports, options);
  const roll = dice(20_261_120);
  const outcomes = new Map<string, number>();
  for (let at = 0; at < messages; at += 1) {
    const { seed } = issueCookie(secrets, 'reset', Date.now());
    const shownAs = { locale: 'en', clientHint: readClientHint('') } as const;
    const address = deriveAddress(secrets, seed, shownAs, appLimits.challengeLifetimeMs);
    const message = await hostile(roll, address, writeAddress(secrets, address));
    const mailFrom = roll.one([eve, ...victims, `bounce@${evil}`, 'x@open.example']);
    const envelope = {
      remoteAddress: roll.one(['198.51.100.66', '198.51.100.66', '198.51.100.7', undefined]),
      helo: 'school.example',
      mailFrom,
    };
    const received = await mail.receive(message, envelope, { kind: 'one-time', address }).catch((error: unknown) => {
      if (error instanceof DependencyError) return { kind: 'refused', reason: 'dependency' } as const;
      throw error;
    });
    const name = received.kind === 'refused' ? received.reason : received.kind;
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
  }
  await sink.waitFor(() => sink.messages.length >= Math.min(accepted.length, 1000), { timeoutMs: 10_000 });
  await outbox.stop();
  sender.close();
  await store.close();
  // The generator reaches deep: some of it is honest mail of the attacker, and much is refused only after mailauth.
  for (const reached of [
    'reply-queued',
    'not-authenticated',
    'header-repeated',
    'author-unreadable',
    'line-ends-malformed',
  ]) {
    assert.ok((outcomes.get(reached) ?? 0) > 20, `${reached}: ${JSON.stringify([...outcomes])}`);
  }
  assert.equal(outcomes.get('dependency') ?? 0, 0);
  for (const mailbox of accepted) assert.match(mailbox, /^[^@]+@evil\.example$/);
  for (const { envelope, raw } of sink.messages) {
    assert.equal(envelope.mailFrom, '');
    assert.equal(envelope.rcptTo.length, 1);
    assert.match(envelope.rcptTo[0] ?? '', /^[^@]+@evil\.example$/);
    assert.ok(!/bank\.example|company\.example|amy|smith/i.test(raw.toString('latin1').split('\r\n\r\n')[1] ?? ''));
  }
});
