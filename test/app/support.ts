// What tests of the use cases and of the adapters share: fixed secrets and numbers, a log that is read afterwards.

import assert from 'node:assert/strict';
import { createSecrets } from '../../src/adapters/system/node-secrets.ts';
import type { AppLimits, Audit, AuditEvent, Log, LogFields, Secrets } from '../../src/app/ports.ts';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';
import { TestClock } from '../support/clock.ts';
import { ringOf } from '../support/keyring.ts';
import { appLimits } from '../support/limits.ts';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;

/** A checked mailbox. */
export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed, text);
  return parsed;
}

export const amy = mailbox('amy.pond@school.example');
export const rory = mailbox('rory.williams@school.example');

/** The defaults, how often a mailbox is answered included. */
export const limits: AppLimits = {
  ...appLimits,
  repliesPerDomainPerHourMax: 2000,
  repliesPerMailbox: { perMinuteMax: 1, perHourMax: 5, perDayMax: 12 },
};

/** A clock that starts at the same moment in every run. */
export class ManualClock extends TestClock {
  constructor() {
    super(Date.UTC(2026, 0, 15, 9, 30, 20));
  }
}

/** Real digests under a fixed key; "random" bytes that count up, or are what `bytes` gives. */
export function fixedSecrets(bytes?: (count: number) => Uint8Array): Secrets {
  let calls = 0;
  const counting = (count: number) => {
    calls += 1;
    return new Uint8Array(count).fill(calls);
  };
  return { ...createSecrets(ringOf(new Uint8Array(32).fill(7))), randomBytes: bytes ?? counting };
}

export interface LogEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
  readonly cause?: unknown;
}

export interface CollectedLog extends Log {
  readonly events: readonly LogEvent[];
  /** The first event that fits, already here or still to come. */
  waitFor(fits: (event: LogEvent) => boolean): Promise<LogEvent>;
}

/** A log that keeps its events. */
export function collectLog(): CollectedLog {
  const events: LogEvent[] = [];
  let waiting: { fits: (event: LogEvent) => boolean; resolve: (event: LogEvent) => void }[] = [];
  const add = (added: LogEvent) => {
    events.push(added);
    for (const { fits, resolve } of waiting) if (fits(added)) resolve(added);
    waiting = waiting.filter(({ fits }) => !fits(added));
  };
  return {
    events,
    info: (event, fields) => add({ level: 'info', event, fields }),
    warn: (event, fields, cause) => add({ level: 'warn', event, fields, cause }),
    error: (event, fields, cause) => add({ level: 'error', event, fields, cause }),
    waitFor(fits) {
      const here = events.find(fits);
      return here ? Promise.resolve(here) : new Promise((resolve) => waiting.push({ fits, resolve }));
    },
  };
}

/** An audit that keeps its events. */
export function collectAudit(): Audit & { readonly events: readonly AuditEvent[] } {
  const events: AuditEvent[] = [];
  return { events, note: (event) => void events.push(event) };
}

/** Lets everything run that can run without the clock or the network. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}
