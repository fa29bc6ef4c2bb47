// `npm run crash`: kill -9 at random moments under load, 200 rounds each with nothing else wrong and with each kind of trouble
// (`--rounds`, `--seed`, `--trouble relay|disk|clock`). The suite runs a few with all of them (test/service/crash.test.ts).

import { parseArgs } from 'node:util';
import { runCrashRounds, type Trouble, troubles } from './rounds.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string' }, seed: { type: 'string' }, trouble: { type: 'string' } },
});
const { rounds = '200', seed = String(Date.now() % 1_000_000), trouble } = values;
const isTrouble = (name: string | undefined): name is Trouble => troubles.some((each) => each === name);
if (trouble !== undefined && !isTrouble(trouble)) throw new Error(`--trouble is one of ${troubles.join(', ')}`);
const all = troubles.map((each) => [each]);
for (const each of trouble === undefined ? [[], ...all] : [[trouble]]) {
  const startedAt = performance.now();
  const report = await runCrashRounds(Number(rounds), each, Number(seed));
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(`trouble: ${each.join(', ') || 'none'}, seed ${seed}, ${seconds} s`, report);
}
