// The decision endpoint: nginx's auth subrequest on a unix socket. In trouble it destroys the socket, so that a stale allow may serve.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Answerer } from '../../authorization/decide/answer.ts';
import type { FromEdge } from '../../authorization/decide/from-edge.ts';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';

/** A 5xx answer would not be covered by `stale-if-error`; a destroyed socket is. `onError` is for the log. */
export function createDecisionServer(answerer: Answerer, fromEdge: FromEdge, onError: (error: unknown) => void): Server {
  const server = createServer({ maxHeaderSize: 256 * 1024, keepAliveTimeout: 120_000 }, (request, response) => {
    if (!fromEdge(request)) {
      request.socket.destroy();
      return;
    }
    answer(answerer, request, response).catch((error: unknown) => {
      onError(error);
      request.socket.destroy();
    });
  });
  return server;
}

async function answer(answerer: Answerer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers } = await answerer.answer(parseEdgeInputs(request.headers));
  // nginx keeps and reads these with every cached answer: only what it needs.
  response.sendDate = false;
  response.removeHeader('connection');
  response.writeHead(status, { ...headers, 'content-length': '0' });
  response.end();
}
