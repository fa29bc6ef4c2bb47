// The log: one JSON line per event on standard output. What may be in it is decided where it is called: never a code,
// nonce, key, one-time address or mail address. A cause is written as its name and message, bugs with their stack.
// Lines are written a few at a time, for each write is a call into the kernel: twenty times a second, and at the end.

import { type DestinationStream, pino } from 'pino';
import type { Log } from '../../app/ports.ts';

// What waits when they cannot be written; later ones are lost.
const lengthMax = 1_048_576;

// One for the process, as standard output is.
let output: DestinationStream | undefined;

/** Standard output, a few lines at a time. */
function openOutput(): DestinationStream {
  // Not `sync: false`: at the end pino would try for ever to write what nobody reads any more, and the process would stay.
  const batch = { sync: true, minLength: 8_192, maxLength: lengthMax, periodicFlush: 50 };
  let pauses = 0;
  // A pipe that is full and does not block: pino would stop the whole process for a tenth of a second, again and again.
  const stream = pino.destination({ ...batch, retryEAGAIN: () => pauses-- > 0 });
  // That, or a file on a disk that is full: lines wait for the next try, and the process goes on.
  stream.on('error', () => {});
  process.on('exit', () => {
    pauses = 20;
    stream.flush();
  });
  return stream;
}

/** Opens the log. @param level events below it are dropped */
export function createJsonLog(level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Log {
  output ??= openOutput();
  const format = {
    level,
    base: null,
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const logger = pino(format, output);
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
