// Does it stay as it was? An hour's mail in a few minutes: messages that are believed, that are not, that come twice, pages
// and wrong codes, on and on, against one service whose challenges end after five minutes. Memory, open files and the delay of
// the event loop are looked at after each part.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { countRefused, mailDomain, startMail, writeConfig } from './mail-traffic.ts';
import { startService } from './processes.ts';

/** One part, and how the service was at its end. */
export interface HourRow {
  readonly messages: number;
  readonly accepted: number;
  readonly replies: number;
  /** Answers other than 250, with how often they came. */
  readonly refused: Readonly<Record<string, number>>;
  readonly pages: number;
  readonly perSecond: number;
  readonly rssMb: number;
  readonly openFiles: number;
  /** Of the event loop: how late it comes to a timer. */
  readonly delayP99Ms: number;
}

const parts = 12;
const pace = { perSecond: 380, rampSeconds: 2, seconds: 46 };
const lifetimeMinutes = 5;
const visitorPauseMs = 20;

/** @param folder for the service's data @param tell gets each part as it ends */
export async function measureHour(folder: string, tell: (row: HourRow) => void): Promise<void> {
  const secret = randomBytes(32).toString('base64url');
  const mail = await startMail({ perSecond: 0, rampSeconds: 0, seconds: 0, domain: mailDomain, secret });
  const limits = {
    challengeLifetimeMinutes: lifetimeMinutes,
    codeLifetimeMinutes: lifetimeMinutes,
    repliesPerDomainPerHour: 100_000,
    smtpConnectionsMax: 500,
  };
  const config = await writeConfig(folder, mail, limits);
  const service = await startService(config, { env: { RTV_KEYS_SECRET: secret } });
  try {
    for (let part = 0; part < parts; part += 1) {
      await service.measured();
      const visits = visitPages(service.webUrl);
      const startedAt = performance.now();
      const mixed = { part, lifetimeMs: lifetimeMinutes * 60_000 };
      const report = await mail.run({ smtpPort: service.smtpPort, pace, mixed });
      const seconds = (performance.now() - startedAt) / 1000;
      const { rssMb, openFiles, delayP99Ms } = await service.measured();
      tell({
        messages: report.answers.length,
        accepted: report.answers.filter(({ what }) => what.startsWith('250')).length,
        replies: report.replies.length,
        refused: countRefused(report),
        pages: await visits.end(),
        perSecond: report.answers.length / seconds,
        rssMb,
        openFiles,
        delayP99Ms,
      });
    }
  } finally {
    await service.stop();
    await mail.stop();
  }
}

/** Opens a page, types a wrong code, and comes again. */
function visitPages(webUrl: string) {
  let pages = 0;
  let isOver = false;
  const visiting = (async () => {
    while (!isOver) {
      const opened = await fetch(`${webUrl}/reset`);
      const cookie = opened.headers
        .getSetCookie()
        .map((each) => each.split(';')[0])
        .join('; ');
      const nonce = /name="nonce" value="([^"]+)"/.exec(await opened.text())?.[1] ?? '';
      const body = new URLSearchParams({ nonce, code: '00000000' });
      const answer = await fetch(`${webUrl}/reset`, { method: 'POST', headers: { cookie }, body, redirect: 'manual' });
      await answer.arrayBuffer();
      pages += 2;
      await sleep(visitorPauseMs);
    }
  })();
  return {
    async end() {
      isOver = true;
      await visiting;
      return pages;
    },
  };
}
