// The list of common passwords: some 49,000 that leaked most often, from @zxcvbn-ts/language-common (MIT). It is in the
// tree of packages, not fetched, so that no password or part of its hash ever leaves this machine. NIST SP 800-63B-4
// §3.1.1.2 wants a list long enough for the guesses that the limits on logins allow, and sees no use in a huge one.

import { foldPassword } from '../../core/password-policy.ts';

/**
 * Loads the list into memory: some 40 ms and 5 MB, once, which is why it is not loaded before it is asked for.
 * @returns whether a text, folded by `foldPassword`, is on it
 */
export async function loadCommonPasswords(): Promise<(folded: string) => boolean> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const folded = new Set(dictionary['passwords-common'].map(foldPassword));
  folded.delete('');
  return (text) => folded.has(text);
}
