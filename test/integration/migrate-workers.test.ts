// `lictor migrate workers` with a stock worker, and with heartbeats as older workers send them. test/endurance/migrate-workers.test.ts moves nine workers.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stockClient } from '../env/client.ts';
import { environmentOf } from '../env/docs.ts';
import { type Gateway, lastJson, startGateway } from '../env/gateway.ts';
import { field, list, sharedPrefect, text } from '../env/prefect.ts';
import { type Running, waitFor } from '../env/process.ts';
import { openSession, preparePool, type StockSession, startWorker } from './stock/session.ts';

const prefect = sharedPrefect();
const files = mkdtempSync(join(tmpdir(), 'lictor-test-workers-'));
let gateway: Gateway;
let session: StockSession;
let worker: Running;
beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  session = openSession(prefect, { venv: prefect.venv, url: prefect.url, credential: { carrier: 'auth-string', token: prefect.authString } }, 'moves');
  await preparePool(session);
  worker = await startWorker(session);
});
afterAll(async () => {
  await worker?.stop();
  await session?.client.stop();
  await gateway?.close();
  rmSync(files, { recursive: true });
});

type Survey = Record<string, unknown>;

/** Which way the workers of this test's pool use, by name. Other tests have workers too. */
function waysIn(survey: Survey): Record<string, unknown> {
  const workers = list(survey['workers']).filter((one) => field(one, 'pool') === session.pool);
  return Object.fromEntries(workers.map((one) => [text(field(one, 'name')), field(one, 'uses')]));
}

interface Until {
  readonly holds?: (survey: Survey) => boolean;
  /** Before each look. */
  readonly before?: () => Promise<unknown>;
}

async function untilSurvey(expected: Record<string, string>, { holds = () => true, before = async () => undefined }: Until = {}): Promise<void> {
  let seen: Survey = {};
  const isSo = async (): Promise<boolean> => {
    await before();
    seen = lastJson(await gateway.lictorOk('migrate', 'workers', '--json'));
    const ways = waysIn(seen);
    return JSON.stringify(ways) === JSON.stringify({ ...ways, ...expected }) && holds(seen);
  };
  await waitFor(isSo, { what: JSON.stringify(expected), timeoutMs: 60_000, everyMs: 2_000 }).catch(() => expect(seen).toEqual(expected));
}

const beat = (name: string) => ({ name, heartbeat_interval_seconds: 30 });

it('a stock worker moves with the file that the command writes', async () => {
  const name = `worker-${session.pool}`;
  await untilSurvey({ [name]: 'direct' });
  const printed = await gateway.lictorOk('migrate', 'workers', '--once', '--tokens', files, '--worker', name);
  const file = /EnvironmentFile=(\S+)/.exec(printed)?.[1] ?? '';
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const settings = environmentOf(readFileSync(file, 'utf8'));
  expect(settings['PREFECT_API_URL']).toBe(`${gateway.url}/api`);
  expect(printed).not.toContain(settings['PREFECT_API_AUTH_STRING']?.replace('any:', ''));
  await worker.stop();
  const moved = stockClient({ venv: prefect.venv, url: '', credential: { carrier: 'none', token: '' }, settings });
  worker = await startWorker({ ...session, client: moved });
  await untilSurvey({ [name]: 'gateway' });
});

it('a second process that sends heartbeats of its name directly is found', async () => {
  const name = `worker-${session.pool}`;
  // A heartbeat counts as another one if it is some seconds later than the latest through the gateway.
  await untilSurvey({ [name]: 'both' }, { before: () => session.server.post(`/work_pools/${session.pool}/workers/heartbeat`, beat(name)) });
});

const asJson = { 'content-type': 'application/json' };

/** Through the gateway. */
async function post(path: string, token: string, body: object): Promise<number> {
  return (await gateway.fetch(`/api${path}`, { method: 'POST', token, headers: asJson, body: JSON.stringify(body) })).status;
}

it('older workers without a channel, denied workers and direct runs are separated by the ledger', async () => {
  const [own, shared, reader] = [
    await gateway.token('old-1', ['worker']),
    await gateway.token('shared', ['worker']),
    await gateway.token('reader', ['viewer']),
  ];
  const flow = text(field(await session.server.post('/flows/', { name: 'moves' }), 'id'));
  const [direct = '', moved = ''] = await Promise.all(
    ['direct', 'moved'].map(async (name) => text(field(await session.server.post('/flow_runs/', { name, flow_id: flow, state: { type: 'RUNNING' } }), 'id'))),
  );
  const heartbeats = `/work_pools/${session.pool}/workers/heartbeat`;
  expect([await post(heartbeats, own.secret, beat('old-1')), await post(heartbeats, shared.secret, beat('old-2'))]).toEqual([204, 204]);
  expect(await post(`/work_pools/${session.pool}/get_scheduled_flow_runs`, reader.secret, {})).toBe(403);
  expect(await post(`/flow_runs/${moved}/set_state`, shared.secret, { state: { type: 'RUNNING' }, force: true })).toBe(201);
  const denied = { pool: session.pool, principal: 'token:reader', reason: 'policy-default-deny', count: 1 };
  await untilSurvey(
    { 'old-1': 'gateway', 'old-2': 'unclear' },
    {
      holds: (survey) => {
        const runs = list(survey['direct_runs']).map((one) => field(one, 'id'));
        return runs.includes(direct) && !runs.includes(moved) && list(survey['denied']).some((one) => JSON.stringify(one) === JSON.stringify(denied));
      },
    },
  );
  for (const run of [direct, moved]) await session.server.post(`/flow_runs/${run}/set_state`, { state: { type: 'COMPLETED' }, force: true });
});
