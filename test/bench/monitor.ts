// Loaded into a measured service by `--import`: on SIGUSR2 it tells, on standard error, the longest stall of the event loop
// and the peak of memory since the last time.

import { monitorEventLoopDelay } from 'node:perf_hooks';

const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 20).unref();

process.on('SIGUSR2', () => {
  peak = Math.max(peak, process.memoryUsage.rss());
  // The histogram counts from one tick to the next: what is over the resolution is the stall.
  const stallMs = Math.max(0, delay.max / 1e6 - 5);
  console.error(JSON.stringify({ stallMs: Math.round(stallMs), peakMb: Math.round(peak / 2 ** 20) }));
  delay.reset();
  peak = 0;
});
