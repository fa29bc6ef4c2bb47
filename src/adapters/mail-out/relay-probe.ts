// Knocks at the relay as the sender of replies does: EHLO, STARTTLS, login. Then it leaves; nothing is sent.

import SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { RelayFacts } from '../../core/host-checks.ts';
import { describe, type RelayOptions, whereTo } from './nodemailer-sender.ts';

const timeoutMs = 10_000;

/** What came of it; texts of the relay are left out. */
export async function knockAtRelay(options: RelayOptions): Promise<RelayFacts> {
  const { auth, ...where } = whereTo(options);
  const connection = new SMTPConnection({
    ...where,
    name: options.hostname,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      connection.once('error', reject);
      connection.connect(() => resolve());
    });
    if (auth !== undefined) {
      await new Promise<void>((resolve, reject) => {
        connection.once('error', reject);
        connection.login(auth, (error) => (error ? reject(error) : resolve()));
      });
    }
    return { kind: 'ready', encrypted: connection.secure, authenticated: auth !== undefined };
  } catch (error) {
    return { kind: 'failed', at: stageOf(error), detail: describe(error) };
  } finally {
    connection.on('error', () => {}); // what it says while we leave
    connection.quit();
  }
}

function stageOf(error: unknown): Extract<RelayFacts, { kind: 'failed' }>['at'] {
  const { code, command } = Object(error) as Readonly<Record<string, unknown>>;
  if (code === 'EAUTH' || String(command).startsWith('AUTH')) return 'login';
  return code === 'ETLS' || command === 'STARTTLS' || /CERT|TLS|SSL|SIGN/.test(String(code)) ? 'tls' : 'connection';
}
