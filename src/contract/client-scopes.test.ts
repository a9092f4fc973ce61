// What scopes leave of a person's rights.
import { expect, it } from 'vitest';
import { CLIENT_SCOPES, isClientScope, scopesAllow } from './client-scopes.ts';
import { ACTION_GROUPS } from './operation.ts';

it('all of them leave everything, as none at all does', () => {
  for (const group of ACTION_GROUPS) expect([scopesAllow(CLIENT_SCOPES, group), scopesAllow(undefined, group)], group).toEqual([true, true]);
});

it.each([
  ['prefect:read', ['baseline', 'read']],
  ['prefect:run', ['baseline', 'read', 'machine', 'steer', 'services']],
  ['prefect:write', ['baseline', 'read', 'secrets', 'override', 'configure']],
  ['lictor:admin', ['baseline', 'admin']],
] as const)('%s leaves %j', (scope, groups) => {
  expect(ACTION_GROUPS.filter((group) => scopesAllow([scope], group))).toEqual(groups);
});

it('an action without a group is left to nobody with scopes, and an empty list to nobody at all', () => {
  expect([scopesAllow(['prefect:read'], undefined), scopesAllow([], 'baseline')]).toEqual([false, false]);
  expect(['prefect:read', 'openid', 'prefect', ''].map(isClientScope)).toEqual([true, false, false, false]);
});
