// What an administrator may enter as an account, and the words for what is wrong.

import { entryProblems, type NewAccount, nameKey } from '../../src/core/account-entry.ts';
import { table } from '../support/core-table.ts';

const amy: NewAccount = { name: 'apond', description: 'Pupil', mailboxes: ['amy@school.example'] };
const odd = (field: string) => `its ${field} has a line break or another character that cannot be seen; take it away`;

table('an entry', entryProblems, [
  ['a plain one', amy, []],
  ['other writing', { ...amy, name: 'Zoë 李', description: '' }, []],
  ['no name', { ...amy, name: '' }, ['it has no name; give it one']],
  ['blanks around it', { ...amy, name: ' a' }, ['its name begins or ends with a blank; take that away']],
  ['too long', { ...amy, name: 'x'.repeat(201) }, ['its name has 201 characters; at most 200 are allowed']],
  ['a line break', { ...amy, description: 'a\nb' }, [odd('description')]],
  ['text that turns', { ...amy, name: 'a\u202eb' }, [odd('name')]],
  ['no mailbox', { ...amy, mailboxes: [] }, ['it has no mailbox; give at least one mail address']],
  [
    'one that is none',
    { ...amy, mailboxes: ['amy@', 'a b@c.example'] },
    [
      '"amy@" is not a plain mail address; write one such as amy.pond@school.example',
      '"a b@c.example" is not a plain mail address; write one such as amy.pond@school.example',
    ],
  ],
  [
    'one twice',
    { ...amy, mailboxes: ['amy@School.example', 'amy@school.example'] },
    ['amy@school.example stands there twice; take one away'],
  ],
  [
    'all at once',
    { name: '', description: '\u0000', mailboxes: [] },
    ['it has no name; give it one', odd('description'), 'it has no mailbox; give at least one mail address'],
  ],
]);

table('what of a name is unique', nameKey, [
  ['case', 'JÖRG', 'jörg'],
  ['width', 'ａmy', 'amy'],
]);
