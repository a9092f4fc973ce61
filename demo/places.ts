// Where a demo keeps its things: below STATE/demo, made afresh by every demo.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface DemoPlaces {
  /** State directory of the demo's gateway. */
  readonly state: string;
  readonly prefectHome: string;
  readonly workerHome: string;
  readonly log: string;
  readonly configFile: string;
  readonly authFile: string;
  /** Empty at first: the console writes policies there. */
  readonly policies: string;
}

export interface DemoSettings {
  /** Of the gateway, on localhost. */
  readonly port: number;
  readonly prefectPort: number;
  /** `user:password` that Prefect and the gateway share. */
  readonly authString: string;
}

export function demoPlaces(state: string): DemoPlaces {
  return {
    state,
    prefectHome: join(state, 'prefect'),
    workerHome: join(state, 'worker'),
    log: join(state, 'log'),
    configFile: join(state, 'lictor.yaml'),
    authFile: join(state, 'prefect-auth'),
    policies: join(state, 'policies'),
  };
}

/** Throws away what an earlier demo left and writes the configuration of this one. */
export function prepareDemo(places: DemoPlaces, settings: DemoSettings): void {
  for (const name of [
    'prefect',
    'worker',
    'log',
    'policies',
    'edge',
    'lictor.db',
    'lictor.db-wal',
    'lictor.db-shm',
    'ledger.db',
    'ledger.db-wal',
    'ledger.db-shm',
  ]) {
    rmSync(join(places.state, name), { recursive: true, force: true });
  }
  for (const directory of [places.state, places.prefectHome, places.workerHome, places.log, places.policies]) mkdirSync(directory, { recursive: true });
  writeFileSync(places.authFile, `${settings.authString}\n`, { mode: 0o600 });
  const config = {
    public_url: `http://localhost:${settings.port}`,
    listen: `127.0.0.1:${settings.port}`,
    prefect: { url: `http://127.0.0.1:${settings.prefectPort}`, auth_string_file: places.authFile },
    policies: places.policies,
    identity_providers: [{ id: 'local', type: 'accounts' }],
  };
  writeFileSync(places.configFile, `# Written by lictor demo.\n${stringify(config)}`, { mode: 0o600 });
}
