// The default limits, for tests and benchmarks that put parts of the application together themselves; replies as often
// as they like.

import type { AppLimits, RateLimits } from '../../src/app/ports.ts';

export const appLimits: AppLimits = {
  challengeLifetimeMs: 3_600_000,
  codeLifetimeMs: 1_800_000,
  grantLifetimeMs: 600_000,
  wrongCodesMax: 5,
  undoLifetimeMs: 72 * 60 * 60_000,
  addressFreezeMs: 7 * 24 * 60 * 60_000,
  wrongCodesPerMailboxPerDayMax: 20,
  wrongCodesPerNetworkPerDayMax: 500,
  repliesPerDomainPerHourMax: 1e6,
  sendersMax: 3,
  messagesMax: 5,
  dkimSignaturesMax: 10,
  repliesPerMailbox: { perMinuteMax: 1e6, perHourMax: 1e6, perDayMax: 1e6 },
};

/** As often as anybody likes. */
export const unlimited: RateLimits = { take: async () => 0 };

/** Settings under `limits.` for a load or a suite that comes from one network, as none does in earnest. */
export const oneNetwork = {
  wrongCodesPerNetworkPerDay: 100_000,
  pagesPerNetworkPerMinute: 10_000_000,
  formsPerNetworkPerMinute: 10_000_000,
  messagesPerNetworkPerMinute: 10_000_000,
};
