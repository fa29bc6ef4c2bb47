// The thread in which mail is checked: wires verifier and resolver, and answers the questions of
// adapters/mail-auth/verifier-thread.ts. It has neither keys nor store.

import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { createDnsResolver } from './adapters/dns/node-resolver.ts';
import { createMailauthVerifier } from './adapters/mail-auth/mailauth-verifier.ts';
import type { VerifierAnswer, VerifierQuestion } from './adapters/mail-auth/verifier-thread.ts';
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

// More than connections that are let in: the canary of a message is asked for at once or never.
const verified = new Map<number, Verification>();
const verifiedMax = 1_000;
const verifiers = new Map<string, MailVerifier>();
const verifiersMax = 20;
// Tests move the clock of their service; here time passes as it does.
let clockAheadMs = 0;

/** One for each service, with its DNS answers. */
function verifierFor({ hostname, servers }: Message): MailVerifier {
  const key = JSON.stringify([hostname, servers]);
  const known = verifiers.get(key);
  if (known !== undefined) return known;
  const resolver = createDnsResolver({ servers, now: () => Date.now() + clockAheadMs });
  return keep(verifiers, verifiersMax, key, createMailauthVerifier(hostname, resolver.forMessage));
}

async function answer(question: VerifierQuestion): Promise<VerifierAnswer> {
  const { number } = question;
  if (question.kind === 'canary') {
    const verification = verified.get(question.message);
    if (verification === undefined) throw new Error('the message is not known any more');
    return { kind: 'canary', number, canary: await verification.canary() };
  }
  const { now, message, envelope, author } = question;
  clockAheadMs = now - Date.now();
  const verification = await verifierFor(question).verify(message, envelope, author);
  keep(verified, verifiedMax, number, verification);
  return { kind: 'evidence', number, evidence: verification.evidence };
}

// Who has a page open comes first. Linux knows priorities of threads; elsewhere it would be that of the whole process.
if (process.platform === 'linux') setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

parentPort?.on('message', async (question: VerifierQuestion) => {
  const failed = (error: unknown): VerifierAnswer => ({ kind: 'failed', number: question.number, error });
  parentPort?.postMessage(await answer(question).catch(failed));
});
