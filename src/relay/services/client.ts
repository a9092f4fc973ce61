// A client whose socket is not open yet: what it says early is kept, within a bound, and its leaving is noticed.
import type { Socket } from 'node:net';

export interface HeldClient {
  /** From now on its bytes are somebody else's to read; these have come already. */
  release(): Buffer;
}

/** nginx never closes one half alone: an end is a client that has gone. */
export function holdClient(socket: Socket, { head, mostBytes, onGone }: { readonly head: Buffer; readonly mostBytes: number; onGone(): void }): HeldClient {
  const early: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer): void => {
    early.push(chunk);
    bytes += chunk.length;
    if (bytes > mostBytes) socket.pause();
  };
  const gone = (): void => {
    onGone();
    socket.destroy();
  };
  if (head.length > 0) take(head);
  socket.on('data', take);
  socket.once('end', gone);
  socket.once('close', gone);
  if (socket.destroyed) gone();
  return {
    release() {
      socket.pause();
      socket.off('data', take);
      socket.off('end', gone);
      socket.off('close', gone);
      return Buffer.concat(early);
    },
  };
}
