// The form is posted: cookie, nonce and code must belong together. A wrong try is on disk before the answer leaves,
// and a code works once (src/DESIGN.md "What is stored").

import { toBase64Url, toHex } from '../core/bytes.ts';
import { awaitMail, type Challenge, type CodeOutcome, type Sender, typeCode } from '../core/challenge.ts';
import { readClientHint } from '../core/client-hint.ts';
import { asciiLower } from '../core/mail-address.ts';
import { networkOf } from '../core/network-address.ts';
import type { KeyedAddress } from '../core/one-time-address.ts';
import { type FormRefusalReason, type Refused, refuse } from '../core/refusal.ts';
import { parseCode, requestLabel } from '../core/verification-code.ts';
import {
  deriveAddress,
  deriveGrant,
  findSender,
  mailboxDigest,
  readForm,
  wrongCodeDigest,
} from './challenge-tokens.ts';
import type {
  AppLimits,
  Audit,
  ChallengeStore,
  Client,
  Clock,
  RedeemCode,
  Redeemed,
  RedeemRefused,
  RedeemRequest,
  Secrets,
} from './ports.ts';
import { createRateLog } from './rate-log.ts';

const dayMs = 24 * 3_600_000;

/** Makes the use case. */
export function createRedeemCode(
  { secrets, store, clock, audit }: { secrets: Secrets; store: ChallengeStore; clock: Clock; audit: Audit },
  limits: AppLimits,
): RedeemCode {
  const wrongCodes = createRateLog([{ max: limits.wrongCodesPerMailboxPerDayMax, windowMs: dayMs }]);
  const wrongCodesOfNetworks = createRateLog([{ max: limits.wrongCodesPerNetworkPerDayMax, windowMs: dayMs }]);

  /** Cookie and nonce belong together, and the code is a code. */
  function readCodeForm(request: RedeemRequest): Refused<FormRefusalReason> | Form {
    const seed = readForm(secrets, request);
    if ('reason' in seed) return seed;
    // Language and browser do not matter: what is stored of them came with the mail.
    const shownAs = { locale: 'en', clientHint: readClientHint('') } as const;
    const address = deriveAddress(secrets, seed, shownAs, limits.challengeLifetimeMs);
    const digits = parseCode(request.code ?? '');
    return digits === undefined ? refuse('code-malformed') : { kind: 'form', address, code: digits };
  }

  async function redeem(form: Form, client: Client, now: number): Promise<RedeemRefused | Redeemed> {
    const { address, code } = form;
    // A place for a wrong try is taken first: however many posts race, no more than the limit are ever looked at.
    const senders = (await store.read(address.id, now))?.senders ?? [];
    const places = senders.map((sender) => ({
      budget: budgetOf(sender),
      place: wrongCodes.take(budgetOf(sender), now),
    }));
    const ofNetwork = wrongCodesOfNetworks.take(networkOf(client.remoteAddress), now);
    const giveBack = () => {
      for (const place of [ofNetwork, ...places.map((each) => each.place)]) place.giveBack();
    };
    if (ofNetwork.waitMs > 0) {
      giveBack();
      return { ...refuse('codes-exhausted'), waitMs: ofNetwork.waitMs };
    }
    // A mailbox that has used up its tries is left out; somebody else's right code must still work.
    const open = places.filter(({ place }) => place.waitMs === 0).map(({ budget }) => budget);
    if (places.length > 0 && open.length === 0) {
      giveBack();
      return { ...refuse('codes-exhausted'), waitMs: Math.max(...places.map(({ place }) => place.waitMs)) };
    }
    const grantSalt = toHex(secrets.randomBytes(16));
    const codeDigest = wrongCodeDigest(secrets, address, code);
    const findOpen = (challenge: Challenge) => {
      const sender = findSender(secrets, challenge, code);
      const budget = sender && budgetOf(sender);
      const full = places.some((other) => other.budget === budget) && !open.some((other) => other === budget);
      return full ? undefined : sender;
    };
    const decide = (current: Challenge | undefined) => {
      const before = current ?? awaitMail(address);
      const step = typeCode(before, { sender: findOpen(before), codeDigest, grantSalt }, now, limits);
      const next = step.next === before ? undefined : step.next;
      return { next, result: { outcome: step.outcome, changed: next !== undefined } };
    };
    const { outcome, changed } = await store.transact(address.id, now, decide).catch((error: unknown) => {
      giveBack();
      throw error;
    });
    if (!changed || outcome.kind === 'verified') giveBack();
    if (changed) note(outcome, address, client, now);
    return finish(address, outcome);
  }

  function note(
    outcome: CodeOutcome,
    { id, purpose }: KeyedAddress,
    { remoteAddress, clientHint }: Client,
    at: number,
  ) {
    const facts = { at, label: requestLabel(id), purpose, remoteAddress, clientHint };
    if (outcome.kind === 'verified') audit.note({ event: 'verified', mailbox: outcome.mailbox, ...facts });
    else if (outcome.reason === 'challenge-locked') audit.note({ event: 'challenge-locked', ...facts });
  }

  function finish(address: KeyedAddress, outcome: CodeOutcome): RedeemRefused | Redeemed {
    if (outcome.kind === 'refused') return outcome;
    const grant = toBase64Url(deriveGrant(secrets, address, outcome));
    return { kind: 'redeemed', grant, mailboxDigest: mailboxDigest(secrets, outcome.mailbox) };
  }

  return async (request) => {
    const form = readCodeForm(request);
    return form.kind === 'refused' ? form : redeem(form, request, clock.now());
  };
}

/** Whose tries these are. A stranger who types an address must not use up those of whoever mails from it. */
function budgetOf({ by, mailbox }: Sender): string {
  return `${by} ${asciiLower(mailbox)}`;
}

interface Form {
  readonly kind: 'form';
  readonly address: KeyedAddress;
  readonly code: string;
}
