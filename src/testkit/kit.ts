// The test kit as one thing: DNS server, sink and test mailbox around our service, which is reached by SMTP only.
// `npm start` (development profile) and the tests start the same kit; nothing in it is simulated.

import { type DkimKeys, loadDkimKeys } from './dkim-keys.ts';
import { type DnsServer, startDnsServer } from './dns-server.ts';
import {
  type Identity,
  type IdentityKey,
  identities,
  identityOf,
  kitZone,
  mailServerOf,
  signingDomain,
} from './identities.ts';
import { type MailboxPage, startMailboxPage } from './mailbox-page.ts';
import { type SendOptions, writeMail } from './message.ts';
import { preparedMail, type ScenarioName, scenarioZone, stage } from './scenarios.ts';
import { createOutbox, type Sent } from './sent-mail.ts';
import { type Sink, startSink } from './sink.ts';
import { deliver } from './smtp-client.ts';
import type { Zone } from './zone.ts';

export type Address = { readonly host: string; readonly port: number };

/** Somebody who can write. */
export type Person = Identity & {
  /**
   * Writes the mail that the page has prepared, or what the options make of it, and hands it to the service.
   * @param to `page.mailto`; or a one-time address, for which the same is prepared
   * @throws when the service cannot be reached; TypeError for what is neither, and for an unknown scenario
   */
  send(
    to: string,
    options?: Omit<SendOptions, 'to' | 'scenario'> & { readonly scenario?: ScenarioName },
  ): Promise<Sent>;
};

export type KitOptions = {
  readonly dns: Address;
  readonly sink: Address;
  readonly mailbox: Address;
  /** Domain of the one-time addresses, lower case. */
  readonly oneTimeDomain?: string;
  /** Where our service takes mail, asked for at each message: it may start later. A number is a port of 127.0.0.1. */
  readonly smtpPort: () => number | Address;
  /** Where the DKIM keys are kept; without it they last as long as the kit. */
  readonly keysFile?: string;
  /** The time by which mail is dated and signed: milliseconds since the epoch, as the service sees it. */
  readonly now?: () => number;
  /** What to do when a port is taken: give up (default), or try the following ones. */
  readonly portTaken?: 'fail' | 'next';
  /** What decides about faults of the sink with a chance: 0 to 1, 1 excluded. */
  readonly random?: () => number;
};

export type Kit = {
  readonly dns: DnsServer;
  readonly sink: Sink;
  readonly mailboxPage: MailboxPage;
  readonly identities: readonly Identity[];
  /** What the DNS server serves; may be changed. */
  readonly zone: Zone;
  /**
   * Composes, signs and delivers, as the test mailbox does.
   * @param identity a key, or any mailbox at a domain under .test or .example
   * @throws when the service cannot be reached; TypeError when there is no such identity or scenario
   */
  send(identity: IdentityKey | (string & {}), options: SendOptions): Promise<Sent>;
  /**
   * Somebody who can write.
   * @param who a key, or any mailbox at a domain under .test or .example
   * @throws TypeError when there is no such identity
   */
  identity(who: IdentityKey | (string & {})): Person;
  /** Ends all parts; may be called twice. */
  close(): Promise<void>;
};

const portsTried = 20;

async function listenFrom<Part>(
  address: Address,
  portTaken: 'fail' | 'next',
  start: (address: Address) => Promise<Part>,
): Promise<Part> {
  for (let port = address.port; ; port += 1) {
    try {
      return await start({ host: address.host, port });
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || portTaken === 'fail' || port >= address.port + portsTried - 1) throw error;
    }
  }
}

/** Writes mail for anybody, and hands it to the service. */
function sender(options: KitOptions, keys: DkimKeys, zone: Zone, closing: AbortSignal) {
  return async (person: Identity, wanted: SendOptions): Promise<Sent> => {
    if (closing.aborted) throw new Error('the kit is closed');
    if (!Object.hasOwn(zone, person.domain)) Object.assign(zone, signingDomain(person.domain, keys));
    const now = options.now?.() ?? Date.now();
    const { scenario } = wanted;
    const { from, mail } =
      scenario === undefined ? { from: person, mail: wanted } : stage(scenario, person, wanted, now);
    const raw = mail.raw === undefined ? await writeMail(from, keys, mail, now) : Buffer.from(mail.raw);
    const target = mail.server ?? options.smtpPort();
    const delivery = {
      ...(typeof target === 'number' ? { host: '127.0.0.1', port: target } : target),
      mailFrom: mail.mailFrom ?? from.mailbox,
      rcptTo: [mail.rcptTo ?? mail.to].flat(),
      raw,
      helo: mailServerOf(from.domain),
      ...(mail.pause !== undefined && { pause: mail.pause }),
      signal: closing,
    };
    let answer = await deliver(delivery);
    for (let times = 1; times < (mail.times ?? 1); times += 1) answer = await deliver(delivery);
    const { mailFrom, rcptTo } = delivery;
    return { ...answer, raw, from: from.mailbox, envelope: { mailFrom, rcptTo } };
  };
}

/**
 * Starts the kit.
 * @throws when a part cannot listen or the keys cannot be kept; nothing stays open then
 */
export async function startKit(options: KitOptions): Promise<Kit> {
  const { oneTimeDomain = 'in.school.example', portTaken = 'fail', random } = options;
  const keys = await loadDkimKeys(options.keysFile);
  const zone = { ...kitZone(oneTimeDomain, keys), ...scenarioZone(keys) };
  const parts: { close(): Promise<void> }[] = [];
  const closing = new AbortController();
  const close = async () => {
    closing.abort(new Error('the kit was closed before the mail was answered'));
    await Promise.all(parts.map((part) => part.close()));
  };
  const start = async <Part extends { close(): Promise<void> }>(
    address: Address,
    how: (address: Address) => Promise<Part>,
  ) => {
    const part = await listenFrom(address, portTaken, how);
    parts.push(part);
    return part;
  };
  const outbox = createOutbox(zone, sender(options, keys, zone, closing.signal));
  try {
    const dns = await start(options.dns, (address) => startDnsServer({ ...address, zone }));
    const sink = await start(options.sink, (address) => startSink({ ...address, ...(random && { random }) }));
    const mailboxPage = await start(options.mailbox, (address) => startMailboxPage({ ...address, sink, outbox }));
    const send: Kit['send'] = async (identity, mail) => outbox.send(identityOf(identity), mail);
    const identity: Kit['identity'] = (who) => {
      const person = identityOf(who);
      const now = () => options.now?.() ?? Date.now();
      return { ...person, send: async (to, mail = {}) => outbox.send(person, { ...preparedMail(to, now()), ...mail }) };
    };
    return { dns, sink, mailboxPage, identities, zone, send, identity, close };
  } catch (error) {
    await close();
    throw error;
  }
}
