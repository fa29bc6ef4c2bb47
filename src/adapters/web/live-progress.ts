// The live line as server-sent events (HTML Standard §9.2): one stream per open page, with the cookie as its key.
// A stream says at once how far the challenge has come, then whenever that changes, and ends when nothing more will.
// There are at most so many, in all and for one network: a page that gets none asks by itself every few seconds.

import { PassThrough, type Readable } from 'node:stream';
import type { Clock, FollowChallenge } from '../../app/ports.ts';
import type { Locale } from '../../core/locale.ts';
import type { Purpose } from '../../core/purpose.ts';
import { viewProgress } from './progress-view.ts';

export interface LiveProgress {
  /**
   * @param cookie  attacker-chosen; undefined when there is none
   * @param network of whoever asks
   * @returns undefined when there are too many already, or the end has come
   */
  open(purpose: Purpose, cookie: string | undefined, locale: Locale, network: string): Readable | undefined;
  /** How many streams are open. */
  count(): number;
  /** Ends all streams. */
  close(): void;
}

export const streamsMax = 5_000;
// Proxies drop connections that say nothing for half a minute or so. It is also when a stream looks at the clock.
const heartbeatMs = 20_000;

/** Makes it, without any stream. */
export function createLiveProgress(
  followChallenge: FollowChallenge,
  clock: Clock,
  perNetworkMax: number,
): LiveProgress {
  const streams = new Set<PassThrough>();
  const perNetwork = new Map<string, number>();
  let closed = false;

  function count(network: string, more: 1 | -1): void {
    const now = (perNetwork.get(network) ?? 0) + more;
    if (now === 0) perNetwork.delete(network);
    else perNetwork.set(network, now);
  }

  /** @returns false when it has as many followers as it may */
  function start(
    stream: PassThrough,
    purpose: Purpose,
    cookie: string | undefined,
    locale: Locale,
    network: string,
  ): boolean {
    let told = '';
    let looking: Promise<void> | undefined;
    let again = false;
    const look = async () => {
      const view = viewProgress(locale, purpose, await followChallenge.look(purpose, cookie), clock.now());
      const text = JSON.stringify(view);
      if (stream.writableEnded || text === told) return;
      told = text;
      stream.write(`data: ${text}\n\n`);
      if (view.over) stream.end();
    };
    // One look at a time, and one more when something has happened meanwhile: views must not overtake each other.
    const changed = () => {
      again = looking !== undefined;
      looking ??= look()
        // The store could not be read: the browser connects again.
        .catch(() => void stream.end())
        .finally(() => {
          looking = undefined;
          if (again) changed();
        });
    };
    let stopBeat = () => {};
    const beat = () => {
      stopBeat = clock.after(heartbeatMs, () => {
        if (stream.writableEnded) return void stream.destroy(); // whoever has not read the end by now never will
        stream.write(':\n\n');
        changed();
        beat();
      });
    };
    const unfollow = followChallenge.follow(purpose, cookie, changed);
    if (unfollow === undefined) return false;
    streams.add(stream);
    count(network, 1);
    stream.once('close', () => {
      streams.delete(stream);
      count(network, -1);
      stopBeat();
      unfollow();
    });
    stream.write('retry: 3000\n\n');
    beat();
    changed();
    return true;
  }

  return {
    open(purpose, cookie, locale, network) {
      const full = closed || streams.size >= streamsMax || (perNetwork.get(network) ?? 0) >= perNetworkMax;
      const stream = new PassThrough();
      return !full && start(stream, purpose, cookie, locale, network) ? stream : undefined;
    },
    count: () => streams.size,
    close() {
      closed = true;
      for (const stream of streams) stream.end();
    },
  };
}
