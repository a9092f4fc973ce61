// The sidecar's socket to the gateway, opened with a fresh credential in its header, which some clients cannot send.
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { isAuthSuccess, renderAuthFrame } from '../../prefect/frames/auth-frame.ts';
import { createInbox, type Inbox } from '../../prefect/frames/inbox.ts';
import { failureOf, jsonObjectIn, readBounded } from './ask.ts';
import type { SidecarParts } from './parts.ts';

export interface GatewaySocket {
  readonly socket: WebSocket;
  readonly inbox: Inbox;
  readonly secret: string;
}

export type Opening =
  | ({ readonly ok: true } & GatewaySocket)
  /** The gateway's refusal, in its words. */
  | { readonly ok: false; readonly kind: 'refused'; readonly words: string }
  /** The gateway does not answer, or there is no credential. */
  | { readonly ok: false; readonly kind: 'away' };

export interface SocketRequest {
  /** With the query, unchanged. */
  readonly target: string;
  /** `prefect`, or `''` for the oldest clients. */
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the flow run. Undefined: use the worker's credential. */
  readonly runToken?: string | undefined;
  readonly limits: { readonly holdMs: number; readonly holdBytes: number; readonly frameBytes: number };
  readonly signal: AbortSignal;
}

const ATTEMPT_MS = 15_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;

/** Tries for `limits.holdMs`: a client with unsent events waits and is not disconnected. Never rejects. */
export async function openGatewaySocket(parts: SidecarParts, request: SocketRequest): Promise<Opening> {
  const until = performance.now() + request.limits.holdMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const opening = await attemptTwice(parts, request);
    if (request.signal.aborted && opening.ok) opening.socket.terminate();
    if (opening.ok || opening.kind === 'refused' || request.signal.aborted || performance.now() + pauseMs > until) return opening;
    await delay(pauseMs, undefined, { signal: request.signal }).catch(() => undefined);
  }
}

/** A second time with another credential, if the gateway rejected the first. */
async function attemptTwice(parts: SidecarParts, request: SocketRequest): Promise<Opening> {
  if (request.runToken !== undefined) return attempt(parts, request, request.runToken);
  const secret = await parts.refresher.current();
  if (secret === undefined) return AWAY;
  const first = await attempt(parts, request, secret);
  if (first.ok || first.kind === 'away' || first.status !== 401) return first;
  const next = await parts.refresher.replace(secret);
  if (next.kind === 'fresh') return attempt(parts, request, next.secret);
  return next.kind === 'same' ? first : AWAY;
}

const AWAY = { ok: false, kind: 'away' } as const;

type Attempt =
  | (Opening & { readonly ok: true })
  | { readonly ok: false; readonly kind: 'refused'; readonly words: string; readonly status: number }
  | typeof AWAY;

async function attempt({ gateway, transport, trouble }: SidecarParts, request: SocketRequest, secret: string): Promise<Attempt> {
  const { protocol, limits, signal } = request;
  if (signal.aborted) return AWAY;
  const socket = new WebSocket(`${gateway.origin.replace(/^http/, 'ws')}${request.target}`, protocol === '' ? [] : [protocol], {
    headers: { ...request.headers, authorization: `Bearer ${secret}` },
    agent: transport.agentFor(new URL(gateway.origin)),
    perMessageDeflate: false,
    followRedirects: false,
    autoPong: false,
    maxPayload: limits.frameBytes,
    handshakeTimeout: ATTEMPT_MS,
  });
  const inbox = createInbox(socket, limits.holdBytes);
  const first = protocol === '' ? undefined : inbox.first();
  const give = (): void => socket.terminate();
  const timer = setTimeout(give, ATTEMPT_MS);
  signal.addEventListener('abort', give, { once: true });
  try {
    const opened = await opening(socket);
    if (opened !== undefined) return await judge(opened, trouble);
    trouble.back();
    if (first === undefined) return { ok: true, socket, inbox, secret };
    socket.send(renderAuthFrame(null));
    if (isAuthSuccess(await first)) return { ok: true, socket, inbox, secret };
    socket.terminate();
    return AWAY;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', give);
  }
}

/** Undefined when it is open; else the answer that refused the upgrade, or the error. */
function opening(socket: WebSocket): Promise<IncomingMessage | Error | undefined> {
  return new Promise((resolve) => {
    socket.once('open', () => resolve(undefined));
    socket.once('unexpected-response', (_request, response) => resolve(response));
    // The listener stays: an error without one would end the process.
    socket.on('error', (error) => resolve(error));
    socket.once('close', () => resolve(new Error('closed')));
  });
}

const MAX_WORDS_BYTES = 64 * 1024;

/** A 4xx is a refusal. Other answers say that the gateway, or a proxy before it, cannot answer now. */
async function judge(opened: IncomingMessage | Error, trouble: SidecarParts['trouble']): Promise<Attempt> {
  if (opened instanceof Error) {
    trouble.away(failureOf(opened));
    return AWAY;
  }
  const status = opened.statusCode ?? 0;
  const body = await readBounded(opened, MAX_WORDS_BYTES).catch(() => Buffer.alloc(0));
  if (status < 400 || status >= 500 || status === 429) return AWAY;
  return { ok: false, kind: 'refused', words: wordsIn(body) ?? `the gateway answered ${status}`, status };
}

/** Code and hint of the gateway's refusal. */
function wordsIn(body: Buffer): string | undefined {
  const { code, hint = '' } = jsonObjectIn(body);
  if (code === undefined) return undefined;
  return hint === '' ? String(code) : `${code}: ${hint}`;
}
