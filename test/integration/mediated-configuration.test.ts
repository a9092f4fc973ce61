// Configuration and bulk requests through the gateway, before a real Prefect: what is forwarded is taken, what is refused changes nothing.
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { limitedTo, valuesOfParameters } from './values-of-parameters.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const name = `conf-${Date.now().toString(36)}`;
const tokens = new Map<string, string>();
let gateway: Gateway;
let flowId: string;

const home = mkdtempSync(join(tmpdir(), 'lictor-test-values-'));
/** The list of docs/how-to/parameter-values.md, and a person who reads no variables. */
const OWN = `${limitedTo(`${name}/limited`)}
@id("blind") forbid (principal == Principal::"token:blind", action == Action::"variables.read", resource);`;

beforeAll(async () => {
  const policies = join(home, 'policies');
  mkdirSync(policies, { mode: 0o755 });
  writeFileSync(join(policies, 'values.cedar'), OWN);
  gateway = await startGateway({ upstream: prefect, config: { policies } });
  for (const role of ['viewer', 'operator', 'deployer', 'worker', 'admin']) tokens.set(role, (await gateway.token(role, [role])).secret);
  tokens.set('blind', (await gateway.token('blind', ['deployer'])).secret);
  flowId = text(field(await server.post('/flows/', { name }), 'id'));
});
afterAll(async () => {
  await gateway?.close();
  rmSync(home, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly requestId: string;
}

async function send(role: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const token = tokens.get(role) ?? '';
  const json = body !== undefined && { headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await gateway.fetch(`/api${path}`, { method, token, ...json });
  const whole = await response.text();
  return { status: response.status, body: whole === '' ? null : JSON.parse(whole), requestId: response.headers.get('x-request-id') ?? '' };
}

const deploymentOf = async (own: object = {}, flow = flowId) =>
  text(field(await server.post('/deployments/', { name: randomUUID(), flow_id: flow, enforce_parameter_schema: false, ...own }), 'id'));
const runOf = async (deployment: string) => text(field(await server.post(`/deployments/${deployment}/create_flow_run`, {}), 'id'));
/** Without what Prefect answered while its database was locked: that was asked again, and each time is recorded. */
const recordsBy = async (...filters: string[]) => jsonLines(await gateway.lictorOk('audit', ...filters, '--json')).filter(({ status }) => status !== 503);
const recordsOf = (run: string) => recordsBy('--flow-run', run);
const count = (of: string, filter: object) => server.post(`/${of}/count`, filter);

describe('bulk requests', () => {
  it('cancels the runs that match, each on its own timeline', async () => {
    const deployment = await deploymentOf();
    const runs = [await runOf(deployment), await runOf(deployment)];
    const body = { flow_runs: { deployment_id: { any_: [deployment] } }, state: { type: 'CANCELLING', name: 'Cancelling' }, force: false };
    expect((await send('viewer', 'POST', '/flow_runs/bulk_set_state', body)).status).toBe(403);
    expect((await send('operator', 'POST', '/flow_runs/bulk_set_state', { ...body, state: { type: 'COMPLETED' } })).status).toBe(403);
    for (const run of runs) expect(await server.runState(run)).toBe('SCHEDULED');
    const done = await send('operator', 'POST', '/flow_runs/bulk_set_state', body);
    expect(done.status).toBe(200);
    expect(list(field(done.body, 'results'))).toHaveLength(2);
    for (const run of runs) {
      expect(await server.runState(run)).toBe('CANCELLED');
      expect(await recordsOf(run)).toMatchObject([{ principal: 'token:operator', action: 'flow_runs.set_state.bulk', run_binding: 'verified', status: 200 }]);
    }
  });

  it('answers as Prefect does when nothing matches, and 400 when the filter is none', async () => {
    const state = { type: 'CANCELLING' };
    const nothing = await send('operator', 'POST', '/flow_runs/bulk_set_state', { flow_runs: { id: { any_: [randomUUID()] } }, state });
    expect(nothing).toMatchObject({ status: 200, body: { results: [] } });
    expect(await send('deployer', 'POST', '/flows/bulk_delete', { flows: { id: { any_: [] } } })).toMatchObject({ status: 200, body: { deleted: [] } });
    const wrong = await send('operator', 'POST', '/flow_runs/bulk_set_state', { flow_runs: { id: 7 }, state });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
    expect(await send('operator', 'POST', '/flow_runs/bulk_set_state', { state, limit: 51 })).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
  });

  it('deletes runs, deployments, and a flow with its deployments', async () => {
    const flow = text(field(await server.post('/flows/', { name: randomUUID() }), 'id'));
    const [first, second] = [await deploymentOf({}, flow), await deploymentOf({}, flow)];
    const run = await runOf(first);
    const ofFlow = { flows: { id: { any_: [flow] } } };
    expect((await send('operator', 'POST', '/flow_runs/bulk_delete', { flow_runs: { id: { any_: [run] } } })).status).toBe(403);
    expect((await send('deployer', 'POST', '/flow_runs/bulk_delete', { flow_runs: { id: { any_: [run] } } })).body).toEqual({ deleted: [run] });
    expect(await recordsOf(run)).toMatchObject([{ principal: 'token:deployer', action: 'flow_runs.delete', resource_id: run }]);
    expect((await send('deployer', 'POST', '/deployments/bulk_delete', { deployments: { id: { any_: [first] } } })).body).toEqual({ deleted: [first] });
    expect((await send('operator', 'POST', '/flows/bulk_delete', ofFlow)).status).toBe(403);
    expect(await count('deployments', { deployments: { id: { any_: [second] } } })).toBe(1);
    expect((await send('deployer', 'POST', '/flows/bulk_delete', ofFlow)).body).toEqual({ deleted: [flow] });
    expect(await count('deployments', { deployments: { id: { any_: [second] } } })).toBe(0);
  });
});

describe('deployments', () => {
  it('an upsert is recorded as a change of the one that is there, numbers as they were', async () => {
    const id = await deploymentOf({ name });
    const body = `{"name":"${name}","flow_id":"${flowId.toUpperCase()}","enforce_parameter_schema":false,"parameters":{"big":12345678901234567890}}`;
    expect(await send('operator', 'POST', '/deployments/', body)).toMatchObject({ status: 403, body: { code: 'policy-default-deny' } });
    const changed = await send('deployer', 'POST', '/deployments/', body);
    expect([changed.status, field(changed.body, 'id')]).toEqual([200, id]);
    const records = await recordsBy('--action', 'deployments.write');
    expect(records.filter(({ resource_id: of }) => of === id)).toMatchObject([{ principal: 'token:deployer', deployment_id: id, decision: 'allow' }]);
  });

  it('BD-02: pausing, schedules with parameters and code are refused to an operator, and work for a deployer', async () => {
    const id = await deploymentOf();
    const changes: [string, string, unknown][] = [
      ['PATCH', `/deployments/${id}`, { paused: true }],
      ['PATCH', `/deployments/${id}`, { job_variables: { command: 'id' } }],
      ['POST', `/deployments/${id}/schedules`, [{ schedule: { interval: 3600 }, parameters: { n: 1 }, active: false }]],
    ];
    for (const [method, path, body] of changes) expect((await send('operator', method, path, body)).status).toBe(403);
    expect(await server.get(`/deployments/${id}`)).toMatchObject({ paused: false, job_variables: {}, schedules: [] });
    for (const [method, path, body] of changes) expect((await send('deployer', method, path, body)).status).toBeLessThan(300);
    expect(await server.get(`/deployments/${id}`)).toMatchObject({ paused: true, job_variables: { command: 'id' }, schedules: [{ parameters: { n: 1 } }] });
  });

  it('CVE-2026-5366: a git option in a pull step is refused, and an ordinary clone is not', async () => {
    const id = await deploymentOf();
    const clone = (branch: string) => ({ pull_steps: [{ 'prefect.deployments.steps.git_clone': { repository: 'https://git.example/r', branch } }] });
    const refused = await send('deployer', 'PATCH', `/deployments/${id}`, clone('--upload-pack=touch /tmp/x'));
    expect(refused).toMatchObject({ status: 403, body: { code: 'pull-step-option' } });
    expect(field(await server.get(`/deployments/${id}`), 'pull_steps')).toEqual([]);
    expect((await send('deployer', 'PATCH', `/deployments/${id}`, clone('main'))).status).toBe(204);
    expect(field(await server.get(`/deployments/${id}`), 'pull_steps')).toEqual(clone('main').pull_steps);
  });

  it('parameters are filled in from variables that the author may read', async () => {
    await server.post('/variables/', { name: name.replace('-', '_'), value: 'seven' });
    const id = await deploymentOf();
    const parameters = { n: { __prefect_kind: 'workspace_variable', variable_name: name.replace('-', '_') } };
    expect((await send('deployer', 'PATCH', `/deployments/${id}`, { parameters })).status).toBe(204);
    expect(field(await server.get(`/deployments/${id}`), 'parameters')).toEqual({ n: 'seven' });
  });
});

valuesOfParameters({ flowName: name, home, send, lictor: (...args) => gateway.lictor(...args), flow: () => flowId, deploymentOf });

describe('the rest', () => {
  it('the check of a form answers who may read the UI', async () => {
    const body = { schema: { type: 'object', properties: { x: { type: 'integer' } } }, values: { x: 'text' } };
    expect(await send('viewer', 'POST', '/ui/schemas/validate', body)).toMatchObject({ status: 200, body: { valid: false } });
    expect((await send('worker', 'POST', '/ui/schemas/validate', body)).status).toBe(403);
  });

  it('a deleted artifact stands on the timeline of its run', async () => {
    const run = await runOf(await deploymentOf());
    const id = text(field(await server.post('/artifacts/', { type: 'markdown', data: 'x', flow_run_id: run }), 'id'));
    expect((await send('operator', 'DELETE', `/artifacts/${id}`)).status).toBe(403);
    expect((await send('deployer', 'DELETE', `/artifacts/${id}`)).status).toBe(204);
    expect(await recordsOf(run)).toMatchObject([{ principal: 'token:deployer', action: 'artifacts.delete', resource_id: id }]);
  });

  it('an automation of an administrator is not for a deployer to switch off, change or delete', async () => {
    const trigger = { type: 'event', posture: 'Reactive', expect: ['x'], threshold: 1, within: 0 };
    const own = { name, trigger, actions: [{ type: 'run-deployment', source: 'inferred' }] };
    expect((await send('deployer', 'POST', '/automations/', own)).status).toBe(403);
    const made = await send('admin', 'POST', '/automations/', own);
    expect(made.status).toBe(201);
    const path = `/automations/${text(field(made.body, 'id'))}`;
    expect((await send('deployer', 'PATCH', path, { enabled: false })).body).toMatchObject({ code: 'automation-exceeds-rights' });
    expect((await send('deployer', 'PUT', path, { ...own, actions: [] })).status).toBe(403);
    expect((await send('deployer', 'DELETE', path)).status).toBe(403);
    expect(await server.get(path)).toMatchObject({ enabled: true, actions: [{ type: 'run-deployment' }] });
    expect((await send('admin', 'PATCH', path, { enabled: false })).status).toBe(204);
    expect((await send('admin', 'DELETE', path)).status).toBe(204);
  });
});

describe('CL-01: slots', () => {
  const makeLimit = async (slots: number): Promise<string> => {
    const limit = `${name}-${randomUUID()}`;
    await server.post('/v2/concurrency_limits/', { name: limit, limit: slots });
    return limit;
  };
  const taken = async (limit: string) => field(await server.get(`/v2/concurrency_limits/${limit}`), 'active_slots');

  it('CL-01: are taken, held and released by what runs, and by nobody who only reads, steers or is unknown', async () => {
    const limit = await makeLimit(3);
    const lease = text(field(await server.post('/v2/concurrency_limits/increment-with-lease', { names: [limit], slots: 1, lease_duration: 300 }), 'lease_id'));
    const run = randomUUID();
    const ways: [string, object][] = [
      ['/v2/concurrency_limits/increment', { names: [limit], slots: 1, mode: 'concurrency' }],
      ['/v2/concurrency_limits/increment-with-lease', { names: [limit], slots: 1, lease_duration: 300 }],
      [`/v2/concurrency_limits/leases/${lease}/renew`, { lease_duration: 300 }],
      ['/v2/concurrency_limits/decrement', { names: [limit], slots: 1 }],
      ['/v2/concurrency_limits/decrement-with-lease', { lease_id: lease }],
      ['/concurrency_limits/increment', { names: [limit], task_run_id: run }],
      ['/concurrency_limits/decrement', { names: [limit], task_run_id: run }],
    ];
    for (const [path, body] of ways) {
      for (const role of ['viewer', 'operator']) expect(await send(role, 'POST', path, body), `${role} ${path}`).toMatchObject({ status: 403 });
      expect(await send('nobody', 'POST', path, body), path).toMatchObject({ status: 401 });
    }
    expect(await taken(limit)).toBe(1);
    const slots: unknown[] = [];
    for (const [path, body] of ways) {
      expect((await send('worker', 'POST', path, body)).status, path).toBeLessThan(300);
      slots.push(await taken(limit));
    }
    expect(slots).toEqual([2, 3, 3, 2, 1, 1, 1]);
  });

  it('CL-01: are set by hand, and limits changed, by deployers only', async () => {
    const limit = await makeLimit(2);
    const path = `/v2/concurrency_limits/${limit}`;
    for (const role of ['viewer', 'operator', 'worker']) {
      for (const body of [{ active_slots: 2 }, { limit: 0 }, { active: false }, { name: `${limit}-2` }]) {
        expect((await send(role, 'PATCH', path, body)).status, `${role} ${JSON.stringify(body)}`).toBe(403);
      }
      expect((await send(role, 'DELETE', path)).status).toBe(403);
      expect((await send(role, 'POST', `/concurrency_limits/tag/${limit}/reset`, {})).status).toBe(403);
      expect((await send(role, 'DELETE', `/concurrency_limits/tag/${limit}`)).status).toBe(403);
    }
    expect(await server.get(path)).toMatchObject({ name: limit, limit: 2, active: true, active_slots: 0 });
    expect((await send('deployer', 'PATCH', path, { active_slots: 2 })).status).toBe(204);
    expect(await taken(limit)).toBe(2);
    expect((await send('deployer', 'DELETE', path)).status).toBe(204);
  });

  it("CL-01: nobody takes the place of a scheduled run by the scheduler's own idempotency key", async () => {
    const deployment = await deploymentOf();
    const idempotency_key = `scheduled ${deployment} 2030-01-01T00:00:00+00:00`;
    const body = { deployment_id: deployment, flow_id: flowId, state: { type: 'SCHEDULED' } };
    const ofDeployment = { flow_runs: { deployment_id: { any_: [deployment] } } };
    const ways: [string, object][] = [
      [`/deployments/${deployment}/create_flow_run`, {}],
      ['/flow_runs/', body],
    ];
    for (const [path, own] of ways) {
      expect(await send('admin', 'POST', path, { ...own, idempotency_key })).toMatchObject({ status: 400, body: { code: 'body-invalid' } });
    }
    expect(await count('flow_runs', ofDeployment)).toBe(0);
    for (const [index, [path, own]] of ways.entries()) {
      expect((await send('admin', 'POST', path, { ...own, idempotency_key: `mine ${index}` })).status, path).toBe(201);
    }
    expect(await count('flow_runs', ofDeployment)).toBe(2);
  });
});
