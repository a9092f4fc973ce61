// Runs with tokens of their own under stock workers of 3.9.1: what the record says of each request, and who has started what.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CarrierName } from '../env/client.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { send } from '../env/polled.ts';
import { field, sharedPrefect, text } from '../env/prefect.ts';
import { type Running, waitFor } from '../env/process.ts';
import { streamEvents, watchRun } from './stock/reduced.ts';
import { expectTaskRuns, openSession, preparePool, type StockSession, startRun, startWorker } from './stock/session.ts';

const prefect = sharedPrefect();
let gateway: Gateway;
let secret: string;
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-run-tokens-'));
const tokenFile = join(directory, 'token');

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  secret = (await gateway.token('etl', ['deployer', 'worker'])).secret;
  writeFileSync(tokenFile, `${secret}\n`, { mode: 0o600 });
});
afterAll(async () => {
  await gateway?.close();
  rmSync(directory, { recursive: true });
});

type Line = Record<string, unknown>;

/** Every record of requests that came with this run's token, or are about it. */
async function recordsOf(run: string): Promise<readonly Line[]> {
  return jsonLines(await gateway.lictorOk('audit', '--flow-run', run, '--json'));
}

/** What the run's own process has sent: stock clients say their version, and the worker is another principal. */
async function ownShare(run: string, worker: string, since: string): Promise<{ readonly own: readonly Line[]; readonly others: readonly Line[] }> {
  const all = jsonLines(await gateway.lictorOk('audit', '--since', since, '--json'));
  return { own: all.filter(({ principal }) => principal === `run:${run}`), others: all.filter(({ principal }) => principal === worker) };
}

describe('a stock process worker with the custom header', () => {
  let session: StockSession;
  let worker: Running;
  let events: Running;
  beforeAll(async () => {
    session = openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'custom-x-lictor-token', token: secret } }, 'header');
    await preparePool(session, 'mapped', 'nested', 'starts');
    [worker, events] = await Promise.all([startWorker(session), streamEvents(session)]);
  });
  afterAll(() => session?.client.stop());

  it('every request and socket of a run of 60 tasks is verified to it, and none of it comes as the worker', async () => {
    const run = await watchRun(session, events, 60);
    expect((await recordsOf(run)).filter(({ decision }) => decision === 'deny')).toEqual([]);
    const { own, others } = await ownShare(run, 'token:etl', '10m');
    expect(own.length).toBeGreaterThan(10);
    const verified = own.filter(({ run_binding, flow_run_id }) => run_binding === 'verified' && flow_run_id === run);
    expect(verified.length / own.length).toBeGreaterThanOrEqual(0.99);
    expect(own.map(({ path }) => path)).toContain('/api/events/in');
    expect(own.map(({ path }) => path)).toContain('/api/logs/');
    expect(own.filter(({ decision }) => decision !== 'allow')).toEqual([]);
    // Its worker has written what is a worker's to write; the run's engine is not among it.
    const asWorker = others.filter(({ path, action }) => path === `/api/flow_runs/${run}/set_state` && action === 'flow_runs.set_state');
    expect(asWorker.length).toBeLessThanOrEqual(2);
    expect(field(await session.server.get(`/flow_runs/${run}`), 'infrastructure_pid')).toMatch(/\d/);
    expect(worker.running(), worker.output()).toBe(true);
  });

  it('sub-flows and run_deployment() carry who has started it all', async () => {
    const parent = await startRun(session, `nested/${session.pool}`);
    const outer = await startRun(session, `starts/${session.pool}`, `deployment=mapped/${session.pool}`);
    for (const run of [parent, outer]) {
      expect(await session.server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000)).toBe('COMPLETED');
      const children = await session.server.post('/flow_runs/filter', { flow_runs: { parent_flow_run_id: { any_: [run] } } });
      if (!Array.isArray(children)) throw new Error('no list');
      expect(children).toHaveLength(1);
      const [child] = children;
      expect(field(child, 'labels')).toMatchObject({ 'lictor.principal': `run:${run}`, 'lictor.on_behalf_of': 'token:etl' });
      await expectTaskRuns(session, text(field(child, 'id')), 3);
      const made = (await recordsOf(text(field(child, 'id')))).find(({ action }) => action === 'flow_runs.create' || action === 'deployments.run');
      expect(made).toMatchObject({ principal: `run:${run}`, on_behalf_of: ['token:etl'], run_binding: 'verified' });
      expect((await recordsOf(run)).filter(({ decision }) => decision === 'deny')).toEqual([]);
    }
  });

  it('another credential that names the run in a header is asserted', async () => {
    const other = await gateway.token('second', ['worker']);
    const run = await startRun(session, `mapped/${session.pool}`, 'count=1');
    await session.server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000);
    const headers = { 'X-Prefect-Flow-Run-Id': run };
    expect((await send(gateway, 'POST', '/api/flows/filter', { token: other.secret, body: {}, headers })).status).toBe(200);
    const log = [{ name: 'x', level: 20, message: 'm', timestamp: new Date().toISOString() }];
    expect((await send(gateway, 'POST', '/api/logs/', { token: other.secret, body: log, headers })).status).toBe(201);
    const theirs = (await recordsOf(run)).filter(({ principal }) => principal === 'token:second');
    // One that Prefect was too busy for is asked again.
    expect(new Set(theirs.map(({ path, run_binding }) => `${path} ${run_binding}`))).toEqual(new Set(['/api/flows/filter asserted', '/api/logs/ asserted']));
    expect(await gateway.lictorOk('audit', '--flow-run', run, '--principal', 'token:second')).toContain('asserted');
  });

  it('a job with its own command: variables of the worker win, so the run sets only the others', async () => {
    await setVariables(session, `mapped/${session.pool}`, { command: 'python -m prefect.engine' });
    const run = await completedRun(session);
    await expectVerified(run);
    expect((await pathsOf(run)).has('/api/events/out')).toBe(false);
  });
});

/** Set on the deployment as its author would, through the gateway. */
async function setVariables(session: StockSession, deployment: string, job_variables: unknown): Promise<void> {
  const [flow, name] = deployment.split('/');
  const id = text(field(await session.server.get(`/deployments/name/${flow}/${name}`), 'id'));
  expect((await send(gateway, 'PATCH', `/api/deployments/${id}`, { token: secret, body: { job_variables } })).status).toBe(204);
}

async function completedRun(session: StockSession): Promise<string> {
  const run = await startRun(session, `mapped/${session.pool}`, 'count=3');
  expect(await session.server.awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 180_000)).toBe('COMPLETED');
  await expectTaskRuns(session, run, 3);
  return run;
}

async function pathsOf(run: string): Promise<ReadonlySet<unknown>> {
  const all = jsonLines(await gateway.lictorOk('audit', '--since', '10m', '--json'));
  return new Set(all.filter(({ principal, run_binding }) => principal === `run:${run}` && run_binding === 'verified').map(({ path }) => path));
}

/** The last log lines come after the last state. */
async function expectVerified(run: string): Promise<void> {
  const wanted = [`/api/flow_runs/${run}`, `/api/flow_runs/${run}/set_state`, '/api/logs/', '/api/events/in'];
  const missing = async () => {
    const paths = await pathsOf(run);
    return wanted.filter((path) => !paths.has(path));
  };
  await waitFor(async () => (await missing()).length === 0, { what: 'the last requests of the run', timeoutMs: 90_000, everyMs: 1000 }).catch(() => undefined);
  expect(await missing()).toEqual([]);
}

describe('workers with other settings', () => {
  const opened = (carrier: CarrierName): StockSession =>
    openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier, token: secret } }, carrier);
  const watched = async (session: StockSession): Promise<string> => watchRun(session, await streamEvents(session), 3);

  it.each([
    ['auth-string', completedRun],
    ['custom-authorization', watched],
  ] as const)('%s: the run comes with its own token', async (carrier, runOf) => {
    const session = opened(carrier);
    try {
      await preparePool(session, 'mapped');
      await startWorker(session);
      const run = await runOf(session);
      await expectVerified(run);
      expect((await pathsOf(run)).has('/api/events/out')).toBe(true);
    } finally {
      await session.client.stop();
    }
  });

  it('under lictor exec the sidecar lets the run come as itself', async () => {
    const options = { venv: prefect.venv, url: gateway.url, credential: { carrier: 'none', token: '' }, exec: ['--as', `token:${tokenFile}`] } as const;
    const session = openSession(prefect, options, 'exec-run');
    try {
      await preparePool(session, 'mapped');
      await startWorker(session);
      const run = await completedRun({ ...session, options: opened('custom-x-lictor-token').options });
      await expectVerified(run);
      expect((await pathsOf(run)).has('/api/events/out')).toBe(true);
    } finally {
      await session.client.stop();
    }
  });
});
