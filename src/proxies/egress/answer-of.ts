// What came of a call.
import type { ClientRequest, IncomingMessage } from 'node:http';

/** The answer, or why there is none. Of an answer that it does not take (101) node tells nothing else than the end. */
export function answerOf(call: ClientRequest): Promise<IncomingMessage | Error> {
  return new Promise((resolve) => {
    call.once('response', resolve);
    call.on('error', resolve);
    call.once('close', () => resolve(new Error('the connection was closed')));
  });
}
