// A TCP relay to a server, as a network that is slow or cut at times.
import { connect, createServer, type Socket } from 'node:net';

export interface LinkEnds {
  /** Loopback addresses, `127.0.0.1`. */
  readonly host: string;
  /** Where it listens. */
  readonly port: number;
  /** The port of the server, on the same address. */
  readonly to: number;
}

export interface Link {
  readonly port: number;
  /** From now on, what a client sends arrives so much later. 0: at once. */
  delay(ms: number): void;
  /** True: open connections end, and new ones end at once. */
  cut(isCut: boolean): void;
  close(): Promise<void>;
}

export async function startLink({ host, port, to }: LinkEnds): Promise<Link> {
  const open = new Set<Socket>();
  const state = { isCut: false, delayMs: 0 };
  const server = createServer((socket) => {
    if (state.isCut) return void socket.destroy();
    const onward = connect(to, host);
    for (const [end, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(end);
      end.setNoDelay(true);
      end.on('error', () => undefined); // The close that follows ends both.
      end.once('close', () => {
        open.delete(end);
        other.destroy();
      });
    }
    onward.pipe(socket);
    passLater(socket, onward, () => state.delayMs);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port,
    delay(ms) {
      state.delayMs = ms;
    },
    cut(isCut) {
      state.isCut = isCut;
      if (isCut) for (const socket of open) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** In the same order, also when the delay becomes shorter. */
function passLater(from: Socket, to: Socket, delayMs: () => number): void {
  let lastDue = 0;
  from.on('data', (bytes) => {
    lastDue = Math.max(lastDue, performance.now() + delayMs());
    const waitMs = lastDue - performance.now();
    if (waitMs <= 0) to.write(bytes);
    else setTimeout(() => to.write(bytes), waitMs);
  });
}
