// The log: one JSON line per event on standard output. What may be in it is decided where it is called: never a code,
// nonce, key, one-time address or mail address. A cause is written as its name and message, bugs with their stack.

import { pino } from 'pino';
import type { Log } from '../../app/ports.ts';

/** Opens the log. @param level events below it are dropped */
export function createJsonLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Log {
  const logger = pino({
    level,
    base: null,
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  });
  return {
    info: (event, fields) => logger.info(fields, event),
    warn: (event, fields, cause) => logger.warn({ ...fields, cause: describe(cause) }, event),
    error: (event, fields, cause) =>
      logger.error(
        { ...fields, cause: describe(cause), stack: cause instanceof Error ? cause.stack : undefined },
        event,
      ),
  };
}

function describe(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return cause === undefined ? undefined : String(cause);
  const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
  return `${cause.name}: ${cause.message}${inner}`;
}
