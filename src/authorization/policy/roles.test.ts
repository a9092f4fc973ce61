import { describe, expect, it } from 'vitest';
import type { ActionGroup } from '../../contract/operation.ts';
import { BUILT_IN_ROLES, type BuiltInRole } from '../../contract/roles.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { sharedEngine } from './engine.fixture.ts';
import { roleMay } from './table.ts';

const actions = collectActions(OPERATIONS);
const engine = sharedEngine({ actions, revision: 1 });

function permitted(role: BuiltInRole): string[] {
  return actions.filter((action) => roleMay(engine, role, action)).map(({ name }) => name);
}

function ofGroups(...groups: readonly ActionGroup[]): string[] {
  return actions.filter(({ group }) => groups.includes(group)).map(({ name }) => name);
}

// What each role may and, by being exact, what it may not: these lists are written by hand, not read from the policies.
const RUN = [
  ...ofGroups('baseline'),
  ...['flows.read', 'flow_runs.read', 'flow_runs.input.read', 'task_runs.read', 'deployments.read', 'work_pools.read', 'work_queues.read'],
  ...['admin.storage.read', 'variables.read', 'blocks.read', 'blocks.read_secrets', 'blocks.schema.read', 'artifacts.read', 'concurrency.read'],
  ...['events.stream', 'events.write', 'logs.write', 'artifacts.write', 'concurrency.slots', 'concurrency.lease', 'variables.write', 'flows.register'],
  ...['flow_runs.create', 'flow_runs.set_state', 'flow_runs.force', 'flow_runs.update', 'flow_runs.labels', 'flow_runs.input.write'],
  ...['flow_runs.cancel', 'flow_runs.pause', 'flow_runs.resume', 'flow_runs.retry', 'deployments.run', 'deployments.run.parameters'],
  ...['task_runs.create', 'task_runs.update', 'task_runs.set_state'],
];
const WORKER = [...RUN, 'worker.poll', 'worker.heartbeat', 'worker.connect', 'task_worker.subscribe', 'workers.read', 'collections.read'];
const DEPLOYER = [...ofGroups('baseline', 'read', 'secrets', 'steer', 'override', 'configure'), ...RUN, 'runner.poll', 'task_worker.subscribe'];

const EXPECTED: Readonly<Record<BuiltInRole, readonly string[]>> = {
  viewer: ofGroups('baseline', 'read'),
  operator: ofGroups('baseline', 'read', 'steer'),
  deployer: DEPLOYER,
  worker: WORKER,
  run: RUN,
  agent: [...ofGroups('baseline', 'read'), 'deployments.run', 'deployments.run.parameters', 'flow_runs.cancel'],
  auditor: [...ofGroups('baseline'), 'ledger.read', 'access.read', 'gateway.read'],
  admin: actions.map(({ name }) => name),
};

describe('roles', () => {
  it.each(BUILT_IN_ROLES)('%s may do exactly what is listed, of all actions', (role) => {
    expect(permitted(role)).toEqual([...new Set(EXPECTED[role])].sort((a, b) => (a < b ? -1 : 1)));
  });

  it.each([
    ['viewer', 'variables.read', 'blocks.read_secrets'],
    ['viewer', 'logs.read', 'flow_runs.cancel'],
    ['operator', 'deployments.run.parameters', 'deployments.run.override'],
    ['operator', 'flow_runs.retry', 'flow_runs.set_state'],
    ['operator', 'flow_runs.pause', 'flow_runs.update.override'],
    ['operator', 'deployments.read', 'deployments.write'],
    ['deployer', 'automations.write', 'automations.write.unbounded'],
    ['deployer', 'blocks.write', 'blocks.write.webhook'],
    ['deployer', 'deployments.write.override', 'deployments.write.unsafe'],
    ['deployer', 'admin.settings.read', 'admin.settings.read_all'],
    ['operator', 'deployments.run', 'deployments.pause'],
    ['operator', 'work_pools.read', 'work_pools.pause'],
    ['run', 'deployments.run', 'automations.write'],
    ['deployer', 'work_pools.write', 'worker.poll'],
    ['worker', 'worker.connect', 'work_pools.write'],
    ['worker', 'deployments.run.parameters', 'deployments.run.override'],
    ['run', 'blocks.read_secrets', 'blocks.write'],
    ['run', 'logs.write', 'logs.read'],
    ['run', 'flow_runs.set_state', 'worker.poll'],
  ] as const)('%s may %s but not %s', (role, may, mayNot) => {
    expect(permitted(role)).toContain(may);
    expect(permitted(role)).not.toContain(mayNot);
  });

  it.each(['worker', 'run', 'deployer'] as const)('%s may always read its own flow, deployment, queue, pool, run, storage', (role) => {
    const own = [
      'flows.read',
      'deployments.read',
      'work_queues.read',
      'work_pools.read',
      'flow_runs.read',
      'admin.storage.read',
      'system.csrf',
      'system.version',
    ];
    expect(permitted(role)).toEqual(expect.arrayContaining(own));
  });
});
