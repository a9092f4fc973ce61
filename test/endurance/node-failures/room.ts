// What all rows share: two Prefect servers with Postgres and Redis, and a cluster of three nodes with a worker behind HAProxy.

import { type Direct, directTo, field, text } from '../../env/prefect.ts';
import { type Cluster, startCluster } from '../../env/several/cluster.ts';
import { type Postgres, startPostgres } from '../../env/several/postgres.ts';
import type { PrefectServers } from '../../env/several/prefect-servers.ts';
import { deployTo, stockWorker, type Worker } from '../../env/several/worker.ts';
import type { Tokens } from './load.ts';

export const NODES = ['one', 'two', 'three'] as const;

export interface Room {
  readonly servers: PrefectServers;
  readonly store: Postgres;
  readonly cluster: Cluster;
  readonly tokens: Tokens;
  readonly worker: Worker;
  direct(index?: 0 | 1): Direct;
  /** Starts a flow of 100 tasks through the load balancer; answers its id when it is underway. */
  underway(): Promise<string>;
  close(): Promise<void>;
}

export const TASKS = 100;

export async function openRoom(servers: PrefectServers): Promise<Room> {
  const store = await startPostgres();
  const cluster = await startCluster({
    upstream: { urls: servers.urls, authString: servers.address(0).authString },
    store: `postgres://${store.address}`,
    names: NODES,
  });
  const one = cluster.node('one');
  const secret = async (name: string, ...roles: string[]) => (await one.token(name, roles)).secret;
  const readers = [];
  for (let number = 0; number < 6; number += 1) readers.push(await secret(`reader-${number}`, 'viewer'));
  const tokens = { readers, deployer: await secret('load', 'deployer'), worker: await secret('worker', 'worker') };
  const starter = await secret('starter', 'operator');
  const direct = (index: 0 | 1 = 0): Direct => directTo(servers.address(index));
  const worker = stockWorker(servers.address(0).venv, `matrix-${cluster.port}`);
  await direct().post('/work_pools/', { name: worker.pool, type: 'process' });
  const deployment = await deployTo(worker, direct(), 'steady');
  await worker.start({ PREFECT_API_URL: `${cluster.url}/api`, PREFECT_API_AUTH_STRING: `any:${tokens.worker}` });
  return {
    ...{ servers, store, cluster, tokens, worker, direct },
    async underway() {
      const body = JSON.stringify({ parameters: { count: TASKS, seconds: 0.2 }, state: { type: 'SCHEDULED' } });
      const headers = { authorization: `Bearer ${starter}`, 'content-type': 'application/json' };
      const response = await fetch(`${cluster.url}/api/deployments/${deployment}/create_flow_run`, { method: 'POST', headers, body });
      if (response.status !== 201) throw new Error(`create_flow_run: ${response.status} ${await response.text()}`);
      const run = text(field(await response.json(), 'id'));
      await direct().awaitRunState(run, ['RUNNING'], 300_000);
      return run;
    },
    async close() {
      await worker.stop();
      await cluster.close();
      await store.stop();
    },
  };
}
