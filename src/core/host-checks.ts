// Ports, relay, certificates, clock and folder: what was seen of them in, checks out. All of it is seen from the inside;
// where that proves nothing about the outside, the check says so.

import { ok, type SetupCheck, toDo, unknown } from './setup-check.ts';

/** What somebody who connects is told. `code`: of the network, as Node names it. */
export type GreetingFacts =
  | { readonly kind: 'greeted'; readonly text: string }
  | { readonly kind: 'silent' }
  | { readonly kind: 'failed'; readonly code: string };

/** Mail reaches us at port 25 of the host that the MX names. @param address one of that host's */
export function checkMailPort(hostname: string, address: string, port: number, greeting: GreetingFacts): SetupCheck {
  const name = `mail-port ${address}`;
  const place = `Port ${port} of ${address}`;
  const outside = `Try from elsewhere: nc ${address} ${port}`;
  switch (greeting.kind) {
    case 'greeted':
      if (greeting.text.startsWith(`220 ${hostname} `)) {
        return ok(name, `${place} answers as ${hostname}, seen from this machine. ${outside}`);
      }
      return toDo(
        name,
        `${place} is answered by somebody else.`,
        'Let the port lead here: socket unit, firewall or front.',
      );
    case 'silent':
      return unknown(
        name,
        `${place} takes connections but says nothing.`,
        'If a proxy is to be named first, that is right.',
      );
    case 'failed':
      if (greeting.code === 'ECONNREFUSED') {
        return toDo(name, `${place} is closed.`, 'Is the service running, and does the port lead to it?');
      }
      // Routers often do not let the inside reach their own outside address.
      return unknown(name, `${place} was not reached from here (${greeting.code}).`, `${outside}`);
  }
}

/** How the relay took it that we came, introduced ourselves, and left. */
export type RelayFacts =
  | { readonly kind: 'ready'; readonly encrypted: boolean; readonly authenticated: boolean }
  | {
      readonly kind: 'failed';
      readonly at: 'connection' | 'tls' | 'login';
      /** Codes only. */
      readonly detail: string;
    };

/** The relay takes our mail. @param isHere on this machine, where nobody is on the way */
export function checkRelay(place: string, facts: RelayFacts, isHere: boolean): SetupCheck {
  const name = 'relay';
  if (facts.kind === 'failed') {
    const remedies = {
      connection: 'Check relay.url, and that this machine may connect there.',
      tls: 'It must offer STARTTLS (or smtps) with a certificate for that very name, from an authority known here.',
      login: 'Check user and password.',
    };
    return toDo(name, `${place} does not take our mail: ${facts.at} (${facts.detail}).`, remedies[facts.at]);
  }
  const how = `${facts.encrypted ? 'encrypted' : 'not encrypted'}, ${facts.authenticated ? 'logged in' : 'without a login'}`;
  const found = `${place} answers: ${how}. Nothing was sent.`;
  if (facts.encrypted || isHere) return ok(name, found);
  return toDo(name, found, 'The codes can be read on their way: use a relay with STARTTLS.');
}

/** The time of a certificate, in milliseconds since the epoch, and its end as the certificate writes it. */
export interface CertificateTime {
  readonly validFrom: number;
  readonly validTo: number;
  readonly end: string;
}

/** A certificate and its key. `fitsName`: it is for the name that is needed. */
export type CertificateFacts =
  | ({ readonly kind: 'read'; readonly fitsName: boolean } & CertificateTime)
  | { readonly kind: 'failed'; readonly problem: string };

const renewalMs = 14 * 24 * 60 * 60_000;

/** The time that is left to a certificate. @param what how it is called in the sentence */
function checkTime(name: string, what: string, { validFrom, validTo, end }: CertificateTime, now: number): SetupCheck {
  const until = `${what} is valid until ${end}.`;
  if (now < validFrom) return toDo(name, `${what} is not valid yet.`, 'Is the clock right?');
  if (now >= validTo) return toDo(name, `${what} has expired (${end}).`, 'Renew it.');
  if (validTo - now < renewalMs)
    return toDo(name, until, 'It should have been renewed by now: look at your ACME client.');
  return ok(name, until);
}

/**
 * STARTTLS has a good certificate.
 * @param facts undefined when none is set
 * @param isInside the listener speaks to this machine only, so a front speaks to the world
 */
export function checkMailCertificate(
  hostname: string,
  facts: CertificateFacts | undefined,
  isInside: boolean,
  now: number,
): SetupCheck {
  const name = 'smtp-certificate';
  if (facts === undefined) {
    if (isInside) return ok(name, 'None is set, and none is needed: a front on this machine speaks to the world.');
    const remedy = `Get a certificate for ${hostname}, and set smtp.certificateFile and smtp.keyFile.`;
    return toDo(name, 'None is set, so mail comes in without encryption.', remedy);
  }
  if (facts.kind === 'failed') return toDo(name, `${facts.problem}.`, 'Check smtp.certificateFile and smtp.keyFile.');
  if (!facts.fitsName) {
    return toDo(name, `The certificate is not for ${hostname}.`, `Get one for ${hostname} (smtp.hostname).`);
  }
  return checkTime(name, `The certificate for ${hostname}`, facts, now);
}

/** What a browser would get at `web.publicUrl`. */
export type SiteFacts =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly isOurs: boolean;
      readonly isCompressed: boolean;
      /** Undefined without TLS. */
      readonly certificate: CertificateTime | undefined;
    }
  | {
      readonly kind: 'failed';
      /** Of the network, or of the certificate (`CERT_HAS_EXPIRED`). */
      readonly code: string;
      readonly isCertificate: boolean;
    };

/** The pages are there, for browsers, and their certificate is good. */
export function checkSite(url: string, facts: SiteFacts, now: number): SetupCheck {
  const name = 'pages';
  if (facts.kind === 'failed') {
    if (facts.isCertificate) {
      return toDo(
        name,
        `Browsers refuse the certificate of ${url} (${facts.code}).`,
        'Get one for that name, or renew it.',
      );
    }
    if (facts.code === 'ECONNREFUSED') {
      return toDo(name, `Nobody listens at ${url}.`, 'Is the service running, and the proxy in front of it?');
    }
    return unknown(name, `${url} was not reached from here (${facts.code}).`, 'Open it in a browser elsewhere.');
  }
  if (facts.status !== 200 || !facts.isOurs) {
    return toDo(name, `${url}/reset does not show our page (status ${facts.status}).`, 'Let the proxy lead here.');
  }
  if (facts.isCompressed) {
    const remedy = 'Switch it off in the proxy: our pages hold a secret next to text of others (BREACH).';
    return toDo(name, `${url} is compressed on its way.`, remedy);
  }
  const seen = 'seen from this machine';
  if (facts.certificate === undefined) return ok(name, `${url} shows our page, ${seen}.`);
  const check = checkTime(name, `The certificate of ${url}`, facts.certificate, now);
  return check.state === 'ok' ? { ...check, found: `${url} shows our page, ${seen}. ${check.found}` } : check;
}

/** What is known of the clock. */
export interface ClockFacts {
  /** What the system says: kept right by a time service, or not; undefined where it does not say. */
  readonly synchronized: boolean | undefined;
  /** Other clocks: whose, and by how much ours is ahead, in milliseconds. */
  readonly others: readonly { readonly whose: string; readonly aheadMs: number }[];
}

// RFC 9110 §6.6.1: `Date` has whole seconds; the answer was on its way; what counts here (signatures, pages) is minutes.
const clockToleranceMs = 30_000;

/** The clock is right. Signatures, pages and codes are judged by it. */
export function checkClock({ synchronized, others }: ClockFacts): SetupCheck {
  const name = 'clock';
  const wrong = others.find(({ aheadMs }) => Math.abs(aheadMs) > clockToleranceMs);
  const remedy = 'Let a time service keep it: timedatectl set-ntp true';
  if (wrong !== undefined) {
    const seconds = Math.round(Math.abs(wrong.aheadMs) / 1000);
    const how = wrong.aheadMs > 0 ? 'ahead of' : 'behind';
    return toDo(name, `This clock is ${seconds} s ${how} that of ${wrong.whose}.`, remedy);
  }
  if (synchronized === false) return toDo(name, 'No time service keeps the clock of this machine right.', remedy);
  if (synchronized) return ok(name, 'A time service keeps the clock of this machine right.');
  const compared = others.map(({ whose }) => whose).join(' and ');
  const found =
    compared === ''
      ? 'There was nothing to compare it with.'
      : `It agrees with that of ${compared}, which may be this very clock.`;
  return unknown(name, found, 'Compare: date -u');
}

/** The data folder, as this user sees it. */
export type FolderFacts =
  | {
      readonly kind: 'there';
      readonly isOwn: boolean;
      readonly isWritable: boolean;
      /** The folder, or a file in it that holds secrets, may be read by others. */
      readonly openToOthers: readonly string[];
      readonly freeBytes: number;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly code: string };

const freeBytesMin = 512 * 1024 * 1024;

/** There is room for what has to be kept, and nobody else reads it. */
export function checkFolder(folder: string, facts: FolderFacts): SetupCheck {
  const name = 'data-folder';
  const asUser = 'Run doctor as the user that the service runs as.';
  if (facts.kind === 'missing') return unknown(name, `There is no ${folder} yet.`, 'The first start makes it.');
  if (facts.kind === 'failed') return unknown(name, `${folder} cannot be looked at (${facts.code}).`, asUser);
  if (facts.openToOthers.length > 0) {
    const files = facts.openToOthers.join(' ');
    return toDo(name, `Others can read ${facts.openToOthers.join(' and ')}.`, `chmod go= ${files}`);
  }
  if (facts.freeBytes < freeBytesMin) {
    const free = Math.floor(facts.freeBytes / 1024 / 1024);
    return toDo(name, `${folder} has ${free} MiB left.`, 'Make room: without it no mail is taken and no password set.');
  }
  if (!facts.isOwn) return unknown(name, `${folder} belongs to another user.`, asUser);
  if (!facts.isWritable) return toDo(name, `${folder} cannot be written.`, 'Is the disk mounted read-only?');
  return ok(name, `${folder} can be written, has room, and is closed to others.`);
}

const openFilesMin = 8192;

/** Every open page holds a connection. @param limit of the running service; undefined when none was seen */
export function checkOpenFiles(limit: number | undefined): SetupCheck {
  const name = 'open-files';
  if (limit === undefined) {
    return unknown(
      name,
      'The service is not running, or not of this user.',
      `It should have LimitNOFILE=${openFilesMin}.`,
    );
  }
  if (limit >= openFilesMin) return ok(name, `The running service may open ${limit} files.`);
  const remedy = `Set LimitNOFILE=${openFilesMin} in its unit: every open page holds a connection.`;
  return toDo(name, `The running service may open ${limit} files.`, remedy);
}
