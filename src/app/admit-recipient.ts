// RCPT TO: gathers what is known about a recipient and has the core decide (core/recipient-policy.ts). Made-up addresses
// are counted, lest somebody tries them all; the page of a known challenge learns why its mail was refused.

import { asciiLower, type Mailbox } from '../core/mail-address.ts';
import { networkOf } from '../core/network-address.ts';
import type { OneTimeAddress } from '../core/one-time-address.ts';
import { decideRecipient } from '../core/recipient-policy.ts';
import { readAddress } from './challenge-tokens.ts';
import type { Admitted, ChallengeStore, Clock, MailRefused, ReceiveMail, Secrets } from './ports.ts';
import { createRateLog, type RateLog } from './rate-log.ts';

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly clock: Clock;
  /** Messages per challenge id. */
  readonly messages: RateLog;
  /** Tells the page of a challenge; passes the refusal on. */
  readonly notify: (id: string, refused: MailRefused) => MailRefused;
}

interface Options {
  /** Domain of the one-time addresses, lower case. */
  readonly domain: string;
  readonly operator: Mailbox | null;
}

const perNetworkMax = 50;
const networkWindowMs = 10 * 60_000;
const roles = new Set(['postmaster', 'abuse']); // RFC 5321 §4.5.1, RFC 2142 §4

/** Makes the use case. */
export function createAdmitRecipient(ports: Ports, { domain, operator }: Options): ReceiveMail['admitRecipient'] {
  const { secrets, store, clock, messages, notify } = ports;
  const guesses = createRateLog([{ max: perNetworkMax - 1, windowMs: networkWindowMs }]);

  async function stateOf(address: OneTimeAddress, now: number): Promise<'open' | 'over'> {
    const state = (await store.read(address.id, now))?.state.kind;
    return now >= address.expiresAt || state === 'locked' || state === 'verified' ? 'over' : 'open';
  }

  return async (recipient, { remoteAddress, badRecipients, nullSender }): Promise<Admitted | MailRefused> => {
    const now = clock.now();
    // Behind a front all networks look the same: one that guesses would shut out everybody.
    const network = remoteAddress === undefined ? undefined : networkOf(remoteAddress);
    const at = recipient.lastIndexOf('@');
    // RFC 5321 §4.1.1.3: `postmaster` without a domain is this host's.
    const domainIsOurs = at < 0 || asciiLower(recipient.slice(at + 1)) === domain;
    const localPart = at < 0 ? recipient : recipient.slice(0, at);
    const isRole = roles.has(asciiLower(localPart));
    const address = domainIsOurs && !isRole ? readAddress(secrets, localPart, now) : undefined;
    const decision = decideRecipient({
      domainIsOurs,
      role: isRole ? (operator === null ? 'unread' : 'read') : 'none',
      nullSender,
      address: address === undefined ? 'made-up' : await stateOf(address, now),
      madeUpBefore: badRecipients,
      networkIsGuessing: network !== undefined && guesses.waitMs(network, now) > 0,
      messagesUsedUp: address !== undefined && messages.waitMs(address.id, now) > 0,
    });
    if (decision === 'operator' && operator !== null) return { kind: 'operator', mailbox: operator };
    if (decision === 'one-time' && address !== undefined) return { kind: 'one-time', address };
    if (typeof decision === 'string') throw new Error(`${decision} was decided without what it needs`);
    if (address !== undefined && decision.reason !== 'null-sender') return notify(address.id, decision);
    if (domainIsOurs && !isRole && !nullSender && network !== undefined) guesses.take(network, now);
    return decision;
  };
}
