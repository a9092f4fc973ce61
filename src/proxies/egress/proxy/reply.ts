// The proxy's answers to nginx: an answer of the service, or the refusal that nginx must send.
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SERVICE_PROXY } from '../../../contract/names.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';

/** The result of the cache, for the record. Null: no rule covers the call. */
export type CacheState = 'hit' | 'stale' | 'miss' | 'expired' | 'bypass' | null;

export interface Head {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** Resolves when the answer is forwarded. */
export async function stream(response: ServerResponse, { status, headers }: Head, state: CacheState, body: Readable): Promise<void> {
  response.writeHead(status, { ...headers, ...stateHeader(state) });
  response.flushHeaders();
  await pipeline([body, response]);
}

/** `body` is complete. Null: the answer has none, and its headers say that. */
export function sendWhole(response: ServerResponse, { status, headers }: Head, state: CacheState, body: Buffer | null): void {
  response.writeHead(status, { ...headers, ...(body !== null && { 'content-length': body.length }), ...stateHeader(state) });
  response.end(body ?? undefined);
}

function stateHeader(state: CacheState): OutgoingHttpHeaders {
  return state === null ? {} : { [SERVICE_PROXY.cache]: state };
}

/** nginx's named locations for refusals: JSON for a program, a page for a browser. */
const REFUSALS: Readonly<Partial<Record<ReasonCode, string>>> = {
  'service-unavailable': '@service_failed',
  'service-timeout': '@service_timeout',
  'service-credential-unavailable': '@service_uncredentialed',
  'request-invalid': '@refuse_request',
  'rate-limited': '@limited',
};

/** A begun answer is cut off: a normal end would mark it as complete. */
export function refuse(response: ServerResponse, reason: ReasonCode, state: CacheState = null): void {
  if (response.destroyed || response.writableEnded) return;
  if (response.headersSent) return void response.destroy();
  const location = REFUSALS[reason] ?? REFUSALS['service-unavailable'];
  response.writeHead(503, { [SERVICE_PROXY.refusal]: location, 'content-length': 0, ...stateHeader(state) }).end();
}
