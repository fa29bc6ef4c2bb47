// Mail for postmaster and abuse: handed to the relay for the operator before it is accepted, so that nothing of it is
// kept here. Never answered, and not more than the operator could read.

import type { Mailbox } from '../core/mail-address.ts';
import { hasCleanLineEnds } from '../core/message-header.ts';
import { refuse } from '../core/refusal.ts';
import { type Clock, DependencyError, type MailAccepted, type MailRefused, type MailSender } from './ports.ts';
import { createRateLog } from './rate-log.ts';

const perHourMax = 60;
const hopsMax = 50;

/** Makes the use case. It throws DependencyError when the relay does not take the message. */
export function createPassOnMail({
  sender,
  clock,
}: {
  readonly sender: Pick<MailSender, 'passOn'>;
  readonly clock: Clock;
}): (message: Uint8Array, operator: Mailbox) => Promise<MailAccepted | MailRefused> {
  const passedOn = createRateLog([{ max: perHourMax, windowMs: 3_600_000 }]);
  return async (message, operator) => {
    // A line end that another server reads differently could end the message early there and begin a new one.
    if (!hasCleanLineEnds(message)) return refuse('line-ends-malformed');
    if (countReceived(message) > hopsMax) return refuse('mail-loop');
    const place = passedOn.take(operator, clock.now());
    if (place.waitMs > 0) return refuse('replies-exhausted');
    const result = await sender.passOn(message, operator);
    if (result.kind === 'handed-over') return { kind: 'passed-on' };
    place.giveBack();
    throw new DependencyError('relay', `the relay did not take a message for the operator: ${result.detail}`);
  };
}

/** Hops so far, in the header (RFC 5321 §6.3), of which the first 64 KiB are looked at. */
function countReceived(message: Uint8Array): number {
  let head = '';
  for (let at = 0; at < 65_536; at += 8192) {
    head += Reflect.apply(String.fromCharCode, undefined, message.subarray(at, at + 8192));
  }
  return (head.split('\r\n\r\n')[0] ?? '').match(/^received:/gim)?.length ?? 0;
}
