// What the stock-client checks share: a client with one carrier, its work pool, deployments and worker, and Prefect itself to compare with.
import { expect } from 'vitest';
import { type ClientCredential, type ClientOptions, type StockClient, stockClient } from '../../env/client.ts';
import { type Direct, directTo, field, text, withPatience } from '../../env/prefect.ts';
import type { PrefectAddress } from '../../env/prefect-server.ts';
import { type Finished, type Running, waitFor } from '../../env/process.ts';

export interface StockSession {
  readonly client: StockClient;
  readonly server: Direct;
  /** Unique to this session: name of its pool, and ending of its deployments' names. */
  readonly pool: string;
  /** What its client is configured with. */
  readonly options: ClientOptions;
}

export function openSession(prefect: PrefectAddress, options: ClientOptions, name: string): StockSession {
  const pool = `pool-${name}-${Date.now().toString(36)}`;
  return { client: stockClient(options), server: directTo(prefect), pool, options };
}

/** Runs `prefect ARGS`, which must exit 0; answers what it printed. */
export async function prefectOk(session: StockSession, ...args: string[]): Promise<string> {
  return succeeded(await session.client.prefect(args), `prefect ${args.join(' ')}`);
}

export function succeeded(finished: Finished, what: string): string {
  expect(finished.code, `${what}\n${finished.output}`).toBe(0);
  return finished.output;
}

/** `prefect deploy` of a flow of flows/stock.py into the session's pool. */
export async function deploy(session: StockSession, flow: string): Promise<string> {
  const deployment = `${flow}/${session.pool}`;
  const output = await prefectOk(session, '--no-prompt', 'deploy', `stock.py:${flow}`, '--name', session.pool, '--pool', session.pool, '--tag', 'team-a');
  expect(output).toContain(`Deployment '${deployment}' successfully created`);
  return deployment;
}

/** The session's pool with deployments of these flows, by the API: `work-pool create` and `deploy` are what stock-client.test.ts checks. */
export async function preparePool({ server, pool, client }: StockSession, ...flows: readonly string[]): Promise<void> {
  const templates = field(await server.get('/collections/views/aggregate-worker-metadata'), 'prefect');
  const template = field(field(templates, 'process'), 'default_base_job_configuration');
  await server.post('/work_pools/', { name: pool, type: 'process', base_job_template: template });
  for (const flow of flows) await deployByApi({ server, pool, client }, flow);
}

/** As `deploy` does, straight at Prefect. */
export async function deployByApi({ server, pool, client }: Pick<StockSession, 'server' | 'pool' | 'client'>, flow: string): Promise<void> {
  const made = await server.post('/flows/', { name: flow });
  const pull_steps = [{ 'prefect.deployments.steps.set_working_directory': { directory: client.project } }];
  const place = { work_pool_name: pool, entrypoint: `stock.py:${flow}`, pull_steps };
  await server.post('/deployments/', { name: pool, flow_id: field(made, 'id'), ...place, tags: ['team-a'], parameter_openapi_schema: PARAMETERS });
}

/** Of all flows together: `deployment run` refuses a parameter that is not there. */
const PARAMETERS = { type: 'object', properties: { count: {}, limit: {}, seconds: {}, gate: {}, file: {}, deployment: {} } } as const;

export async function startWorker(session: StockSession): Promise<Running> {
  const worker = await session.client.startPrefect(['worker', 'start', '--pool', session.pool, '--name', `worker-${session.pool}`, '--type', 'process']);
  await waitFor(() => worker.output().includes('started!') || !worker.running(), { what: 'the worker to start', timeoutMs: 90_000 });
  expect(worker.running(), worker.output()).toBe(true);
  return worker;
}

/**
 * Starts a run, with its client's credential; answers its id. A command of Prefect costs five seconds of a core before it asks anything: here that is
 * left out, and `deployment run --watch` is the check of the command. Under `lictor exec`, and with an authority that Node does not know, the command runs.
 */
export async function startRun(session: StockSession, deployment: string, ...params: string[]): Promise<string> {
  const { url, credential } = session.options;
  if (credential.carrier === 'none' || url.startsWith('https:'))
    return flowRunIdOf(await prefectOk(session, 'deployment', 'run', deployment, ...params.flatMap((param) => ['--param', param])));
  const headers = { ...credentialHeaders(credential), 'content-type': 'application/json' };
  const id = text(field(await session.server.get(`/deployments/name/${deployment}`), 'id'));
  const parameters = Object.fromEntries(params.map((param) => [param.slice(0, param.indexOf('=')), parameterOf(param.slice(param.indexOf('=') + 1))]));
  const asked = { method: 'POST', headers, body: JSON.stringify({ parameters }) };
  const answer = await withPatience(() => fetch(`${url}/api/deployments/${id}/create_flow_run`, asked));
  expect(answer.status).toBe(201);
  return text(field(await answer.json(), 'id'));
}

/** As `--param` reads it: JSON, or else a text. */
function parameterOf(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function credentialHeaders({ carrier, token }: ClientCredential): Readonly<Record<string, string>> {
  if (carrier === 'custom-x-lictor-token') return { 'x-lictor-token': token };
  if (carrier !== 'auth-string') return { authorization: `Bearer ${token}` };
  const user = token.includes(':') ? token : `any:${token}`;
  return { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
}

/** The id in the output of `prefect deployment run`. */
export function flowRunIdOf(output: string): string {
  const id = /UUID: ([0-9a-f-]{36})/.exec(output)?.[1];
  if (id === undefined) throw new Error(`no flow run id in: ${output}`);
  return id;
}

/** All task runs of a run arrive on the server as Completed: `count` of them and nothing else. */
export async function expectTaskRuns(session: StockSession, flowRunId: string, count: number): Promise<void> {
  const states = (): Promise<Record<string, number>> => session.server.taskRunStates(flowRunId);
  try {
    await waitFor(async () => (await states())['COMPLETED'] === count, { what: `${count} completed task runs`, timeoutMs: 120_000 });
  } catch {
    // The comparison below says what is there instead.
  }
  expect(await states()).toEqual({ COMPLETED: count });
}

/** The outcomes that flows/suite.py printed, by check. */
export function suiteOutcomes(output: string): Map<string, Record<string, unknown>> {
  const outcomes = new Map<string, Record<string, unknown>>();
  for (const line of output.split('\n')) {
    const at = line.indexOf('CHECK {');
    if (at < 0) continue;
    const outcome: Record<string, unknown> = JSON.parse(line.slice(at + 'CHECK '.length));
    outcomes.set(String(outcome['check']), outcome);
  }
  return outcomes;
}
