// The pages in English: the source that the other languages follow.

import type { Texts } from './texts.ts';

export const en: Texts = {
  languageName: 'English',
  language: 'Language',
  heading: 'Set a new password',
  intro: 'You send us a mail, we answer with a code, you type the code in here.',
  renewed:
    'The page you had open before has ended. This one is new and has a new address: please send your mail to this address.',
  stepMail: 'Send us a mail',
  openMailApp: 'Open my mail app',
  openTestMailbox: 'Open the test mailbox',
  justSend: 'Just press Send there. You need not write anything.',
  orWebmail: 'Nothing opens? Then write from your webmail, which opens in another tab:',
  outlookAtWork: 'Outlook at school or work',
  orPhone: 'Write from your phone',
  phoneHelp:
    'Point the camera of your phone at this picture, open what it offers and press Send there. Then type our code in here.',
  qrCode: 'QR code that opens the mail on your phone',
  orWriteTo: 'Or write to this address yourself:',
  copyAddress: 'Copy the address',
  copied: 'Copied',
  labelHelp: (label) =>
    `Your request is ${label}. Please leave it in the subject of your mail, or write it there. You find it in our answer, too.`,
  mailBody: (site, label) => [
    'Please just send this mail. You need not write anything.',
    `I want to set a new password at ${site}. My request is ${label}.`,
  ],
  stepAnswer: 'Wait for our answer',
  progress: {
    'awaiting-mail': 'We are waiting for your mail. It can take a minute or two.',
    'reply-queued': 'Your mail is fine. Our answer is on its way to you.',
    'mail-arrived': 'Your mail has come. We are checking that it is really from you.',
    'reply-delayed':
      'Your mail is fine, but our answer could not be handed over yet. We keep trying; you need not do anything.',
    'reply-handed-over': 'Our answer has been sent. Look in your mailbox, and in the junk folder too.',
    'reply-failed': 'Your mail provider did not take our answer. Please start again and write from another address.',
    locked: 'The code was wrong too often, so this page is closed. Please start again.',
    verified: 'The code was right.',
    finished: 'This request is finished. Please start again if you need another one.',
  },
  notFollowed: {
    'cookie-missing':
      'Your browser keeps no cookies for this site, so we cannot follow your request. Please allow cookies for this site, in the settings of your browser under privacy, and open this page again.',
    'page-ended': 'This page has ended. Please start again.',
  },
  noConnection: 'There is no connection at the moment. This page keeps trying.',
  mailRefused: {
    'used-up': () => 'The address on this page is used up. Please start again.',
    'too-many-messages': () => 'Too many messages came for this request. Please start again.',
    'too-big': () => 'Your message is too big. Please send only the prepared text.',
    unreadable: () => 'We could not read your message. Please press the button and send the prepared text as it is.',
    'address-beyond-ascii': () =>
      'Your address has characters that we do not support yet. Please write from another address.',
    'sender-unreadable': () => 'We could not read your sender address. Please use your usual mail program or webmail.',
    'write-a-new-one': () => 'Please use the button for a new message instead of replying to another one.',
    'only-this-address': () => 'Please send your mail to the address shown here, and to nobody else.',
    checking: () => 'We are checking with your mail provider. This can take some minutes.',
    'not-confirmed': () =>
      'We could not confirm that this mail came from your mail provider. Please send it from your usual mail program or webmail.',
    'asked-often': (wait) =>
      `You have asked several times. Our next answer goes out in ${wait} or a little later; you need not send another mail.`,
    'asked-too-often': (wait) => `You have asked very often. Please come back in ${wait} and start again.`,
  },
  detailsHeading: 'Details for whoever looks after your mail',
  lookAgain: 'Look again',
  stepCode: 'Type the code in here',
  codeLabel: 'The 8 digits from our answer',
  pasteHelp: 'If you paste the code, the page goes on by itself.',
  submit: 'Continue',
  validUntil: ['You can use this page until ', '.'],
  startAgain: 'Start again',
  whyHeading: 'Why do I have to send a mail?',
  why: [
    'Only you can write from your mailbox and read our answer there. That is how we know that it is you who wants the new password.',
    'Other sites mail you a link. Mail filters open such links, and strangers can misuse them. Our answer has only a code, which is worth nothing without this page.',
    'We look at who sent your mail and at its subject. We do not keep it.',
  ],
  continue: 'Continue',
  back: 'Back to the page',
  tellNobody: 'Give the code to nobody. None of us will ever ask you for it.',
  accountsHeading: 'Your mailbox is confirmed',
  wroteFrom: 'You wrote from',
  chooseAccount: 'Which account needs the new password?',
  noAccount: (mailbox) =>
    `No account uses ${mailbox}. Do you have another address? Then start again and write from that one.`,
  chosen: 'You have chosen',
  endsHere: 'This is as far as we have come: the new password cannot be set here yet. Your account was not changed.',
  otherAccount: 'Choose another account',
  errorHeading: 'That did not work',
  refusals: {
    'cookie-missing': () =>
      'This page was open too long, or your browser keeps no cookies. Please start again. If it happens again, allow cookies for this site: you find that in the settings of your browser, under privacy.',
    'cookie-invalid': () =>
      'The page you typed the code into has ended, so we could not use the code. This page is new and has a new address: please send your mail once more, to this address.',
    'cross-site': () => 'This came from another site, so we did nothing. Please start again from here.',
    'nonce-wrong': () => 'This page is no longer the current one. Please go back to the page that is.',
    'code-malformed': () => 'A code has 8 digits. Please look at our answer and type them all.',
    'mail-not-seen': () => 'Your mail has not come yet, so there is no code. Please send it first, or wait a moment.',
    'code-wrong': ({ triesLeft }) =>
      `This is not the code. Please compare it with our answer. You have ${triesLeft === 1 ? 'one more try' : `${triesLeft} more tries`}.`,
    'code-expired': () => 'This code is too old. Please send your mail once more: our answer makes it work again.',
    'code-used': () => 'This code has been used already. If it was you, go on; if not, please start again.',
    'codes-exhausted': ({ wait }) =>
      `Too many wrong codes today. Please wait ${wait}, or ask the people who look after your account.`,
    'challenge-locked': () => 'The code was wrong too often, so this page is closed. Please start again.',
    'challenge-expired': () =>
      'The page was open too long, so we could not use the code. This page is new and has a new address: please send your mail once more, to this address.',
    'grant-missing': () => 'We cannot show this without a code that was just typed in. Please start again.',
  },
  troubles: {
    'bad-request': 'We could not read what your browser sent. Please start again.',
    'not-found': 'There is no such page here.',
    'wrong-method': 'This page cannot be used like that.',
    'too-slow': 'Your request took too long to reach us. Please try again, perhaps with a better connection.',
    'too-large': 'That was too much text. Please type only the code.',
    'not-a-form': 'We could not read what your browser sent. Please use the form on the page.',
    'too-many-headers':
      'Your browser sent us more than we can read. Please delete the cookies of this site and try again.',
    unavailable: 'We cannot do this right now. Please try again in a minute; nothing was lost.',
    bug: 'Something went wrong on our side. Please try again; if it stays like this, tell the people who run this site.',
  },
};
