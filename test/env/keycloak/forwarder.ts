// The address of a server that a test can make unreachable: a TCP relay that closes and opens, while the server runs on.
import { connect, createServer, type Socket } from 'node:net';

export interface Forwarder {
  /** Again, at the same port. */
  open(): Promise<void>;
  /** Ends every connection; new ones are refused. */
  close(): Promise<void>;
}

/** Listens on `port` of 127.0.0.1 once it is open. */
export function createForwarder(port: number, to: number): Forwarder {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(to, '127.0.0.1');
    socket.pipe(onward).pipe(socket);
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(end);
      end.on('error', () => undefined);
      end.once('close', () => {
        other.destroy();
        sockets.delete(end);
      });
    }
  });
  return {
    open: () => new Promise((resolve) => (server.listening ? resolve() : server.listen(port, '127.0.0.1', resolve))),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
