// The event stream of one Prefect server, with the gateway's own credential. Reopens whenever it ends.
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { Upstream } from '../../../prefect/client/upstream.ts';
import { isAuthSuccess, renderAuthFrame } from '../../../prefect/frames/auth-frame.ts';
import { createInbox } from '../../../prefect/frames/inbox.ts';
import { eventFilter, FEED_AGENT } from './filter.ts';
import { parseEvent } from './parse-event.ts';

const PATH = '/api/events/out';
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
const HANDSHAKE_MS = 10_000;
/** A server without an answer for this long is gone. */
const PING_MS = 20_000;
const LARGEST_FRAME = 16 * 1024 * 1024;
const HOLD_BYTES = 256 * 1024;
const DAY_MS = 24 * 3_600_000;
/** Prefect sends nothing without an end in the future. */
const FOREVER_MS = 3650 * DAY_MS;

export interface StreamParts {
  /** A client of this server only. */
  readonly upstream: Pick<Upstream, 'socketTarget' | 'socketAuthorities'>;
  readonly clock: () => number;
  readonly onEvent: (event: PrefectEvent) => void;
  readonly onOpen: (isOpen: boolean) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborts. The catch-up fetches events that are lost between two streams. */
export async function runStream(parts: StreamParts): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let attempt = 0; !parts.signal.aborted; attempt++) {
    const wasOpen = await oneStream(parts, attempt).catch(() => false);
    pauseMs = wasOpen ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    await wait(pauseMs, undefined, { signal: parts.signal }).catch(() => undefined);
  }
}

/** Resolves when the stream ends; true if it was open. */
async function oneStream({ upstream, clock, onEvent, onOpen, signal }: StreamParts, attempt: number): Promise<boolean> {
  const ca = upstream.socketAuthorities();
  const { url, token } = upstream.socketTarget(PATH, attempt);
  const socket = new WebSocket(url, ['prefect'], {
    ...{ perMessageDeflate: false, followRedirects: false, maxPayload: LARGEST_FRAME, handshakeTimeout: HANDSHAKE_MS },
    headers: { 'user-agent': FEED_AGENT },
    ...(ca !== null && { ca }),
  });
  const inbox = createInbox(socket, HOLD_BYTES);
  const first = inbox.first();
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined); // the close that follows ends it
  const end = () => socket.terminate();
  signal.addEventListener('abort', end, { once: true });
  const deadline = setTimeout(end, HANDSHAKE_MS);
  socket.once('open', () => socket.send(renderAuthFrame(token)));
  let alive: NodeJS.Timeout | undefined;
  try {
    const isOpen = isAuthSuccess(await first) && !signal.aborted;
    clearTimeout(deadline);
    if (!isOpen) return false;
    const now = clock();
    socket.send(JSON.stringify({ type: 'filter', filter: eventFilter(now - DAY_MS, now + FOREVER_MS), backfill: false }));
    alive = watch(socket);
    inbox.pour(({ kind, data }) => {
      const event = kind === 'text' ? eventIn(data) : undefined;
      if (event !== undefined) onEvent(event);
    });
    onOpen(true);
    await ended;
    onOpen(false);
    return true;
  } finally {
    clearTimeout(deadline);
    clearInterval(alive);
    signal.removeEventListener('abort', end);
    socket.terminate();
  }
}

function watch(socket: WebSocket): NodeJS.Timeout {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  return setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, PING_MS);
}

/** `{"type":"event","event":{...}}`. Undefined for any other message. */
function eventIn(data: Buffer): PrefectEvent | undefined {
  try {
    const message: unknown = JSON.parse(data.toString('utf8'));
    return typeof message === 'object' && message !== null && 'event' in message ? parseEvent(message.event) : undefined;
  } catch {
    return undefined;
  }
}
