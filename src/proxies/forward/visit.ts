// One request to the forward proxy as it is decided: its credential and its destination. Ambiguous requests are rejected.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Destination, readAbsolute, readAuthority } from '../../contract/destination.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import { unmapped } from '../../contract/network.ts';

export interface Visit {
  readonly inputs: EdgeInputs;
  readonly destination: Destination;
  /** For a plain request: path and query for the next hop. */
  readonly path: string;
  readonly userAgent: string | null;
  readonly startedMs: number;
}

export function readVisit(request: IncomingMessage, nowMs: number): Visit {
  const method = request.method ?? '';
  const target = request.url ?? '';
  const isTunnel = method === 'CONNECT';
  const { path, ...read } = isTunnel ? { ...readAuthority(target), path: '' } : readAbsolute(target);
  const destination: Destination = isAmbiguous(request, isTunnel) ? { ...read, problem: 'request-invalid' } : read;
  return { inputs: inputsOf(request, nowMs), destination, path, userAgent: request.headers['user-agent'] ?? null, startedMs: nowMs };
}

/** In nginx's form. It begins with the time, since the ledger has an index of the ids. */
export function newRequestId(nowMs: number): string {
  return `${nowMs.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`;
}

/** Deciding headers appear at most once. A body has one framing, and CONNECT has none (RFC 9110 9.3.6). */
function isAmbiguous(request: IncomingMessage, isTunnel: boolean): boolean {
  const names = request.rawHeaders.filter((_text, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const repeated = ['host', 'proxy-authorization', 'content-length', 'transfer-encoding'].some((name) => names.filter((other) => other === name).length > 1);
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers;
  if (isTunnel) return repeated || encoding !== undefined || (length !== undefined && length !== '0');
  return repeated || (encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || length !== undefined));
}

function inputsOf(request: IncomingMessage, nowMs: number): EdgeInputs {
  const repeated = (request.headersDistinct['proxy-authorization'] ?? []).length > 1;
  return {
    requestId: newRequestId(nowMs),
    host: '',
    listener: 'forward-proxy',
    address: unmapped(request.socket.remoteAddress ?? ''),
    // Two are ambiguous.
    authorization: repeated ? '' : (request.headers['proxy-authorization'] ?? ''),
    token: '',
    session: '',
    certificate: '',
    sameOrigin: false,
    method: request.method ?? '',
    operation: '',
    path: '',
    args: '',
  };
}
