// An address is typed in by somebody who cannot send a mail. Everything here is the same whether or not an account has it:
// the directory is not asked, neither directly nor in what is counted or written. The outbox asks it, later.

import { toHex } from '../core/bytes.ts';
import { acceptTypedAddress, awaitMail, type Challenge, senderOf } from '../core/challenge.ts';
import { type Mailbox, parseMailbox } from '../core/mail-address.ts';
import { networkOf } from '../core/network-address.ts';
import { refuse } from '../core/refusal.ts';
import { isNobody } from '../core/reply-policy.ts';
import { requestLabel } from '../core/verification-code.ts';
import { budgetKey, deriveAddress, mailboxDigest, readForm } from './challenge-tokens.ts';
import type { AppLimits, Audit, ChallengeStore, Clock, Secrets, TypeAddress } from './ports.ts';
import { createRateLog } from './rate-log.ts';

export interface TypeAddressPorts {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly clock: Clock;
  readonly audit: Audit;
  /** Told after the write that a reply may have to go out. */
  readonly replyQueued: (id: string, mailbox: Mailbox, by: 'typed') => void;
}

export interface TypeAddressOptions {
  /** Domain of the one-time addresses, lower case. */
  readonly domain: string;
  /** The address our replies come from. */
  readonly from: Mailbox;
  readonly limits: AppLimits;
  readonly perAddressPerDayMax: number;
  readonly perNetworkPerHourMax: number;
  readonly perNetworkPerDayMax: number;
  readonly perDayMax: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
// A double click or an impatient reload sends the very same form again.
const sameAgainMs = 15_000;

/** Makes the use case. */
export function createTypeAddress(ports: TypeAddressPorts, options: TypeAddressOptions): TypeAddress {
  const { secrets, store, clock, audit } = ports;
  const { limits } = options;
  const takePlaces = createBudgets(secrets, options);
  const repeats = createRateLog([{ max: 1, windowMs: sameAgainMs }]);

  return async ({ cookie, nonce, address, remoteAddress, locale, clientHint }) => {
    const now = clock.now();
    const seed = readForm(secrets, { purpose: 'reset', cookie, nonce });
    if ('reason' in seed) return seed;
    const mailbox = parseMailbox((address ?? '').slice(0, 400).trim());
    if (mailbox === undefined || isNobody(mailbox, options.domain, options.from)) return refuse('address-refused');
    const requested = { kind: 'code-requested', mailboxDigest: mailboxDigest(secrets, mailbox) } as const;
    const challenge = deriveAddress(secrets, seed, { locale, clientHint }, limits.challengeLifetimeMs);
    const { id } = challenge;
    const record = await store.read(id, now);
    const isKnown = record !== undefined && senderOf(record, { by: 'typed', mailbox }) !== undefined;
    const repeat = repeats.take(`${id} ${budgetKey(secrets, mailbox)}`, now);
    if (isKnown && repeat.waitMs > 0) return requested;
    const taken = takePlaces(mailbox, remoteAddress, now);
    if ('reason' in taken) {
      repeat.giveBack();
      return taken;
    }
    const giveBack = () => {
      for (const place of [repeat, ...taken]) place.giveBack();
    };
    const event = { mailbox, replyId: toHex(secrets.randomBytes(16)), salt: toHex(secrets.randomBytes(16)) };
    const decide = (current: Challenge | undefined) => {
      const { next, outcome } = acceptTypedAddress(current ?? awaitMail(challenge), event, now, limits);
      return { next: outcome.kind === 'refused' ? undefined : next, result: outcome };
    };
    const outcome = await store.transact(id, now, decide).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    if (outcome.kind === 'refused') {
      giveBack();
      return outcome;
    }
    const client = { remoteAddress, clientHint };
    audit.note({ event: 'address-typed', at: now, label: requestLabel(id), purpose: seed.purpose, mailbox, ...client });
    ports.replyQueued(id, mailbox, 'typed');
    return requested;
  };
}

/**
 * How often is too often, for a network, for the service and for an address. Counted apart from the replies to mail: a
 * stranger who types somebody's address must not stop the answers to that person's own mails.
 */
function createBudgets(secrets: Secrets, options: TypeAddressOptions) {
  const { limits, perNetworkPerHourMax, perNetworkPerDayMax, perDayMax, perAddressPerDayMax } = options;
  const networks = createRateLog([
    { max: perNetworkPerHourMax, windowMs: hourMs },
    { max: perNetworkPerDayMax, windowMs: dayMs },
  ]);
  const all = createRateLog([{ max: perDayMax, windowMs: dayMs }]);
  const addresses = createRateLog([
    { max: limits.repliesPerMailbox.perMinuteMax, windowMs: minuteMs },
    { max: perAddressPerDayMax, windowMs: dayMs },
  ]);

  return (mailbox: Mailbox, remoteAddress: string, now: number) => {
    const places = [networks.take(networkOf(remoteAddress), now), all.take('', now)];
    const here = Math.max(...places.map(({ waitMs }) => waitMs));
    // Not even counted when there is no room: the addresses that are remembered must not be pushed out by a flood.
    if (here === 0) places.push(addresses.take(budgetKey(secrets, mailbox), now));
    const waitMs = Math.max(...places.map((place) => place.waitMs));
    if (waitMs === 0) return places;
    for (const place of places) place.giveBack();
    return { ...refuse(here > 0 ? 'typing-exhausted' : 'address-asked-often'), waitMs };
  };
}
