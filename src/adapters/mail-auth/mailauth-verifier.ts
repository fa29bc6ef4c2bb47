// mailauth -> evidence for the sender policy. Translates and decides nothing (MAIL authentication: RFC 7208, 6376, 9989).
// What the sender wrote (comments, explanations) is left behind here; ARC and Authentication-Results are never read.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { domainToASCII } from 'node:url';
import { type DKIMResult, type DNSResolver, type SPFOptions, type SPFResult, spf } from 'mailauth';
import { getDomain } from 'tldts';
import type { MailVerifier, SignatureTrouble, Verification, VerificationTrace } from '../../app/ports.ts';
import { domainOf, type Mailbox } from '../../core/mail-address.ts';
import type { SignatureVerdict, SpfCanary } from '../../core/sender-policy.ts';
import { type Authenticated, createAuthenticate } from './authenticate.ts';

/** Look-ups for one message: `exchange` and `priority` for MX, texts for all others. */
type Lookup = (name: string, type: string) => Promise<unknown>;

/**
 * Makes the verifier.
 * @param hostname   our own host name, plain
 * @param forMessage look-ups with checked names and a budget, fresh for each message
 */
export function createMailauthVerifier(hostname: string, forMessage: () => Lookup): MailVerifier {
  const turn = createTurns();
  const authenticate = createAuthenticate();
  return {
    async verify(message, envelope, author) {
      const release = message.length > smallBytes ? await turn() : () => {};
      const lookup = forMessage();
      // The heavy part, hashing the body for every signature, comes before the first look-up: after it others may go on.
      const { resolver, addressesUnknown } = noteTrouble((name, type) => {
        release();
        return lookup(name, type);
      });
      const { remoteAddress, helo, mailFrom } = envelope;
      // An address that nobody has (RFC 5737) stands for one we do not know; SPF is not asked about it.
      const connection = { ip: remoteAddress ?? '192.0.2.1', helo, sender: mailFrom, mta: hostname };
      // The same bytes, not a copy of them.
      const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
      const asked = authenticate(bytes, { ...connection, ...spfChecks, minBitLength, resolver });
      const { withSpf, ...first } = await asked.finally(release);
      let result: Authenticated = first;
      return {
        evidence: { ...evidenceOf(result, author, false), spf: undefined },
        async withSpf() {
          // Behind a proxy that does not say for whom it speaks, SPF speaks for nobody.
          if (remoteAddress !== undefined) result = await withSpf();
          return evidenceOf(result, author, addressesUnknown());
        },
        canary: () => askCanary({ ...connection, ...spfChecks, resolver }),
        // Made when somebody wants to have it explained, which the service never does.
        get trace() {
          return traceOf(result);
        },
      };
    },
  };
}

// Hashing this much for ten signatures takes a millisecond or two. What people send us is far smaller.
const smallBytes = 32_768;

/** Verifies small messages here, and large ones there. */
export function verifyBySize(here: MailVerifier, there: MailVerifier): MailVerifier {
  return { verify: (message, ...rest) => (message.length > smallBytes ? there : here).verify(message, ...rest) };
}

/**
 * Large messages one after the other, with a turn of the event loop in between: a hundred large messages that end at the same moment
 * must not stop everybody else for as long as all of them take.
 * @returns waits for its turn and gives what ends it
 */
function createTurns(): () => Promise<() => void> {
  let last: Promise<void> | undefined;
  return async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = last;
    last = promise;
    const release = () => {
      if (last === promise) last = undefined;
      resolve();
    };
    if (before !== undefined) {
      await before;
      await nextTurn();
    }
    return release;
  };
}

type SpfChecks = Pick<SPFOptions, 'strict' | 'maxResolveCount' | 'maxVoidCount' | 'maxElapsedTime'>;

/** How SPF is checked; the published suite is run with the same (test/bench/spf-suite.ts). */
export const spfChecks: SpfChecks = {
  strict: true,
  maxResolveCount: 10, // this and the next two: RFC 7208 §4.6.4
  maxVoidCount: 2,
  maxElapsedTime: 10_000,
};
const minBitLength = 1024; // RFC 8301 §3.2
// RFC 5737, RFC 3849: addresses for documentation. Nobody sends from them; a record that passes one passes everybody.
const canaryAddresses = ['192.0.2.77', '203.0.113.200', '2001:db8::77'];

/**
 * Watches the look-ups of one message. "ptr" takes a look-up that failed for a host name that is not there (RFC 7208 §5.5),
 * and the sender would be refused for good: then SPF has not been able to say no.
 */
function noteTrouble(lookup: Lookup): { readonly resolver: DNSResolver; addressesUnknown(): boolean } {
  let unknown = false;
  const noting: Lookup = (name, type) =>
    lookup(name, type).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      const aboutHosts = type === 'PTR' || type === 'A' || type === 'AAAA';
      unknown ||= aboutHosts && code !== 'ENOTFOUND' && code !== 'ENODATA';
      throw error;
    });
  // mailauth declares texts only, and reads objects for MX all the same.
  return { resolver: noting as DNSResolver, addressesUnknown: () => unknown };
}

const spfNo: readonly string[] = ['fail', 'softfail', 'neutral'];

function evidenceOf(
  { dkim, spf: spfResult, dmarc }: Authenticated,
  author: Mailbox,
  addressesUnknown: boolean,
): Verification['evidence'] {
  const spfVerdict = spfResult ? spfResult.status.result : 'none';
  const spfDomain = (spfResult && domainToASCII(spfResult.domain)) || '';
  return {
    libraryAuthors: dkim.headerFrom,
    fromFields: dkim.fromFields,
    signatures: signaturesOf(dkim).map((signature) => signatureOf(signature, author)),
    spf: {
      result: addressesUnknown && spfNo.includes(spfVerdict) ? 'temperror' : spfVerdict,
      domain: spfDomain,
      sameOrganisation: sameOrganisation(spfDomain, domainOf(author)),
    },
    // Without a record, or when it could not be looked up, mailauth leaves `alignment` out; its type does not say so.
    dmarc: dmarc ? { result: dmarc.status.result, spfAligned: Boolean(dmarc.alignment?.spf.result) } : undefined,
  };
}

/** The signatures that are there: for mail without any, mailauth makes one up whose result is `none`. */
function signaturesOf({ results }: Authenticated['dkim']): readonly DKIMResult[] {
  return results.filter(({ status }) => status.result !== 'none');
}

function signatureOf(signature: DKIMResult, author: Mailbox): SignatureVerdict {
  const domain = (signature.signingDomain ?? '').toLowerCase();
  const signedAt = signature.signTime ? Date.parse(signature.signTime) : undefined;
  return {
    result: signature.status.result,
    domain,
    selector: signature.selector ?? '',
    aligned: Boolean(signature.status.aligned),
    sameOrganisation: sameOrganisation(domain, domainOf(author)),
    algorithm: (signature.algo ?? '').toLowerCase(),
    bodyPartlySigned: signature.canonBodyLengthLimited === true || Boolean(signature.status.underSized),
    testing: signature.status.testing === true,
    // A time that cannot be read is treated as one in the future.
    signedAt: Number.isNaN(signedAt) ? Number.POSITIVE_INFINITY : signedAt,
    signedFields: (signature.signingHeaders?.keys ?? '').toLowerCase().split(/[:\s]+/),
  };
}

function traceOf({ dkim, spf: spfResult, dmarc }: Authenticated): VerificationTrace {
  const { rr: record, policyDomain: foundAt, policy } = dmarc || {};
  return {
    signatures: signaturesOf(dkim).map(({ status }) => ({ trouble: troubleOf(status) })),
    spfRecord: spfResult ? spfResult.rr : undefined,
    dmarc: record !== undefined && foundAt !== undefined ? { record, foundAt, policy } : undefined,
  };
}

// What mailauth says about a signature, where it says it in fixed words. All else it says may repeat the signer's.
const troubles: Readonly<Record<string, SignatureTrouble>> = {
  'body hash did not verify': 'body-changed',
  'bad signature': 'header-changed',
  expired: 'expired',
  'invalid expiration': 'expiry-malformed',
  'signature syntax error': 'malformed',
  'signature missing required tag': 'malformed',
  'incompatible version': 'malformed',
  'unsupported query method': 'malformed',
  'From field not signed': 'from-not-signed',
  'domain mismatch': 'identity-mismatch',
  'weak algorithm': 'weak-algorithm',
  'no key': 'key-missing',
  'unknown key version': 'key-unusable',
  'unknown key type': 'key-unusable',
  'invalid public key': 'key-unusable',
  'inappropriate hash algorithm': 'key-for-another-use',
  'inappropriate key algorithm': 'key-for-another-use',
  'key not for email': 'key-for-another-use',
};

function troubleOf({ result, comment, policy }: DKIMResult['status']): SignatureTrouble | undefined {
  if (result === 'temperror') return 'key-look-up-failed';
  if (policy?.['dkim-rules'] === 'weak-key') return 'weak-key';
  return comment !== undefined && Object.hasOwn(troubles, comment) ? troubles[comment] : undefined;
}

/** By the public suffix list, private suffixes included: two customers of one host are two organisations. */
function sameOrganisation(one: string, other: string): boolean {
  const organisation = getDomain(one, { allowPrivateDomains: true });
  return organisation !== null && organisation === getDomain(other, { allowPrivateDomains: true });
}

type SpfQuestion = { readonly ip: string; readonly sender: string } & SPFOptions;

async function askCanary(question: SpfQuestion): Promise<SpfCanary> {
  const results: string[] = [];
  for (const ip of canaryAddresses) {
    const result: SPFResult | false = await spf({ ...question, ip });
    results.push(result ? result.status.result : 'none');
  }
  if (results.includes('pass')) return 'open';
  return results.includes('temperror') ? 'temperror' : 'closed';
}

/** What SPF says of mail from an address in the name of a domain. @param lookup fresh, with checked names and a budget */
export async function askSpf(ip: string, domain: string, hostname: string, lookup: Lookup): Promise<string> {
  const sender = `postmaster@${domain}`;
  const question = { ip, sender, helo: hostname, mta: hostname, ...spfChecks, resolver: lookup as DNSResolver };
  const result: SPFResult | false = await spf(question);
  return result ? result.status.result : 'none';
}
