// The life of master keys (src/DESIGN.md "Keys"): a new one by command or when the newest is old; one that has been
// replaced works until the last page that was made with it has ended, and goes when nothing that is kept needs it.
// One step at a time, and each is on disk before the next begins, so a crash leaves nothing between.

import { findUndoCode } from './challenge-tokens.ts';
import type { ChangeStore, Clock, Directory, KeyAdmin, KeyChain, KeysRotated, Log, Secrets } from './ports.ts';

export interface RotateKeys extends KeyAdmin {
  /** Looks after the keys from now on. */
  start(): void;
  /** Ends when no change is under way. */
  stop(): Promise<void>;
}

interface Ports {
  readonly chain: KeyChain;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes as much of what is kept independent of older keys as it can. @returns those of `ids` that nothing needs then */
  readonly release: (ids: readonly string[]) => Promise<readonly string[]>;
}

export interface KeyLimits {
  /** Of the longest page, with all that may follow on it. */
  readonly pageLifeMs: number;
  readonly maxAgeMs: number;
}

// A cookie or an address that is none of ours is tried with each.
const keysMax = 4;
const periodMs = 60_000;

/** Makes the use case. */
export function createRotateKeys({ chain, clock, log, release }: Ports, limits: KeyLimits): RotateKeys {
  let last: Promise<unknown> = Promise.resolve();
  let cancel = () => {};

  /** One after the other. */
  function inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = last.then(task, task);
    last = done.catch(() => {});
    return done;
  }

  /** Drops what nothing needs any more. */
  async function retire(): Promise<void> {
    const now = clock.now();
    const over = chain.keys.filter((_, at) => {
      const successor = chain.keys[at - 1];
      return successor !== undefined && now >= successor.createdAt + limits.pageLifeMs;
    });
    if (over.length === 0 || chain.change === undefined) return;
    const unneeded = await release(over.map(({ id }) => id));
    if (unneeded.length === 0) return;
    await chain.change.drop(unneeded);
    log.info('keys', { outcome: 'dropped', count: unneeded.length });
  }

  async function rotate(reason: 'command' | 'age'): Promise<KeysRotated> {
    if (chain.change === undefined) return { kind: 'not-here' };
    if (chain.keys.length >= keysMax) await retire();
    if (chain.keys.length >= keysMax) return { kind: 'too-many' };
    await chain.change.add(clock.now());
    const keyId = chain.keys[0]?.id ?? '';
    log.info('keys', { outcome: 'rotated', reason, keyId });
    return { kind: 'rotated', keyId };
  }

  async function look(): Promise<void> {
    await retire();
    const age = clock.now() - (chain.keys[0]?.createdAt ?? 0);
    if (chain.change !== undefined && age >= limits.maxAgeMs) await rotate('age');
  }

  function tick(): void {
    void inTurn(look).catch((error: unknown) => log.warn('keys', { outcome: 'failed' }, error));
    cancel = clock.after(periodMs, tick);
  }

  return {
    rotate: () => inTurn(() => rotate('command')),
    start() {
      // Keys that somebody else keeps: as soon as this is done, older ones are there for open pages only.
      if (chain.change === undefined && chain.keys.length > 1) {
        void inTurn(async () => {
          await release(chain.keys.slice(1).map(({ id }) => id));
          log.info('keys', { outcome: 'sealed-anew' });
        }).catch((error: unknown) => log.warn('keys', { outcome: 'failed' }, error));
      }
      tick();
    },
    async stop() {
      cancel();
      await last;
    },
  };
}

/**
 * What is kept longer than pages: secrets of second factors, which are sealed anew, and notices that wait for the relay,
 * whose undo code must be the same on every try.
 */
export function createRelease({
  secrets,
  changes,
  directory,
  clock,
}: {
  readonly secrets: Secrets;
  readonly changes: Pick<ChangeStore, 'withQueued'>;
  readonly directory: Pick<Directory, 'reseal'>;
  readonly clock: Clock;
}): Ports['release'] {
  return async (ids) => {
    await directory.reseal?.();
    const queued = await changes.withQueued(clock.now());
    return ids.filter((id) => queued.every((record) => findUndoCode(secrets, record, [id]) === undefined));
  };
}
