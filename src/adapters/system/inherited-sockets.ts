// Sockets that systemd has opened and hands over, so that nobody here needs root for ports 25 and 443 (sd_listen_fds(3)).
// While the service restarts, systemd keeps them, and who connects waits instead of being turned away.

type Environment = Readonly<Record<string, string | undefined>>;

/** Where an edge listens: at an address of its own, or at a socket that is open already. */
export type ListenTarget = { readonly host: string; readonly port: number } | { readonly fd: number };

const firstFd = 3; // SD_LISTEN_FDS_START

/**
 * Finds a socket by its name.
 * @param name as `FileDescriptorName=` of the socket unit has it
 * @param pid  this process; sockets that were meant for another one are not ours, though the variables were inherited
 * @throws Error with the remedy when there is not exactly one
 */
export function inheritedSocket(name: string, env: Environment, pid: number): { readonly fd: number } {
  const setting = `${name}.listen is systemd, but`;
  if (env.LISTEN_PID !== String(pid)) {
    throw new Error(
      `${setting} systemd handed no sockets to this process. Start it as its unit does: with sockets, and without npm.`,
    );
  }
  const count = /^[0-9]{1,3}$/.test(env.LISTEN_FDS ?? '') ? Number(env.LISTEN_FDS) : 0;
  const names = (env.LISTEN_FDNAMES ?? '').split(':').slice(0, count);
  const found = names.flatMap((each, index) => (each === name ? [{ fd: firstFd + index }] : []));
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only;
  const problem = only === undefined ? 'none' : `${found.length}`;
  throw new Error(
    `${setting} of the ${count} sockets of systemd ${problem} has the name ${name}. ` +
      `One socket unit must say FileDescriptorName=${name}, with one ListenStream=.`,
  );
}
