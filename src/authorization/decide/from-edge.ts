// Checks that a request comes from Lictor's own nginx: other programs may run as nginx's worker user, which owns the sockets.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { EDGE_SECRET } from '../../contract/names.ts';

/** Removes the secret from the headers, so that Lictor cannot forward it. False: destroy the connection without an answer. */
export type FromEdge = (request: Pick<IncomingMessage, 'headers'>) => boolean;

export function createFromEdge(secret: string): FromEdge {
  const expected = digest(secret);
  return ({ headers }) => {
    const secret = headers[EDGE_SECRET];
    delete headers[EDGE_SECRET];
    return typeof secret === 'string' && timingSafeEqual(digest(secret), expected);
  };
}

/** Digests have one length, as `timingSafeEqual` requires. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
