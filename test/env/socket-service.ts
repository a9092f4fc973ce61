// A service that speaks WebSocket, and what a handshake by hand is answered with.

import { readFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { SecureOptions } from './service.ts';
import { clientNameOf, KEEP_ALIVE } from './service.ts';

export interface SocketService {
  readonly port: number;
  readonly seen: { readonly target: string; readonly headers: IncomingHttpHeaders; readonly clientName: string | undefined }[];
  /** Open ones, the oldest first. */
  readonly sockets: Set<WebSocket>;
  /** Says hello with its name, then what comes. Replaced by tests. */
  onSocket: (socket: WebSocket) => void;
  /** Instead of a handshake: bytes by hand. */
  answer: ((socket: Socket, request: IncomingMessage) => void) | null;
  /** Of its answers to calls. */
  status: number;
  close(): Promise<void>;
}

export interface SocketServiceOptions {
  readonly name?: string;
  readonly secure?: SecureOptions;
}

export async function startSocketService({ name = 'service', secure }: SocketServiceOptions = {}): Promise<SocketService> {
  const server = secure === undefined ? createServer(KEEP_ALIVE) : createSecureServer({ ...KEEP_ALIVE, ...tlsOf(secure) });
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered].at(-1) ?? false });
  const raw = new Set<Socket>();
  server.on('connection', (socket: Socket) => raw.add(socket.once('close', () => raw.delete(socket))));
  server.on('request', (_request, response) => response.writeHead(service.status).end('{}'));
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => undefined);
    service.seen.push({ target: request.url ?? '', headers: request.headers, clientName: clientNameOf(socket) });
    if (service.answer !== null) return service.answer(socket, request);
    webSockets.handleUpgrade(request, socket, head, (opened) => {
      opened.on('error', () => undefined);
      service.onSocket(opened);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const service: SocketService = {
    port: (server.address() as AddressInfo).port,
    seen: [],
    sockets: webSockets.clients,
    onSocket(socket) {
      socket.send(`hello of ${name}`);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    },
    answer: null,
    status: 200,
    close: () =>
      new Promise((resolve) => {
        for (const socket of raw) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return service;
}

function tlsOf({ chain, key, clientCa }: SecureOptions) {
  const own = { cert: readFileSync(chain), key: readFileSync(key) };
  return clientCa === undefined ? own : { ...own, ca: readFileSync(clientCa), requestCert: true, rejectUnauthorized: true };
}

export interface HandshakeAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** `code` of a refusal. */
  readonly code: string | undefined;
  readonly text: string;
}

export const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
} as const;

/** One handshake as it is said; a socket that opens is closed. */
export function askForSocket(url: string, headers: Readonly<Record<string, string>>, { method = 'GET', body = '' } = {}): Promise<HandshakeAnswer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest(url, { method, headers: { ...UPGRADE, ...headers }, agent: false });
    call.once('error', reject);
    call.once('upgrade', ({ statusCode, headers: answered }, socket) => {
      socket.destroy();
      resolve({ status: statusCode ?? 0, headers: answered, code: undefined, text: '' });
    });
    call.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => {
        call.destroy();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, code: /"code":"([a-z-]+)"/.exec(text)?.[1], text });
      });
    });
    call.end(body);
  });
}
