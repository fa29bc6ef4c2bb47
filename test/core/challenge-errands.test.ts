// What a grant may be used for, by the errand it was earned for: the steps of src/core/challenge.ts that come after the
// code. All records are frozen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  awaitMail,
  type Challenge,
  type ChosenAccount,
  chooseAccount,
  finishGrant,
  giveBackGrant,
  spendGrant,
} from '../../src/core/challenge.ts';
import { type Purpose, purposes } from '../../src/core/purpose.ts';
import { deepFreeze, mailbox, table } from '../support/core-table.ts';

const now = Date.UTC(2030, 0, 1, 10);
const account = { id: 'apond', securityVersion: '3', secondFactor: 'none' } as const;
const changeId = '0f'.repeat(16);

function verified(purpose: Purpose, chosen: ChosenAccount | null = null): Challenge {
  const clientHint = { browser: 'Firefox', system: 'Windows' } as const;
  const address = {
    keyId: '',
    purpose,
    locale: 'de',
    clientHint,
    expiresAt: now + 60_000,
    id: '00112233445566778899',
  } as const;
  const state = {
    kind: 'verified',
    mailbox: mailbox('amy@school.example'),
    at: now - 1000,
    grantSalt: 'g1',
    grantExpiresAt: now + 1000,
    account: chosen,
  } as const;
  return deepFreeze({ ...awaitMail(address), state });
}

const word = (outcome: { kind: string; reason?: string }) => outcome.reason ?? outcome.kind;

table('an account is chosen', (purpose: Purpose) => word(chooseAccount(verified(purpose), account, now).outcome), [
  ['for a new password', 'reset', 'chosen'],
  ['for its first password', 'activate', 'chosen'],
  ['with a mailbox to be confirmed, which grants no account', 'confirm', 'grant-missing'],
]);

const spend = ([challenge, use, after = 0]: readonly [Challenge, ChosenAccount | null, number?]) =>
  word(spendGrant(challenge, use, changeId, now + after).outcome);

table('a grant is spent', spend, [
  ['to reset, on the chosen account', [verified('reset', account), account], 'spent'],
  ['to activate, on the chosen account', [verified('activate', account), account], 'spent'],
  ['to confirm, on no account', [verified('confirm'), null], 'spent'],
  ['to reset, on no account', [verified('reset'), null], 'grant-missing'],
  ['to activate, on no account', [verified('activate'), null], 'grant-missing'],
  ['to reset, on no account although one is chosen', [verified('reset', account), null], 'grant-missing'],
  ['to reset, on an account that was not chosen', [verified('reset'), account], 'grant-missing'],
  ['to confirm, on an account', [verified('confirm'), account], 'grant-missing'],
  ['to confirm, on an account that some bug has chosen', [verified('confirm', account), account], 'grant-missing'],
  ['on another account', [verified('activate', account), { ...account, id: 'chess' }], 'grant-missing'],
  ['on another version', [verified('activate', account), { ...account, securityVersion: '4' }], 'grant-missing'],
  ['in its last millisecond', [verified('confirm'), null, 999], 'spent'],
  ['when it is over', [verified('confirm'), null, 1000], 'grant-missing'],
]);

for (const purpose of purposes) {
  test(`a grant to ${purpose} is spent once, given back as it was, and done for good`, () => {
    const chosen = purpose === 'confirm' ? null : account;
    const before = verified(purpose, chosen);
    const { next } = spendGrant(before, chosen, changeId, now);
    const spent = deepFreeze(next);
    assert.equal(word(spendGrant(spent, chosen, 'f0'.repeat(16), now).outcome), 'grant-missing');
    assert.equal(giveBackGrant(spent, 'f0'.repeat(16)), spent, 'not by somebody else');
    assert.deepEqual(giveBackGrant(spent, changeId), before);
    const { state } = finishGrant(spent, changeId, null);
    assert.ok(state.kind === 'spent' && state.done);
    assert.equal(spent.purpose, purpose);
  });
}
