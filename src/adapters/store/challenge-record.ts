// The stored form of a challenge: versioned, and checked whenever it is read from disk.

import { z } from 'zod';
import type { Challenge } from '../../core/challenge.ts';
import { browsers, systems } from '../../core/client-hint.ts';
import { locales } from '../../core/locale.ts';
import { type Mailbox, parseMailbox } from '../../core/mail-address.ts';
import { purposes } from '../../core/purpose.ts';

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const mailbox = z.string().transform((text, context): Mailbox => {
  const parsed = parseMailbox(text);
  if (parsed !== undefined && parsed === text) return parsed;
  context.addIssue({ code: 'custom', message: 'not a mailbox in normal form' });
  return z.NEVER;
});

const sender = z.strictObject({
  mailbox,
  salt: hex(32),
  answered: z.array(hex(32)),
  reply: z.strictObject({
    id: hex(32),
    inReplyTo: z.string().nullable(),
    state: z.enum(['queued', 'handed-over', 'failed']),
  }),
  codeExpiresAt: z.number().nullable(),
});

const state = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('awaiting-mail') }),
  z.strictObject({ kind: z.literal('code-sent') }),
  z.strictObject({ kind: z.literal('locked') }),
  z.strictObject({
    kind: z.literal('verified'),
    mailbox,
    at: z.number(),
    grantSalt: hex(32),
    grantExpiresAt: z.number(),
  }),
]);

const challenge = z.strictObject({
  id: hex(20),
  purpose: z.enum(purposes),
  locale: z.enum(locales),
  clientHint: z.strictObject({ browser: z.enum(browsers), system: z.enum(systems) }),
  expiresAt: z.number(),
  senders: z.array(sender),
  wrongCodes: z.array(hex(16)),
  state,
});

/** The whole file. */
export const challengeFile = z.strictObject({ version: z.literal(1), challenges: z.record(hex(20), challenge) });

/** The whole file, as data. */
export interface ChallengeFile {
  readonly version: 1;
  readonly challenges: { [id: string]: Challenge };
}
