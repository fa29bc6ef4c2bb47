// Reads a fixture folder (message.eml, zone.json, want.json), fills its placeholders, signs it and delivers it.
//
// message.eml is written with plain line ends and sent with CRLF. In it, and in the texts of want.json:
//   {{address}} {{grouped}} {{local}} {{label}}   of the open page: its address in three ways, and its request label
//   {{local1}} {{local2}} {{label1}} {{label2}}   the same in halves
//   {{other.address}} {{other.label}} ...                     of another open page
//   {{n}}           number of this delivery, from 1
//   {{date}} {{now}} {{now+600}}   date-time of RFC 5322; seconds since the epoch
//   {{NUL}} {{CR}} {{LF}} {{SOH}}  octets that no text file should hold
//   {{fill 1000}}   so many letters x
//   {{upper:...}} {{base64:...}}   of the text, in which other placeholders stand for themselves
//   {{51 times}}    at the start of a line: that line so often
//   {{bh}} {{b:rsa}}   in a DKIM-Signature, where it stands in the message: its body hash, its signature by that key
// zone.json may hold {{rsa}}, {{ed25519}}, {{rsa-other}} and {{rsa-768}}: the public keys.

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Zone } from '../../src/testkit/zone.ts';

const folder = join(import.meta.dirname, '../fixtures');
const answer = z.string().regex(/^[2-5]\d\d [245]\.\d+\.\d+$/);

const scenario = z.strictObject({
  /** What it shows, one sentence. */
  about: z.string().min(3),
  send: z.strictObject({
    /** The address the mail comes from; null: a proxy that does not tell. */
    client: z.string().nullable().default('198.51.100.9'),
    helo: z.string().default('mail.sender.example'),
    mailFrom: z.string(),
    /** After MAIL FROM, for example SMTPUTF8. */
    mailParameters: z.string().default(''),
    /** All of them are tried, the answer of the last one counts. */
    rcptTo: z.array(z.string()).default(['{{address}}']),
    /** Deliveries; the last one counts, those before are answered as in `want.earlier`. */
    times: z.int().default(1),
    oneConnection: z.boolean().default(false),
    /** Before that, a client that sends half of it and resets the connection. */
    resetFirst: z.boolean().default(false),
    /** The page may have expired before the mail comes, or its code may have been typed after the last but one. */
    page: z.enum(['open', 'expired', 'verified']).default('open'),
  }),
  /** What somebody changed after it was signed: an end, a beginning, or a text that stands there once. */
  edits: z
    .array(
      z.union([
        z.strictObject({ append: z.string() }),
        z.strictObject({ prepend: z.string() }),
        z.strictObject({ replace: z.string(), by: z.string() }),
      ]),
    )
    .default([]),
  want: z.strictObject({
    row: z.string(),
    /** Reply code and enhanced code. */
    answer,
    /** As in mailRefusals; not given: it is none of these. */
    reason: z.string().optional(),
    earlier: answer.optional(),
    /** Mailboxes that get a reply, in any order; nobody else does. */
    repliesTo: z.array(z.string()).default([]),
    /** What reaches the operator. */
    passedOnTo: z.string().optional(),
    /** Name of the sentence on the open page: of a refusal, or of the progress. */
    page: z.string(),
    /** Lines in the fold of the page, among others. */
    verdict: z.array(z.string()).default([]),
  }),
});

export type Scenario = z.infer<typeof scenario>;

/** A folder, as it stands there. */
export interface Fixture {
  readonly name: string;
  /** One octet per character. */
  readonly template: string;
  readonly zone: Zone;
  readonly scenario: Scenario;
}

/** What the placeholders of one delivery stand for. */
export interface Facts {
  readonly page: PageFacts;
  readonly other: PageFacts;
  readonly n: number;
}

interface PageFacts {
  readonly address: string;
  readonly label: string;
}

interface Key {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const keys: Readonly<Record<string, Key>> = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-other': generateKeyPairSync('rsa', { modulusLength: 1024 }),
  'rsa-768': generateKeyPairSync('rsa', { modulusLength: 768 }),
  ed25519: generateKeyPairSync('ed25519'),
};

/** RFC 6376 §3.6.1: the key as SPKI; RFC 8463 §4: the bare 32 octets of it. */
function published(name: string): string {
  const der = keyOf(name).publicKey.export({ type: 'spki', format: 'der' });
  return (name === 'ed25519' ? der.subarray(-32) : der).toString('base64');
}

function keyOf(name: string): Key {
  const key = keys[name];
  if (key === undefined) throw new Error(`no such key: ${name}`);
  return key;
}

/** All fixtures, by name. @throws when one is not as it should be */
export function readFixtures(): readonly Fixture[] {
  return globSync('*/want.json', { cwd: folder })
    .map(dirname)
    .toSorted()
    .map((name) => {
      const read = (file: string) => readFileSync(join(folder, name, file), 'latin1');
      const parsed = scenario.safeParse(JSON.parse(Buffer.from(read('want.json'), 'latin1').toString()));
      if (!parsed.success) throw new Error(`${name}/want.json: ${z.prettifyError(parsed.error)}`);
      const zone = read('zone.json').replace(/\{\{([a-z0-9-]+)\}\}/g, (_all, key: string) => published(key));
      return { name, template: read('message.eml'), zone: JSON.parse(zone), scenario: parsed.data };
    });
}

const octets: Readonly<Record<string, string>> = { NUL: '\0', CR: '\r', LF: '\n', SOH: '\x01' };

/** Fills all placeholders but those of a signature, the inner ones first. @param text one octet per character */
export function fill(text: string, facts: Facts): string {
  let filled = text;
  for (let before = ''; before !== filled; ) {
    before = filled;
    filled = filled.replace(/\{\{([^{}]+)\}\}/g, (all, name: string) => fillOne(name, facts) ?? all);
  }
  return filled;
}

function fillOne(name: string, { page, other, n }: Facts): string | undefined {
  if (name.startsWith('other.')) return fillOne(name.slice('other.'.length), { page: other, other, n });
  const { address, label } = page;
  const [local = '', domain = ''] = address.split('@');
  const [, shift] = /^now([+-]\d+)?$/.exec(name) ?? [];
  if (name.startsWith('now')) return String(Math.floor(Date.now() / 1000) + Number(shift ?? 0));
  if (name.startsWith('fill ')) return 'x'.repeat(Number(name.slice(5)));
  if (name.startsWith('upper:')) return name.slice(6).toUpperCase();
  if (name.startsWith('base64:')) return Buffer.from(name.slice(7), 'latin1').toString('base64');
  const values: Readonly<Record<string, string>> = {
    ...octets,
    n: String(n),
    date: new Date().toUTCString().replace('GMT', '+0000'),
    address,
    grouped: `${local.match(/.{4}/g)?.join('-')}@${domain}`,
    label,
    local,
    local1: local.slice(0, 16),
    local2: local.slice(16),
    label1: label.slice(0, 4),
    label2: label.slice(4),
  };
  return values[name];
}

/** The octets of a message: filled, signed, and changed as somebody on the way would. */
export function composeFixture({ template, scenario: { edits } }: Fixture, facts: Facts): Buffer {
  const lines = template
    .replace(/\n/g, '\r\n')
    .replace(/^\{\{(\d+) times\}\}(.*\r\n)/gm, (_all, times: string, line: string) => line.repeat(Number(times)));
  let text = signAll(fill(lines, facts));
  for (const edit of edits) {
    if ('append' in edit) text += fill(edit.append, facts);
    else if ('prepend' in edit) text = fill(edit.prepend, facts) + text;
    else {
      const parts = text.split(fill(edit.replace, facts));
      if (parts.length !== 2) throw new Error(`stands there ${parts.length - 1} times: ${edit.replace}`);
      text = parts.join(fill(edit.by, facts));
    }
  }
  if (text.includes('{{')) throw new Error(`not filled: ${text.slice(text.indexOf('{{'), text.indexOf('{{') + 40)}`);
  return Buffer.from(text, 'latin1');
}

/** RFC 6376 §3.4 and §3.7: fills {{bh}} and {{b:...}} of every signature, each for itself. */
function signAll(text: string): string {
  const end = text.indexOf('\r\n\r\n') + 2;
  const body = text.slice(end + 2);
  const fields = text.slice(0, end).split(/(?<=\r\n)(?![ \t])/);
  const signed = fields.map((field) => {
    const placeholder = /\{\{b:([a-z0-9-]+)\}\}/.exec(field);
    if (placeholder === null) return field;
    const hashed = field.replace('{{bh}}', bodyHash(body, field));
    const unsigned = hashed.replace(placeholder[0], '');
    const input = signedFields(fields, tag(field, 'h') ?? '') + relaxed(unsigned).replace(/\r\n$/, '');
    const { privateKey } = keyOf(placeholder[1] ?? '');
    const digest = privateKey.asymmetricKeyType === 'ed25519' ? null : tag(field, 'a')?.split('-')[1];
    const data = Buffer.from(input, 'latin1');
    // RFC 8463 §3: Ed25519 signs the SHA-256 of the input.
    const signature = sign(digest, digest === null ? createHash('sha256').update(data).digest() : data, privateKey);
    return hashed.replace(placeholder[0], signature.toString('base64').replace(/.{64}(?=.)/g, '$&\r\n        '));
  });
  return signed.join('') + text.slice(end);
}

function tag(field: string, name: string): string | undefined {
  const value = new RegExp(`[;:\\s]${name}=([^;]*)`).exec(field)?.[1];
  return value?.replace(/\s/g, '');
}

/** RFC 6376 §3.4.4 and §3.4.3, as c= says; RFC 6376 §3.7: no more than l= octets of it. */
function bodyHash(body: string, field: string): string {
  const isRelaxed = tag(field, 'c')?.endsWith('/relaxed') ?? false;
  const text = isRelaxed ? body.replace(/[ \t]+/g, ' ').replace(/ \r\n/g, '\r\n') : body;
  const content = text.replace(/(\r\n)+$/, '');
  const canonical = isRelaxed && content === '' ? '' : `${content}\r\n`;
  const length = tag(field, 'l');
  const counted = length === undefined ? canonical : canonical.slice(0, Number(length));
  const algorithm = tag(field, 'a')?.split('-')[1] ?? 'sha256';
  return createHash(algorithm).update(Buffer.from(counted, 'latin1')).digest('base64');
}

/** RFC 6376 §5.4.2: a name stands in h= as often as it is signed, counted from the bottom; too often is nothing. */
function signedFields(fields: readonly string[], names: string): string {
  const left = [...fields];
  return names
    .split(':')
    .map((name) => {
      const at = left.findLastIndex((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`));
      return at < 0 ? '' : relaxed(left.splice(at, 1)[0] ?? '');
    })
    .join('');
}

/** RFC 6376 §3.4.2. */
function relaxed(field: string): string {
  const colon = field.indexOf(':');
  const value = field
    .slice(colon + 1)
    .replace(/\r\n(?=[ \t])/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim();
  return `${field.slice(0, colon).toLowerCase()}:${value}\r\n`;
}

/** One SMTP answer. */
export interface Answer {
  readonly code: number;
  readonly text: string;
}

/** An SMTP client that says what it is told to, over one connection. */
export interface Dialogue {
  readonly say: (line: string) => Promise<Answer>;
  /** The octets as they are, dots stuffed (RFC 5321 §4.5.2), and the end of the message. */
  readonly data: (message: Buffer) => Promise<Answer>;
  /** Sends half of it and resets the connection. */
  readonly breakOff: (message: Buffer) => void;
  readonly end: () => void;
}

/** Connects as a proxy that stands before the service, for a client anywhere. @param client null: it does not tell */
export async function openDialogue(smtp: { host: string; port: number }, client: string | null): Promise<Dialogue> {
  const socket = connect(smtp);
  const answers = readAnswers(socket);
  const next = async (): Promise<Answer> => {
    const { value } = await answers.next();
    if (value === undefined) throw new Error('the service closed the connection without an answer');
    return value;
  };
  const family = client?.includes(':') ? 'TCP6' : 'TCP4';
  const server = family === 'TCP6' ? '2001:db8::25' : '192.0.2.25';
  socket.write(client === null ? 'PROXY UNKNOWN\r\n' : `PROXY ${family} ${client} ${server} 40000 25\r\n`);
  const stuffed = (message: Buffer) => message.toString('latin1').replace(/(^|\r\n)\./g, '$1..');
  await next();
  return {
    say(line) {
      socket.write(`${line}\r\n`);
      return next();
    },
    data(message) {
      const text = stuffed(message);
      socket.write(`${text}${text.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1');
      return next();
    },
    breakOff(message) {
      socket.write(stuffed(message.subarray(0, message.length / 2)), 'latin1', () => socket.resetAndDestroy());
    },
    end: () =>
      socket
        .removeAllListeners('error')
        .on('error', () => {})
        .end('QUIT\r\n'),
  };
}

async function* readAnswers(socket: NodeJS.ReadableStream): AsyncGenerator<Answer, undefined> {
  let rest = '';
  const texts: string[] = [];
  for await (const chunk of socket) {
    const lines = (rest + chunk.toString()).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      texts.push(line.slice(4));
      // RFC 5321 §4.2.1: a hyphen after the code means that more lines follow.
      if (line[3] !== '-') yield { code: Number(line.slice(0, 3)), text: texts.splice(0).join(' ') };
    }
  }
  return undefined;
}
