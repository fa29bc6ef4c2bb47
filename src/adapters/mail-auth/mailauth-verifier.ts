// mailauth -> evidence for the sender policy. Translates and decides nothing (MAIL authentication: RFC 7208, 6376, 9989).
// What the sender wrote (comments, explanations) is left behind here; ARC and Authentication-Results are never read.

import { domainToASCII } from 'node:url';
import {
  type AuthenticateOptions,
  type AuthenticateResult,
  authenticate,
  type DKIMResult,
  type DNSResolver,
  type SPFOptions,
  type SPFResult,
  spf,
} from 'mailauth';
import { getDomain } from 'tldts';
import type { MailVerifier, Verification } from '../../app/ports.ts';
import { domainOf, type Mailbox } from '../../core/mail-address.ts';
import type { SignatureVerdict, SpfCanary } from '../../core/sender-policy.ts';

/** Look-ups for one message: `exchange` and `priority` for MX, texts for all others. */
type Lookup = (name: string, type: string) => Promise<unknown>;

/**
 * Makes the verifier.
 * @param hostname   our own host name, plain
 * @param forMessage look-ups with checked names and a budget, fresh for each message
 */
export function createMailauthVerifier(hostname: string, forMessage: () => Lookup): MailVerifier {
  return {
    async verify(message, envelope, author) {
      // mailauth declares texts only, and reads objects for MX all the same.
      const resolver = forMessage() as DNSResolver;
      const connection = { ip: envelope.remoteAddress, helo: envelope.helo, sender: envelope.mailFrom, mta: hostname };
      const options: AuthenticateOptions & SpfLimits = { ...connection, ...checks, ...spfLimits, resolver };
      const result = await authenticate(Buffer.from(message), options);
      return {
        evidence: evidenceOf(result, author),
        canary: () => askCanary({ ...connection, ...spfLimits, strict: true, resolver }),
      };
    },
  };
}

// `authenticate` honours these at run time; its type leaves them out.
type SpfLimits = Pick<SPFOptions, 'maxResolveCount' | 'maxVoidCount' | 'maxElapsedTime'>;

const spfLimits: SpfLimits = { maxResolveCount: 10, maxVoidCount: 2, maxElapsedTime: 10_000 }; // RFC 7208 §4.6.4
const checks = { strict: true, minBitLength: 1024, disableArc: true, disableBimi: true }; // RFC 8301 §3.2
// RFC 5737: addresses for documentation. Nobody sends from them; a record that passes them passes everybody.
const canaryAddresses = ['192.0.2.77', '203.0.113.200'];

function evidenceOf({ dkim, spf: spfResult, dmarc }: AuthenticateResult, author: Mailbox): Verification['evidence'] {
  const spfDomain = (spfResult && domainToASCII(spfResult.domain)) || '';
  return {
    libraryAuthors: dkim.headerFrom,
    fromFields: dkim.fromFields,
    signatures: dkim.results.map((signature) => signatureOf(signature, author)),
    spf: {
      result: spfResult ? spfResult.status.result : 'none',
      domain: spfDomain,
      sameOrganisation: sameOrganisation(spfDomain, domainOf(author)),
    },
    dmarc: dmarc ? { result: dmarc.status.result, spfAligned: Boolean(dmarc.alignment.spf.result) } : undefined,
  };
}

function signatureOf(signature: DKIMResult, author: Mailbox): SignatureVerdict {
  const domain = (signature.signingDomain ?? '').toLowerCase();
  const signedAt = signature.signTime ? Date.parse(signature.signTime) : undefined;
  return {
    result: signature.status.result,
    domain,
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
