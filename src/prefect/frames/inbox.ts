// The frames of one side of a socket, in order: the first text frame separately, the others buffered until `pour`.
import type { RawData, WebSocket } from 'ws';

export type Frame = { readonly kind: 'text' | 'binary' | 'ping'; readonly data: Buffer };

export interface Inbox {
  /**
   * The first text or binary frame; undefined when the socket closes before. Until then the inbox answers pings, since stock clients ping
   * before they authenticate. Call it at once, before a frame can arrive.
   */
  first(): Promise<Frame | undefined>;
  /** Passes on the buffered frames, and then each further frame. */
  pour(sink: (frame: Frame) => void): void;
  /** Frames are buffered. */
  isHolding(): boolean;
  /** Drops the buffered frames and all further frames. */
  discard(): void;
}

/** Reading stops when more than `holdBytes` are buffered. So memory is bounded by that, one frame and one chunk. */
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
    // Before the frames, since their receiver may pause it again. Reading continues in a later turn, so the order holds.
    socket.resume();
    for (const frame of waiting) to(frame);
  };

  socket.on('message', (data, isBinary) => arrive({ kind: isBinary ? 'binary' : 'text', data: asBuffer(data) }));
  socket.on('ping', (data) => arrive({ kind: 'ping', data }));
  socket.once('close', () => settle(undefined));
  return {
    first() {
      const { promise, resolve } = Promise.withResolvers<Frame | undefined>();
      awaiting = resolve;
      return promise;
    },
    pour,
    isHolding: () => held.length > 0,
    discard: () => pour(() => undefined),
  };
}

/** By default ws delivers Buffers; the other types are only declared. */
function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
