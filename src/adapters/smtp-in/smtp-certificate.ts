// The certificate of the SMTP listener: read at the start, read again when its files change. New connections get the new
// one, those that are open keep theirs. Files that do not fit together leave the old certificate in place.

import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Clock, Log } from '../../app/ports.ts';

/** PEM files as an ACME client leaves them. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A certificate chain and its key, PEM, known to fit together. */
export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const periodMs = 10_000;

/**
 * Reads the files, and every ten seconds looks whether they have changed.
 * @param use gets the certificate, and each one that follows
 * @returns a function that ends it
 * @throws Error with the place when, at the start, the files cannot be read or do not fit together
 */
export async function keepCertificate(
  files: CertificateFiles,
  { clock, log }: { clock: Clock; log: Log },
  use: (certificate: Certificate) => void,
): Promise<() => void> {
  // Looked at before they are read: what is written meanwhile is seen as a change the next time.
  let seen = await describeFiles(files);
  use(await readCertificate(files));
  let ended = false;
  let warned = false;
  let cancel = clock.after(periodMs, again);

  async function look(): Promise<void> {
    const now = await describeFiles(files);
    if (now === seen) return;
    const certificate = await readCertificate(files);
    if (ended) return;
    use(certificate);
    seen = now;
    warned = false;
    log.info('certificate', { outcome: 'renewed' });
  }

  function again(): void {
    const looked = look().catch((error: unknown) => {
      // An ACME client may be between its two writes: what does not fit is looked at again, and told once.
      if (!warned) log.warn('certificate', { outcome: 'not-usable' }, error);
      warned = true;
    });
    void looked.finally(() => {
      if (!ended) cancel = clock.after(periodMs, again);
    });
  }

  return () => {
    ended = true;
    cancel();
  };
}

async function describeFiles(files: CertificateFiles): Promise<string> {
  const facts = await Promise.all([stat(files.certificate), stat(files.key)]);
  return facts.map(({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`).join(', ');
}

async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(files.certificate), readFile(files.key)]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new Error(`${files.certificate} and ${files.key} are no certificate and its key`, { cause });
  }
  return { cert, key };
}
