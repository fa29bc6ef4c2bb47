// What is measured, as Prometheus reads it. One registry for each service, and nothing global. Labels are names of closed
// lists (outcomes, reasons, route patterns), never what a stranger wrote.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Level, Metrics } from '../../app/ports.ts';

export interface PrometheusMetrics extends Metrics {
  readonly contentType: string;
  /** All numbers as they are now. */
  text(): Promise<string>;
}

const quick = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5];
const slow = [0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60, 300, 1800];

const levels: Readonly<Record<Level, string>> = {
  'smtp-connections': 'SMTP connections that are open.',
  'live-lines': 'Open pages that follow their live line.',
  'replies-waiting': 'Replies that are being handed over, or wait for the relay.',
  'notices-waiting': 'Notices that are being handed over, or wait for the relay.',
  keys: 'Master keys that still work.',
};

/** Makes it, with memory, processor and event loop of the process. */
export function createPrometheusMetrics(): PrometheusMetrics {
  const register = new Registry();
  const registers = [register];
  collectDefaultMetrics({ register });
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `rtv_${name}_total`, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram({ name: `rtv_${name}_seconds`, help, buckets, labelNames, registers });

  const mails = counter('mails', 'Mail transactions, by what came of them and at which command.', [
    'outcome',
    'reason',
    'at',
  ]);
  const connections = counter('smtp_connections', 'SMTP connections that were refused or lost.', ['outcome', 'reason']);
  const requests = counter('http_requests', 'HTTP requests.', ['route', 'status', 'reason']);
  const sent = counter('sent', 'Tries to hand a reply or a notice to the relay.', ['kind', 'outcome']);
  const events = counter('events', 'Everything else in the log.', ['event', 'outcome']);
  const mailTime = histogram('mail', 'From the beginning of DATA to its answer.', quick.concat(10, 20));
  const requestTime = histogram('http_request', 'Time to answer an HTTP request.', quick, ['route']);
  const replyTime = histogram('reply', 'From the end of DATA until the relay had the reply.', slow);
  const dnsTime = histogram('dns', 'Time of a DNS question to the servers.', quick, ['outcome']);

  return {
    mailEnded({ outcome, reason, at, ms }) {
      mails.inc({ outcome, reason, at });
      if (at === 'data' && ms !== undefined) mailTime.observe(ms / 1000);
    },
    connectionsRefused: (outcome, reason, count) => connections.inc({ outcome, reason }, count),
    requestEnded({ route, status, reason, ms }) {
      requests.inc({ route, status, reason });
      if (ms !== undefined) requestTime.observe({ route }, ms / 1000);
    },
    sendingEnded: (kind, outcome) => sent.inc({ kind, outcome }),
    happened: (event, outcome) => events.inc({ event, outcome }),
    replyHandedOver: (ms) => replyTime.observe(ms / 1000),
    dnsAnswered: (outcome, ms) => dnsTime.observe({ outcome }, ms / 1000),
    watch(level, read) {
      const name = `rtv_${level.replaceAll('-', '_')}`;
      new Gauge({
        name,
        help: levels[level],
        registers,
        collect() {
          this.set(read());
        },
      });
    },
    contentType: register.contentType,
    text: () => register.metrics(),
  };
}
