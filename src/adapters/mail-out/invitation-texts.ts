// The words of the invitation, in every language: plain text without anything a machine could open. No link, no host
// name: where the page is, people are told by their organisation; what to choose there is quoted from it.

import type { Locale } from '../../core/locale.ts';

/** What the invitation says. */
export interface InvitationFacts {
  readonly site: string;
  /** Undefined when the name could be taken for a link. */
  readonly account: string | undefined;
}

export interface InvitationText {
  readonly subject: string;
  readonly paragraphs: (facts: InvitationFacts) => readonly string[];
}

export const invitationTexts: Readonly<Record<Locale, InvitationText>> = {
  en: {
    subject: 'Your new account',
    paragraphs: ({ site, account }) => [
      `${account === undefined ? 'An account' : `The account ${account}`} was made for you at ${site}. ` +
        'It has no password yet: you choose the first one yourself.',
      `To do so, open the page where passwords of ${site} are set, and choose “My account is new and has no password yet” ` +
        'there. If you do not know where that page is, ask the people who made the account.',
      'There is no link in this email, on purpose. If you get one about this account that has a link in it, or that asks ' +
        'for a password, it is not from us.',
      'Nothing in here is secret: this email is of no use to anybody who cannot write from your mailbox and read our ' +
        'answer there. If you know nothing of such an account, there is nothing to do.',
    ],
  },
  de: {
    subject: 'Ihr neues Konto',
    paragraphs: ({ site, account }) => [
      `Für Sie wurde bei ${site} ${account === undefined ? 'ein Konto' : `das Konto ${account}`} angelegt. ` +
        'Es hat noch kein Passwort: Das erste wählen Sie selbst.',
      `Öffnen Sie dafür die Seite, auf der man die Passwörter von ${site} festlegt, und wählen Sie dort „Mein Konto ist neu ` +
        'und hat noch kein Passwort“. Wenn Sie nicht wissen, wo diese Seite ist, fragen Sie die Personen, die das Konto ' +
        'angelegt haben.',
      'In dieser E-Mail steht mit Absicht kein Link. Wenn Sie zu diesem Konto eine E-Mail mit einem Link bekommen, oder ' +
        'eine, die nach einem Passwort fragt, ist sie nicht von uns.',
      'Geheim ist hier nichts: Diese E-Mail nützt niemandem, der nicht aus Ihrem Postfach schreiben und dort unsere ' +
        'Antwort lesen kann. Wenn Sie von so einem Konto nichts wissen, müssen Sie nichts tun.',
    ],
  },
  fr: {
    subject: 'Votre nouveau compte',
    paragraphs: ({ site, account }) => [
      `${account === undefined ? 'Un compte' : `Le compte ${account}`} a été créé pour vous (${site}). ` +
        'Il n’a pas encore de mot de passe\u202f: le premier, c’est vous qui le choisissez.',
      `Ouvrez pour cela la page où l’on choisit les mots de passe de ${site}, et prenez-y «\u202fMon compte est nouveau et ` +
        'n’a pas encore de mot de passe\u202f». Si vous ne savez pas où est cette page, demandez-le aux personnes qui ' +
        'ont créé le compte.',
      'Il n’y a volontairement aucun lien dans cet e-mail. Si vous recevez au sujet de ce compte un e-mail qui contient ' +
        'un lien ou qui demande un mot de passe, il ne vient pas de nous.',
      'Rien ici n’est secret\u202f: cet e-mail ne sert à rien à qui ne peut pas écrire depuis votre boîte mail et y lire ' +
        'notre réponse. Si ce compte ne vous dit rien, vous n’avez rien à faire.',
    ],
  },
  es: {
    subject: 'Su nueva cuenta',
    paragraphs: ({ site, account }) => [
      `Se ha creado para usted ${account === undefined ? 'una cuenta' : `la cuenta ${account}`} en ${site}. ` +
        'Todavía no tiene contraseña: la primera la elige usted.',
      `Para ello, abra la página donde se eligen las contraseñas de ${site} y elija allí «Mi cuenta es nueva y todavía no ` +
        'tiene contraseña». Si no sabe dónde está esa página, pregunte a las personas que han creado la cuenta.',
      'En este correo no hay ningún enlace, y es a propósito. Si recibe sobre esta cuenta un correo con un enlace, o uno ' +
        'que le pide una contraseña, no es nuestro.',
      'Aquí no hay nada secreto: este correo no le sirve de nada a quien no puede escribir desde su buzón y leer allí ' +
        'nuestra respuesta. Si no sabe nada de esta cuenta, no tiene que hacer nada.',
    ],
  },
};
