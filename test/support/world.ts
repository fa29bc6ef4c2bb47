// The real service with the test kit around it, on free ports and in a folder of its own; a visitor with a cookie jar;
// a clock that a test moves. Everything speaks HTTP, SMTP and DNS over loopback, as in `npm start`.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredAccount } from '../../src/adapters/accounts/account-record.ts';
import type { Clock } from '../../src/app/ports.ts';
import { type Addresses, createService, type Service } from '../../src/compose.ts';
import type { Purpose } from '../../src/core/purpose.ts';
import { loadSettings } from '../../src/settings/load-settings.ts';
import { demoAccounts } from '../../src/testkit/demo-accounts.ts';
import { type Kit, startKit } from '../../src/testkit/kit.ts';
import type { ReceivedMessage } from '../../src/testkit/sink.ts';
import { oneNetwork } from './limits.ts';

const free = { host: '127.0.0.1', port: 0 };
const configFolder = join(import.meta.dirname, '../../config');

export interface World {
  readonly kit: Kit;
  readonly service: Service;
  readonly addresses: Addresses;
  readonly webUrl: string;
  readonly dataDir: string;
  /** Starts the service anew on the same folder, with new ports. @param overrides on top of those of before */
  restart(overrides?: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

/** Starts kit and service. @param overrides settings by path */
export async function startWorld(overrides: Record<string, unknown> = {}, clock?: Clock): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'rtv-test-'));
  const dataDir = join(root, 'data');
  await mkdir(dataDir);
  await writeFile(join(dataDir, 'accounts.json'), JSON.stringify({ version: 1, accounts: demoAccounts }));
  let addresses: Addresses | undefined;
  const kit = await startKit({ dns: free, sink: free, mailbox: free, smtpPort: () => addresses?.smtp ?? free });
  const build = (more: Record<string, unknown> = {}) => {
    const loaded = loadSettings({
      files: ['default.yaml', 'development.yaml'].map((name) => join(configFolder, name)),
      env: {},
      overrides: {
        'web.listen': '127.0.0.1:0',
        'web.testMailboxUrl': kit.mailboxPage.url,
        'smtp.listen': '127.0.0.1:0',
        'dns.servers': [`127.0.0.1:${kit.dns.port}`],
        'relay.url': `smtp://127.0.0.1:${kit.sink.port}`,
        'data.dir': dataDir,
        'log.level': 'silent',
        // Tests send more mails in a minute than a person does.
        'limits.repliesPerMailboxPerMinute': 60,
        'limits.repliesPerMailboxPerHour': 1000,
        'limits.repliesPerMailboxPerDay': 1000,
        ...Object.fromEntries(Object.entries(oneNetwork).map(([name, value]) => [`limits.${name}`, value])),
        ...overrides,
        ...more,
      },
    });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes));
    return createService(loaded.settings, clock);
  };
  let service = build();
  addresses = await service.start().catch(async (error: unknown) => {
    await kit.close();
    throw error;
  });
  return {
    kit,
    dataDir,
    get service() {
      return service;
    },
    get addresses() {
      return addresses ?? { web: free, smtp: free, admin: null };
    },
    get webUrl() {
      return `http://127.0.0.1:${addresses?.web.port}`;
    },
    async restart(more) {
      await service.stop();
      service = build(more);
      addresses = await service.start();
    },
    async close() {
      await service.stop();
      await kit.close();
      await rm(root, { recursive: true, force: true });
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

/** All that a store of the service has on disk, as it is there. */
export async function stored({ dataDir }: Pick<World, 'dataDir'>, name: 'challenges' | 'changes'): Promise<string> {
  const folder = join(dataDir, name);
  const read = (file: string) => readFile(join(folder, file), 'utf8').catch(() => ''); // it may go meanwhile
  return (await Promise.all((await readdir(folder)).map(read))).join('\n');
}

/** The first notice to a mailbox, which has arrived or will, and the undo code in it. */
export async function noticeTo(
  world: Pick<World, 'kit'>,
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
  world: Pick<World, 'kit'>,
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

/** What a visitor reads from the page of an errand. */
export interface OpenPage {
  readonly status: number;
  readonly html: string;
  readonly nonce: string;
  readonly address: string;
  readonly label: string;
}

/** An HTTP client with a cookie jar; follows no redirect by itself. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #base: () => string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(world: Pick<World, 'webUrl'>, headers: Readonly<Record<string, string>> = {}) {
    this.#base = () => world.webUrl;
    this.#headers = headers;
  }

  async request(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { ...this.#headers, ...(cookie === '' ? {} : { cookie }), ...init.headers };
    const response = await fetch(`${this.#base()}${path}`, { ...init, redirect: 'manual', headers });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      this.cookies.set(name, value);
    }
    return response;
  }

  post(path: string, fields: Record<string, string>): Promise<Response> {
    return this.request(path, { method: 'POST', body: new URLSearchParams(fields) });
  }

  async open(purpose: Purpose = 'reset'): Promise<OpenPage> {
    const response = await this.request(`/${purpose}`);
    return readPage(response.status, await response.text());
  }

  enter(page: Pick<OpenPage, 'nonce'>, code: string, purpose: Purpose = 'reset'): Promise<Response> {
    return this.post(`/${purpose}`, { nonce: page.nonce, code });
  }
}

/** Reads such a page; what is not on it is an empty text. */
export function readPage(status: number, html: string): OpenPage {
  const find = (pattern: RegExp) => pattern.exec(html)?.[1] ?? '';
  return {
    status,
    html,
    nonce: find(/name="nonce" value="([^"]+)"/),
    address: find(/href="mailto:([^?"]+)/),
    label: find(/([BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4})/),
  };
}
