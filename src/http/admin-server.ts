// The admin socket: the command line of the same user tells the control plane that something changed. Mode 0600.
import { createServer, type Server } from 'node:http';

export interface AdminActions {
  /** Reads the change number, sweeps, re-checks sockets; resolves when the change holds everywhere. */
  sync(): Promise<void>;
  /** Applies what is in use with its secrets read again; rejects when that is not possible. */
  rereadSecrets(): Promise<void>;
}

const ACTIONS: Readonly<Record<string, keyof AdminActions>> = { '/sync': 'sync', '/reread-secrets': 'rereadSecrets' };

export function createAdminServer(actions: AdminActions, onError: (error: unknown) => void): Server {
  return createServer((request, response) => {
    request.resume();
    const action = request.method === 'POST' ? ACTIONS[request.url ?? ''] : undefined;
    if (action === undefined) {
      response.writeHead(404).end();
      return;
    }
    actions[action]().then(
      () => response.writeHead(204).end(),
      (error: unknown) => {
        onError(error);
        response.writeHead(500).end();
      },
    );
  });
}
