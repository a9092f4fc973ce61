import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { createEventMemory } from '../events/memory.ts';
import { createRecordLineage } from './record-lineage.ts';
import { createLineageMemory, createRunLineage, isBelow } from './run-lineage.ts';

const OWN = '11111111-1111-4111-8111-111111111111';
const CHILD = '22222222-2222-4222-8222-222222222222';
const FOREIGN = '33333333-3333-4333-8333-333333333333';
const TASK = '44444444-4444-4444-8444-444444444444';
const NEW_TASK = '55555555-5555-4555-8555-555555555555';

const event = (task: string, run: string) => ({
  id: '66666666-6666-4666-8666-666666666666',
  occurred: '2026-03-01T12:00:00Z',
  event: 'prefect.task-run.Running',
  resource: { 'prefect.resource.id': `prefect.task-run.${task}` },
  related: [{ 'prefect.resource.id': `prefect.flow-run.${run}`, 'prefect.resource.role': 'flow-run' }],
});

function room() {
  const asked: string[] = [];
  const [lineageMemory, eventMemory] = [createLineageMemory(), createEventMemory()];
  const prefect: Readonly<Record<string, JsonValue>> = {
    [`/api/flow_runs/${CHILD}`]: { labels: { 'lictor.principal': `run:${OWN}` } },
    [`/api/flow_runs/${FOREIGN}`]: { labels: {} },
    [`/api/flow_runs/${OWN}`]: { labels: {} },
    '/api/task_runs/filter': [{ id: TASK, flow_run_id: FOREIGN }],
  };
  const lineage = createRunLineage(async (path) => {
    asked.push(path);
    return prefect[path] ?? null;
  }, lineageMemory);
  return { asked, lineageMemory, eventMemory, learn: createRecordLineage({ lineage, lineageMemory, eventMemory }) };
}

describe('before the token of a run says events', () => {
  it('its own runs are known without asking, and what is below it after one look', async () => {
    const { asked, lineageMemory, learn } = room();
    await learn([event(NEW_TASK, OWN)], OWN);
    expect(asked).toEqual(['/api/task_runs/filter']);
    await learn([event(NEW_TASK, CHILD)], OWN);
    expect(isBelow(lineageMemory, OWN, CHILD)).toBe(true);
    await learn([event(NEW_TASK, FOREIGN)], OWN);
    expect(isBelow(lineageMemory, OWN, FOREIGN)).toBe(false);
  });

  it('task runs that Prefect has are known to be of their run, and new ones stay open', async () => {
    const { eventMemory, learn } = room();
    await learn([event(TASK, OWN), event(NEW_TASK, OWN), 'no event'], OWN);
    expect(eventMemory.flowRunOf(TASK)).toBe(FOREIGN);
    expect(eventMemory.flowRunOf(NEW_TASK)).toBeUndefined();
  });
});
