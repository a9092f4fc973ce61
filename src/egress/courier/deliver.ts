// One call on its way to the server, and its answer back, both as streams.

import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import { COURIER } from '../../contract/names.ts';
import { endToEnd, framing } from '../../sidecar/headers.ts';
import { answerOf } from '../answer-of.ts';
import type { ServiceAgent } from './agent.ts';
import { type Failure, fail } from './refuse.ts';
import type { Cleaning, Shown } from './showing.ts';

export interface Destination {
  readonly service: string;
  readonly origin: URL;
  readonly agent: ServiceAgent;
  /** Until an answer begins, and between two pieces of it. */
  readonly timeoutMs: number;
}

export interface Delivery {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly destination: Destination;
  readonly shown: Extract<Shown, { ok: true }>;
  /** Null: it streams. */
  readonly body: Buffer | null;
  readonly clean: Cleaning | null;
  readonly log: Pick<Logger, 'warn'>;
}

const CONNECT_MS = 1_000;
/** As nginx's buffer. */
const HEAD_BYTES = 32 << 10;

/** Resolves when it is over, however it ended. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { request, response, destination, body } = delivery;
  const call = open(delivery);
  const progress = watch(call, destination.timeoutMs);
  response.once('close', () => {
    if (!response.writableFinished) call.destroy();
  });
  const answered = answerOf(call);
  if (body === null) request.pipe(call);
  else call.end(body);
  try {
    const answer = await answered;
    if (answer instanceof Error) throw answer;
    await passBack(delivery, answer);
  } catch (error) {
    told(delivery, error, progress.failure());
  } finally {
    call.destroy();
    // What nobody has read of a body would stand before the next call on this connection, whosever that is.
    request.unpipe(call).resume();
  }
}

function open({ request, destination: { origin, agent }, shown, body }: Delivery): ClientRequest {
  const headers = { ...shown.headers, ...(body === null && framing(request.headers)) };
  const options = { method: request.method, path: shown.target, headers, agent, setHost: false, maxHeaderSize: HEAD_BYTES };
  return origin.protocol === 'https:' ? httpsRequest(origin, options) : httpRequest(origin, options);
}

/** Before there is a connection, whose certificate verifies, nothing can have been done. */
function watch(call: ClientRequest, timeoutMs: number): { failure(): Failure } {
  const state: { failure: Failure } = { failure: 'unsent' };
  const connecting = setTimeout(() => call.destroy(new Error('no connection in time')), CONNECT_MS);
  call.once('close', () => clearTimeout(connecting));
  call.once('socket', (socket: Socket) => {
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      clearTimeout(connecting);
      state.failure = 'broken';
      socket.setTimeout(timeoutMs, () => {
        state.failure = 'late';
        call.destroy(new Error('no answer in time'));
      });
    });
  });
  return { failure: () => state.failure };
}

/** Nothing that a service answers may stand for them. */
const OWN_WORDS: readonly string[] = [COURIER.code, COURIER.unsent];

async function passBack({ request, response, clean }: Delivery, answer: IncomingMessage): Promise<void> {
  const status = answer.statusCode ?? 0;
  const bodiless = request.method === 'HEAD' || status === 204 || status === 304;
  const through = clean === null || bodiless ? [] : clean.body(answer.headers['content-encoding']);
  if (through === undefined || status < 200) throw new Error('an answer that cannot be read');
  const headers = endToEnd(answer.headers, []);
  const own = Object.entries(clean === null ? headers : clean.headers(answer.headers)).filter(
    ([name]) => !name.startsWith('x-lictor-') && !OWN_WORDS.includes(name),
  );
  response.writeHead(status, Object.fromEntries(own));
  response.flushHeaders();
  await pipeline([answer, ...through, response]);
}

/** Never an address with its query. */
function told({ response, destination: { service, origin }, log }: Delivery, error: unknown, failure: Failure): void {
  // The caller has gone, and the call with it.
  if (response.destroyed && !response.headersSent) return;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  log.warn({ service, server: origin.host, failure, code }, 'a server of a service did not answer as it should');
  fail(response, failure);
}
