// The built-in directory: whose accounts are found for which mailbox, and what is said of a damaged file.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFileDirectory } from '../../src/adapters/accounts/file-directory.ts';
import type { Directory } from '../../src/app/ports.ts';
import { parseMailbox } from '../../src/core/mail-address.ts';

async function open(t: TestContext, content?: string | object): Promise<Directory> {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-accounts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const text = typeof content === 'object' ? JSON.stringify(content) : content;
  if (text !== undefined) await writeFile(join(folder, 'accounts.json'), text);
  return openFileDirectory(folder);
}

async function namesOf(directory: Directory, address: string): Promise<string[]> {
  const mailbox = parseMailbox(address);
  assert.ok(mailbox, address);
  return (await directory.accountsOf(mailbox)).map(({ name }) => name);
}

const account = (name: string, ...mailboxes: string[]) => ({ name, description: `about ${name}`, mailboxes });
const file = (...accounts: object[]) => ({ version: 1, accounts });

test('the domain counts in any case, the local part as written', async (t) => {
  const directory = await open(
    t,
    file(
      account('apond', 'amy.pond@School.Example'),
      account('chess', 'amy.pond@school.example', 'club@school.example'),
      account('upper', 'Amy.Pond@school.example'),
      account('nobody'),
    ),
  );
  const cases: [string, string[]][] = [
    ['amy.pond@school.example', ['apond', 'chess']],
    ['amy.pond@SCHOOL.EXAMPLE', ['apond', 'chess']],
    ['Amy.Pond@school.example', ['upper']],
    ['AMY.POND@school.example', []],
    ['amypond@school.example', []],
    ['amy.pond+x@school.example', []],
    ['amy.pond@mail.school.example', []],
    ['club@school.example', ['chess']],
    ['__proto__@school.example', []],
  ];
  for (const [address, names] of cases) assert.deepEqual(await namesOf(directory, address), names, address);
});

test('an account is its name and its description, and none of its other mailboxes', async (t) => {
  const directory = await open(t, file(account('chess', 'amy@school.example', 'rory@school.example')));
  const mailbox = parseMailbox('amy@school.example');
  assert.ok(mailbox);
  assert.deepEqual(await directory.accountsOf(mailbox), [{ name: 'chess', description: 'about chess' }]);
});

test('without a file, or without accounts, nobody has one', async (t) => {
  for (const content of [undefined, file()]) {
    assert.deepEqual(await namesOf(await open(t, content), 'amy@school.example'), []);
  }
});

const damages: [string, string | object, RegExp][] = [
  ['half a file', JSON.stringify(file(account('a', 'amy@school.example'))).slice(0, 60), /is not JSON/],
  ['an empty file', '', /is not JSON/],
  ['a list', [], /the file: /],
  ['another version', { ...file(), version: 2 }, /version: /],
  ['no accounts', { version: 1 }, /accounts: /],
  ['an account without a name', file(account('')), /accounts\.0\.name: /],
  ['a name that is too long', file(account('x'.repeat(201))), /accounts\.0\.name: /],
  ['an account without mailboxes', file({ name: 'a', description: '' }), /accounts\.0\.mailboxes: /],
  ['a field more', file({ ...account('a'), password: 'hunter2' }), /accounts\.0: /],
  [
    'no address',
    file(account('a'), account('b', 'amy@school.example', 'amy')),
    /accounts\.1\.mailboxes\.1: not a mail/,
  ],
  ['two addresses in one', file(account('a', 'amy@school.example,rory@school.example')), /accounts\.0\.mailboxes\.0: /],
  ['a blank around an address', file(account('a', ' amy@school.example')), /accounts\.0\.mailboxes\.0: /],
];
for (const [title, content, place] of damages) {
  test(`a damaged file (${title}) is refused, with the place and nothing of the content`, async (t) => {
    await assert.rejects(open(t, content), ({ message }: Error) => {
      assert.match(message, /accounts\.json is not/);
      assert.match(message, place);
      assert.doesNotMatch(message, /@|hunter2|x{20}/);
      return true;
    });
  });
}
