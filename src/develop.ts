// The development profile: starts the test kit and, beside it, the very service that production runs, told about the
// kit by ordinary settings alone. Ports and a data folder that are taken are replaced by the next ones.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Addresses, createService, type Service, written } from './compose.ts';
import { type LoadedSettings, loadSettings } from './settings/load-settings.ts';
import type { HostPort, Settings } from './settings/settings.ts';
import { demoAccounts } from './testkit/demo-accounts.ts';
import { type Kit, startKit } from './testkit/kit.ts';

/** What runs where, for people. */
export interface Development {
  readonly resetUrl: string;
  readonly smtp: string;
  readonly mailboxUrl: string;
  stop(): Promise<void>;
}

type Overrides = Readonly<Record<string, unknown>>;
type Failed = Extract<LoadedSettings, { ok: false }>;

const triesMax = 20;

/**
 * Starts everything on this machine.
 * @param files settings files, the later ones on top
 * @returns the mistakes when the settings have any
 */
export async function startDevelopment(
  files: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Development | Failed> {
  const loaded = loadSettings({ files, env });
  if (!loaded.ok) return loaded;
  const { settings } = loaded;
  const [dns = { host: '127.0.0.1', port: 0 }] = settings.dns.servers;
  let addresses: Addresses | undefined;
  const kit = await startKit({
    dns,
    sink: hostPort(settings.relay.url),
    mailbox: hostPort(settings.web.testMailboxUrl ?? 'http://127.0.0.1:0'),
    oneTimeDomain: settings.mail.domain,
    smtpPort: () => addresses?.smtp ?? ownListen(settings.smtp.listen),
    keysFile: join(settings.data.dir, 'test-identities.json'),
    portTaken: 'next',
  });
  try {
    const started = await startService(files, env, kit);
    if ('ok' in started) {
      await kit.close();
      return started;
    }
    addresses = started.addresses;
    return {
      resetUrl: `http://${written(addresses.web)}/reset`,
      smtp: written(addresses.smtp),
      mailboxUrl: kit.mailboxPage.url,
      async stop() {
        await started.service.stop();
        await kit.close();
      },
    };
  } catch (error) {
    await kit.close();
    throw error;
  }
}

/** Starts the service with what the kit got; on a taken port or folder once more with the next one. */
async function startService(
  files: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  kit: Kit,
): Promise<{ service: Service; addresses: Addresses } | Failed> {
  let overrides: Overrides = {
    'dns.servers': [written(kit.dns)],
    'relay.url': `smtp://${written(kit.sink)}`,
    'web.testMailboxUrl': kit.mailboxPage.url,
  };
  for (let tries = 1; ; tries += 1) {
    const loaded = loadSettings({ files, env, overrides });
    if (!loaded.ok) return loaded;
    const { settings } = loaded;
    await seedAccounts(settings.data.dir);
    const service = createService(settings);
    try {
      return { service, addresses: await service.start() };
    } catch (error) {
      const instead = nextFree(error, settings.data.dir, {
        web: ownListen(settings.web.listen),
        smtp: ownListen(settings.smtp.listen),
      });
      if (instead === undefined || tries === triesMax) throw error;
      overrides = { ...overrides, ...instead };
    }
  }
}

/** For trying out nobody brings sockets. */
function ownListen(listen: Settings['web']['listen']): HostPort {
  return listen === 'systemd' ? { host: '127.0.0.1', port: 0 } : listen;
}

interface Listens {
  readonly web: { readonly host: string; readonly port: number };
  readonly smtp: { readonly host: string; readonly port: number };
}

/** The setting that steps aside for what was taken, or undefined when something else went wrong. */
function nextFree(error: unknown, folder: string, { web, smtp }: Listens): Overrides | undefined {
  const { code, port } = Object(error) as { readonly code?: unknown; readonly port?: unknown };
  if (code === 'DATA_FOLDER_IN_USE') {
    const [, base = folder, number = '1'] = /^(.*?)(?:-(\d+))?$/.exec(folder) ?? [];
    return { 'data.dir': `${base}-${Number(number) + 1}` };
  }
  if (code !== 'EADDRINUSE') return undefined;
  const next = ({ host }: { readonly host: string }) => written({ host, port: Number(port) + 1 });
  return port === web.port ? { 'web.listen': next(web) } : { 'smtp.listen': next(smtp) };
}

/**
 * Puts the demo accounts where the directory looks, unless there are accounts already. Without ids and the like, as
 * people would write them: the directory gives those, and writes the file anew.
 */
async function seedAccounts(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ version: 1, accounts: demoAccounts }, undefined, 2);
  await writeFile(join(folder, 'accounts.json'), `${text}\n`, { flag: 'wx', mode: 0o600 }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
}

function hostPort(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}
