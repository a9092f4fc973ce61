// Stock workers that start pods and containers, before stand-ins for their engines: the run's token is in the environment of what they make, and nowhere else.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StockClient, stockClient } from '../env/client.ts';
import { type Gateway, startGateway, type Token } from '../env/gateway.ts';
import { type Infrastructure, startInfrastructure } from '../env/infrastructure.ts';
import { type Direct, directTo, field, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { isolatingVenv } from '../env/venv.ts';

const prefect = sharedPrefect();
const RUN_TOKEN = /lcf_[0-9a-hjkmnp-tv-z]{68}/g;
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-isolated-'));
let venv: string;
let gateway: Gateway;
let worker: Token;
let engine: Infrastructure;
let server: Direct;
const clients: StockClient[] = [];

beforeAll(async () => {
  venv = await isolatingVenv();
  server = directTo(prefect);
  engine = await startInfrastructure();
  gateway = await startGateway({ upstream: prefect });
  worker = await gateway.token('isolated', ['deployer', 'worker']);
  const cluster = { name: 'c', cluster: { server: `http://127.0.0.1:${engine.port}` } };
  const context = { name: 'x', context: { cluster: 'c', user: 'u' } };
  const config = { apiVersion: 'v1', kind: 'Config', clusters: [cluster], contexts: [context], users: [{ name: 'u', user: {} }], 'current-context': 'x' };
  writeFileSync(join(directory, 'kubeconfig'), JSON.stringify(config));
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await gateway?.close();
  await engine?.close();
  rmSync(directory, { recursive: true });
});

interface Made {
  readonly run: string;
  /** What the engine was asked to make since. */
  readonly bodies: readonly Record<string, unknown>[];
  readonly output: string;
}

/** A pool of this type with a deployment, one run of it, and a stock worker that looks once. */
async function oneRun(type: 'kubernetes' | 'docker', settings: Readonly<Record<string, string>> = {}): Promise<Made> {
  const name = `${type}-${Date.now().toString(36)}`;
  const client = stockClient({
    ...{ venv, url: gateway.url, credential: { carrier: 'custom-x-lictor-token', token: worker.secret } },
    settings: {
      KUBECONFIG: join(directory, 'kubeconfig'),
      DOCKER_HOST: `tcp://127.0.0.1:${engine.port}`,
      PREFECT_INTEGRATIONS_KUBERNETES_OBSERVER_ENABLED: 'false',
      PREFECT_LOGGING_LEVEL: 'DEBUG',
      ...settings,
    },
  });
  clients.push(client);
  const pool = await client.prefect(['work-pool', 'create', name, '--type', type]);
  expect(pool.code, pool.output).toBe(0);
  const flow = text(field(await server.post('/flows/', { name }), 'id'));
  const variables = { env: { TEAM: 'a' }, ...(type === 'docker' ? { image: 'x:latest', image_pull_policy: 'Never' } : { image: 'x:latest' }) };
  const body = { name, flow_id: flow, work_pool_name: name, entrypoint: 'flow.py:f', path: '/app', pull_steps: [], job_variables: variables };
  const deployment = text(field(await server.post('/deployments/', body), 'id'));
  const run = text(field(await server.post(`/deployments/${deployment}/create_flow_run`, { state: { type: 'SCHEDULED' } }), 'id'));
  const before = engine.created().length;
  const started = await client.startPrefect(['worker', 'start', '--pool', name, '--type', type, '--name', `w-${name}`]);
  const isMade = () =>
    engine
      .created()
      .slice(before)
      .some(({ path }) => /\/jobs|containers\/create/.test(path));
  await waitFor(() => isMade() || !started.running(), { what: `the worker to make something: ${engine.asked().join(', ')}`, timeoutMs: 120_000 });
  expect(isMade(), started.output()).toBe(true);
  await started.stop();
  return {
    run,
    bodies: engine
      .created()
      .slice(before)
      .map((creation) => creation.body),
    output: started.output(),
  };
}

/** Every run token in there, once. */
const tokensIn = (value: unknown): readonly string[] => [...new Set(JSON.stringify(value).match(RUN_TOKEN) ?? [])];

/** The environment of a container in a pod's manifest, and the manifest without it. */
function podEnv(job: Record<string, unknown>) {
  const rest = structuredClone(job) as { spec: { template: { spec: { containers: Record<string, unknown>[] } } } };
  const [container = {}] = rest.spec.template.spec.containers;
  const env = (container['env'] ?? []) as readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  delete container['env'];
  return { env: new Map(env.map((entry) => [entry.name, entry])), rest };
}

async function expectToldNowhere({ run, output }: Made, token: string): Promise<void> {
  expect(output).not.toContain(token);
  expect(output).not.toContain(worker.secret);
  expect((await server.logMessages(run)).join('\n')).not.toContain(token);
  // Prefect never sees it.
  expect(JSON.stringify(await server.get(`/flow_runs/${run}`))).not.toMatch(RUN_TOKEN);
}

function expectOurs(envOf: (name: string) => string | undefined, token: string): void {
  expect(JSON.parse(envOf('PREFECT_CLIENT_CUSTOM_HEADERS') ?? '{}')).toEqual({ 'X-Lictor-Token': token });
  expect(envOf('PREFECT_API_AUTH_STRING')).toBe(`run:${token}`);
  expect(envOf('PREFECT_API_URL')).toBe(`${gateway.url}/api`);
  expect(envOf('TEAM')).toBe('a');
  expect(envOf('PREFECT_API_KEY') ?? '').toBe('');
}

describe('a stock worker of Kubernetes', () => {
  it('puts the run’s token into the environment of the pod, and nowhere else of the job', async () => {
    const made = await oneRun('kubernetes');
    const job = made.bodies.find(({ kind }) => kind === 'Job') ?? {};
    const [token = '', ...others] = tokensIn(job);
    expect(others).toEqual([]);
    const { env, rest } = podEnv(job);
    expectOurs((name) => env.get(name)?.value, token);
    expect(JSON.stringify(rest)).not.toContain('lcf_');
    // The worker's own is not handed on.
    expect(JSON.stringify(made.bodies)).not.toContain(worker.secret);
    await expectToldNowhere(made, token);
  });

  it('with store_env_as_secret keeps it in a Secret of that job, and out of the manifest', async () => {
    const made = await oneRun('kubernetes', { PREFECT_INTEGRATIONS_KUBERNETES_WORKER_STORE_ENV_AS_SECRET: 'true' });
    const job = made.bodies.find(({ kind }) => kind === 'Job') ?? {};
    expect(JSON.stringify(job)).not.toContain('lcf_');
    expect(podEnv(job).rest.spec.template.spec.containers[0]).toMatchObject({ envFrom: [{ secretRef: {} }] });
    const secrets = made.bodies.filter(({ kind, data, stringData }) => kind === 'Secret' || data !== undefined || stringData !== undefined);
    const decoded = secrets.flatMap(({ data = {}, stringData = {} }) => [
      ...Object.values(data as Record<string, string>).map((value) => Buffer.from(value, 'base64').toString()),
      ...Object.values(stringData as Record<string, string>),
    ]);
    const [token = '', ...others] = tokensIn(decoded);
    expect([token === '', others]).toEqual([false, []]);
    await expectToldNowhere(made, token);
  });
});

describe('a stock worker of Docker', () => {
  it('puts the run’s token into the environment of the container, and nowhere else', async () => {
    const made = await oneRun('docker');
    const container = made.bodies.find(({ Env }) => Array.isArray(Env)) ?? {};
    const { Env: list, ...rest } = container;
    const env = new Map((list as string[]).map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
    const [token = '', ...others] = tokensIn(list);
    expect(others).toEqual([]);
    expectOurs((name) => env.get(name), token);
    expect(rest['Labels']).toMatchObject({ 'io.prefect.flow-run-id': made.run });
    expect(JSON.stringify(rest)).not.toContain('lcf_');
    expect(JSON.stringify(made.bodies)).not.toContain(worker.secret);
    await expectToldNowhere(made, token);
  });
});
