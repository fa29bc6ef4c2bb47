// Relays for tests: how our sender reaches one on this machine, and one with a certificate and a password.

import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import type { MailSenderOptions } from '../../src/adapters/mail-out/nodemailer-sender.ts';
import type { TestCertificate } from './smtp.ts';

/** A relay on this machine, and nothing signed. */
export const plainRelay: Pick<MailSenderOptions, 'password' | 'tls' | 'ca' | 'dkimKeys'> = {
  ...{ password: null, tls: 'opportunistic', ca: null },
  dkimKeys: [],
};

export interface TestRelay {
  readonly port: number;
  /** A line for each message: how it came, and who was logged in. */
  readonly seen: readonly string[];
  /** Passwords that were tried, whatever came of it. */
  readonly tried: readonly string[];
  close(): Promise<void>;
}

/** Starts one. @param password what the user "service" has to show; without it nobody logs in */
export async function startRelay(options: {
  readonly certificate?: TestCertificate;
  /** Encrypted from the first byte. */
  readonly smtps?: boolean;
  readonly password?: string;
}): Promise<TestRelay> {
  const { certificate, smtps = false, password } = options;
  const seen: string[] = [];
  const tried: string[] = [];
  const server = new SMTPServer({
    ...certificate,
    secure: smtps,
    disableReverseLookup: true,
    disabledCommands: [...(certificate ? [] : ['STARTTLS']), ...(password === undefined ? ['AUTH'] : [])],
    allowInsecureAuth: true,
    onAuth(auth, _session, callback) {
      tried.push(`${auth.password}`);
      if (auth.username === 'service' && auth.password === password) return callback(null, { user: auth.username });
      callback(new Error('no'));
    },
    onData(stream, session, callback) {
      stream.resume().on('end', () => {
        seen.push(`${session.secure ? 'encrypted' : 'clear'} ${session.user || 'nobody'}`);
        callback(null);
      });
    },
  });
  server.on('error', () => undefined); // a client that does not like the certificate
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const address = server.server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { port: address.port, seen, tried, close: () => new Promise((resolve) => void server.close(() => resolve())) };
}
