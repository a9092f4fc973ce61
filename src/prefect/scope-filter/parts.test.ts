import { describe, expect, it } from 'vitest';
import { NOWHERE } from '../../contract/scope.ts';
import { deploymentPart, isFilterable, mergeParts, type ResolvedScope, runPart } from './parts.ts';

const nothing: ResolvedScope = { tags: null, workPools: null, deployments: null, flows: null, own: null };
const whole: ResolvedScope = { tags: ['team-a'], workPools: ['pool-a'], deployments: ['id-1'], flows: ['etl'], own: null };

describe('a scope as filters', () => {
  it('has one filter for each key that is given, and none for the others', () => {
    expect(runPart(whole)).toEqual({
      flow_runs: { tags: ['team-a'] },
      work_pools: { name: ['pool-a'] },
      deployments: { id: ['id-1'] },
      flows: { name: ['etl'] },
    });
    expect(deploymentPart(whole)).toEqual({ deployments: { tags: ['team-a'], id: ['id-1'] }, work_pools: { name: ['pool-a'] }, flows: { name: ['etl'] } });
    expect(runPart({ ...nothing, workPools: [] })).toEqual({ work_pools: { name: [] } });
    expect(deploymentPart({ ...nothing, workPools: ['p'] })).toEqual({ work_pools: { name: ['p'] } });
  });

  it('says what is own by ids, and nothing of a scope of other kinds', () => {
    expect(isFilterable({ ...NOWHERE, tags: ['a'] })).toBe(true);
    expect(isFilterable({ ...NOWHERE, own: true })).toBe(true);
    expect(runPart({ ...nothing, own: ['r'] })).toEqual({ flow_runs: { id: ['r'] } });
    expect(deploymentPart({ ...whole, own: ['id-1', 'id-2'] })).toMatchObject({ deployments: { id: ['id-1'] } });
    expect(deploymentPart({ ...whole, own: ['id-2'] })).toMatchObject({ deployments: { id: [] } });
    expect(isFilterable({ ...NOWHERE, variables: ['a'] })).toBe(false);
  });
});

describe('alternatives', () => {
  const tagged = (...tags: string[]) => runPart({ ...nothing, tags });

  it('are one where one list is the difference', () => {
    expect(mergeParts([tagged('a'), tagged('b'), tagged('a', 'c')])).toEqual([tagged('a', 'b', 'c')]);
    const both = (tag: string, pool: string) => runPart({ ...nothing, tags: [tag], workPools: [pool] });
    expect(mergeParts([both('a', 'p'), both('b', 'p')])).toEqual([{ flow_runs: { tags: ['a', 'b'] }, work_pools: { name: ['p'] } }]);
    expect(mergeParts([both('a', 'p'), both('b', 'q')])).toHaveLength(2);
    expect(mergeParts([both('a', 'p'), both('b', 'q'), both('a', 'q'), both('b', 'p')])).toEqual([
      { flow_runs: { tags: ['a', 'b'] }, work_pools: { name: ['p', 'q'] } },
    ]);
  });

  it('stay two where they test different things', () => {
    const parts = [tagged('a'), runPart({ ...nothing, workPools: ['p'] })];
    expect(mergeParts(parts)).toEqual(parts);
    expect(mergeParts([tagged('a'), runPart({ ...nothing, tags: ['a'], workPools: ['p'] })])).toHaveLength(2);
    expect(mergeParts([])).toEqual([]);
  });
});
