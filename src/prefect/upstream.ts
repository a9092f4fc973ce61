// The one client of the upstream Prefect: its credential, its host name, bounded connections, answers and waits.
import { buildConnector, Pool } from 'undici';
import type { Clock } from '../contract/clock.ts';
import { systemClock } from '../contract/clock.ts';
import type { Method } from '../contract/operation.ts';
import { UpstreamError } from './upstream-error.ts';

export interface UpstreamRequest {
  readonly method: Method;
  /** Raw path, as a client wrote it. */
  readonly path: string;
  /** Raw query without the question mark; empty: none. */
  readonly query?: string;
  /** Sent exactly as given, beside Host, X-Forwarded-Proto, Authorization and Accept-Encoding, which are this module's own. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | null;
  readonly signal?: AbortSignal;
}

export interface UpstreamAnswer {
  readonly status: number;
  /** Lower-case names; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** From sending to the last byte of the answer. */
  readonly upstreamMs: number;
}

export interface Upstream {
  /** Throws UpstreamError when there is no whole answer; any answer of Prefect, 500 too, is an answer. */
  request(request: UpstreamRequest): Promise<UpstreamAnswer>;
  /** `Basic ...`, or null when Prefect has no auth string. For the edge's own 0600 include. */
  authorization(): string | null;
  /** The auth string itself: what Prefect wants in a socket's first frame. */
  socketToken(): string | null;
  /** `ws:` or `wss:` URL of a path of Prefect. */
  socketUrl(path: string): string;
  close(): Promise<void>;
}

export interface UpstreamOptions {
  /** Base URL without a trailing slash and without `/api`. */
  readonly url: string;
  /** `user:password`, or null. */
  readonly authString: string | null;
  /** Prefect builds absolute links from these (DESIGN 2.16); null: the upstream's own host, plain. */
  readonly publicUrl: { readonly origin: string; readonly secure: boolean } | null;
  readonly clock?: Clock;
  readonly connections?: number;
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  readonly maxAnswerBytes?: number;
}

const MEBIBYTE = 1024 * 1024;

export function createUpstream(options: UpstreamOptions): Upstream {
  const base = new URL(options.url);
  const authorization = options.authString === null ? null : `Basic ${Buffer.from(options.authString, 'utf8').toString('base64')}`;
  const connectErrors = new WeakSet<Error>();
  const pool = new Pool(base.origin, {
    connect: markedConnector(connectErrors, options.connectTimeoutMs ?? 2000),
    connections: options.connections ?? 64,
    pipelining: 1,
    // uvicorn closes idle connections after 5 s: be earlier, or a request meets a closing socket.
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 4000,
    headersTimeout: options.answerTimeoutMs ?? 60_000,
    bodyTimeout: options.answerTimeoutMs ?? 60_000,
  });
  const sender: Sender = {
    pool,
    clock: options.clock ?? systemClock,
    connectErrors,
    maxAnswerBytes: options.maxAnswerBytes ?? 64 * MEBIBYTE,
    ownHeaders: {
      host: options.publicUrl === null ? base.host : new URL(options.publicUrl.origin).host,
      'x-forwarded-proto': options.publicUrl?.secure === true ? 'https' : 'http',
      'accept-encoding': 'identity',
      ...(authorization !== null && { authorization }),
    },
  };
  return {
    request: (request) => send(sender, request),
    authorization: () => authorization,
    socketToken: () => options.authString,
    socketUrl: (path) => `${base.protocol === 'https:' ? 'wss:' : 'ws:'}//${base.host}${path}`,
    close: () => pool.destroy(),
  };
}

interface Sender {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly connectErrors: WeakSet<Error>;
  readonly maxAnswerBytes: number;
  readonly ownHeaders: Readonly<Record<string, string>>;
}

/** Remembers which errors happened before there was a connection: only then is it certain that nothing was forwarded. */
function markedConnector(connectErrors: WeakSet<Error>, timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout });
  return (connectOptions, callback) =>
    connect(connectOptions, (...result) => {
      const [error] = result;
      if (error !== null) connectErrors.add(error);
      callback(...result);
    });
}

async function send(sender: Sender, request: UpstreamRequest): Promise<UpstreamAnswer> {
  const started = sender.clock();
  try {
    const response = await sender.pool.request({
      method: request.method,
      path: request.query === undefined || request.query === '' ? request.path : `${request.path}?${request.query}`,
      headers: { ...request.headers, ...sender.ownHeaders },
      body: request.body ?? null,
      ...(request.signal !== undefined && { signal: request.signal }),
    });
    const body = await readBounded(response.body, sender.maxAnswerBytes);
    return { status: response.statusCode, headers: flatHeaders(response.headers), body, upstreamMs: sender.clock() - started };
  } catch (error) {
    throw asUpstreamError(error, sender.connectErrors);
  }
}

async function readBounded(stream: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the connection.
    if (size > maxBytes) throw new UpstreamError('upstream-unavailable', { forwarded: true, detail: `the answer is larger than ${maxBytes} bytes` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function flatHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

const TIMEOUT_CODES = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function asUpstreamError(error: unknown, connectErrors: WeakSet<Error>): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (error instanceof Error && connectErrors.has(error)) return new UpstreamError('upstream-unavailable', { forwarded: false, detail: code, cause: error });
  // Anything else may have happened after the first byte left.
  const reason = TIMEOUT_CODES.has(code) ? 'upstream-timeout' : 'upstream-unavailable';
  return new UpstreamError(reason, { forwarded: true, detail: code, cause: error });
}
