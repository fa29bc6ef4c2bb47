// Looks at ports and at the site from here, as somebody who comes for the first time: connects, reads, leaves.

import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { GreetingFacts, SiteFacts } from '../../core/host-checks.ts';

const timeoutMs = 5_000;
const lineMax = 512; // RFC 5321 §4.5.3.1.5

/** Connects and reads the first line, printable ASCII of it. */
export function readGreeting(host: string, port: number): Promise<GreetingFacts> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let connected = false;
    let text = '';
    const end = (facts: GreetingFacts) => {
      resolve(facts);
      socket.destroy();
    };
    socket.setTimeout(timeoutMs, () => end(connected ? { kind: 'silent' } : { kind: 'failed', code: 'ETIMEDOUT' }));
    socket.on('connect', () => {
      connected = true;
    });
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (!text.includes('\n') && text.length < lineMax) return;
      end({ kind: 'greeted', text: (text.split(/\r?\n/)[0] ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, lineMax) });
    });
    socket.on('error', (error) => end({ kind: 'failed', code: codeOf(error) }));
    socket.on('end', () => end({ kind: 'silent' }));
  });
}

/** What came of a request, and by how much this clock was ahead of the one that answered. */
export interface SiteAnswer {
  readonly facts: SiteFacts;
  /** Undefined when there was no time in the answer. */
  readonly aheadMs: number | undefined;
}

/** Asks for a page with GET, follows nothing and does not read it. @param url http or https */
export function askSite(url: URL, now: () => number): Promise<SiteAnswer> {
  return new Promise((resolve) => {
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = { 'accept-encoding': 'gzip, deflate, br, zstd', connection: 'close' };
    // Nobody's agent: a TLS session that is taken up again does not look at the certificate.
    const sent = request(url, { agent: false, headers, signal: AbortSignal.timeout(timeoutMs) });
    sent.on('response', (response) => {
      const { statusCode = 0, headers: got, socket } = response;
      const seen = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
      const certificate = seen && {
        validFrom: Date.parse(seen.validFrom),
        validTo: Date.parse(seen.validTo),
        end: seen.validTo,
      };
      response.destroy();
      const isOurs = String(got['content-security-policy']).includes("trusted-types 'none'");
      const isCompressed = got['content-encoding'] !== undefined;
      const date = Date.parse(got.date ?? '');
      resolve({
        facts: { kind: 'answered', status: statusCode, isOurs, isCompressed, certificate },
        aheadMs: Number.isNaN(date) ? undefined : now() - date,
      });
    });
    sent.on('error', (error) => {
      const code = error.name === 'TimeoutError' ? 'ETIMEDOUT' : codeOf(error);
      // As OpenSSL and Node name what is wrong with a certificate, or with TLS as a whole.
      const isCertificate = /CERT|SIGNATURE|SSL|TLS|ISSUER|EPROTO/.test(code);
      resolve({ facts: { kind: 'failed', code, isCertificate }, aheadMs: undefined });
    });
    sent.end();
  });
}

function codeOf(error: unknown): string {
  const { code, errors } = Object(error) as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  // All addresses of a name were tried.
  return String(code ?? (errors?.[0] === undefined ? 'unknown' : codeOf(errors[0])));
}
