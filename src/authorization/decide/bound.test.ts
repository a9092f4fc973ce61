import { describe, expect, it } from 'vitest';
import type { Principal, PrincipalKind } from '../../contract/principal.ts';
import { everywhere, NOWHERE } from '../../contract/scope.ts';
import type { Relation, RunLineage } from '../../prefect/client/run-lineage.ts';
import type { Ask } from './asks.ts';
import { beyondRun, mustBeRead } from './bound.ts';

const OWN = '11111111-1111-4111-8111-111111111111';
const [CHILD, PARENT, FOREIGN, ABSENT] = ['2', '3', '4', '5'].map((digit) => OWN.replace('1', digit)) as [string, string, string, string];
const RELATIONS: Readonly<Record<string, Relation>> = { [OWN]: 'own', [CHILD]: 'descendant', [PARENT]: 'ancestor', [FOREIGN]: 'foreign' };

/** A task run or artifact has the id of its run here; `nobody` is of none. */
const NOBODY = OWN.replace('1', '6');
const runOf = (id: string) => (id === NOBODY ? null : RELATIONS[id] === undefined ? undefined : id);
const lineage: RunLineage = {
  relation: async (_own, run) => RELATIONS[run] ?? 'absent',
  flowRunOfArtifact: async (id) => runOf(id),
  flowRunsOf: async (ids) => new Map(ids.flatMap((id) => (runOf(id) === undefined ? [] : [[id, runOf(id) ?? null]]))),
};
const principal = (kind: PrincipalKind = 'run', attributes: Record<string, string> = { flow_run_id: OWN }) =>
  ({ id: `run:${OWN}`, kind, idp: null, roles: [], grants: [], groups: [], attributes, onBehalfOf: [] }) as const;

const GROUPS: Readonly<Record<string, 'read' | 'machine'>> = { 'flow_runs.read': 'read' };
async function isWithin(ask: Ask, who: Principal = principal(), known: RunLineage | undefined = lineage): Promise<boolean> {
  return (await beyondRun({ lineage: known, groupOf: (action) => GROUPS[action] ?? 'machine' }, who, [ask])) < 0;
}
const ask = (type: 'FlowRun' | 'TaskRun' | 'Artifact', id: string | null, action = 'x.write'): Ask => ({ action, resource: { type, id } });

describe('what the token of a run may name', () => {
  it.each(['FlowRun', 'TaskRun'] as const)('%s: the own and those below, for everything; those above for reading; no other', async (type) => {
    for (const id of [OWN, CHILD, ABSENT]) expect(await isWithin(ask(type, id)), id).toBe(true);
    for (const id of [PARENT, FOREIGN]) expect(await isWithin(ask(type, id)), id).toBe(false);
    expect(await isWithin(ask(type, PARENT, 'flow_runs.read'))).toBe(true);
    expect(await isWithin(ask(type, FOREIGN, 'flow_runs.read'))).toBe(false);
    expect(await isWithin(ask(type, OWN.toUpperCase()))).toBe(true);
    expect(await isWithin(ask(type, 'no id'))).toBe(false);
  });

  it('what a body names decides, not what its path does', async () => {
    const log = (run: string | null): Ask => ({
      action: 'logs.write',
      resource: { type: 'Log', id: null },
      on: { kind: 'related', object: { type: 'FlowRun', id: run } },
    });
    expect(await isWithin(log(OWN))).toBe(true);
    expect(await isWithin(log(FOREIGN))).toBe(false);
    expect(await isWithin(log(null))).toBe(false);
  });

  it('a task run without a flow run is a foreign background task; an artifact without a run may be written', async () => {
    expect(await isWithin(ask('TaskRun', NOBODY))).toBe(false);
    expect(await isWithin(ask('Artifact', NOBODY))).toBe(true);
    expect(await isWithin(ask('Artifact', FOREIGN))).toBe(false);
    // By its key it is everybody's who writes that key.
    const key = { type: 'Artifact', id: 'report', named: true } as const;
    expect(await isWithin({ action: 'artifacts.write', resource: { type: 'Artifact', id: null }, on: { kind: 'related', object: key } })).toBe(true);
    expect(
      await isWithin({ action: 'artifacts.write', resource: { type: 'Artifact', id: null }, on: { kind: 'related', object: { ...key, named: false } } }),
    ).toBe(false);
  });

  it('lists, runs that are about to be made and other kinds are for the roles to decide', async () => {
    expect(await isWithin(ask('FlowRun', null))).toBe(true);
    expect(await isWithin({ action: 'deployments.run', resource: { type: 'Deployment', id: FOREIGN } })).toBe(true);
  });

  it('holds for runs alone, also for one in the chain; one that does not say which run it is may name none; without a look nothing but the own', async () => {
    expect(await isWithin(ask('FlowRun', FOREIGN), principal('worker'))).toBe(true);
    expect(await isWithin(ask('FlowRun', OWN), principal('run', {}))).toBe(false);
    const agent: Principal = { ...principal('agent', {}), limitedBy: [principal()] };
    expect(await isWithin(ask('FlowRun', FOREIGN), agent)).toBe(false);
    expect(await isWithin(ask('FlowRun', OWN), agent)).toBe(true);
    expect(await beyondRun({ lineage: undefined, groupOf: () => 'machine' }, principal(), [ask('FlowRun', OWN), ask('FlowRun', CHILD)])).toBe(1);
  });
});

describe('which bodies are read', () => {
  const holding = (who: Pick<Principal, 'kind' | 'grants'>, ...limitedBy: readonly Principal[]): Principal => ({ ...principal(), ...who, limitedBy });

  it('those that name runs, when a run sends them', () => {
    for (const action of ['logs.write', 'artifacts.write', 'task_runs.create', 'concurrency.slots']) {
      expect(mustBeRead(holding({ kind: 'run', grants: [] }), { action, idParam: null }), action).toBe(true);
      expect(mustBeRead(holding({ kind: 'worker', grants: [] }), { action, idParam: null }), action).toBe(false);
    }
    expect(mustBeRead(holding({ kind: 'run', grants: [] }), { action: 'flow_runs.read', idParam: null })).toBe(false);
    expect(mustBeRead(holding({ kind: 'run', grants: [] }), { action: 'artifacts.write', idParam: 'id' })).toBe(false);
  });

  it('those that name a lease of slots, of every run and of every principal with scopes', () => {
    const lease = { action: 'concurrency.lease', idParam: null };
    expect(mustBeRead(holding({ kind: 'run', grants: everywhere(['run']) }), lease)).toBe(true);
    expect(mustBeRead(holding({ kind: 'service', grants: [...everywhere(['viewer']), { role: 'worker', scope: NOWHERE }] }), lease)).toBe(true);
    expect(mustBeRead(holding({ kind: 'service', grants: everywhere(['worker']) }), lease)).toBe(false);
  });

  it('those, if another principal of the chain has a scope, or is a run', () => {
    const lease = { action: 'concurrency.lease', idParam: null };
    const all = { kind: 'agent', grants: everywhere(['worker']) } as const;
    expect(mustBeRead(holding(all, holding({ kind: 'user', grants: [{ role: 'worker', scope: NOWHERE }] })), lease)).toBe(true);
    expect(mustBeRead(holding(all, holding({ kind: 'user', grants: [] }, principal())), lease)).toBe(true);
    expect(mustBeRead(holding(all, holding({ kind: 'user', grants: everywhere(['worker']) })), lease)).toBe(false);
  });

  it('those that begin a task run, of the same, though its path names it', () => {
    const state = { action: 'task_runs.set_state', idParam: 'id' };
    expect(mustBeRead(holding({ kind: 'run', grants: everywhere(['run']) }), state)).toBe(true);
    expect(mustBeRead(holding({ kind: 'service', grants: [{ role: 'worker', scope: NOWHERE }] }), state)).toBe(true);
    for (const role of ['worker', 'deployer', 'admin']) expect(mustBeRead(holding({ kind: 'service', grants: everywhere([role]) }), state)).toBe(false);
    expect(mustBeRead(holding({ kind: 'run', grants: everywhere(['run']) }), { action: 'task_runs.read', idParam: 'id' })).toBe(false);
  });
});
