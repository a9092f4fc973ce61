// An answer that does not say how long it is, held until it is there whole: or until it is too large, too late, or there is no room for it.
import type { Readable } from 'node:stream';

/** Of all answers that are on their way to the store. */
export interface Room {
  /** False: there is none for so many bytes. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

export function createRoom(mostBytes: number): Room {
  let taken = 0;
  return {
    take(bytes) {
      if (taken + bytes > mostBytes) return false;
      taken += bytes;
      return true;
    },
    give(bytes) {
      taken -= bytes;
    },
  };
}

export interface Held {
  readonly whole: boolean;
  /** What has come of it; the rest, if any, is still in the stream, which waits. */
  readonly pieces: Buffer[];
  readonly bytes: number;
  /** Gives the room back. */
  release(): void;
}

export interface HoldLimits {
  readonly mostBytes: number;
  readonly patienceMs: number;
  readonly room: Room;
}

/** What a piece takes beside its bytes. */
const PIECE_BYTES = 256;

/** Rejects where the answer breaks off. */
export function hold(answer: Readable, { mostBytes, patienceMs, room }: HoldLimits): Promise<Held> {
  const pieces: Buffer[] = [];
  let [bytes, taken] = [0, 0];
  const release = (): void => {
    room.give(taken);
    taken = 0;
  };
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(late);
      answer.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken).pause();
    };
    const end = (whole: boolean): void => {
      stop();
      resolve({ whole, pieces, bytes, release });
    };
    const onData = (piece: Buffer): void => {
      pieces.push(piece);
      bytes += piece.length;
      const cost = piece.length + PIECE_BYTES;
      const fits = room.take(cost);
      if (fits) taken += cost;
      if (!fits || bytes > mostBytes) end(false);
    };
    const onEnd = (): void => end(true);
    const onBroken = (error?: Error): void => {
      stop();
      release();
      reject(error ?? new Error('the answer broke off'));
    };
    const late = setTimeout(() => end(false), patienceMs);
    answer.on('data', onData).once('end', onEnd).once('error', onBroken).once('close', onBroken).resume();
  });
}
