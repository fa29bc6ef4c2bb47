// The people of the test kit and the DNS zone of their organisations. school.example signs with DKIM, and sends from
// elsewhere as far as SPF knows; company.example does not sign, but its SPF lets this machine in; a forger has nothing.

import { domainOf, localPartOf, type Mailbox, parseMailbox } from '../core/mail-address.ts';
import { type DkimKeys, keyRecords } from './dkim-keys.ts';
import type { Zone } from './zone.ts';

export type IdentityKey = 'amy' | 'rory' | 'smith' | 'jo' | 'forger';

export type Identity = {
  /** The mailbox itself, of somebody who was made up on the way. */
  readonly key: string;
  /** Stands in From; of the forger's it is somebody else's. */
  readonly mailbox: Mailbox;
  readonly name: string;
  readonly domain: string;
  /** What makes mail of this identity believable. */
  readonly proves: 'dkim' | 'spf' | 'nothing';
  /** For people, one sentence. */
  readonly note: string;
};

function identity(key: IdentityKey, name: string, address: string, proves: Identity['proves'], note: string): Identity {
  const mailbox = parseMailbox(address);
  if (!mailbox) throw new Error(`not a mail address: ${address}`);
  return { key, mailbox, name, domain: domainOf(mailbox), proves, note };
}

export const identities: readonly Identity[] = [
  identity('amy', 'Amy Pond', 'amy.pond@school.example', 'dkim', 'A pupil. The school signs her mail (DKIM).'),
  identity(
    'rory',
    'Rory Williams',
    'rory.williams@school.example',
    'dkim',
    'A pupil. The school signs his mail (DKIM).',
  ),
  identity('smith', 'Ms Smith', 'ms.smith@school.example', 'dkim', 'A teacher. The school signs her mail (DKIM).'),
  identity(
    'jo',
    'Jo Grant',
    'jo.grant@company.example',
    'spf',
    'Her company signs nothing, but vouches for the sending server (SPF).',
  ),
  identity(
    'forger',
    'Amy Pond',
    'amy.pond@school.example',
    'nothing',
    'Somebody who pretends to be Amy: no signature, and the wrong server.',
  ),
];

/** The identity of a key; undefined for any other text. */
export function findIdentity(key: string): Identity | undefined {
  return identities.find((one) => one.key === key);
}

// RFC 6761 §6.2 and §6.5: names that are nobody's, and never will be.
const nobodysDomain = /\.(?:test|example)$/;

/**
 * Finds an identity, or makes one up.
 * @param who a key, or any mailbox at a domain under .test or .example
 * @throws TypeError, with the remedy, when it is neither
 */
export function identityOf(who: string): Identity {
  const known = findIdentity(who);
  if (known) return known;
  const mailbox = typeof who === 'string' ? parseMailbox(who) : undefined;
  const remedy = `Use ${identities.map(({ key }) => key).join(', ')}, or a mailbox such as alice@school.test.`;
  if (!mailbox) throw new TypeError(`no such identity: ${JSON.stringify(who)}. ${remedy}`);
  const domain = domainOf(mailbox);
  if (!nobodysDomain.test(domain)) {
    throw new TypeError(`the kit writes as nobody at ${domain}, which may be somebody's. ${remedy}`);
  }
  const local = localPartOf(mailbox);
  const name = local.replace(
    /(^|[._-])(\w)/g,
    (_all, gap: string, letter: string) => `${gap && ' '}${letter.toUpperCase()}`,
  );
  const colleague = identities.find((one) => one.domain === domain);
  return { key: mailbox, mailbox, name, domain, proves: colleague?.proves ?? 'dkim', note: '' };
}

/** The name of a domain's mail server: its MX, and what it greets with. */
export function mailServerOf(domain: string): string {
  return `mx.${domain}`;
}

/** SPF records. Our SMTP port may listen on either loopback address; 192.0.2.10 is documentation space. */
export const spfRecords = {
  fromHere: 'v=spf1 ip4:127.0.0.1 ip6:::1 -all',
  fromElsewhere: 'v=spf1 ip4:192.0.2.10 -all',
} as const;

const reject = 'v=DMARC1; p=reject';

/** The records of a domain that gets and sends mail. @param dmarc null: there is none */
export function mailDomain(domain: string, spf: string, dmarc: string | null = reject): Zone {
  return {
    [domain]: { MX: [{ exchange: mailServerOf(domain), priority: 10 }], TXT: [spf] },
    [mailServerOf(domain)]: { A: ['127.0.0.1'] },
    ...(dmarc !== null && { [`_dmarc.${domain}`]: { TXT: [dmarc] } }),
  };
}

/** The records of a domain that signs its mail with DKIM, and of `mail.` below it; DKIM alone must carry its mail. */
export function signingDomain(domain: string, keys: DkimKeys, dmarc: string | null = reject): Zone {
  return {
    ...mailDomain(domain, spfRecords.fromElsewhere, dmarc),
    ...keyRecords(keys, domain),
    ...keyRecords(keys, `mail.${domain}`),
  };
}

/**
 * The zone of the test identities and of the service.
 * @param oneTimeDomain domain of the one-time addresses, lower case; may lie below an identity's domain, but not be one
 */
export function kitZone(oneTimeDomain: string, keys: DkimKeys): Zone {
  if (identities.some(({ domain }) => domain === oneTimeDomain)) {
    throw new Error(`${oneTimeDomain} belongs to a test identity and cannot be the domain of the one-time addresses`);
  }
  return {
    ...signingDomain('school.example', keys),
    ...mailDomain('company.example', spfRecords.fromHere),
    ...mailDomain(oneTimeDomain, 'v=spf1 -all'),
  };
}
