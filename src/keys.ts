// The command `keys`: a new key at once, through the service when it is running, by itself when the data folder is free.

import { type CommandContext, type CommandRun, type Outcome, runSimpleCommand } from './command.ts';
import { openKeys } from './compose.ts';
import type { Settings } from './settings/settings.ts';

const keysUsage = `Usage:
  reply-to-verify keys rotate [--config FILE] [--json]

Makes a new key, which makes everything from now on. The key of before works until the last page that was
made with it has ended, and is dropped then; nobody notices. Run it as the user of the service, while it
runs or without it. The service does the same by itself after keys.maxAgeDays.

  --config FILE   settings on top of config/default.yaml and below the environment, as for serve
  --json          one JSON document instead of text; in a checkout say: npm run --silent keys -- ...

Exit code: 0 done, 1 not done, 2 wrong usage.`;

/** Runs the command. */
export function runKeys(context: CommandContext): Promise<CommandRun> {
  return runSimpleCommand(context, { usage: keysUsage, words: ['rotate'] }, rotate);
}

async function rotate(settings: Settings): Promise<Outcome> {
  const keys = await openKeys(settings);
  try {
    const outcome = await keys.rotate();
    return { exitCode: outcome.kind === 'rotated' ? 0 : 1, text: said[outcome.kind], json: outcome };
  } finally {
    await keys.close();
  }
}

const said = {
  rotated: 'There is a new key. Keep a copy of keys.json.',
  'not-here':
    'Nothing was changed: the keys are in RTV_KEYS_SECRET (keys.source is env). Put a new one in front of the one that is there, ' +
    'with a comma between them, and restart.',
  'too-many': 'Nothing was changed: the keys of before are still needed. Try again when the last open page has ended.',
} as const;
