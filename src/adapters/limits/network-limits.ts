// How much a network may ask for in a minute, counted by rate-limiter-flexible. The minutes are ours, by the clock of the
// service, and each has counters of its own: the library's would live by the wall clock, with a timer for each.

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Asked, Clock, Log, RateLimits } from '../../app/ports.ts';
import { networkOf } from '../../core/network-address.ts';

const minuteMs = 60_000;
// Beyond so many in one minute counting begins anew: who can ask from a hundred thousand networks gains nothing by that.
const networksMax = 100_000;

/**
 * Makes the limits, with nothing counted.
 * @param maxPerMinute for each network
 */
export function createNetworkLimits(
  { clock, log }: { readonly clock: Pick<Clock, 'now'>; readonly log: Log },
  maxPerMinute: Readonly<Record<Asked, number>>,
): RateLimits {
  const counter = (asked: Asked) => {
    const points = maxPerMinute[asked];
    const begin = (minute: number) => ({
      minute,
      networks: 0,
      limiter: new RateLimiterMemory({ points, duration: 0, keyPrefix: '' }), // 0: for ever, and so without a timer
    });
    let current = begin(0);
    return async (address: string): Promise<number> => {
      const now = clock.now();
      const minute = Math.floor(now / minuteMs);
      if (minute !== current.minute || current.networks >= networksMax) current = begin(minute);
      const network = networkOf(address);
      try {
        const { isFirstInDuration } = await current.limiter.consume(network);
        if (isFirstInDuration) current.networks += 1;
        return 0;
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        // Once a minute: whoever floods us must not flood the log as well.
        if (refused.consumedPoints === points + 1) log.info('limit', { outcome: 'refused', asked, network });
        return (minute + 1) * minuteMs - now;
      }
    };
  };
  const counters = {
    page: counter('page'),
    piece: counter('piece'),
    form: counter('form'),
    message: counter('message'),
  };
  return { take: (asked, address) => counters[asked](address) };
}
