// Which author is believed: SPF, DKIM and DMARC verdicts in, a trusted sender or a refusal out.
// The verdicts come from a library; what they are worth is decided here (RFC 6376, 7208, 9989), and only here.
// Rows D11 to D14 of src/DESIGN.md "Which mail is believed".

import { asciiLower, domainOf, isDomainName, type Mailbox, sameIgnoringCase } from './mail-address.ts';
import { type MailRefusalReason, type Refused, refuse } from './refusal.ts';

/** One DKIM signature as the verifier saw it. Everything but `result` and `aligned` is the signer's own word. */
export interface SignatureVerdict {
  readonly result: string;
  /** d=, lower case. */
  readonly domain: string;
  /** s= */
  readonly selector: string;
  /** Aligned with the author by DMARC, or by the public suffix list where there is no record. */
  readonly aligned: boolean;
  /** d= and the author have the same organisational domain by the public suffix list, private suffixes included. */
  readonly sameOrganisation: boolean;
  readonly algorithm: string;
  /** l= is there, or part of the body is not covered. */
  readonly bodyPartlySigned: boolean;
  /** The key says t=y. */
  readonly testing: boolean;
  /** t= in milliseconds since the epoch. */
  readonly signedAt: number | undefined;
  /** Names in h=, lower case. */
  readonly signedFields: readonly string[];
}

/** What SPF says of MAIL FROM on this connection. */
export interface SpfVerdict {
  readonly result: string;
  readonly domain: string;
  /** Of this domain and the author. */
  readonly sameOrganisation: boolean;
}

/** All that the verifier found out about one message. */
export interface SenderEvidence {
  readonly author: Mailbox;
  /** MAIL FROM, domain as ASCII; attacker-chosen. */
  readonly mailFrom: string;
  /** The authors the library read, and the number of From fields it saw: a second opinion. */
  readonly libraryAuthors: readonly string[];
  readonly fromFields: number;
  readonly signatures: readonly SignatureVerdict[];
  /** Undefined as long as SPF was not asked; what DMARC says then, it says without it. */
  readonly spf: SpfVerdict | undefined;
  /** Undefined when DMARC was not evaluated, which happens only when the author is in doubt. */
  readonly dmarc: { readonly result: string; readonly spfAligned: boolean } | undefined;
  /** The only Subject holds the request label of the challenge the message was sent to. */
  readonly subjectHoldsLabel: boolean;
}

/** The SPF record of the sender evaluated for addresses that nobody sends from. */
export type SpfCanary = 'closed' | 'open' | 'temperror';

/** What vouched for the author. Domain and selector are the words of whoever sent the mail. */
export type Authentication =
  | { readonly by: 'signature'; readonly domain: string; readonly selector: string }
  | { readonly by: 'spf'; readonly domain: string };

/** The author is believed. */
export type TrustedSender = Authentication & { readonly kind: 'trusted'; readonly mailbox: Mailbox };

/** SPF is missing, or only the canary: ask for it and decide again. */
export interface NeedsMore {
  readonly kind: 'needs-spf' | 'needs-canary';
}

/** What an operator may choose. */
export interface SenderPolicy {
  /** A domain without a DMARC record may be believed by SPF for its very own name. */
  readonly spfWithoutDmarc: boolean;
}

const defaultPolicy: SenderPolicy = { spfWithoutDmarc: true };
const clockSkewMs = 5 * 60_000;
const algorithms = new Set(['rsa-sha256', 'ed25519-sha256']); // RFC 8301 §3.1, RFC 8463 §3

/**
 * Decides whether the author of a message is genuine and wrote it for this challenge.
 * @param evidence verdicts of the verifier
 * @param now      milliseconds since the epoch
 * @param canary   what the canary said; undefined when it has not been asked yet
 * @param policy   what the operator has chosen
 * @returns the trusted sender, or refused: author-ambiguous, check-unavailable (ask again later), not-authenticated
 */
export function decideSender(
  evidence: SenderEvidence,
  now: number,
  canary: SpfCanary | undefined,
  policy: SenderPolicy = defaultPolicy,
): TrustedSender | NeedsMore | Refused<MailRefusalReason> {
  // Two parsers, one author: otherwise the one that is proved need not be the one that is answered.
  const [libraryAuthor, ...more] = evidence.libraryAuthors;
  const oneAuthor = libraryAuthor !== undefined && more.length === 0 && normal(libraryAuthor) === evidence.author;
  if (!oneAuthor || evidence.fromFields !== 1 || evidence.dmarc === undefined) return refuse('author-ambiguous');
  const trusted = { kind: 'trusted', mailbox: evidence.author } as const;
  const good = evidence.signatures.find((signature) => missedBySignature(signature, evidence, now).length === 0);
  if (good !== undefined) return { ...trusted, by: 'signature', domain: good.domain, selector: good.selector };
  if (evidence.spf === undefined) return { kind: 'needs-spf' };
  const spf = missedBySpf(evidence, policy).length === 0;
  if (spf && canary === undefined) return { kind: 'needs-canary' };
  if (spf && canary === 'closed') return { ...trusted, by: 'spf', domain: evidence.spf.domain };
  return refuse(isTemporary(evidence) || (spf && canary === 'temperror') ? 'check-unavailable' : 'not-authenticated');
}

/** The library keeps the case of the domain; our normal form does not. */
function normal(address: string): string {
  const at = address.lastIndexOf('@');
  return address.slice(0, at) + asciiLower(address.slice(at));
}

/** What a signature has to fulfil, by name, so that an administrator can be told which one it misses. */
export type SignatureCondition =
  | 'passes'
  | 'is-sha256'
  | 'covers-the-body'
  | 'key-not-in-testing'
  | 'not-from-the-future'
  | 'aligned'
  | 'same-organisation'
  | 'dmarc-agrees'
  | 'signs-from'
  | 'signs-the-challenge';

/**
 * Holds a signature against the conditions.
 * @returns the ones it misses; none: it is a good signature
 */
export function missedBySignature(
  signature: SignatureVerdict,
  evidence: SenderEvidence,
  now: number,
): readonly SignatureCondition[] {
  const { signedFields } = signature;
  const dmarc = evidence.dmarc?.result;
  const conditions: Readonly<Record<SignatureCondition, boolean>> = {
    passes: signature.result === 'pass',
    'is-sha256': algorithms.has(signature.algorithm),
    'covers-the-body': !signature.bodyPartlySigned, // RFC 6376 §8.2: what l= leaves out is anybody's
    'key-not-in-testing': !signature.testing, // RFC 6376 §3.6.1
    'not-from-the-future': signature.signedAt === undefined || signature.signedAt <= now + clockSkewMs,
    aligned: signature.aligned,
    'same-organisation': signature.sameOrganisation,
    // Without a DMARC record only the author's very own domain may speak for it; relaxed alignment is DMARC's to grant.
    'dmarc-agrees':
      dmarc === 'pass' ||
      (signature.domain === domainOf(evidence.author) && (dmarc === 'none' || dmarc === 'temperror')),
    'signs-from': signedFields.includes('from'), // RFC 6376 §5.4
    // DKIM does not bind the envelope: an old mail can be sent to any address. The challenge must stand in what was signed.
    'signs-the-challenge':
      signedFields.includes('to') || (signedFields.includes('subject') && evidence.subjectHoldsLabel),
  };
  return missed(conditions);
}

/** What SPF has to fulfil. SPF speaks for MAIL FROM on this very connection: the envelope must name the author. */
export type SpfCondition = 'passes' | 'envelope-names-the-author' | 'same-organisation' | 'dmarc-agrees';

/** Holds SPF against the conditions. @returns the ones it misses; none: it is good, if the canary agrees */
export function missedBySpf(
  { author, mailFrom, spf, dmarc }: SenderEvidence,
  { spfWithoutDmarc }: SenderPolicy = defaultPolicy,
): readonly SpfCondition[] {
  const conditions: Readonly<Record<SpfCondition, boolean>> = {
    passes: spf?.result === 'pass',
    'envelope-names-the-author': mailFrom !== '' && sameIgnoringCase(mailFrom, author),
    'same-organisation': spf?.sameOrganisation === true,
    'dmarc-agrees':
      (dmarc?.result === 'pass' && dmarc.spfAligned) ||
      (spfWithoutDmarc && dmarc?.result === 'none' && spf?.domain === domainOf(author)),
  };
  return missed(conditions);
}

/** The verdict for an administrator: domain names and results, nothing else of what a stranger wrote. */
export interface VerdictDetails {
  readonly authorDomain: string;
  readonly signatures: readonly {
    readonly domain: string;
    readonly result: string;
    readonly missed: readonly SignatureCondition[];
  }[];
  /** Undefined when it was not asked. */
  readonly spf:
    | { readonly domain: string; readonly result: string; readonly missed: readonly SpfCondition[] }
    | undefined;
  readonly dmarc: string;
}

/** Sums up the evidence. A name that is no host name is not repeated. */
export function describeVerdict(
  evidence: SenderEvidence,
  now: number,
  policy: SenderPolicy = defaultPolicy,
): VerdictDetails {
  const shown = (domain: string) => (isDomainName(domain) ? domain : '?');
  const { spf } = evidence;
  return {
    authorDomain: domainOf(evidence.author),
    signatures: evidence.signatures.map((signature) => ({
      domain: shown(signature.domain),
      result: signature.result,
      missed: missedBySignature(signature, evidence, now),
    })),
    spf: spf && { domain: shown(spf.domain), result: spf.result, missed: missedBySpf(evidence, policy) },
    dmarc: evidence.dmarc?.result ?? 'none',
  };
}

function missed<Condition extends string>(conditions: Readonly<Record<Condition, boolean>>): readonly Condition[] {
  return (Object.keys(conditions) as Condition[]).filter((name) => !conditions[name]);
}

/** A failed look-up shows up as a permanent DMARC failure: what is temporary is asked for first. */
function isTemporary({ spf, dmarc, signatures }: SenderEvidence): boolean {
  const ours = signatures.filter((signature) => signature.sameOrganisation);
  return [spf, dmarc, ...ours].some((verdict) => verdict?.result === 'temperror');
}
