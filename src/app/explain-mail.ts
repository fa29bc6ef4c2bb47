// What would happen to a saved message, and why: for an administrator on the phone. The decisions are those of the use
// cases themselves (admit-recipient.ts, check-mail.ts, receive-mail.ts), on a store that forgets what they write and
// without a relay. Limits that are counted in the memory of a running service cannot be known here.

import { asciiLower, type Mailbox } from '../core/mail-address.ts';
import { readMessageHeader } from '../core/message-header.ts';
import { type KeyedAddress, parseAddress } from '../core/one-time-address.ts';
import { type MailSentence, mailRefusals } from '../core/refusal.ts';
import { missedBySignature, missedBySpf, type SenderPolicy } from '../core/sender-policy.ts';
import { createChallengeNews } from './challenge-news.ts';
import { readAddress } from './challenge-tokens.ts';
import { type CheckedMail, checkMail } from './check-mail.ts';
import {
  type Admitted,
  type ChallengeStore,
  type Clock,
  DependencyError,
  type DnsQuestion,
  type Envelope,
  type ExplainedDecision,
  type ExplainedSender,
  type ExplainedValue,
  type ExplainMail,
  type ExplainNote,
  type ExplainRequest,
  type MailAccepted,
  type MailRefused,
  type MailVerifier,
  type ReceiveMail,
  type RecipientState,
  type Secrets,
  type Verification,
} from './ports.ts';
import { createReceiveMail, type ReceiveMailOptions } from './receive-mail.ts';

/** What the two edges would say, word for word. */
export interface MailAnswers {
  /** @param authorDomain a checked domain name, when there is an author */
  smtp(reason: ExplainedDecision['reason'], authorDomain: string | undefined): string;
  /** @param sentence `answer-queued`: the mail was accepted */
  page(sentence: Exclude<MailSentence, 'unchanged'> | 'answer-queued'): string;
}

export interface ExplainMailPorts {
  readonly secrets: Secrets;
  /** Challenges as they are on disk; never written. */
  readonly store: Pick<ChallengeStore, 'read'>;
  /** Makes a verifier that puts every question it asks into the list. */
  readonly verifierNoting: (questions: DnsQuestion[]) => MailVerifier;
  readonly clock: Clock;
  readonly answers: MailAnswers;
}

export interface ExplainMailOptions extends ReceiveMailOptions {
  readonly messageBytesMax: number;
}

/** A message on its way through the rows, with what was found out so far. */
interface Case {
  readonly message: Uint8Array;
  readonly author: Mailbox | undefined;
  readonly mailFrom: ExplainedValue;
  readonly recipient: ExplainedValue;
  readonly ip: string | undefined;
  readonly helo: string | undefined;
}

interface Outcome {
  readonly decision: ExplainedDecision;
  readonly otherwise?: ExplainedDecision;
  readonly checked?: CheckedMail;
  readonly state?: RecipientState;
  readonly address?: KeyedAddress | undefined;
}

const cr = 13;
const lf = 10;

/** Makes the use case. */
export function createExplainMail(ports: ExplainMailPorts, options: ExplainMailOptions): ExplainMail {
  return async (request) => {
    const dns: DnsQuestion[] = [];
    const verifier = askedOnce(ports.verifierNoting(dns));
    const converted = hasBareLineFeedsOnly(request.file);
    const of = openCase(request, converted ? withCarriageReturns(request.file) : request.file, options);
    const outcome = await judge({ ...ports, verifier }, options, of);
    const { checked } = outcome;
    const verification = checked?.evidence && (await verifier.known());
    const sender =
      checked && verification
        ? describeSender(checked, verification, request.ip !== undefined, options.policy, ports.clock.now())
        : null;
    return {
      decision: outcome.decision,
      otherwise: outcome.otherwise ?? null,
      author: of.author ?? null,
      recipient: {
        ...of.recipient,
        state: outcome.state ?? 'unknown',
        expiresAt: outcome.address?.expiresAt ?? null,
      },
      mailFrom: of.mailFrom,
      ip: given(request.ip),
      helo: given(request.helo),
      sender,
      dns: dns.slice(),
      notes: notesOn(of, outcome, converted, sender),
    };
  };
}

/** The parts of the envelope that nobody named are taken from the message itself, never from what servers added to it. */
function openCase(request: ExplainRequest, message: Uint8Array, { limits }: ExplainMailOptions): Case {
  const header = readMessageHeader(message, limits.dkimSignaturesMax);
  const read = header.kind === 'header' ? header : undefined;
  return {
    message,
    author: read?.author,
    mailFrom: given(request.mailFrom, read?.author),
    recipient: given(request.recipient, read?.recipient),
    ip: request.ip,
    helo: request.helo,
  };
}

function given(value: string | undefined, inMessage?: string): ExplainedValue {
  if (value !== undefined) return { value, from: 'given' };
  return inMessage === undefined ? { value: null, from: 'unknown' } : { value: inMessage, from: 'message' };
}

interface JudgePorts extends Omit<ExplainMailPorts, 'verifierNoting'> {
  readonly verifier: MailVerifier;
}

/** The rows before DATA, then the message. */
async function judge(ports: JudgePorts, options: ExplainMailOptions, of: Case): Promise<Outcome> {
  const { secrets, clock } = ports;
  const decide = decisionsFor(ports, of);
  // Nobody named a recipient, and the message names none that could be read. Whichever address of ours it was sent to,
  // it meets a row before the one that looks at it: D2 to D10.
  const recipient = of.recipient.value;
  const nullSender = of.mailFrom.value === '';
  if (recipient === null && nullSender) return { decision: decide('null-sender', 'recipient') };
  if (recipient === null) return judgeMessage(ports, options, of, { kind: 'one-time', address: anyAddress });
  const mail = dryReceiveMail(ports, options);
  const origin = { remoteAddress: of.ip ?? anyHost, badRecipients: 0, nullSender };
  const admitted = await mail.admitRecipient(recipient, origin);
  const localPart = recipient.includes('@') ? recipient.slice(0, recipient.lastIndexOf('@')) : recipient;
  const ours = admitted.kind === 'refused' ? admitted.reason !== 'relay-denied' : true;
  const address = ours ? readAddress(secrets, localPart, clock.now()) : undefined;
  if (admitted.kind !== 'refused') {
    const state = admitted.kind === 'operator' ? 'operator' : 'open';
    return { ...(await judgeMessage(ports, options, of, admitted)), state, address };
  }
  const state = await stateOf(ports, options, admitted, recipient, address);
  const decision = decide(admitted.reason, 'recipient');
  if (admitted.reason === 'null-sender') return { decision };
  if (state === 'no-operator') return { decision: { ...decision, row: 'R2' }, state };
  if (address === undefined) return { decision, state };
  const { checked, ...message } = await judgeContent(ports, options, of, address);
  return { decision, otherwise: message.decision, state, address, ...(checked && { checked }) };
}

/** Why a recipient is refused, closer than its row. */
async function stateOf(
  ports: JudgePorts,
  options: ExplainMailOptions,
  { reason }: MailRefused,
  recipient: string,
  address: KeyedAddress | undefined,
): Promise<RecipientState> {
  if (reason === 'relay-denied') return 'other-domain';
  if (address !== undefined) return ports.clock.now() >= address.expiresAt ? 'expired' : 'over';
  const at = recipient.lastIndexOf('@');
  const localPart = at < 0 ? recipient : recipient.slice(0, at);
  if (parseAddress(localPart, ports.clock.now()) !== undefined) return 'foreign-key';
  // Would it be the operator's, if there was one?
  const withOperator = dryReceiveMail(ports, { ...options, operator: options.from });
  const admitted = await withOperator.admitRecipient(recipient, {
    remoteAddress: anyHost,
    badRecipients: 0,
    nullSender: false,
  });
  return admitted.kind === 'operator' ? 'no-operator' : 'other-form';
}

/** The rows at the end of DATA, for a recipient that was admitted. */
async function judgeMessage(
  ports: JudgePorts,
  options: ExplainMailOptions,
  of: Case,
  admitted: Admitted,
): Promise<Outcome> {
  const decide = decisionsFor(ports, of);
  if (of.message.length > 2 * options.messageBytesMax) return { decision: decide('far-too-big', 'message') };
  const mail = dryReceiveMail(ports, options);
  if (of.message.length > options.messageBytesMax) {
    return { decision: decide(mail.refuseTooBig(admitted).reason, 'message') };
  }
  if (admitted.kind === 'one-time') {
    const content = await judgeContent(ports, options, of, admitted.address);
    // What is believed goes on to the record of its challenge.
    if (content.decision.outcome !== 'accepted' || admitted.address === anyAddress) return content;
    const received = await mail.receive(of.message, envelopeOf(of), admitted);
    return { ...content, decision: decide(reasonOf(received), 'message', 'by' in received ? received.by : null) };
  }
  return { decision: decide(reasonOf(await mail.receive(of.message, envelopeOf(of), admitted)), 'message') };
}

/** What the message itself would get, whatever became of its address. */
async function judgeContent(
  ports: JudgePorts,
  options: ExplainMailOptions,
  of: Case,
  address: KeyedAddress,
): Promise<Outcome> {
  const decide = decisionsFor(ports, of);
  if (of.message.length > options.messageBytesMax) return { decision: decide('message-too-big', 'message') };
  const checked = await checkMail(ports, options, of.message, envelopeOf(of), address).catch((error: unknown) => {
    if (error instanceof DependencyError) return undefined;
    throw error;
  });
  if (checked === undefined) return { decision: decide('checks-failed', 'message') };
  const { decision } = checked;
  if (decision.kind === 'refused') return { decision: decide(decision.reason, 'message'), checked };
  return { decision: decide('believed', 'message', decision.by), checked };
}

function reasonOf(received: MailAccepted | MailRefused): ExplainedDecision['reason'] {
  if (received.kind === 'refused') return received.reason;
  return received.kind === 'reply-queued' ? 'believed' : received.kind;
}

type Decide = (
  reason: ExplainedDecision['reason'],
  at: ExplainedDecision['at'],
  by?: ExplainedDecision['by'],
) => ExplainedDecision;

const rows = {
  believed: { row: 'D17', sentence: 'answer-queued' },
  'already-answered': { row: 'D15', sentence: 'unchanged' },
  'passed-on': { row: 'R2', sentence: 'unchanged' },
  'far-too-big': { row: 'D1', sentence: 'unchanged' },
  'checks-failed': { row: 'D18', sentence: 'unchanged' },
  ...mailRefusals,
} as const satisfies Record<ExplainedDecision['reason'], unknown>;

function decisionsFor({ answers }: Pick<JudgePorts, 'answers'>, of: Case): Decide {
  const domain = of.author?.slice(of.author.lastIndexOf('@') + 1);
  return (reason, at, by = null) => {
    const { row, sentence } = rows[reason];
    const answer = answers.smtp(reason, domain);
    // RFC 5321 §4.2.1: the first digit says whether the sender's server comes again.
    const outcome = answer.startsWith('2') ? 'accepted' : answer.startsWith('4') ? 'try-later' : 'refused';
    return { outcome, row, reason, by, at, answer, page: sentence === 'unchanged' ? null : answers.page(sentence) };
  };
}

/** The use case of the SMTP edge, with nothing behind it that could be changed. */
function dryReceiveMail(ports: JudgePorts, options: ExplainMailOptions): ReceiveMail {
  const { read } = ports.store;
  const store: ChallengeStore = {
    read,
    transact: async (id, now, decide) => decide(await read(id, now)).result,
    withQueued: async () => [],
    sweep: async () => {},
    close: async () => {},
  };
  const sender = { passOn: async () => ({ kind: 'handed-over' }) as const };
  return createReceiveMail(
    { ...ports, store, sender, news: createChallengeNews(), audit: { note() {} }, replyQueued() {} },
    options,
  );
}

const anyHost = '192.0.2.1'; // RFC 5737: nobody's, for limits that are empty anyway
const anyAddress: KeyedAddress = {
  keyId: '',
  purpose: 'reset',
  locale: 'en',
  clientHint: { browser: 'other', system: 'other' },
  expiresAt: 0,
  id: '0'.repeat(20),
};

function envelopeOf({ ip, helo, mailFrom }: Case): Envelope {
  return { remoteAddress: ip, helo: helo ?? '', mailFrom: mailFrom.value ?? '' };
}

/** A verifier for one message: all is found out at once, whoever asks again gets the same answer, and the DNS is not asked twice. */
function askedOnce(verifier: MailVerifier): MailVerifier & { known(): Promise<Verification> | undefined } {
  let verification: Promise<Verification> | undefined;
  let canary: ReturnType<Verification['canary']> | undefined;
  return {
    verify(message, envelope, author) {
      verification ??= verifier.verify(message, envelope, author).then(async (found) => {
        const evidence = await found.withSpf();
        return {
          evidence,
          withSpf: async () => evidence,
          canary() {
            canary ??= found.canary();
            return canary;
          },
          ...(found.trace && { trace: found.trace }),
        };
      });
      return verification;
    },
    known: () => verification,
  };
}

function describeSender(
  { evidence, canary }: CheckedMail,
  { trace }: Verification,
  spfChecked: boolean,
  senderPolicy: SenderPolicy,
  now: number,
): ExplainedSender | null {
  if (evidence === undefined) return null;
  const signatures = evidence.signatures.map((signature, index) => {
    const { trouble } = trace?.signatures[index] ?? {};
    const { domain, selector, algorithm, result } = signature;
    const missed = missedBySignature(signature, evidence, now);
    return { domain, selector, algorithm, result, trouble: trouble ?? null, missed };
  });
  const spf = evidence.spf && {
    domain: evidence.spf.domain,
    result: evidence.spf.result,
    record: trace?.spfRecord ?? null,
    missed: missedBySpf(evidence, senderPolicy),
    canary: canary ?? null,
  };
  const { record = null, foundAt = null, policy = null } = trace?.dmarc ?? {};
  return {
    // The library names one signature when there is none: without a domain, with the result "none".
    signatures: signatures.filter((each) => each.result !== 'none' || each.domain !== ''),
    spf: (spfChecked && spf) || null,
    dmarc: { result: evidence.dmarc?.result ?? null, record, foundAt, policy },
  };
}

function notesOn(
  of: Case,
  { decision, otherwise, state }: Outcome,
  converted: boolean,
  sender: ExplainedSender | null,
): ExplainNote[] {
  const message = otherwise ?? decision;
  const notes: readonly (readonly [ExplainNote, boolean])[] = [
    ['line-ends-converted', converted],
    ['line-ends-mixed', message.reason === 'line-ends-malformed'],
    ['recipient-not-known', of.recipient.value === null],
    // What a signature has proved needs no SPF, and so no envelope.
    ['mail-from-assumed', sender?.spf != null && of.mailFrom.from === 'message' && message.by !== 'signature'],
    ['spf-not-checked', sender !== null && sender.spf === null && message.by !== 'signature'],
    ['file-without-signature', sender?.signatures.length === 0 && message.outcome !== 'accepted'],
    ['limits-not-counted', state === 'open' && decision.reason === 'believed'],
  ];
  return notes.flatMap(([note, applies]) => (applies ? [note] : []));
}

/** Programs under Unix save a message with their own line ends; on the wire there are no others than CRLF. */
function hasBareLineFeedsOnly(file: Uint8Array): boolean {
  return file.includes(lf) && !file.includes(cr);
}

function withCarriageReturns(file: Uint8Array): Uint8Array {
  const message = new Uint8Array(file.length + file.reduce((count, octet) => count + (octet === lf ? 1 : 0), 0));
  let at = 0;
  for (const octet of file) {
    if (octet === lf) message[at++] = cr;
    message[at++] = octet;
  }
  return message;
}

type Lookup<Answers> = (name: string, type: string) => Promise<Answers>;

/**
 * Look-ups that are written down, each question once, in the order of asking.
 * @param questions grows; an entry is replaced when its answer comes
 */
export function notedLookups<Answers extends readonly unknown[]>(
  lookup: Lookup<Answers>,
  questions: DnsQuestion[],
): Lookup<Answers> {
  return (name, type) => {
    const question = asciiLower(name);
    const answer = lookup(name, type);
    if (questions.some((known) => known.type === type && known.name === question)) return answer;
    const at = questions.push({ type, name: question, records: null, code: null }) - 1;
    const note = (found: Pick<DnsQuestion, 'records' | 'code'>) => {
      questions[at] = { type, name: question, ...found };
    };
    answer.then(
      (records) => note({ records: records.length, code: null }),
      (error: unknown) => note({ records: null, code: codeOf(error) }),
    );
    return answer;
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
