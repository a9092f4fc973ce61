// The relay's socket to Prefect: opened only for an authorised client, with the gateway's credential, never the client's.
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { LictorError } from '../../contract/error.ts';
import { UNGUARDED_SOCKETS } from '../../prefect/catalog/versions.ts';
import { isAuthSuccess, renderAuthFrame } from '../../prefect/frames/auth-frame.ts';
import { createInbox, type Inbox } from '../../prefect/frames/inbox.ts';
import type { RelayLimits } from './limits.ts';
import type { RelayParts } from './parts.ts';

export interface UpstreamSocket {
  readonly socket: WebSocket;
  readonly inbox: Inbox;
  /** The token that was sent. No close reason may contain it. */
  readonly token: string | null;
  /** How Prefect closed it. Undefined: it is open. */
  readonly closed: () => { readonly code: number; readonly reason: string } | undefined;
}

export interface UpstreamRequest {
  readonly upstream: RelayParts['upstream'];
  /** Path under Prefect's root, without the query, which no socket of Prefect reads. */
  readonly path: string;
  /** The only headers that reach Prefect. */
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: RelayLimits;
  /** Aborted when the client leaves. */
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2000;
const ATTEMPT_MS = 10_000;

/**
 * Tries until Prefect accepts, for at most `limits.upstreamHoldMs`: a client with unsent events waits and is not
 * disconnected. Throws `upstream-unavailable` at the end of this time, and when the signal aborts.
 */
export async function openUpstream(request: UpstreamRequest): Promise<UpstreamSocket> {
  const until = performance.now() + request.limits.upstreamHoldMs;
  let pauseMs = FIRST_PAUSE_MS;
  let handshake = true;
  for (let count = 0; ; count++) {
    const leftMs = until - performance.now();
    try {
      return await attempt(request, { count, handshake, timeoutMs: Math.min(ATTEMPT_MS, Math.max(leftMs, 1)) });
    } catch (cause) {
      // An older server, which never answers the auth frame. Then frames are forwarded unchanged. The newer way is always tried first.
      handshake = !(knowsNoHandshake(request.path) && saidNoSubprotocol(cause));
      if (request.signal.aborted || leftMs <= pauseMs) throw new LictorError('upstream-unavailable', 'Prefect cannot be reached', { cause });
    }
    await delay(pauseMs, undefined, { signal: request.signal });
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function knowsNoHandshake(path: string): boolean {
  return UNGUARDED_SOCKETS.some((socket) => socket.path === path);
}

/** In the words of ws: the server accepted the socket without the sub-protocol. */
function saidNoSubprotocol(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message === 'Server sent no subprotocol';
}

interface Attempt {
  readonly count: number;
  /** False: no sub-protocol, no credential, no answer to wait for. */
  readonly handshake: boolean;
  readonly timeoutMs: number;
}

async function attempt(request: UpstreamRequest, { count, handshake, timeoutMs }: Attempt): Promise<UpstreamSocket> {
  const { upstream, limits } = request;
  const authorities = upstream.socketAuthorities();
  const { url, token } = upstream.socketTarget(request.path, count);
  const socket = new WebSocket(url, handshake ? ['prefect'] : [], {
    headers: request.headers,
    perMessageDeflate: false,
    followRedirects: false,
    autoPong: false,
    maxPayload: limits.upstreamFrameBytes,
    ...(authorities !== null && { ca: authorities }),
  });
  const inbox = createInbox(socket, limits.holdBytes);
  const first = handshake ? inbox.first() : opened(socket);
  // The listener stays: an error without one would end the process. The close event that follows is handled.
  let failure: unknown;
  socket.on('error', (error) => {
    failure = error;
  });
  let closed: ReturnType<UpstreamSocket['closed']>;
  socket.once('close', (code, reason) => {
    closed = { code, reason: reason.toString() };
  });
  if (handshake) socket.once('open', () => socket.send(renderAuthFrame(token)));
  const give = () => socket.terminate();
  const timer = setTimeout(give, timeoutMs);
  request.signal.addEventListener('abort', give, { once: true });
  try {
    const answer = await first;
    const accepted = typeof answer === 'boolean' ? answer : isAuthSuccess(answer);
    if (!accepted || request.signal.aborted) throw new LictorError('upstream-refused', 'Prefect did not accept the socket', { cause: failure });
    return { socket, inbox, token, closed: () => closed };
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener('abort', give);
  }
}

/** False: it closed first. */
function opened(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once('open', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
}
