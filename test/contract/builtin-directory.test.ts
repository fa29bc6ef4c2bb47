// The built-in directory under the contract: on the durable file of the service, and on lowdb's own memory adapter.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Adapter } from 'lowdb';
import type { AccountFile, StoredAccount } from '../../src/adapters/accounts/account-record.ts';
import { openBuiltinDirectory } from '../../src/adapters/accounts/builtin-directory.ts';
import { verifyPassword } from '../../src/adapters/accounts/password-hash.ts';
import { DurableFile } from '../../src/adapters/store/durable-file.ts';
import { directoryOptions } from '../support/authenticator.ts';
import { CopyingMemory, FailingAdapter } from '../support/disks.ts';
import {
  type DirectorySetting,
  type DirectoryUnderTest,
  describeDirectory,
  type GivenAccount,
  mailbox,
} from './directory.ts';

async function underTest(
  inner: Adapter<unknown>,
  accounts: readonly GivenAccount[],
  setting: DirectorySetting,
  cleanUp = async () => {},
): Promise<DirectoryUnderTest> {
  const adapter = new FailingAdapter(inner);
  const options = { ...directoryOptions, ...setting };
  const directory = await openBuiltinDirectory(adapter, 'the accounts', options);
  assert.deepEqual(await directory.add(accounts.map(({ secondFactor: _, ...each }) => each)), []);
  for (const { name, mailboxes, secondFactor } of accounts) {
    if (secondFactor === undefined) continue;
    const found = (await directory.accountsOf(mailbox(mailboxes[0] ?? ''))).find((each) => each.name === name);
    assert.ok(found);
    const factor = { ...secondFactor, accountId: found.id, securityVersion: found.securityVersion, step: 0, at: 0 };
    assert.equal(await directory.enrolment?.enrol(factor), 'done');
  }
  const reopen = () => openBuiltinDirectory(inner, 'the accounts', options);
  const stored = async () => ((await inner.read()) as AccountFile).accounts;
  const named = async (name: string): Promise<StoredAccount> => {
    const found = (await stored()).find((each) => each.name === name);
    assert.ok(found);
    return found;
  };
  return {
    directory,
    reopen,
    async kept(name) {
      const { password, ...rest } = await named(name);
      return {
        ...rest,
        passwordIs: async (typed) =>
          typed === undefined || password === null
            ? typed === undefined && password === null
            : verifyPassword(typed, password),
      };
    },
    setState: async (name, state) => assert.equal(await directory.setState(name, state), 'done'),
    remove: async (name) => assert.equal(await directory.remove(name), 'done'),
    async takeMailbox(name, taken) {
      const changed = await named(name);
      const mailboxes = changed.mailboxes.filter((each) => each !== taken);
      const others = (await stored()).filter((each) => each.name !== name);
      await inner.write({ version: 3, accounts: [...others, { ...changed, mailboxes }] });
      return reopen();
    },
    failWrites: (on) => {
      adapter.failing = on;
    },
    async close() {
      await directory.close();
      await cleanUp();
    },
  };
}

describeDirectory('built-in, in a file', async (accounts, setting) => {
  const folder = await mkdtemp(join(tmpdir(), 'rtv-accounts-'));
  const file = new DurableFile(join(folder, 'accounts.json'));
  return underTest(file, accounts, setting, () => rm(folder, { recursive: true }));
});

describeDirectory('built-in, in memory', (accounts, setting) => underTest(new CopyingMemory(), accounts, setting));
