// Which headers pass the sidecar, and links in answers that would bypass it.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { endToEnd } from '../../contract/end-to-end.ts';

/** The sidecar sets them, or programs must not send them. */
const OWN = ['host', 'authorization', 'x-lictor-token', 'cookie', 'expect'];

/** The client's headers, with the gateway's credential instead of the loopback secret. */
export function requestHeaders(headers: IncomingHttpHeaders, secret: string): OutgoingHttpHeaders {
  return { ...endToEnd(headers, OWN), authorization: `Bearer ${secret}` };
}

/** `moveLink` rewrites `Location`. Programs get no cookie of the gateway. */
export function answerHeaders(headers: IncomingHttpHeaders, moveLink: (link: string) => string): OutgoingHttpHeaders {
  const passed = endToEnd(headers, ['set-cookie']);
  return headers.location === undefined ? passed : { ...passed, location: moveLink(headers.location) };
}

/** Rewrites links to the gateway. A client that followed one would send the loopback secret there instead of a credential. */
export function linkMover(gatewayOrigin: string, ownOrigin: string): (link: string) => string {
  return (link) => (link === gatewayOrigin || link.startsWith(`${gatewayOrigin}/`) ? `${ownOrigin}${link.slice(gatewayOrigin.length)}` : link);
}
