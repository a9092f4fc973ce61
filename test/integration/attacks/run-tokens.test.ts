// Rows RT-01 and RT-02: what the token of a flow run may do, and how long it is one. A worker is played by hand before the real Prefect.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docsBlock } from '../../env/docs.ts';
import { type Gateway, startGateway, type Token } from '../../env/gateway.ts';
import { poll, send, setState, tokenFor } from '../../env/polled.ts';
import { type Direct, directTo, field, list, sharedPrefect, text } from '../../env/prefect.ts';
import { waitFor } from '../../env/process.ts';
import { authFrame, openSocket } from '../../env/socket.ts';
import { expectRefusal } from './harness.ts';
import { leaseCases } from './leases.ts';

const prefect = sharedPrefect();
const stamp = Date.now().toString(36);
const pool = `rt-${stamp}`;
let gateway: Gateway;
let server: Direct;
let admin: Token;
let worker: Token;
let other: Token;
let flow: string;
let deployment: string;

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  server = directTo(prefect);
  [admin, worker, other] = await Promise.all([gateway.token('boss', ['admin']), gateway.token('etl', ['worker']), gateway.token('etl-b', ['worker'])]);
  await server.post('/work_pools/', { name: pool, type: 'process', base_job_template: TEMPLATE });
  flow = id(await server.post('/flows/', { name: `flow-${stamp}` }));
  deployment = await deploy('d', {});
});
afterAll(() => gateway?.close());

const TEMPLATE = {
  job_configuration: { env: '{{ env }}', command: '{{ command }}' },
  variables: { type: 'object', properties: { env: { type: 'object' }, command: { type: 'string' } } },
};

function id(value: unknown): string {
  return text(field(value, 'id'));
}

async function deploy(name: string, more: Readonly<Record<string, unknown>>): Promise<string> {
  return id(await server.post('/deployments/', { name: `${name}-${stamp}`, flow_id: flow, work_pool_name: pool, ...more }));
}

/** Through the gateway, as the admin. */
async function startRun(of = deployment): Promise<string> {
  const response = await send(gateway, 'POST', `/api/deployments/${of}/create_flow_run`, { token: admin.secret, body: {} });
  expect(response.status).toBe(201);
  return id(await response.json());
}

/** A run that its worker has begun, with its token. */
async function begun(by: Token = worker, of = deployment): Promise<{ readonly run: string; readonly token: string }> {
  const run = await startRun(of);
  const token = await tokenFor(gateway, pool, by.secret, run);
  expect(field(await (await setState(gateway, run, by.secret, 'PENDING')).json(), 'status')).toBe('ACCEPT');
  return { run, token };
}

const read = (run: string, token: string) => send(gateway, 'GET', `/api/flow_runs/${run}`, { token });

/** Milliseconds after the end of two runs until their tokens are refused: the gateway waits a minute, and the other tests run meanwhile. */
let refusedAfterMs: Promise<readonly number[]>;

it('a token holds after the end of its run, however the run ended', async () => {
  const [reported, unreported] = [await begun(), await begun()];
  await setState(gateway, reported.run, reported.token, 'COMPLETED', { force: true });
  await server.post(`/flow_runs/${unreported.run}/set_state`, { state: { type: 'CRASHED' }, force: true });
  const endedMs = Date.now();
  for (const { run, token } of [reported, unreported]) expect((await read(run, token)).status).toBe(200);
  const refusal = async ({ run, token }: typeof reported): Promise<number> => {
    await waitFor(async () => (await read(run, token)).status === 401, { what: 'the token to end', timeoutMs: 180_000, everyMs: 1000 });
    const afterMs = Date.now() - endedMs;
    await expectRefusal(await read(run, token), 401, 'run-token-ended');
    return afterMs;
  };
  refusedAfterMs = Promise.all([reported, unreported].map(refusal));
  refusedAfterMs.catch(() => undefined); // A later test reports it.
});

let automation: unknown;
/** It says nothing more once its worker's token is revoked: stock process workers take their runs with them. */
let silent: string;

async function crashes(run: string): Promise<number> {
  return list(await server.get(`/flow_run_states/?flow_run_id=${run}`)).filter((state) => field(state, 'type') === 'CRASHED').length;
}

describe('a run whose worker lost its token', () => {
  it('is Crashed once by the automation of docs/how-to/lost-runs.md; with its token it crashes no other run', async () => {
    const made = await send(gateway, 'POST', '/api/automations/', {
      token: admin.secret,
      body: JSON.parse(docsBlock('how-to/lost-runs.md', '{\n  "name": "crash')),
    });
    expect(made.status).toBe(201);
    automation = await made.json();
    const brief = await gateway.token('brief', ['worker']);
    const [lost, bystander, other] = [await begun(brief), await begun(), await begun(brief)];
    silent = other.run;
    for (const { run, token } of [lost, bystander, other]) expect((await setState(gateway, run, token, 'RUNNING')).status).toBe(201);
    await gateway.lictorOk('token', 'revoke', 'brief');
    await expectRefusal(await setState(gateway, bystander.run, lost.token, 'COMPLETED'), 401, 'run-token-orphaned');
    for (let again = 0; again < 2; again += 1) await expectRefusal(await setState(gateway, lost.run, lost.token, 'COMPLETED'), 401, 'run-token-orphaned');
    await server.awaitRunState(lost.run, ['CRASHED'], 60_000);
    expect(await crashes(lost.run)).toBe(1);
    expect(await server.runState(bystander.run)).toBe('RUNNING');
  });
});

describe('RT-01: the rights of a run, which an admin has started', () => {
  it('reads itself and writes its state and logs; deletes no pool, flow or other run', async () => {
    const { run, token } = await begun();
    expect((await read(run, token)).status).toBe(200);
    expect((await setState(gateway, run, token, 'RUNNING')).status).toBe(201);
    const log = { name: 'x', level: 20, message: 'hello', timestamp: new Date().toISOString(), flow_run_id: run };
    expect((await send(gateway, 'POST', '/api/logs/', { token, body: [log] })).status).toBe(201);
    await expectRefusal(await send(gateway, 'DELETE', `/api/work_pools/${pool}`, { token }), 403, 'policy-default-deny');
    await expectRefusal(await send(gateway, 'DELETE', `/api/flows/${flow}`, { token }), 403, 'policy-default-deny');
    await expectRefusal(await send(gateway, 'DELETE', `/api/flow_runs/${run}`, { token }), 403, 'policy-default-deny');
    await expectRefusal(await send(gateway, 'POST', `/api/work_pools/${pool}/get_scheduled_flow_runs`, { token, body: {} }), 403, 'policy-default-deny');
  });

  it('may touch no other run: not its routes, its states, its logs, its task runs, its slots', async () => {
    const { run, token } = await begun();
    const victim = (await begun()).run;
    const task = id(await server.post('/task_runs/', { flow_run_id: victim, task_key: 'k', dynamic_key: '0' }));
    await expectRefusal(await read(victim, token), 403, 'run-bound');
    await expectRefusal(await send(gateway, 'GET', `/api/flow_runs/${victim.replaceAll('-', '').toUpperCase()}`, { token }), 403, 'run-bound');
    await expectRefusal(await setState(gateway, victim, token, 'FAILED'), 403, 'run-bound');
    await expectRefusal(await send(gateway, 'GET', `/api/task_runs/${task}`, { token }), 403, 'run-bound');
    await expectRefusal(await send(gateway, 'PATCH', `/api/flow_runs/${victim}/labels`, { token, body: { a: 'b' } }), 403, 'run-bound');
    const log = { name: 'x', level: 20, message: 'forged', timestamp: new Date().toISOString(), flow_run_id: victim };
    await expectRefusal(await send(gateway, 'POST', '/api/logs/', { token, body: [{ ...log, flow_run_id: run }, log] }), 403, 'run-bound');
    await expectRefusal(
      await send(gateway, 'POST', '/api/task_runs/', { token, body: { flow_run_id: victim, task_key: 'k', dynamic_key: '1' } }),
      403,
      'run-bound',
    );
    const artifact = { key: `a-${stamp}`, type: 'markdown', data: 'x', flow_run_id: victim };
    await expectRefusal(await send(gateway, 'POST', '/api/artifacts/', { token, body: artifact }), 403, 'run-bound');
    const slots = { names: ['none'], slots: 1, mode: 'concurrency', holder: { type: 'flow_run', id: victim } };
    await expectRefusal(await send(gateway, 'POST', '/api/v2/concurrency_limits/increment-with-lease', { token, body: slots }), 403, 'run-bound');
    expect(await server.logMessages(victim)).toEqual([]);
    // The same is its own to do.
    expect((await send(gateway, 'POST', '/api/artifacts/', { token, body: { ...artifact, flow_run_id: run } })).status).toBe(201);
    expect((await send(gateway, 'POST', '/api/task_runs/', { token, body: { flow_run_id: run, task_key: 'k', dynamic_key: '1' } })).status).toBeLessThan(300);
  });

  it('names no foreign parent_task_run_id; its own child names the starter of the whole chain', async () => {
    const { run, token } = await begun();
    const victim = (await begun()).run;
    const taskIn = async (of: string) => id(await server.post('/task_runs/', { flow_run_id: of, task_key: 'parent', dynamic_key: randomUUID() }));
    const foreign = { parent_task_run_id: await taskIn(victim) };
    await expectRefusal(await send(gateway, 'POST', '/api/flow_runs/', { token, body: { flow_id: flow, ...foreign } }), 403, 'run-bound');
    await expectRefusal(await send(gateway, 'POST', `/api/deployments/${deployment}/create_flow_run`, { token, body: foreign }), 403, 'run-bound');
    const body = { parent_task_run_id: await taskIn(run) };
    const child = await (await send(gateway, 'POST', `/api/deployments/${deployment}/create_flow_run`, { token, body })).json();
    expect(field(child, 'labels')).toMatchObject({ 'lictor.principal': `run:${run}`, 'lictor.on_behalf_of': 'token:boss' });
    expect((await read(id(child), token)).status).toBe(200);
    expect((await setState(gateway, id(child), token, 'CANCELLING', { force: true })).status).toBe(201);
  });

  it('says not where it executes, which Prefect would have its worker kill', async () => {
    const { run, token } = await begun();
    const patch = (by: string, body: object) => send(gateway, 'PATCH', `/api/flow_runs/${run}`, { token: by, body });
    expect((await patch(worker.secret, { infrastructure_pid: 'team-a:job' })).status).toBe(204);
    for (const pid of ['team-b:job-of-team-b', null]) await expectRefusal(await patch(token, { infrastructure_pid: pid }), 403, 'policy-default-deny');
    expect((await patch(token, { name: 'mine' })).status).toBe(204);
    expect(await server.get(`/flow_runs/${run}`)).toMatchObject({ name: 'mine', infrastructure_pid: 'team-a:job' });
  });

  it('a child reads what is above it, and writes nothing there', async () => {
    const { run, token } = await begun();
    const child = id(await (await send(gateway, 'POST', `/api/deployments/${deployment}/create_flow_run`, { token, body: {} })).json());
    const childToken = await tokenFor(gateway, pool, worker.secret, child);
    await setState(gateway, child, worker.secret, 'PENDING');
    expect((await read(run, childToken)).status).toBe(200);
    await expectRefusal(await setState(gateway, run, childToken, 'FAILED'), 403, 'run-bound');
  });

  it('within the scope of its worker: a foreign block is not there', async () => {
    const scoped = await gateway.token('scoped', ['worker'], '--scope', `work_pool=${pool}`, '--scope', 'block=mine-*');
    const { token } = await begun(scoped);
    const type = id(await server.get('/block_types/slug/secret'));
    const [schema] = list(await server.post('/block_schemas/filter', { block_schemas: { block_type_id: { any_: [type] } } }));
    const make = async (name: string) =>
      id(await server.post('/block_documents/', { name, data: { value: 's' }, block_type_id: type, block_schema_id: id(schema) }));
    const [mine, foreign] = [await make(`mine-${stamp}`), await make(`theirs-${stamp}`)];
    expect((await send(gateway, 'GET', `/api/block_documents/${mine}`, { token })).status).toBe(200);
    expect((await send(gateway, 'GET', `/api/block_documents/${foreign}`, { token })).status).toBe(404);
  });
});

describe("RT-02: the life of a run's token", () => {
  it('is the same at every poll, another for another worker, and none before its worker has begun', async () => {
    const run = await startRun();
    const token = await tokenFor(gateway, pool, worker.secret, run);
    expect(await tokenFor(gateway, pool, worker.secret, run)).toBe(token);
    const theirs = await tokenFor(gateway, pool, other.secret, run);
    expect(theirs).not.toBe(token);
    await expectRefusal(await read(run, token), 401, 'run-token-not-live');
    await setState(gateway, run, worker.secret, 'PENDING');
    expect((await read(run, token)).status).toBe(200);
    await expectRefusal(await read(run, theirs), 401, 'run-token-not-live');
    await expectRefusal(await read(run, `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`), 401, 'credential-malformed');
  });

  it('keeps over a rotation of its worker', async () => {
    const rotated = await gateway.token('rotated', ['worker']);
    const run = await startRun();
    const token = await tokenFor(gateway, pool, rotated.secret, run);
    const next = JSON.parse(await gateway.lictorOk('token', 'rotate', 'rotated', '--overlap', '1h', '--json'));
    expect(await tokenFor(gateway, pool, text(field(next, 'secret')), run)).toBe(token);
    await setState(gateway, run, text(field(next, 'secret')), 'PENDING');
    expect((await read(run, token)).status).toBe(200);
  });

  it('that of attempt 1 is refused from the retry on; attempt 2 has its own', async () => {
    const { run, token } = await begun();
    await setState(gateway, run, token, 'RUNNING');
    expect((await setState(gateway, run, token, 'FAILED')).status).toBe(201);
    expect((await read(run, token)).status).toBe(200);
    expect((await setState(gateway, run, admin.secret, 'SCHEDULED', { force: true })).status).toBe(201);
    await expectRefusal(await read(run, token), 401, 'run-token-ended');
    const second = await tokenFor(gateway, pool, worker.secret, run);
    expect(second).not.toBe(token);
    await setState(gateway, run, worker.secret, 'PENDING');
    expect((await read(run, second)).status).toBe(200);
    await expectRefusal(await read(run, token), 401, 'run-token-ended');
  });

  it("another pool's worker makes nothing of it: what it begins is not this token", async () => {
    const elsewhere = await gateway.token('elsewhere', ['worker'], '--scope', `work_pool=not-${pool}`);
    const response = await send(gateway, 'POST', `/api/work_pools/${pool}/get_scheduled_flow_runs`, { token: elsewhere.secret, body: {} });
    expect([403, 404]).toContain(response.status);
    const run = await startRun();
    const token = await tokenFor(gateway, pool, worker.secret, run);
    await setState(gateway, run, other.secret, 'PENDING');
    await expectRefusal(await read(run, token), 401, 'run-token-not-live');
  });

  it('ends with its worker: the next request is refused, and its open socket closed', async () => {
    const doomed = await gateway.token('doomed', ['worker']);
    const { run, token } = await begun(doomed);
    const socket = openSocket(gateway.url, '/api/events/in', { headers: { 'X-Lictor-Token': token }, first: authFrame(null) });
    expect(await socket.opened).toBe(true);
    await waitFor(() => socket.frames().length > 0, { what: 'the greeting' });
    expect((await read(run, token)).status).toBe(200);
    await gateway.lictorOk('token', 'revoke', 'doomed');
    await expectRefusal(await read(run, token), 401, 'run-token-orphaned');
    expect(await socket.ended).toMatchObject({ code: 1008, reason: expect.stringContaining('run-token-orphaned') });
  });

  it('ends with a lock on its worker, and with one on who has started it', async () => {
    const { run, token } = await begun();
    for (const target of ['token:etl', 'token:boss']) {
      await gateway.lictorOk('lock', target, '--why', 'a test');
      await expectRefusal(await read(run, token), 403, 'locked');
      await gateway.lictorOk('unlock', target);
      expect((await read(run, token)).status).toBe(200);
    }
  });
});

describe('what authors write does not displace it', () => {
  const RESERVED = ['PREFECT_API_AUTH_STRING', 'PREFECT_CLIENT_CUSTOM_HEADERS', 'PREFECT_API_KEY', 'PREFECT_API_URL', 'prefect_api_key'];

  it('is refused on every way to write it', async () => {
    const refused = async (method: string, path: string, body: unknown) =>
      expectRefusal(await send(gateway, method, path, { token: admin.secret, body }), 403, 'env-reserved');
    const byName = RESERVED.flatMap((name) => [{ env: { [name]: 'x' } }, { [`env.${name}`]: 'x' }]);
    // A worker puts the data of a block in the place of the whole environment.
    const $ref = { block_document_id: randomUUID() };
    for (const job_variables of [
      ...byName,
      { env: { $ref } },
      { 'env.$ref': $ref },
      { 'env[$ref].block_document_id': $ref.block_document_id },
      { 'env].PREFECT_API_URL': 'x' },
      // Nor what has a worker give away the credential that it has itself.
      { env: { MINE: '{{ $PREFECT_CLIENT_CUSTOM_HEADERS }}' } },
      { name: 'x-{{$PREFECT_API_AUTH_STRING}}' },
      // Nor what makes a job that of another run.
      { labels: { 'prefect.io/flow-run-id': randomUUID() } },
      { 'labels.io.prefect.flow-run-id': randomUUID() },
    ]) {
      await refused('POST', `/api/deployments/${deployment}/create_flow_run`, { job_variables });
      await refused('PATCH', `/api/deployments/${deployment}`, { job_variables });
      await refused('POST', '/api/deployments/', { name: 'e', flow_id: flow, job_variables });
      await refused('POST', '/api/flow_runs/', { flow_id: flow, job_variables });
    }
    for (const name of RESERVED) {
      const base_job_template = { ...TEMPLATE, job_configuration: { env: { [name]: 'x' } } };
      await refused('PATCH', `/api/work_pools/${pool}`, { base_job_template });
    }
    const giving = { ...TEMPLATE, job_configuration: { env: '{{ env }}', command: 'echo {{ $PREFECT_API_AUTH_STRING }}' } };
    await refused('PATCH', `/api/work_pools/${pool}`, { base_job_template: giving });
    const harmless = await send(gateway, 'PATCH', `/api/deployments/${deployment}`, { token: admin.secret, body: { job_variables: { env: { MINE: 'x' } } } });
    expect(harmless.status).toBe(204);
  });

  it('what stands there already is overridden, in any spelling', async () => {
    const job_variables = { env: { prefect_api_key: 'a', KEPT: 'b', PREFECT_API_URL: 'http://elsewhere' }, 'env.PREFECT_API_AUTH_STRING': 'c:d' };
    const run = await startRun(await deploy('old', { job_variables }));
    const polled = (await poll(gateway, pool, worker.secret)).find((found) => found.id === run);
    expect(polled?.jobVariables).toEqual({
      'env.PREFECT_API_AUTH_STRING': `run:${polled?.token}`,
      env: {
        PREFECT_CLIENT_CUSTOM_HEADERS: JSON.stringify({ 'X-Lictor-Token': polled?.token }),
        PREFECT_API_AUTH_STRING: `run:${polled?.token}`,
        PREFECT_API_KEY: null,
        PREFECT_API_URL: `${gateway.url}/api`,
        prefect_api_key: null,
      },
    });
    expect(JSON.stringify(await server.get(`/flow_runs/${run}`))).not.toContain('lcf_');
  });

  it('a template without env is left alone, and that is recorded', async () => {
    const bare = `bare-${stamp}`;
    await server.post('/work_pools/', {
      name: bare,
      type: 'process',
      base_job_template: { job_configuration: { command: '{{ command }}' }, variables: TEMPLATE.variables },
    });
    const run = await startRun(await deploy('bare', { work_pool_name: bare }));
    expect((await poll(gateway, bare, worker.secret)).find((found) => found.id === run)).toMatchObject({ token: undefined });
    expect(await gateway.lictorOk('audit', '--flow-run', run, '--json')).toContain('run-token-not-injectable');
  });
});

// After the others, since the gateway waits a minute for each.
it('a token holds a minute after the end of its run, and not longer', async () => {
  for (const afterMs of await refusedAfterMs) expect(afterMs).toBeGreaterThan(55_000);
}, 300_000);

it('a run that says nothing more is Crashed once too, and the record says why', async () => {
  await server.awaitRunState(silent, ['CRASHED'], 180_000);
  expect(await crashes(silent)).toBe(1);
  expect(await gateway.lictorOk('audit', '--flow-run', silent, '--json')).toContain('run_token.orphan');
  await server.delete(`/automations/${id(automation)}`);
}, 240_000);

// Last: they kill the control plane, whose next one begins its count of a minute anew.
describe('CL-01: leases of slots', () =>
  leaseCases({
    gateway: () => gateway,
    server: () => server,
    flow: () => flow,
    worker: () => worker.secret,
    prefect,
    begun: async (slots) => (slots === undefined ? begun() : begun(worker, await deploy(`slots-${randomUUID()}`, { concurrency_limit: slots }))),
  }));
