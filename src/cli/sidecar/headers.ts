// Which headers pass the sidecar, and links in answers that would lead round it.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { endToEnd } from '../../contract/end-to-end.ts';

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

/** A link to the gateway becomes one to the sidecar: a client that followed it would show the loopback secret instead of a credential. */
export function linkMover(gatewayOrigin: string, ownOrigin: string): (link: string) => string {
  return (link) => (link === gatewayOrigin || link.startsWith(`${gatewayOrigin}/`) ? `${ownOrigin}${link.slice(gatewayOrigin.length)}` : link);
}
