// The far end of a verifier thread that does what the message says: `test/adapters/verifier-thread.test.ts`.

import { parentPort } from 'node:worker_threads';
import type { VerifierAnswer, VerifierQuestion } from '../../src/adapters/mail-auth/verifier-thread.ts';

parentPort?.on('message', (question: VerifierQuestion) => {
  const { number } = question;
  const lookUps = [] as const;
  const answer = (answered: VerifierAnswer) => parentPort?.postMessage(answered);
  if (question.kind === 'canary') return answer({ kind: 'canary', number, lookUps, canary: 'open' });
  const said = question.kind === 'message' ? new TextDecoder().decode(question.message) : `SPF of ${question.message}`;
  if (said === 'exit') process.exit(3);
  if (said === 'break') throw new Error('broken down');
  if (said === 'fail') return answer({ kind: 'failed', number, lookUps, error: new TypeError('a bug') });
  if (said === 'wait') return;
  const spf = { result: 'none', domain: said, sameOrganisation: false };
  answer({
    kind: 'evidence',
    number,
    lookUps,
    evidence: { libraryAuthors: [], fromFields: 1, signatures: [], spf, dmarc: undefined },
  });
});
