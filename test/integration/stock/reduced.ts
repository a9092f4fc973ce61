// The part of the acceptance list that differs by carrier: a worker with its sockets, a flow with tasks, events, cancel, watch.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Running, waitFor } from '../../env/process.ts';
import { deploy, expectTaskRuns, flowRunIdOf, prefectOk, type StockSession, startRun, startWorker, succeeded, suiteOutcomes } from './session.ts';

/** Registers the short form of the checks; call inside `describe`. */
export function shortChecks(open: () => StockSession): void {
  workerChecks(open, ['mapped']);
}

/** Registers all of the checks; call inside `describe`. */
export function reducedChecks(open: () => StockSession): void {
  const session = workerChecks(open, ['mapped', 'slow']);
  clientChecks(session);
}

/** Answers what the checks use, once they run. */
function workerChecks(open: () => StockSession, flows: readonly string[]): () => StockSession {
  let session: StockSession;
  let events: Running;

  beforeAll(async () => {
    session = open();
    await prefectOk(session, 'work-pool', 'create', session.pool, '--type', 'process');
    for (const flow of flows) await deploy(session, flow);
    await startWorker(session);
    events = await streamEvents(session);
  });
  afterAll(() => session?.client.stop());

  it('a worker runs what deployment run --watch starts; task runs and events arrive', async () => void (await watchRun(session, events, 5)));

  return () => session;
}

export const streamEvents = ({ client }: StockSession): Promise<Running> => client.startPrefect(['events', 'stream', '--format', 'json']);

/** `deployment run --watch` of the flow `mapped`: its states, its log, its task runs and its events arrive. Answers its id. */
export async function watchRun(session: StockSession, events: Running, tasks: number): Promise<string> {
  const output = await prefectOk(session, 'deployment', 'run', `mapped/${session.pool}`, '--watch', '--param', `count=${tasks}`);
  const id = flowRunIdOf(output);
  expect(output).toContain("Flow run finished successfully in 'Completed'");
  expect(output).toContain('prefect.flow-run.Running');
  // A line of the log; of the last one the client does not wait once it has seen the end of the run.
  expect(output).toContain('Executing deployment step: set_working_directory');
  await expectTaskRuns(session, id, tasks);
  await waitFor(() => events.output().includes(id), { what: `an event of run ${id} on \`events stream\``, timeoutMs: 60_000 });
  const lastLine = async () => (await session.server.logMessages(id)).some((line) => line.includes(`mapped ${tasks} tasks`));
  await waitFor(lastLine, { what: 'the last line of its log', timeoutMs: 60_000, everyMs: 500 });
  return id;
}

function clientChecks(opened: () => StockSession): void {
  it('a running run is cancelled', async () => {
    const session = opened();
    const id = await startRun(session, `slow/${session.pool}`, 'seconds=120');
    await session.server.awaitRunState(id, ['RUNNING']);
    await prefectOk(session, 'flow-run', 'cancel', id);
    expect(await session.server.awaitRunState(id, ['CANCELLED'])).toBe('CANCELLED');
  });

  it('Python: 100 mapped tasks of a local flow, a Secret block, a variable', async () => {
    const session = opened();
    const outcomes = suiteOutcomes(succeeded(await session.client.python(['suite.py', 'mapped', 'blocks', 'variables']), 'suite.py'));
    expect(outcomes.get('mapped')).toMatchObject({ ok: true, state: 'COMPLETED' });
    expect(outcomes.get('blocks')).toMatchObject({ ok: true, value: 's3cret value' });
    expect(outcomes.get('variables')).toMatchObject({ ok: true, value: 'seven' });
    await expectTaskRuns(session, String(outcomes.get('mapped')?.['flow_run_id']), 100);
  });
}
