// Listens on a unix socket of the supervisor, which only this user can use.
import { once } from 'node:events';
import { chmodSync, renameSync } from 'node:fs';
import type { Server } from 'node:net';

const BACKLOG = 1024;

/** As the control plane's sockets (src/edge/http/listening.ts): the next supervisor has the name already when this one closes. */
export async function listenUnder(path: string, server: Server, prepare: (path: string) => void = () => undefined): Promise<void> {
  const first = `${path}.${process.pid}`;
  server.listen({ path: first, backlog: BACKLOG });
  await once(server, 'listening');
  chmodSync(first, 0o600);
  prepare(first);
  renameSync(first, path);
}
