// Work pools and queues: the template is code, pausing is its own right.
import { describe, expect, it } from 'vitest';
import { forbid, json, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const TEMPLATE = { job_configuration: { command: '{{ command }}' }, variables: { type: 'object', properties: {} } };
const OLD = { id: RUN, name: 'p', base_job_template: TEMPLATE, is_paused: false, concurrency_limit: null };
const there = prefectWith({ 'GET /api/work_pools/p': OLD, 'GET /api/work_pools/p%20q': OLD }, { status: 201, body: json({ id: RUN }) });
const without = (...actions: string[]) => ({ prefect: there, policies: actions.map((action) => forbid(action)).join('\n') });
const UPDATE = 'PATCH /api/work_pools/p';
const CREATE = 'POST /api/work_pools/';

describe('work pools', () => {
  it('are for deployers to write', async () => {
    for (const role of ['deployer', 'admin']) {
      expect((await outcomeOf(role, CREATE, { name: 'p', type: 'process' })).result).toBe(201);
      expect((await outcomeOf(role, UPDATE, { base_job_template: {} }, { prefect: there })).result).toBe(201);
    }
    for (const role of ['operator', 'worker', 'run', 'viewer']) {
      expect(await outcomeOf(role, UPDATE, { is_paused: true }, { prefect: there })).toMatchObject({ result: 'policy-default-deny', arrived: false });
      expect((await outcomeOf(role, CREATE, { name: 'p' })).result).toBe('policy-default-deny');
    }
  });

  it('BD-01: another template, or place of code, is what workers execute: a right besides', async () => {
    const other = { ...TEMPLATE, job_configuration: { command: 'sh -c id' } };
    for (const change of [{ base_job_template: other }, { base_job_template: {} }, { storage_configuration: { bundle_execution_step: { x: {} } } }]) {
      expect((await outcomeOf('deployer', UPDATE, change, without('work_pools.write.override'))).result).toBe('policy-forbids');
      expect((await outcomeOf('deployer', UPDATE, change, { prefect: there })).result).toBe(201);
    }
    expect((await outcomeOf('deployer', UPDATE, { base_job_template: TEMPLATE, description: 'x' }, without('work_pools.write.override'))).result).toBe(201);
    expect((await outcomeOf('deployer', CREATE, { name: 'n', base_job_template: other }, without('work_pools.write.override'))).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', CREATE, { name: 'n', type: 'process' }, without('work_pools.write.override'))).result).toBe(201);
    expect((await outcomeOf('deployer', 'PATCH /api/work_pools/p%20q', { base_job_template: TEMPLATE }, without('work_pools.write.override'))).result).toBe(
      201,
    );
  });

  it('only pausing needs the right to pause, and not the one to write', async () => {
    const { gate, result } = await outcomeOf('deployer', UPDATE, { is_paused: true }, without('work_pools.write'));
    expect(result).toBe(201);
    expect(gate.record()).toMatchObject({ action: 'work_pools.pause', resource_type: 'WorkPool', resource_id: 'p' });
    expect((await outcomeOf('deployer', UPDATE, { is_paused: true, concurrency_limit: 0 }, without('work_pools.write'))).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', UPDATE, { is_paused: true }, without('work_pools.pause'))).result).toBe('policy-forbids');
  });

  it('AU-01: a template that reads a block or a variable needs that right of its author', async () => {
    const reads: [string, unknown][] = [
      ['blocks.read_secrets', { token: '{{ prefect.blocks.secret.t }}' }],
      ['blocks.read_secrets', { variables: { properties: { c: { default: { $ref: { block_document_id: RUN } } } } } }],
      ['variables.read', { image: 'x:{{ prefect.variables.tag }}' }],
    ];
    for (const [action, template] of reads) {
      expect((await outcomeOf('deployer', UPDATE, { base_job_template: template }, without(action))).result).toBe('policy-forbids');
      expect((await outcomeOf('deployer', UPDATE, { base_job_template: template }, { prefect: there })).result).toBe(201);
    }
  });

  it('have no schema that makes the server fetch an address; one that is there stays', async () => {
    const remote = { ...TEMPLATE, variables: { properties: { x: { $ref: 'http://169.254.169.254/' } } } };
    const inside = { ...TEMPLATE, variables: { properties: { x: { $ref: '#/definitions/X' } }, definitions: { X: { type: 'string' } } } };
    for (const [route, name] of [
      [UPDATE, {}],
      [CREATE, { name: 'n' }],
    ] as const) {
      const sent = (template: object) => outcomeOf('deployer', route, { ...name, base_job_template: template }, { prefect: there });
      expect(await sent(remote)).toMatchObject({ result: 'body-invalid', arrived: false });
      expect((await sent(inside)).result).toBe(201);
    }
    const kept = prefectWith({ 'GET /api/work_pools/p': { ...OLD, base_job_template: remote } }, { status: 201, body: json({ id: RUN }) });
    expect((await outcomeOf('deployer', UPDATE, { base_job_template: remote, description: 'x' }, { prefect: kept })).result).toBe(201);
  });

  it('must be what can be decided on', async () => {
    for (const body of [[], 'x', undefined]) expect((await outcomeOf('admin', CREATE, body)).result).toMatch(/^body-(invalid|not-json)$/);
    expect((await outcomeOf('admin', CREATE, { name: 1 })).result).toBe('body-invalid');
    expect((await outcomeOf('admin', UPDATE, [])).result).toBe('body-invalid');
  });
});

describe('work queues', () => {
  it.each([`PATCH /api/work_queues/${RUN}`, 'PATCH /api/work_pools/p/queues/q'])('%s: pausing is its own right', async (route) => {
    const { gate, result } = await outcomeOf('deployer', route, { is_paused: true }, without('work_queues.write'));
    expect(result).toBe(201);
    expect(gate.record()).toMatchObject({ action: 'work_queues.pause', resource_type: 'WorkQueue' });
    for (const more of [{ concurrency_limit: 1 }, { name: 'other' }, { priority: 1 }]) {
      expect((await outcomeOf('deployer', route, { is_paused: true, ...more }, without('work_queues.write'))).result).toBe('policy-forbids');
      expect((await outcomeOf('deployer', route, { is_paused: true, ...more })).result).toBe(201);
    }
    expect((await outcomeOf('operator', route, { is_paused: true })).result).toBe('policy-default-deny');
    expect((await outcomeOf('admin', route, [])).result).toBe('body-invalid');
  });
});
