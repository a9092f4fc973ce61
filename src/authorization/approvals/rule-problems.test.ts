// A rule with a misspelt action would hold nothing, so it is a problem of the configuration.
import { expect, it } from 'vitest';
import { aRule } from './hold.fixture.ts';
import { assertRules, ruleProblems } from './rule-problems.ts';

const RULES = [aRule(), aRule({ actions: ['deployments.delete', 'deployment.delete', 'coffee.make'] })];

it('names each action that does not exist, and the one that was meant', () => {
  expect(ruleProblems(RULES)).toEqual([
    { path: 'approvals[1].actions[1]', message: 'deployment.delete is not an action', remedy: 'Did you mean deployments.delete?' },
    { path: 'approvals[1].actions[2]', message: 'coffee.make is not an action', remedy: expect.stringContaining('docs/reference') },
  ]);
  expect(() => assertRules(RULES)).toThrow(/deployment\.delete is not an action/);
});

it('accepts every action that exists', () => {
  expect(ruleProblems([aRule({ actions: ['flow_runs.cancel', 'deployments.run', 'blocks.read_secrets'] })])).toEqual([]);
  expect(() => assertRules([aRule()])).not.toThrow();
});
