// The listener of the forward proxy: node's own HTTP server, strict, and what may come over one connection.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ForwardCore, messageOf } from './core.ts';
import { answerPlain } from './plain.ts';
import { refuseOn } from './refuse.ts';
import { answerConnect } from './tunnel.ts';
import { newRequestId } from './visit.ts';

/** The parser of node, strict: obs-fold, bare CR or LF, spaces before colons, two framings and bad lengths are refused by it. */
export function createProxyServer(core: ForwardCore, sockets: Set<Socket>): Server {
  const { limits } = core;
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    // Bodies may take as long as they go on: `idleMs`.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(1_000, limits.headMs),
  });
  /** Connections whose head has not come, the oldest first. */
  const heads = new Map<Socket, NodeJS.Timeout>();
  /** Refused, and not gone yet: their clients may still read why. */
  const leaving = new Set<Socket>();
  const begun = new WeakSet<Duplex>();
  /** One request a connection: what follows one that is under way would be answered among its bytes. */
  const isFirst = ({ socket }: IncomingMessage): boolean => {
    if (begun.has(socket)) socket.destroy();
    const first = !begun.has(socket);
    begun.add(socket);
    stopWaiting(socket);
    return first;
  };
  const stopWaiting = (socket: Socket): void => {
    clearTimeout(heads.get(socket));
    heads.delete(socket);
  };
  const leave = (socket: Socket): void => {
    if (!socket.destroyed) leaving.add(socket);
  };
  /** Who is refused makes room; then, since a task sends its head at once, who has said nothing for the longest time. False: nobody does. */
  const makeRoom = (): boolean => {
    const [oldest] = leaving.size > 0 ? leaving : heads.keys();
    if (oldest === undefined) return false;
    stopWaiting(oldest);
    leaving.delete(oldest);
    sockets.delete(oldest);
    oldest.destroy();
    return true;
  };
  // Before a connection's first byte, too.
  server.on('connection', (socket) => {
    socket.on('error', () => socket.destroy());
    if (sockets.size >= limits.inAll && !makeRoom()) return void socket.destroy();
    sockets.add(socket);
    // Node's own look at slow heads ends with its listener, which a reload may close.
    const timer = setTimeout(() => socket.destroy(), limits.headMs + limits.lingerMs);
    heads.set(socket, timer);
    socket.once('close', () => {
      stopWaiting(socket);
      leaving.delete(socket);
      sockets.delete(socket);
    });
  });
  server.on('connect', (request, socket, head) => {
    const { socket: client } = request;
    socket.on('error', () => socket.destroy());
    const answer = async (): Promise<void> => {
      if (!(await answerConnect(core, { request, socket: client, head }))) leave(client);
    };
    if (isFirst(request)) settle(core, socket, answer());
  });
  server.on('request', (request, response) => {
    if (isFirst(request)) settle(core, response, answerPlain(core, { request, response, waits: false }));
  });
  server.on('checkContinue', (request, response) => {
    if (isFirst(request)) settle(core, response, answerPlain(core, { request, response, waits: true }));
  });
  server.on('clientError', (_error, socket) => {
    // In the body of a request that is under way: an answer of ours would stand among its bytes.
    if (begun.has(socket)) socket.destroy();
    // Nothing of it was understood, so there is nobody whose record it would be.
    else refuseOn(socket, 'request-invalid', newRequestId(core.parts.clock()), limits.lingerMs);
  });
  return server;
}

/** Whatever goes wrong in a step ends that one connection: never open, never the process. */
function settle(core: ForwardCore, connection: { destroy(): unknown }, step: Promise<void>): void {
  step.catch((error: unknown) => {
    core.parts.log.warn({ error: messageOf(error) }, 'a connection of the forward proxy ended');
    connection.destroy();
  });
}
