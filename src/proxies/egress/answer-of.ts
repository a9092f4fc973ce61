// The result of a call.
import type { ClientRequest, IncomingMessage } from 'node:http';

/** The answer, or why there is none. If node does not accept the answer (101), it emits only the end. */
export function answerOf(call: ClientRequest): Promise<IncomingMessage | Error> {
  return new Promise((resolve) => {
    call.once('response', resolve);
    call.on('error', resolve);
    call.once('close', () => resolve(new Error('the connection was closed')));
  });
}
