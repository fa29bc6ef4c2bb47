// An address is typed in: what is refused, what is counted for whom, and what is written. The use case has no directory to
// ask, so nothing here can depend on accounts; that the outbox tells nothing either is in send-replies.test.ts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { challengeId, deriveCode, issueCookie } from '../../src/app/challenge-tokens.ts';
import { createRedeemCode } from '../../src/app/redeem-code.ts';
import { createTypeAddress } from '../../src/app/type-address.ts';
import { toBase64Url } from '../../src/core/bytes.ts';
import { acceptMail } from '../../src/core/challenge.ts';
import { requestLabel } from '../../src/core/verification-code.ts';
import { failingSegments, memorySegments } from '../support/disks.ts';
import {
  amy,
  collectAudit,
  fixedSecrets,
  hourMs,
  limits,
  ManualClock,
  mailbox,
  minuteMs,
  rory,
  secondMs,
} from './support.ts';

const dayMs = 24 * hourMs;
const options = {
  domain: 'in.school.example',
  from: mailbox('accounts@school.example'),
  limits,
  perAddressPerDayMax: 5,
  perNetworkPerHourMax: 5,
  perNetworkPerDayMax: 20,
  perDayMax: 1000,
};

async function start(changes: Partial<typeof options> = {}) {
  const disk = failingSegments(memorySegments());
  const store = await openChallengeStore(disk.files);
  const clock = new ManualClock();
  const secrets = fixedSecrets();
  const queued: string[] = [];
  const audit = collectAudit();
  const replyQueued = (id: string, to: string, by: string) => void queued.push(`${id} ${by} ${to}`);
  const typeAddress = createTypeAddress({ secrets, store, clock, audit, replyQueued }, { ...options, ...changes });
  const redeem = createRedeemCode({ secrets, store, clock, audit }, limits);
  /** A page of its own, and what may be done there. */
  const open = () => {
    const { cookie, seed } = issueCookie(secrets, 'reset', clock.now());
    const form = { cookie, nonce: toBase64Url(seed.nonce) };
    const id = challengeId(secrets, seed);
    const clientHint = { browser: 'Safari', system: 'iOS' } as const;
    const client = { remoteAddress: '192.0.2.1', clientHint };
    return {
      id,
      form,
      record: () => store.read(id, clock.now()),
      redeem: (code: string) => redeem({ ...form, ...client, purpose: 'reset', code }),
      /** @returns the kind, or the reason */
      async told(code: string): Promise<string> {
        const outcome = await redeem({ ...form, ...client, purpose: 'reset', code });
        return outcome.kind === 'refused' ? outcome.reason : outcome.kind;
      },
      /** @returns the kind, or the reason, with the minutes to wait */
      async type(address: string | undefined = amy, remoteAddress = '192.0.2.1', changed: Partial<typeof form> = {}) {
        const outcome = await typeAddress({ ...form, ...changed, address, locale: 'fr', remoteAddress, clientHint });
        if (outcome.kind !== 'refused') return outcome.kind;
        const wait = outcome.waitMs === undefined ? '' : ` ${outcome.waitMs / minuteMs}`;
        return `${outcome.reason}${wait}`;
      },
    };
  };
  return { disk, store, clock, secrets, queued, audit, open };
}

describe('an address that is typed', { concurrency: true }, () => {
  test('is on disk with the language and the browser of its page before anybody is told', async () => {
    const { open, queued, audit, clock } = await start();
    const page = open();
    assert.equal(await page.type(), 'code-requested');
    const record = await page.record();
    assert.deepEqual(
      record?.senders.map(({ by, mailbox: of, reply }) => [by, of, reply.state]),
      [['typed', amy, 'queued']],
    );
    assert.deepEqual([record?.locale, record?.clientHint.system], ['fr', 'iOS']);
    assert.deepEqual(queued, [`${page.id} typed ${amy}`]);
    const facts = { label: requestLabel(page.id), purpose: 'reset', mailbox: amy, remoteAddress: '192.0.2.1' };
    const clientHint = { browser: 'Safari', system: 'iOS' };
    assert.deepEqual(audit.events, [{ event: 'address-typed', at: clock.now(), ...facts, clientHint }]);
  });

  test('a disk that is full: nothing is counted, and the same form works a moment later', async () => {
    const { open, disk, queued, audit } = await start({
      perAddressPerDayMax: 1,
      perNetworkPerHourMax: 1,
      perDayMax: 1,
    });
    const page = open();
    disk.failing = true;
    await assert.rejects(page.type());
    assert.deepEqual([queued, audit.events, await page.record()], [[], [], undefined]);
    disk.failing = false;
    assert.equal(await page.type(), 'code-requested');
  });

  test('a double click is one request, in fifteen seconds and on this page only', async () => {
    const { open, queued, clock } = await start();
    const [page, other] = [open(), open()];
    assert.equal(await page.type(), 'code-requested');
    const record = await page.record();
    clock.advance(14 * secondMs);
    assert.equal(await page.type(), 'code-requested');
    assert.equal(await other.type(), 'address-asked-often 0.7666666666666667');
    clock.advance(1 * secondMs);
    assert.equal(await page.type(), 'address-asked-often 0.75');
    assert.deepEqual([queued.length, await page.record()], [1, record]);
  });

  test('the same one again keeps its salt, so its code, and the tries', async () => {
    const { open, clock } = await start();
    const page = open();
    await page.type();
    const [first] = (await page.record())?.senders ?? [];
    assert.deepEqual(await page.redeem('12345678'), { kind: 'refused', reason: 'code-wrong', triesLeft: 4 });
    clock.advance(minuteMs);
    assert.equal(await page.type(), 'code-requested');
    const record = await page.record();
    assert.deepEqual([record?.senders.length, record?.senders[0]?.salt], [1, first?.salt]);
    assert.deepEqual(await page.redeem('12345679'), { kind: 'refused', reason: 'code-wrong', triesLeft: 3 });
  });

  test('wrong codes for it use up its own tries of the day, and not those for the mails of the same mailbox', async () => {
    const { open, clock, store, secrets } = await start({ perAddressPerDayMax: 100 });
    for (let pages = 0; pages < 4; pages += 1) {
      const page = open();
      await page.type();
      for (let by = 1; by <= 5; by += 1) await page.redeem(String(by).repeat(8));
      clock.advance(20 * minuteMs);
    }
    const page = open();
    assert.equal(await page.type(), 'code-requested');
    assert.equal(await page.told('12345678'), 'codes-exhausted');
    const mailed = await store.transact(page.id, clock.now(), (current) => {
      const ids = { messageDigest: '0'.repeat(32), replyId: '1'.repeat(32), salt: '2'.repeat(32) };
      assert.ok(current);
      const { next } = acceptMail(current, { mailbox: amy, inReplyTo: null, ...ids }, clock.now(), limits);
      return { next, result: next.senders.at(-1) };
    });
    assert.equal(await page.told('12345678'), 'code-wrong');
    assert.equal(await page.told(deriveCode(secrets, { id: page.id, keyId: '' }, mailed ?? assert.fail())), 'redeemed');
  });
});

describe('what belongs to no page', { concurrency: true }, () => {
  for (const [name, changed, reason] of [
    ['no cookie', { cookie: undefined }, 'cookie-missing'],
    ['a made-up cookie', { cookie: 'x'.repeat(54) }, 'cookie-invalid'],
    ['no nonce', { nonce: undefined }, 'nonce-wrong'],
    ['another nonce', { nonce: 'A'.repeat(43) }, 'nonce-wrong'],
    ['a nonce without end', { nonce: 'A'.repeat(4000) }, 'nonce-wrong'],
  ] as const) {
    test(`${name}: ${reason}, nothing written`, async () => {
      const { open, queued } = await start();
      const page = open();
      assert.equal(await page.type(amy, '192.0.2.1', changed as Partial<typeof page.form>), reason);
      assert.deepEqual([queued, await page.record()], [[], undefined]);
    });
  }

  test('the nonce of another page', async () => {
    const { open } = await start();
    const [page, other] = [open(), open()];
    assert.equal(await page.type(amy, '192.0.2.1', { nonce: other.form.nonce }), 'nonce-wrong');
  });

  test('a page that has ended, or is closed', async () => {
    const { open, clock } = await start();
    const [late, locked] = [open(), open()];
    await locked.type();
    for (const digit of ['1', '2', '3', '4', '5']) await locked.redeem(digit.repeat(8));
    assert.equal(await locked.type(rory), 'challenge-locked');
    clock.advance(61 * minuteMs);
    assert.equal(await late.type(), 'challenge-expired');
  });
});

const hostile: readonly (readonly [string, string | undefined])[] = [
  ['nothing', undefined],
  ['blanks', '   '],
  ['no at sign', 'amy.pond'],
  ['two at signs', 'a@b@c.example'],
  ['no domain', 'amy@'],
  ['a name in front', 'Amy <amy.pond@school.example>'],
  ['two addresses', 'amy.pond@school.example, rory.williams@school.example'],
  ['a line end and a header', 'amy.pond@school.example\r\nBcc: x@evil.example'],
  ['a line end inside', 'amy.pond@school\n.example'],
  ['a NUL', 'amy.pond@school.example\0'],
  ['quotes', '"amy pond"@school.example'],
  ['a comment', 'amy.pond(x)@school.example'],
  ['an address literal', 'amy.pond@[127.0.0.1]'],
  ['one label', 'amy.pond@localhost'],
  ['a dot at the end', 'amy.pond@school.example.'],
  ['letters beyond ASCII', 'ämy@school.example'],
  ['a full-width at sign', 'amy.pond\uff20school.example'],
  ['a host beyond ASCII', 'amy@schüle.example'],
  ['an override of direction', 'amy.pond@school.example\u202e'],
  ['a local part of 65 octets', `${'x'.repeat(65)}@school.example`],
  ['very long', `amy.pond@${'school.'.repeat(100_000)}example`],
  ['very long blanks', `${' '.repeat(1_000_000)}amy.pond@school.example`],
  ['our own domain for one-time addresses', 'k7m29qxf00001111222233334444555@in.school.example'],
  ['the same in capitals', 'postbox@IN.School.Example'],
  ['our own sender', 'Accounts@school.example'],
  ['postmaster', 'postmaster@school.example'],
  ['a robot', 'No-Reply@school.example'],
  ['a bouncer', 'bounces+x@school.example'],
  ['the mailer daemon', 'MAILER-DAEMON@school.example'],
];

describe('what is no address to mail', { concurrency: true }, () => {
  for (const [name, typed] of hostile) {
    test(name, async () => {
      const { open, queued } = await start();
      const page = open();
      assert.equal(await page.type(typed ?? ''), 'address-refused');
      assert.equal(await page.type(undefined, '192.0.2.1'), 'code-requested', 'nothing was counted');
      assert.deepEqual(queued, [`${page.id} typed ${amy}`]);
    });
  }

  test('blanks around one are forgiven, and its domain is the same in any case', async () => {
    const { open, queued } = await start();
    const page = open();
    assert.equal(await page.type(' \tamy.pond@SCHOOL.example \n'), 'code-requested');
    assert.deepEqual(queued, [`${page.id} typed ${amy}`]);
  });
});

describe('limits', { concurrency: true }, () => {
  test('an address: once a minute and five times a day, in any case and with any plus tag, from anywhere', async () => {
    const { open, clock } = await start();
    const spellings = ['amy.pond', 'Amy.Pond', 'AMY.POND', 'amy.pond+1', 'amy.pond+2+3'];
    for (const [at, name] of spellings.entries()) {
      assert.equal(await open().type(`${name}@school.example`, `192.0.2.${at}`), 'code-requested');
      if (at === 0) assert.equal(await open().type(amy, '192.0.2.9'), 'address-asked-often 1');
      clock.advance(minuteMs);
    }
    assert.equal(await open().type(amy, '192.0.2.9'), `address-asked-often ${24 * 60 - 5}`);
    assert.equal(await open().type(rory, '192.0.2.9'), 'code-requested', 'others are free');
    clock.advance(dayMs - 5 * minuteMs);
    assert.equal(await open().type(amy, '192.0.2.9'), 'code-requested');
  });

  const someone = (number: number) => `pupil${number}@school.example`;

  test('a network: five an hour and twenty a day; a /64 is one, the next one another', async () => {
    const { open, clock } = await start();
    const within = (number: number) => `2001:db8:0:1::${(number + 1).toString(16)}`;
    for (let number = 0; number < 20; number += 1) {
      assert.equal(await open().type(someone(number), within(number)), 'code-requested');
      if (number % 5 !== 4) continue;
      const refused = await open().type(someone(100), within(number));
      assert.equal(refused, `typing-exhausted ${number === 19 ? 24 * 60 - 180 : 60}`);
      assert.equal(await open().type(someone(101 + number), '2001:db8:0:2::1'), 'code-requested');
      clock.advance(hourMs);
    }
    assert.equal(await open().type(someone(100), within(3)), `typing-exhausted ${20 * 60}`);
    assert.equal(await open().type(someone(200), '::ffff:192.0.2.1'), 'code-requested');
  });

  test('everybody together: so many a day', async () => {
    const { open, clock } = await start({ perDayMax: 3 });
    for (const number of [1, 2, 3])
      assert.equal(await open().type(someone(number), `192.0.2.${number}`), 'code-requested');
    assert.equal(await open().type(someone(4), '192.0.2.4'), `typing-exhausted ${24 * 60}`);
    clock.advance(dayMs);
    assert.equal(await open().type(someone(4), '192.0.2.4'), 'code-requested');
  });

  test('what is refused uses up no place: neither of the network nor of the address', async () => {
    const { open } = await start({ perNetworkPerHourMax: 1, perDayMax: 2 });
    assert.equal(await open().type(amy, '192.0.2.1'), 'code-requested');
    assert.equal(await open().type(rory, '192.0.2.1'), 'typing-exhausted 60');
    assert.equal(await open().type(amy, '192.0.2.2'), 'address-asked-often 1');
    assert.equal(await open().type(rory, '192.0.2.2'), 'code-requested', 'nothing of the two refusals was kept');
  });

  test('a page: three addresses and five requests', async () => {
    const { open, clock } = await start({ perNetworkPerHourMax: 100 });
    const page = open();
    const answers: string[] = [];
    for (const number of [1, 2, 3, 4]) answers.push(await page.type(someone(number)));
    assert.deepEqual(answers, ['code-requested', 'code-requested', 'code-requested', 'addresses-exhausted']);
    clock.advance(minuteMs);
    assert.deepEqual([await page.type(someone(1)), await page.type(someone(2))], ['code-requested', 'code-requested']);
    assert.equal(await page.type(someone(3)), 'addresses-exhausted');
    assert.equal(await open().type(someone(4)), 'code-requested', 'the refusal was not counted for the address');
  });
});
