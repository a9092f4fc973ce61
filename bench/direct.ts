// The direct path: requests per second and latency under full load, the gateway beside what it is compared with.
import { join } from 'node:path';
import type { Progress } from '../demo/progress.ts';
import type { Environment } from '../src/config/load.ts';
import { ledgerCaughtUp } from './catch-up.ts';
import type { BenchGateway } from './gateway.ts';
import { type Decisions, type NginxParts, renderBare, renderOauth2, renderUncached, startNginx } from './nginx.ts';
import { ratios, type Spread, spread } from './numbers.ts';
import { findOauth2Proxy, startOauth2Proxy } from './oauth2-proxy.ts';
import { BENCH_SERVICE } from './places.ts';
import type { DirectRow } from './result.ts';
import { type Contender, interleaved } from './rounds.ts';
import { type Load, type Measured, wrk } from './wrk.ts';

export const CONNECTIONS = 32;
const MANY = 500;

export interface DirectParts {
  readonly nginx: NginxParts;
  readonly gateway: BenchGateway;
  readonly upstreamPort: number;
  readonly decisions: Decisions;
  readonly env: Environment;
  readonly seconds: number;
  readonly rounds: number;
  readonly progress: Progress;
}

/** A row before it is measured: `load` is null where the program is not here. */
interface Entry {
  readonly name: string;
  readonly load: Load | null;
  /** The row of bare nginx to divide by. */
  readonly base: string;
  /** The ledger reads its lines on after the load. */
  readonly recorded?: boolean;
}

export interface Direct {
  readonly rows: readonly DirectRow[];
  /** Seconds until the ledger had every line of a row of the gateway. */
  readonly ledgerSeconds: Spread;
}

const BARE = 'bare nginx';
const BARE_MANY = `bare nginx, ${MANY} objects`;
const LOGGING = 'bare nginx with its stock access log';
const OAUTH2 = 'nginx + auth_request to oauth2-proxy';
export const LICTOR = 'Lictor, everything on';
export const SERVICE = 'Lictor, a call of a service, everything on';

export async function measureDirect(parts: DirectParts): Promise<Direct> {
  const entries = await startAll(parts);
  const waits: number[] = [];
  const settle = async (): Promise<void> => {
    const startedMs = performance.now();
    await ledgerCaughtUp(parts.gateway.places.state);
    waits.push((performance.now() - startedMs) / 1000);
  };
  const contenders = entries.flatMap(({ name, load, recorded }): Contender<Measured>[] =>
    load === null ? [] : [{ name, measure: () => wrk(load, parts.seconds), ...(recorded ? { settle } : {}) }],
  );
  await parts.progress.step(
    'Warming up',
    async (update) => {
      for (const { name, load } of entries) {
        update(name);
        if (load !== null) await wrk(load, 1);
      }
      await ledgerCaughtUp(parts.gateway.places.state);
    },
    () => 'Warm',
  );
  const measured = await interleaved(contenders, parts.rounds, parts.progress, 'The direct path');
  return { rows: entries.map((entry) => rowOf(entry, measured)), ledgerSeconds: spread(waits) };
}

async function startAll(parts: DirectParts): Promise<readonly Entry[]> {
  const { nginx, gateway, upstreamPort, decisions } = parts;
  const bare = await startNginx(nginx, 'bare', (port) => renderBare(port, upstreamPort));
  const logging = await startNginx(nginx, 'logging', (port) => renderBare(port, upstreamPort, join(nginx.root, 'nginx-logging', 'access.log')));
  const uncached = await startNginx(nginx, 'uncached', (port) => renderUncached(port, upstreamPort, decisions));
  const withToken = { authorization: `Bearer ${gateway.token}` };
  const load = (port: number, objects: number, more: Readonly<Record<string, string>> = {}): Load => ({
    url: `http://127.0.0.1:${port}`,
    method: 'GET',
    path: '/api/flow_runs/{id}',
    objects,
    headers: { ...clientHeaders(gateway), ...more },
    connections: CONNECTIONS,
  });
  return [
    { name: BARE, load: load(bare, 1), base: BARE },
    { name: LICTOR, load: load(gateway.port, 1, withToken), base: BARE, recorded: true },
    { name: BARE_MANY, load: load(bare, MANY), base: BARE_MANY },
    { name: `${LICTOR}, ${MANY} objects`, load: load(gateway.port, MANY, withToken), base: BARE_MANY, recorded: true },
    { name: LOGGING, load: load(logging, 1), base: BARE },
    {
      name: SERVICE,
      load: { ...load(gateway.port, 1, { authorization: `Bearer ${gateway.callerToken}` }), path: `/.lictor/svc/${BENCH_SERVICE}/v1/rates` },
      base: BARE,
      recorded: true,
    },
    { name: 'nginx + auth_request to the same decision, not cached, nothing else', load: load(uncached, 1, withToken), base: BARE },
    { name: OAUTH2, load: await oauth2Load(parts, load), base: BARE },
  ];
}

async function oauth2Load(
  { env, nginx, upstreamPort }: DirectParts,
  load: (port: number, objects: number, more: Record<string, string>) => Load,
): Promise<Load | null> {
  const binary = findOauth2Proxy(env);
  if (binary === undefined) return null;
  const oauth2 = await startOauth2Proxy(binary, nginx.root, nginx.running);
  const port = await startNginx(nginx, 'oauth2', (own) => renderOauth2(own, upstreamPort, oauth2.port));
  return load(port, 1, { cookie: oauth2.cookie });
}

/** What Prefect's client sends, to everybody alike. */
export function clientHeaders({ port }: Pick<BenchGateway, 'port'>): Record<string, string> {
  return {
    Host: `localhost:${port}`,
    accept: '*/*',
    'accept-encoding': 'gzip, deflate, br',
    'user-agent': 'prefect/3.9.1 (API 0.8.4)',
    'x-prefect-api-version': '0.8.4',
  };
}

function rowOf({ name, load, base }: Entry, measured: ReadonlyMap<string, readonly Measured[]>): DirectRow {
  if (load === null) return { name, measured: null };
  const of = (row: string, what: keyof Measured): readonly number[] => (measured.get(row) ?? []).map((one) => one[what]);
  return {
    name,
    measured: {
      perSecond: spread(of(name, 'perSecond')),
      p50Ms: spread(of(name, 'p50Ms')),
      p99Ms: spread(of(name, 'p99Ms')),
      ofBare: ratios(of(name, 'perSecond'), of(base, 'perSecond')),
      p99OfBare: ratios(of(name, 'p99Ms'), of(base, 'p99Ms')),
      ofLogging: ratios(of(name, 'perSecond'), of(LOGGING, 'perSecond')),
      p99OfLogging: ratios(of(name, 'p99Ms'), of(LOGGING, 'p99Ms')),
      ofOauth2: measured.has(OAUTH2) ? ratios(of(name, 'perSecond'), of(OAUTH2, 'perSecond')) : null,
    },
  };
}
