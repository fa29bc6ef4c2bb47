// Password hashes: against known vectors, in their one form, and never too many at once.

import assert from 'node:assert/strict';
import { argon2Sync, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { hashPassword, isPasswordHash, verifyPassword } from '../../src/adapters/accounts/password-hash.ts';
import { argon2InScript } from '../../src/adapters/accounts/script-argon2.ts';
import { createTurns } from '../../src/adapters/accounts/turns.ts';
import { DependencyError } from '../../src/app/ports.ts';

const form = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/;

test('the argon2id that we build on gives the tag of RFC 9106 §5.3', () => {
  const tag = argon2Sync('argon2id', {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    secret: Buffer.alloc(8, 3),
    associatedData: Buffer.alloc(12, 4),
    memory: 32,
    passes: 3,
    parallelism: 4,
    tagLength: 32,
  });
  assert.equal(tag.toString('hex'), '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
});

// From the tests of the reference implementation (phc-winner-argon2, src/test.c).
const vectors = [
  '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
  '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4',
  '$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc',
];
for (const phc of vectors) {
  test(`a hash of others, with its own parameters, is understood: ${phc.slice(0, 30)}`, async () => {
    assert.equal(await verifyPassword('password', phc), true);
    assert.equal(await verifyPassword('passwore', phc), false);
    assert.equal(await verifyPassword('password', phc.replace('c29tZXNhbHQ', 'c29tZXNhbHU')), false);
  });
}

test('a Node that has no argon2id of its own computes the same', async () => {
  for (const [memory, passes, parallelism, tagLength] of [
    [256, 2, 1, 32],
    [80, 3, 2, 16],
    [19 * 1024, 2, 1, 32],
  ] as const) {
    const how = { message: Buffer.from('pässwörd'), nonce: randomBytes(16), memory, passes, parallelism, tagLength };
    assert.deepEqual(await argon2InScript('argon2id', how), argon2Sync('argon2id', how));
  }
});

test('a password fits its own hash and no other', async () => {
  const passwords = ['pässwörd with blanks 🔑', 'a', 'x'.repeat(10_000), ''];
  for (const password of passwords) {
    const phc = await hashPassword(password);
    assert.match(phc, form);
    assert.ok(isPasswordHash(phc));
    assert.equal(await verifyPassword(password, phc), true);
    for (const other of [`${password} `, `x${password}`]) assert.equal(await verifyPassword(other, phc), false);
  }
});

test('two hashes of one password have nothing in common', async () => {
  const [one = '', other = ''] = (await Promise.all([hashPassword('same'), hashPassword('same')])).map((phc) =>
    phc.split('$').slice(4),
  );
  assert.notEqual(one[0], other[0]);
  assert.notEqual(one[1], other[1]);
});

const salt = 'c29tZXNhbHQ';
const tag = 'nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
const phc = (parameters: string, saltText = salt, tagText = tag) =>
  `$argon2id$v=19$${parameters}$${saltText}$${tagText}`;
const noHashes: readonly [title: string, text: string][] = [
  ['nothing', ''],
  ['a password', 'correct horse battery staple'],
  ['another algorithm', phc('m=256,t=2,p=1').replace('argon2id', 'argon2i')],
  ['another version', phc('m=256,t=2,p=1').replace('v=19', 'v=16')],
  ['no version', phc('m=256,t=2,p=1').replace('$v=19', '')],
  ['another order', phc('t=2,m=256,p=1')],
  ['a parameter more', phc('m=256,t=2,p=1,keyid=a')],
  ['a leading zero', phc('m=0256,t=2,p=1')],
  ['a sign', phc('m=+256,t=2,p=1')],
  ['no passes', phc('m=256,t=0,p=1')],
  ['too many passes', phc('m=256,t=11,p=1')],
  ['no lanes', phc('m=256,t=2,p=0')],
  ['too many lanes', phc('m=256,t=2,p=5')],
  ['too little memory', phc('m=7,t=2,p=1')],
  ['too little memory for its lanes', phc('m=31,t=2,p=4')],
  ['too much memory', phc('m=65537,t=2,p=1')],
  ['far too much memory', phc('m=4294967295,t=2,p=1')],
  ['no salt', phc('m=256,t=2,p=1', '')],
  ['a short salt', phc('m=256,t=2,p=1', 'c29tZXNhbA')],
  ['a salt with padding', phc('m=256,t=2,p=1', `${salt}=`)],
  ['a salt in another spelling', phc('m=256,t=2,p=1', 'c29tZXNhbHR')],
  ['base64url', phc('m=256,t=2,p=1', salt, tag.replaceAll('/', '_'))],
  ['a short tag', phc('m=256,t=2,p=1', salt, 'nf65EOgLrQMR/uIPnA4r')],
  ['no tag', phc('m=256,t=2,p=1', salt, '').slice(0, -1)],
  ['something behind it', `${phc('m=256,t=2,p=1')}$`],
  ['a line end behind it', `${phc('m=256,t=2,p=1')}\n`],
  ['something before it', ` ${phc('m=256,t=2,p=1')}`],
];
test('the rows below are wrong in one thing only', () => assert.ok(isPasswordHash(phc('m=256,t=2,p=1'))));
for (const [title, text] of noHashes) {
  test(`is no hash: ${title}`, async () => {
    assert.equal(isPasswordHash(text), false);
    await assert.rejects(verifyPassword('password', text), ({ message }: Error) => {
      assert.equal(message, 'not a password hash', 'and does not repeat it');
      return true;
    });
  });
}

test('a flood of passwords is turned away, not kept in memory; then it goes on', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 110 }, () => hashPassword('flood')));
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.equal(refused.length, 8, '2 at once and 100 waiting');
  for (const { reason } of refused) {
    assert.ok(reason instanceof DependencyError);
    assert.equal(reason.dependency, 'directory');
  }
  assert.match(await hashPassword('after'), form);
});

describe('turns', () => {
  const full = () => new RangeError('full');
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  test('so many run at once, the others follow in the order they came', async () => {
    const turns = createTurns({ atOnceMax: 2, waitingMax: 9 }, full);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3, 4].map((number) =>
      turns(() => {
        begun.push(number);
        return new Promise<number>((resolve) => ends.push(() => resolve(number)));
      }),
    );
    await settle();
    assert.deepEqual(begun, [0, 1]);
    ends[1]?.();
    await settle();
    assert.deepEqual(begun, [0, 1, 2]);
    ends[2]?.();
    ends[0]?.();
    await settle();
    assert.deepEqual(begun, [0, 1, 2, 3, 4]);
    ends[3]?.();
    ends[4]?.();
    assert.deepEqual(await Promise.all(all), [0, 1, 2, 3, 4]);
  });

  test('never more than that run at once, whoever comes when', async () => {
    const turns = createTurns({ atOnceMax: 2, waitingMax: 99 }, full);
    let running = 0;
    let most = 0;
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await settle();
      running -= 1;
    };
    const all: Promise<void>[] = [];
    for (let burst = 0; burst < 9; burst += 1) {
      for (let number = 0; number < 5; number += 1) all.push(turns(work));
      await settle();
    }
    await Promise.all(all);
    assert.deepEqual([most, running], [2, 0]);
  });

  test('work that fails, at once or later, gives its turn back', async () => {
    const turns = createTurns({ atOnceMax: 1, waitingMax: 9 }, full);
    const bug = new Error('a bug');
    const failing = [
      turns(() => {
        throw bug;
      }),
      turns(() => Promise.reject(bug)),
      turns(async () => 'fine'),
    ];
    const outcomes = await Promise.allSettled(failing);
    assert.deepEqual(
      outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : outcome.value)),
      [bug, bug, 'fine'],
    );
    assert.equal(await turns(async () => 'and later'), 'and later');
  });

  test('one more than may wait is turned away, and not begun', async () => {
    const turns = createTurns({ atOnceMax: 1, waitingMax: 1 }, full);
    const { promise, resolve } = Promise.withResolvers<string>();
    const all = [turns(() => promise), turns(async () => 'second')];
    await assert.rejects(
      turns(async () => assert.fail('begun')),
      RangeError,
    );
    resolve('first');
    assert.deepEqual(await Promise.all(all), ['first', 'second']);
    assert.equal(await turns(async () => 'third'), 'third');
  });
});
