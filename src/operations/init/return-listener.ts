// Where a browser returns to from a test login, before the gateway runs: public_url of this machine, for one answer.
import { once } from 'node:events';
import { createServer } from 'node:http';

export interface ReturnListener {
  /** The parameters of the answer with this `state`. Undefined: nobody returned in time. */
  readonly answer: Promise<URLSearchParams | undefined>;
  close(): void;
}

const WAIT_MS = 300_000;

/** `callback`: plain http on loopback. Undefined: its port is taken, or needs root. */
export async function listenForReturn(callback: URL, state: string): Promise<ReturnListener | undefined> {
  const { promise: answer, resolve } = Promise.withResolvers<URLSearchParams | undefined>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', callback);
    const isAnswer = pathname === callback.pathname && searchParams.get('state') === state;
    response
      .writeHead(isAnswer ? 200 : 404, { 'content-type': 'text/plain', connection: 'close' })
      .end(isAnswer ? 'Return to the terminal.\n' : 'Not found.\n');
    if (isAnswer) resolve(searchParams);
  });
  try {
    server.listen(Number(callback.port || 80), callback.hostname.replace(/^\[|\]$/g, ''));
    await once(server, 'listening');
  } catch {
    return undefined; // The person copies the address instead.
  }
  const timer = setTimeout(() => resolve(undefined), WAIT_MS);
  return {
    answer,
    close() {
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}
