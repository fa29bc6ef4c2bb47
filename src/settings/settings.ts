// Every option of the product: its type, unit, default and meaning, and the rules between options.
// One zod schema, exactly two levels deep (section, option); names end in their unit.
// Reading files and the environment is load-settings.ts; config/default.yaml says the same for operators, a test compares.
// No problem text repeats a value: what stands in the wrong place may be a secret.

import { isIP, isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { domainOf, isDomainName, type Mailbox, parseMailbox } from '../core/mail-address.ts';
import { type IpNetwork, isLoopback, parseIpNetwork } from '../core/network-address.ts';
import { isWebhookSecret } from '../core/webhook-secret.ts';

/** Where to listen or whom to ask; `host` is an IP address or a host name, IPv6 without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** What the loader must know of an option besides its type. */
export interface OptionNotes {
  /** How text from the environment is read: as it is, as digits, or comma separated. */
  readonly form: 'text' | 'number' | 'list';
  readonly nullable: boolean;
  /** Refused from files and overrides, which get copied, committed and shown by `ps`. */
  readonly environmentOnly: boolean;
  readonly meaning: string;
  /** What would be right, with an example. */
  readonly remedy: string;
}

type Reading<T> = { readonly value: T } | { readonly problem: string };

const notes = z.registry<OptionNotes>();

function option<S extends z.ZodType>(schema: S, about: Pick<OptionNotes, 'meaning' | 'remedy'> & Partial<OptionNotes>) {
  notes.add(schema, { form: 'text', nullable: false, environmentOnly: false, ...about });
  return schema;
}

function integer(min: number, max: number, byDefault: number, meaning: string) {
  const range = `is not between ${min} and ${max}`;
  const number = z.int({ error: 'is not a whole number' }).min(min, range).max(max, range).default(byDefault);
  return option(number, {
    form: 'number',
    meaning,
    remedy: `Give a whole number from ${min} to ${max}, without quotes, for example ${byDefault}.`,
  });
}

/** A text option whose value is what `read` makes of it. */
function textOf<T>(read: (text: string) => Reading<T>) {
  return z.string({ error: 'is not text' }).transform((text, context): T => {
    const reading = read(text);
    if ('value' in reading) return reading.value;
    context.addIssue({ code: 'custom', message: reading.problem });
    return z.NEVER;
  });
}

function oneOf<const T extends readonly [string, ...string[]]>(names: T) {
  return z.enum(names, { error: `is none of ${names.join(', ')}` });
}

// ---- readers: operator's text -> value, or what is wrong with it ----

function readPort(text: string): number | undefined {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined;
}

/** An IP address, or a host name of one or more labels; `12.34` and the like are neither. */
function isHost(text: string): boolean {
  return isIP(text) !== 0 || isDomainName(text) || /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/i.test(text);
}

function readListen(text: string): Reading<HostPort> {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):([^:]+)$/.exec(text);
  if (parts === null) return { problem: 'is not host:port' };
  const [, bracketed, plain = '', portText = ''] = parts;
  const port = readPort(portText);
  if (port === undefined) return { problem: 'has a port that is not a number from 0 to 65535' };
  const good = bracketed === undefined ? isHost(plain) : isIPv6(bracketed);
  return good ? { value: { host: bracketed ?? plain, port } } : { problem: 'has a host that is no name or address' };
}

/** `systemd`: a socket that systemd has opened, by the name of the section. */
function readListenOrSystemd(text: string): Reading<HostPort | 'systemd'> {
  return text === 'systemd' ? { value: text } : readListen(text);
}

function readDnsServer(text: string): Reading<HostPort> {
  if (isIP(text) !== 0) return { value: { host: text, port: 53 } };
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([^:]+))?$/.exec(text);
  const [, bracketed, plain = '', portText = '53'] = parts ?? [];
  if (bracketed === undefined ? !isIPv4(plain) : !isIPv6(bracketed)) return { problem: 'is not an IP address' };
  const port = readPort(portText);
  if (port === undefined || port === 0) return { problem: 'has a port that is not a number from 1 to 65535' };
  return { value: { host: bracketed ?? plain, port } };
}

function readPublicUrl(text: string): Reading<string> {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) return { problem: 'is not an http or https URL' };
  // The written text is looked at, too: the URL class drops an empty query, "@" without a name, and turns "\" into "/".
  if (!/^[^/]*\/\/[^/?#@\\%\s]+\/?$/.test(text)) return { problem: 'has more in it than scheme, host and port' };
  if (url.hostname.endsWith('.')) return { problem: 'has a dot at the end of its host' };
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return { problem: 'is http, but not on this machine' };
  if (url.port === '0' && !isLoopback(url.hostname)) return { problem: 'has port 0, but is not on this machine' };
  return { value: url.origin };
}

function readTestMailboxUrl(text: string): Reading<string> {
  const url = URL.parse(text);
  if (url === null || !/^http:\/\//i.test(text)) return { problem: 'is not an http URL' };
  if (!isLoopback(url.hostname)) return { problem: 'is not on this machine' };
  if (url.port === '0') return { problem: 'has port 0' };
  if (text.includes('@')) return { problem: 'holds a user name' };
  return { value: url.href.replace(/\/$/, '') };
}

function readRelayUrl(text: string): Reading<string> {
  const url = URL.parse(text);
  if (url === null || !/^smtps?:\/\//i.test(text)) return { problem: 'is not an smtp or smtps URL' };
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (!isHost(host)) return { problem: 'has a host that is no name or address' };
  if (url.port === '0') return { problem: 'has port 0' };
  if (!/^\/?$/.test(url.pathname) || /[?#\\\s]/.test(text)) {
    return { problem: 'has more in it than user, password, host and port' };
  }
  // A "%" that starts no escape would throw only when the first reply is sent.
  if (/%(?![0-9a-f]{2})/i.test(text)) return { problem: 'has a "%" that is not written as %25' };
  return { value: url.href.replace(/\/$/, '') };
}

/** @param longest characters; what is built from the name must still fit */
function readDomain(text: string, longest: number): Reading<string> {
  if (!isDomainName(text)) return { problem: 'is not a full host name' };
  return text.length > longest ? { problem: `is longer than ${longest} characters` } : { value: text.toLowerCase() };
}

/** RFC 6376 §3.1: a selector is one or more labels. What follows the sign is the path as it is. */
function readDkimKey(text: string): Reading<{ readonly selector: string; readonly file: string }> {
  const [, selector = '', file = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (!/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(selector)) {
    return { problem: 'is not selector=file' };
  }
  const path = readPath(file, 'file');
  return 'problem' in path ? path : { value: { selector: selector.toLowerCase(), file } };
}

/** A password is what stands in the file, or in the environment: any text in one line. */
function readPassword(text: string): Reading<string> {
  return /^[^\p{Cc}]{1,1024}$/u.test(text) ? { value: text } : { problem: 'is not one line of up to 1024 characters' };
}

function readFrom(text: string): Reading<Mailbox> {
  const mailbox = parseMailbox(text);
  return mailbox === undefined ? { problem: 'is not a plain mail address' } : { value: mailbox };
}

/** The name stands in mails that must hold nothing a scanner or mail app would turn into a link (DESIGN.md, threats). */
function readSiteName(text: string): Reading<string> {
  const length = [...text].length;
  if (text.trim() !== text || length < 1 || length > 60) {
    return { problem: 'is not 1 to 60 characters without blanks at the ends' };
  }
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(text)) return { problem: 'holds a control character or an invisible one' };
  // Folded first: full-width "．" and "＠" are dots and at signs to a mail app as well.
  const folded = text.normalize('NFKC');
  if (/[@/:<>\\]/.test(folded)) return { problem: 'holds one of @ / \\ : < >' };
  if (/[\p{L}\p{N}\p{M}][.。][\p{L}\p{N}]/u.test(folded)) return { problem: 'looks like a host name' };
  return { value: text.normalize('NFC') };
}

function readTimeZone(text: string): Reading<string> {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
  } catch {
    return { problem: 'is not a known time zone' };
  }
  // Intl takes "+01:00" as well; that has no summer time and no name to show.
  return /^[A-Za-z]/.test(text) ? { value: text } : { problem: 'is an offset, not the name of a time zone' };
}

function readPath(text: string, what: 'file' | 'folder'): Reading<string> {
  return text.trim() === '' || text.includes('\0') ? { problem: `is not a ${what} path` } : { value: text };
}

function readFilePath(text: string): Reading<string> {
  return readPath(text, 'file');
}

/** One form only: what passes stands in our style sheet as it is. */
function readColor(text: string): Reading<string> {
  return /^#[0-9a-f]{6}$/i.test(text) ? { value: text.toLowerCase() } : { problem: 'is not a colour like #rrggbb' };
}

function readIpAddress(text: string): Reading<string> {
  return isIP(text) === 0 ? { problem: 'is not an IP address' } : { value: text.toLowerCase() };
}

function readIpNetwork(text: string): Reading<IpNetwork> {
  const value = parseIpNetwork(text);
  if (value === undefined) return { problem: 'is not an IP address or network, or has bits set beyond its prefix' };
  return text.endsWith('/0') ? { problem: 'would trust everybody' } : { value };
}

function readSecret(text: string): Reading<string> {
  if (!/^[A-Za-z0-9_-]{1,1024}$/.test(text)) return { problem: 'is not base64url text without padding' };
  return Buffer.from(text, 'base64url').length < 32 ? { problem: 'is shorter than 32 bytes' } : { value: text };
}

/** Ends in a slash, so that paths can be put behind it. */
function readDirectoryUrl(text: string): Reading<string> {
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) return { problem: 'is not an http or https URL' };
  // What is asked and answered here are passwords: TLS is what keeps them, and what vouches for the answer.
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) return { problem: 'is http, but not on this machine' };
  if (url.port === '0') return { problem: 'has port 0' };
  if (/[?#@\\\s]/.test(text)) return { problem: 'has more in it than scheme, host, port and path' };
  return { value: url.href.endsWith('/') ? url.href : `${url.href}/` };
}

function readWebhookSecret(text: string): Reading<string> {
  return isWebhookSecret(text) ? { value: text } : { problem: 'is not whsec_ and 24 to 64 bytes as base64' };
}

// ---- the options ----

const listenRemedy = 'Give host:port, for example "127.0.0.1:3000", or "[::1]:3000" in quotes; or systemd.';
const secretRemedy =
  'Make one with: openssl rand 32 | basenc --base64url -w0 | tr -d = , and give it as RTV_KEYS_SECRET.';
// As many as are ever tried: adapters and app have the same number for the file.
const keysMax = 4;

const directorySecretRemedy =
  'Make one with: echo "whsec_$(openssl rand -base64 32)" , put it into a file that nobody else can read, and name that ' +
  'file in directory.secretFile; or give it as RTV_DIRECTORY_SECRET.';

const passwordRemedy =
  'Put it into a file that nobody else can read and name that file in relay.passwordFile, or give it as RTV_RELAY_PASSWORD.';

const web = z.strictObject({
  listen: option(textOf(readListenOrSystemd).prefault('127.0.0.1:3000'), {
    meaning: 'Where the pages are served. Port 0 takes any free port; systemd, the socket "web" of systemd.',
    remedy: listenRemedy,
  }),
  publicUrl: option(textOf(readPublicUrl), {
    meaning: 'What browsers call the site. Port 0, on this machine only, is the port that web.listen got.',
    remedy: 'Give scheme and host only, https unless on this machine, for example https://reset.school.example.',
  }),
  certificateFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: 'Certificate chain of the pages, PEM; read again when it changes. Without one a TLS proxy is expected.',
    remedy: 'Give null, or a file path, for example /etc/reply-to-verify/tls/reset.school.example/fullchain.pem.',
  }),
  keyFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: 'Private key of web.certificateFile, PEM.',
    remedy: 'Give null, or a file path, for example /etc/reply-to-verify/tls/reset.school.example/privkey.pem.',
  }),
  testMailboxUrl: option(textOf(readTestMailboxUrl).nullable().default(null), {
    nullable: true,
    meaning: 'Adds a button to the reset page that opens the mail in the test mailbox. For trying out only.',
    remedy: 'Give null, or an http URL on this machine, for example http://127.0.0.1:8025.',
  }),
  color: option(textOf(readColor).default('#14548f'), {
    meaning: "The organisation's colour, for buttons and marks; made darker or lighter where it would be hard to read.",
    // Without quotes YAML sees no value at all, which by itself would be a riddle.
    remedy: 'Give # and six hexadecimal digits, in quotes since # starts a comment in YAML, for example "#14548f".',
  }),
  logoFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: "The organisation's logo on the pages: PNG, JPEG, WebP or SVG, at most 100 kB; read once at the start.",
    remedy: 'Give null, or a file path, for example /etc/reply-to-verify/logo.svg.',
  }),
  trustedProxies: option(
    z.array(textOf(readIpNetwork), { error: 'is not a list' }).max(100, 'has more than 100 entries').default([]),
    {
      form: 'list',
      meaning: 'Proxies in front of web.listen, whose X-Forwarded-For is believed. From others it is not.',
      remedy: 'Give a list of IP addresses or networks, for example ["127.0.0.1", "192.0.2.0/24"], or an empty one.',
    },
  ),
});

const smtp = z.strictObject({
  listen: option(textOf(readListenOrSystemd).prefault('0.0.0.0:2525'), {
    meaning: 'Where mail is received. Port 0 takes any free port; systemd, the socket "smtp" of systemd.',
    remedy: 'Give host:port, for example "0.0.0.0:2525", or "[::]:2525" in quotes; or systemd.',
  }),
  hostname: option(
    textOf((text) => readDomain(text, 253)),
    {
      meaning: 'Our own host name: in the greeting, and told to the mail authentication.',
      remedy: 'Give a full host name, for example mx.in.school.example.',
    },
  ),
  certificateFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: 'Certificate chain for STARTTLS, PEM; read again when it changes. Without one STARTTLS is not offered.',
    remedy: 'Give null, or a file path, for example /etc/letsencrypt/live/mx.in.school.example/fullchain.pem.',
  }),
  keyFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: 'Private key of smtp.certificateFile, PEM.',
    remedy: 'Give null, or a file path, for example /etc/letsencrypt/live/mx.in.school.example/privkey.pem.',
  }),
  proxyAddresses: option(
    z.array(textOf(readIpAddress), { error: 'is not a list' }).max(20, 'has more than 20 entries').default([]),
    {
      form: 'list',
      meaning: 'Proxies in front of smtp.listen, which must tell the client by a PROXY header (version 1).',
      remedy: 'Give a list of IP addresses, for example ["192.0.2.5"], or an empty one.',
    },
  ),
  frontAddresses: option(
    z.array(textOf(readIpAddress), { error: 'is not a list' }).max(20, 'has more than 20 entries').default([]),
    {
      form: 'list',
      meaning: 'Mail servers of yours that take mail first and hand it on to smtp.listen: SPF is not looked at then.',
      remedy: 'Give a list of IP addresses, for example ["192.0.2.5"], or an empty one.',
    },
  ),
  operator: option(textOf(readFrom).nullable().default(null), {
    nullable: true,
    meaning: 'Where mail for postmaster and abuse at mail.domain is passed on to. Without one it is refused.',
    remedy: 'Give null, or an address at another domain than mail.domain, for example it@school.example.',
  }),
});

const mail = z.strictObject({
  // 200: the local part and "@" must fit into the 254 characters of an address as well.
  domain: option(
    textOf((text) => readDomain(text, 200)),
    {
      meaning: 'Domain of the one-time addresses; its MX record must lead to smtp.listen.',
      remedy: 'Give a domain used for nothing else, for example in.school.example.',
    },
  ),
  from: option(textOf(readFrom), {
    meaning: 'Sender of our replies and notices, at another domain than mail.domain.',
    remedy: 'Give an address without a display name, for example accounts@school.example.',
  }),
  siteName: option(textOf(readSiteName), {
    meaning: 'Name of the site as people know it, on the pages and in the mails.',
    remedy: 'Give a name in words, for example Example School. Nothing in it may look like a link.',
  }),
  spfWithoutDmarc: option(oneOf(['accept', 'refuse']).default('accept'), {
    meaning: 'Whether SPF alone vouches for the very own name of a domain that has no DMARC record.',
    remedy: 'Give accept or refuse.',
  }),
  dkimKeys: option(
    z
      .array(textOf(readDkimKey), { error: 'is not a list' })
      .max(4, 'has more than 4 entries')
      .refine((all) => new Set(all.map(({ selector }) => selector)).size === all.length, 'has a selector twice')
      .default([]),
    {
      form: 'list',
      meaning:
        'DKIM keys that sign our mail for the domain of mail.from: selector=file, PEM; RSA, Ed25519, or one of each.',
      remedy: 'Give a list like ["rtv2026=/etc/reply-to-verify/dkim.pem"], each selector once, or an empty one.',
    },
  ),
  timeZone: option(textOf(readTimeZone).default('UTC'), {
    meaning: 'Time zone of the times shown in mails and pages.',
    remedy: 'Give an IANA name, for example Europe/Vienna, or UTC.',
  }),
});

const dns = z.strictObject({
  servers: option(
    z.array(textOf(readDnsServer), { error: 'is not a list' }).min(1, 'is empty').max(3, 'has more than 3 entries'),
    {
      form: 'list',
      meaning: 'DNS servers for all look-ups about senders; use validating resolvers that you trust.',
      remedy: 'Give a list of 1 to 3 IP addresses, port optional, for example ["127.0.0.1:53", "[::1]:53"].',
    },
  ),
});

const relay = z.strictObject({
  url: option(textOf(readRelayUrl), {
    meaning: 'Mail server that takes our replies.',
    remedy: 'Give smtp:// or smtps:// and a host, no path, for example smtp://user@relay.school.example:587.',
  }),
  tls: option(oneOf(['auto', 'required', 'opportunistic', 'off']).default('auto'), {
    meaning: 'Whether the way to the relay must be encrypted and its certificate right (STARTTLS).',
    remedy: 'Give auto, required, opportunistic or off; auto is required, and opportunistic on this machine.',
  }),
  caFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: "Authority of the relay's certificate, PEM, in place of those that everybody trusts.",
    remedy: 'Give null, or a file path, for example /etc/reply-to-verify/relay-ca.pem.',
  }),
  passwordFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: 'File with the password of the user in relay.url; read once at the start.',
    remedy: passwordRemedy,
  }),
  password: option(textOf(readPassword).nullable().default(null), {
    nullable: true,
    environmentOnly: true,
    meaning: 'The password itself, in place of relay.passwordFile.',
    remedy: passwordRemedy,
  }),
});

const data = z.strictObject({
  dir: option(textOf((text) => readPath(text, 'folder')).default('.data'), {
    meaning: 'Folder for everything that is kept; one process at a time.',
    remedy: 'Give a folder path, for example /var/lib/reply-to-verify.',
  }),
});

const directory = z.strictObject({
  kind: option(oneOf(['builtin', 'http']).default('builtin'), {
    meaning: 'Where accounts live: in data.dir, or behind a service of your own (config/directory.openapi.yaml).',
    remedy: 'Give builtin or http.',
  }),
  url: option(textOf(readDirectoryUrl).nullable().default(null), {
    nullable: true,
    meaning: 'Your own directory service; the paths of config/directory.openapi.yaml are put behind it.',
    remedy: 'Give null, or an https URL (http on this machine), for example https://accounts.school.example/reset/.',
  }),
  secretFile: option(textOf(readFilePath).nullable().default(null), {
    nullable: true,
    meaning: 'File with the secret that signs the calls to directory.url; read once at the start.',
    remedy: directorySecretRemedy,
  }),
  secret: option(textOf(readWebhookSecret).nullable().default(null), {
    nullable: true,
    environmentOnly: true,
    meaning: 'The same secret, in place of directory.secretFile.',
    remedy: directorySecretRemedy,
  }),
  timeoutSeconds: integer(
    1,
    30,
    5,
    'Time for one try of a call to directory.url. A call has twice that and 2 seconds.',
  ),
  ignoreCaseDomains: option(
    z
      .array(
        textOf((text) => readDomain(text, 253)),
        { error: 'is not a list' },
      )
      .max(100, 'has more than 100 entries')
      .default([]),
    {
      form: 'list',
      meaning: 'Mail domains whose local parts are the same in any case, when an account is looked for.',
      remedy: 'Give a list of domains, for example ["school.example"], or an empty one.',
    },
  ),
});

const keys = z.strictObject({
  source: option(oneOf(['file', 'env', 'ephemeral']).default('file'), {
    meaning: 'Where the master keys are: in data.dir, in RTV_KEYS_SECRET, or in memory and new at every start.',
    remedy: 'Give file, env or ephemeral.',
  }),
  secret: option(
    z
      .array(textOf(readSecret), { error: 'is not a list' })
      .max(keysMax, `has more than ${keysMax} entries`)
      .refine((all) => new Set(all).size === all.length, 'has the same one twice')
      .nullable()
      .default(null),
    {
      form: 'list',
      nullable: true,
      environmentOnly: true,
      meaning:
        'The master keys, at least 32 bytes as base64url each. The first is used; others, after a comma, still work.',
      remedy: secretRemedy,
    },
  ),
  maxAgeDays: integer(1, 3650, 90, 'After how many days a new key is made. Not with keys.source env.'),
});

const audit = z.strictObject({
  mailboxes: option(oneOf(['clear', 'digest', 'off']).default('digest'), {
    meaning: 'How the audit tells mailboxes: as they are, as the same digest as the log, or not at all.',
    remedy: 'Give clear, digest or off.',
  }),
});

const log = z.strictObject({
  level: option(oneOf(['debug', 'info', 'warn', 'error', 'silent']).default('info'), {
    meaning: 'The least important events that are still logged.',
    remedy: 'Give debug, info, warn, error or silent.',
  }),
});

const fallback = z.strictObject({
  typedAddress: option(oneOf(['off', 'on']).default('off'), {
    meaning:
      'Whether people who cannot send a mail may type their address, and get a code there when an account has it.',
    remedy: 'Give off or on.',
  }),
});

const admin = z.strictObject({
  listen: option(textOf(readListen).nullable().default(null), {
    nullable: true,
    meaning: 'Where /metrics, /healthz and /readyz are served, over plain HTTP, to whoever reaches it. Null: nowhere.',
    remedy: 'Give null, or host:port that only you reach, for example "127.0.0.1:9464".',
  }),
});

const limits = z.strictObject({
  challengeLifetimeMinutes: integer(5, 1440, 60, 'How long a page and its one-time address stay valid.'),
  codeLifetimeMinutes: integer(1, 1440, 30, 'How long a code stays valid, from hand-over of the reply.'),
  grantLifetimeMinutes: integer(1, 60, 10, 'How long a right code lets its browser act for the mailbox.'),
  wrongCodesPerChallenge: integer(1, 10, 5, 'Wrong codes that end a challenge.'),
  wrongCodesPerMailboxPerDay: integer(1, 1000, 20, 'Wrong codes for one mailbox in a day, over all challenges.'),
  wrongCodesPerNetworkPerDay: integer(1, 100_000, 500, 'Wrong codes from one network in a day, over all challenges.'),
  wrongSecondFactorsPerQuarterHour: integer(1, 100, 5, 'Wrong second factors for one account in 15 minutes.'),
  wrongSecondFactorsPerDay: integer(1, 1000, 20, 'Wrong second factors for one account in a day.'),
  repliesPerMailboxPerMinute: integer(1, 60, 1, 'Replies to one mailbox in a minute.'),
  repliesPerMailboxPerHour: integer(1, 1000, 5, 'Replies to one mailbox in an hour.'),
  repliesPerMailboxPerDay: integer(1, 10_000, 12, 'Replies to one mailbox in a day.'),
  repliesPerDomainPerHour: integer(1, 100_000, 2000, 'Replies to all mailboxes of one domain in an hour.'),
  typedPerAddressPerDay: integer(1, 1000, 5, 'How often one address may be typed in a day.'),
  typedPerNetworkPerHour: integer(1, 100_000, 5, 'Addresses typed from one network in an hour.'),
  typedPerNetworkPerDay: integer(1, 100_000, 20, 'Addresses typed from one network in a day.'),
  typedPerDay: integer(1, 1_000_000, 1000, 'Addresses typed by everybody in a day.'),
  sendersPerChallenge: integer(1, 20, 3, 'Mailboxes that may write to one one-time address.'),
  messagesPerChallenge: integer(1, 100, 5, 'Messages taken for one one-time address.'),
  messageBytesMax: integer(65_536, 10_485_760, 2_097_152, 'Size of a message, in bytes.'),
  dkimSignaturesMax: integer(1, 50, 10, 'DKIM signatures checked in one message.'),
  // RFC 5321 §4.5.3.2.6: a sender waits 10 minutes for the answer to DATA; stay well below.
  messageCheckSeconds: integer(1, 300, 20, 'Time for all checks of one message.'),
  smtpConnectionsMax: integer(1, 10_000, 100, 'SMTP connections at the same time.'),
  smtpConnectionsPerAddressMax: integer(1, 10_000, 10, 'SMTP connections at the same time from one network address.'),
  pagesPerNetworkPerMinute: integer(1, 10_000_000, 3000, 'Requests from one network in a minute, but for forms.'),
  formsPerNetworkPerMinute: integer(1, 10_000_000, 600, 'Forms from one network in a minute.'),
  messagesPerNetworkPerMinute: integer(1, 10_000_000, 600, 'Messages from one network in a minute.'),
  streamsPerNetworkMax: integer(1, 5000, 1000, 'Live lines at the same time for one network.'),
  undoHours: integer(1, 720, 72, 'How long a password change can be undone.'),
  addressFreezeDays: integer(
    1,
    365,
    7,
    'How long the mailboxes of an account must not be changed after a reset. The directory is told.',
  ),
});

const sections = { web, smtp, mail, dns, relay, data, directory, keys, audit, log, admin, fallback, limits };

// ---- rules between options ----

/** What could be read while other options are missing; options with a default always have a value. */
const partialSchema = z.object({
  web: web.partial(),
  smtp: smtp.partial(),
  mail: mail.partial(),
  dns: dns.partial(),
  relay: relay.partial(),
  data: data.partial(),
  directory: directory.partial(),
  keys: keys.partial(),
  audit: audit.partial(),
  log: log.partial(),
  fallback: fallback.partial(),
  admin: admin.partial(),
  limits: limits.partial(),
});

type PartialSettings = z.output<typeof partialSchema>;

/** A rule between options. */
export interface CrossRule {
  /** Paths of the options it looks at. */
  readonly options: readonly [string, string, ...string[]];
  /** Says what does not fit and what would, or undefined when all is well or an option is missing. */
  readonly broken: (some: PartialSettings) => { readonly problem: string; readonly remedy: string } | undefined;
}

function bothOrNeither(one: string | null = null, other: string | null = null): ReturnType<CrossRule['broken']> {
  if ((one === null) === (other === null)) return undefined;
  return { problem: 'one is given without the other', remedy: 'Give both files, or neither.' };
}

/** The rules between options, each checked as soon as its own options could be read. */
export const crossRules: readonly CrossRule[] = [
  {
    options: ['limits.codeLifetimeMinutes', 'limits.challengeLifetimeMinutes'],
    broken: ({ limits: { codeLifetimeMinutes: code, challengeLifetimeMinutes: challenge } }) =>
      code === undefined || challenge === undefined || code <= challenge
        ? undefined
        : {
            problem: 'the code would live longer than its page',
            remedy: 'Let the page live at least as long as the code, for example 60 for the page and 30 for the code.',
          },
  },
  {
    // Bounces of our replies, and answers to them, would come in as if they were proofs.
    options: ['mail.from', 'mail.domain'],
    broken: ({ mail: { from, domain } }) =>
      from === undefined || domain === undefined || domainOf(from) !== domain
        ? undefined
        : {
            problem: 'the sender is at the domain that is for one-time addresses only',
            remedy: 'Use two domains, for example accounts@school.example and in.school.example.',
          },
  },
  {
    options: ['smtp.keyFile', 'smtp.certificateFile'],
    broken: ({ smtp: { keyFile, certificateFile } }) => bothOrNeither(keyFile, certificateFile),
  },
  {
    options: ['web.keyFile', 'web.certificateFile'],
    broken: ({ web: { keyFile, certificateFile } }) => bothOrNeither(keyFile, certificateFile),
  },
  {
    options: ['web.certificateFile', 'web.publicUrl'],
    broken: ({ web: { certificateFile = null, publicUrl } }) =>
      certificateFile === null || publicUrl === undefined || publicUrl.startsWith('https:')
        ? undefined
        : { problem: 'the pages have TLS, but their URL says http', remedy: 'Let web.publicUrl begin with https.' },
  },
  {
    // A proxy must tell the client, a front cannot: one address is not both.
    options: ['smtp.frontAddresses', 'smtp.proxyAddresses'],
    broken: ({ smtp: { frontAddresses = [], proxyAddresses = [] } }) =>
      frontAddresses.some((address) => proxyAddresses.includes(address))
        ? { problem: 'an address is in both', remedy: 'Keep it where it belongs: does it send PROXY headers?' }
        : undefined,
  },
  {
    // Passed on to ourselves, and on, and on.
    options: ['smtp.operator', 'mail.domain'],
    broken: ({ smtp: { operator = null }, mail: { domain } }) =>
      operator === null || domain === undefined || domainOf(operator) !== domain
        ? undefined
        : {
            problem: 'the operator is at the domain that is for one-time addresses only',
            remedy: 'Give an address at another domain, for example it@school.example.',
          },
  },
  {
    options: ['relay.tls', 'relay.url'],
    broken: ({ relay: { tls, url } }) =>
      url?.startsWith('smtps:') && (tls === 'opportunistic' || tls === 'off')
        ? { problem: 'smtps is encrypted from its first byte', remedy: 'Leave relay.tls out, or use smtp://.' }
        : undefined,
  },
  {
    options: ['relay.caFile', 'relay.tls', 'relay.url'],
    broken: ({ relay: { caFile = null, tls = 'auto', url } }) =>
      caFile !== null && url !== undefined && relayTls({ url, tls }) !== 'required'
        ? { problem: 'no certificate is looked at', remedy: 'Set relay.tls to required, or take relay.caFile away.' }
        : undefined,
  },
  {
    options: ['relay.passwordFile', 'relay.password', 'relay.url'],
    broken: ({ relay: { passwordFile = null, password = null, url } }) => {
      if (url === undefined) return undefined;
      const user = new URL(url);
      const given = [passwordFile ?? '', password ?? '', user.password].filter((each) => each !== '').length;
      if (given > 1) return { problem: 'there is more than one password', remedy: 'Keep one of them.' };
      if ((user.username === '') === (given === 0)) return undefined;
      return given === 0
        ? { problem: 'there is a user, but no password', remedy: passwordRemedy }
        : { problem: 'there is a password, but no user', remedy: 'Name the user: smtp://user@relay.school.example.' };
    },
  },
  {
    options: ['relay.tls', 'relay.url'],
    broken: ({ relay: { tls = 'auto', url } }) =>
      url === undefined ||
      new URL(url).username === '' ||
      isLoopback(new URL(url).hostname) ||
      relayTls({ url, tls }) === 'required'
        ? undefined
        : {
            problem: 'the password could be read on its way',
            remedy: 'Leave relay.tls out, or use a relay that wants no password.',
          },
  },
  {
    options: ['directory.url', 'directory.kind'],
    broken: ({ directory: { kind, url = null } }) =>
      (kind === 'http') === (url !== null)
        ? undefined
        : {
            problem: url === null ? 'http is chosen, but no URL given' : 'a URL is given, but http is not chosen',
            remedy: 'Give both directory.kind: http and directory.url, or neither.',
          },
  },
  {
    options: ['directory.secretFile', 'directory.secret', 'directory.kind'],
    broken: ({ directory: { kind, secretFile = null, secret = null } }) => {
      const given = [secretFile, secret].filter((each) => each !== null).length;
      if (kind === 'http' && given === 0)
        return { problem: 'http is chosen, but no secret given', remedy: directorySecretRemedy };
      if (given === 2) return { problem: 'both are given', remedy: 'Keep one of the two.' };
      if (kind === 'http' || given === 0) return undefined;
      return {
        problem: 'a secret is given, but http is not chosen',
        remedy: 'Set directory.kind to http, or take it away.',
      };
    },
  },
  {
    options: ['directory.ignoreCaseDomains', 'directory.kind'],
    broken: ({ directory: { kind, ignoreCaseDomains = [] } }) =>
      kind !== 'http' || ignoreCaseDomains.length === 0
        ? undefined
        : {
            problem: 'with http it is your service that decides which addresses are equal',
            remedy: 'Take directory.ignoreCaseDomains away.',
          },
  },
  {
    // All browsers would be one network: after five addresses in an hour nobody could type one any more.
    options: ['web.trustedProxies', 'web.certificateFile', 'fallback.typedAddress'],
    broken: ({ web: { publicUrl = '', trustedProxies = [], certificateFile = null }, fallback: { typedAddress } }) =>
      typedAddress === 'on' && publicUrl.startsWith('https:') && certificateFile === null && trustedProxies.length === 0
        ? {
            problem: 'addresses may be typed and are limited per network, but the proxy that ends TLS is not named',
            remedy: 'Name the proxy, for example ["127.0.0.1"], and have it send X-Forwarded-For.',
          }
        : undefined,
  },
  {
    options: ['keys.secret', 'keys.source'],
    broken: ({ keys: { source, secret = null } }) => {
      if (source === 'env' && !secret?.length)
        return { problem: 'env is chosen, but no secret given', remedy: secretRemedy };
      if (source === 'env' || !secret?.length) return undefined;
      const remedy = 'Set keys.source to env (RTV_KEYS_SOURCE=env), or take RTV_KEYS_SECRET away.';
      return { problem: 'a secret is given, but env is not chosen', remedy };
    },
  },
];

// ---- what others use ----

/** How the way to the relay is encrypted, `auto` decided: nobody is on the way within this machine. */
export function relayTls({ url, tls }: Pick<z.output<typeof relay>, 'url' | 'tls'>): Exclude<typeof tls, 'auto'> {
  if (url.startsWith('smtps:')) return 'required';
  if (tls !== 'auto') return tls;
  return isLoopback(new URL(url).hostname) ? 'opportunistic' : 'required';
}

/** All options, checked one by one and against each other. Unknown names are mistakes. */
export const settingsSchema = z.strictObject(sections).superRefine((settings, context) => {
  for (const rule of crossRules) {
    const found = rule.broken(settings);
    if (found) context.addIssue({ code: 'custom', path: rule.options[0].split('.'), message: found.problem });
  }
});

type DeepReadonly<T> = T extends string | number | null
  ? T
  : T extends readonly (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

/** The settings as the service uses them: checked, parsed, never changed. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** One option, as the loader sees it. */
export interface Option extends OptionNotes {
  /** `section.name`, for example `web.publicUrl`. */
  readonly path: string;
  readonly section: string;
  readonly name: string;
  /** For example `RTV_WEB_PUBLIC_URL`. */
  readonly environmentName: string;
  readonly schema: z.ZodType;
  readonly required: boolean;
}

/** `web.publicUrl` -> `RTV_WEB_PUBLIC_URL`. */
function environmentNameOf(path: string): string {
  return `RTV_${path.replace('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

function optionsOf(section: string, shape: Readonly<Record<string, z.ZodType>>): Option[] {
  return Object.entries(shape).map(([name, schema]) => {
    const about = notes.get(schema);
    if (about === undefined) throw new Error(`option ${section}.${name} has no notes`);
    const path = `${section}.${name}`;
    const required = !schema.safeParse(undefined).success;
    return { ...about, path, section, name, environmentName: environmentNameOf(path), schema, required };
  });
}

/** Every option by its path, in the order of the schema. */
export const options: ReadonlyMap<string, Option> = new Map(
  Object.entries(sections)
    .flatMap(([section, { shape }]) => optionsOf(section, shape))
    .map((each) => [each.path, each]),
);

/**
 * Reads what is there so that the rules between options can be checked although something else is wrong.
 * @param values sections with checked options only, in the form they were given
 */
export function readPartialSettings(values: Readonly<Record<string, unknown>>): PartialSettings {
  return partialSchema.parse(values);
}
