// What every release of the Prefect server must do behind the gateway: its routes are known, and a run goes from its registration to its end.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compareWithOpenApi } from '../../../src/prefect/catalog/compare.ts';
import { operationsOf } from '../../../src/prefect/catalog/versions.ts';
import { type Gateway, jsonLines, startGateway } from '../../env/gateway.ts';
import { type Direct, directTo, field, text } from '../../env/prefect.ts';
import { type PrefectServer, startPrefect } from '../../env/prefect-server.ts';
import { oldServerVenv, prefectVenv } from '../../env/venv.ts';

/** Those that people run, each with its venv. */
export const RELEASES: readonly (readonly [version: string, venv: () => Promise<string>])[] = [
  ...['3.4.25', '3.6.13', '3.7.2', '3.8.2'].map((version) => [version, () => oldServerVenv(version)] as const),
  ['3.9.1', prefectVenv],
];

export interface Release {
  readonly server: PrefectServer;
  readonly direct: Direct;
  readonly gateway: Gateway;
  /** By role. */
  token(role: string): string;
  /** Status and parsed body of an answer through the gateway. */
  send(role: string | null, method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }>;
}

const ROLES = ['viewer', 'operator', 'deployer', 'worker', 'admin'];

/** Starts the server and a gateway before it, for the tests of one file or block. `config`: as `startGateway` takes it. */
export function openRelease(version: string, venv: () => Promise<string>, config: Readonly<Record<string, unknown>> = {}): () => Release {
  let release: Release | undefined;
  let stop: () => Promise<void> = async () => undefined;
  beforeAll(async () => {
    const server = await startPrefect({ of: await venv() });
    stop = server.stop;
    const gateway = await startGateway({ upstream: server, config });
    stop = async () => {
      await gateway.close();
      await server.stop();
    };
    const tokens = new Map<string, string>();
    for (const role of ROLES) tokens.set(role, (await gateway.token(role, [role])).secret);
    release = { server, direct: directTo(server), gateway, token: (role) => tokens.get(role) ?? '', send: sender(gateway, tokens) };
  }, 600_000);
  afterAll(() => stop());
  return () => {
    if (release === undefined) throw new Error(`Prefect ${version} did not start`);
    return release;
  };
}

function sender(gateway: Gateway, tokens: ReadonlyMap<string, string>): Release['send'] {
  return async (role, method, path, body) => {
    const json = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const token = role === null ? {} : { token: tokens.get(role) ?? '' };
    const response = await gateway.fetch(`/api${path}`, { method, ...token, ...json });
    const whole = await response.text();
    return { status: response.status, body: whole === '' ? null : JSON.parse(whole) };
  };
}

/** The two that hold for each release. */
export function releaseChecks(version: string, get: () => Release): void {
  it('has no route that is not known, and lacks none that it should have', async () => {
    const { direct } = get();
    expect(await direct.get('/admin/version')).toBe(version);
    expect(compareWithOpenApi(operationsOf(version), await direct.get('/openapi.json'))).toEqual([]);
  });

  it('takes a run from its registration to its end, recorded and decided by role; and is wiped by nobody', async () => {
    const { send, direct, gateway } = get();
    const flow = await send('deployer', 'POST', '/flows/', { name: `flow-${randomUUID()}` });
    const deployment = await send('deployer', 'POST', '/deployments/', { name: 'smoke', flow_id: field(flow.body, 'id'), enforce_parameter_schema: false });
    expect(deployment.status).toBe(201);
    const path = `/deployments/${text(field(deployment.body, 'id'))}`;
    expect((await send('viewer', 'POST', `${path}/create_flow_run`, {})).status).toBe(403);
    expect((await send('operator', 'POST', `${path}/create_flow_run`, { job_variables: { command: 'id' } })).status).toBe(403);
    const created = await send('operator', 'POST', `${path}/create_flow_run`, { state: undefined });
    expect(created.status).toBe(201);
    const run = text(field(created.body, 'id'));
    for (const type of ['PENDING', 'RUNNING', 'COMPLETED']) {
      expect((await send('worker', 'POST', `/flow_runs/${run}/set_state`, { state: { type } })).status).toBeLessThan(300);
    }
    expect(await direct.runState(run)).toBe('COMPLETED');
    const log = { name: 'smoke', level: 20, message: `ran on ${version}`, timestamp: new Date().toISOString(), flow_run_id: run };
    expect((await send('worker', 'POST', '/logs/', [log])).status).toBe(201);
    expect((await send('viewer', 'GET', `/flow_runs/${run}`)).body).toMatchObject({ labels: { 'lictor.principal': 'token:operator' } });
    const records = jsonLines(await gateway.lictorOk('audit', '--flow-run', run, '--json'));
    expect(records.map((record) => record['action'])).toEqual(expect.arrayContaining(['deployments.run', 'flow_runs.set_state', 'flow_runs.read']));
    expect(records.every((record) => record['run_binding'] === 'verified')).toBe(true);
    for (const wipe of ['clear', 'drop', 'create']) expect((await send('admin', 'POST', `/admin/database/${wipe}`, { confirm: true })).status).toBe(403);
    expect(await direct.runState(run)).toBe('COMPLETED');
  });
}
