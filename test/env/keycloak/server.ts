// The one Keycloak of a test run: started when the first test asks for it, out of reach where a test wants it away.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { type Running, start } from '../process.ts';
import { bringKeycloak, type ServerPlace, serverProcess } from './distribution.ts';
import { createForwarder, type Forwarder } from './forwarder.ts';

export interface KeycloakAddress {
  readonly url: string;
  readonly logFile: string;
}

export interface KeycloakServer {
  /** Also after `stop`, at the same address. */
  start(): Promise<KeycloakAddress>;
  /** Nobody reaches it until `start`: a process that ends and starts again costs ten seconds of a core. */
  stop(): Promise<void>;
  /** Ended, and its data removed. */
  close(): Promise<void>;
}

export function createKeycloakServer(onProgress: (line: string) => void): KeycloakServer {
  let begun: Promise<Begun> | undefined;
  return {
    async start() {
      begun ??= begin(onProgress);
      const { place, forwarder, running } = await begun;
      await forwarder.open();
      return { url: `http://127.0.0.1:${place.port}`, logFile: running.logFile };
    },
    stop: async () => void (await (await begun)?.forwarder.close()),
    async close() {
      if (begun === undefined) return;
      const { place, forwarder, running } = await begun;
      await forwarder.close();
      await running.stop({ graceMs: 15_000 });
      rmSync(place.database, { recursive: true, force: true });
    },
  };
}

interface Begun {
  readonly place: ServerPlace;
  readonly forwarder: Forwarder;
  readonly running: Running;
}

async function begin(onProgress: (line: string) => void): Promise<Begun> {
  const { home, seed } = await bringKeycloak(onProgress);
  const database = mkdtempSync(join(tmpdir(), 'lictor-test-keycloak-'));
  cpSync(seed, database, { recursive: true });
  const [port, ownPort, managementPort] = [await freePort(), await freePort(), await freePort()];
  const place = { home, database, port, ownPort, managementPort };
  return { place, forwarder: createForwarder(port, ownPort), running: await start(serverProcess(place)) };
}
