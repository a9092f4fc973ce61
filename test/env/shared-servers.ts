// Servers that only some test files need and all of them share: they belong to vitest's main process, which starts them when a test asks.

import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { createPrefectHosts } from './commands/prefect-host.ts';
import { createKeycloakServer } from './keycloak/server.ts';
import { listenOnLoopback } from './listen.ts';

export interface SharedServers {
  /** Where the test files' processes ask: `POST /keycloak/start`, `/keycloak/stop`, `/prefect-host` with the path of a venv. */
  readonly url: string;
  stop(): Promise<void>;
}

export async function serveSharedServers(): Promise<SharedServers> {
  const keycloak = createKeycloakServer((line) => void process.stderr.write(`${line}\n`));
  const prefect = createPrefectHosts();
  const actions: Readonly<Record<string, (body: string) => Promise<unknown>>> = {
    '/keycloak/start': keycloak.start,
    '/keycloak/stop': keycloak.stop,
    '/prefect-host': async (venv) => ({ socket: await prefect.socketOf(venv) }),
  };
  // One after the other: two files never start it twice.
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const action = () => actions[request.url ?? '']?.(body);
    last = last.then(action, action);
    last.then(
      (answer) => response.end(JSON.stringify(answer ?? {})),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  server.requestTimeout = 0;
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await last.catch(() => undefined);
      await keycloak.close();
      await prefect.stop();
    },
  };
}
