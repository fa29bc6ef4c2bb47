// Drops what is past its use, once a minute: mail addresses are kept no longer than they are needed.

import type { Clock, Log, RecordStore } from './ports.ts';

const periodMs = 60_000;

/** Starts sweeping; the result ends it. A sweep that fails is logged and tried again a minute later. */
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
  const sweep = () => {
    store.sweep(clock.now()).catch((error: unknown) => log.warn('sweep', { outcome: 'failed' }, error));
    cancel = clock.after(periodMs, sweep);
  };
  sweep();
  return () => cancel();
}
