// The client of the organisation's own directory under the contract: over HTTP on loopback, against the example server.

import assert from 'node:assert/strict';
import { Secret } from 'otpauth';
import { createHttpDirectory } from '../../src/adapters/directory-http/http-directory.ts';
import { createJsonLog } from '../../src/adapters/system/json-log.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { type ExampleAccount, isPassword } from '../examples/example-accounts.ts';
import { directorySecret, exampleAccount, startDirectory } from '../support/http-directory.ts';
import { describeDirectory } from './directory.ts';

describeDirectory('http, against the example server', async (given, { ignoreCaseDomains }) => {
  const accounts = given.map(({ name, description, mailboxes, secondFactor }, index) => {
    const account = exampleAccount(`example-${index}`, name, mailboxes, description);
    if (secondFactor !== undefined) {
      const { base32: secret } = new Secret({ buffer: new Uint8Array(secondFactor.secret).buffer });
      account.secondFactor = { secret, recoveryCodes: [...secondFactor.recoveryCodes], lastStep: 0, tries: [] };
    }
    return account;
  });
  const closers: (() => Promise<void>)[] = [];
  /** A new server over the same accounts, and a new client. */
  async function open() {
    const server = await startDirectory(accounts, { ignoreCaseDomains });
    closers.push(() => server.close());
    // What is slow on a busy machine is no fault here.
    const timeoutMs = 60_000;
    const log = createJsonLog('silent');
    const directory = createHttpDirectory({
      url: server.url,
      secret: directorySecret,
      timeoutMs,
      clock: systemClock,
      log,
    });
    return { directory, server };
  }
  const first = await open();
  const named = (name: string): ExampleAccount => {
    const found = accounts.find((each) => each.name === name);
    assert.ok(found);
    return found;
  };
  return {
    directory: first.directory,
    reopen: async () => (await open()).directory,
    kept: async (name) => {
      const { password, ...rest } = structuredClone(named(name));
      const hash = password === null ? null : Buffer.from(password);
      return {
        ...rest,
        passwordIs: async (typed) => (typed === undefined ? hash === null : isPassword(typed, hash)),
      };
    },
    async setState(name, state) {
      Object.assign(named(name), { state, version: named(name).version + 1 });
    },
    async remove(name) {
      first.server.accounts.delete(named(name).id);
    },
    async takeMailbox(name, mailbox) {
      const account = named(name);
      account.mailboxes = account.mailboxes.filter((each) => each !== mailbox);
      return (await open()).directory;
    },
    async close() {
      await Promise.all(closers.map((close) => close()));
    },
  };
});
