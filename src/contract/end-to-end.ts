// Which headers of a message go on to the next connection, and how its body ends there.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

/** RFC 9110, 7.6.1: of one connection alone. */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** Without what belongs to one connection, and without `dropped`. */
export function endToEnd(headers: IncomingHttpHeaders, dropped: readonly string[]): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(',');
  const gone = new Set([...HOP_BY_HOP, ...dropped, ...named.map((name) => name.trim())]);
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => value !== undefined && !gone.has(name)));
}

/**
 * The header that says how a body ends, for a call that is forwarded with `headers`, whatever its method and `Connection` header. Without it node
 * sends the body of a GET or DELETE without framing, and the server reads the body as another request.
 */
export function framing({ 'content-length': length, 'transfer-encoding': encoding }: IncomingHttpHeaders): OutgoingHttpHeaders {
  if (encoding !== undefined) return { 'transfer-encoding': 'chunked' };
  return length === undefined ? {} : { 'content-length': length };
}
