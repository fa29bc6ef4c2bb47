// What an administrator may enter as an account, told in words for one person: every problem, and what would be right.
// Whether a name is free, and what is kept of an account, is for the directory.

import { parseMailbox } from './mail-address.ts';

/** What makes an account; the rest comes by itself. */
export interface NewAccount {
  readonly name: string;
  readonly description: string;
  /** In any spelling that is a plain mail address. */
  readonly mailboxes: readonly string[];
}

/** In UTF-16 units, for names and for descriptions. */
export const entryLengthMax = 200;

/** What cannot be seen, or turns the direction of writing: it makes one name look like another. */
export const oddCharacters = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** What of a name must be unique: people, and mail programs, mix up what differs in case or width only. */
export function nameKey(name: string): string {
  return name.normalize('NFKC').toLowerCase();
}

/**
 * Says all that is wrong with an account.
 * @param entry as it was typed or came in a file
 * @returns sentences for the administrator, who may see what was entered; none: it is all right
 */
export function entryProblems({ name, description, mailboxes }: NewAccount): string[] {
  const problems: string[] = [];
  if (name === '') problems.push('it has no name; give it one');
  else if (name !== name.trim()) problems.push('its name begins or ends with a blank; take that away');
  problems.push(...textProblems('name', name), ...textProblems('description', description));
  if (mailboxes.length === 0) problems.push('it has no mailbox; give at least one mail address');
  const seen = new Set<string>();
  for (const text of mailboxes) {
    const mailbox = parseMailbox(text);
    if (mailbox === undefined) {
      problems.push(`"${text}" is not a plain mail address; write one such as amy.pond@school.example`);
    } else if (seen.has(mailbox)) problems.push(`${mailbox} stands there twice; take one away`);
    else seen.add(mailbox);
  }
  return problems;
}

function textProblems(field: string, text: string): string[] {
  if (text.length > entryLengthMax) {
    return [`its ${field} has ${text.length} characters; at most ${entryLengthMax} are allowed`];
  }
  return oddCharacters.test(text)
    ? [`its ${field} has a line break or another character that cannot be seen; take it away`]
    : [];
}
