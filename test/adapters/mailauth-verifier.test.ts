// Mail authentication of real messages against real DNS: what mailauth finds out, as evidence for the sender policy.

import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { before, describe, type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { dkimSign } from 'mailauth';
import { createDnsResolver } from '../../src/adapters/dns/node-resolver.ts';
import { createMailauthVerifier, verifyBySize } from '../../src/adapters/mail-auth/mailauth-verifier.ts';
import type { MailVerifier, Verification } from '../../src/app/ports.ts';
import type { Mailbox } from '../../src/core/mail-address.ts';
import { type DkimKeys, loadDkimKeys, selectors } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, type IdentityKey, kitZone } from '../../src/testkit/identities.ts';
import { composeMessage, type MessageOptions } from '../../src/testkit/message.ts';
import type { Zone } from '../../src/testkit/zone.ts';
import { amy, mailbox } from '../app/support.ts';

const to = 'k7m29qxfk7m29qxfk7m29qxfk7m29qxf@in.school.example';
const signedFields = ['From', 'To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type'];

let keys: DkimKeys;
let weakKey: string;
before(async () => {
  keys = await loadDkimKeys();
  weakKey = generateKeyPairSync('rsa', { modulusLength: 768 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
});

interface Signing {
  readonly domain?: string;
  readonly key?: 'rsa' | 'ed25519';
  readonly privateKey?: string;
  readonly fields?: readonly string[];
  readonly signTime?: Date;
  readonly expires?: Date;
  readonly algorithm?: string;
  /** l= */
  readonly bodyLength?: number;
}

async function sign(raw: Buffer, signing: Signing): Promise<Buffer> {
  const { domain = 'school.example', key = 'rsa', fields = signedFields } = signing;
  const how = {
    signingDomain: domain,
    selector: selectors[key],
    privateKey: signing.privateKey ?? keys[key],
    canonicalization: 'relaxed/relaxed',
    headerList: [...fields],
    ...(signing.algorithm && { algorithm: signing.algorithm }),
    ...(signing.bodyLength === undefined ? {} : { maxBodyLength: signing.bodyLength }),
  };
  const { signatures, errors } = await dkimSign(raw, {
    ...how,
    signatureData: [how],
    ...(signing.signTime && { signTime: signing.signTime }),
    ...(signing.expires && { expires: signing.expires }),
  });
  assert.equal(errors.length, 0);
  return Buffer.concat([Buffer.from(signatures), raw]);
}

interface Case {
  readonly from?: IdentityKey;
  readonly mail?: Partial<MessageOptions>;
  readonly signing?: Signing;
  /** Records that differ from the kit's. */
  readonly zone?: () => Zone;
  readonly remoteAddress?: string;
  readonly mailFrom?: string;
  readonly author?: Mailbox;
  /** Changes the message after it was signed. */
  readonly alter?: (message: Buffer) => Buffer;
}

/** Verifies one message from 198.51.100.7, an address that no record knows. */
async function verify(t: TestContext, given: Case) {
  const identity = findIdentity(given.from ?? 'amy');
  assert.ok(identity);
  const mail = { to, subject: 'New password', body: 'Please send me a code.', ...given.mail };
  const raw = composeMessage(identity, mail);
  const signed = given.signing ? await sign(raw, given.signing) : raw;
  const zone = { ...kitZone('in.school.example', keys), ...given.zone?.() };
  const dns = await startDnsServer({ host: '127.0.0.1', port: 0, zone });
  t.after(() => dns.close());
  const { forMessage } = createDnsResolver({ servers: [dns], now: () => 0 });
  const envelope = {
    remoteAddress: given.remoteAddress ?? '198.51.100.7',
    helo: 'mail.school.example',
    mailFrom: given.mailFrom ?? identity.mailbox,
  };
  const message = given.alter?.(signed) ?? signed;
  const verifier = createMailauthVerifier('mx.in.school.example', forMessage);
  const found = await verifier.verify(message, envelope, given.author ?? identity.mailbox);
  const asked = () => dns.queries.map(({ name, type }) => `${type} ${name}`);
  const askedFirst = asked();
  const evidence = await found.withSpf();
  return { ...found, first: found.evidence, evidence, asked, askedFirst };
}

async function evidenceOf(t: TestContext, given: Case): Promise<Verification['evidence']> {
  return (await verify(t, given)).evidence;
}

/** The one signature of a message. */
async function signatureOf(t: TestContext, given: Case): Promise<Verification['evidence']['signatures'][number]> {
  const { signatures } = await evidenceOf(t, given);
  assert.equal(signatures.length, 1);
  assert.ok(signatures[0]);
  return signatures[0];
}

function keyRecord(key: string, tags = ''): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  return `v=DKIM1; k=rsa; ${tags}p=${spki}`;
}

const keyName = `${selectors.rsa}._domainkey.school.example`;
const spfOf = (record: string) => (): Zone => ({ 'company.example': { TXT: [record] } });

describe('evidence of signatures', { concurrency: true }, () => {
  test('a good signature, and everything the policy asks of it', async (t) => {
    const signedAt = Math.floor(Date.now() / 1000) * 1000;
    const { signatures, ...rest } = await evidenceOf(t, { signing: { signTime: new Date(signedAt) } });
    const inOrder = signatures.map((one) => ({ ...one, signedFields: one.signedFields.toSorted() }));
    assert.deepEqual(
      { ...rest, signatures: inOrder },
      {
        libraryAuthors: [amy],
        fromFields: 1,
        signatures: [
          {
            result: 'pass',
            domain: 'school.example',
            selector: selectors.rsa,
            aligned: true,
            sameOrganisation: true,
            algorithm: 'rsa-sha256',
            bodyPartlySigned: false,
            testing: false,
            signedAt,
            signedFields: signedFields.map((name) => name.toLowerCase()).toSorted(),
          },
        ],
        spf: { result: 'fail', domain: 'school.example', sameOrganisation: true },
        dmarc: { result: 'pass', spfAligned: false },
      },
    );
  });

  test('an Ed25519 signature', async (t) => {
    const { result, algorithm } = await signatureOf(t, { signing: { key: 'ed25519' } });
    assert.deepEqual([result, algorithm], ['pass', 'ed25519-sha256']);
  });

  const failing: [string, Case, string][] = [
    ['a body that was changed', { signing: {}, alter: (raw) => Buffer.from(`${raw}more\r\n`) }, 'fail'],
    [
      'a To that was changed',
      { signing: {}, alter: (raw) => Buffer.from(`${raw}`.replace(/^To: k7/m, 'To: k8')) },
      'fail',
    ],
    ['a key that is not published', { signing: {}, zone: () => ({ [keyName]: {} }) }, 'neutral'],
    [
      'a key that was withdrawn',
      { signing: {}, zone: () => ({ [keyName]: { TXT: ['v=DKIM1; k=rsa; p='] } }) },
      'neutral',
    ],
    ['another key', { signing: {}, zone: () => ({ [keyName]: { TXT: [keyRecord(weakKey)] } }) }, 'policy'],
    ['a key that cannot be looked up', { signing: {}, zone: () => ({ [keyName]: { fail: 'servfail' } }) }, 'temperror'],
    [
      'a key of 768 bits',
      {
        signing: {
          get privateKey() {
            return weakKey;
          },
        },
        zone: () => ({ [keyName]: { TXT: [keyRecord(weakKey)] } }),
      },
      'policy',
    ],
    [
      'a signature that has expired',
      {
        signing: { signTime: new Date(Date.now() - 7_200_000), expires: new Date(Date.now() - 3_600_000) },
      },
      'neutral',
    ],
    [
      'a signature that expires before it was made',
      {
        signing: { signTime: new Date(Date.now() + 7_200_000), expires: new Date(Date.now() + 3_600_000) },
      },
      'neutral',
    ],
    ['SHA-1', { signing: { algorithm: 'rsa-sha1' } }, 'policy'],
    [
      'a NUL in the selector',
      { signing: {}, alter: (raw) => Buffer.from(`${raw}`.replace(/s=test-rsa/, 's=test-rsa\0x')) },
      'neutral',
    ],
  ];
  for (const [title, given, result] of failing) {
    test(`${title} is no pass`, async (t) => {
      const { evidence } = await verify(t, given);
      assert.deepEqual(
        evidence.signatures.map((signature) => signature.result),
        [result],
      );
      // Of trouble too: the policy must look at the signature before it believes this.
      assert.equal(evidence.dmarc?.result, 'fail');
    });
  }

  test('a signature from the future passes, and says when it was made', async (t) => {
    const signTime = new Date('2040-01-01T00:00:00Z');
    const { result, signedAt } = await signatureOf(t, { signing: { signTime } });
    assert.deepEqual([result, signedAt], ['pass', signTime.getTime()]);
  });

  test('l= is told, whether it leaves out a part of the body or none', async (t) => {
    const body = 'Please send me a code.';
    const whole = body.length + 2;
    const cases: [string, Case, string, boolean][] = [
      ['no l=', { signing: {} }, 'pass', false],
      ['the whole body', { signing: { bodyLength: whole } }, 'pass', true],
      ['nothing of it', { signing: { bodyLength: 0 } }, 'pass', true],
      [
        'a body that was added to',
        { signing: { bodyLength: whole }, alter: (raw) => Buffer.from(`${raw}more\r\n`) },
        'pass',
        true,
      ],
    ];
    for (const [title, given, expected, partly] of cases) {
      const { result, bodyPartlySigned } = await signatureOf(t, given);
      assert.deepEqual([result, bodyPartlySigned], [expected, partly], title);
    }
  });

  test('a key that says t=y passes, and is told', async (t) => {
    const zone = () => ({ [keyName]: { TXT: [keyRecord(keys.rsa, 't=y; ')] } });
    const { result, testing } = await signatureOf(t, { signing: {}, zone });
    assert.deepEqual([result, testing], ['pass', true]);
  });

  test('only what was signed is told as signed', async (t) => {
    const { result, signedFields: told } = await signatureOf(t, { signing: { fields: ['from', 'Subject'] } });
    assert.deepEqual([result, told.toSorted()], ['pass', ['from', 'subject']]);
  });

  test('another domain that signs is neither aligned nor the same organisation', async (t) => {
    const zone = () => ({ [`${selectors.rsa}._domainkey.mailer.example`]: { TXT: [keyRecord(keys.rsa)] } });
    const { evidence } = await verify(t, { signing: { domain: 'Mailer.Example' }, zone });
    const [signature] = evidence.signatures;
    assert.deepEqual(
      [signature?.result, signature?.domain, signature?.aligned, signature?.sameOrganisation, evidence.dmarc?.result],
      ['pass', 'mailer.example', false, false, 'fail'],
    );
  });

  test('a subdomain that signs is of the same organisation', async (t) => {
    const zone = () => ({ [`${selectors.rsa}._domainkey.mail.school.example`]: { TXT: [keyRecord(keys.rsa)] } });
    const { evidence } = await verify(t, { signing: { domain: 'mail.school.example' }, zone });
    const [signature] = evidence.signatures;
    assert.deepEqual([signature?.result, signature?.aligned, signature?.sameOrganisation], ['pass', true, true]);
    assert.equal(evidence.dmarc?.result, 'pass');
  });

  // The only names here that nobody may invent: they must stand in the public suffix list.
  const customers: [string, string, string, boolean][] = [
    ['a customer of a host, and the same one', 'one.github.io', 'one.github.io', true],
    ['a customer of a host, and another one', 'one.github.io', 'two.github.io', false],
    ['a host of customers, and another such host', 'github.io', 'gitlab.io', false],
  ];
  for (const [title, authorDomain, signer, same] of customers) {
    test(`${title}: ${same ? 'one organisation' : 'two organisations'}`, async (t) => {
      const author = mailbox(`amy@${authorDomain}`);
      const zone = () => ({
        [`${selectors.rsa}._domainkey.${signer}`]: { TXT: [keyRecord(keys.rsa)] },
        [signer]: { TXT: ['v=spf1 ip4:198.51.100.7 -all'] },
        '_dmarc.github.io': { TXT: ['v=DMARC1; p=reject'] },
      });
      const mail = { headers: { From: author } };
      const mailFrom = `amy@${signer}`;
      const { signatures, spf } = await evidenceOf(t, { mail, author, mailFrom, signing: { domain: signer }, zone });
      assert.deepEqual([signatures[0]?.result, signatures[0]?.sameOrganisation], ['pass', same]);
      assert.deepEqual(spf, { result: 'pass', domain: signer, sameOrganisation: same });
    });
  }

  test('what was not signed is of no organisation, not even where the author has none', async (t) => {
    const author = mailbox('amy@github.io');
    const mail = { headers: { From: author } };
    const zone = () => ({ '_dmarc.github.io': { TXT: ['v=DMARC1; p=reject'] } });
    const { signatures } = await evidenceOf(t, { mail, author, mailFrom: author, zone });
    assert.deepEqual(
      signatures.map(({ result, domain, sameOrganisation }) => [result, domain, sameOrganisation]),
      [], // mailauth makes one up whose result is "none"
    );
  });

  test('every signature is told, in the order of the message', async (t) => {
    const zone = () => ({ [`${selectors.rsa}._domainkey.mailer.example`]: { TXT: [keyRecord(keys.rsa)] } });
    const identity = findIdentity('amy');
    assert.ok(identity);
    const evidence = await evidenceOf(t, {
      signing: { domain: 'mailer.example' },
      zone,
      alter: (raw) => Buffer.concat([Buffer.from('DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=x\r\n'), raw]),
    });
    assert.deepEqual(
      evidence.signatures.map(({ domain, result }) => [domain, result]),
      [
        ['x.example', 'neutral'],
        ['mailer.example', 'pass'],
      ],
    );
  });
});

describe('evidence of SPF and DMARC', { concurrency: true }, () => {
  test('SPF that passes for the author', async (t) => {
    const { spf, dmarc, signatures } = await evidenceOf(t, { from: 'jo', remoteAddress: '127.0.0.1' });
    assert.deepEqual(spf, { result: 'pass', domain: 'company.example', sameOrganisation: true });
    assert.deepEqual(dmarc, { result: 'pass', spfAligned: true });
    assert.deepEqual(signatures, []);
  });

  test('neither SPF nor a signature', async (t) => {
    const { spf, dmarc } = await evidenceOf(t, { from: 'forger' });
    assert.deepEqual(spf, { result: 'fail', domain: 'school.example', sameOrganisation: true });
    assert.deepEqual(dmarc, { result: 'fail', spfAligned: false });
  });

  const results: [string, Zone[string], string][] = [
    ['softfail', { TXT: ['v=spf1 ~all'] }, 'softfail'],
    ['neutral', { TXT: ['v=spf1 ?all'] }, 'neutral'],
    ['no record', { TXT: ['something else'] }, 'none'],
    ['two records', { TXT: ['v=spf1 +all', 'v=spf1 +all'] }, 'permerror'],
    ['a record that is none', { TXT: ['v=spf1 nonsense:x -all'] }, 'permerror'],
    ['a name server in trouble', { fail: 'servfail' }, 'temperror'],
    ['eleven look-ups', { TXT: [`v=spf1 ${'a:mx.company.example '.repeat(11)}+all`] }, 'permerror'],
    ['three look-ups of nothing', { TXT: ['v=spf1 a:n1.example a:n2.example a:n3.example +all'] }, 'permerror'],
  ];
  for (const [title, records, expected] of results) {
    test(`SPF: ${title} is ${expected}`, async (t) => {
      const { spf } = await evidenceOf(t, { from: 'jo', zone: () => ({ 'company.example': records }) });
      assert.equal(spf?.result, expected);
    });
  }

  test('SPF speaks of MAIL FROM, and tells when that is somebody else', async (t) => {
    const zone = () => ({ 'mailer.example': { TXT: ['v=spf1 ip4:198.51.100.7 -all'] } });
    const { spf, dmarc } = await evidenceOf(t, { mailFrom: 'bounce@Mailer.Example', zone });
    assert.deepEqual(spf, { result: 'pass', domain: 'mailer.example', sameOrganisation: false });
    assert.deepEqual(dmarc, { result: 'fail', spfAligned: false });
  });

  test('a domain beyond ASCII is told as ASCII', async (t) => {
    const author = mailbox('amy@xn--bcher-kva.example');
    const zone = () => ({
      'xn--bcher-kva.example': { TXT: ['v=spf1 ip4:198.51.100.7 -all'] },
      '_dmarc.xn--bcher-kva.example': { TXT: ['v=DMARC1; p=reject'] },
    });
    const given = { mail: { headers: { From: author } }, author, mailFrom: author, zone };
    const { spf, dmarc, libraryAuthors } = await evidenceOf(t, given);
    assert.deepEqual(spf, { result: 'pass', domain: 'xn--bcher-kva.example', sameOrganisation: true });
    assert.deepEqual([dmarc, libraryAuthors], [{ result: 'pass', spfAligned: true }, [author]]);
  });

  test('a Return-Path in the message is not MAIL FROM', async (t) => {
    const { spf } = await evidenceOf(t, {
      mail: { headers: { 'Return-Path': '<jo.grant@company.example>' } },
      remoteAddress: '127.0.0.1',
    });
    assert.deepEqual(spf, { result: 'fail', domain: 'school.example', sameOrganisation: true });
  });

  test('Received, Authentication-Results and ARC of others are not believed', async (t) => {
    const headers = {
      Received:
        'from mx.company.example ([127.0.0.1]) by mx.in.school.example with ESMTP; Thu, 15 Jan 2026 09:30:00 +0000',
      'Authentication-Results': 'mx.in.school.example; dkim=pass header.d=company.example; spf=pass; dmarc=pass',
      'ARC-Authentication-Results': 'i=1; mx.in.school.example; dmarc=pass',
      'ARC-Message-Signature': 'i=1; a=rsa-sha256; d=arc.example; s=arc; c=relaxed/relaxed; h=from; bh=x; b=x',
      'ARC-Seal': 'i=1; a=rsa-sha256; d=seal.example; s=arc; cv=none; b=x',
    };
    const { evidence, asked } = await verify(t, { from: 'jo', mail: { headers } });
    assert.deepEqual([evidence.spf?.result, evidence.dmarc?.result], ['fail', 'fail']);
    // Of an ARC set the library still fetches the key of the message signature, and leaves it out of its results.
    assert.deepEqual(evidence.signatures, []);
    assert.ok(!asked().some((question) => question.includes('seal.example')));
  });

  const dmarcs: [string, Zone[string], string][] = [
    ['no record', {}, 'none'],
    ['a record that is none', { TXT: ['v=DMARC2; p=reject'] }, 'none'],
    ['a record that cannot be looked up', { fail: 'servfail' }, 'temperror'],
  ];
  for (const [title, records, expected] of dmarcs) {
    test(`DMARC: ${title} is ${expected}, and the other evidence is there all the same`, async (t) => {
      const zone = () => ({ '_dmarc.school.example': records, '_dmarc.company.example': records });
      const signed = await evidenceOf(t, { signing: {}, zone });
      assert.deepEqual(signed.dmarc, { result: expected, spfAligned: false });
      assert.deepEqual(
        signed.signatures.map(({ result, aligned }) => [result, aligned]),
        [['pass', true]],
      );
      const sent = await evidenceOf(t, { from: 'jo', remoteAddress: '127.0.0.1', zone });
      assert.deepEqual([sent.spf?.result, sent.dmarc], ['pass', { result: expected, spfAligned: false }]);
    });
  }

  const authors: [string, string | readonly string[], readonly string[], number][] = [
    ['a display name that is an address', '"amy.pond@school.example" <eve@evil.example>', ['eve@evil.example'], 1],
    ['two authors', 'amy.pond@school.example, eve@evil.example', ['amy.pond@school.example', 'eve@evil.example'], 1],
    ['a group', 'us: amy.pond@school.example, eve@evil.example;', ['amy.pond@school.example', 'eve@evil.example'], 1],
    [
      'two From fields',
      ['amy.pond@school.example', 'eve@evil.example'],
      ['amy.pond@school.example', 'eve@evil.example'],
      2,
    ],
    ['nobody', 'Amy Pond', [], 1],
  ];
  for (const [title, From, libraryAuthors, fromFields] of authors) {
    test(`From with ${title}: all that the library read is told`, async (t) => {
      const zone = () => ({ '_dmarc.evil.example': { TXT: ['v=DMARC1; p=none'] } });
      const evidence = await evidenceOf(t, { mail: { headers: { From } }, zone });
      assert.deepEqual([evidence.libraryAuthors, evidence.fromFields], [libraryAuthors, fromFields]);
    });
  }

  test('the evidence holds nothing of what the sender explains', async (t) => {
    const zone = () => ({
      'company.example': { TXT: ['v=spf1 -all exp=why.company.example'] },
      'why.company.example': { TXT: ['Call-0800-EVIL'] },
    });
    const evidence = await evidenceOf(t, { from: 'jo', zone, mail: { headers: { Comments: 'Call-0800-EVIL' } } });
    assert.equal(evidence.spf?.result, 'fail');
    assert.doesNotMatch(JSON.stringify(evidence), /EVIL/);
  });
});

test('SPF is asked about only when somebody wants to know', async (t) => {
  const { first, evidence, askedFirst, asked } = await verify(t, { signing: {} });
  assert.deepEqual([first.spf, first.dmarc?.result, first.signatures[0]?.aligned], [undefined, 'pass', true]);
  assert.deepEqual(askedFirst, [`TXT ${keyName}`, 'TXT _dmarc.school.example', 'TXT _dmarc.example']);
  assert.equal(evidence.spf?.result, 'fail');
  assert.deepEqual(asked().slice(askedFirst.length), ['TXT school.example']);
});

describe('the canary', { concurrency: true }, () => {
  const canaries: [string, string, string][] = [
    ['the sender alone', 'v=spf1 ip4:127.0.0.1 -all', 'closed'],
    ['the sender, and a shrug for the rest', 'v=spf1 ip4:127.0.0.1 ?all', 'closed'],
    ['everybody', 'v=spf1 +all', 'open'],
    ['everybody, in other words', 'v=spf1 ip4:0.0.0.0/0 -all', 'open'],
    ['half of the world', 'v=spf1 ip4:0.0.0.0/1 -all', 'closed'],
    ['the other half too', 'v=spf1 ip4:127.0.0.1 ip4:128.0.0.0/1 -all', 'open'],
    ['one address that nobody sends from', 'v=spf1 ip4:127.0.0.1 ip4:192.0.2.77 -all', 'open'],
    ['the other such address', 'v=spf1 ip4:127.0.0.1 ip4:203.0.113.200 -all', 'open'],
    ['nobody, should a look-up succeed', 'v=spf1 ip4:127.0.0.1 a:broken.example -all', 'temperror'],
    ['some, and the rest cannot be looked up', 'v=spf1 ip4:127.0.0.1 ip4:192.0.2.77 a:broken.example -all', 'open'],
  ];
  for (const [title, record, expected] of canaries) {
    test(`a record that lets in ${title} is ${expected}`, async (t) => {
      const zone = () => ({ ...spfOf(record)(), 'broken.example': { fail: 'servfail' as const } });
      const { evidence, canary } = await verify(t, { from: 'jo', remoteAddress: '127.0.0.1', zone });
      assert.equal(evidence.spf?.result, 'pass');
      assert.equal(await canary(), expected);
    });
  }

  test('is asked for nothing that is known already, and only when it is wanted', async (t) => {
    const { canary, asked } = await verify(t, { from: 'jo', remoteAddress: '127.0.0.1' });
    const before = asked().length;
    assert.equal(await canary(), 'closed');
    assert.deepEqual(asked().slice(before), []);
  });
});

test('of a message that was verified its octets are not kept', async () => {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.ok(typeof collect === 'function');
  const held = async () => {
    // What one collection finds is given back by the next one.
    for (let turns = 0; turns < 5; turns += 1) {
      await new Promise(setImmediate);
      collect();
    }
    return process.memoryUsage().arrayBuffers;
  };
  const { verify } = createMailauthVerifier('mx.in.school.example', () => async () => []);
  const octets = 1_000_000;
  const before = await held();
  const kept: Verification[] = [];
  for (let count = 0; count < 20; count += 1) {
    const message = new Uint8Array(octets).fill(0x20);
    message.set(Buffer.from(`From: <${amy}>\r\nTo: <${to}>\r\n\r\n`));
    kept.push(await verify(message, { remoteAddress: '192.0.2.9', helo: 'x', mailFrom: amy }, mailbox(amy)));
  }
  const now = await held();
  assert.ok(now - before < 2 * octets, `${now - before} octets of ${kept.length} messages`);
});

test('small messages are verified here, large ones there', async () => {
  const said: string[] = [];
  const verifierOf = (name: string): MailVerifier => ({
    async verify(message) {
      said.push(`${name} ${message.length}`);
      throw new Error('not asked for');
    },
  });
  const { verify } = verifyBySize(verifierOf('here'), verifierOf('there'));
  const envelope = { remoteAddress: undefined, helo: '', mailFrom: amy };
  for (const octets of [0, 32_768, 32_769])
    await assert.rejects(verify(new Uint8Array(octets), envelope, mailbox(amy)));
  assert.deepEqual(said, ['here 0', 'here 32768', 'there 32769']);
});
