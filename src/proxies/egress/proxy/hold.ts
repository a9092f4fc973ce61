// An answer that is to be stored: a copy of one that says how long it is; one that does not is held until it is whole, too large, too late, or has no room.
import type { Readable } from 'node:stream';
import type { BodyRoom } from './body-room.ts';

/** Not the pieces themselves: a service may send one byte in each. `then` gets the whole, where all of it comes. */
export function copyOf(answer: Readable, length: number, then: (whole: Buffer) => void): void {
  const whole = Buffer.allocUnsafeSlow(length);
  let bytes = 0;
  answer.on('data', (piece: Buffer) => {
    bytes += piece.copy(whole, bytes);
  });
  answer.pause().once('end', () => bytes === length && then(whole));
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
  /** Of all answers that are on their way to the store. */
  readonly room: BodyRoom;
  readonly caller: string;
}

/** What a piece takes beside its bytes. */
const PIECE_BYTES = 256;

/** Rejects where the answer breaks off. */
export function hold(answer: Readable, { mostBytes, patienceMs, room, caller }: HoldLimits): Promise<Held> {
  const pieces: Buffer[] = [];
  let [bytes, taken] = [0, 0];
  const release = (): void => {
    room.give(caller, taken);
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
      const fits = room.take(caller, cost) === 'taken';
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
