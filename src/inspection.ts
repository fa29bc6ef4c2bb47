// Builds what looks at an installation from outside of the service: `check-config` and `doctor`. Beside compose.ts, for it
// names adapters as well; nothing here claims the data folder, makes a file or sends mail.

import { stat } from 'node:fs/promises';
import { parseDirectorySecret } from './adapters/directory-http/http-directory.ts';
import { createDnsResolver } from './adapters/dns/node-resolver.ts';
import { askSpf } from './adapters/mail-auth/mailauth-verifier.ts';
import { publishedKey } from './adapters/mail-out/dkim-signer.ts';
import { knockAtRelay } from './adapters/mail-out/relay-probe.ts';
import { isClockSynchronized, lookAtFolder, openFilesLimitOf } from './adapters/probes/host-probes.ts';
import { askSite, readGreeting } from './adapters/probes/network-probes.ts';
import { ownerOfFolder } from './adapters/store/data-folder.ts';
import { createJsonLog } from './adapters/system/json-log.ts';
import { readSecretFile } from './adapters/system/secret-file.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { certificateFacts } from './adapters/tls/certificate-facts.ts';
import { readCertificate } from './adapters/tls/certificate-files.ts';
import { readLogo } from './adapters/web/logo.ts';
import { createExamineSetup } from './app/examine-setup.ts';
import type { Clock, ExamineSetup, SetupProbes } from './app/ports.ts';
import { readSenderOptions } from './compose.ts';
import type { Answer, MxRecord } from './core/dns-checks.ts';
import { domainOf } from './core/mail-address.ts';
import type { Settings } from './settings/settings.ts';

/** Files in the data folder that nobody else may read. */
const secretFiles = ['keys.json', 'accounts.json', 'audit.jsonl'];

export interface InspectionOptions {
  readonly clock?: Clock;
  /** Where the world delivers mail; tests cannot have port 25. */
  readonly mailPort?: number;
}

/** Makes what looks at everything around the service. */
export function openDoctor(
  settings: Settings,
  { clock = systemClock, mailPort = 25 }: InspectionOptions,
): ExamineSetup {
  const { smtp, mail, relay, web, data } = settings;
  const url = new URL(relay.url);
  const relayHost = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return createExamineSetup(probesOf(settings, clock), clock, {
    mailDomain: mail.domain,
    hostname: smtp.hostname,
    fromDomain: domainOf(mail.from),
    relayHost,
    relayIsHere: isLoopbackHost(relayHost) || relayHost === smtp.hostname,
    relayPlace: url.host,
    publicUrl: web.publicUrl,
    isInside: smtp.listen !== 'systemd' && isLoopbackHost(smtp.listen.host),
    folder: data.dir,
    mailPort,
  });
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function probesOf(settings: Settings, clock: Clock): SetupProbes {
  const { dns, smtp, web, data, directory } = settings;
  const now = () => clock.now();
  // Many questions at leisure, where a message has few in a hurry.
  const limits = { queriesMax: 200, budgetMs: 30_000 };
  const resolver = createDnsResolver({ servers: dns.servers, now, limits });
  const lookUp = resolver.forMessage();
  const page = new URL('/reset', web.publicUrl);
  const site = askSite(page, now);
  const sender = () => readSenderOptions(settings, createJsonLog('silent'));
  return {
    lookUp: (name, type) => answerOf(lookUp(name, type), (record) => [record].flat().join('')),
    mxOf: (domain) => answerOf(lookUp(domain, 'MX'), (record) => record as MxRecord),
    spfVerdict: (address, domain) => askSpf(address, domain, smtp.hostname, lookUp),
    dkimKeys: async () => (await sender()).dkimKeys.map(publishedKey),
    greeting: readGreeting,
    relay: async () => knockAtRelay(await sender()),
    site: async () => (await site).facts,
    async mailCertificate() {
      const { certificateFile: certificate, keyFile: key } = smtp;
      if (certificate === null || key === null) return undefined;
      return certificateFacts({ certificate, key }, smtp.hostname);
    },
    async clock() {
      const elsewhere = directory.url === null ? [] : [new URL(directory.url)];
      const answers = await Promise.all([
        site.then(({ aheadMs }) => ({ whose: page.host, aheadMs })),
        ...elsewhere.map(async (url) => ({ whose: url.host, aheadMs: (await askSite(url, now)).aheadMs })),
      ]);
      const others = answers.flatMap(({ whose, aheadMs }) => (aheadMs === undefined ? [] : [{ whose, aheadMs }]));
      return { synchronized: await isClockSynchronized(), others };
    },
    folder: () => lookAtFolder(data.dir, secretFiles),
    async openFilesLimit() {
      const pid = /^process (\d+)$/.exec((await ownerOfFolder(data.dir)) ?? '')?.[1];
      return pid === undefined ? undefined : openFilesLimitOf(Number(pid));
    },
  };
}

async function answerOf<T>(answers: Promise<readonly unknown[]>, read: (record: unknown) => T): Promise<Answer<T>> {
  try {
    return { kind: 'found', records: (await answers).map(read) };
  } catch (error) {
    const code = String(Object(error).code);
    return code === 'ENOTFOUND' || code === 'ENODATA' ? { kind: 'none' } : { kind: 'failed', code };
  }
}

/**
 * Reads every file that the settings name, as the start would.
 * @returns what is wrong with them, in sentences
 */
export async function checkFiles(settings: Settings): Promise<readonly string[]> {
  const { web, smtp, directory } = settings;
  const { secretFile } = directory;
  const edges = Object.entries({ web, smtp });
  const reads: Promise<unknown>[] = [
    readLogo(web.logoFile),
    secretFile === null ? Promise.resolve() : readDirectorySecret(secretFile),
    readSenderOptions(settings, createJsonLog('silent')),
    ...edges.map(async ([edge, { certificateFile: certificate, keyFile: key }]) => {
      if (certificate === null || key === null) return;
      await readCertificate({ certificate, key }).catch((error: unknown) => {
        throw new Error(`${edge}.certificateFile, ${edge}.keyFile: ${messageOf(error)}.`);
      });
      // A group for all who need it is usual.
      const { mode } = await stat(key);
      if ((mode & 0o007) !== 0) throw new Error(`${edge}.keyFile: ${key} is open to everybody. Run: chmod o= ${key}`);
    }),
  ];
  const results = await Promise.allSettled(reads);
  return results.flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : []));
}

async function readDirectorySecret(path: string): Promise<string> {
  return parseDirectorySecret(await readSecretFile('directory.secretFile', path), path);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
