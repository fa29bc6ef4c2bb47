// The pages in German, formal address.

import type { Texts } from './texts.ts';

export const de: Texts = {
  languageName: 'Deutsch',
  language: 'Sprache',
  errands: {
    reset: {
      heading: 'Neues Passwort festlegen',
      intro: 'Sie schicken uns eine E-Mail, wir antworten mit einem Code, und den geben Sie hier ein.',
      mailBody: (site, label) => [
        'Bitte schicken Sie diese E-Mail einfach ab. Sie müssen nichts dazuschreiben.',
        `Ich möchte bei ${site} ein neues Passwort festlegen. Meine Anfrage heißt ${label}.`,
      ],
      done: 'Ihr neues Passwort gilt ab jetzt. Sie wurden überall abgemeldet: Bitte melden Sie sich jetzt damit an. Eine E-Mail berichtet Ihnen von der Änderung.',
      finished: 'Diese Anfrage ist abgeschlossen. Wenn Sie noch ein neues Passwort brauchen, fangen Sie bitte neu an.',
      why: 'Nur Sie können aus Ihrem Postfach schreiben und dort unsere Antwort lesen. Daran erkennen wir, dass wirklich Sie das neue Passwort wollen.',
      noAccount: (mailbox) =>
        `Zu ${mailbox} gehört kein Konto. Haben Sie noch eine andere Adresse? Dann fangen Sie neu an und schreiben Sie uns von dort. Wenn nicht, fragen Sie bitte bei denen nach, die diese Website betreuen.`,
      chooseAccount: 'Für welches Konto brauchen Sie ein neues Passwort?',
      passwordHeading: 'Wählen Sie Ihr neues Passwort',
      newPassword: 'Neues Passwort',
      setPassword: 'Neues Passwort festlegen',
      other: 'Mein Konto ist neu und hat noch kein Passwort',
    },
    activate: {
      heading: 'Konto aktivieren',
      intro:
        'Sie wählen das erste Passwort für ein Konto, das für Sie angelegt wurde. Sie schicken uns eine E-Mail, wir antworten mit einem Code, und den geben Sie hier ein.',
      mailBody: (site, label) => [
        'Bitte schicken Sie diese E-Mail einfach ab. Sie müssen nichts dazuschreiben.',
        `Ich möchte bei ${site} das erste Passwort meines Kontos festlegen. Meine Anfrage heißt ${label}.`,
      ],
      done: 'Ihr Konto ist bereit: Melden Sie sich mit dem Namen des Kontos und dem Passwort an, das Sie gerade festgelegt haben. Eine E-Mail berichtet Ihnen davon.',
      finished: 'Diese Anfrage ist abgeschlossen. Wenn Ihr Konto noch kein Passwort hat, fangen Sie bitte neu an.',
      why: 'Nur Sie können aus Ihrem Postfach schreiben und dort unsere Antwort lesen. Daran erkennen wir, dass das Konto wirklich Ihres ist.',
      noAccount: (mailbox) =>
        `Zu ${mailbox} gehört kein Konto. Ging die Einladung an ein anderes Postfach? Dann fangen Sie neu an und schreiben Sie uns von dort. Wenn nicht, fragen Sie bitte bei denen nach, die das Konto angelegt haben.`,
      chooseAccount: 'Welches Konto möchten Sie aktivieren?',
      passwordHeading: 'Wählen Sie Ihr Passwort',
      newPassword: 'Passwort',
      setPassword: 'Passwort festlegen',
      other: 'Ich hatte ein Passwort und habe es vergessen',
      active: 'Schon aktiv',
      activeHelp:
        'Melden Sie sich mit dem Passwort an, das Sie haben. Wenn Sie es vergessen haben, legen Sie ein neues fest.',
    },
    confirm: {
      heading: 'E\u2011Mail-Adresse bestätigen',
      intro:
        'Sie zeigen uns, dass die Adresse Ihnen gehört. Sie schicken uns eine E-Mail, wir antworten mit einem Code, und den geben Sie hier ein.',
      mailBody: (site, label) => [
        'Bitte schicken Sie diese E-Mail einfach ab. Sie müssen nichts dazuschreiben.',
        `Ich möchte bei ${site} meine Adresse bestätigen. Meine Anfrage heißt ${label}.`,
      ],
      done: 'Ihre Adresse ist bestätigt. Sie können diese Seite schließen und dort weitermachen, wo Sie vorher waren.',
      finished: 'Diese Anfrage ist abgeschlossen. Wenn Ihre Adresse noch nicht bestätigt ist, fangen Sie bitte neu an.',
      why: 'Nur Sie können aus Ihrem Postfach schreiben und dort unsere Antwort lesen. Daran erkennen wir, dass die Adresse wirklich Ihre ist.',
      noAccount: (mailbox) =>
        `Zu ${mailbox} gehört kein Konto, deshalb gibt es nichts zu bestätigen. Haben Sie sich mit einer anderen Adresse angemeldet? Dann fangen Sie neu an und schreiben Sie uns von dort. Wenn nicht, fragen Sie bitte bei denen nach, die diese Website betreuen.`,
      confirmHelp: 'Wir halten nur fest, dass diese Adresse Ihnen gehört. Sonst ändert sich nichts.',
      confirm: 'Diese Adresse bestätigen',
    },
  },
  renewed:
    'Die Seite, die Sie vorher offen hatten, gilt nicht mehr. Diese hier ist neu und hat eine neue Adresse: Bitte schicken Sie Ihre E-Mail an diese Adresse.',
  stepMail: 'Schicken Sie uns eine E\u2011Mail',
  openMailApp: 'Meine E-Mail-App öffnen',
  openTestMailbox: 'Test-Postfach öffnen',
  justSend:
    'Drücken Sie dort einfach auf „Senden“ und kommen Sie dann auf diese Seite zurück. Sie müssen nichts dazuschreiben.',
  orWebmail: 'Es öffnet sich nichts? Dann wählen Sie aus, wo Sie Ihre E-Mails lesen. Es öffnet sich ein neuer Tab:',
  outlookAtWork: 'Outlook (Schule, Arbeit)',
  orPhone: 'Vom Handy aus senden',
  phoneHelp:
    'Richten Sie die Kamera Ihres Handys auf dieses Bild, tippen Sie auf das, was sie anzeigt, und drücken Sie dort auf „Senden“. Unseren Code geben Sie dann auf dieser Seite ein.',
  qrCode: 'QR-Code, der die E-Mail auf Ihrem Handy öffnet',
  cannotSend: 'Ich kann keine E\u2011Mail schicken',
  cannotSendHelp:
    'Wenn Sie von hier aus keine schicken können, tippen Sie die Adresse Ihres Kontos ein. Wir schicken dann einen Code dorthin. Sicherer ist es, wenn Sie uns eine E-Mail schicken: Bitte tun Sie das, wenn Sie können.',
  typeAddress: 'Meine Adresse eintippen',
  typedHeading: 'Tippen Sie Ihre Adresse ein',
  typedIntro:
    'Tippen Sie die Adresse ein, die Ihr Konto bei uns hat. Wenn ein Konto sie hat, schicken wir eine E-Mail mit einem Code dorthin, und Sie tippen den Code auf der vorigen Seite ein.',
  typedLabel: 'Ihre E-Mail-Adresse',
  typedSubmit: 'Code schicken',
  orWriteTo: 'Sie können auch selbst an diese Adresse schreiben:',
  copyAddress: 'Adresse kopieren',
  copied: 'Kopiert',
  labelHelp: (label) =>
    `Ihre Anfrage heißt ${label}. Bitte lassen Sie das im Betreff Ihrer E-Mail stehen, oder schreiben Sie es hinein. Es steht auch in unserer Antwort.`,
  stepAnswer: 'Warten Sie auf unsere Antwort',
  progress: {
    'awaiting-mail':
      'Wir warten auf Ihre E-Mail. Das kann ein oder zwei Minuten dauern. Bitte lassen Sie diese Seite offen.',
    'reply-queued': 'Ihre E-Mail ist in Ordnung. Unsere Antwort ist unterwegs zu Ihnen.',
    'code-requested':
      'Wenn ein Konto die Adresse hat, die Sie eingetippt haben, ist eine E-Mail mit einem Code dorthin unterwegs. Sehen Sie in einer Minute dort nach, auch im Spam- oder Junk-Ordner.',
    'mail-arrived': 'Ihre E-Mail ist da. Wir prüfen, ob sie wirklich von Ihnen kommt.',
    'reply-delayed':
      'Ihre E-Mail ist in Ordnung, aber wir konnten unsere Antwort noch nicht zustellen. Wir versuchen es weiter; Sie müssen nichts tun.',
    'reply-handed-over':
      'Unsere Antwort ist abgeschickt. Sehen Sie in dem Postfach nach, aus dem Sie geschrieben haben, auch im Spam- oder Junk-Ordner.',
    'reply-failed':
      'Unsere Antwort ließ sich nicht zustellen. Bitte fangen Sie neu an und schreiben Sie uns von einer anderen Adresse.',
    locked:
      'Es wurden zu viele falsche Codes eingegeben, deshalb ist diese Seite jetzt geschlossen. Bitte fangen Sie neu an.',
    verified: 'Der Code war richtig.',
  },
  notFollowed: {
    'cookie-missing':
      'Diese Seite war zu lange offen, oder Ihr Browser speichert keine Cookies. Bitte öffnen Sie die Seite noch einmal. Wenn das wieder passiert, erlauben Sie Cookies für diese Website: Das geht in den Einstellungen Ihres Browsers unter „Datenschutz“.',
    'page-ended': 'Diese Seite gilt nicht mehr. Bitte fangen Sie neu an.',
  },
  noConnection: 'Im Moment besteht keine Verbindung. Die Seite versucht es weiter.',
  mailRefused: {
    'used-up': () => 'Die Adresse auf dieser Seite gilt nicht mehr. Bitte fangen Sie neu an.',
    'too-many-messages': () => 'Für diese Anfrage kamen zu viele E-Mails. Bitte fangen Sie neu an.',
    'too-big': () =>
      'Ihre E-Mail ist zu groß. Bitte senden Sie sie genau so, wie die Schaltfläche oben sie vorbereitet, ohne etwas anzuhängen.',
    unreadable: () =>
      'Wir konnten Ihre E-Mail nicht lesen. Bitte drücken Sie auf die Schaltfläche und senden Sie den vorbereiteten Text so, wie er ist.',
    'address-beyond-ascii': () =>
      'Ihre Adresse enthält Zeichen, mit denen wir noch nicht umgehen können. Bitte schreiben Sie von einer anderen Adresse.',
    'sender-unreadable': () =>
      'Wir konnten Ihre Absenderadresse nicht lesen. Bitte nehmen Sie Ihr gewohntes E-Mail-Programm oder Webmail.',
    'write-a-new-one': () =>
      'Ihre E-Mail war eine Antwort auf eine andere, deshalb konnten wir sie nicht annehmen. Bitte schreiben Sie mit der Schaltfläche oben eine neue.',
    'only-this-address': () =>
      'Ihre E-Mail ging nicht nur an diese Seite, deshalb konnten wir sie nicht annehmen. Bitte senden Sie sie an die Adresse oben und an niemanden sonst.',
    checking: () => 'Wir fragen bei Ihrem E-Mail-Anbieter nach. Das kann einige Minuten dauern.',
    'not-confirmed': () =>
      'Wir konnten nicht bestätigen, dass diese E-Mail wirklich von Ihrer Adresse kam. Bitte senden Sie sie so, wie Sie sonst E-Mails senden. Haben Sie das schon getan? Dann zeigen Sie die Einzelheiten unten der Person, die Ihre E-Mail betreut, oder schreiben Sie von einer anderen Adresse.',
    'asked-often': (wait) =>
      `Sie haben schon mehrmals geschrieben. Unsere nächste Antwort kann in ${wait} oder etwas später kommen; Sie müssen keine neue E-Mail senden.`,
    'asked-too-often': (wait) =>
      `Sie haben sehr oft geschrieben. Bitte kommen Sie in ${wait} wieder und fangen Sie neu an.`,
  },
  detailsHeading: 'Einzelheiten für die Person, die Ihre E-Mail betreut',
  lookAgain: 'Noch einmal nachsehen',
  stepCode: 'Geben Sie den Code hier ein',
  codeLabel: 'Die 8 Ziffern aus unserer Antwort',
  pasteHelp: 'Wenn Sie den Code einfügen, geht es von selbst weiter.',
  submit: 'Weiter',
  validUntil: ['Diese Seite gilt bis ', '.'],
  startAgain: 'Neu anfangen',
  whyHeading: 'Warum muss ich eine E\u2011Mail schicken?',
  why: [
    'Andere Websites schicken Ihnen einen Link. Solche Links werden von E-Mail-Filtern geöffnet, und Fremde können sie missbrauchen. In unserer Antwort steht nur ein Code, und der ist ohne diese Seite nichts wert.',
    'Wir sehen uns an, wer Ihre E-Mail geschickt hat, und den Betreff. Wir bewahren sie nicht auf.',
  ],
  continue: 'Weiter',
  back: 'Zurück zur Seite',
  tellNobody:
    'Geben Sie den Code nur hier ein. Wir fragen Sie nie danach, weder per E-Mail noch am Telefon noch persönlich.',
  accountsHeading: 'Ihr Postfach ist bestätigt',
  wroteFrom: 'Unser Code ging an',
  otherAccount: 'Ein anderes Konto wählen',
  passwordFor: 'Es ist für das Konto',
  passwordHelp: (lengthMin) =>
    `Mindestens ${lengthMin} Zeichen. Am besten sind vier oder fünf Wörter, die Sie sich merken; Leerzeichen und alle Buchstaben sind erlaubt.`,
  samePassword: 'Dasselbe noch einmal',
  showPassword: 'Zeigen, was ich tippe',
  hidePassword: 'Verbergen, was ich tippe',
  passwordRefusals: {
    'password-missing': 'Bitte geben Sie ein neues Passwort ein.',
    'passwords-differ': 'Die beiden sind nicht gleich. Bitte geben Sie beide noch einmal ein.',
    'password-too-short': 'Dieses Passwort ist zu kurz. Bitte fügen Sie ein oder zwei Wörter hinzu.',
    'password-too-long': 'Dieses Passwort ist zu lang für uns. Bitte nehmen Sie eines mit höchstens 256 Zeichen.',
    'password-unprintable':
      'In diesem Passwort ist ein Zeichen, das man nicht tippen kann, etwa ein Tabulator oder ein Zeilenumbruch. Bitte tippen Sie es von Hand.',
    'password-common':
      'Dieses Passwort benutzen viele, deshalb probieren Fremde es als eines der ersten. Bitte nehmen Sie ein anderes, oder fügen Sie ein paar Wörter hinzu.',
    'password-guessable':
      'Dieses Passwort ist leicht zu erraten: Es besteht aus Ihrem Namen, aus unserem oder aus immer denselben Zeichen. Bitte nehmen Sie ein anderes.',
  },
  secondFactorHeading: 'Noch eine Prüfung',
  secondFactorFor: 'Eine App auf einem Telefon schützt das Konto',
  secondFactorLabel: 'Die 6 Ziffern, die Ihre App jetzt zeigt, oder einer Ihrer Ersatzcodes',
  secondFactorHelp:
    'Sie haben weder das Telefon noch einen Ersatzcode? Dann fragen Sie bitte die Personen, die Ihr Konto betreuen.',
  enrolOffer: {
    first:
      'Möchten Sie Ihr Konto besser schützen? Mit einer App auf Ihrem Telefon kann hier niemand ein neues Passwort festlegen, der nur in Ihr Postfach gelangt ist.',
    again:
      'Haben Sie ein neues Telefon, oder sind Ersatzcodes verbraucht? Dann können Sie die App neu einrichten und bekommen neue Codes.',
  },
  enrolHeading: 'Das Konto mit einer App schützen',
  enrolIntro:
    'Die App zeigt 6 Ziffern, die jede halbe Minute wechseln. Immer wenn hier ein neues Passwort festgelegt werden soll, fragen wir auch nach ihnen.',
  enrolFor: 'Es geht um das Konto',
  enrolStepApp: 'Nehmen Sie uns in Ihre App auf',
  enrolScan:
    'Öffnen Sie auf Ihrem Telefon eine Authenticator-App; wenn Sie keine haben, installieren Sie zuerst eine. Lassen Sie sie dieses Bild scannen:',
  enrolQrCode: 'QR-Code für die App',
  enrolOnThisPhone: 'Die App ist auf diesem Gerät',
  enrolTyped: 'Wenn das nicht geht, geben Sie diesen Schlüssel in die App ein:',
  copyKey: 'Schlüssel kopieren',
  enrolStepCode: 'Geben Sie ein, was die App zeigt',
  enrolLabel: 'Die 6 Ziffern aus der App',
  enrolSubmit: 'Einschalten',
  enrolNotNow: 'Jetzt nicht',
  enrolled: 'Die App schützt jetzt Ihr Konto.',
  recoveryHeading: 'Ihre Ersatzcodes',
  recoveryFor:
    'Wenn Sie Ihr Telefon verlieren, ersetzt jeder dieser Codes einmal die 6 Ziffern. Sie sind für das Konto',
  recoveryHelp:
    'Drucken Sie diese Seite, oder schreiben Sie die Codes ab, und bewahren Sie sie bei Ihren wichtigen Unterlagen auf.',
  recoveryOnce: 'Wir zeigen sie nur dieses eine Mal.',
  print: 'Diese Seite drucken',
  recoveryKept: 'Ich habe sie aufbewahrt',
  undoHeading: 'Eine Passwort-Änderung rückgängig machen',
  undoIntro:
    'Haben Sie eine E-Mail über ein neues Passwort bekommen, das Sie nicht wollten? Geben Sie ihren Code hier ein. Dann gilt wieder das Passwort von vorher, alle werden abgemeldet, und es lässt sich kein neues festlegen, bis die Personen nachgesehen haben, die Ihr Konto betreuen.',
  undoLabel: 'Die 16 Buchstaben und Ziffern aus unserer E-Mail',
  undoSubmit: 'Rückgängig machen',
  undone:
    'Die Änderung wurde rückgängig gemacht, und alle wurden abgemeldet. Wenn es vorher ein Passwort gab, gilt es wieder. Bitte sagen Sie den Personen Bescheid, die Ihr Konto betreuen: Bis sie nachgesehen haben, lässt sich hier kein neues Passwort festlegen.',
  undoQuestion: 'Ich habe eine E-Mail über eine Änderung bekommen, die nicht von mir war',
  undoHelp:
    'In dieser E-Mail steht ein Code, der die Änderung rückgängig macht. Sehen Sie sich die Adresse dieser Seite an, oben im Browser: Schreiben Sie undo an die Stelle des letzten Wortes, und geben Sie den Code auf der Seite ein, die sich öffnet.',
  errorHeading: 'Das hat nicht geklappt',
  refusals: {
    'cookie-missing': () =>
      'Diese Seite war zu lange offen, oder Ihr Browser speichert keine Cookies. Bitte fangen Sie neu an. Wenn das wieder passiert, erlauben Sie Cookies für diese Website: Das geht in den Einstellungen Ihres Browsers unter „Datenschutz“.',
    'cookie-invalid': () =>
      'Die Seite, auf der Sie den Code eingegeben haben, gilt nicht mehr, deshalb konnten wir ihn nicht annehmen. Diese Seite ist neu und hat eine neue Adresse: Bitte schicken Sie Ihre E-Mail noch einmal, und zwar an diese Adresse.',
    'cross-site': () =>
      'Das kam von einer anderen Website, deshalb haben wir nichts getan. Bitte fangen Sie hier neu an.',
    'nonce-wrong': () =>
      'Sie haben den Code auf einer älteren Seite eingegeben, deshalb konnten wir ihn nicht annehmen. Die neuere Seite hat eine eigene Adresse und einen eigenen Code: Bitte machen Sie dort weiter.',
    'code-malformed': () => 'Ein Code hat 8 Ziffern. Bitte sehen Sie in unserer Antwort nach und geben Sie alle ein.',
    'mail-not-seen': () =>
      'Für diese Seite ist noch keine E-Mail angekommen, deshalb gibt es noch keinen Code. Ein Code von einer früheren Seite gilt hier nicht. Bitte schicken Sie Ihre E-Mail ab, oder warten Sie einen Moment.',
    'code-wrong': ({ triesLeft }) =>
      `Das ist nicht der richtige Code. Bitte sehen Sie in unserer neuesten Antwort nach und geben Sie die 8 Ziffern noch einmal ein. Sie haben noch ${triesLeft === 1 ? 'einen Versuch' : `${triesLeft} Versuche`}.`,
    'code-expired': () =>
      'Dieser Code ist zu alt. Bitte schicken Sie Ihre E-Mail noch einmal oder tippen Sie Ihre Adresse noch einmal ein, und warten Sie auf unsere neue E-Mail: Dann gilt der Code wieder.',
    'code-used': () =>
      'Dieser Code wurde schon benutzt. Waren Sie das? Dann gehen Sie zurück zur Seite und drücken Sie dort auf „Weiter“. Wenn nicht, fangen Sie dort bitte neu an.',
    'codes-exhausted': ({ wait }) =>
      `Heute gab es zu viele falsche Codes. Bitte warten Sie ${wait}, oder fragen Sie bei denen nach, die sich um Ihr Konto kümmern.`,
    'challenge-locked': () =>
      'Es wurden zu viele falsche Codes eingegeben, deshalb ist diese Seite jetzt geschlossen. Bitte fangen Sie neu an.',
    'challenge-expired': () =>
      'Die Seite war zu lange offen, deshalb konnten wir den Code nicht annehmen. Diese Seite ist neu und hat eine neue Adresse: Bitte schicken Sie Ihre E-Mail noch einmal, und zwar an diese Adresse.',
    'grant-missing': () =>
      'Zu Ihrer Sicherheit ist diese Seite nur kurze Zeit nach der Eingabe des Codes zu sehen. Bitte fangen Sie neu an.',
    'account-changed': () =>
      'Dieses Konto wurde gerade eben geändert, in einem anderen Fenster oder von jemand anderem. Waren Sie das? Dann melden Sie sich mit dem neuen Passwort an. Wenn nicht, wählen Sie das Konto bitte noch einmal.',
    'account-locked': () => 'Dieses Konto ist gesperrt. Bitte fragen Sie die Personen, die es betreuen.',
    'account-frozen': () =>
      'Eine Änderung dieses Kontos wurde rückgängig gemacht. Deshalb legen wir kein neues Passwort fest, bis die Personen, die es betreuen, nachgesehen haben. Bitte fragen Sie dort.',
    'account-active': () =>
      'Dieses Konto hat schon ein Passwort. Bitte melden Sie sich damit an. Wenn Sie es vergessen haben, können Sie ein neues festlegen.',
    'second-factor-missing': () =>
      'Eine App schützt dieses Konto, und ihre Ziffern wurden noch nicht eingegeben. Bitte gehen Sie zurück, drücken Sie auf „Weiter“ und wählen Sie das Konto noch einmal.',
    'second-factor-wrong': () =>
      'Das war nicht richtig. Bitte geben Sie die 6 Ziffern ein, die Ihre App jetzt zeigt; schon benutzte Ziffern gelten nicht noch einmal. Oder nehmen Sie einen Ersatzcode, den Sie noch nicht benutzt haben.',
    'second-factor-exhausted': ({ wait }) =>
      `Das war zu oft falsch. Bitte warten Sie ${wait} und fangen Sie dann neu an, oder fragen Sie die Personen, die Ihr Konto betreuen.`,
    'enrolment-code-wrong': () =>
      'Das sind nicht die Ziffern, die die App zeigen sollte. Bitte geben Sie die ein, die sie jetzt zeigt. Wenn das nicht hilft, sehen Sie nach, ob die Uhr Ihres Telefons richtig geht.',
    'enrolment-over': () =>
      'Eine App lässt sich einmal einrichten, und nur in den ersten Minuten nach einem neuen Passwort. Wenn Sie das noch möchten, legen Sie bitte noch einmal ein neues Passwort fest.',
    'grant-used': () =>
      'Das wurde schon einmal abgeschickt. Gehen Sie zurück zur Seite: Dort steht, was daraus geworden ist.',
    'undo-not-needed': () =>
      'Es gibt nichts mehr rückgängig zu machen: Diese Änderung wurde schon zurückgenommen, oder sie hat nie stattgefunden.',
    'undo-code-wrong': () =>
      'Diesen Code kennen wir nicht, oder es ist zu spät dafür. Bitte vergleichen Sie ihn mit unserer E-Mail. Wenn es zu spät ist, fragen Sie die Personen, die Ihr Konto betreuen.',
    'address-refused': () =>
      'An diese Adresse können wir keinen Code schicken. Bitte prüfen Sie sie und tippen Sie sie noch einmal ein: nur eine Adresse, nichts davor und nichts dahinter.',
    'address-asked-often': ({ wait }) =>
      `Diese Adresse wurde oft eingetippt. Bitte warten Sie ${wait}, oder schicken Sie uns von dort eine E-Mail: Das geht jederzeit.`,
    'typing-exhausted': ({ wait }) =>
      `Es wurden zu viele Adressen eingetippt, aus Ihrem Netz oder von allen zusammen. Bitte warten Sie ${wait}, oder schicken Sie uns eine E-Mail: Das geht jederzeit.`,
    'addresses-exhausted': () =>
      'Für diese Anfrage wurden zu viele E-Mails und Adressen verwendet. Bitte fangen Sie neu an.',
  },
  troubles: {
    'bad-request':
      'Wir konnten nicht lesen, was Ihr Browser geschickt hat. Bitte gehen Sie zurück zur Seite und versuchen Sie es noch einmal.',
    'not-found': 'Diese Seite gibt es hier nicht.',
    'wrong-method': 'So lässt sich diese Seite nicht benutzen.',
    'too-slow':
      'Ihre Anfrage hat zu lange gebraucht. Bitte versuchen Sie es noch einmal, vielleicht mit einer besseren Verbindung.',
    'too-large':
      'Das war mehr Text, als wir annehmen können. Bitte gehen Sie zurück zur Seite und geben Sie weniger ein.',
    'not-a-form':
      'Wir konnten nicht lesen, was Ihr Browser geschickt hat. Bitte benutzen Sie das Formular auf der Seite.',
    'too-many-requests':
      'Aus Ihrem Netz kommen gerade sehr viele Anfragen. Bitte versuchen Sie es in einer Minute noch einmal. Es ist nichts verloren gegangen.',
    'too-many-headers':
      'Ihr Browser hat uns mehr geschickt, als wir lesen können. Bitte löschen Sie die Cookies dieser Website und versuchen Sie es noch einmal.',
    unavailable:
      'Das geht im Moment leider nicht. Bitte versuchen Sie es in einer Minute noch einmal. Es ist nichts verloren gegangen.',
    bug: 'Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es noch einmal. Wenn es so bleibt, sagen Sie bitte denen Bescheid, die diese Website betreuen.',
  },
};
