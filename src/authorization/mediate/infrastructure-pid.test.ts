// Where a run executes: Prefect has a worker of its pool kill what stands there, so that only such a worker may write it.
import { describe, expect, it } from 'vitest';
import { codeOf, forbid, type Options, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

const ROUTE = `/api/flow_runs/${RUN}`;
const OTHERS_POD = { infrastructure_pid: 'team-b:job-of-team-b' };

async function patched(role: string, body: unknown, { pool = 'etl', ...options }: Options & { readonly pool?: string | null } = {}) {
  const prefect = prefectWith({ [`GET ${ROUTE}`]: { id: RUN, work_pool_name: pool, tags: [] } });
  const gate = startMediator({ prefect, ...options });
  const response = await gate.send({ role, method: 'PATCH', path: ROUTE, body });
  const isForwarded = gate.forwarded.some(({ method }) => method === 'PATCH');
  const { detail } = JSON.parse(response.body.toString()) as { detail?: string };
  return { gate, detail, isForwarded, result: response.status < 300 ? response.status : codeOf(response) };
}

describe('infrastructure_pid', () => {
  it.each(['worker', 'admin'])('a %s writes it, as the stock worker does after it has started something', async (role) => {
    expect(await patched(role, { infrastructure_pid: '9308' })).toMatchObject({ result: 200, isForwarded: true });
  });

  it.each(['run', 'deployer', 'operator', 'viewer'])('a %s does not, although it may change other fields of a run', async (role) => {
    for (const body of [OTHERS_POD, { infrastructure_pid: null }, { name: 'x', ...OTHERS_POD }]) {
      expect(await patched(role, body)).toMatchObject({ result: 'policy-default-deny', isForwarded: false });
    }
  });

  it('is not written by a run with its own token, not even where a policy lets runs poll', async () => {
    const policies = '@id("runs-poll") permit (principal in Role::"run", action == Action::"worker.poll", resource);';
    expect(await patched('run', OTHERS_POD, { run: RUN })).toMatchObject({ result: 'policy-default-deny', isForwarded: false });
    expect(await patched('run', OTHERS_POD, { run: RUN, policies })).toMatchObject({ result: 'run-bound', isForwarded: false });
    expect(await patched('worker', OTHERS_POD, { run: RUN })).toMatchObject({ result: 'run-bound', isForwarded: false });
    expect(await patched('run', { name: 'x', flow_version: '1' }, { run: RUN, policies })).toMatchObject({ result: 200, isForwarded: true });
  });

  it('is for the workers of the pool that the run is in', async () => {
    const scope = { tags: ['team-a'], workPools: ['etl'] };
    const run = { id: RUN, tags: ['team-a'], work_pool_name: 'etl' };
    const inside = prefectWith({ [`GET ${ROUTE}`]: run });
    expect(await patched('worker', OTHERS_POD, { scope, prefect: inside })).toMatchObject({ result: 200 });
    const tagged = { tags: ['team-a'], workPools: null };
    expect(await patched('worker', OTHERS_POD, { scope: tagged, prefect: inside })).toMatchObject({ result: 'scope-excludes', isForwarded: false });
    expect(await patched('worker', OTHERS_POD, { policies: forbid('worker.poll', 'WorkPool::"etl"') })).toMatchObject({ result: 'policy-forbids' });
    expect(await patched('worker', OTHERS_POD, { policies: forbid('worker.poll', 'WorkPool::"other"') })).toMatchObject({ result: 200 });
  });

  it('of a run without a pool is for a principal that may poll every pool', async () => {
    expect(await patched('worker', OTHERS_POD, { pool: null })).toMatchObject({ result: 200 });
    expect(await patched('worker', OTHERS_POD, { pool: null, scope: { workPools: ['etl'] } })).toMatchObject({ isForwarded: false });
    expect(await patched('run', OTHERS_POD, { pool: null, run: RUN })).toMatchObject({ isForwarded: false });
  });

  it('says what was wrong, in words and in the record', async () => {
    const { gate, detail } = await patched('run', OTHERS_POD, { run: RUN });
    expect(detail).toContain("infrastructure_pid says what a worker of the run's work pool kills");
    expect(gate.record()).toMatchObject({ action: 'worker.poll', decision: 'deny', reason: 'policy-default-deny', flow_run_id: RUN });
  });
});
