// What authenticate.ts uses of mailauth beyond what mailauth declares.

declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import type { Writable } from 'node:stream';
  import type { DKIMResult, DNSResolver } from 'mailauth';
  import type { PublicKey } from 'mailauth/lib/tools.js';

  interface VerifierOptions {
    readonly resolver: DNSResolver;
    readonly minBitLength: number;
    readonly strict: boolean;
  }

  /** Has its results when the message was written to it. */
  export class DkimVerifier extends Writable {
    constructor(options: VerifierOptions);
    /** Asked once for each signature whose body hash is right. */
    readonly keyCache: {
      get: (type: string, name: string, minBitLength: number, options: KeyOptions) => Promise<PublicKey>;
    };
    readonly headerFrom: string[];
    readonly fromFields: number;
    readonly results: DKIMResult[];
  }

  export interface KeyOptions {
    readonly strict: boolean;
    readonly hashAlgo: string;
  }
}

declare module 'mailauth/lib/tools.js' {
  import type { KeyObject } from 'node:crypto';
  import type { Writable } from 'node:stream';
  import type { DNSResolver } from 'mailauth';
  import type { KeyOptions } from 'mailauth/lib/dkim/dkim-verifier.js';

  /** A key, and what its record says of it. */
  export interface PublicKey {
    /** PEM as it comes; `crypto.verify` takes either. */
    readonly publicKey: string | KeyObject;
  }

  export function getPublicKey(
    type: string,
    name: string,
    minBitLength: number,
    resolver: DNSResolver,
    options: KeyOptions,
  ): Promise<PublicKey>;
  export function formatDomain(domain: string): string;
  export function getAlignment(domain: string, domains: readonly string[], strict: boolean): { domain: string } | false;
  export function toALabel(name: string): string;
  export function writeToStream(stream: Writable, input: Buffer): Promise<void>;
}
