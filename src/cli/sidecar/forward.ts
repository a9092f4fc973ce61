// One request: from the loopback port to the gateway with a fresh credential, and its answer back, both as streams.
import { randomUUID } from 'node:crypto';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { framing } from '../../contract/end-to-end.ts';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';
import { SERVICES_PREFIX } from '../../contract/service-call.ts';
import { failureOf, readBounded } from './ask.ts';
import { answerHeaders, requestHeaders } from './headers.ts';
import { hasPageLink, movePageLink } from './page-links.ts';
import type { SidecarParts } from './parts.ts';

/** A body up to this size is buffered, to be sent again with a fresh credential. A larger one is streamed. */
const KEPT_BODY_BYTES = 1024 * 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** The gateway gives up after 75 s. */
const SILENCE_MS = 120_000;

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The run's own credential replaces the worker's. The gateway decides whether it is valid. */
  readonly runToken?: string | undefined;
}

/** Sends an answer, or rejects if the connection is no longer usable. */
export async function forward(parts: SidecarParts, exchange: Exchange): Promise<void> {
  const { request, response, runToken } = exchange;
  const secret = runToken ?? (await parts.refresher.current());
  if (secret === undefined) return refuse(response, 'sidecar-no-credential', 'wait');
  const body = await readBody(request, runToken === undefined);
  const sent = await send(parts, exchange, { secret, body });
  if (!sent.ok) return refuseUnsent(parts, response, sent);
  if (runToken !== undefined || !isRefusal(parts, request, sent.answer)) return passOn(parts, exchange, sent.answer);
  return sendAgain(parts, exchange, { refused: sent.answer, secret, body });
}

/** The gateway rejected the credential. A 401 of a service is different: nginx removes the header in which the gateway names itself. */
function isRefusal({ gateway }: SidecarParts, { url = '' }: IncomingMessage, { statusCode, headers }: IncomingMessage): boolean {
  const isOfService = url.startsWith(`${gateway.basePath}${SERVICES_PREFIX}`) && headers['www-authenticate'] === undefined;
  return statusCode === 401 && !isOfService;
}

interface Refused extends Sending {
  readonly refused: IncomingMessage;
}

/** The gateway rejected the credential, so nothing was done: repeat the request with another one, if there is one. */
async function sendAgain(parts: SidecarParts, exchange: Exchange, { refused, secret, body }: Refused): Promise<void> {
  const { response } = exchange;
  const words = await readBounded(refused, MAX_REFUSAL_BYTES);
  const next = await parts.refresher.replace(secret);
  if (next.kind === 'same') {
    response.writeHead(401, { ...answerHeaders(refused.headers, parts.moveLink), 'content-length': words.length }).end(words);
    return;
  }
  // A streamed body is gone: the client repeats the request itself.
  if (next.kind === 'away' || body === 'stream') return refuse(response, 'sidecar-no-credential', 'wait');
  const sent = await send(parts, exchange, { secret: next.secret, body });
  if (!sent.ok) return refuseUnsent(parts, response, sent);
  return passOn(parts, exchange, sent.answer);
}

type Body = Buffer | 'stream';

/** A request with a run's token is sent once. Other users of the machine can forge one, so the sidecar buffers nothing for it. */
async function readBody(request: IncomingMessage, maySendAgain: boolean): Promise<Body> {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && Number(length) === 0) return Buffer.alloc(0);
  return maySendAgain && encoding === undefined && Number(length) <= KEPT_BODY_BYTES ? readBounded(request, KEPT_BODY_BYTES) : 'stream';
}

type Sent =
  | { readonly ok: true; readonly answer: IncomingMessage }
  /** `forwarded`: the gateway may have seen it. */
  | { readonly ok: false; readonly forwarded: boolean; readonly why: string };

interface Sending {
  readonly secret: string;
  readonly body: Body;
}

/** The target is passed byte for byte: the gateway decides whether it is canonical. */
function send(parts: SidecarParts, { request, response }: Exchange, { secret, body }: Sending): Promise<Sent> {
  const { gateway, transport } = parts;
  const headers: OutgoingHttpHeaders = {
    ...requestHeaders(request.headers, secret),
    ...framing(request.headers),
    ...(hasPageLink(gateway, request.url) && { 'accept-encoding': 'identity' }),
  };
  const onward = transport.open(new URL(gateway.origin), { method: request.method ?? 'GET', path: request.url ?? '/', headers, timeout: SILENCE_MS });
  response.once('close', () => {
    if (!response.writableFinished) onward.destroy();
  });
  const isForwarded = watchConnection(onward);
  return new Promise((resolve) => {
    onward.once('response', (answer) => resolve({ ok: true, answer }));
    onward.once('timeout', () => onward.destroy(new Error('no answer in time')));
    onward.on('error', (error) => resolve({ ok: false, forwarded: isForwarded(), why: failureOf(error) }));
    // If node does not accept the answer (101), it emits nothing else.
    onward.once('close', () => resolve({ ok: false, forwarded: isForwarded(), why: 'the connection was closed' }));
    if (body === 'stream') {
      // The unread rest of the body would precede the next request on this connection.
      onward.once('close', () => request.unpipe(onward).resume());
      request.pipe(onward);
    } else onward.end(body);
  });
}

/** Before there is a connection, nothing can have been forwarded. */
function watchConnection(onward: ClientRequest): () => boolean {
  let connected = false;
  onward.once('socket', (socket) => {
    connected = !socket.connecting;
    // A reused connection would collect listeners.
    if (connected) return;
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      connected = true;
    });
  });
  return () => connected;
}

async function passOn(parts: SidecarParts, { request, response }: Exchange, answer: IncomingMessage): Promise<void> {
  parts.trouble.back();
  const headers = answerHeaders(answer.headers, parts.moveLink);
  const status = answer.statusCode ?? 502;
  if (status === 200 && hasPageLink(parts.gateway, request.url)) {
    const body = movePageLink(await readBounded(answer, MAX_PAGE_BYTES), parts.moveLink);
    response.writeHead(status, { ...headers, 'content-length': body.length }).end(body);
    return;
  }
  response.writeHead(status, headers);
  await pipeline(answer, response);
}

function refuseUnsent({ trouble }: SidecarParts, response: ServerResponse, { forwarded, why }: Sent & { readonly ok: false }): void {
  if (!forwarded) trouble.away(why);
  refuse(response, 'sidecar-no-gateway', forwarded ? 'count' : 'wait');
}

/** `wait`: nothing was forwarded, and stock clients retry without end. `count`: they retry a few times. */
export function refuse(response: ServerResponse, code: ReasonCode, retry: 'wait' | 'count' | 'never'): void {
  const body = JSON.stringify(refusalBody(code, randomUUID()));
  response.writeHead(REASONS[code].status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(retry !== 'never' && { 'retry-after': '2' }),
    ...(retry === 'wait' && { 'prefect-maintenance': 'true' }),
    // The rest of the body is not read.
    ...(retry === 'never' && { connection: 'close' }),
  });
  response.end(body);
}
