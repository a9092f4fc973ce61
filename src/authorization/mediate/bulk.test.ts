// Bulk requests: exactly the objects that were decided on, and all or none of them.
import { describe, expect, it } from 'vitest';
import { codeOf, DEPLOYMENT, forbid, json, outcomeOf, prefectWith, RUN, startMediator } from './mediator.fixture.ts';

const SECOND = '22222222-2222-4222-8222-222222222222';
const found = (...ids: string[]) => ids.map((id) => ({ id, name: 'x' }));
const STATES = 'POST /api/flow_runs/bulk_set_state';
const CANCEL = { state: { type: 'CANCELLING', name: 'Cancelling' } };

describe('bulk_set_state', () => {
  const runs = (...ids: string[]) => prefectWith({ 'POST /api/flow_runs/filter': found(...ids) }, { body: json({ results: ids.map(result) }) });
  const result = (id: string) => ({ flow_run_id: id, status: 'ACCEPT' });

  it('sends the runs that were found, by id, whatever the filter would match later', async () => {
    const { gate, result: status } = await outcomeOf(
      'operator',
      STATES,
      { flow_runs: { state: { type: { any_: ['RUNNING'] } } }, limit: 10, ...CANCEL, force: true, extra: 1 },
      { prefect: runs(RUN, SECOND) },
    );
    expect(status).toBe(200);
    expect(JSON.parse(gate.forwarded[0]?.body?.toString() ?? '')).toEqual({ flow_runs: { state: { type: { any_: ['RUNNING'] } } }, limit: 10 });
    expect(gate.last()).toEqual({ flow_runs: { id: { any_: [RUN, SECOND] } }, limit: 2, ...CANCEL, force: true });
  });

  it('records every run that was changed', async () => {
    const { gate } = await outcomeOf('operator', STATES, CANCEL, { prefect: runs(RUN, SECOND) });
    expect(gate.record()).toMatchObject({ action: 'flow_runs.set_state.bulk', flow_run_id: null, decision: 'allow' });
    const bound = ['r1.1', 'r1.2'].map((id) => gate.record(id));
    expect(bound).toMatchObject([RUN, SECOND].map((id) => ({ flow_run_id: id, resource_type: 'FlowRun', resource_id: id, run_binding: 'verified' })));
  });

  it('is refused whole when one run may not be changed, and says of how many', async () => {
    const policies = forbid('flow_runs.cancel', `FlowRun::"${SECOND}"`);
    const { response, result: code, arrived, gate } = await outcomeOf('admin', STATES, CANCEL, { prefect: runs(RUN, SECOND), policies });
    expect([code, arrived]).toEqual(['bulk-item-forbidden', false]);
    expect(response.body.toString()).toContain('1 of the 2 flow runs that match may not be changed');
    expect(gate.record()).toMatchObject({ action: 'flow_runs.cancel', resource_id: SECOND, decision: 'deny', reason: 'bulk-item-forbidden' });
    expect((await outcomeOf('admin', STATES, CANCEL, { prefect: runs(RUN), policies })).result).toBe(200);
  });

  it('of no run at all is still decided, and names none', async () => {
    const { gate, result: status } = await outcomeOf('operator', STATES, CANCEL, { prefect: runs() });
    expect(status).toBe(200);
    expect(gate.last()).toMatchObject({ flow_runs: { id: { any_: [] } }, limit: 1 });
    expect((await outcomeOf('operator', STATES, { state: { type: 'COMPLETED' } }, { prefect: runs() })).result).toBe('policy-default-deny');
    expect((await outcomeOf('viewer', STATES, CANCEL, { prefect: runs() })).result).toBe('policy-default-deny');
  });

  it.each([{ limit: 51 }, { limit: 0 }, { limit: 1.5 }, { limit: '10' }, { flow_runs: [] }, { flow_runs: 'all' }, { force: 1 }, { state: null }])(
    'refuses %j',
    async (more) => {
      expect(await outcomeOf('admin', STATES, { ...CANCEL, ...more }, { prefect: runs(RUN) })).toMatchObject({ result: 'body-invalid', arrived: false });
    },
  );

  it('takes at most as many as it was asked for, beside numbers whose text stays unchanged', async () => {
    const { gate } = await outcomeOf('admin', STATES, { ...CANCEL, limit: 1 }, { prefect: runs(RUN, SECOND) });
    expect(gate.last()).toMatchObject({ flow_runs: { id: { any_: [RUN] } } });
    expect((await outcomeOf('admin', STATES, '{"state":{"type":"CANCELLED","n":1.0},"limit":2}', { prefect: runs(RUN) })).result).toBe(200);
  });

  it('does not guess when Prefect does not take the filter, or answers something else', async () => {
    for (const answer of [{ status: 422 }, { body: json({}) }, { body: json([{ id: 'x' }]) }]) {
      const gate = startMediator({ prefect: ({ path }) => (path.endsWith('/filter') ? answer : {}) });
      expect(codeOf(await gate.send({ role: 'admin', path: '/api/flow_runs/bulk_set_state', body: CANCEL }))).toBe('body-invalid');
      expect(gate.forwarded).toHaveLength(1);
    }
  });
});

describe.each([
  ['flow_runs', 'flow_runs.delete', 'FlowRun', 'flow runs'],
  ['deployments', 'deployments.delete', 'Deployment', 'deployments'],
  ['flows', 'flows.delete', 'Flow', 'flows'],
])('bulk_delete of %s', (key, action, type, noun) => {
  const route = `POST /api/${key}/bulk_delete`;
  const having = (...ids: string[]) => prefectWith({ [`POST /api/${key}/filter`]: found(...ids) }, { body: json({ deleted: ids }) });

  it('deletes what was decided on, and records each', async () => {
    const { gate, result } = await outcomeOf('deployer', route, { [key]: { name: { like_: 'x' } } }, { prefect: having(RUN, SECOND) });
    expect(result).toBe(200);
    expect(gate.last()).toEqual({ [key]: { id: { any_: [RUN, SECOND] } }, limit: 2 });
    expect(gate.record('r1.2')).toMatchObject({ action, resource_type: type, resource_id: SECOND });
    expect((await outcomeOf('deployer', route, undefined, { prefect: having(RUN) })).result).toBe(200);
  });

  it('is refused whole when one may not be deleted', async () => {
    const policies = forbid(action, `${type}::"${RUN}"`);
    const { result, response, arrived } = await outcomeOf('admin', route, {}, { prefect: having(RUN, SECOND), policies });
    expect([result, arrived]).toEqual(['bulk-item-forbidden', false]);
    expect(response.body.toString()).toContain(`1 of the 2 ${noun}`);
    expect((await outcomeOf('operator', route, {}, { prefect: having(RUN) })).result).toBe('policy-default-deny');
  });
});

describe('deleting a flow', () => {
  const prefect = prefectWith(
    { 'POST /api/deployments/filter': found(DEPLOYMENT), 'POST /api/flows/filter': found(RUN) },
    { status: 204, headers: {}, body: Buffer.alloc(0) },
  );

  it.each([`DELETE /api/flows/${RUN}`, 'POST /api/flows/bulk_delete'])('%s needs the right on its deployments too', async (route) => {
    expect((await outcomeOf('deployer', route, undefined, { prefect })).result).toBe(204);
    const policies = forbid('deployments.delete', `Deployment::"${DEPLOYMENT}"`);
    expect(await outcomeOf('deployer', route, undefined, { prefect, policies })).toMatchObject({ result: 'policy-forbids', arrived: false });
    expect((await outcomeOf('operator', route, undefined, { prefect })).result).toBe('policy-default-deny');
  });

  it.each([`DELETE /api/flows/${RUN}`, 'POST /api/flows/bulk_delete'])('%s needs the right to delete runs too: they go with it', async (route) => {
    const policies = forbid('flow_runs.delete');
    expect(await outcomeOf('deployer', route, undefined, { prefect, policies })).toMatchObject({ result: 'policy-forbids', arrived: false });
    expect((await outcomeOf('deployer', `DELETE /api/deployments/${DEPLOYMENT}`, undefined, { prefect, policies })).result).toBe(204);
  });
});
