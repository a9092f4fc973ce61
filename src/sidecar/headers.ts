// Which headers pass the sidecar, and links in answers that would lead round it.
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

/** Set by the sidecar, or no business of a program's. */
const OWN = ['host', 'authorization', 'x-lictor-token', 'cookie', 'expect'];

/** The client's, with the gateway's credential instead of the loopback secret. */
export function requestHeaders(headers: IncomingHttpHeaders, secret: string): OutgoingHttpHeaders {
  return { ...endToEnd(headers, OWN), authorization: `Bearer ${secret}` };
}

/** `moveLink` is asked for the address in `Location`. No cookie of the gateway's is kept by a program. */
export function answerHeaders(headers: IncomingHttpHeaders, moveLink: (link: string) => string): OutgoingHttpHeaders {
  const passed = endToEnd(headers, ['set-cookie']);
  return headers.location === undefined ? passed : { ...passed, location: moveLink(headers.location) };
}

/**
 * How a body ends, said for a call that goes on as `headers` came, whatever its method and whatever `Connection` names: node sends the body of a GET or
 * DELETE that says nothing of it as it is, and whoever reads the connection takes it for another request.
 */
export function framing({ 'content-length': length, 'transfer-encoding': encoding }: IncomingHttpHeaders): OutgoingHttpHeaders {
  if (encoding !== undefined) return { 'transfer-encoding': 'chunked' };
  return length === undefined ? {} : { 'content-length': length };
}

/** Without what belongs to one connection, and without `dropped`. */
export function endToEnd(headers: IncomingHttpHeaders, dropped: readonly string[]): OutgoingHttpHeaders {
  const named = (headers.connection ?? '').toLowerCase().split(',');
  const gone = new Set([...HOP_BY_HOP, ...dropped, ...named.map((name) => name.trim())]);
  return Object.fromEntries(Object.entries(headers).filter(([name, value]) => value !== undefined && !gone.has(name)));
}

/** A link to the gateway becomes one to the sidecar: a client that followed it would show the loopback secret instead of a credential. */
export function linkMover(gatewayOrigin: string, ownOrigin: string): (link: string) => string {
  return (link) => (link === gatewayOrigin || link.startsWith(`${gatewayOrigin}/`) ? `${ownOrigin}${link.slice(gatewayOrigin.length)}` : link);
}
