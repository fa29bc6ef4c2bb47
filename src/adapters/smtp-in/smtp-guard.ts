// What smtp-server says by itself gets its enhanced code (RFC 3463) here, and a connection on which too much goes wrong,
// or goes on for too long, is ended: smtp-server counts unknown commands only.

import type { SMTPServer } from 'smtp-server';
import type { EdgeRefusalReason } from '../../core/refusal.ts';
import { edgeReplies } from './smtp-replies.ts';

/** A session of smtp-server. */
export type Connection = SMTPServer['connections'] extends Set<infer One> ? One : never;

const errorsMax = 30;
// Some fifty messages: whoever has more to say connects again.
const repliesMax = 250;

/** Stands between smtp-server and its client; to be called before the greeting. */
export function guardReplies(connection: Connection, refused: (reason: EdgeRefusalReason) => void): void {
  const send = connection.send.bind(connection);
  let replies = 0;
  let errors = 0;
  connection.send = (code, data, context) => {
    const bare = code >= 400 && typeof data === 'string' && !/^[245]\.\d+\.\d+ /.test(data);
    // RFC 1870 §6.1: the size that MAIL announces is looked at by smtp-server; the answer is ours.
    if (bare && code === 552) {
      refused('size-too-big');
      send(code, edgeReplies['size-too-big'].text, false);
    } else send(code, bare ? `${enhancedCode(code, data, context)} ${data}` : data, context);
    replies += 1;
    if (code >= 400) errors += 1;
    // RFC 5321 §3.8: 421 may come at any time, but not between a start signal (STARTTLS, DATA) and what follows it.
    if (code === 421 || code === 220 || code === 354) return;
    if (errors < errorsMax && replies < repliesMax) return;
    const reason = errors >= errorsMax ? 'too-many-errors' : 'too-many-commands';
    refused(reason);
    send(edgeReplies[reason].code, edgeReplies[reason].text, false);
  };
}

/** smtp-server's own switch would put a code in front of our answers too, chosen by the reply code alone. */
function enhancedCode(code: number, text: string, context: string | false | undefined): string {
  if (context === 'SENDER_SYNTAX_ERROR') return '5.1.7';
  if (context === 'MAILBOX_SYNTAX_ERROR') return '5.1.3';
  if (code === 421 && text.startsWith('Timeout')) return '4.4.2';
  if (code === 421 && text.startsWith('Server shutting down')) return '4.3.2';
  return libraryCodes[code] ?? `${String(code).charAt(0)}.5.0`;
}

/** RFC 5321 has these for syntax, sequence and size; 421: somebody who talks too soon, too long or HTTP. */
const libraryCodes: Readonly<Record<number, string>> = {
  421: '4.7.0',
  451: '4.3.0',
  500: '5.5.2',
  501: '5.5.4',
  502: '5.5.1',
  503: '5.5.1',
  530: '5.7.0',
  552: '5.3.4',
  555: '5.5.4',
};
