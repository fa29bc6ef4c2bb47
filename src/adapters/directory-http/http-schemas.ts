// Every request to the organisation's own directory and every answer of it: the only source of these shapes. Answers are
// held to them, and config/directory.openapi.yaml is made of them (npm run openapi). The descriptions are the documentation.

import { z } from 'zod';
import { entryLengthMax, oddCharacters } from '../../core/account-entry.ts';

/** Accounts that one answer may hold: more is no mailbox of a person. */
const accountsMax = 100;

const time = z
  .int()
  .min(0)
  .meta({ description: 'Milliseconds since 1970-01-01T00:00:00Z.', example: 1_795_168_800_000 });
const hex32 = z.string().regex(/^[0-9a-f]{32}$/);
const visible = z.string().regex(/^[\x21-\x7e]{1,200}$/);
const text = z
  .string()
  .max(entryLengthMax)
  .refine((given) => !oddCharacters.test(given));

const mailbox = z
  .string()
  .min(3)
  .max(254)
  .meta({
    description:
      'A mailbox that the person has proved to control. ASCII, the domain in lower case, the local part as its mail system ' +
      'wrote it. Which addresses are equal is decided by you.',
    example: 'amy.pond@school.example',
  });
const accountId = visible.meta({
  description: 'Names the account for ever: 1 to 200 printable ASCII characters without blanks. Never shown.',
  example: '4711',
});
const securityVersion = visible.meta({
  description:
    'Another one whenever password, mailboxes or state of the account have changed: 1 to 200 printable ASCII characters ' +
    'without blanks. A counter will do.',
  example: '12',
});
const changeId = hex32.meta({
  description: 'Names the change. The same one again is the same change.',
  example: '5f0c6a1e8b7d4c3f9a2e1d0c5b8a7f64',
});

const account = z
  .object({
    id: accountId,
    name: text.min(1).meta({ description: 'What the person calls it: the log-in name.', example: 'apond' }),
    description: text.meta({ description: 'Tells accounts of one person apart; may be empty.', example: 'Pupil, 7b' }),
    state: z.enum(['active', 'locked', 'frozen']).meta({
      description:
        '`locked`: by an administrator. `frozen`: a change was undone, and an administrator has to look first. Neither ' +
        'gets a new password.',
    }),
    securityVersion,
    hasPassword: z.boolean().meta({ description: 'Whether a password was ever set.' }),
    secondFactor: z.enum(['none', 'enrolled']).meta({
      description: '`enrolled`: a code is asked for before a new password, see `accounts/verify-second-factor`.',
    }),
  })
  .meta({ id: 'Account' });

const find = {
  path: 'accounts/find',
  summary: 'Accounts of a mailbox',
  description: 'Asked only after the person has proved the mailbox. No account is an empty list, not an error.',
  request: z.object({ mailbox }).meta({ id: 'FindRequest' }),
  answer: z
    .object({
      accounts: z
        .array(account)
        .max(accountsMax)
        .refine((all) => new Set(all.map(({ id }) => id)).size === all.length)
        .meta({ description: 'In the order in which they are to be shown; each id once.' }),
    })
    .meta({ id: 'FindAnswer' }),
};

const setPassword = {
  path: 'accounts/set-password',
  summary: 'Set a password',
  description:
    'In one step: set the password, keep the one of before until `undoUntil` (and what was before that one as long), ' +
    'change the security version, end all sessions of the account. Of two changes to one security version exactly one is done. The same `changeId` again, ' +
    'while it is the latest change: `done` when it is this very password that it has set, else `account-changed`; nothing ' +
    'changes either way. A second factor stays as it is.',
  request: z
    .object({
      accountId,
      securityVersion,
      mailbox,
      password: z.string().min(1).max(1024).meta({
        description:
          'The new password, in clear: hash it at once (argon2id, scrypt), and write neither it nor this body to any log.',
        example: 'blue kettle winter piano',
      }),
      changeId,
      at: time,
      undoUntil: time.meta({
        description: 'Until then `accounts/revert-password` may bring back what was before.',
        example: 1_795_428_000_000,
      }),
      addressFrozenUntil: time.meta({
        description: 'Until then the mailboxes of the account must not be changed.',
        example: 1_795_773_600_000,
      }),
    })
    .meta({ id: 'SetPasswordRequest' }),
  answer: z
    .object({
      outcome: z.enum(['done', 'account-changed']).meta({
        description:
          '`account-changed`: it is another account than was chosen (security version, mailbox or state), or gone. ' +
          'Nothing was changed then.',
      }),
    })
    .meta({ id: 'SetPasswordAnswer' }),
};

const verifySecondFactor = {
  path: 'accounts/verify-second-factor',
  summary: 'Check a second factor',
  description:
    'Checks a time-based code (TOTP) or a recovery code. Count a wrong one, and use up a right one, for good before you ' +
    'answer. The same `attemptId` again is the same attempt, with the same answer. The security version stays. ' +
    '`account-changed`: as for a password, or it has no second factor.',
  request: z
    .object({
      accountId,
      securityVersion,
      attemptId: hex32.meta({ description: 'Names the attempt.', example: '0d9a3c5e7f1b2468ace013579bdf2468' }),
      typed: z.string().max(100).meta({ description: 'As it was typed; a secret.', example: '492 039' }),
      at: time,
    })
    .meta({ id: 'VerifySecondFactorRequest' }),
  answer: z
    .discriminatedUnion('outcome', [
      z.object({ outcome: z.enum(['right', 'wrong', 'account-changed']) }),
      z.object({
        outcome: z.literal('too-many'),
        waitMs: z.int().min(0).meta({ description: 'Milliseconds until the next try is looked at.', example: 60_000 }),
      }),
    ])
    .meta({ id: 'VerifySecondFactorAnswer' }),
};

const revertPassword = {
  path: 'accounts/revert-password',
  summary: 'Undo a change of a password',
  description:
    'In one step: bring back the password of before, end all sessions, set the state to `frozen` (`locked` stays), change ' +
    'the security version. When several changes can still be undone, any of them brings back what was before the oldest: ' +
    'whoever got in twice must not have a password of their own brought back. Take back a second factor that was ' +
    'enrolled since.',
  request: z.object({ accountId, changeId, at: time }).meta({ id: 'RevertPasswordRequest' }),
  answer: z
    .object({
      outcome: z.enum(['done', 'too-late']).meta({
        description:
          '`too-late`: there is no such change, it was undone already, or `at` is not before its `undoUntil`.',
      }),
    })
    .meta({ id: 'RevertPasswordAnswer' }),
};

const confirmMailbox = {
  path: 'mailboxes/confirm',
  summary: 'Mark a mailbox as proved',
  description: 'Somebody registered with this mailbox and has proved to control it. Nothing else is granted.',
  request: z.object({ mailbox, changeId, at: time }).meta({ id: 'ConfirmMailboxRequest' }),
  answer: z
    .object({
      outcome: z.enum(['done', 'no-account']).meta({ description: '`no-account`: no account uses it.' }),
    })
    .meta({ id: 'ConfirmMailboxAnswer' }),
};

const event = {
  path: 'events',
  summary: 'Something happened',
  description:
    'What the other calls do not tell. Best effort, in the order in which it happened: tried for about a minute, not kept ' +
    'over a restart, and nobody waits for it. Answer `{}`.',
  request: z
    .object({
      kind: z.enum(['notice-sent', 'notice-failed']).meta({
        description:
          'The mail that tells the person of a new password was handed over to the relay, or could not be delivered for ' +
          'good: then you may want to tell them another way.',
      }),
      accountId,
      changeId,
      at: time,
    })
    .meta({ id: 'EventRequest' }),
  answer: z.object({}).meta({ id: 'EventAnswer' }),
};

/** One call: where, what goes out, what comes back. */
export interface Endpoint<Request extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  /** Relative to `directory.url`. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly request: Request;
  readonly answer: Answer;
}

/** All calls. */
export const endpoints = { find, setPassword, verifySecondFactor, revertPassword, confirmMailbox, event } as const;
