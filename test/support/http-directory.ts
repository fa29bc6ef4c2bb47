// The example directory on a free port, and whatever may go wrong on the road to it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exampleDirectory } from '../examples/directory-server.ts';
import type { ExampleAccount } from '../examples/example-accounts.ts';

/** Signs calls in tests. */
export const directorySecret = `whsec_${Buffer.alloc(32, 'directory').toString('base64')}`;

/** An account of the example, active and without a password. */
export function exampleAccount(
  id: string,
  name: string,
  mailboxes: readonly string[],
  description = '',
): ExampleAccount {
  return {
    id,
    name,
    description,
    mailboxes: [...mailboxes],
    state: 'active',
    version: 1,
    password: null,
    secondFactor: null,
    previous: [],
    passwordChangedAt: null,
    sessionsEndedAt: null,
    addressFrozenUntil: null,
  };
}

/** `handled`: the fault has answered, or will not. `lost`: the directory does what is asked, and its answer is lost. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => 'handled' | 'lost' | undefined;

export interface RunningDirectory {
  readonly url: string;
  readonly accounts: Map<string, ExampleAccount>;
  /** Path and id of each request, in the order in which they came. */
  readonly asked: { readonly path: string; readonly id: string }[];
  /** What goes wrong from now on. */
  fault: Fault | undefined;
  close(): Promise<void>;
}

/** Starts the example server. @param port of this machine; any free one where nothing is said */
export async function startDirectory(
  accounts: Iterable<ExampleAccount>,
  { ignoreCaseDomains = [], port = 0 }: { ignoreCaseDomains?: readonly string[]; port?: number } = {},
): Promise<RunningDirectory> {
  const byId = new Map([...accounts].map((each) => [each.id, each]));
  const example = exampleDirectory(byId, directorySecret, ignoreCaseDomains);
  const front = createServer((request, response) => {
    running.asked.push({ path: request.url ?? '', id: String(request.headers['webhook-id']) });
    const outcome = running.fault?.(request, response);
    if (outcome === 'handled') return;
    if (outcome === 'lost') response.end = () => response.destroy();
    example.emit('request', request, response);
  });
  const url = await listen(front, port);
  const running: RunningDirectory = { url, accounts: byId, asked: [], fault: undefined, close: () => end(front) };
  return running;
}

/** Listens on this machine. @returns the URL, with a slash at the end */
export async function listen(server: Server, port = 0): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Ends the server and all its connections. */
export async function end(server: Server): Promise<void> {
  const ended = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await ended;
}
