// What Node cannot read as a request never reaches Koa: headers too large, no HTTP at all, too slow. People get a page
// of ours all the same, in English, because what would tell their language was not read.

import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Log } from '../../app/ports.ts';
import type { Site } from './layout.ts';
import { messagePage } from './pages.ts';
import { securityHeaders } from './security-headers.ts';
import { texts } from './texts.ts';
import { type Trouble, troubles } from './web-replies.ts';

const known: Readonly<Record<string, Trouble>> = {
  HPE_HEADER_OVERFLOW: 'too-many-headers',
  ERR_HTTP_REQUEST_TIMEOUT: 'too-slow',
};

const lingerMs = 2_000;

/** Answers them, and ends their connections. */
export function answerUnread(server: Server | TlsServer, site: Site, log: Log): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = error.code ?? 'unknown';
    // A connection that is gone or never got as far as TLS, or one in the middle of an answer: there is nothing to be said.
    const { _httpMessage: answer } = socket as Socket & { readonly _httpMessage?: ServerResponse | null };
    if (!/^(?:HPE|ERR_HTTP)_/.test(code) || !socket.writable || answer?.headersSent === true)
      return void socket.destroy();
    const trouble = known[code] ?? 'bad-request';
    const status = troubles[trouble];
    const page = messagePage('en', site, 'reset', texts.en.troubles[trouble], 'back');
    const headers = {
      ...securityHeaders,
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(page)),
      Connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    (socket as Socket).setTimeout(lingerMs, () => socket.destroy()); // whoever does not close its own side
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${page}`);
    log.info('http', { method: 'unread', route: 'none', status, reason: trouble });
  });
}
