// Task runs of others: whatever cannot be looked up counts as foreign.
import { expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { NOWHERE } from '../../contract/scope.ts';
import type { Lookup } from '../client/lookup.ts';
import { foreignTaskRuns } from './scope-filter.ts';

const [OWN, FOREIGN] = ['11111111-0000-4000-8000-000000000000', '22222222-0000-4000-8000-000000000000'];
const [OWN_RUN, FOREIGN_RUN] = ['33333333-0000-4000-8000-000000000000', '44444444-0000-4000-8000-000000000000'];

/** A Prefect with two task runs; `refused`: the route that does not take the filter. */
const prefect =
  (refused?: string): Lookup =>
  async (path): Promise<JsonValue | null> => {
    if (path === refused) return null;
    if (path === '/api/task_runs/filter') {
      return [
        { id: OWN, flow_run_id: OWN_RUN },
        { id: FOREIGN, flow_run_id: FOREIGN_RUN },
      ];
    }
    return [{ id: OWN_RUN }];
  };

const foreign = (lookup: Lookup) =>
  foreignTaskRuns({ restrictions: [{ principalId: 'bob@local', scopes: [{ ...NOWHERE, tags: ['team-a'] }] }], lookup, createdBy: async () => [] }, [
    OWN,
    FOREIGN,
  ]);

it('task runs of covered runs are not foreign, the others are', async () => {
  expect(await foreign(prefect())).toEqual(new Set([FOREIGN]));
});

it.each(['/api/task_runs/filter', '/api/ui/flow_runs/history'])('twin: all are foreign when Prefect refuses the filter of %s', async (path) => {
  expect(await foreign(prefect(path))).toEqual(new Set([OWN, FOREIGN]));
});
