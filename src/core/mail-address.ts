// Mail addresses: the narrow grammar we believe, one normal form, and comparison.
// Narrower than RFC 5321 on purpose: what two parsers could read in two ways is refused (MAIL-POLICY D7),
// so there are no comments, quoted local parts, literals, routes or trailing dots here.

declare const checked: unique symbol;

/** A checked address in its one normal form: local part byte for byte, `@`, domain in lower case. */
export type Mailbox = string & { readonly [checked]: 'Mailbox' };

// RFC 5322 §3.2.3 atext, joined by single dots (dot-atom). The two classes exclude each other, so it is linear.
const dotAtom = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/;
// RFC 5890 §2.3.1: letters, digits, hyphens; no hyphen at either end of a label.
const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/**
 * Tells whether a text is a host name of at least two labels.
 * @param text attacker-chosen or typed by the operator
 */
export function isDomainName(text: string): boolean {
  if (text.length > 253) return false; // RFC 1035 §2.3.4, without the root label
  const labels = text.split('.');
  return labels.length >= 2 && labels.every((part) => label.test(part)) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

/**
 * Reads an addr-spec.
 * @param text attacker-chosen; nothing around the address is tolerated, not even a blank
 * @returns the mailbox in its normal form, or undefined when it is not one we believe
 * Source: MAIL-POLICY.md D7; RFC 5321 §4.5.3.1.1 (local part at most 64 octets), §4.5.3.1.3 (path at most 256).
 */
export function parseMailbox(text: string): Mailbox | undefined {
  if (text.length > 254) return undefined;
  const at = text.lastIndexOf('@');
  const localPart = text.slice(0, Math.max(at, 0));
  const domain = text.slice(at + 1);
  if (at < 1 || localPart.length > 64 || !dotAtom.test(localPart) || !isDomainName(domain)) return undefined;
  // It has the letters of an atom, but RFC 2047 §5 lets nobody read it as one or as the other.
  if (localPart.includes('=?')) return undefined;
  return `${localPart}@${asciiLower(domain)}` as Mailbox;
}

/** The domain of a checked mailbox, in lower case. */
export function domainOf(mailbox: Mailbox): string {
  return mailbox.slice(mailbox.lastIndexOf('@') + 1);
}

/** The local part of a checked mailbox, byte for byte. */
export function localPartOf(mailbox: Mailbox): string {
  return mailbox.slice(0, mailbox.lastIndexOf('@'));
}

/** Lower case for ASCII letters only: `toLowerCase` turns a sign for kelvin into a k. */
export function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * Compares two mailboxes without regard to ASCII case, as SPF alignment does (MAIL-POLICY.md "Good SPF").
 * Never for finding accounts: there the local part counts as written.
 */
export function sameIgnoringCase(one: string, other: string): boolean {
  return asciiLower(one) === asciiLower(other);
}
