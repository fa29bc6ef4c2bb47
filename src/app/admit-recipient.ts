// RCPT TO: a one-time address that we made and that still takes mail, the operator's mailbox, or a refusal (rows R1 to
// R7 of src/DESIGN.md "Which mail is believed"). Made-up addresses are counted, lest somebody tries them all.

import { asciiLower, type Mailbox } from '../core/mail-address.ts';
import { networkOf } from '../core/network-address.ts';
import { refuse } from '../core/refusal.ts';
import { readAddress } from './challenge-tokens.ts';
import type { Admitted, ChallengeStore, Clock, MailRefused, ReceiveMail, RecipientOrigin, Secrets } from './ports.ts';
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

const perConnectionMax = 5;
const perNetworkMax = 50;
const networkWindowMs = 10 * 60_000;
const roles = new Set(['postmaster', 'abuse']); // RFC 5321 §4.5.1, RFC 2142 §4

/** Makes the use case. */
export function createAdmitRecipient(ports: Ports, { domain, operator }: Options): ReceiveMail['admitRecipient'] {
  const { secrets, store, clock, messages, notify } = ports;
  const guesses = createRateLog([{ max: perNetworkMax - 1, windowMs: networkWindowMs }]);

  function refuseGuess({ remoteAddress, badRecipients }: RecipientOrigin, now: number): MailRefused {
    const { waitMs } = guesses.take(networkOf(remoteAddress), now);
    const tooMany = waitMs > 0 || badRecipients + 1 >= perConnectionMax;
    return refuse(tooMany ? 'too-many-bad-addresses' : 'address-unknown');
  }

  return async (recipient, origin): Promise<Admitted | MailRefused> => {
    const now = clock.now();
    const at = recipient.lastIndexOf('@');
    // RFC 5321 §4.1.1.3: `postmaster` without a domain is this host's.
    if (at >= 0 && asciiLower(recipient.slice(at + 1)) !== domain) return refuse('relay-denied');
    const localPart = at < 0 ? recipient : recipient.slice(0, at);
    if (roles.has(asciiLower(localPart))) {
      return operator === null ? refuse('address-unknown') : { kind: 'operator', mailbox: operator };
    }
    if (origin.nullSender) return refuse('null-sender');
    const address = readAddress(secrets, localPart, now);
    if (address === undefined) return refuseGuess(origin, now);
    const state = (await store.read(address.id, now))?.state.kind;
    if (now >= address.expiresAt || state === 'locked' || state === 'verified') {
      return notify(address.id, refuse('address-expired'));
    }
    if (messages.waitMs(address.id, now) > 0) return notify(address.id, refuse('too-many-messages'));
    return { kind: 'one-time', address };
  };
}
