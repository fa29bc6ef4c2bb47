// What a right code earns, from the choice of an account to an app that is enrolled: the lower half of the table in
// src/core/challenge.ts. All records are frozen.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  awaitMail,
  type Challenge,
  type ChosenAccount,
  chooseAccount,
  finishEnrolment,
  finishGrant,
  giveBackGrant,
  openEnrolment,
  passSecondFactor,
  type Step,
  spendGrant,
} from '../../src/core/challenge.ts';
import { deepFreeze, mailbox, table } from '../support/core-table.ts';

const now = Date.UTC(2030, 0, 1, 11);
const grantExpiresAt = now + 600_000;
const address = {
  keyId: '',
  purpose: 'reset',
  locale: 'en',
  clientHint: { browser: 'Firefox', system: 'Windows' },
  expiresAt: now + 60_000,
  id: '00112233445566778899',
} as const;
const grant = { mailbox: mailbox('amy@school.example'), at: now, grantSalt: 'g1', grantExpiresAt } as const;
const verified = (account: ChosenAccount | null = null): Challenge =>
  deepFreeze({ ...awaitMail(address), state: { kind: 'verified', ...grant, account } });
const plain = { id: 'a', securityVersion: '1', secondFactor: 'none' } as const;
const guarded = { id: 'g', securityVersion: '1', secondFactor: 'enrolled' } as const;
const chosen = (secondFactor: ChosenAccount['secondFactor'], id = 'g') => ({ id, securityVersion: '1', secondFactor });

const said = ({ outcome }: Step<{ readonly kind: string; readonly reason?: string }>) => outcome.reason ?? outcome.kind;
const accountAfter = ({ next: { state } }: Step<unknown>) => (state.kind === 'verified' ? state.account : undefined);

table(
  'a choice',
  ([before, account]: [Challenge, typeof plain | typeof guarded]) => accountAfter(chooseAccount(before, account, now)),
  [
    ['of an account without a second factor', [verified(), plain], chosen('none', 'a')],
    ['of one with a second factor, which is asked for', [verified(), guarded], chosen('asked')],
    ['of the same again', [verified(chosen('asked')), guarded], chosen('asked')],
    ['of the same again, after it was passed', [verified(chosen('passed')), guarded], chosen('passed')],
    ['of another one, after it was passed', [verified(chosen('passed', 'a')), guarded], chosen('asked')],
    [
      'of the same in another version, after it was passed',
      [verified({ ...chosen('passed'), securityVersion: '0' }), guarded],
      chosen('asked'),
    ],
  ],
);

table(
  'a second factor that was right',
  ([before, account]: [Challenge, Pick<ChosenAccount, 'id' | 'securityVersion'>]) => {
    const step = passSecondFactor(before, account, now);
    return [said(step), accountAfter(step)?.secondFactor];
  },
  [
    ['is passed', [verified(chosen('asked')), guarded], ['passed', 'passed']],
    ['is passed again', [verified(chosen('passed')), guarded], ['passed', 'passed']],
    ['of an account that had none passes nothing', [verified(chosen('none')), guarded], ['grant-missing', 'none']],
    ['of another account', [verified(chosen('asked')), plain], ['grant-missing', 'asked']],
    [
      'of another version',
      [verified(chosen('asked')), { ...guarded, securityVersion: '2' }],
      ['grant-missing', 'asked'],
    ],
    ['before anything was chosen', [verified(), guarded], ['grant-missing', undefined]],
  ],
);

const spend = (before: Challenge, account = guarded as Pick<ChosenAccount, 'id' | 'securityVersion'>, at = now) =>
  spendGrant(before, account, 'c1', at);
table('a grant', (step: ReturnType<typeof spend>) => said(step), [
  ['of an account without a second factor is spent', spend(verified(chosen('none', 'a')), plain), 'spent'],
  ['whose second factor was passed is spent', spend(verified(chosen('passed'))), 'spent'],
  ['whose second factor is asked for is not', spend(verified(chosen('asked'))), 'second-factor-missing'],
  ['of another account is not', spend(verified(chosen('passed')), plain), 'grant-missing'],
  ['that is over is not', spend(verified(chosen('passed')), guarded, grantExpiresAt), 'grant-missing'],
]);

const spent = deepFreeze(spend(verified(chosen('passed'))).next);
test('a grant that is given back is as it was, second factor passed and all', () => {
  assert.deepEqual(giveBackGrant(spent, 'c1'), verified(chosen('passed')));
});

const done = deepFreeze(finishGrant(spent, 'c1', '2'));
const enrolled = deepFreeze(finishEnrolment(done, now + 1000).next);
const opens = ([challenge, at]: [Challenge, number]) => openEnrolment(challenge, at)?.enrolment.securityVersion;
table('an enrolment', opens, [
  ['is open once the password is set', [done, now], '2'],
  ['until the grant would end', [done, grantExpiresAt - 1], '2'],
  ['and not from then on', [done, grantExpiresAt], undefined],
  ['is not open before', [spent, now], undefined],
  ['nor by another change', [finishGrant(spent, 'c2', '2'), now], undefined],
  ['nor where the directory has none', [finishGrant(spent, 'c1', null), now], undefined],
  ['nor for a grant that was not used', [verified(chosen('passed')), now], undefined],
  ['is open to a double click', [enrolled, now + 15_999], '2'],
  ['and to nobody later', [enrolled, now + 16_000], undefined],
]);

test('an enrolment is finished once, whoever clicks twice', () => {
  assert.deepEqual(finishEnrolment(enrolled, now + 2000), { next: enrolled, outcome: { kind: 'enrolled' } });
  const late = finishEnrolment(enrolled, now + 60_000);
  assert.deepEqual([late.next, said(late)], [enrolled, 'enrolment-over']);
});
