// Whom we believe (MAIL-POLICY D11 to D14): evidence that is trusted, and one condition broken at a time; the traps of
// section 1 by their numbers; and what no evidence at all may get past.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decideSender,
  missedBySignature,
  missedBySpf,
  type SenderEvidence,
  type SignatureVerdict,
  type SpfCanary,
  type SpfVerdict,
} from '../../src/core/sender-policy.ts';
import { deepFreeze, mailbox, runs, table } from '../support/core-table.ts';

const minute = 60_000;
const now = Date.UTC(2030, 0, 1, 10);
const author = mailbox('Amy@school.example');

const goodSignature: SignatureVerdict = deepFreeze({
  result: 'pass',
  domain: 'school.example',
  selector: 's1',
  aligned: true,
  sameOrganisation: true,
  algorithm: 'rsa-sha256',
  bodyPartlySigned: false,
  testing: false,
  signedAt: now - minute,
  signedFields: ['from', 'to', 'subject', 'date', 'message-id'],
});

const noSpf = { result: 'none', domain: '', sameOrganisation: false } as const;
const noSignature = { ...goodSignature, result: 'none', aligned: false, sameOrganisation: false, domain: '' };

/** Trusted for its signature alone. */
const signed: SenderEvidence = deepFreeze({
  author,
  mailFrom: 'bounce-1@mailer.example',
  libraryAuthors: ['Amy@School.Example'],
  fromFields: 1,
  signatures: [goodSignature],
  spf: noSpf,
  dmarc: { result: 'pass', spfAligned: false },
  subjectHoldsLabel: false,
});

const goodSpf: SpfVerdict = { result: 'pass', domain: 'school.example', sameOrganisation: true };

/** Trusted for SPF alone, once the canary was asked. */
const bySpf: SenderEvidence = deepFreeze({
  ...signed,
  mailFrom: 'amy@school.example',
  signatures: [noSignature],
  spf: goodSpf,
  dmarc: { result: 'pass', spfAligned: true },
});

/** `signature` or `spf` when trusted, `needs-canary`, or the reason of the refusal. */
function decide(evidence: SenderEvidence, canary?: SpfCanary): string {
  const decision = decideSender(deepFreeze(evidence), now, canary);
  if (decision.kind === 'refused') return decision.reason;
  if (decision.kind === 'trusted') assert.equal(decision.mailbox, evidence.author);
  return decision.kind === 'trusted' ? decision.by : decision.kind;
}

const withSignature = (changes: Partial<SignatureVerdict>, evidence: Partial<SenderEvidence> = {}) =>
  decide({ ...signed, signatures: [{ ...goodSignature, ...changes }], ...evidence });

// ---- a good signature ----

test('a good signature is trusted, and the mailbox is that of the header reader', () => {
  const trusted = { kind: 'trusted', mailbox: author, by: 'signature', domain: 'school.example', selector: 's1' };
  assert.deepEqual(decideSender(signed, now, undefined), trusted);
});

test('what vouched is named: the first good signature, or the domain of SPF', () => {
  const signatures = [{ ...goodSignature, selector: 'broken', result: 'fail' }, goodSignature];
  const trusted = { kind: 'trusted', mailbox: author, by: 'signature', domain: 'school.example', selector: 's1' };
  assert.deepEqual(decideSender({ ...signed, signatures }, now, undefined), trusted);
  const spf = { kind: 'trusted', mailbox: author, by: 'spf', domain: 'school.example' };
  assert.deepEqual(decideSender(bySpf, now, 'closed'), spf);
});

table('one condition of a good signature broken', (changes: Partial<SignatureVerdict>) => withSignature(changes), [
  ['none', {}, 'signature'],
  ['it fails', { result: 'fail' }, 'not-authenticated'],
  ['it is neutral', { result: 'neutral' }, 'not-authenticated'],
  ['it breaks a policy of the verifier', { result: 'policy' }, 'not-authenticated'],
  ['it is a permanent error', { result: 'permerror' }, 'not-authenticated'],
  ['it passes in capitals only', { result: 'PASS' }, 'not-authenticated'],
  ['its key could not be looked up', { result: 'temperror' }, 'check-unavailable'],
  ['ed25519 is as good', { algorithm: 'ed25519-sha256' }, 'signature'],
  ['SHA-1', { algorithm: 'rsa-sha1' }, 'not-authenticated'],
  ['an unknown algorithm', { algorithm: 'dsa-sha256' }, 'not-authenticated'],
  ['no algorithm', { algorithm: '' }, 'not-authenticated'],
  ['part of the body is anybody\u2019s', { bodyPartlySigned: true }, 'not-authenticated'],
  ['its key is for tests', { testing: true }, 'not-authenticated'],
  ['no time of signing', { signedAt: undefined }, 'signature'],
  ['signed long ago', { signedAt: 0 }, 'signature'],
  ['signed now', { signedAt: now }, 'signature'],
  ['signed 5 minutes ahead', { signedAt: now + 5 * minute }, 'signature'],
  ['signed a millisecond more ahead', { signedAt: now + 5 * minute + 1 }, 'not-authenticated'],
  ['signed at a time that cannot be read', { signedAt: Number.POSITIVE_INFINITY }, 'not-authenticated'],
  ['signed at no number', { signedAt: Number.NaN }, 'not-authenticated'],
  ['not aligned', { aligned: false }, 'not-authenticated'],
  ['another organisation', { sameOrganisation: false }, 'not-authenticated'],
  ['From not signed', { signedFields: ['to', 'subject'] }, 'not-authenticated'],
  ['nothing signed', { signedFields: [] }, 'not-authenticated'],
  ['neither To nor Subject signed', { signedFields: ['from', 'date'] }, 'not-authenticated'],
  ['Subject signed, which holds no label', { signedFields: ['from', 'subject'] }, 'not-authenticated'],
  ['From and To signed', { signedFields: ['from', 'to'] }, 'signature'],
  ['a field that only sounds like To', { signedFields: ['from', 'x-to', 'reply-to', 'too', ''] }, 'not-authenticated'],
  ['a field that only sounds like From', { signedFields: ['x-from', 'to'] }, 'not-authenticated'],
]);

type Vouching = readonly [domain: string, dmarc: string];
const vouched = ([domain, dmarc]: Vouching) =>
  withSignature({ domain }, { dmarc: { result: dmarc, spfAligned: false } });

table('who may vouch', vouched, [
  ['DMARC passes, same domain', ['school.example', 'pass'], 'signature'],
  ['DMARC passes, domain above', ['example', 'pass'], 'signature'],
  ['DMARC passes, domain below', ['mail.school.example', 'pass'], 'signature'],
  ['no DMARC, same domain', ['school.example', 'none'], 'signature'],
  ['no DMARC, domain below', ['mail.school.example', 'none'], 'not-authenticated'],
  ['no DMARC, domain above', ['example', 'none'], 'not-authenticated'],
  ['no DMARC, no domain', ['', 'none'], 'not-authenticated'],
  ['DMARC not to be looked up, same domain', ['school.example', 'temperror'], 'signature'],
  ['DMARC not to be looked up, domain below', ['mail.school.example', 'temperror'], 'check-unavailable'],
  ['DMARC fails, same domain', ['school.example', 'fail'], 'not-authenticated'],
  ['DMARC broken, same domain', ['school.example', 'permerror'], 'not-authenticated'],
  ['DMARC neutral, same domain', ['school.example', 'neutral'], 'not-authenticated'],
]);

test('one good signature among bad ones is enough, wherever it stands', () => {
  const bad = [{ result: 'fail' }, { testing: true }, { bodyPartlySigned: true }, { sameOrganisation: false }];
  const others = bad.map((changes) => ({ ...goodSignature, ...changes }));
  assert.equal(decide({ ...signed, signatures: others }), 'not-authenticated');
  for (let place = 0; place <= others.length; place++) {
    assert.equal(decide({ ...signed, signatures: others.toSpliced(place, 0, goodSignature) }), 'signature');
  }
});

test('two halves of a good signature make no whole one', () => {
  const passes = { ...goodSignature, sameOrganisation: false, aligned: false, domain: 'evil.example' };
  const aligned = { ...goodSignature, result: 'fail' };
  assert.equal(decide({ ...signed, signatures: [passes, aligned] }), 'not-authenticated');
  const fromOnly = { ...goodSignature, signedFields: ['from'] };
  const toOnly = { ...goodSignature, signedFields: ['to'] };
  assert.equal(decide({ ...signed, signatures: [fromOnly, toOnly] }), 'not-authenticated');
});

test('no signatures at all are not authenticated', () => {
  assert.equal(decide({ ...signed, signatures: [] }), 'not-authenticated');
});

// ---- a good SPF ----

const withSpf = (changes: Partial<SenderEvidence>) => decide({ ...bySpf, ...changes }, 'closed');
const spf = (changes: Partial<SpfVerdict>) => ({ spf: { ...goodSpf, ...changes } });
const noDmarc = { dmarc: { result: 'none', spfAligned: false } };

table('one condition of a good SPF broken', withSpf, [
  ['none', {}, 'spf'],
  ['it fails', spf({ result: 'fail' }), 'not-authenticated'],
  ['it fails softly', spf({ result: 'softfail' }), 'not-authenticated'],
  ['it is neutral', spf({ result: 'neutral' }), 'not-authenticated'],
  ['there is none', spf({ result: 'none' }), 'not-authenticated'],
  ['it is broken', spf({ result: 'permerror' }), 'not-authenticated'],
  ['it could not be looked up', spf({ result: 'temperror' }), 'check-unavailable'],
  ['no MAIL FROM', { mailFrom: '' }, 'not-authenticated'],
  ['MAIL FROM is somebody else there', { mailFrom: 'bob@school.example' }, 'not-authenticated'],
  ['MAIL FROM is somebody elsewhere', { mailFrom: 'amy@mail.example' }, 'not-authenticated'],
  ['MAIL FROM with a tag', { mailFrom: 'amy+x@school.example' }, 'not-authenticated'],
  ['MAIL FROM with a blank', { mailFrom: 'amy@school.example ' }, 'not-authenticated'],
  ['MAIL FROM in capitals', { mailFrom: 'AMY@SCHOOL.EXAMPLE' }, 'spf'],
  ['MAIL FROM as the author is written', { mailFrom: 'Amy@school.example' }, 'spf'],
  ['another organisation', spf({ sameOrganisation: false }), 'not-authenticated'],
  ['DMARC passes, but not for SPF', { dmarc: { result: 'pass', spfAligned: false } }, 'not-authenticated'],
  ['DMARC fails', { dmarc: { result: 'fail', spfAligned: true } }, 'not-authenticated'],
  ['DMARC is broken', { dmarc: { result: 'permerror', spfAligned: true } }, 'not-authenticated'],
  ['DMARC could not be looked up', { dmarc: { result: 'temperror', spfAligned: true } }, 'check-unavailable'],
  ['no DMARC, same domain', noDmarc, 'spf'],
  ['no DMARC, domain below', { ...noDmarc, ...spf({ domain: 'mail.school.example' }) }, 'not-authenticated'],
  ['no DMARC, no domain', { ...noDmarc, ...spf({ domain: '' }) }, 'not-authenticated'],
]);

test('only ASCII letters have two cases: no other sign in MAIL FROM stands for one of them', () => {
  // JavaScript makes a small k of the sign for kelvin (U+212A); a mail server does not.
  const kim = mailbox('kim@school.example');
  const evidence = { ...bySpf, author: kim, libraryAuthors: [kim], mailFrom: '\u212aim@school.example' };
  assert.equal(decide(evidence, 'closed'), 'not-authenticated');
  assert.equal(decide({ ...evidence, mailFrom: 'KIM@school.example' }, 'closed'), 'spf');
});

const canary = (evidence: SenderEvidence) => (answer: SpfCanary | undefined) => decide(evidence, answer);
table('the canary', canary(bySpf), [
  ['not asked yet', undefined, 'needs-canary'],
  ['does not pass', 'closed', 'spf'],
  ['passes: the record lets in the whole world', 'open', 'not-authenticated'],
  ['could not be looked up', 'temperror', 'check-unavailable'],
]);

const broken = { ...bySpf, mailFrom: 'bob@school.example' };
for (const answer of [undefined, 'closed', 'open', 'temperror'] as const) {
  test(`the canary, ${answer ?? 'not asked'}, is not needed where SPF is not good, nor where a signature is`, () => {
    assert.equal(canary(broken)(answer), 'not-authenticated');
    assert.equal(canary({ ...bySpf, signatures: [goodSignature] })(answer), 'signature');
  });
}

// ---- temporary or permanent ----

const failed = { ...goodSignature, result: 'fail' };
const late = { ...goodSignature, result: 'temperror' };
const fails = { dmarc: { result: 'fail', spfAligned: false } };
table('temporary trouble', (changes: Partial<SenderEvidence>) => decide({ ...signed, ...fails, ...changes }), [
  ['none', { signatures: [failed] }, 'not-authenticated'],
  ['of SPF', { signatures: [failed], spf: { ...noSpf, result: 'temperror' } }, 'check-unavailable'],
  ['of DMARC', { signatures: [failed], dmarc: { result: 'temperror', spfAligned: false } }, 'check-unavailable'],
  ['of a signature of the author\u2019s organisation', { signatures: [failed, late] }, 'check-unavailable'],
  [
    'of a signature of somebody else',
    { signatures: [failed, { ...late, sameOrganisation: false }] },
    'not-authenticated',
  ],
  [
    'of all, but a signature is good',
    {
      signatures: [late, { ...goodSignature }],
      spf: { ...noSpf, result: 'temperror' },
      dmarc: { result: 'pass', spfAligned: false },
    },
    'signature',
  ],
]);

// ---- what an administrator is told ----

const missesOfSignature = (changes: Partial<SignatureVerdict & SenderEvidence>) =>
  missedBySignature({ ...goodSignature, ...changes }, deepFreeze({ ...signed, ...changes }), now);

table('a signature misses', missesOfSignature, [
  ['nothing', {}, []],
  ['passing', { result: 'fail' }, ['passes']],
  ['a good algorithm', { algorithm: 'rsa-sha1' }, ['is-sha256']],
  ['a part of the body', { bodyPartlySigned: true }, ['covers-the-body']],
  ['a key in earnest', { testing: true }, ['key-not-in-testing']],
  ['patience', { signedAt: now + 6 * minute }, ['not-from-the-future']],
  ['alignment', { aligned: false }, ['aligned']],
  ['the organisation', { sameOrganisation: false }, ['same-organisation']],
  ['DMARC', fails, ['dmarc-agrees']],
  ['DMARC, which was not asked', { dmarc: undefined }, ['dmarc-agrees']],
  ['From', { signedFields: ['to'] }, ['signs-from']],
  ['the challenge', { signedFields: ['from', 'subject'] }, ['signs-the-challenge']],
  [
    'several, in the order of the list',
    { signedFields: [], testing: true, result: 'fail' },
    ['passes', 'key-not-in-testing', 'signs-from', 'signs-the-challenge'],
  ],
]);

const missesOfSpf = (changes: Partial<SenderEvidence>) => missedBySpf(deepFreeze({ ...bySpf, ...changes }));
table('SPF misses', missesOfSpf, [
  ['nothing', {}, []],
  ['passing', spf({ result: 'softfail' }), ['passes']],
  ['an envelope', { mailFrom: '' }, ['envelope-names-the-author']],
  ['the author', { mailFrom: 'bob@school.example' }, ['envelope-names-the-author']],
  ['the organisation', spf({ sameOrganisation: false }), ['same-organisation']],
  ['DMARC', fails, ['dmarc-agrees']],
  ['DMARC, which was not asked', { dmarc: undefined }, ['dmarc-agrees']],
  [
    'all',
    { ...spf({ result: 'none', sameOrganisation: false }), ...fails, mailFrom: '' },
    ['passes', 'envelope-names-the-author', 'same-organisation', 'dmarc-agrees'],
  ],
]);

// ---- two opinions on the author (D11) ----

const inDoubt: readonly (readonly [string, Partial<SenderEvidence>, string])[] = [
  ['the same, domain in any case', { libraryAuthors: ['Amy@SCHOOL.example'] }, 'trusted'],
  ['nobody', { libraryAuthors: [] }, 'author-ambiguous'],
  ['somebody else', { libraryAuthors: ['bob@school.example'] }, 'author-ambiguous'],
  ['the local part in another case', { libraryAuthors: ['amy@school.example'] }, 'author-ambiguous'],
  ['another domain', { libraryAuthors: ['Amy@mail.example'] }, 'author-ambiguous'],
  ['two', { libraryAuthors: ['Amy@school.example', 'bob@school.example'] }, 'author-ambiguous'],
  ['the same one twice', { libraryAuthors: ['Amy@school.example', 'Amy@school.example'] }, 'author-ambiguous'],
  ['an empty one', { libraryAuthors: [''] }, 'author-ambiguous'],
  ['no domain', { libraryAuthors: ['Amy'] }, 'author-ambiguous'],
  ['a blank behind', { libraryAuthors: ['Amy@school.example '] }, 'author-ambiguous'],
  ['a domain of letters that only fold to ours', { libraryAuthors: ['Amy@\u017fchool.example'] }, 'author-ambiguous'],
  ['no From field', { fromFields: 0 }, 'author-ambiguous'],
  ['two From fields', { fromFields: 2 }, 'author-ambiguous'],
  ['no DMARC verdict', { dmarc: undefined }, 'author-ambiguous'],
];
for (const [name, changes, expected] of inDoubt) {
  test(`the library saw ${name}`, () => {
    assert.equal(decide({ ...signed, ...changes }), expected === 'trusted' ? 'signature' : expected);
    assert.equal(decide({ ...bySpf, ...changes }, 'closed'), expected === 'trusted' ? 'spf' : expected);
    // Doubt about the author is for good: asking again would not help.
    const trouble = { ...signed, ...changes, signatures: [late], spf: { ...noSpf, result: 'temperror' } };
    assert.equal(decide(trouble), expected === 'trusted' ? 'check-unavailable' : expected);
  });
}

// ---- the traps of MAIL-POLICY section 1 ----

test('trap 3: a failed signature is aligned too, and worth nothing', () => {
  assert.equal(withSignature({ result: 'fail', aligned: true, sameOrganisation: true }), 'not-authenticated');
});

test('trap 4: an old signed mail that names another challenge is refused, however good its signature', () => {
  const old = { signedAt: now - 365 * 24 * 60 * minute, signedFields: ['from', 'subject', 'date', 'message-id'] };
  assert.equal(withSignature(old, { subjectHoldsLabel: false }), 'not-authenticated');
  // Nor does a label help that nobody signed.
  assert.equal(withSignature({ signedFields: ['from', 'date'] }, { subjectHoldsLabel: true }), 'not-authenticated');
});

test('trap 5: who does not sign To is believed for the request label in a signed Subject', () => {
  const likeMicrosoft = { signedFields: ['from', 'date', 'subject', 'message-id', 'content-type', 'mime-version'] };
  assert.equal(withSignature(likeMicrosoft, { subjectHoldsLabel: true }), 'signature');
});

test('trap 7: customers of one public suffix are aligned by the tree walk, but are not one organisation', () => {
  const neighbour = { domain: 'bob.hosting.example', aligned: true, sameOrganisation: false };
  assert.equal(withSignature(neighbour), 'not-authenticated');
  assert.equal(withSpf(spf({ domain: 'bob.hosting.example', sameOrganisation: false })), 'not-authenticated');
});

table('trap 10: what strict mode lets pass', (run: () => string) => run(), [
  ['l=', () => withSignature({ bodyPartlySigned: true }), 'not-authenticated'],
  ['a key with t=y', () => withSignature({ testing: true }), 'not-authenticated'],
  ['a signing time in the future', () => withSignature({ signedAt: now + 24 * 60 * minute }), 'not-authenticated'],
  ['SPF +all', () => decide(bySpf, 'open'), 'not-authenticated'],
]);

// ---- what no evidence gets past ----

const results = fc.constantFrom(
  'pass',
  'pass',
  'pass',
  'fail',
  'neutral',
  'none',
  'policy',
  'temperror',
  'permerror',
  '',
);
const domains = fc.constantFrom('school.example', 'school.example', 'mail.school.example', 'evil.example', '');
const mostly = fc.nat(5).map((n) => n > 0);
const rarely = fc.nat(5).map((n) => n === 0);
const anySignature: fc.Arbitrary<SignatureVerdict> = fc.record({
  result: results,
  domain: domains,
  selector: fc.constant('s1'),
  aligned: mostly,
  sameOrganisation: mostly,
  algorithm: fc.constantFrom('rsa-sha256', 'ed25519-sha256', 'rsa-sha256', 'rsa-sha1'),
  bodyPartlySigned: rarely,
  testing: rarely,
  signedAt: fc.option(fc.integer({ min: now - 10 * minute, max: now + 6 * minute }), { nil: undefined }),
  signedFields: fc.subarray(['from', 'to', 'subject', 'date'], { minLength: 1 }),
});
const anyEvidence: fc.Arbitrary<SenderEvidence> = fc.record({
  author: fc.constant(author),
  mailFrom: fc.constantFrom('amy@school.example', 'Amy@school.example', 'bob@school.example', ''),
  libraryAuthors: fc.constantFrom<string[]>(
    [author],
    [author],
    [author],
    [],
    [author, 'bob@school.example'],
    ['x@y.example'],
  ),
  fromFields: fc.constantFrom(1, 1, 1, 1, 2),
  signatures: fc.array(anySignature, { maxLength: 3 }),
  spf: fc.option(fc.record({ result: results, domain: domains, sameOrganisation: mostly }), {
    nil: undefined,
    freq: 12,
  }),
  dmarc: fc.option(fc.record({ result: results, spfAligned: fc.boolean() }), { nil: undefined, freq: 12 }),
  subjectHoldsLabel: fc.boolean(),
});
const anyCanary = fc.constantFrom<(SpfCanary | undefined)[]>(undefined, 'closed', 'open', 'temperror');

/** MAIL-POLICY "Good signature", read from the page and not from the code. */
function shouldTrustSignature(s: SignatureVerdict, evidence: SenderEvidence): boolean {
  const dmarc = evidence.dmarc?.result ?? '';
  const exact = s.domain === 'school.example' && ['none', 'temperror'].includes(dmarc);
  const bound = s.signedFields.includes('to') || (s.signedFields.includes('subject') && evidence.subjectHoldsLabel);
  const future = s.signedAt !== undefined && s.signedAt > now + 5 * minute;
  if (s.result !== 'pass' || s.algorithm === 'rsa-sha1' || s.bodyPartlySigned || s.testing || future) return false;
  return s.aligned && s.sameOrganisation && (dmarc === 'pass' || exact) && s.signedFields.includes('from') && bound;
}

/** MAIL-POLICY "Good SPF", without the canary. */
function shouldTrustSpf(
  { mailFrom, dmarc }: SenderEvidence,
  { result, domain, sameOrganisation }: SpfVerdict,
): boolean {
  if (result !== 'pass' || !['amy@school.example', 'Amy@school.example'].includes(mailFrom)) return false;
  const aligned = dmarc?.result === 'pass' && dmarc.spfAligned;
  return sameOrganisation && (aligned || (dmarc?.result === 'none' && domain === 'school.example'));
}

function expected(evidence: SenderEvidence, answer: SpfCanary | undefined): string {
  const { libraryAuthors, fromFields, dmarc, signatures, spf: spfVerdict } = evidence;
  if (libraryAuthors.length !== 1 || libraryAuthors[0] !== author || fromFields !== 1 || !dmarc)
    return 'author-ambiguous';
  if (signatures.some((signature) => shouldTrustSignature(signature, evidence))) return 'signature';
  if (spfVerdict === undefined) return 'needs-spf';
  const spfIsGood = shouldTrustSpf(evidence, spfVerdict);
  if (spfIsGood && answer === undefined) return 'needs-canary';
  if (spfIsGood && answer === 'closed') return 'spf';
  const late = signatures.some(({ result, sameOrganisation }) => result === 'temperror' && sameOrganisation);
  const temporary = late || spfVerdict.result === 'temperror' || dmarc.result === 'temperror';
  return temporary || (spfIsGood && answer === 'temperror') ? 'check-unavailable' : 'not-authenticated';
}

test('every evidence is judged as the policy is written', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(anyEvidence, anyCanary, (evidence, answer) => {
      const decision = decide(evidence, answer);
      seen.add(decision);
      assert.equal(decision, expected(evidence, answer));
    }),
    runs(4000),
  );
  const all = ['author-ambiguous', 'signature', 'needs-spf', 'needs-canary', 'spf', 'check-unavailable'];
  assert.deepEqual([...seen].sort(), [...all, 'not-authenticated'].sort());
});

test('whom a good signature proves, SPF does not matter to: it need not be asked', () => {
  fc.assert(
    fc.property(anyEvidence, anyCanary, (evidence, answer) => {
      const before = decide({ ...evidence, spf: undefined });
      if (before !== 'needs-spf') assert.equal(decide(evidence, answer), before);
      else assert.notEqual(decide(evidence, answer), 'signature');
    }),
    runs(2000),
  );
});

test('without a passing signature and without a passing SPF nobody is ever trusted', () => {
  const nothingPasses = anyEvidence.map((evidence) => {
    const no = (result: string) => (result === 'pass' ? 'fail' : result);
    const signatures = evidence.signatures.map((signature) => ({ ...signature, result: no(signature.result) }));
    return { ...evidence, signatures, spf: { ...noSpf, ...evidence.spf, result: no(evidence.spf?.result ?? 'none') } };
  });
  fc.assert(
    fc.property(nothingPasses, anyCanary, (evidence, answer) => {
      assert.match(decide(evidence, answer), /^(author-ambiguous|check-unavailable|not-authenticated)$/);
    }),
    runs(2000),
  );
});
