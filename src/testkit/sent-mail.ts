// What the kit has sent: the service's answer, and beside it what the mail was made to be. SPF, DKIM and DMARC are checked
// by mailauth against the kit's own zone, whatever the service makes of them. For people; nothing is decided from it.

import { authenticate, type DNSResolver } from 'mailauth';
import type { Mailbox } from '../core/mail-address.ts';
import { type Identity, mailServerOf } from './identities.ts';
import type { SendOptions } from './message.ts';
import { type Scenario, scenarios } from './scenarios.ts';
import type { SmtpAnswer } from './smtp-client.ts';
import type { Zone } from './zone.ts';
import { lookUp } from './zone-answers.ts';

/** The service's answer, and the message as it was sent (to send it again, or to look up its Message-ID). */
export type Sent = SmtpAnswer & {
  readonly raw: Buffer;
  /** Who wrote it: some scenarios have a domain of their own. */
  readonly from: Mailbox;
  readonly envelope: { readonly mailFrom: string; readonly rcptTo: readonly string[] };
};

export type SentMail = Sent & {
  readonly id: string;
  readonly sentAt: Date;
  readonly person: Identity;
  readonly scenario: Scenario | undefined;
  /** Checked when somebody wants to know, with the zone as it is then. */
  authentication(): Promise<Authentication>;
};

/** Results as RFC 8601 §2.7 names them. */
export type Authentication = {
  readonly spf: { readonly result: string; readonly domain: string };
  readonly dkim: readonly SignatureResult[];
  readonly dmarc: { readonly result: string; readonly policy: string };
};

type SignatureResult = {
  readonly result: string;
  /** For people, '' when there is nothing to say. */
  readonly why: string;
  readonly domain: string;
  readonly selector: string;
};

/** A signature in a few words. */
export function signatureWords({ result, why, domain, selector }: SignatureResult): string {
  return `${result} for ${domain} (${selector})${why && `: ${why}`}`;
}

export type Outbox = {
  /** Oldest first, the last 200, and not more than 32 MiB of them. */
  readonly sent: readonly SentMail[];
  /** Writes mail for anybody, and hands it to the service. */
  send(person: Identity, options: SendOptions): Promise<SentMail>;
};

const mailsKept = 200;
const bytesKept = 32 * 2 ** 20;

/** Remembers what is sent. */
export function createOutbox(zone: Zone, send: (person: Identity, options: SendOptions) => Promise<Sent>): Outbox {
  const sent: SentMail[] = [];
  let count = 0;
  let bytes = 0;
  return {
    sent,
    async send(person, options) {
      const mail = await send(person, options);
      const scenario = scenarios.find(({ name }) => name === options.scenario);
      let results: Promise<Authentication> | undefined;
      const authentication = () => (results ??= check(mail, zone));
      count += 1;
      const noted = { ...mail, id: String(count), sentAt: new Date(), person, scenario, authentication };
      sent.push(noted);
      bytes += mail.raw.length;
      while (sent.length > mailsKept || bytes > bytesKept) bytes -= sent.shift()?.raw.length ?? 0;
      return noted;
    },
  };
}

async function check({ raw, from, envelope }: Sent, zone: Zone): Promise<Authentication> {
  const { dkim, spf, dmarc } = await authenticate(raw, {
    ip: '127.0.0.1',
    helo: mailServerOf(from.slice(from.indexOf('@') + 1)),
    sender: envelope.mailFrom,
    mta: 'sink.test',
    resolver: resolverOf(zone),
    minBitLength: 1024, // RFC 8301 §3.2
    disableArc: true,
    disableBimi: true,
  });
  return {
    spf: spf ? { result: spf.status.result, domain: spf.domain ?? '' } : { result: 'none', domain: '' },
    dkim: dkim.results.flatMap(({ status, signingDomain = '', selector = '' }) =>
      signingDomain === ''
        ? []
        : [{ result: status.result, why: status.comment || '', domain: signingDomain, selector }],
    ),
    dmarc: dmarc ? { result: dmarc.status.result, policy: dmarc.policy ?? 'none' } : { result: 'none', policy: 'none' },
  };
}

const errorCodes: Readonly<Record<string, string>> = { 'name-unknown': 'ENOTFOUND', answer: 'ENODATA' };

/** Answers as Node's own resolver does. */
function resolverOf(zone: Zone): DNSResolver {
  const ask = async (name: string, type: string): Promise<unknown> => {
    const { kind, answers } = lookUp(zone, name.toLowerCase(), type);
    const found = answers.flatMap((answer): unknown[] => {
      if (answer.type !== type || !('data' in answer)) return [];
      if (answer.type === 'TXT') return [[answer.data].flat().map(String)];
      return answer.type === 'MX' ? [{ ...answer.data, priority: answer.data.preference }] : [answer.data];
    });
    if (found.length > 0) return found;
    throw Object.assign(new Error(kind), { code: errorCodes[kind] ?? 'ESERVFAIL' });
  };
  return ask as DNSResolver; // which declares texts only; mailauth reads objects for MX all the same
}
