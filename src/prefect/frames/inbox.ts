// What one side of a socket says, in order: the first text frame apart, the rest held until somebody takes it.
import type { RawData, WebSocket } from 'ws';

export type Frame = { readonly kind: 'text' | 'binary' | 'ping'; readonly data: Buffer };

export interface Inbox {
  /**
   * The first text or binary frame; undefined when the socket closes before. Until then pings are answered here:
   * stock clients ping before they authenticate. To be asked for at once, before anything can have arrived.
   */
  first(): Promise<Frame | undefined>;
  /** Hands over what was held, then everything that comes. */
  pour(sink: (frame: Frame) => void): void;
  /** Throws away what is held and what comes. */
  discard(): void;
}

/** Reading stops when more than `holdBytes` are held: memory is bounded by that, one frame and one chunk. */
export function createInbox(socket: WebSocket, holdBytes: number): Inbox {
  const held: Frame[] = [];
  let heldBytes = 0;
  let awaiting: ((frame: Frame | undefined) => void) | undefined;
  let sink: ((frame: Frame) => void) | undefined;

  const hold = (frame: Frame) => {
    held.push(frame);
    heldBytes += frame.data.length + 64;
    if (heldBytes > holdBytes) socket.pause();
  };
  const arrive = (frame: Frame) => {
    if (awaiting === undefined) (sink ?? hold)(frame);
    else if (frame.kind === 'ping') socket.pong(frame.data);
    else settle(frame);
  };
  const settle = (frame: Frame | undefined) => {
    const resolve = awaiting;
    awaiting = undefined;
    resolve?.(frame);
  };
  const pour = (to: (frame: Frame) => void) => {
    const waiting = held.splice(0);
    heldBytes = 0;
    sink = to;
    // Before the frames: what they meet may pause it again. Reading goes on in a later turn, so the order holds.
    socket.resume();
    for (const frame of waiting) to(frame);
  };

  socket.on('message', (data, isBinary) => arrive({ kind: isBinary ? 'binary' : 'text', data: asBuffer(data) }));
  socket.on('ping', (data) => arrive({ kind: 'ping', data }));
  socket.once('close', () => settle(undefined));
  return {
    first: () =>
      new Promise((resolve) => {
        awaiting = resolve;
      }),
    pour,
    discard: () => pour(() => undefined),
  };
}

/** ws answers Buffers unless told otherwise; the other shapes are only in its types. */
function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
