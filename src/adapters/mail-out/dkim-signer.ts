// Signs our own mail with DKIM (RFC 6376), RSA and Ed25519 (RFC 8463) side by side. By hand, because the libraries at hand
// sign on the event loop, and none of them signs a field that is not there: here libuv's threads do the arithmetic, and
// nobody can add a second From. What we write is small, ASCII and our own; mailauth verifies it in the tests.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import type { DkimPublicKey } from '../../app/ports.ts';

/** A key that is fit to sign, and under which name its public half is published. */
export interface DkimKey {
  readonly selector: string;
  readonly key: KeyObject;
}

// RFC 6376 §5.4.1, and RFC 3834 §5 on top: whether it is automatic is nobody else's to say.
const signedFields = [
  ...['from', 'sender', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id', 'in-reply-to', 'references'],
  ...['mime-version', 'content-type', 'content-transfer-encoding', 'auto-submitted'],
];

const signAsync = promisify(sign);
const sha256 = (data: string) => createHash('sha256').update(data, 'latin1').digest();

/**
 * Makes a key of what its file holds.
 * @param path of the file, for whoever has to mend it
 * @param warn told when verifiers may think little of it
 * @throws Error, with the place and the remedy but nothing of the file, when it is no key for DKIM
 */
export function parseDkimKey(pem: string, path: string, warn: (bits: number) => void): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error(`mail.dkimKeys: ${path} holds no private key. Make one: openssl genrsa -out FILE 2048`);
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: { modulusLength: bits = 0 } = {} } = key;
  if (type !== 'rsa' && type !== 'ed25519') {
    throw new Error(
      `mail.dkimKeys: ${path} is neither an RSA nor an Ed25519 key. Make one: openssl genrsa -out FILE 2048`,
    );
  }
  // RFC 8301 §3.2: at least 1024 bits, better 2048.
  if (type === 'rsa' && bits < 1024) {
    throw new Error(`mail.dkimKeys: ${path} has ${bits} bits. Make one with 2048: openssl genrsa -out FILE 2048`);
  }
  if (type === 'rsa' && bits < 2048) warn(bits);
  return key;
}

/**
 * Puts one signature per key in front of a message.
 * @param message with CRLF line ends, 7 bit
 * @param domain  the author's, so that DMARC finds it aligned
 * @param now     milliseconds since the epoch
 */
export async function signMessage(
  message: Buffer,
  { domain, keys, now }: { readonly domain: string; readonly keys: readonly DkimKey[]; readonly now: number },
): Promise<Buffer> {
  if (keys.length === 0) return message;
  const text = message.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const fields = text.slice(0, end).split(/\r\n(?![ \t])/);
  const bodyHash = sha256(relaxedBody(text.slice(end + 4))).toString('base64');
  const signatures = keys.map(async ({ selector, key }) => {
    const algorithm = key.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256';
    const unsigned = [
      `DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed; d=${domain};`,
      ` s=${selector}; t=${Math.floor(now / 1000)};`,
      ` h=${namesOf(fields)
        .join(':')
        .replace(/(.{1,70}:)/g, '$1\r\n  ')};`,
      ` bh=${bodyHash};`,
      ' b=',
    ].join('\r\n');
    // RFC 6376 §3.7: the signature itself comes last, without its value and without a line end.
    const data = [...pick(fields).map((field) => `${relaxedField(field)}\r\n`), relaxedField(unsigned)].join('');
    // RFC 8463 §3: Ed25519 signs the hash.
    const signed = algorithm === 'rsa-sha256' ? Buffer.from(data, 'latin1') : sha256(data);
    const value = await signAsync(algorithm === 'rsa-sha256' ? 'sha256' : null, signed, key);
    return `${unsigned}${value.toString('base64').replace(/(.{72})(?=.)/g, '$1\r\n  ')}\r\n`;
  });
  return Buffer.concat([Buffer.from((await Promise.all(signatures)).join(''), 'latin1'), message]);
}

const nameOf = (field: string) => field.slice(0, field.indexOf(':')).trim().toLowerCase();

/** RFC 6376 §5.4.2: each name once more than it is there, so that none can be added. */
function namesOf(fields: readonly string[]): string[] {
  const present = fields.map(nameOf);
  return signedFields.flatMap((name) => [...present.filter((each) => each === name), name]);
}

/** The fields in the order of their names; of several, the last one first. */
function pick(fields: readonly string[]): string[] {
  return signedFields.flatMap((name) => fields.filter((field) => nameOf(field) === name).toReversed());
}

/** RFC 6376 §3.4.2. */
function relaxedField(field: string): string {
  const value = field
    .slice(field.indexOf(':') + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${nameOf(field)}:${value}`;
}

/** RFC 6376 §3.4.4. */
function relaxedBody(body: string): string {
  const lines = body
    .replace(/[ \t]+(?=\r\n|$)/g, '')
    .replace(/[ \t]+/g, ' ')
    .replace(/(?:\r\n)+$/, '');
  return lines === '' ? '' : `${lines}\r\n`;
}

/** What has to stand in the DNS for a key (RFC 6376 §3.6.1, RFC 8463 §4.2). */
export function publishedKey({ selector, key }: DkimKey): DkimPublicKey {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const type = key.asymmetricKeyType === 'ed25519' ? 'ed25519' : 'rsa';
  // Of an Ed25519 key the 32 octets alone; the wrapping before them is always the same.
  return { selector, type, publicKey: (type === 'ed25519' ? der.subarray(-32) : der).toString('base64') };
}
