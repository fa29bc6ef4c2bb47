// What is in certificate files, for whoever wants to know whether they will do.

import { X509Certificate } from 'node:crypto';
import type { CertificateFacts } from '../../core/host-checks.ts';
import { type CertificateFiles, readCertificate } from './certificate-files.ts';

/** @param host the name it is to be for */
export async function certificateFacts(files: CertificateFiles, host: string): Promise<CertificateFacts> {
  try {
    const { cert } = await readCertificate(files);
    const certificate = new X509Certificate(cert);
    return {
      kind: 'read',
      validFrom: Date.parse(certificate.validFrom),
      validTo: Date.parse(certificate.validTo),
      end: certificate.validTo,
      // RFC 9525 §6: the names it has for hosts, and not its subject.
      fitsName: certificate.checkHost(host, { subject: 'never' }) !== undefined,
    };
  } catch (error) {
    return { kind: 'failed', problem: error instanceof Error ? error.message : String(error) };
  }
}
