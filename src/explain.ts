// The command `explain`: arguments and a file in, calm text or JSON out. What would happen is decided behind compose.ts;
// here are only words. Text of strangers (records, domains, selectors) is printed as printable ASCII and nothing else.

import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import type {
  DnsQuestion,
  ExplainedDecision,
  ExplainedSender,
  ExplainedSignature,
  ExplainedValue,
  ExplainNote,
  ExplainRequest,
  Explanation,
  RecipientState,
  SignatureTrouble,
} from './app/ports.ts';
import { type CommandRun, readArguments, shown, UsageError } from './command.ts';
import { openExplainMail } from './compose.ts';
import { fileProblem } from './core/file-problem.ts';
import type { SignatureCondition, SpfCondition } from './core/sender-policy.ts';
import { formatMistakes, loadSettings } from './settings/load-settings.ts';

const explainUsage = `Usage:
  reply-to-verify explain FILE [--ip A] [--helo H] [--mail-from F] [--rcpt T] [--config FILE] [--json]

Says what would happen to a saved message (.eml) if it came now, and why. It asks the DNS, changes
nothing and sends nothing, and may run beside the service, as the same user.

  --ip A          network address of the server that delivered it; without it SPF is not looked at
  --helo H        what that server called itself (HELO, EHLO)
  --mail-from F   sender of the envelope (MAIL FROM); without it the author in From
  --rcpt T        recipient of the envelope (RCPT TO); without it the one address in To
  --config FILE   settings on top of config/default.yaml and below the environment, as for serve
  --json          one JSON object instead of text; in a checkout say: npm run --silent explain -- ...

Received and Authentication-Results fields in the file are not believed, as they are not on the wire.

Exit code: 0 accepted, 1 refused for good, 75 told to come again later, 2 no verdict: wrong
arguments, mistakes in the settings, a file that cannot be read.`;

const exitCodes = { accepted: 0, refused: 1, 'try-later': 75 } as const;
const noVerdict = 2;

/**
 * Runs the command.
 * @param args     what follows `explain`; the operator's
 * @param defaults the settings file beneath that of `--config`
 */
export async function runExplain(
  args: readonly string[],
  defaults: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<CommandRun> {
  try {
    const command = readCommand(args);
    if (command === 'help') return { exitCode: 0, output: explainUsage, complaint: '' };
    const loaded = loadSettings({ files: [defaults, ...command.config], env });
    if (!loaded.ok) return { exitCode: noVerdict, output: '', complaint: formatMistakes(loaded.mistakes) };
    const { settings } = loaded;
    // One octet more than a message of which the service would stop reading.
    const file = await readBounded(command.file, 2 * settings.limits.messageBytesMax + 1);
    const explain = await openExplainMail(settings);
    const explanation = await explain({ ...command.envelope, file });
    const output = command.json ? formatJson(explanation) : formatText(explanation);
    return { exitCode: exitCodes[explanation.decision.outcome], output, complaint: '' };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const complaint = error instanceof UsageError ? `${shown(message)}\n\n${explainUsage}` : message;
    return { exitCode: noVerdict, output: '', complaint };
  }
}

const text = { type: 'string' } as const;

interface Command {
  readonly file: string;
  readonly config: readonly string[];
  readonly json: boolean;
  readonly envelope: Omit<ExplainRequest, 'file'>;
}

function readCommand(args: readonly string[]): Command | 'help' {
  const { positionals, values } = readArguments(args, { ip: text, helo: text, 'mail-from': text, rcpt: text });
  if (values.help === true) return 'help';
  const [file, ...more] = positionals;
  if (file === undefined) throw new UsageError('Which message? Name its file.');
  if (more.length > 0) throw new UsageError('One file at a time, please.');
  const { ip, helo } = values;
  if (ip !== undefined && isIP(ip) === 0) throw new UsageError('--ip is not a network address, such as 203.0.113.5.');
  if (helo !== undefined && !/^[\x21-\x7e]{1,255}$/.test(helo)) throw new UsageError('--helo is not a host name.');
  return {
    file,
    config: values.config === undefined ? [] : [values.config],
    json: values.json === true,
    envelope: {
      ip,
      helo,
      mailFrom: readPath('--mail-from', values['mail-from'], /^(?:[\x21-\x7e]+@[\x21-\x7e]+)?$/),
      recipient: readPath('--rcpt', values.rcpt, /^(?:[\x21-\x7e]+@[\x21-\x7e]+|postmaster)$/i),
    },
  };
}

/** An address as SMTP has it: angle brackets or none, domain as ASCII. */
function readPath(option: string, text: string | undefined, form: RegExp): string | undefined {
  if (text === undefined) return undefined;
  const path = /^<(.*)>$/.exec(text)?.[1] ?? text;
  const at = path.lastIndexOf('@');
  const domain = path.slice(at + 1);
  const address = at < 0 ? path : `${path.slice(0, at)}@${domainToASCII(domain) || domain}`;
  if (!form.test(address)) throw new UsageError(`${option} is not a mail address.`);
  return address;
}

async function readBounded(path: string, bytesMax: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const buffer = new Uint8Array(bytesMax);
      let length = 0;
      for (let got = -1; got !== 0 && length < bytesMax; length += got) {
        got = (await file.read(buffer, length, bytesMax - length)).bytesRead;
      }
      return buffer.subarray(0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(`${path} ${fileProblem(error)}.`);
  }
}

/** The whole explanation; stable names, printable ASCII, other characters as JSON escapes. */
function formatJson(explanation: Explanation): string {
  return JSON.stringify(explanation, undefined, 2).replace(/[^\x20-\x7e\n]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

// ---- text ----

const columns = 100;
const labelWidth = 13;
const shownMax = 1000;

/** The explanation for reading, also aloud. */
function formatText(explanation: Explanation): string {
  const { decision, otherwise, sender, dns, notes } = explanation;
  const sections = [
    [outcomeWords[decision.outcome], ...decisionLines(decision, explanation)],
    otherwise === null ? [] : ['If the address were still open', ...otherwiseLines(otherwise, explanation)],
    ['Message', ...envelopeLines(explanation)],
    ...(sender === null ? [['Sender', ...wrap('  ', notReached(explanation))]] : senderSections(sender, explanation)),
    dns.length === 0 ? [] : ['DNS questions, in order', ...questionLines(dns)],
    notes.length === 0 ? [] : ['Notes', ...notes.flatMap((note) => wrap('  - ', noteWords[note]))],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function rowWords({ row, reason, by, at }: ExplainedDecision): string {
  if (by !== null) return `row D12 by ${by === 'spf' ? 'SPF' : 'signature'}, on to row ${row} (${reason})`;
  return `row ${row} (${reason}), ${at === 'recipient' ? 'before the message is sent' : 'at the end of the message'}`;
}

function decisionLines(decision: ExplainedDecision, explanation: Explanation): string[] {
  return [
    ...field('Decided by', rowWords(decision)),
    ...field('Why', whys[decision.reason](explanation)),
    ...field('SMTP answer', decision.answer),
    ...field('Open page', decision.page === null ? 'stays as it is' : `says "${decision.page}"`),
  ];
}

function otherwiseLines(decision: ExplainedDecision, explanation: Explanation): string[] {
  return [...field('Verdict', outcomeWords[decision.outcome]), ...decisionLines(decision, explanation)];
}

function envelopeLines({ author, recipient, mailFrom, ip, helo }: Explanation): string[] {
  return [
    ...field('Author', author ?? 'From could not be read'),
    ...field('Recipient', `${valueWords(recipient, 'To of the message')}: ${stateWords[recipient.state]}`),
    ...field('MAIL FROM', valueWords(mailFrom, 'not given, so the author')),
    ...field('Client', valueWords(ip, '')),
    ...field('HELO', valueWords(helo, '')),
  ];
}

function valueWords({ value, from }: ExplainedValue, source: string): string {
  if (value === null) return 'not given';
  return `${value === '' ? '<>' : value}${from === 'message' ? ` (${source})` : ''}`;
}

function notReached({ decision, otherwise }: Explanation): string {
  const { reason } = otherwise ?? decision;
  return reason === 'checks-failed'
    ? 'The checks did not come to an end; the DNS questions below show how far they came.'
    : 'Signatures, SPF and DMARC were not looked at: the row above comes first.';
}

function senderSections({ signatures, spf, dmarc }: ExplainedSender, { mailFrom, ip }: Explanation): string[][] {
  const none = ['  The message has none.'];
  return [
    ['Signatures (DKIM)', ...(signatures.length === 0 ? none : signatures.flatMap(signatureLines))],
    ['SPF', ...(spf === null ? ['  Not looked at: the network address is not known (--ip).'] : spfLines(spf))],
    ['DMARC', ...dmarcLines(dmarc)],
  ];

  function spfLines({ domain, result, record, missed, canary }: NonNullable<ExplainedSender['spf']>): string[] {
    return [
      ...field('Result', `${result} for ${domain || (mailFrom.value ?? '')} and the server ${ip.value}`),
      ...field('Record', record ?? 'none could be used'),
      ...misses(missed.map((name) => [name, spfConditions[name]])),
      ...(canary === null ? [] : field('Canary', `${canary}: ${canaryWords[canary]}`)),
    ];
  }
}

function signatureLines(signature: ExplainedSignature, index: number): string[] {
  const { domain, selector, algorithm, result, trouble, missed } = signature;
  return [
    ...wrap(`  ${index + 1}. `, `${show(domain) || 'no domain'}: ${show(result)}`),
    ...field('Selector', selector || 'none'),
    ...field('Algorithm', algorithm || 'none'),
    ...(trouble === null ? [] : field('Because', `${troubleWords[trouble]} (${trouble})`)),
    ...misses(missed.map((name) => [name, signatureConditions[name]])),
  ];
}

function misses(missed: readonly (readonly [name: string, words: string])[]): string[] {
  if (missed.length === 0) return field('Misses', 'nothing');
  return missed.flatMap(([name, words], index) => field(index === 0 ? 'Misses' : '', `${name}: ${words}`));
}

function dmarcLines({ result, record, foundAt, policy }: ExplainedSender['dmarc']): string[] {
  return [
    ...field('Result', result ?? 'not evaluated, for there is more than one author to choose from'),
    ...field('Record', record ?? 'none could be used'),
    ...(foundAt === null ? [] : field('Found at', `_dmarc.${foundAt}`)),
    ...(policy === null ? [] : field('Policy', policy)),
  ];
}

function questionLines(questions: readonly DnsQuestion[]): string[] {
  const outcomes = questions.map(({ records, code }) => {
    if (records !== null) return records === 1 ? '1 record' : `${records} records`;
    return code === null ? 'no answer in time' : `${codeWords[code] ?? 'failed'} (${show(code)})`;
  });
  const width = Math.max(...outcomes.map(({ length }) => length));
  return questions.flatMap(({ type, name }, index) => {
    return wrap(`  ${type.padEnd(6)} ${(outcomes[index] ?? '').padEnd(width)}  `, show(name) || '.');
  });
}

/** `  Label        text`, in as many lines as it takes. The text may be a stranger's. */
function field(label: string, text: string): string[] {
  return wrap(`  ${label.padEnd(labelWidth)}`, show(text));
}

/** Printable ASCII stays, everything else is escaped, and what is far too long is cut. */
function show(text: string): string {
  const cut = text.length > shownMax ? `${text.slice(0, shownMax)}... (${text.length} characters in all)` : text;
  return cut.replace(/[^\x20-\x7e]|\\/gu, (character) => {
    return character === '\\' ? '\\\\' : `\\u{${character.codePointAt(0)?.toString(16)}}`;
  });
}

/** Breaks at blanks, and in a word where it has none. Further lines stand below the text. */
function wrap(head: string, text: string): string[] {
  const width = columns - head.length;
  const words = text.split(' ').flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'g')) ?? ['']);
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1) ?? '';
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line, index) => `${index === 0 ? head : ' '.repeat(head.length)}${line}`.trimEnd());
}

// ---- words ----

const outcomeWords: Readonly<Record<ExplainedDecision['outcome'], string>> = {
  accepted: 'Accepted.',
  refused: 'Refused for good.',
  'try-later': "Not now: the sender's server is told to come again.",
};

const unreadable = 'The message is not written as mail has to be, so two programs could read it in two ways.';

const whys: Readonly<Record<ExplainedDecision['reason'], (explanation: Explanation) => string>> = {
  believed: whyBelieved,
  'already-answered': () => 'This very message was answered before; no second answer goes out.',
  'passed-on': () => "The recipient is the operator: the message is passed on to the operator's mailbox, not answered.",
  'far-too-big': () => 'The message is more than twice as big as allowed, so nobody reads it to its end.',
  'checks-failed': () => 'The checks took too long as a whole; most often a name server does not answer.',
  'too-many-bad-addresses': () => 'Too many addresses were named that are not ours.',
  'relay-denied': () => 'The recipient is not at the domain of the one-time addresses (mail.domain).',
  'null-sender': () => 'The sender of the envelope is empty: only automatic mail has that.',
  'address-unknown': ({ recipient }) => unknownWords[recipient.state] ?? 'The recipient is not one of our addresses.',
  'address-expired': ({ recipient: { state, expiresAt } }) =>
    state === 'expired' && expiresAt !== null
      ? `The page of this address was open too long: it ended at ${minuteOf(expiresAt)}.`
      : 'The request behind this address is over: its code was used, or was wrong too often.',
  'too-many-messages': () => 'More messages than allowed came for this request.',
  'message-too-big': () => 'The message is bigger than allowed (limits.messageBytesMax).',
  'line-ends-malformed': () => 'The message has a NUL, or a CR or LF that is not part of a line end.',
  'header-malformed': () => 'The header is too long, or has a line that is no header field.',
  'header-repeated': () => 'There is not exactly one From and one To, or another field is there more than once.',
  'mail-loop': () => 'The message passed more than 50 servers: it goes round in circles.',
  'too-many-signatures': () => 'The message has more signatures than are checked (limits.dkimSignaturesMax).',
  'address-not-ascii': () => 'From, To, Date, Message-ID or a signature has characters beyond ASCII.',
  'author-unreadable': () => 'From is not exactly one plain mail address.',
  'automatic-mail': () => 'It looks like automatic mail: a robot, a mailing list, a report, or our own address.',
  'answer-to-another-mail': () => 'It is an answer to another mail (In-Reply-To or References), not a new message.',
  'wrong-recipient': () => 'To is not the one-time address alone, or not the one the message was delivered to.',
  'author-ambiguous': () => unreadable,
  'check-unavailable': () => 'A name server of the sender failed, so nothing can be said yet.',
  'not-authenticated': whyNotAuthenticated,
  'replies-exhausted': () => 'The mailbox, or its domain, asked too often.',
  'replies-exhausted-for-long': () =>
    'The mailbox, or its domain, asked so often that the page ends before the next answer.',
  'senders-exhausted': () => 'Too many different mailboxes wrote to this one-time address.',
};

function whyBelieved({ sender, decision, otherwise, author, ip }: Explanation): string {
  if ((otherwise ?? decision).by === 'spf') {
    return `The server ${ip.value} may send for the domain of ${author} (SPF), and the envelope names the author.`;
  }
  const good = sender?.signatures.find(({ missed }) => missed.length === 0);
  return `The signature of ${good?.domain} is good, belongs to the author's domain and covers this request.`;
}

function whyNotAuthenticated({ sender }: Explanation): string {
  const signed = sender !== null && sender.signatures.length > 0;
  const signatures = signed ? 'No signature of the message counts' : 'The message has no signature';
  const spf = sender?.spf;
  if (!spf) return `${signatures}, and SPF was not looked at.`;
  if (spf.canary === 'open') return `${signatures}, and the SPF record lets everybody in, so it proves nothing.`;
  return `${signatures}, and SPF does not vouch for the author.`;
}

const unknownWords: Partial<Readonly<Record<RecipientState, string>>> = {
  'foreign-key':
    'The recipient has the form of a one-time address, but was made with another key: mistyped, of another service, or of this one before its key was changed.',
  'other-form': 'The recipient does not have the form of a one-time address.',
  'no-operator': 'Mail for postmaster and abuse is refused, for no mailbox is set for it (smtp.operator).',
};

const stateWords: Readonly<Record<RecipientState, string>> = {
  open: 'a one-time address of ours',
  expired: 'a one-time address of ours, expired',
  over: 'a one-time address of ours, used up',
  operator: 'the operator',
  'no-operator': 'the operator, who has no mailbox here',
  'other-domain': 'not at our domain',
  'other-form': 'not an address of ours',
  'foreign-key': 'made with another key',
  unknown: 'not looked at',
};

const canaryWords: Readonly<Record<NonNullable<NonNullable<ExplainedSender['spf']>['canary']>, string>> = {
  closed: 'the record keeps strangers out, as it should',
  open: 'the record lets in addresses that nobody sends from, so it proves nothing',
  temperror: 'whether the record keeps strangers out could not be found out now',
};

const signatureConditions: Readonly<Record<SignatureCondition, string>> = {
  passes: 'it could not be verified',
  'is-sha256': 'rsa-sha256 or ed25519-sha256 is needed',
  'covers-the-body': 'it covers only a part of the text (l=), so anybody may have added the rest',
  'key-not-in-testing': 'the domain says that its key is only being tried out (t=y)',
  'not-from-the-future': 'it was made in the future; is a clock wrong?',
  aligned: "its domain does not belong to the author's by the rules of DMARC",
  'same-organisation': "its domain is of another organisation than the author's",
  'dmarc-agrees': "DMARC does not pass; without a DMARC record only the author's very own domain counts",
  'signs-from': 'it does not cover From',
  'signs-the-challenge':
    'it covers neither To nor a Subject with the label of the request, so it could be an old mail sent again',
};

const spfConditions: Readonly<Record<SpfCondition, string>> = {
  passes: 'SPF does not say that this server may send for the domain',
  'envelope-names-the-author': "MAIL FROM is not the author's address",
  'same-organisation': "the domain of MAIL FROM is of another organisation than the author's",
  'dmarc-agrees':
    "DMARC does not pass by SPF; without a DMARC record the domain of MAIL FROM must be the author's very own",
};

const troubleWords: Readonly<Record<SignatureTrouble, string>> = {
  'body-changed': 'the text was changed after it was signed, for example by a mailing list or a filter',
  'header-changed': 'a signed header field was changed, or the key is another one',
  expired: 'it has expired',
  'expiry-malformed': 'it expires before it was made',
  malformed: 'it is not written as it has to be',
  'from-not-signed': 'it does not cover From',
  'identity-mismatch': 'its i= is not of its own domain',
  'weak-algorithm': 'its algorithm is too old',
  'weak-key': 'its key is too short; RSA needs 1024 bits and better has 2048',
  'key-missing': 'there is no key in the DNS for this selector',
  'key-unusable': 'the key in the DNS is damaged, withdrawn or of an unknown kind',
  'key-for-another-use': 'the key in the DNS is not for this algorithm, or not for mail',
  'key-look-up-failed': 'the name server did not say which key it is',
};

const codeWords: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such name',
  ENODATA: 'no such record',
  ESERVFAIL: 'server failure',
  ETIMEOUT: 'no answer in time',
  ECONNREFUSED: 'server not reached',
  EREFUSED: 'refused',
};

const noteWords: Readonly<Record<ExplainNote, string>> = {
  'line-ends-converted': 'The file has line ends of Unix (LF); they were read as CR LF, as they are on the wire.',
  'line-ends-mixed': 'The line ends may have been changed when the file was saved. Is there a copy from elsewhere?',
  'recipient-not-known': 'To could not be read and --rcpt was not given: taken as sent to one of our addresses.',
  'mail-from-assumed': 'MAIL FROM was not given. Many servers use another address there, and SPF looks at that one.',
  'spf-not-checked': 'The service knows the network address (--ip): SPF could let it believe this message.',
  'file-without-signature':
    'Copies from a folder of sent mail have no signature. Better is a copy that has arrived in another mailbox.',
  'limits-not-counted':
    'How many messages and answers there were lately, only the running service knows: it may still say "too often".',
};

/** `2026-11-20 10:15 UTC`. */
function minuteOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
