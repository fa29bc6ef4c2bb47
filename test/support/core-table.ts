// For the tests of the pure core: tables of `[name, input, expected]`, random input that is the same on every run,
// values that nobody can change, and a clock for work that must stay linear.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Mailbox, parseMailbox } from '../../src/core/mail-address.ts';

export type Row<Input, Expected> = readonly [name: string, input: Input, expected: Expected];

/** One test per row. */
export function table<Input, Expected>(
  what: string,
  run: (input: Input) => Expected,
  rows: readonly Row<NoInfer<Input>, NoInfer<Expected>>[],
): void {
  assert.equal(new Set(rows.map(([name]) => name)).size, rows.length, `two rows of "${what}" have one name`);
  for (const [name, input, expected] of rows) {
    test(`${what}: ${name}`, () => assert.deepEqual(run(input), expected));
  }
}

/** For fc.assert: always the same input. What fast-check reports of a failure names the seed and the path to it. */
export function runs(numRuns: number): { readonly seed: number; readonly numRuns: number } {
  return { seed: 20_300_101, numRuns };
}

/** Freezes a value and all that it holds: whoever changes it, throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
  return value;
}

/** A mailbox, written as a test likes it. */
export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed, `${text} is no mailbox`);
  return parsed;
}

/** Milliseconds of CPU that a task takes, the better of two runs: other tests on a busy machine do not count. */
export function cpuMs(task: () => unknown): number {
  const once = () => {
    const before = process.cpuUsage();
    task();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  return Math.min(once(), once());
}
