// Processes that the benchmark starts, asks and ends. What is measured has a process of its own.

import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';

/** What `monitor.ts` told since it was asked the last time. */
export type Measured = z.infer<typeof measuredSchema>;

const measuredSchema = z.object({
  stallMs: z.number(),
  delayP99Ms: z.number(),
  peakMb: z.number(),
  rssMb: z.number(),
  openFiles: z.number(),
  cpuShare: z.number(),
  loopShare: z.number(),
});

/** A service in a process of its own, with `monitor.ts` in it. */
export interface MonitoredService {
  /** `http://host:port`, without a path. */
  readonly webUrl: string;
  readonly smtpPort: number;
  measured(): Promise<Measured>;
  stop(): Promise<void>;
}

/**
 * Starts a Node process and waits until it tells its address on standard output, which is read and dropped from then on.
 * @param told what it tells
 */
export async function startProcess(args: readonly string[], told: RegExp): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [, found = ''] = await waitFor(child, told);
  return [child, found];
}

/** A process that is watched. */
export interface MonitoredProcess {
  /** What it told on standard output: the match of `told`. */
  readonly told: readonly string[];
  measured(): Promise<Measured>;
  stop(): Promise<void>;
}

/**
 * Starts a Node process with `monitor.ts` in it.
 * @param processor keeps it on this one, with all its threads, where the machine has `taskset`
 */
export async function startMonitored(
  args: readonly string[],
  told: RegExp,
  { env = {}, processor }: { readonly env?: Record<string, string>; readonly processor?: number | undefined } = {},
): Promise<MonitoredProcess> {
  const node = [process.execPath, '--import', './test/bench/monitor.ts', ...args];
  const [command = '', ...rest] = processor === undefined ? node : ['taskset', '-c', String(processor), ...node];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const found = await waitFor(child, told);
  const answers = createInterface(child.stderr)[Symbol.asyncIterator]();
  return {
    told: found,
    async measured() {
      child.kill('SIGUSR2');
      for (;;) {
        const { value, done } = await answers.next();
        if (done) throw new Error('the process ended');
        if (value.startsWith('{"stallMs"')) return measuredSchema.parse(JSON.parse(value));
      }
    },
    stop: () => stopProcess(child),
  };
}

/**
 * Starts the service, as `npm run serve` does.
 * @param config its settings file; the ports in it are 0
 */
export async function startService(
  config: string,
  options: { readonly env?: Record<string, string>; readonly processor?: number | undefined } = {},
): Promise<MonitoredService> {
  const args = ['src/main.ts', 'serve', '--config', config];
  const { told, ...monitored } = await startMonitored(args, /"web":"([^"]+)","smtp":"127\.0\.0\.1:(\d+)"/, options);
  const [, web, port] = told;
  return { ...monitored, webUrl: `http://${web}`, smtpPort: Number(port) };
}

/** Ends a process and waits for its end. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

function waitFor(child: ChildProcessByStdio<null, Readable, Readable | null>, told: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      const found = told.exec(text);
      if (found === null) return;
      // Nobody reads its log, but a full pipe would hold it up.
      child.stdout.removeAllListeners('data').resume();
      resolve(found);
    });
    child.once('exit', () => reject(new Error(`${child.spawnargs.slice(1).join(' ')} ended before it served`)));
  });
}
