// What is counted and timed. Counts are made of the events of the log, so that both use the same names and nothing is
// counted that is not told; times that no event has are taken where a mail comes in and its reply goes out.

import { requestLabel } from '../core/verification-code.ts';
import type { Clock, Log, LogFields, MailSender, Metrics, ReceiveMail } from './ports.ts';

/** The log, whose events are counted. */
export function countEvents(log: Log, metrics: Metrics): Log {
  return {
    info(event, fields) {
      count(metrics, event, fields);
      log.info(event, fields);
    },
    warn(event, fields, cause) {
      count(metrics, event, fields);
      log.warn(event, fields, cause);
    },
    error(event, fields, cause) {
      count(metrics, event, fields);
      log.error(event, fields, cause);
    },
  };
}

function count(metrics: Metrics, event: string, fields: LogFields): void {
  const text = (name: string) => String(fields[name] ?? '');
  const ms = typeof fields.durationMs === 'number' ? fields.durationMs : undefined;
  const outcome = text('outcome');
  const reason = text('reason');
  if (event === 'smtp') metrics.mailEnded({ outcome, reason, at: text('at'), ms });
  else if (event === 'http') metrics.requestEnded({ route: text('route'), status: text('status'), reason, ms });
  else if (event === 'reply' || event === 'notice') metrics.sendingEnded(event, outcome);
  else if (event === 'smtp-connection') {
    // Told once a minute, with how often it came.
    metrics.connectionsRefused(outcome, reason, typeof fields.times === 'number' ? fields.times : 1);
  } else metrics.happened(event, outcome);
}

// More than are ever on their way; what is beyond is not measured.
const underWayMax = 10_000;

/** Takes the time from the end of DATA until the relay has the reply. @returns what to put around each end of the way */
export function timeReplies(metrics: Metrics, clock: Clock) {
  const endsOfData = new Map<string, number>();
  return {
    receiveMail: (mail: ReceiveMail): ReceiveMail => ({
      ...mail,
      async receive(message, envelope, recipient) {
        const label = recipient.kind === 'one-time' ? requestLabel(recipient.address.id) : undefined;
        if (label !== undefined && endsOfData.size < underWayMax) endsOfData.set(label, clock.now());
        let kind: string | undefined;
        try {
          const received = await mail.receive(message, envelope, recipient);
          kind = received.kind;
          return received;
        } finally {
          // One that was answered before may have its reply still waiting.
          if (label !== undefined && kind !== 'reply-queued' && kind !== 'already-answered') endsOfData.delete(label);
        }
      },
    }),
    mailSender: (sender: MailSender): MailSender => ({
      ...sender,
      async send(reply) {
        const result = await sender.send(reply);
        const endOfData = reply.by === 'mail' ? endsOfData.get(reply.label) : undefined;
        if (endOfData !== undefined && result.kind !== 'temporary') endsOfData.delete(reply.label);
        if (result.kind === 'handed-over' && endOfData !== undefined) metrics.replyHandedOver(clock.now() - endOfData);
        return result;
      },
    }),
  };
}

/** Nobody looks. */
export const noMetrics: Metrics = {
  mailEnded() {},
  connectionsRefused() {},
  requestEnded() {},
  sendingEnded() {},
  happened() {},
  replyHandedOver() {},
  dnsAnswered() {},
  watch() {},
};
