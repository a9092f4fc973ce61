// What the tests of a Prefect with several servers share: the servers, two stock workers, and the gateway once it is there.
import { docsBlock } from '../../env/docs.ts';
import { type Gateway, startGateway } from '../../env/gateway.ts';
import { type Direct, directTo, field, text } from '../../env/prefect.ts';
import { type PrefectServers, startPrefectServers } from '../../env/several/prefect-servers.ts';
import { deployTo, stockWorker, type WayToPrefect, type Worker } from '../../env/several/worker.ts';

export interface Room {
  readonly servers: PrefectServers;
  readonly workers: readonly Worker[];
  /** Of the flows `mapped` and `steady` in the pool of each worker, by its name. */
  readonly deployments: Readonly<Record<string, { readonly mapped: string; readonly steady: string }>>;
  /** At one of the servers, with the auth string of now. */
  direct(index?: 0 | 1): Direct;
  close(): Promise<void>;
}

/** Everything as it was before anybody thought of a gateway: the workers talk to Prefect directly. */
export async function openRoom(): Promise<Room> {
  const servers = await startPrefectServers();
  const direct = (index: 0 | 1 = 0): Direct => directTo(servers.address(index));
  const workers = ['north', 'south'].map((name) => stockWorker(servers.address(0).venv, name));
  const deployments: Record<string, { mapped: string; steady: string }> = {};
  for (const worker of workers) await direct().post('/work_pools/', { name: worker.pool, type: 'process' });
  for (const worker of workers)
    deployments[worker.name] = { mapped: await deployTo(worker, direct(), 'mapped'), steady: await deployTo(worker, direct(), 'steady') };
  await Promise.all(workers.map((worker, index) => worker.start(straight(servers, index === 0 ? 0 : 1))));
  return {
    servers,
    workers,
    deployments,
    direct,
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await servers.stop();
    },
  };
}

export function straight(servers: PrefectServers, index: 0 | 1): WayToPrefect {
  const { url, authString } = servers.address(index);
  return { PREFECT_API_URL: `${url}/api`, PREFECT_API_AUTH_STRING: authString };
}

/** The lictor.yaml of the docs, on plain http: the addresses are those of this test. */
export function yamlOfTheDocs({ servers }: Room, { url, stateDir }: { readonly url: string; readonly stateDir: string }): string {
  return docsBlock('how-to/existing-server.md', 'public_url:')
    .replace('https://prefect.example.com', url)
    .replace(/^tls: .*\n/m, '')
    .replace('http://10.0.0.1:4200', servers.urls[0])
    .replace('http://10.0.0.2:4200', servers.urls[1])
    .replaceAll('/etc/lictor', stateDir);
}

/** `lictor up` with it. */
export function upByTheDocs(room: Room): Promise<Gateway> {
  return startGateway({ upstream: room.servers.address(0), yaml: (place) => yamlOfTheDocs(room, place) });
}

/** Starts a run of a deployment through the gateway; answers its id. */
export async function runThrough(gateway: Gateway, token: string, deployment: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const init = { method: 'POST', token, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ parameters, state: { type: 'SCHEDULED' } }) };
  const response = await gateway.fetch(`/api/deployments/${deployment}/create_flow_run`, init);
  const body: unknown = await response.json();
  if (response.status !== 201) throw new Error(`create_flow_run: ${response.status} ${JSON.stringify(body)}`);
  return text(field(body, 'id'));
}
