import { describe, expect, it } from 'vitest';
import { NOWHERE, type Scope } from '../contract/scope.ts';
import { scopeWarnings } from './scope-warnings.ts';

function warned(role: string, scope: Partial<Scope> | null): readonly string[] {
  const other = { role: 'viewer', members: ['*@corp'], scope: null };
  const binding = { role, members: ['token:ci'], scope: scope === null ? null : { ...NOWHERE, ...scope } };
  return scopeWarnings({ roles: [other, binding] }).map(({ path }) => path);
}

describe('a scope of a principal that deploys', () => {
  it('is warned of with tags and without work pools', () => {
    for (const role of ['deployer', 'admin']) expect(warned(role, { tags: ['team-a'] }), role).toEqual(['roles[1].scope']);
    expect(warned('deployer', { tags: ['team-a'], deployments: ['etl/*'] })).toEqual(['roles[1].scope']);
  });

  it('is not with work pools, without tags, on everything, or of a role that deploys nothing', () => {
    expect(warned('deployer', { tags: ['team-a'], workPools: ['pool-a'] })).toEqual([]);
    expect(warned('deployer', { deployments: ['etl/*'] })).toEqual([]);
    expect(warned('deployer', null)).toEqual([]);
    for (const role of ['operator', 'worker', 'viewer']) expect(warned(role, { tags: ['team-a'] }), role).toEqual([]);
  });
});
