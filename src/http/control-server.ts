// The server on control.sock: it stays while the rooms behind it are swapped.
import { createServer, type RequestListener, type Server } from 'node:http';
import { HEADER_BYTES } from './own-app.ts';

export function createControlServer(handle: RequestListener): Server {
  return createServer({ maxHeaderSize: HEADER_BYTES, keepAliveTimeout: 120_000 }, handle);
}
