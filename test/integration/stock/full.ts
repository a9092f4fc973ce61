// The whole acceptance list for a stock client: the same whether a gateway stands in between or not.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Running } from '../../env/process.ts';
import { waitFor } from '../../env/process.ts';
import { streamEvents, watchRun } from './reduced.ts';
import { deploy, deployByApi, expectTaskRuns, prefectOk, type StockSession, startRun, startWorker, succeeded, suiteOutcomes } from './session.ts';

const LINES = 3072;

/** Registers the checks; call inside `describe`. Order matters: later checks use what earlier ones made. */
export function fullChecks(open: () => StockSession): void {
  let session: StockSession;
  let worker: Running;
  let events: Running;
  let outcomes: Promise<Map<string, Record<string, unknown>>>;

  beforeAll(async () => {
    session = open();
    await prefectOk(session, 'work-pool', 'create', session.pool, '--type', 'process');
    await Promise.all([deploy(session, 'mapped'), deployByApi(session, 'slow')]);
    [worker, events] = await Promise.all([startWorker(session), streamEvents(session)]);
  });
  afterAll(() => session?.client.stop());

  it('work-pool ls shows the pool that work-pool create made', async () => {
    expect(await prefectOk(session, 'work-pool', 'ls')).toContain(session.pool);
  });

  it('deployment run --watch of 100 mapped tasks completes, shows states and log lines, and all task runs arrive', async () => {
    const id = await watchRun(session, events, 100);
    const show = (...args: string[]) => prefectOk(session, 'flow-run', ...args);
    // Of all runs it lists the fifteen that are expected last, and schedules of other tests have many that are still to come.
    const shown = await Promise.all([show('logs', id), show('inspect', id), show('ls', '--state-type', 'COMPLETED')]);
    for (const [index, words] of ['mapped 100 tasks', 'COMPLETED', id].entries()) expect(shown[index]).toContain(words);
  });

  it('flow-run watch follows a run, flow-run cancel ends it', async () => {
    const id = await startRun(session, `slow/${session.pool}`, 'seconds=120');
    await session.server.awaitRunState(id, ['RUNNING']);
    const watching = await session.client.startPrefect(['flow-run', 'watch', id]);
    await waitFor(() => watching.output() !== '', { what: '`flow-run watch` to print', timeoutMs: 90_000 });
    await prefectOk(session, 'flow-run', 'cancel', id);
    expect(await session.server.awaitRunState(id, ['CANCELLED'])).toBe('CANCELLED');
    await watching.exited;
    expect(watching.output()).toContain('Cancelled');
  });

  it('variable set and get', async () => {
    const name = session.pool.replaceAll('-', '_');
    await prefectOk(session, 'variable', 'set', name, 'forty two');
    expect(await prefectOk(session, 'variable', 'get', name)).toContain('forty two');
  });

  it('task.serve() runs what another process delays', async () => {
    const server = await session.client.startPrefect(['task', 'serve', 'stock.py:background']);
    const finished = await session.client.python(['suite.py', 'delay']);
    const outcome = suiteOutcomes(succeeded(finished, 'suite.py delay')).get('delay');
    expect(outcome).toMatchObject({ ok: true, state: 'COMPLETED' });
    await server.stop();
  });

  it('flow.serve() runs its deployment', async () => {
    const server = await session.client.startPython(['serve.py', `served-${session.pool}`]);
    await waitFor(() => server.output().includes('being served'), { what: 'flow.serve() to begin', timeoutMs: 90_000 });
    await expectTaskRuns(session, await startRun(session, `mapped/served-${session.pool}`, 'count=3'), 3);
    expect(server.running()).toBe(true);
    await server.stop();
  });

  it('Python: a Secret block is saved and loaded, a variable set and read', async () => {
    outcomes = session.client.python(['suite.py', 'blocks', 'variables', 'chatty']).then((finished) => suiteOutcomes(succeeded(finished, 'suite.py')));
    expect((await outcomes).get('blocks')).toMatchObject({ ok: true, value: 's3cret value' });
    expect((await outcomes).get('variables')).toMatchObject({ ok: true, value: 'seven' });
  });

  it('3 MB of logs from one run: no line missing, none doubled', async () => {
    const outcome = (await outcomes).get('chatty');
    expect(outcome).toMatchObject({ ok: true, state: 'COMPLETED' });
    const id = String(outcome?.['flow_run_id']);
    const numbers = (await session.server.logMessages(id)).flatMap((message) => /^line (\d{6}) x+$/.exec(message)?.[1] ?? []);
    expect(numbers.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: LINES }, (_, index) => index));
  });

  it('worker start --run-once takes a run and ends', async () => {
    await worker.stop();
    const id = await startRun(session, `mapped/${session.pool}`, 'count=2');
    await prefectOk(session, 'worker', 'start', '--pool', session.pool, '--run-once');
    expect(await session.server.runState(id)).toBe('COMPLETED');
    await expectTaskRuns(session, id, 2);
  });
}
