// The pages in German, formal address.

import type { Texts } from './texts.ts';

export const de: Texts = {
  languageName: 'Deutsch',
  language: 'Sprache',
  heading: 'Neues Passwort festlegen',
  intro: 'Sie schicken uns eine E-Mail, wir antworten mit einem Code, und den geben Sie hier ein.',
  renewed:
    'Die Seite, die Sie vorher offen hatten, gilt nicht mehr. Diese hier ist neu und hat eine neue Adresse: Bitte schicken Sie Ihre E-Mail an diese Adresse.',
  stepMail: 'Schicken Sie uns eine E-Mail',
  openMailApp: 'Meine E-Mail-App öffnen',
  openTestMailbox: 'Test-Postfach öffnen',
  justSend: 'Drücken Sie dort einfach auf „Senden“. Sie müssen nichts dazuschreiben.',
  orWebmail: 'Es öffnet sich nichts? Dann schreiben Sie aus Ihrem Webmail, das sich in einem neuen Tab öffnet:',
  outlookAtWork: 'Outlook in Schule oder Arbeit',
  orPhone: 'Vom Handy aus schreiben',
  phoneHelp:
    'Halten Sie die Kamera Ihres Handys auf dieses Bild, öffnen Sie, was sie anbietet, und drücken Sie dort auf „Senden“. Unseren Code geben Sie dann hier ein.',
  qrCode: 'QR-Code, der die E-Mail auf Ihrem Handy öffnet',
  orWriteTo: 'Oder schreiben Sie selbst an diese Adresse:',
  copyAddress: 'Adresse kopieren',
  copied: 'Kopiert',
  labelHelp: (label) =>
    `Ihre Anfrage heißt ${label}. Bitte lassen Sie das im Betreff Ihrer E-Mail stehen, oder schreiben Sie es hinein. Es steht auch in unserer Antwort.`,
  mailBody: (site, label) => [
    'Bitte schicken Sie diese E-Mail einfach ab. Sie müssen nichts dazuschreiben.',
    `Ich möchte bei ${site} ein neues Passwort festlegen. Meine Anfrage heißt ${label}.`,
  ],
  stepAnswer: 'Warten Sie auf unsere Antwort',
  progress: {
    'awaiting-mail': 'Wir warten auf Ihre E-Mail. Das kann ein oder zwei Minuten dauern.',
    'reply-queued': 'Ihre E-Mail ist in Ordnung. Unsere Antwort ist unterwegs zu Ihnen.',
    'mail-arrived': 'Ihre E-Mail ist da. Wir prüfen, ob sie wirklich von Ihnen kommt.',
    'reply-delayed':
      'Ihre E-Mail ist in Ordnung, aber wir konnten unsere Antwort noch nicht abgeben. Wir versuchen es weiter; Sie müssen nichts tun.',
    'reply-handed-over': 'Unsere Antwort ist abgeschickt. Sehen Sie in Ihrem Postfach nach, auch im Spam-Ordner.',
    'reply-failed':
      'Ihr E-Mail-Anbieter hat unsere Antwort nicht angenommen. Bitte fangen Sie neu an und schreiben Sie uns von einer anderen Adresse.',
    locked: 'Der Code war zu oft falsch, deshalb ist diese Seite jetzt geschlossen. Bitte fangen Sie neu an.',
    finished: 'Diese Anfrage ist abgeschlossen. Wenn Sie noch eine brauchen, fangen Sie bitte neu an.',
    verified: 'Der Code war richtig.',
  },
  notFollowed: {
    'cookie-missing':
      'Ihr Browser behält keine Cookies für diese Website, deshalb können wir Ihre Anfrage nicht verfolgen. Bitte erlauben Sie Cookies für diese Website (in den Einstellungen Ihres Browsers unter „Datenschutz“) und öffnen Sie die Seite noch einmal.',
    'page-ended': 'Diese Seite gilt nicht mehr. Bitte fangen Sie neu an.',
  },
  noConnection: 'Im Moment besteht keine Verbindung. Die Seite versucht es weiter.',
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
  pasteHelp: 'Wenn Sie den Code einfügen, geht es von selbst weiter.',
  submit: 'Weiter',
  validUntil: ['Sie können diese Seite bis ', ' benutzen.'],
  startAgain: 'Neu anfangen',
  whyHeading: 'Warum muss ich eine E-Mail schicken?',
  why: [
    'Nur Sie können aus Ihrem Postfach schreiben und dort unsere Antwort lesen. Daran erkennen wir, dass wirklich Sie das neue Passwort wollen.',
    'Andere schicken Ihnen einen Link. Solche Links werden von E-Mail-Filtern geöffnet, und Fremde können sie missbrauchen. In unserer Antwort steht nur ein Code, und der ist ohne diese Seite nichts wert.',
    'Wir sehen uns an, wer Ihre E-Mail geschickt hat, und den Betreff. Wir bewahren sie nicht auf.',
  ],
  continue: 'Weiter',
  back: 'Zurück zur Seite',
  tellNobody: 'Geben Sie den Code an niemanden weiter. Niemand von uns wird Sie je danach fragen.',
  accountsHeading: 'Ihr Postfach ist bestätigt',
  wroteFrom: 'Ihre E-Mail kam von',
  chooseAccount: 'Für welches Konto brauchen Sie ein neues Passwort?',
  noAccount: (mailbox) =>
    `Zu ${mailbox} gehört kein Konto. Haben Sie noch eine andere Adresse? Dann fangen Sie neu an und schreiben Sie uns von dort.`,
  chosen: 'Sie haben dieses Konto gewählt:',
  endsHere:
    'Weiter geht es hier leider noch nicht: Das neue Passwort lässt sich noch nicht festlegen. An Ihrem Konto wurde nichts geändert.',
  otherAccount: 'Ein anderes Konto wählen',
  errorHeading: 'Das hat nicht geklappt',
  refusals: {
    'cookie-missing': () =>
      'Diese Seite war zu lange offen, oder Ihr Browser behält keine Cookies. Bitte fangen Sie neu an. Wenn es wieder geschieht, erlauben Sie Cookies für diese Website: Das geht in den Einstellungen Ihres Browsers unter „Datenschutz“.',
    'cookie-invalid': () =>
      'Die Seite, auf der Sie den Code eingegeben haben, gilt nicht mehr, deshalb konnten wir ihn nicht annehmen. Diese Seite ist neu und hat eine neue Adresse: Bitte schicken Sie Ihre E-Mail noch einmal, und zwar an diese Adresse.',
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
    'challenge-expired': () =>
      'Die Seite war zu lange offen, deshalb konnten wir den Code nicht annehmen. Diese Seite ist neu und hat eine neue Adresse: Bitte schicken Sie Ihre E-Mail noch einmal, und zwar an diese Adresse.',
    'grant-missing': () =>
      'Das können wir nur zeigen, wenn gerade eben ein Code eingegeben wurde. Bitte fangen Sie neu an.',
  },
  troubles: {
    'bad-request': 'Wir konnten nicht lesen, was Ihr Browser geschickt hat. Bitte fangen Sie neu an.',
    'not-found': 'Diese Seite gibt es hier nicht.',
    'wrong-method': 'So lässt sich diese Seite nicht benutzen.',
    'too-slow':
      'Ihre Anfrage hat zu lange gebraucht. Bitte versuchen Sie es noch einmal, vielleicht mit einer besseren Verbindung.',
    'too-large': 'Das war zu viel Text. Bitte geben Sie nur den Code ein.',
    'not-a-form':
      'Wir konnten nicht lesen, was Ihr Browser geschickt hat. Bitte benutzen Sie das Formular auf der Seite.',
    'too-many-headers':
      'Ihr Browser hat uns mehr geschickt, als wir lesen können. Bitte löschen Sie die Cookies dieser Website und versuchen Sie es noch einmal.',
    unavailable:
      'Das geht im Moment leider nicht. Bitte versuchen Sie es in einer Minute noch einmal. Es ist nichts verloren gegangen.',
    bug: 'Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal. Wenn es so bleibt, sagen Sie bitte denen Bescheid, die diese Website betreuen.',
  },
};
