// A worker and a deployer of one team, with stock clients and by hand: everything in their own pool, nothing in another.
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StockClient, stockClient } from '../env/client.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { eventAbout, makeTeams, type Team } from '../env/teams.ts';
import { flowRunIdOf } from './stock/session.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const tokens = new Map<string, string>();
const clients: StockClient[] = [];
let gateway: Gateway;
let a: Team;
let b: Team;

/** Pull steps are a command line on a worker. */
const NO_PULL_STEPS = `@id("no-pull-steps")
forbid (principal == Principal::"token:strict", action, resource) when { context.facts has pull_steps && context.facts.pull_steps };`;

beforeAll(async () => {
  ({ a, b } = await makeTeams(server));
  const policies = join(mkdtempSync(join(tmpdir(), 'lictor-test-policies-')), 'policies');
  mkdirSync(policies, { mode: 0o755 });
  writeFileSync(join(policies, 'pull-steps.cedar'), NO_PULL_STEPS);
  gateway = await startGateway({ upstream: prefect, config: { policies, limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
  const create = async (name: string, role: string, ...args: string[]) => tokens.set(name, (await gateway.token(name, [role], ...args)).secret);
  await create('worker', 'worker', '--pool', a.pool, '--scope', `concurrency_limit=${a.limitName}`);
  for (const name of ['deployer', 'strict']) await create(name, 'deployer', '--scope', `tag=${a.tag}`, '--pool', a.pool);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  await gateway?.close();
});

function clientOf(name: string): StockClient {
  const client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: tokens.get(name) ?? '' } });
  clients.push(client);
  return client;
}

async function send(
  name: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly code: unknown; readonly raw: string }> {
  const json = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await gateway.fetch(path, { method, token: tokens.get(name) ?? '', ...json });
  const raw = await response.text();
  return { status: response.status, code: raw.startsWith('{') ? field(JSON.parse(raw), 'code') : undefined, raw };
}

function deployed(client: StockClient, name: string, pool: string) {
  return client.prefect(['--no-prompt', 'deploy', 'stock.py:mapped', '--name', name, '--pool', pool, '--tag', a.tag]);
}

const isThere = async (name: string): Promise<boolean> =>
  list(await server.post('/deployments/filter', { deployments: { name: { any_: [name] } } })).length > 0;
const workersOf = async (pool: string) => list(await server.post(`/work_pools/${pool}/workers/filter`, {}));

describe('a stock worker with a token of its pool', () => {
  it('polls, speaks on its channel, and runs a flow to its end with every task and line of log', async () => {
    const deployer = clientOf('deployer');
    const made = await deployed(deployer, `${a.mark}-run`, a.pool);
    expect(made.code, made.output).toBe(0);
    const worker = await clientOf('worker').startPrefect(['worker', 'start', '--pool', a.pool, '--name', `${a.mark}-worker`, '--type', 'process']);
    await waitFor(() => worker.output().includes('started!') || !worker.running(), { what: 'the worker to start', timeoutMs: 60_000 });
    const started = await deployer.prefect(['deployment', 'run', `mapped/${a.mark}-run`, '--param', 'count=3', '--param', `limit=${a.limitName}`]);
    expect(started.code, started.output).toBe(0);
    const run = flowRunIdOf(started.output);
    expect(await server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 120_000), worker.output()).toBe('COMPLETED');
    await waitFor(async () => (await server.taskRunStates(run))['COMPLETED'] === 3, { what: 'three completed task runs', timeoutMs: 60_000 }).catch(
      () => undefined,
    );
    const refused = jsonLines(await gateway.lictorOk('audit', '--principal', 'token:worker', '--decision', 'deny', '--json'));
    expect(refused.map(({ reason, action, path, resource_id: id }) => [reason, action, path, id])).toEqual([]);
    expect(await server.taskRunStates(run)).toEqual({ COMPLETED: 3 });
    // A slot was taken, and is free again: by the run that held its lease.
    const leases = jsonLines(await gateway.lictorOk('audit', '--flow-run', run, '--action', 'concurrency.lease', '--json'));
    expect(leases.map(({ principal, decision }) => [principal, decision])).toContainEqual([`run:${run}`, 'allow']);
    expect(await server.get(`/v2/concurrency_limits/${a.limitName}`)).toMatchObject({ active_slots: 0 });
    await waitFor(async () => (await server.logMessages(run)).some((line) => line.includes('mapped 3 tasks')), { what: 'its log', timeoutMs: 30_000 });
    expect((await workersOf(a.pool)).map((item) => field(item, 'name'))).toContain(`${a.mark}-worker`);
    const channel = jsonLines(await gateway.lictorOk('audit', '--action', 'worker.connect', '--json'));
    expect(channel).toContainEqual(expect.objectContaining({ decision: 'allow', resource_id: `${a.mark}-worker`, principal: 'token:worker' }));
    expect(worker.running(), worker.output()).toBe(true);
    await worker.stop();
  });

  it('twin: gets nothing from another pool, and is unknown there', async () => {
    const worker = await clientOf('worker').startPrefect(['worker', 'start', '--pool', b.pool, '--name', `${a.mark}-intruder`, '--type', 'process']);
    const records = async () => jsonLines(await gateway.lictorOk('audit', '--principal', 'token:worker', '--decision', 'deny', '--json'));
    await waitFor(async () => (await records()).some((record) => String(record['path']).includes(b.pool)), { what: 'a refusal', timeoutMs: 60_000 });
    await worker.stop();
    expect(await workersOf(b.pool)).toEqual([]);
    expect(await server.runState(b.scheduledRun)).toBe('SCHEDULED');
    const allowed = jsonLines(await gateway.lictorOk('audit', '--principal', 'token:worker', '--decision', 'allow', '--json'));
    expect(allowed.filter((record) => String(record['path']).includes(b.pool))).toEqual([]);
  });
});

describe('a worker by hand', () => {
  it.each([
    ['POST', 'get_scheduled_flow_runs', { limit: 1 }, 200],
    ['POST', 'workers/heartbeat', { name: 'by-hand' }, 204],
    ['POST', 'workers/filter', {}, 200],
    ['GET', '', undefined, 200],
    ['GET', 'queues/default', undefined, 200],
  ] as const)('%s %s: of its pool, and 404 of another', async (method, path, body, status) => {
    const of = (pool: string) => send('worker', method, `/api/work_pools/${pool}${path === '' ? '' : `/${path}`}`, body);
    expect((await of(a.pool)).status).toBe(status);
    expect(await of(b.pool)).toMatchObject({ status: 404, code: undefined });
  });

  const hello = {
    v: 1,
    type: 'worker.hello.v1',
    payload: { consumer_id: randomUUID(), worker_name: 'x', worker_type: 'process', create_pool_if_not_found: true },
  };
  const channel = (pool: string, byFrame: boolean) => {
    const token = tokens.get('worker') ?? '';
    const socket = openSocket(gateway.url, `/api/work_pools/${pool}/workers/connect`, {
      ...(byFrame ? {} : { headers: { authorization: `Bearer ${token}` } }),
      first: authFrame(byFrame ? `any:${token}` : null),
    });
    socket.opened.then((isOpen) => isOpen && socket.send(hello));
    return socket;
  };

  it.each([
    ['by header', false],
    ['by its first frame', true],
  ])('the channel of its pool opens, and no other, %s', async (_, byFrame) => {
    const own = channel(a.pool, byFrame);
    await waitFor(() => own.frames().some((frame) => frame.includes('auth_success')), { what: 'the channel to open' });
    own.close();
    for (const pool of [b.pool, `${a.mark}-new`]) {
      const { code, status, frames } = await channel(pool, byFrame).ended;
      expect([code, status, frames]).toEqual(byFrame ? [1008, null, []] : [null, 403, []]);
    }
    expect(list(await server.post('/work_pools/filter', { work_pools: { name: { any_: [`${a.mark}-new`] } } }))).toEqual([]);
    expect((await workersOf(b.pool)).map((item) => field(item, 'name'))).toEqual([]);
  });
});

describe('a deployer of a pool', () => {
  it('cannot deploy into another with the stock client, and nothing is made', async () => {
    const name = `${a.mark}-elsewhere`;
    const refused = await deployed(clientOf('deployer'), name, b.pool);
    expect(refused.code, refused.output).not.toBe(0);
    expect(await isThere(name)).toBe(false);
  });

  it('cannot set pull steps that a policy forbids, with the stock client or without', async () => {
    const name = `${a.mark}-steps`;
    const refused = await deployed(clientOf('strict'), name, a.pool);
    expect(refused.code, refused.output).not.toBe(0);
    expect(refused.output).toContain('policy-forbids');
    const body = { name, flow_id: a.flow, tags: [a.tag], work_pool_name: a.pool };
    const steps = { pull_steps: [{ 'prefect.deployments.steps.run_shell_script': { script: 'id' } }] };
    expect(await send('strict', 'POST', '/api/deployments/', { ...body, ...steps })).toMatchObject({ status: 403, code: 'policy-forbids' });
    expect(await isThere(name)).toBe(false);
    const made = await send('strict', 'POST', '/api/deployments/', body);
    expect(made.status, made.raw).toBe(201);
    const path = `/api/deployments/${text(field(JSON.parse(made.raw), 'id'))}`;
    expect(await send('strict', 'PATCH', path, steps)).toMatchObject({ status: 403, code: 'policy-forbids' });
    expect(await send('deployer', 'PATCH', path, steps)).toMatchObject({ status: 204 });
  });
});

describe('events of a scoped sender', () => {
  const related = (...ids: string[]) => ids.map((id) => ({ 'prefect.resource.id': id, 'prefect.resource.role': 'x' }));
  const about = async (team: Team, ...more: string[]) => ({
    ...eventAbout(team.deployment, `${a.mark}-${randomUUID()}`),
    related: related(`prefect.flow-run.${a.finishedRun}`, `prefect.flow.${a.flow}`, ...more),
  });
  const poolId = async (team: Team) => text(field(await server.get(`/work_pools/${team.pool}`), 'id'));
  const names = async (event: string) => JSON.stringify(await server.post('/events/filter', { filter: { event: { name: [event] } } })).includes(event);

  it('name the flow, pool and queue of the own run, and no others, in POST /events', async () => {
    const own = await about(a, `prefect.work-pool.${await poolId(a)}`, `prefect.work-queue.${a.queueId}`);
    expect(await send('deployer', 'POST', '/api/events', [own])).toMatchObject({ status: 204 });
    for (const foreign of [
      `prefect.flow.${b.flow}`,
      `prefect.work-pool.${await poolId(b)}`,
      `prefect.work-queue.${b.queueId}`,
      `prefect.deployment.${b.deployment}`,
    ])
      expect(await send('deployer', 'POST', '/api/events', [await about(a, foreign)]), foreign).toMatchObject({ status: 403 });
  });

  it('the same on /events/in: a foreign one is dropped and recorded, and what follows arrives', async () => {
    const socket = openSocket(gateway.url, '/api/events/in', { headers: { authorization: `Bearer ${tokens.get('deployer')}` }, first: authFrame(null) });
    await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the greeting' });
    const foreign = await about(a, `prefect.work-pool.${await poolId(b)}`);
    const own = await about(a, `prefect.work-pool.${await poolId(a)}`, `prefect.work-queue.${a.queueId}`);
    for (const event of [foreign, own]) socket.send(event);
    await waitFor(() => names(own.event), { what: 'the own event', timeoutMs: 60_000 });
    expect(await names(foreign.event)).toBe(false);
    const dropped = jsonLines(await gateway.lictorOk('audit', '--principal', 'token:deployer', '--decision', 'deny', '--json'));
    expect(dropped).toContainEqual(expect.objectContaining({ reason: 'event-foreign-run' }));
    socket.close();
  });
});
