// The loopback server of `lictor exec`: everything that it lets pass goes to one gateway, with a fresh credential.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { forward, refuse } from './forward.ts';
import type { GatewayAddress } from './gateway-url.ts';
import { createGuard } from './guard.ts';
import { linkMover } from './headers.ts';
import type { Keeper } from './keeper.ts';
import type { SidecarParts } from './parts.ts';
import { createSockets } from './sockets.ts';
import type { Transport } from './transport.ts';
import { createTrouble } from './trouble.ts';

export interface Sidecar {
  /** `http://127.0.0.1:PORT`, with the path of the gateway. */
  readonly url: string;
  /** What the started process must show. */
  readonly secret: string;
  close(): Promise<void>;
}

export interface SidecarOptions {
  readonly gateway: GatewayAddress;
  readonly keeper: Pick<Keeper, 'current' | 'replace'>;
  readonly transport: Transport;
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void;
}

/** Connections of others on this machine that say nothing must not last. */
const HEADERS_MS = 10_000;

/** Listens on 127.0.0.1, on a port that the system chooses. */
export async function startSidecar({ gateway, keeper, transport, say }: SidecarOptions): Promise<Sidecar> {
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: 0, connectionsCheckingInterval: 2000 });
  const port = (): number => portOf(server.address());
  const guard = createGuard(gateway, port);
  const origin = (): string => `http://127.0.0.1:${port()}`;
  const parts: SidecarParts = {
    gateway,
    keeper,
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
  // A proxy for whoever asks is what this must never be.
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
    // Broken off on either side: a client must see that its answer is not whole.
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
