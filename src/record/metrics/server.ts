// The listener for Prometheus: loopback or a unix socket, GET /metrics only.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { isIP } from 'node:net';
import type { MetricsListen } from '../../config/config.ts';
import { isErrno } from '../../contract/errno.ts';
import { LictorError } from '../../contract/error.ts';
import { takenWords } from '../../contract/taken.ts';

export async function listenForScrapes(listen: MetricsListen, scrape: () => Promise<string>): Promise<Server> {
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
  if ('path' in listen) rmSync(listen.path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new LictorError('metrics-listen', whyNot(listen, cause), { cause })));
    server.listen('path' in listen ? { path: listen.path } : { host: listen.host, port: listen.port }, resolve);
  });
  if ('path' in listen) chmodSync(listen.path, 0o660);
  return server;
}

function whyNot(listen: MetricsListen, cause: Error): string {
  if ('port' in listen && isErrno(cause, 'EADDRINUSE')) return takenWords(listen, 'metrics.listen');
  return `metrics.listen cannot be opened: ${'code' in cause ? String(cause.code) : cause.message}.`;
}

function isOwnHost(host: string | undefined): boolean {
  const name = (host ?? '').replace(/:[0-9]+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || isIP(name) !== 0;
}
