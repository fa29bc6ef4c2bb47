// The library for testers of a mail flow: `import { startKit } from 'reply-to-verify/testkit'`. It puts the parts of the test
// kit around the very service that production runs, told about them by ordinary settings alone, on free ports and in a folder
// of its own. src/testkit/README.md shows how it is used. Nothing that serve loads loads this.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createService, type Service, written } from './compose.ts';
import { formatMistakes, loadSettings } from './settings/load-settings.ts';
import { KitClock } from './testkit/clock.ts';
import { demoAccounts } from './testkit/demo-accounts.ts';
import { type Address, type Kit, startKit as startParts } from './testkit/kit.ts';
import { openPage, type Page } from './testkit/visit.ts';

export { type Duration, KitClock } from './testkit/clock.ts';
export type { Fault } from './testkit/faults.ts';
export type { Person } from './testkit/kit.ts';
export type { SendOptions } from './testkit/message.ts';
export { assertNothingToOpen } from './testkit/nothing-to-open.ts';
export type { Reply, ReplyWanted } from './testkit/replies.ts';
export { type Scenario, type ScenarioName, scenarios } from './testkit/scenarios.ts';
export type { Sent } from './testkit/sent-mail.ts';
export type { ReceivedMessage, Sink } from './testkit/sink.ts';
export type { Entered, LiveLine, NotAccepted, Page, ShownAccount } from './testkit/visit.ts';
export type { Zone, ZoneRecords } from './testkit/zone.ts';

/** An account that the directory of the service has from the start. */
export type KitAccount = {
  readonly name: string;
  readonly description?: string;
  readonly mailboxes: readonly string[];
};

export type TestkitOptions = {
  /**
   * Settings of the service by path, in the form that a settings file would have them, on top of
   * config/development.yaml: `{ 'limits.codeLifetimeMinutes': 5 }`. Those that lead to the kit are its own.
   */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Without it a few for trying out: apond and amy.chess of amy.pond@school.example are two of them. */
  readonly accounts?: readonly KitAccount[];
  /** Starts a service of yours instead, or says where it runs; false: none at all. */
  readonly service?: StartService | false;
  /** By default one that goes with the wall until it is put forward. A service of yours has its own. */
  readonly clock?: KitClock;
  /** What decides about faults of the sink with a chance: 0 to 1, 1 excluded. */
  readonly random?: () => number;
};

/**
 * Starts a service of yours.
 * @param environment what has to stand in its environment, so that it finds the kit
 * @returns where it is, and how the kit ends it, if the kit is to
 */
export type StartService = (environment: Readonly<Record<string, string>>) => Promise<{
  readonly url: string;
  readonly smtp: Address;
  readonly stop?: () => Promise<void>;
}>;

/** The kit with the service in it. */
export interface Testkit extends Kit, AsyncDisposable {
  /** Where the pages are, `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Where the service takes mail. */
  readonly smtp: Address;
  /** Where it tells how it is, if the setting admin.listen asks for that. */
  readonly admin: Address | null;
  /** What the service takes for the time. */
  readonly clock: KitClock;
  /** The folder of the service, in one that `close` removes. */
  readonly dataDir: string;
  readonly page: {
    /** Opens the page of an errand in a browser of its own, without scripts. */
    open(purpose?: 'reset' | 'activate' | 'confirm'): Promise<Page>;
  };
  /** Stops the service alone, as for a deployment; what is queued stays on disk. */
  stop(): Promise<void>;
  /** Ends it and starts it anew on the same folder, on new ports. @param settings on top of those of the start */
  restart(settings?: Readonly<Record<string, unknown>>): Promise<void>;
}

const free = { host: '127.0.0.1', port: 0 };
const settingsFiles = ['default', 'development'].map((name) =>
  fileURLToPath(new URL(`../config/${name}.yaml`, import.meta.url)),
);

/**
 * Starts everything: DNS, identities, sink, mailbox page, and the service that they stand around.
 * @returns the kit; `close` ends all of it, removes its folder and may be called twice
 * @throws TypeError for options that there are not; Error that lists the mistakes when the settings have any, and
 *   whatever keeps the service from starting. Nothing stays open then.
 */
export async function startKit(options: TestkitOptions = {}): Promise<Testkit> {
  checkOptions(options);
  const { accounts = demoAccounts, settings = {}, service, clock = new KitClock(), random } = options;
  const root = await mkdtemp(join(tmpdir(), 'reply-to-verify-'));
  const dataDir = join(root, 'data');
  let place = nowhere;
  const parts = await startParts({
    ...{ dns: free, sink: free, mailbox: free },
    smtpPort: () => place.smtp,
    now: () => clock.now(),
    ...(random && { random }),
  });
  const end = async () => {
    await parts.close(); // first the mail that is on its way: the service would wait for its end
    await place.stop().finally(() => rm(root, { recursive: true, force: true }));
  };
  let ended: Promise<void> | undefined;
  const close = () => {
    ended ??= end();
    return ended;
  };
  try {
    await mkdir(dataDir);
    await writeFile(
      join(dataDir, 'accounts.json'),
      JSON.stringify({ version: 1, accounts: accounts.map((account) => ({ description: '', ...account })) }),
    );
    const environment = {
      RTV_DNS_SERVERS: written(parts.dns),
      RTV_RELAY_URL: `smtp://${written(parts.sink)}`,
      RTV_WEB_TEST_MAILBOX_URL: parts.mailboxPage.url,
    };
    if (service === undefined) place = await startOwn(environment, { 'data.dir': dataDir, ...settings }, clock);
    else if (service) place = { admin: null, stop, restart, ...(await service(environment)) };
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...parts,
    clock,
    dataDir,
    get url() {
      return place.url;
    },
    get smtp() {
      return place.smtp;
    },
    get admin() {
      return place.admin;
    },
    page: { open: (purpose) => openPage(() => place.url, purpose) },
    stop: () => place.stop(),
    restart: (more) => place.restart(more),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Where a service is, and how to end it and start it anew. */
type Place = Pick<Testkit, 'url' | 'smtp' | 'admin' | 'stop' | 'restart'>;

// For a service that is not the kit's.
const stop = async () => {};
const restart = async () => {
  throw new Error('the kit starts no service anew but its own');
};

const nowhere: Place = {
  get url(): string {
    throw new Error('there are no pages: the kit was started with service: false');
  },
  get smtp(): Address {
    throw new Error('nobody takes this mail: the kit was started with service: false');
  },
  admin: null,
  stop,
  restart,
};

/** Starts the service of the kit. @param given settings by path */
async function startOwn(
  environment: Readonly<Record<string, string>>,
  given: Readonly<Record<string, unknown>>,
  clock: KitClock,
): Promise<Place> {
  const build = (more: Readonly<Record<string, unknown>> = {}): Service => {
    const overrides = {
      'web.listen': '127.0.0.1:0',
      'smtp.listen': '127.0.0.1:0',
      'log.level': 'silent',
      // All people of a test come from one address.
      'limits.smtpConnectionsPerAddressMax': 100,
      ...given,
      ...more,
    };
    const loaded = loadSettings({ files: settingsFiles, env: environment, overrides });
    if (!loaded.ok) throw new Error(formatMistakes(loaded.mistakes));
    return createService(loaded.settings, clock);
  };
  let service = build();
  let addresses = await service.start();
  return {
    get url() {
      return `http://${written(addresses.web)}`;
    },
    get smtp() {
      return addresses.smtp;
    },
    get admin() {
      return addresses.admin;
    },
    stop: () => service.stop(),
    async restart(more) {
      await service.stop();
      service = build(more);
      addresses = await service.start();
    },
  };
}

const optionNames: readonly string[] = [
  'settings',
  'accounts',
  'service',
  'clock',
  'random',
] satisfies (keyof TestkitOptions)[];

/** Whoever writes no TypeScript is told, too. */
function checkOptions(options: TestkitOptions): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('startKit takes an object, or nothing');
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`startKit has no option ${unknown}; it has ${optionNames.join(', ')}`);
  }
  const { service, clock, settings, accounts } = options;
  if (service !== undefined && service !== false && typeof service !== 'function') {
    throw new TypeError('service is a function that starts one and says where it is, or false');
  }
  if (clock !== undefined && !(clock instanceof KitClock)) {
    throw new TypeError('clock is one of the kit: new KitClock({ startAt: Date.UTC(2031, 0, 1) })');
  }
  if (service !== undefined && (settings ?? accounts) !== undefined) {
    throw new TypeError(
      'settings and accounts are for the service of the kit, and this one is to have another or none',
    );
  }
}
