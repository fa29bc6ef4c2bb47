// Look-ups for mail authentication: every name checked, every message on a budget, the same question asked once.
// Names come from strangers; a NUL in one makes the C library below Node ask for another name (RFC 1035 §3.1 knows
// no such label here), so nothing but letters, digits, hyphens and underscores ever gets out. Answers come from
// strangers too: bounded, copied, and whatever is not a certain answer is temporary (dns-answer.ts).

import { Resolver } from 'node:dns/promises';
import {
  type AnswerLimits,
  answerOfError,
  answerOfRecords,
  type DnsAnswer,
  type DnsAnswers,
  handOut,
  timedOut,
} from './dns-answer.ts';
import { type Ask, type AskShared, limitParallel, type SharingLimits, shareAnswers } from './shared-answers.ts';

/** Rejects with an error that has a `code`: ENOTFOUND and ENODATA for a certain no, any other for "not known now". */
export type DnsLookup = (name: string, type: string) => Promise<DnsAnswers>;

export interface DnsResolver {
  /** Look-ups for one message: cached, so many and no more, none after its time. */
  forMessage(): DnsLookup;
}

export interface DnsResolverOptions {
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly now: () => number;
  /** Hears of every question that went to the servers. */
  readonly answered?: (outcome: DnsAnswer['kind'], ms: number) => void;
  /** Tests have less patience. */
  readonly limits?: Partial<DnsLimits>;
}

export interface DnsLimits extends AnswerLimits, SharingLimits {
  readonly queriesMax: number;
  readonly budgetMs: number;
  readonly parallelPerMessageMax: number;
  readonly messageOctetsMax: number;
}

/** 100 messages can be checked at once (the connections allowed): what one may hold counts a hundred times. */
export const dnsLimits: DnsLimits = {
  queriesMax: 40,
  budgetMs: 12_000,
  queryTimeoutMs: 4_000,
  // A socket's receive buffer takes some 270 small datagrams; with 2,000 questions at once answers were lost.
  parallelMax: 200,
  // To take all places for silent names somebody needs half of all connections, far more than one address gets.
  parallelPerMessageMax: 4,
  recordsMax: 500,
  octetsMax: 32_768,
  messageOctetsMax: 262_144,
  recordsKeptMs: 30_000,
  noKeptMs: 10_000,
  entriesMax: 5_000,
  keptOctetsMax: 8 * 1024 * 1024,
};

const label = /^[a-z0-9_-]{1,63}$/;

/** Makes a resolver that asks the given servers and no others. They must be recursive, and trusted. */
export function createDnsResolver({
  servers,
  now,
  answered = () => {},
  limits: changed,
}: DnsResolverOptions): DnsResolver {
  const limits = { ...dnsLimits, ...changed };
  const addresses = servers.map(({ host, port }) => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`));
  const askTimed: Ask = async (name, type) => {
    const startedAt = performance.now();
    const answer = await askServers(addresses, limits, name, type);
    answered(answer.kind, performance.now() - startedAt);
    return answer;
  };
  const ask = shareAnswers(askTimed, limits, now);
  return { forMessage: () => lookUpForMessage(ask, limits, now) };
}

function lookUpForMessage(ask: AskShared, limits: DnsLimits, now: () => number): DnsLookup {
  const startedAt = now();
  const asked = new Map<string, Promise<DnsAnswer>>();
  const inTurn = limitParallel(limits.parallelPerMessageMax);
  let octets = 0;

  async function askWithinBudget(name: string, type: string): Promise<DnsAnswer> {
    // What is asked in the last moment may still take its own time: 16 s in all, of the 20 s that a check has.
    if (now() - startedAt > limits.budgetMs || octets > limits.messageOctetsMax) return timedOut;
    const known = ask(name, type);
    const answer = known instanceof Promise ? await within(limits.queryTimeoutMs, known) : known;
    if (answer.kind === 'records') octets += answer.octets;
    // To find that an answer is too big costs as much as a big one.
    else if (answer.code === 'EBADRESP') octets += limits.octetsMax;
    return answer;
  }

  return async (name, type) => {
    const question = name.toLowerCase().replace(/\.$/, '');
    if (!isAskable(question)) return handOut({ kind: 'none', code: 'ENOTFOUND' }); // a name that cannot be is a certain no
    const key = `${type} ${question}`;
    const known = asked.get(key);
    if (known !== undefined) return handOut(await known);
    // A budget that is used up is not a no: it ends as temperror, and as 451.
    if (asked.size >= limits.queriesMax) return handOut(timedOut);
    const answer = inTurn(() => askWithinBudget(question, type));
    asked.set(key, answer);
    return handOut(await answer);
  };
}

function isAskable(name: string): boolean {
  return name.length <= 253 && name.split('.').every((part) => label.test(part)); // RFC 1035 §2.3.4
}

/** Waits so long for an answer that others may be waiting for as well, perhaps in the queue. */
function within(timeoutMs: number, answer: Promise<DnsAnswer>): Promise<DnsAnswer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<DnsAnswer>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, timedOut);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

/**
 * Asks with a resolver of its own for each question, some 50 µs more than with one for all. One that is used again
 * shortens its time-outs after quick answers, down to 250 ms, and gave up on names that took 1.5 s; `cancel` ends exactly
 * this question; and each question leaves from another port, which a forger would have to guess.
 */
async function askServers(
  servers: readonly string[],
  { queryTimeoutMs, ...limits }: DnsLimits,
  name: string,
  type: string,
): Promise<DnsAnswer> {
  // Two rounds, the second twice as long: all servers have had their chance when the time is over.
  const timeout = Math.ceil(queryTimeoutMs / servers.length / 3);
  const resolver = new Resolver({ timeout, tries: 2, maxTimeout: queryTimeoutMs });
  resolver.setServers(servers);
  const timer = setTimeout(() => resolver.cancel(), queryTimeoutMs);
  try {
    return answerOfRecords(await query(resolver, name, type), limits);
  } catch (error) {
    return answerOfError(error);
  } finally {
    clearTimeout(timer);
  }
}

async function query(resolver: Resolver, name: string, type: string): Promise<DnsAnswers> {
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
      return []; // SPF, DKIM and DMARC need no other type
  }
}
