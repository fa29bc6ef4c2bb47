// argon2id in JavaScript, for a Node that has none of its own (before 24.7): the same bytes, at six times the price. Good
// enough to try the service out and to test against it; production runs on the Node that has it (RFC 9106).

import type { Argon2Parameters } from 'node:crypto';

type Parameters = Omit<Argon2Parameters, 'secret' | 'associatedData'> & {
  readonly message: Uint8Array;
  readonly nonce: Uint8Array;
};

/** As `argon2` of Node. Others get their turn every ten milliseconds. */
export async function argon2InScript(_algorithm: 'argon2id', how: Parameters): Promise<Buffer> {
  // Loaded here and nowhere else: where Node has its own, nothing of this is needed.
  const { argon2idAsync } = await import('@noble/hashes/argon2.js');
  const { message, nonce, memory: m, passes: t, parallelism: p, tagLength: dkLen } = how;
  return Buffer.from(await argon2idAsync(message, nonce, { m, t, p, dkLen }));
}
