// An example directory on a free port, a client of it, and whatever may go wrong on the road between them.

import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Signs calls in tests. */
export const directorySecret = `whsec_${Buffer.alloc(32, 'directory').toString('base64')}`;

/** Listens on a free port of this machine. @returns its URL, with a slash at the end */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Ends the server and all its connections. */
export async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
