// The other end of the mail traffic, a helper process of `pages-under-mail.ts`: the senders, their DNS, and the relay that
// takes the replies. Every message comes over a connection of its own, from an author of its own. It does what its
// parent orders, tells what came of it, and ends with it.

import { on } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import { deriveAddress, issueCookie, writeAddress } from '../../src/app/challenge-tokens.ts';
import type { Secrets } from '../../src/app/ports.ts';
import { readClientHint } from '../../src/core/client-hint.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';
import { type DkimKeys, keyRecords, loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, type Identity, kitZone, mailServerOf } from '../../src/testkit/identities.ts';
import { writeMail } from '../../src/testkit/message.ts';
import { startSink } from '../../src/testkit/sink.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';
import type { Zone } from '../../src/testkit/zone.ts';
import { ringOf } from '../support/keyring.ts';
import { appLimits } from '../support/limits.ts';
import { countOf, keepPace, type Pace } from './pace.ts';

/** What the parent orders to be prepared: as many messages as this pace needs, or fewer in a run of its own. */
export interface MailOrder extends Pace {
  /** Of the one-time addresses. */
  readonly domain: string;
  /** Of the service, base64url: addresses are made with it instead of being read from pages. */
  readonly secret: string;
}

/** Told once the messages are signed: where DNS and relay are. */
export const mailReady = z.object({ dnsPort: z.number(), sinkPort: z.number() });

/** A run: at a pace, or by so many clients, each with one message after the other, as long as the pace says. */
export interface MailRun {
  readonly smtpPort: number;
  readonly pace?: Pace;
  readonly clients?: number;
  /** Nothing that was prepared: each is written when it is due, one in ten is not signed, and one in ten comes twice. */
  readonly mixed?: { readonly part: number; readonly lifetimeMs: number };
}

/** Told at the end of a run. Times are in milliseconds since the epoch. */
export const mailReport = z.object({
  /** Share of one processor that all of this took while messages were sent. */
  cpuShare: z.number(),
  /** `what` is the reply code with the enhanced one, or how the connection failed. */
  answers: z.array(z.object({ at: z.number(), tookMs: z.number(), what: z.string() })),
  /** `tookMs`: since the last octet of the message was sent. */
  replies: z.array(z.object({ at: z.number(), tookMs: z.number() })),
});

export type MailReport = z.infer<typeof mailReport>;

const paceSchema = z.object({ perSecond: z.number(), rampSeconds: z.number(), seconds: z.number() });
const orderSchema = paceSchema.extend({ domain: z.string(), secret: z.string() });
const runSchema = z.object({
  smtpPort: z.number(),
  pace: paceSchema.optional(),
  clients: z.number().optional(),
  mixed: z.object({ part: z.number(), lifetimeMs: z.number() }).optional(),
});

interface Prepared {
  readonly mailFrom: Mailbox;
  readonly rcptTo: string;
  readonly raw: Buffer;
  readonly helo: string;
  readonly localAddress: string;
}

const free = { host: '127.0.0.1', port: 0 };
const answersTimeoutMs = 15_000;
const repliesTimeoutMs = 5_000;
const knownDomains = 50;
// The DNS server of the kit looks at all names for one that is not there. The one that every message asks for is there.
const parentPolicy: Zone = { '_dmarc.example': {} };
const domainsMax = 10_000;
// One address may have ten connections at the same time.
const mailServers = 100;

/** Most people write from a domain whose records are known by then, every tenth from one that is new. */
function domainOf(index: number): string {
  return index % 10 === 0 ? `new${index}.example` : `known${index % knownDomains}.example`;
}

function zoneOf(domain: string, keys: DkimKeys): Zone {
  return {
    // Mail from this machine does not pass, so DKIM alone must carry it.
    [domain]: { TXT: ['v=spf1 ip4:192.0.2.10 -all'], MX: [{ exchange: mailServerOf(domain), priority: 10 }] },
    [mailServerOf(domain)]: { A: ['127.0.0.1'] },
    [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=reject'] },
    ...keyRecords(keys, domain),
  };
}

interface Writer {
  readonly serviceDomain: string;
  readonly secrets: Secrets;
  readonly keys: DkimKeys;
  readonly amy: Identity;
  /** Gets what the domain of the author needs. */
  readonly zone: Zone;
}

async function prepare(
  { serviceDomain, secrets, keys, amy, zone }: Writer,
  index: number,
  { lifetimeMs = appLimits.challengeLifetimeMs, signed = true } = {},
): Promise<Prepared> {
  const { seed } = issueCookie(secrets, 'reset', Date.now());
  const shownAs = { locale: 'en', clientHint: readClientHint('') } as const;
  const domain = domainOf(index % domainsMax);
  const mailbox = parseMailbox(`author${index}@${domain}`);
  if (mailbox === undefined) throw new Error('no author');
  const address = deriveAddress(secrets, seed, shownAs, lifetimeMs);
  Object.assign(zone, zoneOf(domain, keys));
  const to = `${writeAddress(secrets, address)}@${serviceDomain}`;
  const mail = { to, subject: 'New password', body: 'Please.', ...(!signed && { sign: 'none' as const }) };
  const raw = await writeMail({ ...amy, mailbox, domain }, keys, mail);
  const localAddress = `127.0.1.${1 + (index % mailServers)}`;
  return { mailFrom: mailbox, rcptTo: to, raw, helo: mailServerOf(domain), localAddress };
}

/** Sends them at their pace, or as fast as so many clients get them answered, and waits for the answers, within reason. */
async function send(
  { smtpPort, clients, mixed }: z.infer<typeof runSchema>,
  pace: Pace,
  mails: readonly Prepared[],
  writer: Writer,
  sentAt: Map<string, number>,
): Promise<Omit<MailReport, 'replies'>> {
  const answers: MailReport['answers'] = [];
  const underWay: Promise<void>[] = [];
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const sendOne = (mail: Prepared, dueAt: number): Promise<void> => {
    const answered = (what: string) => {
      answers.push({ at: Date.now(), tookMs: performance.now() - dueAt, what });
    };
    const onSent = () => void sentAt.set(mail.mailFrom, performance.now());
    return deliver({ ...mail, host: '127.0.0.1', port: smtpPort, onSent }).then(
      ({ code, text }) => answered(`${code} ${text.split(' ')[0]}`),
      (error: unknown) => answered(error instanceof Error ? error.message : 'failed'),
    );
  };
  if (mixed !== undefined) {
    await keepPace(pace, (index, dueAt) => {
      const number = mixed.part * countOf(pace) + index;
      const writing = prepare(writer, number, { lifetimeMs: mixed.lifetimeMs, signed: index % 10 !== 3 });
      underWay.push(
        writing.then(async (mail) => {
          await sendOne(mail, dueAt);
          if (index % 10 === 7) await sendOne(mail, performance.now());
        }),
      );
    });
  } else if (clients === undefined) {
    await keepPace(pace, (index, dueAt) => {
      const mail = mails[index];
      if (mail !== undefined) underWay.push(sendOne(mail, dueAt));
    });
  } else {
    const left = mails.values();
    const client = async () => {
      for (const mail of left) {
        if (performance.now() > startedAt + pace.seconds * 1000) return;
        await sendOne(mail, performance.now());
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
  }
  const { user, system } = process.cpuUsage(before);
  const cpuShare = (user + system) / 1000 / (performance.now() - startedAt);
  await Promise.race([Promise.all(underWay), sleep(answersTimeoutMs)]);
  // Real senders have more patience, but they are not waited for by a benchmark.
  const missing = Array.from({ length: Math.max(0, underWay.length - answers.length) }, () => {
    return { at: Date.now(), tookMs: Number.MAX_SAFE_INTEGER, what: 'no answer' };
  });
  return { cpuShare, answers: [...answers, ...missing] };
}

/** The next word of the parent. */
function nextWord(): Promise<unknown> {
  return new Promise((resolve) => process.once('message', resolve));
}

async function main(): Promise<void> {
  // Whatever becomes of the parent, nothing of this stays behind.
  process.once('disconnect', () => process.exit());
  const order = orderSchema.parse(await nextWord());
  const amy = findIdentity('amy');
  if (amy === undefined) throw new Error('the test identities have changed');
  const keys = await loadDkimKeys();
  const secrets = createSecrets(ringOf(Buffer.from(order.secret, 'base64url')));
  const zone: Zone = { ...kitZone(order.domain, keys), ...parentPolicy };
  const mails: Prepared[] = [];
  const writer = { serviceDomain: order.domain, secrets, keys, amy, zone };
  for (let index = 0; index < countOf(order); index++) mails.push(await prepare(writer, index));
  const [dns, sink] = await Promise.all([startDnsServer({ ...free, zone }), startSink(free)]);
  const words = on(process, 'message');
  process.send?.({ dnsPort: dns.port, sinkPort: sink.port } satisfies z.infer<typeof mailReady>);
  for await (const [word] of words) {
    const run = runSchema.parse(word);
    const replies: MailReport['replies'] = [];
    const sentAt = new Map<string, number>();
    const end = sink.onMessage(({ envelope }) => {
      const sent = sentAt.get(envelope.rcptTo[0] ?? '') ?? Number.NaN;
      replies.push({ at: Date.now(), tookMs: performance.now() - sent });
    });
    const sent = await send(run, run.pace ?? order, mails, writer, sentAt);
    const accepted = sent.answers.filter(({ what }) => what.startsWith('250')).length;
    for (let waitedMs = 0; replies.length < accepted && waitedMs < repliesTimeoutMs; waitedMs += 50) await sleep(50);
    end();
    process.send?.({ ...sent, replies } satisfies MailReport);
  }
}

// The parent imports what is told; only as a process of its own does it send anything.
if (import.meta.main) await main();
