// An agent at a real gateway: it does what its roles and its sponsor permit, its runs name both, and it ends with its sponsor.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TEMPLATE } from '../env/begun-runs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { watchLateness, watchWaiting } from '../env/lateness.ts';
import { send, setState, tokenFor } from '../env/polled.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `agents-${Date.now().toString(36)}`;

let gateway: Gateway;
let copilot: string;
let worker: string;
let nightly: string;
let other: string;

beforeAll(async () => {
  await server.post('/work_pools/', { name: mark, type: 'process', base_job_template: TEMPLATE });
  const flow = text(field(await server.post('/flows/', { name: mark }), 'id'));
  const make = async (name: string) => text(field(await server.post('/deployments/', { name, flow_id: flow, work_pool_name: mark }), 'id'));
  [nightly, other] = [await make('nightly'), await make('other')];
  const scope = { deployments: [`${mark}/nightly`] };
  const agent = { sponsor: 'user:alice@local', credential: 'token', taint: 'allow' };
  const agents = [
    { ...agent, name: 'copilot', roles: [{ role: 'agent', scope }] },
    { ...agent, name: 'deputy', sponsor: 'user:bob@local', roles: [{ role: 'operator' }] },
    { ...agent, name: 'orphan', sponsor: 'user:eve@local', roles: [{ role: 'agent' }] },
  ];
  gateway = await startGateway({ upstream: prefect, config: { agents } });
  await gateway.account('alice', 'operator');
  await gateway.account('bob', 'viewer');
  await gateway.account('eve', 'operator');
  copilot = (await gateway.token('copilot', [])).secret;
  worker = (await gateway.token('etl', ['worker'])).secret;
});
afterAll(() => gateway?.close());

const runs = (token: string) => send(gateway, 'POST', '/api/flow_runs/filter', { token, body: {} });
const start = (token: string, deployment: string) => send(gateway, 'POST', `/api/deployments/${deployment}/create_flow_run`, { token, body: {} });

describe('an agent', () => {
  it('reads and runs its deployment, and no other', async () => {
    const foreign = text(field(await server.post(`/deployments/${other}/create_flow_run`, {}), 'id'));
    const begun = await start(copilot, nightly);
    expect(begun.status).toBe(201);
    const run = text(field(await begun.json(), 'id'));
    const ids = list(await (await runs(copilot)).json()).map((each) => field(each, 'id'));
    expect(ids).toContain(run);
    expect(ids).not.toContain(foreign);
    expect((await start(copilot, other)).status).toBe(404);
  });

  it('may not do what its sponsor may not', async () => {
    const deputy = (await gateway.token('deputy', [])).secret;
    expect((await runs(deputy)).status).toBe(200);
    const refused = await start(deputy, nightly);
    expect(refused.status).toBe(403);
    expect(field(await refused.json(), 'detail')).toContain('bob@local');
    expect(JSON.parse(await gateway.lictorOk('explain', 'agent:deputy', 'deployments.run', '--json'))).toMatchObject({ decision: 'deny' });
  });

  it('is named with its sponsor on its run, and on a run below it', async () => {
    const run = text(field(await (await start(copilot, nightly)).json(), 'id'));
    const chain = { 'lictor.principal': 'agent:copilot', 'lictor.on_behalf_of': 'alice@local' };
    expect(field(await server.get(`/flow_runs/${run}`), 'labels')).toMatchObject(chain);
    const token = await tokenFor(gateway, mark, worker, run);
    await setState(gateway, run, worker, 'PENDING');
    const flow = field(await server.get(`/flow_runs/${run}`), 'flow_id');
    const below = await send(gateway, 'POST', '/api/flow_runs/', { token, body: { flow_id: flow, name: 'below' } });
    const inner = text(field(await below.json(), 'id'));
    expect(field(await server.get(`/flow_runs/${inner}`), 'labels')).toMatchObject({
      ...{ 'lictor.principal': `run:${run}`, 'lictor.on_behalf_of': 'agent:copilot,alice@local' },
    });
    const says = (id: string, words: string) =>
      waitFor(async () => (await gateway.lictorOk('timeline', id)).includes(words), { what: `the timeline to say ${words}`, timeoutMs: 60_000, everyMs: 1000 });
    await says(run, 'started by copilot for alice@local');
    await says(inner, `started by run:${run} for copilot for alice@local`);
    const [record] = jsonLines(await gateway.lictorOk('audit', '--principal', 'agent:copilot', '--action', 'deployments.run', '--json'));
    expect(record).toMatchObject({ principal: 'agent:copilot', principal_kind: 'agent', on_behalf_of: ['alice@local'], idp: null });
  });
});

describe('the sponsor', () => {
  const refusedWithin2s = async (token: string, code: string, change: () => Promise<unknown>) => {
    expect((await runs(token)).status).toBe(200);
    await change();
    const [from, lateness, waiting] = [performance.now(), watchLateness(), watchWaiting(gateway.pids().control)];
    const refused = await runs(token);
    expect(performance.now() - from).toBeLessThan(2000 + 6 * lateness() + waiting());
    expect([refused.status, field(await refused.json(), 'code')]).toEqual([403, code]);
  };

  it('who is locked ends the agent, until the lock is removed', async () => {
    await refusedWithin2s(copilot, 'locked', () => gateway.lictorOk('lock', 'alice@local'));
    await gateway.lictorOk('unlock', 'alice@local');
    expect((await runs(copilot)).status).toBe(200);
  });

  it('who is removed ends the agent', async () => {
    const orphan = (await gateway.token('orphan', [])).secret;
    await refusedWithin2s(orphan, 'agent-sponsor-ended', () => gateway.lictorOk('account', 'remove', 'eve'));
    const denials = async () => jsonLines(await gateway.lictorOk('audit', '--principal', 'agent:orphan', '--decision', 'deny', '--json'));
    await waitFor(async () => (await denials()).length > 0, { what: 'the record', everyMs: 200 });
    expect((await denials())[0]).toMatchObject({ reason: 'agent-sponsor-ended', on_behalf_of: ['eve@local'] });
  });
});
