import { describe, expect, it } from 'vitest';
import { actionWords } from './action-words.ts';
import { collectActions } from './actions.ts';
import { OPERATIONS } from './catalogue.ts';

describe('an action in words', () => {
  it.each(collectActions(OPERATIONS).map(({ name }) => name))('%s begins with a verb and names something', (name) => {
    expect(actionWords(name)).toMatch(/^[a-z]+ [A-Za-z]/);
    expect(actionWords(name)).not.toMatch(/\.|[^a-z]_/);
  });

  it.each([
    ['deployments.write', 'POST', 'create deployments'],
    ['deployments.write', 'PATCH', 'change deployments'],
    ['deployments.write', undefined, 'write deployments'],
    ['deployments.schedule.write', 'DELETE', 'delete schedules of deployments'],
    ['work_pools.read', 'POST', 'read work pools'],
    ['flow_runs.cancel', 'POST', 'cancel flow runs'],
    ['logs.write', 'POST', 'write logs'],
    ['deployments.run.override', 'POST', 'start runs with job_variables, another queue or another state'],
  ])('%s by %s is "%s"', (name, method, words) => {
    expect(actionWords(name, method)).toBe(words);
  });
});
