// The loopback server of `lictor exec`: all that it accepts goes to one gateway, with a fresh credential.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { forward, refuse } from './forward.ts';
import { createGuard } from './guard.ts';
import { linkMover } from './headers.ts';
import type { SidecarParts } from './parts.ts';
import { createSockets } from './sockets.ts';
import { createTrouble } from './trouble.ts';

export interface Sidecar {
  /** `http://127.0.0.1:PORT`, with the path of the gateway. */
  readonly url: string;
  /** The started process must present it. */
  readonly secret: string;
  close(): Promise<void>;
}

export interface SidecarOptions extends Pick<SidecarParts, 'gateway' | 'refresher' | 'transport'> {
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void;
}

/** Silent connections of other users of this machine must end. */
const HEADERS_MS = 10_000;

/** Listens on 127.0.0.1, on a port that the system chooses. */
export async function startSidecar({ gateway, refresher, transport, say }: SidecarOptions): Promise<Sidecar> {
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: 0, connectionsCheckingInterval: 2000 });
  const port = (): number => portOf(server.address());
  const guard = createGuard(gateway, port);
  const origin = (): string => `http://127.0.0.1:${port()}`;
  const parts: SidecarParts = {
    gateway,
    refresher,
    transport,
    guard,
    trouble: createTrouble(new URL(gateway.origin).host, say),
    moveLink: (link) => linkMover(gateway.origin, origin())(link),
  };
  const sockets = createSockets(parts);
  server.on('request', (request, response) => answer(parts, request, response));
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (guard.refuses(request) !== undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') refuseSocket(socket);
    else sockets.open(request, socket, head);
  });
  // The sidecar must never be a general proxy.
  server.on('connect', (_request, socket) => refuseSocket(socket));
  server.on('clientError', (_error, socket) => refuseSocket(socket));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `${origin()}${gateway.basePath}`,
    secret: guard.secret,
    async close() {
      sockets.close();
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function answer(parts: SidecarParts, request: IncomingMessage, response: ServerResponse): void {
  const { guard } = parts;
  const runToken = guard.runTokenIn(request.headers);
  const refusal = guard.refuses(request) ?? (runToken !== undefined || guard.isOurs(request.headers.authorization) ? undefined : 'sidecar-foreign');
  if (refusal !== undefined) {
    refuse(response, refusal, 'never');
    return;
  }
  forward(parts, { request, response, runToken }).catch(() => {
    // Either side broke off: the client must notice that its answer is incomplete.
    response.destroy();
  });
}

function refuseSocket(socket: Duplex): void {
  if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  else socket.destroy();
}

function portOf(address: string | AddressInfo | null): number {
  return address === null || typeof address === 'string' ? 0 : address.port;
}
