// An upgrade that waits for its 101: buffers early bytes, within a bound. Only reading reveals that the client has left meanwhile.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface Attended {
  /** Resolves when the client has left. */
  readonly left: Promise<void>;
  /** Ends the reading. The upgrade with early data, paused; undefined if the client has left. */
  end(): Upgrade | undefined;
}

/** For frames before the 101. Beyond it reading stops. */
const EARLY_BYTES = 64 * 1024;

/** nginx never closes one half alone: an end means that the client has left. */
export function attend({ request, socket, head }: Upgrade): Attended {
  const early = [head];
  let bytes = 0;
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const collect = (chunk: Buffer) => {
    early.push(chunk);
    bytes += chunk.length;
    if (bytes > EARLY_BYTES) socket.pause();
  };
  socket.on('data', collect).once('end', leave).once('close', leave);
  if (socket.destroyed) leave();
  return {
    left,
    end() {
      socket.pause();
      socket.off('data', collect).off('end', leave).off('close', leave);
      return socket.readableEnded || socket.destroyed ? undefined : { request, socket, head: Buffer.concat(early) };
    },
  };
}
