import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { NOWHERE } from '../../contract/scope.ts';
import { type Listed, visibleFilters } from './visible-filters.ts';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => `${letter.repeat(8)}-0000-4000-8000-000000000000`) as [string, string, string];

interface World {
  /** Answers of Prefect by path. */
  readonly answers?: Readonly<Record<string, (filter: JsonObject) => JsonValue>>;
  /** Ids of parents that are reached. */
  readonly visibleIds?: readonly string[];
  readonly listed?: Listed;
}

async function seen(body: JsonObject, { answers = {}, visibleIds = [], listed = 'runs' }: World = {}) {
  const asked: string[] = [];
  const lookup = async (path: string, filter?: JsonValue) => {
    asked.push(`${path} ${JSON.stringify(filter)}`);
    return answers[path]?.(isObject(filter) ? filter : {}) ?? [];
  };
  const scopeFilter = { restrictions: [{ principalId: 'bob', scopes: [{ ...NOWHERE, tags: ['team-a'] }] }], lookup, createdBy: async () => [] };
  const result = await visibleFilters(body, { scopeFilter, listed, visibleIds: async (_type, ids) => new Set(ids.filter((id) => visibleIds.includes(id))) });
  return { result: result.ok ? result.body : result.refusal.code, asked };
}

describe('a filter', () => {
  it('goes on as it is, and without a question, where it asks by what is shown', async () => {
    const body = {
      flow_runs: { operator: 'and_', state: { type: { any_: ['FAILED'] } }, created_by: null, tags: { all_: ['x'] } },
      flows: { name: { like_: 'x' }, tags: { all_: [] }, deployment: { operator: 'and_', is_null_: null } },
      deployments: { id: { any_: [A] } },
      work_pools: { name: { any_: ['p'] } },
      ...{ sort: 'ID_DESC', limit: 5, later: null, history_start: 'x' },
    };
    expect(await seen(body)).toEqual({ result: body, asked: [] });
  });

  it.each<JsonObject>([
    { flows: { tags: { all_: ['x'] } } },
    { flows: { tags: { is_null_: true } } },
    { flows: { deployment: { is_null_: false } } },
    { flow_runs: { created_by: { type_: ['AUTOMATION'] } } },
    { flow_runs: { newer: { any_: ['x'] } } },
    { newer: { id: { any_: ['x'] } } },
  ])('%j is refused', async (body) => expect((await seen(body)).result).toBe('filter-hidden'));

  it('of deployments beside runs is about those that are reached, but for their ids', async () => {
    const answers = { '/api/deployments/filter': () => [{ id: A }] };
    const body = { deployments: { name: { like_: 'x' } } };
    const { result, asked } = await seen(body, { answers });
    expect(result).toEqual({ deployments: { id: { any_: [A] } } });
    expect(asked[0]).toContain('"name":{"like_":"x"},"tags":{"any_":["team-a"]}');
    expect(await seen(body, { answers, listed: 'deployments' })).toEqual({ result: body, asked: [] });
  });

  it('by the type of a pool is about pools that are covered', async () => {
    const { result } = await seen({ work_pools: { type: { any_: ['process'] } } }, { answers: { '/api/work_pools/filter': () => [{ id: A, name: 'other' }] } });
    expect(result).toEqual({ work_pools: { id: { any_: [] } } });
  });

  it('by parents is about those that are reached', async () => {
    const body = { flow_runs: { parent_flow_run_id: { any_: [A, B] }, parent_task_run_id: { any_: [B, C] } } };
    const { result } = await seen(body, { visibleIds: [A, C] });
    expect(result).toEqual({ flow_runs: { parent_flow_run_id: { any_: [A] }, parent_task_run_id: { any_: [C] } } });
  });
});

describe('a run whose parent is hidden', () => {
  const answers = {
    '/api/flow_runs/filter': () => [
      { id: A, parent_task_run_id: B },
      { id: B, parent_task_run_id: C },
    ],
  };
  const body = (isNull: JsonValue, more: JsonObject = {}) => ({ flow_runs: { name: { like_: 'x' }, ...more, parent_task_run_id: { is_null_: isNull } } });

  it('counts as one without', async () => {
    expect((await seen(body(true), { answers, visibleIds: [C] })).result).toEqual({ flow_runs: { name: { like_: 'x' }, id: { not_any_: [B] } } });
    expect((await seen(body(true, { id: { not_any_: [C] } }), { answers, visibleIds: [C] })).result).toMatchObject({ flow_runs: { id: { not_any_: [C, B] } } });
    expect((await seen(body(false), { answers, visibleIds: [C] })).result).toEqual({ flow_runs: { name: { like_: 'x' }, id: { any_: [B] } } });
  });

  it('twin: with parents that are all shown the filter is as it was', async () => {
    expect((await seen(body(true), { answers, visibleIds: [B, C] })).result).toEqual(body(true));
    expect((await seen(body(false))).result).toEqual(body(false));
  });

  it('is refused where the test is one of several, and one of them must hold', async () => {
    expect((await seen(body(true, { operator: 'or_' }), { answers })).result).toBe('scope-filter');
    expect((await seen({ flow_runs: { parent_task_run_id: { operator: 'or_', is_null_: true, any_: [A] } } }, { answers })).result).toBe('scope-filter');
    expect((await seen(body('true'), { answers })).result).toBe('scope-filter');
  });
});

describe('a task run whose sub-flow is hidden', () => {
  const tasks = (asked: JsonObject) => {
    const starts = JSON.stringify(asked).includes('subflow_runs');
    return (starts ? [A, B] : [A, B, C]).map((id) => ({ id }));
  };
  const world = (children: readonly string[]): World => ({
    answers: {
      '/api/ui/flow_runs/history': () => [{ id: A }],
      '/api/task_runs/filter': tasks,
      '/api/flow_runs/filter': () => children.map((id) => ({ id: `child of ${id}`, parent_task_run_id: id })),
    },
  });
  const body = (exists: JsonValue) => ({ task_runs: { operator: 'and_', subflow_runs: { exists_: exists } } });

  it('counts as one that has started none', async () => {
    expect((await seen(body(false), world([A]))).result).toEqual({ task_runs: { id: { any_: [B, C] } } });
    expect((await seen(body(true), world([A]))).result).toEqual({ task_runs: { id: { any_: [A] } } });
  });

  it('twin: with sub-flows that are all shown the filter is as it was', async () => {
    expect((await seen(body(false), world([A, B]))).result).toEqual(body(false));
    expect((await seen(body(false))).result).toEqual(body(false));
  });

  it('is asked about with the other filters of the same run, and of a flow with none of them', async () => {
    const filters = { ...body(false), flows: { id: { any_: [C] } }, flow_runs: { name: { like_: 'x' } } };
    expect((await seen(filters, world([A, B]))).asked[0]).toContain('"flows"');
    const ofFlows = await seen(filters, { ...world([A, B]), listed: 'flows' });
    expect(ofFlows.asked[0]).not.toContain('"flows"');
    expect(ofFlows.asked[0]).toContain('"like_":"x"');
  });
});
