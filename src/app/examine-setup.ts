// Whether everything around the service is as it needs it: gathers what the probes see and has the core judge it
// (core/dns-checks.ts, core/host-checks.ts). Changes nothing.

import {
  type Answer,
  checkDkim,
  checkDns,
  checkFromDmarc,
  checkFromSpf,
  checkHost,
  checkMx,
  checkOneTimeDmarc,
  checkOneTimeSpf,
  checkReverse,
  dkimName,
  dmarcNames,
  reverseName,
  type SetupNames,
} from '../core/dns-checks.ts';
import {
  checkClock,
  checkFolder,
  checkMailCertificate,
  checkMailPort,
  checkOpenFiles,
  checkRelay,
  checkSite,
} from '../core/host-checks.ts';
import type { SetupCheck } from '../core/setup-check.ts';
import type { Clock, ExamineSetup, SetupProbes } from './ports.ts';

export interface ExamineOptions extends SetupNames {
  readonly publicUrl: string;
  /** Mail comes in from this machine only: a front speaks to the world. */
  readonly isInside: boolean;
  readonly folder: string;
  /** Where the world delivers mail: 25. Tests have another. */
  readonly mailPort: number;
  /** Host and port of the relay, for people. */
  readonly relayPlace: string;
}

/** Makes the use case. */
export function createExamineSetup(probes: SetupProbes, clock: Clock, options: ExamineOptions): ExamineSetup {
  return async () => {
    const { hostname, publicUrl } = options;
    const addresses = await addressesOf(probes, hostname);
    const [dns, ports, ...others] = await Promise.all([
      examineDns(probes, options, addresses),
      examinePorts(probes, options, addresses),
      probes.mailCertificate().then((facts) => checkMailCertificate(hostname, facts, options.isInside, clock.now())),
      probes.site().then((facts) => checkSite(publicUrl, facts, clock.now())),
      probes.relay().then((facts) => checkRelay(options.relayPlace, facts, options.relayIsHere)),
      probes.clock().then(checkClock),
      probes.folder().then((facts) => checkFolder(options.folder, facts)),
      probes.openFilesLimit().then(checkOpenFiles),
    ]);
    return [...dns, ...ports, ...others];
  };
}

/** Each address by itself: one that does not answer costs every second sender a try. */
function examinePorts(
  probes: SetupProbes,
  { hostname, mailPort }: ExamineOptions,
  addresses: Answer<string>,
): Promise<readonly SetupCheck[]> {
  const all = addresses.kind === 'found' ? addresses.records : [];
  const looks = all.map(async (host) => checkMailPort(hostname, host, mailPort, await probes.greeting(host, mailPort)));
  return Promise.all(looks);
}

async function examineDns(
  probes: SetupProbes,
  names: SetupNames,
  addresses: Answer<string>,
): Promise<readonly SetupCheck[]> {
  const { mailDomain, hostname, fromDomain, relayHost, relayIsHere } = names;
  const texts = (name: string) => probes.lookUp(name, 'TXT');
  const dmarcOf = (domain: string) =>
    Promise.all(dmarcNames(domain).map(async (place) => ({ place, texts: await texts(place) })));
  const [mx, alias, oneTimeTexts, fromTexts, oneTimeDmarc, fromDmarc, keys] = await Promise.all([
    probes.mxOf(mailDomain),
    probes.lookUp(hostname, 'CNAME'),
    texts(mailDomain),
    texts(fromDomain),
    dmarcOf(mailDomain),
    dmarcOf(fromDomain),
    probes.dkimKeys(),
  ]);
  const dnsCheck = checkDns([mx, addresses, oneTimeTexts, fromTexts]);
  if (dnsCheck.state !== 'ok') return [dnsCheck];
  const sending = relayIsHere ? addresses : await addressesOf(probes, relayHost);
  const [address] = sending.kind === 'found' ? sending.records : [];
  const relayVerdict = address === undefined ? undefined : await probes.spfVerdict(address, fromDomain);
  const dkim = keys.map(async (key) => ({ ...key, texts: await texts(dkimName(key.selector, names)) }));
  const own = addresses.kind === 'found' ? addresses.records : [];
  const reverse = own.map(async (each) => ({ address: each, names: await probes.lookUp(reverseName(each), 'PTR') }));
  return [
    dnsCheck,
    checkMx(names, mx),
    checkHost(names, addresses, alias),
    checkOneTimeSpf(names, oneTimeTexts),
    checkOneTimeDmarc(names, oneTimeDmarc),
    checkFromSpf(names, fromTexts, relayVerdict),
    ...checkDkim(names, await Promise.all(dkim)),
    checkFromDmarc(names, fromDmarc),
    checkReverse(names, await Promise.all(reverse)),
  ];
}

/** IPv4 and IPv6 together. An IP address is its own. */
async function addressesOf(probes: SetupProbes, host: string): Promise<Answer<string>> {
  if (/^[\d.]+$|:/.test(host)) return { kind: 'found', records: [host] };
  const both = await Promise.all([probes.lookUp(host, 'A'), probes.lookUp(host, 'AAAA')]);
  const records = both.flatMap((answer) => (answer.kind === 'found' ? answer.records : []));
  if (records.length > 0) return { kind: 'found', records };
  return both.find(({ kind }) => kind === 'failed') ?? { kind: 'none' };
}
