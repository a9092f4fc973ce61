// AU-01: automations act inside the server, so their authors need the right of every action, old and new.
import { describe, expect, it } from 'vitest';
import { DEPLOYMENT, forbid, json, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const CREATE = 'POST /api/automations/';
const ONE = `/api/automations/${RUN}`;
const run = { type: 'run-deployment', source: 'selected', deployment_id: DEPLOYMENT, parameters: null, job_variables: null };
const webhook = { type: 'call-webhook', block_document_id: RUN, payload: '' };
/** As `prefect deploy` of 3.9.1 sends it for a trigger. */
const stock = {
  name: 'a',
  description: '',
  enabled: true,
  trigger: { type: 'event', expect: ['x'], posture: 'Reactive', threshold: 1, within: 0 },
  actions: [{ ...run, parameters: { n: 2 }, schedule_after: 0 }],
  owner_resource: `prefect.deployment.${DEPLOYMENT}`,
};
const withActions = (...actions: unknown[]) => ({ ...stock, owner_resource: null, actions });
const made = prefectWith({ 'POST /api/work_pools/filter': [{ id: RUN, name: 'pool-a' }] }, { status: 201, body: json({ id: RUN }) });
const without = (...policies: string[]) => ({ prefect: made, policies: policies.join('\n') });

describe('creating an automation', () => {
  it('is asked with the facts of what it does, as that is by hand', async () => {
    const state = (type: string, more = {}) => ({ type: 'change-flow-run-state', state: type, ...more });
    const cases: readonly (readonly [fact: string, action: object, other: object])[] = [
      ['job_variables', { ...run, job_variables: { image: 'x' } }, run],
      ['parameters', { ...run, parameters: { n: 1 } }, run],
      ['force', state('FAILED', { force: true }), state('FAILED')],
      ['pauses', { type: 'pause-deployment', deployment_id: DEPLOYMENT }, run],
    ];
    const conditions = cases.map(([fact]) => `(context.facts has ${fact} && context.facts.${fact})`);
    const policies = `@id("no") forbid (principal, action, resource) when { ${[...conditions, '(context.facts has state_name && context.facts.state_name == "Gone")'].join(' || ')} };`;
    const options = { prefect: made, policies };
    for (const [fact, action, other] of [...cases, ['state_name', state('CRASHED', { name: 'Gone' }), state('CRASHED', { name: 'Lost' })] as const]) {
      expect([fact, (await outcomeOf('admin', CREATE, withActions(action), options)).result]).toEqual([fact, 'automation-exceeds-rights']);
      expect([fact, (await outcomeOf('admin', CREATE, withActions(other), options)).result]).toEqual([fact, 201]);
    }
  });

  it('of prefect deploy is for deployers, not for who may only run', async () => {
    const { gate, result } = await outcomeOf('deployer', CREATE, stock, { prefect: made });
    expect(result).toBe(201);
    expect(gate.last()).toEqual(stock);
    expect(gate.record()).toMatchObject({ action: 'automations.write', resource_type: 'Automation', resource_id: RUN });
    for (const role of ['viewer', 'operator', 'worker', 'run']) {
      expect(await outcomeOf(role, CREATE, stock, { prefect: made })).toMatchObject({ result: 'policy-default-deny', arrived: false });
    }
  });

  it.each([
    ['deployments.run', `Deployment::"${DEPLOYMENT}"`, run],
    ['deployments.run.parameters', `Deployment::"${DEPLOYMENT}"`, { ...run, parameters: { n: 1 } }],
    ['deployments.run.override', `Deployment::"${DEPLOYMENT}"`, { ...run, job_variables: { command: 'id' } }],
    ['deployments.pause', `Deployment::"${DEPLOYMENT}"`, { type: 'pause-deployment', deployment_id: DEPLOYMENT }],
    ['deployments.pause', `Deployment::"${DEPLOYMENT}"`, { type: 'resume-deployment', source: 'selected', deployment_id: DEPLOYMENT.toUpperCase() }],
    ['work_pools.pause', 'WorkPool::"pool-a"', { type: 'pause-work-pool', work_pool_id: RUN }],
    ['work_pools.pause', 'WorkPool::"pool-a"', { type: 'resume-work-pool', work_pool_id: RUN }],
    ['work_queues.pause', `WorkQueue::"${RUN}"`, { type: 'pause-work-queue', work_queue_id: RUN }],
    ['work_queues.pause', `WorkQueue::"${RUN}"`, { type: 'resume-work-queue', work_queue_id: RUN }],
    ['flow_runs.cancel', undefined, { type: 'cancel-flow-run' }],
    ['flow_runs.pause', undefined, { type: 'suspend-flow-run' }],
    ['flow_runs.resume', undefined, { type: 'resume-flow-run' }],
    ['flow_runs.delete', undefined, { type: 'delete-flow-run' }],
    ['flow_runs.cancel', undefined, { type: 'change-flow-run-state', state: 'CANCELLED' }],
    ['flow_runs.set_state', undefined, { type: 'change-flow-run-state', state: 'COMPLETED' }],
    ['flow_runs.force', undefined, { type: 'change-flow-run-state', state: 'FAILED', force: 'yes' }],
    ['variables.read', undefined, { ...run, parameters: { n: { __prefect_kind: 'workspace_variable', variable_name: 'v' } } }],
    ['variables.read', undefined, { ...run, parameters: { n: '{{ variables.secret }}' } }],
    ['variables.read', undefined, { ...run, parameters: { n: { __prefect_kind: 'jinja', template: '{% set v = variables %}{{ v }}' } } }],
    ['blocks.read_secrets', undefined, { ...run, job_variables: { env: { A: '{{ prefect.blocks.secret.a }}' } } }],
  ])('AU-01: needs %s on %s for %j', async (action, resource, given) => {
    for (const key of ['actions', 'actions_on_trigger', 'actions_on_resolve']) {
      const body = { ...withActions(), [key]: [given] };
      const { result, arrived, response } = await outcomeOf('deployer', CREATE, body, without(forbid(action, resource)));
      expect([result, arrived]).toEqual(['automation-exceeds-rights', false]);
      expect(response.body.toString()).toContain(action);
    }
    expect((await outcomeOf('deployer', CREATE, withActions(given), { prefect: made })).result).toBe(201);
  });

  it('the right on one deployment is none on another', async () => {
    const policies = forbid('deployments.run', `Deployment::"${RUN}"`);
    expect((await outcomeOf('deployer', CREATE, withActions(run, { ...run, deployment_id: RUN }), without(policies))).result).toBe('automation-exceeds-rights');
    expect((await outcomeOf('deployer', CREATE, withActions(run), without(policies))).result).toBe(201);
  });

  it.each([
    webhook,
    { type: 'send-notification', block_document_id: RUN, body: 'x' },
    { ...run, source: 'inferred', deployment_id: null },
    { ...run, source: 'inferred' },
    { ...run, deployment_id: 'x' },
    { type: 'pause-deployment' },
    { type: 'pause-work-pool', source: 'inferred' },
    { type: 'pause-work-queue', source: 'inferred' },
    { type: 'resume-automation', source: 'inferred' },
    { type: 'no-such-action' },
    { type: 'toString' },
    { type: ['run-deployment'] },
    { block_document_id: RUN, payload: '' },
    { type: 'change-flow-run-state' },
    { type: 'change-flow-run-state', state: 'COMPLETED', name: 'heartbeat' },
  ])('AU-01: %j is for administrators', async (action) => {
    const { gate, result, arrived } = await outcomeOf('deployer', CREATE, withActions(run, action), { prefect: made });
    expect([result, arrived]).toEqual(['automation-exceeds-rights', false]);
    expect(gate.record()).toMatchObject({ action: 'automations.write.unbounded', reason: 'automation-exceeds-rights', principal: 'token:deployer' });
    expect((await outcomeOf('admin', CREATE, withActions(run, action), { prefect: made })).result).toBe(201);
  });

  it('an owner must be a deployment that the author may write', async () => {
    const policies = forbid('deployments.write', `Deployment::"${DEPLOYMENT}"`);
    expect((await outcomeOf('deployer', CREATE, stock, without(policies))).result).toBe('automation-exceeds-rights');
    expect((await outcomeOf('deployer', CREATE, { ...stock, owner_resource: 'prefect.flow.x' }, { prefect: made })).result).toBe('automation-exceeds-rights');
    expect((await outcomeOf('deployer', CREATE, { ...stock, owner_resource: null }, { prefect: made })).result).toBe(201);
  });

  it('actions must be lists of objects, and not too many', async () => {
    for (const actions of [{}, 'x', [1], [null], Array.from({ length: 51 }, () => run)]) {
      expect((await outcomeOf('admin', CREATE, { ...stock, actions }, { prefect: made })).result).toBe('body-invalid');
    }
    expect((await outcomeOf('admin', CREATE, [], { prefect: made })).result).toBe('body-invalid');
    expect((await outcomeOf('deployer', CREATE, withActions({ type: 'do-nothing' }), { prefect: made })).result).toBe(201);
  });
});

describe('changing an automation', () => {
  const holding = (...actions: unknown[]) => ({ prefect: prefectWith({ [`GET ${ONE}`]: withActions(...actions) }, { status: 204 }) });

  it.each(['PUT', 'PATCH', 'DELETE'])('AU-01: %s needs the rights of what it did before', async (method) => {
    const body = method === 'PUT' ? withActions(run) : method === 'PATCH' ? { enabled: false } : undefined;
    expect((await outcomeOf('deployer', `${method} ${ONE}`, body, holding(run))).result).toBe(204);
    expect(await outcomeOf('deployer', `${method} ${ONE}`, body, holding(run, webhook))).toMatchObject({ result: 'automation-exceeds-rights', arrived: false });
    expect((await outcomeOf('admin', `${method} ${ONE}`, body, holding(webhook))).result).toBe(204);
    expect((await outcomeOf('operator', `${method} ${ONE}`, body, holding(run))).result).toBe('policy-default-deny');
  });

  it('PUT needs those of what it will do', async () => {
    expect((await outcomeOf('deployer', `PUT ${ONE}`, withActions(webhook), holding(run))).result).toBe('automation-exceeds-rights');
  });

  it('switching another automation on is doing what that one does', async () => {
    const resume = withActions({ type: 'resume-automation', automation_id: RUN });
    expect((await outcomeOf('deployer', CREATE, resume, holding(run))).result).toBe(204);
    expect((await outcomeOf('deployer', CREATE, resume, holding(webhook))).result).toBe('automation-exceeds-rights');
    expect((await outcomeOf('deployer', CREATE, resume, holding({ type: 'resume-automation', automation_id: DEPLOYMENT }))).result).toBe(
      'automation-exceeds-rights',
    );
    expect((await outcomeOf('deployer', CREATE, resume, { prefect: prefectWith({}) })).result).toBe('automation-exceeds-rights');
    const displacing = { ...run, job_variables: { env: { PREFECT_API_KEY: 'x' } } };
    expect((await outcomeOf('deployer', CREATE, resume, holding(displacing))).result).toBe('automation-exceeds-rights');
    expect((await outcomeOf('deployer', CREATE, resume, holding({ ...run, job_variables: { env: { A: 'x' } } }))).result).toBe(204);
  });

  it('those of a deployment are cleared by who may write it', async () => {
    const route = `DELETE /api/automations/owned-by/prefect.deployment.${DEPLOYMENT}`;
    expect((await outcomeOf('deployer', route)).result).toBe(201);
    const policies = forbid('deployments.write', `Deployment::"${DEPLOYMENT}"`);
    expect((await outcomeOf('deployer', route, undefined, without(policies))).result).toBe('automation-exceeds-rights');
    expect((await outcomeOf('deployer', 'DELETE /api/automations/owned-by/prefect.flow.x')).result).toBe('automation-exceeds-rights');
    expect((await outcomeOf('operator', route)).result).toBe('policy-default-deny');
  });
});
