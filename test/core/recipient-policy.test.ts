// Rows R1 to R7, from plain facts: the first one that applies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRecipient, type RecipientFacts } from '../../src/core/recipient-policy.ts';

const open: RecipientFacts = {
  domainIsOurs: true,
  role: 'none',
  nullSender: false,
  address: 'open',
  madeUpBefore: 0,
  networkIsGuessing: false,
  messagesUsedUp: false,
};
const bad = { address: 'made-up' } as const;

const rows: [string, Partial<RecipientFacts>, string][] = [
  ['an open address', {}, 'one-time'],
  ['R1: another domain, whatever else', { domainIsOurs: false, role: 'read', nullSender: true }, 'relay-denied'],
  ['R2: postmaster with an operator', { role: 'read', ...bad }, 'operator'],
  ['R2 before R3: a bounce to postmaster', { role: 'read', nullSender: true }, 'operator'],
  ['R2: postmaster without an operator', { role: 'unread', ...bad, madeUpBefore: 9 }, 'address-unknown'],
  ['R3: no sender', { nullSender: true }, 'null-sender'],
  ['R3 before R5: a bounce to a made-up address', { nullSender: true, ...bad, madeUpBefore: 9 }, 'null-sender'],
  ['R5: made up', bad, 'address-unknown'],
  ['R5: the fourth in one connection', { ...bad, madeUpBefore: 3 }, 'address-unknown'],
  ['R5: the fifth', { ...bad, madeUpBefore: 4 }, 'too-many-bad-addresses'],
  ['R5: from a network that guesses', { ...bad, networkIsGuessing: true }, 'too-many-bad-addresses'],
  ['an open address from a network that guesses', { madeUpBefore: 9, networkIsGuessing: true }, 'one-time'],
  ['R6: over', { address: 'over' }, 'address-expired'],
  ['R6 before R7', { address: 'over', messagesUsedUp: true }, 'address-expired'],
  ['R7: too many messages', { messagesUsedUp: true }, 'too-many-messages'],
];
for (const [title, facts, expected] of rows) {
  test(title, () => {
    const decision = decideRecipient({ ...open, ...facts });
    assert.equal(typeof decision === 'string' ? decision : decision.reason, expected);
  });
}
