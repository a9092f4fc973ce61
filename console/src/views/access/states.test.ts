// What the matrix shows of the answer, and where keys go.
import { describe, expect, it } from 'vitest';
import { aboutOf, breakable, cellAfter, groupSpans, shownColumns } from './states.ts';

const COLUMNS = [
  { action: 'flow_runs.cancel', group: 'steer', resources: [] },
  { action: 'flow_runs.read', group: 'read', resources: [] },
  { action: 'deployments.run', group: 'steer', resources: [] },
] as const;
const columns = COLUMNS.map((column) => ({ ...column, resources: [...column.resources] }));

describe('columns', () => {
  it('are those of a group, or of a text in every group, group by group', () => {
    const names = (group: string, text: string) => shownColumns(columns, { group, text }).map(({ action, index }) => [action, index]);
    expect(names('steer', '')).toEqual([
      ['flow_runs.cancel', 0],
      ['deployments.run', 2],
    ]);
    expect(names('steer', 'flow_runs')).toEqual([
      ['flow_runs.cancel', 0],
      ['flow_runs.read', 1],
    ]);
    expect(groupSpans(shownColumns(columns, { group: 'all', text: '' }))).toEqual([
      { group: 'steer', count: 2 },
      { group: 'read', count: 1 },
    ]);
  });
});

it('a key goes to the next cell, and not beyond the last one', () => {
  const size = { rows: 2, columns: 3 };
  expect(cellAfter('ArrowRight', { row: 0, column: 2 }, size)).toEqual({ row: 0, column: 2 });
  expect(cellAfter('ArrowDown', { row: 0, column: 1 }, size)).toEqual({ row: 1, column: 1 });
  expect(cellAfter('End', { row: 1, column: 0 }, size)).toEqual({ row: 1, column: 2 });
  expect(cellAfter('x', { row: 1, column: 0 }, size)).toBeUndefined();
});

it.each([
  ['tags=team-a', { scope: 'tags=team-a' }],
  ['own', { scope: 'own' }],
  ['FlowRun:1', { resource: 'FlowRun:1' }],
  [' ', {}],
])('%j is an object, a scope, or neither', (text, about) => {
  expect(aboutOf(text)).toEqual(about);
});

it('a name of an action breaks between its words', () => expect(breakable('flow_runs.set_state').split('\u200B')).toEqual(['flow_', 'runs.', 'set_', 'state']));
