// A message on its way in: read to its end, within a size and a time that smtp-server does not keep by itself.

import type { SMTPServerDataStream } from 'smtp-server';
import type { Clock } from '../../app/ports.ts';

/** A whole message, or why there is none. `far-too-big` and `connection-too-old`: the rest of it was not waited for. */
export type ReadMessage = Uint8Array | 'too-big' | 'far-too-big' | 'connection-too-old' | 'no-room';

/** Memory that all messages on their way in share. */
export interface Room {
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** @param bytesMax what all messages together may hold */
export function createRoom(bytesMax: number): Room {
  let held = 0;
  return {
    take(bytes) {
      if (held + bytes > bytesMax) return false;
      held += bytes;
      return true;
    },
    give(bytes) {
      held -= bytes;
    },
  };
}

const timeoutMs = 120_000;
const firstBytes = 16_384; // nearly all of what people send us

/**
 * Reads a message to its end, or gives up when it is twice as big as allowed: smtp-server's `size` stops no transfer.
 * A message that is returned holds its block of `room`: give back `message.buffer.byteLength` when it is done with.
 * @throws what the stream fails with; see `isClientGone`
 */
export async function readMessage(
  stream: SMTPServerDataStream,
  bytesMax: number,
  clock: Pick<Clock, 'after'>,
  room: Room,
): Promise<ReadMessage> {
  // One block that grows: kept as they come, the pieces of a message sent byte by byte would weigh a hundredfold.
  let kept = new Uint8Array();
  let crowded = false;
  const resize = (length: number) => {
    if (!room.take(length)) crowded = true;
    const next = new Uint8Array(crowded ? 0 : length);
    if (next.length > 0) next.set(kept);
    room.give(kept.length);
    kept = next;
  };
  resize(Math.min(firstBytes, bytesMax));
  let bytes = 0;
  let late = false;
  let whole = false;
  const cancel = clock.after(timeoutMs, () => {
    late = true;
    stream.destroy();
  });
  try {
    for await (const chunk of stream) {
      const end = bytes + chunk.length;
      if (end > bytesMax) resize(0);
      else if (!crowded) {
        if (end > kept.length) resize(Math.min(bytesMax, Math.max(end, 2 * kept.length)));
        if (!crowded) kept.set(chunk, bytes);
      }
      bytes = end;
      if (bytes > 2 * bytesMax) return 'far-too-big'; // leaving the loop destroys the stream
    }
    whole = !late && !crowded && bytes <= bytesMax;
  } catch (error) {
    if (!late) throw error;
  } finally {
    cancel();
    if (!whole) room.give(kept.length);
  }
  if (late) return 'connection-too-old';
  if (bytes > bytesMax) return 'too-big';
  return crowded ? 'no-room' : kept.subarray(0, bytes);
}

/** Tells a client that went away in the middle of its message from a fault of ours. */
export function isClientGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNECTION' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
