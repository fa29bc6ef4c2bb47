// The pages in German, formal address.

import type { Texts } from './texts.ts';

export const de: Texts = {
  heading: 'Neues Passwort festlegen',
  intro: 'Sie schicken uns eine E-Mail, wir antworten mit einem Code, und den geben Sie hier ein.',
  stepMail: 'Schicken Sie uns eine E-Mail',
  openMailApp: 'Meine E-Mail-App öffnen',
  openTestMailbox: 'Test-Postfach öffnen',
  justSend: 'Drücken Sie einfach auf „Senden“. Sie müssen nichts dazuschreiben.',
  orWriteTo: 'Oder schreiben Sie selbst an diese Adresse:',
  labelHelp: (label) =>
    `Ihre Anfrage heißt ${label}. Bitte lassen Sie das im Betreff Ihrer E-Mail stehen. Es steht auch in unserer Antwort.`,
  mailBody: (site, label) =>
    `Bitte schicken Sie diese E-Mail einfach ab. Sie müssen nichts dazuschreiben.\n\nIch möchte bei ${site} ein neues Passwort festlegen. Meine Anfrage heißt ${label}.`,
  stepAnswer: 'Warten Sie auf unsere Antwort',
  progress: {
    'awaiting-mail': 'Wir warten auf Ihre E-Mail. Das kann ein oder zwei Minuten dauern.',
    'reply-queued': 'Ihre E-Mail ist da. Unsere Antwort ist unterwegs zu Ihnen.',
    'reply-handed-over': 'Unsere Antwort ist abgeschickt. Sehen Sie in Ihrem Postfach nach, auch im Spam-Ordner.',
    'reply-failed':
      'Ihr E-Mail-Anbieter hat unsere Antwort nicht angenommen. Bitte fangen Sie neu an und schreiben Sie uns von einer anderen Adresse.',
    locked: 'Der Code war zu oft falsch, deshalb ist diese Seite jetzt geschlossen. Bitte fangen Sie neu an.',
    finished: 'Diese Anfrage ist abgeschlossen. Wenn Sie noch eine brauchen, fangen Sie bitte neu an.',
    verified: 'Der Code war richtig.',
  },
  mailRefused: {
    'used-up': () => 'Die Adresse auf dieser Seite ist verbraucht. Bitte fangen Sie neu an.',
    'too-many-messages': () => 'Für diese Anfrage kamen zu viele E-Mails. Bitte fangen Sie neu an.',
    'too-big': () => 'Ihre E-Mail ist zu groß. Bitte senden Sie nur den vorbereiteten Text.',
    unreadable: () =>
      'Wir konnten Ihre E-Mail nicht lesen. Bitte drücken Sie auf die Schaltfläche und senden Sie den vorbereiteten Text so, wie er ist.',
    'address-beyond-ascii': () =>
      'Ihre Adresse hat Zeichen, mit denen wir noch nicht umgehen können. Bitte schreiben Sie von einer anderen Adresse.',
    'sender-unreadable': () =>
      'Wir konnten Ihre Absenderadresse nicht lesen. Bitte nehmen Sie Ihr gewohntes E-Mail-Programm oder Webmail.',
    'write-a-new-one': () =>
      'Bitte schreiben Sie mit der Schaltfläche eine neue E-Mail, statt auf eine andere zu antworten.',
    'only-this-address': () => 'Bitte senden Sie Ihre E-Mail an die Adresse, die hier steht, und an niemanden sonst.',
    checking: () => 'Wir fragen bei Ihrem E-Mail-Anbieter nach. Das kann einige Minuten dauern.',
    'not-confirmed': () =>
      'Wir konnten nicht bestätigen, dass diese E-Mail von Ihrem E-Mail-Anbieter kam. Bitte senden Sie sie aus Ihrem gewohnten E-Mail-Programm oder Webmail.',
    'asked-often': (wait) =>
      `Sie haben schon mehrmals geschrieben. Unsere nächste Antwort geht in ${wait} oder etwas später hinaus; Sie müssen keine neue E-Mail senden.`,
    'asked-too-often': (wait) =>
      `Sie haben sehr oft geschrieben. Bitte kommen Sie in ${wait} wieder und fangen Sie neu an.`,
  },
  detailsHeading: 'Einzelheiten für alle, die Ihre E-Mail betreuen',
  lookAgain: 'Noch einmal nachsehen',
  stepCode: 'Geben Sie den Code hier ein',
  codeLabel: 'Die 8 Ziffern aus unserer Antwort',
  submit: 'Weiter',
  validUntil: (time) => `Sie können diese Seite bis ${time} benutzen.`,
  startAgain: 'Neu anfangen',
  continue: 'Weiter',
  back: 'Zurück zur Seite',
  tellNobody: 'Geben Sie den Code an niemanden weiter. Niemand von uns wird Sie je danach fragen.',
  accountsHeading: 'Ihr Postfach ist bestätigt',
  wroteFrom: 'Ihre E-Mail kam von',
  accountsOf: 'Konten mit dieser Adresse:',
  noAccount: (mailbox) =>
    `Zu ${mailbox} gehört kein Konto. Haben Sie noch eine andere Adresse? Dann fangen Sie neu an und schreiben Sie uns von dort.`,
  endsHere:
    'Weiter geht es hier leider noch nicht: Das neue Passwort lässt sich noch nicht festlegen. An Ihrem Konto wurde nichts geändert.',
  errorHeading: 'Das hat nicht geklappt',
  refusals: {
    'cookie-missing': () =>
      'Diese Seite war zu lange offen, oder Ihr Browser behält keine Cookies. Bitte fangen Sie neu an; wenn es wieder geschieht, erlauben Sie Cookies für diese Seite.',
    'cookie-invalid': () => 'Diese Seite ist zu alt, oder etwas hat sie unterwegs verändert. Bitte fangen Sie neu an.',
    'cross-site': () =>
      'Das kam von einer anderen Website, deshalb haben wir nichts getan. Bitte fangen Sie hier neu an.',
    'nonce-wrong': () => 'Diese Seite ist nicht mehr aktuell. Bitte gehen Sie zurück zur aktuellen Seite.',
    'code-malformed': () => 'Ein Code hat 8 Ziffern. Bitte sehen Sie in unserer Antwort nach und geben Sie alle ein.',
    'mail-not-seen': () =>
      'Ihre E-Mail ist noch nicht da, deshalb gibt es noch keinen Code. Bitte schicken Sie sie zuerst ab, oder warten Sie einen Moment.',
    'code-wrong': ({ triesLeft }) =>
      `Das ist nicht der Code. Bitte vergleichen Sie ihn mit unserer Antwort. Sie haben noch ${triesLeft === 1 ? 'einen Versuch' : `${triesLeft} Versuche`}.`,
    'code-expired': () =>
      'Dieser Code ist zu alt. Bitte schicken Sie Ihre E-Mail noch einmal: Mit unserer neuen Antwort gilt er wieder.',
    'code-used': () =>
      'Dieser Code wurde schon benutzt. Waren Sie das? Dann machen Sie weiter. Wenn nicht, fangen Sie bitte neu an.',
    'codes-exhausted': ({ wait }) =>
      `Heute gab es zu viele falsche Codes. Bitte warten Sie ${wait}, oder fragen Sie bei denen nach, die sich um Ihr Konto kümmern.`,
    'challenge-locked': () =>
      'Der Code war zu oft falsch, deshalb ist diese Seite jetzt geschlossen. Bitte fangen Sie neu an.',
    'challenge-expired': () => 'Diese Seite war zu lange offen. Bitte fangen Sie neu an.',
    'grant-missing': () =>
      'Das können wir nur zeigen, wenn gerade eben ein Code eingegeben wurde. Bitte fangen Sie neu an.',
  },
  troubles: {
    'bad-request': 'Wir konnten nicht lesen, was Ihr Browser geschickt hat. Bitte fangen Sie neu an.',
    'not-found': 'Diese Seite gibt es hier nicht.',
    'wrong-method': 'So lässt sich diese Seite nicht benutzen.',
    'too-large': 'Das war zu viel Text. Bitte geben Sie nur den Code ein.',
    'not-a-form':
      'Wir konnten nicht lesen, was Ihr Browser geschickt hat. Bitte benutzen Sie das Formular auf der Seite.',
    unavailable:
      'Das geht im Moment leider nicht. Bitte versuchen Sie es in einer Minute noch einmal. Es ist nichts verloren gegangen.',
    bug: 'Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal. Wenn es so bleibt, sagen Sie bitte denen Bescheid, die diese Website betreuen.',
  },
};
