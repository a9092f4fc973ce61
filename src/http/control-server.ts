// The servers on control.sock and its like: they stay while the rooms behind them are swapped.
import { createServer, type RequestListener, type Server } from 'node:http';
import { HEADER_BYTES } from './own-app.ts';

export function createControlServer(handle: RequestListener): Server {
  return createServer({ maxHeaderSize: HEADER_BYTES, keepAliveTimeout: 120_000 }, handle);
}

/** One call a connection: one that is used again could be closed under a call. What node does not read has no answer here: nginx asks without the keeper. */
export function createKeeperServer(handle: RequestListener): Server {
  const server = createControlServer(handle);
  server.maxRequestsPerSocket = 1;
  return server.on('clientError', (_error, socket) => void socket.destroy());
}
