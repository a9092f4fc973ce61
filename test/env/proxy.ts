// A small HTTP proxy between a client and a gateway, as balancers are: it passes, drops or rewrites what a test says.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import { listenOnLoopback } from './listen.ts';

export interface ProxyOptions {
  /** `http://localhost:PORT`. */
  readonly to: string;
  /** Request headers that do not pass, lower case. */
  readonly drops?: readonly string[];
  /** Request headers that it sets. */
  readonly adds?: Readonly<Record<string, string>>;
  /** True: Host and Origin that name the proxy name the target instead. */
  readonly standsIn?: boolean;
  /** True: upgrades are passed on as plain requests. */
  readonly stripsUpgrade?: boolean;
  /** True: sockets are cut off behind the answer to the upgrade. */
  readonly endsSockets?: boolean;
  /** Files in PEM: it speaks https. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Response headers that it sets. */
  readonly sets?: Readonly<Record<string, string>>;
  /** Answers by itself; false: passes it on. */
  readonly answers?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

export interface TestProxy {
  readonly url: string;
  close(): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<TestProxy> {
  const open = new Set<Socket>();
  const handle = (incoming: IncomingMessage, response: ServerResponse) => {
    if (options.answers?.(incoming, response) !== true) pass(options, incoming, response);
  };
  const { tls } = options;
  const server = tls === undefined ? createServer(handle) : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, handle);
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  // Without a listener, Node hands upgrades to the plain handler.
  if (options.stripsUpgrade !== true) server.on('upgrade', (incoming, socket) => tunnel(options, incoming, socket as Socket));
  const port = await listenOnLoopback(server);
  return {
    url: `${tls === undefined ? 'http' : 'https'}://localhost:${port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function kept(headers: IncomingHttpHeaders, drops: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !drops.includes(name)));
}

function pass({ to, drops = [], adds, standsIn, stripsUpgrade, sets }: ProxyOptions, incoming: IncomingMessage, response: ServerResponse): void {
  const hop = stripsUpgrade === true ? ['upgrade', 'connection'] : [];
  const onward = request(
    `${to}${incoming.url}`,
    { method: incoming.method, headers: { ...kept(incoming.headers, [...drops, ...hop]), ...(standsIn === true && addressed(incoming, to)), ...adds } },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...sets });
      answer.pipe(response);
    },
  );
  onward.once('error', () => response.writeHead(502, { 'content-type': 'text/html' }).end('<html>bad gateway</html>'));
  incoming.pipe(onward);
}

function addressed({ headers, socket }: IncomingMessage, to: string): IncomingHttpHeaders {
  const own = `localhost:${socket.localPort}`;
  const { host } = new URL(to);
  return Object.fromEntries(['host', 'origin'].flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name]).replace(own, host)]])));
}

/** The upgrade's head is written anew, then bytes pass both ways. */
function tunnel({ to, drops = [], adds, endsSockets }: ProxyOptions, incoming: IncomingMessage, socket: Socket): void {
  const { port } = new URL(to);
  const onward = connect(Number(port), '127.0.0.1', () => {
    const lines = Object.entries({ ...kept(incoming.headers, drops), ...adds }).map(([name, value]) => `${name}: ${String(value)}`);
    onward.write([`GET ${incoming.url} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
    onward.pipe(socket);
    if (endsSockets === true) onward.once('data', (answer: Buffer) => answer.includes(' 101 ') && setImmediate(() => socket.destroy()));
    else socket.pipe(onward);
  });
  onward.once('error', () => socket.destroy());
  socket.once('close', () => onward.destroy());
}
