// The pages in French, formal address. \u202f is the narrow no-break space before ; : ? ! and inside « ».

import type { Texts } from './texts.ts';

export const fr: Texts = {
  languageName: 'Français',
  language: 'Langue',
  heading: 'Choisir un nouveau mot de passe',
  intro: 'Vous nous envoyez un e-mail, nous vous répondons avec un code, et vous tapez ce code ici.',
  renewed:
    'La page que vous aviez ouverte n’est plus valable. Celle-ci est nouvelle et a une nouvelle adresse\u202f: veuillez envoyer votre e-mail à cette adresse.',
  stepMail: 'Envoyez-nous un e-mail',
  openMailApp: 'Ouvrir ma messagerie',
  openTestMailbox: 'Ouvrir la boîte mail de test',
  justSend: 'Là, appuyez simplement sur «\u202fEnvoyer\u202f». Vous n’avez rien à ajouter.',
  orWebmail:
    'Rien ne s’ouvre\u202f? Alors écrivez depuis votre messagerie en ligne, qui s’ouvre dans un autre onglet\u202f:',
  outlookAtWork: 'Outlook à l’école ou au travail',
  orPhone: 'Écrire depuis votre téléphone',
  phoneHelp:
    'Dirigez l’appareil photo de votre téléphone vers cette image, ouvrez ce qu’il propose et appuyez sur «\u202fEnvoyer\u202f». Tapez ensuite notre code ici.',
  qrCode: 'Code QR qui ouvre l’e-mail sur votre téléphone',
  orWriteTo: 'Ou écrivez vous-même à cette adresse\u202f:',
  copyAddress: 'Copier l’adresse',
  copied: 'Adresse copiée',
  labelHelp: (label) =>
    `La référence de votre demande est ${label}. Laissez-la dans l’objet de votre e-mail, ou écrivez-la dans l’objet. Vous la retrouverez dans notre réponse.`,
  mailBody: (site, label) => [
    'Envoyez simplement cet e-mail. Vous n’avez rien à ajouter.',
    `Je souhaite choisir un nouveau mot de passe pour ${site}. La référence de ma demande est ${label}.`,
  ],
  stepAnswer: 'Attendez notre réponse',
  progress: {
    'awaiting-mail': 'Nous attendons votre e-mail. Cela peut prendre une minute ou deux.',
    'reply-queued': 'Votre e-mail est en ordre. Notre réponse est en route.',
    'mail-arrived': 'Votre e-mail est arrivé. Nous vérifions qu’il vient bien de vous.',
    'reply-delayed':
      'Votre e-mail est en ordre, mais nous n’avons pas encore pu remettre notre réponse. Nous continuons d’essayer\u202f; vous n’avez rien à faire.',
    'reply-handed-over':
      'Notre réponse est partie. Regardez dans votre boîte de réception, et aussi dans les courriers indésirables (spam).',
    'reply-failed':
      'Votre messagerie n’a pas accepté notre réponse. Veuillez recommencer et nous écrire depuis une autre adresse.',
    locked: 'Il y a eu trop de codes faux, cette page est donc fermée. Veuillez recommencer.',
    finished: 'Cette demande est terminée. S’il vous en faut une autre, veuillez recommencer.',
    verified: 'Le code était le bon.',
  },
  notFollowed: {
    'cookie-missing':
      'Votre navigateur ne garde pas les cookies de ce site, nous ne pouvons donc pas suivre votre demande. Veuillez autoriser les cookies pour ce site (dans les paramètres de votre navigateur, à la rubrique «\u202fConfidentialité\u202f»), puis rouvrir cette page.',
    'page-ended': 'Cette page n’est plus valable. Veuillez recommencer.',
  },
  noConnection: 'Il n’y a pas de connexion pour le moment. La page continue d’essayer.',
  mailRefused: {
    'used-up': () => 'L’adresse affichée ici a déjà servi. Veuillez recommencer.',
    'too-many-messages': () => 'Trop de messages sont arrivés pour cette demande. Veuillez recommencer.',
    'too-big': () => 'Votre message est trop volumineux. Veuillez envoyer seulement le texte préparé.',
    unreadable: () =>
      'Nous n’avons pas pu lire votre message. Veuillez utiliser le bouton et envoyer le texte préparé tel quel.',
    'address-beyond-ascii': () =>
      'Votre adresse contient des caractères que nous ne savons pas encore lire. Veuillez écrire depuis une autre adresse.',
    'sender-unreadable': () =>
      'Nous n’avons pas pu lire votre adresse d’expéditeur. Veuillez utiliser votre messagerie habituelle.',
    'write-a-new-one': () => 'Veuillez écrire un nouveau message avec le bouton, au lieu de répondre à un autre.',
    'only-this-address': () => 'Veuillez envoyer votre message à l’adresse affichée ici, et à personne d’autre.',
    checking: () => 'Nous vérifions auprès de votre fournisseur de messagerie. Cela peut prendre quelques minutes.',
    'not-confirmed': () =>
      'Nous n’avons pas pu confirmer que ce message venait de votre fournisseur de messagerie. Veuillez l’envoyer depuis votre messagerie habituelle.',
    'asked-often': (wait) =>
      `Vous avez déjà fait plusieurs demandes. Notre prochaine réponse partira dans ${wait} ou un peu plus tard\u202f; inutile d’envoyer un autre message.`,
    'asked-too-often': (wait) =>
      `Vous avez fait de très nombreuses demandes. Veuillez revenir dans ${wait} et recommencer.`,
  },
  detailsHeading: 'Détails pour les personnes qui gèrent votre messagerie',
  lookAgain: 'Vérifier à nouveau',
  stepCode: 'Tapez le code ici',
  codeLabel: 'Les 8 chiffres de notre réponse',
  pasteHelp: 'Si vous collez le code, la page continue toute seule.',
  submit: 'Continuer',
  validUntil: ['Vous pouvez utiliser cette page jusqu’à ', '.'],
  startAgain: 'Recommencer',
  whyHeading: 'Pourquoi dois-je envoyer un e-mail\u202f?',
  why: [
    'Vous seul pouvez écrire depuis votre boîte mail et y lire notre réponse. C’est ainsi que nous savons que le nouveau mot de passe est bien pour vous.',
    'Ailleurs, on vous envoie un lien. Les filtres de messagerie ouvrent ces liens, et des inconnus peuvent en abuser. Notre réponse ne contient qu’un code, qui ne vaut rien sans cette page.',
    'Nous regardons qui a envoyé votre e-mail, et son objet. Nous ne le gardons pas.',
  ],
  continue: 'Continuer',
  back: 'Retour à la page',
  tellNobody: 'Ne donnez le code à personne. Chez nous, personne ne vous le demandera jamais.',
  accountsHeading: 'Votre adresse e-mail est confirmée',
  wroteFrom: 'Vous avez écrit depuis l’adresse',
  chooseAccount: 'Pour quel compte faut-il un nouveau mot de passe\u202f?',
  noAccount: (mailbox) =>
    `Aucun compte n’utilise ${mailbox}. Avez-vous une autre adresse\u202f? Alors recommencez et écrivez-nous depuis celle-là.`,
  chosen: 'Vous avez choisi le compte',
  endsHere:
    'Pour l’instant, cela s’arrête ici\u202f: il n’est pas encore possible de choisir le nouveau mot de passe. Rien n’a changé sur votre compte.',
  otherAccount: 'Choisir un autre compte',
  errorHeading: 'Cela n’a pas marché',
  refusals: {
    'cookie-missing': () =>
      'Cette page est restée ouverte trop longtemps, ou votre navigateur ne garde pas les cookies. Veuillez recommencer. Si cela se reproduit, autorisez les cookies pour ce site\u202f: cela se règle dans les paramètres de votre navigateur, à la rubrique «\u202fConfidentialité\u202f».',
    'cookie-invalid': () =>
      'La page où vous avez tapé le code n’est plus valable, nous n’avons donc pas pu utiliser ce code. Cette page est nouvelle et a une nouvelle adresse\u202f: veuillez renvoyer votre e-mail, à cette adresse.',
    'cross-site': () =>
      'Cette demande venait d’un autre site, nous n’avons donc rien fait. Veuillez recommencer à partir d’ici.',
    'nonce-wrong': () => 'Cette page n’est plus à jour. Veuillez revenir à la page actuelle.',
    'code-malformed': () => 'Un code a 8 chiffres. Veuillez regarder notre réponse et les taper tous.',
    'mail-not-seen': () =>
      'Votre e-mail n’est pas encore arrivé, il n’y a donc pas encore de code. Veuillez d’abord l’envoyer, ou attendre un instant.',
    'code-wrong': ({ triesLeft }) =>
      `Ce n’est pas le bon code. Veuillez le comparer avec notre réponse. Il vous reste ${triesLeft === 1 ? 'un essai' : `${triesLeft} essais`}.`,
    'code-expired': () =>
      'Ce code est trop ancien. Veuillez renvoyer votre e-mail\u202f: dès notre nouvelle réponse, le code marchera de nouveau.',
    'code-used': () =>
      'Ce code a déjà servi. Si c’était vous, vous pouvez continuer\u202f; sinon, veuillez recommencer.',
    'codes-exhausted': ({ wait }) =>
      `Il y a eu trop de codes faux aujourd’hui. Veuillez attendre ${wait}, ou demander de l’aide aux personnes qui s’occupent de votre compte.`,
    'challenge-locked': () => 'Il y a eu trop de codes faux, cette page est donc fermée. Veuillez recommencer.',
    'challenge-expired': () =>
      'La page est restée ouverte trop longtemps, nous n’avons donc pas pu utiliser le code. Cette page est nouvelle et a une nouvelle adresse\u202f: veuillez renvoyer votre e-mail, à cette adresse.',
    'grant-missing': () => 'Nous ne pouvons montrer cela que si un code vient d’être tapé. Veuillez recommencer.',
  },
  troubles: {
    'bad-request': 'Nous n’avons pas pu lire ce que votre navigateur a envoyé. Veuillez recommencer.',
    'not-found': 'Cette page n’existe pas ici.',
    'wrong-method': 'Cette page ne peut pas être utilisée de cette façon.',
    'too-slow':
      'Votre demande a mis trop de temps à nous parvenir. Veuillez réessayer, si possible avec une meilleure connexion.',
    'too-large': 'Il y avait trop de texte. Veuillez taper seulement le code.',
    'not-a-form':
      'Nous n’avons pas pu lire ce que votre navigateur a envoyé. Veuillez utiliser le formulaire de la page.',
    'too-many-headers':
      'Votre navigateur nous a envoyé plus que nous ne pouvons lire. Veuillez supprimer les cookies de ce site et réessayer.',
    unavailable: 'Ce n’est pas possible pour le moment. Veuillez réessayer dans une minute\u202f: rien n’a été perdu.',
    bug: 'Un problème est survenu de notre côté. Veuillez réessayer\u202f; si cela continue, prévenez les personnes qui s’occupent de ce site.',
  },
};
