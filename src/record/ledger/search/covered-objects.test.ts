// Which objects of records a reader's scopes cover, by Prefect's lists.
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../contract/json/tree.ts';
import { NO_RECORD, type RecordReader } from '../../../contract/record-reader.ts';
import { NOWHERE } from '../../../contract/scope.ts';
import { uuid } from '../prefect-events/event.fixture.ts';
import { createCoveredObjects } from './covered-objects.ts';

const restriction = { principalId: 'bob@corp', scopes: [{ ...NOWHERE, tags: ['team-a'], workPools: ['pool-a'], variables: ['a-*'] }] };
const TEAM: RecordReader = { everything: false, runs: [restriction], objects: [restriction] };
const LISTS: Readonly<Record<string, JsonValue>> = {
  '/api/work_pools/filter': ['pool-a', 'pool-b'].map((name) => ({ id: name, name })),
  '/api/variables/filter': [
    { id: uuid(1), name: 'a-one', tags: [] },
    { id: uuid(2), name: 'b-one', tags: [] },
    { id: uuid(3), name: `a-${uuid(2)}`, tags: [] },
  ],
  '/api/ui/flow_runs/history': [{ id: uuid(5) }],
};

function world() {
  const asked: string[] = [];
  const lookup = async (path: string): Promise<JsonValue | null> => {
    asked.push(path);
    return LISTS[path] ?? [];
  };
  return { asked, covered: createCoveredObjects({ lookup, createdBy: async () => [], steady: () => 0 }) };
}

describe('a reader of a team', () => {
  it.each([
    ['FlowRun', [uuid(5), uuid(6)], [uuid(5)]],
    ['WorkPool', ['pool-a', 'pool-b'], ['pool-a']],
    ['Variable', ['a-one', 'b-one', 'a-gone'], ['a-one']],
    ['Variable', [uuid(1), uuid(2)], [uuid(1)]],
    ['Flow', [uuid(5)], []],
    ['System', ['x'], []],
  ] as const)('sees of %s %j only %j', async (type, ids, seen) => {
    expect([...(await world().covered(TEAM)(type, ids))]).toEqual(seen);
  });

  it('is asked about once, and one without restrictions not at all', async () => {
    const { covered, asked } = world();
    for (const _twice of [1, 2]) await covered(TEAM)('FlowRun', [uuid(5)]);
    expect(asked).toEqual(['/api/ui/flow_runs/history']);
    expect([...(await covered({ ...TEAM, runs: [] })('FlowRun', [uuid(9)]))]).toEqual([uuid(9)]);
    expect([...(await covered(NO_RECORD)('FlowRun', [uuid(5)]))]).toEqual([]);
    expect(asked).toHaveLength(1);
  });
});
