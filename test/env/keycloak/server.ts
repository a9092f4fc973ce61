// The one Keycloak of a test run: started when the first test asks for it, stopped and started again where a test wants it away.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { type Running, start } from '../process.ts';
import { bringKeycloak, serverProcess } from './distribution.ts';

export interface KeycloakAddress {
  readonly url: string;
  readonly logFile: string;
}

export interface KeycloakServer {
  /** Also after `stop`, on the same port with the same data. */
  start(): Promise<KeycloakAddress>;
  stop(): Promise<void>;
  /** Stopped, and its data removed. */
  close(): Promise<void>;
}

export function createKeycloakServer(onProgress: (line: string) => void): KeycloakServer {
  let place: Promise<Place> | undefined;
  let running: Running | undefined;
  const stop = async (): Promise<void> => {
    await running?.stop({ graceMs: 15_000 });
    running = undefined;
  };
  return {
    async start() {
      place ??= prepare(onProgress);
      const where = await place;
      running ??= await start(serverProcess(where));
      return { url: `http://127.0.0.1:${where.port}`, logFile: running.logFile };
    },
    stop,
    async close() {
      await stop();
      if (place !== undefined) rmSync((await place).database, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly home: string;
  readonly database: string;
  readonly port: number;
  readonly managementPort: number;
}

async function prepare(onProgress: (line: string) => void): Promise<Place> {
  const { home, seed } = await bringKeycloak(onProgress);
  const database = mkdtempSync(join(tmpdir(), 'lictor-test-keycloak-'));
  cpSync(seed, database, { recursive: true });
  return { home, database, port: await freePort(), managementPort: await freePort() };
}
