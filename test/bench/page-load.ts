// Visitors of one page: each is there when it is due, on a connection that is open already, as they come from a front.
// autocannon would ask for all pages of a second at its beginning, and node:http costs what the measured service needs.

import { connect, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { keepPace, type Pace, percentile } from './pace.ts';

/** How the visitors fared who were due within the measured time. */
export interface PageFigures {
  /** Answered within that time. */
  readonly pagesDonePerSecond: number;
  /** Broken off, or not a 200. */
  readonly pagesFailed: number;
  /** From the moment when it was due to its last byte. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late this process was itself: what is measured is no better than that. */
  readonly clientLateP99Ms: number;
}

/** Visitors are counted after warming up: by then code is compiled, caches are filled and connections are there. */
export interface PageLoad extends Pace {
  readonly warmUpSeconds: number;
}

type Get = (done: (good: boolean) => void) => void;

// More wait in line here: an overrun service must not use up the ports of this machine.
const connectionsMax = 1_000;
// Less than the five seconds after which Node ends an idle connection, perhaps just as we use it.
const idleMsMax = 3_000;
const answerTimeoutMs = 20_000;

/** Asks for a page all the time. @param url with an IP address and a port */
export async function visitPages(url: string, load: PageLoad): Promise<PageFigures> {
  const { get, close } = createVisitors(new URL(url));
  const late = monitorEventLoopDelay({ resolution: 1 });
  const from = performance.now() + load.warmUpSeconds * 1000;
  const until = from + (load.seconds - load.warmUpSeconds) * 1000;
  const tookMs: number[] = [];
  const answered: Promise<void>[] = [];
  let doneInTime = 0;
  await keepPace(load, (_index, dueAt) => {
    if (dueAt < from) return get(() => {});
    if (answered.length === 0) late.enable();
    const { promise, resolve } = Promise.withResolvers<void>();
    answered.push(promise);
    get((good) => {
      const now = performance.now();
      // Who gets no page at all waits for longer than anybody.
      tookMs.push(good ? now - dueAt : Number.POSITIVE_INFINITY);
      if (good && now < until) doneInTime += 1;
      resolve();
    });
  });
  late.disable();
  await Promise.all(answered);
  close();
  return {
    pagesDonePerSecond: (doneInTime * 1000) / (until - from),
    pagesFailed: tookMs.filter((took) => !Number.isFinite(took)).length,
    p50Ms: percentile(tookMs, 0.5),
    p99Ms: percentile(tookMs, 0.99),
    maxMs: percentile(tookMs, 1),
    clientLateP99Ms: Math.max(0, late.percentile(99) / 1e6 - 1),
  };
}

/** Connections that are used again, the last one first, so that those that are not needed end. */
function createVisitors({ hostname, port, host, pathname }: URL): { get: Get; close(): void } {
  const request = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\n\r\n`;
  const open = new Set<Socket>();
  const idle: { readonly ask: Get; readonly socket: Socket; readonly since: number }[] = [];
  const waiting: ((good: boolean) => void)[] = [];

  function connectNew(): Get {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let done: ((good: boolean) => void) | undefined;
    const missing = createAnswerReader();
    open.add(socket);
    socket.setTimeout(answerTimeoutMs, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => {
      open.delete(socket);
      done?.(false);
      done = undefined;
      const next = waiting.shift();
      if (next !== undefined) connectNew()(next);
    });
    const ask: Get = (next) => {
      done = next;
      socket.write(request);
    };
    socket.on('data', (chunk) => {
      const good = missing(chunk);
      if (good === undefined) return;
      const answered = done;
      const next = waiting.shift();
      done = undefined;
      if (next !== undefined) ask(next);
      else idle.push({ ask, socket, since: performance.now() });
      answered?.(good);
    });
    return ask;
  }

  return {
    get(done) {
      for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
        if (!last.socket.destroyed && performance.now() - last.since < idleMsMax) return last.ask(done);
        last.socket.destroy();
      }
      if (open.size < connectionsMax) connectNew()(done);
      else waiting.push(done);
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** @returns of each piece: whether an answer is complete with it, and then whether it was a 200 */
function createAnswerReader(): (chunk: Buffer) => boolean | undefined {
  let head = '';
  let bodyLeft: number | undefined;
  return (chunk) => {
    let bytes = chunk.length;
    if (bodyLeft === undefined) {
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return undefined;
      bytes = head.length - end - 4;
      bodyLeft = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    }
    bodyLeft -= bytes;
    // Not a number: an answer without a length, which is none of ours.
    if (bodyLeft > 0) return undefined;
    const good = bodyLeft === 0 && head.startsWith('HTTP/1.1 200 ');
    head = '';
    bodyLeft = undefined;
    return good;
  };
}
