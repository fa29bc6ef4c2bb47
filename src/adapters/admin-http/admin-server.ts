// The listener for whoever runs the service: numbers, whether the process lives, whether it is ready. Nothing here is a
// secret or names a person, and nothing can be changed; all the same it belongs on an address that only the operator reaches.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../../app/ports.ts';

export interface AdminServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** What is not ready, in words; empty: all of it is. */
  readonly problems: () => Promise<readonly string[]>;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

export interface AdminServer {
  /** Resolves to the port that was got. @throws when the address cannot be listened on */
  start(): Promise<number>;
  stop(): Promise<void>;
}

const plain = 'text/plain; charset=utf-8';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Makes the server. */
export function createAdminServer({ listen, problems, metrics }: AdminServerOptions, log: Log): AdminServer {
  const answers: Readonly<Record<string, () => Promise<Answer>>> = {
    '/healthz': async () => ({ status: 200, type: plain, text: 'alive\n' }),
    '/readyz': async () => {
      const found = await problems();
      if (found.length === 0) return { status: 200, type: plain, text: 'ready\n' };
      return { status: 503, type: plain, text: `${found.map((problem) => `not ready: ${problem}`).join('\n')}\n` };
    },
    '/metrics': async () => ({ status: 200, type: metrics.contentType, text: await metrics.text() }),
  };
  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8_192 }, (request, response) => {
    const answer = Object.hasOwn(answers, request.url ?? '') ? answers[request.url ?? ''] : undefined;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (answer === undefined) return send(response, { status: 404, type: plain, text: 'not here\n' });
    if (!isRead) return send(response, { status: 405, type: plain, text: 'only to be read\n' });
    answer()
      .catch((error: unknown): Answer => {
        log.error('admin-http', { outcome: 'failed' }, error);
        return { status: 500, type: plain, text: 'failed; the log says why\n' };
      })
      .then((given) => send(response, given));
  });
  server.maxConnections = 32;
  return {
    start: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(listen.port, listen.host, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(text); // Node leaves the body out for HEAD
}
