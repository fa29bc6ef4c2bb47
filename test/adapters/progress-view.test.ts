// What the live line says, in every language: for each state a challenge can be in, and for each mail that was refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProgressView, viewProgress, waitText } from '../../src/adapters/web/progress-view.ts';
import { texts } from '../../src/adapters/web/texts.ts';
import type { ChallengeStatus, MailNotice, Progress } from '../../src/app/ports.ts';
import { type Locale, locales } from '../../src/core/locale.ts';
import { type MailSentence, mailRefusals, refuse } from '../../src/core/refusal.ts';
import type { VerdictDetails } from '../../src/core/sender-policy.ts';
import { table } from '../support/core-table.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

type Look = readonly [tone: ProgressView['tone'], over: boolean];
const looks: Readonly<Record<Progress, Look>> = {
  'awaiting-mail': ['waiting', false],
  'code-requested': ['good', false],
  'mail-arrived': ['waiting', false],
  'reply-queued': ['good', false],
  'reply-delayed': ['waiting', false],
  'reply-handed-over': ['good', false],
  'reply-failed': ['bad', false],
  locked: ['bad', true],
  verified: ['good', true],
  done: ['good', true],
  finished: ['waiting', true],
};
const states = Object.keys(looks) as readonly Progress[];
/** How each sentence looks where it stands in place of the line. */
const sentences: Readonly<Record<Exclude<MailSentence, 'unchanged'>, ProgressView['tone']>> = {
  'used-up': 'bad',
  'too-many-messages': 'bad',
  'too-big': 'bad',
  unreadable: 'bad',
  'address-beyond-ascii': 'bad',
  'sender-unreadable': 'bad',
  'write-a-new-one': 'bad',
  'only-this-address': 'bad',
  checking: 'waiting',
  'not-confirmed': 'bad',
  'asked-often': 'waiting',
  'asked-too-often': 'bad',
};
const details: VerdictDetails = {
  authorDomain: 'school.example',
  signatures: [
    { domain: 'school.example', result: 'fail', missed: ['passes', 'signs-the-challenge'] },
    { domain: '?', result: 'pass', missed: [] },
  ],
  spf: { domain: 'mail.school.example', result: 'softfail', missed: ['passes'] },
  dmarc: 'none',
};
const lines = [
  'header.from=school.example',
  'dkim=fail header.d=school.example (misses: passes, signs-the-challenge)',
  'dkim=pass header.d=?',
  'spf=softfail smtp.mailfrom=mail.school.example (misses: passes)',
  'dmarc=none',
] as const;
const verdict: readonly string[] = lines;
const [from, , , spf, dmarc] = lines;
const now = Date.UTC(2030, 0, 1);
const noticeOf = (sentence: MailSentence, waitMs = 0): MailNotice => ({ sentence, until: now + waitMs, details });

/** What holds for every view. */
function check(view: ProgressView): ProgressView {
  assert.notEqual(view.line.trim(), '');
  assert.doesNotMatch(JSON.stringify(view), /@|undefined|NaN|\[object/);
  for (const text of [view.line, view.refused, ...view.verdict]) assert.doesNotMatch(text, /\p{Cc}/u, 'one line each');
  return view;
}
type Status = Omit<ChallengeStatus, 'label'> | Extract<Parameters<typeof viewProgress>[2], { kind: 'refused' }>;
/** The view without its label, which is that of the status, or none. */
function view(locale: Locale, status: Status): Omit<ProgressView, 'label'> {
  const isLive = !('reason' in status);
  const { label, ...rest } = check(
    viewProgress(locale, 'reset', isLive ? { ...status, label: 'KQXF-WTMB' } : status, now),
  );
  assert.equal(label, isLive ? 'KQXF-WTMB' : '');
  return rest;
}

test('every reason for a refusal has its sentence here', () => {
  const told = new Set(Object.values(mailRefusals).map(({ sentence }) => sentence));
  assert.deepEqual([...told].toSorted(), [...Object.keys(sentences), 'unchanged'].toSorted());
});

for (const locale of locales) {
  const words = texts[locale];
  const { done, finished } = words.errands.reset;
  const lines = { ...words.progress, done, finished };

  for (const progress of states) {
    const [tone, over] = looks[progress];
    const plain = { state: progress, tone, line: lines[progress], refused: '', verdict: [], over };
    test(`${locale}, ${progress}`, () => {
      assert.deepEqual(view(locale, { progress, notice: undefined }), plain);
      assert.deepEqual(view(locale, { progress, notice: noticeOf('unchanged') }), plain, 'nothing is to be told');
    });

    test(`${locale}, ${progress}, and a mail was refused`, () => {
      for (const [sentence, refusedTone] of Object.entries(sentences) as [keyof typeof sentences, Look[0]][]) {
        const shown = view(locale, { progress, notice: noticeOf(sentence, 5 * minuteMs) });
        const refused = words.mailRefused[sentence](waitText(5 * minuteMs, locale));
        const instead = { state: 'mail-refused', tone: refusedTone, line: refused, refused: '', verdict, over };
        // What the record says comes first; beside it stands what became of a mail that was sent nevertheless.
        const beside =
          over && (progress === 'verified' || sentence !== 'used-up') ? plain : { ...plain, refused, verdict };
        assert.deepEqual(shown, progress === 'awaiting-mail' ? instead : beside);
      }
    });
  }

  test(`${locale}, a page without a challenge`, () => {
    for (const reason of ['cookie-missing', 'page-ended'] as const) {
      const line = words.notFollowed[reason];
      const expected = { state: reason, tone: 'bad', line, refused: '', verdict: [], over: true };
      assert.deepEqual(view(locale, refuse(reason)), expected);
    }
  });

  test(`${locale}: no two states or sentences have the same words`, () => {
    const shown = states.map((progress) => view(locale, { progress, notice: undefined }).line);
    const refused = (Object.keys(sentences) as (keyof typeof sentences)[]).map((sentence) =>
      words.mailRefused[sentence]('1'),
    );
    const all = [...shown, ...refused, ...Object.values(words.notFollowed)];
    assert.equal(new Set(all).size, all.length);
  });

  test(`${locale}: how long to wait is said where it helps`, () => {
    for (const sentence of ['asked-often', 'asked-too-often'] as const) {
      const { line } = view(locale, { progress: 'awaiting-mail', notice: noticeOf(sentence, 5 * hourMs) });
      assert.ok(line.includes(waitText(5 * hourMs, locale)), line);
    }
  });
}

// ---- the verdict ----

const verdictOf = (changed: Partial<VerdictDetails> | undefined) => {
  const status: Status = {
    progress: 'awaiting-mail',
    notice: { ...noticeOf('not-confirmed'), details: changed && { ...details, ...changed } },
  };
  return view('en', status).verdict;
};
table('the verdict', verdictOf, [
  ['as it was found', {}, verdict],
  ['of a mail whose sender was not checked', undefined, []],
  ['without a signature', { signatures: [] }, [from, 'dkim=none', spf, dmarc]],
  ['raw: whoever shows it escapes it', { dmarc: '<b>&"', signatures: [] }, [from, 'dkim=none', spf, 'dmarc=<b>&"']],
]);

test('the verdict is the same in every language', () => {
  const notice = noticeOf('not-confirmed');
  for (const locale of locales) assert.deepEqual(view(locale, { progress: 'awaiting-mail', notice }).verdict, verdict);
});

// ---- how long ----

const waits: readonly [ms: number, en: string, de: string, fr: string, es: string][] = [
  [0, '1 minute', '1 Minute', '1 minute', '1 minuto'],
  [1, '1 minute', '1 Minute', '1 minute', '1 minuto'],
  [59_000, '1 minute', '1 Minute', '1 minute', '1 minuto'],
  [minuteMs, '1 minute', '1 Minute', '1 minute', '1 minuto'],
  [minuteMs + 1, '2 minutes', '2 Minuten', '2 minutes', '2 minutos'],
  [5 * minuteMs, '5 minutes', '5 Minuten', '5 minutes', '5 minutos'],
  [hourMs, '60 minutes', '60 Minuten', '60 minutes', '60 minutos'],
  [89 * minuteMs, '89 minutes', '89 Minuten', '89 minutes', '89 minutos'],
  [89 * minuteMs + 1, '2 hours', '2 Stunden', '2 heures', '2 horas'],
  [90 * minuteMs, '2 hours', '2 Stunden', '2 heures', '2 horas'],
  [2 * hourMs, '2 hours', '2 Stunden', '2 heures', '2 horas'],
  [2 * hourMs + 1, '3 hours', '3 Stunden', '3 heures', '3 horas'],
  [24 * hourMs, '24 hours', '24 Stunden', '24 heures', '24 horas'],
];
for (const [ms, ...expected] of waits) {
  test(`to wait ${ms} ms is ${expected[0]}`, () => {
    const said = (['en', 'de', 'fr', 'es'] as const).map((locale) => waitText(ms, locale).replace(/\s/g, ' '));
    assert.deepEqual(said, expected);
  });
}
