// What a scope covers, each with what it does not.
import { describe, expect, it } from 'vitest';
import { bareEntity } from '../entity.ts';
import { NOWHERE, type Scope } from '../scope.ts';
import { covers, coversWhole, matchesName } from './covers.ts';

const scope = (more: Partial<Scope>): Scope => ({ ...NOWHERE, ...more });
const inside = (given: Scope, entity: Parameters<typeof bareEntity>) => covers(given, bareEntity(...entity), 'bob@local');

const run = { tags: ['team-a', 'x'], workPool: 'pool-a', flow: 'etl', deployment: 'etl/nightly', owner: 'bob@local' };

describe('a scope', () => {
  it.each([
    ['tags', { tags: ['team-a'] }, { tags: ['team-b', 'team'] }],
    ['work pools', { workPools: ['pool-a'] }, { workPools: ['pool', 'pool-*'] }],
    ['deployments', { deployments: ['etl/*'] }, { deployments: ['etl', 'nightly', 'etl2/*'] }],
    ['flows', { flows: ['etl'] }, { flows: ['et', 'etl2', 'tl*', 't*'] }],
    ['own', { own: true }, null],
    ['two keys', { tags: ['team-a'], workPools: ['pool-a'] }, { tags: ['team-a'], workPools: ['pool-b'] }],
  ] as const)('covers a run by %s', (_, yes, no) => {
    for (const type of ['FlowRun', 'TaskRun', 'Log', 'Artifact', 'Deployment'] as const) {
      expect(inside(scope(yes), [type, run])).toBe(true);
      expect(no === null ? covers(scope(yes), bareEntity(type, run), 'eve@local') : inside(scope(no), [type, run])).toBe(false);
    }
  });

  it('covers nothing of a kind that no key counts for', () => {
    expect(inside(scope({ tags: ['team-a'] }), ['WorkPool', { name: 'pool-a', workPool: 'pool-a', tags: ['team-a'] }])).toBe(false);
    expect(inside(scope({ tags: ['team-a'] }), ['BlockDocument', { name: 'x', tags: ['team-a'] }])).toBe(false);
    expect(inside(scope({ blocks: ['*'] }), ['Variable', { name: 'x' }])).toBe(false);
    expect(inside(scope({ own: true }), ['System', { owner: 'bob@local' }])).toBe(false);
    expect(inside(NOWHERE, ['FlowRun', run])).toBe(false);
  });

  it('covers what is named, by its own name', () => {
    expect(inside(scope({ variables: ['team_a_*'] }), ['Variable', { name: 'team_a_region' }])).toBe(true);
    expect(inside(scope({ variables: ['team_a_*'] }), ['Variable', { name: 'team_b_region' }])).toBe(false);
    expect(inside(scope({ tags: ['team-a'] }), ['Variable', { name: 'x', tags: ['team-a'] }])).toBe(true);
    expect(inside(scope({ tags: ['team-a'], variables: ['y'] }), ['Variable', { name: 'x', tags: ['team-a'] }])).toBe(false);
    expect(inside(scope({ workPools: ['pool-a'] }), ['WorkQueue', { name: 'default', workPool: 'pool-a' }])).toBe(true);
    expect(inside(scope({ workPools: ['pool-a'] }), ['WorkQueue', { name: 'pool-a', workPool: 'pool-b' }])).toBe(false);
    expect(inside(scope({ concurrencyLimits: ['db'] }), ['ConcurrencyLimit', { name: 'db' }])).toBe(true);
    expect(inside(scope({ concurrencyLimits: ['db'] }), ['ConcurrencyLimit', { name: null }])).toBe(false);
  });

  it('covers a flow when one use of it has all that is asked', () => {
    const uses = [bareEntity('Deployment', { tags: ['team-a'], workPool: 'pool-b' }), bareEntity('Deployment', { tags: ['team-b'], workPool: 'pool-a' })];
    const flow: Parameters<typeof bareEntity> = ['Flow', { name: 'etl', flow: 'etl', uses }];
    expect(inside(scope({ tags: ['team-a'] }), flow)).toBe(true);
    expect(inside(scope({ tags: ['team-a'], workPools: ['pool-b'] }), flow)).toBe(true);
    expect(inside(scope({ tags: ['team-a'], workPools: ['pool-a'] }), flow)).toBe(false);
    expect(inside(scope({ flows: ['etl'] }), flow)).toBe(true);
    expect(inside(scope({ flows: ['other'], tags: ['team-a'] }), flow)).toBe(false);
    expect(inside(scope({ tags: ['team-a'] }), ['Flow', { name: 'etl', flow: 'etl' }])).toBe(false);
  });
});

it('a flow is changed only by whose scope has all that is known of it', () => {
  const [ours, theirs] = [bareEntity('FlowRun', { tags: ['team-a'] }), bareEntity('Deployment', { tags: ['team-b'] })];
  const whole = (keys: Partial<Scope>, more: Parameters<typeof bareEntity>[1]) =>
    coversWhole(scope(keys), bareEntity('Flow', { name: 'etl', flow: 'etl', ...more }), 'alice@local');
  expect(whole({ tags: ['team-a'] }, { uses: [ours] })).toBe(true);
  // A run of a foreign flow with an own tag makes the flow visible, and nothing more.
  expect(whole({ tags: ['team-a'] }, { uses: [theirs, ours] })).toBe(false);
  expect(whole({ tags: ['team-a'] }, { uses: [ours], hasMoreUses: true })).toBe(false);
  expect(whole({ tags: ['team-a'] }, { uses: [] })).toBe(false);
  expect(whole({ flows: ['etl'] }, { uses: [theirs], hasMoreUses: true })).toBe(true);
});

it('a name may end in a star', () => {
  expect(matchesName('a*', 'ab')).toBe(true);
  expect(matchesName('*', '')).toBe(true);
  expect(matchesName('a', 'ab')).toBe(false);
  expect(matchesName('a*c', 'abc')).toBe(false);
});
