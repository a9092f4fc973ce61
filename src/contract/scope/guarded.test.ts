// Which tags are guarded: those of every scope, of roles, agents, tokens and accounts.
import { expect, it } from 'vitest';
import { NOWHERE } from '../scope.ts';
import { createGuardedTags } from './guarded.ts';

it('guards the tags of scopes of roles, of agents, and of what was given', async () => {
  const scoped = (tag: string) => ({ scope: { ...NOWHERE, tags: [tag] } });
  const config = { roles: [scoped('a'), { scope: null }], agents: [{ grants: [scoped('b'), { scope: null }] }] };
  const guarded = await createGuardedTags(config, async () => [scoped('c').scope])();
  expect([...guarded]).toEqual(['a', 'b', 'c']);
  expect([...(await createGuardedTags({ roles: [], agents: [] }, async () => [])())]).toEqual([]);
});
