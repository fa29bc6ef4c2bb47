// Messages for the tests of the header reader and of the reply policy: a plain one to bend field by field, and some
// that look like those of well-known mail programs. Texts are octets, one per character.

/** A field: one value, several fields of that name, or undefined for none. */
export type Fields = Readonly<Record<string, string | readonly string[] | undefined>>;

export const plainFields: Fields = {
  From: 'Amy Adams <amy@school.example>',
  To: 'k7m29qxf@in.school.example',
  Subject: 'New password KQXF-WTMB',
  Date: 'Tue, 01 Jan 2030 10:00:00 +0000',
  'Message-ID': '<1@school.example>',
};

export function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The header lines of the plain message, with some fields changed or added. Values follow the colon directly. */
export function headerText(changes: Fields = {}): string {
  const fields = Object.entries({ ...plainFields, ...changes });
  return fields.flatMap(([name, value]) => [value ?? []].flat().map((text) => `${name}: ${text}\r\n`)).join('');
}

/** The plain message, with some fields changed or added. */
export function mail(changes: Fields = {}, body = 'Hello\r\n'): Uint8Array {
  return octets(`${headerText(changes)}\r\n${body}`);
}

const lines = (...all: readonly string[]) => `${all.join('\r\n')}\r\n`;

/** As the big ones write them. */
export const realMails: readonly string[] = [
  lines(
    'Received: from mail-sor-f41.mail.example (mail-sor-f41.mail.example [203.0.113.41])',
    '        by mx.in.school.example with ESMTPS id 4f2a',
    '        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256);',
    '        Tue, 01 Jan 2030 02:00:01 -0800 (PST)',
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
    '        d=mail.example; s=20230601; t=1893492000; x=1894096800;',
    '        h=to:subject:message-id:date:from:mime-version:from:to:cc:subject;',
    '        bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;',
    '        b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ',
    '         VoG4ZHRNiYzR',
    'X-Received: by 2002:a05:6402:1234 with SMTP id x1;',
    '        Tue, 01 Jan 2030 02:00:01 -0800 (PST)',
    'MIME-Version: 1.0',
    'From: Amy Adams <amy.adams@mail.example>',
    'Date: Tue, 1 Jan 2030 11:00:00 +0100',
    'Message-ID: <CAF=abc+def_1234@mail.mail.example>',
    'Subject: New password KQXF-WTMB',
    'To: k7m2-9qxf-0000-1111-2222-3333-4444-5555@in.school.example',
    'Content-Type: multipart/alternative; boundary="000000000000abcdef"',
    '',
    '--000000000000abcdef',
    'Content-Type: text/plain; charset="UTF-8"',
    '',
    'Please send me a code.',
    '--000000000000abcdef--',
  ),
  lines(
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=Schule.example;',
    ' s=selector1;',
    ' h=From:Date:Subject:Message-ID:Content-Type:MIME-Version:X-MS-Exchange-SenderADCheck;',
    ' bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;',
    ' b=AAAA',
    'From: =?iso-8859-1?Q?J=FCrgen_M=FCller?= <Juergen.Mueller@Schule.Example>',
    'To: "k7m29qxf@in.school.example" <k7m29qxf@in.school.example>',
    'Subject: Neues Passwort KQXF-WTMB',
    'Thread-Topic: Neues Passwort KQXF-WTMB',
    'Date: Tue, 1 Jan 2030 10:00:00 +0000',
    'Message-ID:',
    ' <DB9PR01MB1234ABCDEF@DB9PR01MB1234.eurprd01.prod.mail.example>',
    'Accept-Language: de-DE, en-US',
    'Content-Language: de-DE',
    'Content-Type: text/plain; charset="iso-8859-1"',
    'Content-Transfer-Encoding: quoted-printable',
    'MIME-Version: 1.0',
    '',
    'Bitte einen Code.',
  ),
  lines(
    'From: "Brown, Bob \\"Bobby\\" (Class 4)"',
    '\t<bob@school.example>',
    'Content-Type: text/plain',
    'Content-Transfer-Encoding: 7bit',
    'Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774.100\\))',
    'Subject: =?utf-8?Q?Nouveau_mot_de_passe_KQXF-W?=',
    ' =?utf-8?Q?TMB?=',
    'X-Universally-Unique-Identifier: 11111111-2222-3333-4444-555555555555',
    'Message-Id: <0A1B2C3D-0000-4000-8000-000000000001@school.example>',
    'Date: Tue, 1 Jan 2030 11:00:00 +0100',
    'To: k7m29qxf@in.school.example',
    '',
    '',
  ),
  lines(
    'Date: Tue, 1 Jan 2030 11:00:00 +0100 (GMT+01:00)',
    "From: o'neil+reset@mail.example",
    'To: <k7m29qxf@in.school.example>',
    'Message-ID: <1.2.3@localhost>',
    'Subject: New password KQXF-WTMB',
    'MIME-Version: 1.0',
    '',
    'x',
  ),
];
