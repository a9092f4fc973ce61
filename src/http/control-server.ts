// The servers on control.sock and its like: they stay while the rooms behind them are swapped.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { FromEdge } from '../decide/from-edge.ts';
import { HEADER_BYTES } from './own-app.ts';

export function createControlServer(handle: RequestListener, fromEdge: FromEdge): Server {
  return createServer({ maxHeaderSize: HEADER_BYTES, keepAliveTimeout: 120_000 }, (request, response) => {
    if (fromEdge(request)) handle(request, response);
    else request.socket.destroy();
  });
}

/** One call a connection: one that is used again could be closed under a call. What node does not read has no answer here: nginx asks without the keeper. */
export function createKeeperServer(handle: RequestListener, fromEdge: FromEdge): Server {
  const server = createControlServer(handle, fromEdge);
  server.maxRequestsPerSocket = 1;
  return server.on('clientError', (_error, socket) => void socket.destroy());
}
