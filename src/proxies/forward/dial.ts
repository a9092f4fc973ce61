// A connection to one of the checked addresses: the first that answers.
import type { Socket } from 'node:net';
import type { Network } from './network.ts';

export interface Dialling {
  readonly network: Pick<Network, 'dial'>;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly timeoutMs: number;
}

/** Further addresses of a name are not tried. */
const MOST = 4;

/** Undefined: none answers in time. */
export async function dial({ network, addresses, port, timeoutMs }: Dialling): Promise<Socket | undefined> {
  const tried = addresses.slice(0, MOST);
  for (const address of tried) {
    const socket = await dialOne(network.dial(address, port), timeoutMs / tried.length);
    if (socket !== undefined) return socket;
  }
  return undefined;
}

function dialOne(socket: Socket, timeoutMs: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const done = (connected: boolean): void => {
      clearTimeout(timer);
      socket.off('connect', opened);
      socket.off('close', closed);
      if (!connected) socket.destroy();
      resolve(connected ? socket : undefined);
    };
    const opened = (): void => done(true);
    const closed = (): void => done(false);
    const timer = setTimeout(closed, timeoutMs);
    // The listener stays: `close` reports later failures.
    socket.on('error', () => undefined);
    socket.once('connect', opened);
    socket.once('close', closed);
  });
}
