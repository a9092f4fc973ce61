// A TCP relay between the gateway and Prefect, whose streams of events can be cut while everything else passes.

import { connect, createServer, type Socket } from 'node:net';
import { listenOnLoopback } from './listen.ts';

export interface Cut {
  readonly url: string;
  /** True: what streams events is ended, and none begins. */
  cutStreams(isCut: boolean): void;
  close(): Promise<void>;
}

export async function startCut(to: string): Promise<Cut> {
  const port = Number(new URL(to).port);
  const open = new Set<Socket>();
  const streams = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    open.add(socket);
    const onward = connect(port, '127.0.0.1');
    socket.once('data', (first: Buffer) => {
      if (first.includes(' /api/events/out ')) streams.add(socket);
      if (streams.has(socket) && isCut) return void socket.destroy();
      onward.write(first);
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) {
      end.on('error', () => undefined);
      end.once('close', () => {
        for (const other of [socket, onward]) other.destroy();
        open.delete(socket);
        streams.delete(socket);
      });
    }
  });
  const ownPort = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${ownPort}`,
    cutStreams(next) {
      isCut = next;
      if (next) for (const socket of streams) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
