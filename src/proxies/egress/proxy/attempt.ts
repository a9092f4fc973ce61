// One attempt of a call at one server: its answer as a stream, or its failure.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { ServiceAgent } from '../agent.ts';
import { startPatience } from './patience.ts';

/** `unsent`: the server has received nothing. `broken`: it may have acted on the call. `late`: it took too long. */
export type Failure = 'unsent' | 'broken' | 'late';

export interface Attempt {
  readonly method: string;
  readonly origin: URL;
  /** Byte for byte. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  /** A stream is not read before there is a connection. Null: no body. */
  readonly body: Buffer | IncomingMessage | null;
  readonly agent: ServiceAgent;
  /** Until an answer begins, and between two parts of it. */
  readonly timeoutMs: number;
  /** Aborted when the caller leaves. */
  readonly signal: AbortSignal;
  /** True: the caller does not read, so the server is not late. */
  readonly isHeldUp: () => boolean;
}

export type Attempted =
  | {
      readonly ok: true;
      readonly answer: IncomingMessage;
      /** An informational answer came before it. */
      readonly interim: boolean;
      /** Ends the connection unless the whole answer was read. */
      release(): void;
    }
  | {
      readonly ok: false;
      readonly failure: Failure;
      /** It broke on a pooled connection, which the server may have closed before the call. */
      readonly pooled: boolean;
      readonly code: string | undefined;
    };

const CONNECT_MS = 2_000;
/** The size of nginx's buffer. */
const HEAD_BYTES = 32 << 10;

/** Never rejects. */
export async function attempt(parts: Attempt): Promise<Attempted> {
  const call = open(parts);
  const leave = (): void => void call.destroy();
  if (parts.signal.aborted) leave();
  parts.signal.addEventListener('abort', leave, { once: true });
  const state = { interim: false, failure: 'unsent' as Failure };
  call.on('information', () => {
    state.interim = true;
  });
  const connecting = setTimeout(() => call.destroy(new Error('no connection in time')), CONNECT_MS);
  const patience = startPatience(parts, () => {
    state.failure = 'late';
    call.destroy(new Error('no answer in time'));
  });
  const release = (): void => {
    clearTimeout(connecting);
    patience.stop();
    parts.signal.removeEventListener('abort', leave);
    stopBody(parts, call);
    call.destroy();
  };
  const answered = answerOf(call);
  call.once('socket', (socket: Socket) => {
    whenConnected(socket, call.reusedSocket, () => {
      clearTimeout(connecting);
      state.failure = 'broken';
      patience.begin();
      send(parts, call, patience.again);
    });
  });
  const answer = await answered;
  if (answer instanceof Error || !isReadable(answer)) {
    release();
    return { ok: false, failure: state.failure, pooled: call.reusedSocket, code: codeOf(answer) };
  }
  answer.on('data', patience.again).pause();
  answer.once('close', patience.stop);
  return { ok: true, answer, interim: state.interim, release };
}

function open({ method, origin, target, headers, agent, body }: Attempt): ClientRequest {
  const options = { method, path: target, headers, agent, setHost: false, maxHeaderSize: HEAD_BYTES };
  const call = origin.protocol === 'https:' ? httpsRequest(origin, options) : httpRequest(origin, options);
  // Without a body its end is sent with the head.
  if (body === null) call.end();
  return call;
}

/** Over TLS: when the server's certificate is verified. Before that the server cannot have acted. */
function whenConnected(socket: Socket, reused: boolean, then: () => void): void {
  if (reused) then();
  else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', then);
}

function send({ body }: Attempt, call: ClientRequest, again: () => void): void {
  if (body === null) return;
  if (Buffer.isBuffer(body)) return void call.end(body);
  body.on('data', again).pipe(call);
}

function stopBody({ body }: Attempt, call: ClientRequest): void {
  if (body !== null && !Buffer.isBuffer(body)) body.unpipe(call);
}

/** A head with another protocol version, or with an invalid status, is not an answer. */
function isReadable({ httpVersionMajor, statusCode = 0 }: IncomingMessage): boolean {
  return httpVersionMajor === 1 && statusCode >= 200;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The answer, or why there is none. If node does not accept the answer (101), it emits only the end. */
function answerOf(call: ClientRequest): Promise<IncomingMessage | Error> {
  return new Promise((resolve) => {
    call.once('response', resolve);
    call.on('error', resolve);
    call.once('close', () => resolve(new Error('the connection was closed')));
  });
}
