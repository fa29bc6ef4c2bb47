// What the sink does wrong on purpose: a table of rules, and which of them strike at a moment of a transaction. Decides
// only; sink.ts asks at each moment, counts, waits, answers and hangs up. Rules come from programs, from the mailbox page
// and from a command line, so they are read here as well.

import { z } from 'zod';

/**
 * Moments of a transaction, in order: the two commands, DATA instead of the 354, the end of the message before it is
 * kept, and when it is kept but not yet answered: a sender that hears nothing then sends it twice (RFC 1047).
 */
export const faultMoments = ['mail', 'rcpt', 'data', 'end', 'kept'] as const;
export type FaultMoment = (typeof faultMoments)[number];

export const faultKinds = ['refuse', 'defer', 'delay', 'drop'] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One rule. It strikes when all that it says fits. */
export type Fault = {
  readonly at: FaultMoment;
  /** `refuse` is 5xx, `defer` 4xx, `drop` hangs up, `delay` waits and lets the rules below it strike as well. */
  readonly does: FaultKind;
  /** Only this recipient, in any case; not at `mail`, where none is known. */
  readonly to?: string | undefined;
  /** 0 to 1; without it always. */
  readonly chance?: number | undefined;
  /** So often for each recipient, and no more: 1 is greylisting. */
  readonly times?: number | undefined;
  /** For `delay`; without it 5. */
  readonly seconds?: number | undefined;
  /** In place of the usual answer: `451 4.2.2 mailbox full`. */
  readonly answer?: string | undefined;
};

/** A fault that strikes, and for whom; at `mail` for nobody known, which is ''. */
export type Strike = { readonly fault: Fault; readonly recipients: readonly string[] };

const answers = { refuse: '550 5.1.1 refused on purpose', defer: '451 4.7.1 not now, on purpose' } as const;

/** What the client hears of a fault that answers. */
export function answerOf({ does, answer }: Fault): { readonly code: number; readonly text: string } | undefined {
  if (does !== 'refuse' && does !== 'defer') return undefined;
  const [, code = '', text = ''] = /^(\d{3}) ?(.*)$/s.exec(answer ?? answers[does]) ?? [];
  return { code: Number(code), text };
}

/**
 * Which faults strike now, in order: delays, and the first one that is none.
 * @param recipients of the envelope so far; at `rcpt` the one it is about
 * @param struck how often a rule has struck a recipient
 * @param random 0 to 1, 1 excluded; asked only where it decides
 */
export function chooseFaults(
  faults: readonly Fault[],
  at: FaultMoment,
  recipients: readonly string[],
  struck: (fault: Fault, recipient: string) => number,
  random: () => number,
): readonly Strike[] {
  const strikes: Strike[] = [];
  for (const fault of faults) {
    if (fault.at !== at) continue;
    const { to, chance, times = Number.POSITIVE_INFINITY } = fault;
    const meant = recipients.filter((each) => to === undefined || each.toLowerCase() === to.toLowerCase());
    const hit = meant.filter((each) => struck(fault, each) < times);
    if (hit.length === 0 || (chance !== undefined && random() >= chance)) continue;
    strikes.push({ fault, recipients: hit });
    if (fault.does !== 'delay') break;
  }
  return strikes;
}

const number = (name: string, min: number, max: number) => {
  const rule = `${name} is a number from ${min} to ${max}`;
  return z.coerce.number(rule).min(min, rule).max(max, rule).optional();
};
const times = 'times is a whole number from 1 on';

const faultSchema = z
  .strictObject(
    {
      at: z.enum(faultMoments, `at is one of ${faultMoments.join(', ')}`),
      does: z.enum(faultKinds, `does is one of ${faultKinds.join(', ')}`),
      to: z
        .string()
        .regex(/^[^\s<>]{1,64}@[^\s<>]{1,255}$/, 'to is a mail address')
        .optional(),
      chance: number('chance', 0, 1),
      times: z.coerce.number(times).int(times).min(1, times).optional(),
      seconds: number('seconds', 0, 600),
      answer: z
        .string()
        .regex(/^[45]\d\d [\x20-\x7e]{1,200}$/, 'answer is what an SMTP server says, such as 451 4.2.2 mailbox full')
        .optional(),
    },
    'a rule has at and does, and may have to, chance, times, seconds and answer; nothing else',
  )
  .refine(({ at, to }) => at !== 'mail' || to === undefined, 'at mail no recipient is known yet: leave out to')
  .refine(({ does, seconds }) => does === 'delay' || seconds === undefined, 'seconds are for a delay')
  .refine(
    ({ does, answer = '' }) =>
      answer === '' || answer.startsWith({ refuse: '5', defer: '4', delay: ' ', drop: ' ' }[does]),
    'an answer begins with 5 for refuse and with 4 for defer; the others give none',
  );

/**
 * Reads a rule that somebody wrote.
 * @param fields by name; numbers may be text, and what is '' is left out, as forms have it
 */
export function readFault(fields: unknown): Fault | { readonly problem: string } {
  const given = Object.entries(Object(fields)).filter(([, value]) => value !== '' && value !== null);
  const { success, data, error } = faultSchema.safeParse(Object.fromEntries(given));
  return success ? data : { problem: `${error.issues.map(({ message }) => message).join('; ')}.` };
}

/** Reads a rule in a line, as `faultText` writes it. */
export function readFaultText(text: string): Fault | { readonly problem: string } {
  const [, words = '', answer = ''] = /^(.*?)(?:\sanswer=(.*))?$/s.exec(text.trim()) ?? [];
  const [at, does, ...pairs] = words.split(/\s+/);
  // A word without a value is read as a wrong one of its name.
  const fields = pairs.map((pair) => /^(.*?)=(.*)$/s.exec(pair)?.slice(1) ?? [pair, pair]);
  return readFault({ ...Object.fromEntries(fields), at, does, answer });
}

/** A rule in a line: `rcpt defer to=amy.pond@school.example times=1`. */
export function faultText({ at, does, ...rest }: Fault): string {
  const order = ['to', 'chance', 'times', 'seconds', 'answer'] as const;
  const pairs = order.flatMap((name) => (rest[name] === undefined ? [] : `${name}=${rest[name]}`));
  return [at, does, ...pairs].join(' ');
}
