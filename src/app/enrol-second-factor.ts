// An app becomes the second factor of the account whose password was just set. Its secret and the recovery codes are
// derived from the grant, so showing them stores nothing; the directory gets them once the app has shown that it knows
// the secret, and the recovery codes are shown then and never again.

import { toBase64Url } from '../core/bytes.ts';
import { finishEnrolment } from '../core/challenge.ts';
import type { PasswordPurpose } from '../core/purpose.ts';
import { refuse } from '../core/refusal.ts';
import { parseSecondFactor } from '../core/second-factor.ts';
import { deriveAppSecret, deriveRecoveryCodes } from './challenge-tokens.ts';
import { auditFacts, createGrants } from './open-grant.ts';
import type {
  Audit,
  ChallengeStore,
  Clock,
  Directory,
  EnrolSecondFactor,
  GrantRequest,
  OneTimePasswords,
  Secrets,
} from './ports.ts';

interface Ports {
  readonly secrets: Secrets;
  readonly store: ChallengeStore;
  readonly clock: Clock;
  readonly directory: Directory;
  readonly oneTimePasswords: OneTimePasswords;
  readonly audit: Audit;
}

/** Makes the use case. @param siteName what the app calls us */
export function createEnrolSecondFactor(ports: Ports, siteName: string): EnrolSecondFactor {
  const { secrets, store, clock, directory, oneTimePasswords, audit } = ports;
  const { openSpent, isOwnNonce } = createGrants(ports);

  /** The grant, and the account as it was left when its password was set. */
  async function open(request: GrantRequest<PasswordPurpose>, now: number) {
    const opened = await openSpent(request, now);
    if ('reason' in opened) return opened;
    const { grant, securityVersion } = opened;
    const accounts = await directory.accountsOf(grant.mailbox);
    const account = accounts.find((each) => each.id === grant.account?.id && each.securityVersion === securityVersion);
    if (account?.state !== 'active') return refuse('account-changed');
    return { ...opened, account, secret: deriveAppSecret(secrets, opened, grant) };
  }

  return {
    async show(request) {
      const opened = await open(request, clock.now());
      if ('reason' in opened) return opened;
      const { account, secret, seed } = opened;
      const described = oneTimePasswords.describe(secret, siteName, account.name);
      return { kind: 'enrolment', accountName: account.name, ...described, nonce: toBase64Url(seed.nonce) };
    },
    async enrol(form) {
      const at = clock.now();
      const opened = await open(form, at);
      if ('reason' in opened) return opened;
      if (!isOwnNonce(opened, form.nonce)) return refuse('nonce-wrong');
      const { id, grant, account, secret, securityVersion } = opened;
      const typed = parseSecondFactor(form.typed ?? '');
      const step = typed?.kind === 'digits' ? oneTimePasswords.stepOf(secret, typed.code, at) : undefined;
      // Not counted: whoever sees this page has the secret before them.
      if (step === undefined) return refuse('enrolment-code-wrong');
      const recoveryCodes = deriveRecoveryCodes(secrets, opened, grant);
      const factor = { accountId: account.id, securityVersion, secret, recoveryCodes, step, at };
      // Before it is noted: when the directory fails, the same form works again.
      if ((await directory.enrolment?.enrol(factor)) !== 'done') return refuse('account-changed');
      audit.note({ event: 'second-factor-enrolled', ...auditFacts(opened, account, form, at) });
      const noted = await store.transact(id, at, (current) => {
        if (current === undefined) return { next: undefined, result: refuse('enrolment-over') };
        const { next, outcome } = finishEnrolment(current, at);
        return { next, result: outcome };
      });
      return noted.kind === 'refused' ? noted : { kind: 'enrolled', accountName: account.name, recoveryCodes };
    },
  };
}
