// Plain http: one request a connection, sent again to the checked address. Its answer is streamed back.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { admit } from './admit.ts';
import { type ForwardCore, messageOf, recordEnd, type Session } from './core.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { refusalText } from './refuse.ts';
import { readVisit, type Visit } from './visit.ts';

export interface PlainRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client waits for 100 before it sends its body. */
  readonly waits: boolean;
}

export async function answerPlain(core: ForwardCore, plain: PlainRequest): Promise<void> {
  const { request, response } = plain;
  const visit = readVisit(request, core.parts.clock());
  const admitted = await admit(core, visit, request.socket);
  if (!admitted.ok) return refuse(response, admitted.reason, visit);
  const { session, upstream } = admitted;
  // A truncated answer ends with its connection. Otherwise node would wait for its end.
  upstream.allowHalfOpen = false;
  const end: End = { status: CLIENT_GONE };
  let ended = false;
  const finish = (): void => {
    if (ended) return;
    ended = true;
    upstream.destroy();
    core.sessions.delete(session);
    void recordEnd(core, session, { ...end, bytes: upstream.bytesRead + upstream.bytesWritten });
  };
  response.once('close', finish);
  if (request.socket.destroyed) return finish();
  forward(core, { ...plain, session, upstream, end });
}

/** The status of nginx's log: the client left before an answer. */
const CLIENT_GONE = 499;

/** For the record at the end. `reason` if the gateway itself answered. */
interface End {
  status: number;
  reason?: 'host-unreachable';
}

interface Forwarding extends PlainRequest {
  readonly session: Session;
  readonly upstream: Socket;
  readonly end: End;
}

function forward(core: ForwardCore, forwarding: Forwarding): void {
  const { request, response, waits, upstream } = forwarding;
  for (const socket of [request.socket, upstream]) socket.setTimeout(core.limits.idleMs, () => upstream.destroy());
  try {
    const call = callUpstream(core, forwarding);
    call.on('error', (error) => failed(core, forwarding, error));
    // If node does not accept the answer (101), it emits only `close`.
    call.once('close', () => response.headersSent || failed(core, forwarding, new Error('the connection was closed')));
    call.once('response', (answer) => passBack(core, forwarding, answer));
    if (waits) response.writeContinue();
    request.pipe(call);
  } catch (error) {
    failed(core, forwarding, error);
  }
}

function callUpstream(core: ForwardCore, { request, session: { visit }, upstream }: Forwarding): ClientRequest {
  return httpRequest({
    method: request.method,
    path: visit.path,
    headers: requestHeaders(request, visit),
    setHost: false,
    maxHeaderSize: core.limits.headBytes,
    createConnection: () => upstream,
  });
}

function passBack(core: ForwardCore, forwarding: Forwarding, answer: IncomingMessage): void {
  const { response, end } = forwarding;
  try {
    const status = answer.statusCode ?? 0;
    response.writeHead(status, responseHeaders(answer));
    end.status = status;
  } catch (error) {
    failed(core, forwarding, error);
    return;
  }
  pipeline(answer, response, (error) => {
    if (error) response.destroy();
  });
}

function failed(core: ForwardCore, { session: { visit }, upstream, response, end }: Forwarding, error: unknown): void {
  // The exchange has ended already, and its connection with it.
  if (response.destroyed || response.writableFinished) return;
  core.parts.log.warn({ request_id: visit.inputs.requestId, error: messageOf(error) }, 'a host did not answer a plain request');
  if (!response.headersSent) Object.assign(end, { status: 503, reason: 'host-unreachable' });
  upstream.destroy();
  refuse(response, 'host-unreachable', visit);
}

/** A begun answer is cut off: a normal end would mark it as complete. */
function refuse(response: ServerResponse, reason: Parameters<typeof refusalText>[0], visit: Visit): void {
  if (response.headersSent || response.destroyed) return void response.destroy();
  const { status, headers, body } = refusalText(reason, visit.inputs.requestId);
  response.writeHead(status, headers);
  response.end(body);
}
