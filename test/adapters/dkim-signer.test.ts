// Our signatures, read by mailauth: both algorithms pass and are aligned, nothing of the message can be changed or added,
// and keys that are not fit for it are refused with the place and the remedy.

import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { authenticate } from 'mailauth';
import { type DkimKey, parseDkimKey, signMessage } from '../../src/adapters/mail-out/dkim-signer.ts';
import { type DkimKeys, keyRecords, loadDkimKeys, selectors } from '../../src/testkit/dkim-keys.ts';
import type { Zone } from '../../src/testkit/zone.ts';

const domain = 'school.example';
const now = Date.now();

let kit: DkimKeys;
let keys: readonly DkimKey[];
let zone: Zone;

before(async () => {
  kit = await loadDkimKeys();
  keys = (['rsa', 'ed25519'] as const).map((kind) => ({
    selector: selectors[kind],
    key: createPrivateKey(kit[kind]),
  }));
  zone = { ...keyRecords(kit, domain), [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=reject; adkim=s'] } };
});

async function resolver(name: string, type: string): Promise<string[][]> {
  const texts = type === 'TXT' ? zone[name]?.TXT : undefined;
  if (texts === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
  return texts.map((text) => [text]);
}

/** What mailauth says: a line for each signature, and DMARC. */
async function verdicts(message: Buffer): Promise<string[]> {
  const { dkim, dmarc } = await authenticate(message, {
    ...{ trustReceived: false, ip: '192.0.2.99', helo: 'relay.example', sender: '', mta: 'mx.example' },
    ...{ resolver, disableArc: true, disableBimi: true },
  });
  const results = dkim.results.map(
    ({ algo, signingDomain, status }) => `${algo} ${signingDomain} ${status.result} ${status.aligned}`,
  );
  return [...results, `dmarc ${dmarc ? dmarc.status.result : 'none'}`];
}

const passed = [`rsa-sha256 ${domain} pass ${domain}`, `ed25519-sha256 ${domain} pass ${domain}`, 'dmarc pass'];

const plain = [
  'From: Example School <accounts@school.example>',
  'To: amy.pond@school.example',
  'Subject: =?UTF-8?Q?Neues_Passwort?= KQXF-WTMB',
  'Date: Fri, 20 Nov 2026 10:00:00 +0000',
  'Message-ID: <0f1e@school.example>',
  'Auto-Submitted: auto-replied',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  '',
  '4821 7730',
  '',
  'Hello.',
  '',
].join('\r\n');

const sign = (text: string) => signMessage(Buffer.from(text, 'latin1'), { domain, keys, now });

describe('a signature', { concurrency: true }, () => {
  const messages: [string, string][] = [
    ['of a plain message', plain],
    [
      'of folded fields, tabs and blanks',
      plain.replace('Subject: ', 'sUbject \t:\t \r\n  ').replace('Hello', ' a \t b  '),
    ],
    ['of two fields of a name', plain.replace('Subject:', 'References: <a@b>\r\nReferences: <c@d>\r\nSubject:')],
    ['of an empty body', plain.slice(0, plain.indexOf('4821'))],
    ['of a body of empty lines', plain.slice(0, plain.indexOf('4821')) + '\r\n'.repeat(4)],
    ['of a body of blanks', `${plain.slice(0, plain.indexOf('4821'))}  \t\r\n \r\n`],
    ['of a body without a last line end', plain.trimEnd()],
    ['of a body with more of them', `${plain}\r\n \r\n\r\n`],
    ['of a long body', plain + 'a = b  \r\n'.repeat(5000)],
  ];
  for (const [title, message] of messages) {
    test(`${title} is good, for both algorithms, and aligned`, async () => {
      assert.deepEqual(await verdicts(await sign(message)), passed);
    });
  }

  test('stands in front of the message, which is not touched, in lines of 78 characters at most', async () => {
    const signed = (await sign(plain)).toString('latin1');
    assert.ok(signed.endsWith(plain));
    const added = signed.slice(0, -plain.length).split('\r\n');
    for (const line of added) assert.ok(line.length <= 78, line);
    assert.match(added.join('\n'), new RegExp(`^ s=${selectors.rsa}; t=${Math.floor(now / 1000)};$`, 'm'));
    assert.doesNotMatch(added.join('\n'), /\bl=|z=/);
  });

  test('without a key there is none', async () => {
    const message = Buffer.from(plain);
    assert.deepEqual(await signMessage(message, { domain, keys: [], now }), message);
  });

  const changes: [string, (signed: string) => string][] = [
    ['a word of the body', (signed) => signed.replace('Hello', 'Hallo')],
    ['a digit of the code', (signed) => signed.replace('4821 7730', '4821 7731')],
    ['more body', (signed) => `${signed}more\r\n`],
    ['the recipient', (signed) => signed.replace('To: amy.pond', 'To: rory')],
    ['the sender', (signed) => signed.replace('From: Example', 'From: Other')],
    ['the subject', (signed) => signed.replace('KQXF', 'KQXX')],
    ['whether it is automatic', (signed) => signed.replace('auto-replied', 'no')],
    ['a field that was not there: Reply-To', (signed) => `Reply-To: eve@evil.example\r\n${signed}`],
    ['a second From', (signed) => `From: eve@school.example\r\n${signed}`],
    ['a second Subject, below', (signed) => signed.replace('MIME-Version', 'Subject: x\r\nMIME-Version')],
    ['In-Reply-To', (signed) => signed.replace('MIME-Version', 'In-Reply-To: <x@y>\r\nMIME-Version')],
  ];
  for (const [title, change] of changes) {
    test(`does not hold for another message: ${title}`, async () => {
      const signed = (await sign(plain)).toString('latin1');
      assert.notEqual(change(signed), signed);
      const found = await verdicts(Buffer.from(change(signed), 'latin1'));
      assert.ok(!found.some((line) => line.includes(' pass ')), found.join('; '));
    });
  }

  test('a server on the way may add its own fields on top', async () => {
    const signed = `Received: by relay.example; Fri, 20 Nov 2026 10:00:01 +0000\r\n${await sign(plain)}`;
    assert.deepEqual(await verdicts(Buffer.from(signed)), passed);
  });
});

describe('a key', { concurrency: true }, () => {
  const pem = (key: { privateKey: KeyObject }) => key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const warned: number[] = [];
  const parse = (text: string) => parseDkimKey(text, '/keys/dkim.pem', (bits) => warned.push(bits));

  test('of both kinds is taken, and of RSA in its older form as well', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    assert.equal(parse(pem(rsa)).asymmetricKeyType, 'rsa');
    assert.equal(parse(rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()).asymmetricKeyType, 'rsa');
    assert.equal(parse(pem(generateKeyPairSync('ed25519'))).asymmetricKeyType, 'ed25519');
  });

  test('that is short is warned of', () => {
    warned.length = 0;
    parse(pem(generateKeyPairSync('rsa', { modulusLength: 1024 })));
    assert.deepEqual(warned, [1024]);
  });

  const secret = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC';
  const wrong: [string, () => string, RegExp][] = [
    [
      'far too short',
      () => pem(generateKeyPairSync('rsa', { modulusLength: 512 })),
      /has 512 bits\. Make one with 2048/,
    ],
    [
      'of another kind',
      () => pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
      /neither an RSA nor an Ed25519 key/,
    ],
    [
      'the public half',
      () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      /holds no private key/,
    ],
    ['cut off', () => `-----BEGIN PRIVATE KEY-----\n${secret}\n`, /holds no private key/],
    ['something else', () => secret, /holds no private key/],
  ];
  for (const [title, text, problem] of wrong) {
    test(`that is ${title} is refused, with the place and the remedy`, () => {
      assert.throws(
        () => parse(text()),
        (error: Error) => {
          assert.match(error.message, /^mail\.dkimKeys: \/keys\/dkim\.pem .*openssl genrsa/);
          assert.match(error.message, problem);
          assert.doesNotMatch(`${error.message} ${error.cause}`, new RegExp(secret.slice(0, 12)));
          return true;
        },
      );
    });
  }
});
