// Five ways in which a run begins: for each the timeline and the audit answer who, on whose behalf, by which right, from where, and with which request.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StockClient, stockClient } from '../env/client.ts';
import { type Gateway, jsonLines, lastJson, startGateway } from '../env/gateway.ts';
import { type Direct, directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { flowRunIdOf } from './stock/session.ts';

const prefect = sharedPrefect();
const server: Direct = directTo(prefect);
const NAME = `ways-${Date.now().toString(36)}`;
const JSON_TYPE = { 'content-type': 'application/json' };
let gateway: Gateway;
let client: StockClient;
let token: string;
let flow: string;
let deployment: string;

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  token = (await gateway.token('ci', ['deployer', 'worker'])).secret;
  client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token } });
  flow = text(field(await server.post('/flows/', { name: NAME }), 'id'));
  deployment = text(field(await server.post('/deployments/', { name: NAME, flow_id: flow }), 'id'));
});
afterAll(async () => {
  await client?.stop();
  await gateway?.close();
});

async function post(path: string, body: unknown, credential: object): Promise<unknown> {
  const answer = await gateway.fetch(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body), ...credential });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

const timeline = async (run: string) => jsonLines(await gateway.lictorOk('timeline', run, '--json'));

/** The first line of the timeline, once it says what is wanted. */
async function startOf(run: string, wanted: (start: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> {
  let start: Record<string, unknown> = {};
  const isThere = async (): Promise<boolean> => {
    const [head] = await timeline(run);
    start = field(head, 'started_by') as Record<string, unknown>;
    return wanted(start);
  };
  await waitFor(isThere, { what: 'the timeline to say how the run began', timeoutMs: 60_000, everyMs: 1_000 }).catch(() => undefined);
  return start;
}
const byRequest = (start: Record<string, unknown>): boolean => start['evidence'] === 'ledger';

/** The run of a deployment that Prefect made itself. */
async function madeRun(type: string, of: string): Promise<string> {
  const find = async (): Promise<string> => {
    const runs = list(await server.post('/flow_runs/filter', { flow_runs: { deployment_id: { any_: [of] } }, limit: 50, sort: 'EXPECTED_START_TIME_ASC' }));
    const run = runs.find((one) => field(one, 'created_by') !== null && field(field(one, 'created_by'), 'type') === type);
    return run === undefined ? '' : text(field(run, 'id'));
  };
  return text(await waitFor(find, { what: `a run of a ${type}`, timeoutMs: 200_000, everyMs: 1_000 }));
}

describe('a run begins', () => {
  it('by a person in the browser', async () => {
    const session = await gateway.login(await gateway.account('alice', 'admin'));
    const run = text(field(await post(`/api/deployments/${deployment}/create_flow_run`, { state: { type: 'SCHEDULED' } }, { session }), 'id'));
    const start = await startOf(run, byRequest);
    expect(start).toMatchObject({
      ...{ route: 'request', principal: 'alice@local', principal_kind: 'user', idp: 'local', on_behalf_of: [], action: 'deployments.run' },
      ...{ source_ip: expect.stringMatching(/^(?:127\.0\.0\.1|::1)$/), request_id: expect.stringMatching(/^[0-9a-f]{32}$/), evidence: 'ledger' },
    });
    expect(start['policies']).not.toEqual([]);
    const [first] = (await gateway.lictorOk('audit', '--flow-run', run)).split('\n');
    expect(first).toContain(`started by alice@local from ${String(start['source_ip'])}`);
    expect(first).toContain(String(start['request_id']));
  });

  it('by a service with the command line', async () => {
    const started = await client.prefect(['deployment', 'run', `${NAME}/${NAME}`]);
    expect(started.code, started.output).toBe(0);
    const run = flowRunIdOf(started.output);
    expect(await startOf(run, byRequest)).toMatchObject({ route: 'request', principal: 'token:ci', principal_kind: 'service', action: 'deployments.run' });
    expect(await gateway.lictorOk('timeline', run)).toContain('started by token:ci');
  });

  it('in another run: the timeline of each names the other, and who is behind both', async () => {
    const finished = await client.python(['nested.py']);
    expect(finished.code, finished.output).toBe(0);
    const ids = lastJson(finished.output);
    const [outer, inner] = [text(ids['outer']), text(ids['inner'])];
    const start = await startOf(inner, ({ parent }) => parent !== null);
    expect(start).toMatchObject({ route: 'request', principal: 'token:ci', parent: { flow_run_id: outer, start: { principal: 'token:ci' } } });
    const lines = await timeline(outer);
    expect(lines.filter(({ kind }) => kind === 'run').map(({ flow_run_id: id, depth }) => [id, depth])).toEqual([
      [outer, 0],
      [inner, 1],
    ]);
    const words = await gateway.lictorOk('timeline', inner);
    expect(words).toContain(`in the run ${String(lines[0]?.['name'])} ${outer}, which token:ci started`);
    await waitFor(async () => (await gateway.lictorOk('audit', '--flow-run', inner)).includes(`in the run ${String(lines[0]?.['name'])} ${outer}`), {
      ...{ what: 'the audit to name the outer run', timeoutMs: 60_000, everyMs: 1_000 },
    });
  });

  it('by an automation, with who made it', async () => {
    const trigger = { type: 'event', posture: 'Reactive', expect: [`${NAME}.placed`], threshold: 1, within: 0 };
    const action = { type: 'run-deployment', source: 'selected', deployment_id: deployment, parameters: {} };
    const made = await post('/api/automations/', { name: NAME, trigger, actions: [action] }, { token });
    const placed = { id: crypto.randomUUID(), occurred: new Date().toISOString(), event: `${NAME}.placed`, resource: { 'prefect.resource.id': 'order.1' } };
    const again = async (): Promise<boolean> => {
      await post('/api/events', [{ ...placed, id: crypto.randomUUID() }], { token });
      return list(await server.post('/flow_runs/filter', { flow_runs: { deployment_id: { any_: [deployment] } }, limit: 50 })).some(
        (run) => field(run, 'created_by') !== null,
      );
    };
    await waitFor(again, { what: 'the automation to act', timeoutMs: 120_000, everyMs: 2_000 });
    const run = await madeRun('AUTOMATION', deployment);
    const automation = { id: text(field(made, 'id')), name: NAME, made_by: 'token:ci' };
    expect(await startOf(run, ({ route }) => route === 'automation')).toMatchObject({ route: 'automation', by: automation, principal: null });
    await waitFor(async () => (await gateway.lictorOk('audit', '--flow-run', run)).includes('started by the automation'), {
      ...{ what: 'the audit to name the automation', timeoutMs: 60_000, everyMs: 1_000 },
    });
    expect(await gateway.lictorOk('timeline', run)).toContain(`started by the automation ${NAME} (${automation.id}), which token:ci made`);
  });

  it('by a schedule', async () => {
    const schedule = { schedule: { interval: 3600, timezone: 'UTC' }, active: true, slug: 'hourly' };
    // Prefect's scheduler looks at a new deployment every 5 s, and once a minute at one that gets a schedule later.
    const made = await post('/api/deployments/', { name: `${NAME}-hourly`, flow_id: flow, schedules: [schedule] }, { token });
    const run = await madeRun('SCHEDULE', text(field(made, 'id')));
    expect(await startOf(run, ({ route }) => route === 'schedule')).toMatchObject({
      route: 'schedule',
      by: { name: 'hourly', made_by: null },
      principal: null,
    });
    expect(await gateway.lictorOk('timeline', run)).toContain("started by Prefect's own scheduler: schedule hourly");
  }, 360_000);
});
