// The decision endpoint for nginx's auth subrequest, on a unix socket. After an error it closes the connection, so that nginx may use a stale allow.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Answerer } from '../../authorization/decide/answer.ts';
import type { FromEdge } from '../../authorization/decide/from-edge.ts';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';

/** `stale-if-error` covers a closed connection, but not a 5xx answer. `onError` is for the log. */
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
  // nginx stores and reads the headers with every cached answer, so send only the necessary ones.
  response.sendDate = false;
  response.removeHeader('connection');
  response.writeHead(status, { ...headers, 'content-length': '0' });
  response.end();
}
