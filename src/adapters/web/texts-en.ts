// The pages in English: the source that the other languages follow.

import type { Texts } from './texts.ts';

export const en: Texts = {
  languageName: 'English',
  language: 'Language',
  errands: {
    reset: {
      heading: 'Set a new password',
      intro: 'You send us an email, we reply with a code, and you type that code in here.',
      mailBody: (site, label) => [
        'Please just send this email. You do not need to write anything.',
        `I want to set a new password at ${site}. My request is ${label}.`,
      ],
      done: 'Your new password is set. You have been logged out everywhere: please log in with it now. An email tells you about the change.',
      finished: 'This request is finished. If you still need a new password, please start again.',
      why: 'Only you can write from your mailbox and read our reply there. That is how we know that it is you who wants the new password.',
      noAccount: (mailbox) =>
        `No account uses ${mailbox}. Do you have another address? Then start again and write from that one. If not, please ask the people who run this site.`,
      chooseAccount: 'Which account needs the new password?',
      passwordHeading: 'Choose your new password',
      newPassword: 'New password',
      setPassword: 'Set the new password',
      other: 'My account is new and has no password yet',
    },
    activate: {
      heading: 'Activate your account',
      intro:
        'You choose the first password of an account that was made for you. You send us an email, we reply with a code, and you type that code in here.',
      mailBody: (site, label) => [
        'Please just send this email. You do not need to write anything.',
        `I want to set the first password of my account at ${site}. My request is ${label}.`,
      ],
      done: 'Your account is ready: log in with its name and the password you have just set. An email tells you about it.',
      finished: 'This request is finished. If your account has no password yet, please start again.',
      why: 'Only you can write from your mailbox and read our reply there. That is how we know that the account is yours.',
      noAccount: (mailbox) =>
        `No account uses ${mailbox}. Was another mailbox of yours invited? Then start again and write from that one. If not, please ask the people who made the account.`,
      chooseAccount: 'Which account do you want to activate?',
      passwordHeading: 'Choose your password',
      newPassword: 'Password',
      setPassword: 'Set the password',
      other: 'I had a password and have forgotten it',
      active: 'Active already',
      activeHelp: 'Log in with the password you have. If you have forgotten it, set a new one.',
    },
    confirm: {
      heading: 'Confirm your email address',
      intro:
        'You show us that the address is yours. You send us an email, we reply with a code, and you type that code in here.',
      mailBody: (site, label) => [
        'Please just send this email. You do not need to write anything.',
        `I want to confirm my address at ${site}. My request is ${label}.`,
      ],
      done: 'Your address is confirmed. You can close this page and go on where you came from.',
      finished: 'This request is finished. If your address is not confirmed yet, please start again.',
      why: 'Only you can write from your mailbox and read our reply there. That is how we know that the address is yours.',
      noAccount: (mailbox) =>
        `No account uses ${mailbox}, so there is nothing to confirm. Did you register with another address? Then start again and write from that one. If not, please ask the people who run this site.`,
      confirmHelp: 'We only note that this address is yours. Nothing else changes.',
      confirm: 'Confirm this address',
    },
  },
  renewed:
    'The page you had open before has expired. This one is new and has a new address: please send your email to this address.',
  stepMail: 'Send us an email',
  openMailApp: 'Open my email app',
  openTestMailbox: 'Open the test mailbox',
  justSend: 'Just press Send there, then come back to this page. You do not need to write anything.',
  orWebmail: 'Nothing opens? Then choose where you read your email. It opens in a new tab:',
  outlookAtWork: 'Outlook (school or work)',
  orPhone: 'Send it from your phone',
  phoneHelp:
    'Point the camera of your phone at this picture, tap what it shows you and press Send there. Then type our code into this page.',
  qrCode: 'QR code that opens the email on your phone',
  cannotSend: 'I cannot send an email',
  cannotSendHelp:
    'If you cannot send one from where you are, type the address of your account in. We then send a code there. Sending us an email is the safer way: please take it if you can.',
  typeAddress: 'Type my address in',
  typedHeading: 'Type your address in',
  typedIntro:
    'Type in the address that your account has with us. If an account uses it, we send an email with a code there, and you type that code into the page before this one.',
  typedLabel: 'Your email address',
  typedSubmit: 'Send me the code',
  orWriteTo: 'You can also write to this address yourself:',
  copyAddress: 'Copy the address',
  copied: 'Copied',
  labelHelp: (label) =>
    `Your request is called ${label}. Please leave this in the subject of your email, or type it there. You will see it in our reply, too.`,
  stepAnswer: 'Wait for our reply',
  progress: {
    'awaiting-mail': 'We are waiting for your email. It can take a minute or two. Please leave this page open.',
    'reply-queued': 'Your email is fine. Our reply is on its way to you.',
    'code-requested':
      'If an account uses the address you typed, an email with a code is on its way to it. Look there in a minute, in the junk or spam folder too.',
    'mail-arrived': 'Your email has arrived. We are checking that it is really from you.',
    'reply-delayed':
      'Your email is fine, but we could not deliver our reply yet. We keep trying; you do not need to do anything.',
    'reply-handed-over':
      'We have sent our reply. Look in the mailbox you wrote from, and in its junk or spam folder too.',
    'reply-failed':
      'We could not deliver our reply to your mailbox. Please start again and write from another address.',
    locked: 'Too many wrong codes were typed in, so this page is closed. Please start again.',
    verified: 'That was the right code.',
  },
  notFollowed: {
    'cookie-missing':
      'This page was open too long, or your browser keeps no cookies. Please open the page again. If you see this again, allow cookies for this site: you find that in the settings of your browser, under privacy.',
    'page-ended': 'This page has expired. Please start again.',
  },
  noConnection: 'There is no connection at the moment. This page keeps trying.',
  mailRefused: {
    'used-up': () => 'The address on this page can no longer be used. Please start again.',
    'too-many-messages': () => 'Too many emails came for this request. Please start again.',
    'too-big': () => 'Your email is too big. Please send it just as the button above prepares it, with nothing added.',
    unreadable: () => 'We could not read your email. Please press the button above and send the email just as it is.',
    'address-beyond-ascii': () =>
      'Your address has letters or signs that we cannot handle yet. Please write from another address.',
    'sender-unreadable': () => 'We could not read your address. Please send the email the way you usually send emails.',
    'write-a-new-one': () =>
      'Your email was a reply to another one, so we could not use it. Please write a new one with the button above.',
    'only-this-address': () =>
      'Your email was not addressed to this page alone, so we could not use it. Please send it to the address above and to nobody else.',
    checking: () =>
      'We are checking with your mail provider. This can take some minutes. You do not need to do anything.',
    'not-confirmed': () =>
      'We could not confirm that this email really came from your address. Please send it the way you usually send emails. If you did, show the details below to the person who looks after your email, or write from another address.',
    'asked-often': (wait) =>
      `You have asked several times. Our next reply can go out in ${wait}, or somewhat later. You do not need to send another email.`,
    'asked-too-often': (wait) => `You have asked very often. Please come back in ${wait} and start again.`,
  },
  detailsHeading: 'Details for the person who looks after your email',
  lookAgain: 'Check again',
  stepCode: 'Type the code in here',
  codeLabel: 'The 8 digits from our reply',
  pasteHelp: 'If you paste the code, the page goes on by itself.',
  submit: 'Continue',
  validUntil: ['You can use this page until ', '.'],
  startAgain: 'Start again',
  whyHeading: 'Why do I have to send an email?',
  why: [
    'Other sites email you a link. Mail filters open such links, and strangers can misuse them. Our reply holds only a code, which is worth nothing without this page.',
    'We look at who sent your email and at its subject. We do not keep the email.',
  ],
  continue: 'Continue',
  back: 'Back to the page',
  tellNobody: 'Type the code in here and nowhere else. We will never ask you for it by email, by phone or in person.',
  accountsHeading: 'Your mailbox is confirmed',
  wroteFrom: 'Our code went to',
  otherAccount: 'Choose another account',
  passwordFor: 'It is for the account',
  passwordHelp: (lengthMin) =>
    `At least ${lengthMin} characters. Four or five words that you will remember are best; blanks and all letters are allowed.`,
  samePassword: 'The same once more',
  showPassword: 'Show what I type',
  hidePassword: 'Hide what I type',
  passwordRefusals: {
    'password-missing': 'Please type a new password.',
    'passwords-differ': 'The two are not the same. Please type both once more.',
    'password-too-short': 'This password is too short. Please add a word or two.',
    'password-too-long': 'This password is too long for us. Please take one of at most 256 characters.',
    'password-unprintable':
      'This password has a character in it that cannot be typed, such as a tab or a line break. Please type it by hand.',
    'password-common':
      'Many people use this password, so it is one of the first that strangers try. Please take another one, or add some words.',
    'password-guessable':
      'This password is easy to guess: it is made of your name, of ours, or of the same characters again and again. Please take another one.',
  },
  secondFactorHeading: 'One more check',
  secondFactorFor: 'An app on a phone protects the account',
  secondFactorLabel: 'The 6 digits that your app shows now, or one of your recovery codes',
  secondFactorHelp:
    'You have neither the phone nor a recovery code? Then please ask the people who look after your account.',
  enrolOffer: {
    first:
      'Would you like to protect your account better? With an app on your phone, nobody can set a new password here who has got into your mailbox.',
    again: 'Have you got a new phone, or used up recovery codes? You can set up the app anew and get new codes.',
  },
  enrolHeading: 'Protect the account with an app',
  enrolIntro:
    'The app shows 6 digits that change every half minute. Whenever a new password is to be set here, we ask for them too.',
  enrolFor: 'It is about the account',
  enrolStepApp: 'Add us to your app',
  enrolScan: 'Open an authenticator app on your phone; if you have none, install one first. Let it scan this picture:',
  enrolQrCode: 'QR code for the app',
  enrolOnThisPhone: 'The app is on this device',
  enrolTyped: 'If that does not work, type this key into the app:',
  copyKey: 'Copy the key',
  enrolStepCode: 'Type what the app shows',
  enrolLabel: 'The 6 digits from the app',
  enrolSubmit: 'Turn it on',
  enrolNotNow: 'Not now',
  enrolled: 'The app now protects your account.',
  recoveryHeading: 'Your recovery codes',
  recoveryFor: 'If you lose your phone, each of these codes stands in for the 6 digits once. They are for the account',
  recoveryHelp: 'Print this page or write the codes down, and keep them where you keep important papers.',
  recoveryOnce: 'We show them only this once.',
  print: 'Print this page',
  recoveryKept: 'I have kept them',
  undoHeading: 'Undo a password change',
  undoIntro:
    'Did you get an email about a new password that you did not want? Type its code in here. Then the password from before works again, everybody is logged out, and no new password can be set until the people who look after your account have had a look.',
  undoLabel: 'The 16 letters and digits from our email',
  undoSubmit: 'Undo the change',
  undone:
    'The change was undone, and everybody has been logged out. If there was a password before, it works again. Please tell the people who look after your account: until they have had a look, no new password can be set here.',
  undoQuestion: 'I got an email about a change that was not mine',
  undoHelp:
    'That email has a code that undoes the change. Look at the address of this page, at the top of your browser: type undo in place of its last word, and enter the code on the page that opens.',
  errorHeading: 'That did not work',
  refusals: {
    'cookie-missing': () =>
      'This page was open too long, or your browser keeps no cookies. Please start again. If it happens again, allow cookies for this site: you find that in the settings of your browser, under privacy.',
    'cookie-invalid': () =>
      'The page you typed the code into has expired, so we could not use the code. This page is new and has a new address: please send your email again, to this address.',
    'cross-site': () => 'This came from another site, so we did nothing. Please start again from here.',
    'nonce-wrong': () =>
      'You typed the code into an older page, so we could not use it. The newer page has its own address and its own code: please go on there.',
    'code-malformed': () => 'A code has 8 digits. Please look at our reply and type all of them.',
    'mail-not-seen': () =>
      'No email has arrived for this page yet, so it has no code. A code from an earlier page does not work here. Please send your email, or wait a moment.',
    'code-wrong': ({ triesLeft }) =>
      `This is not the right code. Please look at our latest reply and type its 8 digits again. You have ${triesLeft === 1 ? 'one more try' : `${triesLeft} more tries`}.`,
    'code-expired': () =>
      'This code is too old. Please send your email or type your address again and wait for our new email: then the code works again.',
    'code-used': () =>
      'This code has already been used. If that was you, go back to the page and press Continue there. If not, please start again there.',
    'codes-exhausted': ({ wait }) =>
      `Too many wrong codes have been typed in today. Please wait ${wait}, or ask the people who look after your account.`,
    'challenge-locked': () => 'Too many wrong codes were typed in, so this page is closed. Please start again.',
    'challenge-expired': () =>
      'The page was open too long, so we could not use the code. This page is new and has a new address: please send your email again, to this address.',
    'grant-missing': () =>
      'For your safety, this page is shown only for a short time after the code was typed in. Please start again.',
    'account-changed': () =>
      'This account was changed a moment ago, in another window or by somebody else. If that was you, log in with the new password. If not, please choose the account once more.',
    'account-locked': () => 'This account is locked. Please ask the people who look after it.',
    'account-frozen': () =>
      'A change of this account was undone, so we set no new password until the people who look after it have had a look. Please ask them.',
    'account-active': () =>
      'This account has a password already. Please log in with it. If you have forgotten it, you can set a new one.',
    'second-factor-missing': () =>
      'An app protects this account, and its digits have not been typed in yet. Please go back, press Continue and choose the account once more.',
    'second-factor-wrong': () =>
      'This was not right. Please type the 6 digits that your app shows now; digits that were used once do not work again. Or take a recovery code that you have not used yet.',
    'second-factor-exhausted': ({ wait }) =>
      `That was wrong too often. Please wait ${wait} and start again then, or ask the people who look after your account.`,
    'enrolment-code-wrong': () =>
      'These are not the digits that the app should show. Please type those that it shows now. If that does not help, check whether the clock of your phone is right.',
    'enrolment-over': () =>
      'An app can be set up once, and only for a few minutes after a new password was set. If you still want to, please set a new password again.',
    'grant-used': () => 'This was sent once already. Go back to the page: it says what came of it.',
    'undo-not-needed': () => 'There is nothing left to undo: this change was undone already, or it never took place.',
    'undo-code-wrong': () =>
      'We do not know this code, or it is too late for it. Please compare it with our email. If it is too late, ask the people who look after your account.',
    'address-refused': () =>
      'We cannot send a code to this address. Please check it and type it again: one address, nothing before or after it.',
    'address-asked-often': ({ wait }) =>
      `This address was typed in often. Please wait ${wait}, or send us an email from it: that works at any time.`,
    'typing-exhausted': ({ wait }) =>
      `Too many addresses have been typed in, from your network or by everybody together. Please wait ${wait}, or send us an email: that works at any time.`,
    'addresses-exhausted': () => 'Too many emails and addresses were used for this request. Please start again.',
  },
  troubles: {
    'bad-request': 'We could not read what your browser sent. Please go back to the page and try again.',
    'not-found': 'This page does not exist.',
    'wrong-method': 'This page cannot be used like that.',
    'too-slow': 'Your request took too long to reach us. Please try again, perhaps with a better connection.',
    'too-large': 'That was more text than we can take. Please go back to the page and type less.',
    'not-a-form': 'We could not read what your browser sent. Please use the form on the page.',
    'too-many-requests':
      'A lot is being asked from your network right now. Please try again in one minute; nothing was lost.',
    'too-many-headers':
      'Your browser sent us more than we can read. Please delete the cookies of this site and try again.',
    unavailable: 'We cannot do this right now. Please try again in a minute; nothing was lost.',
    bug: 'Something went wrong on our side. Please try again; if it keeps happening, tell the people who run this site.',
  },
};
