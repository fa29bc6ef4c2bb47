// The stored forms of challenges and of passwords that were set: versioned, and checked whenever it is read from disk.

import { z } from 'zod';
import type { ChallengeStore, ChangeStore, Probed } from '../../app/ports.ts';
import { type Challenge, endOfUse } from '../../core/challenge.ts';
import { browsers, systems } from '../../core/client-hint.ts';
import { locales } from '../../core/locale.ts';
import { type Mailbox, parseMailbox } from '../../core/mail-address.ts';
import type { ChangeRecord } from '../../core/password-change.ts';
import { purposes } from '../../core/purpose.ts';
import { openLowdbStore, type RecordKind } from './lowdb-store.ts';
import type { SegmentFiles } from './segment-files.ts';

const hex = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));
const mailbox = z.string().transform((text, context): Mailbox => {
  const parsed = parseMailbox(text);
  if (parsed !== undefined && parsed === text) return parsed;
  context.addIssue({ code: 'custom', message: 'not a mailbox in normal form' });
  return z.NEVER;
});

const sender = z.strictObject({
  by: z.enum(['mail', 'typed']).default('mail'),
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

const verified = z.strictObject({
  kind: z.literal('verified'),
  mailbox,
  at: z.number(),
  grantSalt: hex(32),
  grantExpiresAt: z.number(),
  account: z
    .strictObject({
      id: z.string(),
      securityVersion: z.string(),
      secondFactor: z.enum(['none', 'asked', 'passed']).default('none'),
    })
    .nullable()
    .default(null),
});

const spent = z.strictObject({
  kind: z.literal('spent'),
  changeId: hex(32),
  done: z.boolean().default(false),
  grant: verified,
  enrolment: z
    .strictObject({ securityVersion: z.string(), enrolledAt: z.number().nullable() })
    .nullable()
    .default(null),
});

const state = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('awaiting-mail') }),
  z.strictObject({ kind: z.literal('code-sent') }),
  z.strictObject({ kind: z.literal('locked') }),
  verified,
  spent,
]);

const challenge = z.strictObject({
  id: hex(20),
  // Of before there were more keys than one: the oldest.
  keyId: z.string().default(''),
  purpose: z.enum(purposes),
  locale: z.enum(locales),
  clientHint: z.strictObject({ browser: z.enum(browsers), system: z.enum(systems) }),
  expiresAt: z.number(),
  senders: z.array(sender),
  wrongCodes: z.array(hex(16)),
  state,
});

const id = /^[0-9a-f]{20}$/;

/** Challenges, for the store. */
const challengeKind: RecordKind<Challenge> = {
  id,
  record: challenge,
  endOfUse,
  isQueued: ({ senders }) => senders.some(({ reply }) => reply.state === 'queued'),
  idOf: (record) => record.id,
};

const change = z.strictObject({
  id: hex(20),
  changeId: hex(32),
  purpose: z.enum(purposes).exclude(['confirm']).default('reset'),
  accountId: z.string(),
  accountName: z.string(),
  mailbox,
  at: z.number(),
  undoUntil: z.number(),
  locale: z.enum(locales),
  clientHint: challenge.shape.clientHint,
  state: z.enum(['setting', 'done', 'undone']),
  notice: z.enum(['none', 'queued', 'handed-over', 'failed']),
});

/** Passwords that were set, for the store. */
const changeKind: RecordKind<ChangeRecord> = {
  id,
  record: change,
  endOfUse: ({ undoUntil }) => undoUntil,
  isQueued: ({ notice, state }) => notice === 'queued' || state === 'setting',
  idOf: (record) => record.id,
};

/** Opens the store of challenges. Parameters and errors as `openLowdbStore` has them. */
export function openChallengeStore(files: SegmentFiles): Promise<ChallengeStore & Probed> {
  return openLowdbStore(files, challengeKind);
}

/** Opens the store of passwords that were set. Parameters and errors as `openLowdbStore` has them. */
export function openChangeStore(files: SegmentFiles): Promise<ChangeStore & Probed> {
  return openLowdbStore(files, changeKind);
}
