// Three nodes with one Postgres behind HAProxy.
import { afterAll, beforeAll, describe, it } from 'vitest';
import { sharedPrefect } from '../env/prefect.ts';
import { type Cluster, startCluster } from '../env/several/cluster.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';
import { loginHoldsOnAll, revocationHoldsOnAll, timelineIsWhole } from './several/acceptance.ts';

let postgres: Postgres;
let cluster: Cluster;

beforeAll(async () => {
  postgres = await startPostgres();
  const { url, authString } = sharedPrefect();
  cluster = await startCluster({ upstream: { urls: [url], authString }, store: `postgres://${postgres.address}`, names: ['one', 'two', 'three'] });
});
afterAll(async () => {
  await cluster?.close();
  await postgres?.stop();
});

describe('three nodes', () => {
  it('know a login through the load balancer, and its end', () => loginHoldsOnAll(cluster));

  it('refuse a token that one of them revoked, and close its sockets', async () => {
    process.stderr.write(`revocation on three nodes: ${JSON.stringify(await revocationHoldsOnAll(cluster))}\n`);
  });

  it('have one timeline of a run, in order', () => timelineIsWhole(cluster));
});
