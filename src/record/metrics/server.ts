// The listener for Prometheus: loopback or a unix socket, GET /metrics only.
import { once } from 'node:events';
import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { isIP } from 'node:net';
import type { MetricsListen } from '../../config/config.ts';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { listenOnPort } from '../../contract/pass-port.ts';
import { takenWords } from '../../contract/taken.ts';

export async function listenForScrapes(listen: MetricsListen, isPassed: boolean, scrape: () => Promise<string>): Promise<Server> {
  const server = createServer((request, response) => {
    // A page in a local browser could reach loopback under another host name (DNS rebinding).
    if ('port' in listen && !isOwnHost(request.headers.host)) return void response.writeHead(421).end();
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
    scrape().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' }).end(text),
      () => response.writeHead(503).end(),
    );
  });
  server.maxConnections = 16;
  const opened = 'path' in listen ? listenOnPath(server, listen.path) : listenOnPort(server, listen, isPassed);
  await opened.catch((cause: unknown) => {
    if (cause instanceof LictorError || !(cause instanceof Error)) throw cause;
    throw new LictorError('metrics-listen', whyNot(listen, cause), { cause });
  });
  return server;
}

/** A control plane that this one replaces has the name until this one takes it. */
async function listenOnPath(server: Server, path: string): Promise<void> {
  const first = `${path}.${process.pid}`;
  rmSync(first, { force: true });
  const listening = once(server, 'listening');
  server.listen({ path: first });
  await listening;
  chmodSync(first, 0o660);
  renameSync(first, path);
  const { ino } = statSync(path);
  server.once('close', () => {
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true });
  });
}

function whyNot(listen: MetricsListen, cause: Error): string {
  if ('port' in listen && isErrno(cause, 'EADDRINUSE')) return takenWords(listen, 'metrics.listen');
  return `metrics.listen cannot be opened: ${'code' in cause ? String(cause.code) : cause.message}.`;
}

function isOwnHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:[0-9]+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0;
}
