// An upgrade that waits for its 101. Only reading reveals that the client has left meanwhile.
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

export function attend({ request, socket, head }: Upgrade): Attended {
  const early = [head];
  let bytes = 0;
  let gone = false;
  const collect = (chunk: Buffer) => {
    early.push(chunk);
    bytes += chunk.length;
    if (bytes > EARLY_BYTES) socket.pause();
  };
  const left = new Promise<void>((resolve) => {
    const leave = () => {
      gone = true;
      resolve();
    };
    socket.once('end', leave);
    socket.once('close', leave);
  });
  socket.on('data', collect);
  return {
    left,
    end() {
      socket.pause();
      socket.removeListener('data', collect);
      return gone || socket.destroyed ? undefined : { request, socket, head: Buffer.concat(early) };
    },
  };
}
