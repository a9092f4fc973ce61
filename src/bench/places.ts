// Where one bench keeps its things: a directory of its own, removed afterwards.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type DemoPlaces, demoPlaces } from '../demo/places.ts';

export interface BenchPlaces {
  readonly root: string;
  remove(): void;
}

/** Beside real state, not in /tmp, which may be memory: the access log and the ledger cost what they cost there. */
export function makeBenchPlaces(stateDir: string): BenchPlaces {
  mkdirSync(stateDir, { recursive: true });
  const root = mkdtempSync(join(stateDir, 'bench-'));
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export interface GatewaySettings {
  readonly port: number;
  readonly upstreamPort: number;
  readonly authString: string;
}

/** A gateway's directory with its configuration: one person's limit is out of the way, everything else is as it comes. */
export function prepareGateway(root: string, name: string, { port, upstreamPort, authString }: GatewaySettings): DemoPlaces {
  const places = demoPlaces(join(root, name));
  for (const directory of [places.state, places.log, places.prefectHome]) mkdirSync(directory, { recursive: true });
  writeFileSync(places.authFile, `${authString}\n`, { mode: 0o600 });
  const config = {
    public_url: `http://localhost:${port}`,
    listen: `127.0.0.1:${port}`,
    prefect: { url: `http://127.0.0.1:${upstreamPort}`, auth_string_file: places.authFile },
    identity_providers: [{ id: 'local', type: 'accounts' }],
    limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
  };
  writeFileSync(places.configFile, stringify(config), { mode: 0o600 });
  return places;
}
