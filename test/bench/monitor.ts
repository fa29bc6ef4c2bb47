// Loaded into a measured service by `--import`: on SIGUSR2 it tells, on standard error, what happened since the last time:
// how late the event loop was, memory and open files, and how busy the process and its event loop were.

import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let peak = 0;
let since = { at: performance.now(), cpu: process.cpuUsage(), loop: performance.eventLoopUtilization() };
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20).unref();

process.on('SIGUSR2', () => {
  peak = Math.max(peak, process.memoryUsage.rss());
  // The histogram counts from one tick to the next: what is over the resolution is the stall.
  const over = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - 5);
  const { user, system } = process.cpuUsage(since.cpu);
  // All threads together, so it may be more than 1; the loop is one thread, and a share of 1 is all it has.
  const cpuShare = (user + system) / 1000 / (performance.now() - since.at);
  const loopShare = performance.eventLoopUtilization(since.loop).utilization;
  const peakMb = Math.round(peak / 2 ** 20);
  const rssMb = Math.round(process.memoryUsage.rss() / 2 ** 20);
  const openFiles = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
  const late = { stallMs: Math.round(over(delay.max)), delayP99Ms: over(delay.percentile(99)) };
  console.error(JSON.stringify({ ...late, peakMb, rssMb, openFiles, cpuShare, loopShare }));
  delay.reset();
  peak = 0;
  since = { at: performance.now(), cpu: process.cpuUsage(), loop: performance.eventLoopUtilization() };
});
