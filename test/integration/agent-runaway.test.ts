// A runaway agent at a real gateway before a real Prefect: its budgets hold to the number, others feel nothing, and the kill switch ends it with its runs.

import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { TEMPLATE } from '../env/begun-runs.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { type Outcome, postOnce } from '../env/mcp-call.ts';
import { poll, setState } from '../env/polled.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { startRunaway } from './agents/runaway.ts';

const [CALLS, RUNS, DESCENDANTS] = [100, 6, 3];
const PER_SECOND = 100;
/** Each run of the agent tries so often to start another one, and so do those. */
const TRIES = 5;

const prefect = sharedPrefect();
const server = directTo(prefect);
const mark = `runaway${Date.now().toString(36)}`;
let gateway: Gateway;
let copilot: string;
let worker: string;
let viewer: string;
let deployment: string;

beforeAll(async () => {
  await server.post('/work_pools/', { name: mark, type: 'process', base_job_template: TEMPLATE });
  const flow = text(field(await server.post('/flows/', { name: mark }), 'id'));
  deployment = text(field(await server.post('/deployments/', { name: 'nightly', flow_id: flow, work_pool_name: mark }), 'id'));
  const agent = {
    ...{ name: 'copilot', sponsor: 'user:alice@local', credential: 'token', taint: 'allow' },
    roles: [{ role: 'agent', scope: { deployments: [`${mark}/nightly`] } }],
    budgets: { calls: `${CALLS}/min`, runs: `${RUNS}/h`, descendants: DESCENDANTS },
  };
  gateway = await startGateway({ upstream: prefect, config: { agents: [agent] } });
  await gateway.account('alice', 'operator');
  copilot = (await gateway.token('copilot', [])).secret;
  worker = (await gateway.token('etl', ['worker'])).secret;
  viewer = (await gateway.token('viewer', ['viewer'])).secret;
});
afterAll(() => gateway?.close());

const runsOfAll = async (): Promise<readonly unknown[]> =>
  list(await server.post('/flow_runs/filter', { flow_runs: { deployment_id: { any_: [deployment] } }, limit: 200 }));

const isOver = (budget: string, { code, detail }: Outcome): boolean => code === 'budget-exceeded' && detail.includes(`budget ${budget}:`);
/** Lictor refused it before the budget of calls counted it. */
const isUncounted = (call: Outcome): boolean => isOver('calls', call) || call.code === 'limit-exceeded';
/** A busy Prefect answered with an error: whether it started a run is not said. */
const isUncertain = ({ code }: Outcome): boolean => code !== null && (code.startsWith('prefect') || code.startsWith('upstream'));

/** Without it the reader itself would take all of the machine. */
const PAUSE_MS = 50;

/** Another client's reads of one object, until it is stopped: each is right. */
function startReader(): { stop(): Promise<number> } {
  let goesOn = true;
  const reading = (async () => {
    let count = 0;
    while (goesOn) {
      const response = await gateway.fetch(`/api/deployments/${deployment}`, { token: viewer });
      expect([response.status, field(await response.json(), 'id')]).toEqual([200, deployment]);
      count += 1;
      await wait(PAUSE_MS);
    }
    return count;
  })();
  return {
    stop() {
      goesOn = false;
      return reading;
    },
  };
}

interface Begun {
  readonly id: string;
  readonly token: string;
}

/** The worker takes what waits in its pool. */
async function begun(): Promise<readonly Begun[]> {
  const polled = await poll(gateway, mark, worker);
  await Promise.all(polled.map(({ id }) => setState(gateway, id, worker, 'PENDING')));
  return polled.map(({ id, token = '' }) => ({ id, token }));
}

const startsFrom = ({ token }: Begun): Promise<readonly Outcome[]> =>
  Promise.all(Array.from({ length: TRIES }, () => postOnce(gateway, { token, path: `/api/deployments/${deployment}/create_flow_run`, body: {} })));

it('stays within its budgets, delays no other client into an error, and ends with its runs', async () => {
  const runaway = startRunaway({ url: gateway.url, token: copilot, deployment, perSecond: PER_SECOND });
  onTestFinished(runaway.stop);
  const reader = startReader();
  onTestFinished(async () => void (await reader.stop()));
  const refused = () => runaway.answered.filter(isUncounted);
  const isPast = () => refused().length >= CALLS && runaway.answered.length - refused().length >= CALLS;
  await waitFor(isPast, { what: 'calls beyond the budget', timeoutMs: 50_000 });
  const counted = runaway.answered.filter((call) => !isUncounted(call));
  expect(counted.length).toBe(CALLS);
  expect(counted.filter((call) => isOver('runs', call)).length).toBeGreaterThan(0);

  const own = await runsOfAll();
  expect(own.length).toBeLessThanOrEqual(RUNS);
  expect(own.length + counted.filter((call) => call.starts && isUncertain(call)).length).toBeGreaterThanOrEqual(RUNS);

  const roots = await begun();
  expect(roots.length).toBeGreaterThan(0);
  expect(roots.map(({ id }) => id).sort()).toEqual(own.map((run) => text(field(run, 'id'))).sort());
  const below = (await Promise.all(roots.map(startsFrom))).flat();
  const exceeded = below.filter(({ code }) => code === 'descendants-exceeded').length;
  const codes = below.map(({ code }) => code).join(' ');
  expect(exceeded + below.filter(isUncertain).length, codes).toBeGreaterThanOrEqual(roots.length * (TRIES - DESCENDANTS));
  expect(exceeded).toBeGreaterThan(0);
  const children = await begun();
  expect(children.length).toBeLessThanOrEqual(roots.length * DESCENDANTS);
  // A busy Prefect may have left room for some below these.
  await Promise.all(children.map(startsFrom));

  await gateway.lictorOk('agent', 'stop', 'copilot', '--cancel-runs');
  const stoppedMs = performance.now();
  const late = () => runaway.answered.filter(({ atMs }) => atMs > stoppedMs);
  await waitFor(() => late().length >= PER_SECOND, { what: 'calls of the stopped agent', timeoutMs: 30_000 });
  await runaway.stop();
  expect(new Set(late().map(({ code }) => code))).toEqual(new Set(['locked']));
  expect(new Set((await Promise.all([...roots, ...children].map(startsFrom))).flat().map(({ code }) => code))).toEqual(new Set(['locked']));
  const all = await runsOfAll();
  expect(all.length).toBeLessThanOrEqual(roots.length * (1 + DESCENDANTS));
  expect(all.map((run) => text(field(run, 'state_type'))).filter((state) => !state.startsWith('CANCEL'))).toEqual([]);
  expect(await reader.stop()).toBeGreaterThan(0);
});
