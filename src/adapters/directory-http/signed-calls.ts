// Calls to the organisation's own service: JSON by POST, signed by the Standard Webhooks scheme, within bounds of time, size
// and number. What cannot be understood is an error that quotes nothing of the answer. An error tells whether the call may
// have been obeyed all the same. TLS vouches for the answer; it is not signed.

import { randomBytes, randomInt } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { z } from 'zod';
import { type Clock, DependencyError } from '../../app/ports.ts';
import type { Endpoint } from './http-schemas.ts';

export interface CallOptions {
  /** Ends in a slash; https, or http on this machine. */
  readonly url: string;
  /** `whsec_...` */
  readonly secret: string;
  /** For one try; a call with all its tries has twice that and two seconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** @throws DependencyError */
export type SignedCall = <Request extends z.ZodType, Answer extends z.ZodType>(
  endpoint: Endpoint<Request, Answer>,
  request: z.input<Request>,
) => Promise<z.output<Answer>>;

/** A try that brought no answer. */
interface Failure {
  readonly problem: string;
  /** Another try may help. */
  readonly again: boolean;
  /** The service may have done what was asked. */
  readonly mayBeDone: boolean;
}

const answerBytesMax = 1024 * 1024;
// A service that is slow must not hold everything that we have.
const inFlightMax = 128;
const pausesMs = [200, 1_000];

/** Makes the caller. */
export function createSignedCalls({ url, secret, timeoutMs, clock }: CallOptions): SignedCall {
  const webhook = new Webhook(secret);
  let inFlight = 0;

  /** One try, with a signature of its own. */
  async function attempt(path: string, id: string, payload: string, ms: number): Promise<Failure | { text: string }> {
    const timeout = new AbortController();
    const cancel = clock.after(ms, () => timeout.abort());
    const signedAt = new Date(clock.now());
    try {
      const response = await fetch(new URL(path, url), {
        method: 'POST',
        redirect: 'manual',
        signal: timeout.signal,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'reply-to-verify',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(signedAt.getTime() / 1000)),
          'webhook-signature': webhook.sign(id, signedAt, payload),
        },
        body: payload,
      });
      const text = await readAnswer(response);
      return typeof text === 'string' ? { text } : text;
    } catch (error) {
      return timeout.signal.aborted
        ? { problem: 'no answer in time', again: true, mayBeDone: true }
        : networkError(error);
    } finally {
      cancel();
    }
  }

  async function tryAndTry(path: string, payload: string): Promise<{ text: string } | (Failure & { tries: number })> {
    const id = `msg_${randomBytes(16).toString('hex')}`; // the same for all tries: done once, however often it arrives
    const endsAt = clock.now() + 2 * timeoutMs + 2_000;
    let mayBeDone = false;
    for (let tries = 1; ; tries += 1) {
      const result = await attempt(path, id, payload, Math.min(timeoutMs, endsAt - clock.now()));
      if ('text' in result) return result;
      mayBeDone ||= result.mayBeDone;
      const pauseMs = randomInt(50, 101) * 0.01 * (pausesMs[tries - 1] ?? 0);
      if (!result.again || pauseMs === 0 || clock.now() + pauseMs >= endsAt) return { ...result, mayBeDone, tries };
      await new Promise<void>((resolve) => void clock.after(pauseMs, resolve));
    }
  }

  return async (endpoint, request) => {
    const { path, answer } = endpoint;
    const failed = (problem: string, outcomeUnknown: boolean) =>
      new DependencyError('directory', `${path}: ${problem}`, { outcomeUnknown });
    if (inFlight >= inFlightMax) throw failed('too many calls are under way', false);
    inFlight += 1;
    try {
      const result = await tryAndTry(path, JSON.stringify(endpoint.request.parse(request)));
      if (!('text' in result)) {
        throw failed(`${result.problem}${result.tries > 1 ? `, ${result.tries} tries` : ''}`, result.mayBeDone);
      }
      const parsed = answer.safeParse(parseJson(result.text));
      if (!parsed.success) throw failed('an answer of another form than agreed', true);
      return parsed.data;
    } finally {
      inFlight -= 1;
    }
  };
}

/** The text of a right answer, bounded. */
async function readAnswer(response: Response): Promise<string | Failure> {
  const failure = failureOf(response);
  if (failure !== undefined) {
    await response.body?.cancel();
    return failure;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early ends the connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > answerBytesMax) return { problem: 'an answer of more than 1 MiB', again: false, mayBeDone: true };
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function failureOf({ status, headers }: Response): Failure | undefined {
  const problem = `status ${status}`;
  if (status === 401 || status === 403) {
    return { problem: `${problem}; same secret and same time on both sides?`, again: false, mayBeDone: false };
  }
  // Agreed to mean that nothing was done.
  if (status === 429 || status === 503) return { problem, again: true, mayBeDone: false };
  if (status >= 400 && status < 500) return { problem, again: false, mayBeDone: false };
  if (status !== 200) return { problem, again: status === 502 || status === 504, mayBeDone: true };
  const isJson = /^application\/json\s*(?:;|$)/i.test(headers.get('content-type') ?? '');
  return isJson ? undefined : { problem: 'an answer that is not JSON', again: false, mayBeDone: true };
}

// Without a connection nothing was asked.
const notConnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** @param error of fetch, whose cause has a code; its message, and what hangs on it, may repeat the answer */
function networkError(error: unknown): Failure {
  const { code } = Object(Object(error).cause) as { readonly code?: unknown };
  const named = typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? ` ${code}` : '';
  return { problem: `network error${named}`, again: true, mayBeDone: !notConnected.has(named.trim()) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
