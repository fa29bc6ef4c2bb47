// Look-ups for mail authentication: every name checked, every message on a budget, the same question asked once.
// Names come from strangers; a NUL in one makes the C library below Node ask for another name (RFC 1035 §3.1 knows
// no such label here), so nothing but letters, digits, hyphens and underscores ever gets out.

import type { MxRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';

/** Answers of one look-up, as Node's resolver gives them for the type asked for. */
export type DnsAnswers = string[] | string[][] | MxRecord[];

/** Rejects with an error that has a `code`, ENOTFOUND and ENODATA for a certain no. */
export type DnsLookup = (name: string, type: string) => Promise<DnsAnswers>;

export interface DnsResolver {
  /** Look-ups for one message: cached, at most `queriesMax` of them, none after `budgetMs`. */
  forMessage(): DnsLookup;
}

export interface DnsResolverOptions {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly now: () => number;
}

const queriesMax = 40;
const budgetMs = 12_000;
const queryTimeoutMs = 4_000;
const label = /^[a-z0-9_-]{1,63}$/;

/** Makes a resolver that asks the given servers and no others. */
export function createDnsResolver({ servers, now }: DnsResolverOptions): DnsResolver {
  const resolver = new Resolver({ timeout: queryTimeoutMs / 2, tries: 2, maxTimeout: queryTimeoutMs });
  resolver.setServers(servers.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)));
  return {
    forMessage() {
      const startedAt = now();
      const answers = new Map<string, Promise<DnsAnswers>>();
      return (name, type) => {
        const question = name.toLowerCase().replace(/\.$/, '');
        const known = answers.get(`${type} ${question}`);
        if (known !== undefined) return known;
        // A name that cannot be is a certain no; a budget that is used up is not: it ends as temperror, and as 451.
        const usedUp = answers.size >= queriesMax || now() - startedAt > budgetMs;
        const refused = isAskable(question) ? (usedUp ? 'ETIMEOUT' : undefined) : 'ENOTFOUND';
        const answer = refused === undefined ? ask(resolver, question, type) : fail(refused);
        answers.set(`${type} ${question}`, answer);
        return answer;
      };
    },
  };
}

function isAskable(name: string): boolean {
  return name.length <= 253 && name.split('.').every((part) => label.test(part)); // RFC 1035 §2.3.4
}

function fail(code: string): Promise<never> {
  return Promise.reject(Object.assign(new Error(`not asked: ${code}`), { code }));
}

async function ask(resolver: Resolver, name: string, type: string): Promise<DnsAnswers> {
  switch (type) {
    case 'TXT':
      return resolver.resolveTxt(name);
    case 'A':
      return resolver.resolve4(name);
    case 'AAAA':
      return resolver.resolve6(name);
    case 'PTR':
      return resolver.resolvePtr(name);
    case 'MX':
      return resolver.resolveMx(name);
    case 'CNAME':
      return resolver.resolveCname(name);
    default:
      return fail('ENODATA'); // SPF, DKIM and DMARC need no other type
  }
}
