// Workers on a cluster, from its start to the loss of a node: what is measured, in the order of its phases.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import { systemClock } from '../../../src/contract/clock.ts';
import { createServiceToken } from '../../../src/identity/manage/service-tokens.ts';
import { processInfo } from '../../../src/operations/supervise/processes/process-table.ts';
import { openStore } from '../../../src/store/store.ts';
import { descendantsOf, waitFor } from '../../env/process.ts';
import { type Cluster, startCluster } from '../../env/several/cluster.ts';
import type { Postgres } from '../../env/several/postgres.ts';
import { noteSecret } from '../../env/stored-secrets.ts';
import { type Sample, slope } from '../process-watch.ts';
import { collectorOf, INSPECTABLE, type Kept } from './collector.ts';
import { type Counts, type Fleet, startFleet } from './fleet.ts';
import type { Load, Measured } from './paper.ts';
import { cpuMs, type NodeUse, type Part, type Use, useOf } from './usage.ts';
import type { WorkerPlace } from './worker.ts';

export interface Steady {
  readonly counts: Counts;
  readonly measured: Measured;
  /** MiB a minute of each control plane, without garbage, from `fromMinutes` on. */
  readonly slopes: readonly number[];
  readonly kept: readonly (readonly KeptSample[])[];
  /** The most records that one node had and the other lacked. */
  readonly mostBehind: number;
}

export type KeptSample = Kept & { readonly minutes: number };

export const NAMES = ['one', 'two'] as const;

export interface Scene {
  readonly cluster: Cluster;
  readonly postgres: Postgres;
  readonly places: readonly WorkerPlace[];
  /** Of the pids at the start. */
  readonly supervisors: readonly number[];
}

export interface SceneOptions {
  readonly upstream: { readonly urls: readonly string[]; readonly authString: string };
  readonly postgres: Postgres;
  readonly workers: number;
  readonly pools: number;
}

/** Every worker has its own token and its own address. The store gets the tokens at once: the command line would need minutes for them. */
export async function openScene({ upstream, postgres, workers, pools }: SceneOptions): Promise<Scene> {
  const cluster = await startCluster({ upstream, store: `postgres://${postgres.address}`, names: NAMES, only: () => ({ env: INSPECTABLE }) });
  const store = await openStore({ at: { url: `postgres://${postgres.address}`, passwordFile: null }, clock: systemClock });
  const rights = { roles: ['worker'], scope: null, cidrs: [], lifetimeMs: null } as const;
  const config = { agents: [], roles: [] };
  const record = (): Promise<void> => Promise.resolve();
  const place = async (index: number): Promise<WorkerPlace> => {
    const name = `worker-${index}`;
    const secret = await createServiceToken({ store, config, clock: systemClock, record }, { ...rights, name });
    noteSecret(secret);
    const headers = { authorization: `Bearer ${secret}`, 'user-agent': 'prefect/3.9.1 (API 0.8.4)', 'x-prefect-api-version': '0.8.4' };
    return { url: cluster.url, pool: `pool-${index % pools}`, name, headers, frameToken: null, localAddress: addressOf(index) };
  };
  const places: WorkerPlace[] = [];
  // Few at once: the nodes use the same Postgres.
  while (places.length < workers) places.push(...(await Promise.all(range(places.length, Math.min(workers, places.length + 4)).map(place))));
  await store.close();
  return { cluster, postgres, places, supervisors: cluster.nodes.map((node) => node.pids().supervisor) };
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function addressOf(index: number): string {
  return `127.1.${Math.floor(index / 250)}.${(index % 250) + 1}`;
}

/** Without workers, for `seconds`. */
export async function measureIdle({ supervisors }: Scene, seconds: number): Promise<Measured['idle']> {
  const before = supervisors.map(useOf);
  const startedMs = performance.now();
  await elapsed(startedMs, seconds);
  return loadOf(before, supervisors.map(useOf), (performance.now() - startedMs) / 1000);
}

export function startWorkers({ places }: Scene, perSecond: number): Fleet {
  return startFleet(places, perSecond);
}

export interface SteadyOptions {
  readonly seconds: number;
  /** From which minute on memory must not grow. */
  readonly fromMinutes: number;
  readonly idle: Measured['idle'];
}

/** Everything that `seconds` of all workers cost. */
export async function measureSteady(scene: Scene, fleet: Fleet, { seconds, fromMinutes, idle }: SteadyOptions): Promise<Steady> {
  const { supervisors, cluster, postgres } = scene;
  await using database = await observe(postgres);
  fleet.reset();
  const startedMs = performance.now();
  const before = { nodes: supervisors.map(useOf), postgres: database.cpuMs(), records: recordsOf(cluster) };
  const collectors = await Promise.all(cluster.nodes.map(collectorOf));
  const kept = collectors.map((): KeptSample[] => []);
  let [mostBehind, connections, collections, uses] = [0, 0, 0, before.nodes];
  const look = async (): Promise<boolean> => {
    const minutes = (performance.now() - startedMs) / 60_000;
    uses = supervisors.map(useOf);
    if (minutes >= fromMinutes + collections / 2) {
      collections += 1;
      for (const [index, collector] of collectors.entries()) kept[index]?.push({ minutes, ...(await collector.collect()) });
    }
    mostBehind = Math.max(mostBehind, behindOf(cluster));
    connections = Math.max(connections, await database.connections());
    return minutes * 60 >= seconds;
  };
  await waitFor(look, { what: `${seconds} seconds`, timeoutMs: (seconds + 60) * 1000, everyMs: 5000 });
  const took = (performance.now() - startedMs) / 1000;
  const measured: Measured = {
    workers: scene.places.length,
    nodes: supervisors.length,
    idle,
    busy: loadOf(before.nodes, uses, took),
    postgres: { cpu: (database.cpuMs() - before.postgres) / took, connections },
    records: (recordsOf(cluster) - before.records) / took,
    recordBytes: bytesOfRecord(cluster),
  };
  for (const collector of collectors) collector.close();
  return { counts: fleet.counts(), measured, kept, mostBehind, slopes: kept.map((samples) => slope(samples.map(inUse), fromMinutes)) };
}

function inUse({ minutes, heap, external }: KeptSample): Sample {
  return { minutes, mebibytes: heap + external };
}

/** Seconds until every worker has a socket, and has polled since the loss. */
export async function loseNode({ cluster, places }: Scene, fleet: Fleet): Promise<number> {
  const lostMs = performance.now();
  await cluster.node('two').killAll();
  const isServed = (): boolean => fleet.served(lostMs) === places.length;
  await waitFor(isServed, { what: 'every worker to be served by the node that is left', timeoutMs: 120_000, everyMs: 250 });
  return (performance.now() - lostMs) / 1000;
}

function elapsed(startedMs: number, seconds: number): Promise<unknown> {
  const isOver = (): boolean => performance.now() - startedMs >= seconds * 1000;
  return waitFor(isOver, { what: `${seconds} seconds`, timeoutMs: (seconds + 30) * 1000, everyMs: 500 });
}

/** Of all nodes together. */
function loadOf(before: readonly NodeUse[], after: readonly NodeUse[], seconds: number): Measured['idle'] {
  const of = (part: Part): Load => {
    const sum = (uses: readonly NodeUse[], what: keyof Use): number => uses.reduce((all, use) => all + use[part][what], 0);
    return { cpu: (sum(after, 'cpuMs') - sum(before, 'cpuMs')) / seconds, mebibytes: sum(after, 'mebibytes'), descriptors: sum(after, 'descriptors') };
  };
  return { supervisor: of('supervisor'), 'control plane': of('control plane'), nginx: of('nginx') };
}

/** Its CPU time, and the connections that others have to it. */
async function observe({ address }: Postgres) {
  const client = new Client({ connectionString: `postgres://${address}` });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const main = processInfo(rows[0]?.pid ?? 0)?.parent ?? 0;
  const count = "SELECT count(*)::int AS open FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
  return {
    cpuMs: () => [main, ...descendantsOf(main)].reduce((sum, pid) => sum + cpuMs(pid), 0),
    connections: async () => (await client.query<{ open: number }>(count)).rows[0]?.open ?? 0,
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** Records of both nodes, by the ledger of each. */
export function recordsOf({ nodes }: Cluster): number {
  return nodes.reduce((sum, node, index) => sum + lastOf(node.stateDir, NAMES[index] ?? ''), 0);
}

/** The most records of one node that the other one does not have. */
function behindOf({ nodes: [one, two] }: Cluster): number {
  if (one === undefined || two === undefined) return Number.NaN;
  const behind = (name: string, own: string, other: string): number => lastOf(own, name) - lastOf(other, name);
  return Math.max(behind('one', one.stateDir, two.stateDir), behind('two', two.stateDir, one.stateDir));
}

function lastOf(stateDir: string, node: string): number {
  using ledger = new DatabaseSync(join(stateDir, 'ledger.db'), { readOnly: true, timeout: 10_000 });
  return Number(ledger.prepare('SELECT coalesce(max(seq), 0) AS last FROM records WHERE node = ?').get(node)?.['last']);
}

function bytesOfRecord({ nodes: [one] }: Cluster): number {
  const file = join(one?.stateDir ?? '', 'ledger.db');
  using ledger = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  return statSync(file).size / Number(ledger.prepare('SELECT count(*) AS count FROM records').get()?.['count']);
}
