// Runs in a separate network (own-network.ts): Lictor observes, nine stock workers move while 30 flows run, enforcement begins, and the printed rule closes
// the direct way. Prints what happened.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenNameOf } from '../../../src/operations/doctor/outside/worker-token-name.ts';
import { environmentOf } from '../../env/docs.ts';
import { lastJson, startGateway } from '../../env/gateway.ts';
import { MACHINE } from '../../env/own-network.ts';
import { directTo, field, list, text, withPatience } from '../../env/prefect.ts';
import { startPrefect } from '../../env/prefect-server.ts';
import { start, stopLeftOvers, waitFor } from '../../env/process.ts';
import { MAIN } from '../../env/program.ts';
import { deployTo, stockWorker, type WayToPrefect, type Worker } from '../../env/several/worker.ts';

const WORKERS = 9;
/** Two runs for each worker at first, one while its pool is paused, and three more. */
const LATER_RUNS = 3;

const files = mkdtempSync(join(tmpdir(), 'lictor-test-workers-'));
const prefect = await startPrefect({ everywhere: true });
const direct = directTo(prefect);
const port = new URL(prefect.url).port;
const machine = `http://${MACHINE}:${port}`;
const gateway = await startGateway({ upstream: prefect, config: { mode: 'observe' } });
const workers = Array.from({ length: WORKERS }, (_none, index) => stockWorker(prefect.venv, `etl-${index + 1}`));
const deployments = new Map<Worker, string>();
const runs: string[] = [];

try {
  console.log(JSON.stringify(await scenario()));
} finally {
  await Promise.all(workers.map((worker) => worker.stop()));
  await gateway.close();
  await prefect.stop();
  rmSync(files, { recursive: true });
  await stopLeftOvers();
}

async function scenario(): Promise<object> {
  for (const worker of workers) {
    await direct.post('/work_pools/', { name: worker.pool, type: 'process' });
    deployments.set(worker, await deployTo(worker, direct, 'steady'));
  }
  // The first one comes to the gateway with Prefect's auth string, which observe mode accepts.
  const urls = [gateway.url, ...workers.slice(1).map(() => machine)];
  await Promise.all(workers.map((worker, index) => worker.start({ PREFECT_API_URL: `${urls[index]}/api`, PREFECT_API_AUTH_STRING: prefect.authString })));
  await waitFor(async () => (await survey())['of'] === WORKERS, { what: 'nine workers in Prefect', timeoutMs: 120_000, everyMs: 1_000 });
  const waysBefore = waysIn(await survey());
  const doctorBefore = await doctor();
  for (const worker of [...workers, ...workers]) await startRun(worker);
  const command = await live();
  await waitFor(() => command.output().includes('EnvironmentFile='), { what: 'the lines to paste', timeoutMs: 60_000 });
  for (const worker of workers) await move(worker);
  for (const worker of workers.slice(0, LATER_RUNS)) await startRun(worker);
  await endOfRuns();
  const { code } = await command.exited;
  const rule = /table inet prefect \{[\s\S]*?\n {4}\}\n/.exec(command.output())?.[0] ?? '';
  const open = await reaches(machine);
  const withPassword = [await statusByPassword()];
  const report = await gateway.lictorOk('observe', 'report');
  for (const who of ['worker', 'run', 'shared-password']) await gateway.lictorOk('enforce', who);
  withPassword.push(await statusByPassword());
  await startRun(workers[1]);
  await endOfRuns();
  load(rule);
  await startRun(workers[0]);
  const last = await endOfRuns();
  const secrets = workers.map((worker) => wayOf(worker).PREFECT_API_AUTH_STRING.replace('any:', ''));
  return {
    ...{ runs: runs.length, states: last, exit: code, counts: command.output().match(/^\d of 9 through the gateway/gm) },
    ...{ open, closed: await reaches(machine), loopback: await reaches(prefect.url) },
    ...{ waysBefore, waysAfter: waysIn(await survey()), withPassword, reported: report.includes('shared-password') },
    ...{ doctorBefore, doctorAfter: await doctor(), printed: secrets.filter((secret) => command.output().includes(secret)).length },
    alive: workers.filter((worker) => worker.running()).length,
  };
}

/** Waits until all have moved. */
function live() {
  const args = [MAIN, '-c', gateway.configFile, '--state-dir', gateway.stateDir, 'migrate', 'workers', '--tokens', files];
  return start({ name: 'lictor migrate workers', command: process.execPath, args, env: { PATH: process.env['PATH'] } });
}

/** As docs/how-to/move-workers.md says: new runs wait while the pool is paused, and the worker ends without a run. */
async function move(worker: Worker): Promise<void> {
  await patchPool(worker, true);
  await startRun(worker);
  await waitFor(async () => (await activeIn(worker.pool)) === 0, { what: `the runs of ${worker.pool} to end`, timeoutMs: 300_000, everyMs: 500 });
  await worker.start(wayOf(worker));
  await patchPool(worker, false);
}

function wayOf({ pool, name }: Worker): WayToPrefect {
  const { PREFECT_API_URL: url = '', PREFECT_API_AUTH_STRING: auth = '' } = environmentOf(
    readFileSync(join(files, `${tokenNameOf({ pool, name })}.env`), 'utf8'),
  );
  return { PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: auth };
}

async function patchPool({ pool }: Worker, isPaused: boolean): Promise<void> {
  const headers = { authorization: `Basic ${Buffer.from(prefect.authString).toString('base64')}`, 'content-type': 'application/json' };
  const patch = { method: 'PATCH', headers, body: JSON.stringify({ is_paused: isPaused }) };
  const answer = await withPatience(() => fetch(`${prefect.url}/api/work_pools/${pool}`, patch));
  if (!answer.ok) throw new Error(`the pool could not be changed: ${answer.status}`);
}

async function startRun(worker: Worker | undefined): Promise<void> {
  const id = worker && deployments.get(worker);
  const run = await direct.post(`/deployments/${id}/create_flow_run`, { parameters: { count: 10, seconds: 0.3 }, state: { type: 'SCHEDULED' } });
  runs.push(text(field(run, 'id')));
}

/** Runs that a worker has taken. */
async function activeIn(pool: string): Promise<number> {
  const state = { type: { any_: ['PENDING', 'RUNNING', 'CANCELLING'] } };
  return list(await direct.post('/flow_runs/filter', { flow_runs: { state }, work_pools: { name: { any_: [pool] } } })).length;
}

/** How many runs ended in each state. */
async function endOfRuns(): Promise<Record<string, number>> {
  const states: Record<string, number> = {};
  for (const id of runs) {
    const state = await direct.awaitRunState(id, ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'], 600_000);
    states[state] = (states[state] ?? 0) + 1;
  }
  return states;
}

async function survey(): Promise<Record<string, unknown>> {
  return lastJson(await gateway.lictorOk('migrate', 'workers', '--json'));
}

/** How often each way is used. */
function waysIn(found: Record<string, unknown>): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(list(found['workers']), (one) => text(field(one, 'uses')))].map(([way, those]) => [way, those.length]));
}

/** What the gateway answers to Prefect's own auth string. */
async function statusByPassword(): Promise<number> {
  const headers = { authorization: `Basic ${Buffer.from(prefect.authString).toString('base64')}` };
  return (await gateway.fetch(`/api/work_pools/${workers[0]?.pool}`, { headers })).status;
}

async function doctor(): Promise<Record<string, unknown>> {
  const findings = list(lastJson((await gateway.lictor('doctor', '--json')).output)['findings']);
  const about = ['bypass', 'other-addresses', 'direct-workers'];
  return Object.fromEntries(
    findings.filter((one) => about.includes(String(field(one, 'check')))).map((one) => [String(field(one, 'check')), field(one, 'status')]),
  );
}

async function reaches(url: string): Promise<boolean> {
  return fetch(`${url}/api/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

function load(rule: string): void {
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: rule });
  if (status !== 0) throw new Error(`${stderr}\n${rule}`);
}
