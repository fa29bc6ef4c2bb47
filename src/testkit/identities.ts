// The people of the test kit and the DNS zone of their organisations. school.example signs with DKIM, and sends from
// elsewhere as far as SPF knows; company.example does not sign, but its SPF lets this machine in; a forger has nothing.

import type { Mailbox } from '../core/mail-address.ts';
import { parseMailbox } from '../core/mail-address.ts';
import { type DkimKeys, keyRecords } from './dkim-keys.ts';
import type { Zone } from './zone.ts';

export type IdentityKey = 'amy' | 'rory' | 'smith' | 'jo' | 'forger';

export type Identity = {
  readonly key: IdentityKey;
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
  return { key, mailbox, name, domain: mailbox.slice(mailbox.indexOf('@') + 1), proves, note };
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

/** The name of a domain's mail server: its MX, and what it greets with. */
export function mailServerOf(domain: string): string {
  return `mx.${domain}`;
}

function mailDomain(domain: string, spf: string): Zone {
  return {
    [domain]: { MX: [{ exchange: mailServerOf(domain), priority: 10 }], TXT: [spf] },
    [mailServerOf(domain)]: { A: ['127.0.0.1'] },
    [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=reject'] },
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
    // 192.0.2.10 is documentation space: mail from this machine never passes, DKIM alone must carry it.
    ...mailDomain('school.example', 'v=spf1 ip4:192.0.2.10 -all'),
    ...keyRecords(keys, 'school.example'),
    // Our SMTP port may listen on either loopback address; nobody else gets in, as in any strict record.
    ...mailDomain('company.example', 'v=spf1 ip4:127.0.0.1 ip6:::1 -all'),
    ...mailDomain(oneTimeDomain, 'v=spf1 -all'),
  };
}
