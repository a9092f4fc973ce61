// Refusals of the forward proxy: the gateway's JSON, 407 instead of 401, and the end of the connection.
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';

/** RFC 9110 15.5.8: a proxy answers 407 instead of 401. */
export function statusOf(reason: ReasonCode): number {
  const { status } = REASONS[reason];
  return status === 401 ? 407 : status;
}

export interface RefusalText {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function refusalText(reason: ReasonCode, requestId: string): RefusalText {
  const status = statusOf(reason);
  const body = `${JSON.stringify(refusalBody(reason, requestId))}\n`;
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      connection: 'close',
      ...(status === 407 && { 'proxy-authenticate': 'Basic realm="lictor"' }),
      'x-request-id': requestId,
      ...((status === 429 || status === 503) && { 'retry-after': '1' }),
    },
    body,
  };
}

/** On a connection without a `ServerResponse`. Further data of its client is discarded. */
export function refuseOn(socket: Duplex & { destroySoon?: () => void }, reason: ReasonCode, requestId: string, lingerMs: number): void {
  if (socket.destroyed || !socket.writable) return void socket.destroy();
  const { status, headers, body } = refusalText(reason, requestId);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}
