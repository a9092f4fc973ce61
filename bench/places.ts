// The directory of one bench: separate, and removed afterwards.
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

/** The same upstream as Prefect's, called as a service. */
export const BENCH_SERVICE = 'bench';

/** The sponsor is an account of Lictor. */
export const BENCH_AGENT = { name: 'bench-agent', sponsor: 'alice' };

/** Lictor counts, and never refuses. */
const WIDE_BUDGETS = { calls: '999999/min', runs: '999999/h', concurrent_runs: 999_999, bytes: '999999GB/h' };

export interface GatewaySettings {
  readonly port: number;
  readonly upstreamPort: number;
  readonly authString: string;
  /** Where the upstream answers as a service, which may not be where it answers as Prefect. */
  readonly servicePort?: number;
  /** Further keys of lictor.yaml. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A gateway's directory with its configuration: one person's limit is out of the way, everything else is as it comes. */
export function prepareGateway(root: string, name: string, { port, upstreamPort, authString, servicePort, more = {} }: GatewaySettings): DemoPlaces {
  const places = demoPlaces(join(root, name));
  for (const directory of [places.state, places.log, places.prefectHome]) mkdirSync(directory, { recursive: true });
  writeFileSync(places.authFile, `${authString}\n`, { mode: 0o600 });
  const config = {
    public_url: `http://localhost:${port}`,
    listen: `127.0.0.1:${port}`,
    prefect: { url: `http://127.0.0.1:${upstreamPort}`, auth_string_file: places.authFile },
    identity_providers: [{ id: 'local', type: 'accounts' }],
    ...(servicePort !== undefined && {
      services: [{ name: BENCH_SERVICE, servers: [`http://127.0.0.1:${servicePort}`], allow: [{ methods: ['GET'], paths: ['/v1/*'] }] }],
    }),
    agents: [{ name: BENCH_AGENT.name, sponsor: `user:${BENCH_AGENT.sponsor}@local`, credential: 'token', roles: [{ role: 'agent' }], budgets: WIDE_BUDGETS }],
    limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
    ...more,
  };
  writeFileSync(places.configFile, stringify(config), { mode: 0o600 });
  return places;
}
