// The real service with the test kit around it, on free ports and in a folder of its own; a visitor with a cookie jar;
// a clock that a test moves. Everything speaks HTTP, SMTP and DNS over loopback, as in `npm start`.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredAccount } from '../../src/adapters/accounts/account-record.ts';
import { segmentFiles } from '../../src/adapters/store/segment-files.ts';
import type { KitClock } from '../../src/testkit/clock.ts';
import type { Address, Kit } from '../../src/testkit/kit.ts';
import type { ReceivedMessage } from '../../src/testkit/sink.ts';
import { Visitor as KitVisitor } from '../../src/testkit/visitor.ts';
import { startKit, type Testkit } from '../../src/testkit.ts';
import { oneNetwork } from './limits.ts';

export interface World extends Pick<Testkit, 'dataDir' | 'restart' | 'close'> {
  readonly kit: Testkit;
  readonly service: Pick<Testkit, 'stop'>;
  readonly addresses: { readonly web: Address; readonly smtp: Address; readonly admin: Address | null };
  readonly webUrl: string;
}

/** Starts the kit, with limits that let a test go on. @param overrides settings by path */
export async function startWorld(overrides: Record<string, unknown> = {}, clock?: KitClock): Promise<World> {
  const settings = {
    // Tests send more mails in a minute than a person does.
    'limits.repliesPerMailboxPerMinute': 60,
    'limits.repliesPerMailboxPerHour': 1000,
    'limits.repliesPerMailboxPerDay': 1000,
    ...Object.fromEntries(Object.entries(oneNetwork).map(([name, value]) => [`limits.${name}`, value])),
    ...overrides,
  };
  const kit = await startKit({ settings, ...(clock && { clock }) });
  const { dataDir, restart, close } = kit;
  return {
    kit,
    dataDir,
    restart,
    close,
    service: kit,
    get addresses() {
      const { hostname, port } = new URL(kit.url);
      return { web: { host: hostname, port: Number(port) }, smtp: kit.smtp, admin: kit.admin };
    },
    get webUrl() {
      return kit.url;
    },
  };
}

/** An account as it is on disk. */
export async function storedAccount({ dataDir }: Pick<World, 'dataDir'>, name: string): Promise<StoredAccount> {
  const file: { accounts: StoredAccount[] } = JSON.parse(await readFile(join(dataDir, 'accounts.json'), 'utf8'));
  const found = file.accounts.find((account) => account.name === name);
  if (found === undefined) throw new Error(`no account ${name}`);
  return found;
}

/** What a store of the service has on disk: the last word about each record, as JSON, one a line. */
export async function stored({ dataDir }: Pick<World, 'dataDir'>, name: 'challenges' | 'changes'): Promise<string> {
  const files = segmentFiles(join(dataDir, name), join(dataDir, `${name}.json`));
  const numbers = (await files.list()).toSorted((one, other) => one - other);
  const parts = await Promise.all(numbers.map((number) => files.file(number).read()));
  const records = Object.assign({}, ...parts.flat().map((part) => Object(part).records));
  return Object.values(records)
    .map((record) => JSON.stringify(record))
    .join('\n');
}

/** The first notice to a mailbox, which has arrived or will, and the undo code in it. */
export async function noticeTo(
  world: { readonly kit: Pick<Kit, 'sink'> },
  mailbox: string,
): Promise<{ text: string; undoCode: string }> {
  const fits = ({ envelope, raw }: ReceivedMessage) =>
    envelope.rcptTo.includes(mailbox) && /^Auto-Submitted: auto-generated/m.test(raw.toString('latin1'));
  const { text } = await (await world.kit.sink.waitFor(fits, { timeoutMs: 5000 })).view();
  const undoCode = /^(?:[0-9a-z]{4}-){3}[0-9a-z]{4}$/m.exec(text)?.[0];
  if (undoCode === undefined) throw new Error('no undo code in the notice');
  return { text, undoCode };
}

/** The next reply to a mailbox that arrives, or has arrived, for a request label. */
export function replyTo(
  world: { readonly kit: Pick<Kit, 'sink'> },
  mailbox: string,
  label: string,
  timeoutMs = 5000,
): Promise<ReceivedMessage> {
  const fits = ({ envelope, raw }: ReceivedMessage) =>
    envelope.rcptTo.includes(mailbox) && raw.toString('latin1').includes(label);
  return world.kit.sink.waitFor(fits, { timeoutMs });
}

/** The code in a reply: its first line. */
export async function codeIn(message: ReceivedMessage): Promise<string> {
  const code = /^(\d{4} \d{4})$/m.exec((await message.view()).text)?.[1];
  if (code === undefined) throw new Error('no code in the reply');
  return code;
}

/** Somebody in front of the pages of a world. */
export class Visitor extends KitVisitor {
  constructor(world: Pick<World, 'webUrl'>, headers: Readonly<Record<string, string>> = {}) {
    super(() => world.webUrl, headers);
  }
}
