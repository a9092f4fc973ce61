// Headers of a plain request and its answer for the next hop: no hop-by-hop headers, no credential of the gateway, one Host, one framing.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { looksLikeRunToken } from '../../contract/run-token.ts';
import { parseAuthorization } from '../../identity/authn/carriers.ts';
import { claimsToBeToken } from '../../identity/authn/service-token/token-text.ts';
import type { Visit } from './visit.ts';

/** RFC 9110 7.6.1, and headers between a client and a proxy. */
const THIS_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'proxy-authentication-info'],
]);

/** Set below, or answered here. */
const ANEW: ReadonlySet<string> = new Set(['host', 'content-length', 'expect']);

export function requestHeaders(request: IncomingMessage, { destination }: Visit): OutgoingHttpHeaders {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  const forwarded = passedOn(request).filter(([name, value]) => !ANEW.has(name) && !(name === 'authorization' && isOwn(value, request)));
  return {
    ...grouped(forwarded),
    // RFC 9112 3.2.2: the target counts, not the client's Host.
    host: destination.host,
    connection: 'close',
    ...(length !== undefined && { 'content-length': length }),
    // Node would send the body of a GET without framing.
    ...(encoding !== undefined && { 'transfer-encoding': 'chunked' }),
  };
}

export function responseHeaders(response: IncomingMessage): OutgoingHttpHeaders {
  return { ...grouped(passedOn(response)), connection: 'close' };
}

/** Lower-case names. */
function passedOn(message: IncomingMessage): readonly (readonly [string, string])[] {
  const nominated = new Set((message.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const pairs = message.rawHeaders.flatMap((text, index, all) => (index % 2 === 0 ? [[text.toLowerCase(), all[index + 1] ?? ''] as const] : []));
  return pairs.filter(([name]) => !THIS_HOP.has(name) && !name.startsWith('x-lictor-') && (name === 'content-length' || !nominated.has(name)));
}

/** A client that sends its token to every server must not reveal it to this one. */
function isOwn(value: string, request: IncomingMessage): boolean {
  const { token } = parseAuthorization(value);
  if (token === null) return false;
  const proxyToken = parseAuthorization(request.headers['proxy-authorization'] ?? '').token;
  return token === proxyToken || looksLikeRunToken(token) || claimsToBeToken(token);
}

function grouped(pairs: readonly (readonly [string, string])[]): OutgoingHttpHeaders {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries(values);
}
