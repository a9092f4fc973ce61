// A refusal before the upgrade: JSON, as everywhere in the gateway (contract: HTTP).
import { type IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';

const RETRY_AFTER_SECONDS = 5;

/** Answers and closes: a refused request never leaves its connection open. */
export function refuse(response: ServerResponse, code: ReasonCode, requestId: string, detail?: string): void {
  const { status } = REASONS[code];
  const body = JSON.stringify(refusalBody(code, requestId, detail));
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    Connection: 'close',
    'X-Request-Id': requestId,
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer realm="lictor"' }),
    ...(status === 429 && { 'Retry-After': '1' }),
    ...(status === 503 && { 'Retry-After': String(RETRY_AFTER_SECONDS), 'Prefect-Maintenance': 'true' }),
  });
  response.end(body);
}

/** The response to an upgrade request that is refused. */
export function responseOn(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  if (socket instanceof Socket) response.assignSocket(socket);
  response.once('finish', () => socket.end());
  return response;
}
