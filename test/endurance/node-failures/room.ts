// What all rows share: two Prefect servers with Postgres and Redis, and a cluster of three nodes with a worker behind HAProxy.

import { freePort } from '../../env/free-port.ts';
import { type Issuer, startIssuer } from '../../env/issuer.ts';
import { type Link, startLink } from '../../env/link.ts';
import { type Direct, directTo, field, text } from '../../env/prefect.ts';
import { type Cluster, startCluster } from '../../env/several/cluster.ts';
import { type FalseClock, falseClock } from '../../env/several/false-clock.ts';
import { type Postgres, type Standby, startPostgres } from '../../env/several/postgres.ts';
import type { PrefectServers } from '../../env/several/prefect-servers.ts';
import { deployTo, stockWorker, type Worker } from '../../env/several/worker.ts';
import { type SmallDisk, startSmallDisk } from '../../env/small-disk.ts';
import type { Tokens } from './load.ts';

export const NODES = ['one', 'two', 'three'] as const;

export interface Room {
  readonly servers: PrefectServers;
  readonly store: Postgres;
  readonly standby: Standby;
  /** Between the nodes and the store: requests, and the connection that hears of changes. */
  readonly links: { readonly store: TwoLinks; readonly listen: TwoLinks };
  /** Of the node three. */
  readonly disk: SmallDisk;
  /** Of the node two. */
  readonly clock: FalseClock;
  /** Of the tokens of one reader. */
  readonly issuer: Issuer;
  readonly cluster: Cluster;
  readonly tokens: Tokens;
  readonly worker: Worker;
  direct(index?: 0 | 1): Direct;
  /** Starts a flow of 100 tasks through the load balancer; answers its id when it is underway. */
  underway(): Promise<string>;
  close(): Promise<void>;
}

export const TASKS = 100;

/** To the primary and to the standby. */
type TwoLinks = Pick<Link, 'delay' | 'cut' | 'close'> & { readonly address: string };

async function startLinks(store: Postgres): Promise<TwoLinks> {
  const [to, port] = [Number(/:(\d+)\//.exec(store.address)?.[1]), await freePort()];
  const links = await Promise.all(['127.0.0.1', '127.0.0.2'].map((host) => startLink({ host, port, to })));
  const each = (work: (link: Link) => void): void => links.forEach(work);
  return {
    address: `postgres://${store.address.replace(`127.0.0.1:${to}`, `127.0.0.1,127.0.0.2:${port}`)}?sslmode=disable`,
    delay: (ms) => each((link) => link.delay(ms)),
    cut: (isCut) => each((link) => link.cut(isCut)),
    close: async () => void (await Promise.all(links.map((link) => link.close()))),
  };
}

/** Claims of a reader who has a token of the identity provider. */
export const READER = { sub: 'reader', aud: 'lictor', exp: Math.floor(Date.now() / 1_000) + 4 * 3_600 };

/** Room for the records of all rows. */
const DISK_MIB = 2_048;

export async function openRoom(servers: PrefectServers): Promise<Room> {
  const store = await startPostgres();
  const standby = await store.standby();
  const links = { store: await startLinks(store), listen: await startLinks(store) };
  const disk = await startSmallDisk(DISK_MIB);
  const [clock, issuer] = [await falseClock(), await startIssuer()];
  const cluster = await startCluster({
    upstream: { urls: servers.urls, authString: servers.address(0).authString },
    store: links.store.address,
    names: NODES,
    config: {
      store_listen: links.listen.address,
      identity_providers: [
        { id: 'local', type: 'accounts' },
        { id: 'ci', type: 'jwt', issuer: issuer.issuer, audience: 'lictor', require: { sub: READER.sub } },
      ],
      roles: [{ role: 'viewer', members: [`user:${READER.sub}@ci`] }],
    },
    only: (name) => (name === 'three' ? { inside: { stateDir: disk.directory, command: disk.command } } : name === 'two' ? { env: clock.env } : {}),
  });
  const one = cluster.node('one');
  const secret = async (name: string, ...roles: string[]) => (await one.token(name, roles)).secret;
  const readers = [];
  for (let number = 0; number < 6; number += 1) readers.push(await secret(`reader-${number}`, 'viewer'));
  readers.push(await issuer.token(READER));
  const tokens = { readers, deployer: await secret('load', 'deployer'), worker: await secret('worker', 'worker') };
  const starter = await secret('starter', 'operator');
  const direct = (index: 0 | 1 = 0): Direct => directTo(servers.address(index));
  const worker = stockWorker(servers.address(0).venv, `matrix-${cluster.port}`);
  await direct().post('/work_pools/', { name: worker.pool, type: 'process' });
  const deployment = await deployTo(worker, direct(), 'steady');
  await worker.start({ PREFECT_API_URL: `${cluster.url}/api`, PREFECT_API_AUTH_STRING: `any:${tokens.worker}` });
  return {
    ...{ servers, store, standby, links, disk, clock, issuer, cluster, tokens, worker, direct },
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
      await disk.free();
      await cluster.close();
      await disk.close();
      await issuer.close();
      await Promise.all([links.store.close(), links.listen.close()]);
      await standby.stop();
      await store.stop();
    },
  };
}
