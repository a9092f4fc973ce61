// Parts of the gateway die while a stock flow of 100 tasks runs: the run completes, all task runs arrive, the ledger is whole.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StockClient, stockClient } from '../env/client.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { directTo, field, list, sharedPrefect, text } from '../env/prefect.ts';
import { type Finished, isAlive, signalProcess, waitFor } from '../env/process.ts';
import { startPostgres } from '../env/several/postgres.ts';
import { startRecorder } from '../env/upstream-recorder.ts';
import { controlPlaneAway } from './restarts/away.ts';
import { leavesInOrder } from './restarts/leaving.ts';
import { isReplacedUnderLoad, remainsIfNotReplaced, remainsIfPortsCannotPass } from './restarts/replaced.ts';
import { suiteOutcomes } from './stock/session.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
let gateway: Gateway;
let client: StockClient;
let secret: string;

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  secret = (await gateway.token('flow', ['deployer', 'worker'])).secret;
  client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'custom-authorization', token: secret } });
});
afterAll(async () => {
  await client?.stop();
  await gateway?.close();
});

interface Underway {
  readonly id: string;
  readonly finished: Promise<Finished>;
  /** Waits until so many task runs are on the server. */
  reach(count: number): Promise<void>;
  /** Lets it go beyond 60 tasks: a stock client sends again what got lost on its way only when it has more to say. */
  goOn(): void;
}

const GATE = 'gate';

/** Starts the flow of 100 tasks and waits until it runs. */
async function begin(): Promise<Underway> {
  const since = new Date().toISOString();
  const credential = { carrier: 'custom-authorization', token: secret } as const;
  const runner = stockClient({ venv: prefect.venv, url: gateway.url, credential, settings: { STEADY_GATE: GATE } });
  const finished = runner.python(['suite.py', 'steady'], 280_000);
  const filter = { flow_runs: { state: { type: { any_: ['RUNNING'] } }, start_time: { after_: since } }, flows: { name: { any_: ['steady'] } } };
  const run = await waitFor(async () => list(await server.post('/flow_runs/filter', filter))[0], { what: 'the flow to run', timeoutMs: 120_000 });
  const id = text(field(run, 'id'));
  const count = async (): Promise<number> => Object.values(await server.taskRunStates(id)).reduce((sum, some) => sum + some, 0);
  return {
    id,
    finished,
    reach: async (wanted) => void (await waitFor(async () => (await count()) >= wanted, { what: `${wanted} task runs`, timeoutMs: 90_000 })),
    goOn: () => writeFileSync(join(runner.project, GATE), ''),
  };
}

async function expectWhole(underway: Underway): Promise<void> {
  const { code, output } = await underway.finished;
  expect(code, output).toBe(0);
  expect(suiteOutcomes(output).get('steady')).toMatchObject({ ok: true, state: 'COMPLETED', flow_run_id: underway.id });
  await waitFor(async () => (await server.taskRunStates(underway.id))['COMPLETED'] === 100, { what: '100 completed task runs', timeoutMs: 120_000 });
  expect(await server.taskRunStates(underway.id)).toEqual({ COMPLETED: 100 });
  expect(await server.runState(underway.id)).toBe('COMPLETED');
}

async function killControlPlane(): Promise<void> {
  const before = gateway.pids();
  signalProcess(before.control, 'SIGKILL');
  await waitFor(async () => !isAlive(before.control) && (await gateway.isReady()), { what: 'a new control plane', timeoutMs: 90_000, everyMs: 500 });
  const after = gateway.pids();
  expect(after.control).not.toBe(before.control);
  expect([after.nginx, after.workers]).toEqual([before.nginx, before.workers]);
}

interface AccessLine {
  readonly request_id: string;
  readonly taken: string;
  /** Empty: refused before anybody decided, so of nobody. */
  readonly facts: string;
}

function accessLog(): AccessLine[] {
  return readFileSync(join(gateway.stateDir, 'log', 'access.log'), 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line));
}

async function audit(): Promise<Record<string, unknown>[]> {
  return jsonLines(await gateway.lictorOk('audit', '--json'));
}

const idsOf = (lines: readonly AccessLine[]): readonly string[] => [...new Set(lines.map(({ request_id }) => request_id))];

/**
 * Every request of the access log is in the ledger exactly once; nothing is there twice. A socket has a record for each of its decisions:
 * where a control plane dies between the record and the 101, nginx asks the next one, which decides and records it too (docs/how-to/audit.md).
 */
async function expectLedgerWhole(): Promise<void> {
  const requests = idsOf(accessLog().filter(({ taken }) => taken !== 'own'));
  expect(requests.length).toBeGreaterThan(0);
  let missing: readonly string[] = requests;
  await waitFor(
    async () => {
      const known = new Set((await audit()).map((record) => record['request_id']));
      missing = requests.filter((id) => !known.has(id));
      return missing.length === 0;
    },
    { what: 'every request of the access log to be in the ledger', timeoutMs: 30_000, everyMs: 500 },
  ).catch(() => undefined);
  if (missing.length > 0) await expectSummedUp(missing);
  expect(await gateway.lictorOk('audit', 'verify')).toContain('no record was edited, removed, added or moved');
  const records = (await audit()).filter((record) => record['path_taken'] !== 'relay');
  const ids = records.map((record) => record['request_id']).filter((id) => id !== null);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
}

/**
 * On a slow machine more than a hundred requests of nobody come in a minute while the control plane is away: those beyond are counted, and
 * so are all questions whether it is ready (src/record/ledger/floods.ts). Each request without a separate record is unauthenticated, and in a sum.
 */
async function expectSummedUp(missing: readonly string[]): Promise<void> {
  const ofNobody = () => idsOf(accessLog().filter(({ facts }) => facts === ''));
  expect(missing.filter((id) => !ofNobody().includes(id))).toEqual([]);
  await waitFor(
    async () => {
      const records = await audit();
      const known = new Set(records.map((record) => record['request_id']));
      const sums = records.filter((record) => ['requests.summary', 'requests.probes'].includes(String(record['action'])));
      const summed = sums.reduce((sum, record) => sum + Number(record['resource_id']), 0);
      return ofNobody().filter((id) => !known.has(id)).length === summed;
    },
    { what: 'the sums to be those of the requests without a record', timeoutMs: 150_000, everyMs: 1_000 },
  );
}

describe('kill -9 during a flow', () => {
  it('the control plane twice, an nginx worker, then everything: the run completes, the ledger is whole and names the gap', async () => {
    const underway = await begin();
    await underway.reach(10);
    await killControlPlane();
    await underway.reach(30);
    await killControlPlane();
    await underway.reach(50);
    const [worker = 0] = gateway.pids().workers;
    signalProcess(worker, 'SIGKILL');
    await waitFor(async () => (await audit()).some((record) => record['reason'] === 'edge-worker-died'), {
      what: 'a record of the gap',
      timeoutMs: 60_000,
      everyMs: 500,
    });
    await gateway.killAll();
    await gateway.up();
    underway.goOn();
    await expectWhole(underway);
    await expectLedgerWhole();
    const ofRun = jsonLines(await gateway.lictorOk('audit', '--flow-run', underway.id, '--json'));
    const mediated = ofRun
      .filter((record) => record['path_taken'] === 'mediated')
      .map((record) => `${record['method']} ${record['status']} ${record['action']}`);
    expect(mediated.filter((line) => line.startsWith('POST 201') && line.includes('set_state')).length, mediated.join('\n')).toBeGreaterThanOrEqual(2);
    // While no control plane was there to decide, what was not decided before is refused, of nobody.
    const ofOthers = ofRun.filter((record) => record['principal'] !== 'token:flow').map((record) => `${record['principal']} ${record['status']}`);
    expect(ofOthers.filter((line) => line !== 'null 503')).toEqual([]);
  }, 600_000);
});

/** In full: test/endurance/restarts.test.ts. */
it('the control plane is away: decided callers go on, others get 503 with Retry-After and Prefect-Maintenance, and a worker lives', async () => {
  await controlPlaneAway({ gateway, client, server, awayMs: 8_000 });
}, 120_000);

describe('revocation', () => {
  const ask = (secret: string) =>
    gateway.fetch('/api/flows/filter', { method: 'POST', token: secret, headers: { 'content-type': 'application/json' }, body: '{}' });

  it('a revoked token is refused on the next request although its decision was cached; nginx is not touched', async () => {
    const { secret } = await gateway.token('revoked-1', ['viewer']);
    const { nginx, workers } = gateway.pids();
    expect((await ask(secret)).status).toBe(200);
    await gateway.lictorOk('token', 'revoke', 'revoked-1');
    expect((await ask(secret)).status).toBe(401);
    expect([gateway.pids().nginx, gateway.pids().workers]).toEqual([nginx, workers]);
  });

  it('the same while the control plane is dead, and after it is back', async () => {
    const { secret } = await gateway.token('revoked-2', ['viewer']);
    const { supervisor, control, nginx, workers } = gateway.pids();
    expect((await ask(secret)).status).toBe(200);
    signalProcess(supervisor, 'SIGSTOP');
    signalProcess(control, 'SIGKILL');
    try {
      expect((await ask(secret)).status).toBe(200);
      await gateway.lictorOk('token', 'revoke', 'revoked-2');
      expect((await ask(secret)).status).toBe(503);
    } finally {
      signalProcess(supervisor, 'SIGCONT');
    }
    await waitFor(() => gateway.isReady(), { what: 'the gateway to be ready again', timeoutMs: 90_000 });
    expect((await ask(secret)).status).toBe(401);
    expect([gateway.pids().nginx, gateway.pids().workers]).toEqual([nginx, workers]);
  });

  it('the same right after a kill -9 of the control plane', async () => {
    const { secret } = await gateway.token('revoked-3', ['viewer']);
    expect((await ask(secret)).status).toBe(200);
    signalProcess(gateway.pids().control, 'SIGKILL');
    await gateway.lictorOk('token', 'revoke', 'revoked-3');
    const status = await waitFor(async () => (await ask(secret)).status, { what: 'an answer' });
    expect([401, 503]).toContain(status);
    await waitFor(() => gateway.isReady(), { what: 'the gateway to be ready again', timeoutMs: 90_000 });
    expect((await ask(secret)).status).toBe(401);
  });
});

it('is replaced under load, then gets SIGTERM: not ready at once, sockets close with 1012, requests end, and no process stays behind', async () => {
  const recorder = await startRecorder();
  const ports = { metrics: await freePort(), forward: await freePort() };
  const listening = { metrics: { listen: `127.0.0.1:${ports.metrics}` }, forward_proxy: { listen: `127.0.0.1:${ports.forward}`, allow: ['api.example.com'] } };
  const own = await startGateway({ upstream: recorder, config: { shutdown_delay: '1s', ...listening } });
  const { secret } = await own.token('deployer', ['deployer']);
  const session = await own.login(await own.account('alice', 'viewer'));
  const restore = await remainsIfPortsCannotPass(own);
  await remainsIfNotReplaced({ gateway: own, token: secret });
  await isReplacedUnderLoad({ gateway: own, recorder, token: secret, session, ports }).finally(restore);
  const { supervisor, control, nginx, workers } = own.pids();
  await leavesInOrder({ gateway: own, recorder, token: secret });
  expect([supervisor, control, nginx, ...workers].filter(isAlive)).toEqual([]);
  await own.close();
  await recorder.close();
});

it('is replaced under load with a Postgres store: the new one has the row of the node, and its records go to the store', async () => {
  const [postgres, recorder] = [await startPostgres(), await startRecorder()];
  const own = await startGateway({ upstream: recorder, config: { node: 'one', store: `postgres://${postgres.address}`, shutdown_delay: '1s' } });
  const { secret } = await own.token('deployer', ['deployer']);
  const session = await own.login(await own.account('alice', 'viewer'));
  const client = new pg.Client(`postgres://${postgres.address}`);
  await client.connect();
  const rows = async (text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> =>
    (await client.query(text, [...values])).rows;
  const [former] = await rows('select name, instance, started_ms from nodes');
  await isReplacedUnderLoad({ gateway: own, recorder, token: secret, session });
  const after = await rows('select name, instance, started_ms > $1 as later from nodes', [former?.['started_ms']]);
  expect(after).toMatchObject([{ name: 'one', instance: former?.['instance'], later: true }]);
  const [last] = jsonLines(await own.lictorOk('audit', '--last', '1', '--json'));
  await waitFor(async () => (await rows('select 1 from ledger_records where hash = $1', [last?.['hash']])).length === 1, {
    what: 'the last record in the store',
  });
  expect(await rows('select count(*) = max(seq) as whole from ledger_records')).toEqual([{ whole: true }]);
  await own.close();
  expect(await rows('select name from nodes')).toEqual([]);
  await client.end();
  await Promise.all([postgres.stop(), recorder.close()]);
});
