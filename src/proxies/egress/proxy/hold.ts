// Buffers an answer for the store: a copy if its length is known, else until it is complete, too large, too late, or without room.
import type { Readable } from 'node:stream';
import type { BodyRoom } from './body-room.ts';

/** Copies bytes instead of keeping chunks, since a service may send one byte in each. `then` gets the complete body. */
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
  /** The received part. The stream has the rest, and is paused. */
  readonly pieces: Buffer[];
  readonly bytes: number;
  /** Frees the memory. */
  release(): void;
}

export interface HoldLimits {
  readonly mostBytes: number;
  readonly patienceMs: number;
  /** For all answers that are being stored. */
  readonly room: BodyRoom;
  readonly caller: string;
}

/** The memory of a chunk besides its bytes. */
const PIECE_BYTES = 256;

/** Rejects if the answer breaks off. */
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
