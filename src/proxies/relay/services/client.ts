// A client whose socket is not open yet: buffers its early bytes, within a bound, and notices when it leaves.
import type { Socket } from 'node:net';

export interface HeldClient {
  /** The caller reads the client's bytes from now on. Returns the earlier ones. */
  release(): Buffer;
}

/** nginx never closes one half alone: an end means that the client has left. */
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
