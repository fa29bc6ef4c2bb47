// The errands at the use cases: a cookie, a nonce, a code or a grant of one is nothing at all for another; what a grant to
// confirm does and leaves; and who is invited.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { oneTimePasswords } from '../../src/adapters/accounts/one-time-passwords.ts';
import { openChallengeStore, openChangeStore } from '../../src/adapters/store/stored-records.ts';
import { createChallengeNews } from '../../src/app/challenge-news.ts';
import { challengeId, deriveAddress, deriveCode, deriveGrant, issueCookie } from '../../src/app/challenge-tokens.ts';
import { createConfirmMailbox } from '../../src/app/confirm-mailbox.ts';
import { createEnrolSecondFactor } from '../../src/app/enrol-second-factor.ts';
import { createFollowChallenge } from '../../src/app/follow-challenge.ts';
import { createInviteAccount } from '../../src/app/invite-account.ts';
import { createOpenChallenge } from '../../src/app/open-challenge.ts';
import {
  type Account,
  type AccountDetails,
  type Client,
  DependencyError,
  type Directory,
  type OutgoingInvitation,
  type SendResult,
} from '../../src/app/ports.ts';
import { createRedeemCode } from '../../src/app/redeem-code.ts';
import { createResetPassword } from '../../src/app/reset-password.ts';
import { toBase64Url } from '../../src/core/bytes.ts';
import { acceptMail, awaitMail, type Challenge } from '../../src/core/challenge.ts';
import { type PasswordPurpose, type Purpose, purposes } from '../../src/core/purpose.ts';
import { memorySegments } from '../support/disks.ts';
import { amy, collectAudit, collectLog, fixedSecrets, limits, ManualClock, rory } from './support.ts';

const shownAs = { locale: 'en', clientHint: { browser: 'Firefox', system: 'Linux' } } as const;
const fresh: Account = {
  id: '0a',
  name: 'apond',
  description: '',
  state: 'active',
  hasPassword: false,
  securityVersion: '1',
  secondFactor: 'none',
};
const client: Client = { remoteAddress: '192.0.2.7', clientHint: shownAs.clientHint };
const good = 'blue kettle winter piano';
const states = ['code-sent', 'verified', 'done'] as const;

/** All use cases on one store, and a directory that notes what it is asked. */
async function open(accounts: readonly Account[] = [fresh]) {
  const clock = new ManualClock();
  const secrets = fixedSecrets();
  const news = createChallengeNews();
  const store = await openChallengeStore(memorySegments());
  const changes = await openChangeStore(memorySegments());
  const asked: unknown[] = [];
  const fake = {
    failing: false,
    confirm: 'done' as 'done' | 'no-account',
    accounts,
    queued: 0,
    changeIds: [] as string[],
  };
  const change = async <T>(answer: T, what: string): Promise<T> => {
    asked.push(what);
    if (fake.failing) throw new DependencyError('directory', 'the directory is away');
    return answer;
  };
  const directory: Directory = {
    accountsOf: async () => fake.accounts,
    setPassword: () => change('done' as const, 'set'),
    revertPassword: () => change('done' as const, 'revert'),
    verifySecondFactor: () => change({ kind: 'right' } as const, 'factor'),
    enrolment: { enrol: () => change('done' as const, 'enrol') },
    confirmMailbox: ({ mailbox, changeId, at }) => {
      fake.changeIds.push(changeId);
      return change(fake.confirm, `confirm ${mailbox} ${at - clock.now()}`);
    },
  };
  const audit = collectAudit();
  const ports = { secrets, store, changes, clock, directory, news, audit };
  const passwords = { ...ports, isCommonPassword: () => false, noticeQueued: () => void fake.queued++ };

  /** A page whose mail was answered; with the grant of its code, if that was typed; and what that was for, if it is done. */
  async function page(purpose: Purpose, state: (typeof states)[number]) {
    const { cookie, seed } = issueCookie(secrets, purpose, clock.now());
    const id = challengeId(secrets, seed);
    const waiting = awaitMail(deriveAddress(secrets, seed, shownAs, limits.challengeLifetimeMs));
    const mail = { mailbox: amy, messageDigest: '0'.repeat(32), inReplyTo: null };
    const accepted = { ...mail, replyId: '1'.repeat(32), salt: '2'.repeat(32) };
    const { next: sent } = acceptMail(waiting, accepted, clock.now(), limits);
    const code = deriveCode(secrets, waiting, { mailbox: amy, salt: '2'.repeat(32) });
    const verified = {
      kind: 'verified',
      mailbox: amy,
      at: clock.now(),
      grantSalt: '3'.repeat(32),
      grantExpiresAt: clock.now() + limits.grantLifetimeMs,
      account: purpose === 'confirm' ? null : { id: fresh.id, securityVersion: '1', secondFactor: 'none' as const },
    } as const;
    const enrolment = { securityVersion: '1', enrolledAt: null };
    const done = { kind: 'spent', done: true, changeId: '4'.repeat(32), grant: verified, enrolment } as const;
    const record: Challenge = { ...sent, state: { 'code-sent': sent.state, verified, done }[state] };
    await store.transact(id, clock.now(), () => ({ next: record, result: undefined }));
    const grant = toBase64Url(deriveGrant(secrets, waiting, verified));
    return { ...client, id, cookie, nonce: toBase64Url(seed.nonce), code, grant, record };
  }

  return {
    ...{ clock, store, asked, noted: audit.events, fake, page },
    kept: (id: string) => store.read(id, clock.now()),
    openChallenge: createOpenChallenge(ports, limits),
    follow: createFollowChallenge(ports, limits),
    redeem: createRedeemCode(ports, limits),
    reset: createResetPassword(passwords, limits, 'Example School'),
    confirm: createConfirmMailbox(ports),
    enrol: createEnrolSecondFactor({ ...ports, oneTimePasswords }, 'Example School'),
  };
}

type Setting = Awaited<ReturnType<typeof open>>;
type Values = Client & Readonly<Record<'cookie' | 'nonce' | 'code' | 'grant', string | undefined>>;

/** What every use case of an errand answers. */
async function answers(
  { openChallenge, follow, redeem, reset, confirm, enrol }: Setting,
  purpose: Purpose,
  values: Values,
) {
  const { cookie } = values;
  const { isNew, renewed } = await openChallenge({ ...shownAs, purpose, cookie });
  let heard = 0;
  follow.follow(purpose, cookie, () => heard++)?.();
  const said: object[] = [
    { isNew, renewed, heard },
    await follow.look(purpose, cookie),
    await redeem({ ...values, purpose }),
  ];
  if (purpose === 'confirm')
    return [...said, await confirm.show({ ...values, purpose }), await confirm.confirm({ ...values, purpose })];
  const request: { purpose: PasswordPurpose } & Values = { ...values, purpose };
  const form = { account: fresh.id, typed: '123456', password: good, repeated: good, ...shownAs };
  return [
    ...said,
    await reset.show(request),
    await reset.choose({ ...request, ...form }),
    await reset.passSecondFactor({ ...request, ...form }),
    await reset.set({ ...request, ...form }),
    await enrol.show(request),
    await enrol.enrol({ ...request, ...form }),
  ];
}

const none: Values = { ...client, cookie: undefined, nonce: undefined, code: undefined, grant: undefined };

describe('what was earned for one errand', () => {
  for (const own of purposes) {
    for (const other of purposes.filter((each) => each !== own)) {
      for (const state of states) {
        it(`(${own}, ${state}) is nothing at all where it is to ${other}`, async () => {
          const setting = await open();
          const page = await setting.page(own, state);
          const said = await answers(setting, other, page);
          assert.deepEqual(
            said,
            await answers(setting, other, none),
            'the very answers that somebody with nothing gets',
          );
          assert.deepEqual([setting.asked, setting.noted], [[], []]);
          assert.deepEqual(await setting.kept(page.id), page.record);
        });

        it(`(${own}, ${state}) is nothing beside what was earned to ${other}`, async () => {
          const setting = await open();
          const [page, right] = [await setting.page(own, 'verified'), await setting.page(other, state)];
          for (const name of ['cookie', 'nonce', 'grant'] as const) {
            // With the grant comes the code: the right one, typed again, leads to the grant that was earned with it.
            const mixed = { ...right, ...(name === 'grant' ? { code: page.code } : {}), [name]: page[name] };
            const said = await answers(setting, other, mixed);
            for (const each of said.slice(2))
              assert.ok('kind' in each && !['redeemed', 'password-set', 'confirmed'].includes(String(each.kind)), name);
          }
          assert.deepEqual(setting.asked, []);
          assert.deepEqual(await setting.kept(page.id), page.record);
        });
      }
    }
  }

  for (const own of purposes) {
    it(`(${own}) is worth it there`, async () => {
      const setting = await open();
      const unused = await setting.page(own, 'code-sent');
      assert.equal((await setting.redeem({ purpose: own, ...unused })).kind, 'redeemed');
      const said = await answers(setting, own, await setting.page(own, 'verified'));
      assert.ok('kind' in (said.at(-1) ?? {}));
      assert.deepEqual(setting.asked, own === 'confirm' ? [`confirm ${amy} 0`] : ['factor', 'set']);
      assert.equal(setting.fake.queued, own === 'confirm' ? 0 : 1, 'a notice of a password, and of nothing else');
    });
  }
});

describe('an account that has a password', () => {
  const active: Account = { ...fresh, id: '0b', name: 'chess', hasPassword: true };

  it('is shown as active and cannot be chosen to activate', async () => {
    const { reset, page, kept } = await open([fresh, active]);
    const { id, record, ...values } = await page('activate', 'verified');
    const shown = await reset.show({ purpose: 'activate', ...values });
    assert.ok(shown.kind === 'accounts');
    assert.deepEqual([shown.accounts, shown.active], [[fresh], [active]]);
    const chosen = await reset.choose({ purpose: 'activate', ...values, account: active.id });
    assert.deepEqual(chosen, { kind: 'refused', reason: 'account-active' });
    assert.deepEqual(await kept(id), record);
  });

  it('is shown to reset like any other', async () => {
    const { reset, page } = await open([fresh, active]);
    const values = await page('reset', 'verified');
    const shown = await reset.show({ purpose: 'reset', ...values });
    assert.ok(shown.kind === 'accounts');
    assert.deepEqual([shown.accounts, shown.active], [[fresh, active], []]);
    assert.deepEqual(await reset.choose({ purpose: 'reset', ...values, account: active.id }), { kind: 'chosen' });
  });
});

describe('a mailbox', () => {
  it('is confirmed once, by one of many posts', async () => {
    const { confirm, page, asked, noted, kept } = await open();
    const { id, ...values } = await page('confirm', 'verified');
    assert.equal((await confirm.show({ purpose: 'confirm', ...values })).kind, 'mailbox');
    const posts = Array.from({ length: 5 }, () => confirm.confirm({ purpose: 'confirm', ...values }));
    const kinds = (await Promise.all(posts)).map((each) => (each.kind === 'refused' ? each.reason : each.kind));
    assert.deepEqual(kinds.toSorted(), ['confirmed', 'grant-used', 'grant-used', 'grant-used', 'grant-used']);
    assert.equal(asked.length, 1);
    assert.deepEqual(
      noted.map((event) => [event.event, 'mailbox' in event && event.mailbox, 'purpose' in event && event.purpose]),
      [['mailbox-confirmed', amy, 'confirm']],
    );
    const state = (await kept(id))?.state;
    assert.ok(state?.kind === 'spent' && state.done);
    assert.deepEqual(await confirm.show({ purpose: 'confirm', ...values }), { kind: 'refused', reason: 'grant-used' });
  });

  it('needs the nonce of its page', async () => {
    const { confirm, page, asked } = await open();
    const values = await page('confirm', 'verified');
    for (const nonce of [undefined, '', 'A'.repeat(43), (await page('confirm', 'code-sent')).nonce]) {
      const answer = await confirm.confirm({ purpose: 'confirm', ...values, nonce });
      assert.deepEqual(answer, { kind: 'refused', reason: 'nonce-wrong' });
    }
    assert.deepEqual(asked, []);
  });

  it('that no account uses leaves the grant as it was', async () => {
    const { confirm, page, fake, kept } = await open();
    const { id, record, ...values } = await page('confirm', 'verified');
    fake.confirm = 'no-account';
    const answer = await confirm.confirm({ purpose: 'confirm', ...values });
    assert.deepEqual(answer, { kind: 'no-account', mailbox: amy });
    assert.deepEqual(await kept(id), record);
    fake.confirm = 'done';
    assert.equal((await confirm.confirm({ purpose: 'confirm', ...values })).kind, 'confirmed', 'by now one does');
  });

  it('is not confirmed by a directory that is away, and the same form works when it is back', async () => {
    const { confirm, page, fake, kept } = await open();
    const { id, record, ...values } = await page('confirm', 'verified');
    fake.failing = true;
    await assert.rejects(confirm.confirm({ purpose: 'confirm', ...values }), DependencyError);
    assert.deepEqual(await kept(id), record);
    fake.failing = false;
    assert.equal((await confirm.confirm({ purpose: 'confirm', ...values })).kind, 'confirmed');
    const [first, second, ...more] = fake.changeIds;
    assert.deepEqual([second, more], [first, []], 'by the same name: nobody knows whether the first was done');
  });
});

describe('an invitation', () => {
  const invited: AccountDetails = {
    ...{ id: fresh.id, name: 'apond', description: '', mailboxes: [amy, rory], confirmed: [], state: 'active' },
    ...{
      hasPassword: false,
      secondFactor: null,
      passwordChangedAt: null,
      sessionsEndedAt: null,
      addressFrozenUntil: null,
      undoUntil: null,
    },
  };

  function setUp(account: AccountDetails | undefined, results: readonly SendResult[] = []) {
    const sent: OutgoingInvitation[] = [];
    const log = collectLog();
    const sender = {
      sendInvitation: async (one: OutgoingInvitation) =>
        results[sent.push(one) - 1] ?? ({ kind: 'handed-over' } as const),
    };
    const accounts = { find: async () => account };
    return { sent, log, invite: createInviteAccount({ accounts, sender, secrets: fixedSecrets(), log }) };
  }

  it('goes to every mailbox of the account, and what the relay said is told for each', async () => {
    const no = { kind: 'permanent', detail: 'RCPT TO 550' } as const;
    const { sent, log, invite } = setUp(invited, [no]);
    const outcome = await invite('APond', 'fr');
    assert.deepEqual(outcome, {
      kind: 'invited',
      mailboxes: [
        { mailbox: amy, result: no },
        { mailbox: rory, result: { kind: 'handed-over' } },
      ],
    });
    assert.deepEqual(
      sent.map(({ to, accountName, locale }) => [to, accountName, locale]),
      [
        [amy, 'apond', 'fr'],
        [rory, 'apond', 'fr'],
      ],
    );
    assert.equal(new Set(sent.map(({ id }) => id)).size, 2);
    assert.doesNotMatch(JSON.stringify(log.events), /@|pond/);
    assert.deepEqual(
      log.events.map(({ level }) => level),
      ['warn', 'info'],
    );
  });

  for (const [reason, account] of [
    ['unknown-account', undefined],
    ['account-active', { ...invited, hasPassword: true }],
    ['account-locked', { ...invited, state: 'locked' }],
    ['account-frozen', { ...invited, state: 'frozen' }],
    ['mailbox-missing', { ...invited, mailboxes: [] }],
  ] as const) {
    it(`is not sent: ${reason}`, async () => {
      const { sent, invite } = setUp(account);
      assert.deepEqual(await invite('apond', 'en'), { kind: 'refused', reason });
      assert.deepEqual(sent, []);
    });
  }
});
