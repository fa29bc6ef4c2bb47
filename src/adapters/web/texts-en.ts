// The pages in English: the source that the other languages follow.

import type { Texts } from './texts.ts';

export const en: Texts = {
  heading: 'Set a new password',
  intro: 'You send us a mail, we answer with a code, you type the code in here.',
  stepMail: 'Send us a mail',
  openMailApp: 'Open my mail app',
  openTestMailbox: 'Open the test mailbox',
  justSend: 'Just press Send, you need not write anything.',
  orWriteTo: 'Or write to this address yourself:',
  labelHelp: (label) => `Your request is ${label}. Keep it in the subject of your mail; our answer has it too.`,
  mailBody: (site, label) =>
    `Please just send this mail. You need not write anything.\n\nI want to set a new password at ${site}. My request is ${label}.`,
  stepAnswer: 'Wait for our answer',
  progress: {
    'awaiting-mail': 'We are waiting for your mail. It can take a minute or two.',
    'reply-queued': 'Your mail has come. Our answer is on its way to you.',
    'reply-handed-over': 'Our answer has been sent. Look in your mailbox, and in the junk folder too.',
    'reply-failed': 'Your mail provider did not take our answer. Please start again and write from another address.',
    locked: 'The code was wrong too often, so this page is closed. Please start again.',
    verified: 'The code was right.',
  },
  lookAgain: 'Look again',
  stepCode: 'Type the code in here',
  codeLabel: 'The 8 digits from our answer',
  submit: 'Continue',
  validUntil: (time) => `You can use this page until ${time}.`,
  startAgain: 'Start again',
  continue: 'Continue',
  back: 'Back to the page',
  tellNobody: 'Give the code to nobody. None of us will ever ask you for it.',
  accountsHeading: 'Your mailbox is confirmed',
  wroteFrom: 'You wrote from',
  accountsOf: 'These accounts belong to it:',
  noAccount: (mailbox) =>
    `No account uses ${mailbox}. Do you have another address? Then start again and write from that one.`,
  endsHere: 'This is as far as we have come: the new password cannot be set here yet. Your account was not changed.',
  errorHeading: 'That did not work',
  refusals: {
    'cookie-missing': () =>
      'Your browser did not send the cookie of this page. Please allow cookies for this site, and start again.',
    'cookie-invalid': () => 'This page is too old, or something changed it on the way. Please start again.',
    'cross-site': () => 'This came from another site, so we did nothing. Please start again from here.',
    'nonce-wrong': () => 'This page is no longer the current one. Please go back to the page that is.',
    'code-malformed': () => 'A code has 8 digits. Please look at our answer and type them all.',
    'mail-not-seen': () => 'Your mail has not come yet, so there is no code. Please send it first, or wait a moment.',
    'code-wrong': ({ triesLeft }) =>
      `This is not the code. Please compare it with our answer. You can try ${triesLeft === 1 ? 'once' : `${triesLeft} times`} more.`,
    'code-expired': () => 'This code is too old. Please send your mail once more: our answer makes it work again.',
    'code-used': () => 'This code has been used already. If it was you, go on; if not, please start again.',
    'codes-exhausted': ({ wait }) =>
      `Too many wrong codes today. Please wait ${wait}, or ask the people who look after your account.`,
    'challenge-locked': () => 'The code was wrong too often, so this page is closed. Please start again.',
    'challenge-expired': () => 'This page was open too long. Please start again.',
    'grant-missing': () => 'We cannot show this without a code that was just typed in. Please start again.',
  },
  troubles: {
    'bad-request': 'We could not read what your browser sent. Please start again.',
    'not-found': 'There is no such page here.',
    'wrong-method': 'This page cannot be used like that.',
    'too-large': 'That was too much text. Please type only the code.',
    'not-a-form': 'We could not read what your browser sent. Please use the form on the page.',
    unavailable: 'We cannot do this right now. Please try again in a minute; nothing was lost.',
    bug: 'Something went wrong on our side. Please try again; if it stays like this, tell the people who run this site.',
  },
};
