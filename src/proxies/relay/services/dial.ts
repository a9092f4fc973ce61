// One handshake with one server of a service. Its answer is parsed strictly and compared with the request. No part of it reaches the client.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServiceAgent } from '../../egress/agent.ts';
import { acceptFor } from './handshake.ts';
import { newKey } from './outgoing.ts';

export interface Dialling {
  readonly origin: URL;
  readonly agent: ServiceAgent;
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  readonly host: string;
  readonly protocols: readonly string[];
  readonly connectMs: number;
  readonly headBytes: number;
  readonly signal: AbortSignal;
}

export type Dialled =
  | { readonly kind: 'open'; readonly socket: Socket; readonly head: Buffer; readonly protocol: string | undefined }
  /** Another answer. `status`: null if it could not be parsed. */
  | { readonly kind: 'refused'; readonly status: number | null }
  /** No connection, or one that broke before an answer. */
  | { readonly kind: 'away'; readonly code: string | undefined };

/** Never rejects; on `signal` it is `away`. */
export function dialService(dialling: Dialling): Promise<Dialled> {
  const key = newKey();
  return new Promise((resolve) => {
    const call = open(dialling, key);
    const give = (): void => void call.destroy();
    const connecting = setTimeout(give, dialling.connectMs);
    const done = (dialled: Dialled): void => {
      clearTimeout(connecting);
      dialling.signal.removeEventListener('abort', give);
      resolve(dialled);
    };
    dialling.signal.addEventListener('abort', give, { once: true });
    call.once('socket', (socket) => socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => clearTimeout(connecting)));
    call.once('upgrade', (answer, socket, head) => done(opened({ answer, socket, head, key, protocols: dialling.protocols })));
    call.once('response', ({ statusCode }) => {
      done({ kind: 'refused', status: statusCode ?? null });
      give();
    });
    call.on('error', (error) => done(failure(error)));
    call.once('close', () => done({ kind: 'away', code: undefined }));
    if (dialling.signal.aborted) give();
    else call.end();
  });
}

function open({ origin, agent, target, headers, host, headBytes }: Dialling, key: string): ClientRequest {
  const options = { method: 'GET', path: target, agent, setHost: false, maxHeaderSize: headBytes, headers: { ...headers, host, 'sec-websocket-key': key } };
  return origin.protocol === 'https:' ? httpsRequest(origin, options) : httpRequest(origin, options);
}

interface Upgraded {
  readonly answer: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly key: string;
  readonly protocols: readonly string[];
}

function opened({ answer, socket, head, key, protocols }: Upgraded): Dialled {
  // The listener stays: the close event that follows is handled.
  socket.on('error', () => socket.destroy());
  if (isNetSocket(socket) && isAnswer(answer, key, protocols)) return { kind: 'open', socket, head, protocol: answer.headers['sec-websocket-protocol'] };
  socket.destroy();
  return { kind: 'refused', status: answer.statusCode ?? null };
}

/** RFC 6455, 4.1, the client's checks. Lictor offers no extension. Node joins a duplicated header, which then matches nothing. */
function isAnswer({ statusCode, headers }: IncomingMessage, key: string, protocols: readonly string[]): boolean {
  const protocol = headers['sec-websocket-protocol'];
  const connection = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return (
    statusCode === 101 &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    connection.includes('upgrade') &&
    headers['sec-websocket-accept'] === acceptFor(key) &&
    headers['sec-websocket-extensions'] === undefined &&
    (protocol === undefined || protocols.includes(protocol))
  );
}

function isNetSocket(socket: Duplex): socket is Socket {
  return 'destroySoon' in socket;
}

/** An answer that node's parser rejects counts as an answer; other errors do not. */
function failure(error: Error): Dialled {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code?.startsWith('HPE_') === true ? { kind: 'refused', status: null } : { kind: 'away', code };
}
