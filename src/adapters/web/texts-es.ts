// The pages in Spanish, formal address.

import type { Texts } from './texts.ts';

export const es: Texts = {
  languageName: 'Español',
  language: 'Idioma',
  errands: {
    reset: {
      heading: 'Elegir una nueva contraseña',
      intro: 'Usted nos envía un correo, nosotros le respondemos con un código y usted lo escribe aquí.',
      mailBody: (site, label) => [
        'Solo tiene que enviar este correo. No hace falta que añada nada.',
        `Quiero elegir una nueva contraseña en ${site}. La referencia de mi solicitud es ${label}.`,
      ],
      done: 'Su nueva contraseña ya vale. Se ha cerrado la sesión en todas partes: por favor, entre ahora con ella. Un correo le informa del cambio.',
      finished: 'Esta solicitud ha terminado. Si todavía necesita una nueva contraseña, empiece de nuevo, por favor.',
      why: 'Solo usted puede escribir desde su buzón y leer allí nuestra respuesta. Así sabemos que es usted quien quiere la nueva contraseña.',
      noAccount: (mailbox) =>
        `Ninguna cuenta usa ${mailbox}. ¿Tiene otra dirección? Entonces empiece de nuevo y escríbanos desde ella. Si no, pida ayuda a las personas que llevan este sitio.`,
      chooseAccount: '¿Qué cuenta necesita una nueva contraseña?',
      passwordHeading: 'Elija su nueva contraseña',
      newPassword: 'Nueva contraseña',
      setPassword: 'Guardar la contraseña',
      other: 'Mi cuenta es nueva y todavía no tiene contraseña',
    },
    activate: {
      heading: 'Activar su cuenta',
      intro:
        'Usted elige la primera contraseña de una cuenta que se ha creado para usted. Nos envía un correo, nosotros le respondemos con un código y usted lo escribe aquí.',
      mailBody: (site, label) => [
        'Solo tiene que enviar este correo. No hace falta que añada nada.',
        `Quiero elegir la primera contraseña de mi cuenta en ${site}. La referencia de mi solicitud es ${label}.`,
      ],
      done: 'Su cuenta está lista: entre con su nombre de cuenta y la contraseña que acaba de elegir. Un correo le informa de ello.',
      finished: 'Esta solicitud ha terminado. Si su cuenta todavía no tiene contraseña, empiece de nuevo, por favor.',
      why: 'Solo usted puede escribir desde su buzón y leer allí nuestra respuesta. Así sabemos que la cuenta es de verdad suya.',
      noAccount: (mailbox) =>
        `Ninguna cuenta usa ${mailbox}. ¿Le llegó la invitación a otro buzón? Entonces empiece de nuevo y escríbanos desde él. Si no, pida ayuda a las personas que han creado la cuenta.`,
      chooseAccount: '¿Qué cuenta quiere activar?',
      passwordHeading: 'Elija su contraseña',
      newPassword: 'Contraseña',
      setPassword: 'Guardar la contraseña',
      other: 'Tenía una contraseña y la he olvidado',
      active: 'Ya activas',
      activeHelp: 'Entre con la contraseña que tiene. Si la ha olvidado, elija una nueva.',
    },
    confirm: {
      heading: 'Confirmar su dirección de correo',
      intro:
        'Usted nos muestra que la dirección es suya. Nos envía un correo, nosotros le respondemos con un código y usted lo escribe aquí.',
      mailBody: (site, label) => [
        'Solo tiene que enviar este correo. No hace falta que añada nada.',
        `Quiero confirmar mi dirección en ${site}. La referencia de mi solicitud es ${label}.`,
      ],
      done: 'Su dirección está confirmada. Puede cerrar esta página y seguir donde estaba.',
      finished: 'Esta solicitud ha terminado. Si su dirección todavía no está confirmada, empiece de nuevo, por favor.',
      why: 'Solo usted puede escribir desde su buzón y leer allí nuestra respuesta. Así sabemos que la dirección es de verdad suya.',
      noAccount: (mailbox) =>
        `Ninguna cuenta usa ${mailbox}, así que no hay nada que confirmar. ¿Se registró con otra dirección? Entonces empiece de nuevo y escríbanos desde ella. Si no, pida ayuda a las personas que llevan este sitio.`,
      confirmHelp: 'Solo anotamos que esta dirección es suya. No cambia nada más.',
      confirm: 'Confirmar esta dirección',
    },
  },
  renewed:
    'La página que tenía abierta ha caducado. Esta es nueva y tiene una dirección nueva: por favor, envíe su correo a esta dirección.',
  stepMail: 'Envíenos un correo',
  openMailApp: 'Abrir mi correo',
  openTestMailbox: 'Abrir el buzón de prueba',
  justSend: 'Allí solo tiene que pulsar «Enviar» y después volver a esta página. No hace falta que añada nada.',
  orWebmail: '¿No se abre nada? Entonces elija dónde lee su correo. Se abrirá otra pestaña:',
  outlookAtWork: 'Outlook (escuela, trabajo)',
  orPhone: 'Escribir desde el móvil',
  phoneHelp:
    'Apunte con la cámara del móvil a esta imagen, toque lo que le muestre y pulse «Enviar» allí. Después escriba nuestro código en esta página.',
  qrCode: 'Código QR que abre el correo en su móvil',
  cannotSend: 'No puedo enviar un correo',
  cannotSendHelp:
    'Si desde donde está no puede enviar ninguno, escriba la dirección de su cuenta. Le enviaremos allí un código. Enviarnos un correo es más seguro: hágalo si puede.',
  typeAddress: 'Escribir mi dirección',
  typedHeading: 'Escriba su dirección',
  typedIntro:
    'Escriba la dirección que su cuenta tiene con nosotros. Si una cuenta la usa, enviamos allí un correo con un código, que usted escribirá en la página anterior.',
  typedLabel: 'Su dirección de correo',
  typedSubmit: 'Enviar el código',
  orWriteTo: 'También puede escribir usted a esta dirección:',
  copyAddress: 'Copiar la dirección',
  copied: 'Copiada',
  labelHelp: (label) =>
    `La referencia de su solicitud es ${label}. Déjela en el asunto de su correo, o escríbala allí. También aparece en nuestra respuesta.`,
  stepAnswer: 'Espere nuestra respuesta',
  progress: {
    'awaiting-mail': 'Estamos esperando su correo. Puede tardar uno o dos minutos. Deje esta página abierta.',
    'reply-queued': 'Su correo está bien. Nuestra respuesta va en camino.',
    'code-requested':
      'Si una cuenta usa la dirección que ha escrito, un correo con un código va de camino hacia allí. Mire dentro de un minuto, también en la carpeta de correo no deseado (spam).',
    'mail-arrived': 'Su correo ha llegado. Estamos comprobando que de verdad lo ha enviado usted.',
    'reply-delayed':
      'Su correo está bien, pero todavía no hemos podido entregar nuestra respuesta. Seguimos intentándolo; no hace falta que haga nada.',
    'reply-handed-over':
      'Ya hemos enviado nuestra respuesta. Mire en el buzón desde el que ha escrito y también en la carpeta de correo no deseado (spam).',
    'reply-failed':
      'No hemos podido entregar nuestra respuesta en su buzón. Por favor, empiece de nuevo y escríbanos desde otra dirección.',
    locked:
      'Se han escrito demasiados códigos incorrectos, por eso hemos cerrado esta página. Por favor, empiece de nuevo.',
    verified: 'El código era correcto.',
  },
  notFollowed: {
    'cookie-missing':
      'Esta página ha estado abierta demasiado tiempo, o su navegador no guarda cookies. Por favor, vuelva a abrir la página. Si vuelve a ocurrir, permita las cookies de este sitio: se hace en los ajustes del navegador, en «Privacidad».',
    'page-ended': 'Esta página ha caducado. Por favor, empiece de nuevo.',
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
    'write-a-new-one': () =>
      'Su correo era una respuesta a otro, por eso no hemos podido usarlo. Por favor, escriba uno nuevo con el botón de arriba.',
    'only-this-address': () =>
      'Su correo no iba dirigido solo a esta página, por eso no hemos podido usarlo. Por favor, envíelo a la dirección de arriba y a nadie más.',
    checking: () => 'Estamos preguntando a su proveedor de correo. Puede tardar unos minutos.',
    'not-confirmed': () =>
      'No hemos podido confirmar que este correo viniera de verdad de su dirección. Por favor, envíelo como suele enviar sus correos. Si ya lo ha hecho, enseñe los detalles de abajo a la persona que se ocupa de su correo, o escriba desde otra dirección.',
    'asked-often': (wait) =>
      `Ya ha escrito varias veces. Nuestra próxima respuesta podrá salir dentro de ${wait} o un poco más tarde; no hace falta que envíe otro mensaje.`,
    'asked-too-often': (wait) => `Ha escrito muchísimas veces. Por favor, vuelva dentro de ${wait} y empiece de nuevo.`,
  },
  detailsHeading: 'Detalles para quien se ocupa de su correo',
  lookAgain: 'Comprobar de nuevo',
  stepCode: 'Escriba el código aquí',
  codeLabel: 'Las 8 cifras de nuestra respuesta',
  pasteHelp: 'Si pega el código, la página continúa sola.',
  submit: 'Continuar',
  validUntil: ['Puede usar esta página hasta esta hora: ', '.'],
  startAgain: 'Empezar de nuevo',
  whyHeading: '¿Por qué tengo que enviar un correo?',
  why: [
    'Otros sitios envían un enlace. Los filtros de correo abren esos enlaces, y hay quien puede abusar de ellos. Nuestra respuesta solo tiene un código, que no vale nada sin esta página.',
    'Miramos quién ha enviado su correo y el asunto. No lo guardamos.',
  ],
  continue: 'Continuar',
  back: 'Volver a la página',
  tellNobody:
    'Escriba el código aquí y en ningún otro sitio. Nunca se lo pediremos por correo, por teléfono ni en persona.',
  accountsHeading: 'Su dirección de correo está confirmada',
  wroteFrom: 'Nuestro código fue a',
  otherAccount: 'Elegir otra cuenta',
  passwordFor: 'Es para la cuenta',
  passwordHelp: (lengthMin) =>
    `Al menos ${lengthMin} caracteres. Lo mejor son cuatro o cinco palabras que vaya a recordar; se admiten espacios y todas las letras.`,
  samePassword: 'La misma otra vez',
  showPassword: 'Mostrar lo que escribo',
  hidePassword: 'Ocultar lo que escribo',
  passwordRefusals: {
    'password-missing': 'Por favor, escriba una nueva contraseña.',
    'passwords-differ': 'Las dos no son iguales. Por favor, escríbalas otra vez.',
    'password-too-short': 'Esta contraseña es demasiado corta. Por favor, añada una o dos palabras.',
    'password-too-long':
      'Esta contraseña es demasiado larga para nosotros. Por favor, elija una de 256 caracteres como máximo.',
    'password-unprintable':
      'Esta contraseña tiene un carácter que no se puede teclear, como un tabulador o un salto de línea. Por favor, escríbala a mano.',
    'password-common':
      'Mucha gente usa esta contraseña, por eso es una de las primeras que prueban los extraños. Por favor, elija otra o añada algunas palabras.',
    'password-guessable':
      'Esta contraseña es fácil de adivinar: está hecha con su nombre, con el nuestro o siempre con los mismos caracteres. Por favor, elija otra.',
  },
  secondFactorHeading: 'Una comprobación más',
  secondFactorFor: 'Una aplicación en un teléfono protege la cuenta',
  secondFactorLabel: 'Las 6 cifras que muestra ahora su aplicación, o uno de sus códigos de reserva',
  secondFactorHelp:
    '¿No tiene ni el teléfono ni un código de reserva? Entonces pregunte a las personas que se ocupan de su cuenta.',
  enrolOffer: {
    first:
      '¿Quiere proteger mejor su cuenta? Con una aplicación en su teléfono, quien haya entrado en su buzón no podrá elegir aquí una nueva contraseña.',
    again:
      '¿Tiene un teléfono nuevo o ha gastado códigos de reserva? Puede configurar otra vez la aplicación y recibir códigos nuevos.',
  },
  enrolHeading: 'Proteger la cuenta con una aplicación',
  enrolIntro:
    'La aplicación muestra 6 cifras que cambian cada medio minuto. Siempre que se vaya a elegir aquí una nueva contraseña, las pediremos también.',
  enrolFor: 'Se trata de la cuenta',
  enrolStepApp: 'Añádanos a su aplicación',
  enrolScan:
    'Abra en su teléfono una aplicación de autenticación; si no tiene ninguna, instale una primero. Haga que escanee esta imagen:',
  enrolQrCode: 'Código QR para la aplicación',
  enrolOnThisPhone: 'La aplicación está en este dispositivo',
  enrolTyped: 'Si no funciona, escriba esta clave en la aplicación:',
  copyKey: 'Copiar la clave',
  enrolStepCode: 'Escriba lo que muestra la aplicación',
  enrolLabel: 'Las 6 cifras de la aplicación',
  enrolSubmit: 'Activar',
  enrolNotNow: 'Ahora no',
  enrolled: 'La aplicación protege ahora su cuenta.',
  recoveryHeading: 'Sus códigos de reserva',
  recoveryFor: 'Si pierde el teléfono, cada uno de estos códigos sustituye una vez a las 6 cifras. Son para la cuenta',
  recoveryHelp: 'Imprima esta página o copie los códigos, y guárdelos donde guarda los papeles importantes.',
  recoveryOnce: 'Solo los mostramos esta vez.',
  print: 'Imprimir esta página',
  recoveryKept: 'Ya los he guardado',
  undoHeading: 'Deshacer un cambio de contraseña',
  undoIntro:
    '¿Ha recibido un correo sobre una nueva contraseña que usted no quería? Escriba aquí su código. Volverá a valer la contraseña de antes, se cerrarán todas las sesiones y no se podrá elegir otra hasta que lo revisen las personas que se ocupan de su cuenta.',
  undoLabel: 'Las 16 letras y números de nuestro correo',
  undoSubmit: 'Deshacer el cambio',
  undone:
    'El cambio se ha deshecho y se han cerrado todas las sesiones. Si antes había una contraseña, vuelve a valer. Por favor, avise a las personas que se ocupan de su cuenta: hasta que lo revisen, aquí no se puede elegir otra contraseña.',
  undoQuestion: 'He recibido un correo sobre un cambio que no es mío',
  undoHelp:
    'Ese correo tiene un código que deshace el cambio. Mire la dirección de esta página, arriba en el navegador: escriba undo en lugar de su última palabra e introduzca el código en la página que se abra.',
  errorHeading: 'No ha funcionado',
  refusals: {
    'cookie-missing': () =>
      'Esta página ha estado abierta demasiado tiempo, o su navegador no guarda cookies. Por favor, empiece de nuevo. Si vuelve a ocurrir, permita las cookies de este sitio: se hace en los ajustes del navegador, en «Privacidad».',
    'cookie-invalid': () =>
      'La página en la que ha escrito el código ya no sirve, por eso no hemos podido usarlo. Esta página es nueva y tiene una dirección nueva: por favor, envíe su correo otra vez, a esta dirección.',
    'cross-site': () =>
      'Esto venía de otro sitio, por eso no hemos hecho nada. Por favor, empiece de nuevo desde aquí.',
    'nonce-wrong': () =>
      'Ha escrito el código en una página antigua, por eso no hemos podido usarlo. La página nueva tiene su propia dirección y su propio código: por favor, continúe en ella.',
    'code-malformed': () => 'Un código tiene 8 cifras. Por favor, mire nuestra respuesta y escríbalas todas.',
    'mail-not-seen': () =>
      'Todavía no ha llegado ningún correo para esta página, por eso aún no hay código. El código de una página anterior no sirve aquí. Por favor, envíe su correo o espere un momento.',
    'code-wrong': ({ triesLeft }) =>
      `Este no es el código correcto. Por favor, mire nuestra última respuesta y escriba otra vez sus 8 cifras. ${triesLeft === 1 ? 'Le queda un intento' : `Le quedan ${triesLeft} intentos`}.`,
    'code-expired': () =>
      'Este código es demasiado antiguo. Por favor, envíe su correo o escriba su dirección otra vez y espere nuestro nuevo correo: entonces el código volverá a funcionar.',
    'code-used': () =>
      'Este código ya se ha usado. Si ha sido usted, vuelva a la página y pulse «Continuar». Si no, empiece allí de nuevo, por favor.',
    'codes-exhausted': ({ wait }) =>
      `Hoy ha habido demasiados códigos incorrectos. Por favor, espere ${wait} o pida ayuda a las personas que se ocupan de su cuenta.`,
    'challenge-locked': () =>
      'Se han escrito demasiados códigos incorrectos, por eso hemos cerrado esta página. Por favor, empiece de nuevo.',
    'challenge-expired': () =>
      'La página ha estado abierta demasiado tiempo, por eso no hemos podido usar el código. Esta página es nueva y tiene una dirección nueva: por favor, envíe su correo otra vez, a esta dirección.',
    'grant-missing': () =>
      'Por su seguridad, esta página solo se muestra durante un rato después de escribir el código. Por favor, empiece de nuevo.',
    'account-changed': () =>
      'Esta cuenta se ha cambiado hace un momento, en otra ventana o por otra persona. Si ha sido usted, entre con la nueva contraseña. Si no, elija la cuenta otra vez, por favor.',
    'account-locked': () => 'Esta cuenta está bloqueada. Por favor, pregunte a las personas que se ocupan de ella.',
    'account-frozen': () =>
      'Se ha deshecho un cambio de esta cuenta, por eso no guardamos ninguna contraseña nueva hasta que lo revisen las personas que se ocupan de ella. Por favor, pregúnteles.',
    'account-active': () =>
      'Esta cuenta ya tiene contraseña. Por favor, entre con ella. Si la ha olvidado, puede elegir una nueva.',
    'second-factor-missing': () =>
      'Una aplicación protege esta cuenta, y todavía no se han escrito sus cifras. Por favor, vuelva, pulse «Continuar» y elija la cuenta otra vez.',
    'second-factor-wrong': () =>
      'No era correcto. Por favor, escriba las 6 cifras que muestra ahora su aplicación; las cifras ya usadas no valen otra vez. O use un código de reserva que aún no haya usado.',
    'second-factor-exhausted': ({ wait }) =>
      `Ha sido incorrecto demasiadas veces. Por favor, espere ${wait} y empiece entonces de nuevo, o pregunte a las personas que se ocupan de su cuenta.`,
    'enrolment-code-wrong': () =>
      'Estas no son las cifras que debería mostrar la aplicación. Por favor, escriba las que muestra ahora. Si no ayuda, compruebe que el reloj de su teléfono va bien.',
    'enrolment-over': () =>
      'Una aplicación se puede configurar una vez, y solo durante unos minutos después de elegir una nueva contraseña. Si todavía quiere hacerlo, elija otra vez una nueva contraseña, por favor.',
    'grant-used': () => 'Esto ya se había enviado. Vuelva a la página: allí se dice qué ha pasado.',
    'undo-not-needed': () => 'No queda nada que deshacer: este cambio ya se deshizo o nunca se hizo.',
    'undo-code-wrong': () =>
      'No conocemos este código, o ya es demasiado tarde para usarlo. Por favor, compárelo con nuestro correo. Si es demasiado tarde, pregunte a las personas que se ocupan de su cuenta.',
    'address-refused': () =>
      'No podemos enviar un código a esta dirección. Por favor, revísela y escríbala otra vez: una sola dirección, sin nada delante ni detrás.',
    'address-asked-often': ({ wait }) =>
      `Esta dirección se ha escrito muchas veces. Por favor, espere ${wait} o envíenos un correo desde ella: eso se puede hacer en cualquier momento.`,
    'typing-exhausted': ({ wait }) =>
      `Se han escrito demasiadas direcciones, desde su red o entre todos. Por favor, espere ${wait} o envíenos un correo: eso se puede hacer en cualquier momento.`,
    'addresses-exhausted': () =>
      'Se han usado demasiados correos y direcciones para esta solicitud. Por favor, empiece de nuevo.',
  },
  troubles: {
    'bad-request':
      'No hemos podido leer lo que ha enviado su navegador. Por favor, vuelva a la página e inténtelo de nuevo.',
    'not-found': 'Aquí no existe esa página.',
    'wrong-method': 'Esta página no se puede usar así.',
    'too-slow':
      'Su solicitud ha tardado demasiado en llegar. Por favor, inténtelo de nuevo, quizá con una conexión mejor.',
    'too-large': 'Era más texto del que podemos aceptar. Por favor, vuelva a la página y escriba menos.',
    'not-a-form': 'No hemos podido leer lo que ha enviado su navegador. Por favor, use el formulario de la página.',
    'too-many-requests':
      'Ahora mismo llegan muchas solicitudes desde su red. Por favor, inténtelo de nuevo en un minuto; no se ha perdido nada.',
    'too-many-headers':
      'Su navegador nos ha enviado más de lo que podemos leer. Por favor, borre las cookies de este sitio e inténtelo de nuevo.',
    unavailable: 'Ahora mismo no es posible. Por favor, inténtelo de nuevo en un minuto; no se ha perdido nada.',
    bug: 'Algo ha fallado por nuestra parte. Por favor, inténtelo de nuevo; si sigue igual, avise a las personas que llevan este sitio.',
  },
};
