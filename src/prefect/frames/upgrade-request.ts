// Prefect's sub-protocol in an upgrade request, and the headers of such a request that pass a proxy.
import type { IncomingHttpHeaders } from 'node:http';

export function offersPrefect({ 'sec-websocket-protocol': offered = '' }: IncomingHttpHeaders): boolean {
  return offered.split(',').some((name) => name.trim() === 'prefect');
}

/** The version of Prefect's client, and the trace. */
const FORWARDED = ['user-agent', 'traceparent', 'tracestate'] as const;

export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(FORWARDED.flatMap((name) => (typeof headers[name] === 'string' ? [[name, headers[name]]] : [])));
}
