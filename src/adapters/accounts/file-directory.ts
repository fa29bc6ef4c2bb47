// The built-in directory: accounts in one file of the data folder, read once at the start.
// Which addresses are equal: the domain in any case, the local part as written (RFC 5321 §2.4).

import { join } from 'node:path';
import { Low } from 'lowdb';
import { JSONFile } from 'lowdb/node';
import { z } from 'zod';
import type { Directory } from '../../app/ports.ts';
import { parseMailbox } from '../../core/mail-address.ts';

const accountsFile = z.strictObject({
  version: z.literal(1),
  accounts: z.array(
    z.strictObject({
      name: z.string().min(1).max(200),
      description: z.string().max(200),
      mailboxes: z.array(z.string().refine((text) => parseMailbox(text) !== undefined, 'not a mail address')),
    }),
  ),
});

/**
 * Opens `accounts.json` in a folder; without one the directory is empty.
 * @throws Error with the place of what is wrong when the file is damaged
 */
export async function openFileDirectory(folder: string): Promise<Directory> {
  const path = join(folder, 'accounts.json');
  const low = new Low<unknown>(new JSONFile(path), null);
  await low.read().catch((error: unknown) => {
    throw error instanceof SyntaxError ? new Error(`${path} is not JSON. Put back a good copy.`) : error;
  });
  const parsed = accountsFile.safeParse(low.data ?? { version: 1, accounts: [] });
  if (!parsed.success) {
    const places = parsed.error.issues.map(
      ({ path: place, message }) => `${place.join('.') || 'the file'}: ${message}`,
    );
    throw new Error(`${path} is not a directory of accounts: ${places.join('; ')}`);
  }
  const byMailbox = new Map<string, { name: string; description: string }[]>();
  for (const { name, description, mailboxes } of parsed.data.accounts) {
    for (const mailbox of mailboxes.map((text) => parseMailbox(text) ?? '')) {
      byMailbox.set(mailbox, [...(byMailbox.get(mailbox) ?? []), { name, description }]);
    }
  }
  return { accountsOf: async (mailbox) => byMailbox.get(mailbox) ?? [] };
}
