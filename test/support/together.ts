// Many test files in one process: what it costs before the first test, half a second to load the service, the keys of the
// kit, code that nobody ran yet, is paid once. Each file is a suite of its own, with its own hooks, and runs alone as well.
// The accessibility test keeps a process to itself: it takes as long as a group.

import { globSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe } from 'node:test';

const tests = join(import.meta.dirname, '..');
const all = globSync('*/**/*.test.ts', { cwd: tests }).sort();
// Each of the three that take longest begins a group, so that no process has two of them.
const longest = ['typed', 'stop', 'smtp-rows'].map((name) => `service/${name}.test.ts`);
const service = [...longest, ...all.filter((file) => file.startsWith('service/') && !longest.includes(file))];
const third = (first: number) => service.filter((_, at) => at % 3 === first);

/** The files of each process, below test/. For each group there is a file in test/together/, which `npm test` runs. */
export const groups = {
  browser: all.filter((file) => file.startsWith('browser/') && !file.includes('accessibility')),
  parts: all.filter((file) => !/^(service|browser)\//.test(file)),
  'service-1': third(0),
  'service-2': third(1),
  'service-3': third(2),
} as const;

/** Declares the tests of a group. */
export function together(group: keyof typeof groups): void {
  const require = createRequire(import.meta.url);
  // Not import(): what is declared while a suite is made belongs to it, hooks included.
  for (const file of groups[group]) describe(file, () => void require(join(tests, file)));
}
