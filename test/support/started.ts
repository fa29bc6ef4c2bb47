// The processes that people start, in the checkout: what they print and how they end.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const project = join(import.meta.dirname, '../..');

/** `reply-to-verify ...`, without settings of whoever runs the tests. */
export class Started {
  readonly child: ChildProcess;
  output = '';
  readonly #ended: Promise<unknown[]>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('RTV_'));
    this.child = spawn(process.execPath, ['src/main.ts', ...args], {
      cwd: project,
      env: { ...Object.fromEntries(own), ...env },
    });
    this.#ended = once(this.child, 'exit');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  /** Resolves with the first line that fits; rejects when the process ends without it. */
  line(pattern: RegExp): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve) => {
      if (this.child.stdout === null) return;
      createInterface(this.child.stdout).on('line', (line) => {
        const match = pattern.exec(line);
        if (match !== null) resolve(match);
      });
    });
    const ended = this.#ended.then(() => Promise.reject(new Error(`ended without ${pattern}: ${this.output}`)));
    return Promise.race([found, ended]);
  }

  async exit(): Promise<number> {
    const [code] = await this.#ended;
    return Number(code ?? -1);
  }

  interrupt(): Promise<number> {
    this.child.kill('SIGINT');
    return this.exit();
  }
}

/** A port that is taken, and stays so until the server is closed. */
export async function takePort(): Promise<[Server, number]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return [server, typeof address === 'object' ? (address?.port ?? 0) : 0];
}
