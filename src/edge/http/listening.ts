// Starts and stops a server on a unix socket.
import { chmodSync, chownSync, renameSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Server as SocketServer } from 'node:net';
import { nginxWorkerUser } from '../../config/worker-user.ts';

/** After this time, open streams are closed, so that the ledger can close in order. */
const LAST_ANSWERS_MS = 7_000;

export function closeServer(server: Server): Promise<unknown> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
    server.close((error) => {
      clearTimeout(late);
      resolve(error);
    });
    server.closeIdleConnections();
  });
}

/** A burst of nginx's connections waits in this queue. With Node's default of 511, the system would reject connections. Its limit is 4,096. */
const BACKLOG = 4096;

/**
 * The sockets for nginx belong to its worker user. The admin socket belongs to the user of the gateway. The socket gets its name by renaming: it replaces
 * that of a control plane that still runs in one step, and Node, which removes a socket's first name at its end, does not remove the name of the next one.
 */
export async function listenOn(server: SocketServer, path: string): Promise<void> {
  const first = `${path}.${process.pid}`;
  rmSync(first, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: first, backlog: BACKLOG }, () => resolve());
  });
  chmodSync(first, 0o600);
  const user = nginxWorkerUser();
  if (user !== null && !path.endsWith('admin.sock')) {
    chownSync(first, user.uid, user.gid);
  }
  renameSync(first, path);
}
