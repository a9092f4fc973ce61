// What the stock-client checks share: a client with one carrier, its work pool, deployments and worker, and Prefect itself to compare with.
import { expect } from 'vitest';
import { type ClientOptions, type StockClient, stockClient } from '../../env/client.ts';
import { type Direct, directTo } from '../../env/prefect.ts';
import type { PrefectAddress } from '../../env/prefect-server.ts';
import { type Finished, type Running, waitFor } from '../../env/process.ts';

export interface StockSession {
  readonly client: StockClient;
  readonly server: Direct;
  /** Unique to this session: name of its pool, and ending of its deployments' names. */
  readonly pool: string;
}

export function openSession(prefect: PrefectAddress, options: ClientOptions, name: string): StockSession {
  const pool = `pool-${name}-${Date.now().toString(36)}`;
  return { client: stockClient(options), server: directTo(prefect), pool };
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

export async function startWorker(session: StockSession): Promise<Running> {
  const worker = await session.client.startPrefect(['worker', 'start', '--pool', session.pool, '--name', `worker-${session.pool}`, '--type', 'process']);
  await waitFor(() => worker.output().includes('started!') || !worker.running(), { what: 'the worker to start', timeoutMs: 90_000 });
  expect(worker.running(), worker.output()).toBe(true);
  return worker;
}

/** `prefect deployment run` without `--watch`; answers the run's id. */
export async function startRun(session: StockSession, deployment: string, ...params: string[]): Promise<string> {
  return flowRunIdOf(await prefectOk(session, 'deployment', 'run', deployment, ...params.flatMap((param) => ['--param', param])));
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
