// The listener of the forward proxy: node's HTTP server, strict, and what one connection may carry.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ForwardCore, messageOf } from './core.ts';
import { answerPlain } from './plain.ts';
import { refuseOn } from './refuse.ts';
import { answerConnect } from './tunnel.ts';
import { newRequestId } from './visit.ts';

/** Node's strict parser rejects obs-fold, bare CR or LF, spaces before colons, two framings and bad lengths. */
export function createProxyServer(core: ForwardCore, sockets: Set<Socket>): Server {
  const { limits } = core;
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    // `idleMs` bounds bodies, not their total time.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(1_000, limits.headMs),
  });
  /** Connections without a complete head, the oldest first. */
  const heads = new Map<Socket, NodeJS.Timeout>();
  /** Refused connections that are still open, so that their clients can read the answer. */
  const leaving = new Set<Socket>();
  const begun = new WeakSet<Duplex>();
  /** One request a connection: answers to pipelined requests would mix with the bytes of the first. */
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
  /** Closes a refused connection, or the one that has been silent for the longest time, since a task sends its head at once. False: there is none. */
  const makeRoom = (): boolean => {
    const [oldest] = leaving.size > 0 ? leaving : heads.keys();
    if (oldest === undefined) return false;
    stopWaiting(oldest);
    leaving.delete(oldest);
    sockets.delete(oldest);
    oldest.destroy();
    return true;
  };
  // Also before a connection's first byte.
  server.on('connection', (socket) => {
    socket.on('error', () => socket.destroy());
    if (sockets.size >= limits.inAll && !makeRoom()) return void socket.destroy();
    sockets.add(socket);
    // Node's own check of slow heads ends with its listener, which a reload may close.
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
    // In the body of a running request: an answer would mix with its bytes.
    if (begun.has(socket)) socket.destroy();
    // Nothing was parsed, so there is no principal to record.
    else refuseOn(socket, 'request-invalid', newRequestId(core.parts.clock()), limits.lingerMs);
  });
  return server;
}

/** Any failure in a step ends only this connection: it never opens one, and never ends the process. */
function settle(core: ForwardCore, connection: { destroy(): unknown }, step: Promise<void>): void {
  step.catch((error: unknown) => {
    core.parts.log.warn({ error: messageOf(error) }, 'a connection of the forward proxy ended');
    connection.destroy();
  });
}
