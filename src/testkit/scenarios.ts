// Mail that is believable or not, on purpose and by name: what each scenario does to the mail of a person who pressed the
// button of the page, and what the service must make of it. Mail, signatures and DNS are real. Whatever a scenario needs in
// the zone has a name of its own there from the start (`scenarioZone`), so scenarios may run at the same time.

import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { localPartOf, type Mailbox, parseMailbox } from '../core/mail-address.ts';
import { parseAddress } from '../core/one-time-address.ts';
import type { EdgeRefusalReason, MailRefusalReason } from '../core/refusal.ts';
import { requestLabel } from '../core/verification-code.ts';
import { badSelectors, type DkimKeys, selectors } from './dkim-keys.ts';
import { type Identity, mailDomain, signingDomain, spfRecords } from './identities.ts';
import { parseMailto } from './mailto.ts';
import type { SendOptions } from './message.ts';
import type { Zone } from './zone.ts';

/** Accepted mail gets one reply, to its author; all other mail gets none. */
export type ScenarioOutcome = 'accepted' | MailRefusalReason | EdgeRefusalReason;

/** What a tester needs to know of one. */
export interface Scenario {
  readonly name: ScenarioName;
  /** For people, one sentence. */
  readonly what: string;
  readonly expect: ScenarioOutcome;
  /** The SMTP reply code, at whichever command it comes. */
  readonly code: number;
  /** It is about the records of a domain: whoever sends it writes from their local part at this one. */
  readonly domain?: string;
}

/** The mail before the scenario. */
interface Draft {
  readonly to: string;
  readonly subject: string;
  readonly from: Mailbox;
  readonly domain: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface Row extends Omit<Scenario, 'name'> {
  readonly mail: (draft: Draft) => Partial<SendOptions>;
}

// Domains of their own.
const spfOnly = 'spf-only.test';
const noDmarc = 'no-dmarc.test';
const spfWithoutDmarc = 'spf-without-dmarc.test';
const strict = 'strict.test';
const spfOpen = 'spf-open.test';
const serversDown = 'servers-down.test';
/** Somebody else's mail server, for which SPF passes: a forwarder's, a list's, a forger's. */
const elsewhere = 'elsewhere.test';

/** The records that the scenarios need. */
export function scenarioZone(keys: DkimKeys): Zone {
  const down = Object.keys(signingDomain(serversDown, keys));
  return {
    ...mailDomain(spfOnly, spfRecords.fromHere),
    ...signingDomain(noDmarc, keys, null),
    ...mailDomain(spfWithoutDmarc, spfRecords.fromHere, null),
    ...signingDomain(strict, keys, 'v=DMARC1; p=reject; adkim=s; aspf=s'),
    ...mailDomain(spfOpen, 'v=spf1 +all'),
    ...signingDomain(elsewhere, keys),
    ...mailDomain(elsewhere, spfRecords.fromHere),
    ...Object.fromEntries(down.map((name) => [name, { fail: 'servfail' } as const])),
  };
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** What is signed where To is not. */
const withoutTo = ['From', 'Date', 'Subject', 'Message-ID', 'Content-Type', 'MIME-Version'];

const believed = { expect: 'accepted', code: 250 } as const;
const notBelieved = { expect: 'not-authenticated', code: 550 } as const;
const automatic = { expect: 'automatic-mail', code: 550 } as const;
const elsewhereFrom = ({ from }: Draft) => `srs0=k4xq=7d=${from.replace('@', '=')}@${elsewhere}`;
const received = (by: string) => `from mx.sender.test by ${by} with ESMTPS; Mon, 01 Jun 2026 10:00:00 +0000`;

const rows = {
  // ---- mail that is answered ----
  dkim: {
    ...believed,
    what: 'The ordinary case: the provider signs From, To, Subject and the rest (RSA).',
    mail: () => ({ sign: {} }),
  },
  'dkim-ed25519': {
    ...believed,
    what: 'Signed with Ed25519, as few providers do yet.',
    mail: () => ({ sign: { key: 'ed25519' } }),
  },
  'spf-only': {
    ...believed,
    what: 'A small host that signs nothing, but SPF names its server.',
    domain: spfOnly,
    mail: () => ({ sign: 'none' }),
  },
  'no-dmarc': {
    ...believed,
    what: 'Signed by the very domain of the author, which has no DMARC record.',
    domain: noDmarc,
    mail: () => ({ sign: {} }),
  },
  'spf-without-dmarc': {
    ...believed,
    what: 'No signature and no DMARC record: SPF alone, which the setting mail.spfWithoutDmarc accepts.',
    domain: spfWithoutDmarc,
    mail: () => ({ sign: 'none' }),
  },
  'relaxed-alignment': {
    ...believed,
    what: 'Signed by a sub-domain of the author, as DMARC allows unless it says otherwise.',
    mail: ({ domain }) => ({ sign: { domain: `mail.${domain}` } }),
  },
  'two-signatures': {
    ...believed,
    what: 'Signed by the provider in its own name as well, which says nothing about the author.',
    mail: () => ({ sign: [{}, { domain: elsewhere }] }),
  },
  'microsoft-like': {
    ...believed,
    what: 'To is not signed, as with Microsoft 365; the request label in the signed Subject names the request.',
    mail: () => ({ sign: { fields: withoutTo } }),
  },
  forwarded: {
    ...believed,
    what: 'Sent on by another server under its own envelope sender: SPF is lost, the signature holds.',
    mail: (draft) => ({
      sign: {},
      mailFrom: elsewhereFrom(draft),
      change: (text) => `Received: ${received(`mx.${elsewhere}`)}\r\nX-Forwarded-To: ${draft.to}\r\n${text}`,
    }),
  },
  'address-retyped': {
    ...believed,
    what: 'The address in capitals and with hyphens, as people type it and phones change it.',
    mail: ({ to }) => ({ to: regrouped(to), rcptTo: regrouped(to) }),
  },
  duplicate: {
    ...believed,
    what: 'The very same message twice, because the first answer got lost: both are taken, one reply goes out.',
    mail: () => ({ times: 2 }),
  },

  // ---- mail that nobody vouches for ----
  unsigned: {
    ...notBelieved,
    what: 'The simplest forgery: no signature, and SPF names another server.',
    mail: () => ({ sign: 'none' }),
  },
  'spf-of-another-domain': {
    ...notBelieved,
    what: 'A forger with a server of their own: SPF passes for the envelope sender, who is not the author.',
    mail: () => ({ sign: 'none', mailFrom: `forger@${elsewhere}` }),
  },
  'signed-by-another-domain': {
    ...notBelieved,
    what: 'A good signature, of a domain that is not the author’s.',
    mail: () => ({ sign: { domain: elsewhere } }),
  },
  'strict-alignment': {
    ...notBelieved,
    what: 'Signed by a sub-domain, where the DMARC record asks for the very domain (adkim=s).',
    domain: strict,
    mail: ({ domain }) => ({ sign: { domain: `mail.${domain}` } }),
  },
  'spf-open': {
    ...notBelieved,
    what: 'No signature, and an SPF record that lets everybody in (+all).',
    domain: spfOpen,
    mail: () => ({ sign: 'none' }),
  },
  'forwarded-unsigned': {
    ...notBelieved,
    what: 'Mail without a signature, sent on by another server: nothing is left that vouches for it.',
    mail: (draft) => ({ sign: 'none', mailFrom: elsewhereFrom(draft) }),
  },
  'footer-added': {
    ...notBelieved,
    what: 'A gateway or list adds a footer below the signed text.',
    mail: () => ({ change: (text) => `${text}-- \r\nScanned and found harmless.\r\n` }),
  },
  'subject-changed': {
    ...notBelieved,
    what: 'A gateway writes [EXTERNAL] in front of the signed Subject.',
    mail: () => ({ change: (text) => text.replace(/^Subject: /m, 'Subject: [EXTERNAL] ') }),
  },
  'from-changed': {
    ...notBelieved,
    what: 'A colleague’s signed mail, with the author exchanged on the way.',
    mail: ({ from, domain }) => ({
      headers: { From: `colleague@${domain}` },
      change: (text) => text.replace(/^From: .*$/m, `From: ${from}`),
    }),
  },
  'microsoft-like-without-label': {
    ...notBelieved,
    what: 'To is not signed, and the person has changed the Subject: nothing signed names the request.',
    mail: () => ({ subject: 'Hello', sign: { fields: withoutTo } }),
  },
  'replayed-with-new-to': {
    ...notBelieved,
    what: 'An old signed mail to another address, with To exchanged.',
    mail: ({ to }) => ({
      to: another(to),
      subject: 'New password',
      rcptTo: to,
      change: (text) => text.replace(/^To: .*$/m, `To: ${to}`),
    }),
  },
  'body-half-signed': {
    ...notBelieved,
    what: 'The signature covers the first octets of the text only (l=): anybody may have added the rest.',
    mail: () => ({ sign: { bodyLength: 10 } }),
  },
  'key-missing': {
    ...notBelieved,
    what: 'Signed, and the DNS has no such key.',
    mail: () => ({ sign: { selector: badSelectors.missing } }),
  },
  'key-wrong': {
    ...notBelieved,
    what: 'Signed with another key than the one in the DNS.',
    mail: () => ({ sign: { key: 'weak', selector: selectors.rsa } }),
  },
  'key-weak': {
    ...notBelieved,
    what: 'Signed with an RSA key of 768 bits, which can be broken.',
    mail: () => ({ sign: { key: 'weak' } }),
  },
  'key-revoked': {
    ...notBelieved,
    what: 'Signed with a key that was revoked.',
    mail: () => ({ sign: { selector: badSelectors.revoked } }),
  },
  'key-in-testing': {
    ...notBelieved,
    what: 'The key says that it is being tested (t=y), so it vouches for nothing.',
    mail: () => ({ sign: { selector: badSelectors.testing } }),
  },
  'signature-expired': {
    ...notBelieved,
    what: 'The signature was good until yesterday.',
    // Signatures are held against the real time, whatever clock the service has.
    mail: ({ now }) => {
      const yesterday = Math.min(now, Date.now()) - dayMs;
      return { sign: { signedAt: yesterday - dayMs, expiresAt: yesterday } };
    },
  },
  'signature-from-the-future': {
    ...notBelieved,
    what: 'Signed in an hour from now: kept ready, or a clock that is wrong.',
    mail: ({ now }) => ({ sign: { signedAt: now + 60 * minuteMs } }),
  },

  // ---- mail that cannot be judged now ----
  'dns-failing': {
    expect: 'check-unavailable',
    code: 451,
    what: 'All name servers of the author’s domain answer with an error; the sender’s server comes again later.',
    domain: serversDown,
    mail: () => ({ sign: {} }),
  },
  'dns-silent': {
    expect: 'check-unavailable',
    code: 451,
    what: 'The name server with the key never answers; takes as long as the service waits for it, some seconds.',
    mail: () => ({ sign: { selector: badSelectors.silent } }),
  },

  // ---- mail that is not answered, whoever wrote it ----
  'automatic-reply': {
    ...automatic,
    what: 'A holiday notice.',
    mail: () => ({ subject: 'Out of office', headers: { 'Auto-Submitted': 'auto-replied' } }),
  },
  'read-receipt': {
    ...automatic,
    what: 'A read receipt, sent by a mail program.',
    mail: () => ({
      subject: 'Read: New password',
      headers: { 'Content-Type': 'multipart/report; report-type=disposition-notification; boundary=b' },
      body: '--b\n\nYour message was displayed.\n\n--b\nContent-Type: message/disposition-notification\n\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--',
    }),
  },
  'ticket-system': {
    ...automatic,
    what: 'A ticket system that confirms whatever it gets.',
    mail: () => ({
      subject: '[#4711] We have received your request',
      headers: { 'Auto-Submitted': 'auto-generated', Precedence: 'bulk', 'X-Auto-Response-Suppress': 'All' },
    }),
  },
  'robot-author': {
    ...automatic,
    what: 'Signed mail of no-reply, which nobody reads.',
    mail: ({ domain }) => ({ headers: { From: `no-reply@${domain}` }, mailFrom: `no-reply@${domain}` }),
  },
  'list-post': {
    ...automatic,
    what: 'A mailing list passes the mail on as it is, with its own fields added.',
    mail: (draft) => ({
      mailFrom: `friends-bounces@${elsewhere}`,
      change: (text) => `List-Id: <friends.${elsewhere}>\r\nPrecedence: list\r\n${text}`,
      to: draft.to,
    }),
  },
  'list-rewritten': {
    ...automatic,
    what: 'A mailing list puts itself into From, changes the Subject and signs: the author is the list.',
    mail: ({ from, subject }) => ({
      subject: `[Friends] ${subject}`,
      headers: {
        From: `"${from.replace('@', ' at ')} via Friends" <friends@${elsewhere}>`,
        'Reply-To': from,
        'List-Id': `<friends.${elsewhere}>`,
      },
      sign: { domain: elsewhere },
      mailFrom: `friends-bounces@${elsewhere}`,
    }),
  },
  bounce: {
    expect: 'null-sender',
    code: 550,
    what: 'A mail server reports that it could not deliver something; its envelope sender is empty.',
    mail: ({ domain }) => ({
      mailFrom: '',
      subject: 'Undelivered Mail Returned to Sender',
      headers: {
        From: `MAILER-DAEMON@${domain}`,
        'Content-Type': 'multipart/report; report-type=delivery-status; boundary=b',
      },
    }),
  },
  'reply-to-another-mail': {
    expect: 'answer-to-another-mail',
    code: 550,
    what: 'An answer to somebody’s mail, as when a stranger asks for it.',
    mail: () => ({ subject: 'Re: please confirm', headers: { 'In-Reply-To': `<1@${elsewhere}>` } }),
  },

  // ---- mail for somebody else ----
  replayed: {
    expect: 'wrong-recipient',
    code: 550,
    what: 'An old signed mail to another address, sent again to this one as it is.',
    mail: ({ to }) => ({ to: another(to), subject: 'New password', rcptTo: to }),
  },
  'copy-to-a-friend': {
    expect: 'wrong-recipient',
    code: 550,
    what: 'To names somebody else as well.',
    mail: ({ to }) => ({ headers: { To: `${to}, friend@${elsewhere}` } }),
  },
  'unknown-address': {
    expect: 'address-unknown',
    code: 550,
    what: 'An address that was made up, or mistyped by a letter.',
    mail: ({ to }) => ({ to: another(to) }),
  },
  relaying: {
    expect: 'relay-denied',
    code: 550,
    what: 'Mail for another domain, from somebody who looks for an open relay.',
    mail: () => ({ to: `friend@${elsewhere}` }),
  },
  'second-recipient': {
    expect: 'second-recipient',
    code: 452,
    what: 'Two recipients in one transaction.',
    mail: ({ to }) => ({ rcptTo: [to, to] }),
  },

  // ---- mail that two programs could read in two ways ----
  'two-from': {
    expect: 'header-repeated',
    code: 550,
    what: 'Two From fields, both signed: one program shows this author, another that one.',
    mail: ({ from }) => ({ headers: { From: [`forger@${elsewhere}`, from] } }),
  },
  'two-authors': {
    expect: 'author-unreadable',
    code: 550,
    what: 'One From field with two mailboxes.',
    mail: ({ from }) => ({ headers: { From: `${from}, forger@${elsewhere}` } }),
  },
  'author-beyond-ascii': {
    expect: 'address-not-ascii',
    code: 550,
    what: 'From holds letters beyond ASCII, bare.',
    mail: ({ from }) => ({ headers: { From: `Zoë <${from}>` } }),
  },
  'bare-line-feed': {
    expect: 'line-ends-malformed',
    code: 554,
    what: 'A line that ends with a line feed alone.',
    mail: () => ({ change: (text) => `${text}One line\nand another\r\n` }),
  },
  smuggled: {
    expect: 'line-ends-malformed',
    code: 554,
    what: 'A second message behind an end of data that only some servers see (SMTP smuggling).',
    mail: ({ from, to }) => ({
      change: (text) =>
        `${text}\n.\r\nMAIL FROM:<${from}>\r\nRCPT TO:<${to}>\r\nDATA\r\nFrom: ${from}\r\n\r\nHello\r\n`,
    }),
  },

  // ---- too much of something ----
  oversize: {
    expect: 'message-too-big',
    code: 552,
    what: 'Three megabytes, where two are allowed.',
    mail: () => ({ body: `${'x'.repeat(76)}\n`.repeat(40_000), sign: 'none' }),
  },
  'mail-loop': {
    expect: 'mail-loop',
    code: 554,
    what: 'More than 50 servers have had it: it goes in circles.',
    mail: () => ({ headers: { Received: Array(51).fill(received(`mx.${elsewhere}`)) } }),
  },
  'many-signatures': {
    expect: 'too-many-signatures',
    code: 554,
    what: 'Eleven signatures, each of which costs a look-up.',
    mail: () => ({ sign: Array(11).fill({}) }),
  },
  'slow-trickle': {
    expect: 'connection-too-old',
    code: 421,
    what: 'An octet every ten seconds, so that nobody ever waits too long; takes two minutes unless `pause` says otherwise.',
    mail: () => ({ pause: (ms: number) => sleep(ms) }),
  },
} as const satisfies Readonly<Record<string, Row>>;

export type ScenarioName = keyof typeof rows;

const table: Readonly<Record<ScenarioName, Row>> = rows;

/** All scenarios. */
export const scenarios: readonly Scenario[] = (Object.keys(rows) as ScenarioName[]).map((name) => {
  const { mail: _, ...scenario } = table[name];
  return { name, ...scenario };
});

function isScenario(name: string): name is ScenarioName {
  return Object.hasOwn(rows, name);
}

/**
 * Puts a mail under a scenario.
 * @param who  an identity that signs with DKIM: others are not believed anyway, or always
 * @param mail what the caller wants of it; what the scenario needs goes before that, `pause` aside
 * @param now  milliseconds since the epoch
 * @returns what to send, and who then writes it
 * @throws TypeError, with the remedy, for a name that no scenario has and for another kind of identity
 */
export function stage(
  name: string,
  who: Identity,
  mail: SendOptions,
  now: number,
): { readonly from: Identity; readonly mail: SendOptions } {
  if (!isScenario(name)) {
    throw new TypeError(`no such scenario: ${JSON.stringify(name)}. There are: ${Object.keys(rows).join(', ')}.`);
  }
  if (who.proves !== 'dkim') {
    throw new TypeError(
      `${who.key} does not sign with DKIM, which scenarios start from: take alice@school.test or amy.`,
    );
  }
  const { domain = who.domain, mail: write } = table[name];
  const mailbox = parseMailbox(`${localPartOf(who.mailbox)}@${domain}`) ?? who.mailbox;
  const prepared = preparedMail(mail.to, now);
  const { subject = prepared.subject, body = prepared.body, pause } = mail;
  const { to } = prepared;
  const changed = write({ to, subject, from: mailbox, domain, now });
  const headers = { ...changed.headers, ...mail.headers };
  return {
    from: { ...who, mailbox, domain },
    mail: { ...mail, to, subject, body, ...changed, headers, ...(pause && { pause }) },
  };
}

/**
 * The mail that a page prepares, for whoever has only its address.
 * @param to  a mail address or a mailto link
 * @param now milliseconds since the epoch
 * @throws TypeError when it is neither
 */
export function preparedMail(
  to: string,
  now: number,
): { readonly to: string; readonly subject: string; readonly body: string } {
  const mail = typeof to === 'string' ? parseMailto(to) : undefined;
  if (typeof to !== 'string' || !parseMailbox(mail?.to ?? to)) {
    const given = inspect(to, { depth: 0, breakLength: Number.POSITIVE_INFINITY }).slice(0, 200);
    throw new TypeError(`mail goes to an address or a mailto link, such as page.mailto, and not to ${given}`);
  }
  if (mail !== undefined) return mail;
  const id = parseAddress(to.replace(/@.*$/, ''), now)?.address.id;
  const subject = id === undefined ? 'Hello' : `New password ${requestLabel(id)}`;
  return { to, subject, body: 'Please just send this mail. You need not write anything.' };
}

/** Another address that looks like one of the service's: the last letter differs. */
function another(address: string): string {
  return address.replace(/(.)@/, (_all, letter: string) => `${letter === '7' ? '8' : '7'}@`);
}

function regrouped(address: string): string {
  return address.replace(
    /^[^@]+/,
    (local) =>
      local
        .toUpperCase()
        .match(/.{1,4}/g)
        ?.join('-') ?? local,
  );
}
