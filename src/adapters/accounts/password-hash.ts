// Passwords as argon2id hashes in the PHC string form, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` (RFC 9106).
// The parameters stand in each hash, so they can be raised later while old hashes go on to be understood.
// What a good password is, and how it is normalised, is decided before; this file takes it as it comes.

import * as crypto from 'node:crypto';
import { promisify } from 'node:util';
import { DependencyError } from '../../app/ports.ts';
import { argon2InScript } from './script-argon2.ts';
import { createTurns } from './turns.ts';

interface HashParameters {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

interface PasswordHash extends HashParameters {
  readonly salt: Buffer;
  readonly tag: Buffer;
}

// OWASP's least memory, not the 64 MiB of RFC 9106 §4: many resets at once must fit into a small machine.
const current: HashParameters = { memoryKib: 19 * 1024, passes: 2, lanes: 1 };
const saltBytes = 16; // RFC 9106 §3.1: recommended for passwords
const tagBytes = 32;

// Two at once take 38 MiB and half of the threads that files and look-ups need as well. A hundred wait some 2 seconds.
const inTurn = createTurns(
  { atOnceMax: 2, waitingMax: 100 },
  () => new DependencyError('directory', 'too many passwords are being hashed at once'),
);
// Node has it from 24.7 on. The package, which is for testers as well, runs on older ones.
const derive = 'argon2' in crypto ? promisify(crypto.argon2) : argon2InScript;

/**
 * Hashes a password with a new salt.
 * @param password normalised; a secret
 * @returns a PHC string
 * @throws DependencyError when too many wait already
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.randomBytes(saltBytes);
  const tag = await tagOf(password, { ...current, salt, tagLength: tagBytes });
  const { memoryKib, passes, lanes } = current;
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${toBase64(salt)}$${toBase64(tag)}`;
}

/**
 * Tells whether a password is the one of a hash.
 * @param password normalised; attacker-chosen
 * @param phc      as `isPasswordHash` approves of it
 * @throws DependencyError when too many wait already; Error when it is no hash
 */
export async function verifyPassword(password: string, phc: string): Promise<boolean> {
  const hash = parsePasswordHash(phc);
  if (hash === undefined) throw new Error('not a password hash');
  const tag = await tagOf(password, { ...hash, tagLength: hash.tag.length });
  return crypto.timingSafeEqual(tag, hash.tag); // not ===: its time would tell how much of a guess was right
}

/** Tells whether a text is a hash that `verifyPassword` takes. */
export function isPasswordHash(text: string): boolean {
  return parsePasswordHash(text) !== undefined;
}

function tagOf(password: string, how: HashParameters & { salt: Buffer; tagLength: number }): Promise<Buffer> {
  return inTurn(() =>
    derive('argon2id', {
      message: Buffer.from(password, 'utf8'),
      nonce: how.salt,
      memory: how.memoryKib,
      passes: how.passes,
      parallelism: how.lanes,
      tagLength: how.tagLength,
    }),
  );
}

const number = '(0|[1-9][0-9]{0,6})';
const base64 = '([A-Za-z0-9+/]{1,86})';
const phcForm = new RegExp(`^\\$argon2id\\$v=19\\$m=${number},t=${number},p=${number}\\$${base64}\\$${base64}$`);

/** Parts of a PHC string, or undefined when it has another form or parameters that are too weak or too costly. */
function parsePasswordHash(text: string): PasswordHash | undefined {
  const [, memory, rounds, parallel, saltText = '', tagText = ''] = phcForm.exec(text) ?? [];
  const [memoryKib, passes, lanes] = [Number(memory), Number(rounds), Number(parallel)];
  const salt = fromBase64(saltText);
  const tag = fromBase64(tagText);
  // RFC 9106 §3.1: at least 8 KiB for each lane. The upper bounds: a copied hash must not eat the memory of the machine.
  const within =
    lanes >= 1 && lanes <= 4 && memoryKib >= 8 * lanes && memoryKib <= 65_536 && passes >= 1 && passes <= 10;
  if (!within || salt === undefined || tag === undefined) return undefined;
  if (salt.length < 8 || salt.length > 64 || tag.length < 16 || tag.length > 64) return undefined;
  return { memoryKib, passes, lanes, salt, tag };
}

/** RFC 4648 §4, without padding as PHC strings have it. */
function toBase64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}

/** Bytes, or undefined when the text is not their one spelling. */
function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return toBase64(bytes) === text ? bytes : undefined;
}
