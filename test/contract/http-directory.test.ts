// The client of the organisation's own directory under the contract: over HTTP on loopback, against the example server.

import assert from 'node:assert/strict';
import { createHttpDirectory } from '../../src/adapters/directory-http/http-directory.ts';
import { createJsonLog } from '../../src/adapters/system/json-log.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { type ExampleAccount, exampleDirectory, isPassword } from '../examples/directory-server.ts';
import { directorySecret, end, listen } from '../support/http-directory.ts';
import { describeDirectory } from './directory.ts';

describeDirectory('http, against the example server', async (given, { ignoreCaseDomains }) => {
  const accounts = new Map<string, ExampleAccount>();
  for (const [index, account] of given.entries()) {
    const id = `example-${index}`;
    accounts.set(id, {
      ...account,
      id,
      mailboxes: [...account.mailboxes],
      state: 'active',
      version: 1,
      password: null,
      previous: [],
      passwordChangedAt: null,
      sessionsEndedAt: null,
      addressFrozenUntil: null,
    });
  }
  const closers: (() => Promise<void>)[] = [];
  /** A new server over the same accounts, and a new client. */
  async function open() {
    const server = exampleDirectory(accounts, directorySecret, ignoreCaseDomains);
    const url = await listen(server);
    closers.push(() => end(server));
    const log = createJsonLog('silent');
    // What is slow on a busy machine is no fault here.
    return createHttpDirectory({ url, secret: directorySecret, timeoutMs: 60_000, clock: systemClock, log });
  }
  const named = (name: string): ExampleAccount => {
    const found = [...accounts.values()].find((each) => each.name === name);
    assert.ok(found);
    return found;
  };
  return {
    directory: await open(),
    reopen: open,
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
      accounts.delete(named(name).id);
    },
    async takeMailbox(name, mailbox) {
      const account = named(name);
      account.mailboxes = account.mailboxes.filter((each) => each !== mailbox);
      return open();
    },
    async close() {
      await Promise.all(closers.map((close) => close()));
    },
  };
});
