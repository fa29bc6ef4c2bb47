// The one table from refusal to HTTP answer: status (RFC 9110 §15), where it is shown, and the level in the log is info.
// The words are in texts.ts, under the same names.

import type { FormRefusalReason } from '../../core/refusal.ts';

/**
 * `form`: the page is shown again with the message at the field. `renewed`: its challenge is gone, so a new one is shown
 * with the message on top. `page`: a page of its own, which leads back to the same challenge or to a new one.
 */
export type WebReply =
  | { readonly status: number; readonly shown: 'form' | 'renewed' }
  | { readonly status: number; readonly shown: 'page'; readonly wayOn: 'back' | 'start-again' };

export const webReplies: Readonly<Record<FormRefusalReason, WebReply>> = {
  'cookie-missing': { status: 403, shown: 'page', wayOn: 'start-again' },
  'cookie-invalid': { status: 400, shown: 'renewed' },
  'cross-site': { status: 403, shown: 'page', wayOn: 'start-again' },
  'nonce-wrong': { status: 403, shown: 'page', wayOn: 'back' },
  'code-malformed': { status: 422, shown: 'form' },
  'mail-not-seen': { status: 422, shown: 'form' },
  'code-wrong': { status: 422, shown: 'form' },
  'code-expired': { status: 410, shown: 'form' },
  'code-used': { status: 409, shown: 'page', wayOn: 'back' },
  'codes-exhausted': { status: 429, shown: 'page', wayOn: 'back' },
  'challenge-locked': { status: 403, shown: 'page', wayOn: 'start-again' },
  'challenge-expired': { status: 410, shown: 'renewed' },
  'grant-missing': { status: 403, shown: 'page', wayOn: 'start-again' },
  'grant-used': { status: 409, shown: 'page', wayOn: 'back' },
  'account-changed': { status: 409, shown: 'page', wayOn: 'back' },
  'account-locked': { status: 403, shown: 'page', wayOn: 'back' },
  'account-frozen': { status: 403, shown: 'page', wayOn: 'back' },
  'account-active': { status: 409, shown: 'page', wayOn: 'back' },
  'second-factor-missing': { status: 403, shown: 'page', wayOn: 'back' },
  'second-factor-wrong': { status: 422, shown: 'page', wayOn: 'back' },
  'second-factor-exhausted': { status: 429, shown: 'page', wayOn: 'back' },
  'enrolment-code-wrong': { status: 422, shown: 'page', wayOn: 'back' },
  'enrolment-over': { status: 403, shown: 'page', wayOn: 'back' },
  'undo-not-needed': { status: 409, shown: 'page', wayOn: 'back' },
  'undo-code-wrong': { status: 422, shown: 'page', wayOn: 'back' },
  'address-refused': { status: 422, shown: 'page', wayOn: 'back' },
  'address-asked-often': { status: 429, shown: 'page', wayOn: 'back' },
  'typing-exhausted': { status: 429, shown: 'page', wayOn: 'back' },
  'addresses-exhausted': { status: 403, shown: 'page', wayOn: 'start-again' },
};

/** What is no refusal of ours: a bad request, something missing, trouble behind us, a bug. */
export type Trouble =
  | 'bad-request'
  | 'not-found'
  | 'wrong-method'
  | 'too-slow'
  | 'too-large'
  | 'not-a-form'
  | 'too-many-requests'
  | 'too-many-headers'
  | 'unavailable'
  | 'bug';

export const troubles: Readonly<Record<Trouble, number>> = {
  'bad-request': 400,
  'not-found': 404,
  'wrong-method': 405,
  'too-slow': 408,
  'too-large': 413,
  'not-a-form': 415,
  'too-many-requests': 429, // RFC 6585 §4
  'too-many-headers': 431,
  unavailable: 503,
  bug: 500,
};
