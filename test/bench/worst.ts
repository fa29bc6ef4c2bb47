// The worst messages we could think of, sent by real SMTP to a service in a process of its own: how long its event loop
// stands still for each, and how much memory it takes.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadDkimKeys } from '../../src/testkit/dkim-keys.ts';
import { startDnsServer } from '../../src/testkit/dns-server.ts';
import { findIdentity, kitZone } from '../../src/testkit/identities.ts';
import { composeMessage, signMessage } from '../../src/testkit/message.ts';
import { startSink } from '../../src/testkit/sink.ts';
import { deliver } from '../../src/testkit/smtp-client.ts';
import { readPage } from '../../src/testkit/visitor.ts';
import type { Zone } from '../../src/testkit/zone.ts';
import { type Measured, type MonitoredService, startService } from './processes.ts';

/** What one message did to the service. */
export interface WorstRow {
  readonly what: string;
  readonly answer: string;
  readonly stallMs: number;
  readonly peakMb: number;
  readonly tookMs: number;
}

const domain = 'in.school.example';
const free = { host: '127.0.0.1', port: 0 };
const mib = 2 ** 20;

/** SPF of `fan.example`: ten includes, each with ten hosts of ten addresses. */
function fanOut(): Zone {
  const zone: Zone = {
    'fan.example': {
      TXT: [
        `v=spf1 ${range(10)
          .map((at) => `include:i${at}.fan.example`)
          .join(' ')} -all`,
      ],
    },
  };
  for (const at of range(10)) {
    zone[`i${at}.fan.example`] = {
      TXT: [
        `v=spf1 ${range(10)
          .map((n) => `mx:m${n}.i${at}.fan.example`)
          .join(' ')} -all`,
      ],
    };
    for (const n of range(10)) {
      zone[`m${n}.i${at}.fan.example`] = {
        MX: range(10).map((h) => ({ exchange: `h${h}.m${n}.i${at}.fan.example`, priority: h })),
      };
    }
  }
  return zone;
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at);
}

type Build = (to: string) => Promise<{ raw: Buffer; mailFrom?: string }>;

async function worstMessages(): Promise<{
  readonly zone: Zone;
  readonly cases: readonly (readonly [string, Build])[];
}> {
  const amy = findIdentity('amy');
  if (amy === undefined) throw new Error('the test identities have changed');
  const keys = await loadDkimKeys();
  const compose = (to: string, body = 'Please.', headers: Record<string, string> = {}) =>
    composeMessage(amy, { to, subject: 'New password', body, headers });
  const sign = (raw: Buffer) => signMessage(raw, { domain: amy.domain, keys });
  const insert = (raw: Buffer, lines: string) => Buffer.concat([Buffer.from(lines), raw]);
  const signature = (n: number, h = 'from:to:subject') =>
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=school.example; s=k${n};\r\n h=${h}; bh=AAAA; b=AAAA${n}\r\n`;
  const zone: Zone = { ...kitZone(domain, keys), ...fanOut() };
  const key = zone['test-rsa._domainkey.school.example'];
  for (const n of range(100)) if (key) zone[`k${n}._domainkey.school.example`] = key;
  const lines = (bytes: number, line: string) => line.repeat(Math.floor(bytes / line.length));
  const folded = `X-Long: a\r\n${' b\r\n'.repeat(60_000)}`;
  const many = (text: string, times: number) => Array(times).fill(text).join(':');
  return {
    zone,
    cases: [
      ['an honest message', async (to) => ({ raw: await sign(compose(to)) })],
      ['60,000 folded lines', async (to) => ({ raw: insert(compose(to), folded) })],
      [
        '64 KiB of header in 990 folded lines',
        async (to) => ({ raw: insert(compose(to), `X-Long: a\r\n${` ${'b '.repeat(30)}\r\n`.repeat(900)}`) }),
      ],
      [
        '100 signatures with 100 keys',
        async (to) => ({
          raw: insert(
            compose(to),
            range(100)
              .map((n) => signature(n))
              .join(''),
          ),
        }),
      ],
      [
        '10 signatures with 10 keys over 2 MiB',
        async (to) => ({
          raw: insert(
            compose(to, lines(2 * mib - 20_000, 'x  y\t z \r\n')),
            range(10)
              .map((n) => signature(n))
              .join(''),
          ),
        }),
      ],
      ['20,000 names in h=', async (to) => ({ raw: insert(compose(to), signature(1, many('x', 20_000))) })],
      [
        '400 names in h=, ten times',
        async (to) => ({
          raw: insert(
            compose(to),
            range(10)
              .map((n) => signature(n, many('to', 300)))
              .join(''),
          ),
        }),
      ],
      [
        'a signed message of 2 MiB in short lines',
        async (to) => ({ raw: await sign(compose(to, lines(2 * mib - 20_000, 'a b\r\n'))) }),
      ],
      [
        'one line of 2 MB',
        async (to) => ({ raw: Buffer.concat([compose(to), Buffer.alloc(2_000_000, 'x'), Buffer.from('\r\n')]) }),
      ],
      ['50 MB', async (to) => ({ raw: Buffer.concat([compose(to), Buffer.alloc(50_000_000, 'x\r\n')]) })],
      [
        'MIME nested 10,000 deep',
        async (to) => ({
          raw: compose(
            to,
            range(10_000)
              .map((n) => `--b${n}\r\nContent-Type: multipart/mixed; boundary=b${n + 1}\r\n\r\n`)
              .join(''),
          ),
        }),
      ],
      [
        'SPF that fans out to 10 x 10 hosts',
        async (to) => ({
          raw: Buffer.from(
            compose(to).toString('latin1').replaceAll('amy.pond@school.example', 'x@fan.example'),
            'latin1',
          ),
          mailFrom: 'x@fan.example',
        }),
      ],
    ],
  };
}

function stallOf({ stallMs, peakMb }: Measured) {
  return { stallMs, peakMb };
}

/** Ninety of the heaviest at once, from nine addresses with ten connections each. */
async function measureBurst(build: Build, { webUrl, smtpPort, measured }: MonitoredService): Promise<WorstRow> {
  const mails = await Promise.all(
    range(90).map(async (at) => {
      const { address } = readPage(200, await (await fetch(`${webUrl}/reset`)).text());
      return { raw: (await build(address)).raw, rcptTo: address, localAddress: `127.0.0.${10 + Math.floor(at / 10)}` };
    }),
  );
  await measured();
  const startedAt = performance.now();
  const seen = await Promise.all(
    mails.map((mail) =>
      deliver({
        ...mail,
        host: '127.0.0.1',
        port: smtpPort,
        helo: 'mail.school.example',
        mailFrom: 'amy.pond@school.example',
      }).then(
        ({ code }) => String(code),
        () => 'closed',
      ),
    ),
  );
  const answer = [...new Set(seen)].toSorted().map((code) => `${seen.filter((one) => one === code).length} x ${code}`);
  const tookMs = Math.round(performance.now() - startedAt);
  return {
    what: '90 of these (10 signatures, 2 MiB) at once',
    answer: answer.join(', '),
    tookMs,
    ...stallOf(await measured()),
  };
}

/** Runs all of them. @param folder for the service's data */
export async function measureWorst(folder: string): Promise<readonly WorstRow[]> {
  const { zone, cases } = await worstMessages();
  const [dns, sink] = await Promise.all([startDnsServer({ ...free, zone }), startSink(free)]);
  const config = join(folder, 'worst.json');
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain, from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: [`127.0.0.1:${dns.port}`] },
    relay: { url: `smtp://127.0.0.1:${sink.port}` },
    data: { dir: join(folder, 'worst') },
    limits: { repliesPerMailboxPerMinute: 60, repliesPerMailboxPerHour: 1000, repliesPerMailboxPerDay: 1000 },
  };
  await writeFile(config, JSON.stringify(settings));
  const service = await startService(config);
  const { webUrl, smtpPort, measured } = service;
  const rows: WorstRow[] = [];
  try {
    for (const [what, build] of cases) {
      const page = readPage(200, await (await fetch(`${webUrl}/reset`)).text());
      const { raw, mailFrom = 'amy.pond@school.example' } = await build(page.address);
      await measured();
      const startedAt = performance.now();
      const to = { host: '127.0.0.1', port: smtpPort, rcptTo: page.address, helo: 'mail.school.example' };
      const answer = await deliver({ ...to, mailFrom, raw }).then(
        ({ code, text }) => `${code} ${text.split(' ')[0]}`,
        () => 'closed',
      );
      rows.push({ what, answer, tookMs: Math.round(performance.now() - startedAt), ...stallOf(await measured()) });
    }
    const burst = cases.find(([what]) => what.startsWith('10 signatures'))?.[1];
    if (burst !== undefined) rows.push(await measureBurst(burst, service));
  } finally {
    await service.stop();
    await Promise.all([dns.close(), sink.close()]);
  }
  return rows;
}
