// The HTTP servers on control.sock and similar sockets. They stay open while a reload swaps the runtime that handles their requests.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { FromEdge } from '../../authorization/decide/from-edge.ts';
import { HEADER_BYTES } from './own-app.ts';

export function createControlServer(handle: RequestListener, fromEdge: FromEdge): Server {
  return createServer({ maxHeaderSize: HEADER_BYTES, keepAliveTimeout: 120_000 }, (request, response) => {
    if (fromEdge(request)) handle(request, response);
    else request.socket.destroy();
  });
}
