// Mail is checked in a thread of its own: hashing, signatures and records of strangers take their time there, and nobody who
// has a page open waits for them. This is the near end; the far end is src/verify-mail.ts. One thread for all services of
// a process: each question says whose it is. It has no memory limit of its own: a thread that reaches one can end the process.

import { Worker } from 'node:worker_threads';
import { DependencyError, type Envelope, type MailVerifier, type Verification } from '../../app/ports.ts';
import type { Mailbox } from '../../core/mail-address.ts';
import type { SpfCanary } from '../../core/sender-policy.ts';

/** Whose mail it is. */
export interface VerifierOptions {
  /** Our own host name, plain. */
  readonly hostname: string;
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  /** Milliseconds since the epoch, for the life of DNS answers. */
  readonly now: () => number;
  /** Hears of every question that went to the DNS servers. */
  readonly looked?: (lookUp: LookUp) => void;
}

/** A question that went to the DNS servers. */
export interface LookUp {
  readonly outcome: 'records' | 'none' | 'failed';
  readonly ms: number;
}

/** What the near end asks. Each question has a number of its own. */
export type VerifierQuestion =
  | (Pick<VerifierOptions, 'hostname' | 'servers'> & {
      readonly kind: 'message';
      readonly number: number;
      readonly now: number;
      readonly message: Uint8Array<ArrayBuffer>;
      readonly envelope: Envelope;
      readonly author: Mailbox;
    })
  | {
      readonly kind: 'spf' | 'canary';
      readonly number: number;
      /** The question with the message, which was answered just now. */
      readonly message: number;
    };

/** What the far end answers, with the number of the question. Answers may come in any order. */
export type VerifierAnswer = (
  | { readonly kind: 'evidence'; readonly evidence: Verification['evidence'] }
  | { readonly kind: 'canary'; readonly canary: SpfCanary }
  | { readonly kind: 'failed'; readonly error: unknown }
) & {
  readonly number: number;
  /** What was asked for the same service since its last answer. */
  readonly lookUps: readonly LookUp[];
};

/** A verifier whose thread ends when nobody has one open any more. */
export interface VerifierThread extends MailVerifier {
  /** Whether the thread runs, or was not needed yet. One that broke down is started again. */
  isUp(): boolean;
  close(): void;
}

/** The thread, and who waits for it. */
interface Thread {
  ask(question: VerifierQuestion): Promise<VerifierAnswer>;
  end(): void;
}

const unusedMs = 10_000;

let thread: Thread | undefined;
/** It has ended by itself, and no other has begun to work since. */
let isBroken = false;
let users = 0;
let questions = 0;

/**
 * Opens a verifier. The thread starts with the first message, and again with the next one after it broke down.
 * @param farEnd the file that is run in the thread
 */
export function openVerifierThread(
  farEnd: URL,
  { hostname, servers, now, looked = () => {} }: VerifierOptions,
): VerifierThread {
  users += 1;
  const ask = async (question: VerifierQuestion) => {
    thread ??= startThread(farEnd);
    const answer = await thread.ask(question);
    for (const lookUp of answer.lookUps) looked(lookUp);
    if (answer.kind === 'failed') throw answer.error;
    return answer;
  };
  return {
    isUp() {
      if (isBroken) thread ??= startThread(farEnd);
      return !isBroken;
    },
    async verify(bytes, envelope, author) {
      const number = nextNumber();
      // A copy, which is handed over: the bytes are counted by whoever read them.
      const message = new Uint8Array(bytes);
      const answer = await ask({ kind: 'message', number, hostname, servers, now: now(), message, envelope, author });
      if (answer.kind !== 'evidence') throw new Error(`the verifier answered a message by ${answer.kind}`);
      return {
        evidence: answer.evidence,
        async withSpf() {
          const found = await ask({ kind: 'spf', number: nextNumber(), message: number });
          if (found.kind !== 'evidence') throw new Error(`the verifier answered SPF by ${found.kind}`);
          return found.evidence;
        },
        async canary() {
          const found = await ask({ kind: 'canary', number: nextNumber(), message: number });
          if (found.kind !== 'canary') throw new Error(`the verifier answered a canary by ${found.kind}`);
          return found.canary;
        },
      };
    },
    close() {
      users -= 1;
      // Not at once: whoever opens one next, as a restart does, finds it warm.
      setTimeout(() => {
        if (users > 0) return;
        const last = thread;
        thread = undefined; // first: it has not broken down
        last?.end();
      }, unusedMs).unref();
    },
  };
}

function nextNumber(): number {
  questions += 1;
  return questions;
}

function startThread(farEnd: URL): Thread {
  const worker = new Worker(farEnd);
  const waiting = new Map<number, PromiseWithResolvers<VerifierAnswer>>();
  const failAll = (cause?: unknown) => {
    if (thread === started) {
      thread = undefined;
      isBroken = true;
    }
    const ended = new DependencyError('verifier', 'the thread that checks mail has ended', { cause });
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on('message', (answer: VerifierAnswer) => {
    const asked = waiting.get(answer.number);
    waiting.delete(answer.number);
    asked?.resolve(answer);
  });
  worker.on('online', () => {
    isBroken = false;
  });
  worker.on('error', failAll);
  worker.on('exit', () => failAll());
  worker.unref(); // last: a listener for its messages would hold the process again
  const started: Thread = {
    ask(question) {
      const asked = Promise.withResolvers<VerifierAnswer>();
      waiting.set(question.number, asked);
      worker.postMessage(question, question.kind === 'message' ? [question.message.buffer] : []);
      return asked.promise;
    },
    end: () => void worker.terminate(),
  };
  return started;
}
