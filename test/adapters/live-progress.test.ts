// The live line as a stream of events: what is sent and when, in which order, and that nothing is left of it at its end.

import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { createLiveProgress } from '../../src/adapters/web/live-progress.ts';
import { viewProgress } from '../../src/adapters/web/progress-view.ts';
import { type ChallengeStatus, DependencyError, type FollowChallenge, type Progress } from '../../src/app/ports.ts';
import { type Locale, locales } from '../../src/core/locale.ts';
import { refuse } from '../../src/core/refusal.ts';
import { settle } from '../app/support.ts';
import { TestClock } from '../support/clock.ts';

const heartbeatMs = 20_000;
const network = '192.0.2.1';

type Looked = Awaited<ReturnType<FollowChallenge['look']>>;
const at = (progress: Progress, notice?: ChallengeStatus['notice']): Looked => ({
  label: 'KQXF-WTMB',
  progress,
  notice,
});

/** A challenge as a test likes it, whoever follows it, and the streams that say so. */
function start(perNetworkMax = 5000) {
  const clock = new TestClock(0);
  const followers = new Set<() => void>();
  const fake = {
    /** What a look finds from now on: a status, or one that is still to come. */
    status: at('awaiting-mail') as Looked | Promise<Looked>,
    looks: 0,
    full: false,
    asked: [] as (string | undefined)[],
  };
  const live = createLiveProgress(
    {
      async look(_, cookie) {
        fake.looks++;
        fake.asked.push(cookie);
        return fake.status;
      },
      follow(_, cookie, changed) {
        fake.asked.push(cookie);
        if (fake.full) return undefined;
        const follower = () => changed();
        followers.add(follower);
        return () => assert.ok(followers.delete(follower), 'ended once');
      },
    },
    clock,
    perNetworkMax,
  );
  const changed = () => {
    for (const follower of followers) follower();
  };
  return { clock, followers, fake, live, changed, listen: (locale: Locale = 'en') => listen(live, locale) };
}

/** A stream as a browser reads it. */
function listen(live: ReturnType<typeof createLiveProgress>, locale: Locale) {
  const stream = live.open('reset', 'the cookie', locale, network);
  assert.ok(stream);
  const heard: string[] = [];
  stream.setEncoding('utf8').on('data', (text: string) => heard.push(text));
  return {
    stream,
    /** All that came since it was asked for last, as blocks (HTML Standard §9.2.5). */
    news(): string[] {
      const text = heard.splice(0).join('');
      assert.ok(text === '' || text.endsWith('\n\n'), 'only whole blocks');
      return text.split('\n\n').slice(0, -1);
    },
  };
}
const event = (status: Looked, locale: Locale = 'en') =>
  `data: ${JSON.stringify(viewProgress(locale, 'reset', status, 0))}`;
const retry = 'retry: 3000';

describe('what is told', { concurrency: true }, () => {
  for (const locale of locales) {
    test(`how far it has come, at once and in ${locale}`, async () => {
      const { listen: open, fake } = start();
      const { news } = open(locale);
      await settle();
      assert.deepEqual(news(), [retry, event(at('awaiting-mail'), locale)]);
      assert.deepEqual([fake.looks, fake.asked], [1, ['the cookie', 'the cookie']]);
    });
  }

  test('every change, and nothing that looks the same', async () => {
    const { listen: open, fake, changed } = start();
    const { news } = open();
    await settle();
    news();
    changed();
    await settle();
    assert.deepEqual([news(), fake.looks], [[], 2]);
    const notice = { sentence: 'too-big', until: 0, details: undefined } as const;
    for (const status of [at('mail-arrived'), at('awaiting-mail', notice), at('reply-queued'), at('reply-queued')]) {
      fake.status = status;
      changed();
      await settle();
    }
    assert.deepEqual(
      news(),
      [at('mail-arrived'), at('awaiting-mail', notice), at('reply-queued')].map((one) => event(one)),
    );
  });

  test('each event is one block of one line, whatever is told', async () => {
    const { listen: open, fake } = start();
    const details = { authorDomain: 'a.example\ndata: x\n\nevent: y', signatures: [], spf, dmarc: '\r\n\r\nid: 1' };
    fake.status = at('awaiting-mail', { sentence: 'not-confirmed', until: 0, details });
    const { news } = open();
    await settle();
    assert.deepEqual(news(), [retry, event(fake.status)]);
  });
  const spf = { domain: 'a.example', result: 'none', missed: [] };

  test('changes during a look: one more look after it, so that none is lost', async () => {
    const { listen: open, fake, changed } = start();
    const first = Promise.withResolvers<Looked>();
    fake.status = first.promise;
    const { news } = open();
    await settle();
    for (const progress of ['mail-arrived', 'reply-queued', 'reply-handed-over'] as const) {
      fake.status = at(progress);
      changed();
    }
    await settle();
    assert.deepEqual([news(), fake.looks], [[retry], 1], 'one at a time');
    first.resolve(at('awaiting-mail'));
    await settle();
    assert.deepEqual(news(), [event(at('awaiting-mail')), event(at('reply-handed-over'))]);
    assert.equal(fake.looks, 2, 'three changes, one look');
    changed();
    await settle();
    assert.equal(fake.looks, 3, 'and then as before');
  });

  test('never out of order, however long each look takes', async () => {
    const { listen: open, fake, changed } = start();
    const steps = ['awaiting-mail', 'mail-arrived', 'reply-queued', 'reply-delayed', 'reply-handed-over'] as const;
    const { news } = open();
    for (const progress of steps) {
      const look = Promise.withResolvers<Looked>();
      fake.status = look.promise;
      changed();
      await settle();
      changed();
      look.resolve(at(progress));
      await settle();
    }
    assert.deepEqual(news(), [retry, ...steps.map((progress) => event(at(progress)))]);
  });

  test('a page that has ended says nothing on its own: it is seen with the next heartbeat', async () => {
    const { clock, listen: open, fake } = start();
    const { news } = open();
    await settle();
    news();
    for (const _ of [1, 2]) {
      clock.advance(heartbeatMs - 1);
      await settle();
      assert.deepEqual(news(), []);
      clock.advance(1);
      await settle();
      assert.deepEqual(news(), [':'], 'a comment keeps the connection');
    }
    assert.equal(fake.looks, 3);
    fake.status = refuse('page-ended');
    clock.advance(heartbeatMs);
    await settle();
    assert.deepEqual(news(), [':', event(fake.status)]);
  });

  test('several pages are told alike, each in its language', async () => {
    const { listen: open, fake, changed } = start();
    const [one, other] = [open('en'), open('fr')];
    await settle();
    one.news();
    other.news();
    fake.status = at('reply-queued');
    changed();
    await settle();
    assert.deepEqual([one.news(), other.news()], [[event(fake.status)], [event(fake.status, 'fr')]]);
  });
});

/** Nothing is left: nobody follows, nothing waits, and whatever comes late does no harm. */
async function assertOver({ clock, followers, changed }: ReturnType<typeof start>, ...streams: readonly Readable[]) {
  await settle();
  assert.deepEqual([followers.size, clock.waiting], [0, []]);
  for (const stream of streams) assert.equal(stream.destroyed, true);
  changed();
  clock.advance(10 * heartbeatMs);
  await settle();
  assert.deepEqual(clock.waiting, []);
}

describe('how it ends', { concurrency: true }, () => {
  const over: Looked[] = [at('locked'), at('verified'), at('finished'), refuse('cookie-missing'), refuse('page-ended')];
  for (const status of over) {
    const name = 'reason' in status ? status.reason : status.progress;
    test(`at once, when there is nothing more to come: ${name}`, async () => {
      const all = start();
      all.fake.status = status;
      const { stream, news } = all.listen();
      await assertOver(all, stream);
      assert.deepEqual([news(), all.fake.looks], [[retry, event(status)], 1]);
    });

    test(`later, when nothing more will come: ${name}`, async () => {
      const all = start();
      const { stream, news } = all.listen();
      await settle();
      assert.equal(all.followers.size, 1);
      assert.deepEqual(all.clock.waiting, [heartbeatMs]);
      all.fake.status = status;
      all.changed();
      await assertOver(all, stream);
      assert.deepEqual(news(), [retry, event(at('awaiting-mail')), event(status)]);
    });
  }

  for (const progress of ['reply-queued', 'reply-delayed', 'reply-handed-over', 'reply-failed'] as const) {
    test(`not yet: ${progress}`, async () => {
      const { fake, listen: open, followers } = start();
      fake.status = at(progress);
      const { stream } = open();
      await settle();
      assert.deepEqual([stream.readableEnded, followers.size], [false, 1]);
    });
  }

  test('when the browser goes away, with nothing left', async () => {
    const all = start();
    const { stream } = all.listen();
    await settle();
    stream.destroy();
    await assertOver(all, stream);
    assert.equal(all.fake.looks, 1);
  });

  test('when the browser goes away during a look', async () => {
    const all = start();
    const look = Promise.withResolvers<Looked>();
    all.fake.status = look.promise;
    const { stream, news } = all.listen();
    await settle();
    all.changed();
    stream.destroy();
    await settle();
    look.resolve(at('reply-queued'));
    await assertOver(all, stream);
    assert.deepEqual(news(), [retry]);
  });

  test('when the browser goes away before it has read anything', async () => {
    const all = start();
    const stream = all.live.open('reset', 'the cookie', 'en', network);
    all.fake.status = at('verified');
    await settle();
    stream?.destroy();
    await assertOver(all);
  });

  test('for a browser that reads nothing: nothing is written after the end', async () => {
    const all = start();
    const stream = all.live.open('reset', 'the cookie', 'en', network);
    assert.ok(stream);
    const errors: unknown[] = [];
    stream.on('error', (error) => errors.push(error));
    await settle();
    const look = Promise.withResolvers<Looked>();
    all.fake.status = look.promise;
    all.changed();
    all.live.close();
    look.resolve(at('reply-queued'));
    await settle();
    all.clock.advance(heartbeatMs);
    await settle();
    // Whoever has not read the end by now never will.
    assert.deepEqual([stream.destroyed, all.clock.waiting, errors], [true, [], []]);
    await assertOver(all, stream);
  });

  for (const [title, before] of [
    ['at the first look', false],
    ['at a later one', true],
  ] as const) {
    test(`when the store cannot be read, ${title}: the browser connects again`, async () => {
      const all = start();
      const broken = new DependencyError('store', 'the store could not be read');
      const fail = () => {
        const failed = Promise.reject<Looked>(broken);
        failed.catch(() => {});
        all.fake.status = failed;
      };
      if (!before) fail();
      const { stream, news } = all.listen();
      await settle();
      if (before) {
        fail();
        all.changed();
      }
      await assertOver(all, stream);
      assert.deepEqual(news(), before ? [retry, event(at('awaiting-mail'))] : [retry]);
    });
  }

  test('for all at once, when the server stops', async () => {
    const all = start();
    const [one, other] = [all.listen(), all.listen('de')];
    const look = Promise.withResolvers<Looked>();
    await settle();
    all.fake.status = look.promise;
    all.changed();
    all.live.close();
    await settle();
    look.resolve(at('reply-queued'));
    await assertOver(all, one.stream, other.stream);
    assert.deepEqual(one.news(), [retry, event(at('awaiting-mail'))], 'what is seen too late is not told');
    all.live.close();
  });
});

describe('how many there are', { concurrency: true }, () => {
  test('as many as may follow the challenge: one more gets none, and leaves nothing', async () => {
    const all = start();
    all.fake.full = true;
    assert.equal(all.live.open('reset', 'the cookie', 'en', network), undefined);
    assert.equal(all.fake.looks, 0);
    await assertOver(all);
    all.fake.full = false;
    assert.ok(all.live.open('reset', 'the cookie', 'en', network));
  });

  test('a page without a cookie is told so', async () => {
    const { live, fake } = start();
    fake.status = refuse('cookie-missing');
    assert.ok(live.open('reset', undefined, 'en', network));
    await settle();
    assert.deepEqual(fake.asked, [undefined, undefined]);
  });

  test('five thousand: one more gets none, until another one has ended', async () => {
    const all = start();
    const streams = Array.from({ length: 5000 }, () => all.live.open('reset', 'the cookie', 'en', network));
    assert.ok(streams.every((stream) => stream !== undefined));
    assert.equal(all.live.open('reset', 'the cookie', 'en', network), undefined);
    assert.equal(all.followers.size, 5000);
    streams[7]?.destroy();
    await settle();
    assert.ok(all.live.open('reset', 'the cookie', 'en', network));
    assert.equal(all.live.open('reset', 'the cookie', 'en', network), undefined);
  });

  test('a few for one network: one more gets none, another network does', async () => {
    const all = start(2);
    const [first] = [
      all.live.open('reset', 'the cookie', 'en', network),
      all.live.open('reset', 'the cookie', 'en', network),
    ];
    assert.equal(all.live.open('reset', 'the cookie', 'en', network), undefined);
    const other = all.live.open('reset', 'the cookie', 'en', '192.0.2.2');
    assert.ok(first && other);
    other.destroy();
    await settle();
    assert.equal(
      all.live.open('reset', 'the cookie', 'en', network),
      undefined,
      'a place of another network is no use',
    );
    first.destroy();
    await settle();
    assert.ok(all.live.open('reset', 'the cookie', 'en', network));
    assert.equal(all.live.open('reset', 'the cookie', 'en', network), undefined);
  });
});
