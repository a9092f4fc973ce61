// The one client of the upstream Prefect: its credential, its host name, bounded connections, answers and waits.
import { readFileSync } from 'node:fs';
import { buildConnector, Pool } from 'undici';
import type { Clock } from '../../contract/clock.ts';
import { systemClock } from '../../contract/clock.ts';
import type { Method } from '../../contract/operation.ts';
import { type Credential, credentialsOf, type PrefectPlaces } from './members.ts';
import { UpstreamError } from './upstream-error.ts';

export interface UpstreamRequest {
  readonly method: Method;
  /** Raw path, as the client sent it. */
  readonly path: string;
  /** Raw query without the question mark; empty: none. */
  readonly query?: string;
  /** Sent unchanged, beside Host, X-Forwarded-Proto, Authorization and Accept-Encoding, which this module sets. */
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
  /** Returns any answer of Prefect, also a 500. Throws UpstreamError for an incomplete answer, and for a 401, which is about our credential. */
  request(request: UpstreamRequest): Promise<UpstreamAnswer>;
  /** The address of the socket at the next server, and the token for its first frame. `attempt` counts from 0. */
  socketTarget(path: string, attempt: number): SocketTarget;
  /** PEM of the authorities for `wss:`; null: the system's. */
  socketAuthorities(): string | null;
  close(): Promise<void>;
}

export interface SocketTarget {
  /** `ws:` or `wss:`. */
  readonly url: string;
  readonly token: string | null;
}

export interface UpstreamOptions extends PrefectPlaces {
  /** PEM file of the authorities for https servers; null: the system's. */
  readonly caFile?: string | null;
  /** The servers to try, best first. Default: all in turn. */
  readonly pick?: () => readonly string[];
  /** Prefect builds absolute links from these; null: from the upstream's own host, with http. */
  readonly publicUrl: { readonly origin: string; readonly secure: boolean } | null;
  readonly clock?: Clock;
  readonly connections?: number;
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  readonly maxAnswerBytes?: number;
}

const MEBIBYTE = 1024 * 1024;

export function createUpstream(options: UpstreamOptions): Upstream {
  const ca = options.caFile === undefined || options.caFile === null ? undefined : readFileSync(options.caFile, 'utf8');
  const credentials = credentialsOf(options);
  const senders = new Map(options.servers.map((server) => [server, createSender(options, server, ca)]));
  const inTurn = createTurns(options.pick ?? (() => options.servers));
  const choice: CredentialChoice = { credentials, accepted: 0 };
  return {
    request: (request) => sendToFirst(inTurn(), senders, choice, request),
    socketTarget: (path, attempt) => ({ url: `${(inTurn()[0] ?? '').replace(/^http/, 'ws')}${path}`, token: inOrder(choice, attempt)?.token ?? null }),
    socketAuthorities: () => ca ?? null,
    close: async () => {
      await Promise.all([...senders.values()].map(({ pool }) => pool.destroy()));
    },
  };
}

/** Each call begins with the next server, to spread the load. The others follow as fallbacks. */
function createTurns(pick: () => readonly string[]): () => readonly string[] {
  let turn = 0;
  return () => {
    const servers = pick();
    turn = (turn + 1) % Math.max(servers.length, 1);
    return [...servers.slice(turn), ...servers.slice(0, turn)];
  };
}

/** There are two credentials during a rotation. `accepted`: the index of the one that Prefect accepted last. */
interface CredentialChoice {
  readonly credentials: readonly Credential[];
  accepted: number;
}

/** The credential that Prefect accepted last comes first. */
function inOrder({ credentials, accepted }: CredentialChoice, attempt: number): Credential | undefined {
  return credentials[(accepted + attempt) % credentials.length];
}

/**
 * Skips a server without a connection, which got nothing, and a server that rejects the credential, which did nothing. Any other failure is
 * final.
 */
async function sendToFirst(
  servers: readonly string[],
  senders: ReadonlyMap<string, Sender>,
  choice: CredentialChoice,
  request: UpstreamRequest,
): Promise<UpstreamAnswer> {
  let last: unknown;
  for (const server of servers) {
    const sender = senders.get(server);
    if (sender === undefined) continue;
    try {
      const answer = await sendWithEach(sender, choice, request);
      if (answer !== undefined) return answer;
      last = new UpstreamError('upstream-unavailable', { forwarded: false, refused: true, detail: `${server} refuses the credential` });
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.forwarded) throw error;
      last = error;
    }
  }
  throw last ?? new UpstreamError('upstream-unavailable', { forwarded: false, detail: 'no server' });
}

/** Undefined: the server rejects each credential. */
async function sendWithEach(sender: Sender, choice: CredentialChoice, request: UpstreamRequest): Promise<UpstreamAnswer | undefined> {
  const first = choice.accepted;
  // With two credentials Lictor tries the first one again: Prefect may have changed in between.
  const attempts = choice.credentials.length * 2 - 1;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const index = (first + attempt) % choice.credentials.length;
    const answer = await send(sender, request, choice.credentials[index]);
    if (answer.status === 401) continue;
    choice.accepted = index;
    return answer;
  }
  return undefined;
}

function createSender(options: UpstreamOptions, server: string, ca: string | undefined): Sender {
  const base = new URL(server);
  const connectErrors = new WeakSet<Error>();
  const pool = new Pool(base.origin, {
    connect: markedConnector(connectErrors, options.connectTimeoutMs ?? 2000, ca),
    connections: options.connections ?? 64,
    pipelining: 1,
    // uvicorn closes idle connections after 5 s. Lictor closes them earlier, so that no request arrives at a closing socket.
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 4000,
    headersTimeout: options.answerTimeoutMs ?? 60_000,
    bodyTimeout: options.answerTimeoutMs ?? 60_000,
  });
  return {
    pool,
    clock: options.clock ?? systemClock,
    connectErrors,
    maxAnswerBytes: options.maxAnswerBytes ?? 64 * MEBIBYTE,
    ownHeaders: {
      host: options.publicUrl === null ? base.host : new URL(options.publicUrl.origin).host,
      'x-forwarded-proto': options.publicUrl?.secure === true ? 'https' : 'http',
      'accept-encoding': 'identity',
    },
  };
}

interface Sender {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly connectErrors: WeakSet<Error>;
  readonly maxAnswerBytes: number;
  readonly ownHeaders: Readonly<Record<string, string>>;
}

/** Marks errors before a connection existed: only then is it certain that Lictor forwarded nothing. */
function markedConnector(connectErrors: WeakSet<Error>, timeout: number, ca: string | undefined): buildConnector.connector {
  const connect = buildConnector({ timeout, ...(ca !== undefined && { ca }) });
  return (connectOptions, callback) =>
    connect(connectOptions, (...result) => {
      const [error] = result;
      if (error !== null) connectErrors.add(error);
      callback(...result);
    });
}

async function send(sender: Sender, request: UpstreamRequest, credential: Credential | undefined): Promise<UpstreamAnswer> {
  const started = sender.clock();
  const authorization = credential?.authorization ?? null;
  try {
    const response = await sender.pool.request({
      method: request.method,
      path: request.query === undefined || request.query === '' ? request.path : `${request.path}?${request.query}`,
      headers: { ...request.headers, ...sender.ownHeaders, ...(authorization !== null && { authorization }) },
      body: request.body ?? null,
      ...(request.signal !== undefined && { signal: request.signal }),
    });
    const body = await readBounded(response.body, sender.maxAnswerBytes);
    return { status: response.statusCode, headers: flatHeaders(response.headers), body, upstreamMs: Math.max(0, sender.clock() - started) };
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

const BROKEN_CODES = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
const TIMEOUT_CODES = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

function asUpstreamError(error: unknown, connectErrors: WeakSet<Error>): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  if (error instanceof Error && connectErrors.has(error)) return new UpstreamError('upstream-unavailable', { forwarded: false, detail: code, cause: error });
  // Every other error may have happened after the first byte.
  const reason = TIMEOUT_CODES.has(code) ? 'upstream-timeout' : 'upstream-unavailable';
  return new UpstreamError(reason, { forwarded: true, broken: BROKEN_CODES.has(code), detail: code, cause: error });
}
