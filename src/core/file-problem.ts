// Why a file could not be read, in words for whoever named it. The same in every command and setting.

const known: Readonly<Record<string, string>> = {
  ENOENT: 'was not found',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
};

/** @param error as reading a file throws it. @returns what follows the name of the file in a sentence */
export function fileProblem(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  return known[code] ?? `cannot be read (${code})`;
}
