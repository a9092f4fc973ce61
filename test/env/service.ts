// Services that tasks call, other than a recorder: https with a client certificate, streams, one that is slow.
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';

export interface Served {
  readonly port: number;
  close(): Promise<void>;
}

/** Longer than clients use a connection, because closing one fails a call that is on its way. */
export const KEEP_ALIVE = { keepAliveTimeout: 120_000 } as const;

/** Plain, on a free port. */
export function serve(handler: RequestListener): Promise<Served> {
  return listening(createServer(KEEP_ALIVE, handler));
}

export interface SecureOptions {
  readonly chain: string;
  readonly key: string;
  /** Whose certificates clients must show: PEM file. Left out: they show none. */
  readonly clientCa?: string;
}

/** Answers nobody without a certificate of `clientCa`, where there is one. */
export function serveSecurely({ chain, key, clientCa }: SecureOptions, handler: RequestListener): Promise<Served> {
  const own = { cert: readFileSync(chain), key: readFileSync(key) };
  const demanding = clientCa === undefined ? {} : { ca: readFileSync(clientCa), requestCert: true, rejectUnauthorized: true };
  return listening(createSecureServer({ ...KEEP_ALIVE, ...own, ...demanding }, handler));
}

/** The name in the certificate that came with the request; undefined: none. */
export function clientNameOf(socket: unknown): string | undefined {
  return socket instanceof TLSSocket ? String(socket.getPeerCertificate().subject?.CN) : undefined;
}

async function listening(server: ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
