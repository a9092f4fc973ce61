// Does a request come from the gateway's own nginx? The sockets are the worker user's, and other programs may run as that user too.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { EDGE_SECRET } from '../../contract/names.ts';

/** Takes the secret off the headers, so that nothing behind it can forward it. False: destroy the connection, answer nothing. */
export type FromEdge = (request: Pick<IncomingMessage, 'headers'>) => boolean;

export function createFromEdge(secret: string): FromEdge {
  const expected = digest(secret);
  return ({ headers }) => {
    const shown = headers[EDGE_SECRET];
    delete headers[EDGE_SECRET];
    return typeof shown === 'string' && timingSafeEqual(digest(shown), expected);
  };
}

/** Of one length, whatever was shown. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
