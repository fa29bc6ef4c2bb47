// The few things of curl that the examples use, for machines that have none. Run as a program it is that curl; imported it
// says which curls the examples are to be tried with.

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { deliver } from '../../src/testkit/smtp-client.ts';

/** A PATH for each curl: ours in front, and the machine's own where it has one. */
export async function curls(after: (end: () => Promise<void>) => void): Promise<readonly string[]> {
  const { PATH = '' } = process.env;
  const folder = await mkdtemp(join(tmpdir(), 'rtv-curl-'));
  after(() => rm(folder, { recursive: true }));
  const program = `#!/bin/sh\nexec '${process.execPath}' '${import.meta.filename}' "$@"\n`;
  await writeFile(join(folder, 'curl'), program, { mode: 0o700 });
  const isHere = PATH.split(delimiter).some((each) => existsSync(join(each, 'curl')));
  return [`${folder}${delimiter}${PATH}`, ...(isHere ? [PATH] : [])];
}

async function main(): Promise<void> {
  const flag = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ silent: flag, 'show-error': flag, fail: flag, location: flag, crlf: flag },
      ...{ cookie: text, 'cookie-jar': text, json: text, 'upload-file': { ...text, short: 'T' } },
      ...{ request: { ...text, short: 'X' }, 'mail-from': text, 'mail-rcpt': text },
      'data-urlencode': { ...text, multiple: true },
    },
  });
  const url = new URL(positionals[0] ?? '');
  if (url.protocol === 'smtp:') {
    const raw = (await buffer(process.stdin)).toString().replace(/\n/g, '\r\n');
    const { 'mail-from': mailFrom = '', 'mail-rcpt': rcptTo = '' } = values;
    const to = { host: url.hostname, port: Number(url.port) };
    const { accepted } = await deliver({ ...to, mailFrom, rcptTo, raw, helo: 'localhost' });
    process.exitCode = accepted ? 0 : 55;
    return;
  }
  await ask(url, values);
}

interface Asked {
  readonly json?: string | undefined;
  readonly request?: string | undefined;
  readonly 'data-urlencode'?: string[] | undefined;
  readonly 'cookie-jar'?: string | undefined;
  readonly location?: boolean | undefined;
  readonly fail?: boolean | undefined;
}

/** One jar for all hosts, as lines of `name=value`. */
async function ask(url: URL, { json, request, location, fail, ...values }: Asked): Promise<void> {
  const form = values['data-urlencode']?.map((field) => {
    const [name = '', ...value] = field.split('=');
    return `${name}=${encodeURIComponent(value.join('='))}`;
  });
  const jar = values['cookie-jar'];
  const cookie = jar === undefined ? '' : (await readFile(jar, 'utf8')).trim().split('\n').join('; ');
  const body = json ?? form?.join('&');
  const type = json === undefined ? 'application/x-www-form-urlencoded' : 'application/json';
  const answer = await fetch(url, {
    method: request ?? (body === undefined ? 'GET' : 'POST'),
    headers: { cookie, ...(body !== undefined && { 'content-type': type }) },
    redirect: 'manual',
    ...(body !== undefined && { body }),
  });
  const set = answer.headers.getSetCookie().map((each) => each.split(';')[0]);
  if (jar !== undefined) await writeFile(jar, [...cookie.split('; '), ...set].filter((each) => each !== '').join('\n'));
  const next = answer.headers.get('location');
  if (location === true && next !== null) return ask(new URL(next, url), { location, fail, 'cookie-jar': jar });
  if (fail === true && !answer.ok) process.exitCode = 22;
  else process.stdout.write(await answer.text());
}

// Without top-level await: files of tests are required, not imported (together.ts).
if (import.meta.main) void main();
