// The admin socket: the command line of the same user tells the control plane that something changed. Mode 0600.
import { createServer, type Server } from 'node:http';

export interface AdminActions {
  /** Reads the change number, sweeps, re-checks sockets; resolves when the change holds everywhere. */
  sync(): Promise<void>;
}

export function createAdminServer(actions: AdminActions, onError: (error: unknown) => void): Server {
  return createServer((request, response) => {
    request.resume();
    if (request.method !== 'POST' || request.url !== '/sync') {
      response.writeHead(404).end();
      return;
    }
    actions.sync().then(
      () => response.writeHead(204).end(),
      (error: unknown) => {
        onError(error);
        response.writeHead(500).end();
      },
    );
  });
}
