// Reads a file with a secret in it. One that others can read stops the start; what is in it is told nowhere.

import { readFile, stat } from 'node:fs/promises';
import { fileProblem } from '../../core/file-problem.ts';

/**
 * @param setting that names the file, for whoever has to mend it
 * @returns its text without the line end
 * @throws Error, with the place and the remedy, when it cannot be read, others can read it too, or it is empty
 */
export async function readSecretFile(setting: string, path: string): Promise<string> {
  const explain = (error: unknown): never => {
    throw new Error(`${setting}: ${path} ${fileProblem(error)}.`);
  };
  const { mode } = await stat(path).catch(explain);
  if ((mode & 0o077) !== 0) {
    throw new Error(`${path} can be read by others (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${path}`);
  }
  const secret = (await readFile(path, 'utf8').catch(explain)).replace(/[\r\n]+$/, '');
  if (secret === '') throw new Error(`${setting}: ${path} holds no secret: it is empty.`);
  return secret;
}
