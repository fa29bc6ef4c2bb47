// The mail traffic around what is measured, in a process of its own (mail-load.ts): senders, their DNS, and the relay.

import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { oneNetwork } from '../support/limits.ts';
import { type MailOrder, type MailReport, type MailRun, mailReady, mailReport } from './mail-load.ts';
import { stopProcess } from './processes.ts';

/** Of the one-time addresses. */
export const mailDomain = 'in.school.example';

export interface MailTraffic {
  readonly dnsPort: number;
  readonly sinkPort: number;
  /** Sends what was prepared, once more each time. */
  run(run: MailRun): Promise<MailReport>;
  stop(): Promise<void>;
}

/**
 * Prepares the messages, which takes about a millisecond each: they are signed.
 * @param processor keeps it on this one
 */
export async function startMail(order: MailOrder, processor?: number): Promise<MailTraffic> {
  const helper = fork('test/bench/mail-load.ts');
  // In earnest it is on other machines; here it must not take processor time from what is measured.
  if (helper.pid !== undefined) setPriority(helper.pid, 5);
  if (processor !== undefined) execFileSync('taskset', ['-a', '-p', '-c', String(processor), String(helper.pid)]);
  helper.send(order);
  return {
    ...mailReady.parse(await nextWord(helper)),
    async run(run) {
      helper.send(run);
      return mailReport.parse(await nextWord(helper));
    },
    stop: () => stopProcess(helper),
  };
}

/** Answers other than 250, with how often they came. */
export function countRefused({ answers }: Pick<MailReport, 'answers'>): Readonly<Record<string, number>> {
  const refused: Record<string, number> = {};
  for (const { what } of answers) if (!what.startsWith('250')) refused[what] = (refused[what] ?? 0) + 1;
  return refused;
}

function nextWord(helper: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the mail traffic ended early'));
    helper.once('exit', ended);
    helper.once('message', (word) => {
      helper.off('exit', ended);
      resolve(word);
    });
  });
}

/** Settings of a service in the middle of it. @param limits on top of the defaults */
export async function writeConfig(
  folder: string,
  { dnsPort, sinkPort }: Pick<MailTraffic, 'dnsPort' | 'sinkPort'>,
  limits: Readonly<Record<string, number>> = {},
): Promise<string> {
  const config = join(folder, 'load.json');
  const settings = {
    web: { listen: '127.0.0.1:0', publicUrl: 'http://127.0.0.1:0' },
    smtp: { listen: '127.0.0.1:0', hostname: 'mx.in.school.example' },
    mail: { domain: mailDomain, from: 'accounts@school.example', siteName: 'Example School' },
    dns: { servers: [`127.0.0.1:${dnsPort}`] },
    relay: { url: `smtp://127.0.0.1:${sinkPort}` },
    data: { dir: join(folder, 'data') },
    keys: { source: 'env' },
    limits: { ...oneNetwork, ...limits },
  };
  await writeFile(config, JSON.stringify(settings));
  return config;
}
