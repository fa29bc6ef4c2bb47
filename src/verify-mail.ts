// The thread in which mail is checked: wires verifier and resolver, and answers the questions of
// adapters/mail-auth/verifier-thread.ts. It has neither keys nor store.

import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { createDnsResolver } from './adapters/dns/node-resolver.ts';
import { createMailauthVerifier } from './adapters/mail-auth/mailauth-verifier.ts';
import type { LookUp, VerifierAnswer, VerifierQuestion } from './adapters/mail-auth/verifier-thread.ts';
import type { MailVerifier, Verification } from './app/ports.ts';

/** Drops the oldest. */
function keep<Key, Value>(kept: Map<Key, Value>, max: number, key: Key, value: Value): Value {
  kept.set(key, value);
  for (const oldest of kept.keys()) {
    if (kept.size <= max) break;
    kept.delete(oldest);
  }
  return value;
}

type Message = Extract<VerifierQuestion, { kind: 'message' }>;

// More than connections that are let in: what else there is to a message is asked for at once or never.
const verified = new Map<number, Verified>();
const verifiedMax = 1_000;
const verifiers = new Map<string, Service>();
const verifiersMax = 20;

interface Service {
  readonly verifier: MailVerifier;
  /** Tests move the clock of their service; here time passes as it does. */
  clockAheadMs: number;
  /** What went to its DNS servers and was not told yet. */
  readonly lookUps: LookUp[];
}

/** One for each service, with its DNS answers. */
function serviceFor({ hostname, servers }: Pick<Message, 'hostname' | 'servers'>): Service {
  const key = JSON.stringify([hostname, servers]);
  const known = verifiers.get(key);
  if (known !== undefined) return known;
  const lookUps: LookUp[] = [];
  const answered = (outcome: LookUp['outcome'], ms: number) => void lookUps.push({ outcome, ms });
  const resolver = createDnsResolver({ servers, now: () => Date.now() + service.clockAheadMs, answered });
  const verifier = createMailauthVerifier(hostname, resolver.forMessage);
  const service: Service = { verifier, lookUps, clockAheadMs: 0 };
  return keep(verifiers, verifiersMax, key, service);
}

interface Verified {
  readonly verification: Verification;
  readonly lookUps: LookUp[];
}

async function answer(question: VerifierQuestion): Promise<VerifierAnswer> {
  const { number } = question;
  if (question.kind !== 'message') {
    const known = verified.get(question.message);
    if (known === undefined) throw new Error('the message is not known any more');
    const { verification, lookUps } = known;
    const found =
      question.kind === 'spf'
        ? { kind: 'evidence' as const, evidence: await verification.withSpf() }
        : { kind: 'canary' as const, canary: await verification.canary() };
    return { ...found, number, lookUps: lookUps.splice(0) };
  }
  const { now, message, envelope, author } = question;
  const service = serviceFor(question);
  service.clockAheadMs = now - Date.now();
  const { verifier, lookUps } = service;
  const verification = await verifier.verify(message, envelope, author);
  keep(verified, verifiedMax, number, { verification, lookUps });
  return { kind: 'evidence', number, evidence: verification.evidence, lookUps: lookUps.splice(0) };
}

// Who has a page open comes first. Linux knows priorities of threads; elsewhere it would be that of the whole process.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

parentPort?.on('message', async (question: VerifierQuestion) => {
  const failed = (error: unknown): VerifierAnswer => ({
    kind: 'failed',
    number: question.number,
    error,
    lookUps: [],
  });
  parentPort?.postMessage(await answer(question).catch(failed));
});
