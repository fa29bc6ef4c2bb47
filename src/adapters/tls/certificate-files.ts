// A certificate in files, as an ACME client leaves them: read at the start, read again when they change. Both edges take
// theirs from here. New connections get the new one, those that are open keep theirs. Files that do not fit together leave
// the old certificate in place.

import { readFile, stat } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { Certificate, Clock, Log, WatchCertificate } from '../../app/ports.ts';
import { fileProblem } from '../../core/file-problem.ts';

/** PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

const periodMs = 10_000;

/**
 * Reads the files when it is asked for, and every ten seconds looks whether they have changed.
 * @param edge whose certificate it is, for the log
 */
export function watchCertificate(
  files: CertificateFiles,
  edge: 'smtp' | 'web',
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): WatchCertificate {
  return async (use) => {
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
      log.info('certificate', { outcome: 'renewed', edge });
    }

    function again(): void {
      const looked = look().catch((error: unknown) => {
        // An ACME client may be between its two writes: what does not fit is looked at again, and told once.
        if (!warned) log.warn('certificate', { outcome: 'not-usable', edge }, error);
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
  };
}

async function describeFiles(files: CertificateFiles): Promise<string> {
  const facts = await Promise.all([stat(files.certificate), stat(files.key)]);
  return facts.map(({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`).join(', ');
}

/** @throws Error with the place when the files cannot be read or do not fit together */
export async function readCertificate(files: CertificateFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([read(files.certificate), read(files.key)]);
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new Error(`${files.certificate} and ${files.key} are no certificate and its key`, { cause });
  }
  return { cert, key };
}

function read(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new Error(`${path} ${fileProblem(cause)}`, { cause });
  });
}
