// The pages in Spanish, formal address.

import type { Texts } from './texts.ts';

export const es: Texts = {
  languageName: 'Español',
  language: 'Idioma',
  heading: 'Elegir una nueva contraseña',
  intro: 'Usted nos envía un correo, nosotros le respondemos con un código y usted lo escribe aquí.',
  renewed:
    'La página que tenía abierta ya no sirve. Esta es nueva y tiene una dirección nueva: por favor, envíe su correo a esta dirección.',
  stepMail: 'Envíenos un correo',
  openMailApp: 'Abrir mi correo',
  openTestMailbox: 'Abrir el buzón de prueba',
  justSend: 'Allí solo tiene que pulsar «Enviar»; no hace falta que añada nada.',
  orWebmail: '¿No se abre nada? Entonces escriba desde su correo web, que se abre en otra pestaña:',
  outlookAtWork: 'Outlook de la escuela o del trabajo',
  orPhone: 'Escribir desde el móvil',
  phoneHelp:
    'Apunte con la cámara del móvil a esta imagen, abra lo que le ofrezca y pulse «Enviar» allí. Después escriba aquí nuestro código.',
  qrCode: 'Código QR que abre el correo en su móvil',
  orWriteTo: 'O escriba usted a esta dirección:',
  copyAddress: 'Copiar la dirección',
  copied: 'Copiada',
  labelHelp: (label) =>
    `La referencia de su solicitud es ${label}. Déjela en el asunto de su correo, o escríbala allí. También aparece en nuestra respuesta.`,
  mailBody: (site, label) => [
    'Solo tiene que enviar este correo. No hace falta que añada nada.',
    `Quiero elegir una nueva contraseña en ${site}. La referencia de mi solicitud es ${label}.`,
  ],
  stepAnswer: 'Espere nuestra respuesta',
  progress: {
    'awaiting-mail': 'Estamos esperando su correo. Puede tardar uno o dos minutos.',
    'reply-queued': 'Su correo está bien. Nuestra respuesta va en camino.',
    'mail-arrived': 'Su correo ha llegado. Estamos comprobando que de verdad es suyo.',
    'reply-delayed':
      'Su correo está bien, pero todavía no hemos podido entregar nuestra respuesta. Seguimos intentándolo; no hace falta que haga nada.',
    'reply-handed-over':
      'Ya hemos enviado nuestra respuesta. Mire en su buzón y también en la carpeta de correo no deseado (spam).',
    'reply-failed':
      'Su servicio de correo no ha aceptado nuestra respuesta. Por favor, empiece de nuevo y escríbanos desde otra dirección.',
    locked: 'El código ha fallado demasiadas veces, por eso hemos cerrado esta página. Por favor, empiece de nuevo.',
    finished: 'Esta solicitud ha terminado. Si necesita otra, empiece de nuevo, por favor.',
    verified: 'El código era correcto.',
  },
  notFollowed: {
    'cookie-missing':
      'Su navegador no guarda las cookies de este sitio, por eso no podemos seguir su solicitud. Por favor, permita las cookies de este sitio (en los ajustes del navegador, en «Privacidad») y vuelva a abrir esta página.',
    'page-ended': 'Esta página ya no sirve. Por favor, empiece de nuevo.',
  },
  noConnection: 'En este momento no hay conexión. La página lo sigue intentando.',
  mailRefused: {
    'used-up': () => 'La dirección de esta página ya no sirve. Por favor, empiece de nuevo.',
    'too-many-messages': () => 'Han llegado demasiados mensajes para esta solicitud. Por favor, empiece de nuevo.',
    'too-big': () => 'Su mensaje es demasiado grande. Por favor, envíe solo el texto preparado.',
    unreadable: () =>
      'No hemos podido leer su mensaje. Por favor, pulse el botón y envíe el texto preparado tal como está.',
    'address-beyond-ascii': () =>
      'Su dirección tiene caracteres que aún no podemos leer. Por favor, escriba desde otra dirección.',
    'sender-unreadable': () =>
      'No hemos podido leer su dirección de remitente. Por favor, use su programa de correo habitual.',
    'write-a-new-one': () => 'Por favor, escriba un mensaje nuevo con el botón, en lugar de responder a otro.',
    'only-this-address': () => 'Por favor, envíe su mensaje a la dirección que aparece aquí, y a nadie más.',
    checking: () => 'Estamos preguntando a su proveedor de correo. Puede tardar unos minutos.',
    'not-confirmed': () =>
      'No hemos podido confirmar que este mensaje viniera de su proveedor de correo. Por favor, envíelo desde su programa de correo habitual.',
    'asked-often': (wait) =>
      `Ya ha escrito varias veces. Nuestra próxima respuesta saldrá dentro de ${wait} o un poco más tarde; no hace falta que envíe otro mensaje.`,
    'asked-too-often': (wait) => `Ha escrito muchísimas veces. Por favor, vuelva dentro de ${wait} y empiece de nuevo.`,
  },
  detailsHeading: 'Detalles para quien se ocupa de su correo',
  lookAgain: 'Volver a mirar',
  stepCode: 'Escriba el código aquí',
  codeLabel: 'Los 8 números de nuestra respuesta',
  pasteHelp: 'Si pega el código, la página continúa sola.',
  submit: 'Continuar',
  validUntil: ['Puede usar esta página hasta esta hora: ', '.'],
  startAgain: 'Empezar de nuevo',
  whyHeading: '¿Por qué tengo que enviar un correo?',
  why: [
    'Solo usted puede escribir desde su buzón y leer allí nuestra respuesta. Así sabemos que es usted quien quiere la nueva contraseña.',
    'Otros sitios envían un enlace. Los filtros de correo abren esos enlaces, y hay quien puede abusar de ellos. Nuestra respuesta solo tiene un código, que no vale nada sin esta página.',
    'Miramos quién ha enviado su correo y el asunto. No lo guardamos.',
  ],
  continue: 'Continuar',
  back: 'Volver a la página',
  tellNobody: 'No dé el código a nadie. Ninguno de nosotros se lo pedirá nunca.',
  accountsHeading: 'Su dirección de correo está confirmada',
  wroteFrom: 'Nos ha escrito desde',
  chooseAccount: '¿Qué cuenta necesita una nueva contraseña?',
  noAccount: (mailbox) =>
    `Ninguna cuenta usa ${mailbox}. ¿Tiene otra dirección? Entonces empiece de nuevo y escríbanos desde ella.`,
  chosen: 'Ha elegido la cuenta',
  endsHere:
    'Por ahora solo podemos llegar hasta aquí: todavía no se puede elegir la nueva contraseña. Su cuenta no ha cambiado.',
  otherAccount: 'Elegir otra cuenta',
  errorHeading: 'No ha funcionado',
  refusals: {
    'cookie-missing': () =>
      'Esta página ha estado abierta demasiado tiempo, o su navegador no guarda cookies. Por favor, empiece de nuevo. Si vuelve a ocurrir, permita las cookies de este sitio: se hace en los ajustes del navegador, en «Privacidad».',
    'cookie-invalid': () =>
      'La página en la que ha escrito el código ya no sirve, por eso no hemos podido usarlo. Esta página es nueva y tiene una dirección nueva: por favor, envíe su correo otra vez, a esta dirección.',
    'cross-site': () =>
      'Esto venía de otro sitio, por eso no hemos hecho nada. Por favor, empiece de nuevo desde aquí.',
    'nonce-wrong': () => 'Esta página ya no es la actual. Por favor, vuelva a la página actual.',
    'code-malformed': () => 'Un código tiene 8 números. Por favor, mire nuestra respuesta y escríbalos todos.',
    'mail-not-seen': () =>
      'Su correo todavía no ha llegado, por eso aún no hay código. Por favor, envíelo primero o espere un momento.',
    'code-wrong': ({ triesLeft }) =>
      `Este no es el código. Por favor, compárelo con el de nuestra respuesta. ${triesLeft === 1 ? 'Le queda un intento' : `Le quedan ${triesLeft} intentos`}.`,
    'code-expired': () =>
      'Este código es demasiado antiguo. Por favor, envíe su correo otra vez: con nuestra nueva respuesta volverá a funcionar.',
    'code-used': () => 'Este código ya se ha usado. Si ha sido usted, continúe; si no, empiece de nuevo, por favor.',
    'codes-exhausted': ({ wait }) =>
      `Hoy ha habido demasiados códigos incorrectos. Por favor, espere ${wait} o pida ayuda a las personas que se ocupan de su cuenta.`,
    'challenge-locked': () =>
      'El código ha fallado demasiadas veces, por eso hemos cerrado esta página. Por favor, empiece de nuevo.',
    'challenge-expired': () =>
      'La página ha estado abierta demasiado tiempo, por eso no hemos podido usar el código. Esta página es nueva y tiene una dirección nueva: por favor, envíe su correo otra vez, a esta dirección.',
    'grant-missing': () => 'Solo podemos mostrar esto si se acaba de escribir un código. Por favor, empiece de nuevo.',
  },
  troubles: {
    'bad-request': 'No hemos podido leer lo que ha enviado su navegador. Por favor, empiece de nuevo.',
    'not-found': 'Aquí no existe esa página.',
    'wrong-method': 'Esta página no se puede usar así.',
    'too-slow':
      'Su solicitud ha tardado demasiado en llegar. Por favor, inténtelo de nuevo, quizá con una conexión mejor.',
    'too-large': 'Era demasiado texto. Por favor, escriba solo el código.',
    'not-a-form': 'No hemos podido leer lo que ha enviado su navegador. Por favor, use el formulario de la página.',
    'too-many-headers':
      'Su navegador nos ha enviado más de lo que podemos leer. Por favor, borre las cookies de este sitio e inténtelo de nuevo.',
    unavailable: 'Ahora mismo no es posible. Por favor, inténtelo de nuevo en un minuto; no se ha perdido nada.',
    bug: 'Algo ha fallado por nuestra parte. Por favor, inténtelo de nuevo; si sigue igual, avise a las personas que llevan este sitio.',
  },
};
