// A WebSocket client for tests: connects, sends and receives frames, and reports the end.
import WebSocket from 'ws';

export interface SocketEnd {
  /** Close code; null when the upgrade itself was refused. */
  readonly code: number | null;
  /** HTTP status of a refused upgrade. */
  readonly status: number | null;
  readonly reason: string;
  /** Text frames that arrived. */
  readonly frames: readonly string[];
}

export interface OpenSocket {
  /** Resolves when it is open, or with false when it never opens. */
  readonly opened: Promise<boolean>;
  readonly ended: Promise<SocketEnd>;
  frames(): readonly string[];
  send(frame: unknown): void;
  close(): void;
}

export interface SocketOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: `prefect`, as stock clients offer. */
  readonly protocols?: readonly string[];
  /** Sent as soon as it is open. */
  readonly first?: unknown;
  /** For certificates that a test has made. */
  readonly trustAnyCertificate?: boolean;
}

/** Opens `path` of a gateway at `url` (`http://...`). */
export function openSocket(
  url: string,
  path: string,
  { headers = {}, protocols = ['prefect'], first, trustAnyCertificate = false }: SocketOptions = {},
): OpenSocket {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}${path}`, [...protocols], { headers, rejectUnauthorized: !trustAnyCertificate });
  const frames: string[] = [];
  let status: number | null = null;
  const opened = new Promise<boolean>((resolve) => {
    socket.once('open', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  socket.on('message', (data) => frames.push(String(data)));
  socket.once('unexpected-response', (request, response) => {
    status = response.statusCode ?? null;
    request.destroy();
    socket.terminate();
  });
  // The close that follows says what is to be said.
  socket.on('error', () => {});
  const ended = new Promise<SocketEnd>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code: status === null ? code : null, status, reason: String(reason), frames }));
  });
  if (first !== undefined) socket.once('open', () => socket.send(JSON.stringify(first)));
  return {
    opened,
    ended,
    frames: () => [...frames],
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    close: () => socket.close(),
  };
}

/** The first frame of a stock client. */
export function authFrame(token: string | null): { readonly type: 'auth'; readonly token: string | null } {
  return { type: 'auth', token };
}
