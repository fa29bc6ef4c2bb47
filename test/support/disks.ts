// Disks for tests: one that can be full, one that is full in the middle of a write, and some in memory that keep what is
// written and not the object.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Adapter, Memory } from 'lowdb';
import type { SegmentFiles } from '../../src/adapters/store/segment-files.ts';

/** Any adapter, with a switch that makes writing fail before a byte is written. */
export class FailingAdapter implements Adapter<unknown> {
  failing = false;
  readonly #inner: Adapter<unknown>;

  constructor(inner: Adapter<unknown>) {
    this.#inner = inner;
  }

  read(): Promise<unknown> {
    return this.#inner.read();
  }

  write(data: unknown): Promise<void> {
    return this.failing
      ? Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }))
      : this.#inner.write(data);
  }
}

/** lowdb's memory adapter keeps the very object; here it keeps what is in it, as a disk does. */
export class CopyingMemory implements Adapter<unknown> {
  readonly #memory = new Memory<unknown>();

  async read(): Promise<unknown> {
    return structuredClone(await this.#memory.read());
  }

  write(data: unknown): Promise<void> {
    return this.#memory.write(structuredClone(data));
  }
}

/** Segments in memory, that keep what is written and not the object. @param write what happens to a write, instead of being done at once */
export function memorySegments(write = (done: () => Promise<void>): Promise<void> => done()): SegmentFiles {
  const segments = new Map<number, unknown[]>();
  return {
    place: 'the store',
    list: async () => [...segments.keys()],
    file: (number) => ({
      read: async () => structuredClone(segments.get(number) ?? null),
      write: (data) =>
        write(async () => void segments.set(number, [...(segments.get(number) ?? []), structuredClone(data)])),
    }),
    async remove(number) {
      segments.delete(number);
    },
  };
}

/** Any segments, with a switch that makes writing and removing fail: before anything has changed, or `late`, when it is written. */
export function failingSegments(inner: SegmentFiles): { readonly files: SegmentFiles; failing: boolean | 'late' } {
  const full = () => Promise.reject(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  const disk: ReturnType<typeof failingSegments> = {
    failing: false,
    files: {
      ...inner,
      file(number: number) {
        const file = inner.file(number);
        return {
          read: () => file.read(),
          write: async (data: unknown) => {
            if (disk.failing !== true) await file.write(data);
            if (disk.failing !== false) await full();
          },
        };
      },
      remove: (number: number) => (disk.failing ? full() : inner.remove(number)),
    },
  };
  return disk;
}

/**
 * Runs a module in a process whose files cannot grow beyond `kib` KiB: what is written beyond is refused, after the bytes that
 * still had room, as on a disk that is full.
 * @param code imports by absolute URL
 * @returns what it printed
 */
export async function onSmallDisk(kib: number, code: string): Promise<string> {
  const command = `ulimit -f ${kib} && exec "$0" --input-type=module-typescript -e "$1"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', command, process.execPath, code]);
  return stdout;
}
