// The seam for lists: as long as nothing can be narrowed, nothing is.
import { expect, it } from 'vitest';
import { NOWHERE } from '../contract/scope.ts';
import { filterFor } from './filters.ts';

it('has no filter yet, so that lists of a scoped role are refused', () => {
  expect(filterFor({ ...NOWHERE, tags: ['team-a'] }, 'FlowRun', 'bob@local')).toEqual({ filterable: false });
});
