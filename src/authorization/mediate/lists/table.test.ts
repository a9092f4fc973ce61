// Every route of the catalogue that has no object in its path is narrowed, shared, or on the list of those that are refused.
import { describe, expect, it } from 'vitest';
import { isShared } from '../../../contract/scope/shared.ts';
import { OPERATIONS } from '../../../prefect/catalog/catalogue.ts';
import { narrowOf } from './table.ts';

const REFUSED = ['GET /api/observed-states', 'POST /api/task_workers/filter'];

describe('the lists', () => {
  const kinds = OPERATIONS.filter(({ group, idParam, taken, action }) => group === 'read' && idParam === null && taken !== 'relay' && !isShared(action));

  it.each(kinds.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))('%s is narrowed or refused', (name, operation) => {
    expect(narrowOf(operation) === undefined).toBe(REFUSED.includes(name));
  });

  it('has no entry for a route that is not there', () => {
    const narrowed = OPERATIONS.filter((operation) => narrowOf(operation) !== undefined);
    expect(narrowed.length).toBeGreaterThan(45);
    expect(narrowed.filter(({ writes }) => writes).map(({ action }) => action)).toEqual(['runner.poll', 'worker.poll', 'worker.poll']);
  });
});
