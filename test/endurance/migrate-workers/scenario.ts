// Runs in a separate network (own-network.ts): Lictor observes, nine stock workers move while 30 flows run, enforcement begins, and the printed rule closes
// the direct way. Prints what happened.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tokenNameOf } from '../../../src/operations/doctor/outside/worker-token-name.ts';
import { environmentOf } from '../../env/docs.ts';
import { jsonLines, lastJson, startGateway } from '../../env/gateway.ts';
import { MACHINE } from '../../env/own-network.ts';
import { directTo, field, list, text, withPatience } from '../../env/prefect.ts';
import { startPrefect } from '../../env/prefect-server.ts';
import { start, stopLeftOvers, waitFor } from '../../env/process.ts';
import { MAIN } from '../../env/program.ts';
import { startPostgres } from '../../env/several/postgres.ts';
import { deployTo, stockWorker, type WayToPrefect, type Worker } from '../../env/several/worker.ts';

const WORKERS = 9;
/** Two runs for each worker at first, one while its pool is paused, three more, one after enforcement began, and one after the rule. */
const LATER_RUNS = 3;

const files = mkdtempSync(join(tmpdir(), 'lictor-test-workers-'));
// With nine workers at once, SQLite answers a worker 503 now and then, which ends a run that never came to the gateway.
const postgres = await startPostgres();
const prefect = await startPrefect({ everywhere: true, postgres: postgres.address });
const direct = directTo(prefect);
const port = new URL(prefect.url).port;
const machine = `http://${MACHINE}:${port}`;
const gateway = await startGateway({ upstream: prefect, config: { mode: 'observe' } });
const workers = Array.from({ length: WORKERS }, (_none, index) => stockWorker(prefect.venv, `etl-${index + 1}`));
const deployments = new Map<Worker, string>();
/** Each run with its worker and what the scenario did when it was created. */
const runs: { readonly id: string; readonly worker: string; readonly phase: Phase }[] = [];
type Phase = 'observed' | 'moving' | 'moved' | 'enforced' | 'closed';
let phase: Phase = 'observed';

try {
  console.log(JSON.stringify(await scenario()));
} finally {
  await Promise.all(workers.map((worker) => worker.stop()));
  await gateway.close();
  await prefect.stop();
  await postgres.stop();
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
  // The runs of a worker that moves later take longer, so that others run at each move.
  for (const [index, worker] of [...workers.entries(), ...workers.entries()]) await startRun(worker, 20 * (index + 1));
  const command = await live();
  const printed = () => command.output().includes('EnvironmentFile=') || !command.running();
  await waitFor(printed, { what: 'the lines to paste', timeoutMs: 180_000 });
  if (!command.running()) throw new Error(`the command ended: ${command.output()}`);
  const during: number[] = [];
  for (const worker of workers) {
    during.push(await move(worker));
    await waitFor(() => command.output().includes(`${during.length} of ${WORKERS} through the gateway`), { what: 'the count', timeoutMs: 120_000 });
  }
  phase = 'moved';
  for (const worker of workers.slice(0, LATER_RUNS)) await startRun(worker);
  await endOfRuns();
  const { code } = await command.exited;
  const rule = /table inet prefect \{[\s\S]*?\n {4}\}\n/.exec(command.output())?.[0] ?? '';
  const open = await reaches(machine);
  const withPassword = [await statusByPassword()];
  const predicted = jsonLines(await gateway.lictorOk('observe', 'report', '--json')).map((line) => `${whoIn(line)} ${line['would_be']}`);
  const enforcedAt = new Date().toISOString();
  for (const who of ['worker', 'run', 'shared-password']) await gateway.lictorOk('enforce', who);
  withPassword.push(await statusByPassword());
  phase = 'enforced';
  await startRun(workers[1]);
  await endOfRuns();
  load(rule);
  phase = 'closed';
  await startRun(workers[0]);
  const last = await endOfRuns();
  const secrets = workers.map((worker) => wayOf(worker).PREFECT_API_AUTH_STRING.replace('any:', ''));
  return {
    ...{
      runs: runs.length,
      states: last,
      during,
      unfinished: await unfinished(),
      exit: code,
      counts: command.output().match(/^\d of 9 through the gateway/gm),
    },
    ...{ open, closed: await reaches(machine), loopback: await reaches(prefect.url) },
    ...{ waysBefore, waysAfter: waysIn(await survey()), withPassword, predicted: [...new Set(predicted)], denied: await deniedSince(enforcedAt) },
    ...{ doctorBefore, doctorAfter: await doctor(), printed: secrets.filter((secret) => command.output().includes(secret)).length },
    alive: workers.filter((worker) => worker.running()).length,
  };
}

/** Waits until all have moved. */
function live() {
  const args = [MAIN, '-c', gateway.configFile, '--state-dir', gateway.stateDir, 'migrate', 'workers', '--tokens', files];
  return start({ name: 'lictor migrate workers', command: process.execPath, args, env: { PATH: process.env['PATH'] } });
}

/**
 * As docs/how-to/move-workers.md says: new runs wait while the pool is paused, and the worker ends without a run. Answers how many runs the other workers
 * have at its end.
 */
async function move(worker: Worker): Promise<number> {
  await patchPool(worker, true);
  await startRun(worker, 60);
  await waitFor(async () => (await activeIn([worker.pool])) === 0, { what: `the runs of ${worker.pool} to end`, timeoutMs: 300_000, everyMs: 500 });
  const others = await activeIn(workers.map(({ pool }) => pool));
  await worker.start(wayOf(worker));
  await patchPool(worker, false);
  return others;
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

async function startRun(worker: Worker | undefined, count = 10): Promise<void> {
  const id = worker && deployments.get(worker);
  const run = await direct.post(`/deployments/${id}/create_flow_run`, { parameters: { count, seconds: 0.3 }, state: { type: 'SCHEDULED' } });
  runs.push({ id: text(field(run, 'id')), worker: worker?.name ?? '', phase });
}

/** Runs that a worker has taken. */
async function activeIn(pools: readonly string[]): Promise<number> {
  const state = { type: { any_: ['PENDING', 'RUNNING', 'CANCELLING'] } };
  return list(await direct.post('/flow_runs/filter', { flow_runs: { state }, work_pools: { name: { any_: pools } } })).length;
}

/** How many runs ended in each state. */
async function endOfRuns(): Promise<Record<string, number>> {
  const states: Record<string, number> = {};
  for (const { id } of runs) {
    const state = await direct.awaitRunState(id, ['COMPLETED', 'FAILED', 'CRASHED', 'CANCELLED'], 600_000);
    states[state] = (states[state] ?? 0) + 1;
  }
  return states;
}

/** Without the address, or the name. */
function whoIn({ principal }: Record<string, unknown>): string {
  return String(principal).split(':')[0] ?? '';
}

/** Each kind of denial since then: the program that asked, the reason and the action. */
async function deniedSince(time: string): Promise<readonly string[]> {
  const denied = jsonLines(await gateway.lictorOk('audit', '--since', time, '--decision', 'deny', '--json'));
  return [...new Set(denied.map(({ user_agent: program, reason, action }) => `${program}: ${reason} ${action}`))];
}

/** What is known of each run that did not complete: why it ended, and what the gateway denied it. */
async function unfinished(): Promise<readonly object[]> {
  const found: object[] = [];
  for (const run of runs) {
    const state = field(await direct.get(`/flow_runs/${run.id}`), 'state');
    if (field(state, 'type') === 'COMPLETED') continue;
    const denied = jsonLines(await gateway.lictorOk('audit', '--flow-run', run.id, '--decision', 'deny', '--json'));
    const denials = denied.map(({ principal, action, reason, status }) => `${principal} ${action} ${reason} ${status}`);
    const log = (await direct.logMessages(run.id)).slice(-20);
    found.push({ ...run, state: field(state, 'type'), message: field(state, 'message'), denials, log });
  }
  return found;
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
