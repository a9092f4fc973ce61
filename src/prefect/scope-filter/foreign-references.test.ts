// Each place of an answer that names another object: with one that is reached, and with one that is not.
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { withoutForeignReferences } from './foreign-references.ts';

const OWN = '11111111-0000-4000-8000-000000000000';
const FOREIGN = '22222222-0000-4000-8000-000000000000';
const NOBODYS = '00000000-0000-0000-0000-000000000000';

/** The answer for a principal that sees only OWN. */
function shown(tree: JsonValue): Promise<JsonValue> {
  return withoutForeignReferences(tree, async (_type, ids) => new Set(ids.filter((id) => id === OWN)));
}

describe('an answer about a run', () => {
  it.each<readonly [string, (id: string) => JsonValue, JsonValue]>([
    ['the task that started it', (id) => ({ name: 'x', parent_task_run_id: id }), { name: 'x', parent_task_run_id: null }],
    [
      'the run that a task has started',
      (id) => [{ state: { state_details: { child_flow_run_id: id } } }],
      [{ state: { state_details: { child_flow_run_id: null } } }],
    ],
    [
      'an automation that made it',
      (id) => ({ results: [{ created_by: { type: 'AUTOMATION', id, display_value: 'n' } }] }),
      { results: [{ created_by: null }] },
    ],
    [
      'an automation that changed it',
      (id) => ({ results: [{ updated_by: { type: 'AUTOMATION', id, display_value: 'n' } }] }),
      { results: [{ updated_by: null }] },
    ],
    ['who holds a slot', (id) => ({ active_slots: [OWN, id] }), { active_slots: [OWN, NOBODYS] }],
  ])('does not name %s, unless that is reached', async (_what, answer, expected) => {
    expect(await shown(answer(FOREIGN))).toEqual(expected);
    expect(await shown(answer(OWN))).toEqual(answer(OWN));
  });

  it('asks for nothing that names itself', async () => {
    const answer = { id: FOREIGN, flow_run_id: FOREIGN, state: { state_details: { flow_run_id: FOREIGN, task_run_id: FOREIGN } } };
    expect(await shown(answer)).toEqual(answer);
    expect(await shown({ id: OWN, ...{ state: { state_details: { flow_run_id: OWN, task_run_id: FOREIGN } } } })).toMatchObject({
      state: { state_details: { flow_run_id: OWN, task_run_id: null } },
    });
    expect(await shown({ state_details: { flow_run_id: FOREIGN } })).toEqual({ state_details: { flow_run_id: null } });
  });

  it('leaves values without references, and values of users, unchanged', async () => {
    const answer = {
      parent_task_run_id: null,
      created_by: { type: 'DEPLOYMENT', id: FOREIGN },
      parameters: { parent_task_run_id: FOREIGN, state: { child_flow_run_id: FOREIGN } },
    };
    expect(await shown(answer)).toEqual(answer);
    expect(await shown({ parent_task_run_id: 'no id' })).toEqual({ parent_task_run_id: null });
  });
});

it('a graph has no node of a foreign run, and no edge to one', async () => {
  const node = (id: string, kind: string, ...children: string[]): JsonValue => [
    id,
    { id, kind, label: id, parents: [], children: children.map((child) => ({ id: child })), encapsulating: [] },
  ];
  const graph = (child: string) => ({ root_node_ids: [child, 't'], nodes: [node('t', 'task-run', child), node(child, 'flow-run')], states: [] });
  expect(await shown(graph(FOREIGN))).toEqual({ root_node_ids: ['t'], nodes: [node('t', 'task-run')], states: [] });
  expect(await shown(graph(OWN))).toEqual(graph(OWN));
});
