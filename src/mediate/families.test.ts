import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../catalog/catalogue.ts';
import { createFamilies, namedFamilies } from './families.ts';
import { generic } from './generic.ts';

const publicUrl = { basePath: '' };

describe('families', () => {
  it('name only operations that the catalogue mediates, each once', () => {
    const catalogue = createCatalogue();
    const named = namedFamilies(publicUrl).flatMap((family) => family.operations);
    expect(new Set(named).size).toBe(named.length);
    for (const operationId of named) expect([operationId, catalogue.byId(operationId)?.taken]).toEqual([operationId, 'mediated']);
  });

  it('leave the rest to the generic one', () => {
    const familyOf = createFamilies(publicUrl);
    expect(familyOf('create_saved_search_saved_searches__put')).toBe(generic);
    expect(familyOf('set_flow_run_state_flow_runs__id__set_state_post')).not.toBe(generic);
  });
});
