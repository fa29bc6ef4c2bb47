// What pages learn about refused mail is bounded, and the oldest goes first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMailNotices } from '../../src/app/mail-notices.ts';

const notice = { sentence: 'not-confirmed', waitMs: 0, details: undefined } as const;
const later = { ...notice, sentence: 'too-big' } as const;

test('the latest notice of a challenge is told, until its mail is accepted', () => {
  const notices = createMailNotices();
  assert.equal(notices.get('a'), undefined);
  notices.put('a', notice);
  notices.put('a', later);
  assert.deepEqual(notices.get('a'), later);
  notices.put('a', undefined);
  assert.equal(notices.get('a'), undefined);
});

test('no more are kept than there is room for, and whoever was told longest ago is forgotten', () => {
  const notices = createMailNotices(3);
  for (const id of ['a', 'b', 'c', 'a', 'd']) notices.put(id, notice);
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => notices.get(id) !== undefined),
    [true, false, true, true],
  );
});
