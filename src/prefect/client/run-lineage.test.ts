import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { chainToLabel, initiatorsOf, startingRun } from './initiators.ts';
import { createLineageMemory, createRunLineage, isBelow } from './run-lineage.ts';

const [OWN, CHILD, GRANDCHILD, OTHER, TASK, OTHER_TASK] = ['1', '2', '3', '4', '5', '6'].map((digit) => `${digit}1111111-1111-4111-8111-111111111111`) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

const by = (principal: string, more: Record<string, JsonValue> = {}) => ({ labels: { 'lictor.principal': principal }, ...more });
const PREFECT: Readonly<Record<string, JsonValue>> = {
  [`/api/flow_runs/${OWN}`]: by('alice@local'),
  [`/api/flow_runs/${CHILD}`]: by('token:x', { parent_task_run_id: TASK }),
  [`/api/flow_runs/${GRANDCHILD}`]: by(`run:${CHILD}`),
  [`/api/flow_runs/${OTHER}`]: by('alice@local', { parent_task_run_id: OTHER_TASK }),
  '/api/task_runs/filter': [{ id: TASK, flow_run_id: OWN }],
};
const memory = createLineageMemory();
const lineage = createRunLineage(async (path) => PREFECT[path] ?? null, memory);

describe('how runs stand to each other', () => {
  it('a run is its own; what stands under its task runs, or was started by it, is below it, however deep', async () => {
    expect(await lineage.relation(OWN, OWN)).toBe('own');
    expect(await lineage.relation(OWN, CHILD)).toBe('descendant');
    expect(await lineage.relation(OWN, GRANDCHILD)).toBe('descendant');
    expect(isBelow(memory, OWN, GRANDCHILD)).toBe(true);
  });

  it('what is above is above, everything else is foreign, and what is not there is absent', async () => {
    expect(await lineage.relation(GRANDCHILD, OWN)).toBe('ancestor');
    expect(await lineage.relation(OWN, OTHER)).toBe('foreign');
    expect(await lineage.relation(OTHER, CHILD)).toBe('foreign');
    expect(await lineage.relation(OWN, TASK)).toBe('absent');
    expect(isBelow(memory, OWN, OTHER)).toBe(false);
  });
});

describe('who has started a run', () => {
  it("is the principal of the gateway's label, with those that it acted for", () => {
    const labels = { 'lictor.principal': `run:${OWN}`, 'lictor.on_behalf_of': 'a@idp,b@idp' };
    expect(initiatorsOf({ labels })).toEqual([`run:${OWN}`, 'a@idp', 'b@idp']);
    expect(startingRun({ labels })).toBe(OWN);
  });

  it('is the schedule or automation where Prefect itself says so, whatever label the run has inherited', () => {
    const labels = { 'lictor.principal': `run:${OWN}` };
    expect(initiatorsOf({ labels, created_by: { type: 'SCHEDULE', id: 's' } })).toEqual(['schedule:s']);
    expect(initiatorsOf({ labels, created_by: { type: 'AUTOMATION', id: 'a' } })).toEqual(['automation:a']);
    expect(initiatorsOf({ labels, auto_scheduled: true, created_by: null })).toEqual(['schedule:unknown']);
    expect(startingRun({ labels, auto_scheduled: true })).toBeNull();
  });

  it('is unknown without labels', () => {
    expect(initiatorsOf({ labels: {} })).toEqual([]);
    expect(initiatorsOf({ labels: { 'lictor.principal': 4 } })).toEqual([]);
  });

  it('a comma in a name makes no second one', () => {
    const chain = ['Doe, John@idp', `x,run:${OWN}@idp`, '50%2C@idp'];
    expect(initiatorsOf({ labels: { 'lictor.principal': 'a', 'lictor.on_behalf_of': chainToLabel(chain) } })).toEqual(['a', ...chain]);
  });
});
