// The pages in French, formal address. \u202f is the narrow no-break space before ; : ? ! and inside « ».

import type { Texts } from './texts.ts';

export const fr: Texts = {
  languageName: 'Français',
  language: 'Langue',
  errands: {
    reset: {
      heading: 'Choisir un nouveau mot de passe',
      intro: 'Vous nous envoyez un e-mail, nous vous répondons avec un code, et vous tapez ce code ici.',
      mailBody: (site, label) => [
        'Envoyez simplement cet e-mail. Vous n’avez rien à ajouter.',
        `Je souhaite choisir un nouveau mot de passe pour ${site}. La référence de ma demande est ${label}.`,
      ],
      done: 'Votre nouveau mot de passe est en place. Vous avez été déconnecté partout\u202f: connectez-vous maintenant avec lui. Un e-mail vous informe de ce changement.',
      finished: 'Cette demande est terminée. S’il vous faut encore un nouveau mot de passe, veuillez recommencer.',
      why: 'Personne d’autre que vous ne peut écrire depuis votre boîte mail et y lire notre réponse. C’est ainsi que nous savons que le nouveau mot de passe est bien pour vous.',
      noAccount: (mailbox) =>
        `Aucun compte n’utilise ${mailbox}. Avez-vous une autre adresse\u202f? Alors recommencez et écrivez-nous depuis celle-là. Sinon, demandez de l’aide aux personnes qui s’occupent de ce site.`,
      chooseAccount: 'Pour quel compte faut-il un nouveau mot de passe\u202f?',
      passwordHeading: 'Choisissez votre nouveau mot de passe',
      newPassword: 'Nouveau mot de passe',
      setPassword: 'Enregistrer le mot de passe',
      other: 'Mon compte est nouveau et n’a pas encore de mot de passe',
    },
    activate: {
      heading: 'Activer votre compte',
      intro:
        'Vous choisissez le premier mot de passe d’un compte qui a été créé pour vous. Vous nous envoyez un e-mail, nous vous répondons avec un code, et vous tapez ce code ici.',
      mailBody: (site, label) => [
        'Envoyez simplement cet e-mail. Vous n’avez rien à ajouter.',
        `Je souhaite choisir le premier mot de passe de mon compte pour ${site}. La référence de ma demande est ${label}.`,
      ],
      done: 'Votre compte est prêt\u202f: connectez-vous avec son nom et le mot de passe que vous venez de choisir. Un e-mail vous en informe.',
      finished: 'Cette demande est terminée. Si votre compte n’a pas encore de mot de passe, veuillez recommencer.',
      why: 'Personne d’autre que vous ne peut écrire depuis votre boîte mail et y lire notre réponse. C’est ainsi que nous savons que ce compte est bien le vôtre.',
      noAccount: (mailbox) =>
        `Aucun compte n’utilise ${mailbox}. L’invitation est-elle arrivée dans une autre boîte mail\u202f? Alors recommencez et écrivez-nous depuis celle-là. Sinon, demandez de l’aide aux personnes qui ont créé le compte.`,
      chooseAccount: 'Quel compte voulez-vous activer\u202f?',
      passwordHeading: 'Choisissez votre mot de passe',
      newPassword: 'Mot de passe',
      setPassword: 'Enregistrer le mot de passe',
      other: 'J’avais un mot de passe et je l’ai oublié',
      active: 'Déjà actifs',
      activeHelp: 'Connectez-vous avec le mot de passe que vous avez. Si vous l’avez oublié, choisissez-en un nouveau.',
    },
    confirm: {
      heading: 'Confirmer votre adresse e\u2011mail',
      intro:
        'Vous nous montrez que l’adresse est à vous. Vous nous envoyez un e-mail, nous vous répondons avec un code, et vous tapez ce code ici.',
      mailBody: (site, label) => [
        'Envoyez simplement cet e-mail. Vous n’avez rien à ajouter.',
        `Je souhaite confirmer mon adresse pour ${site}. La référence de ma demande est ${label}.`,
      ],
      done: 'Votre adresse est confirmée. Vous pouvez fermer cette page et continuer là où vous étiez.',
      finished: 'Cette demande est terminée. Si votre adresse n’est pas encore confirmée, veuillez recommencer.',
      why: 'Personne d’autre que vous ne peut écrire depuis votre boîte mail et y lire notre réponse. C’est ainsi que nous savons que cette adresse est bien la vôtre.',
      noAccount: (mailbox) =>
        `Aucun compte n’utilise ${mailbox}, il n’y a donc rien à confirmer. Vous êtes-vous inscrit avec une autre adresse\u202f? Alors recommencez et écrivez-nous depuis celle-là. Sinon, demandez de l’aide aux personnes qui s’occupent de ce site.`,
      confirmHelp: 'Nous notons seulement que cette adresse est à vous. Rien d’autre ne change.',
      confirm: 'Confirmer cette adresse',
    },
  },
  renewed:
    'La page que vous aviez ouverte n’est plus valable. Celle-ci est nouvelle et a une nouvelle adresse\u202f: veuillez envoyer votre e-mail à cette adresse.',
  stepMail: 'Envoyez-nous un e\u2011mail',
  openMailApp: 'Ouvrir ma messagerie',
  openTestMailbox: 'Ouvrir la boîte mail de test',
  justSend:
    'Il suffit d’y appuyer sur «\u202fEnvoyer\u202f», puis de revenir sur cette page. Vous n’avez rien à écrire.',
  orWebmail: 'Rien ne s’ouvre\u202f? Alors choisissez où vous lisez vos e-mails. Un nouvel onglet s’ouvrira\u202f:',
  outlookAtWork: 'Outlook (école, travail)',
  orPhone: 'Écrire depuis votre téléphone',
  phoneHelp:
    'Dirigez l’appareil photo de votre téléphone vers cette image, touchez ce qu’il affiche et appuyez sur «\u202fEnvoyer\u202f». Tapez ensuite notre code sur cette page.',
  qrCode: 'Code QR qui ouvre l’e-mail sur votre téléphone',
  cannotSend: 'Je ne peux pas envoyer d’e\u2011mail',
  cannotSendHelp:
    'Si vous ne pouvez pas en envoyer là où vous êtes, tapez l’adresse de votre compte. Nous y enverrons un code. Nous envoyer un e-mail est plus sûr\u202f: faites-le si vous le pouvez.',
  typeAddress: 'Taper mon adresse',
  typedHeading: 'Tapez votre adresse',
  typedIntro:
    'Tapez l’adresse que votre compte a chez nous. Si un compte l’utilise, nous y envoyons un e-mail avec un code, que vous taperez dans la page précédente.',
  typedLabel: 'Votre adresse e-mail',
  typedSubmit: 'Envoyer le code',
  orWriteTo: 'Vous pouvez aussi écrire vous-même à cette adresse\u202f:',
  copyAddress: 'Copier l’adresse',
  copied: 'Adresse copiée',
  labelHelp: (label) =>
    `La référence de votre demande est ${label}. Laissez-la dans l’objet de votre e-mail, ou ajoutez-la vous-même. Vous la retrouverez dans notre réponse.`,
  stepAnswer: 'Attendez notre réponse',
  progress: {
    'awaiting-mail': 'Nous attendons votre e-mail. Cela peut prendre une minute ou deux. Laissez cette page ouverte.',
    'reply-queued': 'Votre e-mail est bien arrivé. Notre réponse est en route.',
    'code-requested':
      'Si un compte utilise l’adresse que vous avez tapée, un e-mail avec un code y est en route. Regardez-y dans une minute, et aussi dans les courriers indésirables (spam).',
    'mail-arrived': 'Votre e-mail est arrivé. Nous vérifions qu’il vient bien de vous.',
    'reply-delayed':
      'Votre e-mail est bien arrivé, mais nous n’avons pas encore pu envoyer notre réponse. Nous continuons d’essayer\u202f; vous n’avez rien à faire.',
    'reply-handed-over':
      'Notre réponse est partie. Regardez dans la boîte mail depuis laquelle vous avez écrit, et aussi dans les courriers indésirables (spam).',
    'reply-failed':
      'Notre réponse n’a pas pu être remise à votre boîte mail. Veuillez recommencer et nous écrire depuis une autre adresse.',
    locked: 'Trop de codes incorrects ont été tapés, cette page est donc fermée. Veuillez recommencer.',
    verified: 'C’était le bon code.',
  },
  notFollowed: {
    'cookie-missing':
      'Cette page est restée ouverte trop longtemps, ou votre navigateur ne garde pas les cookies. Veuillez rouvrir la page. Si cela se reproduit, autorisez les cookies pour ce site\u202f: cela se règle dans les paramètres de votre navigateur, à la rubrique «\u202fConfidentialité\u202f».',
    'page-ended': 'Cette page n’est plus valable. Veuillez recommencer.',
  },
  noConnection: 'Il n’y a pas de connexion pour le moment. La page continue d’essayer.',
  mailRefused: {
    'used-up': () => 'L’adresse affichée ici n’est plus valable. Veuillez recommencer.',
    'too-many-messages': () => 'Trop de messages sont arrivés pour cette demande. Veuillez recommencer.',
    'too-big': () => 'Votre message est trop volumineux. Veuillez envoyer seulement le texte préparé.',
    unreadable: () =>
      'Nous n’avons pas pu lire votre message. Veuillez utiliser le bouton et envoyer le texte préparé tel quel.',
    'address-beyond-ascii': () =>
      'Votre adresse contient des caractères que nous ne savons pas encore lire. Veuillez écrire depuis une autre adresse.',
    'sender-unreadable': () =>
      'Nous n’avons pas pu lire votre adresse d’expéditeur. Veuillez utiliser votre messagerie habituelle.',
    'write-a-new-one': () =>
      'Votre e-mail était une réponse à un autre, nous n’avons donc pas pu l’utiliser. Veuillez en écrire un nouveau avec le bouton ci-dessus.',
    'only-this-address': () =>
      'Votre e-mail n’était pas adressé uniquement à cette page, nous n’avons donc pas pu l’utiliser. Veuillez l’envoyer à l’adresse ci-dessus, et à personne d’autre.',
    checking: () => 'Nous vérifions auprès de votre fournisseur de messagerie. Cela peut prendre quelques minutes.',
    'not-confirmed': () =>
      'Nous n’avons pas pu confirmer que cet e-mail venait bien de votre adresse. Veuillez l’envoyer comme vous envoyez d’habitude vos e-mails. Si vous l’avez déjà fait, montrez les détails ci-dessous à la personne qui gère votre messagerie, ou écrivez depuis une autre adresse.',
    'asked-often': (wait) =>
      `Vous avez déjà fait plusieurs demandes. Notre prochaine réponse pourra partir dans ${wait} ou un peu plus tard\u202f; inutile d’envoyer un autre message.`,
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
  whyHeading: 'Pourquoi dois\u2011je envoyer un e\u2011mail\u202f?',
  why: [
    'Ailleurs, on vous envoie un lien. Les filtres de messagerie ouvrent ces liens, et des inconnus peuvent en abuser. Notre réponse ne contient qu’un code, qui ne vaut rien sans cette page.',
    'Nous regardons qui a envoyé votre e-mail, et son objet. Nous ne le gardons pas.',
  ],
  continue: 'Continuer',
  back: 'Retour à la page',
  tellNobody:
    'Tapez le code ici et nulle part ailleurs. Nous ne vous le demanderons jamais par e-mail, par téléphone ou de vive voix.',
  accountsHeading: 'Votre adresse e-mail est confirmée',
  wroteFrom: 'Notre code est allé à l’adresse',
  otherAccount: 'Choisir un autre compte',
  passwordFor: 'Il est destiné au compte',
  passwordHelp: (lengthMin) =>
    `Au moins ${lengthMin} caractères. Le mieux\u202f: quatre ou cinq mots que vous retiendrez. Les espaces et toutes les lettres sont permis.`,
  samePassword: 'Encore une fois le même',
  showPassword: 'Afficher ce que je tape',
  hidePassword: 'Masquer ce que je tape',
  passwordRefusals: {
    'password-missing': 'Veuillez taper un nouveau mot de passe.',
    'passwords-differ': 'Les deux ne sont pas identiques. Veuillez les taper encore une fois.',
    'password-too-short': 'Ce mot de passe est trop court. Veuillez ajouter un mot ou deux.',
    'password-too-long': 'Ce mot de passe est trop long pour nous. Veuillez en prendre un de 256 caractères au plus.',
    'password-unprintable':
      'Ce mot de passe contient un caractère qu’on ne peut pas taper, comme une tabulation ou un saut de ligne. Veuillez le taper à la main.',
    'password-common':
      'Beaucoup de gens utilisent ce mot de passe, c’est donc l’un des premiers que des inconnus essaient. Veuillez en prendre un autre, ou ajouter quelques mots.',
    'password-guessable':
      'Ce mot de passe est facile à deviner\u202f: il est fait de votre nom, du nôtre ou toujours des mêmes caractères. Veuillez en prendre un autre.',
  },
  secondFactorHeading: 'Encore une vérification',
  secondFactorFor: 'Une application sur un téléphone protège le compte',
  secondFactorLabel: 'Les 6 chiffres que votre application affiche maintenant, ou l’un de vos codes de secours',
  secondFactorHelp:
    'Vous n’avez ni le téléphone ni un code de secours\u202f? Adressez-vous alors aux personnes qui s’occupent de votre compte.',
  enrolOffer: {
    first:
      'Souhaitez-vous mieux protéger votre compte\u202f? Avec une application sur votre téléphone, une personne qui serait entrée dans votre boîte mail ne pourrait pas choisir ici un nouveau mot de passe.',
    again:
      'Avez-vous un nouveau téléphone, ou utilisé des codes de secours\u202f? Vous pouvez réinstaller la protection et recevoir de nouveaux codes.',
  },
  enrolHeading: 'Protéger le compte avec une application',
  enrolIntro:
    'L’application affiche 6 chiffres qui changent toutes les 30 secondes. Chaque fois qu’un nouveau mot de passe devra être choisi ici, nous les demanderons aussi.',
  enrolFor: 'Il s’agit du compte',
  enrolStepApp: 'Ajoutez-nous à votre application',
  enrolScan:
    'Ouvrez sur votre téléphone une application d’authentification\u202f; si vous n’en avez pas, installez-en une d’abord. Faites-lui scanner cette image\u202f:',
  enrolQrCode: 'Code QR pour l’application',
  enrolOnThisPhone: 'L’application est sur cet appareil',
  enrolTyped: 'Si cela ne marche pas, tapez cette clé dans l’application\u202f:',
  copyKey: 'Copier la clé',
  enrolStepCode: 'Tapez ce que l’application affiche',
  enrolLabel: 'Les 6 chiffres de l’application',
  enrolSubmit: 'Activer',
  enrolNotNow: 'Pas maintenant',
  enrolled: 'L’application protège maintenant votre compte.',
  recoveryHeading: 'Vos codes de secours',
  recoveryFor:
    'Si vous perdez votre téléphone, chacun de ces codes remplace une fois les 6 chiffres. Ils sont destinés au compte',
  recoveryHelp: 'Imprimez cette page ou recopiez les codes, et gardez-les là où vous gardez vos papiers importants.',
  recoveryOnce: 'Nous ne les affichons que cette fois-ci.',
  print: 'Imprimer cette page',
  recoveryKept: 'Je les ai gardés',
  undoHeading: 'Annuler un changement de mot de passe',
  undoIntro:
    'Avez-vous reçu un e-mail au sujet d’un nouveau mot de passe que vous n’avez pas voulu\u202f? Tapez son code ici. Le mot de passe d’avant sera de nouveau valable, tout le monde sera déconnecté, et aucun nouveau mot de passe ne pourra être choisi avant que les personnes qui s’occupent de votre compte aient vérifié.',
  undoLabel: 'Les 16 lettres et chiffres de notre e-mail',
  undoSubmit: 'Annuler le changement',
  undone:
    'Le changement a été annulé, et tout le monde a été déconnecté. S’il y avait un mot de passe avant, il est de nouveau valable. Prévenez les personnes qui s’occupent de votre compte\u202f: avant leur vérification, aucun nouveau mot de passe ne peut être choisi ici.',
  undoQuestion: 'J’ai reçu un e-mail sur un changement qui ne vient pas de moi',
  undoHelp:
    'Cet e-mail contient un code qui annule le changement. Regardez l’adresse de cette page, en haut de votre navigateur\u202f: écrivez undo à la place de son dernier mot, puis tapez le code dans la page qui s’ouvre.',
  errorHeading: 'Cela n’a pas marché',
  refusals: {
    'cookie-missing': () =>
      'Cette page est restée ouverte trop longtemps, ou votre navigateur ne garde pas les cookies. Veuillez recommencer. Si cela se reproduit, autorisez les cookies pour ce site\u202f: cela se règle dans les paramètres de votre navigateur, à la rubrique «\u202fConfidentialité\u202f».',
    'cookie-invalid': () =>
      'La page où vous avez tapé le code n’est plus valable, nous n’avons donc pas pu utiliser ce code. Cette page est nouvelle et a une nouvelle adresse\u202f: veuillez renvoyer votre e-mail, à cette adresse.',
    'cross-site': () =>
      'Cette demande venait d’un autre site, nous n’avons donc rien fait. Veuillez recommencer à partir d’ici.',
    'nonce-wrong': () =>
      'Vous avez tapé le code dans une ancienne page, nous n’avons donc pas pu l’utiliser. La nouvelle page a sa propre adresse et son propre code\u202f: veuillez continuer sur celle-ci.',
    'code-malformed': () => 'Un code a 8 chiffres. Veuillez regarder notre réponse et les taper tous.',
    'mail-not-seen': () =>
      'Aucun e-mail n’est encore arrivé pour cette page, elle n’a donc pas encore de code. Le code d’une page précédente ne marche pas ici. Veuillez envoyer votre e-mail, ou attendre un instant.',
    'code-wrong': ({ triesLeft }) =>
      `Ce n’est pas le bon code. Veuillez regarder notre dernière réponse et taper de nouveau ses 8 chiffres. Il vous reste ${triesLeft === 1 ? 'un essai' : `${triesLeft} essais`}.`,
    'code-expired': () =>
      'Ce code est trop ancien. Veuillez renvoyer votre e-mail ou taper votre adresse encore une fois, et attendre notre nouvel e-mail\u202f: le code marchera alors de nouveau.',
    'code-used': () =>
      'Ce code a déjà servi. Si c’était vous, revenez à la page et appuyez sur «\u202fContinuer\u202f». Sinon, veuillez y recommencer.',
    'codes-exhausted': ({ wait }) =>
      `Trop de codes incorrects ont été tapés aujourd’hui. Veuillez attendre ${wait}, ou demander de l’aide aux personnes qui s’occupent de votre compte.`,
    'challenge-locked': () =>
      'Trop de codes incorrects ont été tapés, cette page est donc fermée. Veuillez recommencer.',
    'challenge-expired': () =>
      'La page est restée ouverte trop longtemps, nous n’avons donc pas pu utiliser le code. Cette page est nouvelle et a une nouvelle adresse\u202f: veuillez renvoyer votre e-mail, à cette adresse.',
    'grant-missing': () =>
      'Pour votre sécurité, cette page ne s’affiche que peu de temps après la saisie du code. Veuillez recommencer.',
    'account-changed': () =>
      'Ce compte vient d’être modifié, dans une autre fenêtre ou par quelqu’un d’autre. Si c’était vous, connectez-vous avec le nouveau mot de passe. Sinon, veuillez choisir le compte encore une fois.',
    'account-locked': () => 'Ce compte est bloqué. Veuillez vous adresser aux personnes qui s’en occupent.',
    'account-frozen': () =>
      'Un changement de ce compte a été annulé. Nous n’enregistrons donc pas de nouveau mot de passe avant que les personnes qui s’en occupent aient vérifié. Veuillez vous adresser à elles.',
    'account-active': () =>
      'Ce compte a déjà un mot de passe. Veuillez vous connecter avec lui. Si vous l’avez oublié, vous pouvez en choisir un nouveau.',
    'second-factor-missing': () =>
      'Une application protège ce compte, et ses chiffres n’ont pas encore été tapés. Veuillez revenir en arrière, appuyer sur «\u202fContinuer\u202f» et choisir le compte encore une fois.',
    'second-factor-wrong': () =>
      'Ce n’était pas juste. Veuillez taper les 6 chiffres que votre application affiche maintenant\u202f; des chiffres déjà utilisés ne marchent plus. Ou prenez un code de secours que vous n’avez pas encore utilisé.',
    'second-factor-exhausted': ({ wait }) =>
      `C’était faux trop souvent. Veuillez attendre ${wait} puis recommencer, ou demander de l’aide aux personnes qui s’occupent de votre compte.`,
    'enrolment-code-wrong': () =>
      'Ce ne sont pas les chiffres que l’application devrait afficher. Veuillez taper ceux qu’elle affiche maintenant. Si cela n’aide pas, vérifiez que l’heure de votre téléphone est juste.',
    'enrolment-over': () =>
      'Une application ne peut être ajoutée qu’une fois, et seulement quelques minutes après le choix d’un nouveau mot de passe. Si vous le voulez encore, veuillez choisir de nouveau un mot de passe.',
    'grant-used': () => 'Cela a déjà été envoyé. Revenez à la page\u202f: elle indique le résultat.',
    'undo-not-needed': () =>
      'Il n’y a plus rien à annuler\u202f: ce changement a déjà été annulé, ou il n’a jamais eu lieu.',
    'undo-code-wrong': () =>
      'Nous ne connaissons pas ce code, ou il est trop tard pour lui. Veuillez le comparer avec notre e-mail. S’il est trop tard, adressez-vous aux personnes qui s’occupent de votre compte.',
    'address-refused': () =>
      'Nous ne pouvons pas envoyer de code à cette adresse. Veuillez la vérifier et la taper de nouveau\u202f: une seule adresse, rien avant et rien après.',
    'address-asked-often': ({ wait }) =>
      `Cette adresse a été tapée souvent. Veuillez attendre ${wait}, ou nous envoyer un e-mail depuis cette adresse\u202f: c’est possible à tout moment.`,
    'typing-exhausted': ({ wait }) =>
      `Trop d’adresses ont été tapées, depuis votre réseau ou par tout le monde ensemble. Veuillez attendre ${wait}, ou nous envoyer un e-mail\u202f: c’est possible à tout moment.`,
    'addresses-exhausted': () =>
      'Trop d’e-mails et d’adresses ont été utilisés pour cette demande. Veuillez recommencer.',
  },
  troubles: {
    'bad-request':
      'Nous n’avons pas pu lire ce que votre navigateur a envoyé. Veuillez revenir à la page et réessayer.',
    'not-found': 'Cette page n’existe pas ici.',
    'wrong-method': 'Cette page ne peut pas être utilisée de cette façon.',
    'too-slow':
      'Votre demande a mis trop de temps à nous parvenir. Veuillez réessayer, si possible avec une meilleure connexion.',
    'too-large': 'C’était plus de texte que nous ne pouvons en prendre. Veuillez revenir à la page et en taper moins.',
    'not-a-form':
      'Nous n’avons pas pu lire ce que votre navigateur a envoyé. Veuillez utiliser le formulaire de la page.',
    'too-many-requests':
      'Beaucoup de demandes arrivent de votre réseau en ce moment. Veuillez réessayer dans une minute\u202f: rien n’a été perdu.',
    'too-many-headers':
      'Votre navigateur nous a envoyé plus que nous ne pouvons lire. Veuillez supprimer les cookies de ce site et réessayer.',
    unavailable: 'Ce n’est pas possible pour le moment. Veuillez réessayer dans une minute\u202f: rien n’a été perdu.',
    bug: 'Un problème est survenu de notre côté. Veuillez réessayer\u202f; si cela continue, prévenez les personnes qui s’occupent de ce site.',
  },
};
