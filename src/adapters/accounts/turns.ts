// Lets only so many pieces of work run at once; the others wait their turn in the order they came, and when too many
// wait already, one more is turned away. What the work is, and which error that is, is left to the caller.

/** Runs work when its turn has come. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Makes a line to wait in.
 * @param full makes what is thrown when `waitingMax` wait already; the work is not begun then
 */
export function createTurns(limits: { atOnceMax: number; waitingMax: number }, full: () => Error): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < limits.atOnceMax) running += 1;
    else if (waiting.length >= limits.waitingMax) throw full();
    // Whoever ends hands the turn over, so `running` stays as it is: nobody can come in between.
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
