// Scopes and grants as people see them.
import { expect, it } from 'vitest';
import { everywhere, NOWHERE, roleNames, scopeText } from './scope.ts';

it('a scope is written with the keys of lictor.yaml', () => {
  expect(scopeText({ ...NOWHERE, tags: ['a', 'b'], workPools: ['p'], own: true })).toBe('tags=a,b work_pools=p own');
  expect(scopeText(NOWHERE)).toBe('');
});

it('the names of roles stand once, scoped or not', () => {
  expect(roleNames([...everywhere(['viewer']), { role: 'operator', scope: NOWHERE }, { role: 'viewer', scope: NOWHERE }])).toEqual(['operator', 'viewer']);
});
