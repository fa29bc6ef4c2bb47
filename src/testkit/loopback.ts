// Names and places of this machine. Mail of made-up people goes nowhere else, and nobody else reads what the sink got.

/** Whether a host, written as in a URL, is this machine. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(host);
}

/** Reads `127.0.0.1:2525`, `[::1]:2525`, or a port alone. @returns undefined for what is no place of this machine */
export function readLoopback(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host = '127.0.0.1', digits = ''] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535 || !isLoopback(host)) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port };
}
