// Whether the service is ready for mail and people: started, not stopping, a disk that takes what is written, a thread that
// checks mail. Looked at when somebody asks, at most once a second, and on the real disk, so "ready" comes back by itself.

import type { Clock, Log, Probed } from './ports.ts';

export interface Health {
  /** The service is `running`: all of it is open. Then it is `stopping`. */
  enter(phase: 'running' | 'stopping'): void;
  /** What is not ready, in words; empty: all of it is. Never throws. */
  problems(): Promise<readonly string[]>;
}

interface Ports {
  readonly clock: Clock;
  readonly log: Log;
  readonly stores: readonly Probed[];
  /** Starts the thread that checks mail if it has broken down. @returns whether it is there, or was not needed yet */
  readonly verifierIsUp: () => boolean;
}

const probePeriodMs = 1_000;
const probeTimeoutMs = 2_000;

/** Makes it, in the phase before `running`. */
export function createHealth({ clock, log, stores, verifierIsUp }: Ports): Health {
  let phase: 'starting' | 'running' | 'stopping' = 'starting';
  let probed: { readonly at: number; readonly works: Promise<boolean> } | undefined;
  let told = '';

  async function writes(): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<boolean>();
    const cancel = clock.after(probeTimeoutMs, () => resolve(false));
    const probes = Promise.all(stores.map((store) => store.probe())).then(
      () => true,
      () => false,
    );
    return Promise.race([probes, late]).finally(cancel);
  }

  function storeWorks(): Promise<boolean> {
    const now = clock.now();
    if (probed === undefined || Math.abs(now - probed.at) >= probePeriodMs) probed = { at: now, works: writes() };
    return probed.works;
  }

  async function look(): Promise<readonly string[]> {
    if (phase === 'starting') return ['the service is starting'];
    if (phase === 'stopping') return ['the service is stopping'];
    const problems: string[] = [];
    if (!(await storeWorks())) problems.push('the store cannot be written');
    if (!verifierIsUp()) problems.push('the thread that checks mail is not there');
    return problems;
  }

  return {
    enter(next) {
      phase = next;
    },
    async problems() {
      const problems = await look();
      const now = problems.join('; ');
      if (phase === 'running' && now !== told) {
        told = now;
        if (now === '') log.info('readiness', { outcome: 'ready' });
        else log.warn('readiness', { outcome: 'not-ready', detail: now });
      }
      return problems;
    },
  };
}
