// What the open page is told of its challenge: what is on disk, what is not, and when there may be something new.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openChallengeStore } from '../../src/adapters/store/stored-records.ts';
import { announceChanges, createChallengeNews, type News } from '../../src/app/challenge-news.ts';
import { challengeEnd, challengeId, deriveAddress, issueCookie } from '../../src/app/challenge-tokens.ts';
import { createFollowChallenge, statusOf } from '../../src/app/follow-challenge.ts';
import { createOpenChallenge } from '../../src/app/open-challenge.ts';
import { type ChallengeStatus, type ChallengeStore, DependencyError } from '../../src/app/ports.ts';
import { awaitMail, type Challenge, type ChallengeState, type Reply, type Sender } from '../../src/core/challenge.ts';
import { table } from '../support/core-table.ts';
import { memorySegments } from '../support/disks.ts';
import { amy, fixedSecrets, limits, ManualClock, minuteMs, rory, settle } from './support.ts';

const begin = new ManualClock().now();
const shownAs = { locale: 'en', clientHint: { browser: 'Firefox', system: 'Linux' } } as const;
const asked = { ...shownAs, purpose: 'reset' } as const;
const notice = { sentence: 'not-confirmed', until: 0, details: undefined } as const;
const quiet: News = { notice: undefined, checking: false, delayed: new Set() };

// ---- what is told: every record, whatever the news ----

const sender = (state: Reply['state'], mailbox = amy, by: Sender['by'] = 'mail'): Sender => ({
  by,
  mailbox,
  salt: '00'.repeat(16),
  answered: ['x'],
  reply: { id: '00'.repeat(16), inReplyTo: null, state },
  codeExpiresAt: null,
});
const record = (state: ChallengeState, ...senders: Sender[]): Challenge => ({
  ...awaitMail({
    ...shownAs,
    keyId: '',
    id: '0123456789abcdef0123',
    purpose: 'reset',
    expiresAt: begin + 30 * minuteMs,
  }),
  senders,
  state,
});
const codeSent = { kind: 'code-sent' } as const;
const verified = (grantExpiresAt: number) =>
  ({ kind: 'verified', mailbox: amy, at: begin, grantSalt: '00'.repeat(16), grantExpiresAt, account: null }) as const;

type Told = [name: string, of: Challenge | undefined, progress: ChallengeStatus['progress']];
const records: Told[] = [
  ['no record', undefined, 'awaiting-mail'],
  ['awaiting mail', record({ kind: 'awaiting-mail' }), 'awaiting-mail'],
  ['a queued reply', record(codeSent, sender('queued')), 'reply-queued'],
  ['a reply handed over', record(codeSent, sender('handed-over')), 'reply-handed-over'],
  ['a reply given up', record(codeSent, sender('failed')), 'reply-failed'],
  ['two senders, the last one waits', record(codeSent, sender('handed-over', rory), sender('queued')), 'reply-queued'],
  [
    'two senders, the last one has his reply',
    record(codeSent, sender('queued', rory), sender('handed-over')),
    'reply-handed-over',
  ],
  ...(['queued', 'handed-over', 'failed'] as const).flatMap((state): Told[] => {
    const typed = sender(state, amy, 'typed');
    return [
      [`a typed address, its reply ${state}`, record(codeSent, typed), 'code-requested'],
      [
        `a mail, then a typed address, its reply ${state}`,
        record(codeSent, sender('queued', rory), typed),
        'code-requested',
      ],
      [
        `a typed address, its reply ${state}, then a mail`,
        record(codeSent, typed, sender('handed-over')),
        'reply-handed-over',
      ],
      [`a typed address, its reply ${state}, and locked`, record({ kind: 'locked' }, typed), 'locked'],
    ];
  }),
  ['locked', record({ kind: 'locked' }, sender('handed-over')), 'locked'],
  ['locked with a reply still queued', record({ kind: 'locked' }, sender('queued')), 'locked'],
  ['verified', record(verified(begin + 1), sender('handed-over')), 'verified'],
  [
    'what it was for is done',
    record(
      { kind: 'spent', changeId: '00'.repeat(16), done: true, enrolment: null, grant: verified(begin + 1) },
      sender('handed-over'),
    ),
    'done',
  ],
  ['verified, and the grant over just now', record(verified(begin), sender('handed-over')), 'finished'],
];
const newsOf = (checking: boolean, delayed: boolean, told = true): News => ({
  notice: told ? notice : undefined,
  checking,
  delayed: new Set(delayed ? [amy] : [rory]), // whose reply is delayed besides is not told here
});
const shown = (of: Challenge | undefined) => (news: News) => {
  const status = statusOf(of, news, begin);
  return `${status.progress}${status.notice === undefined ? '' : `, ${status.notice.sentence}`}`;
};

for (const [name, of, progress] of records) {
  const arrived = progress === 'awaiting-mail' ? 'mail-arrived' : progress;
  const delayed = progress === 'reply-queued' ? 'reply-delayed' : progress;
  table(`told of ${name}`, shown(of), [
    ['no news', quiet, progress],
    ['a notice', newsOf(false, false), `${progress}, not-confirmed`],
    ['a mail is being checked', newsOf(true, false, false), arrived],
    ['the reply is delayed', newsOf(false, true, false), delayed],
    ['the reply is delayed, and a notice', newsOf(false, true), `${delayed}, not-confirmed`],
  ]);
}
table('told while the first mail is being checked', shown(undefined), [
  ['that, and not what became of one before', newsOf(true, false), 'mail-arrived'],
  ['nothing of a delay', newsOf(true, true, false), 'mail-arrived'],
]);

// ---- cookies ----

const broken = new DependencyError('store', 'the store could not be read');

async function open() {
  const clock = new ManualClock();
  const secrets = fixedSecrets();
  const news = createChallengeNews();
  const inner = await openChallengeStore(memorySegments());
  let reads = 0;
  const setting = { failing: false };
  const counted: ChallengeStore = {
    read(id, now) {
      reads++;
      return setting.failing ? Promise.reject(broken) : inner.read(id, now);
    },
    transact: (id, now, decide) => inner.transact(id, now, decide),
    withQueued: () => assert.fail('nobody asks for replies'),
    sweep: () => assert.fail('nobody sweeps'),
    close: () => inner.close(),
  };
  const store = announceChanges(counted, news.changed);
  const ports = { secrets, store, clock, news };
  const { cookie, seed } = issueCookie(secrets, 'reset', clock.now());
  return {
    ...{ clock, secrets, news, store, cookie, seed, setting },
    reads: () => reads,
    id: challengeId(secrets, seed),
    end: challengeEnd(seed, limits.challengeLifetimeMs),
    challenge: awaitMail(deriveAddress(secrets, seed, shownAs, limits.challengeLifetimeMs)),
    page: createFollowChallenge(ports, limits),
    openChallenge: createOpenChallenge(ports, limits),
  };
}
type Setting = Awaited<ReturnType<typeof open>>;
const word = (looked: Awaited<ReturnType<Setting['page']['look']>>) =>
  'reason' in looked ? looked.reason : looked.progress;
/** Everything that a follower could hear of. */
async function stir({ news, store, id, clock, challenge }: Setting): Promise<void> {
  news.put(id, notice);
  news.checking(id)();
  news.delayed(id, amy, true);
  news.changed(id);
  await store.transact(id, clock.now(), () => ({ next: challenge, result: undefined }));
}

describe('a cookie', { concurrency: true }, () => {
  const cookies: [string, (setting: Setting) => string | undefined, string][] = [
    ['that is missing', () => undefined, 'cookie-missing'],
    ['that is empty', () => '', 'page-ended'],
    ['that says nothing', () => 'x'.repeat(54), 'page-ended'],
    ['that was changed', ({ cookie }) => `${cookie.slice(0, 30)}xx${cookie.slice(32)}`, 'page-ended'],
    ['that is huge', ({ cookie }) => cookie.repeat(10_000), 'page-ended'],
    [
      'of another key',
      ({ clock }) => issueCookie({ ...fixedSecrets(), mac: () => new Uint8Array(32) }, 'reset', clock.now()).cookie,
      'page-ended',
    ],
    [
      'at the end of its page',
      ({ clock, end, cookie }) => {
        clock.advance(end - clock.now());
        return cookie;
      },
      'page-ended',
    ],
    [
      'long after it',
      ({ clock, end, cookie }) => {
        clock.advance(end - clock.now() + 24 * 60 * minuteMs);
        return cookie;
      },
      'page-ended',
    ],
  ];
  for (const [title, choose, expected] of cookies) {
    test(`${title}: ${expected}, and following it hears nothing`, async () => {
      const setting = await open();
      const cookie = choose(setting);
      assert.deepEqual(await setting.page.look('reset', cookie), { kind: 'refused', reason: expected });
      const ends = Array.from({ length: 10 }, () => setting.page.follow('reset', cookie, () => assert.fail('called')));
      await stir(setting);
      for (const end of ends) {
        assert.ok(end, 'there is always room for who hears nothing');
        end();
        end();
      }
    });
  }

  test('in its last millisecond is live still', async () => {
    const setting = await open();
    const { clock, end, page, cookie } = setting;
    clock.advance(end - clock.now() - 1);
    assert.equal(word(await page.look('reset', cookie)), 'awaiting-mail');
    let calls = 0;
    assert.ok(page.follow('reset', cookie, () => calls++));
    await stir(setting);
    assert.equal(calls, 6);
    clock.advance(1);
    assert.equal(word(await page.look('reset', cookie)), 'page-ended');
  });

  test('is not made or renewed by looking', async () => {
    const { page, cookie, secrets } = await open();
    const before = secrets.randomBytes(1)[0] ?? 0;
    await page.look('reset', cookie);
    await page.look('reset', undefined);
    await page.look('reset', 'x');
    page.follow('reset', 'x', () => {})?.();
    assert.equal(secrets.randomBytes(1)[0], before + 1, 'no randomness was taken in between');
  });
});

test('a page that is live hears of its challenge and of no other, until it ends that', async () => {
  const setting = await open();
  const { page, cookie, news, store, clock, challenge } = setting;
  let calls = 0;
  const end = page.follow('reset', cookie, () => calls++);
  assert.ok(end);
  const other = { ...challenge, id: 'f'.repeat(20) };
  news.changed(other.id);
  await store.transact(other.id, clock.now(), () => ({ next: other, result: undefined }));
  assert.equal(calls, 0);
  await stir(setting);
  assert.equal(calls, 6);
  end();
  await stir(setting);
  assert.equal(calls, 6);
});

test('as many follow a challenge as may, and one more must ask by itself', async () => {
  const { page, cookie } = await open();
  const ends = Array.from({ length: 4 }, () => page.follow('reset', cookie, () => {}));
  assert.equal(
    page.follow('reset', cookie, () => {}),
    undefined,
  );
  ends[0]?.();
  assert.ok(page.follow('reset', cookie, () => {}));
});

test('whoever looks when called sees a change of the record, and what happens to its mail', async () => {
  const { page, cookie, news, store, id, clock, challenge } = await open();
  const seen: string[] = [];
  page.follow('reset', cookie, async () => seen.push(word(await page.look('reset', cookie))));
  const checked = news.checking(id);
  await settle();
  const next = { ...challenge, senders: [sender('queued')], state: codeSent };
  await store.transact(id, clock.now(), () => ({ next, result: undefined }));
  await settle();
  checked();
  await settle();
  news.delayed(id, amy, true);
  await settle();
  assert.deepEqual(seen, ['mail-arrived', 'reply-queued', 'reply-queued', 'reply-delayed']);
});

test('the page as it is opened and its live line tell the same', async () => {
  const { page, openChallenge, cookie, news, id } = await open();
  for (const change of [() => news.put(id, notice), () => news.checking(id), () => news.delayed(id, amy, true)]) {
    change();
    const { label, progress, notice: told } = await openChallenge({ ...asked, cookie });
    assert.deepEqual(await page.look('reset', cookie), { label, progress, notice: told });
  }
});

test('a new page has no news; one that has ended is renewed', async () => {
  const { openChallenge, cookie, clock, end } = await open();
  const kept = await openChallenge({ ...asked, cookie });
  assert.deepEqual([kept.cookie, kept.isNew, kept.renewed, kept.expiresAt], [cookie, false, false, end]);
  const first = await openChallenge({ ...asked, cookie: undefined });
  assert.deepEqual(
    [first.isNew, first.renewed, first.progress, first.notice],
    [true, false, 'awaiting-mail', undefined],
  );
  clock.advance(end - clock.now());
  for (const old of [cookie, 'x', '']) {
    const opened = await openChallenge({ ...asked, cookie: old });
    assert.deepEqual([opened.isNew, opened.renewed], [true, true], old);
    assert.notEqual(opened.cookie, old);
    assert.equal((await openChallenge({ ...asked, cookie: opened.cookie })).isNew, false);
  }
});

test('another language on an open page keeps its challenge: same cookie, nonce, label and end', async () => {
  const { openChallenge, cookie } = await open();
  const { localPart, ...english } = await openChallenge({ ...asked, cookie });
  const { localPart: other, ...german } = await openChallenge({ ...asked, locale: 'de', cookie });
  assert.deepEqual(german, english);
  assert.notEqual(other, localPart);
});

test('a store that cannot be read is heard', async () => {
  const { page, cookie, setting } = await open();
  setting.failing = true;
  await assert.rejects(page.look('reset', cookie), broken);
  setting.failing = false;
  assert.equal(word(await page.look('reset', cookie)), 'awaiting-mail');
});
