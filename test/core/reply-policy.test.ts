// Which messages are never answered (MAIL-POLICY D8, D9): a row per kind of robot, list and answer, and what only looks
// like one. The messages go through the real header reader, so folds and letters are as they come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readMessageHeader } from '../../src/core/message-header.ts';
import { refuseUnanswerable } from '../../src/core/reply-policy.ts';
import { type Fields, mail } from '../support/core-mail.ts';
import { mailbox, runs, table } from '../support/core-table.ts';

const oneTimeDomain = 'in.school.example';
const ownFrom = mailbox('reset@school.example');

/** The reason of the refusal, or `answered`. */
function verdict(changes: Fields): string {
  const header = readMessageHeader(mail(changes), 10);
  assert.ok(header.kind === 'header');
  return refuseUnanswerable(header, oneTimeDomain, ownFrom)?.reason ?? 'answered';
}

table('what a person writes', verdict, [
  ['the prepared mail', {}, 'answered'],
  [
    'as a whole mail program writes it',
    { 'MIME-Version': '1.0', 'Content-Type': 'text/plain', 'X-Mailer': 'Post' },
    'answered',
  ],
  ['with a name of its own for replies', { 'Reply-To': 'other@mail.example' }, 'answered'],
]);

table('Auto-Submitted', (value: string) => verdict({ 'Auto-Submitted': value }), [
  ['no', 'no', 'answered'],
  ['NO', 'NO', 'answered'],
  ['no and a parameter', 'no; why=person', 'answered'],
  ['no and a parameter, no blank', 'no;why=person', 'answered'],
  ['no and a comment', 'no (person)', 'answered'],
  ['no, folded', '\r\n no\r\n ', 'answered'],
  ['auto-replied', 'auto-replied', 'automatic-mail'],
  ['auto-generated', 'auto-generated', 'automatic-mail'],
  ['auto-notified and a parameter', 'auto-notified; owner-email="amy@school.example"', 'automatic-mail'],
  ['capitals', 'AUTO-REPLIED', 'automatic-mail'],
  ['folded', '\r\n auto-replied', 'automatic-mail'],
  ['a word of the future', 'auto-dreamt', 'automatic-mail'],
  ['a word that begins with no', 'nothing', 'automatic-mail'],
  ['no with a comment in front, which is read by few', '(x) no', 'automatic-mail'],
  ['no in quotes', '"no"', 'automatic-mail'],
  ['no, and more', 'no,auto-replied', 'automatic-mail'],
  ['nothing: only a robot writes the field', '', 'automatic-mail'],
  ['a parameter without a word', '; auto-replied', 'automatic-mail'],
]);

table('lists', verdict, [
  ['List-Id', { 'List-Id': '<class.school.example>' }, 'automatic-mail'],
  ['List-Unsubscribe', { 'List-Unsubscribe': '<mailto:x@school.example>' }, 'automatic-mail'],
  ['List-Post', { 'List-Post': 'NO' }, 'automatic-mail'],
  ['a List- field of the future', { 'list-dream': 'x' }, 'automatic-mail'],
  ['a List- field without a value', { 'LIST-HELP': '' }, 'automatic-mail'],
  ['a field that only begins like it', { Listen: 'x' }, 'answered'],
  ['a field that only ends like it', { 'X-List-Id': 'x' }, 'answered'],
]);

table('Precedence', (value: string | readonly string[]) => verdict({ Precedence: value }), [
  ['bulk', 'bulk', 'automatic-mail'],
  ['junk', 'junk', 'automatic-mail'],
  ['list', 'list', 'automatic-mail'],
  ['capitals', 'Bulk', 'automatic-mail'],
  ['folded', '\r\n bulk ', 'automatic-mail'],
  ['the second of two', ['normal', 'bulk'], 'automatic-mail'],
  ['normal', 'normal', 'answered'],
  ['first-class', 'first-class', 'answered'],
  ['a word that begins like it', 'bulky', 'answered'],
]);

table('Content-Type', (value: string) => verdict({ 'Content-Type': value }), [
  ['a report', 'multipart/report; report-type=delivery-status; boundary="x"', 'automatic-mail'],
  ['a report in capitals', 'Multipart/REPORT', 'automatic-mail'],
  ['a report, folded', '\r\n multipart/report;\r\n boundary="x"', 'automatic-mail'],
  ['alternative texts', 'multipart/alternative; boundary="report"', 'answered'],
  ['a word that begins like it', 'multipart/reports', 'answered'],
  ['a report somewhere else', 'text/plain; name="multipart/report"', 'answered'],
]);

table('the author', (From: string) => verdict({ From }), [
  ['mailer-daemon', 'mailer-daemon@mail.example', 'automatic-mail'],
  ['MAILER-DAEMON', 'MAILER-DAEMON@mail.example', 'automatic-mail'],
  ['postmaster', 'Postmaster@mail.example', 'automatic-mail'],
  ['no-reply', 'no-reply@mail.example', 'automatic-mail'],
  ['noreply', 'NoReply@mail.example', 'automatic-mail'],
  ['bounce', 'bounce@mail.example', 'automatic-mail'],
  ['bounces', 'bounces@mail.example', 'automatic-mail'],
  ['a name that ends like mailer-daemon', 'my-mailer-daemon@mail.example', 'answered'],
  ['a name that begins like it', 'postmasters-cat@mail.example', 'answered'],
  ['a name that ends like it', 'amy.bounce@mail.example', 'answered'],
  ['a robot in the display name only', '"Postmaster" <amy@mail.example>', 'answered'],
  ['a robot as domain only', 'amy@postmaster.example', 'answered'],
  ['at the domain of the one-time addresses', 'k7m29qxf@in.school.example', 'automatic-mail'],
  ['at that domain in capitals', 'amy@IN.School.Example', 'automatic-mail'],
  ['at a domain below it', 'amy@x.in.school.example', 'answered'],
  ['at a domain that ends like it', 'amy@main.school.example', 'answered'],
  ['our own From', 'reset@school.example', 'automatic-mail'],
  ['our own From in other letters', 'Reset@SCHOOL.example', 'automatic-mail'],
  ['another mailbox of the organisation', 'amy@school.example', 'answered'],
  ['our own local part elsewhere', 'reset@mail.example', 'answered'],
]);

table('answers to other mails', verdict, [
  ['In-Reply-To', { 'In-Reply-To': '<1@mail.example>' }, 'answer-to-another-mail'],
  ['References', { References: '<1@mail.example> <2@mail.example>' }, 'answer-to-another-mail'],
  ['both', { 'In-Reply-To': '<1@mail.example>', References: '<1@mail.example>' }, 'answer-to-another-mail'],
  ['In-Reply-To in capitals', { 'IN-REPLY-TO': '<1@mail.example>' }, 'answer-to-another-mail'],
  ['an empty In-Reply-To', { 'In-Reply-To': '' }, 'answer-to-another-mail'],
  ['an empty References', { References: '' }, 'answer-to-another-mail'],
  ['Re: in the Subject alone proves nothing', { Subject: 'Re: New password KQXF-WTMB' }, 'answered'],
  ['an automatic answer is automatic first', { References: '<1@b.example>', Precedence: 'bulk' }, 'automatic-mail'],
]);

test('whatever marks a robot, all else may be as it likes', () => {
  const marks: readonly Fields[] = [
    { 'Auto-Submitted': 'auto-generated' },
    { 'List-Id': 'x' },
    { Precedence: 'junk' },
    { 'Content-Type': 'multipart/report' },
    { From: 'noreply@mail.example' },
  ];
  const rest = fc.record(
    {
      Subject: fc.constantFrom('x', ''),
      'X-A': fc.constant('y'),
      Received: fc.constant('z'),
      'Reply-To': fc.constant('a'),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...marks),
      rest,
      (mark, others) => verdict({ ...others, ...mark }) === 'automatic-mail',
    ),
    runs(100),
  );
});
