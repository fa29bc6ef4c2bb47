// What mailauth's own `authenticate` does, from mailauth's parts, for what we ask of it. Its front reads the key of a signer
// from its record, writes it as PEM and reads that again, for every message, which is a seventh of all that a message costs;
// and nearly all mail comes from the same few providers. The tests show that both find the same.

import { createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type DKIMResult, type DMARCResult, type DNSResolver, type SPFOptions, type SPFResult, spf } from 'mailauth';
import { DkimVerifier, type KeyOptions } from 'mailauth/lib/dkim/dkim-verifier.js';
import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js';
import {
  formatDomain,
  getAlignment,
  getPublicKey,
  type PublicKey,
  toALabel,
  writeToStream,
} from 'mailauth/lib/tools.js';

/** Who brought the message, and how it is looked at. */
export interface AuthenticateOptions extends SPFOptions {
  readonly ip: string;
  /** MAIL FROM, '' for none. */
  readonly sender: string;
  /** As it came; '' when there was none. */
  readonly helo: string;
  readonly resolver: DNSResolver;
  readonly minBitLength: number;
}

/** What mailauth found. */
export interface Authenticated {
  readonly dkim: Pick<DkimVerifier, 'headerFrom' | 'fromFields' | 'results'>;
  /** False when it was not asked. */
  readonly spf: SPFResult | false;
  /** False when there is not one author domain. */
  readonly dmarc: DMARCResult | false;
}

const keysMax = 1_000;
// A key of 16,384 bits takes 2,800 characters; what else a record may hold is not kept.
const keptCharactersMax = 4_096;

/**
 * Makes the function that authenticates messages (RFC 6376, RFC 7208, RFC 9989), always in mailauth's strict mode. Records are
 * looked up for each message; what is kept is the key that a text of a record holds.
 */
export function createAuthenticate(): (
  message: Buffer,
  options: AuthenticateOptions,
) => Promise<Authenticated & { withSpf(): Promise<Authenticated> }> {
  const keys = new Map<string, PublicKey>(); // the one that was not used for longest comes first

  /** @throws what `getPublicKey` throws; that is found anew each time */
  async function findKey(resolver: DNSResolver, type: string, name: string, minBitLength: number, options: KeyOptions) {
    const records = await resolver(toALabel(name), 'TXT');
    const text = JSON.stringify([minBitLength, options.hashAlgo, records[0]]);
    const known = keys.get(text);
    const key = known ?? (await getPublicKey(type, name, minBitLength, async () => records, options));
    if (text.length > keptCharactersMax) return key;
    keys.delete(text);
    keys.set(text, known ?? { ...key, publicKey: createPublicKey(key.publicKey) });
    for (const oldest of keys.keys()) {
      if (keys.size <= keysMax) break;
      keys.delete(oldest);
    }
    return key;
  }

  return async (message, options) => {
    const { resolver } = options;
    const dkim = await checkSignatures(message, options, (...question) => findKey(resolver, ...question));
    return {
      ...(await askDmarc(dkim, false, resolver)),
      withSpf: async () => askDmarc(dkim, await spf({ ...options, helo: heloOf(options), strict }), resolver),
    };
  };
}

/** @returns what was found, and not the verifier, which holds the message */
async function checkSignatures(
  message: Buffer,
  { resolver, minBitLength }: AuthenticateOptions,
  findKey: DkimVerifier['keyCache']['get'],
): Promise<Authenticated['dkim']> {
  const verifier = new DkimVerifier({ resolver, minBitLength, strict });
  let signatures = 0;
  verifier.keyCache.get = async (...question) => {
    // Each with a turn of the event loop of its own: a key of 16,384 bits takes milliseconds, and there may be ten.
    if (signatures > 0) await nextTurn();
    signatures += 1;
    return findKey(...question);
  };
  await writeToStream(verifier, message);
  const { headerFrom, fromFields, results } = verifier;
  return { headerFrom, fromFields, results };
}

async function askDmarc(dkim: Authenticated['dkim'], spfResult: SPFResult | false, resolver: DNSResolver) {
  const { headerFrom, fromFields, results } = dkim;
  const { response: dmarc, dkimAligned } = await evaluateDmarc({
    headerFrom,
    fromFields,
    spfDomains: spfResult && spfResult.status.result === 'pass' ? [spfResult.domain] : [],
    dkimDomains: results.flatMap(({ signingDomain: domain, status: { result, underSized } }) =>
      result === 'pass' && domain !== undefined ? [{ domain, ...(underSized && { underSized }) }] : [],
    ),
    resolver,
    strict,
  });
  if (dmarc && dkimAligned) for (const signature of results) align(signature, dmarc, dkimAligned);
  return { dkim, spf: spfResult, dmarc };
}

const strict = true;

/** SPF takes an address literal in brackets, and our client's address for a client that gave no name. */
function heloOf({ helo, ip }: AuthenticateOptions): string {
  const name = helo || ip;
  return isIP(name) === 0 ? name : `[${name}]`;
}

/** While signatures were checked, alignment was a guess: the record had not been read. */
function align({ status, signingDomain = '' }: DKIMResult, dmarc: DMARCResult, aligned: ReadonlySet<string>): void {
  if (status.result === 'pass') status.aligned = aligned.has(formatDomain(signingDomain)) && signingDomain;
  else if (status.aligned && dmarc.alignment?.dkim.strict) {
    const exact = getAlignment(dmarc.status.header?.from ?? '', [signingDomain], strict);
    status.aligned = exact ? exact.domain : false;
  }
}
