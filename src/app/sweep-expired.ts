// Drops what is past its use, once a minute: mail addresses are kept no longer than they are needed.

import type { Clock, Log, RecordStore } from './ports.ts';

const periodMs = 60_000;

/**
 * Starts sweeping; the result ends it. A sweep that fails is logged and tried again a minute later. One that takes longer is
 * followed by one more, however many minutes it took: they would stand in line at a slow disk.
 */
export function startSweeping({
  store,
  clock,
  log,
}: {
  store: Pick<RecordStore<unknown>, 'sweep'>;
  clock: Clock;
  log: Log;
}): () => void {
  let cancel = () => {};
  let isSweeping = false;
  let isDue = false;
  const tick = () => {
    isDue = true;
    if (!isSweeping) void sweep();
    cancel = clock.after(periodMs, tick);
  };
  const sweep = async () => {
    isSweeping = true;
    while (isDue) {
      isDue = false;
      await store.sweep(clock.now()).catch((error: unknown) => log.warn('sweep', { outcome: 'failed' }, error));
    }
    isSweeping = false;
  };
  tick();
  return () => {
    isDue = false;
    cancel();
  };
}
