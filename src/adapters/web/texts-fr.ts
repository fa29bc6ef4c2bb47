// The pages in French, formal address. \u202f is the narrow no-break space before ; : ? ! and inside « ».

import type { Texts } from './texts.ts';

export const fr: Texts = {
  heading: 'Choisir un nouveau mot de passe',
  intro: 'Vous nous envoyez un e-mail, nous vous répondons avec un code, et vous tapez ce code ici.',
  stepMail: 'Envoyez-nous un e-mail',
  openMailApp: 'Ouvrir ma messagerie',
  openTestMailbox: 'Ouvrir la boîte mail de test',
  justSend: 'Appuyez simplement sur «\u202fEnvoyer\u202f». Vous n’avez rien à ajouter.',
  orWriteTo: 'Ou écrivez vous-même à cette adresse\u202f:',
  labelHelp: (label) =>
    `La référence de votre demande est ${label}. Laissez-la dans l’objet de votre e-mail. Vous la retrouverez dans notre réponse.`,
  mailBody: (site, label) =>
    `Envoyez simplement cet e-mail. Vous n’avez rien à ajouter.\n\nJe souhaite choisir un nouveau mot de passe pour ${site}. La référence de ma demande est ${label}.`,
  stepAnswer: 'Attendez notre réponse',
  progress: {
    'awaiting-mail': 'Nous attendons votre e-mail. Cela peut prendre une minute ou deux.',
    'reply-queued': 'Votre e-mail est bien arrivé. Notre réponse est en route.',
    'reply-handed-over':
      'Notre réponse est partie. Regardez dans votre boîte de réception, et aussi dans les courriers indésirables (spam).',
    'reply-failed':
      'Votre messagerie n’a pas accepté notre réponse. Veuillez recommencer et nous écrire depuis une autre adresse.',
    locked: 'Il y a eu trop de codes faux, cette page est donc fermée. Veuillez recommencer.',
    finished: 'Cette demande est terminée. S’il vous en faut une autre, veuillez recommencer.',
    verified: 'Le code était le bon.',
  },
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
  submit: 'Continuer',
  validUntil: (time) => `Vous pouvez utiliser cette page jusqu’à ${time}.`,
  startAgain: 'Recommencer',
  continue: 'Continuer',
  back: 'Retour à la page',
  tellNobody: 'Ne donnez le code à personne. Chez nous, personne ne vous le demandera jamais.',
  accountsHeading: 'Votre adresse e-mail est confirmée',
  wroteFrom: 'Vous avez écrit depuis l’adresse',
  accountsOf: 'Comptes liés à cette adresse\u202f:',
  noAccount: (mailbox) =>
    `Aucun compte n’utilise ${mailbox}. Avez-vous une autre adresse\u202f? Alors recommencez et écrivez-nous depuis celle-là.`,
  endsHere:
    'Pour l’instant, cela s’arrête ici\u202f: il n’est pas encore possible de choisir le nouveau mot de passe. Rien n’a changé sur votre compte.',
  errorHeading: 'Cela n’a pas marché',
  refusals: {
    'cookie-missing': () =>
      'Cette page est restée ouverte trop longtemps, ou votre navigateur ne garde pas les cookies. Veuillez recommencer\u202f; si cela se reproduit, autorisez les cookies pour ce site.',
    'cookie-invalid': () =>
      'Cette page est trop ancienne, ou quelque chose l’a modifiée en chemin. Veuillez recommencer.',
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
    'challenge-expired': () => 'Cette page est restée ouverte trop longtemps. Veuillez recommencer.',
    'grant-missing': () => 'Nous ne pouvons montrer cela que si un code vient d’être tapé. Veuillez recommencer.',
  },
  troubles: {
    'bad-request': 'Nous n’avons pas pu lire ce que votre navigateur a envoyé. Veuillez recommencer.',
    'not-found': 'Cette page n’existe pas ici.',
    'wrong-method': 'Cette page ne peut pas être utilisée de cette façon.',
    'too-large': 'Il y avait trop de texte. Veuillez taper seulement le code.',
    'not-a-form':
      'Nous n’avons pas pu lire ce que votre navigateur a envoyé. Veuillez utiliser le formulaire de la page.',
    unavailable: 'Ce n’est pas possible pour le moment. Veuillez réessayer dans une minute\u202f: rien n’a été perdu.',
    bug: 'Un problème est survenu de notre côté. Veuillez réessayer\u202f; si cela continue, prévenez les personnes qui s’occupent de ce site.',
  },
};
