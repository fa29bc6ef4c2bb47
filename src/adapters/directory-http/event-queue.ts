// Events for the organisation, one after the other and in order, beside everything else: nobody waits for them. Kept in
// memory only, so they are best effort; one that is given up is logged.

import type { Clock, DirectoryEvent, Log } from '../../app/ports.ts';

export interface EventQueue {
  /** Never throws, never waits. */
  tell(event: DirectoryEvent): void;
  /** Nothing is begun any more; what waits is lost. */
  stop(): void;
}

const waitingMax = 1_000;
const pausesMs = [1_000, 10_000, 60_000];

/** Makes the queue. @param send throws when it was not delivered */
export function createEventQueue(
  send: (event: DirectoryEvent) => Promise<unknown>,
  { clock, log }: { clock: Clock; log: Log },
): EventQueue {
  const waiting: DirectoryEvent[] = [];
  let running = false;
  let stopped = false;

  function attempt(event: DirectoryEvent, tries: number): void {
    send(event).then(next, (error: unknown) => {
      const pauseMs = pausesMs[tries - 1];
      if (pauseMs !== undefined) return void clock.after(pauseMs, () => !stopped && attempt(event, tries + 1));
      log.warn('directory-event', { outcome: 'given-up', kind: event.kind, tries }, error);
      next();
    });
  }

  function next(): void {
    const event = stopped ? undefined : waiting.shift();
    running = event !== undefined;
    if (event !== undefined) attempt(event, 1);
  }

  return {
    tell(event) {
      if (waiting.length >= waitingMax) return log.warn('directory-event', { outcome: 'no-room', kind: event.kind });
      waiting.push(event);
      if (!running) next();
    },
    stop() {
      stopped = true;
    },
  };
}
