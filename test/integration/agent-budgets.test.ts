// The budgets of agents, their rules for parameters and the kill switch, at a real gateway before a real Prefect.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { poll, send, setState, tokenFor } from '../env/polled.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `budgets${Date.now().toString(36)}`;
const POOL = `${mark}-pool`;

let gateway: Gateway;
let deployment: string;
let worker: string;
const tokens = new Map<string, string>();

const agent = (name: string, budgets: object, further: object = {}) => ({
  ...{ name, sponsor: 'user:alice@local', credential: 'token', roles: [{ role: 'agent' }], taint: 'allow', budgets },
  ...further,
});
/** Where a worker puts the token of a run. */
const TEMPLATE = { job_configuration: { env: '{{ env }}' }, variables: { type: 'object', properties: { env: { type: 'object' } } } };
const RULE = { type: 'object', properties: { region: { enum: ['eu', 'us'] } }, additionalProperties: false };

beforeAll(async () => {
  await server.post('/work_pools/', { name: POOL, type: 'process', base_job_template: TEMPLATE });
  const flow = text(field(await server.post('/flows/', { name: `${mark}-flow` }), 'id'));
  const body = { name: 'nightly', flow_id: flow, work_pool_name: POOL, enforce_parameter_schema: false };
  deployment = text(field(await server.post('/deployments/', body), 'id'));
  const agents = [
    agent('five', { runs: '5/h', concurrent_runs: 20 }, { parameters: { [`${mark}-flow/*`]: RULE } }),
    agent('two', { concurrent_runs: 2 }),
    agent('runaway', { calls: '40/min' }),
    agent('parent', { descendants: 2 }),
    agent('stopped', {}),
  ];
  gateway = await startGateway({ upstream: prefect, config: { agents } });
  await gateway.account('alice', 'admin');
  worker = (await gateway.token('worker', ['worker'])).secret;
  for (const { name } of agents) tokens.set(name, (await gateway.token(name, [])).secret);
});
afterAll(() => gateway?.close());

const tokenOf = (name: string): string => tokens.get(name) ?? '';
const create = (token: string, body: object = {}) => send(gateway, 'POST', `/api/deployments/${deployment}/create_flow_run`, { token, body });
const read = (token: string) => gateway.fetch(`/api/deployments/${deployment}`, { token });

const codeOf = async (answer: Response): Promise<unknown> => field(await answer.json(), 'code');

async function runsOfPrefect(): Promise<number> {
  return list(await server.post('/flow_runs/filter', { flow_runs: { deployment_id: { any_: [deployment] } } })).length;
}

/** Begins the run as its worker does, and answers the run's own token. */
async function begin(run: string): Promise<string> {
  const token = await tokenFor(gateway, POOL, worker, run);
  expect((await setState(gateway, run, worker, 'PENDING')).status).toBe(201);
  return token;
}

describe('the budget of runs', () => {
  it('permits five in an hour: the sixth is 429, also after a restart, and nothing of it is in Prefect', async () => {
    const token = tokenOf('five');
    const before = await runsOfPrefect();
    expect((await create(token, { parameters: { region: 'SECRET' } })).status).toBe(403);
    for (const region of ['eu', 'us', 'eu', 'us', 'eu']) expect((await create(token, { parameters: { region } })).status).toBe(201);
    const sixth = await create(token);
    const seconds = Number(sixth.headers.get('retry-after'));
    expect([sixth.status, seconds > 3_000 && seconds <= 3_600, await sixth.json()]).toMatchObject([429, true, { code: 'budget-exceeded' }]);
    await gateway.stop();
    await gateway.up();
    expect((await create(token)).status).toBe(429);
    expect((await runsOfPrefect()) - before).toBe(5);
    const [five] = JSON.parse(await gateway.lictorOk('agent', 'list', '--json'));
    expect(five).toMatchObject({ name: 'five', sponsor: 'alice@local', budgets: { runs: { most: 5, used: 5, left: 0 } }, stopped: null });
  });

  it('refuses a parameter outside its rule and job variables, and names no value', async () => {
    const refused = await create(tokenOf('five'), { parameters: { region: 'SECRET' } });
    const body = await refused.text();
    expect([refused.status, JSON.parse(body)]).toMatchObject([
      403,
      { code: 'parameters-refused', detail: expect.stringContaining('parameters/region must be equal') },
    ]);
    expect(body).not.toContain('SECRET');
    expect((await create(tokenOf('five'), { job_variables: { image: 'x' } })).status).toBe(403);
  });

  it('permits two at once, in a race of 20, and another when one has ended', async () => {
    const token = tokenOf('two');
    const before = await runsOfPrefect();
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(token)));
    expect(answers.map(({ status }) => status).filter((status) => status !== 429)).toEqual([201, 201]);
    expect((await runsOfPrefect()) - before).toBe(2);
    const made = answers.find(({ status }) => status === 201);
    await server.post(`/flow_runs/${text(field(await made?.json(), 'id'))}/set_state`, { state: { type: 'CANCELLED' }, force: true });
    await waitFor(async () => (await create(token)).status === 201, { what: 'a run when one has ended', everyMs: 500 });
    expect((await create(token)).status).toBe(429);
  });
});

describe('a runaway agent', () => {
  it('gets exactly its calls, and others are served', async () => {
    const token = tokenOf('runaway');
    const other = (await gateway.token('other', ['viewer'])).secret;
    const statuses: number[] = [];
    for (let burst = 0; burst < 15; burst += 1) {
      statuses.push(...(await Promise.all(Array.from({ length: 20 }, async () => (await read(token)).status))));
      expect((await read(other)).status).toBe(200);
    }
    expect([statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 429).length]).toEqual([40, 260]);
    const last = await read(token);
    expect(Number(last.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(field(await last.json(), 'detail')).toContain('The agent runaway has used its budget calls: 40/min.');
  });

  it('whose runs start runs: as many as its budget are below one run', async () => {
    const root = text(field(await (await create(tokenOf('parent'))).json(), 'id'));
    const token = await begin(root);
    const child = await create(token);
    expect(child.status).toBe(201);
    const below = await begin(text(field(await child.json(), 'id')));
    expect((await create(below)).status).toBe(201);
    for (const each of [token, below]) expect([(await create(each)).status, await codeOf(await create(each))]).toEqual([403, 'descendants-exceeded']);
  });
});

describe('lictor agent stop', () => {
  it('ends the agent and the tokens of its runs when it returns, cancels its runs, and resume lets it go on', async () => {
    const token = tokenOf('stopped');
    const root = text(field(await (await create(token)).json(), 'id'));
    const runToken = await begin(root);
    const child = text(field(await (await create(runToken)).json(), 'id'));
    expect([(await read(token)).status, (await read(runToken)).status]).toEqual([200, 200]);
    await gateway.lictorOk('agent', 'stop', 'stopped', '--why', 'test');
    for (const each of [token, runToken]) expect([(await read(each)).status, await codeOf(await create(each))]).toEqual([403, 'locked']);
    expect(await gateway.lictorOk('agent', 'stop', 'stopped', '--cancel-runs')).toContain('2 runs are cancelled.');
    for (const run of [root, child]) expect(await server.runState(run)).toMatch(/^CANCELL/);
    expect((await poll(gateway, POOL, worker)).map(({ id }) => id)).not.toContain(child);
    const records = jsonLines(await gateway.lictorOk('audit', '--action', 'flow_runs.cancel', '--flow-run', root, '--json'));
    expect(records).toMatchObject([{ principal: expect.stringMatching(/^local:/), flow_run_id: root, decision: 'allow' }]);
    await gateway.lictorOk('agent', 'resume', 'stopped');
    expect((await read(token)).status).toBe(200);
  });
});
